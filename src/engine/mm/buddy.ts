/**
 * The buddy system of one zone: free lists, splitting, merging, pageblock types, and filling them at boot.
 * Which list to rob when the right one is empty is in buddy_fallback.ts.
 *
 * A free block of order 0–9 is described by its first frame: PG_BUDDY, the type of the list it is on in bits 27–29,
 * its order, and its links. Blocks of order 10 are described by `blockNext`/`blockPrev` alone (one entry for 1024
 * frames), so that booting a machine of 1 TiB does not touch a cache line of every column for each 4 MiB.
 * @kernel  mm/page_alloc.c __free_one_page(), __rmqueue_smallest(), expand()
 * @spec    02 §2.1, §2.2
 */
import { AssertionError } from '../../util/assert'
import type { Pages, Pfn } from '../../util/units'
import { clipRanges, ramRanges, type PfnRange } from '../machine_spans'
import type { KernelState } from '../state'
import { emit, isWanted, TRACE_BUDDY_MERGE, TRACE_BUDDY_SPLIT, TRACE_ZONE_LOCKED } from '../trace'
import { traceZoneLocked } from './buddy_trace'
import { unmovableFrom } from './deferred_init'
import {
  gfpMigratetype,
  MAX_PAGE_ORDER,
  MIGRATE_HIGHATOMIC,
  MIGRATE_ISOLATE,
  MIGRATE_MOVABLE,
  MIGRATE_RECLAIMABLE,
  MIGRATE_TYPES,
  MIGRATE_UNMOVABLE,
  NR_PAGE_ORDERS,
  PAGEBLOCK_ORDER,
  ZONE_DMA,
} from './gfp'
import {
  hasFlag,
  isFreeBlock,
  listAddHead,
  listAddTail,
  listDel,
  listDelHead,
  listHead,
  listRotateToHead,
  listTail,
  nextOnList,
  pageZoneIndex,
  prevOnList,
  PG_BUDDY,
  PG_RESERVED,
  pageFlags,
  pageOrder,
  setFlags,
  setFlagsOfRange,
  setFreeBlock,
  setPageOrder,
  setZoneOfRange,
} from './memmap'

import type { Zone } from './mmzone'
import { countVmEvents, modStat, NR_FREE_PAGES, PGFREE } from './vmstat'

const MAX_ORDER_PAGES = 1 << MAX_PAGE_ORDER
const LIST_TYPE_SHIFT = 27
const LIST_TYPE_MASK = 7

// ---------------------------------------------------------------- pageblocks

/** @kernel include/linux/pageblock-flags.h get_pageblock_migratetype() */
export const pageblockType = (state: KernelState, pfn: Pfn): number => state.pageblocks[pfn >> PAGEBLOCK_ORDER]!

/** @kernel mm/page_alloc.c set_pageblock_migratetype() */
export function setPageblockType(state: KernelState, pfn: Pfn, migratetype: number): void {
  state.pageblocks[pfn >> PAGEBLOCK_ORDER] = migratetype
}

/** Types that convert into each other and merge across pageblocks. @kernel mm/internal.h migratetype_is_mergeable() */
export const isMergeable = (migratetype: number): boolean => migratetype <= MIGRATE_RECLAIMABLE

// ---------------------------------------------------------------- free lists

const listOf = (order: number, migratetype: number): number => order * MIGRATE_TYPES + migratetype

/** Order of the free block that starts at `pfn`, −1 when none starts there. @kernel mm/internal.h buddy_order() */
export function freeBlockOrder(state: KernelState, pfn: Pfn): number {
  if ((pfn & (MAX_ORDER_PAGES - 1)) === 0 && (state.blockNext[pfn >> MAX_PAGE_ORDER] ?? 0) !== 0) return MAX_PAGE_ORDER
  return hasFlag(state.memmap, pfn, PG_BUDDY) ? pageOrder(state.memmap, pfn) : -1
}

/** Writes `value` for each 1024 frames that are one free block of order 10. @model for looks at all of memory */
export function markLargestFree(state: KernelState, out: Int8Array, value: number): void {
  for (let block = 0; block < out.length; block++) if (state.blockNext[block] !== 0) out[block] = value
}

