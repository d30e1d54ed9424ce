/**
 * zswap: a page on its way to a swap device is compressed and stays in memory, in a pool of at most so many percent of it.
 * Its swap slot stays taken, so that the page can go on to the device when the pool is full.
 * @kernel  mm/zswap.c; 6.1: behind mm/frontswap.c
 * @spec    05 §5.12
 */
import type { Bytes, Pages, Pfn } from '../../util/units'
import { charge } from '../exec'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { COMPRESSORS } from './compressors'
import { GFP_BIT_KSWAPD_RECLAIM, GFP_BIT_NORETRY, GFP_BIT_NOWARN, GFP_KERNEL } from './gfp'
import { listLruAdd, listLruCount, type LruPlace } from './list_lru'
import { folioNid } from './lruvec'
import { memcgChargeBytes, memcgUnchargeBytes } from './memcontrol'
import { MEMCG_STAT_ZSWAP, MEMCG_STAT_ZSWAPPED, MEMCG_STAT_ZSWPIN, MEMCG_STAT_ZSWPOUT } from './memcg_stat'
import { memcgPages, modMemcgState } from './memcg_stat'
import { ROOT_MEMCG, memcgAt } from './memcg_tree'
import { PG_DIRTY, PG_RECLAIM, clearFlag, pageMemcg, setFlag } from './memmap'
import { COUNTER_MAX } from './page_counter'
import { cacheNumber } from './slab_state'
import { kmemCacheAlloc, kmemCacheFree, objectNid } from './slub'
import { RANDOM, SAME_FILLED } from './swap_contents'
import { ZSWPIN, ZSWPOUT, countVmEvent } from './vmstat'
import { zpoolFree, zpoolGfp, zpoolMalloc, zpoolMaxLength } from './zpool'
import { dropEmptyPool, entryLength, giveEntry, takeEntry, zswapPages, type ZswapTree } from './zswap_state'
import { PAGE_SIZE } from '../../util/units'

/** What of a swap area zswap needs to know. */
export interface ZswapArea {
  readonly base: number
  readonly pages: Pages
  readonly zswap: ZswapTree
}

/** struct zswap_entry has no cache of its own: it is merged into another one of its size. @kernel find_mergeable() */
const ENTRY_CACHE = { '6.1': 'vmap_area', '6.12': 'ftrace_event_field' } as const
/** Words in front of an object that tell whose it is, where the pool itself writes back. @kernel 6.1: struct zswap_header */
const HEADER: Bytes = 8

/** A page of equal words as lzo, lz4 and zstd leave it, roughly. @model a run of 4096 bytes, coded in tens */
const SAME_LENGTH: Bytes = 32

const isOld = (state: KernelState): boolean => state.config.series === '6.1'

// ---------------------------------------------------------------- limits

/** @kernel zswap_total_pages() */
export const zswapPoolPages = (state: KernelState): Pages => zswapPages(state.zswap)

/** @kernel zswap_max_pages() */
const maxPages = (state: KernelState): Pages => Math.floor((state.boot.totalPages * state.zswap.maxPoolPercent) / 100)

/** @kernel zswap_accept_thr_pages() */
export const zswapAcceptPages = (state: KernelState): Pages =>
  Math.floor((maxPages(state) * state.zswap.acceptThresholdPercent) / 100)

/**
 * Whether the pool takes no pages now. Once full it takes none until it has shrunk below the threshold.
 * @kernel  zswap_check_limits(); 6.1: zswap_is_full(), zswap_can_accept()
 */
function isFull(state: KernelState): boolean {
  const z = state.zswap
  const pages = zswapPages(z)
  const max = maxPages(state)
  if (isOld(state) ? pages > max : pages >= max) {
    z.counts.poolLimitHit++
    z.hasReachedFull = true
  } else if (z.hasReachedFull) {
    const accept = zswapAcceptPages(state)
    if (isOld(state) ? pages < accept : pages <= accept) z.hasReachedFull = false
  }
  return z.hasReachedFull
}

/** Whether limits of its groups let it store another page. @kernel mm/memcontrol.c obj_cgroup_may_zswap() */
function mayZswap(state: KernelState, memcgId: number): boolean {
  for (let id = memcgId; id > ROOT_MEMCG; id = memcgAt(state, id).parent) {
    const { zswapMax } = memcgAt(state, id)
    if (zswapMax === COUNTER_MAX) continue
    if (zswapMax === 0 || Math.floor(memcgPages(state, id, MEMCG_STAT_ZSWAP) / PAGE_SIZE) >= zswapMax) return false
  }
  return true
}

