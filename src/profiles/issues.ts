/**
 * The validation library's issues → our UserError, in one function: where in the file, what was seen, what would be
 * accepted.
 */
import type { Err, UserError } from '../util/result'
import { userError } from '../util/result'
import { nearestName } from '../util/nearest'
import { z } from './zod'

type Path = readonly PropertyKey[]

/** ['nodes', 1, 'size'] → 'nodes[1].size'; the names of free tables in brackets: sysctls["vm.swapiness"]. */
export function formatPath(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^\w+$/.test(String(step))) text += text === '' ? String(step) : `.${String(step)}`
    else text += `["${String(step)}"]`
  }
  return text
}

export const whereIn = (fileName: string, path: Path): string =>
  path.length === 0 ? fileName : `${fileName}: ${formatPath(path)}`

/** The first issue as a person should see it. */
export function firstIssue(error: z.ZodError, schema: z.ZodType, input: unknown, fileName: string): Err<UserError> {
  // A misspelt name is reported before the field that is therefore missing.
  const issue = error.issues.find((i) => i.code === 'unrecognized_keys') ?? error.issues[0]!
  if (issue.code === 'unrecognized_keys') {
    return unknownField(issue.keys, issue.path, schemaAt(schema, issue.path, input), fileName)
  }
  const where = whereIn(fileName, issue.path)
  const seen = valueAt(input, issue.path)
  const target = schemaAt(schema, issue.path, input)
  const accepts = acceptsOf(target) ?? plain(issue)
  if (seen === undefined) {
    return userError('profile/missing', where, 'This field is missing.', `Needed: ${accepts}.`)
  }
  return userError('profile/value', where, `${show(seen)} is not accepted.`, `Accepted: ${accepts}.`)
}

function unknownField(
  keys: readonly string[],
  path: Path,
  schema: z.ZodType | undefined,
  fileName: string,
): Err<UserError> {
  const key = keys[0]!
  const known = knownKeys(schema)
  const nearest = nearestName(key, known)
  const fix = nearest === undefined ? `Known here: ${known.join(', ')}.` : `Did you mean '${nearest}'?`
  return userError('profile/unknown-field', whereIn(fileName, [...path, key]), `There is no field '${key}' here.`, fix)
}

/** A value in a message: short, and texts in quotes. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  const kind = Array.isArray(value) ? 'The list ' : typeof value === 'object' && value !== null ? 'The object ' : ''
  return kind + (text.length > 60 ? `${text.slice(0, 57)}…` : text)
}

function plain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union' && 'options' in issue && issue.options !== undefined) {
    return `one of ${issue.options.map(String).join(', ')}`
  }
  if (issue.code === 'invalid_type') return `a value of type ${issue.expected}`
  if (issue.code === 'invalid_value') return issue.values.map(String).join(', ')
  return issue.message
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input
  for (const step of path) value = (value as Record<PropertyKey, unknown> | undefined | null)?.[step]
  return value
}

/** Peels optional, default and the like off a schema. */
function inner(schema: z.ZodType): z.ZodType {
  let s = schema
  while (s instanceof z.ZodOptional || s instanceof z.ZodDefault || s instanceof z.ZodReadonly)
    s = s.unwrap() as z.ZodType
  return s
}

/** The schema of the field at `path`; among alternatives, the one that the value names itself. */
function schemaAt(schema: z.ZodType, path: Path, input: unknown): z.ZodType | undefined {
  let s: z.ZodType | undefined = schema
  let value = input
  for (const step of path) {
    const at = alternative(s, value)
    if (at instanceof z.ZodObject) s = (at.shape as Record<string, z.ZodType>)[String(step)]
    else if (at instanceof z.ZodArray) s = at.element as z.ZodType
    else if (at instanceof z.ZodRecord) s = at.valueType as z.ZodType
    else return undefined
    if (s === undefined) return undefined
    value = (value as Record<PropertyKey, unknown> | undefined | null)?.[step]
  }
  return alternative(s, value) ?? s
}

function alternative(schema: z.ZodType, value: unknown): z.ZodType | undefined {
  const s = inner(schema)
  if (!(s instanceof z.ZodDiscriminatedUnion)) return s
  const key = s.def.discriminator
  const options = s.options as z.ZodObject[]
  return options.find((o) => literalOf(o, key) === (value as Record<string, unknown> | undefined | null)?.[key])
}

const literalOf = (option: z.ZodObject, key: string): unknown => {
  const literal = option.shape[key]
  return literal instanceof z.ZodLiteral ? literal.value : undefined
}

function acceptsOf(schema: z.ZodType | undefined): string | undefined {
  if (schema === undefined) return undefined
  const meta = (schema.meta() ?? inner(schema).meta()) as { accepts?: string } | undefined
  return meta?.accepts
}

function knownKeys(schema: z.ZodType | undefined): string[] {
  const s = schema === undefined ? undefined : inner(schema)
  return s instanceof z.ZodObject ? Object.keys(s.shape) : []
}
