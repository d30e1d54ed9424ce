/**
 * kmalloc: memory of any size for the kernel, from the cache of the next size class or whole pages.
 * @kernel  mm/slab_common.c kmalloc_slab(), mm/slub.c ___kmalloc_large_node()
 * @spec    03 §3.8
 */
import { AssertionError } from '../../util/assert'
import { PAGE_SIZE, type Bytes } from '../../util/units'
import type { KernelState } from '../state'
import { GFP_BIT_ACCOUNT, GFP_BIT_COMP, GFP_BIT_DMA, GFP_BIT_RECLAIMABLE } from './gfp'
import {
  hasFlag,
  PG_SLAB,
  PG_TAIL,
  pageMapping,
  pageOrder,
  pageZoneIndex,
  setFlag,
  setFlagsOfRange,
  setPageMapping,
  setPageOrder,
} from './memmap'
import { allocPages, freePages } from './page_alloc'
import { cacheNumber, slabHead } from './slab_state'
import { kmemCacheAlloc, kmemCacheFree } from './slub'
import { orderOfBytes } from './slub_size'
import { modStat, NR_SLAB_UNRECLAIMABLE } from './vmstat'

/** Sizes of the classes, bytes. @kernel include/linux/slab.h __kmalloc_index() */
export const KMALLOC_SIZES: readonly Bytes[] = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192]
/** Larger requests are whole pages. @kernel KMALLOC_MAX_CACHE_SIZE */
export const KMALLOC_MAX_CACHE_SIZE: Bytes = 8192
/** In a frame's `mapping`: a large kmalloc starts here. Caches are numbered from 0. */
const LARGE_KMALLOC = -1

/** @kernel include/linux/slab.h kmalloc_type() */
function familyOf(gfp: number): string {
  if ((gfp & GFP_BIT_DMA) !== 0) return 'dma-kmalloc'
  if ((gfp & GFP_BIT_RECLAIMABLE) !== 0) return 'kmalloc-rcl'
  return (gfp & GFP_BIT_ACCOUNT) !== 0 ? 'kmalloc-cg' : 'kmalloc'
}

/**
 * Name of the cache that serves a request.
 * @param bytes  1 … KMALLOC_MAX_CACHE_SIZE
 * @kernel  mm/slab_common.c kmalloc_slab()
 * @spec    03 §3.8
 */
export function kmallocCacheName(bytes: Bytes, gfp: number): string {
  const size = KMALLOC_SIZES.find((n) => n >= bytes) ?? KMALLOC_MAX_CACHE_SIZE
  return `${familyOf(gfp)}-${size >= 1024 ? `${size / 1024}k` : size}`
}

/**
 * @param bytes  more than 0; kmalloc(0) allocates nothing
 * @returns physical address; 0 when there is no memory, the charge was refused, or the operation has to wait
 * @kernel  mm/slub.c __kmalloc()
 * @spec    03 §3.8
 * @simplifies  large blocks are not charged to a group
 */
export function kmalloc(state: KernelState, bytes: Bytes, gfp: number): number {
  if (bytes <= KMALLOC_MAX_CACHE_SIZE)
    return kmemCacheAlloc(state, cacheNumber(state.slabs, kmallocCacheName(bytes, gfp)), gfp & ~GFP_BIT_RECLAIMABLE)
  const order = orderOfBytes(bytes)
  const pfn = allocPages(state, (gfp & ~GFP_BIT_ACCOUNT) | GFP_BIT_COMP, order)
  if (pfn === 0) return 0
  setFlag(state.memmap, pfn, PG_SLAB)
  setPageOrder(state.memmap, pfn, order)
  setFlagsOfRange(state.memmap, pfn + 1, (1 << order) - 1, PG_TAIL)
  setPageMapping(state.memmap, pfn, LARGE_KMALLOC, 0)
  accountLarge(state, pfn, 1 << order)
  return pfn * PAGE_SIZE
}

/** @kernel mm/slub.c kfree() */
export function kfree(state: KernelState, address: number): void {
  const pfn = Math.floor(address / PAGE_SIZE)
  const m = state.memmap
  if (!hasFlag(m, pfn, PG_SLAB) || pageMapping(m, pfn) !== LARGE_KMALLOC) {
    if (slabHead(m, pfn) === 0) throw new AssertionError(`kfree of address ${address}, which kmalloc did not give`)
    kmemCacheFree(state, address)
    return
  }
  const order = pageOrder(m, pfn)
  accountLarge(state, pfn, -(1 << order))
  setFlagsOfRange(m, pfn, 1 << order, 0)
  freePages(state, pfn, order)
}

/** Large blocks count as unreclaimable slab. @kernel mm/slub.c ___kmalloc_large_node() */
function accountLarge(state: KernelState, pfn: number, pages: number): void {
  modStat(state.nodes[state.zones[pageZoneIndex(state.memmap, pfn)]!.nid]!.stat, NR_SLAB_UNRECLAIMABLE, pages)
  state.slabs.largePages += pages
}
