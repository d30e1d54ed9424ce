/**
 * The lab format: steps with their commands, predictions, checks and solution in lab.json; what the student reads in
 * lab.md, one section a step behind a `<!-- step: id -->` line.
 * @see docs/formats.md
 */
import { loadDocument, type FileFormat } from '../profiles/load'
import { z } from '../profiles/zod'
import { err, ok, type Result } from '../util/result'
import { faultOf } from './faults'

export const LAB_FORMAT = 'pagewalk-lab'
export const LAB_VERSION = 1

const path = z.string().regex(/^\//, 'an absolute path')
/** What the student is told about a check; every kind has one. */
const says = z.string().min(1)

/** A number in a file of the machine. */
const numberSchema = z.strictObject({
  path,
  /** Skip to the first line that contains this: a zone's heading, a cache's row. */
  under: z.string().min(1).optional(),
  /** How the line begins; blanks in front do not count. */
  key: z.string().min(1).optional(),
  /** Which number behind the key, from 0. */
  nth: z.number().int().nonnegative().optional(),
})
export type NumberSource = z.infer<typeof numberSchema>
const numbers = z.record(z.string().regex(/^[a-z][A-Za-z0-9]*$/, 'a name such as "free" or "o9"'), numberSchema)

const checkSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('exists'), says, path }),
  z.strictObject({ kind: z.literal('missing'), says, path }),
  z.strictObject({ kind: z.literal('contains'), says, path, text: z.string().min(1) }),
  z.strictObject({
    kind: z.literal('value'),
    says,
    path,
    key: z.string().optional(),
    min: z.number().optional(),
    max: z.number().optional(),
  }),
  /** A rule over several numbers; `was.free` is the value that `free` had when the step opened. */
  z.strictObject({ kind: z.literal('rule'), says, numbers, rule: z.string().min(1) }),
  z.strictObject({
    kind: z.literal('log'),
    says,
    text: z.string().min(1),
    /** Only lines that came after the step had opened. */
    sinceStep: z.boolean().optional(),
  }),
  z.strictObject({
    kind: z.literal('event'),
    says,
    name: z.string().min(1),
    comm: z.string().optional(),
    /** Values that fields of the event must have. */
    fields: z.record(z.string(), z.number()).optional(),
    /** How many; one when left out. */
    min: z.number().int().positive().optional(),
    sinceStep: z.boolean().optional(),
  }),
])
export type Check = z.infer<typeof checkSchema>

const stepSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/, 'lower case letters, digits and hyphens'),
  kind: z.enum(['text', 'command', 'prediction', 'number', 'check', 'explanation']),
  /** Shell text that one click types into the terminal. */
  command: z.string().optional(),
  choices: z.array(z.string()).min(2).optional(),
  /** The right choice, word for word. */
  answer: z.string().optional(),
  /** Of a number step: what the rule speaks of beside `answer`, the rule itself, and the unit shown behind the field. */
  numbers: numbers.optional(),
  rule: z.string().min(1).optional(),
  unit: z.string().min(1).optional(),
  checks: z.array(checkSchema).optional(),
  /** `{free}` stands for what the step's number `free` is at that moment. */
  hint: z.string().optional(),
  /** Shell text that makes the checks pass (the command when left out), or that prints the answer of a number step. */
  solution: z.string().optional(),
})
export type LabStep = z.infer<typeof stepSchema>

export const labSchema = z.strictObject({
  format: z.literal(LAB_FORMAT),
  version: z.literal(LAB_VERSION),
  id: z.string().min(1),
  title: z.string().min(1),
  summary: z.string().min(1),
  minutes: z.number().int().positive(),
  topics: z.array(z.number().int().min(1).max(15)),
  /** What one knows afterwards. */
  outcomes: z.array(z.string()).min(1),
  /** Name of a ready machine. */
  machine: z.string().min(1),
  /** Shell text that prepares the machine before the first step. */
  setup: z.string(),
  seeds: z.array(z.number().int().nonnegative()).min(1),
  steps: z.array(stepSchema).min(1),
})
export type LabDocument = z.infer<typeof labSchema>

const FORMAT: FileFormat<LabDocument> = {
  format: LAB_FORMAT,
  noun: 'lab',
  version: LAB_VERSION,
  schema: labSchema,
  upgrades: [],
}

export interface Lab {
  readonly document: LabDocument
  /** Step id → Markdown. */
  readonly prose: Readonly<Record<string, string>>
}

const STEP_LINE = /^<!-- step: ([a-z0-9-]+) -->$/

/** Sections of lab.md by step id. */
export function parseProse(markdown: string): Record<string, string> {
  const sections: Record<string, string> = {}
  let current = ''
  for (const line of markdown.split('\n')) {
    const match = STEP_LINE.exec(line.trim())
    if (match !== null) {
      current = match[1]!
      sections[current] = ''
    } else if (current !== '') sections[current] += `${line}\n`
  }
  for (const id of Object.keys(sections)) sections[id] = sections[id]!.trim()
  return sections
}

/**
 * @param json      text of lab.json
 * @param markdown  text of lab.md
 * @param name      of the folder, for messages
 */
export function loadLab(json: string, markdown: string, name: string): Result<Lab> {
  const loaded = loadDocument(FORMAT, json, `${name}/lab.json`)
  if (!loaded.ok) return loaded
  const fault = faultOf(loaded.value, `${name}/lab.json`)
  if (fault !== undefined) return fault
  const prose = parseProse(markdown)
  const ids = loaded.value.steps.map((s) => s.id)
  const missing = ids.find((id) => (prose[id] ?? '') === '')
  if (missing !== undefined)
    return err({
      code: 'lab/prose',
      where: `${name}/lab.md`,
      message: `There is no text for step "${missing}".`,
      fix: `Write it below a line "<!-- step: ${missing} -->".`,
    })
  const stray = Object.keys(prose).find((id) => !ids.includes(id))
  if (stray !== undefined)
    return err({
      code: 'lab/prose-stray',
      where: `${name}/lab.md`,
      message: `Step "${stray}" is not in lab.json.`,
      fix: `Known steps: ${ids.join(', ')}.`,
    })
  return ok({ document: loaded.value, prose })
}
