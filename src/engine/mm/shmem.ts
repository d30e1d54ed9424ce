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
import { swapCacheRemove, swapinForShmem } from './swap_fault'

/**
 * @returns 0 = no memory, charge refused, or waiting for the swap device
 * @kernel  shmem_get_folio_gfp(), shmem_swapin_folio()
 */
export function shmemGetPage(state: KernelState, task: Task, inode: Inode, index: number): Pfn {
  const cached = findPage(inode, index)
  if (cached !== 0) return cached
  const slot = shmemSwapSlot(inode, index)
  if (slot < 0) {
    const pfn = newCachePage(state, inode, index, 0)
    if (pfn !== 0) setFlag(state.memmap, pfn, PG_DIRTY)
    return pfn
  }
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
