/**
 * The free scanner: walks a zone downwards and takes free frames out of movable pageblocks for pages to move into.
 * @kernel  mm/compaction.c isolate_freepages(), isolate_freepages_block(), compaction_alloc()
 * @spec    08 §8.7 "Free scanner"
 */
import type { Pages, Pfn } from '../../util/units'
import { charge } from '../exec'
import type { KernelState } from '../state'
import { emit, isTracing } from '../trace'
import {
  accountFreePages,
  delFromFreeList,
  freeBlockOrder,
  freeBlockType,
  isMergeable,
  pageblockType,
  setPageblockType,
} from './buddy'
import {
  PAGEBLOCK_PAGES,
  isPageblockSkipped,
  pageblockEnd,
  pageblockStart,
  skipPageblock,
  zoneCompaction,
  type CompactControl,
} from './compaction_state'
import { MIGRATE_MOVABLE, NR_PAGE_ORDERS, PAGEBLOCK_ORDER } from './gfp'
import { createLists, listAddHead, listAddTail, listDel, listHead, pageZoneIndex } from './memmap'
import { ALLOC_CMA, WMARK_MIN, zoneWatermarkOk, type Zone } from './mmzone'
import { freeUnrefPage } from './pcp'
import { SWAP_CLUSTER_MAX } from './reclaim/scan_control'
import { COMPACT_ISOLATED, countVmEvents } from './vmstat'

/** Every how many frames the free scanner looks at least. @kernel COMPACT_CLUSTER_MAX */
const STRIDE_MAX: Pages = SWAP_CLUSTER_MAX

/**
 * Frames taken and not used yet, by order. Between two steps of a run they are in its control: keepFreepages().
 * @kernel  struct compact_control freepages[]
 */
const freepages = createLists(NR_PAGE_ORDERS)
let nrFreepages: Pages = 0

/**
 * A frame to move a page into.
 * @param wanted  pages still to be moved: the scanner takes that many at once
 * @returns 0 = the scanners met, or the zone is too low
 * @kernel  mm/compaction.c compaction_alloc_noprof()
 */
