/**
 * A saved session: the profile, the seed and every command with its simulated time. Replayed, it gives the same bits;
 * nothing of the machine's state is stored.
 */
import type { Command } from '../engine/commands'
import { ok, userError, type Result } from '../util/result'
import type { Ns } from '../util/units'
import { loadDocument, type FileFormat } from './load'
import { readMachine, type MachineProfile } from './machine'
import { commandSchema, toCommand } from './session-commands'
import { SESSION_UPGRADES } from './versions'
import { field, z } from './zod'

const atNs = field(z.int().nonnegative(), 'simulated nanoseconds since boot', 'When.')
const eventCount = field(z.int().nonnegative(), 'a count of events', 'Events of the machine that came before.')

const labStep = z.strictObject({
  done: z.boolean(),
  answer: z.string().optional(),
  hinted: z.boolean().optional(),
  tries: z.int().positive().optional(),
  opening: z.strictObject({ atNs: z.int().nonnegative(), numbers: z.record(z.string(), z.number()) }).optional(),
})

export const sessionSchema = z.strictObject({
  format: z.literal('pagewalk-session'),
  version: z.literal(1),
  appVersion: field(z.string(), 'text such as "0.1.0"', 'Pagewalk that wrote the file.'),
  profile: field(z.record(z.string(), z.unknown()), 'a machine profile', 'The machine.'),
  seed: field(z.int().nonnegative().max(4294967295), 'a whole number from 0 to 4294967295', 'Seed of all chance.'),
  commands: field(
    z.array(z.strictObject({ atNs, eventCount, command: commandSchema })),
    'a list of {"atNs", "eventCount", "command"}',
    'Everything that was done to the machine, in order.',
  ),
  endNs: field(z.int().nonnegative(), 'simulated nanoseconds since boot', 'How far the run had come.'),
  endEventCount: eventCount,
  digest: field(z.string().regex(/^[0-9a-f]{16}$/), '16 hex digits', 'Digest of the machine at the end of the run.'),
  lab: field(
    z.strictObject({ id: z.string(), steps: z.array(labStep) }),
    'a lab: {"id", "steps"}',
    'The lab that was open, and how far it was.',
  ).optional(),
})

export type SessionFile = z.infer<typeof sessionSchema>

export interface LoggedCommand {
  readonly atNs: Ns
  /** Events of the machine that came before it: two commands of one instant may have events between them. */
  readonly eventCount: number
  readonly command: Command
}

/** The lab that was open: its id, and for each step what the walk keeps of it. */
export interface SavedLab {
  readonly id: string
  readonly steps: readonly SavedLabStep[]
}

export interface SavedLabStep {
  readonly done: boolean
  readonly answer?: string
  readonly hinted?: boolean
  readonly tries?: number
  /** How the machine was when the step opened. */
  readonly opening?: { readonly atNs: number; readonly numbers: Readonly<Record<string, number>> }
}

export interface Session {
  readonly appVersion: string
  readonly profile: MachineProfile
  readonly seed: number
  readonly commands: readonly LoggedCommand[]
  readonly endNs: Ns
  readonly endEventCount: number
  readonly digest: string
  readonly lab?: SavedLab
}

export const SESSION_FORMAT: FileFormat<SessionFile> = {
  format: 'pagewalk-session',
  noun: 'session',
  version: 1,
  schema: sessionSchema,
  upgrades: SESSION_UPGRADES,
}

export function loadSession(source: string, fileName: string): Result<Session> {
  const loaded = loadDocument(SESSION_FORMAT, source, fileName)
  if (!loaded.ok) return loaded
  const file = loaded.value
  const profile = readMachine(file.profile, `${fileName}: profile`)
  if (!profile.ok) return profile
  const late = file.commands.findIndex((c, i) => c.atNs < (file.commands[i - 1]?.atNs ?? 0))
  if (late >= 0) {
    const before = file.commands[late - 1]!.atNs
    return userError(
      'session/order',
      `${fileName}: commands[${late}].atNs`,
      `${file.commands[late]!.atNs} ns comes after a command at ${before} ns.`,
      'Commands stand in the order of their time.',
    )
  }
  const last = file.commands.at(-1)?.atNs ?? 0
  if (file.endNs < last) {
    return userError(
      'session/end',
      `${fileName}: endNs`,
      `The run ends at ${file.endNs} ns, before its last command at ${last} ns.`,
      `Use at least ${last}.`,
    )
  }
  return ok({
    appVersion: file.appVersion,
    profile: profile.value,
    seed: file.seed,
    commands: file.commands.map((c) => ({ atNs: c.atNs, eventCount: c.eventCount, command: toCommand(c.command) })),
    endNs: file.endNs,
    endEventCount: file.endEventCount,
    digest: file.digest,
    // Absent fields of a step come back absent: JSON has no undefined.
    ...(file.lab === undefined ? {} : { lab: file.lab as SavedLab }),
  })
}

/** The file's text: one command a line, so that two sessions can be compared line by line. */
export function formatSession(session: Session): string {
  const { appVersion, profile, seed, commands, endNs, endEventCount, digest, lab } = session
  const head = JSON.stringify(
    { format: 'pagewalk-session', version: 1, appVersion, seed, endNs, endEventCount, digest, lab, profile },
    undefined,
    2,
  )
  const lines = commands.map((c) => `    ${JSON.stringify(c)}`).join(',\n')
  return `${head.slice(0, -2)},\n  "commands": [${lines === '' ? '' : `\n${lines}\n  `}]\n}\n`
}
