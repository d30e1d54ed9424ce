/**
 * Where a reclaim with a large target begins: scanning from priority 12 upwards would only repeat itself.
 * @kernel  mm/vmscan.c set_initial_priority()
 * @spec    05 §5.10
 */
import type { Pages } from '../../../util/units'
import type { KernelState } from '../../state'
import { nrSwapPages } from '../swap_space'
import { NR_INACTIVE_ANON, NR_INACTIVE_FILE, readStat } from '../vmstat'
import { MIN_LRU_BATCH } from './mglru_swappiness'
import { DEF_PRIORITY, type ScanControl } from './scan_control'

/** Position of the highest bit, from 1; 0 for 0. @kernel fls_long() */
const fls = (n: number): number => 32 - Math.clz32(n)

/** @kernel  set_initial_priority(), the arithmetic */
export const initialPriority = (reclaimable: Pages, target: Pages): number =>
  Math.min(DEF_PRIORITY, Math.max(DEF_PRIORITY / 2, fls(reclaimable) - 1 - fls(target - 1)))

/** Lowers the priority of a reclaim that has just begun and wants 64 pages or more. @kernel set_initial_priority() */
export function setInitialPriority(state: KernelState, sc: ScanControl, nid: number): void {
  if (sc.priority !== DEF_PRIORITY || sc.nrToReclaim < MIN_LRU_BATCH) return
  const stat = state.nodes[nid]!.stat
  const anon = nrSwapPages(state) > 0 ? readStat(stat, NR_INACTIVE_ANON) : 0
  sc.priority = initialPriority(readStat(stat, NR_INACTIVE_FILE) + anon, sc.nrToReclaim)
}
