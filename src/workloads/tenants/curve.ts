/**
 * Recorded memory of a real service → points of a curve: CSV with a time and bytes in each line, or the JSON of a range
 * query of Prometheus, such as container_memory_working_set_bytes.
 */
import type { Bytes } from '../../util/units'

export interface Curve {
  /** Seconds from the first point on, ascending. */
  readonly seconds: readonly number[]
  readonly bytes: readonly Bytes[]
}

const POINTS_MAX = 100_000

/** @returns the curve, or what is wrong with the text */
export function parseCurve(text: string): Curve | string {
  const points = /^\s*\{/.test(text) ? prometheusPoints(text) : csvPoints(text)
  if (typeof points === 'string') return points
  if (points.length === 0) return 'there are no points'
  if (points.length > POINTS_MAX) return `${points.length} points: at most ${POINTS_MAX} are replayed`
  const first = points[0]![0]
  for (let i = 1; i < points.length; i++)
    if (points[i]![0] <= points[i - 1]![0]) return `point ${i + 1}: its time is not after that of the one before`
  return { seconds: points.map(([at]) => at - first), bytes: points.map(([, bytes]) => bytes) }
}

type Point = readonly [number, number]

/** A first line of words is a heading. Times: seconds, or a date. */
function csvPoints(text: string): Point[] | string {
  const points: Point[] = []
  const lines = text.split(/\r?\n/)
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [time = '', bytes = ''] = line.split(/[,;\t]/).map((part) => part.trim().replace(/^"(.*)"$/, '$1'))
    const at = secondsOf(time)
    const value = bytes === '' ? Number.NaN : Number(bytes)
    if (at === undefined || !Number.isFinite(value) || value < 0) {
      if (points.length === 0 && i === 0) continue
      return `line ${i + 1}: '${line.slice(0, 40)}' is not TIME,BYTES`
    }
    points.push([at, value])
  }
  return points
}

const EPOCH = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d(?:\.\d+)?)(?:Z|\+00:00)?$/

/** Seconds of a number, or of a date in UTC; the day count needs no clock. */
function secondsOf(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
  const match = EPOCH.exec(text)
  if (match === null) return undefined
  const [year, month, day, hours, minutes, seconds] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const y = month <= 2 ? year - 1 : year
  const days =
    365 * y +
    Math.floor(y / 4) -
    Math.floor(y / 100) +
    Math.floor(y / 400) +
    Math.floor((153 * ((month + 9) % 12) + 2) / 5) +
    day
  return days * 86_400 + hours * 3600 + minutes * 60 + seconds
}

interface RangeReply {
  readonly data?: {
    readonly resultType?: string
    readonly result?: readonly { readonly values?: readonly unknown[] }[]
  }
}

function prometheusPoints(text: string): Point[] | string {
  let reply: RangeReply
  try {
    reply = JSON.parse(text) as RangeReply
  } catch {
    return 'it begins with { and is not JSON'
  }
  const result = reply.data?.result
  if (!Array.isArray(result) || reply.data?.resultType !== 'matrix')
    return 'it is not the reply to a range query: data.resultType is not matrix'
  if (result.length !== 1) return `it holds ${result.length} series: select one by its labels`
  const points: Point[] = []
  for (const [i, value] of (result[0].values ?? []).entries()) {
    const [at, bytes] = Array.isArray(value) ? [Number(value[0]), Number(value[1])] : [Number.NaN, Number.NaN]
    if (!Number.isFinite(at) || !Number.isFinite(bytes) || bytes < 0) return `values[${i}] is no point`
    points.push([at, bytes])
  }
  return points
}

/** Bytes at a time, on straight lines between the points. */
export function curveAt(curve: Curve, seconds: number): Bytes {
  const last = curve.seconds.length - 1
  if (seconds >= curve.seconds[last]!) return curve.bytes[last]!
  let low = 0
  let high = last
  while (low + 1 < high) {
    const middle = (low + high) >> 1
    if (curve.seconds[middle]! <= seconds) low = middle
    else high = middle
  }
  const span = curve.seconds[high]! - curve.seconds[low]!
  const part = span === 0 ? 0 : (seconds - curve.seconds[low]!) / span
  return curve.bytes[low]! + (curve.bytes[high]! - curve.bytes[low]!) * part
}
