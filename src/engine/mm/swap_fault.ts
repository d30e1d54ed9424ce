/**
 * Swap entries seen from page tables and files: letting slots and cached frames go, and bringing tmpfs pages back.
 * @kernel  mm/swapfile.c free_swap_and_cache(), mm/shmem.c shmem_swapin_folio()
 * @spec    04 §4.5, §4.7
 */
import type { Pfn } from '../../util/units'
import { taskMemcg } from '../cgroup'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { unqueueDeferredSplit } from './deferred_split'
import { dissolveLargeFolio, folioOrder } from './folio'
import {
  PG_ANON,
  PG_HEAD,
  PG_LOCKED,
  PG_SWAPCACHE,
  PG_WRITEBACK,
  clearFlag,
  hasFlag,
  mapcount,
  pageMapping,
  pageMemcg,
  setPageMemcg,
} from './memmap'
import { modMemcgState } from './memcontrol'
import { unchargePage, unchargePages } from './memcg_uncharge'
import { MEMCG_PGMAJFAULT } from './memcg_stat'
import { clearMlocked } from './mlock'
import { freeUnrefPage } from './pcp'
import { lruDel } from './swap'
import { swapCacheGet, swapReadFolio } from './swap_state'
import { deleteFromSwapCache, swapCacheLookup, swapCount, swapFree } from './swapfile'
import { PGMAJFAULT, countVmEvent } from './vmstat'

/** The handler itself has to start I/O: counted once, where it is found out. */
export function countMajor(state: KernelState, task: Task): void {
  countVmEvent(state.vmstat, PGMAJFAULT)
  modMemcgState(state, taskMemcg(state, task), MEMCG_PGMAJFAULT, 1)
  task.retry.faultWasMajor = true
}

/** A frame, or a large folio, that nobody maps and no cache holds. @kernel mm/swap.c __folio_put() */
export function releaseFrame(state: KernelState, pfn: Pfn): void {
  if (hasFlag(state.memmap, pfn, PG_HEAD)) return releaseLargeFolio(state, pfn)
  lruDel(state, pfn)
  clearMlocked(state, pfn)
  const memcg = pageMemcg(state.memmap, pfn)
  clearFlag(state.memmap, pfn, ~0)
  setPageMemcg(state.memmap, pfn, 0)
  unchargePage(state, memcg)
  freeUnrefPage(state, pfn, 0)
}

/** @kernel mm/page_alloc.c destroy_large_folio() */
function releaseLargeFolio(state: KernelState, head: Pfn): void {
  const m = state.memmap
  const order = folioOrder(m, head)
  lruDel(state, head)
  clearMlocked(state, head)
  unqueueDeferredSplit(state, head)
  const memcg = pageMemcg(m, head)
  dissolveLargeFolio(m, head)
  setPageMemcg(m, head, 0)
  unchargePages(state, memcg, 1 << order)
  freeUnrefPage(state, head, order)
}

/**
 * Takes a frame out of the swap cache when no page table or file refers to its slot.
 * @returns whether it is out
 * @kernel  folio_free_swap()
 */
export function tryToFreeSwap(state: KernelState, pfn: Pfn): boolean {
  if (!hasFlag(state.memmap, pfn, PG_SWAPCACHE)) return true
  if (hasFlag(state.memmap, pfn, PG_WRITEBACK | PG_LOCKED)) return false
  if (swapCount(state, pageMapping(state.memmap, pfn) - 1) > 0) return false
  deleteFromSwapCache(state, pfn)
  return true
}

/** A page table gives up a swap entry. @kernel free_swap_and_cache() */
export function freeSwapAndCache(state: KernelState, slot: number): void {
  const pfn = swapCacheLookup(state, slot)
  swapFree(state, slot)
  if (pfn === 0 || mapcount(state.memmap, pfn) > 0) return
  if (tryToFreeSwap(state, pfn)) releaseFrame(state, pfn)
}

/**
 * The frame of a tmpfs page that was swapped out; PG_LOCKED while it is being read.
 * @returns 0 = no memory, charge refused, or waiting
 */
export function swapinForShmem(state: KernelState, task: Task | undefined, slot: number): Pfn {
  const cached = swapCacheGet(state, slot)
  if (cached !== 0) return cached
  if (task !== undefined) countMajor(state, task)
  return swapReadFolio(state, slot)
}

/** The file takes the frame back: slot and swap cache let go of it. */
export function swapCacheRemove(state: KernelState, pfn: Pfn, slot: number): void {
  swapFree(state, slot)
  deleteFromSwapCache(state, pfn)
  clearFlag(state.memmap, pfn, PG_ANON)
}