/** Type of the free list that the free block at `pfn` is on. @model 6.12's is that of the pageblock; 6.1's may differ */
export function freeBlockType(state: KernelState, pfn: Pfn, order: number): number {
  if (order === MAX_PAGE_ORDER) return pageblockType(state, pfn)
  return (pageFlags(state.memmap, pfn) >>> LIST_TYPE_SHIFT) & LIST_TYPE_MASK
}

/** First block of a free list, 0 = empty. @kernel mm/page_alloc.c get_page_from_free_area() */
export const freeListHead = (zone: Zone, order: number, migratetype: number): Pfn =>
  listHead(zone.freeLists, listOf(order, migratetype))

/** Last block of a free list of order 0–9, 0 = empty. @kernel list_last_entry() */
export const freeListTail = (zone: Zone, order: number, migratetype: number): Pfn =>
  listTail(zone.freeLists, listOf(order, migratetype))

/** The block in front of `pfn` on its free list of order 0–9, 0 at the end. @kernel list_prev_entry(page, buddy_list) */
export const prevFreeBlock = (state: KernelState, pfn: Pfn): Pfn => prevOnList(state.memmap, pfn)

/** A free list of order 0–9 is searched from `pfn` on next time. @kernel mm/compaction.c move_freelist_head() */
export function moveFreelistHead(state: KernelState, zone: Zone, order: number, migratetype: number, pfn: Pfn): void {
  listRotateToHead(state.memmap, zone.freeLists, listOf(order, migratetype), pfn)
}

/** A free list of order 0–9 is searched from behind `pfn` next time. @kernel mm/compaction.c move_freelist_tail() */
export function moveFreelistTail(state: KernelState, zone: Zone, order: number, migratetype: number, pfn: Pfn): void {
  const next = nextOnList(state.memmap, pfn)
  if (next !== 0) listRotateToHead(state.memmap, zone.freeLists, listOf(order, migratetype), next)
}

/** The block behind `pfn` on its free list, 0 at the end. @kernel list_next_entry(page, buddy_list) */
export function nextFreeBlock(state: KernelState, pfn: Pfn, order: number): Pfn {
  if (order < MAX_PAGE_ORDER) return nextOnList(state.memmap, pfn)
  const next = state.blockNext[pfn >> MAX_PAGE_ORDER]!
  return next <= 1 ? 0 : (next - 1) << MAX_PAGE_ORDER
}

/** @kernel mm/page_alloc.c __add_to_free_list() */
export function addToFreeList(state: KernelState, zone: Zone, pfn: Pfn, order: number, migratetype: number): void {
  addFreeBlock(state, zone, pfn, order, migratetype, false)
}

/** @kernel mm/page_alloc.c __add_to_free_list() with tail */
export function addToFreeListTail(state: KernelState, zone: Zone, pfn: Pfn, order: number, migratetype: number): void {
  addFreeBlock(state, zone, pfn, order, migratetype, true)
}

function addFreeBlock(
  state: KernelState,
  zone: Zone,
  pfn: Pfn,
  order: number,
  migratetype: number,
  toTail: boolean,
): void {
  const list = listOf(order, migratetype)
  zone.nrFree[order]!++
  zone.nrFreeType[list]!++
  if (order === MAX_PAGE_ORDER) {
    if (toTail) addBlockTail(state, zone, list, pfn)
    else addBlockHead(state, zone, list, pfn)
    return
  }
  setFreeBlock(state.memmap, pfn, order, PG_BUDDY | (migratetype << LIST_TYPE_SHIFT))
  if (toTail) listAddTail(state.memmap, zone.freeLists, list, pfn)
  else listAddHead(state.memmap, zone.freeLists, list, pfn)
}

