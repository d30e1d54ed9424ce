/**
 * Page faults: which case it is, and what each case does. A fault either completes, fails, or says that it has to wait
 * and is tried again from the start when the task wakes; nothing is half done in between.
 * @kernel  mm/memory.c
 * @spec    04 §4.5
 */
import { type Pages, type Pfn, type Vpn } from '../../util/units'
import { taskMemcg } from '../cgroup'
import { charge, isSuspended, suspendOnPage } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import {
  filePages,
  findPage,
  inodeAt,
  isShmem,
  mmapReadAround,
  nextMissing,
  readSinglePage,
  startReadahead,
} from './filemap'
import { shmemGetPage } from './shmem'
import { GFP_ANON_FAULT, GFP_KERNEL } from './gfp'
import {
  PG_ANON,
  PG_ANON_EXCLUSIVE,
  PG_FILE,
  PG_LOCKED,
  PG_READAHEAD,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  hasFlag,
  mapcount,
  pageFlags,
  setFlag,
  setPageMemcg,
  testAndClearFlag,
} from './memmap'
import { memcgCharge, modMemcgState } from './memcontrol'
import { MEMCG_PGFAULT } from './memcg_stat'
import {
  MM_ANONPAGES,
  MM_FILEPAGES,
  MM_SHMEMPAGES,
  MM_SWAPENTS,
  VM_LOCKED,
  VM_RAND_READ,
  VM_SEQ_READ,
  VM_SHARED,
  VM_WRITE,
  type Mm,
  type Vma,
} from './mm_types'
import { allocPages } from './page_alloc'
import { folioMarkDirty } from './page_writeback'
import { mlockFolio, munlockFolio } from './mlock'
import { freeUnrefPage } from './pcp'
import {
  ENTRIES_PER_TABLE,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_WRITE,
  forEachPteTable,
  isPresent,
  isSwapPte,
  makePte,
  pteAt,
  ptePfn,
  pteSwapSlot,
  setPte,
  vpnOfSlot,
} from './pgtable'
import { asyncReadahead } from './readahead'
import { pageAddRmap, pageRemoveRmap, rssCounter } from './rmap'
import { addMmCounter } from './rss'
import { folioAddLru, folioMarkAccessed } from './swap'
import { countMajor, freeSwapAndCache, releaseFrame, tryToFreeSwap } from './swap_fault'
import { swapCacheGet, swapReadFolio } from './swap_state'
import { swapCount, swapFree, vmSwapFull } from './swapfile'
import { PGFAULT, PGREUSE, countVmEvent } from './vmstat'

/** Outcomes of a fault. */
export const FAULT_MINOR = 0
export const FAULT_MAJOR = 1
/** Nothing happened yet: the operation is suspended. */
export const FAULT_RETRY = 2
export const FAULT_OOM = 3
export const FAULT_SIGBUS = 4

/** A fault that could not get its page: wait, or out of memory. */
const failed = (state: KernelState): number => (isSuspended(state) ? FAULT_RETRY : FAULT_OOM)

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

