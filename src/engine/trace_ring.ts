/**
 * The kernel's own trace buffer: a ring of pages for each CPU, which events are written into while tracing is on. When it
 * is full the oldest page is overwritten. Its memory is in trace_buffer.ts, its files in procfs/tracefs.ts.
 * @kernel  kernel/trace/ring_buffer.c, kernel/trace/trace.c
 */
import type { Pfn } from '../util/units'
import type { KernelState } from './state'

/** Data bytes of a page. @kernel BUF_PAGE_SIZE */
export const RING_PAGE_BYTES = 4080

export interface TraceEntry {
  readonly tracepoint: number
  readonly atNs: number
  readonly pid: number
  readonly comm: string
  readonly args: readonly number[]
  readonly text: string
}

interface RingPage {
  bytes: number
  readonly entries: TraceEntry[]
}

export interface TraceRing {
  /** Oldest first. */
  readonly pages: RingPage[]
  /** Pages that it may have. */
  nrPages: number
  overrun: number
  written: number
}

export interface Tracing {
  isOn: boolean
  clock: string
  /** 0: nobody has traced since boot, so that the buffers are three pages. */
  sizeKb: number
  /** Frames of the buffers and addresses of their struct buffer_page. */
  readonly frames: Pfn[]
  readonly objects: number[]
  /** By tracepoint: 1 = switched on. */
  readonly enabled: Uint8Array
  /** By CPU. */
  readonly rings: TraceRing[]
}

/** @kernel tracer_alloc_buffers(): two pages and one for the reader */
export const createTracing = (cpus: number): Tracing => ({
  isOn: true,
  clock: 'local',
  sizeKb: 0,
  frames: [],
  objects: [],
  enabled: new Uint8Array(256),
  rings: Array.from({ length: cpus }, () => ({ pages: [], nrPages: 2, overrun: 0, written: 0 })),
})

/**
 * Bytes of an event: its header, the common fields, and its own.
 * @model  eight bytes a field; the kernel's are four or eight
 */
const entryBytes = (args: readonly number[]): number => 16 + 8 * args.length

/** What is switched on, while tracing is on; undefined: nothing. */
export function tracedNow({ tracing }: KernelState): Uint8Array | undefined {
  return tracing.isOn && tracing.enabled.includes(1) ? tracing.enabled : undefined
}

/** An event of the CPU that runs. @kernel ring_buffer_lock_reserve(), rb_move_tail() */
export function recordTrace(state: KernelState, tracepoint: number, args: readonly number[], text: string): void {
  const { exec, tracing } = state
  const ring = tracing.rings[exec.cpu]!
  const bytes = entryBytes(args)
  let page = ring.pages.at(-1)
  if (page === undefined || page.bytes + bytes > RING_PAGE_BYTES) {
    page = { bytes: 0, entries: [] }
    ring.pages.push(page)
    if (ring.pages.length > ring.nrPages) ring.overrun += ring.pages.shift()!.entries.length
  }
  page.bytes += bytes
  const comm = exec.pid === 0 ? '<idle>' : (state.tasks[exec.pid]?.comm ?? '<...>')
  page.entries.push({ tracepoint, atNs: state.nowNs + exec.ns, pid: exec.pid, comm, args: [...args], text })
  ring.written++
}

/** Everything that was recorded is forgotten. @kernel tracing_reset_online_cpus() */
export function clearRings({ rings }: Tracing): void {
  for (const ring of rings) {
    ring.pages.length = 0
    ring.overrun = 0
    ring.written = 0
  }
}
