/**
 * Direct compaction: a task whose large request failed makes room for it. As with direct reclaim, others go on meanwhile:
 * the run stops when somebody else is due, and goes on when the request is made again
 * (docs/decisions/0008-direct-reclaim-in-steps.md).
 * @kernel  mm/compaction.c try_to_compact_pages(); mm/page_alloc.c __alloc_pages_direct_compact(), should_compact_retry()
 * @spec    02 §2.7 S3, S6, should_compact_retry; 08 §8.7
 */
import type { Ns, Pages, Pfn } from '../../util/units'
import { currentTask, now, suspend } from '../exec'
import { nextEventAt } from '../queue'
import type { KernelState } from '../state'
import { emit, isWanted, TRACE_PAGE_ALLOC } from '../trace'
import { abandonCompactZone, beginCompactZone, continueCompactZone, createCompactControl } from './compaction'
import {
  compactionDeferReset,
  compactionDeferred,
  deferCompaction,
  traceDefer,
  zoneCompaction,
  type CompactControl,
  type DirectCompaction,
} from './compaction_state'
import {
  COMPACT_COMPLETE,
  COMPACT_CONTINUE,
  COMPACT_DEFERRED,
  COMPACT_PARTIAL_SKIPPED,
  COMPACT_SKIPPED,
  COMPACT_SUCCESS,
  compactionZonelistSuitable,
} from './compaction_suitable'
import { PREEMPTED } from './direct_reclaim'
import { getPageFromFreelist, traceAlloc } from './freelist'
import { GFP_BIT_IO, PAGE_ALLOC_COSTLY_ORDER, gfpZone } from './gfp'
import { pageZoneIndex } from './memmap'
import type { Zone, Zonelists } from './mmzone'
import { memstallEnter, memstallLeave } from './psi'
import { COMPACT_FAIL, COMPACT_STALL, COMPACT_SUCCESS as COMPACT_SUCCESS_EVENT, countVmEvent } from './vmstat'

/** How hard to try: 0 is hardest. @kernel enum compact_priority */
export const COMPACT_PRIO_SYNC_FULL = 0
export const COMPACT_PRIO_SYNC_LIGHT = 1
export const COMPACT_PRIO_ASYNC = 2

const SIGKILL = 9
/** @kernel MAX_COMPACT_RETRIES */
const MAX_COMPACT_RETRIES = 16

export interface CompactRequest {
  readonly gfp: number
  readonly order: number
  readonly allocFlags: number
  /** Zones in the order of the request. */
  readonly zonelist: readonly number[]
}

/** Where in the slow path the request is. @kernel __alloc_pages_slowpath() */
export interface CompactPlace {
  /** Before the first reclaim. */
  readonly isFirst: boolean
  /** Pages that the reclaim before it freed. */
  readonly progress: Pages
}

/** The running task's compaction for such a request, if it stopped in the middle. */
export function compactionUnderWay(state: KernelState, gfp: number, order: number): DirectCompaction | undefined {
  for (const run of state.compaction.direct) {
    if (run.pid === state.exec.pid && run.order === order && run.gfp === gfp) return run
  }
  return undefined
}

/** @kernel mm/compaction.c try_to_compact_pages(), beginning */
function beginRun(state: KernelState, r: CompactRequest, priority: number, place: CompactPlace): DirectCompaction {
  const { gfp, order, zonelist } = r
  // One that was for a request which never came back.
  endDirectCompaction(state, state.exec.pid)
  const isOwnStall = memstallEnter(state, currentTask(state))
  const mayWork = (gfp & GFP_BIT_IO) !== 0
  if (mayWork) emit(state, 'mm_compaction_try_to_compact_pages', [order, gfp, priority])
  return {
    pid: state.exec.pid,
    gfp,
    order,
    priority,
    ...place,
    zonelist: mayWork ? zonelist : [],
    at: 0,
    control: undefined,
    captured: 0,
    best: COMPACT_SKIPPED,
    isOwnStall,
  }
}

/**
 * Compacts zone after zone until one has a block for the request; `best` of the run becomes the best of their results.
 * @returns whether the run is over; if not, the task has to let others run
 * @kernel  mm/compaction.c try_to_compact_pages()
 */