function handlePteFault(state: KernelState, task: Task, mm: Mm, vma: Vma, slot: number, isWrite: boolean): number {
  const pte = pteAt(state.pgtables, slot)
  if (pte === 0) {
    if (vma.ino === 0) return doAnonymousPage(state, task, mm, vma, slot, isWrite)
    return doFault(state, task, mm, vma, slot, isWrite)
  }
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

/**
 * One frame for user memory, charged to the task's group.
 * @returns 0 = no memory, charge refused, or waiting
 * @kernel  alloc_anon_folio(), mem_cgroup_charge()
 */
export function allocUserPage(state: KernelState, task: Task): Pfn {
  const pfn = allocPages(state, GFP_ANON_FAULT, 0)
  if (pfn === 0) return 0
  const memcg = taskMemcg(state, task)
  if (memcgCharge(state, memcg, 1, GFP_KERNEL) !== 'ok') {
    freeUnrefPage(state, pfn, 0)
    return 0
  }
  setPageMemcg(state.memmap, pfn, memcg)
  return pfn
}

/** A new anonymous page becomes visible in the address space. */
function installAnon(state: KernelState, mm: Mm, vma: Vma, slot: number, pfn: Pfn): void {
  setFlag(state.memmap, pfn, PG_ANON | PG_SWAPBACKED | PG_ANON_EXCLUSIVE)
  const writable = (vma.flags & VM_WRITE) !== 0
  setPte(state.pgtables, slot, makePte(pfn, PTE_ACCESSED | PTE_DIRTY | (writable ? PTE_WRITE : 0)))
  pageAddRmap(state, pfn, slot)
  addMmCounter(state, mm.id, MM_ANONPAGES, 1)
  vma.hasAnon = true
  folioAddLru(state, pfn, true)
  if ((vma.flags & VM_LOCKED) !== 0) mlockFolio(state, pfn)
}

/** First touch of private anonymous memory. @kernel do_anonymous_page() */
function doAnonymousPage(state: KernelState, task: Task, mm: Mm, vma: Vma, slot: number, isWrite: boolean): number {
  if (!isWrite && (vma.flags & VM_SHARED) === 0) {
    setPte(state.pgtables, slot, makePte(state.zeroPfn, PTE_ACCESSED))
    charge(state, state.costs.zeroPageFault)
    return FAULT_MINOR
  }
  const pfn = allocUserPage(state, task)
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
  if ((flags & PG_ANON) !== 0 && ((flags & PG_ANON_EXCLUSIVE) !== 0 || isSoleOwner(state, old))) {
    setFlag(state.memmap, old, PG_ANON_EXCLUSIVE)
    setPte(state.pgtables, slot, pte | PTE_WRITE | PTE_DIRTY | PTE_ACCESSED)
    countVmEvent(state.vmstat, PGREUSE)
    charge(state, state.costs.minorFault)
    return FAULT_MINOR
  }
  const pfn = allocUserPage(state, task)
  if (pfn === 0) return failed(state)
  if (!isZero) {
    addMmCounter(state, mm.id, rssCounter(flags), -1)
    pageRemoveRmap(state, old, slot)
    if ((flags & PG_ANON) !== 0 && mapcount(state.memmap, old) === 0) freeAnonPage(state, old)
  }
  installAnon(state, mm, vma, slot, pfn)
  charge(state, state.costs.cowFault)
  return FAULT_MINOR
}

/** Nobody else holds the page: one mapping, and its swap slot (if any) can be let go. @kernel wp_can_reuse_anon_folio() */
function isSoleOwner(state: KernelState, pfn: Pfn): boolean {
  if (mapcount(state.memmap, pfn) !== 1) return false
  return !hasFlag(state.memmap, pfn, PG_SWAPCACHE) || tryToFreeSwap(state, pfn)
}

/** First access to a page of a file mapping. @kernel do_fault() */
function doFault(state: KernelState, task: Task, mm: Mm, vma: Vma, slot: number, isWrite: boolean): number {
  const inode = inodeAt(state, vma.ino)
  const index = vma.pgoff + (vpnOfSlot(state.pgtables, slot) - vma.start)
  if (index >= filePages(inode)) return FAULT_SIGBUS
  if (!isWrite && faultAround(state, mm, vma, slot)) {
    charge(state, state.costs.minorFault)
    return FAULT_MINOR
  }
  const pfn = isShmem(inode) ? shmemGetPage(state, task, inode, index) : filemapFault(state, task, vma, index)
  if (pfn === 0) return failed(state)
  if (isWrite && (vma.flags & VM_SHARED) === 0) return doCowFault(state, task, mm, vma, slot)
  if (isWrite) folioMarkDirty(state, pfn)
  const bits = PTE_ACCESSED | (isWrite ? PTE_WRITE | PTE_DIRTY : 0)
  mapFilePage(state, mm, slot, pfn, bits)
  // The rest of the window is mapped by the retry of the same fault (fault-around runs again when it was locked).
  charge(state, state.costs.minorFault)
  return FAULT_MINOR
}

function doCowFault(state: KernelState, task: Task, mm: Mm, vma: Vma, slot: number): number {
  const copy = allocUserPage(state, task)
  if (copy === 0) return failed(state)
  installAnon(state, mm, vma, slot, copy)
  charge(state, state.costs.cowFault)
  return FAULT_MINOR
}

function mapFilePage(state: KernelState, mm: Mm, slot: number, pfn: Pfn, bits: number): void {
  setPte(state.pgtables, slot, makePte(pfn, bits))
  pageAddRmap(state, pfn, slot)
  addMmCounter(state, mm.id, hasFlag(state.memmap, pfn, PG_SWAPBACKED) ? MM_SHMEMPAGES : MM_FILEPAGES, 1)
}

/** Window of the fault-around, as PTE indices of one table. @spec 04 §4.5 */
export function faultAroundWindow(pteIndex: number, vmaOffset: Pages, vmaPages: Pages): { from: number; to: number } {
  const nr = 16
  const from = Math.max(pteIndex - (pteIndex % nr), pteIndex - Math.min(pteIndex, vmaOffset))
  const to = Math.min(from + nr, ENTRIES_PER_TABLE, pteIndex + vmaPages - vmaOffset) - 1
  return { from, to }
}

/**
 * Maps what is cached around the address.
 * @returns whether the faulting page itself is mapped now
 * @kernel  do_fault_around(), filemap_map_pages()
 */
function faultAround(state: KernelState, mm: Mm, vma: Vma, slot: number): boolean {
  const t = state.pgtables
  const index = slot % ENTRIES_PER_TABLE
  const tableStart = slot - index
  const vmaOffset = t.base[slot >>> 9]! + index - vma.start
  const { from, to } = faultAroundWindow(index, vmaOffset, vma.end - vma.start)
  const inode = inodeAt(state, vma.ino)
  const size = filePages(inode)
  const ra = inode.mmapRa
  let mapped = 0
  for (let i = from; i <= to; i++) {
    const fileIndex = vma.pgoff + vmaOffset + (i - index)
    if (fileIndex >= size) break
    const pfn = findPage(inode, fileIndex)
    if (pfn === 0 || hasFlag(state.memmap, pfn, PG_LOCKED | PG_READAHEAD)) continue
    if (ra.mmapMiss > 0) ra.mmapMiss--
    if (pteAt(t, tableStart + i) !== 0) continue
    setPte(t, tableStart + i, makePte(pfn, PTE_ACCESSED))
    pageAddRmap(state, pfn, tableStart + i)
    mapped++
  }
  // One step of the counter for the whole window (6.2+), one a page before.
  const counter = isShmem(inode) ? MM_SHMEMPAGES : MM_FILEPAGES
  if (state.config.series !== '6.1') {
    if (mapped > 0) addMmCounter(state, mm.id, counter, mapped)
  } else for (let i = 0; i < mapped; i++) addMmCounter(state, mm.id, counter, 1)
  return isPresent(pteAt(t, slot))
}

/** mmap_miss above this stops read-around. @kernel MMAP_LOTSAMISS */
const MMAP_LOTSAMISS = 100

/**
 * The page of a disk file for a mapped access.
 * @returns 0 = waiting for I/O or no memory
 * @kernel  mm/filemap.c filemap_fault()
 */
function filemapFault(state: KernelState, task: Task, vma: Vma, index: number): Pfn {
  const inode = inodeAt(state, vma.ino)
  const ra = inode.mmapRa
  let pfn = findPage(inode, index)
  if (pfn === 0) {
    countMajor(state, task)
    if ((vma.flags & VM_RAND_READ) === 0) {
      if (ra.mmapMiss < 10 * MMAP_LOTSAMISS) ra.mmapMiss++
      if ((vma.flags & VM_SEQ_READ) !== 0 || ra.mmapMiss <= MMAP_LOTSAMISS) mmapReadAround(state, inode, ra, index)
    }
    pfn = findPage(inode, index)
    if (pfn === 0) {
      state.exec.suspendUntilNs = -1
      pfn = readSinglePage(state, inode, index)
    }
    if (pfn === 0) return 0
    state.exec.suspendUntilNs = -1
  } else {
    if (ra.mmapMiss > 0 && !hasFlag(state.memmap, pfn, PG_LOCKED)) ra.mmapMiss--
    if (testAndClearFlag(state.memmap, pfn, PG_READAHEAD)) {
      if (asyncReadahead(ra, index, 1, (from, limit) => nextMissing(inode, from, limit)))
        startReadahead(state, inode, ra)
      state.exec.suspendUntilNs = -1
      // 6.1 drops the lock for the I/O and marks the task's retry as major (spec 04 §4.5).
      if (state.config.series === '6.1') task.retry.faultWasMajor = true
    }
  }
  if (hasFlag(state.memmap, pfn, PG_LOCKED)) {
    suspendOnPage(state, pfn)
    return 0
  }
  return pfn
}

/**
 * A page that was swapped out is touched.
 * @kernel  do_swap_page()
 * @spec    04 §4.5 (Swap-in)
 */
function doSwapPage(state: KernelState, task: Task, mm: Mm, vma: Vma, slot: number, isWrite: boolean): number {
  const entry = pteSwapSlot(pteAt(state.pgtables, slot))
  let pfn = swapCacheGet(state, entry, vma)
  if (pfn === 0) {
    countMajor(state, task)
    pfn = swapReadFolio(state, entry, { mm, vma, vpn: vpnOfSlot(state.pgtables, slot) })
    if (pfn === 0) return failed(state)
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
  swapFree(state, entry)
  if (writable || vmSwapFull(state) || (vma.flags & VM_LOCKED) !== 0) {
    if (tryToFreeSwap(state, pfn)) setPte(state.pgtables, slot, pteAt(state.pgtables, slot) | PTE_DIRTY)
  }
  charge(state, state.costs.minorFault)
  return isWrite && !writable ? doWpPage(state, task, mm, vma, slot) : FAULT_MINOR
}

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
  if ((flags & PG_FILE) !== 0) {
    if ((pte & PTE_DIRTY) !== 0) folioMarkDirty(state, pfn)
    if ((pte & PTE_ACCESSED) !== 0 && (vma.flags & (VM_SEQ_READ | VM_RAND_READ)) === 0) folioMarkAccessed(state, pfn)
  }
  addMmCounter(state, mm.id, rssCounter(flags), -1)
  pageRemoveRmap(state, pfn, slot)
  if (mapcount(state.memmap, pfn) > 0) return true
  if ((flags & PG_ANON) !== 0) freeAnonPage(state, pfn)
  else if ((vma.flags & VM_LOCKED) !== 0) munlockFolio(state, pfn)
  return true
}

/**
 * Takes every page of the range out of the address space; tables stay.
 * @returns pages that were mapped
 * @kernel  zap_page_range(), zap_pte_range()
 */
export function zapRange(state: KernelState, mm: Mm, vma: Vma, start: Vpn, end: Vpn): Pages {
  let zapped = 0
  forEachPteTable(state, mm, start, end, (first, last) => {
    for (let slot = first; slot <= last; slot++) {
      const pte = pteAt(state.pgtables, slot)
      if (pte !== 0 && zapPte(state, mm, vma, slot, pte)) zapped++
    }
  })
  charge(state, zapped * state.costs.exitPage)
  return zapped
}
