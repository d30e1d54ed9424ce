/** Options of the tenants, `--name=value` each, with a table per program that says what each means. */
import { GIB, KIB, MIB, type Bytes } from '../../util/units'

const UNITS: Readonly<Record<string, number>> = { '': 1, k: KIB, m: MIB, g: GIB }

/** '256M', '1.5g', '64MiB' → bytes; undefined when it is no size. */
export function sizeOf(text: string): Bytes | undefined {
  const match = /^(\d{1,15}(?:\.\d+)?)([kmg]?)(?:i?b?)$/i.exec(text)
  return match === null ? undefined : Math.floor(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!)
}

/** Seconds: '30', '30s', '2m', '500ms'. */
export function secondsOf(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d+)?)(ms|s|m|h)?$/.exec(text)
  if (match === null) return undefined
  return Number(match[1]) * { ms: 0.001, s: 1, m: 60, h: 3600 }[match[2] ?? 's']!
}

const numberOf = (text: string): number | undefined => (/^\d{1,9}(?:\.\d+)?$/.test(text) ? Number(text) : undefined)

/** One option: its value when it is left out, and what it means. */
export interface OptionRow {
  readonly kind: 'size' | 'seconds' | 'number' | 'percent' | 'path'
  readonly fallback: number | string
  readonly says: string
}

export type OptionRows = Readonly<Record<string, OptionRow>>
export type OptionValues = Record<string, number | string>

const READ: Readonly<Record<OptionRow['kind'], (text: string) => number | string | undefined>> = {
  size: sizeOf,
  seconds: secondsOf,
  number: numberOf,
  percent: (text) => {
    const value = numberOf(text.replace(/%$/, ''))
    return value !== undefined && value <= 100 ? value : undefined
  },
  path: (text) => (text === '' ? undefined : text),
}

export type ParsedOptions =
  | { readonly ok: true; readonly values: OptionValues }
  | { readonly ok: false; readonly usage: string; readonly status: number }

/**
 * @param rows   by name; a name that begins with '-X' takes its value without '=', as a Java virtual machine has it
 * @param about  one line: what the program is a model of
 */
export function parseTenant(argv: readonly string[], rows: OptionRows, about: string): ParsedOptions {
  const name = argv[0]?.split('/').pop() ?? ''
  const values: OptionValues = {}
  for (const [key, row] of Object.entries(rows)) values[key] = row.fallback
  for (const word of argv.slice(1)) {
    if (word === '--help') return { ok: false, usage: helpOf(name, rows, about), status: 0 }
    const key = Object.keys(rows).find(
      (k) =>
        (k.startsWith('-X') ? word.startsWith(k) && !word.startsWith('-XX') : word.startsWith(`${k}=`)) ||
        (k.startsWith('-XX') && word.startsWith(`${k}=`)),
    )
    if (key === undefined) return refuse(name, `'${word}' is not understood`, rows, about)
    const text = word.slice(key.length + (key.startsWith('-X') && !key.startsWith('-XX') ? 0 : 1))
    const value = READ[rows[key]!.kind](text)
    if (value === undefined) return refuse(name, `${key}: '${text}' is no ${rows[key]!.kind}`, rows, about)
    values[key] = value
  }
  return { ok: true, values }
}

const refuse = (name: string, why: string, rows: OptionRows, about: string): ParsedOptions => ({
  ok: false,
  usage: `${name}: ${why}\n${helpOf(name, rows, about)}`,
  status: 2,
})

function helpOf(name: string, rows: OptionRows, about: string): string {
  const lines = Object.entries(rows).map(([key, row]) => {
    const word =
      key.startsWith('-X') && !key.startsWith('-XX')
        ? `${key}${row.kind.toUpperCase()}`
        : `${key}=${row.kind.toUpperCase()}`
    return `  ${word.padEnd(34)} ${row.says} (${row.fallback === '' || row.fallback === 0 ? 'none' : shown(row)})`
  })
  return `Usage: ${name} [OPTION]...\n${about}\n\n${lines.join('\n')}\n`
}

function shown(row: OptionRow): string {
  if (row.kind === 'size') return `${Number(row.fallback) / MIB}M`
  return `${row.fallback}${row.kind === 'percent' ? '%' : row.kind === 'seconds' ? 's' : ''}`
}
