/**
 * Copying an address space for fork: private pages become shared and read-only in both.
 * @kernel  kernel/fork.c dup_mmap(), mm/memory.c copy_page_range()
 * @spec    04 §4.6
 */
import { HPAGE_PAGES } from '../../util/units'
import { charge, isSuspended } from '../exec'
import type { KernelState } from '../state'
import { inodeAt } from './filemap'
import { ensurePmdSlot, forEachHugePmd, installHugePmd, isHugePmd, pmdPfn } from './huge_pmd'
import { getHugeZeroPage } from './huge_zero'
import { copyHugetlb } from './hugetlb_map'
import { PG_ANON, PG_ANON_EXCLUSIVE, PG_TAIL, clearFlag, hasFlag, pageFlags } from './memmap'
import {
  MM_ANONPAGES,
  MM_SWAPENTS,
  VM_ACCOUNT,
  VM_DONTCOPY,
  VM_LOCKED_MASK,
  VM_WIPEONFORK,
  type Mm,
  type Vma,
} from './mm_types'
import { vmEnoughMemory } from './overcommit'
import {
  PTE_ACCESSED,
  PTE_WRITE,
  allocPgd,
  allocTable,
  ensurePteSlot,
  forEachPte,
  freeTable,
  isSwapPte,
  pteAt,
  ptePfn,
  pteSwapSlot,
  setPte,
  vpnOfSlot,
} from './pgtable'
import { folioAddRmapPmd, pageAddRmap, rssCounter } from './rmap'
import { addMmCounter, mmAt } from './rss'
import { swapDuplicate } from './swapfile'
import { flushTlbMm } from './tlb_flush'
import { copyVma, createMm, forkVma } from './vma'

/**
 * @param partial  set as soon as the copy exists: on failure whoever calls tears it down
 * @returns index of the copy, −1 = no memory, promise refused, or waiting
 * @kernel  dup_mm(), dup_mmap()
 */
export function copyMm(state: KernelState, from: Mm, partial: { mm: number }): number {
  const index = dupMm(state, from, partial)
  // What was writable is not any more, as far as the copy came.
  flushTlbMm(state, from.id, Infinity, false)
  return index
}

function dupMm(state: KernelState, from: Mm, partial: { mm: number }): number {
  const index = createMm(state)
  partial.mm = index
  const to = mmAt(state, index)
  if (to.object === 0 || !allocPgd(state, index)) return -1
  to.startBrk = from.startBrk
  to.brk = from.brk
  to.mmapBase = from.mmapBase
  for (const vma of from.vmas) {
    if ((vma.flags & VM_DONTCOPY) !== 0) continue
    if ((vma.flags & VM_ACCOUNT) !== 0 && !vmEnoughMemory(state, from, vma.end - vma.start)) return -1
    if (vma.ino !== 0) inodeAt(state, vma.ino).users++
    // Locks are not inherited.
    const child = { ...copyVma(vma), flags: vma.flags & ~VM_LOCKED_MASK }
    // Promised huge pages stay with the parent. @kernel hugetlb_dup_vma_private()
    if (child.hugeResv !== undefined) delete child.hugeResv
    if (!forkVma(state, to, child, (vma.flags & VM_WIPEONFORK) === 0 ? vma : undefined)) return -1
    charge(state, state.costs.forkVma)
  }
  for (const vma of from.vmas) {
    // Pure file mappings are filled again by faults.
    if (vma.anonVma === 0 || (vma.flags & (VM_DONTCOPY | VM_WIPEONFORK)) !== 0) continue
    if (vma.hugeOrder !== undefined) {
      if (!copyHugetlb(state, from, to, vma)) return -1
      continue
    }
    if (!copyHugePmds(state, from, to, vma) || !copyPtes(state, from, to, vma.start, vma.end)) return -1
  }
  return index
}

/**
 * Huge pages are shared whole, with a table put by in the child, too.
 * @kernel  mm/huge_memory.c copy_huge_pmd()
 */
function copyHugePmds(state: KernelState, from: Mm, to: Mm, vma: Vma): boolean {
  const t = state.pgtables
  let complete = true
  forEachHugePmd(state, from, vma.start, vma.end, (slot, _entry, first) => {
    if (!complete) return
    const target = ensurePmdSlot(state, to, first)
    const table = target < 0 || isSuspended(state) ? -1 : allocTable(state, to.id, 1, first)
    if (table < 0) {
      complete = false
      return
    }
    // Read now: making room for the table may have split the huge page; copyPtes() meets what it has become.
    const entry = pteAt(t, slot)
    if (!isHugePmd(entry)) return freeTable(state, table)
    const shared = (entry & ~PTE_WRITE) >>> 0
    const pfn = pmdPfn(entry)
    installHugePmd(state, to, target, (shared & ~PTE_ACCESSED) >>> 0, table)
    if (pfn === state.thp.hugeZeroPfn) getHugeZeroPage(state, to)
    else {
      clearFlag(state.memmap, pfn, PG_ANON_EXCLUSIVE)
      setPte(t, slot, shared)
      folioAddRmapPmd(state, pfn, target)
      addMmCounter(state, to.id, MM_ANONPAGES, HPAGE_PAGES)
    }
    charge(state, state.costs.forkPage)
  })
  return complete
}

function copyPtes(state: KernelState, from: Mm, to: Mm, start: number, end: number): boolean {
  const t = state.pgtables
  let complete = true
  forEachPte(state, from, start, end, (slot) => {
    if (!complete) return
    const target = ensurePteSlot(state, to, vpnOfSlot(t, slot))
    if (target < 0 || isSuspended(state)) {
      complete = false
      return
    }
    // Read now: making room for the table may have swapped the page out.
    const pte = pteAt(t, slot)
    if (isSwapPte(pte)) {
      swapDuplicate(state, pteSwapSlot(pte))
      setPte(t, target, pte)
      addMmCounter(state, to.id, MM_SWAPENTS, 1)
      return
    }
    const pfn = ptePfn(pte)
    const shared = pte & ~PTE_WRITE
    const childs = shared & ~PTE_ACCESSED
    if (pfn !== state.zeroPfn) {
      if (hasFlag(state.memmap, pfn, PG_ANON | PG_TAIL)) {
        clearFlag(state.memmap, pfn, PG_ANON_EXCLUSIVE)
        setPte(t, slot, shared)
      }
      setPte(t, target, childs)
      pageAddRmap(state, pfn, target)
      addMmCounter(state, to.id, rssCounter(pageFlags(state.memmap, pfn)), 1)
    } else setPte(t, target, childs)
    charge(state, state.costs.forkPage)
  })
  return complete
}
