/**
 * tmpfs pages: found in the file, brought back from swap, or made new and zeroed.
 * @kernel  mm/shmem.c shmem_get_folio_gfp()
 * @spec    04 §4.5 (shmem / shared anonymous)
 */
import type { Pfn } from '../../util/units'
import { isSuspended, suspendOnPage } from '../exec'
import type { Inode } from '../fs_types'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { attach, findPage, newCachePage, shmemSwapSlot } from './filemap'
import { PG_DIRTY, PG_FILE, PG_LOCKED, PG_SWAPBACKED, hasFlag, setFlag } from './memmap'
import { vmEnoughMemory, vmUnacctMemory } from './overcommit'
import { swapCacheRemove, swapinForShmem } from './swap_fault'

/** No frame, because no memory may be promised: ENOSPC for a write, SIGBUS for an access. */
export const SHMEM_NOSPC = -1

/**
 * @param task  that faults; undefined for read(2) and write(2), which count no fault
 * @returns 0 = no memory, charge refused, or waiting for the swap device; or SHMEM_NOSPC
 * @kernel  shmem_get_folio_gfp(), shmem_swapin_folio()
 */
export function shmemGetPage(state: KernelState, task: Task | undefined, inode: Inode, index: number): Pfn {
  const cached = findPage(inode, index)
  if (cached !== 0) return cached
  const slot = shmemSwapSlot(inode, index)
  if (slot < 0) return shmemNewPage(state, inode, index)
  const pfn = swapinForShmem(state, task, slot)
  if (pfn === 0) return 0
  if (hasFlag(state.memmap, pfn, PG_LOCKED)) {
    suspendOnPage(state, pfn)
    return 0
  }
  inode.pages[index] = 0
  swapCacheRemove(state, pfn, slot)
  setFlag(state.memmap, pfn, PG_FILE | PG_SWAPBACKED | PG_DIRTY)
  attach(state, inode, index, pfn)
  return isSuspended(state) ? 0 : pfn
}

/** A zeroed page for a hole, promised and charged. @kernel shmem_alloc_and_add_folio(), shmem_inode_acct_blocks() */
export function shmemNewPage(state: KernelState, inode: Inode, index: number): Pfn {
  if (!inode.isReserved && !vmEnoughMemory(state, undefined, 1)) return SHMEM_NOSPC
  const pfn = newCachePage(state, inode, index, 0)
  if (pfn !== 0) {
    setFlag(state.memmap, pfn, PG_DIRTY)
    if (!inode.isReserved) inode.committed++
  } else if (!inode.isReserved) vmUnacctMemory(state, 1)
  return pfn
}

/** A page of the file is given up, in memory or in swap. @kernel shmem_recalc_inode() */
export function shmemUnaccount(state: KernelState, inode: Inode): void {
  if (inode.isReserved) return
  inode.committed--
  vmUnacctMemory(state, 1)
}
