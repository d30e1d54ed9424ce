/**
 * The buddy system as a reader from outside sees it: what is on the free lists and the per-CPU lists, what stands beside a
 * block, and how a block would merge if it were freed. Reads only; nothing here may be used by a mechanism.
 * @kernel  mm/vmstat.c frag_show_print(), pagetypeinfo_showfree_print(), zoneinfo_show_print()
 * @spec    02 §2.1, §2.2, §2.9
 */
import type { Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { freeBlockOrder, freeListHead, isMergeable, pageblockType } from './buddy'
import { firstFreeBlocks, freeBlockCounts, pcpFigures, type PcpFigures } from './free_area'
import { fragmentationIndex, unusableFreeIndex } from './fragmentation'
import {
  MAX_PAGE_ORDER,
  MIGRATE_NAMES,
  NR_PAGE_ORDERS,
  PAGE_ALLOC_COSTLY_ORDER,
  PAGEBLOCK_ORDER,
  ZONE_NAMES,
} from './gfp'
import { hasFlag, listHead, nextOnList, pageZoneIndex, PG_PCP, PG_RESERVED } from './memmap'
import { NR_PCP_LISTS, zoneFreePages, type Zone } from './mmzone'

const PAGEBLOCK_PAGES = 1 << PAGEBLOCK_ORDER
const ORDERS = Array.from({ length: NR_PAGE_ORDERS }, (_, order) => order)

/** Free blocks of one zone. */
export interface FreeArea {
  readonly nid: number
  readonly zone: string
  readonly freePages: Pages
  readonly managed: Pages
  /** Blocks of each order: the row of /proc/buddyinfo. */
  readonly nrFree: readonly number[]
  /** Blocks by migrate type, then order: the rows of /proc/pagetypeinfo, but without its stop at 100000. */
  readonly byType: readonly (readonly number[])[]
  /** Thousandths, by order: unusable free space index. */
  readonly unusable: readonly number[]
  /** Thousandths, by order: fragmentation index, −1000 = an allocation would succeed. */
  readonly extfrag: readonly number[]
}

/** Every zone with memory, as in /proc/buddyinfo. @kernel mm/vmstat.c frag_show() @spec 02 §2.9 */
export const freeAreas = (state: KernelState): FreeArea[] =>
  state.zones
    .filter((zone) => zone.present > 0)
    .map((zone) => ({
      nid: zone.nid,
      zone: ZONE_NAMES[zone.idx]!,
      freePages: zoneFreePages(zone),
      managed: zone.managed,
      nrFree: [...zone.nrFree],
      byType: freeBlockCounts(zone),
      unusable: ORDERS.map((order) => unusableFreeIndex(zone.nrFree, order)),
      extfrag: ORDERS.map((order) => fragmentationIndex(zone.nrFree, order)),
    }))

/** The populated zone of that name on a node. @kernel NODE_DATA(nid)->node_zones[] */
export const zoneNamed = (state: KernelState, nid: number, name: string): Zone | undefined =>
  state.zones.find((zone) => zone.nid === nid && zone.present > 0 && ZONE_NAMES[zone.idx] === name)

/**
 * Pageblocks of each type whose first frame is the zone's. Visits every pageblock: 65 536 for 128 GiB.
 * @kernel  mm/vmstat.c pagetypeinfo_showblockcount_print()
 */
export function pageblockCounts(state: KernelState, zone: Zone): number[] {
  const counts = MIGRATE_NAMES.map(() => 0)
  const end = zone.startPfn + zone.spanned
  for (let pfn = zone.startPfn; pfn < end; pfn = (Math.floor(pfn / PAGEBLOCK_PAGES) + 1) * PAGEBLOCK_PAGES) {
    if (pageZoneIndex(state.memmap, pfn) === zone.index) counts[pageblockType(state, pfn)]!++
  }
  return counts
}

// ---------------------------------------------------------------- per-CPU lists

/** The lists of one CPU for one zone: what /proc/zoneinfo prints of them. */
export interface PcpLists extends PcpFigures {
  readonly cpu: number
}

/** @kernel mm/vmstat.c zoneinfo_show_print() "pagesets" */
export const pcpLists = (zone: Zone): PcpLists[] => pcpFigures(zone).map((figures, cpu) => ({ cpu, ...figures }))

/** Blocks on one list of a CPU. */
export interface PcpList {
  readonly order: number
  /** 'Unmovable', 'Movable', 'Reclaimable'; for order 9 also 'not Movable'. */
  readonly type: string
  readonly blocks: number
}

/** The single lists of one CPU, which no file shows. Walks them. @kernel include/linux/mmzone.h struct per_cpu_pages */
export function pcpListsOfCpu(state: KernelState, zone: Zone, cpu: number): PcpList[] {
  const pcp = zone.pcp[cpu]
  if (pcp === undefined) return []
  return Array.from({ length: NR_PCP_LISTS }, (_, list) => {
    let blocks = 0
    for (let pfn = listHead(pcp.lists, list); pfn !== 0; pfn = nextOnList(state.memmap, pfn)) blocks++
    const low = list < 3 * (PAGE_ALLOC_COSTLY_ORDER + 1)
    return {
      order: low ? Math.floor(list / 3) : PAGEBLOCK_ORDER,
      type: low ? MIGRATE_NAMES[list % 3]! : list === NR_PCP_LISTS - 1 ? 'Movable' : 'not Movable',
      blocks,
    }
  })
}

// ---------------------------------------------------------------- blocks and their buddies

/** Why a block does not merge with its buddy, or that it would. */
export type BuddyVerdict =
  /** Free and of the same order. */
  | 'merges'
  /** Its first frame is allocated. */
  | 'in use'
  /** It waits on the list of a CPU: neither free nor allocated. */
  | 'on a pcp list'
  /** Part of it is free, in smaller blocks. */
  | 'split'
  /** No memory of this zone. */
  | 'other zone'
  | 'reserved'
  /** Both are whole pageblocks of types that must not mix. */
  | 'other type'
  /** There is no larger order. */
  | 'largest'

/** One step of freeing: the block, its buddy, and whether they become one. */
export interface MergeStep {
  readonly order: number
  readonly pfn: Pfn
  readonly buddy: Pfn
  readonly verdict: BuddyVerdict
  /** Order of the free block that starts at the buddy, −1 none. */
  readonly buddyOrder: number
}

/** @kernel mm/page_alloc.c page_is_buddy(), __free_one_page() */
function verdictOf(state: KernelState, zone: Zone, buddy: Pfn, order: number, type: number): BuddyVerdict {
  if (order >= MAX_PAGE_ORDER) return 'largest'
  if (pageZoneIndex(state.memmap, buddy) !== zone.index || buddy >= zone.startPfn + zone.spanned) return 'other zone'
  const free = freeBlockOrder(state, buddy)
  if (free === order) {
    const other = pageblockType(state, buddy)
    if (order < PAGEBLOCK_ORDER || other === type || (isMergeable(other) && isMergeable(type))) return 'merges'
    return 'other type'
  }
  if (free >= 0) return 'split'
  if (hasFlag(state.memmap, buddy, PG_RESERVED)) return 'reserved'
  return hasFlag(state.memmap, buddy, PG_PCP) ? 'on a pcp list' : 'in use'
}

/**
 * How far a block would merge if it were given to the buddy system now; the last step is the one that stops.
 * @kernel  mm/page_alloc.c __free_one_page()
 * @spec    02 §2.2
 */
export function mergeWalk(state: KernelState, zone: Zone, pfn: Pfn, order: number): MergeStep[] {
  const type = pageblockType(state, pfn)
  const steps: MergeStep[] = []
  let at = pfn
  for (let o = order; o <= MAX_PAGE_ORDER; o++) {
    const buddy = o === MAX_PAGE_ORDER ? at : at ^ (1 << o)
    const verdict = verdictOf(state, zone, buddy, o, type)
    steps.push({ order: o, pfn: at, buddy, verdict, buddyOrder: freeBlockOrder(state, buddy) })
    if (verdict !== 'merges') break
    at &= buddy
  }
  return steps
}

/** A block on a free list, and why it is no larger. */
export interface FreeBlock {
  readonly pfn: Pfn
  readonly buddy: Pfn
  readonly verdict: BuddyVerdict
}

/**
 * The first blocks of one free list, head first: the head is what the next allocation takes.
 * @kernel  mm/page_alloc.c struct free_area
 */
export function freeListBlocks(
  state: KernelState,
  zone: Zone,
  { order, type, limit }: { readonly order: number; readonly type: number; readonly limit: number },
): FreeBlock[] {
  return firstFreeBlocks(state, zone, { order, migratetype: type }, limit).map((pfn) => {
    const [step] = mergeWalk(state, zone, pfn, order)
    return { pfn, buddy: step!.buddy, verdict: step!.verdict }
  })
}

/** The free block that an allocation of this order and type would be cut from. */
export interface NextBlock {
  readonly pfn: Pfn
  readonly blockOrder: number
}

/**
 * Where the buddy system would take a block from, if the request reaches it and its own lists hold one.
 * @returns undefined when every list of the type is empty from that order up: then another type's are robbed
 * @kernel  mm/page_alloc.c __rmqueue_smallest()
 */
export function nextBlock(zone: Zone, order: number, type: number): NextBlock | undefined {
  for (let o = order; o < NR_PAGE_ORDERS; o++) {
    const pfn = freeListHead(zone, o, type)
    if (pfn !== 0) return { pfn, blockOrder: o }
  }
  return undefined
}