/** The frame's flags become 0. @kernel mm/page_alloc.c __del_page_from_free_list() */
export function delFromFreeList(state: KernelState, zone: Zone, pfn: Pfn, order: number): void {
  const list = listOf(order, freeBlockType(state, pfn, order))
  if (order === MAX_PAGE_ORDER) {
    delBlock(state, zone, list, pfn)
  } else {
    listDel(state.memmap, zone.freeLists, list, pfn)
    setFlags(state.memmap, pfn, 0)
    setPageOrder(state.memmap, pfn, 0)
  }
  zone.nrFree[order]!--
  zone.nrFreeType[list]!--
}

// Order 10. An entry is 0 = this block is not free, 1 = end of the list, else number of the neighbour + 1.

function addBlockHead(state: KernelState, zone: Zone, list: number, pfn: Pfn): void {
  const block = pfn >> MAX_PAGE_ORDER
  const head = zone.freeLists[2 * list]! >> MAX_PAGE_ORDER
  state.blockNext[block] = head === 0 ? 1 : head + 1
  state.blockPrev[block] = 1
  if (head !== 0) state.blockPrev[head] = block + 1
  else zone.freeLists[2 * list + 1] = pfn
  zone.freeLists[2 * list] = pfn
}

function addBlockTail(state: KernelState, zone: Zone, list: number, pfn: Pfn): void {
  const block = pfn >> MAX_PAGE_ORDER
  const tail = zone.freeLists[2 * list + 1]! >> MAX_PAGE_ORDER
  state.blockPrev[block] = tail === 0 ? 1 : tail + 1
  state.blockNext[block] = 1
  if (tail !== 0) state.blockNext[tail] = block + 1
  else zone.freeLists[2 * list] = pfn
  zone.freeLists[2 * list + 1] = pfn
}

function delBlock(state: KernelState, zone: Zone, list: number, pfn: Pfn): void {
  const block = pfn >> MAX_PAGE_ORDER
  const next = state.blockNext[block]!
  const prev = state.blockPrev[block]!
  if (next === 0) throw new AssertionError(`block at pfn ${pfn} is not free`)
  if (prev > 1) state.blockNext[prev - 1] = next
  else zone.freeLists[2 * list] = next > 1 ? (next - 1) << MAX_PAGE_ORDER : 0
  if (next > 1) state.blockPrev[next - 1] = prev
  else zone.freeLists[2 * list + 1] = prev > 1 ? (prev - 1) << MAX_PAGE_ORDER : 0
  state.blockNext[block] = 0
  state.blockPrev[block] = 0
}

// ---------------------------------------------------------------- split and merge

/** Isolated pages are free but not counted. @kernel mm/page_alloc.c account_freepages() */
export function accountFreePages(zone: Zone, migratetype: number, pages: Pages): void {
  if (migratetype === MIGRATE_ISOLATE) return
  modStat(zone.stat, NR_FREE_PAGES, pages)
  if (migratetype === MIGRATE_HIGHATOMIC) zone.nrFreeHighatomic += pages
}

/** Whose compaction is at work, and what it wants. @kernel struct capture_control */
export interface Capture {
  /** Index into state.zones. */
  readonly zone: number
  readonly order: number
  readonly gfp: number
  /** First frame of the block that became free meanwhile, 0 none. */
  captured: Pfn
}
let capture: Capture | undefined
/** Its order while it still waits for a block, else −1: one comparison in every step of a merge. */
let captureOrder = -1

/** From now on a block of its order in its zone is the request's own. @kernel current->capture_control */
export function beginCapture(wanted: Capture): void {
  if (wanted.captured !== 0) return
  capture = wanted
  captureOrder = wanted.order
}

/** Blocks go to the free lists again. @kernel current->capture_control = NULL */
export function endCapture(): void {
  capture = undefined
  captureOrder = -1
}

/** A small request does not take a part of a movable pageblock for itself. @kernel mm/page_alloc.c compaction_capture() */
function compactionCapture(state: KernelState, zone: Zone, pfn: Pfn, order: number, migratetype: number): boolean {
  if (capture?.zone !== zone.index || migratetype === MIGRATE_ISOLATE) return false
  const wanted = gfpMigratetype(capture.gfp)
  if (order < PAGEBLOCK_ORDER && migratetype === MIGRATE_MOVABLE) {
    if (zone.series === '6.1' || wanted !== MIGRATE_MOVABLE) return false
  }
  if (zone.series !== '6.1' && migratetype !== wanted) {
    const changed = pageblockType(state, pfn) === wanted ? 1 : 0
    emit(state, 'mm_page_alloc_extfrag', [pfn, order, order, wanted, migratetype, changed])
  }
  accountFreePages(zone, migratetype, -(1 << order))
  setPageOrder(state.memmap, pfn, order)
  capture.captured = pfn
  endCapture()
  return true
}

