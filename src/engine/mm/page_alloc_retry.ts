/**
 * What the slow path's loop remembers when its task has to wait: the kernel's loop sleeps inside, ours unwinds and begins
 * again with the numbers that are kept here.
 * @kernel  mm/page_alloc.c __alloc_pages_slowpath(): no_progress_loops, compaction_retries, compact_priority
 */
import type { Pfn } from '../../util/units'
import { currentTask } from '../exec'
import type { KernelState } from '../state'
import { COMPACT_PRIO_SYNC_LIGHT, type CompactRetry } from './compaction_direct'
import { COMPACT_SKIPPED } from './compaction_suitable'
import type { Zonelists } from './mmzone'

/** One request. @kernel gfp_mask, order, struct alloc_context, alloc_flags */
export interface Request {
  readonly gfp: number
  readonly order: number
  readonly node: Zonelists
  readonly allocFlags: number
}

/** Names a request among those of one operation: a retried operation may repeat others that succeed. */
const requestKey = (gfp: number, order: number): number => gfp * 16 + order

/** The task's allocation is over: the next one like it counts its fruitless loops from 0. @model see the file's head */
export function allocationEnded(state: KernelState, gfp: number, order: number): void {
  const retry = currentTask(state)?.retry
  if (retry === undefined || retry.noProgressLoops < 0 || retry.noProgressRequest !== requestKey(gfp, order)) return
  retry.noProgressLoops = -1
}

/** Remembers the loop for the next try of the operation. @returns 0 = no frame @model see the file's head */
export function suspended(state: KernelState, r: Request, loops: number, compact?: CompactRetry): Pfn {
  const retry = currentTask(state)?.retry
  if (retry !== undefined) {
    retry.noProgressLoops = loops
    retry.noProgressRequest = requestKey(r.gfp, r.order)
    if (compact !== undefined) {
      retry.compactRetries = compact.retries
      retry.compactPriority = compact.priority
      retry.compactResult = compact.result
    }
  }
  return 0
}

/** Not one that goes on after waiting. @model see the file's head */
export function isFirstTry(state: KernelState, r: Request): boolean {
  const retry = currentTask(state)?.retry
  return retry === undefined || retry.noProgressLoops < 0 || retry.noProgressRequest !== requestKey(r.gfp, r.order)
}

/** How compaction for the request stands. @model see the file's head */
export function compactSoFar(state: KernelState, r: Request): CompactRetry {
  const retry = isFirstTry(state, r) ? undefined : currentTask(state)?.retry
  return {
    priority: retry?.compactPriority ?? COMPACT_PRIO_SYNC_LIGHT,
    retries: retry?.compactRetries ?? 0,
    result: retry?.compactResult ?? COMPACT_SKIPPED,
  }
}

/** Fruitless rounds so far. @model see the file's head */
export const loopsSoFar = (state: KernelState, r: Request): number =>
  isFirstTry(state, r) ? 0 : (currentTask(state)?.retry.noProgressLoops ?? 0)
