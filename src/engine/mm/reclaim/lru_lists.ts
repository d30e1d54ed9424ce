/**
 * The classic lists at work: isolating from a tail, refilling the inactive list from the active one, and reclaiming a
 * batch of inactive pages.
 * @kernel  mm/vmscan.c isolate_lru_folios(), shrink_active_list(), shrink_inactive_list()
 * @spec    05 §5.4
 */
import type { Pages, Pfn } from '../../../util/units'
import { charge } from '../../exec'
import type { KernelState } from '../../state'
import { emit, isTracing } from '../../trace'
import { folioNrPages } from '../folio'
import { wakeupFlusher } from '../flusher'
import { MAX_NR_ZONES } from '../gfp'
import { LRU_ACTIVE_ANON, LRU_INACTIVE_ANON, folioZonenum, updateLruSize, type Lruvec } from '../lruvec'
import {
  PG_ACTIVE,
  PG_LRU,
  PG_UNEVICTABLE,
  PG_WORKINGSET,
  clearFlag,
  hasFlag,
  listAddHead,
  listDel,
  listTail,
  mapcount,
  setFlag,
} from '../memmap'
import { clearFlagOfEach, listTakeTail } from '../memmap_batch'
import {
  MEMCG_STAT_PGDEACTIVATE,
  MEMCG_STAT_PGREFILL,
  MEMCG_STAT_PGSCAN_KSWAPD,
  MEMCG_STAT_PGSTEAL_KSWAPD,
  modMemcgState,
} from '../memcg_stat'
import { fetchMappings, folioReferenced } from '../rmap'
import { folioPutback, lruAddDrain, lruNoteCost } from '../swap'
import {
  NR_ISOLATED_ANON,
  PGDEACTIVATE,
  PGREFILL,
  PGSCAN_ANON,
  PGSCAN_KSWAPD,
  PGSKIP_DMA,
  PGSTEAL_ANON,
  PGSTEAL_KSWAPD,
  countVmEvents,
  modStat,
} from '../vmstat'
import { noteActive, noteBatch } from './reclaim_log'
import { SWAP_CLUSTER_MAX, cgroupReclaim, createReclaimStat, reclaimerOffset, type ScanControl } from './scan_control'
import { shrinkFolioList } from './shrink_folio_list'
import { reclaimThrottle, tooManyIsolated } from './throttle'

/** Pages that were passed over because their zone is too high; they go back to the head of the list. */
const SKIPPED_MAX: Pages = 1024

const taken = new Int32Array(SWAP_CLUSTER_MAX)
const skipped = new Int32Array(SKIPPED_MAX)
const stat = createReclaimStat()

/** Result of isolate(): one object, reused. */
const isolated = { taken: 0, pages: 0, scanned: 0, skipped: 0 }

/** Pages taken by zone since the counters were told; zero between two batches. */
const zoneTaken = new Int32Array(MAX_NR_ZONES)

/** @kernel  mm/vmscan.c update_lru_sizes() */
function updateLruSizes(state: KernelState, lruvec: Lruvec, lru: number): void {
  for (let zone = 0; zone < MAX_NR_ZONES; zone++) {
    if (zoneTaken[zone] === 0) continue
    updateLruSize(state, lruvec, lru, zone, -zoneTaken[zone]!)
    zoneTaken[zone] = 0
  }
}

/** No page of the list is in a zone that is too high for whoever wants memory, and mapped pages may be taken. */
function isAllEligible(sc: ScanControl, lruvec: Lruvec, lru: number): boolean {
  for (let zone = sc.reclaimIdx + 1; zone < MAX_NR_ZONES; zone++)
    if (lruvec.sizes[lru * MAX_NR_ZONES + zone] !== 0) return false
  return sc.mayUnmap
}

/** Takes up to `nr` single pages, whatever they are. @returns how many */
function takeEach(state: KernelState, lruvec: Lruvec, lru: number, nr: Pages): Pages {
  const m = state.memmap
  const count = listTakeTail(m, lruvec.lists, lru, taken, nr)
  clearFlagOfEach(m, taken, count, PG_LRU)
  fetchMappings(state, taken, count)
  for (let i = 0; i < count; i++) zoneTaken[folioZonenum(state, taken[i]!)]!++
  updateLruSizes(state, lruvec, lru)
  return count
}

