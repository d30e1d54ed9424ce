/**
 * Memory of the trace buffers: small until somebody traces, then as large as was asked for, on each CPU.
 * @kernel  kernel/trace/ring_buffer.c ring_buffer_resize(), kernel/trace/trace.c tracing_update_buffers()
 */
import type { Errno } from '../util/errno'
import { KIB, type Pages } from '../util/units'
import { context, listenInKernel } from './context'
import { isSuspended } from './exec'
import { GFP_BIT_RETRY_MAYFAIL, GFP_KERNEL } from './mm/gfp'
import { kfree, kmalloc } from './mm/kmalloc'
import { PG_KERNEL, setFlag, setFlagsOfRange } from './mm/memmap'
import { allocPages, freePages } from './mm/page_alloc'
import type { KernelState } from './state'
import { RING_PAGE_BYTES, clearRings, tracedNow } from './trace_ring'

/** kB a CPU, once tracing is used. @kernel TRACE_BUF_SIZE_DEFAULT */
export const DEFAULT_SIZE_KB = 1408
/** @kernel sizeof(struct buffer_page), a cache line */
const BUFFER_PAGE_BYTES = 64

const pagesOf = (sizeKb: number): Pages => Math.max(2, Math.ceil((sizeKb * KIB) / RING_PAGE_BYTES))

/** One page of a ring with its struct. @kernel __rb_allocate_pages() */
function addPage(state: KernelState): boolean {
  const { tracing } = state
  const object = kmalloc(state, BUFFER_PAGE_BYTES, GFP_KERNEL)
  if (object === 0) return false
  const pfn = allocPages(state, GFP_KERNEL | GFP_BIT_RETRY_MAYFAIL, 0)
  if (pfn === 0) {
    kfree(state, object)
    return false
  }
  setFlag(state.memmap, pfn, PG_KERNEL)
  tracing.frames.push(pfn)
  tracing.objects.push(object)
  return true
}

function dropPage(state: KernelState): void {
  const { frames, objects } = state.tracing
  const pfn = frames.pop()!
  setFlagsOfRange(state.memmap, pfn, 1, 0)
  freePages(state, pfn, 0)
  kfree(state, objects.pop()!)
}

/**
 * Gives every CPU a buffer of this size; what was recorded is kept as far as it fits.
 * @returns ENOMEM, and nothing has changed
 * @kernel  ring_buffer_resize()
 */
export function resizeTraceBuffers(state: KernelState, sizeKb: number): Errno | undefined {
  const { tracing } = state
  const nrPages = pagesOf(sizeKb)
  const before = tracing.frames.length
  const wanted = nrPages * tracing.rings.length
  while (tracing.frames.length < wanted)
    if (!addPage(state)) {
      if (isSuspended(state)) return 'EAGAIN'
      while (tracing.frames.length > before) dropPage(state)
      return 'ENOMEM'
    }
  while (tracing.frames.length > wanted) dropPage(state)
  tracing.sizeKb = sizeKb
  for (const ring of tracing.rings) {
    ring.nrPages = nrPages
    while (ring.pages.length > nrPages) ring.overrun += ring.pages.shift()!.entries.length
  }
  return undefined
}

/** Before the first event is switched on. @kernel tracing_update_buffers() */
export const expandTraceBuffers = (state: KernelState): Errno | undefined =>
  state.tracing.sizeKb > 0 ? undefined : resizeTraceBuffers(state, DEFAULT_SIZE_KB)

/** The rest of this engine call follows what was switched just now. */
export function traceChanged(state: KernelState): void {
  listenInKernel(context, tracedNow(state))
}

/** A clock is chosen; times before and after do not compare, so nothing is kept. @kernel tracing_set_clock() */
export function setTraceClock(state: KernelState, name: string): void {
  state.tracing.clock = name
  clearRings(state.tracing)
}
