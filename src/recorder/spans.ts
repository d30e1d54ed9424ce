/**
 * Stretches of reclaim, put together from their begin and end tracepoints: kswapd in the background, direct reclaim by
 * a task, reclaim because of a group's limit, and tasks held back by memory.high.
 * @kernel  include/trace/events/vmscan.h
 */
import { TRACEPOINT_NAMES, TRACEPOINTS, type Tracepoint } from '../engine/trace'
import { NS_PER_US, type Ns } from '../util/units'
import type { TraceRecord } from './events'

export type SpanTrack = 'kswapd' | 'direct' | 'memcg' | 'throttle'

export interface ReclaimSpan {
  readonly track: SpanTrack
  readonly fromNs: Ns
  /** Infinity while it goes on. */
  readonly toNs: Ns
  readonly pid: number
  readonly comm: string
  readonly nid: number
  readonly reclaimed: number
}

interface OpenSpan {
  readonly track: SpanTrack
  readonly fromNs: Ns
  toNs: Ns
  readonly pid: number
  readonly comm: string
  readonly nid: number
  reclaimed: number
  /** Group that the task was held back for, 0 = none. */
  readonly memcg: number
  /** When the engine told of its begin and its end: what a cut goes by. */
  readonly openedNs: Ns
  closedNs: Ns
}

export interface SpanLog {
  /** Oldest first by begin as told. */
  readonly spans: OpenSpan[]
  /** Spans that go on, by track and pid. */
  readonly open: Map<string, OpenSpan>
  readonly capacity: number
}

export const createSpanLog = (capacity: number): SpanLog => ({ spans: [], open: new Map(), capacity })

const keyOf = (track: SpanTrack, pid: number): string => `${track}:${pid}`

function begin(log: SpanLog, track: SpanTrack, record: TraceRecord, nid: number, memcg = 0): OpenSpan {
  const span: OpenSpan = {
    track,
    fromNs: record.atNs,
    toNs: Infinity,
    pid: record.pid,
    comm: record.comm,
    nid,
    reclaimed: 0,
    memcg,
    openedNs: record.arrivalNs,
    closedNs: Infinity,
  }
  log.spans.push(span)
  if (log.spans.length > log.capacity) log.spans.splice(0, log.capacity >> 2)
  log.open.set(keyOf(track, record.pid), span)
  return span
}

function end(log: SpanLog, track: SpanTrack, record: TraceRecord, how: { reclaimed?: number; delayNs?: Ns }): void {
  const key = keyOf(track, record.pid)
  const span = log.open.get(key)
  if (span === undefined) return
  span.toNs = Math.max(record.atNs, span.fromNs + (how.delayNs ?? 0))
  span.closedNs = record.arrivalNs
  if (how.reclaimed !== undefined) span.reclaimed = how.reclaimed
  log.open.delete(key)
}

/** A span that is only told of once its length is known. */
function whole(log: SpanLog, record: TraceRecord, range: { fromNs: Ns; toNs: Ns; nid: number; memcg: number }): void {
  const span = begin(log, 'throttle', { ...record, atNs: range.fromNs }, range.nid, range.memcg)
  span.toNs = range.toNs
  span.closedNs = record.arrivalNs
  log.open.delete(keyOf('throttle', record.pid))
}

const arg = (name: Tracepoint, field: string): number => (TRACEPOINTS[name].fields as readonly string[]).indexOf(field)

type Listener = (log: SpanLog, record: TraceRecord) => void