/**
 * Takes up to `nr` pages from the tail into `taken`.
 * @kernel  mm/vmscan.c isolate_lru_folios()
 */
function isolate(state: KernelState, sc: ScanControl, lruvec: Lruvec, lru: number, nr: Pages): typeof isolated {
  const m = state.memmap
  let nrTaken = isAllEligible(sc, lruvec, lru) ? takeEach(state, lruvec, lru, nr) : 0
  let scan = nrTaken
  let nrSkipped = 0
  let pages = nrTaken
  for (let pfn: Pfn; scan < nr && nrSkipped < SKIPPED_MAX && (pfn = listTail(lruvec.lists, lru)) !== 0;) {
    const zone = folioZonenum(state, pfn)
    const size = folioNrPages(m, pfn)
    if (zone > sc.reclaimIdx) {
      listDel(m, lruvec.lists, lru, pfn)
      skipped[nrSkipped++] = pfn
      countVmEvents(state.vmstat, PGSKIP_DMA + zone, size)
      continue
    }
    scan += size
    if (!sc.mayUnmap && mapcount(m, pfn) > 0) {
      listDel(m, lruvec.lists, lru, pfn)
      listAddHead(m, lruvec.lists, lru, pfn)
      continue
    }
    listDel(m, lruvec.lists, lru, pfn)
    zoneTaken[zone]! += size
    clearFlag(m, pfn, PG_LRU)
    taken[nrTaken++] = pfn
    pages += size
  }
  updateLruSizes(state, lruvec, lru)
  for (let i = 0; i < nrSkipped; i++) listAddHead(m, lruvec.lists, lru, skipped[i]!)
  isolated.taken = nrTaken
  isolated.pages = pages
  isolated.scanned = scan
  isolated.skipped = nrSkipped
  if (isTracing()) {
    emit(state, 'mm_vmscan_lru_isolate', [sc.reclaimIdx, sc.order, nr, scan + nrSkipped, nrSkipped, pages, lru])
  }
  return isolated
}

/**
 * Moves pages from the tail of an active list to the head of the inactive one; executable file pages in use stay.
 * @param nr  at most SWAP_CLUSTER_MAX
 * @kernel  mm/vmscan.c shrink_active_list()
 */
export function shrinkActiveList(state: KernelState, sc: ScanControl, lruvec: Lruvec, lru: number, nr: Pages): void {
  const m = state.memmap
  const isFile = lru === LRU_ACTIVE_ANON ? 0 : 1
  lruAddDrain(state)
  const { taken: nrTaken, scanned } = isolate(state, sc, lruvec, lru, nr)
  if (!cgroupReclaim(sc)) countVmEvents(state.vmstat, PGREFILL, scanned)
  modMemcgState(state, lruvec.memcg, MEMCG_STAT_PGREFILL, scanned)
  let rotated = 0
  let deactivated = 0
  for (let i = 0; i < nrTaken; i++) {
    const pfn = taken[i]!
    const size = folioNrPages(m, pfn)
    if (!hasFlag(m, pfn, PG_UNEVICTABLE)) {
      const r = mapcount(m, pfn) > 0 ? folioReferenced(state, pfn) : undefined
      if (r !== undefined && r.exec && isFile === 1 && r.count > 0) rotated += size
      else {
        clearFlag(m, pfn, PG_ACTIVE)
        setFlag(m, pfn, PG_WORKINGSET)
        deactivated += size
      }
    }
    folioPutback(state, pfn)
  }
  countVmEvents(state.vmstat, PGDEACTIVATE, deactivated)
  modMemcgState(state, lruvec.memcg, MEMCG_STAT_PGDEACTIVATE, deactivated)
  noteActive(state, sc, lruvec, isFile, { deactivated, rotated })
  if (rotated > 0) lruNoteCost(state, lruvec, isFile, { nrIo: 0, nrRotated: rotated })
  charge(state, nrTaken * state.costs.scanPage)
  if (isTracing()) {
    emit(state, 'mm_vmscan_lru_shrink_active', [
      lruvec.nid,
      nrTaken,
      rotated,
      deactivated,
      rotated,
      sc.priority,
      isFile,
    ])
  }
}

