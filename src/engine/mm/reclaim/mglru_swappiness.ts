/**
 * Whether MGLRU may touch anonymous pages at all, and how eagerly.
 * @kernel  mm/vmscan.c get_swappiness()
 * @spec    05 §5.10
 */
import type { Pages } from '../../../util/units'
import type { KernelState } from '../../state'
import type { Lruvec } from '../lruvec'
import { canDemote } from '../memory_tiers'
import { memcgSwapRoom } from '../memcontrol'
import { nrSwapPages } from '../swap_space'
import type { ScanControl } from './scan_control'

/** Fewest pages that one batch works on. @kernel MIN_LRU_BATCH */
export const MIN_LRU_BATCH: Pages = 64

/** vm.swappiness, unless this reclaim brought its own. @kernel sc_swappiness() */
export const scSwappiness = (state: KernelState, sc: ScanControl): number =>
  sc.swappiness >= 0 ? sc.swappiness : state.sysctl.swappiness

/** Free slots that the group may still use. @kernel mem_cgroup_get_nr_swap_pages() */
export const memcgNrSwapPages = (state: KernelState, memcg: number): Pages =>
  Math.min(nrSwapPages(state), memcgSwapRoom(state, memcg))

/** 0 = anonymous pages are out of reach: no swap wanted, or less than one batch of room. @kernel get_swappiness() */
export function getSwappiness(state: KernelState, sc: ScanControl, lruvec: Lruvec): number {
  if (!sc.maySwap) return 0
  if (!canDemote(state, lruvec.nid) && memcgNrSwapPages(state, lruvec.memcg) < MIN_LRU_BATCH) return 0
  return scSwappiness(state, sc)
}

export const canSwap = (state: KernelState, sc: ScanControl, lruvec: Lruvec): boolean =>
  getSwappiness(state, sc, lruvec) !== 0
