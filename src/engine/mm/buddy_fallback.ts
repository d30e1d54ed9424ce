/**
 * When the lists of the wanted migrate type are empty: convert a pageblock of another type, or rob it. And the pageblocks
 * that are kept for atomic high-order requests.
 * @kernel  mm/page_alloc.c __rmqueue(), __rmqueue_claim(), __rmqueue_steal(), reserve_highatomic_pageblock()
 * @spec    02 §2.3, §2.4
 */
import type { Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { emit } from '../trace'
import {
  addToFreeListTail,
  accountFreePages,
  delFromFreeList,
  freeBlockOrder,
  freeBlockType,
  freeListHead,
  isMergeable,
  pageblockType,
  rmqueueSmallest,
  setPageblockType,
  takeBlock,
} from './buddy'
import {
  MAX_PAGE_ORDER,
  MIGRATE_HIGHATOMIC,
  MIGRATE_MOVABLE,
  MIGRATE_RECLAIMABLE,
  MIGRATE_UNMOVABLE,
  NR_PAGE_ORDERS,
  PAGEBLOCK_ORDER,
} from './gfp'
import { hasFlag, pageZoneIndex, PG_LRU } from './memmap'
import {
  ALLOC_HIGHATOMIC,
  ALLOC_KSWAPD,
  ALLOC_NOFRAGMENT,
  ALLOC_NON_BLOCK,
  ALLOC_OOM,
  boostWatermark,
  ZONE_FLAG_BOOSTED,
  type Zone,
} from './mmzone'

const PAGEBLOCK_PAGES = 1 << PAGEBLOCK_ORDER
/** Blocks from this order on may be claimed by movable requests too. */
const HALF_PAGEBLOCK_ORDER = PAGEBLOCK_ORDER >> 1
/** A pageblock whose pages are at least half of the wanted kind changes its type. */
const CLAIM_PAGES = PAGEBLOCK_PAGES / 2
/** Whom to rob, in order, for an unmovable, movable and reclaimable request. @kernel mm/page_alloc.c fallbacks[] */
const FALLBACKS: readonly (readonly number[])[] = [
  [MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE],
  [MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE],
  [MIGRATE_UNMOVABLE, MIGRATE_MOVABLE],
]

/**
 * One block for a request of any kind, from the right lists or from others.
 * @returns first frame, or 0
 * @kernel  mm/page_alloc.c __rmqueue()
 * @spec    02 §2.3
 */
export function rmqueueFallback(
  state: KernelState,
  zone: Zone,
  order: number,
  migratetype: number,
  allocFlags: number,
): Pfn {
  const pfn = rmqueueSmallest(state, zone, order, migratetype)
  if (pfn !== 0) return pfn
  if (zone.series === '6.1') return steal61(state, zone, order, migratetype, allocFlags)
  const claimed = rmqueueClaim(state, zone, order, migratetype, allocFlags)
  if (claimed !== 0 || (allocFlags & ALLOC_NOFRAGMENT) !== 0) return claimed
  return rmqueueSteal(state, zone, order, migratetype)
}

/**
 * The same with the reserve for atomic requests, as the path without per-CPU lists does.
 * @kernel  mm/page_alloc.c rmqueue_buddy()
 * @spec    02 §2.3 step 2
 */
export function rmqueueBuddy(
  state: KernelState,
  zone: Zone,
  order: number,
  migratetype: number,
  allocFlags: number,
): Pfn {
  let pfn = 0
  if ((allocFlags & ALLOC_HIGHATOMIC) !== 0) pfn = rmqueueSmallest(state, zone, order, MIGRATE_HIGHATOMIC)
  if (pfn === 0) pfn = rmqueueFallback(state, zone, order, migratetype, allocFlags)
  if (pfn === 0 && (allocFlags & (ALLOC_OOM | ALLOC_NON_BLOCK)) !== 0) {
    pfn = rmqueueSmallest(state, zone, order, MIGRATE_HIGHATOMIC)
  }
  return pfn
}

/** Whether a request of type `wanted` may convert the pageblock of a block. @kernel find_suitable_fallback() @spec 02 §2.3 */
export const mayClaim = (blockOrder: number, wanted: number): boolean =>
  blockOrder >= HALF_PAGEBLOCK_ORDER || wanted === MIGRATE_RECLAIMABLE || wanted === MIGRATE_UNMOVABLE

function fallbackType(zone: Zone, blockOrder: number, wanted: number): number {
  for (const type of FALLBACKS[wanted]!) if (freeListHead(zone, blockOrder, type) !== 0) return type
  return -1
}

/** Whether a request could convert the pageblock of a free block of this order. @kernel find_suitable_fallback() */
export const canTakeFallback = (zone: Zone, blockOrder: number, wanted: number): boolean =>
  mayClaim(blockOrder, wanted) && fallbackType(zone, blockOrder, wanted) >= 0

const smallestToBreak = (order: number, allocFlags: number): number =>
  order < PAGEBLOCK_ORDER && (allocFlags & ALLOC_NOFRAGMENT) !== 0 ? PAGEBLOCK_ORDER : order

/** The largest foreign block whose pageblock can be converted. @kernel mm/page_alloc.c __rmqueue_claim() @spec 02 §2.3 */
function rmqueueClaim(state: KernelState, zone: Zone, order: number, wanted: number, allocFlags: number): Pfn {
  const least = smallestToBreak(order, allocFlags)
  for (let o = MAX_PAGE_ORDER; o >= least; o--) {
    const type = fallbackType(zone, o, wanted)
    if (type < 0) continue
    if (!mayClaim(o, wanted)) break
    const pfn = claimBlock(state, zone, { order, blockOrder: o, wanted, type }, allocFlags)
    if (pfn === 0) continue
    traceExtfrag(state, pfn, { order, blockOrder: o, wanted, type })
    return pfn
  }
  return 0
}

interface Fallback {
  readonly order: number
  readonly blockOrder: number
  readonly wanted: number
  readonly type: number
}

/** @kernel mm/page_alloc.c try_to_claim_block() */
function claimBlock(state: KernelState, zone: Zone, f: Fallback, allocFlags: number): Pfn {
  const pfn = freeListHead(zone, f.blockOrder, f.type)
  if (pageblockType(state, pfn) === MIGRATE_HIGHATOMIC) return 0
  if (f.blockOrder >= PAGEBLOCK_ORDER) {
    delFromFreeList(state, zone, pfn, f.blockOrder)
    setPageblockRange(state, pfn, f.blockOrder, f.wanted)
    addToFreeListTail(state, zone, pfn, f.blockOrder, f.wanted)
    takeBlock(state, zone, pfn, f.order, f.blockOrder, f.wanted)
    return pfn
  }
  boost(state, zone, allocFlags)
  const start = pfn & ~(PAGEBLOCK_PAGES - 1)
  if (!isWholeBlockInZone(state, zone, start)) return 0
  const { free, alike } = countPageblock(state, start, f.wanted, f.type)
  if (free + alike < CLAIM_PAGES) return 0
  moveFreePages(state, zone, start, f.wanted)
  setPageblockType(state, start, f.wanted)
  return rmqueueSmallest(state, zone, f.order, f.wanted)
}

/** One block of any foreign type, smallest first; its pageblock keeps its type. @kernel __rmqueue_steal() @spec 02 §2.3 */
function rmqueueSteal(state: KernelState, zone: Zone, order: number, wanted: number): Pfn {
  for (let o = order; o < NR_PAGE_ORDERS; o++) {
    const type = fallbackType(zone, o, wanted)
    if (type < 0) continue
    const pfn = freeListHead(zone, o, type)
    takeBlock(state, zone, pfn, order, o, type)
    traceExtfrag(state, pfn, { order, blockOrder: o, wanted, type })
    return pfn
  }
  return 0
}

/**
 * 6.1: one routine for both passes. Free pages of a claimable pageblock move to the wanted lists even when the pageblock
 * keeps its type, so there a free block may be on a list of another type than its pageblock.
 * @kernel  mm/page_alloc.c __rmqueue_fallback(), steal_suitable_fallback() of 6.1
 * @spec    02 §2.3 "6.1"
 */
function steal61(state: KernelState, zone: Zone, order: number, wanted: number, allocFlags: number): Pfn {
  const f = find61(zone, order, wanted, allocFlags)
  if (f === undefined) return 0
  const pfn = freeListHead(zone, f.blockOrder, f.type)
  const start = pfn & ~(PAGEBLOCK_PAGES - 1)
  const isReserved = pageblockType(state, pfn) === MIGRATE_HIGHATOMIC
  let moved = 0
  if (!isReserved && f.blockOrder >= PAGEBLOCK_ORDER) {
    delFromFreeList(state, zone, pfn, f.blockOrder)
    setPageblockRange(state, pfn, f.blockOrder, wanted)
    addToFreeListTail(state, zone, pfn, f.blockOrder, wanted)
    moved = 1
  } else if (!isReserved) {
    boost(state, zone, allocFlags)
    if (mayClaim(f.blockOrder, wanted) && isWholeBlockInZone(state, zone, start)) {
      const { free, alike } = countPageblock(state, start, wanted, pageblockType(state, pfn))
      moved = moveFreePages(state, zone, start, wanted)
      if (moved > 0 && free + alike >= CLAIM_PAGES) setPageblockType(state, start, wanted)
    }
  }
  if (moved === 0) {
    delFromFreeList(state, zone, pfn, f.blockOrder)
    addToFreeListTail(state, zone, pfn, f.blockOrder, wanted)
  }
  const taken = rmqueueSmallest(state, zone, order, wanted)
  traceExtfrag(state, taken, f)
  return taken
}

function find61(zone: Zone, order: number, wanted: number, allocFlags: number): Fallback | undefined {
  const least = smallestToBreak(order, allocFlags)
  for (let o = MAX_PAGE_ORDER; o >= least; o--) {
    const type = fallbackType(zone, o, wanted)
    if (type < 0) continue
    if (mayClaim(o, wanted) || wanted !== MIGRATE_MOVABLE || o === order) return { order, blockOrder: o, wanted, type }
    for (let small = order; small < NR_PAGE_ORDERS; small++) {
      const smallType = fallbackType(zone, small, wanted)
      if (smallType >= 0) return { order, blockOrder: small, wanted, type: smallType }
    }
  }
  return undefined
}

function boost(state: KernelState, zone: Zone, allocFlags: number): void {
  if (boostWatermark(state, zone) && (allocFlags & ALLOC_KSWAPD) !== 0) zone.flags |= ZONE_FLAG_BOOSTED
}

/** The kernel looks at the zone's span; ours also sees another node's memory inside it. @kernel prep_move_freepages_block() */
const isWholeBlockInZone = (state: KernelState, zone: Zone, start: Pfn): boolean =>
  start >= zone.startPfn &&
  start + PAGEBLOCK_PAGES <= zone.startPfn + zone.spanned &&
  pageZoneIndex(state.memmap, start) === zone.index &&
  pageZoneIndex(state.memmap, start + PAGEBLOCK_PAGES - 1) === zone.index

/**
 * Pages of a pageblock that are free, and pages that would suit the wanted type.
 * @kernel  mm/page_alloc.c prep_move_freepages_block(), the alike_pages of try_to_claim_block()
 */
function countPageblock(state: KernelState, start: Pfn, wanted: number, type: number): { free: Pages; alike: Pages } {
  let free = 0
  let movable = 0
  for (let pfn = start; pfn < start + PAGEBLOCK_PAGES;) {
    const order = freeBlockOrder(state, pfn)
    if (order >= 0) {
      free += 1 << order
      pfn += 1 << order
    } else {
      if (hasFlag(state.memmap, pfn, PG_LRU)) movable++
      pfn++
    }
  }
  if (wanted === MIGRATE_MOVABLE) return { free, alike: movable }
  return { free, alike: type === MIGRATE_MOVABLE ? PAGEBLOCK_PAGES - (free + movable) : 0 }
}

/** Moves all free blocks of a pageblock to the lists of a type. @returns pages moved @kernel __move_freepages_block() */
function moveFreePages(state: KernelState, zone: Zone, start: Pfn, to: number): Pages {
  let moved = 0
  for (let pfn = start; pfn < start + PAGEBLOCK_PAGES;) {
    const order = freeBlockOrder(state, pfn)
    if (order < 0) {
      pfn++
      continue
    }
    accountFreePages(zone, freeBlockType(state, pfn, order), -(1 << order))
    accountFreePages(zone, to, 1 << order)
    delFromFreeList(state, zone, pfn, order)
    addToFreeListTail(state, zone, pfn, order, to)
    moved += 1 << order
    pfn += 1 << order
  }
  return moved
}

/**
 * A pageblock and its free blocks change their type; one that is not whole in the zone stays as it is.
 * @kernel  mm/page_alloc.c move_freepages_block()
 */
export function moveFreepagesBlock(state: KernelState, zone: Zone, start: Pfn, to: number): void {
  if (!isWholeBlockInZone(state, zone, start)) return
  // 6.1 does not move what lies on the lists.
  if (zone.series !== '6.1') moveFreePages(state, zone, start, to)
  setPageblockType(state, start, to)
}

/** @kernel mm/page_alloc.c change_pageblock_range() */
function setPageblockRange(state: KernelState, pfn: Pfn, order: number, migratetype: number): void {
  for (let at = pfn; at < pfn + (1 << order); at += PAGEBLOCK_PAGES) setPageblockType(state, at, migratetype)
}

function traceExtfrag(state: KernelState, pfn: Pfn, f: Fallback): void {
  const changed = pageblockType(state, pfn) === f.wanted ? 1 : 0
  emit(state, 'mm_page_alloc_extfrag', [pfn, f.order, f.blockOrder, f.wanted, f.type, changed])
}

// ---------------------------------------------------------------- atomic high-order reserve

/** Most pages a zone may keep for atomic requests. @kernel reserve_highatomic_pageblock() @spec 02 §2.4, E7 */
export function highatomicMax(zone: Zone): Pages {
  const percent = Math.floor(zone.managed / 100)
  if (zone.series === '6.1') return percent + PAGEBLOCK_PAGES
  return percent < PAGEBLOCK_PAGES ? 0 : Math.ceil(percent / PAGEBLOCK_PAGES) * PAGEBLOCK_PAGES
}

/**
 * Converts the pageblock of a block that an atomic request got; all of them when it is larger (6.1: the first one).
 * @kernel  mm/page_alloc.c reserve_highatomic_pageblock()
 * @spec    02 §2.4
 */
export function reserveHighatomic(state: KernelState, zone: Zone, pfn: Pfn, order: number): void {
  if (zone.nrReservedHighatomic >= highatomicMax(zone)) return
  if (!isMergeable(pageblockType(state, pfn))) return
  if (order >= PAGEBLOCK_ORDER && zone.series !== '6.1') {
    setPageblockRange(state, pfn, order, MIGRATE_HIGHATOMIC)
    zone.nrReservedHighatomic += 1 << order
    return
  }
  const start = pfn & ~(PAGEBLOCK_PAGES - 1)
  if (!isWholeBlockInZone(state, zone, start)) return
  moveFreePages(state, zone, start, MIGRATE_HIGHATOMIC)
  setPageblockType(state, start, MIGRATE_HIGHATOMIC)
  zone.nrReservedHighatomic += PAGEBLOCK_PAGES
}

/** Gives one reserved pageblock of the zones back, to `wanted`. @kernel unreserve_highatomic_pageblock() @spec 02 §2.4 */
export function unreserveHighatomic(
  state: KernelState,
  zones: readonly number[],
  wanted: number,
  options: { readonly force: boolean },
): boolean {
  for (const index of zones) {
    const zone = state.zones[index]!
    if (!options.force && zone.nrReservedHighatomic <= PAGEBLOCK_PAGES) continue
    for (let order = 0; order < NR_PAGE_ORDERS; order++) {
      const pfn = freeListHead(zone, order, MIGRATE_HIGHATOMIC)
      if (pfn === 0) continue
      if (order < MAX_PAGE_ORDER) return unreserveBlock(state, zone, pfn, wanted)
      delFromFreeList(state, zone, pfn, order)
      accountFreePages(zone, MIGRATE_HIGHATOMIC, -(1 << order))
      setPageblockRange(state, pfn, order, wanted)
      accountFreePages(zone, wanted, 1 << order)
      addToFreeListTail(state, zone, pfn, order, wanted)
      zone.nrReservedHighatomic -= Math.min(1 << order, zone.nrReservedHighatomic)
      return true
    }
  }
  return false
}

function unreserveBlock(state: KernelState, zone: Zone, pfn: Pfn, wanted: number): boolean {
  const start = pfn & ~(PAGEBLOCK_PAGES - 1)
  setPageblockType(state, start, wanted)
  zone.nrReservedHighatomic -= Math.min(PAGEBLOCK_PAGES, zone.nrReservedHighatomic)
  return moveFreePages(state, zone, start, wanted) > 0
}
