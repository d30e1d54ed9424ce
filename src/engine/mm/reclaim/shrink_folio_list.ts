/**
 * What happens to each isolated page: freed, written, or kept. Both policies end here; they differ in which pages come.
 * @kernel  mm/vmscan.c shrink_folio_list()
 * @spec    05 §5.4 "shrink_folio_list, per page in order"
 */
import { assert } from '../../../util/assert'
import type { Pages, Pfn } from '../../../util/units'
import { charge } from '../../exec'
import { hooks } from '../../hooks'
import type { KernelState } from '../../state'
import { folioNrPages } from '../folio'
import { GFP_BIT_IO } from '../gfp'
import { splitForReclaim } from '../huge_swap'
import {
  PG_ACTIVE,
  PG_ANON,
  PG_DIRTY,
  PG_FILE,
  PG_HEAD,
  PG_LOCKED,
  PG_MLOCKED,
  PG_RECLAIM,
  PG_REFERENCED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_WRITEBACK,
  clearFlag,
  hasFlag,
  mapcount,
  pageFlags,
  pageMemcg,
  setFlag,
  setFlags,
  setPageMemcg,
} from '../memmap'
import { memcgSwapRoom } from '../memcontrol'
import { beginUncharge, endUncharge, unchargePage } from '../memcg_uncharge'
import { MEMCG_STAT_PGACTIVATE, MEMCG_STAT_PGLAZYFREED, modMemcgState } from '../memcg_stat'
import { canDemote } from '../memory_tiers'
import { freeUnrefPage } from '../pcp'
import { folioReferenced, tryToUnmap } from '../rmap'
import { folioPutback } from '../swap'
import { tryToUnmapFlush } from '../tlb_flush'
import { deleteFromSwapCache, folioAllocSwap, folioFreeSwap, vmSwapFull } from '../swapfile'
import { PGACTIVATE, PGLAZYFREED, countVmEvent, countVmEvents } from '../vmstat'
import { workingsetEviction } from '../workingset'
import { demoteFolio } from './demote'
import { lookAround } from './look_around'
import { ACTIVATE, FREE, KEEP, ORPHAN, flushWrites, pageDirty } from './pageout'
import { PGDAT_WRITEBACK, clearReclaimStat, type ReclaimStat, type ScanControl } from './scan_control'

/** A large folio goes in pieces. */
const SPLIT = 4
/** The page lies on a slower node now. */
const DEMOTED = 5

const REF_RECLAIM = 0
const REF_RECLAIM_CLEAN = 1
const REF_KEEP = 2
const REF_ACTIVATE = 3

/**
 * Goes through isolated pages (on no list, not PG_LRU).
 * @param list   pfns; afterwards its first `stat.kept` entries are those to put back, in order
 * @param isRetry  references are not looked at again
 * @returns pages freed
 * @kernel  mm/vmscan.c shrink_folio_list()
 */
export function shrinkFolioList(
  state: KernelState,
  sc: ScanControl,
  nid: number,
  batch: { readonly list: Int32Array; readonly count: number; readonly ignoreReferences: boolean },
  stat: ReclaimStat,
): Pages {
  clearReclaimStat(stat)
  const m = state.memmap
  const { list, count } = batch
  let reclaimed = 0
  let kept = 0
  beginUncharge(state)
  for (let i = 0; i < count; i++) {
    const pfn = list[i]!
    const fate = shrinkOne(state, sc, nid, pfn, batch.ignoreReferences, stat)
    if (fate === FREE) {
      reclaimed++
      freeFolio(state, pfn)
    } else if (fate === DEMOTED) reclaimed++
    else if (fate === ORPHAN) freeFolio(state, pfn)
    else if (fate === SPLIT) reclaimed += shrinkParts(state, sc, nid, pfn, stat)
    else {
      if (fate === ACTIVATE) activate(state, pfn, stat)
      list[kept++] = pfn
    }
  }
  endUncharge(state)
  tryToUnmapFlush(state)
  flushWrites(state, sc)
  assert(kept <= count && pageFlags(m, 0) === 0, `kept ${kept} of ${count} pages`)
  stat.kept = kept
  countVmEvents(state.vmstat, PGACTIVATE, stat.activateAnon + stat.activateFile)
  charge(state, count * state.costs.scanPage + reclaimed * state.costs.reclaimPage)
  return reclaimed
}