export function compactionAlloc(state: KernelState, zone: Zone, cc: CompactControl, wanted: Pages): Pfn {
  if (nrFreepages === 0) isolateFreepages(state, zone, cc, wanted)
  for (let order = 0; order < NR_PAGE_ORDERS; order++) {
    const pfn = listHead(freepages, order)
    if (pfn === 0) continue
    listDel(state.memmap, freepages, order, pfn)
    for (let o = order - 1; o >= 0; o--) listAddHead(state.memmap, freepages, o, pfn + (1 << o))
    nrFreepages--
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
  nrFreepages = 0
}

/** The run goes on. @model see keepFreepages() */
export function resumeFreepages(state: KernelState, cc: CompactControl): void {
  for (let i = 0; i < cc.freepages.length; i += 2) {
    const order = cc.freepages[i + 1]!
    listAddTail(state.memmap, freepages, order, cc.freepages[i]!)
    nrFreepages += 1 << order
  }
  cc.freepages.length = 0
}

/**
 * Gives unused frames back; the scanner will look at their pageblock again.
 * @kernel  mm/compaction.c release_free_list(), compact_zone() out:
 */
export function releaseFreepages(state: KernelState, zone: Zone, cc: CompactControl): void {
  let highest: Pfn = 0
  for (let order = 0; order < NR_PAGE_ORDERS; order++) {
    for (let pfn = listHead(freepages, order); pfn !== 0; pfn = listHead(freepages, order)) {
      highest = Math.max(highest, pfn)
      listDel(state.memmap, freepages, order, pfn)
      freeUnrefPage(state, pfn, order)
    }
  }
  nrFreepages = 0
  if (highest === 0) return
  const start = Math.max(pageblockStart(highest), zone.startPfn)
  cc.freePfn = Math.max(cc.freePfn, start)
  const z = zoneCompaction(state, zone)
  if (z.cachedFreePfn !== 0 && start > z.cachedFreePfn) z.cachedFreePfn = start
}

/**
 * From the second pageblock without free frames on only every second, fourth … frame is looked at.
 * @kernel      mm/compaction.c isolate_freepages()
 * @simplifies  no fast search through the free lists
 */
function isolateFreepages(state: KernelState, zone: Zone, cc: CompactControl, wanted: Pages): void {
  const lowest = pageblockEnd(cc.migratePfn)
  let start = pageblockStart(cc.freePfn)
  let from = cc.freePfn
  let stride = cc.mode === 'async' ? STRIDE_MAX : 1
  for (; start >= lowest; start -= PAGEBLOCK_PAGES, from = start) {
    if (pageZoneIndex(state.memmap, start) !== zone.index || !suitableMigrationTarget(state, cc, start)) continue
    if (!cc.ignoreSkipHint && isPageblockSkipped(state, start)) continue
    const end = Math.min(start + PAGEBLOCK_PAGES, zone.startPfn + zone.spanned)
    const before = nrFreepages
    const next = isolateFreepagesBlock(state, zone, cc, lookAt(from, wanted, stride))
    if (next >= end && !cc.ignoreSkipHint) {
      skipPageblock(state, start)
      zoneCompaction(state, zone).cachedFreePfn = start - PAGEBLOCK_PAGES
    }
    if (nrFreepages >= wanted) {
      from = next >= end ? start - PAGEBLOCK_PAGES : next
      break
    }
    // Stopped inside: the zone is too low to give more.
    if (next < end) {
      from = next
      break
    }
    stride = nrFreepages > before ? 1 : Math.min(STRIDE_MAX, 2 * stride)
  }
  cc.freePfn = from
}

/** Not a pageblock that is already free enough, and one for movable pages. @kernel suitable_migration_target() */
function suitableMigrationTarget(state: KernelState, cc: CompactControl, start: Pfn): boolean {
  if (freeBlockOrder(state, start) >= (cc.order > 0 ? cc.order : PAGEBLOCK_ORDER)) return false
  return cc.ignoreBlockSuitable || pageblockType(state, start) === MIGRATE_MOVABLE
}

interface BlockLook {
  from: Pfn
  wanted: Pages
  stride: Pages
}
/** One for all calls: nothing is made per pageblock. */
const blockLook: BlockLook = { from: 0, wanted: 0, stride: 1 }

function lookAt(from: Pfn, wanted: Pages, stride: Pages): BlockLook {
  blockLook.from = from
  blockLook.wanted = wanted
  blockLook.stride = stride
  return blockLook
}

/**
 * A sample that hits nothing begins at the pageblock's first free frame instead: on a real machine the free frames of a
 * region do not all lie between the samples (one capture of a script that keeps every 16th page stayed at 54 blocks of
 * order 10, its repeat came to 112), while our tasks fill memory so evenly that they do.
 * @returns frame at which it stopped
 * @kernel  mm/compaction.c isolate_freepages_block()
 * @model   see above
 */
function isolateFreepagesBlock(state: KernelState, zone: Zone, cc: CompactControl, look: BlockLook): Pfn {
  const { from, wanted, stride } = look
  const end = Math.min(pageblockEnd(from), zone.startPfn + zone.spanned)
  let pfn = from + (stride > 1 ? sampleShift(state, look, end) : 0)
  let scanned = Math.floor((pfn - from) / stride)
  let isolated = 0
  while (pfn < end) {
    scanned++
    const order = freeBlockOrder(state, pfn)
    if (order < 0) {
      pfn += stride
      continue
    }
    if (!isolateFreePage(state, zone, pfn, order)) break
    listAddTail(state.memmap, freepages, order, pfn)
    nrFreepages += 1 << order
    isolated += 1 << order
    scanned += (1 << order) - 1
    pfn += 1 << order
    if (nrFreepages >= wanted) break
    pfn += stride - 1
  }
  pfn = Math.min(pfn, end)
  cc.freeScanned += scanned
  charge(state, scanned)
  countVmEvents(state.vmstat, COMPACT_ISOLATED, isolated)
  if (isTracing()) emit(state, 'mm_compaction_isolate_freepages', [from, pfn, scanned, isolated])
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
 * Takes one free block from its list, unless the zone would fall to its min mark.
 * @kernel      mm/page_alloc.c __isolate_free_page()
 * @simplifies  only whole pageblocks become Movable, not those of which half is taken
 */
function isolateFreePage(state: KernelState, zone: Zone, pfn: Pfn, order: number): boolean {
  if (!zoneWatermarkOk(zone, 0, zone.watermark[WMARK_MIN]! + (1 << order), 0, ALLOC_CMA)) return false
  const type = freeBlockType(state, pfn, order)
  delFromFreeList(state, zone, pfn, order)
  accountFreePages(zone, type, -(1 << order))
  for (let at = pfn; order >= PAGEBLOCK_ORDER && at < pfn + (1 << order); at += PAGEBLOCK_PAGES) {
    if (isMergeable(pageblockType(state, at))) setPageblockType(state, at, MIGRATE_MOVABLE)
  }
  return true
}