/** Whether a free block of exactly this order (0–9) starts at `pfn`. @kernel mm/page_alloc.c page_is_buddy() */
const isBuddy = (state: KernelState, pfn: Pfn, order: number): boolean => isFreeBlock(state.memmap, pfn, order)

/**
 * Gives a block back to the zone and merges it with its free buddies.
 * @param migratetype  type of the block's pageblock; for order 10 of its first pageblock
 * @kernel  mm/page_alloc.c __free_one_page()
 * @spec    02 §2.2
 */
export function freeOnePage(state: KernelState, zone: Zone, pfn: Pfn, order: number, migratetype: number): void {
  accountFreePages(zone, migratetype, 1 << order)
  let at = pfn
  let o = order
  while (o < MAX_PAGE_ORDER) {
    if (o === captureOrder && compactionCapture(state, zone, at, o, migratetype)) return
    const buddy = at ^ (1 << o)
    if (!isBuddy(state, buddy, o) || !takeBuddy(state, zone, at, o, migratetype)) break
    at &= buddy
    o++
  }
  addFreeBlock(state, zone, at, o, migratetype, isMergeLikely(state, at, o))
}

/**
 * The free block beside the one at `at` leaves its list, unless the two may not become one.
 * Apart from the loop above, which is small enough for the compiler to keep in registers.
 */
function takeBuddy(state: KernelState, zone: Zone, at: Pfn, order: number, migratetype: number): boolean {
  const buddy = at ^ (1 << order)
  // Zones meet at multiples of 2^8 frames: smaller buddies are always in the same zone.
  if (order >= 8 && pageZoneIndex(state.memmap, buddy) !== zone.index) return false
  if (order >= PAGEBLOCK_ORDER) {
    const type = pageblockType(state, buddy)
    if (type !== migratetype && !(isMergeable(type) && isMergeable(migratetype))) return false
    delFromFreeList(state, zone, buddy, order)
    if (type !== migratetype) setPageblockType(state, buddy, migratetype)
  } else {
    delFromFreeList(state, zone, buddy, order)
  }
  if (isWanted(TRACE_BUDDY_MERGE)) traceMerge(state, zone, at, order)
  return true
}

const traceMerge = (state: KernelState, zone: Zone, pfn: Pfn, order: number): void =>
  emit(state, 'buddy_merge', [pfn, pfn ^ (1 << order), order, pfn & ~(1 << order), zone.nid, zone.idx])

/** The parent's buddy is free already: this block is better left alone. @kernel mm/page_alloc.c buddy_merge_likely() */
function isMergeLikely(state: KernelState, pfn: Pfn, order: number): boolean {
  if (order >= MAX_PAGE_ORDER - 1) return false
  const parent = pfn & ~(1 << order)
  return isBuddy(state, parent ^ (1 << (order + 1)), order + 1)
}

/**
 * Takes a block from the lists of one migrate type; the lowest part of the smallest sufficient block.
 * @returns first frame with flags 0, or 0 when no block is large enough
 * @kernel  mm/page_alloc.c __rmqueue_smallest()
 * @spec    02 §2.2
 */
export function rmqueueSmallest(state: KernelState, zone: Zone, order: number, migratetype: number): Pfn {
  for (let o = order; o < NR_PAGE_ORDERS; o++) {
    const pfn = zone.freeLists[2 * listOf(o, migratetype)]!
    if (pfn === 0) continue
    takeFirst(state, zone, pfn, o, migratetype)
    expand(state, zone, pfn, order, o, migratetype)
    if (isWanted(TRACE_ZONE_LOCKED)) traceZoneLocked(state, pfn, order, migratetype)
    return pfn
  }
  return 0
}

