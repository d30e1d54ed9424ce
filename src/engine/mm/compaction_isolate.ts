/**
 * The migrate scanner: walks a zone upwards and takes pages that can move off their lists. For huge pages it first asks the
 * free lists for a pageblock that is partly free already.
 * @kernel  mm/compaction.c isolate_migratepages(), isolate_migratepages_block(), fast_find_migrateblock()
 * @spec    08 §8.7 "Migrate scanner"
 */
import type { Pages, Pfn } from '../../util/units'
import { charge } from '../exec'
import type { KernelState } from '../state'
import { emit, isTracing } from '../trace'
import { freeBlockOrder, freeListHead, moveFreelistTail, nextFreeBlock, pageblockType } from './buddy'
import { pageblockSkipPersistent } from './compaction_reset'
import {
  freelistScanLimit,
  isPageblockSkipped,
  pageblockEnd,
  pageblockStart,
  skipPageblock,
  zoneCompaction,
  type CompactControl,
} from './compaction_state'
import {
  GFP_BIT_FS,
  MAX_PAGE_ORDER,
  MIGRATE_MOVABLE,
  PAGE_ALLOC_COSTLY_ORDER,
  PAGEBLOCK_ORDER,
  gfpMigratetype,
} from './gfp'
import {
  PG_FILE,
  PG_HEAD,
  PG_HUGETLB,
  PG_UNEVICTABLE,
  createLists,
  hasFlag,
  listAddHead,
  listDel,
  listHead,
  pageOrder,
  pageZoneIndex,
} from './memmap'
import { isMigratable, isolateForMigration, putbackMovablePage } from './migrate'
import type { Zone } from './mmzone'
import { SWAP_CLUSTER_MAX } from './reclaim/scan_control'
import { COMPACT_ISOLATED, countVmEvents } from './vmstat'

/** @kernel COMPACT_CLUSTER_MAX */
const COMPACT_CLUSTER_MAX: Pages = SWAP_CLUSTER_MAX

/** Pages taken and not moved yet. They never outlive a turn of the loop. @kernel struct compact_control migratepages */
const migratepages = createLists(1)
let isolated: Pages = 0

/** Pages that wait to be moved. @kernel cc->nr_migratepages */
export const nrMigratepages = (): Pages => isolated

/** Takes the first waiting page off the list; 0 = none. */
export function nextMigratepage(state: KernelState): Pfn {
  const pfn = listHead(migratepages, 0)
  if (pfn === 0) return 0
  listDel(state.memmap, migratepages, 0, pfn)
  isolated--
  return pfn
}

/** The two scanners are in the same pageblock, or past each other. @kernel mm/compaction.c compact_scanners_met() */
export const scannersMet = (cc: CompactControl): boolean =>
  cc.freePfn >> PAGEBLOCK_ORDER <= cc.migratePfn >> PAGEBLOCK_ORDER

/**
 * Takes pages from the next pageblock that has any.
 * @kernel  mm/compaction.c isolate_migratepages()
 */
export function isolateMigratepages(state: KernelState, zone: Zone, cc: CompactControl): void {
  let low = fastFindMigrateblock(state, zone, cc)
  let isFound = low !== cc.migratePfn && cc.fastSearchFail === 0
  for (; pageblockEnd(low) <= cc.freePfn; low = cc.migratePfn, isFound = false) {
    const end = pageblockEnd(low)
    const start = pageblockStart(low)
    cc.migratePfn = end
    if (pageZoneIndex(state.memmap, low) !== zone.index) continue
    const isStart = low === start || low === zone.startPfn
    if (isStart && !isFound && !cc.ignoreSkipHint && isPageblockSkipped(state, start)) continue
    if (!suitableMigrationSource(state, cc, start)) {
      updateCachedMigrate(state, zone, cc, end)
      continue
    }
    cc.migratePfn = isolateMigratepagesBlock(state, zone, cc, low)
    return
  }
}

/**
 * Not a huge page, and an asynchronous run looks only where its request would take pages.
 * @kernel mm/compaction.c suitable_migration_source()
 */
const suitableMigrationSource = (state: KernelState, cc: CompactControl, start: Pfn): boolean =>
  !pageblockSkipPersistent(state, start) &&
  (cc.mode !== 'async' || cc.by !== 'direct' || pageblockType(state, start) === gfpMigratetype(cc.gfp))

/**
 * The first page taken marks its pageblock as not worth a look by others (6.1: only if it is the pageblock's first). A
 * request's own asynchronous run leaves a block of its order alone once it meets a page there that cannot move: a kernel
 * page, or a free one that lies on a CPU's list.
 * @returns frame at which it stopped
 * @kernel  mm/compaction.c isolate_migratepages_block(), test_and_set_skip()
 */
