/**
 * The reclaim policies there are, which one rules, and switching between them while the machine runs.
 * Adding one: its file, a line in the table, a value of /sys/kernel/mm/lru_gen/enabled or a file of its own to choose it.
 * @kernel  mm/vmscan.c lru_gen_enabled(), lru_gen_change_state()
 */
import { NS_PER_S } from '../../../util/units'
import { createKswapdRun } from './kswapd_run'
import type { KernelState } from '../../state'
import { MAX_NR_ZONES } from '../gfp'
import { LRU_ACTIVE_FILE, MAX_NR_GENS, type Lruvec } from '../lruvec'
import { listHead, listTail, prevOnList } from '../memmap'
import { lruAddDrainAll, lruvecAddFolio, lruvecDelFolio } from '../swap'
import { createSwapReadahead } from '../swap_state'
import { classicPolicy } from './lru'
import { genList } from './lru_gen'
import { createMemcgLru } from './memcg_lru'
import { mglruPolicy } from './mglru'
import type { ReclaimPolicy } from './policy'
import { createReclaimLog } from './reclaim_record'
import type { ReclaimState } from './reclaim_state'

export const POLICIES: readonly ReclaimPolicy[] = [classicPolicy, mglruPolicy]

/** The policy that rules now. @kernel lru_gen_enabled() */
export const activePolicy = (state: KernelState): ReclaimPolicy => POLICIES[state.mglruEnabled & 1]!

/** Nothing remembered. @model see reclaim_state.ts */
export function createReclaimState(nrNodes: number): ReclaimState {
  const nids = Array.from({ length: nrNodes }, (_, nid) => nid)
  return {
    kswapd: nids.map(createKswapdRun),
    direct: [],
    memcgLru: nids.map(createMemcgLru),
    pfmemallocWait: nids.map(() => []),
    swapRa: createSwapReadahead(),
    writeback: { dirtiedNs: {}, background: [], isExceeded: false, tick: 0 },
    // A counter of jiffies starts at minus five minutes: the first look after boot sums up.
    statsFlushedNs: -300 * NS_PER_S,
    lruGenMinTtlNs: 0,
    reclaimLog: createReclaimLog(nrNodes),
  }
}

/** All pages of one lruvec, oldest first within each list. */
function pagesOf(state: KernelState, lruvec: Lruvec): number[] {
  const pfns: number[] = []
  const collect = (heads: Int32Array, list: number): void => {
    for (let pfn = listTail(heads, list); pfn !== 0; pfn = prevOnList(state.memmap, pfn)) pfns.push(pfn)
  }
  for (let lru = 0; lru <= LRU_ACTIVE_FILE; lru++) if (listHead(lruvec.lists, lru) !== 0) collect(lruvec.lists, lru)
  for (let type = 0; type < 2; type++) {
    for (let age = 0; age < MAX_NR_GENS; age++) {
      const gen = (lruvec.gen.minSeq[type]! + age) % MAX_NR_GENS
      for (let zone = 0; zone < MAX_NR_ZONES; zone++) collect(lruvec.gen.lists, genList(gen, type, zone))
    }
  }
  return pfns
}

/**
 * Writes /sys/kernel/mm/lru_gen/enabled: all pages move from one kind of lists to the other.
 * @param mask  bit 0 multi-gen LRU, 1 walks of leaf entries, 2 of upper entries
 * @kernel      mm/vmscan.c lru_gen_change_state()
 */
export function setMglruEnabled(state: KernelState, mask: number): void {
  if ((mask & 1) === (state.mglruEnabled & 1)) {
    state.mglruEnabled = mask
    return
  }
  lruAddDrainAll(state)
  const pages = state.lruvecs.map((lruvec) => (lruvec === undefined ? [] : pagesOf(state, lruvec)))
  // A page that leaves a young generation is marked active, so each page is taken off under the old rule first.
  state.lruvecs.forEach((lruvec, i) => {
    if (lruvec !== undefined) for (const pfn of pages[i]!) lruvecDelFolio(state, lruvec, pfn)
  })
  state.mglruEnabled = mask
  state.lruvecs.forEach((lruvec, i) => {
    if (lruvec !== undefined) for (const pfn of pages[i]!) lruvecAddFolio(state, lruvec, pfn, false)
  })
}