/** Whether its compressed pages may go on to the device. @kernel mm/memcontrol.c mem_cgroup_zswap_writeback_enabled() */
export function isZswapWritebackEnabled(state: KernelState, memcgId: number): boolean {
  for (let id = memcgId; id > ROOT_MEMCG; id = memcgAt(state, id).parent)
    if (!memcgAt(state, id).zswapWriteback) return false
  return true
}

// ---------------------------------------------------------------- entries

export const zswapEntryOf = (area: ZswapArea, offset: number): number => area.zswap.entries[offset] ?? 0

/** The list that an entry is on. @kernel zswap_lru_add(); 6.1: zpool's own */
const placeOf = (state: KernelState, pool: number, memcg: number, object: number): LruPlace =>
  isOld(state)
    ? { owner: pool, memcg: 0, nid: 0 }
    : { owner: 0, memcg: onlineOf(state, memcg), nid: objectNid(state, object) }

/** 0 for the root; a group that is gone left its entries to its parent. */
function onlineOf(state: KernelState, memcgId: number): number {
  let id = memcgId
  while (id > ROOT_MEMCG && !memcgAt(state, id).online) id = memcgAt(state, id).parent
  return id <= ROOT_MEMCG ? 0 : id
}

/** Entry, data and charge go. @kernel zswap_entry_free() */
export function zswapInvalidate(state: KernelState, area: ZswapArea, offset: number): void {
  const row = zswapEntryOf(area, offset)
  if (row === 0) return
  const z = state.zswap
  const e = z.entries
  const length = entryLength(z, row)
  const memcg = e.memcg[row]!
  area.zswap.entries[offset] = 0
  if (length === 0) z.sameFilled--
  else {
    const number = e.pool[row]!
    const pool = z.pools[number]!
    zpoolFree(state, pool.zpool, length)
    pool.entries--
    dropEmptyPool(z, number)
  }
  if (memcg !== 0) {
    modMemcgState(state, memcg, MEMCG_STAT_ZSWAPPED, -1)
    memcgUnchargeBytes(state, memcg, length, MEMCG_STAT_ZSWAP)
  }
  kmemCacheFree(state, e.object[row]!)
  giveEntry(z, row)
  z.stored--
}

// ---------------------------------------------------------------- store

/**
 * Takes a page that is being written to swap.
 * @returns false: it has to go to the device
 * @kernel  zswap_store(); 6.1: zswap_frontswap_store()
 * @simplifies  an older copy goes before the new one comes, as 6.1 does
 */
export function zswapStore(state: KernelState, area: ZswapArea, offset: number, pfn: Pfn): boolean {
  const z = state.zswap
  if (!z.isSetUp) return false
  zswapInvalidate(state, area, offset)
  if (!z.isEnabled) return false
  const memcg = pageMemcg(state.memmap, pfn) <= ROOT_MEMCG ? 0 : pageMemcg(state.memmap, pfn)
  if (!makeRoom(state, memcg)) {
    if (z.hasReachedFull) hooks.queueZswapShrink(state)
    return false
  }
  return storeEntry(state, area, offset, memcg)
}

/** @returns false: over a limit, and nothing could be done about it */
function makeRoom(state: KernelState, memcg: number): boolean {
  if (memcg !== 0 && !mayZswap(state, memcg)) {
    if (!isOld(state)) {
      if (!hooks.shrinkZswapMemcg(state, memcg)) return false
    } else {
      hooks.queueZswapShrink(state)
      return false
    }
  }
  return !isFull(state)
}