/** Counters of the scan or the steal of one batch; a group's limit does not count in pgscan_direct. */
function countBatch(
  state: KernelState,
  sc: ScanControl,
  lruvec: Lruvec,
  nr: Pages,
  items: { readonly byReclaimer: number; readonly byType: number; readonly memcg: number },
): void {
  const offset = reclaimerOffset(sc)
  if (!cgroupReclaim(sc)) countVmEvents(state.vmstat, items.byReclaimer + offset, nr)
  modMemcgState(state, lruvec.memcg, items.memcg + offset, nr)
  countVmEvents(state.vmstat, items.byType, nr)
}

/** @kernel  __count_vm_events(PGSCAN_…) */
export const countScanned = (state: KernelState, sc: ScanControl, lruvec: Lruvec, isFile: number, nr: Pages): void =>
  countBatch(state, sc, lruvec, nr, {
    byReclaimer: PGSCAN_KSWAPD,
    byType: PGSCAN_ANON + isFile,
    memcg: MEMCG_STAT_PGSCAN_KSWAPD,
  })

/** @kernel  __count_vm_events(PGSTEAL_…) */
export const countStolen = (state: KernelState, sc: ScanControl, lruvec: Lruvec, isFile: number, nr: Pages): void =>
  countBatch(state, sc, lruvec, nr, {
    byReclaimer: PGSTEAL_KSWAPD,
    byType: PGSTEAL_ANON + isFile,
    memcg: MEMCG_STAT_PGSTEAL_KSWAPD,
  })

/**
 * One batch from the tail of an inactive list.
 * @param nr  at most SWAP_CLUSTER_MAX
 * @returns pages freed
 * @kernel  mm/vmscan.c shrink_inactive_list()
 */
export function shrinkInactiveList(state: KernelState, sc: ScanControl, lruvec: Lruvec, lru: number, nr: Pages): Pages {
  const isFile = lru === LRU_INACTIVE_ANON ? 0 : 1
  if (tooManyIsolated(state, lruvec.nid, isFile, sc)) {
    reclaimThrottle(state, lruvec.nid, 'ISOLATED')
    if (tooManyIsolated(state, lruvec.nid, isFile, sc)) return 0
  }
  lruAddDrain(state)
  const { taken: count, pages: nrTaken, scanned } = isolate(state, sc, lruvec, lru, nr)
  countScanned(state, sc, lruvec, isFile, scanned)
  if (nrTaken === 0) return 0
  const nodeStat = state.nodes[lruvec.nid]!.stat
  modStat(nodeStat, NR_ISOLATED_ANON + isFile, nrTaken)
  const batch = { list: taken, count, ignoreReferences: false }
  const reclaimed = shrinkFolioList(state, sc, lruvec.nid, batch, stat)
  for (let i = 0; i < stat.kept; i++) folioPutback(state, taken[i]!)
  modStat(nodeStat, NR_ISOLATED_ANON + isFile, -nrTaken)
  countStolen(state, sc, lruvec, isFile, reclaimed)
  noteBatch(state, sc, lruvec, isFile, { scanned, reclaimed, stat })
  lruNoteCost(state, lruvec, isFile, { nrIo: stat.pageout, nrRotated: scanned - reclaimed })
  if (stat.unqueuedDirty === nrTaken) wakeupFlusher(state)
  sc.nrDirty += stat.dirty
  sc.nrUnqueuedDirty += stat.unqueuedDirty
  sc.nrCongested += stat.congested
  sc.nrWriteback += stat.writeback
  sc.nrImmediate += stat.immediate
  sc.nrTaken += nrTaken
  if (isFile === 1) sc.nrFileTaken += nrTaken
  if (isTracing()) {
    const activated = stat.activateAnon + stat.activateFile
    const args = [lruvec.nid, scanned, reclaimed, stat.dirty, stat.writeback, activated, stat.refKeep, sc.priority]
    emit(state, 'mm_vmscan_lru_shrink_inactive', args)
  }
  return reclaimed
}
