/**
 * Frames sorted by something else than their owner: zone, order, migratetype, LRU age, memory cgroup, process, slab cache.
 * Each sorting starts from the owners of page_map.ts, so that holes, reserved and free frames are the same in all of them.
 */
import type { KernelState } from '../state'
import { freeBlockOrder, pageblockType } from './buddy'
import { MAX_PAGE_ORDER, MIGRATE_TYPES } from './gfp'
import { folioLruvec, folioZonenum } from './lruvec'
import { isMemcgDescendant } from './memcg_tree'
import {
  PG_ACTIVE,
  PG_ISOLATED,
  PG_LRU,
  PG_LRU_BATCH,
  PG_PCP,
  PG_TAIL,
  PG_UNEVICTABLE,
  hasFlag,
  pageFlags,
  pageMapping,
  pageMemcg,
  pageOrder,
} from './memmap'
import {
  AGE_NO_LRU,
  AGE_OFF_LIST,
  AGE_OLDEST,
  AGE_UNEVICTABLE,
  AGE_YOUNGEST,
  FRAME_ANON,
  FRAME_FILE,
  FRAME_FREE,
  FRAME_HOLE,
  FRAME_HUGE,
  FRAME_PCP,
  FRAME_PGTABLE,
  FRAME_RESERVED,
  FRAME_SLAB,
  KIND_USED,
  ORDER_COMPOUND,
  ORDER_PCP,
  ORDER_SINGLE,
  SUBJECT_FREE,
  SUBJECT_NONE,
  SUBJECT_OTHER,
  SUBJECT_OWN,
  SUBJECT_PARTLY,
  SUBJECT_TABLE,
  type PageColour,
} from './page_kinds'
import { BLOCK_PAGES } from './page_map'
import { mmOfSlot, tableMm } from './pgtable'
import { folioLruGen, genFromSeq } from './reclaim/lru_gen'
import { forEachMapping } from './rmap_chain'
import { slabHead } from './slab_state'

/** What is asked for: for 'cgroup' a memcg id, for 'process' an index into state.mms, for 'slab' a cache's number. */
export interface PageLens {
  readonly colour: PageColour
  readonly subject: number
}

const isFree = (owner: number): boolean => owner === FRAME_FREE || owner === FRAME_PCP
const isNothing = (owner: number): boolean => owner === FRAME_HOLE || owner === FRAME_RESERVED

/**
 * Kinds of the frames of a block, from their owners. Written into `out`, which may be `owners` itself.
 * @model  one loop a sorting; nothing in the kernel asks this of a whole block
 */
export function readColours(
  state: KernelState,
  lens: PageLens,
  block: number,
  owners: Uint8Array,
  out: Uint8Array,
): void {
  const start = block << MAX_PAGE_ORDER
  switch (lens.colour) {
    case 'owner':
      if (out !== owners) out.set(owners)
      return
    case 'zone':
      return pairs(start, owners, out, (pfn) => folioZonenum(state, pfn))
    case 'migratetype':
      return pairs(start, owners, out, (pfn) => Math.min(pageblockType(state, pfn), MIGRATE_TYPES - 1))
    case 'order':
      return orders(state, start, owners, out)
    case 'age':
      return kinds(start, owners, out, (pfn, owner) => ageOf(state, pfn, owner))
    case 'cgroup':
      return kinds(start, owners, out, (pfn) => groupOf(state, pfn, lens.subject))
    case 'process':
      return kinds(start, owners, out, (pfn, owner) => processOf(state, pfn, owner, lens.subject))
    case 'slab':
      return kinds(start, owners, out, (pfn, owner) => cacheOf(state, pfn, owner, lens.subject))
  }
}

/** Something that holds for 256 frames at least, each in use or free. */
function pairs(start: number, owners: Uint8Array, out: Uint8Array, at: (pfn: number) => number): void {
  for (let i = 0; i < BLOCK_PAGES; i += 256) {
    const used = KIND_USED + 2 * Math.max(0, at(start + i))
    for (let j = i; j < i + 256; j++) {
      const owner = owners[j]!
      out[j] = isNothing(owner) ? owner : isFree(owner) ? used + 1 : used
    }
  }
}