/**
 * A large folio leaves memory: as one piece where swap has 512 slots in a row, else page by page.
 * @returns pages freed; the others are back on their lists
 * @kernel      mm/vmscan.c shrink_folio_list(), the part under folio_test_large()
 * @simplifies  a folio that is swapped out whole is split, too, so that its pages are written together and freed one by one
 */
function shrinkParts(state: KernelState, sc: ScanControl, nid: number, head: Pfn, stat: ReclaimStat): Pages {
  const parts: Pfn[] = []
  sc.nrScanned -= folioNrPages(state.memmap, head)
  splitForReclaim(state, head, parts)
  let reclaimed = 0
  for (const pfn of parts) {
    const fate = shrinkOne(state, sc, nid, pfn, true, stat)
    if (fate === DEMOTED) {
      reclaimed++
      continue
    }
    if (fate === FREE || fate === ORPHAN) {
      if (fate === FREE) reclaimed++
      freeFolio(state, pfn)
      continue
    }
    if (fate === ACTIVATE) activate(state, pfn, stat)
    folioPutback(state, pfn)
  }
  return reclaimed
}

function shrinkOne(
  state: KernelState,
  sc: ScanControl,
  nid: number,
  pfn: Pfn,
  ignoreReferences: boolean,
  stat: ReclaimStat,
): number {
  const m = state.memmap
  let flags = pageFlags(m, pfn)
  if (flags & PG_LOCKED) return KEEP
  sc.nrScanned += folioNrPages(m, pfn)
  if (flags & PG_UNEVICTABLE) return ACTIVATE
  const isMapped = mapcount(m, pfn) > 0
  if (isMapped && !sc.mayUnmap) return KEEP
  // A young PTE was met while the page was isolated.
  if ((state.mglruEnabled & 1) !== 0 && !ignoreReferences && isMapped && (flags & PG_REFERENCED) !== 0) return KEEP
  const isFileLru = (flags & PG_SWAPBACKED) === 0
  if ((flags & (PG_DIRTY | PG_WRITEBACK)) !== 0) {
    if (countDirty(state, sc, nid, pfn, isFileLru, stat)) return ACTIVATE
  }
  let references = REF_RECLAIM
  if (!ignoreReferences) {
    references = checkReferences(state, sc, pfn, isFileLru)
    if (references === REF_ACTIVATE) return ACTIVATE
    if (references === REF_KEEP) {
      stat.refKeep += folioNrPages(m, pfn)
      return KEEP
    }
  }
  if (canDemote(state, nid)) {
    if ((flags & PG_HEAD) !== 0) return SPLIT
    if (demoteFolio(state, sc, nid, pfn)) return DEMOTED
    flags = pageFlags(m, pfn)
  }
  if ((flags & PG_ANON) !== 0 && (flags & PG_SWAPBACKED) !== 0 && (flags & PG_SWAPCACHE) === 0) {
    if ((sc.gfp & GFP_BIT_IO) === 0) return KEEP
    if (flags & PG_HEAD) return SPLIT
    if (mapcount(m, pfn) === 0) return ORPHAN
    if (!folioAllocSwap(state, pfn)) return ACTIVATE
  }
  if (flags & PG_HEAD) return SPLIT
  if (isMapped && !tryToUnmap(state, pfn)) {
    stat.unmapFail++
    return ACTIVATE
  }
  flags = pageFlags(m, pfn)
  const isShmem = (flags & (PG_FILE | PG_SWAPBACKED)) === (PG_FILE | PG_SWAPBACKED)
  if ((flags & PG_DIRTY) !== 0 || isShmem) {
    const fate = pageDirty(state, sc, nid, pfn, { mustBeClean: references === REF_RECLAIM_CLEAN, isFileLru }, stat)
    if (fate !== FREE) return fate
  }
  return removeMapping(state, sc, pfn)
}