/**
 * The order of a block that as many requests for `order` in a row would use up, each taking the lowest part of what the one
 * before left: no list in between holds a block that would come first.
 * @param max  requests, at least 1
 * @returns an order from `order` on; rmqueueSmallest() of it takes what the 2^(returned − order) requests would take
 * @kernel  mm/page_alloc.c rmqueue_bulk(), which asks one by one
 */
export function runOrder(zone: Zone, order: number, migratetype: number, max: number): number {
  if (isWanted(TRACE_BUDDY_SPLIT) || isWanted(TRACE_ZONE_LOCKED)) return order
  const highest = Math.min(order + 31 - Math.clz32(max), MAX_PAGE_ORDER)
  let o = order
  while (o < highest && zone.freeLists[2 * listOf(o, migratetype)]! === 0) o++
  return o
}

/**
 * Removes the free block at `pfn`, keeps its first 2^order frames and puts the rest on the lists of `migratetype`.
 * Plain numbers instead of an object, because it runs for every page that leaves the buddy system.
 * @kernel  mm/page_alloc.c page_del_and_expand()
 */
export function takeBlock(
  state: KernelState,
  zone: Zone,
  pfn: Pfn,
  order: number,
  blockOrder: number,
  migratetype: number,
): void {
  delFromFreeList(state, zone, pfn, blockOrder)
  expand(state, zone, pfn, order, blockOrder, migratetype)
}

/** The first block of a list leaves it; its flags become 0. */
function takeFirst(state: KernelState, zone: Zone, pfn: Pfn, order: number, migratetype: number): void {
  const list = listOf(order, migratetype)
  if (order === MAX_PAGE_ORDER) {
    delBlock(state, zone, list, pfn)
  } else {
    listDelHead(state.memmap, zone.freeLists, list)
    setFlags(state.memmap, pfn, 0)
    setPageOrder(state.memmap, pfn, 0)
  }
  zone.nrFree[order]!--
  zone.nrFreeType[list]!--
}

/** @kernel mm/page_alloc.c expand() */
function expand(
  state: KernelState,
  zone: Zone,
  pfn: Pfn,
  order: number,
  blockOrder: number,
  migratetype: number,
): void {
  accountFreePages(zone, migratetype, -(1 << order))
  if (blockOrder > order && isWanted(TRACE_BUDDY_SPLIT))
    emit(state, 'buddy_split', [pfn, blockOrder, order, migratetype, zone.nid, zone.idx])
  for (let o = blockOrder - 1; o >= order; o--) addToFreeList(state, zone, pfn + (1 << o), o, migratetype)
}

// ---------------------------------------------------------------- boot

/**
 * Frames of the zone that boot gives to the allocator.
 * @model  the reserved frames are the first of DMA and the last elsewhere; memblock scatters them
 */
export function managedRanges(state: KernelState, zone: Zone): PfnRange[] {
  let reserved = zone.present - zone.managed
  const ranges = clipRanges(ramRanges(state.config, zone.nid), zone.startPfn, zone.startPfn + zone.spanned)
  const kept: PfnRange[] = []
  const isLow = zone.idx === ZONE_DMA
  for (const range of isLow ? ranges : ranges.reverse()) {
    const cut = Math.min(reserved, range.end - range.start)
    reserved -= cut
    const rest = isLow ? { start: range.start + cut, end: range.end } : { start: range.start, end: range.end - cut }
    if (rest.start < rest.end) kept.push(rest)
  }
  return kept.sort((a, b) => a.start - b.start)
}

/**
 * Gives all managed frames to the buddy lists, lowest first, in the largest aligned blocks. Pageblocks are Movable, but
 * for those that deferred_init.ts tells of.
 * @kernel  mm/mm_init.c memblock_free_all()
 * @spec    01 §1.2, 02 §2.1
 * @simplifies  reserved frames are contiguous; the kernel's are scattered by memblock
 */
