/**
 * Swap areas and their slots: switching on, finding a free slot, counting its users, and the swap cache that ties a
 * frame to its slot.
 * @kernel  mm/swapfile.c, mm/swap_state.c
 * @spec    05 §5.12
 */
import { AssertionError, assert } from '../../util/assert'
import type { Errno } from '../../util/errno'
import { PAGE_SIZE, type Pages, type Pfn } from '../../util/units'
import { klog } from '../klog'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { memcgSwapCharge, memcgSwapUncharge, memcgUncharge } from './memcontrol'
import { MEMCG_STAT_FILE, MEMCG_STAT_SWAPCACHED, modMemcgState } from './memcg_stat'
import { folioNid } from './lruvec'
import {
  PG_DIRTY,
  PG_FILE,
  PG_LOCKED,
  PG_LRU,
  PG_LRU_BATCH,
  PG_SWAPCACHE,
  PG_WRITEBACK,
  clearFlag,
  hasFlag,
  mapcount,
  pageMapping,
  pageMemcg,
  setFlag,
  setFlags,
  setPageMapping,
  setPageMemcg,
} from './memmap'
import { freeUnrefPage } from './pcp'
import { lruDel } from './swap'
import { CLUSTER_SLOTS, findSlot, pickArea } from './swap_slots'
import { contentsOf } from './swap_contents'
import { zramFree, zramWrite, type Zram } from './zram'
import { zswapInvalidate } from './zswap'
import { createZswapTree, type ZswapTree } from './zswap_state'
import { createSwapTree, giveSwapTreeSlot, needSwapTreeNode, takeSwapTreeSlot, type SwapTree } from './swap_tree'
import { NR_FILE_PAGES, NR_SWAPCACHED, modStat } from './vmstat'

export { nrSwapPages, totalSwapPages, vmSwapFull } from './swap_space'

export interface SwapArea {
  /** Path as swapon was told. */
  readonly path: string
  /** Index into state.devices. */
  readonly device: number
  readonly priority: number
  readonly kind: 'partition' | 'file'
  /** Usable slots; offset 0 holds the header. */
  readonly pages: Pages
  used: Pages
  /** Global slot number = base + offset, offsets from 1 to `pages`: slots of all areas share one space. */
  readonly base: number
  /** Uses of each slot by PTEs and tmpfs files, and SLOT_HAS_CACHE. Index: offset. */
  readonly map: Uint16Array
  /** Frame in the swap cache, 0 none. */
  readonly cache: Int32Array
  /** Memcg that the slot is charged to. */
  readonly memcg: Uint16Array
  /** What workingset.ts left when the page was evicted, 0 none. */
  readonly shadow: Float64Array
  readonly tree: SwapTree
  /** Slots whose pages lie compressed in memory. Owner: zswap.ts */
  readonly zswap: ZswapTree
  /** Where the next search begins, for a device without per-CPU clusters. */
  clusterNext: number
  /** Slots in use of each cluster of 512. */
  readonly clusterUsed: Uint16Array
  /** Offset at which each CPU goes on, 0 = it has no cluster. */
  readonly cpuNext: number[]
  /** Areas of equal priority take turns: the one with the lowest number is next. */
  turn: number
  /** Slots that each CPU still takes here before the next area has its turn. */
  readonly cpuLeft: number[]
  enabled: boolean
}

const SLOT_HAS_CACHE = 0x8000
const SLOT_COUNT = 0x7fff

// ---------------------------------------------------------------- areas

/** Writes a swap header. @kernel mkswap(8) */
export function mkswap(state: KernelState, path: string): Errno | undefined {
  const device = state.devices.find((d) => d.path === path)
  if (device === undefined) return 'ENOENT'
  if (state.swapAreas.some((a) => a.path === path)) return 'EBUSY'
  if (device.zram !== undefined && !zramWrite(state, device.zram, 0)) return 'EIO'
  device.isSwapFormatted = true
  return undefined
}

/**
 * Puts a formatted device into use.
 * @param priority  higher is used first; undefined: below all areas so far
 * @kernel  mm/swapfile.c swapon()
 */