function compactUntilDue(state: KernelState, r: CompactRequest, run: DirectCompaction): boolean {
  const highestZoneidx = gfpZone(r.gfp)
  for (; run.at < run.zonelist.length; run.at++) {
    const zone = state.zones[run.zonelist[run.at]!]!
    if (zone.idx > highestZoneidx) continue
    if (run.control === undefined && run.priority > COMPACT_PRIO_SYNC_FULL && isDeferred(state, zone, r.order)) {
      run.best = Math.max(run.best, COMPACT_DEFERRED)
      continue
    }
    const result = workOnZone(state, zone, r, run)
    if (result === COMPACT_CONTINUE) return false
    run.best = Math.max(run.best, result)
    noteResult(state, zone, run, result)
    if (result === COMPACT_SUCCESS || currentTask(state)?.killSignal === SIGKILL) break
  }
  return true
}

/** @returns COMPACT_CONTINUE: somebody else is due @kernel mm/compaction.c compact_zone_order() */
function workOnZone(state: KernelState, zone: Zone, r: CompactRequest, run: DirectCompaction): number {
  if (run.control === undefined) {
    const control = controlFor(zone, r, run.priority)
    const begun = beginCompactZone(state, control)
    if (begun !== COMPACT_CONTINUE) return begun
    run.control = control
  }
  const result = continueCompactZone(state, run.control, turnEndNs(state))
  if (result === COMPACT_CONTINUE) return result
  run.captured = run.control.captured
  run.control = undefined
  return run.captured !== 0 ? COMPACT_SUCCESS : result
}

/** When another CPU or a device is due, after one turn at least; never for those who cannot wait. */
function turnEndNs(state: KernelState): Ns {
  const task = currentTask(state)
  const due = state.exec.mayStop && task?.isKthread === false ? nextEventAt(state.queue) : undefined
  return due === undefined ? Infinity : Math.max(due - state.nowNs, state.exec.ns + 1)
}

/** @kernel mm/compaction.c try_to_compact_pages(), after compact_zone_order() */
function noteResult(state: KernelState, zone: Zone, run: DirectCompaction, result: number): void {
  const z = zoneCompaction(state, zone)
  if (result === COMPACT_SUCCESS) {
    compactionDeferReset(z, run.order, 'compacted')
    traceDefer(state, 'mm_compaction_defer_reset', zone, run.order)
    return
  }
  if (run.priority === COMPACT_PRIO_ASYNC || (result !== COMPACT_COMPLETE && result !== COMPACT_PARTIAL_SKIPPED)) return
  deferCompaction(z, run.order)
  traceDefer(state, 'mm_compaction_defer_compaction', zone, run.order)
}

function isDeferred(state: KernelState, zone: Zone, order: number): boolean {
  const z = zoneCompaction(state, zone)
  if (!compactionDeferred(z, order)) return false
  traceDefer(state, 'mm_compaction_deferred', zone, order)
  return true
}

/** @kernel mm/compaction.c compact_zone_order() */
const controlFor = (zone: Zone, r: CompactRequest, priority: number): CompactControl =>
  createCompactControl({
    zone: zone.index,
    order: r.order,
    gfp: r.gfp,
    mode: priority === COMPACT_PRIO_ASYNC ? 'async' : 'syncLight',
    allocFlags: r.allocFlags,
    highestZoneidx: gfpZone(r.gfp),
    by: 'direct',
    wholeZone: priority === COMPACT_PRIO_SYNC_FULL,
    ignoreSkipHint: priority === COMPACT_PRIO_SYNC_FULL,
    ignoreBlockSuitable: priority === COMPACT_PRIO_SYNC_FULL,
  })

/**
 * The task makes room for its own request.
 * @param retry  its priority is used, its result is set
 * @returns first frame; 0 = none, or the task has to wait (isSuspended)
 * @kernel  mm/page_alloc.c __alloc_pages_direct_compact()
 * @spec    02 §2.7 S3, S6
 */
