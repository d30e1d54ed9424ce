/** How figures are written: tabular, grouped, always with a unit. Pure; the rules are the visual guide's. */
import type { Bytes, Ns, Pages } from '../util/units'
import { GIB, KIB, MIB, NS_PER_MS, NS_PER_S, NS_PER_US, PAGE_SIZE } from '../util/units'

/** A figure and its unit, apart: the unit is drawn quieter and aligned on its own. */
export interface FigureText {
  readonly text: string
  readonly unit: string
}

const NARROW_SPACE = '\u202f'
const MINUS = '\u2212'

/** Whole number; from five digits on in groups of three. */
export function formatCount(value: number): string {
  const digits = String(Math.abs(Math.round(value)))
  const body = digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, NARROW_SPACE)
  return value < 0 ? MINUS + body : body
}

/** Three significant digits, without an exponent: 968, 61.4, 2.16. */
export function formatThree(value: number): string {
  const magnitude = Math.abs(value)
  const digits = magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : 2
  const text = magnitude.toFixed(digits)
  return value < 0 ? MINUS + text : text
}

const BYTE_UNITS: readonly (readonly [number, string])[] = [
  [GIB * KIB, 'TiB'],
  [GIB, 'GiB'],
  [MIB, 'MiB'],
  [KIB, 'KiB'],
]

/** Binary units, three significant digits; a whole amount loses its zeros: 512 MiB, 2.16 GiB. */
export function formatBytes(bytes: Bytes): FigureText {
  const magnitude = Math.abs(bytes)
  for (const [size, unit] of BYTE_UNITS) {
    if (magnitude < size) continue
    const amount = bytes / size
    return { text: Number.isInteger(amount) ? formatCount(amount) : formatThree(amount), unit }
  }
  return { text: formatCount(bytes), unit: 'B' }
}

/** A limit in bytes; −1 is the kernel's 'max'. */
export const formatLimit = (bytes: Bytes): FigureText =>
  bytes < 0 ? { text: 'max', unit: '' } : bytes === 0 ? { text: '0', unit: '' } : formatBytes(bytes)

export const formatPages = (pages: Pages): FigureText => ({ text: formatCount(pages), unit: 'pages' })

export const formatPagesAsBytes = (pages: Pages): FigureText => formatBytes(pages * PAGE_SIZE)

/** ns, µs, ms or s, so that the figure stays below 1000 where it can. */
export function formatDuration(ns: Ns): FigureText {
  const magnitude = Math.abs(ns)
  if (magnitude === 0) return { text: '0', unit: 'ns' }
  if (magnitude < NS_PER_US) return { text: formatCount(ns), unit: 'ns' }
  if (magnitude < NS_PER_MS) return { text: formatThree(ns / NS_PER_US), unit: 'µs' }
  if (magnitude < NS_PER_S) return { text: formatThree(ns / NS_PER_MS), unit: 'ms' }
  return { text: formatThree(ns / NS_PER_S), unit: 's' }
}

/** A rate a second: 34.7 k/s. */
export function formatRate(perSecond: number): FigureText {
  const magnitude = Math.abs(perSecond)
  if (magnitude < 1000) return { text: formatCount(perSecond), unit: '/s' }
  if (magnitude < 1_000_000) return { text: formatThree(perSecond / 1000), unit: 'k/s' }
  return { text: formatThree(perSecond / 1_000_000), unit: 'M/s' }
}

/** One decimal; PSI has two. */
export const formatPercent = (percent: number, decimals = 1): FigureText => ({
  text: percent === 0 ? '0' : percent.toFixed(decimals).replace('-', MINUS),
  unit: '%',
})

/** The clock: seconds with three decimals, and the other six in groups. */
export interface ClockText {
  readonly main: string
  readonly rest: string
}

export function formatClock(ns: Ns): ClockText {
  const seconds = Math.floor(ns / NS_PER_S)
  const fraction = String(ns - seconds * NS_PER_S).padStart(9, '0')
  return {
    main: `${formatCount(seconds)}.${fraction.slice(0, 3)}`,
    rest: `${NARROW_SPACE}${fraction.slice(3, 6)}${NARROW_SPACE}${fraction.slice(6)}`,
  }
}

/** A moment of the run in seconds, with as many decimals as the span in view deserves. */
export function formatMoment(ns: Ns, spanNs: Ns): string {
  const decimals = spanNs >= 100 * NS_PER_S ? 1 : spanNs >= NS_PER_S ? 3 : spanNs >= NS_PER_MS ? 6 : 9
  return (ns / NS_PER_S).toFixed(decimals)
}

/** Speed as the top bar shows it: 0.01 ×, 1 ×, max. */
export const formatSpeed = (speed: number): string =>
  speed === Infinity ? 'max' : `${speed < 10 ? Number(speed.toPrecision(3)) : formatThree(speed)} ×`

export const joinFigure = (figure: FigureText): string => (figure.unit ? `${figure.text} ${figure.unit}` : figure.text)