/** Something of each frame in use. */
function kinds(start: number, owners: Uint8Array, out: Uint8Array, of: (pfn: number, owner: number) => number): void {
  for (let i = 0; i < BLOCK_PAGES; i++) {
    const owner = owners[i]!
    out[i] = isNothing(owner) ? owner : isFree(owner) ? SUBJECT_FREE : of(start + i, owner)
  }
}

function orders(state: KernelState, start: number, owners: Uint8Array, out: Uint8Array): void {
  const m = state.memmap
  for (let i = 0; i < BLOCK_PAGES;) {
    const pfn = start + i
    const owner = owners[i]!
    const free = owner === FRAME_FREE ? freeBlockOrder(state, pfn) : -1
    const pages = free >= 0 ? 1 << free : hasFlag(m, pfn, PG_PCP) ? 1 << pageOrder(m, pfn) : 1
    const kind = isNothing(owner)
      ? owner
      : free >= 0
        ? KIND_USED + free
        : owner === FRAME_PCP
          ? ORDER_PCP
          : isCompound(state, pfn)
            ? ORDER_COMPOUND
            : ORDER_SINGLE
    const end = Math.min(BLOCK_PAGES, i + pages)
    while (i < end) out[i++] = kind
  }
}

/** Whether the frame is part of an allocation of more than one. */
const isCompound = (state: KernelState, pfn: number): boolean =>
  hasFlag(state.memmap, pfn, PG_TAIL) || hasFlag(state.memmap, pfn + 1, PG_TAIL)

function ageOf(state: KernelState, pfn: number, owner: number): number {
  if (owner !== FRAME_ANON && owner !== FRAME_FILE && owner !== FRAME_HUGE) return AGE_NO_LRU
  const flags = pageFlags(state.memmap, pfn)
  if ((flags & PG_UNEVICTABLE) !== 0) return AGE_UNEVICTABLE
  if ((flags & (PG_LRU_BATCH | PG_ISOLATED)) !== 0) return AGE_OFF_LIST
  if ((flags & PG_LRU) === 0) return AGE_NO_LRU
  const gen = folioLruGen(flags)
  if (gen < 0) return (flags & PG_ACTIVE) !== 0 ? AGE_YOUNGEST : AGE_OLDEST
  return AGE_YOUNGEST + genFromSeq(folioLruvec(state, pfn).gen.maxSeq - gen)
}

function groupOf(state: KernelState, pfn: number, memcg: number): number {
  const id = pageMemcg(state.memmap, pfn)
  if (id === 0) return SUBJECT_NONE
  if (id === memcg) return SUBJECT_OWN
  return memcg !== 0 && isMemcgDescendant(state, id, memcg) ? SUBJECT_PARTLY : SUBJECT_OTHER
}

function processOf(state: KernelState, pfn: number, owner: number, mm: number): number {
  const t = state.pgtables
  if (owner === FRAME_PGTABLE) return tableMm(t, pageMapping(state.memmap, pfn)) === mm ? SUBJECT_TABLE : SUBJECT_NONE
  let own = false
  let others = false
  forEachMapping(state, pfn, (slot) => {
    if (mmOfSlot(t, slot) === mm) own = true
    else others = true
  })
  if (own) return others ? SUBJECT_PARTLY : SUBJECT_OWN
  return others ? SUBJECT_OTHER : SUBJECT_NONE
}

function cacheOf(state: KernelState, pfn: number, owner: number, cache: number): number {
  if (owner !== FRAME_SLAB) return SUBJECT_NONE
  const head = slabHead(state.memmap, pfn)
  return pageMapping(state.memmap, head) === cache ? SUBJECT_OWN : SUBJECT_OTHER
}

/**
 * Kind of the frames of a pageblock of a free block of order 10.
 * @param pfn  its first frame
 * @model  what readColours() would say, without a look at the frames
 */
export function freeKind(state: KernelState, lens: PageLens, pfn: number): number {
  switch (lens.colour) {
    case 'owner':
      return FRAME_FREE
    case 'zone':
      return KIND_USED + 2 * folioZonenum(state, pfn) + 1
    case 'migratetype':
      return KIND_USED + 2 * Math.min(pageblockType(state, pfn), MIGRATE_TYPES - 1) + 1
    case 'order':
      return KIND_USED + MAX_PAGE_ORDER
    default:
      return SUBJECT_FREE
  }
}
