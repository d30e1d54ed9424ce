/** The record as a table: one row a sample period, one column a series. What every export begins with. */
import { NS_PER_MS, type Ns } from '../../util/units'
import { listSeries, seriesWindow } from '../frames'
import type { Recorder } from '../recorder'

export interface RecordRows {
  readonly names: readonly string[]
  /** Begin of each row, ns. */
  readonly times: Float64Array
  /** By series: the last value of each row; NaN where there was none. */
  readonly columns: readonly Float64Array[]
}

const ROW_NS_MIN = 10 * NS_PER_MS
/** Longer runs get longer rows. */
const ROWS_MAX = 8192

export function recordRows(recorder: Recorder, range: { readonly fromNs: Ns; readonly toNs: Ns }): RecordRows {
  const names = listSeries(recorder.frames).map((s) => s.name)
  const buckets = Math.max(1, Math.min(ROWS_MAX, Math.ceil((range.toNs - range.fromNs) / ROW_NS_MIN)))
  const window = seriesWindow(recorder.frames, names, { ...range, buckets })
  return { names, times: window.times, columns: window.series.map((s) => s.last) }
}
