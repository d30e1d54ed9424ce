/**
 * Bringing in pages that nobody touches: MAP_POPULATE, mlock. Apart from accesses, because the kernel looks the pages up
 * itself: nothing is translated.
 * @kernel  mm/gup.c
 */
import type { Ns, Pfn, Vpn } from '../util/units'
import { isSuspended } from './exec'
import { SIGBUS } from './fault_signal'
import { compoundHead } from './mm/folio'
import { accessHugePmd } from './mm/huge_memory'
import { findHugePmd, pmdPfn } from './mm/huge_pmd'
import { vmaUnit } from './mm/hugetlb_pool'
import { mlockFolio } from './mm/mlock'
import { VM_LOCKED, VM_LOCKONFAULT, VM_SHARED, VM_WRITE, type Mm } from './mm/mm_types'
import { isAccessible } from './mm/mmap'
import {
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_WRITE,
  findPteSlot,
  isPresent,
  pteAt,
  ptePfn,
  setPte,
} from './mm/pgtable'
import { mmOf } from './mm/rss'
import { findVma } from './mm/vma_find'
import type { KernelState } from './state'
import type { Task } from './task'
import { STEP_BLOCKED, STEP_DONE, STEP_KILLED, STEP_MORE, faultAt, forgetSignal } from './touch'

/**
 * Brings in every page of a range as its mapping is used: writes where it is private and writable, else reads.
 * Pages of locked mappings become unevictable.
 * @kernel  mm/gup.c populate_vma_page_range(), mm/mlock.c mlock_folio()
 */
export function populate(state: KernelState, task: Task, first: Vpn, count: number, endNs: Ns): number {
  const mm = mmOf(state, task)
  if (mm === undefined) return STEP_DONE
  while (task.opDone < count) {
    if (state.exec.ns >= endNs) return STEP_MORE
    const vpn = first + task.opDone
    const vma = findVma(mm, vpn)
    if (vma !== undefined && isAccessible(vma) && (vma.flags & VM_LOCKONFAULT) === 0) {
      const isWrite = (vma.flags & (VM_WRITE | VM_SHARED)) === VM_WRITE
      const step = faultIn(state, task, mm, vpn, isWrite)
      if (step === STEP_KILLED && task.killSignal === SIGBUS) forgetSignal(task)
      else if (step !== STEP_DONE) return step
      if ((vma.flags & VM_LOCKED) !== 0) lockPage(state, mm, vpn)
    }
    task.opDone += vma === undefined ? 1 : Math.min(vmaUnit(vma) - (vpn % vmaUnit(vma)), count - task.opDone)
    if (isSuspended(state)) return STEP_BLOCKED
  }
  return STEP_DONE
}

/** The kernel looks the page up itself: no translation is used. @kernel mm/gup.c faultin_page() */
function faultIn(state: KernelState, task: Task, mm: Mm, vpn: Vpn, isWrite: boolean): number {
  const slot = findPteSlot(state, mm, vpn)
  if (slot < 0 && accessHugePmd(state, mm, vpn, isWrite) > 0) return STEP_DONE
  const pte = slot < 0 ? 0 : pteAt(state.pgtables, slot)
  const needed = isWrite ? PTE_PRESENT | PTE_WRITE : PTE_PRESENT
  if ((pte & needed) !== needed) return faultAt(state, task, mm, findVma(mm, vpn), vpn, slot, isWrite)
  setPte(state.pgtables, slot, pte | PTE_ACCESSED | (isWrite ? PTE_DIRTY : 0))
  return STEP_DONE
}

function lockPage(state: KernelState, mm: Mm, vpn: Vpn): void {
  const pfn = framePresent(state, mm, vpn)
  if (pfn > 0 && pfn !== state.zeroPfn && pfn !== state.thp.hugeZeroPfn)
    mlockFolio(state, compoundHead(state.memmap, pfn))
}

/** Frame that the page tables name for a page, 0 none. */
function framePresent(state: KernelState, mm: Mm, vpn: Vpn): Pfn {
  const t = state.pgtables
  const slot = findPteSlot(state, mm, vpn)
  if (slot >= 0) return isPresent(pteAt(t, slot)) ? ptePfn(pteAt(t, slot)) : 0
  const huge = findHugePmd(state, mm, vpn)
  return huge < 0 ? 0 : pmdPfn(pteAt(t, huge))
}
