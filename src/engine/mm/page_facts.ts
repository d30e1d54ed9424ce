/**
 * One struct page, with everything that leads on from it: its block and buddy, its list and neighbours, who maps it.
 * Only reads; apart from page_map.ts, because that is about many frames and this about one.
 */
import type { Pages, Pfn, Vpn } from '../../util/units'
import type { KernelState } from '../state'
import { freeBlockOrder, freeBlockType, nextFreeBlock } from './buddy'
import { MAX_PAGE_ORDER, PAGEBLOCK_ORDER } from './gfp'
import { folioIsFileLru, folioLruvec } from './lruvec'
import {
  hasFlag,
  mapcount,
  nextOnList,
  pageFlags,
  pageIndex,
  pageMapping,
  pageMemcg,
  pageOrder,
  pageZoneIndex,
  PG_FILE,
  PG_HUGETLB,
  PG_ISOLATED,
  PG_LRU,
  PG_LRU_BATCH,
  PG_PCP,
  PG_SWAPCACHE,
  PG_TAIL,
  prevOnList,
} from './memmap'
import { FRAME_FREE, FRAME_HOLE, FRAME_PCP, FRAME_PGTABLE, FRAME_RESERVED, FRAME_SLAB } from './page_kinds'
import { BLOCK_PAGES, readOwners, type PageMapFacts } from './page_map'
import { mmOfSlot, tableBase, tableLevel, tableMm, vpnOfSlot } from './pgtable'
import { forEachPcpBlock } from './pcp'
import { folioLruGen, genFromSeq } from './reclaim/lru_gen'
import { forEachMapping } from './rmap_chain'
import { slabHead } from './slab_state'
import { folioLruList } from './swap'

/** Why the buddy of a free block has not merged with it. */
export type BuddyState = 'in use' | 'split' | 'unmerged' | 'other zone' | 'no memory' | 'largest'

export interface FreeBlockFacts {
  readonly head: Pfn
  readonly order: number
  /** Free list it is on: MIGRATE_*. */
  readonly type: number
  /** The block beside it that it would merge with: pfn XOR (1 << order). */
  readonly buddy: Pfn
  readonly buddyState: BuddyState
  /** Frames of the buddy that are free. */
  readonly buddyFree: Pages
  /** Behind it on its list, 0 none. */
  readonly next: Pfn
}

export interface LruFacts {
  /** 'inactive_anon' … or 'gen' with its sequence number. */
  readonly list: number
  /** MGLRU sequence number, −1 on a classic list. */
  readonly seq: number
  /** 0 youngest. */
  readonly age: number
  readonly isFile: boolean
  readonly isOffList: boolean
  readonly next: Pfn
  readonly prev: Pfn
}

export interface PageFacts {
  readonly pfn: Pfn
  /** FRAME_* */
  readonly owner: number
  /** Index into state.zones, −1 none. */
  readonly zone: number
  readonly migratetype: number
  readonly flags: number
  /** First frame of the free block, slab or compound page that the frame is in; itself when it stands alone. */
  readonly head: Pfn
  readonly order: number
  readonly refcount: number
  readonly mapcount: number
  readonly memcg: number
  readonly mapping: number
  readonly index: number
  readonly free: FreeBlockFacts | undefined
  /** CPU whose list it is on. */
  readonly pcpCpu: number
  readonly lru: LruFacts | undefined
  /** Slot in the swap area, −1 none. */
  readonly swapSlot: number
  /** The first mappings; mapcount says how many there are. */
  readonly mappings: readonly { readonly mm: number; readonly vpn: Vpn }[]
  readonly table: { readonly level: number; readonly mm: number; readonly base: Vpn } | undefined
  readonly slabRow: number
  /** pid whose kernel stack it is part of, 0 none. */
  readonly stackOf: number
}

/** As many mappings are named. */
const MAPPINGS_MAX = 8

/** The free block that holds the frame, −1 none. @model  looks at the possible heads, largest first */
export function freeBlockAt(state: KernelState, pfn: Pfn): Pfn {
  for (let order = MAX_PAGE_ORDER; order >= 0; order--) {
    const head = pfn & ~((1 << order) - 1)
    if (freeBlockOrder(state, head) >= order) return head
  }
  return -1
}

/**
 * Everything about one frame.
 * @param pfn  below memmap.endPfn
 * @kernel  include/linux/mm_types.h struct page; mm/debug.c __dump_page()
 */
export function pageFacts(state: KernelState, facts: PageMapFacts, pfn: Pfn): PageFacts {
  const m = state.memmap
  const owner = ownerAt(state, facts, pfn)
  const head = headOf(state, pfn, owner)
  const free = owner === FRAME_FREE ? freeFacts(state, facts, head) : undefined
  const mappings: { mm: number; vpn: Vpn }[] = []
  forEachMapping(state, pfn, (slot) => {
    if (mappings.length < MAPPINGS_MAX)
      mappings.push({ mm: mmOfSlot(state.pgtables, slot), vpn: vpnOfSlot(state.pgtables, slot) })
  })
  const table = owner === FRAME_PGTABLE ? pageMapping(m, pfn) : -1
  return {
    pfn,
    owner,
    zone: pageZoneIndex(m, pfn),
    migratetype: state.pageblocks[pfn >> PAGEBLOCK_ORDER] ?? 0,
    flags: pageFlags(m, pfn),
    head,
    order: free !== undefined ? free.order : orderAt(state, head),
    refcount: refcount(state, pfn, owner),
    mapcount: mapcount(m, pfn),
    memcg: pageMemcg(m, pfn),
    mapping: pageMapping(m, pfn),
    index: pageIndex(m, pfn),
    free,
    pcpCpu: owner === FRAME_PCP ? cpuOfPcp(state, pfn) : -1,
    lru: lruFacts(state, pfn),
    swapSlot: hasFlag(m, pfn, PG_SWAPCACHE) ? pageMapping(m, pfn) - 1 : -1,
    mappings,
    table:
      table < 0
        ? undefined
        : {
            level: tableLevel(state.pgtables, table),
            mm: tableMm(state.pgtables, table),
            base: tableBase(state.pgtables, table),
          },
    slabRow: owner === FRAME_SLAB && slabHead(m, pfn) !== 0 ? pageIndex(m, head) : 0,
    stackOf: state.taskList.find((pid) => state.tasks[pid]?.stackPfns.includes(pfn) === true) ?? 0,
  }
}