const LISTENERS: Partial<Record<Tracepoint, Listener>> = {
  mm_vmscan_kswapd_wake: (log, r) => {
    if (!log.open.has(keyOf('kswapd', r.pid))) begin(log, 'kswapd', r, r.args[0] ?? 0)
  },
  mm_vmscan_kswapd_sleep: (log, r) => end(log, 'kswapd', r, {}),
  // Work ends where the nap begins; a wake-up out of the nap begins a span of its own.
  kswapd_nap: (log, r) => end(log, 'kswapd', r, {}),
  mm_vmscan_direct_reclaim_begin: (log, r) => void begin(log, 'direct', r, -1),
  mm_vmscan_direct_reclaim_end: (log, r) =>
    end(log, 'direct', r, { reclaimed: r.args[0] ?? 0, delayNs: r.args[1] ?? 0 }),
  mm_vmscan_memcg_reclaim_begin: (log, r) => void begin(log, 'memcg', r, -1),
  mm_vmscan_memcg_reclaim_end: (log, r) => end(log, 'memcg', r, { reclaimed: r.args[0] ?? 0, delayNs: r.args[1] ?? 0 }),
  mm_vmscan_lru_shrink_inactive: (log, r) => {
    const span = log.open.get(keyOf('kswapd', r.pid))
    if (span !== undefined) span.reclaimed += r.args[SHRINK_RECLAIMED] ?? 0
  },
  memcg_high_throttle: (log, r) =>
    whole(log, r, { fromNs: r.atNs, toNs: r.atNs + (r.args[1] ?? 0), nid: -1, memcg: r.args[2] ?? 0 }),
  mm_vmscan_throttled: (log, r) => {
    // A nap inside a run of reclaim is a part of that run, and no second wait.
    if (RUNS.some((track) => log.open.has(keyOf(track, r.pid)))) return
    const delayNs = (r.args[THROTTLED_USEC] ?? 0) * NS_PER_US
    whole(log, r, { fromNs: Math.max(0, r.atNs - delayNs), toNs: r.atNs, nid: r.args[0] ?? -1, memcg: 0 })
  },
}
const RUNS: readonly SpanTrack[] = ['kswapd', 'direct', 'memcg']
const SHRINK_RECLAIMED = arg('mm_vmscan_lru_shrink_inactive', 'nr_reclaimed')
const THROTTLED_USEC = arg('mm_vmscan_throttled', 'usec_delayed')
const BY_INDEX: readonly (Listener | undefined)[] = TRACEPOINT_NAMES.map((name) => LISTENERS[name])

export function recordSpan(log: SpanLog, record: TraceRecord): void {
  BY_INDEX[record.tracepoint]?.(log, record)
}

/** The latest `limit` spans that touch [fromNs, toNs], by begin. */
export function querySpans(log: SpanLog, range: { fromNs: Ns; toNs: Ns; limit: number }): ReclaimSpan[] {
  const found: ReclaimSpan[] = []
  for (let i = log.spans.length - 1; i >= 0 && found.length < range.limit; i--) {
    const span = log.spans[i]!
    if (span.toNs < range.fromNs || span.fromNs > range.toNs) continue
    const { track, fromNs, toNs, pid, comm, nid, reclaimed } = span
    found.push({ track, fromNs, toNs, pid, comm, nid, reclaimed })
  }
  return found.reverse().sort((a, b) => a.fromNs - b.fromNs)
}

/** Time that tasks of each group were held back by memory.high until `atNs`, as far as the log goes: [memcg id] → ns. */
export function throttledNs(log: SpanLog, atNs: Ns): readonly Ns[] {
  const sums: Ns[] = []
  for (const span of log.spans) {
    if (span.memcg === 0 || span.fromNs >= atNs) continue
    sums[span.memcg] = (sums[span.memcg] ?? 0) + Math.min(span.toNs, atNs) - span.fromNs
  }
  return sums
}

/**
 * Forgets what was told later than `atNs`; spans that ended later go on again.
 * @param reclaimedSince  pages that a task's passes had freed from `fromNs` until the cut
 */
export function cutSpans(log: SpanLog, atNs: Ns, reclaimedSince: (pid: number, fromNs: Ns) => number): void {
  const kept = log.spans.filter((span) => span.openedNs <= atNs)
  log.spans.length = 0
  log.spans.push(...kept)
  log.open.clear()
  for (const span of kept) {
    if (span.closedNs <= atNs) continue
    span.closedNs = Infinity
    span.toNs = Infinity
    span.reclaimed = span.track === 'kswapd' ? reclaimedSince(span.pid, span.fromNs) : 0
    log.open.set(keyOf(span.track, span.pid), span)
  }
}
