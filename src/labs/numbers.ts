/** Where a number stands in a file of the machine: `key 123`, `key: 123 kB`, or the n-th number behind a key. */
import type { NumberSource } from './lab'

/** Blanks of any length count as one, so that a lab need not count those of a table. */
const squeezed = (text: string): string => text.trim().replace(/\s+/g, ' ')

/**
 * The number that a source names, or undefined when the file says no such thing.
 *
 * `under` skips to the first line that contains it: /proc/zoneinfo has a `managed` for every zone. Without `key` the
 * numbers of the whole first line count, behind `under` when that is given.
 */
export function numberAt(text: string, source: Omit<NumberSource, 'path'>): number | undefined {
  const lines = text.split('\n').map(squeezed)
  const from = source.under === undefined ? 0 : lines.findIndex((line) => line.includes(squeezed(source.under!)))
  if (from < 0) return undefined
  const nth = source.nth ?? 0
  if (source.key === undefined) {
    const rest = lines.slice(from).join('\n')
    const start = source.under === undefined ? 0 : rest.indexOf(squeezed(source.under)) + squeezed(source.under).length
    return nthNumber(rest.slice(start), nth)
  }
  const key = squeezed(source.key)
  const line = lines
    .slice(from)
    .find((candidate) => candidate.startsWith(key) && /^[ :=(]/.test(candidate.slice(key.length)))
  return line === undefined ? undefined : nthNumber(line.slice(key.length), nth)
}

function nthNumber(text: string, nth: number): number | undefined {
  // Digits inside a word are part of its name: DMA32.
  const match = text.match(/(?<![A-Za-z_0-9.])(?:0x[0-9a-f]+|-?\d+(?:\.\d+)?)/g)?.[nth]
  return match === undefined ? undefined : Number(match)
}
