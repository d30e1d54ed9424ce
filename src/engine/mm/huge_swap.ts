/**
 * Huge pages on their way to swap: 512 slots in a row take one as it is; without them it is split first.
 * @kernel  mm/vmscan.c shrink_folio_list(), mm/swapfile.c cluster_alloc_swap_entry()
 * @spec    08 §8.6 "Swap-out"
 */
import type { Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { isSplitDeferred } from './deferred_split'
import { entireMapcount, folioNrPages } from './folio'
import { splitFolio } from './huge_split'
import { MEMCG_STAT_THP_SWPOUT, MEMCG_STAT_THP_SWPOUT_FALLBACK, modMemcgState } from './memcg_stat'
import { memcgSwapRoom } from './memcontrol'
import { PG_SWAPBACKED, hasFlag, pageMemcg } from './memmap'
import { startHugeCluster } from './swap_slots'
import { THP_SPLIT_PAGE, THP_SWPOUT, THP_SWPOUT_FALLBACK, countVmEvent } from './vmstat'

/** Only a part of it is in use. @kernel folio_test_partially_mapped(); 6.1: !folio_entire_mapcount() */
const isPartlyMapped = (state: KernelState, head: Pfn): boolean =>
  state.config.series === '6.1' ? entireMapcount(state.memmap, head) === 0 : isSplitDeferred(state, head)

/**
 * Splits a large folio that reclaim has isolated, with the counters of what becomes of it.
 * @param parts  gets its pages
 * @kernel  mm/vmscan.c shrink_folio_list()
 */
export function splitForReclaim(state: KernelState, head: Pfn, parts: Pfn[]): void {
  const m = state.memmap
  const isLazyfree = !hasFlag(m, head, PG_SWAPBACKED)
  if (isLazyfree || isPartlyMapped(state, head)) return splitFolio(state, head, parts)
  const memcg = pageMemcg(m, head)
  const isWhole = memcgSwapRoom(state, memcg) >= folioNrPages(m, head) && startHugeCluster(state)
  splitFolio(state, head, parts, isWhole ? THP_SWPOUT : THP_SPLIT_PAGE)
  if (!isWhole) countVmEvent(state.vmstat, THP_SWPOUT_FALLBACK)
  modMemcgState(state, memcg || 1, isWhole ? MEMCG_STAT_THP_SWPOUT : MEMCG_STAT_THP_SWPOUT_FALLBACK, 1)
}
