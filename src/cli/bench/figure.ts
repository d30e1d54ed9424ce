/**
 * A measured figure, and how it is told: with its unit, with what stood against it in the same run, and with the aim.
 * Pure; clocks and compilers are next door.
 */

export interface Aim {
  /** The ratio to what it is compared with must reach this (`atLeast`), or the value must stay below (`below`). */
  readonly kind: 'ratio' | 'value' | 'below'
  readonly at: number
}

export interface Figure {
  /** Stable name: 'faults-ascending'. */
  readonly id: string
  readonly title: string
  readonly value: number
  readonly unit: string
  /** What it is compared with, in words, and that one's value in the same unit. */
  readonly against?: { readonly what: string; readonly value: number }
  /** Why nothing is compared: 'no C compiler: …'. */
  readonly skipped?: string
  readonly aim?: Aim
  readonly note?: string
}

export interface JudgedFigure extends Figure {
  readonly ratio?: number
  /** undefined: there is no aim, or nothing to compare with. */
  readonly isMet?: boolean
}

/** Adds ratio and verdict. */
export function judge(figure: Figure): JudgedFigure {
  const { against, aim, value } = figure
  const ratio = against === undefined || against.value === 0 ? undefined : value / against.value
  const told = ratio === undefined ? figure : { ...figure, ratio }
  if (aim === undefined) return told
  if (aim.kind === 'ratio') return ratio === undefined ? told : { ...told, isMet: ratio >= aim.at }
  return { ...told, isMet: aim.kind === 'value' ? value >= aim.at : value < aim.at }
}

/** Middle of the values; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return NaN
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const STEPS: readonly (readonly [number, string])[] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]

/** Three significant digits; thousands as k, M, G for rates and counts. */
export function formatValue(value: number, unit: string): string {
  const plain = (x: number): string => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2))
  if (!unit.endsWith('/s')) return `${plain(value)} ${unit}`
  for (const [step, letter] of STEPS) if (value >= step) return `${plain(value / step)} ${letter} ${unit}`
  return `${plain(value)} ${unit}`
}

function formatAim(figure: JudgedFigure): string {
  const { aim, isMet } = figure
  if (aim === undefined) return ''
  const text =
    aim.kind === 'ratio' ? `≥ ${aim.at}×` : `${aim.kind === 'below' ? '<' : '≥'} ${formatValue(aim.at, figure.unit)}`
  if (isMet === undefined) return `aim ${text}`
  return `aim ${text}: ${isMet ? 'met' : 'missed'}`
}

/** Two lines at most: the figure, and what is to be known about it. */
export function figureText(figure: JudgedFigure): string {
  const { against, ratio, skipped, note } = figure
  const compared =
    against === undefined
      ? skipped === undefined
        ? ''
        : `skipped: ${skipped}`
      : `${against.what} ${formatValue(against.value, figure.unit)} = ${ratio === undefined ? '' : `${ratio.toFixed(2)}×`}`
  const cells = [
    figure.title.padEnd(46),
    formatValue(figure.value, figure.unit).padStart(22),
    compared,
    formatAim(figure),
  ]
  const line = cells.filter((cell, i) => i < 2 || cell !== '').join('  ')
  return note === undefined ? `${line}\n` : `${line}\n    ${note}\n`
}
