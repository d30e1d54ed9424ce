/**
 * The migrate scanner: walks a zone upwards and takes pages that can move off their lists.
 * @kernel  mm/compaction.c isolate_migratepages(), isolate_migratepages_block()
 * @spec    08 §8.7 "Migrate scanner"
 */
import type { Pages, Pfn } from '../../util/units'
import { charge } from '../exec'
import type { KernelState } from '../state'
import { emit, isTracing } from '../trace'
import { freeBlockOrder, pageblockType } from './buddy'
import {
  isPageblockSkipped,
  pageblockEnd,
  pageblockStart,
  skipPageblock,
  zoneCompaction,
  type CompactControl,
} from './compaction_state'
import { GFP_BIT_FS, PAGEBLOCK_ORDER, gfpMigratetype } from './gfp'
import {
  PG_FILE,
  PG_HEAD,
  PG_HUGETLB,
  PG_UNEVICTABLE,
  createLists,
  hasFlag,
  listAddTail,
  listDel,
  listHead,
  pageOrder,
  pageZoneIndex,
} from './memmap'
import { isMigratable, isolateForMigration } from './migrate'
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
 * @kernel      mm/compaction.c isolate_migratepages()
 * @simplifies  no fast search for a nearly free pageblock
 */
export function isolateMigratepages(state: KernelState, zone: Zone, cc: CompactControl): void {
  for (let low = cc.migratePfn; pageblockEnd(low) <= cc.freePfn; low = cc.migratePfn) {
    const end = pageblockEnd(low)
    const start = pageblockStart(low)
    cc.migratePfn = end
    if (pageZoneIndex(state.memmap, low) !== zone.index) continue
    if (low === start && !cc.ignoreSkipHint && isPageblockSkipped(state, start)) continue
    if (!suitableMigrationSource(state, cc, start)) {
      updateCachedMigrate(state, zone, cc, end)
      continue
    }
    cc.migratePfn = isolateMigratepagesBlock(state, zone, cc, low)
    return
  }
  cc.migratePfn = Math.max(cc.migratePfn, pageblockStart(cc.freePfn))
}

/**
 * Not a huge page, and an asynchronous run looks only where its request would take pages.
 * @kernel mm/compaction.c suitable_migration_source(), pageblock_skip_persistent()
 */
const suitableMigrationSource = (state: KernelState, cc: CompactControl, start: Pfn): boolean =>
  !hasFlag(state.memmap, start, PG_HUGETLB | PG_HEAD) &&
  (cc.mode !== 'async' || cc.by !== 'direct' || pageblockType(state, start) === gfpMigratetype(cc.gfp))

/** @returns frame at which it stopped @kernel mm/compaction.c isolate_migratepages_block() */
function isolateMigratepagesBlock(state: KernelState, zone: Zone, cc: CompactControl, low: Pfn): Pfn {
  const end = pageblockEnd(low)
  let pfn = low
  let scanned = 0
  while (pfn < end) {
    scanned++
    const skip = pagesToPass(state, cc, pfn)
    if (skip > 0) {
      pfn += skip
      // Since 6.4 the frames of a block count, not the block.
      if (zone.series !== '6.1') scanned += skip - 1
      continue
    }
    isolateForMigration(state, pfn)
    listAddTail(state.memmap, migratepages, 0, pfn)
    isolated++
    pfn++
    if (isolated >= COMPACT_CLUSTER_MAX && !cc.finishPageblock) break
  }
  pfn = Math.min(pfn, end)
  cc.migrateScanned += scanned
  charge(state, scanned)
  countVmEvents(state.vmstat, COMPACT_ISOLATED, isolated)
  if (pfn === end && (isolated === 0 || cc.finishPageblock)) {
    if (!cc.ignoreSkipHint) skipPageblock(state, pageblockStart(low))
    updateCachedMigrate(state, zone, cc, pfn)
  }
  if (isTracing()) emit(state, 'mm_compaction_isolate_migratepages', [low, pfn, scanned, isolated])
  return pfn
}

/** Frames to go on by: 0 = this page can be taken, a free or huge block as a whole, else one page. */
function pagesToPass(state: KernelState, cc: CompactControl, pfn: Pfn): Pages {
  const order = freeBlockOrder(state, pfn)
  if (order >= 0) return 1 << order
  if (hasFlag(state.memmap, pfn, PG_HUGETLB | PG_HEAD)) return 1 << pageOrder(state.memmap, pfn)
  if (!isMigratable(state, pfn)) return 1
  if ((cc.gfp & GFP_BIT_FS) === 0 && hasFlag(state.memmap, pfn, PG_FILE)) return 1
  if (hasFlag(state.memmap, pfn, PG_UNEVICTABLE) && state.sysctl.compactUnevictableAllowed === 0) return 1
  return 0
}

/** @kernel mm/compaction.c update_cached_migrate() */
function updateCachedMigrate(state: KernelState, zone: Zone, cc: CompactControl, pfn: Pfn): void {
  if (cc.ignoreSkipHint) return
  const { cachedMigratePfn: cached } = zoneCompaction(state, zone)
  if (pfn > cached[0]) cached[0] = pfn
  if (cc.mode !== 'async' && pfn > cached[1]) cached[1] = pfn
}
