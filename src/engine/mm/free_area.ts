/**
 * Free memory as a view shows it: how many blocks each list holds, which ones come first, and the per-CPU lists in front
 * of them. Looks only, and walks no further than it is asked to.
 * @kernel  mm/vmstat.c pagetypeinfo_showfree_print(), zoneinfo_show_print()
 * @spec    02 §2.1, 01 §1.8
 */
import type { Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { freeListHead, nextFreeBlock } from './buddy'
import { MIGRATE_TYPES, NR_PAGE_ORDERS } from './gfp'
import type { Zone } from './mmzone'

/** Free blocks of a zone: row = migrate type, column = order. @kernel mm/vmstat.c pagetypeinfo_showfree_print() */
export function freeBlockCounts(zone: Zone): number[][] {
  const rows: number[][] = []
  for (let type = 0; type < MIGRATE_TYPES; type++) {
    const row: number[] = []
    for (let order = 0; order < NR_PAGE_ORDERS; order++) row.push(zone.nrFreeType[order * MIGRATE_TYPES + type]!)
    rows.push(row)
  }
  return rows
}

/**
 * First frames of the blocks at the head of one free list, in the order in which they will be taken.
 * @param max  how many at most
 * @model  no kernel file shows them
 */
export function firstFreeBlocks(
  state: KernelState,
  zone: Zone,
  list: { readonly order: number; readonly migratetype: number },
  max: number,
): Pfn[] {
  const pfns: Pfn[] = []
  let pfn = freeListHead(zone, list.order, list.migratetype)
  for (; pfn !== 0 && pfns.length < max; pfn = nextFreeBlock(state, pfn, list.order)) pfns.push(pfn)
  return pfns
}

/** One CPU's lists of a zone, pages. */
export interface PcpFigures {
  readonly count: Pages
  readonly high: Pages
  readonly highMin: Pages
  readonly highMax: Pages
  readonly batch: Pages
}

/** Index = CPU. @kernel mm/vmstat.c zoneinfo_show_print() "pagesets" */
export const pcpFigures = (zone: Zone): PcpFigures[] =>
  zone.pcp.map(({ count, high, highMin, highMax, batch }) => ({ count, high, highMin, highMax, batch }))
