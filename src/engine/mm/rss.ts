/**
 * Resident-set counters of an address space: exact sums, and the rough values that cheap readers see.
 * 6.2+: per-CPU deltas folded at 32; 6.1: per-task deltas folded after 64 events.
 * @kernel  include/linux/mm.h add_mm_counter(), lib/percpu_counter.c
 * @spec    06 §6.3, 04 §4.10
 */
import { AssertionError } from '../../util/assert'
import type { Pages } from '../../util/units'
import { currentTask } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, type Mm } from './mm_types'

/** @kernel lib/percpu_counter.c percpu_counter_batch = max(32, 2 * online CPUs) */
const PERCPU_BATCH = 32
const percpuBatch = (state: KernelState): number => Math.max(PERCPU_BATCH, 2 * state.cpuNode.length)
/** @kernel mm/memory.c TASK_RSS_EVENTS_THRESH (6.1) */
const TASK_EVENTS = 64

export const mmAt = (state: KernelState, mmIndex: number): Mm => {
  const mm = state.mms[mmIndex]
  // The text of an assert() is made before the test: too dear for what is called several times a page.
  if (mm === undefined) throw new AssertionError(`address space ${mmIndex} does not exist`)
  return mm
}

export const mmOf = (state: KernelState, task: Task): Mm | undefined => (task.mm < 0 ? undefined : state.mms[task.mm])

/**
 * @kernel  add_mm_counter()
 * @param counter  MM_FILEPAGES … MM_SWAPENTS
 */
export function addMmCounter(state: KernelState, mmIndex: number, counter: number, delta: number): void {
  const mm = mmAt(state, mmIndex)
  if (state.config.series === '6.1') {
    addTaskCounter(state, mm, mmIndex, counter, delta)
    return
  }
  const batch = percpuBatch(state)
  const i = state.exec.cpu * 4 + counter
  const pending = mm.rssPending[i]! + delta
  if (pending >= batch || pending <= -batch) {
    mm.rss[counter]! += pending
    mm.rssPending[i] = 0
  } else mm.rssPending[i] = pending
}

/** As many single steps. @kernel inc_mm_counter() */
export function addMmCounterSteps(state: KernelState, mmIndex: number, counter: number, steps: Pages): void {
  const isPerTask = state.config.series === '6.1'
  const batch = percpuBatch(state)
  for (let left = steps; left > 0;) {
    // Up to the step that folds.
    const room = isPerTask ? 1 : batch - mmAt(state, mmIndex).rssPending[state.exec.cpu * 4 + counter]!
    const step = Math.min(left, room)
    addMmCounter(state, mmIndex, counter, step)
    left -= step
  }
}

function addTaskCounter(state: KernelState, mm: Mm, mmIndex: number, counter: number, delta: number): void {
  const task = currentTask(state)
  // Only the owner's own single steps are batched; reclaim and exit change the shared counter at once.
  if (task === undefined || task.mm !== mmIndex || (delta !== 1 && delta !== -1)) {
    mm.rss[counter]! += delta
    return
  }
  task.rssPending[counter]! += delta
  if (++task.rssEvents > TASK_EVENTS) syncTaskRss(state, task)
}

/** 6.1: folds a task's pending events. @kernel mm/memory.c sync_mm_rss() */
export function syncTaskRss(state: KernelState, task: Task): void {
  task.rssEvents = 0
  const mm = mmOf(state, task)
  for (let c = 0; c < 4; c++) {
    if (mm !== undefined) mm.rss[c]! += task.rssPending[c]!
    task.rssPending[c] = 0
  }
}

/** Pages are about to go: remembers how many there were. @kernel update_hiwater_rss() */
export function updateHiwaterRss(state: KernelState, mm: Mm): void {
  const rss = roughRssTotal(state, mm.id)
  if (rss > mm.hiwaterRss) mm.hiwaterRss = rss
}

/** Most pages that were resident at once. @kernel get_mm_hiwater_rss() */
export const maxRssOf = (state: KernelState, mm: Mm): Pages => Math.max(mm.hiwaterRss, roughRssTotal(state, mm.id))

/** What a cheap reader sees (OOM killer, oom_score): never negative. @kernel get_mm_counter() */
export const roughRss = (state: KernelState, mmIndex: number, counter: number): Pages =>
  Math.max(0, mmAt(state, mmIndex).rss[counter]!)

/** What /proc/<pid>/status shows: exact on 6.2+, the rough value on 6.1. @kernel get_mm_counter_sum() */
export function statusRss(state: KernelState, mmIndex: number, counter: number): Pages {
  if (state.config.series === '6.1') return roughRss(state, mmIndex, counter)
  return exactRss(state, mmIndex, counter)
}

/** The truth, for invariants. */
export function exactRss(state: KernelState, mmIndex: number, counter: number): Pages {
  const mm = mmAt(state, mmIndex)
  let sum = mm.rss[counter]!
  for (let i = counter; i < mm.rssPending.length; i += 4) sum += mm.rssPending[i]!
  for (const pid of state.taskList) {
    const task = state.tasks[pid]
    if (task !== undefined && task.mm === mmIndex) sum += task.rssPending[counter]!
  }
  return sum
}

/** RSS as the OOM killer adds it up, pages. @kernel get_mm_rss() */
export const roughRssTotal = (state: KernelState, mmIndex: number): Pages =>
  roughRss(state, mmIndex, MM_FILEPAGES) +
  roughRss(state, mmIndex, MM_ANONPAGES) +
  roughRss(state, mmIndex, MM_SHMEMPAGES)
