/**
 * The last trace events of a run, in a ring: names and fields are those of the engine's table of tracepoints.
 * Page-by-page tracepoints are left out unless asked for, because they would push everything else out in milliseconds.
 */
import { TRACEPOINT_NAMES, TRACEPOINTS, type Tracepoint, type TracepointInfo } from '../engine/trace'
import type { Ns } from '../util/units'

export interface RecordedEvent {
  readonly atNs: Ns
  readonly name: string
  readonly pid: number
  readonly comm: string
  readonly cpu: number
  readonly fields: Readonly<Record<string, number>>
  readonly text: string
}

const MAX_ARGS = 8

export interface EventRing {
  readonly capacity: number
  /** Events ever recorded; the ring holds the last `capacity` of them. */
  total: number
  readonly atNs: Float64Array
  /** Time of the engine's event during which it was emitted: decides which entries survive a cut of the run. */
  readonly arrivalNs: Float64Array
  readonly tracepoint: Uint8Array
  readonly pid: Int32Array
  readonly cpu: Int16Array
  readonly args: Float64Array
  readonly comm: string[]
  readonly text: string[]
  /** Per tracepoint: 1 = not recorded. */
  readonly muted: Uint8Array
}

const PER_PAGE: readonly Tracepoint[] = [
  'mm_page_alloc',
  'mm_page_free',
  'mm_page_alloc_zone_locked',
  'mm_page_pcpu_drain',
  'kmem_cache_alloc',
  'kmem_cache_free',
  'kmalloc',
  'kfree',
  'page_fault_user',
  'mm_vmscan_write_folio',
  'buddy_split',
  'buddy_merge',
  'sys_enter',
  'sys_exit',
]

export function createEventRing(capacity: number): EventRing {
  const muted = new Uint8Array(TRACEPOINT_NAMES.length)
  for (const name of PER_PAGE) muted[TRACEPOINT_NAMES.indexOf(name)] = 1
  return {
    capacity,
    total: 0,
    atNs: new Float64Array(capacity),
    arrivalNs: new Float64Array(capacity),
    tracepoint: new Uint8Array(capacity),
    pid: new Int32Array(capacity),
    cpu: new Int16Array(capacity),
    args: new Float64Array(capacity * MAX_ARGS),
    comm: [],
    text: [],
    muted,
  }
}

/** Records tracepoints that are left out otherwise, for as long as `work` runs: for what happens seldom and is looked at. */
export function withTracepoints<T>(ring: EventRing, names: readonly Tracepoint[], work: () => T): T {
  const indices = names.map((name) => TRACEPOINT_NAMES.indexOf(name))
  const before = indices.map((index) => ring.muted[index]!)
  for (const index of indices) ring.muted[index] = 0
  try {
    return work()
  } finally {
    indices.forEach((index, i) => {
      ring.muted[index] = before[i]!
    })
  }
}

/** One tracepoint as the engine's Sink hands it over. */
export interface TraceRecord {
  readonly tracepoint: number
  readonly atNs: Ns
  readonly arrivalNs: Ns
  readonly pid: number
  readonly comm: string
  readonly cpu: number
  readonly args: readonly number[]
  readonly text: string
}

export function recordEvent(ring: EventRing, record: TraceRecord): void {
  if (ring.muted[record.tracepoint] === 1) return
  const slot = ring.total++ % ring.capacity
  ring.atNs[slot] = record.atNs
  ring.arrivalNs[slot] = record.arrivalNs
  ring.tracepoint[slot] = record.tracepoint
  ring.pid[slot] = record.pid
  ring.cpu[slot] = record.cpu
  ring.comm[slot] = record.comm
  ring.text[slot] = record.text
  for (let i = 0; i < MAX_ARGS; i++) ring.args[slot * MAX_ARGS + i] = record.args[i] ?? 0
}

const INFOS: readonly TracepointInfo[] = TRACEPOINT_NAMES.map((name) => TRACEPOINTS[name])

function readEvent(ring: EventRing, slot: number): RecordedEvent {
  const info = INFOS[ring.tracepoint[slot]!]!
  const fields: Record<string, number> = {}
  info.fields.forEach((field, i) => {
    if (field !== 'text') fields[field] = ring.args[slot * MAX_ARGS + i]!
  })
  return {
    atNs: ring.atNs[slot]!,
    name: info.name,
    pid: ring.pid[slot]!,
    comm: ring.comm[slot]!,
    cpu: ring.cpu[slot]!,
    fields,
    text: ring.text[slot]!,
  }
}

export interface EventQuery {
  readonly fromNs: Ns
  readonly toNs: Ns
  /** Empty = all. */
  readonly names: readonly string[]
  /** The latest so many of the range. */
  readonly limit: number
}

/** Events of [fromNs, toNs], by time. */
export function queryEvents(ring: EventRing, query: EventQuery): RecordedEvent[] {
  const wanted = INFOS.map((info) => query.names.length === 0 || query.names.includes(info.name))
  const found: RecordedEvent[] = []
  const oldest = Math.max(0, ring.total - ring.capacity)
  for (let i = ring.total - 1; i >= oldest && found.length < query.limit; i--) {
    const slot = i % ring.capacity
    const at = ring.atNs[slot]!
    if (at < query.fromNs || at > query.toNs || !wanted[ring.tracepoint[slot]!]) continue
    found.push(readEvent(ring, slot))
  }
  // CPUs run ahead of each other by up to a time slice; the sort is stable, so equal times keep the order of arrival.
  return found.reverse().sort((a, b) => a.atNs - b.atNs)
}

/** Forgets what was emitted later than `atNs`. */
export function cutEvents(ring: EventRing, atNs: Ns): void {
  const oldest = Math.max(0, ring.total - ring.capacity)
  while (ring.total > oldest && ring.arrivalNs[(ring.total - 1) % ring.capacity]! > atNs) ring.total--
}
