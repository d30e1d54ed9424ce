/**
 * Entries that map huge pages of the pool: putting them in, taking them out, copying them for a fork, moving them, and
 * changing what they allow. Such a page is mapped by one entry of a PMD or PUD table, with no table put by: it is never
 * split, never on an LRU list, and in no counter of resident pages.
 * @kernel  mm/hugetlb.c __unmap_hugepage_range(), copy_hugetlb_page_range(), move_hugetlb_page_tables(),
 *          hugetlb_change_protection()
 * @spec    08 §8.5
 */
import type { Pages, Pfn, Vpn } from '../../util/units'
import { charge, isSuspended } from '../exec'
import type { KernelState } from '../state'
import { ensureSlotAt, forEachHugeEntry, hugeEntryPages, makePmd, pmdPfn } from './huge_pmd'
import { hugeIndex, surplusHugePages, vmaUnit } from './hugetlb_pool'
import { freeHugePage, hstateVma, restoreReservation } from './hugetlb_reserve'
import { mapcount } from './memmap'
import { VM_ACCESS_FLAGS, VM_MAYSHARE, VM_WRITE, type Mm, type Vma } from './mm_types'
import { tlbRemove } from './mmu_gather'
import { PTE_ACCESSED, PTE_DIRTY, PTE_WRITE, mmOfSlot, pteAt, setPte, vpnOfSlot, withAccess } from './pgtable'
import { pageMoveRmap } from './rmap'
import { hugetlbAddRmap, hugetlbRemoveRmap } from './rmap_chain'
import { mmAt } from './rss'
import { noteSlot } from './tlb_flush'

/** Level of the tables whose entries map the pages of the mapping. */
export const hugeLevel = (vma: Vma): number => vma.hugeOrder! / 9 + 1

const rangeOf = (vma: Vma, start: Vpn, end: Vpn): { start: Vpn; end: Vpn; level: number } => ({
  start,
  end,
  level: hugeLevel(vma),
})

/** Calls `visit(slot, entry, first)` for each huge page of a part of the mapping that is there. */
export function forEachHugetlb(
  state: KernelState,
  mm: Mm,
  { vma, start, end }: { readonly vma: Vma; readonly start: Vpn; readonly end: Vpn },
  visit: (slot: number, entry: number, first: Vpn) => void,
): void {
  forEachHugeEntry(state, mm, rangeOf(vma, start, end), visit)
}

/** @kernel mm/hugetlb.c set_huge_pte_at(), hugetlb_count_add() */
export function installHugetlb(state: KernelState, mm: Mm, slot: number, pfn: Pfn, bits: number): void {
  setPte(state.pgtables, slot, makePmd(pfn, bits))
  mm.hugePmds++
  mm.hugetlbUsage += hugeEntryPages(state.pgtables, slot)
  hugetlbAddRmap(state, pfn, slot)
}

/** @returns frame that the entry mapped @kernel huge_ptep_get_and_clear(), hugetlb_remove_rmap() */
export function clearHugetlb(state: KernelState, slot: number): Pfn {
  const t = state.pgtables
  const mm = mmAt(state, mmOfSlot(t, slot))
  const pfn = pmdPfn(pteAt(t, slot))
  setPte(t, slot, 0)
  mm.hugePmds--
  mm.hugetlbUsage -= hugeEntryPages(t, slot)
  hugetlbRemoveRmap(state, pfn, slot)
  return pfn
}

/**
 * Takes the huge pages of a range out of an address space; private ones that nobody else maps go back to their pool.
 * Whoever calls has begun a gather, and finishes it.
 * @returns pages of 4 KiB that were mapped
 * @kernel      mm/hugetlb.c __unmap_hugepage_range()
 * @simplifies  the owner's promise comes back with the last mapping of the page only
 */
