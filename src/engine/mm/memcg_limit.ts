/**
 * What writing a limit sets in motion: reclaim down to it, and for memory.max the OOM killer; and reclaim on demand.
 * @kernel  mm/memcontrol.c memory_high_write(), memory_max_write(), memory_reclaim()
 * @spec    07 §7.2
 */
import type { Errno } from '../../util/errno'
import { NS_PER_JIFFY, type Pages } from '../../util/units'
import { currentTask, isSuspended, now } from '../exec'
import { hooks } from '../hooks'
import { schedule } from '../queue'
import type { KernelState } from '../state'
import { GFP_KERNEL } from './gfp'
import { MEMCG_OOM, memcgEvent } from './memcg_events'
import { MEMCG_RECLAIM_RETRIES, memcgReclaim } from './memcg_reclaim'
import { drainAllStock, runDueDrains } from './memcg_stock'
import { memcgAt } from './memcg_tree'

const isSignalled = (state: KernelState): boolean => {
  const task = currentTask(state)
  return task !== undefined && (task.killSignal !== 0 || task.signalled)
}

/**
 * Sets memory.high and reclaims what lies above it, as far as that goes; never kills.
 * When the writer is suspended the write is repeated as a whole.
 * @kernel  mm/memcontrol.c memory_high_write()
 */
export function setMemoryHigh(state: KernelState, id: number, high: Pages): void {
  const counter = memcgAt(state, id).memory
  counter.high = high
  if (counter.usage <= high) return
  drainAllStock(state, id)
  for (let retries = MEMCG_RECLAIM_RETRIES; counter.usage > high && !isSignalled(state);) {
    const reclaimed = memcgReclaim(state, id, counter.usage - high, GFP_KERNEL)
    if (isSuspended(state)) return
    runDueDrains(state)
    if (reclaimed === 0 && retries-- === 0) return
  }
}

/**
 * Sets memory.max, reclaims down to it, and kills until usage fits, nobody is left to kill, or the writer gets a signal.
 * @kernel      mm/memcontrol.c memory_max_write()
 * @simplifies  the write returns at once; while victims die the kernel's writer would still be inside it
 */
export function setMemoryMax(state: KernelState, id: number, max: Pages): void {
  const counter = memcgAt(state, id).memory
  counter.max = max
  if (counter.usage <= max) return
  drainAllStock(state, id)
  for (let retries = MEMCG_RECLAIM_RETRIES; retries > 0;) {
    if (counter.usage <= max || isSignalled(state)) return
    if (memcgReclaim(state, id, counter.usage - max, GFP_KERNEL) === 0) retries--
    if (isSuspended(state)) return
    runDueDrains(state)
  }
  killForMax(state, id)
}

/** One round of the OOM killer; a tick later, when the victim had its chance to go, the next. */
function killForMax(state: KernelState, id: number): void {
  const counter = memcgAt(state, id).memory
  if (counter.usage <= counter.max || isSignalled(state)) return
  memcgEvent(state, id, MEMCG_OOM)
  if (!hooks.memcgOutOfMemory(state, id, GFP_KERNEL, 0)) return
  schedule(state.queue, now(state) + NS_PER_JIFFY, { kind: 'memoryMax', memcg: id, pid: state.exec.pid })
}

/** Event 'memoryMax': the writer looks again, unless it or the group is gone. */
export function handleMemoryMax(state: KernelState, event: { readonly memcg: number; readonly pid: number }): void {
  if (state.memcgs[event.memcg]?.online !== true) return
  if (event.pid !== 0 && state.tasks[event.pid] === undefined) return
  state.exec.pid = event.pid
  killForMax(state, event.memcg)
  state.exec.pid = 0
}

/**
 * memory.reclaim: reclaims until `nr` pages are freed.
 * @param swappiness  0–200 instead of vm.swappiness
 * @returns EAGAIN when less could be reclaimed, EINTR on a signal
 * @kernel  mm/memcontrol.c memory_reclaim()
 */
export function proactiveReclaim(state: KernelState, id: number, nr: Pages, swappiness?: number): Errno | undefined {
  const task = currentTask(state)
  let reclaimed = task?.retry.reclaimed ?? 0
  if (task !== undefined) task.retry.reclaimed = 0
  const options = { maySwap: true, proactive: true, ...(swappiness === undefined ? {} : { swappiness }) }
  for (let retries = MEMCG_RECLAIM_RETRIES; reclaimed < nr;) {
    if (isSignalled(state)) return 'EINTR'
    // 6.12 asks for a quarter of the rest, so that it converges; 6.1 for all of it.
    const rest = nr - reclaimed
    const goal = state.config.series === '6.1' ? rest : Math.floor(rest / 4)
    const got = hooks.tryToFreeMemcgPages(state, id, goal, GFP_KERNEL, options)
    reclaimed += got
    if (isSuspended(state)) {
      if (task !== undefined) task.retry.reclaimed = reclaimed
      return undefined
    }
    if (got === 0 && retries-- === 0) return 'EAGAIN'
  }
  return undefined
}
