/**
 * zswap as plain data: settings, pools, the table of entries, and the counts that debugfs shows. What is done with it is in
 * zswap.ts (store, load), zswap_shrink.ts (writing back) and zswap_params.ts (settings).
 * @kernel  mm/zswap.c
 * @spec    05 §5.12
 */
import type { Bytes, Pages } from '../../util/units'
import { createListLru, listLruDel, type ListLru } from './list_lru'
import { createZpool, type Zpool, type ZpoolKind } from './zpool'

export interface ZswapPool {
  readonly compressor: string
  readonly zpool: Zpool
  /** Entries whose data lie in it; a pool that is no longer current goes with the last one. */
  entries: number
}

/** What debugfs shows besides sizes. @kernel mm/zswap.c zswap_debugfs_init() */
export interface ZswapCounts {
  poolLimitHit: number
  rejectReclaimFail: number
  rejectAllocFail: number
  rejectKmemcacheFail: number
  rejectCompressFail: number
  rejectCompressPoor: number
  writtenBackPages: number
  duplicateEntry: number
}

/** One row an entry; row 0 is nobody's. Owner: this file, zswap.ts */
export interface ZswapEntries {
  rows: number
  /** Linked through `slot`. */
  freeRow: number
  /** Global swap slot. */
  slot: Int32Array
  /** Bytes in the pool; 0 = all words of the page are the same. */
  length: Uint16Array
  /** Number of the pool. */
  pool: Uint8Array
  /** Group that pays, 0 the root. */
  memcg: Uint16Array
  /** Second chance of 6.12. */
  referenced: Uint8Array
  /** Where its struct zswap_entry is. */
  object: Float64Array
}

export interface Zswap {
  isEnabled: boolean
  /** Pools exist: at boot on 6.1, with the first `enabled` on 6.12. */
  isSetUp: boolean
  /** As the parameters show them. */
  compressor: string
  zpool: string
  maxPoolPercent: number
  acceptThresholdPercent: number
  /** 6.12: reclaim shrinks the pool as it shrinks caches. */
  isShrinkerEnabled: boolean
  /** 6.1. */
  isSameFilledEnabled: boolean
  isNonSameFilledEnabled: boolean
  /** By number; undefined = gone. */
  readonly pools: (ZswapPool | undefined)[]
  /** Number of the pool that new pages go to. */
  current: number
  /** The limit was hit, and the pool has not fallen below the threshold since. */
  hasReachedFull: boolean
  /** The shrink worker is queued. */
  isShrinking: boolean
  /** Group at which the worker goes on. */
  nextShrink: number
  stored: Pages
  sameFilled: Pages
  readonly counts: ZswapCounts
  readonly entries: ZswapEntries
  /** Oldest first: of each group on each node, on 6.1 of each pool. */
  readonly lru: ListLru
  /** memcg * 64 + node → pages read from the disk lately, which the shrinker takes as too much shrinking. */
  readonly diskSwapins: Record<number, number>
}

/** What of a swap area belongs to zswap. */
export interface ZswapTree {
  /** Row of each slot's entry, 0 none; empty until zswap is set up and a page comes. Index: offset. */
  entries: Int32Array
  /** What is known of each slot's page: see swap_contents.ts. Index: offset. */
  contents: Uint8Array
}

export const createZswapTree = (): ZswapTree => ({ entries: new Int32Array(0), contents: new Uint8Array(0) })

/**
 * As a kernel boots that nobody told anything on its command line: off. Debian builds both with lzo, and zbud into the
 * kernel ("zbud: loaded" in its boot log), which is what mainline 6.1 chose by default.
 * @kernel CONFIG_ZSWAP_COMPRESSOR_DEFAULT, CONFIG_ZSWAP_ZPOOL_DEFAULT
 */
export const createZswap = (): Zswap => ({
  isEnabled: false,
  isSetUp: false,
  compressor: 'lzo',
  zpool: 'zbud',
  maxPoolPercent: 20,
  acceptThresholdPercent: 90,
  isShrinkerEnabled: false,
  isSameFilledEnabled: true,
  isNonSameFilledEnabled: true,
  pools: [],
  current: 0,
  hasReachedFull: false,
  isShrinking: false,
  nextShrink: 0,
  stored: 0,
  sameFilled: 0,
  counts: {
    poolLimitHit: 0,
    rejectReclaimFail: 0,
    rejectAllocFail: 0,
    rejectKmemcacheFail: 0,
    rejectCompressFail: 0,
    rejectCompressPoor: 0,
    writtenBackPages: 0,
    duplicateEntry: 0,
  },
  entries: createEntries(),
  lru: createListLru(),
  diskSwapins: {},
})

const createEntries = (): ZswapEntries => ({
  rows: 1,
  freeRow: 0,
  slot: new Int32Array(64),
  length: new Uint16Array(64),
  pool: new Uint8Array(64),
  memcg: new Uint16Array(64),
  referenced: new Uint8Array(64),
  object: new Float64Array(64),
})

/** Makes a pool of this kind the current one; one that exists is taken again. @kernel zswap_pool_find_get(), zswap_pool_create() */
export function usePool(z: Zswap, compressor: string, kind: ZpoolKind): void {
  z.isSetUp = true
  const found = z.pools.findIndex((p) => p !== undefined && p.compressor === compressor && p.zpool.kind === kind)
  const free = z.pools.indexOf(undefined)
  const at = found >= 0 ? found : free >= 0 ? free : z.pools.length
  z.pools[at] ??= { compressor, zpool: createZpool(kind), entries: 0 }
  const old = z.current
  z.current = at
  dropEmptyPool(z, old)
}

/** A pool that takes no pages any more goes with its last one. @kernel zswap_pool_put() */
export function dropEmptyPool(z: Zswap, pool: number): void {
  if (pool !== z.current && z.pools[pool]?.entries === 0) z.pools[pool] = undefined
}

function grow(e: ZswapEntries): void {
  const n = 2 * e.rows
  const longer = <T extends Int32Array | Uint16Array | Uint8Array | Float64Array>(column: T, made: T): T => {
    made.set(column)
    return made
  }
  e.slot = longer(e.slot, new Int32Array(n))
  e.length = longer(e.length, new Uint16Array(n))
  e.pool = longer(e.pool, new Uint8Array(n))
  e.memcg = longer(e.memcg, new Uint16Array(n))
  e.referenced = longer(e.referenced, new Uint8Array(n))
  e.object = longer(e.object, new Float64Array(n))
}

/** A free row of the table. */
export function takeEntry(e: ZswapEntries): number {
  if (e.freeRow !== 0) {
    const row = e.freeRow
    e.freeRow = e.slot[row]!
    return row
  }
  if (e.rows === e.slot.length) grow(e)
  return e.rows++
}

/** The row is nobody's any more. */
export function giveEntry(z: Zswap, row: number): void {
  listLruDel(z.lru, row)
  z.entries.slot[row] = z.entries.freeRow
  z.entries.freeRow = row
}

/** Frames of all pools. @kernel zswap_total_pages() */
export function zswapPages(z: Zswap): Pages {
  let pages = 0
  for (const pool of z.pools) if (pool !== undefined) pages += pool.zpool.frames.length
  return pages
}

/** Slot, length and group of an entry. */
export const entrySlot = (z: Zswap, row: number): number => z.entries.slot[row]!
export const entryLength = (z: Zswap, row: number): Bytes => z.entries.length[row]!
export const entryMemcg = (z: Zswap, row: number): number => z.entries.memcg[row]!
