/** Series as CSV (RFC 4180): time in ns, then one column a series; an empty cell where a series did not exist. */
import type { RecordRows } from './rows'

const quoted = (name: string): string => (/[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name)

const cell = (value: number): string => (Number.isNaN(value) ? '' : String(value))

export function formatCsv({ names, times, columns }: RecordRows): string {
  const lines = [['atNs', ...names].map(quoted).join(',')]
  for (let row = 0; row < times.length; row++) {
    const cells = [cell(Math.round(times[row]!))]
    for (const column of columns) cells.push(cell(column[row]!))
    lines.push(cells.join(','))
  }
  return `${lines.join('\n')}\n`
}
