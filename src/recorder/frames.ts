/**
 * Named series sampled together, each with a pyramid of min, max and last over groups of 8, 64, 512 … samples, so that
 * any range can be drawn at any width. Inside a byte budget: the oldest part of the finest level goes first, and a
 * thinned range is still shown from the coarser ones.
 */
import { assert } from '../util/assert'
import type { Ns } from '../util/units'
import { createColumn, dropBefore, firstKept, pushValue, truncateColumn, valueAt, type ChunkedColumn } from './column'

/** index: a number without a unit, such as debugfs' fragmentation indices. */
export type SeriesUnit = 'pages' | 'pfn' | 'bytes' | 'count' | 'percent' | 'ns' | 'kib' | 'index'
/** counter: only grows, shown as a rate; level: shown as it is. */
export type SeriesShape = 'level' | 'counter'

export interface SeriesDescription {
  readonly name: string
  readonly unit: SeriesUnit
  readonly shape: SeriesShape
}

export interface SeriesWindow {
  readonly fromNs: Ns
  readonly toNs: Ns
  /** Start of each bucket, ns. */
  readonly times: Float64Array
  readonly series: readonly BucketedSeries[]
}

export interface BucketedSeries {
  readonly name: string
  /** Per bucket; NaN where the series did not exist. A bucket without a sample of its own holds the value before it. */
  readonly min: Float64Array
  readonly max: Float64Array
  readonly last: Float64Array
}

export const GROUP = 8
export const NR_LEVELS = 7
const SPAN = Array.from({ length: NR_LEVELS }, (_, k) => GROUP ** k)
/** A level keeps at least this many entries, whatever the budget says. */
const KEEP_ENTRIES = 2048

/** Level 0 has `last` only; above it a group that is not yet full is in `open`. */
interface Level {
  readonly min: ChunkedColumn
  readonly max: ChunkedColumn
  readonly last: ChunkedColumn
  open: { min: number; max: number; last: number }
}

interface Series {
  readonly description: SeriesDescription
  /** Sample index, aligned to the widest group, that row 0 of every level stands for. */
  readonly base: number
  readonly levels: readonly Level[]
}

export interface FrameStore {
  readonly byName: Map<string, number>
  readonly series: Series[]
  /** Time of each sample, and of the first sample of each group. */
  readonly times: readonly ChunkedColumn[]
  /** Samples so far. */
  nrSamples: number
  lastNs: Ns
  bytes: number
  readonly budgetBytes: number
  /** Values of the sample that is being taken, by series; NaN = absent. */
  pending: Float64Array
}

export const createFrameStore = (budgetBytes: number): FrameStore => ({
  byName: new Map(),
  series: [],
  times: Array.from({ length: NR_LEVELS }, createColumn),
  nrSamples: 0,
  lastNs: -1,
  bytes: 0,
  budgetBytes,
  pending: new Float64Array(256).fill(NaN),
})

const noOpen = (): Level['open'] => ({ min: NaN, max: NaN, last: NaN })

/** The handle of a series, made on first use. */
export function seriesHandle(store: FrameStore, description: SeriesDescription): number {
  const known = store.byName.get(description.name)
  if (known !== undefined) return known
  const widest = SPAN[NR_LEVELS - 1]!
  const levels = SPAN.map((): Level => ({
    min: createColumn(),
    max: createColumn(),
    last: createColumn(),
    open: noOpen(),
  }))
  const handle = store.series.length
  const base = Math.floor(store.nrSamples / widest) * widest
  store.series.push({ description, base, levels })
  store.byName.set(description.name, handle)
  if (handle >= store.pending.length) {
    const wider = new Float64Array(store.pending.length * 2).fill(NaN)
    wider.set(store.pending)
    store.pending = wider
  }
  return handle
}

/** The value of a series in the sample that the next commitSample() takes. */
export function setValue(store: FrameStore, handle: number, value: number): void {
  store.pending[handle] = value
}

/** Takes the sample at `atNs`, which must be later than the last one. */
export function commitSample(store: FrameStore, atNs: Ns): void {
  assert(atNs > store.lastNs, `a sample at ${atNs} ns after one at ${store.lastNs} ns`)
  const sample = store.nrSamples
  for (let k = 0; k < NR_LEVELS; k++) {
    if (sample % SPAN[k]! === 0) store.bytes += pushValue(store.times[k]!, atNs)
  }
  for (let h = 0; h < store.series.length; h++) {
    const value = store.pending[h]!
    store.pending[h] = NaN
    appendValue(store, store.series[h]!, sample, value)
  }
  store.nrSamples++
  store.lastNs = atNs
  if (store.bytes > store.budgetBytes) thin(store)
}

