/**
 * Faults on 2 MiB at once: the first touch of a range that may be huge, and writes to a huge page that is shared. What
 * cannot be done at this size is left to the PTE fault.
 * @kernel  mm/huge_memory.c do_huge_pmd_anonymous_page(), do_huge_pmd_wp_page()
 * @spec    04 §4.5, 08 §8.6
 */
import { anonVmaPrepare } from './anon_vma'
import { HPAGE_PAGES, type Pages, type Pfn, type Vpn } from '../../util/units'
import { taskMemcg } from '../cgroup'
import { charge, isSuspended } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { FAULT_MINOR, failed } from './fault'
import { prepLargeFolio } from './folio'
import { PAGEBLOCK_ORDER } from './gfp'
import {
  ensurePmdSlot,
  findHugePmd,
  findPmdSlot,
  hugeEntryPages,
  hugeStart,
  installHugePmd,
  makePmd,
  pmdPfn,
} from './huge_pmd'
import { splitHugePmd } from './huge_split'
import { getHugeZeroPage } from './huge_zero'
import { memcgCharge, modMemcgState } from './memcontrol'
import { MEMCG_STAT_THP_FAULT_ALLOC } from './memcg_stat'
import { PG_ANON, PG_ANON_EXCLUSIVE, PG_SWAPBACKED, hasFlag, mapcount, setFlag, setPageMemcg } from './memmap'
import { mlockFolio } from './mlock'
import { MM_ANONPAGES, VM_LOCKED, VM_WRITE, type Mm, type Vma } from './mm_types'
import { vmaAllocPages } from './page_alloc'
import { freeUnrefPage } from './pcp'
import { doHugePmdNumaPage } from './numa_fault'
import { PTE_ACCESSED, PTE_DIRTY, PTE_WRITE, allocTable, freeTable, isProtNone, pteAt, setPte } from './pgtable'
import { folioAddRmapPmd } from './rmap'
import { addMmCounter } from './rss'
import { folioAddLru } from './swap'
import { releaseFrame } from './swap_fault'
import { thpEnabledFor, thpVmaAllowed, thpVmaSuitable, vmaThpGfpMask } from './thp'
import { THP_FAULT_ALLOC, THP_FAULT_FALLBACK, THP_FAULT_FALLBACK_CHARGE, countVmEvent } from './vmstat'

/** Nothing was done at this size: the PTE fault has to. @kernel VM_FAULT_FALLBACK */
export const FAULT_FALLBACK = -1

/**
 * A huge page that allows the access: the processor sets its bits.
 * @returns pages from this one to the end of the huge page, 0 = none, or it does not allow a write
 * @kernel  the page walk of the processor
 */
export function accessHugePmd(state: KernelState, mm: Mm, vpn: Vpn, isWrite: boolean): Pages {
  const slot = findHugePmd(state, mm, vpn)
  if (slot < 0) return 0
  const entry = pteAt(state.pgtables, slot)
  if (isProtNone(entry) || (isWrite && (entry & PTE_WRITE) === 0)) return 0
  setPte(state.pgtables, slot, (entry | PTE_ACCESSED | (isWrite ? PTE_DIRTY : 0)) >>> 0)
  const pages = hugeEntryPages(state.pgtables, slot)
  return pages - (vpn % pages)
}

/**
 * The part of a fault that comes before PTEs.
 * @returns FAULT_*, or FAULT_FALLBACK
 * @kernel  mm/memory.c __handle_mm_fault(), from the PMD on
 */
export function handleHugeFault(state: KernelState, task: Task, mm: Mm, vma: Vma, vpn: Vpn, isWrite: boolean): number {
  const slot = findPmdSlot(state, mm, vpn)
  const entry = slot < 0 ? 0 : pteAt(state.pgtables, slot)
  if (entry !== 0) {
    if (findHugePmd(state, mm, vpn) < 0) return FAULT_FALLBACK
    if (isProtNone(entry)) return doHugePmdNumaPage(state, task, vma, slot, isWrite)
    if (isWrite && (entry & PTE_WRITE) === 0) return doHugePmdWpPage(state, mm, vma, slot)
    accessHugePmd(state, mm, vpn, isWrite)
    return FAULT_MINOR
  }
  if (!thpEnabledFor(state, vma) || !thpVmaAllowed(vma) || !thpVmaSuitable(vma, vpn)) return FAULT_FALLBACK
  const empty = ensurePmdSlot(state, mm, vpn)
  if (empty < 0) return failed(state)
  if (!anonVmaPrepare(state, mm, vma)) return failed(state)
  if (!isWrite && state.thp.useZeroPage === 1) return mapHugeZero(state, task, mm, vpn, empty)
  return doHugePmdAnonymousPage(state, task, mm, vma, vpn, empty)
}

/** A request that may stop in the middle is made by a task at its own operation. */
function mayStop(state: KernelState, task: Task): void {
  state.exec.mayStop = task.op !== undefined && !state.exec.isCommand
}

