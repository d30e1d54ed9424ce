/**
 * Refaults: what an evicted page leaves behind, and whether a page that comes back was evicted too early.
 * @kernel  mm/workingset.c
 * @spec    05 §5.5, §5.10
 */
import type { Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { memcgSwapRoom } from './memcontrol'
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  MAX_NR_TIERS,
  folioIsFileLru,
  folioLruvec,
  workingsetAgeNonresident,
  type Lruvec,
  lruvecFlushedState,
} from './lruvec'
import { flushMemcgStatsRatelimited } from './memcg_flush'
import { PG_ACTIVE, PG_WORKINGSET, hasFlag, pageFlags, setFlag } from './memmap'
import {
  MEMCG_STAT_WORKINGSET_ACTIVATE_ANON,
  MEMCG_STAT_WORKINGSET_REFAULT_ANON,
  MEMCG_STAT_WORKINGSET_RESTORE_ANON,
  modMemcgState,
} from './memcg_stat'
import { folioLruRefs, lruTierFromRefs } from './reclaim/lru_gen'
import { lruNoteCost } from './swap'
import { nrSwapPages } from './swap_space'
import { WORKINGSET_ACTIVATE_ANON, WORKINGSET_REFAULT_ANON, WORKINGSET_RESTORE_ANON, modStat } from './vmstat'

/** Ages and tokens wrap at 2^30: 4 TiB of evictions. Then 16 bits of memcg id, 6 of node, 1 of workingset. */
const AGE_MODULO = 1 << 30
const MEMCG_IDS = 65536
const NODE_AND_FLAG = 128

/** @kernel  mm/workingset.c pack_shadow(); never 0, because memcg ids start at 1 */
export const packShadow = (age: number, memcg: number, nid: number, isWorkingset: boolean): number =>
  ((age % AGE_MODULO) * MEMCG_IDS + memcg) * NODE_AND_FLAG + nid * 2 + (isWorkingset ? 1 : 0)

/** @kernel  mm/workingset.c unpack_shadow() */
export function unpackShadow(shadow: number): { age: number; memcg: number; nid: number; isWorkingset: boolean } {
  const low = shadow % NODE_AND_FLAG
  const rest = Math.floor(shadow / NODE_AND_FLAG)
  return { age: Math.floor(rest / MEMCG_IDS), memcg: rest % MEMCG_IDS, nid: low >> 1, isWorkingset: (low & 1) === 1 }
}

const isMglru = (state: KernelState): boolean => (state.mglruEnabled & 1) !== 0

/**
 * What takes the place of a page that reclaim is about to free.
 * @param targetMemcg  group that is reclaimed from; 0 for global reclaim
 * @kernel  mm/workingset.c workingset_eviction(), lru_gen_eviction()
 */
export function workingsetEviction(state: KernelState, pfn: Pfn, targetMemcg: number): number {
  const own = folioLruvec(state, pfn)
  const isWorkingset = hasFlag(state.memmap, pfn, PG_WORKINGSET)
  if (isMglru(state)) {
    const type = folioIsFileLru(state, pfn)
    const refs = folioLruRefs(pageFlags(state.memmap, pfn))
    own.gen.evicted[type * MAX_NR_TIERS + lruTierFromRefs(refs)]!++
    return packShadow(own.gen.minSeq[type]! * 4 + Math.max(refs - 1, 0), own.memcg, own.nid, isWorkingset)
  }
  const target = state.lruvecs[(targetMemcg || 1) * state.nodes.length + own.nid]!
  const shadow = packShadow(target.nonresidentAge, target.memcg, target.nid, isWorkingset)
  workingsetAgeNonresident(state, target, 1)
  return shadow
}

function countWorkingset(state: KernelState, lruvec: Lruvec, nodeItem: number, memcgItem: number): void {
  modStat(state.nodes[lruvec.nid]!.stat, nodeItem, 1)
  modMemcgState(state, lruvec.memcg, memcgItem, 1, lruvec.nid)
}

