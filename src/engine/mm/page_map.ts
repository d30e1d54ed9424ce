/**
 * What a picture of memory needs to know of each frame: one small number a frame, for a block of 1024 frames at a time.
 * Apart from memmap.ts, because nothing in the simulated kernel asks this; it only reads.
 *
 * A block that is one free block of order 10 is told without a look at its frames: most of a large machine is untouched.
 */
import type { Pfn } from '../../util/units'
import { clipRanges, ramRanges, type PfnRange } from '../machine_spans'
import type { KernelState } from '../state'
import { managedRanges } from './buddy'
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

/** What never changes after boot: which frames are RAM, and which of them the allocator was given. */
export interface PageMapFacts {
  readonly ram: readonly PfnRange[]
  readonly managed: readonly PfnRange[]
}

/** @model  read once a machine, from the same functions that boot used */
export function pageMapFacts(state: KernelState): PageMapFacts {
  const byStart = (a: PfnRange, b: PfnRange): number => a.start - b.start
  const ram = state.config.nodes.flatMap((node) => ramRanges(state.config, node.nid)).sort(byStart)
  const managed = state.zones
    .filter((zone) => zone.present > 0)
    .flatMap((zone) => managedRanges(state, zone))
    .sort(byStart)
  return { ram, managed }
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

/**
 * The owner of a whole block when one look tells it, else −1.
 * @param block  number of the block: pfn >> 10
 * @model  free blocks of order 10 have links of their own; what boot reserved or left out never changes
 */
export function uniformOwner(state: KernelState, facts: PageMapFacts, block: number): number {
  if ((state.blockNext[block] ?? 0) !== 0) return FRAME_FREE
  const start = block << MAX_PAGE_ORDER
  const end = start + BLOCK_PAGES
  const managed = rangeAt(facts.managed, end - 1)
  if (managed !== undefined && managed.end > start) return -1
  const ram = rangeAt(facts.ram, end - 1)
  if (ram === undefined || ram.end <= start) return FRAME_HOLE
  return ram.start <= start && ram.end >= end ? FRAME_RESERVED : -1
}

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
  const uniform = uniformOwner(state, facts, block)
  if (uniform >= 0) {
    out.fill(uniform, 0, BLOCK_PAGES)
    return
  }
  const m = state.memmap
  const start = block << MAX_PAGE_ORDER
  for (let i = 0; i < BLOCK_PAGES;) {
    const pfn = start + i
    const own = pageFlags(m, pfn) & PG_OWNER_MASK
    if (own === PG_BUDDY || own === PG_PCP) {
      const end = Math.min(BLOCK_PAGES, i + (1 << pageOrder(m, pfn)))
      const owner = own === PG_BUDDY ? FRAME_FREE : FRAME_PCP
      while (i < end) out[i++] = owner
      continue
    }
    if (own === PG_TAIL && i > 0) out[i] = out[i - 1]!
    else if (own === 0) out[i] = isRam(facts, pfn) ? FRAME_KERNEL : FRAME_HOLE
    else out[i] = ownerOf(own)
    i++
  }
}

/**
 * Frames of other zones become holes: for a block where two zones meet, or a zone that spans frames of another node.
 * @param zone  index into state.zones
 * @returns whether any frame was another zone's
 * @model  zones meet at multiples of 256 frames
 */
export function maskOtherZones(state: KernelState, block: number, zone: number, out: Uint8Array): boolean {
  const start = block << MAX_PAGE_ORDER
  let isCut = false
  for (let i = 0; i < BLOCK_PAGES; i += 256) {
    const at = pageZoneIndex(state.memmap, start + i)
    if (at === zone || at < 0) continue
    out.fill(FRAME_HOLE, i, i + 256)
    isCut = true
  }
  return isCut
}

/** RAM of a zone, ascending: what lies between is a hole. @model addresses only */
export const zoneRam = (state: KernelState, zone: { nid: number; startPfn: Pfn; spanned: number }): PfnRange[] =>
  clipRanges(ramRanges(state.config, zone.nid), zone.startPfn, zone.startPfn + zone.spanned)
