/**
 * The free scanner: finds free frames for pages to move into. It first asks the free lists for one high up, and only then
 * walks the zone downwards, pageblock by pageblock.
 * @kernel  mm/compaction.c isolate_freepages(), fast_isolate_freepages()
 * @spec    08 §8.7 "Free scanner"
 */
import type { Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { emit, isTracing } from '../trace'
import { freeBlockOrder, freeListTail, moveFreelistHead, pageblockType, prevFreeBlock } from './buddy'
import { isolateFreeBlock, isolateFreepagesBlock, lookAt, nrFreepages, takeFreepage } from './compaction_freepages'
import {
  PAGEBLOCK_PAGES,
  freelistScanLimit,
  isPageblockSkipped,
  pageblockEnd,
  pageblockStart,
  skipPageblock,
  zoneCompaction,
  type CompactControl,
} from './compaction_state'
import { MIGRATE_MOVABLE, PAGEBLOCK_ORDER } from './gfp'
import { pageZoneIndex } from './memmap'
import type { Zone } from './mmzone'
import { SWAP_CLUSTER_MAX } from './reclaim/scan_control'

/** Every how many frames the free scanner looks at least. @kernel COMPACT_CLUSTER_MAX */
const STRIDE_MAX: Pages = SWAP_CLUSTER_MAX

/**
 * A frame to move a page into.
 * @param wanted  pages still to be moved: the scanner takes that many at once
 * @returns 0 = the scanners met, or the zone is too low
 * @kernel  mm/compaction.c compaction_alloc_noprof()
 */
export function compactionAlloc(state: KernelState, zone: Zone, cc: CompactControl, wanted: Pages): Pfn {
  if (nrFreepages() === 0) isolateFreepages(state, zone, cc, wanted)
  return takeFreepage(state)
}

/**
 * From the second pageblock without free frames on only every second, fourth … frame is looked at.
 * @kernel  mm/compaction.c isolate_freepages()
 */
function isolateFreepages(state: KernelState, zone: Zone, cc: CompactControl, wanted: Pages): void {
  if (cc.order > 0) fastIsolateFreepages(state, zone, cc, wanted)
  if (nrFreepages() > 0) return
  const lowest = pageblockEnd(cc.migratePfn)
  let start = pageblockStart(cc.freePfn)
  let from = cc.freePfn
  let stride = cc.mode === 'async' ? STRIDE_MAX : 1
  for (; start >= lowest; start -= PAGEBLOCK_PAGES, from = start) {
    if (pageZoneIndex(state.memmap, start) !== zone.index || !suitableMigrationTarget(state, zone, cc, start)) continue
    if (!cc.ignoreSkipHint && isPageblockSkipped(state, start)) continue
    const end = Math.min(start + PAGEBLOCK_PAGES, zone.startPfn + zone.spanned)
    const before = nrFreepages()
    const next = isolateFreepagesBlock(state, zone, cc, lookAt(from, wanted, stride))
    if (next >= end) updatePageblockSkip(state, zone, start)
    if (nrFreepages() >= wanted) {
      from = next >= end ? start - PAGEBLOCK_PAGES : next
      break
    }
    // Stopped inside: the zone is too low to give more.
    if (next < end) {
      from = next
      break
    }
    stride = nrFreepages() > before ? 1 : Math.min(STRIDE_MAX, 2 * stride)
  }
  cc.freePfn = from
}

/** The whole pageblock was looked at. @kernel mm/compaction.c update_pageblock_skip() */
function updatePageblockSkip(state: KernelState, zone: Zone, start: Pfn): void {
  skipPageblock(state, start)
  const z = zoneCompaction(state, zone)
  z.cachedFreePfn = Math.min(z.cachedFreePfn, start - PAGEBLOCK_PAGES)
}

/**
 * Not a pageblock that is free enough already (since 6.9: for the request), and one for movable pages.
 * @kernel  mm/compaction.c suitable_migration_target()
 */
function suitableMigrationTarget(state: KernelState, zone: Zone, cc: CompactControl, start: Pfn): boolean {
  const enough = zone.series !== '6.1' && cc.order > 0 ? cc.order : PAGEBLOCK_ORDER
  if (freeBlockOrder(state, start) >= enough) return false
  return cc.ignoreBlockSuitable || pageblockType(state, start) === MIGRATE_MOVABLE
}

// ---------------------------------------------------------------- fast search

/** What one search of the free lists has found. */
interface FastSearch {
  limit: number
  scanned: number
  /** Start of the highest pageblock seen. */
  highest: Pfn
}
const search: FastSearch = { limit: 0, scanned: 0, highest: 0 }

/**
 * Looks at the ends of the movable free lists for a block in the upper quarter of what lies between the scanners, or in
 * the upper half if need be, and takes frames around it.
 * @kernel  mm/compaction.c fast_isolate_freepages()
 */
function fastIsolateFreepages(state: KernelState, zone: Zone, cc: CompactControl, wanted: Pages): void {
  const z = zoneCompaction(state, zone)
  const isStart = cc.freePfn >= z.initFreePfn
  search.limit = isStart ? PAGEBLOCK_PAGES >> 1 : Math.max(1, freelistScanLimit(cc) >> 1)
  search.scanned = 0
  search.highest = 0
  const distance = cc.freePfn - cc.migratePfn
  const low = pageblockStart(cc.freePfn - (distance >> 2))
  const min = pageblockStart(cc.freePfn - (distance >> 1))
  const before = nrFreepages()
  let at = searchOrders(state, zone, cc, { low, min, wanted })
  if (isTracing()) {
    const taken = nrFreepages() - before
    emit(state, 'mm_compaction_fast_isolate_freepages', [min, cc.freePfn, search.scanned, taken])
  }
  if (at === 0) {
    cc.fastSearchFail++
    if (isStart) at = startWithout(cc, zone, min)
  }
  if (search.highest > 0 && search.highest >= z.cachedFreePfn) z.cachedFreePfn = search.highest - PAGEBLOCK_PAGES
  cc.freeScanned += search.scanned
  if (at !== 0) fastIsolateAround(state, zone, cc, at, wanted)
}

/** No block was found at the first search: where to look instead; a direct compaction is pessimistic. */
function startWithout(cc: CompactControl, zone: Zone, min: Pfn): Pfn {
  if (search.highest >= min) return (cc.freePfn = search.highest)
  if (cc.by !== 'direct') return 0
  cc.freePfn = min
  return Math.max(min, zone.startPfn)
}

interface SearchRange {
  /** The preferred blocks lie at or above it, tolerable ones at or above `min`. */
  readonly low: Pfn
  readonly min: Pfn
  readonly wanted: Pages
}

/** Order by order, from the last lucky one downwards and around. @returns the block taken, 0 = none */
function searchOrders(state: KernelState, zone: Zone, cc: CompactControl, range: SearchRange): Pfn {
  cc.searchOrder = Math.min(cc.order - 1, cc.searchOrder)
  let taken = 0
  for (let order = cc.searchOrder; taken === 0 && order >= 0; order = nextSearchOrder(cc, order)) {
    if (zone.nrFree[order] === 0) continue
    const before = search.scanned
    const pfn = searchList(state, zone, cc, order, range)
    const looked = search.scanned - before
    if (pfn !== 0) {
      // Too low a zone to take from ends the search.
      if (!isolateFreeBlock(state, zone, pfn, order)) {
        nextSearchOrder(cc, cc.searchOrder + 1)
        break
      }
      search.scanned += (1 << order) - 1
      taken = pfn
    }
    if (nrFreepages() >= range.wanted) break
    if (looked >= search.limit) search.limit = Math.max(1, search.limit >> 1)
  }
  return taken
}

/** One list from its tail; it is turned so that the next search sees other blocks. @returns 0 = none */
function searchList(state: KernelState, zone: Zone, cc: CompactControl, order: number, range: SearchRange): Pfn {
  let high = 0
  let looked = 0
  let pfn = freeListTail(zone, order, MIGRATE_MOVABLE)
  for (; pfn !== 0; pfn = prevFreeBlock(state, pfn)) {
    looked++
    search.scanned++
    if (pfn >= search.highest) search.highest = Math.max(pageblockStart(pfn), zone.startPfn)
    if (pfn >= range.low) {
      cc.fastSearchFail = 0
      cc.searchOrder = order
      moveFreelistHead(state, zone, order, MIGRATE_MOVABLE, pfn)
      return pfn
    }
    if (pfn >= range.min && pfn > high) {
      high = pfn
      search.limit >>= 1
    }
    if (looked >= search.limit) break
  }
  const turnTo = high === 0 ? pfn : high
  if (turnTo !== 0) moveFreelistHead(state, zone, order, MIGRATE_MOVABLE, turnTo)
  return high
}

/** @returns −1 = all orders were searched @kernel mm/compaction.c next_search_order() */
function nextSearchOrder(cc: CompactControl, order: number): number {
  const next = order > 0 ? order - 1 : cc.order - 1
  if (next !== cc.searchOrder) return next
  cc.searchOrder = cc.searchOrder > 0 ? cc.searchOrder - 1 : cc.order - 1
  return -1
}

/**
 * The rest of the pageblock in which a block was found, unless the run shall be a quick one.
 * @kernel  mm/compaction.c fast_isolate_around()
 */
function fastIsolateAround(state: KernelState, zone: Zone, cc: CompactControl, at: Pfn, wanted: Pages): void {
  if (nrFreepages() >= wanted) return
  if (cc.by === 'direct' && cc.mode === 'async') return
  const start = Math.max(pageblockStart(at), zone.startPfn)
  const end = Math.min(pageblockEnd(at), zone.startPfn + zone.spanned)
  if (pageZoneIndex(state.memmap, start) !== zone.index) return
  const next = isolateFreepagesBlock(state, zone, cc, lookAt(start, wanted, 1))
  const isUsedUp = zone.series === '6.1' ? nrFreepages() < wanted : next >= end
  if (isUsedUp) skipPageblock(state, start)
}
