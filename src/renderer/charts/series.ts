/** From bucketed columns to what a chart draws: flat x/y columns, rates of counters, values under the cursor. Pure. */
import type { SeriesWindow } from '../../protocol/messages'
import type { Ns } from '../../util/units'
import { NS_PER_MS, NS_PER_S } from '../../util/units'

export type Bucketed = SeriesWindow['series'][number]

export const findSeries = (data: SeriesWindow, name: string): Bucketed | undefined =>
  data.series.find((series) => series.name === name)

/** Width of a bucket, ns. */
export const bucketOf = (data: SeriesWindow): Ns =>
  data.times.length > 1 ? data.times[1]! - data.times[0]! : Math.max(1, data.toNs - data.fromNs)

/**
 * Flat [x0, y0, x1, y1, …]: the lowest and the highest value of each bucket, in the order that leaves the shorter
 * jump from the bucket before. A mean alone would hide the dips that matter. Buckets without a value are left out.
 * @param untilNs  the clock: what was last recorded holds until then, because a machine at rest is not sampled
 */
export function minMaxLine(times: Float64Array, series: Bucketed, untilNs: Ns): Float64Array {
  const flat = new Float64Array(times.length * 4 + 2)
  let n = 0
  let before = series.last[0] ?? 0
  for (let i = 0; i < times.length; i++) {
    const low = series.min[i]!
    const high = series.max[i]!
    if (low !== low) continue
    const first = Math.abs(low - before) <= Math.abs(high - before) ? low : high
    flat[n++] = times[i]!
    flat[n++] = first
    if (low !== high) {
      flat[n++] = times[i]!
      flat[n++] = first === low ? high : low
    }
    before = series.last[i]!
  }
  return hold(flat, n, untilNs, before)
}

/** The line so far, and its last value up to `untilNs`. */
function hold(flat: Float64Array, n: number, untilNs: Ns, value: number): Float64Array {
  if (n === 0 || flat[n - 2]! >= untilNs) return flat.subarray(0, n)
  flat[n] = untilNs
  flat[n + 1] = value
  return flat.subarray(0, n + 2)
}

/** Flat x/y of one column; its last value holds until the clock. */
export function flatLine(times: Float64Array, values: Float64Array, untilNs: Ns): Float64Array {
  const flat = new Float64Array(times.length * 2 + 2)
  let n = 0
  for (let i = 0; i < times.length; i++) {
    if (values[i] !== values[i]) continue
    flat[n++] = times[i]!
    flat[n++] = values[i]!
  }
  return hold(flat, n, untilNs, flat[n - 1] ?? 0)
}

/** A counter is sampled, not continuous: over less than this its rate would be a comb. */
const RATE_OVER_NS: Ns = 100 * NS_PER_MS

/** Buckets that a rate is taken over. */
export const rateBuckets = (bucketNs: Ns): number => Math.max(1, Math.ceil(RATE_OVER_NS / Math.max(1, bucketNs)))

/** How much a counter grew a second, at each bucket: over the bucket, or over 100 ms where buckets are shorter. */
export function ratesOf(data: SeriesWindow, counter: Float64Array): Float64Array {
  const bucketNs = bucketOf(data)
  const reach = rateBuckets(bucketNs)
  const rates = new Float64Array(counter.length)
  for (let i = 0; i < counter.length; i++) {
    // Near the left edge there is nothing before: there the stretch begins at the edge.
    const from = Math.max(0, i - reach)
    const to = Math.min(counter.length - 1, from + reach)
    const grown = counter[Math.max(i, to)]! - counter[from]!
    rates[i] = (grown / (Math.max(1, Math.max(i, to) - from) * bucketNs)) * NS_PER_S
    if (rates[i] !== rates[i] && counter[i] === counter[i]) rates[i] = 0
  }
  return rates
}

/** Index of the bucket that holds the moment; −1 when it is outside. */
export function bucketAt(data: SeriesWindow, atNs: Ns): number {
  if (data.times.length === 0 || atNs < data.times[0]!) return -1
  const index = Math.floor((atNs - data.times[0]!) / bucketOf(data))
  return Math.min(index, data.times.length - 1)
}

/** The value under the cursor; undefined where nothing was recorded. */
export function valueAt(data: SeriesWindow, values: Float64Array | undefined, atNs: Ns): number | undefined {
  if (values === undefined) return undefined
  for (let index = bucketAt(data, atNs); index >= 0; index--) {
    const value = values[index]!
    if (value === value) return value
  }
  return undefined
}

export function maxOf(values: Float64Array | undefined): number {
  let most = 0
  for (const value of values ?? []) if (value > most) most = value
  return most
}

/** The next of 1, 2, 3, 4, 6, 8 times a power of ten: an axis end that divides into round ticks. */
export function niceMax(value: number): number {
  if (!(value > 0)) return 1
  let unit = 1
  while (unit * 10 <= value) unit *= 10
  while (unit > value) unit /= 10
  for (const times of [1, 2, 3, 4, 6, 8, 10]) if (unit * times >= value) return unit * times
  return unit * 10
}

/** Stretches between 0 and the axis end, so that every tick is round: 3 for 3 and 6, else 2 or 4 by the room. */
export function ticksOf(max: number, isTall: boolean): number {
  let unit = 1
  while (unit * 10 <= max) unit *= 10
  while (unit > max) unit /= 10
  const lead = Math.round(max / unit)
  return lead === 3 || lead === 6 ? 3 : isTall ? 4 : 2
}

/** Where the line leaves a fixed range: the highest value of each stretch above it. */
export interface OffScale {
  readonly atNs: Ns
  readonly value: number
}

export function offScale(data: SeriesWindow, series: Bucketed | undefined, most: number): readonly OffScale[] {
  const found: OffScale[] = []
  let peak: OffScale | undefined
  for (let i = 0; i < data.times.length; i++) {
    const value = series?.max[i] ?? NaN
    if (value > most) {
      if (!peak || value > peak.value) peak = { atNs: data.times[i]!, value }
    } else if (peak) {
      found.push(peak)
      peak = undefined
    }
  }
  if (peak) found.push(peak)
  return found
}