const countRefault = (state: KernelState, l: Lruvec, file: number): void =>
  countWorkingset(state, l, WORKINGSET_REFAULT_ANON + file, MEMCG_STAT_WORKINGSET_REFAULT_ANON + file)
const countActivate = (state: KernelState, l: Lruvec, file: number): void =>
  countWorkingset(state, l, WORKINGSET_ACTIVATE_ANON + file, MEMCG_STAT_WORKINGSET_ACTIVATE_ANON + file)
const countRestore = (state: KernelState, l: Lruvec, file: number): void =>
  countWorkingset(state, l, WORKINGSET_RESTORE_ANON + file, MEMCG_STAT_WORKINGSET_RESTORE_ANON + file)

/**
 * Memory that a page would have had to stay in to be found again: a longer distance cannot be helped by any order.
 * @kernel  mm/workingset.c workingset_test_recent()
 * @spec    05 §5.5, E6
 */
export function workingsetSize(state: KernelState, lruvec: Lruvec, file: number): Pages {
  let size = lruvecFlushedState(state, lruvec, LRU_ACTIVE_FILE)
  if (file === 0) size += lruvecFlushedState(state, lruvec, LRU_INACTIVE_FILE)
  if (Math.min(nrSwapPages(state), memcgSwapRoom(state, lruvec.memcg)) > 0) {
    size += lruvecFlushedState(state, lruvec, LRU_ACTIVE_ANON)
    if (file === 1) size += lruvecFlushedState(state, lruvec, LRU_INACTIVE_ANON)
  }
  return size
}

/**
 * A page whose shadow was found comes back; call after it is charged and flagged, before folioAddLru.
 * @param inFault  a user fault brings it in
 * @kernel  mm/workingset.c workingset_refault(), lru_gen_refault()
 */
export function workingsetRefault(state: KernelState, pfn: Pfn, shadow: number, inFault = false): void {
  const evicted = unpackShadow(shadow)
  const file = folioIsFileLru(state, pfn)
  const lruvec = folioLruvec(state, pfn)
  const evictionLruvec = state.lruvecs[evicted.memcg * state.nodes.length + evicted.nid]
  if (isMglru(state)) {
    if (evictionLruvec === lruvec)
      lruGenRefault(state, lruvec, pfn, { token: evicted.age, isWorkingset: evicted.isWorkingset, inFault })
    return
  }
  countRefault(state, lruvec, file)
  if (evictionLruvec === undefined) return
  const distance = (((evictionLruvec.nonresidentAge - evicted.age) % AGE_MODULO) + AGE_MODULO) % AGE_MODULO
  flushMemcgStatsRatelimited(state)
  if (distance > workingsetSize(state, evictionLruvec, file)) return
  setFlag(state.memmap, pfn, PG_ACTIVE)
  workingsetAgeNonresident(state, lruvec, 1)
  countActivate(state, lruvec, file)
  if (!evicted.isWorkingset) return
  setFlag(state.memmap, pfn, PG_WORKINGSET)
  lruNoteCost(state, lruvec, file, { nrIo: 1, nrRotated: 0 })
  countRestore(state, lruvec, file)
}

function lruGenRefault(
  state: KernelState,
  lruvec: Lruvec,
  pfn: Pfn,
  shadow: { readonly token: number; readonly isWorkingset: boolean; readonly inFault: boolean },
): void {
  const file = folioIsFileLru(state, pfn)
  countRefault(state, lruvec, file)
  if (Math.floor(shadow.token / 4) !== lruvec.gen.minSeq[file]! % (AGE_MODULO / 4)) return
  const refs = (shadow.token % 4) + (shadow.isWorkingset ? 1 : 0)
  lruvec.gen.refaulted[file * MAX_NR_TIERS + lruTierFromRefs(refs)]!++
  countActivate(state, lruvec, file)
  // Pushed out although mapped or read often: it must not be the first to go again.
  if (shadow.inFault || refs >= 3) {
    setFlag(state.memmap, pfn, PG_WORKINGSET)
    countRestore(state, lruvec, file)
  }
}