function ownerAt(state: KernelState, facts: PageMapFacts, pfn: Pfn): number {
  const owners = new Uint8Array(BLOCK_PAGES)
  readOwners(state, facts, pfn >> MAX_PAGE_ORDER, owners)
  return owners[pfn & (BLOCK_PAGES - 1)]!
}

function headOf(state: KernelState, pfn: Pfn, owner: number): Pfn {
  const m = state.memmap
  if (owner === FRAME_FREE) return freeBlockAt(state, pfn)
  if (owner === FRAME_PCP) {
    let head = pfn
    while (!hasFlag(m, head, PG_PCP)) head--
    return head
  }
  let head = pfn
  while (hasFlag(m, head, PG_TAIL)) head--
  return head
}

/** Frames of the allocation that begins at `head`, as an order. */
function orderAt(state: KernelState, head: Pfn): number {
  const m = state.memmap
  if (hasFlag(m, head, PG_PCP | PG_HUGETLB)) return pageOrder(m, head)
  let order = 0
  while (order < MAX_PAGE_ORDER && hasFlag(m, head + (1 << order), PG_TAIL)) order++
  return order
}

/**
 * @model  the simulator keeps no reference counts: one for each mapping, one for the page cache or the swap cache, one for
 *         a per-CPU batch or an isolation, one for a plain allocation
 */
function refcount(state: KernelState, pfn: Pfn, owner: number): number {
  const m = state.memmap
  if (owner === FRAME_FREE || owner === FRAME_PCP || owner === FRAME_HOLE) return 0
  if (hasFlag(m, pfn, PG_TAIL)) return 0
  const users =
    mapcount(m, pfn) +
    (hasFlag(m, pfn, PG_FILE) ? 1 : 0) +
    (hasFlag(m, pfn, PG_SWAPCACHE) ? 1 : 0) +
    (hasFlag(m, pfn, PG_LRU_BATCH | PG_ISOLATED) ? 1 : 0)
  return owner === FRAME_RESERVED ? 1 : Math.max(1, users)
}

function cpuOfPcp(state: KernelState, pfn: Pfn): number {
  const zone = state.zones[pageZoneIndex(state.memmap, pfn)]!
  for (let cpu = 0; cpu < zone.pcp.length; cpu++) {
    let found = false
    forEachPcpBlock(state, zone, cpu, (head, order) => {
      if (pfn >= head && pfn < head + (1 << order)) found = true
    })
    if (found) return cpu
  }
  return -1
}

function freeFacts(state: KernelState, facts: PageMapFacts, head: Pfn): FreeBlockFacts {
  const order = freeBlockOrder(state, head)
  const buddy = head ^ (1 << order)
  return {
    head,
    order,
    type: freeBlockType(state, head, order),
    buddy,
    buddyState: buddyState(state, head, order),
    buddyFree: order === MAX_PAGE_ORDER ? 0 : freeFrames(state, facts, buddy, 1 << order),
    next: nextFreeBlock(state, head, order),
  }
}

/** Free ones of `pages` frames, which lie in one block. */
function freeFrames(state: KernelState, facts: PageMapFacts, pfn: Pfn, pages: Pages): Pages {
  const owners = new Uint8Array(BLOCK_PAGES)
  readOwners(state, facts, pfn >> MAX_PAGE_ORDER, owners)
  const from = pfn & (BLOCK_PAGES - 1)
  return owners.subarray(from, from + pages).reduce((n, owner) => n + (owner === FRAME_FREE ? 1 : 0), 0)
}

/** @kernel mm/page_alloc.c find_buddy_page_pfn(), page_is_buddy() */
function buddyState(state: KernelState, head: Pfn, order: number): BuddyState {
  if (order === MAX_PAGE_ORDER) return 'largest'
  const buddy = head ^ (1 << order)
  const zone = pageZoneIndex(state.memmap, buddy)
  if (zone < 0) return 'no memory'
  if (zone !== pageZoneIndex(state.memmap, head)) return 'other zone'
  const buddyOrder = freeBlockOrder(state, buddy)
  if (buddyOrder === order) return 'unmerged'
  return buddyOrder >= 0 ? 'split' : 'in use'
}

function lruFacts(state: KernelState, pfn: Pfn): LruFacts | undefined {
  const m = state.memmap
  if (!hasFlag(m, pfn, PG_LRU | PG_LRU_BATCH | PG_ISOLATED)) return undefined
  const gen = folioLruGen(pageFlags(m, pfn))
  const { maxSeq } = folioLruvec(state, pfn).gen
  const age = gen < 0 ? -1 : genFromSeq(maxSeq - gen)
  return {
    list: folioLruList(state, pfn),
    seq: age < 0 ? -1 : maxSeq - age,
    age,
    isFile: folioIsFileLru(state, pfn) === 1,
    isOffList: !hasFlag(m, pfn, PG_LRU),
    next: hasFlag(m, pfn, PG_LRU) ? nextOnList(m, pfn) : 0,
    prev: hasFlag(m, pfn, PG_LRU) ? prevOnList(m, pfn) : 0,
  }
}