function storeEntry(state: KernelState, area: ZswapArea, offset: number, memcg: number): boolean {
  const z = state.zswap
  const object = kmemCacheAlloc(state, cacheNumber(state.slabs, ENTRY_CACHE[state.config.series]), GFP_KERNEL)
  if (object === 0) {
    z.counts.rejectKmemcacheFail++
    return false
  }
  const length = compress(state, area.zswap.contents[offset] ?? 0)
  if (length < 0) {
    kmemCacheFree(state, object)
    return false
  }
  if (area.zswap.entries.length === 0) area.zswap.entries = new Int32Array(area.pages + 1)
  const row = takeEntry(z.entries)
  const e = z.entries
  e.slot[row] = area.base + offset
  e.length[row] = length
  e.pool[row] = z.current
  e.memcg[row] = memcg
  e.referenced[row] = 1
  e.object[row] = object
  area.zswap.entries[offset] = row
  z.stored++
  if (memcg !== 0) {
    // Whoever frees memory may not fail here. @kernel obj_cgroup_charge_zswap()
    memcgChargeBytes(state, memcg, length, { item: MEMCG_STAT_ZSWAP, gfp: GFP_KERNEL })
    modMemcgState(state, memcg, MEMCG_STAT_ZSWAPPED, 1)
  }
  modMemcgState(state, memcg || ROOT_MEMCG, MEMCG_STAT_ZSWPOUT, 1)
  countVmEvent(state.vmstat, ZSWPOUT)
  if (length > 0) listLruAdd(z.lru, row, placeOf(state, z.current, memcg, object))
  return true
}

/**
 * Compresses into the current pool.
 * @returns length, 0 for a page of equal words; −1: it does not shrink enough, or there is no memory for it
 * @kernel  zswap_compress(); 6.1: zswap_is_page_same_filled()
 */
function compress(state: KernelState, contents: number): Bytes {
  const z = state.zswap
  if (isOld(state)) {
    if (contents === SAME_FILLED && z.isSameFilledEnabled) {
      z.sameFilled++
      return 0
    }
    if (!z.isNonSameFilledEnabled) return -1
  }
  const pool = z.pools[z.current]!
  const { compressNs, length } = COMPRESSORS[pool.compressor]!
  charge(state, compressNs)
  const { kind } = pool.zpool
  const shrunk = contents === SAME_FILLED ? SAME_LENGTH : length
  const stored = shrunk + (isOld(state) && kind !== 'zsmalloc' ? HEADER : 0)
  if (contents === RANDOM || stored > zpoolMaxLength(kind)) {
    z.counts.rejectCompressPoor++
    return -1
  }
  const gfp = GFP_BIT_NORETRY | GFP_BIT_NOWARN | GFP_BIT_KSWAPD_RECLAIM | zpoolGfp(kind)
  if (!zpoolMalloc(state, pool.zpool, stored, gfp)) {
    z.counts.rejectAllocFail++
    return -1
  }
  pool.entries++
  return stored
}

// ---------------------------------------------------------------- load

/** CPU time of getting an entry's page back. */
export function zswapDecompress(state: KernelState, row: number): void {
  const z = state.zswap
  const pool = z.pools[z.entries.pool[row]!]
  charge(state, entryLength(z, row) === 0 ? state.costs.fillPage : COMPRESSORS[pool!.compressor]!.decompressNs)
}

/**
 * Fills a frame of the swap cache. On 6.12 the copy goes with that, and the frame is dirty: nothing else holds its data.
 * @returns false: the slot's page is on the device
 * @kernel  zswap_load(); 6.1: zswap_frontswap_load(), which keeps its copy
 */
export function zswapLoad(state: KernelState, area: ZswapArea, offset: number, pfn: Pfn): boolean {
  const row = zswapEntryOf(area, offset)
  if (row === 0) return false
  zswapDecompress(state, row)
  countVmEvent(state.vmstat, ZSWPIN)
  modMemcgState(state, state.zswap.entries.memcg[row] || ROOT_MEMCG, MEMCG_STAT_ZSWPIN, 1)
  if (isOld(state)) return true
  zswapInvalidate(state, area, offset)
  setFlag(state.memmap, pfn, PG_DIRTY)
  clearFlag(state.memmap, pfn, PG_RECLAIM)
  return true
}

/** Entries of a group on a node that can be written back. @kernel list_lru_count_one() */
export const zswapListed = (state: KernelState, memcg: number, nid: number): number =>
  listLruCount(state.zswap.lru, { owner: 0, memcg, nid })

const NODES = 64
/** Key of a group's count of a node in diskSwapins. */
export const diskSwapinKey = (memcg: number, nid: number): number => memcg * NODES + nid

/** A page had to be read from the device: shrinking went too far. @kernel zswap_folio_swapin() */
export function noteDiskSwapin(state: KernelState, pfn: Pfn): void {
  if (isOld(state)) return
  const memcg = pageMemcg(state.memmap, pfn)
  const key = diskSwapinKey(memcg <= ROOT_MEMCG ? 0 : memcg, folioNid(state, pfn))
  state.zswap.diskSwapins[key] = (state.zswap.diskSwapins[key] ?? 0) + 1
}
