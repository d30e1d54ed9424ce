/**
 * Page faults: which case it is, and what each case does. A fault either completes, fails, or says that it has to wait
 * and is tried again from the start when the task wakes; nothing is half done in between.
 * @kernel  mm/memory.c
 * @spec    04 §4.5
 */
import type { Pfn, Vpn } from '../../util/units'
import { taskMemcg } from '../cgroup'
import { charge, suspendOnPage } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { FAULT_MAJOR, FAULT_MINOR, FAULT_RETRY, allocUserPage, failed, installAnon } from './fault'
import { doFault } from './file_fault'
import { FAULT_FALLBACK, handleHugeFault } from './huge_memory'
import { compoundHead } from './folio'
import { hugetlbFault } from './hugetlb_fault'
import {
  PG_ANON,
  PG_ANON_EXCLUSIVE,
  PG_FILE,
  PG_LOCKED,
  PG_SWAPCACHE,
  PG_TAIL,
  hasFlag,
  mapcount,
  pageFlags,
  setFlag,
} from './memmap'
import { modMemcgState } from './memcontrol'
import { MEMCG_PGFAULT } from './memcg_stat'
import { MM_ANONPAGES, MM_SWAPENTS, VM_LOCKED, VM_SHARED, VM_WRITE, type Mm, type Vma } from './mm_types'
import { folioMarkDirty } from './page_writeback'
import {
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_WRITE,
  ensurePteSlot,
  isPresent,
  isProtNone,
  makePte,
  pteAt,
  ptePfn,
  pteSwapSlot,
  setPte,
  vpnOfSlot,
} from './pgtable'
import { doNumaPage } from './numa_fault'
import { pageAddRmap, pageRemoveRmap, rssCounter } from './rmap'
import { addMmCounter } from './rss'
import { countMajor, releaseFrame, tryToFreeSwap } from './swap_fault'
import { swapCacheGet, swapReadFolio } from './swap_state'
import { swapCount, swapFree, vmSwapFull, zramOfSlot } from './swapfile'
import { PGFAULT, PGREUSE, countVmEvent } from './vmstat'
import { flushTlbPage } from './tlb_flush'
import { freeAnonPage } from './zap'

export { FAULT_MAJOR, FAULT_MINOR, FAULT_OOM, FAULT_RETRY, FAULT_SIGBUS } from './fault'

/**
 * Brings the page in for an access that its mapping allows.
 * @param slot  of the page's PTE; −1 = a table on the way could not be had
 * @returns FAULT_*
 * @kernel  handle_mm_fault(), handle_pte_fault()
 */
export function handleMmFault(
  state: KernelState,
  task: Task,
  mm: Mm,
  vma: Vma,
  slot: number,
  isWrite: boolean,
): number {
  if (slot < 0) return accountFault(state, task, failed(state))
  return accountFault(state, task, handlePteFault(state, task, mm, vma, slot, isWrite))
}

/**
 * A fault where there is no PTE table yet: by a huge page if that may be, else with a table made first.
 * @returns FAULT_*
 * @kernel  __handle_mm_fault()
 */
export function handleFaultAbovePte(
  state: KernelState,
  task: Task,
  mm: Mm,
  vma: Vma,
  vpn: Vpn,
  isWrite: boolean,
): number {
  if (vma.hugeOrder !== undefined) return accountFault(state, task, hugetlbFault(state, task, mm, vma, vpn, isWrite))
  if (vma.ino === 0) {
    const outcome = handleHugeFault(state, task, mm, vma, vpn, isWrite)
    if (outcome !== FAULT_FALLBACK) return accountFault(state, task, outcome)
  }
  return handleMmFault(state, task, mm, vma, ensurePteSlot(state, mm, vpn), isWrite)
}

function handlePteFault(state: KernelState, task: Task, mm: Mm, vma: Vma, slot: number, isWrite: boolean): number {
  const pte = pteAt(state.pgtables, slot)
  if (pte === 0) {
    if (vma.ino === 0) return doAnonymousPage(state, task, mm, vma, slot, isWrite)
    return doFault(state, task, mm, vma, slot, isWrite)
  }
  if (isProtNone(pte)) return doNumaPage(state, task, vma, slot, isWrite)
  if (!isPresent(pte)) return doSwapPage(state, task, mm, vma, slot, isWrite)
  if (isWrite && (pte & PTE_WRITE) === 0) return doWpPage(state, task, mm, vma, slot)
  setPte(state.pgtables, slot, pte | PTE_ACCESSED | (isWrite ? PTE_DIRTY : 0))
  return FAULT_MINOR
}

/** Counters of a finished fault. @kernel mm_account_fault() */
function accountFault(state: KernelState, task: Task, outcome: number): number {
  if (outcome === FAULT_RETRY) return outcome
  countVmEvent(state.vmstat, PGFAULT)
  modMemcgState(state, taskMemcg(state, task), MEMCG_PGFAULT, 1)
  if (outcome === FAULT_MAJOR || (outcome === FAULT_MINOR && task.retry.faultWasMajor)) {
    task.majFlt++
    task.retry.faultWasMajor = false
    return FAULT_MAJOR
  }
  if (outcome === FAULT_MINOR) task.minFlt++
  return outcome
}

