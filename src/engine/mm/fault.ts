/**
 * What all kinds of faults share: their outcomes, and how an anonymous page comes into an address space.
 * @kernel  mm/memory.c
 * @spec    04 §4.5
 */
import type { Pfn } from '../../util/units'
import { taskMemcg } from '../cgroup'
import { isSuspended } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { anonVmaPrepare } from './anon_vma'
import { GFP_ANON_FAULT, GFP_KERNEL } from './gfp'
import { PG_ANON, PG_ANON_EXCLUSIVE, PG_SWAPBACKED, setFlag, setPageMemcg } from './memmap'
import { memcgCharge } from './memcontrol'
import { mlockFolio } from './mlock'
import { MM_ANONPAGES, VM_LOCKED, VM_WRITE, type Mm, type Vma } from './mm_types'
import { vmaAllocPages } from './page_alloc'
import { freeUnrefPage } from './pcp'
import { PTE_ACCESSED, PTE_DIRTY, PTE_WRITE, makePte, mmOfSlot, setPte, vpnOfSlot } from './pgtable'
import { pageAddRmap } from './rmap'
import { addMmCounter, mmAt } from './rss'
import { folioAddLru } from './swap'

/** Outcomes of a fault. */
export const FAULT_MINOR = 0
export const FAULT_MAJOR = 1
/** Nothing happened yet: the operation is suspended. */
export const FAULT_RETRY = 2
export const FAULT_OOM = 3
export const FAULT_SIGBUS = 4

/** A fault that could not get its page: wait, or out of memory. @model how the kernel sleeps is unwinding here */
export const failed = (state: KernelState): number => (isSuspended(state) ? FAULT_RETRY : FAULT_OOM)

/**
 * One frame for user memory, from a node that the mapping's policy or the task's names, charged to the task's group.
 * @returns 0 = no memory, charge refused, or waiting
 * @kernel  anon_vma_prepare(), alloc_anon_folio(), mem_cgroup_charge()
 */
export function allocUserPage(state: KernelState, task: Task, vma: Vma, slot: number): Pfn {
  if (vma.anonVma === 0 && !anonVmaPrepare(state, mmAt(state, mmOfSlot(state.pgtables, slot)), vma)) return 0
  // A task at its own operation makes the fault again; a command of the user's side is done in one go.
  state.exec.mayStop = task.op !== undefined && !state.exec.isCommand
  const pfn = vmaAllocPages(state, GFP_ANON_FAULT, 0, vma, vpnOfSlot(state.pgtables, slot))
  state.exec.mayStop = false
  if (pfn === 0) return 0
  const memcg = taskMemcg(state, task)
  if (memcgCharge(state, memcg, 1, GFP_KERNEL) !== 'ok') {
    freeUnrefPage(state, pfn, 0)
    return 0
  }
  setPageMemcg(state.memmap, pfn, memcg)
  return pfn
}

/** Flags of a page that only this address space has seen. @kernel folio_add_new_anon_rmap() */
export const NEW_ANON_PAGE = PG_ANON | PG_SWAPBACKED | PG_ANON_EXCLUSIVE

/** A new anonymous page becomes visible in the address space. @kernel folio_add_new_anon_rmap(), set_pte_at() */
export function installAnon(state: KernelState, mm: Mm, vma: Vma, slot: number, pfn: Pfn): void {
  setFlag(state.memmap, pfn, NEW_ANON_PAGE)
  const writable = (vma.flags & VM_WRITE) !== 0
  setPte(state.pgtables, slot, makePte(pfn, PTE_ACCESSED | PTE_DIRTY | (writable ? PTE_WRITE : 0)))
  pageAddRmap(state, pfn, slot)
  addMmCounter(state, mm.id, MM_ANONPAGES, 1)
  folioAddLru(state, pfn, true)
  if ((vma.flags & VM_LOCKED) !== 0) mlockFolio(state, pfn)
}
