/**
 * A growing column of numbers in chunks. A chunk whose values are all equal is one number, because most counters stand
 * still most of the time; old chunks can be dropped from the front.
 */
import { assert } from '../util/assert'

export const COLUMN_CHUNK = 512

export interface ChunkedColumn {
  /** Values ever appended, dropped ones included. */
  length: number
  /** Chunks dropped at the front. */
  dropped: number
  readonly chunks: (number | Float64Array)[]
}

export const createColumn = (): ChunkedColumn => ({ length: 0, dropped: 0, chunks: [] })

/** Appends. Returns the bytes that this cost. */
export function pushValue(column: ChunkedColumn, value: number): number {
  const i = column.length++ % COLUMN_CHUNK
  const chunks = column.chunks
  if (i === 0) {
    chunks.push(value)
    return 16
  }
  const last = chunks[chunks.length - 1]!
  if (typeof last !== 'number') {
    last[i] = value
    return 0
  }
  if (last === value || (last !== last && value !== value)) return 0
  const spread = new Float64Array(COLUMN_CHUNK).fill(last, 0, i)
  spread[i] = value
  chunks[chunks.length - 1] = spread
  return spread.byteLength
}

/** NaN when `i` was dropped or not yet written. */
export function valueAt(column: ChunkedColumn, i: number): number {
  if (i < 0 || i >= column.length) return NaN
  const chunk = column.chunks[((i / COLUMN_CHUNK) | 0) - column.dropped]
  if (chunk === undefined) return NaN
  return typeof chunk === 'number' ? chunk : chunk[i % COLUMN_CHUNK]!
}

const chunkBytes = (chunk: number | Float64Array): number => (typeof chunk === 'number' ? 16 : 16 + chunk.byteLength)

/** Drops whole chunks that lie before `i`. Returns the bytes set free. */
export function dropBefore(column: ChunkedColumn, i: number): number {
  const nr = Math.min(Math.floor(i / COLUMN_CHUNK) - column.dropped, column.chunks.length)
  if (nr <= 0) return 0
  let bytes = 0
  for (const chunk of column.chunks.splice(0, nr)) bytes += chunkBytes(chunk)
  column.dropped += nr
  return bytes
}

/** Takes back everything from `length` on. Returns the bytes set free. */
export function truncateColumn(column: ChunkedColumn, length: number): number {
  if (length >= column.length) return 0
  const keep = Math.max(0, Math.ceil(length / COLUMN_CHUNK) - column.dropped)
  let bytes = 0
  for (const chunk of column.chunks.splice(keep)) bytes += chunkBytes(chunk)
  column.length = length
  assert(column.length >= 0, `a column of length ${length}`)
  return bytes
}

/** First index that can still be read. */
export const firstKept = (column: ChunkedColumn): number => column.dropped * COLUMN_CHUNK