function appendValue(store: FrameStore, series: Series, sample: number, value: number): void {
  const finest = series.levels[0]!.last
  const row = sample - series.base
  // A series that was absent for a while gets NaN for it, through the pyramid as well.
  if (finest.length < row) for (let s = finest.length; s < row; s++) appendValue(store, series, series.base + s, NaN)
  store.bytes += pushValue(finest, value)
  let min = value
  let max = value
  let last = value
  for (let k = 1; k < NR_LEVELS; k++) {
    const level = series.levels[k]!
    widen(level.open, min, max, last)
    if ((row + 1) % SPAN[k]! !== 0) return
    min = level.open.min
    max = level.open.max
    last = level.open.last
    store.bytes += pushValue(level.min, min) + pushValue(level.max, max) + pushValue(level.last, last)
    level.open.min = level.open.max = level.open.last = NaN
  }
}

/** Takes an entry into a group; an absent value leaves the group as it is, except for `last`. */
function widen(open: Level['open'], min: number, max: number, last: number): void {
  if (!(min >= open.min)) open.min = min === min ? min : open.min
  if (!(max <= open.max)) open.max = max === max ? max : open.max
  open.last = last
}

/** Drops the oldest quarter of the finest level that can spare it. */
function thin(store: FrameStore): void {
  for (let k = 0; k < NR_LEVELS; k++) {
    const times = store.times[k]!
    const kept = times.length - firstKept(times)
    if (kept <= KEEP_ENTRIES) continue
    const first = firstKept(times) + Math.max(512, kept >> 2)
    store.bytes -= dropBefore(times, first)
    const sample = firstKept(times) * SPAN[k]!
    for (const series of store.series) {
      const row = Math.floor((sample - series.base) / SPAN[k]!)
      const level = series.levels[k]!
      for (const column of [level.min, level.max, level.last]) store.bytes -= dropBefore(column, row)
    }
    return
  }
}

// ---------------------------------------------------------------- windows

/** The finest level that still has the group of `sample`. */
function finestKept(store: FrameStore, sample: number): number {
  for (let k = 0; k < NR_LEVELS; k++) if (firstKept(store.times[k]!) * SPAN[k]! <= sample) return k
  return NR_LEVELS - 1
}

const timeOf = (store: FrameStore, level: number, sample: number): Ns =>
  valueAt(store.times[level]!, Math.floor(sample / SPAN[level]!))

/** Last sample (or first sample of a group, where samples were thinned) at or before `atNs`; −1 = none. */
function sampleAt(store: FrameStore, atNs: Ns): number {
  let found = -1
  for (let k = 0; k < NR_LEVELS; k++) {
    const times = store.times[k]!
    let low = firstKept(times)
    let high = times.length - 1
    if (high < low || valueAt(times, low) > atNs) continue
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (valueAt(times, middle) <= atNs) low = middle
      else high = middle - 1
    }
    found = low * SPAN[k]!
    break
  }
  return found
}

/** Entries of the pyramid that cover a range; none crosses the border of a bucket where finer ones are left. */
interface Walk {
  readonly levels: Uint8Array
  readonly samples: Float64Array
  readonly nr: number
}

interface WalkRange {
  readonly fromNs: Ns
  readonly toNs: Ns
  readonly bucketNs: Ns
}

function planWalk(store: FrameStore, { fromNs, toNs, bucketNs }: WalkRange): Walk {
  const levels: number[] = []
  const samples: number[] = []
  const bucketIndex = (at: Ns): number => Math.floor((at - fromNs) / bucketNs)
  let sample = Math.max(0, sampleAt(store, fromNs))
  while (sample < store.nrSamples) {
    let level = finestKept(store, sample)
    sample -= sample % SPAN[level]!
    const at = timeOf(store, level, sample)
    if (at > toNs) break
    while (level + 1 < NR_LEVELS && sample % SPAN[level + 1]! === 0 && sample + SPAN[level + 1]! <= store.nrSamples) {
      const next = sample + SPAN[level + 1]!
      const endNs = next === store.nrSamples ? store.lastNs : timeOf(store, level + 1, next)
      if (bucketIndex(endNs) !== bucketIndex(at)) break
      level++
    }
    levels.push(level)
    samples.push(sample)
    sample += SPAN[level]!
  }
  return { levels: Uint8Array.from(levels), samples: Float64Array.from(samples), nr: levels.length }
}

/**
 * Minimum, maximum and last value of each series in `buckets` equal stretches of [fromNs, toNs).
 * Unknown names give columns of NaN.
 */