/** Statistics of dirty pages. @returns whether the page is under writeback and has to wait elsewhere */
function countDirty(
  state: KernelState,
  sc: ScanControl,
  nid: number,
  pfn: Pfn,
  isFileLru: boolean,
  stat: ReclaimStat,
): boolean {
  const flags = pageFlags(state.memmap, pfn)
  const isWriteback = (flags & PG_WRITEBACK) !== 0
  // No flusher writes anonymous pages: nobody should wait because of them. @kernel folio_check_dirty_writeback()
  if (isFileLru && (flags & PG_ANON) === 0) {
    stat.dirty++
    if (!isWriteback) stat.unqueuedDirty++
    else if ((flags & PG_RECLAIM) !== 0) stat.congested++
  }
  if (!isWriteback) return false
  if (sc.kind === 'kswapd' && (flags & PG_RECLAIM) !== 0 && (state.nodes[nid]!.flags & PGDAT_WRITEBACK) !== 0) {
    stat.immediate++
  } else {
    setFlag(state.memmap, pfn, PG_RECLAIM)
    stat.writeback++
  }
  return true
}

/** @kernel  mm/vmscan.c folio_check_references() */
function checkReferences(state: KernelState, sc: ScanControl, pfn: Pfn, isFileLru: boolean): number {
  const m = state.memmap
  const isMapped = mapcount(m, pfn) > 0
  if (isMapped && (state.mglruEnabled & 1) !== 0) lookAround(state, sc, pfn)
  const wasReferenced = hasFlag(m, pfn, PG_REFERENCED)
  if (isMapped) {
    const r = folioReferenced(state, pfn)
    clearFlag(m, pfn, PG_REFERENCED)
    if (r.locked) return REF_ACTIVATE
    if (r.count > 0) {
      setFlag(m, pfn, PG_REFERENCED)
      if (wasReferenced || r.count > 1) return REF_ACTIVATE
      if (r.exec && isFileLru) return REF_ACTIVATE
      return REF_KEEP
    }
  } else clearFlag(m, pfn, PG_REFERENCED)
  return wasReferenced && isFileLru ? REF_RECLAIM_CLEAN : REF_RECLAIM
}

/** The page is clean and nobody maps it: its place in the file or swap cache goes. @kernel __remove_mapping() */
function removeMapping(state: KernelState, sc: ScanControl, pfn: Pfn): number {
  const flags = pageFlags(state.memmap, pfn)
  if (flags & PG_SWAPCACHE) {
    deleteFromSwapCache(state, pfn, workingsetEviction(state, pfn, sc.target))
  } else if (flags & PG_FILE) {
    hooks.removeMapping(state, pfn, workingsetEviction(state, pfn, sc.target))
  } else {
    countVmEvent(state.vmstat, PGLAZYFREED)
    modMemcgState(state, pageMemcg(state.memmap, pfn) || 1, MEMCG_STAT_PGLAZYFREED, 1)
  }
  return FREE
}

/** Swap is more than half used: by the machine or by the group. @kernel mem_cgroup_swap_full() */
const swapIsFull = (state: KernelState, memcg: number): boolean =>
  vmSwapFull(state) || (memcg > 1 && memcgSwapRoom(state, memcg) * 2 < (state.memcgs[memcg]?.swap.max ?? 0))

function activate(state: KernelState, pfn: Pfn, stat: ReclaimStat): void {
  const m = state.memmap
  const flags = pageFlags(m, pfn)
  const memcg = pageMemcg(m, pfn)
  if ((flags & PG_SWAPCACHE) !== 0 && ((flags & PG_MLOCKED) !== 0 || swapIsFull(state, memcg)))
    folioFreeSwap(state, pfn)
  if (flags & (PG_MLOCKED | PG_UNEVICTABLE)) return
  setFlag(m, pfn, PG_ACTIVE)
  const nr = folioNrPages(m, pfn)
  if (flags & PG_SWAPBACKED) stat.activateAnon += nr
  else stat.activateFile += nr
  modMemcgState(state, memcg || 1, MEMCG_STAT_PGACTIVATE, nr)
}

/** Back to the allocator. @kernel mem_cgroup_uncharge_folios(), free_unref_folios() */
function freeFolio(state: KernelState, pfn: Pfn): void {
  const m = state.memmap
  unchargePage(state, pageMemcg(m, pfn))
  setFlags(m, pfn, 0)
  setPageMemcg(m, pfn, 0)
  freeUnrefPage(state, pfn, 0)
}
