/** Arguments → options and operands. A table per command says what it takes; everything else is a one-line error. */
import { ok, userError, type Result } from '../util/result'
import { nearestName } from '../util/nearest'

export interface OptionSpec {
  /** flag: no value. one: last wins. many: collected. */
  readonly takes: 'flag' | 'one' | 'many'
}

export type OptionTable = Readonly<Record<string, OptionSpec>>

export interface Parsed {
  readonly flags: ReadonlySet<string>
  readonly values: Readonly<Record<string, readonly string[]>>
  readonly operands: readonly string[]
}

/** `--name value`, `--name=value`, `-c value`; `--` ends the options. */
export function parseArgs(argv: readonly string[], table: OptionTable, command: string): Result<Parsed> {
  const flags = new Set<string>()
  const values: Record<string, string[]> = {}
  const operands: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    if (word === '--') return ok({ flags, values, operands: [...operands, ...argv.slice(i + 1)] })
    if (!word.startsWith('-') || word === '-') {
      operands.push(word)
      continue
    }
    const [name = '', inline] = word.split(/=(.*)/s, 2)
    const spec = table[name]
    if (!spec) return unknownOption(name, table, command)
    if (spec.takes === 'flag') {
      flags.add(name)
      continue
    }
    const value = inline ?? argv[++i]
    if (value === undefined)
      return userError('cli/value', `pagewalk ${command}: ${name}`, 'The option needs a value.', `Write ${name} VALUE.`)
    values[name] = spec.takes === 'many' ? [...(values[name] ?? []), value] : [value]
  }
  return ok({ flags, values, operands })
}

function unknownOption(name: string, table: OptionTable, command: string): Result<Parsed> {
  const known = Object.keys(table)
  const nearest = nearestName(name, known)
  const fix =
    nearest !== undefined
      ? `Did you mean ${nearest}?`
      : known.length > 0
        ? `Known: ${known.join(', ')}.`
        : 'It takes none.'
  return userError('cli/option', `pagewalk ${command}: ${name}`, 'There is no such option.', fix)
}

/** Exactly `count` operands, or an error that shows the usage. */
export function operands(parsed: Parsed, names: readonly string[], command: string): Result<readonly string[]> {
  if (parsed.operands.length === names.length) return ok(parsed.operands)
  const missing = names[parsed.operands.length]
  const message =
    missing === undefined ? `'${parsed.operands[names.length]}' is one argument too many.` : `${missing} is missing.`
  return userError('cli/usage', `pagewalk ${command}`, message, `Usage: pagewalk ${command} ${names.join(' ')} …`)
}

/** A seed: --seed N, default 1. */
export function seedOf(parsed: Parsed, command: string): Result<number> {
  const text = parsed.values['--seed']?.[0] ?? '1'
  const seed = Number(text)
  if (/^\d+$/.test(text) && seed <= 4294967295) return ok(seed)
  return userError(
    'cli/seed',
    `pagewalk ${command}: --seed`,
    `'${text}' is no seed.`,
    'Use a whole number from 0 to 4294967295.',
  )
}
