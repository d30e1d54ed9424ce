/** Columns over time as table rows and as CSV. Pure. */
import type { Ns } from '../../util/units'

export interface TwinColumn {
  readonly title: string
  readonly unit: string
  readonly values: Float64Array
  readonly format: (value: number) => string
}

export interface TwinTable {
  /** Head of the first column, where rows are not moments. */
  readonly first?: string
  readonly columns: readonly { readonly title: string; readonly unit: string }[]
  readonly rows: readonly { readonly atNs?: Ns; readonly time: string; readonly cells: readonly string[] }[]
}

export interface TwinInput {
  readonly times: Float64Array
  readonly columns: readonly TwinColumn[]
}

/** At most `most` rows: every n-th bucket, because a table of a thousand rows is read by nobody. */
export function twinTable({ times, columns }: TwinInput, most: number, formatTime: (ns: Ns) => string): TwinTable {
  const isKnown = (i: number): boolean => columns.some((column) => column.values[i] === column.values[i])
  const known = Array.from(times.keys()).filter(isKnown)
  const every = Math.max(1, Math.ceil(known.length / most))
  const rows = known
    .filter((_, n) => n % every === 0)
    .map((i) => ({
      atNs: times[i]!,
      time: formatTime(times[i]!),
      cells: columns.map(({ values, format }) => (values[i] === values[i] ? format(values[i]!) : '–')),
    }))
  return { columns: columns.map(({ title, unit }) => ({ title, unit })), rows }
}

/** The last row at or before the cursor; −1 before the first, and where rows are not moments. */
export function cursorRow(table: TwinTable, atNs: Ns): number {
  let low = 0
  let high = table.rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((table.rows[middle]!.atNs ?? Infinity) <= atNs) low = middle + 1
    else high = middle
  }
  return low - 1
}

const quote = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

/** @see RFC 4180 */
export const csvLines = (rows: readonly (readonly (string | number)[])[]): string =>
  `${rows.map((cells) => cells.map((cell) => quote(String(cell))).join(',')).join('\r\n')}\r\n`

/** Full resolution, plain figures: time in ns, one column a series, the unit in its head. */
export function twinCsv({ times, columns }: TwinInput): string {
  return csvLines([
    ['time_ns', ...columns.map(({ title, unit }) => (unit ? `${title} (${unit})` : title))],
    ...Array.from(times, (at, i) => [
      Math.round(at),
      ...columns.map(({ values }) => (values[i] === values[i] ? Number(values[i]!.toPrecision(12)) : '')),
    ]),
  ])
}
