/**
 * Forgetting which pageblocks are not worth a look, once the scanners of a direct compaction have met.
 * @kernel  mm/compaction.c __reset_isolation_suitable()
 * @spec    08 §8.7
 */
import type { Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { freeBlockOrder, pageblockType } from './buddy'
import {
  PAGEBLOCK_PAGES,
  isPageblockSkipped,
  pageblockEnd,
  pageblockStart,
  unskipPageblock,
  zoneCompaction,
} from './compaction_state'
import { MIGRATE_MOVABLE, PAGE_ALLOC_COSTLY_ORDER, PAGEBLOCK_ORDER } from './gfp'
import { PG_HEAD, PG_HUGETLB, PG_LRU, hasFlag, pageOrder, pageZoneIndex } from './memmap'
import type { Zone } from './mmzone'

/** A huge page fills it: nothing to take from it or to put into it. @kernel mm/compaction.c pageblock_skip_persistent() */
export function pageblockSkipPersistent(state: KernelState, pfn: Pfn): boolean {
  const start = pageblockStart(pfn)
  return hasFlag(state.memmap, start, PG_HUGETLB | PG_HEAD) && pageOrder(state.memmap, start) >= PAGEBLOCK_ORDER
}

/**
 * Walks from both ends: pageblocks with a page that could move, or with a free one, may be looked at again; the scanners
 * begin at the outermost of them.
 * @kernel  mm/compaction.c __reset_isolation_suitable()
 */
export function resetIsolationSuitable(state: KernelState, zone: Zone): void {
  const z = zoneCompaction(state, zone)
  if (!z.blockskipFlush) return
  z.blockskipFlush = false
  let up = zone.startPfn
  let down = zone.startPfn + zone.spanned - 1
  let migrate = down
  let free = up
  let isSourceSet = false
  let isTargetSet = false
  for (; up < down; up += PAGEBLOCK_PAGES, down -= PAGEBLOCK_PAGES) {
    if (resetIsolationPfn(state, zone, up, { source: true, target: isSourceSet }) && up < migrate) {
      isSourceSet = true
      migrate = up
      z.initMigratePfn = migrate
      z.cachedMigratePfn[0] = migrate
      z.cachedMigratePfn[1] = migrate
    }
    if (resetIsolationPfn(state, zone, down, { source: isTargetSet, target: true }) && down > free) {
      isTargetSet = true
      free = down
      z.initFreePfn = free
      z.cachedFreePfn = free
    }
  }
  if (migrate < free) return
  // No room between them.
  z.cachedMigratePfn[0] = up
  z.cachedMigratePfn[1] = up
  z.cachedFreePfn = down
}

interface ResetCheck {
  /** Pages that can move make it worth a look. */
  readonly source: boolean
  /** Free blocks do. */
  readonly target: boolean
}

/** @returns whether the pageblock is worth a look @kernel mm/compaction.c __reset_isolation_pfn() */
function resetIsolationPfn(state: KernelState, zone: Zone, pfn: Pfn, check: ResetCheck): boolean {
  if (pageZoneIndex(state.memmap, pfn) !== zone.index || pageblockSkipPersistent(state, pfn)) return false
  if (check.source && check.target && !isPageblockSkipped(state, pfn)) return true
  if (!check.source && pageblockType(state, pfn) !== MIGRATE_MOVABLE) return false
  const end = Math.min(pageblockEnd(pfn), zone.startPfn + zone.spanned)
  // A sample of frames decides.
  for (let at = Math.max(pageblockStart(pfn), zone.startPfn); at < end; at += 1 << PAGE_ALLOC_COSTLY_ORDER) {
    const isWorth =
      (check.source && hasFlag(state.memmap, at, PG_LRU)) || (check.target && freeBlockOrder(state, at) >= 0)
    if (!isWorth) continue
    unskipPageblock(state, pfn)
    return true
  }
  return false
}
