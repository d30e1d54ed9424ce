/**
 * What a picture of memory needs to know of each frame: one small number a frame, for a block of 1024 frames at a time.
 * Apart from memmap.ts, because nothing in the simulated kernel asks this; it only reads.
 *
 * A block that is one free block of order 10 is told without a look at its frames: most of a large machine is untouched.
 */
import type { Pfn } from '../../util/units'
import { clipRanges, ramRanges, type PfnRange } from '../machine_spans'
import type { KernelState } from '../state'
import { freeBlockOrder, managedRanges, markLargestFree } from './buddy'
import { MAX_PAGE_ORDER } from './gfp'
import {
  PG_ANON,
  PG_BUDDY,
  PG_FILE,
  PG_HUGETLB,
  PG_OWNER_MASK,
  PG_PCP,
  PG_RESERVED,
  PG_SLAB,
  PG_TABLE,
  PG_TAIL,
  pageFlags,
  pageOrder,
  pageZoneIndex,
} from './memmap'
import {
  FRAME_ANON,
  FRAME_FILE,
  FRAME_FREE,
  FRAME_HOLE,
  FRAME_HUGE,
  FRAME_KERNEL,
  FRAME_PCP,
  FRAME_PGTABLE,
  FRAME_RESERVED,
  FRAME_SLAB,
} from './page_kinds'

/** Frames of one block: the largest that the buddy system has. */
export const BLOCK_PAGES = 1 << MAX_PAGE_ORDER

/** What never changes after boot: which frames are RAM, and what is known of each block without a look at its frames. */
export interface PageMapFacts {
  readonly ram: readonly PfnRange[]
  /** FRAME_HOLE or FRAME_RESERVED of a block that is nothing else, −1 where the allocator has frames. */
  readonly fixed: Int8Array
  /** Index into state.zones of the block's frames; −1 none, −2 more than one zone. */
  readonly zones: Int16Array
}

/** @model  read once a machine, from the same functions that boot used */
export function pageMapFacts(state: KernelState): PageMapFacts {
  const byStart = (a: PfnRange, b: PfnRange): number => a.start - b.start
  const ram = state.config.nodes.flatMap((node) => ramRanges(state.config, node.nid)).sort(byStart)
  const managed = state.zones
    .filter((zone) => zone.present > 0)
    .flatMap((zone) => managedRanges(state, zone))
    .sort(byStart)
  const blocks = Math.ceil(state.memmap.endPfn / BLOCK_PAGES)
  const fixed = new Int8Array(blocks)
  const zones = new Int16Array(blocks)
  for (let block = 0; block < blocks; block++) {
    fixed[block] = fixedOwner(ram, managed, block << MAX_PAGE_ORDER)
    zones[block] = zoneOfBlock(state, block << MAX_PAGE_ORDER)
  }
  return { ram, fixed, zones }
}

function fixedOwner(ram: readonly PfnRange[], managed: readonly PfnRange[], start: Pfn): number {
  const end = start + BLOCK_PAGES
  if ((rangeAt(managed, end - 1)?.end ?? 0) > start) return -1
  const range = rangeAt(ram, end - 1)
  if (range === undefined || range.end <= start) return FRAME_HOLE
  return range.start <= start && range.end >= end ? FRAME_RESERVED : -1
}

function zoneOfBlock(state: KernelState, start: Pfn): number {
  let zone = -1
  for (let pfn = start; pfn < Math.min(start + BLOCK_PAGES, state.memmap.endPfn); pfn += 256) {
    const at = pageZoneIndex(state.memmap, pfn)
    if (at < 0) continue
    if (zone >= 0 && at !== zone) return -2
    zone = at
  }
  return zone
}

/**
 * The owner of each block of which one look tells it, else −1, into `out`: one number a block.
 * @model  free blocks of order 10 have links of their own; what boot reserved or left out never changes
 */
export function readUniformOwners(state: KernelState, facts: PageMapFacts, out: Int8Array): void {
  out.set(facts.fixed)
  markLargestFree(state, out, FRAME_FREE)
}

/** The last range that begins at or before the frame. */
function rangeAt(ranges: readonly PfnRange[], pfn: Pfn): PfnRange | undefined {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ranges[middle]!.start <= pfn) low = middle + 1
    else high = middle
  }
  return ranges[low - 1]
}

const isIn = (ranges: readonly PfnRange[], pfn: Pfn): boolean => pfn < (rangeAt(ranges, pfn)?.end ?? 0)

/** @model  frames that firmware calls usable, less what no kernel uses */
export const isRam = (facts: PageMapFacts, pfn: Pfn): boolean => isIn(facts.ram, pfn)

/** Owner by the bit that a frame in use has. */
function ownerOf(own: number): number {
  switch (own) {
    case PG_ANON:
      return FRAME_ANON
    case PG_FILE:
      return FRAME_FILE
    case PG_SLAB:
      return FRAME_SLAB
    case PG_TABLE:
      return FRAME_PGTABLE
    case PG_RESERVED:
      return FRAME_RESERVED
    case PG_HUGETLB:
      return FRAME_HUGE
    default:
      return FRAME_KERNEL
  }
}

/**
 * Owners of the 1024 frames of a block into `out`. A frame that is taken and not yet given to anybody counts as the
 * kernel's: that is between two steps of an operation.
 * @model  the kernel has no such question; tools/mm/page-types.c asks /proc/kpageflags for as much
 */
export function readOwners(state: KernelState, facts: PageMapFacts, block: number, out: Uint8Array): void {
  const m = state.memmap
  const start = block << MAX_PAGE_ORDER
  const isFree = freeBlockOrder(state, start) === MAX_PAGE_ORDER
  if (isFree || facts.fixed[block]! >= 0) {
    out.fill(isFree ? FRAME_FREE : facts.fixed[block]!, 0, BLOCK_PAGES)
    return
  }
  for (let i = 0; i < BLOCK_PAGES;) {
    const pfn = start + i
    const own = pageFlags(m, pfn) & PG_OWNER_MASK
    if (own === PG_BUDDY || own === PG_PCP) {
      const end = Math.min(BLOCK_PAGES, i + (1 << pageOrder(m, pfn)))
      const owner = own === PG_BUDDY ? FRAME_FREE : FRAME_PCP
      while (i < end) out[i++] = owner
      continue
    }
    // Only a page of 1 GiB begins before its block.
    if (own === PG_TAIL) out[i] = i > 0 ? out[i - 1]! : FRAME_HUGE
    else if (own === 0) out[i] = isRam(facts, pfn) ? FRAME_KERNEL : FRAME_HOLE
    else out[i] = ownerOf(own)
    i++
  }
}

/**
 * Frames of other zones become holes: for a block where two zones meet, or a zone that spans frames of another node.
 * @param zone  index into state.zones
 * @model  zones meet at multiples of 256 frames
 */
export function maskOtherZones(state: KernelState, block: number, zone: number, out: Uint8Array): void {
  const start = block << MAX_PAGE_ORDER
  for (let i = 0; i < BLOCK_PAGES; i += 256) {
    const at = pageZoneIndex(state.memmap, start + i)
    if (at !== zone && at >= 0) out.fill(FRAME_HOLE, i, i + 256)
  }
}

/** RAM of a zone, ascending: what lies between is a hole. @model addresses only */
export const zoneRam = (state: KernelState, zone: { nid: number; startPfn: Pfn; spanned: number }): PfnRange[] =>
  clipRanges(ramRanges(state.config, zone.nid), zone.startPfn, zone.startPfn + zone.spanned)