export function seriesWindow(
  store: FrameStore,
  names: readonly string[],
  range: { readonly fromNs: Ns; readonly toNs: Ns; readonly buckets: number },
): SeriesWindow {
  const buckets = Math.max(1, Math.min(8192, Math.floor(range.buckets)))
  const fromNs = range.fromNs
  const toNs = Math.max(range.toNs, fromNs + buckets)
  const bucketNs = (toNs - fromNs) / buckets
  const times = new Float64Array(buckets)
  for (let b = 0; b < buckets; b++) times[b] = fromNs + b * bucketNs
  const walk = planWalk(store, { fromNs, toNs, bucketNs })
  const bucketOf = new Int32Array(walk.nr)
  for (let i = 0; i < walk.nr; i++) {
    bucketOf[i] = Math.floor((timeOf(store, walk.levels[i]!, walk.samples[i]!) - fromNs) / bucketNs)
  }
  const series = names.map((name) => {
    const handle = store.byName.get(name)
    return bucketSeries(handle === undefined ? undefined : store.series[handle], name, { walk, bucketOf, buckets })
  })
  return { fromNs, toNs, times, series }
}

interface Buckets {
  readonly walk: Walk
  readonly bucketOf: Int32Array
  readonly buckets: number
}

function bucketSeries(series: Series | undefined, name: string, { walk, bucketOf, buckets }: Buckets): BucketedSeries {
  const min = new Float64Array(buckets).fill(NaN)
  const max = new Float64Array(buckets).fill(NaN)
  const last = new Float64Array(buckets).fill(NaN)
  if (series === undefined || walk.nr === 0) return { name, min, max, last }
  let held = NaN
  let i = 0
  // What happened before the first bucket is known from the value that it left behind.
  while (i < walk.nr && bucketOf[i]! < 0) held = entry(series, walk, i++).last
  const endOfRecord = bucketOf[walk.nr - 1]!
  for (let b = 0; b < buckets; b++) {
    if (i >= walk.nr && b > endOfRecord) break
    let low = NaN
    let high = NaN
    let any = false
    while (i < walk.nr && bucketOf[i]! === b) {
      const e = entry(series, walk, i++)
      if (!(e.min >= low)) low = e.min === e.min ? e.min : low
      if (!(e.max <= high)) high = e.max === e.max ? e.max : high
      held = e.last
      any = true
    }
    min[b] = any ? low : held
    max[b] = any ? high : held
    last[b] = held
  }
  return { name, min, max, last }
}

const ENTRY = { min: NaN, max: NaN, last: NaN }

/** One object, reused. */
function entry(series: Series, walk: Walk, i: number): typeof ENTRY {
  const k = walk.levels[i]!
  const level = series.levels[k]!
  const row = (walk.samples[i]! - series.base) / SPAN[k]!
  ENTRY.last = row < 0 ? NaN : valueAt(level.last, row)
  ENTRY.min = k === 0 ? ENTRY.last : valueAt(level.min, row)
  ENTRY.max = k === 0 ? ENTRY.last : valueAt(level.max, row)
  return ENTRY
}

// ---------------------------------------------------------------- going back

/** Forgets every sample later than `atNs`: the run was cut there. */
export function cutFrames(store: FrameStore, atNs: Ns): void {
  if (store.lastNs <= atNs) return
  let nr = sampleAt(store, atNs) + 1
  // Groups are rebuilt from finer entries; where those were thinned, cut at the border of the finest group left.
  const span = SPAN[finestKept(store, Math.max(0, nr - 1))]!
  nr -= nr % span
  store.nrSamples = nr
  for (let k = 0; k < NR_LEVELS; k++) store.bytes -= truncateColumn(store.times[k]!, Math.ceil(nr / SPAN[k]!))
  store.lastNs = nr === 0 ? -1 : lastSampleTime(store)
  for (const series of store.series) cutSeries(store, series)
}

function lastSampleTime(store: FrameStore): Ns {
  for (let k = 0; k < NR_LEVELS; k++) {
    const at = valueAt(store.times[k]!, store.times[k]!.length - 1)
    if (at === at) return at
  }
  return -1
}

function cutSeries(store: FrameStore, series: Series): void {
  const rows = Math.max(0, store.nrSamples - series.base)
  for (let k = 0; k < NR_LEVELS; k++) {
    const level = series.levels[k]!
    const full = Math.floor(rows / SPAN[k]!)
    for (const column of [level.min, level.max, level.last]) store.bytes -= truncateColumn(column, full)
    if (k > 0) level.open = rebuildOpen(series, k, rows)
  }
}

/** What the unfinished group of level k holds: the entries of the level below since the last full group. */
function rebuildOpen(series: Series, k: number, rows: number): Level['open'] {
  const open = noOpen()
  const below = series.levels[k - 1]!
  const from = Math.floor(rows / SPAN[k]!) * GROUP
  const to = Math.floor(rows / SPAN[k - 1]!)
  for (let row = from; row < to; row++) {
    const last = valueAt(below.last, row)
    if (k === 1) widen(open, last, last, last)
    else widen(open, valueAt(below.min, row), valueAt(below.max, row), last)
  }
  return open
}

export const listSeries = (store: FrameStore): readonly SeriesDescription[] => store.series.map((s) => s.description)