export function swapon(state: KernelState, path: string, priority?: number): Errno | undefined {
  const device = state.devices.findIndex((d) => d.path === path)
  if (device < 0) return 'ENOENT'
  if (state.swapAreas.some((a) => a.path === path)) return 'EBUSY'
  const d = state.devices[device]!
  if (!d.isSwapFormatted || d.sizeBytes < 10 * PAGE_SIZE) return 'EINVAL'
  const pages = Math.floor(d.sizeBytes / PAGE_SIZE) - 1
  const lowest = state.swapAreas.reduce((low, a) => Math.min(low, a.priority), -1)
  const base = state.swapAreas.reduce((end, a) => Math.max(end, a.base + a.pages + 1), 0)
  const area: SwapArea = {
    path,
    device,
    priority: priority ?? lowest - 1,
    kind: 'partition',
    pages,
    used: 0,
    base,
    map: new Uint16Array(pages + 1),
    cache: new Int32Array(pages + 1),
    memcg: new Uint16Array(pages + 1),
    shadow: new Float64Array(pages + 1),
    tree: createSwapTree(pages),
    zswap: createZswapTree(),
    clusterNext: 1,
    clusterUsed: new Uint16Array(Math.ceil((pages + 1) / CLUSTER_SLOTS)),
    cpuNext: [],
    turn: 0,
    cpuLeft: [],
    enabled: true,
  }
  state.swapAreas.push(area)
  state.swapAreas.sort((a, b) => b.priority - a.priority || a.base - b.base)
  klog(
    state,
    `Adding ${pages * 4}k swap on ${path}.  Priority:${area.priority} extents:1 across:${pages * 4}k ${d.rotational ? '' : 'SS'}`,
  )
  return undefined
}

/** Area of a global slot. @kernel swp_swap_info() */
export function areaOfSlot(state: KernelState, slot: number): SwapArea {
  for (const area of state.swapAreas) if (slot > area.base && slot <= area.base + area.pages) return area
  throw new AssertionError(`swap slot ${slot} belongs to no area`)
}

/** Group that the slot is charged to. @kernel lookup_swap_cgroup_id() */
export function slotMemcg(state: KernelState, slot: number): number {
  const area = areaOfSlot(state, slot)
  return area.memcg[slot - area.base]!
}

/** PTEs and files that refer to the slot. @kernel swap_count() */
export function swapCount(state: KernelState, slot: number): number {
  const area = areaOfSlot(state, slot)
  return area.map[slot - area.base]! & SLOT_COUNT
}

/** Frame that the swap cache holds for the slot, 0 none. @kernel filemap_get_folio() on the swap address space */
export function swapCacheLookup(state: KernelState, slot: number): Pfn {
  const area = areaOfSlot(state, slot)
  return area.cache[slot - area.base]!
}

function takeSlot(area: SwapArea, offset: number): void {
  if (area.map[offset] !== 0) throw new AssertionError(`slot ${offset} of ${area.path} is taken twice`)
  area.map[offset] = SLOT_HAS_CACHE
  area.clusterUsed[Math.floor(offset / CLUSTER_SLOTS)]!++
  area.used++
}

/** Nobody needs the slot any more. @kernel swap_entry_free() */
function releaseSlot(state: KernelState, area: SwapArea, offset: number): void {
  area.map[offset] = 0
  if (area.shadow[offset] !== 0) giveSwapTreeSlot(state, area.tree, offset)
  area.shadow[offset] = 0
  area.clusterUsed[Math.floor(offset / CLUSTER_SLOTS)]!--
  area.used--
  const zram = state.devices[area.device]!.zram
  if (zram !== undefined) zramFree(state, zram, offset)
  if (state.zswap.stored > 0) zswapInvalidate(state, area, offset)
  const memcg = area.memcg[offset]!
  area.memcg[offset] = 0
  if (memcg !== 0) memcgSwapUncharge(state, memcg, 1)
}

/** Who will compress the page has to know whether it shrinks. */
function noteContents(state: KernelState, area: SwapArea, offset: number, pfn: Pfn): void {
  const zram = state.devices[area.device]!.zram
  if (zram !== undefined) zram.contents[offset] = contentsOf(state, pfn)
  if (!state.zswap.isSetUp) return
  if (area.zswap.contents.length === 0) area.zswap.contents = new Uint8Array(area.pages + 1)
  area.zswap.contents[offset] = contentsOf(state, pfn)
}

