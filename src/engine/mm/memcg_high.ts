/**
 * memory.high: a task of a group above the line reclaims, and sleeps when that does not help. Apart, because it happens
 * on the way back to user mode and not while charging.
 * @kernel  mm/memcontrol.c mem_cgroup_handle_over_high()
 * @spec    07 §7.4
 */
import { HZ, jiffiesToNs, type Ns, type Pages } from '../../util/units'
import { isSuspended } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { emit } from '../trace'
import { GFP_KERNEL } from './gfp'
import { MEMCG_HIGH, MEMCG_SWAP_HIGH, memcgEvent } from './memcg_events'
import { MEMCG_RECLAIM_RETRIES, memcgReclaim } from './memcg_reclaim'
import { memcgAt, ROOT_MEMCG } from './memcg_tree'
import { MEMCG_CHARGE_BATCH } from './memcg_stock'

const DELAY_PRECISION_SHIFT = 20n
const DELAY_SCALING_SHIFT = 14n
/** @kernel  MEMCG_MAX_HIGH_DELAY_JIFFIES */
const HIGH_DELAY_JIFFIES_MAX = 2 * HZ
/** @kernel  SWAP_CLUSTER_MAX */
const SWAP_CLUSTER_MAX: Pages = 32

/** How far `usage` lies above `high`, as a fraction of `high` in 1/2^20. @kernel calculate_overage() */
export function highOverage(usage: Pages, high: Pages): bigint {
  if (usage <= high) return 0n
  return (BigInt(usage - high) << DELAY_PRECISION_SHIFT) / BigInt(Math.max(high, 1))
}

/**
 * Jiffies of sleep for an overage, before the cap; 64-bit arithmetic that wraps as the kernel's does.
 * @param nr  pages charged since the last return to user mode
 * @kernel  mm/memcontrol.c calculate_high_delay()
 */
export function highDelayJiffies(overage: bigint, nr: Pages): number {
  const u64 = (n: bigint): bigint => BigInt.asUintN(64, n)
  const penalty = (u64(overage * overage * BigInt(HZ)) >> DELAY_PRECISION_SHIFT) >> DELAY_SCALING_SHIFT
  return Number(u64(penalty * BigInt(nr)) / BigInt(MEMCG_CHARGE_BATCH))
}

/** The worst overage of the group and its ancestors below the root. @kernel mem_find_max_overage() */
function memoryOverageMax(state: KernelState, id: number): bigint {
  let worst = 0n
  for (let i = id; i > ROOT_MEMCG; i = memcgAt(state, i).parent) {
    const { usage, high } = memcgAt(state, i).memory
    const overage = highOverage(usage, high)
    if (overage > worst) worst = overage
  }
  return worst
}

/** The same for swap; every level above its line counts an event. @kernel swap_find_max_overage() */
function swapOverageMax(state: KernelState, id: number): bigint {
  let worst = 0n
  for (let i = id; i > ROOT_MEMCG; i = memcgAt(state, i).parent) {
    const { usage, high } = memcgAt(state, i).swap
    const overage = highOverage(usage, high)
    if (overage > 0n) memcgEvent(state, i, MEMCG_SWAP_HIGH)
    if (overage > worst) worst = overage
  }
  return worst
}

/** One round of reclaim in every group above its line; each counts one event. @kernel reclaim_high() */
function reclaimHigh(state: KernelState, id: number, nr: Pages): Pages {
  let reclaimed = 0
  for (let i = id; i > ROOT_MEMCG; i = memcgAt(state, i).parent) {
    const { usage, high } = memcgAt(state, i).memory
    if (usage <= high) continue
    memcgEvent(state, i, MEMCG_HIGH)
    reclaimed += memcgReclaim(state, i, nr, GFP_KERNEL)
    if (isSuspended(state)) break
  }
  return reclaimed
}

/**
 * What the task owes for having charged beyond memory.high: reclaims now, and says how long to sleep. The sleep is a
 * memory stall and ends early when the task is killed.
 * @returns ns; 0 also when the reclaim itself was suspended, and then the debt is kept for the next call
 * @kernel  mm/memcontrol.c mem_cgroup_handle_over_high()
 */
export function handleOverHigh(state: KernelState, task: Task): Ns {
  const nr = task.overHigh
  if (nr === 0) return 0
  task.overHigh = 0
  const id = state.cgroups[task.cgroup]?.memcg ?? ROOT_MEMCG
  let retries = MEMCG_RECLAIM_RETRIES
  let goal = nr
  for (;;) {
    if (task.killSignal !== 0) return 0
    const reclaimed = reclaimHigh(state, id, goal)
    if (isSuspended(state)) {
      task.overHigh = nr
      return 0
    }
    const delay = highDelayJiffies(memoryOverageMax(state, id), nr) + highDelayJiffies(swapOverageMax(state, id), nr)
    const penalty = Math.min(delay, HIGH_DELAY_JIFFIES_MAX)
    if (penalty <= Math.floor(HZ / 100)) return 0
    if (reclaimed === 0 && retries-- === 0) {
      const ns = jiffiesToNs(penalty)
      emit(state, 'memcg_high_throttle', [task.pid, ns, id])
      return ns
    }
    goal = SWAP_CLUSTER_MAX
  }
}
