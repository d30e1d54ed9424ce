/**
 * Pages of 1 GiB: no free list holds them, so that a whole aligned range has to be free at once.
 * @kernel  mm/hugetlb.c alloc_gigantic_folio(), mm/page_alloc.c alloc_contig_pages()
 * @spec    08 §8.5
 */
import type { Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { delFromFreeList, freeBlockOrder, freeBlockType, accountFreePages } from './buddy'
import { MAX_PAGE_ORDER } from './gfp'
import { GIGANTIC_ORDER } from './hugetlb_pool'
import { pageZoneIndex } from './memmap'
import type { Zone } from './mmzone'

const GIGANTIC_PAGES: Pages = 2 ** GIGANTIC_ORDER
const STEP: Pages = 2 ** MAX_PAGE_ORDER

/** The first frame in the range that begins no free block, −1 = all are free. */
function firstTaken(state: KernelState, start: Pfn): Pfn {
  for (let pfn = start; pfn < start + GIGANTIC_PAGES;) {
    const order = freeBlockOrder(state, pfn)
    if (order < 0) return pfn
    pfn += 2 ** order
  }
  return -1
}

/** Every free block of the range leaves its list. @kernel mm/page_alloc.c __isolate_free_page() */
function takeRange(state: KernelState, zone: Zone, start: Pfn): void {
  for (let pfn = start; pfn < start + GIGANTIC_PAGES;) {
    const order = freeBlockOrder(state, pfn)
    const type = freeBlockType(state, pfn, order)
    delFromFreeList(state, zone, pfn, order)
    accountFreePages(zone, type, -(2 ** order))
    pfn += 2 ** order
  }
}

/**
 * An aligned GiB of one zone of the node, from the lowest one up.
 * @returns first frame; 0 = there is none
 * @kernel      mm/page_alloc.c alloc_contig_pages(), pfn_range_valid_contig()
 * @simplifies  only ranges that are free as they are: the kernel also moves movable pages out of the way
 */
export function allocGigantic(state: KernelState, nid: number): Pfn {
  for (const zone of state.zones) {
    if (zone.nid !== nid || zone.present === 0) continue
    const end = zone.startPfn + zone.spanned
    for (let start = Math.ceil(zone.startPfn / GIGANTIC_PAGES) * GIGANTIC_PAGES; start + GIGANTIC_PAGES <= end;) {
      if (isOneZone(state, zone, start) && firstTaken(state, start) < 0) {
        takeRange(state, zone, start)
        return start
      }
      start += GIGANTIC_PAGES
    }
  }
  return 0
}

/** No hole and no other zone inside. */
function isOneZone(state: KernelState, zone: Zone, start: Pfn): boolean {
  for (let pfn = start; pfn < start + GIGANTIC_PAGES; pfn += STEP) {
    if (pageZoneIndex(state.memmap, pfn) !== zone.index) return false
  }
  return true
}
