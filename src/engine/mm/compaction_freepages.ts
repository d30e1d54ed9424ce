/**
 * Free frames in the hands of a compaction: taken out of pageblocks, waiting for a page to move in, given back at the end.
 * Apart from compaction_free.ts, which decides where to take them from.
 * @kernel  mm/compaction.c isolate_freepages_block(), compaction_alloc(), release_free_list()
 * @spec    08 §8.7 "Free scanner"
 */
import type { Pages, Pfn } from '../../util/units'
import { charge } from '../exec'
import type { KernelState } from '../state'
import { emit, isTracing } from '../trace'
import { accountFreePages, delFromFreeList, freeBlockOrder, freeBlockType, isMergeable, pageblockType } from './buddy'
import { moveFreepagesBlock } from './buddy_fallback'
import { PAGEBLOCK_PAGES, pageblockEnd, pageblockStart, zoneCompaction, type CompactControl } from './compaction_state'
import { MIGRATE_MOVABLE, NR_PAGE_ORDERS, PAGEBLOCK_ORDER } from './gfp'
import { createLists, listAddHead, listAddTail, listDel, listHead } from './memmap'
import { ALLOC_CMA, WMARK_MIN, zoneWatermarkOk, type Zone } from './mmzone'
import { freeUnrefPage } from './pcp'
import { COMPACT_ISOLATED, countVmEvents } from './vmstat'

/**
 * Frames taken and not used yet, by order. Between two steps of a run they are in its control: keepFreepages().
 * @kernel  struct compact_control freepages[]
 */
const freepages = createLists(NR_PAGE_ORDERS)
let held: Pages = 0

/** @kernel cc->nr_freepages */
export const nrFreepages = (): Pages => held

/** One frame of those at hand, 0 = none left. @kernel mm/compaction.c compaction_alloc_noprof() */
export function takeFreepage(state: KernelState): Pfn {
  for (let order = 0; order < NR_PAGE_ORDERS; order++) {
    const pfn = listHead(freepages, order)
    if (pfn === 0) continue
    listDel(state.memmap, freepages, order, pfn)
    for (let o = order - 1; o >= 0; o--) listAddHead(state.memmap, freepages, o, pfn + (1 << o))
    held--
    return pfn
  }
  return 0
}

/** The run pauses with its frames in hand. @model the kernel's lists stay on the stack of who compacts */
export function keepFreepages(state: KernelState, cc: CompactControl): void {
  for (let order = 0; order < NR_PAGE_ORDERS; order++) {
    for (let pfn = listHead(freepages, order); pfn !== 0; pfn = listHead(freepages, order)) {
      listDel(state.memmap, freepages, order, pfn)
      cc.freepages.push(pfn, order)
    }
  }
  held = 0
}

/** The run goes on. @model see keepFreepages() */
export function resumeFreepages(state: KernelState, cc: CompactControl): void {
  for (let i = 0; i < cc.freepages.length; i += 2) {
    const order = cc.freepages[i + 1]!
    listAddTail(state.memmap, freepages, order, cc.freepages[i]!)
    held += 1 << order
  }
  cc.freepages.length = 0
}

/**
 * Gives unused frames back; the next run looks at their pageblock again. Only backwards: the mark may have been reset.
 * @kernel  mm/compaction.c release_free_list(), compact_zone() out:
 */
export function releaseFreepages(state: KernelState, zone: Zone): void {
  let highest: Pfn = 0
  for (let order = 0; order < NR_PAGE_ORDERS; order++) {
    for (let pfn = listHead(freepages, order); pfn !== 0; pfn = listHead(freepages, order)) {
      highest = Math.max(highest, pfn)
      listDel(state.memmap, freepages, order, pfn)
      freeUnrefPage(state, pfn, order)
    }
  }
  held = 0
  if (highest === 0) return
  const z = zoneCompaction(state, zone)
  z.cachedFreePfn = Math.max(z.cachedFreePfn, pageblockStart(highest))
}

export interface BlockLook {
  from: Pfn
  /** Ends once so many frames are at hand. */
  wanted: Pages
  /** Looks at every so many-th frame. */
  stride: Pages
}
/** One for all calls: nothing is made per pageblock. */
const blockLook: BlockLook = { from: 0, wanted: 0, stride: 1 }

/** Fills the one BlockLook. @model plain arguments in the kernel */
export function lookAt(from: Pfn, wanted: Pages, stride: Pages): BlockLook {
  blockLook.from = from
  blockLook.wanted = wanted
  blockLook.stride = stride
  return blockLook
}

/**
 * Takes free frames of one pageblock. A sample that hits nothing begins at the pageblock's first free frame instead: on a
 * real machine the free frames of a region do not all lie between the samples (one capture of a script that keeps every
 * 16th page stayed at 54 blocks of order 10, its repeat came to 112), while our tasks fill memory so evenly that they do.
 * @returns frame at which it stopped; the pageblock's end, or before it when it has enough or the zone is too low
 * @kernel  mm/compaction.c isolate_freepages_block()
 * @model   see above
 */
export function isolateFreepagesBlock(state: KernelState, zone: Zone, cc: CompactControl, look: BlockLook): Pfn {
  const { from, wanted, stride } = look
  const end = Math.min(pageblockEnd(from), zone.startPfn + zone.spanned)
  const before = held
  let pfn = from + (stride > 1 ? sampleShift(state, look, end) : 0)
  let scanned = Math.floor((pfn - from) / stride)
  while (pfn < end) {
    scanned++
    const order = freeBlockOrder(state, pfn)
    if (order < 0) {
      pfn += stride
      continue
    }
    if (!isolateFreeBlock(state, zone, pfn, order)) break
    scanned += (1 << order) - 1
    pfn += 1 << order
    if (held >= wanted) break
    pfn += stride - 1
  }
  pfn = Math.min(pfn, end)
  cc.freeScanned += scanned
  charge(state, scanned)
  if (isTracing()) emit(state, 'mm_compaction_isolate_freepages', [from, pfn, scanned, held - before])
  return pfn
}

/** Frames to the first free one when no sampled frame is free, else 0. */
function sampleShift(state: KernelState, look: BlockLook, end: Pfn): Pages {
  const { from, stride } = look
  for (let pfn = from; pfn < end; pfn += stride) if (freeBlockOrder(state, pfn) >= 0) return 0
  for (let pfn = from; pfn < end; pfn++) if (freeBlockOrder(state, pfn) >= 0) return pfn - from
  return 0
}

/**
 * Takes one free block off its list, unless the zone would fall to its min mark. A pageblock of which half is taken becomes
 * Movable.
 * @kernel  mm/page_alloc.c __isolate_free_page()
 */
export function isolateFreeBlock(state: KernelState, zone: Zone, pfn: Pfn, order: number): boolean {
  if (!zoneWatermarkOk(zone, 0, zone.watermark[WMARK_MIN]! + (1 << order), 0, ALLOC_CMA)) return false
  const type = freeBlockType(state, pfn, order)
  delFromFreeList(state, zone, pfn, order)
  accountFreePages(zone, type, -(1 << order))
  for (let at = pfn; order >= PAGEBLOCK_ORDER - 1 && at < pfn + (1 << order); at += PAGEBLOCK_PAGES) {
    const blockType = pageblockType(state, at)
    if (isMergeable(blockType) && blockType !== MIGRATE_MOVABLE)
      moveFreepagesBlock(state, zone, pageblockStart(at), MIGRATE_MOVABLE)
  }
  listAddTail(state.memmap, freepages, order, pfn)
  held += 1 << order
  countVmEvents(state.vmstat, COMPACT_ISOLATED, 1 << order)
  return true
}
