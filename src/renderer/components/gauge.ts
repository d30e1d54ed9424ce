/** Where free and the watermarks stand on a gauge. Pure. */
import type { Pages } from '../../util/units'

export interface GaugeInput {
  readonly free: Pages
  readonly min: Pages
  readonly low: Pages
  readonly high: Pages
  /** px */
  readonly width: number
}

export interface GaugeScale {
  readonly freeX: number
  readonly minX: number
  readonly lowX: number
  readonly highX: number
  /** Free is more than the gauge can show. */
  readonly isOff: boolean
}

/** The high watermark stands at 62 % of the gauge: room to see free above it, and the three marks apart. */
export function gaugeScale({ free, min, low, high, width }: GaugeInput): GaugeScale {
  const most = Math.max(1, high / 0.62)
  const x = (pages: Pages): number => Math.round(Math.min(1, Math.max(0, pages) / most) * width)
  const isOff = free > most
  return { freeX: isOff ? width - 6 : x(free), minX: x(min), lowX: x(low), highX: x(high), isOff }
}

/** How near to its marks a zone stands: below min, below low, or fine. */
export const watermarkState = (zone: { free: Pages; min: Pages; low: Pages }): 'danger' | 'warn' | 'ok' =>
  zone.free < zone.min ? 'danger' : zone.free < zone.low ? 'warn' : 'ok'
