/**
 * Faults in mappings of files: fault-around, read-around on a miss, and the private copy.
 * @kernel  mm/memory.c do_fault(), mm/filemap.c filemap_fault()
 * @spec    04 §4.5
 */
import type { Pages, Pfn } from '../../util/units'
import { charge, suspendOnPage } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { FAULT_MINOR, FAULT_SIGBUS, allocUserPage, failed, installAnon } from './fault'
import { filePages, findPage, inodeAt, isShmem, mmapReadAround, readMarked, readSinglePage } from './filemap'
import { PG_LOCKED, PG_READAHEAD, PG_SWAPBACKED, hasFlag } from './memmap'
import { mlockFolio } from './mlock'
import {
  MM_FILEPAGES,
  MM_SHMEMPAGES,
  VM_DONTEXPAND,
  VM_LOCKED,
  VM_RAND_READ,
  VM_SEQ_READ,
  VM_SHARED,
  type Mm,
  type Vma,
} from './mm_types'
import { folioMarkDirty } from './page_writeback'
import {
  ENTRIES_PER_TABLE,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_WRITE,
  isPresent,
  makePte,
  pteAt,
  setPte,
  vpnOfSlot,
} from './pgtable'
import { RA_PAGES_MAX } from './readahead'
import { pageAddRmap } from './rmap'
import { addMmCounter } from './rss'
import { SHMEM_NOSPC, shmemGetPage } from './shmem'
import { countMajor } from './swap_fault'

/** First access to a page of a file mapping. @kernel do_fault() */
export function doFault(state: KernelState, task: Task, mm: Mm, vma: Vma, slot: number, isWrite: boolean): number {
  const inode = inodeAt(state, vma.ino)
  const index = vma.pgoff + (vpnOfSlot(state.pgtables, slot) - vma.start)
  if (index >= filePages(inode)) return FAULT_SIGBUS
  const isSpecial = (vma.flags & VM_DONTEXPAND) !== 0
  if (!isWrite && !isSpecial && faultAround(state, mm, vma, slot)) {
    charge(state, state.costs.minorFault)
    return FAULT_MINOR
  }
  const pfn = isShmem(inode) ? shmemGetPage(state, task, inode, index) : filemapFault(state, task, vma, index)
  if (pfn === SHMEM_NOSPC) return FAULT_SIGBUS
  if (pfn === 0) return failed(state)
  if (isWrite && (vma.flags & VM_SHARED) === 0) return doCowFault(state, task, mm, vma, slot)
  if (isWrite) folioMarkDirty(state, pfn)
  const bits = PTE_ACCESSED | (isWrite ? PTE_WRITE | PTE_DIRTY : 0)
  mapFilePage(state, mm, vma, slot, pfn, bits)
  // The rest of the window is mapped by the retry of the same fault (fault-around runs again when it was locked).
  charge(state, state.costs.minorFault)
  return FAULT_MINOR
}

function doCowFault(state: KernelState, task: Task, mm: Mm, vma: Vma, slot: number): number {
  const copy = allocUserPage(state, task, vma, slot)
  if (copy === 0) return failed(state)
  installAnon(state, mm, vma, slot, copy)
  charge(state, state.costs.cowFault)
  return FAULT_MINOR
}

function mapFilePage(state: KernelState, mm: Mm, vma: Vma, slot: number, pfn: Pfn, bits: number): void {
  setPte(state.pgtables, slot, makePte(pfn, bits))
  pageAddRmap(state, pfn, slot)
  addMmCounter(state, mm.id, hasFlag(state.memmap, pfn, PG_SWAPBACKED) ? MM_SHMEMPAGES : MM_FILEPAGES, 1)
  if ((vma.flags & VM_LOCKED) !== 0) mlockFolio(state, pfn)
}

/** Window of the fault-around, as PTE indices of one table. @kernel do_fault_around() @spec 04 §4.5 */
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
    if ((vma.flags & VM_LOCKED) !== 0) mlockFolio(state, pfn)
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
    // 6.1 drops the lock for the I/O and marks the task's retry as major (spec 04 §4.5).
    if (readMarked(state, inode, ra, { pfn, index, request: RA_PAGES_MAX }) && state.config.series === '6.1')
      task.retry.faultWasMajor = true
  }
  if (hasFlag(state.memmap, pfn, PG_LOCKED)) {
    suspendOnPage(state, pfn)
    return 0
  }
  return pfn
}
