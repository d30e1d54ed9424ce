/**
 * Compaction that somebody waits for: a task whose large request failed, or a person who wrote to compact_memory.
 * @kernel  mm/compaction.c try_to_compact_pages(), compact_nodes(); mm/page_alloc.c should_compact_retry()
 * @spec    02 §2.7 S3, S6, should_compact_retry; 08 §8.7
 */
import type { Errno } from '../../util/errno'
import type { Pfn } from '../../util/units'
import { currentTask, now, suspend } from '../exec'
import type { KernelState } from '../state'
import { emit } from '../trace'
import { beginCompactZone, compactZone, continueCompactZone, createCompactControl } from './compaction'
import {
  compactionDeferReset,
  compactionDeferred,
  deferCompaction,
  traceDefer,
  zoneCompaction,
  type CompactControl,
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
import { getPageFromFreelist } from './freelist'
import { GFP_BIT_IO, PAGE_ALLOC_COSTLY_ORDER, gfpZone } from './gfp'
import { pageZoneIndex } from './memmap'
import type { Zone, Zonelists } from './mmzone'
import { memstallEnter, memstallLeave } from './psi'
import { lruAddDrainAll } from './swap'
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

/**
 * Compacts zone after zone until one has a block for the request.
 * @returns COMPACT_*: the best of the zones
 * @kernel      mm/compaction.c try_to_compact_pages()
 * @simplifies  a block that becomes free is not captured for the request, which takes it from the list instead; an
 *              asynchronous run does not give up because another task wants the CPU
 */
export function tryToCompactPages(state: KernelState, r: CompactRequest, priority: number): number {
  let best = COMPACT_SKIPPED
  if ((r.gfp & GFP_BIT_IO) === 0) return best
  emit(state, 'mm_compaction_try_to_compact_pages', [r.order, r.gfp, priority])
  const highestZoneidx = gfpZone(r.gfp)
  for (const index of r.zonelist) {
    const zone = state.zones[index]!
    if (zone.idx > highestZoneidx) continue
    if (priority > COMPACT_PRIO_SYNC_FULL && isDeferred(state, zone, r.order)) {
      best = Math.max(best, COMPACT_DEFERRED)
      continue
    }
    const result = compactZone(state, controlFor(zone, r, priority))
    best = Math.max(best, result)
    const z = zoneCompaction(state, zone)
    if (result === COMPACT_SUCCESS) {
      compactionDeferReset(z, r.order, 'compacted')
      traceDefer(state, 'mm_compaction_defer_reset', zone, r.order)
      break
    }
    const ended = result === COMPACT_COMPLETE || result === COMPACT_PARTIAL_SKIPPED
    if (priority !== COMPACT_PRIO_ASYNC && ended) {
      deferCompaction(z, r.order)
      traceDefer(state, 'mm_compaction_defer_compaction', zone, r.order)
    }
    if (currentTask(state)?.killSignal === SIGKILL) break
  }
  return best
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
 * @returns first frame, or 0
 * @kernel  mm/page_alloc.c __alloc_pages_direct_compact()
 * @spec    02 §2.7 S3, S6
 */
export function allocPagesDirectCompact(
  state: KernelState,
  r: CompactRequest,
  node: Zonelists,
  retry: CompactRetry,
): Pfn {
  if (r.order === 0) return 0
  const task = currentTask(state)
  const began = memstallEnter(state, task)
  if (task !== undefined) task.memalloc = true
  retry.result = tryToCompactPages(state, r, retry.priority)
  if (task !== undefined) task.memalloc = false
  memstallLeave(state, task, began)
  if (retry.result === COMPACT_SKIPPED) return 0
  countVmEvent(state.vmstat, COMPACT_STALL)
  const pfn = getPageFromFreelist(state, r.gfp, r.order, r.allocFlags, node)
  countVmEvent(state.vmstat, pfn === 0 ? COMPACT_FAIL : COMPACT_SUCCESS_EVENT)
  if (pfn === 0) return 0
  const zone = state.zones[pageZoneIndex(state.memmap, pfn)]!
  const z = zoneCompaction(state, zone)
  z.blockskipFlush = false
  compactionDeferReset(z, r.order, 'allocated')
  traceDefer(state, 'mm_compaction_defer_reset', zone, r.order)
  return pfn
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

// ---------------------------------------------------------------- by hand

/** Longest piece between two looks at the scheduler. @model cond_resched() in the kernel's loops */
const PIECE_NS = 1_000_000

/**
 * Every zone of some nodes, from end to end.
 * @returns EINTR when the writer was killed; undefined = done, or the task has to wait (isSuspended)
 * @kernel  mm/compaction.c compact_nodes(), compact_node()
 */
export function compactNodes(state: KernelState, nids: readonly number[]): Errno | undefined {
  const task = currentTask(state)
  const { manual } = state.compaction
  // A person's side of the machine does not wait inside a command: everything at once.
  const pid = task?.op?.op === 'write' || task?.op?.op === 'writeFile' ? task.pid : 0
  if (manual[pid] === undefined) lruAddDrainAll(state)
  const work = manual[pid] ?? { zones: populated(state, nids), control: undefined }
  const endNs = pid === 0 ? Infinity : state.exec.ns + PIECE_NS
  while (work.zones.length > 0 && task?.killSignal !== SIGKILL) {
    work.control ??= beginManual(state, work.zones[0]!)
    if (continueCompactZone(state, work.control, endNs) === COMPACT_CONTINUE) {
      manual[pid] = work
      suspend(state, now(state), 'cond_resched')
      return undefined
    }
    work.control = undefined
    work.zones.shift()
  }
  delete manual[pid]
  for (const other of Object.keys(manual)) if (state.tasks[Number(other)] === undefined) delete manual[Number(other)]
  return task?.killSignal === SIGKILL ? 'EINTR' : undefined
}

const populated = (state: KernelState, nids: readonly number[]): number[] =>
  nids.flatMap((nid) => state.nodes[nid]!.zones.filter((z) => state.zones[z]!.managed > 0))

function beginManual(state: KernelState, zone: number): CompactControl {
  const control = createCompactControl({
    zone,
    order: -1,
    mode: 'sync',
    by: 'manual',
    wholeZone: true,
    ignoreSkipHint: true,
  })
  beginCompactZone(state, control)
  return control
}
