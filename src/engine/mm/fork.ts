/**
 * Copying an address space for fork: private pages become shared and read-only in both.
 * @kernel  kernel/fork.c dup_mmap(), mm/memory.c copy_page_range()
 * @spec    04 §4.6
 */
import { charge, isSuspended } from '../exec'
import type { KernelState } from '../state'
import { inodeAt } from './filemap'
import { PG_ANON, PG_ANON_EXCLUSIVE, clearFlag, hasFlag, pageFlags } from './memmap'
import { MM_SWAPENTS, VM_ACCOUNT, type Mm } from './mm_types'
import {
  PTE_WRITE,
  allocPgd,
  ensurePteSlot,
  forEachPte,
  isSwapPte,
  ptePfn,
  pteSwapSlot,
  setPte,
  vpnOfSlot,
} from './pgtable'
import { pageAddRmap, rssCounter } from './rmap'
import { addMmCounter, mmAt } from './rss'
import { swapDuplicate } from './swapfile'
import { createMm, insertVma, vmEnoughMemory } from './vma'

/**
 * @returns index of the copy, −1 = no memory or waiting; the half-made copy must be torn down by the caller through
 *          `partial`, which is set as soon as it exists
 * @kernel  dup_mm()
 */
export function copyMm(state: KernelState, from: Mm, partial: { mm: number }): number {
  let promised = 0
  for (const vma of from.vmas) if (vma.flags & VM_ACCOUNT) promised += vma.end - vma.start
  if (!vmEnoughMemory(state, from, promised)) return -1
  const index = createMm(state)
  partial.mm = index
  if (!allocPgd(state, index)) return -1
  const to = mmAt(state, index)
  to.startBrk = from.startBrk
  to.brk = from.brk
  to.mmapBase = from.mmapBase
  for (const vma of from.vmas) {
    insertVma(to, { ...vma })
    if (vma.ino !== 0) inodeAt(state, vma.ino).users++
    charge(state, state.costs.forkVma)
  }
  for (const vma of from.vmas) {
    // Pure file mappings are filled again by faults.
    if (!vma.hasAnon) continue
    if (!copyPtes(state, from, to, vma.start, vma.end)) return -1
  }
  return index
}

function copyPtes(state: KernelState, from: Mm, to: Mm, start: number, end: number): boolean {
  const t = state.pgtables
  let complete = true
  forEachPte(state, from, start, end, (slot, pte) => {
    if (!complete) return
    const target = ensurePteSlot(state, to, vpnOfSlot(t, slot))
    if (target < 0 || isSuspended(state)) {
      complete = false
      return
    }
    if (isSwapPte(pte)) {
      swapDuplicate(state, pteSwapSlot(pte))
      setPte(t, target, pte)
      addMmCounter(state, to.id, MM_SWAPENTS, 1)
      return
    }
    const pfn = ptePfn(pte)
    const shared = pte & ~PTE_WRITE
    if (pfn !== state.zeroPfn) {
      if (hasFlag(state.memmap, pfn, PG_ANON)) {
        clearFlag(state.memmap, pfn, PG_ANON_EXCLUSIVE)
        setPte(t, slot, shared)
      }
      setPte(t, target, shared)
      pageAddRmap(state, pfn, target)
      addMmCounter(state, to.id, rssCounter(pageFlags(state.memmap, pfn)), 1)
    } else setPte(t, target, shared)
    charge(state, state.costs.forkPage)
  })
  return complete
}