export function zapHugetlb(state: KernelState, mm: Mm, vma: Vma, start: Vpn, end: Vpn): Pages {
  const h = hstateVma(state, vma)
  let zapped = 0
  forEachHugetlb(state, mm, { vma, start, end }, (slot, _entry, first) => {
    tlbRemove(state.pgtables, slot)
    const pfn = clearHugetlb(state, slot)
    zapped += vmaUnit(vma)
    charge(state, state.costs.zoneLock)
    if ((vma.flags & VM_MAYSHARE) !== 0 || mapcount(state.memmap, pfn) > 0) return
    // 6.9+: the owner may come back to an address that it was promised.
    const isRestored = state.config.series !== '6.1' && vma.hugeResv === 'owner' && surplusHugePages(h) === 0
    freeHugePage(state, h, pfn)
    if (isRestored) restoreReservation(state, h, vma, hugeIndex(vma, first))
  })
  return zapped
}

/**
 * Private huge pages are shared read-only with the child, which is promised none.
 * @returns false = a table could not be had
 * @kernel  mm/hugetlb.c copy_hugetlb_page_range()
 */
export function copyHugetlb(state: KernelState, from: Mm, to: Mm, vma: Vma): boolean {
  const t = state.pgtables
  let complete = true
  forEachHugetlb(state, from, { vma, start: vma.start, end: vma.end }, (slot, _entry, first) => {
    if (!complete) return
    const target = ensureSlotAt(state, to, first, hugeLevel(vma))
    if (target < 0 || isSuspended(state)) {
      complete = false
      return
    }
    const shared = (vma.flags & VM_MAYSHARE) !== 0 ? pteAt(t, slot) : (pteAt(t, slot) & ~PTE_WRITE) >>> 0
    setPte(t, slot, shared)
    installHugetlb(state, to, target, pmdPfn(shared), shared & (PTE_WRITE | PTE_DIRTY | PTE_ACCESSED))
    charge(state, state.costs.forkPage)
  })
  return complete
}

/** What an mprotect changes in the entries that are there. @kernel mm/hugetlb.c hugetlb_change_protection() */
export function changeHugetlbProtection(
  state: KernelState,
  mm: Mm,
  part: { readonly vma: Vma; readonly start: Vpn; readonly end: Vpn },
): void {
  const { flags } = part.vma
  const isShared = (flags & VM_MAYSHARE) !== 0
  const access = (flags & VM_ACCESS_FLAGS) === 0 ? 'none' : (flags & VM_WRITE) !== 0 && isShared ? 'write' : 'read'
  forEachHugetlb(state, mm, part, (slot, entry) => {
    const after = withAccess(entry, access)
    setPte(state.pgtables, slot, after)
    if ((entry & ~after) !== 0) tlbRemove(state.pgtables, slot)
  })
}

/**
 * Tables for the new place of a mapping that moves.
 * @returns false = no memory, or waiting
 * @kernel  mm/hugetlb.c move_hugetlb_page_tables(), huge_pte_alloc()
 */
export function prepareHugetlbMove(state: KernelState, mm: Mm, vma: Vma, move: HugetlbMove): boolean {
  let complete = true
  forEachHugetlb(state, mm, { vma, start: move.from, end: move.from + move.pages }, (_slot, _entry, first) => {
    if (complete) complete = ensureSlotAt(state, mm, first + move.to - move.from, hugeLevel(vma)) >= 0
  })
  return complete && !isSuspended(state)
}

export interface HugetlbMove {
  readonly from: Vpn
  readonly to: Vpn
  readonly pages: Pages
}

/** The entries go over; tables are there. @kernel mm/hugetlb.c move_hugetlb_page_tables(), move_huge_pte() */
export function moveHugetlb(state: KernelState, mm: Mm, vma: Vma, move: HugetlbMove): void {
  const t = state.pgtables
  forEachHugetlb(state, mm, { vma, start: move.from, end: move.from + move.pages }, (slot, entry) => {
    const target = ensureSlotAt(state, mm, vpnOfSlot(t, slot) + move.to - move.from, hugeLevel(vma))
    setPte(t, slot, 0)
    setPte(t, target, entry)
    noteSlot(slot)
    pageMoveRmap(state, pmdPfn(entry), slot, target)
    charge(state, state.costs.syscall)
  })
}