export function allocPagesDirectCompact(
  state: KernelState,
  r: CompactRequest,
  node: Zonelists,
  retry: CompactRetry,
  place: CompactPlace,
): Pfn {
  if (r.order === 0) return 0
  const run = compactionUnderWay(state, r.gfp, r.order) ?? beginRun(state, r, retry.priority, place)
  if (!compactAsMemalloc(state, r, run)) {
    if (!state.compaction.direct.includes(run)) state.compaction.direct.push(run)
    suspend(state, now(state), PREEMPTED)
    return 0
  }
  leaveRun(state, run)
  retry.result = run.best
  if (retry.result === COMPACT_SKIPPED) return 0
  countVmEvent(state.vmstat, COMPACT_STALL)
  const pfn =
    run.captured !== 0 ? takeCaptured(state, r, run) : getPageFromFreelist(state, r.gfp, r.order, r.allocFlags, node)
  countVmEvent(state.vmstat, pfn === 0 ? COMPACT_FAIL : COMPACT_SUCCESS_EVENT)
  if (pfn === 0) return 0
  const zone = state.zones[pageZoneIndex(state.memmap, pfn)]!
  const z = zoneCompaction(state, zone)
  z.blockskipFlush = false
  compactionDeferReset(z, r.order, 'allocated')
  traceDefer(state, 'mm_compaction_defer_reset', zone, r.order)
  return pfn
}

/** The block never was on a list, so pgalloc and the NUMA counters do not know of it. @kernel prep_new_page() of the page */
function takeCaptured(state: KernelState, r: CompactRequest, run: DirectCompaction): Pfn {
  if (isWanted(TRACE_PAGE_ALLOC)) traceAlloc(state, run.captured, r.order, r.gfp)
  return run.captured
}

/** What the task needs for its work may come from the reserves. @kernel memalloc_noreclaim_save() */
function compactAsMemalloc(state: KernelState, r: CompactRequest, run: DirectCompaction): boolean {
  const task = currentTask(state)
  if (task !== undefined) task.memalloc = true
  const isOver = compactUntilDue(state, r, run)
  if (task !== undefined) task.memalloc = false
  return isOver
}

function leaveRun(state: KernelState, run: DirectCompaction): void {
  const at = state.compaction.direct.indexOf(run)
  if (at >= 0) state.compaction.direct.splice(at, 1)
  memstallLeave(state, state.tasks[run.pid], run.isOwnStall)
}

/**
 * The task goes on without its compaction: it was killed, or its request never came back. It counts as one that failed.
 * @simplifies  the kernel's task looks at the free lists once more first
 */
export function endDirectCompaction(state: KernelState, pid: number): void {
  const run = state.compaction.direct.find((other) => other.pid === pid)
  if (run === undefined) return
  if (run.control !== undefined) abandonCompactZone(state, run.control)
  leaveRun(state, run)
  countVmEvent(state.vmstat, COMPACT_STALL)
  countVmEvent(state.vmstat, COMPACT_FAIL)
}

/** The compaction side of one allocation's loop. */
export interface CompactRetry {
  priority: number
  retries: number
  /** COMPACT_* of the last try. */
  result: number
}

/**
 * Whether compacting once more could help; raises the priority.
 * @kernel  mm/page_alloc.c should_compact_retry()
 * @spec    02 §2.7 should_compact_retry
 */
export function shouldCompactRetry(state: KernelState, r: CompactRequest, retry: CompactRetry): boolean {
  if (r.order === 0 || currentTask(state)?.killSignal === SIGKILL) return false
  if (retry.result === COMPACT_SKIPPED) return compactionZonelistSuitable(state, r.zonelist, r.order, gfpZone(r.gfp))
  const isCostly = r.order > PAGE_ALLOC_COSTLY_ORDER
  if (retry.result === COMPACT_SUCCESS) {
    const max = isCostly ? MAX_COMPACT_RETRIES / 4 : MAX_COMPACT_RETRIES
    if (++retry.retries <= max) return true
  }
  if (retry.priority <= (isCostly ? COMPACT_PRIO_SYNC_LIGHT : COMPACT_PRIO_SYNC_FULL)) return false
  retry.priority--
  retry.retries = 0
  return true
}