/**
 * Gives a frame a slot and puts it into the swap cache; it is dirty until written. A tmpfs page leaves its file, whose
 * entry becomes the slot.
 * @returns false when swap is full, the group may not use more, or the swap cache cannot grow
 * @kernel  mm/swap_state.c add_to_swap(), mm/shmem.c shmem_writepage()
 */
export function folioAllocSwap(state: KernelState, pfn: Pfn): boolean {
  const area = pickArea(state)
  if (area === undefined) return false
  const offset = findSlot(state, area)
  const memcg = pageMemcg(state.memmap, pfn)
  takeSlot(area, offset)
  const isRefused = memcg !== 0 && !memcgSwapCharge(state, memcg, 1)
  if (!isRefused) area.memcg[offset] = memcg
  if (isRefused || !needSwapTreeNode(state, area.tree, offset)) {
    releaseSlot(state, area, offset)
    return false
  }
  noteContents(state, area, offset, pfn)
  const slot = area.base + offset
  if (hasFlag(state.memmap, pfn, PG_FILE)) {
    hooks.shmemReplaceBySwap(state, pfn, slot)
    swapDuplicate(state, slot)
  }
  addToSwapCache(state, pfn, slot)
  setFlag(state.memmap, pfn, PG_DIRTY)
  return true
}

// ---------------------------------------------------------------- users of a slot

/** One more PTE or file refers to the slot. @kernel swap_duplicate() */
export function swapDuplicate(state: KernelState, slot: number): void {
  const area = areaOfSlot(state, slot)
  const count = area.map[slot - area.base]!
  if ((count & SLOT_COUNT) === SLOT_COUNT) throw new AssertionError(`swap slot ${slot} has ${SLOT_COUNT} users`)
  area.map[slot - area.base] = count + 1
}

/** One user less; the last one frees the slot unless the swap cache holds it. @kernel swap_free() */
export function swapFree(state: KernelState, slot: number): void {
  const area = areaOfSlot(state, slot)
  const offset = slot - area.base
  if ((area.map[offset]! & SLOT_COUNT) === 0) throw new AssertionError(`swap slot ${slot} is freed and has no user`)
  area.map[offset]!--
  if (area.map[offset] === 0) releaseSlot(state, area, offset)
}

// ---------------------------------------------------------------- swap cache

function countSwapCache(state: KernelState, pfn: Pfn, sign: number): void {
  const nid = folioNid(state, pfn)
  modStat(state.nodes[nid]!.stat, NR_FILE_PAGES, sign)
  modStat(state.nodes[nid]!.stat, NR_SWAPCACHED, sign)
  const memcg = pageMemcg(state.memmap, pfn) || 1
  modMemcgState(state, memcg, MEMCG_STAT_FILE, sign, nid)
  modMemcgState(state, memcg, MEMCG_STAT_SWAPCACHED, sign, nid)
}

/**
 * Ties a frame to a slot.
 * @kernel      mm/swap_state.c add_to_swap_cache()
 * @simplifies  a read for which there is no node goes on without one
 */
export function addToSwapCache(state: KernelState, pfn: Pfn, slot: number): void {
  const area = areaOfSlot(state, slot)
  const offset = slot - area.base
  if (area.cache[offset] !== 0)
    throw new AssertionError(`swap slot ${slot} already has pfn ${area.cache[offset]} in the cache`)
  if (area.shadow[offset] === 0) {
    needSwapTreeNode(state, area.tree, offset)
    takeSwapTreeSlot(area.tree, offset)
  }
  area.map[offset]! |= SLOT_HAS_CACHE
  area.cache[offset] = pfn
  area.shadow[offset] = 0
  setFlag(state.memmap, pfn, PG_SWAPCACHE)
  setPageMapping(state.memmap, pfn, slot + 1, 0)
  countSwapCache(state, pfn, 1)
}

