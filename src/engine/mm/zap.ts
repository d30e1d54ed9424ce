/**
 * Taking pages out of an address space: munmap, exit, MADV_DONTNEED, the OOM reaper.
 * @kernel  mm/memory.c zap_pte_range()
 * @spec    04 §4.7
 */
import { HPAGE_PAGES, type Pages, type Pfn, type Vpn } from '../../util/units'
import { charge } from '../exec'
import type { KernelState } from '../state'
import { PG_LARGE, compoundHead } from './folio'
import { clearHugePmd, forEachHugePmd, pmdPfn } from './huge_pmd'
import { splitHugePmd } from './huge_split'
import { zapHugetlb } from './hugetlb_map'
import { PG_ANON, PG_FILE, mapcount, pageFlags } from './memmap'
import { beginUncharge, endUncharge } from './memcg_uncharge'
import { munlockFolio } from './mlock'
import { MM_ANONPAGES, MM_SWAPENTS, VM_LOCKED, VM_RAND_READ, VM_SEQ_READ, type Mm, type Vma } from './mm_types'
import { folioMarkDirty } from './page_writeback'
import { tlbAdjustRange, tlbRemove, tlbRemoveEntry } from './mmu_gather'
import {
  PTE_ACCESSED,
  PTE_DIRTY,
  forEachPteTable,
  isPresent,
  isSwapPte,
  pteAt,
  ptePfn,
  pteSwapSlot,
  setPte,
} from './pgtable'
import { folioRemoveRmapPmd, pageRemoveRmap, rssCounter } from './rmap'
import { addMmCounter, updateHiwaterRss } from './rss'
import { folioMarkAccessed } from './swap'
import { freeSwapAndCache, releaseFrame, tryToFreeSwap } from './swap_fault'

/** An anonymous page that nobody maps any more. @kernel free_unref_folios() through the LRU */
export function freeAnonPage(state: KernelState, pfn: Pfn): void {
  if (tryToFreeSwap(state, pfn)) releaseFrame(state, pfn)
}

/** @returns whether a page was mapped. @kernel zap_present_ptes(), zap_nonpresent_ptes() */
function zapPte(state: KernelState, mm: Mm, vma: Vma, slot: number, pte: number): boolean {
  setPte(state.pgtables, slot, 0)
  if (isSwapPte(pte)) {
    addMmCounter(state, mm.id, MM_SWAPENTS, -1)
    freeSwapAndCache(state, pteSwapSlot(pte))
    return false
  }
  const pfn = ptePfn(pte)
  if (pfn === state.zeroPfn) return false
  const flags = pageFlags(state.memmap, pfn)
  if ((flags & PG_LARGE) !== 0) return zapLargePte(state, mm, vma, slot, pfn)
  if ((flags & PG_FILE) !== 0) {
    if ((pte & PTE_DIRTY) !== 0) folioMarkDirty(state, pfn)
    if ((pte & PTE_ACCESSED) !== 0 && (vma.flags & (VM_SEQ_READ | VM_RAND_READ)) === 0) folioMarkAccessed(state, pfn)
  }
  addMmCounter(state, mm.id, rssCounter(flags), -1)
  pageRemoveRmap(state, pfn, slot)
  if (mapcount(state.memmap, pfn) > 0) return true
  if ((vma.flags & VM_LOCKED) !== 0) munlockFolio(state, pfn)
  if ((flags & PG_ANON) !== 0) freeAnonPage(state, pfn)
  return true
}

/** One frame of a large folio. */
function zapLargePte(state: KernelState, mm: Mm, vma: Vma, slot: number, pfn: Pfn): boolean {
  addMmCounter(state, mm.id, MM_ANONPAGES, -1)
  pageRemoveRmap(state, pfn, slot)
  const head = compoundHead(state.memmap, pfn)
  if (mapcount(state.memmap, head) > 0) return true
  if ((vma.flags & VM_LOCKED) !== 0) munlockFolio(state, head)
  freeAnonPage(state, head)
  return true
}

/**
 * Huge entries: those that lie in the range as a whole go with the table that was put by, the others are split.
 * @returns pages that were mapped
 * @kernel  mm/huge_memory.c zap_huge_pmd()
 */
function zapHugePmds(state: KernelState, mm: Mm, vma: Vma, start: Vpn, end: Vpn): Pages {
  let zapped = 0
  forEachHugePmd(state, mm, start, end, (slot, entry, first) => {
    if (first < start || first + HPAGE_PAGES > end) return splitHugePmd(state, mm, slot)
    const pfn = pmdPfn(entry)
    clearHugePmd(state, mm, slot)
    tlbRemove(state.pgtables, slot)
    if (pfn === state.thp.hugeZeroPfn) return
    addMmCounter(state, mm.id, MM_ANONPAGES, -HPAGE_PAGES)
    folioRemoveRmapPmd(state, pfn, slot)
    if (mapcount(state.memmap, pfn) === 0) {
      if ((vma.flags & VM_LOCKED) !== 0) munlockFolio(state, pfn)
      freeAnonPage(state, pfn)
    }
    zapped += HPAGE_PAGES
    charge(state, state.costs.zoneLock)
  })
  return zapped
}

/**
 * Takes every page of the range out of the address space; tables stay, those put by for huge pages excepted.
 * Whoever calls has begun a gather, and finishes it.
 * @returns pages that were mapped
 * @kernel  zap_page_range(), zap_pte_range()
 */
export function zapRange(state: KernelState, mm: Mm, vma: Vma, start: Vpn, end: Vpn): Pages {
  if (vma.hugeOrder !== undefined) return zapHugetlb(state, mm, vma, start, end)
  let zapped = 0
  updateHiwaterRss(state, mm)
  beginUncharge(state)
  const huge = mm.hugePmds > 0 ? zapHugePmds(state, mm, vma, start, end) : 0
  forEachPteTable(state, mm, start, end, (first, last) => {
    let from = -1
    let to = -1
    for (let slot = first; slot <= last; slot++) {
      const pte = pteAt(state.pgtables, slot)
      if (pte === 0) continue
      if (zapPte(state, mm, vma, slot, pte)) zapped++
      if (!isPresent(pte)) continue
      tlbRemoveEntry(slot)
      if (from < 0) from = slot
      to = slot
    }
    if (from >= 0) tlbAdjustRange(state.pgtables, from, to)
  })
  endUncharge(state)
  charge(state, zapped * state.costs.exitPage)
  return zapped + huge
}
