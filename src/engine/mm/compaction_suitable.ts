/**
 * Whether compaction could help a request: is there enough memory at all, and is it fragmented?
 * @kernel  mm/compaction.c compaction_suitable(), compaction_suit_allocation_order(), compaction_zonelist_suitable()
 * @spec    08 §8.7 "Suitable", E9; 02 §2.9
 */
import type { Pages } from '../../util/units'
import type { KernelState } from '../state'
import { emit, isTracing } from '../trace'
import { fragmentationIndex } from './fragmentation'
import { PAGE_ALLOC_COSTLY_ORDER } from './gfp'
import {
  ALLOC_CMA,
  ALLOC_WMARK_MASK,
  WMARK_LOW,
  WMARK_MIN,
  wmark,
  zoneFreePages,
  zoneReclaimablePages,
  zoneWatermarkOk,
  zoneWatermarkOkFor,
  type Zone,
} from './mmzone'
import { compactGap } from './reclaim/scan_control'

/** How a run over a zone ended, in the kernel's order: of several zones the largest counts. @kernel enum compact_result */
export const COMPACT_NOT_SUITABLE_ZONE = 0
export const COMPACT_SKIPPED = 1
export const COMPACT_DEFERRED = 2
export const COMPACT_NO_SUITABLE_PAGE = 3
export const COMPACT_CONTINUE = 4
export const COMPACT_COMPLETE = 5
export const COMPACT_PARTIAL_SKIPPED = 6
export const COMPACT_CONTENDED = 7
export const COMPACT_SUCCESS = 8

/** By number, as tracepoints print them. @kernel include/trace/events/compaction.h COMPACTION_STATUS */
export const COMPACTION_STATUS = [
  'not_suitable_zone',
  'skipped',
  'deferred',
  'no_suitable_page',
  'continue',
  'complete',
  'partial_skipped',
  'contended',
  'success',
] as const

/**
 * Enough order-0 pages above the mark to move pages about and make one block.
 * @param freePages  of the zone, or imagined
 * @kernel  mm/compaction.c __compaction_suitable()
 * @spec    08 §8.7, E9
 */
export function hasPagesToCompact(zone: Zone, order: number, highestZoneidx: number, freePages: Pages): boolean {
  const mark = wmark(zone, order > PAGE_ALLOC_COSTLY_ORDER ? WMARK_LOW : WMARK_MIN) + compactGap(order)
  return zoneWatermarkOkFor(zone, 0, mark, highestZoneidx, ALLOC_CMA, freePages)
}

/**
 * Enough memory, and for costly orders fragmentation rather than shortage is what is wrong.
 * @kernel  mm/compaction.c compaction_suitable()
 */
export function compactionSuitable(state: KernelState, zone: Zone, order: number, highestZoneidx: number): boolean {
  let result = COMPACT_SKIPPED
  if (hasPagesToCompact(zone, order, highestZoneidx, zoneFreePages(zone))) {
    result = COMPACT_CONTINUE
    const index = order > PAGE_ALLOC_COSTLY_ORDER ? fragmentationIndex(zone.nrFree, order) : -1
    if (index >= 0 && index <= state.sysctl.extfragThreshold) result = COMPACT_NOT_SUITABLE_ZONE
  }
  if (isTracing()) emit(state, 'mm_compaction_suitable', [zone.nid, zone.idx, order, result])
  return result === COMPACT_CONTINUE
}

/**
 * @returns COMPACT_SUCCESS nothing to do, COMPACT_SKIPPED cannot help, COMPACT_CONTINUE try
 * @kernel  mm/compaction.c compaction_suit_allocation_order()
 */
export function compactionSuitAllocationOrder(
  state: KernelState,
  zone: Zone,
  order: number,
  highestZoneidx: number,
  allocFlags: number,
): number {
  const mark = wmark(zone, allocFlags & ALLOC_WMARK_MASK)
  if (zoneWatermarkOk(zone, order, mark, highestZoneidx, allocFlags)) return COMPACT_SUCCESS
  return compactionSuitable(state, zone, order, highestZoneidx) ? COMPACT_CONTINUE : COMPACT_SKIPPED
}

/**
 * Whether reclaiming everything could make compaction possible somewhere.
 * @kernel  mm/compaction.c compaction_zonelist_suitable()
 * @spec    02 §2.7 should_compact_retry
 */
export function compactionZonelistSuitable(
  state: KernelState,
  zonelist: readonly number[],
  order: number,
  highestZoneidx: number,
): boolean {
  return zonelist.some((index) => {
    const zone = state.zones[index]!
    if (zone.idx > highestZoneidx) return false
    const available = Math.floor(zoneReclaimablePages(state, zone) / order) + zoneFreePages(zone)
    return hasPagesToCompact(zone, order, highestZoneidx, available)
  })
}
