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
  /** Where the next search begins, for a device without per-CPU clusters. */
  clusterNext: number
  /** Slots in use of each cluster of 512. */
  readonly clusterUsed: Uint16Array
  /** Offset at which each CPU goes on, 0 = it has no cluster. */
  readonly cpuNext: number[]
  /** Areas of equal priority take turns: the one with the lowest number is next. */
  turn: number
  enabled: boolean
}

const SLOT_HAS_CACHE = 0x8000
const SLOT_COUNT = 0x7fff
const CLUSTER_SLOTS = 512

// ---------------------------------------------------------------- areas

/** Writes a swap header. @kernel mkswap(8) */
export function mkswap(state: KernelState, path: string): Errno | undefined {
  const device = state.devices.find((d) => d.path === path)
  if (device === undefined) return 'ENOENT'
  if (state.swapAreas.some((a) => a.path === path)) return 'EBUSY'
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
    clusterNext: 1,
    clusterUsed: new Uint16Array(Math.ceil((pages + 1) / CLUSTER_SLOTS)),
    cpuNext: [],
    turn: 0,
    enabled: true,
  }
  state.swapAreas.push(area)
  state.swapAreas.sort((a, b) => b.priority - a.priority || a.base - b.base)
  const nonRot = d.rotational ? '' : 'SS'
  klog(state, `Adding ${pages * 4}k swap on ${path}.  Priority:${area.priority} extents:1 across:${pages * 4}k ${nonRot}`)
  return undefined
}

/** Area of a global slot. @kernel swp_swap_info() */
export function areaOfSlot(state: KernelState, slot: number): SwapArea {
  for (const area of state.swapAreas) if (slot > area.base && slot <= area.base + area.pages) return area
  assert(false, `swap slot ${slot} belongs to no area`)
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

// ---------------------------------------------------------------- finding a slot

/** First free slot of [from, end of its cluster), 0 none. */
function freeInCluster(area: SwapArea, from: number): number {
  const end = Math.min(area.pages + 1, (Math.floor(from / CLUSTER_SLOTS) + 1) * CLUSTER_SLOTS)
  for (let offset = Math.max(1, from); offset < end; offset++) if (area.map[offset] === 0) return offset
  return 0
}

/** First cluster from `start` on, cyclic, that fulfils `isWanted`; −1 none. */
function findCluster(area: SwapArea, start: number, isWanted: (used: number, size: number) => boolean): number {
  const n = area.clusterUsed.length
  for (let i = 0; i < n; i++) {
    const c = (start + i) % n
    const first = c === 0 ? 1 : c * CLUSTER_SLOTS
    const size = Math.min(area.pages + 1, (c + 1) * CLUSTER_SLOTS) - first
    if (isWanted(area.clusterUsed[c]!, size)) return c
  }
  return -1
}

/**
 * A free slot: this CPU's cluster, then an empty cluster, then one that is partly used.
 * @kernel      mm/swapfile.c cluster_alloc_swap_entry(); 6.1: scan_swap_map_slots()
 * @simplifies  no per-CPU cache of 64 slots; partly used clusters are searched in order of address
 */
function findSlot(state: KernelState, area: SwapArea): number {
  const cpu = state.devices[area.device]!.rotational ? 0 : state.exec.cpu
  const from = area.cpuNext[cpu] ?? 0
  let offset = from === 0 ? 0 : freeInCluster(area, from)
  if (offset === 0) {
    const start = Math.floor(area.clusterNext / CLUSTER_SLOTS)
    let cluster = findCluster(area, start, (used) => used === 0)
    if (cluster < 0) cluster = findCluster(area, 0, (used, size) => used < size)
    assert(cluster >= 0, `${area.path} has ${area.pages - area.used} free slots and no cluster with one`)
    offset = freeInCluster(area, cluster * CLUSTER_SLOTS)
    area.clusterNext = (cluster + 1) % area.clusterUsed.length * CLUSTER_SLOTS
  }
  const next = offset + 1
  while (area.cpuNext.length <= cpu) area.cpuNext.push(0)
  area.cpuNext[cpu] = next % CLUSTER_SLOTS === 0 || next > area.pages ? 0 : next
  return offset
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
  area.shadow[offset] = 0
  area.clusterUsed[Math.floor(offset / CLUSTER_SLOTS)]!--
  area.used--
  const memcg = area.memcg[offset]!
  area.memcg[offset] = 0
  if (memcg !== 0) memcgSwapUncharge(state, memcg, 1)
}

/** Area to take the next slot from: highest priority with room, equal ones in turn. @kernel get_swap_pages() */
function pickArea(state: KernelState): SwapArea | undefined {
  let best: SwapArea | undefined
  for (const area of state.swapAreas) {
    if (!area.enabled || area.used >= area.pages) continue
    if (best !== undefined && area.priority < best.priority) break
    if (best === undefined || area.turn < best.turn) best = area
  }
  if (best !== undefined) best.turn++
  return best
}

/**
 * Gives a frame a slot and puts it into the swap cache; it is dirty until written. A tmpfs page leaves its file, whose
 * entry becomes the slot.
 * @returns false when swap is full or the group may not use more
 * @kernel  mm/swap_state.c add_to_swap(), mm/shmem.c shmem_writepage()
 */
export function folioAllocSwap(state: KernelState, pfn: Pfn): boolean {
  const area = pickArea(state)
  if (area === undefined) return false
  const offset = findSlot(state, area)
  const memcg = pageMemcg(state.memmap, pfn)
  takeSlot(area, offset)
  if (memcg !== 0 && !memcgSwapCharge(state, memcg, 1)) {
    releaseSlot(state, area, offset)
    return false
  }
  area.memcg[offset] = memcg
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

/** @kernel  mm/swap_state.c add_to_swap_cache() */
export function addToSwapCache(state: KernelState, pfn: Pfn, slot: number): void {
  const area = areaOfSlot(state, slot)
  const offset = slot - area.base
  assert(area.cache[offset] === 0, `swap slot ${slot} already has pfn ${area.cache[offset]} in the cache`)
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
  assert(area.cache[offset] === pfn, `swap slot ${slot} holds pfn ${area.cache[offset]}, not ${pfn}`)
  countSwapCache(state, pfn, -1)
  area.cache[offset] = 0
  area.shadow[offset] = shadow
  area.map[offset]! &= SLOT_COUNT
  clearFlag(state.memmap, pfn, PG_SWAPCACHE)
  setPageMapping(state.memmap, pfn, 0, 0)
  if (area.map[offset] === 0) releaseSlot(state, area, offset)
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

/** Device to write a cached frame to. */
export const swapDeviceOf = (state: KernelState, pfn: Pfn): number =>
  areaOfSlot(state, pageMapping(state.memmap, pfn) - 1).device

