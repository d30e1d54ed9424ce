/** Two lists of figures and the table of bands → verdicts. Only compares; nothing here reaches the simulation. */
import type { Band } from './band'
import { bandFor, bandText } from './bands'
import type { CaseTraits, Figure } from './figure'

export interface Verdict {
  readonly figure: string
  readonly real: string
  readonly simulated: string
  readonly band: string
  readonly reason: string
  readonly agrees: boolean
}

/** Every figure of either side; one that the other side lacks does not agree. */
export function compareFigures(real: readonly Figure[], simulated: readonly Figure[], traits: CaseTraits): Verdict[] {
  const ours = new Map(simulated.map((f) => [f.name, f.value]))
  const theirs = new Map(real.map((f) => [f.name, f.value]))
  const names = [...new Set([...theirs.keys(), ...ours.keys()])]
  return names.map((figure) => {
    const a = theirs.get(figure)
    const b = ours.get(figure)
    const row = bandFor(traits, figure)
    const texts = isList(a) || isList(b) ? firstDifference(lines(a), lines(b)) : { real: show(a), simulated: show(b) }
    const agrees = a !== undefined && b !== undefined && fits(row.band, a, b)
    return { figure, ...texts, band: bandText(row.band), reason: row.reason, agrees }
  })
}

export function fits(band: Band, real: Figure['value'], simulated: Figure['value']): boolean {
  if (band.kind === 'exact' || typeof real !== 'number' || typeof simulated !== 'number')
    return show(real) === show(simulated)
  const distance = Math.abs(real - simulated)
  switch (band.kind) {
    case 'near':
      return distance <= Math.max(band.abs ?? 0, (Math.abs(real) * (band.percent ?? 0)) / 100)
    case 'range':
      return simulated >= band.min && simulated <= band.max
    case 'sameSign':
      return real > 0 === simulated > 0
  }
}

const isList = (value: Figure['value'] | undefined): value is readonly string[] => Array.isArray(value)

const show = (value: Figure['value'] | undefined): string =>
  value === undefined ? 'absent' : isList(value) ? value.join(' | ') : String(value)

const lines = (value: Figure['value'] | undefined): readonly string[] =>
  value === undefined ? ['absent'] : isList(value) ? value : [String(value)]

/** Short lists are shown whole; of long ones the number of lines and the first that differ. */
function firstDifference(real: readonly string[], simulated: readonly string[]): { real: string; simulated: string } {
  if (show(real).length <= 60 && show(simulated).length <= 60) return { real: show(real), simulated: show(simulated) }
  const i = real.findIndex((line, k) => line !== simulated[k])
  const at = i < 0 ? (simulated.length > real.length ? real.length : -1) : i
  const text = (all: readonly string[]): string =>
    at < 0 ? `${all.length} lines` : `line ${at + 1} of ${all.length}: ${all[at] ?? 'absent'}`
  return { real: text(real), simulated: text(simulated) }
}