/** First touch of private anonymous memory. @kernel do_anonymous_page() */
function doAnonymousPage(state: KernelState, task: Task, mm: Mm, vma: Vma, slot: number, isWrite: boolean): number {
  if (!isWrite) {
    setPte(state.pgtables, slot, makePte(state.zeroPfn, PTE_ACCESSED))
    charge(state, state.costs.zeroPageFault)
    return FAULT_MINOR
  }
  const pfn = allocUserPage(state, task, vma, slot)
  if (pfn === 0) return failed(state)
  installAnon(state, mm, vma, slot, pfn)
  charge(state, state.costs.anonFault)
  return FAULT_MINOR
}

/**
 * A write to a page that is mapped read-only in a writable mapping.
 * @kernel  do_wp_page(), wp_page_reuse(), wp_page_copy()
 */
function doWpPage(state: KernelState, task: Task, mm: Mm, vma: Vma, slot: number): number {
  const pte = pteAt(state.pgtables, slot)
  const old = ptePfn(pte)
  const isZero = old === state.zeroPfn
  const flags = isZero ? 0 : pageFlags(state.memmap, old)
  if ((vma.flags & VM_SHARED) !== 0) {
    if (!isZero && (flags & PG_FILE) !== 0) folioMarkDirty(state, old)
    setPte(state.pgtables, slot, pte | PTE_WRITE | PTE_DIRTY | PTE_ACCESSED)
    charge(state, state.costs.minorFault)
    return FAULT_MINOR
  }
  if ((flags & (PG_ANON | PG_TAIL)) !== 0 && ((flags & PG_ANON_EXCLUSIVE) !== 0 || isSoleOwner(state, old))) {
    setFlag(state.memmap, old, PG_ANON_EXCLUSIVE)
    setPte(state.pgtables, slot, pte | PTE_WRITE | PTE_DIRTY | PTE_ACCESSED)
    countVmEvent(state.vmstat, PGREUSE)
    charge(state, state.costs.minorFault)
    return FAULT_MINOR
  }
  const pfn = allocUserPage(state, task, vma, slot)
  if (pfn === 0) return failed(state)
  if (pteAt(state.pgtables, slot) !== pte) {
    // Making room took the old page out: the fault is another one now.
    releaseFrame(state, pfn)
    return handlePteFault(state, task, mm, vma, slot, true)
  }
  if (!isZero) {
    addMmCounter(state, mm.id, rssCounter(flags), -1)
    pageRemoveRmap(state, old, slot)
    const head = (flags & PG_TAIL) === 0 ? old : compoundHead(state.memmap, old)
    if (rssCounter(flags) === MM_ANONPAGES && mapcount(state.memmap, head) === 0) freeAnonPage(state, head)
  }
  flushTlbPage(state, mm.id, slot)
  installAnon(state, mm, vma, slot, pfn)
  charge(state, state.costs.cowFault)
  return FAULT_MINOR
}

/** Nobody else holds the page: one mapping, and its swap slot (if any) can be let go. @kernel wp_can_reuse_anon_folio() */
function isSoleOwner(state: KernelState, pfn: Pfn): boolean {
  if (mapcount(state.memmap, compoundHead(state.memmap, pfn)) !== 1) return false
  return !hasFlag(state.memmap, pfn, PG_SWAPCACHE) || tryToFreeSwap(state, pfn)
}

/**
 * A page that was swapped out is touched.
 * @kernel  do_swap_page()
 * @spec    04 §4.5 (Swap-in)
 */
function doSwapPage(state: KernelState, task: Task, mm: Mm, vma: Vma, slot: number, isWrite: boolean): number {
  const entry = pteSwapSlot(pteAt(state.pgtables, slot))
  const vpn = vpnOfSlot(state.pgtables, slot)
  let pfn = swapCacheGet(state, entry, vma, vpn)
  if (pfn === 0) {
    pfn = swapReadFolio(state, entry, { mm, vma, vpn })
    if (pfn === 0) return failed(state)
    countMajor(state, task)
  }
  if (hasFlag(state.memmap, pfn, PG_LOCKED)) {
    suspendOnPage(state, pfn)
    return FAULT_RETRY
  }
  const isExclusive = swapCount(state, entry) === 1 && mapcount(state.memmap, pfn) === 0
  if (isExclusive) setFlag(state.memmap, pfn, PG_ANON_EXCLUSIVE)
  const writable = isExclusive && isWrite && (vma.flags & VM_WRITE) !== 0
  setPte(state.pgtables, slot, makePte(pfn, PTE_ACCESSED | (writable ? PTE_WRITE | PTE_DIRTY : 0)))
  pageAddRmap(state, pfn, slot)
  addMmCounter(state, mm.id, MM_ANONPAGES, 1)
  addMmCounter(state, mm.id, MM_SWAPENTS, -1)
  const inMemory = zramOfSlot(state, entry) !== undefined
  swapFree(state, entry)
  // What lies compressed in memory would be there twice. @kernel SWP_SYNCHRONOUS_IO: no swap cache at all
  if (writable || vmSwapFull(state) || (vma.flags & VM_LOCKED) !== 0 || inMemory) {
    if (tryToFreeSwap(state, pfn)) setPte(state.pgtables, slot, pteAt(state.pgtables, slot) | PTE_DIRTY)
  }
  charge(state, state.costs.minorFault)
  return isWrite && !writable ? doWpPage(state, task, mm, vma, slot) : FAULT_MINOR
}