export function seedFreeMemory(state: KernelState): void {
  state.pageblocks.fill(MIGRATE_MOVABLE)
  for (const zone of state.zones) {
    if (zone.present === 0) continue
    const ram = clipRanges(ramRanges(state.config, zone.nid), zone.startPfn, zone.startPfn + zone.spanned)
    for (const range of ram) setZoneOfRange(state.memmap, range.start, range.end, zone.index)
    reserveRest(state, ram, managedRanges(state, zone))
    seedZone(state, zone)
    countVmEvents(state.vmstat, PGFREE, zone.managed)
  }
}

function seedZone(state: KernelState, zone: Zone): void {
  const ranges = managedRanges(state, zone)
  const end = zone.startPfn + zone.spanned
  const from = unmovableFrom(state, zone, zone.idx === ZONE_DMA ? end : (ranges.at(-1)?.end ?? end))
  for (let pfn = from; pfn < end; pfn += 1 << PAGEBLOCK_ORDER) setPageblockType(state, pfn, MIGRATE_UNMOVABLE)
  const late = lateRange(zone, ranges).start
  for (const range of clipRanges(ranges, zone.startPfn, Math.min(from, late)))
    seedRange(state, zone, range, MIGRATE_MOVABLE)
  for (const range of clipRanges(ranges, from, late)) seedRange(state, zone, range, MIGRATE_UNMOVABLE)
}

/** The frames that boot gives back at its end: the managed ones next to those that stay reserved. */
function lateRange({ managed, managedAtBoot }: Zone, ranges: readonly PfnRange[]): PfnRange {
  const last = ranges.at(-1) ?? { start: 0, end: 0 }
  return { start: Math.max(last.start, last.end - (managed - managedAtBoot)), end: last.end }
}

/**
 * The kernel's init sections and the initial RAM disk come back after the kernel has taken what it needs for itself.
 * @kernel  mm/page_alloc.c free_reserved_area(), init/initramfs.c free_initrd_mem()
 */
export function freeLateMemory(state: KernelState): void {
  for (const zone of state.zones) {
    if (zone.present === 0) continue
    const { start, end } = lateRange(zone, managedRanges(state, zone))
    for (let pfn = start; pfn < end; pfn++) freeOnePage(state, zone, pfn, 0, pageblockType(state, pfn))
  }
}

function reserveRest(state: KernelState, ram: readonly PfnRange[], kept: readonly PfnRange[]): void {
  for (const range of ram) {
    let at = range.start
    for (const k of clipRanges(kept, range.start, range.end)) {
      setFlagsOfRange(state.memmap, at, k.start - at, PG_RESERVED)
      at = k.end
    }
    setFlagsOfRange(state.memmap, at, range.end - at, PG_RESERVED)
  }
}

/** Blocks of order 10 side by side, at the tail of their list: a terabyte has 262144 of them. */
function seedBlocks(state: KernelState, zone: Zone, pfn: Pfn, blocks: number, type: number): void {
  const { blockNext, blockPrev } = state
  const list = listOf(MAX_PAGE_ORDER, type)
  const first = pfn >> MAX_PAGE_ORDER
  const last = first + blocks - 1
  addBlockTail(state, zone, list, pfn)
  for (let block = first; block < last; block++) {
    blockNext[block] = block + 2
    blockPrev[block + 1] = block + 1
  }
  blockNext[last] = 1
  zone.freeLists[2 * list + 1] = last << MAX_PAGE_ORDER
  zone.nrFree[MAX_PAGE_ORDER]! += blocks
  zone.nrFreeType[list]! += blocks
}

function seedRange(state: KernelState, zone: Zone, range: PfnRange, type: number): void {
  accountFreePages(zone, type, range.end - range.start)
  for (let pfn = range.start; pfn < range.end;) {
    let order = MAX_PAGE_ORDER
    while ((pfn & ((1 << order) - 1)) !== 0 || pfn + (1 << order) > range.end) order--
    const blocks = order === MAX_PAGE_ORDER ? (range.end - pfn) >> MAX_PAGE_ORDER : 1
    if (blocks > 1) seedBlocks(state, zone, pfn, blocks, type)
    else addToFreeListTail(state, zone, pfn, order, type)
    pfn += blocks << order
  }
}