/**
 * The frame no longer stands for its slot; a slot without users is freed.
 * @param shadow  what eviction leaves for a later refault, 0 none
 * @kernel  mm/swap_state.c delete_from_swap_cache(), put_swap_folio()
 */
export function deleteFromSwapCache(state: KernelState, pfn: Pfn, shadow = 0): void {
  const slot = pageMapping(state.memmap, pfn) - 1
  const area = areaOfSlot(state, slot)
  const offset = slot - area.base
  if (area.cache[offset] !== pfn)
    throw new AssertionError(`swap slot ${slot} holds pfn ${area.cache[offset]}, not ${pfn}`)
  countSwapCache(state, pfn, -1)
  area.cache[offset] = 0
  area.shadow[offset] = shadow
  if (shadow === 0) giveSwapTreeSlot(state, area.tree, offset)
  area.map[offset]! &= SLOT_COUNT
  clearFlag(state.memmap, pfn, PG_SWAPCACHE)
  setPageMapping(state.memmap, pfn, 0, 0)
  if (area.map[offset] === 0) releaseSlot(state, area, offset)
}

/** Another frame holds the slot's page now. @kernel mm/migrate.c __folio_migrate_mapping() on the swap address space */
export function replaceInSwapCache(state: KernelState, from: Pfn, to: Pfn): void {
  const slot = pageMapping(state.memmap, to) - 1
  const area = areaOfSlot(state, slot)
  assert(
    area.cache[slot - area.base] === from,
    `swap slot ${slot} holds pfn ${area.cache[slot - area.base]}, not ${from}`,
  )
  area.cache[slot - area.base] = to
}

/** Shadow of an evicted page. @kernel get_shadow_from_swap_cache() */
export function swapShadow(state: KernelState, slot: number): number {
  const area = areaOfSlot(state, slot)
  return area.shadow[slot - area.base]!
}

/**
 * Lets the slot of a cached frame go when nobody else refers to it; the frame has to be written again then.
 * @returns whether the frame is out of the swap cache
 * @kernel  mm/swapfile.c folio_free_swap()
 */
export function folioFreeSwap(state: KernelState, pfn: Pfn): boolean {
  if (!hasFlag(state.memmap, pfn, PG_SWAPCACHE) || hasFlag(state.memmap, pfn, PG_WRITEBACK)) return false
  if (swapCount(state, pageMapping(state.memmap, pfn) - 1) > 0) return false
  deleteFromSwapCache(state, pfn)
  setFlag(state.memmap, pfn, PG_DIRTY)
  return true
}

/**
 * Frees a cached frame whose last user went away while it was being written.
 * @kernel      mm/swapfile.c __try_to_reclaim_swap()
 * @simplifies  as soon as the write ends; the kernel leaves the frame to the next reclaim
 */
export function releaseUnusedSwapFolio(state: KernelState, pfn: Pfn): void {
  const m = state.memmap
  if (!hasFlag(m, pfn, PG_SWAPCACHE) || mapcount(m, pfn) > 0 || hasFlag(m, pfn, PG_WRITEBACK | PG_LOCKED)) return
  // On no list: isolated by a reclaim that waits for the device right now, and decides itself.
  if (!hasFlag(m, pfn, PG_LRU | PG_LRU_BATCH)) return
  if (swapCount(state, pageMapping(m, pfn) - 1) > 0) return
  deleteFromSwapCache(state, pfn)
  lruDel(state, pfn)
  const memcg = pageMemcg(m, pfn)
  setFlags(m, pfn, 0)
  setPageMemcg(m, pfn, 0)
  if (memcg !== 0) memcgUncharge(state, memcg, 1)
  freeUnrefPage(state, pfn, 0)
}

/** The device in memory that a slot lies in, and the slot's page there; undefined for every other device. */
export function zramOfSlot(
  state: KernelState,
  slot: number,
): { readonly zram: Zram; readonly page: number } | undefined {
  const area = areaOfSlot(state, slot)
  const zram = state.devices[area.device]!.zram
  return zram && { zram, page: slot - area.base }
}

/** Where a cached frame is written. */
export const swapDeviceOf = (state: KernelState, pfn: Pfn): number =>
  areaOfSlot(state, pageMapping(state.memmap, pfn) - 1).device
