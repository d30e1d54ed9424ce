/** A scenario file: a machine, a shell script that runs in it, and when to stop. What `pagewalk run` takes. */
import { ok, userError, type Result } from '../util/result'
import type { Ns } from '../util/units'
import { loadDocument, type FileFormat } from './load'
import { readMachine, type MachineProfile } from './machine'
import { parseDuration } from './sizes'
import { SCENARIO_UPGRADES } from './versions'
import { field, z } from './zod'

export const scenarioSchema = z.strictObject({
  format: z.literal('pagewalk-scenario'),
  version: z.literal(1),
  name: field(
    z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
    'lower-case letters, digits, "-", "_" and "."',
    'Short name.',
  ),
  title: field(z.string(), 'text', 'Name in menus.').optional(),
  description: field(z.string(), 'text', 'What to look for.').optional(),
  machine: field(
    z.union([z.string().min(1), z.record(z.string(), z.unknown())]),
    'the name of a ready machine, the path of a profile, or a whole profile',
    'The machine that it runs on.',
  ),
  seed: field(
    z.int().nonnegative().max(4294967295),
    'a whole number from 0 to 4294967295',
    'Seed of all chance (default 1).',
  ).optional(),
  env: field(
    z.record(z.string().regex(/^[A-Za-z_]\w*$/), z.string()),
    'an object of texts, named like shell variables',
    'Environment of the script.',
  ).optional(),
  script: field(z.array(z.string()).min(1), 'a list of lines', 'The shell script, line by line.'),
  until: field(
    z.string().refine((text) => (parseDuration(text) ?? 0) > 0, 'This is no duration.'),
    'a duration such as "60s", "500ms" or "10m"',
    'Simulated time at which the run ends at the latest.',
  ),
})

export type ScenarioFile = z.infer<typeof scenarioSchema>

/** A scenario as the program uses it. */
export interface Scenario {
  readonly name: string
  readonly title: string
  readonly description: string
  /** A profile that lay in the file, or the name or path that has to be looked up. */
  readonly machine: MachineProfile | string
  readonly seed: number
  readonly env: Readonly<Record<string, string>>
  readonly script: string
  readonly untilNs: Ns
}

export const SCENARIO_FORMAT: FileFormat<ScenarioFile> = {
  format: 'pagewalk-scenario',
  noun: 'scenario',
  version: 1,
  schema: scenarioSchema,
  upgrades: SCENARIO_UPGRADES,
}

export function loadScenario(source: string, fileName: string): Result<Scenario> {
  const loaded = loadDocument(SCENARIO_FORMAT, source, fileName)
  if (!loaded.ok) return loaded
  const file = loaded.value
  const machine =
    typeof file.machine === 'string' ? ok(file.machine) : readMachine(file.machine, `${fileName}: machine`)
  if (!machine.ok) return machine
  const untilNs = parseDuration(file.until)
  if (untilNs === undefined)
    return userError('profile/value', `${fileName}: until`, `"${file.until}" is no duration.`, 'Use "60s".')
  return ok({
    name: file.name,
    title: file.title ?? file.name,
    description: file.description ?? '',
    machine: machine.value,
    seed: file.seed ?? 1,
    env: file.env ?? {},
    script: `${file.script.join('\n')}\n`,
    untilNs,
  })
}