/** The running task waits, or the fault goes on with small pages. @kernel THP_FAULT_FALLBACK */
function fallback(state: KernelState): number {
  if (isSuspended(state)) return failed(state)
  countVmEvent(state.vmstat, THP_FAULT_FALLBACK)
  return FAULT_FALLBACK
}

/** @kernel mm/huge_memory.c do_huge_pmd_anonymous_page(), set_huge_zero_folio() */
function mapHugeZero(state: KernelState, task: Task, mm: Mm, vpn: Vpn, slot: number): number {
  const table = allocTable(state, mm.id, 1, hugeStart(vpn))
  if (table < 0) return failed(state)
  mayStop(state, task)
  const pfn = getHugeZeroPage(state, mm)
  state.exec.mayStop = false
  if (pfn === 0) {
    freeTable(state, table)
    return fallback(state)
  }
  installHugePmd(state, mm, slot, makePmd(pfn, PTE_ACCESSED), table)
  charge(state, state.costs.zeroPageFault)
  return FAULT_MINOR
}

/** A zeroed huge page, charged to the task's group. @returns 0 = none, or waiting @kernel vma_alloc_anon_folio_pmd() */
function allocHugeFolio(state: KernelState, task: Task, vma: Vma, vpn: Vpn): Pfn {
  const gfp = vmaThpGfpMask(state, vma)
  mayStop(state, task)
  const pfn = vmaAllocPages(state, gfp, PAGEBLOCK_ORDER, vma, hugeStart(vpn))
  state.exec.mayStop = false
  if (pfn === 0) return 0
  const memcg = taskMemcg(state, task)
  // Without direct reclaim a group at its limit is not asked to make room either.
  if (memcgCharge(state, memcg, HPAGE_PAGES, gfp) !== 'ok') {
    freeUnrefPage(state, pfn, PAGEBLOCK_ORDER)
    if (!isSuspended(state)) countVmEvent(state.vmstat, THP_FAULT_FALLBACK_CHARGE)
    return 0
  }
  prepLargeFolio(state.memmap, pfn, PAGEBLOCK_ORDER)
  setPageMemcg(state.memmap, pfn, memcg)
  return pfn
}

/** @kernel mm/huge_memory.c __do_huge_pmd_anonymous_page() */
function doHugePmdAnonymousPage(state: KernelState, task: Task, mm: Mm, vma: Vma, vpn: Vpn, slot: number): number {
  const pfn = allocHugeFolio(state, task, vma, vpn)
  if (pfn === 0) return fallback(state)
  const table = allocTable(state, mm.id, 1, hugeStart(vpn))
  if (table < 0) {
    releaseFrame(state, pfn)
    return failed(state)
  }
  mapHugeFolio(state, mm, vma, slot, pfn, table)
  countVmEvent(state.vmstat, THP_FAULT_ALLOC)
  modMemcgState(state, taskMemcg(state, task), MEMCG_STAT_THP_FAULT_ALLOC, 1)
  charge(state, state.costs.thpFault)
  return FAULT_MINOR
}

/**
 * A new large folio becomes visible in the address space.
 * @param slot   of an empty PMD entry
 * @param table  PTE table that is put by for a split
 * @kernel  mm/huge_memory.c map_anon_folio_pmd()
 */
export function mapHugeFolio(state: KernelState, mm: Mm, vma: Vma, slot: number, pfn: Pfn, table: number): void {
  setFlag(state.memmap, pfn, PG_ANON | PG_SWAPBACKED | PG_ANON_EXCLUSIVE)
  const writable = (vma.flags & VM_WRITE) !== 0 ? PTE_WRITE : 0
  installHugePmd(state, mm, slot, makePmd(pfn, PTE_ACCESSED | PTE_DIRTY | writable), table)
  folioAddRmapPmd(state, pfn, slot)
  addMmCounter(state, mm.id, MM_ANONPAGES, HPAGE_PAGES)
  folioAddLru(state, pfn, true)
  if ((vma.flags & VM_LOCKED) !== 0) mlockFolio(state, pfn)
}

/**
 * A write to a huge page that is mapped read-only: its sole owner takes it over; all others, and the huge zero page, go on
 * with PTEs, which copy 4 KiB each.
 * @kernel  mm/huge_memory.c do_huge_pmd_wp_page()
 */
function doHugePmdWpPage(state: KernelState, mm: Mm, vma: Vma, slot: number): number {
  const t = state.pgtables
  const entry = pteAt(t, slot)
  const pfn = pmdPfn(entry)
  const isOwn =
    pfn !== state.thp.hugeZeroPfn &&
    (hasFlag(state.memmap, pfn, PG_ANON_EXCLUSIVE) || mapcount(state.memmap, pfn) === 1)
  if (!isOwn || (vma.flags & VM_WRITE) === 0) {
    splitHugePmd(state, mm, slot)
    return FAULT_FALLBACK
  }
  setFlag(state.memmap, pfn, PG_ANON_EXCLUSIVE)
  setPte(t, slot, (entry | PTE_WRITE | PTE_DIRTY | PTE_ACCESSED) >>> 0)
  charge(state, state.costs.minorFault)
  return FAULT_MINOR
}
