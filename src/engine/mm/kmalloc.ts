/**
 * kmalloc: memory of any size for the kernel, from the cache of the next size class or whole pages.
 * @kernel  mm/slab_common.c kmalloc_slab(), mm/slub.c ___kmalloc_large_node()
 * @spec    03 §3.8
 */
import { AssertionError } from '../../util/assert'
import { PAGE_SIZE, type Bytes } from '../../util/units'
import type { KernelState } from '../state'
import { TRACE_KFREE, TRACE_KMALLOC, emit, isWanted } from '../trace'
import { GFP_BIT_ACCOUNT, GFP_BIT_COMP, GFP_BIT_DMA, GFP_BIT_RECLAIMABLE, MAX_PAGE_ORDER } from './gfp'
import { MEMCG_STAT_KERNEL, MEMCG_STAT_SLAB_UNRECLAIMABLE } from './memcg_stat'
import { modMemcgState } from './memcontrol'
import {
  hasFlag,
  PG_SLAB,
  PG_TAIL,
  pageMapping,
  pageMemcg,
  pageOrder,
  pageZoneIndex,
  setFlag,
  setFlagsOfRange,
  setPageMapping,
  setPageOrder,
} from './memmap'
import { memcgKmemChargePages, memcgKmemUnchargePages } from './obj_cgroup'
import { allocPages, freePages } from './page_alloc'
import { cacheNumber, slabHead } from './slab_state'
import { allocCharged, freeCharged } from './slub'
import { orderOfBytes } from './slub_size'
import { modStat, NR_SLAB_UNRECLAIMABLE } from './vmstat'

/** Sizes of the classes, bytes. @kernel include/linux/slab.h __kmalloc_index() */
export const KMALLOC_SIZES: readonly Bytes[] = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192]
/** Larger requests are whole pages. @kernel KMALLOC_MAX_CACHE_SIZE */
export const KMALLOC_MAX_CACHE_SIZE: Bytes = 8192
/** Larger requests than the largest block of the buddy system have no memory. @kernel KMALLOC_MAX_SIZE */
export const KMALLOC_MAX_SIZE: Bytes = PAGE_SIZE << MAX_PAGE_ORDER
/** What a request for nothing gets: an address that faults, and that kfree() ignores. @kernel ZERO_SIZE_PTR */
export const ZERO_SIZE_PTR = 16
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
 * @returns physical address; ZERO_SIZE_PTR for 0 bytes; 0 when there is no memory, the request is larger than
 *          KMALLOC_MAX_SIZE, the charge was refused, or the operation has to wait
 * @kernel  mm/slub.c __kmalloc()
 * @spec    03 §3.8
 */
export function kmalloc(state: KernelState, bytes: Bytes, gfp: number): number {
  const address = allocate(state, bytes, gfp)
  if (isWanted(TRACE_KMALLOC)) {
    const got = address === 0 ? 0 : ksize(state, address)
    emit(state, 'kmalloc', [address, bytes, got, gfp, -1, Number((gfp & GFP_BIT_ACCOUNT) !== 0)])
  }
  return address
}

/** @kernel mm/slub.c __do_kmalloc_node() */
function allocate(state: KernelState, bytes: Bytes, gfp: number): number {
  if (bytes === 0) return ZERO_SIZE_PTR
  if (bytes <= KMALLOC_MAX_CACHE_SIZE)
    return allocCharged(state, cacheNumber(state.slabs, kmallocCacheName(bytes, gfp)), gfp & ~GFP_BIT_RECLAIMABLE)
  return bytes > KMALLOC_MAX_SIZE ? 0 : kmallocLarge(state, bytes, gfp)
}

/** @kernel mm/slub.c ___kmalloc_large_node(), mm/memcontrol.c __memcg_kmem_charge_page() */
function kmallocLarge(state: KernelState, bytes: Bytes, gfp: number): number {
  const order = orderOfBytes(bytes)
  const pfn = allocPages(state, (gfp & ~GFP_BIT_ACCOUNT) | GFP_BIT_COMP, order)
  if (pfn === 0) return 0
  if ((gfp & GFP_BIT_ACCOUNT) !== 0 && !memcgKmemChargePages(state, pfn, 1 << order, gfp)) {
    freePages(state, pfn, order)
    return 0
  }
  setFlag(state.memmap, pfn, PG_SLAB)
  setPageOrder(state.memmap, pfn, order)
  setFlagsOfRange(state.memmap, pfn + 1, (1 << order) - 1, PG_TAIL)
  setPageMapping(state.memmap, pfn, LARGE_KMALLOC, 0)
  accountLarge(state, pfn, 1 << order)
  return pfn * PAGE_SIZE
}

const isLarge = (state: KernelState, pfn: number): boolean =>
  hasFlag(state.memmap, pfn, PG_SLAB) && pageMapping(state.memmap, pfn) === LARGE_KMALLOC

/**
 * Bytes that really belong to a block.
 * @param address  from kmalloc()
 * @kernel  mm/slab_common.c __ksize()
 */
export function ksize(state: KernelState, address: number): Bytes {
  if (address === ZERO_SIZE_PTR) return 0
  const pfn = Math.floor(address / PAGE_SIZE)
  if (isLarge(state, pfn)) return PAGE_SIZE << pageOrder(state.memmap, pfn)
  const head = slabHead(state.memmap, pfn)
  if (head === 0) throw new AssertionError(`ksize of address ${address}, which kmalloc did not give`)
  return state.slabs.caches[pageMapping(state.memmap, head)]!.size
}

/** @kernel mm/slub.c kfree() */
export function kfree(state: KernelState, address: number): void {
  if (isWanted(TRACE_KFREE)) emit(state, 'kfree', [address])
  if (address === ZERO_SIZE_PTR || address === 0) return
  const pfn = Math.floor(address / PAGE_SIZE)
  const m = state.memmap
  if (!isLarge(state, pfn)) {
    if (slabHead(m, pfn) === 0) throw new AssertionError(`kfree of address ${address}, which kmalloc did not give`)
    freeCharged(state, address)
    return
  }
  const order = pageOrder(m, pfn)
  accountLarge(state, pfn, -(1 << order))
  memcgKmemUnchargePages(state, pfn, 1 << order)
  setFlagsOfRange(m, pfn, 1 << order, 0)
  freePages(state, pfn, order)
}

/** Large blocks count as unreclaimable slab. @kernel mm/slub.c ___kmalloc_large_node() */
function accountLarge(state: KernelState, pfn: number, pages: number): void {
  const { nid } = state.zones[pageZoneIndex(state.memmap, pfn)]!
  modStat(state.nodes[nid]!.stat, NR_SLAB_UNRECLAIMABLE, pages)
  const memcg = pageMemcg(state.memmap, pfn)
  if (memcg !== 0) {
    modMemcgState(state, memcg, MEMCG_STAT_SLAB_UNRECLAIMABLE, pages * PAGE_SIZE, nid)
    modMemcgState(state, memcg, MEMCG_STAT_KERNEL, pages, nid)
  }
  state.slabs.largePages += pages
}
