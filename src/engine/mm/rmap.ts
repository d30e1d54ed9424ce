/**
 * Reverse map: which page-table entries map a frame, and what is counted when one comes or goes.
 * @kernel  mm/rmap.c
 * @spec    04 §4.7, 05 §5.4
 */
import { AssertionError } from '../../util/assert'
import type { Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { PG_LARGE, folioNrPages } from './folio'
import { countPmdMapped, countPmdUnmapped, countPteMapped, countPteUnmapped } from './large_rmap'
import {
  PG_ANON,
  PG_DIRTY,
  PG_HEAD,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_TAIL,
  addMapcount,
  hasFlag,
  mapcount,
  pageFlags,
  pageMapping,
  pageMemcg,
  pageRmap,
  pageZoneIndex,
  setFlag,
} from './memmap'
import { fetchRows } from './memmap_batch'
import { MEMCG_ANON, MEMCG_FILE_MAPPED } from './memcg_stat'
import { modMemcgState } from './memcontrol'
import {
  MM_ANONPAGES,
  MM_FILEPAGES,
  MM_SHMEMPAGES,
  MM_SWAPENTS,
  VM_EXEC,
  VM_LOCKED,
  VM_RAND_READ,
  VM_SEQ_READ,
} from './mm_types'
import {
  PTE_ACCESSED,
  PTE_DIRTY,
  isPresent,
  makeSwapPte,
  mmOfSlot,
  pteAt,
  ptePfn,
  setPte,
  tableOfSlot,
  vpnOfSlot,
} from './pgtable'
import { addMapping, forEachMapping, removeMappingOf } from './rmap_chain'
import { addMmCounter, mmAt, updateHiwaterRss } from './rss'
import { swapDuplicate } from './swapfile'
import { flushTlbPage, flushUnmapped } from './tlb_flush'
import { findVma } from './vma_find'
import { NR_ANON_PAGES, NR_MAPPED, modStat } from './vmstat'

const nidOf = (state: KernelState, pfn: Pfn): number => state.zones[pageZoneIndex(state.memmap, pfn)]!.nid

/** Which RSS counter a mapped frame belongs to; tails are of large folios, which are anonymous. @kernel mm_counter() */
export function rssCounter(flags: number): number {
  if (flags & (PG_ANON | PG_TAIL)) return MM_ANONPAGES
  return flags & PG_SWAPBACKED ? MM_SHMEMPAGES : MM_FILEPAGES
}

/** Pages of the kernel image, such as the vdso's, are charged to nobody. @kernel __lruvec_stat_mod_folio() */
function countInGroup(state: KernelState, pfn: Pfn, item: number, delta: number, nid: number): void {
  const memcg = pageMemcg(state.memmap, pfn)
  if (memcg !== 0) modMemcgState(state, memcg, item, delta, nid)
}

/** A page-table entry now maps the page. @kernel folio_add_new_anon_rmap(), folio_add_file_rmap_pte() */
export function pageAddRmap(state: KernelState, pfn: Pfn, slot: number): void {
  addMapping(state, pfn, slot)
  const flags = pageFlags(state.memmap, pfn)
  if ((flags & PG_LARGE) !== 0) return countPteMapped(state, pfn)
  if (addMapcount(state.memmap, pfn, 1) !== 1) return
  const isAnon = (flags & PG_ANON) !== 0
  const nid = nidOf(state, pfn)
  modStat(state.nodes[nid]!.stat, isAnon ? NR_ANON_PAGES : NR_MAPPED, 1)
  countInGroup(state, pfn, isAnon ? MEMCG_ANON : MEMCG_FILE_MAPPED, 1, nid)
}

/** @kernel folio_remove_rmap_pte() */
export function pageRemoveRmap(state: KernelState, pfn: Pfn, slot: number): void {
  removeMappingOf(state, pfn, slot)
  const flags = pageFlags(state.memmap, pfn)
  if ((flags & PG_LARGE) !== 0) return countPteUnmapped(state, pfn)
  if (addMapcount(state.memmap, pfn, -1) !== 0) return
  const isAnon = (flags & PG_ANON) !== 0
  const nid = nidOf(state, pfn)
  modStat(state.nodes[nid]!.stat, isAnon ? NR_ANON_PAGES : NR_MAPPED, -1)
  countInGroup(state, pfn, isAnon ? MEMCG_ANON : MEMCG_FILE_MAPPED, -1, nid)
}

/** The entry that maps a page has moved. @kernel mm/mremap.c move_ptes(); the anon_vma's offsets stay */
export function pageMoveRmap(state: KernelState, pfn: Pfn, from: number, to: number): void {
  removeMappingOf(state, pfn, from)
  addMapping(state, pfn, to)
}

/** A PMD maps the whole of a large folio. @kernel folio_add_anon_rmap_pmd() */
export function folioAddRmapPmd(state: KernelState, head: Pfn, slot: number): void {
  addMapping(state, head, slot)
  countPmdMapped(state, head)
}

/** @kernel folio_remove_rmap_pmd() */
export function folioRemoveRmapPmd(state: KernelState, head: Pfn, slot: number): void {
  removeMappingOf(state, head, slot)
  countPmdUnmapped(state, head)
}

/** Calls `visit` for every entry that maps some of the folio's frames. @kernel rmap_walk() */
export function forEachFolioMapping(state: KernelState, head: Pfn, visit: (slot: number) => void): void {
  const nr = folioNrPages(state.memmap, head)
  for (let pfn = head; pfn < head + nr; pfn++) forEachMapping(state, pfn, visit)
}

/** A cut-off page of a file leaves every address space, locked mappings too. @kernel mm/memory.c unmap_mapping_folio() */
export function unmapFilePage(state: KernelState, pfn: Pfn): void {
  forEachMapping(state, pfn, (slot) => {
    const mm = mmOfSlot(state.pgtables, slot)
    addMmCounter(state, mm, rssCounter(pageFlags(state.memmap, pfn)), -1)
    pageRemoveRmap(state, pfn, slot)
    setPte(state.pgtables, slot, 0)
    flushTlbPage(state, mm, slot)
  })
}

/** Result of folioReferenced(): reused, copy what must last. */
export interface ReferencedResult {
  /** PTEs whose accessed bit was set. */
  count: number
  /** One of them maps executable file memory. */
  exec: boolean
  /** One of them is in a locked mapping. */
  locked: boolean
}
const referenced: ReferencedResult = { count: 0, exec: false, locked: false }

function testOneYoung(state: KernelState, slot: number): void {
  const t = state.pgtables
  const vma = findVma(mmAt(state, mmOfSlot(t, slot)), vpnOfSlot(t, slot))
  if (vma !== undefined && (vma.flags & VM_LOCKED) !== 0) {
    referenced.locked = true
    return
  }
  const pte = pteAt(t, slot)
  if ((pte & PTE_ACCESSED) === 0) return
  setPte(t, slot, pte & ~PTE_ACCESSED)
  if (vma !== undefined && (vma.flags & (VM_SEQ_READ | VM_RAND_READ)) !== 0) return
  referenced.count++
  if (vma !== undefined && (vma.flags & VM_EXEC) !== 0) referenced.exec = true
}

/** What was seen by fetchMappings(): a place for it alone, see there. */
const fetched = new Int32Array(1)

/**
 * Asks for the rows of pages and for the entries that map them, before they are looked at one by one: a shuffled list is
 * scanned 1.25 times as fast. What they hold is put somewhere, because the compiler drops loads that nobody uses.
 * @kernel  mm/vmscan.c prefetchw_prev_lru_folio()
 */
export function fetchMappings(state: KernelState, pfns: Int32Array, count: number): void {
  let seen = fetchRows(state.memmap, pfns, count)
  for (let i = 0; i < count; i++) {
    const head = pageRmap(state.memmap, pfns[i]!)
    if (head > 0) seen ^= pteAt(state.pgtables, head - 1)
  }
  fetched[0] = seen
}

/** Tests and clears the accessed bits of all mappings. @kernel mm/rmap.c folio_referenced() */
export function folioReferenced(state: KernelState, pfn: Pfn): ReferencedResult {
  referenced.count = 0
  referenced.exec = false
  referenced.locked = false
  const head = pageRmap(state.memmap, pfn)
  if (hasFlag(state.memmap, pfn, PG_HEAD)) forEachFolioMapping(state, pfn, (slot) => testOneYoung(state, slot))
  else if (head > 0) testOneYoung(state, head - 1)
  else if (head < 0) forEachMapping(state, pfn, (slot) => testOneYoung(state, slot))
  return referenced
}

/**
 * Takes the page out of every address space: swap entries for anonymous pages in the swap cache, nothing for file pages.
 * @returns false when it is still mapped (a locked mapping)
 * @kernel  mm/rmap.c try_to_unmap()
 */
export function tryToUnmap(state: KernelState, pfn: Pfn): boolean {
  if (pageRmap(state.memmap, pfn) > 0) unmapOne(state, pfn, pageRmap(state.memmap, pfn) - 1)
  else forEachMapping(state, pfn, (slot) => unmapOne(state, pfn, slot))
  return mapcount(state.memmap, pfn) === 0
}

const isLazyfree = (flags: number): boolean => (flags & PG_ANON) !== 0 && (flags & (PG_SWAPBACKED | PG_SWAPCACHE)) === 0

function unmapOne(state: KernelState, pfn: Pfn, slot: number): void {
  const t = state.pgtables
  const mmIndex = mmOfSlot(t, slot)
  const vma = findVma(mmAt(state, mmIndex), vpnOfSlot(t, slot))
  if (vma !== undefined && (vma.flags & VM_LOCKED) !== 0) return
  const flags = pageFlags(state.memmap, pfn)
  const pte = pteAt(t, slot)
  if (!isPresent(pte) || ptePfn(pte) !== pfn)
    throw new AssertionError(`slot ${slot} of table ${tableOfSlot(slot)} does not map pfn ${pfn}`)
  if (pte & PTE_DIRTY) setFlag(state.memmap, pfn, PG_DIRTY)
  if (isLazyfree(flags) && hasFlag(state.memmap, pfn, PG_DIRTY)) {
    // Written again since MADV_FREE: an ordinary page, which stays.
    setFlag(state.memmap, pfn, PG_SWAPBACKED)
    return
  }
  updateHiwaterRss(state, mmAt(state, mmIndex))
  flushUnmapped(state, mmIndex, slot, pte)
  pageRemoveRmap(state, pfn, slot)
  addMmCounter(state, mmIndex, rssCounter(flags), -1)
  if ((flags & PG_ANON) !== 0 && (flags & PG_SWAPCACHE) !== 0) {
    const swapSlot = pageMapping(state.memmap, pfn) - 1
    swapDuplicate(state, swapSlot)
    setPte(t, slot, makeSwapPte(swapSlot))
    addMmCounter(state, mmIndex, MM_SWAPENTS, 1)
  } else setPte(t, slot, 0)
}
