/**
 * Large folios: 2^order frames that are one anonymous page to the LRU lists, to reclaim and to the memory controller, but
 * that page tables may map whole (by a PMD) or frame by frame (by PTEs).
 *
 * The head's row is the folio's: flags, charge, links, and in `mapcount` all mappings, those of the tails included. A
 * tail's row holds the frame's own PTEs (`mapcount`, `rmap`), PG_ANON_EXCLUSIVE, and in `mapping` the head. What does not
 * fit the head's row is kept in the first tails, as in the kernel, in their unused `index`:
 * tail 1: mappings of the whole; tail 2: PTEs of the head frame; tail 3: frames that some PTE maps. Tail 2 is also what
 * links the folio into the deferred split queue.
 * @kernel  include/linux/mm_types.h struct folio, mm/page_alloc.c prep_compound_page()
 * @spec    08 §8.6
 */
import type { Pages, Pfn } from '../../util/units'
import {
  PG_ANON_EXCLUSIVE,
  PG_HEAD,
  PG_TAIL,
  addMapcount,
  clearFlag,
  hasFlag,
  mapcount,
  pageIndex,
  pageMapping,
  pageOrder,
  setFlag,
  setFlags,
  setPageMapping,
  setPageOrder,
  type MemMap,
} from './memmap'

/** Flags of a frame that is part of a large folio. */
export const PG_LARGE = PG_HEAD | PG_TAIL

/** First frame of the folio that an anonymous frame belongs to. @kernel include/linux/page-flags.h compound_head() */
export const compoundHead = (m: MemMap, pfn: Pfn): Pfn => (hasFlag(m, pfn, PG_TAIL) ? pageMapping(m, pfn) : pfn)

/** @kernel include/linux/page-flags.h folio_test_large() */
export const isLargeFolio = (m: MemMap, head: Pfn): boolean => hasFlag(m, head, PG_HEAD)

/** @kernel include/linux/mm.h folio_nr_pages() */
export const folioNrPages = (m: MemMap, head: Pfn): Pages => (hasFlag(m, head, PG_HEAD) ? 1 << pageOrder(m, head) : 1)

/** @kernel include/linux/mm.h folio_order() */
export const folioOrder = (m: MemMap, head: Pfn): number => (hasFlag(m, head, PG_HEAD) ? pageOrder(m, head) : 0)

/** A block of the allocator becomes one folio. @kernel mm/page_alloc.c prep_compound_page() */
export function prepLargeFolio(m: MemMap, head: Pfn, order: number): void {
  setFlag(m, head, PG_HEAD)
  setPageOrder(m, head, order)
  for (let pfn = head + 1; pfn < head + (1 << order); pfn++) {
    setFlags(m, pfn, PG_TAIL)
    setPageMapping(m, pfn, head, 0)
  }
}

/** The frames are on their own from now on: only their PTEs and what says who may write them stay. */
export function dissolveLargeFolio(m: MemMap, head: Pfn): void {
  const own = pteMapcount(m, head)
  const nr = folioNrPages(m, head)
  clearFlag(m, head, PG_HEAD)
  setPageOrder(m, head, 0)
  addMapcount(m, head, own - mapcount(m, head))
  for (let pfn = head + 1; pfn < head + nr; pfn++) {
    setPageMapping(m, pfn, 0, 0)
    clearFlag(m, pfn, ~PG_ANON_EXCLUSIVE)
  }
}

const addIndex = (m: MemMap, pfn: Pfn, delta: number): number => {
  const value = pageIndex(m, pfn) + delta
  setPageMapping(m, pfn, pageMapping(m, pfn), value)
  return value
}

/** Mappings of the whole folio. @kernel folio_entire_mapcount() */
export const entireMapcount = (m: MemMap, head: Pfn): number => pageIndex(m, head + 1)
export const addEntireMapcount = (m: MemMap, head: Pfn, delta: number): number => {
  addMapcount(m, head, delta)
  return addIndex(m, head + 1, delta)
}

/** PTEs that map one frame of a large folio. @kernel page->_mapcount */
export const pteMapcount = (m: MemMap, pfn: Pfn): number =>
  hasFlag(m, pfn, PG_TAIL) ? mapcount(m, pfn) : pageIndex(m, pfn + 2)
export function addPteMapcount(m: MemMap, pfn: Pfn, delta: number): number {
  addMapcount(m, compoundHead(m, pfn), delta)
  return hasFlag(m, pfn, PG_TAIL) ? addMapcount(m, pfn, delta) : addIndex(m, pfn + 2, delta)
}

/** Entries of page tables that map the frame, by itself or with the whole folio. @kernel folio_precise_page_mapcount() */
export function pageMapcount(m: MemMap, pfn: Pfn): number {
  if (!hasFlag(m, pfn, PG_LARGE)) return mapcount(m, pfn)
  return pteMapcount(m, pfn) + entireMapcount(m, compoundHead(m, pfn))
}

/** Frames that some PTE maps. @kernel folio->_nr_pages_mapped */
export const nrPagesMapped = (m: MemMap, head: Pfn): Pages => pageIndex(m, head + 3)
export const addNrPagesMapped = (m: MemMap, head: Pfn, delta: number): Pages => addIndex(m, head + 3, delta)

/** The tail whose links chain folios that wait to be split. @kernel folio->_deferred_list */
export const deferredLink = (head: Pfn): Pfn => head + 2
