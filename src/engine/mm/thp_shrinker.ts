/**
 * What huge pages give back when memory is short: frames of folios that are mapped in part, and the huge zero page.
 * @kernel  mm/huge_memory.c deferred_split_shrinker, huge_zero_page_shrinker
 * @spec    08 §8.6 "Split"
 */
import { deferredFolios, deferredSplitCount } from './deferred_split'
import { freeHugeZero, hugeZeroFreeable } from './huge_zero'
import { splitFolio } from './huge_split'
import { PG_LRU, hasFlag } from './memmap'
import { SHRINK_BATCH, SHRINK_STOP, type Shrinker } from './shrinker'

/** Behind the shadow nodes' and all file systems'. */
const DEFERRED_SPLIT_ID = 65534
const HUGE_ZERO_ID = 65535
const DEFAULT_SEEKS = 2

/** @kernel mm/huge_memory.c deferred_split_scan() */
export const deferredSplitShrinker: Shrinker = {
  id: DEFERRED_SPLIT_ID,
  batch: SHRINK_BATCH,
  seeks: DEFAULT_SEEKS,
  count: deferredSplitCount,
  scan: (state, { nid, memcg, nr }) => {
    let split = 0
    for (const head of deferredFolios(state, nid, memcg).slice(0, nr)) {
      // Off its list: somebody else holds it.
      if (!hasFlag(state.memmap, head, PG_LRU)) continue
      splitFolio(state, head)
      split++
    }
    return split === 0 ? SHRINK_STOP : split
  },
}

/** The first node stands for all. @kernel mm/huge_memory.c shrink_huge_zero_page_count(), shrink_huge_zero_page_scan() */
export const hugeZeroShrinker: Shrinker = {
  id: HUGE_ZERO_ID,
  batch: SHRINK_BATCH,
  seeks: DEFAULT_SEEKS,
  count: (state, nid, memcg) => (nid === 0 && memcg === 0 ? hugeZeroFreeable(state) : 0),
  scan: (state) => freeHugeZero(state),
}