function isolateMigratepagesBlock(state: KernelState, zone: Zone, cc: CompactControl, low: Pfn): Pfn {
  const end = pageblockEnd(low)
  const start = pageblockStart(low)
  const isStart = low === start || (low === zone.startPfn && zone.series !== '6.1')
  // 6.1 marks what its search of the free lists finds, and so does not look at it.
  const isMarked = isStart && !cc.ignoreSkipHint && isPageblockSkipped(state, start)
  const skipsOnFailure = cc.by === 'direct' && cc.mode === 'async'
  let next = skipsOnFailure ? orderEnd(low, cc.order) : Infinity
  let pfn = isMarked ? end : low
  let scanned = 0
  while (pfn < end) {
    if (pfn >= next) {
      if (isolated > 0) break
      next = orderEnd(pfn, cc.order)
    }
    scanned++
    const free = freeBlockOrder(state, pfn)
    const skip = free >= 0 ? 1 << free : pagesToPass(state, cc, pfn)
    if (skip > 0) {
      pfn += skip
      // Since 6.4 the frames of a block count, not the block.
      if (zone.series !== '6.1') scanned += skip - 1
      if (free >= 0 || !skipsOnFailure) continue
      putbackAll(state)
      pfn = Math.max(pfn, next)
      continue
    }
    if (isolated === 0 && !cc.ignoreSkipHint && (zone.series === '6.1' ? pfn === start : isStart))
      skipPageblock(state, start)
    isolateForMigration(state, pfn)
    listAddHead(state.memmap, migratepages, 0, pfn)
    isolated++
    pfn++
    if (isolated >= COMPACT_CLUSTER_MAX && !cc.finishPageblock) break
  }
  pfn = Math.min(pfn, end)
  cc.migrateScanned += scanned
  charge(state, scanned)
  countVmEvents(state.vmstat, COMPACT_ISOLATED, isolated)
  if (pfn === end && (isolated === 0 || cc.finishPageblock)) {
    if (isolated === 0 && isStart) skipPageblock(state, start)
    updateCachedMigrate(state, zone, cc, pfn)
  }
  if (isTracing()) emit(state, 'mm_compaction_isolate_migratepages', [low, pfn, scanned, isolated])
  return pfn
}

/** End of the block of this order in which the frame lies; without an order there are no such blocks. */
const orderEnd = (pfn: Pfn, order: number): Pfn => ((pfn >> order) + 1) << order

/** They stay: the block that they are in cannot become free. */
function putbackAll(state: KernelState): void {
  for (let pfn = nextMigratepage(state); pfn !== 0; pfn = nextMigratepage(state)) putbackMovablePage(state, pfn)
}

/** Frames to go on by: 0 = this page can be taken, a huge one as a whole, else one page. */
function pagesToPass(state: KernelState, cc: CompactControl, pfn: Pfn): Pages {
  if (hasFlag(state.memmap, pfn, PG_HUGETLB | PG_HEAD)) return 1 << pageOrder(state.memmap, pfn)
  if (!isMigratable(state, pfn)) return 1
  if ((cc.gfp & GFP_BIT_FS) === 0 && hasFlag(state.memmap, pfn, PG_FILE)) return 1
  if (hasFlag(state.memmap, pfn, PG_UNEVICTABLE) && state.sysctl.compactUnevictableAllowed === 0) return 1
  return 0
}

/** @kernel mm/compaction.c update_cached_migrate() */
function updateCachedMigrate(state: KernelState, zone: Zone, cc: CompactControl, pfn: Pfn): void {
  const { cachedMigratePfn: cached } = zoneCompaction(state, zone)
  if (pfn > cached[0]) cached[0] = pfn
  if (cc.mode !== 'async' && pfn > cached[1]) cached[1] = pfn
}

// ---------------------------------------------------------------- fast search

/**
 * A pageblock with a large free block in the first half of what lies between the scanners (later in the first eighth): few
 * pages need to move for it to become free. Only for requests that want more than 8 pages at once, and not for kernel
 * memory, which would take a movable pageblock away.
 * @returns where to take pages; the scanner's own position when there is no such pageblock
 * @kernel  mm/compaction.c fast_find_migrateblock()
 */
function fastFindMigrateblock(state: KernelState, zone: Zone, cc: CompactControl): Pfn {
  const pfn = cc.migratePfn
  if (cc.ignoreSkipHint || (cc.finishPageblock && zone.series !== '6.1')) return pfn
  if (pfn !== zone.startPfn && pfn !== pageblockStart(pfn)) return pfn
  if (cc.order <= PAGE_ALLOC_COSTLY_ORDER) return pfn
  if (cc.by === 'direct' && gfpMigratetype(cc.gfp) !== MIGRATE_MOVABLE) return pfn
  const half = (cc.freePfn - pfn) >> 1
  const found = searchPartlyFree(state, zone, cc, pageblockStart(pfn + (pfn === zone.startPfn ? half : half >> 2)))
  if (found !== 0) {
    if (cc.fastStartPfn !== -1) cc.fastStartPfn = cc.fastStartPfn === 0 ? found : Math.min(cc.fastStartPfn, found)
    cc.fastSearchFail = 0
    return Math.max(pageblockStart(found), zone.startPfn)
  }
  cc.fastSearchFail++
  return reinitMigratePfn(cc)
}

/** The walk begins at the lowest pageblock that the searches have found, once. @kernel reinit_migrate_pfn() */
function reinitMigratePfn(cc: CompactControl): Pfn {
  if (cc.fastStartPfn > 0) {
    cc.migratePfn = cc.fastStartPfn
    cc.fastStartPfn = -1
  }
  return cc.migratePfn
}

/** The first free block below `high` whose pageblock nobody has tried; large ones first. @returns 0 = none */
function searchPartlyFree(state: KernelState, zone: Zone, cc: CompactControl, high: Pfn): Pfn {
  const limit = freelistScanLimit(cc)
  let scanned = 0
  let found = 0
  for (let order = Math.min(cc.order, MAX_PAGE_ORDER) - 1; order >= PAGE_ALLOC_COSTLY_ORDER; order--) {
    if (found !== 0 || scanned >= limit) break
    if (zone.nrFree[order] === 0) continue
    for (let pfn = freeListHead(zone, order, MIGRATE_MOVABLE); pfn !== 0; pfn = nextFreeBlock(state, pfn, order)) {
      const isEnough = scanned++ >= limit
      if (!isEnough && (pfn >= high || isPageblockSkipped(state, pfn))) continue
      moveFreelistTail(state, zone, order, MIGRATE_MOVABLE, pfn)
      if (!isEnough) found = pfn
      break
    }
  }
  if (found !== 0 && zone.series === '6.1') skipPageblock(state, found)
  cc.migrateScanned += scanned
  return found
}
