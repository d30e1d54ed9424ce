/**
 * The page cache: pages of files by index, reading them in, and giving them up.
 * @kernel  mm/filemap.c, mm/shmem.c
 * @spec    04 §4.5, 05 §5.2
 */
import { AssertionError, assert } from '../../util/assert'
import { PAGE_SIZE, type Pages, type Pfn } from '../../util/units'
import { taskMemcg } from '../cgroup'
import { charge, currentTask, isSuspended, suspendOnPage } from '../exec'
import type { Inode } from '../fs_types'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import type { Readahead } from '../task'
import { submitIo } from './block'
import { GFP_BIT_NORETRY, GFP_BIT_NOWARN, GFP_PAGE_CACHE } from './gfp'
import {
  PG_DIRTY,
  PG_FILE,
  PG_LOCKED,
  PG_READAHEAD,
  PG_SWAPBACKED,
  PG_WRITEBACK,
  clearFlag,
  hasFlag,
  mapcount,
  pageIndex,
  pageMapping,
  pageMemcg,
  pageZoneIndex,
  setFlag,
  setPageMapping,
  setPageMemcg,
  testAndClearFlag,
} from './memmap'
import { MEMCG_FILE, MEMCG_SHMEM } from './memcg_stat'
import { memcgCharge, memcgUncharge, modMemcgState } from './memcontrol'
import { allocPages } from './page_alloc'
import { folioClearDirty } from './page_writeback'
import { clearMlocked } from './mlock'
import { freeUnrefPage } from './pcp'
import { countTreePage, giveTreeSlot, takeTreeSlot } from './page_tree'
import { RA_PAGES_MAX, asyncReadahead, syncReadahead } from './readahead'
import { workingsetUpdateNode } from './shadow_nodes'
import { folioAddLru, lruDel } from './swap'
import { NR_FILE_PAGES, NR_SHMEM, PGPGIN, countVmEvents, modStat } from './vmstat'
import { workingsetRefault } from './workingset'

export const inodeAt = (state: KernelState, ino: number): Inode => {
  const inode = state.inodes[ino]
  // The text of an assert() is made before the test: too dear for what runs for every page.
  if (inode === undefined) throw new AssertionError(`inode ${ino} does not exist`)
  return inode
}

export const filePages = (inode: Inode): Pages => Math.ceil(inode.size / PAGE_SIZE)

/** pfn of a cached page, 0 when it is not there. @kernel filemap_get_folio() */
export function findPage(inode: Inode, index: number): Pfn {
  const v = index < inode.pages.length ? inode.pages[index]! : 0
  return v > 0 ? v : 0
}

/** Swap slot of a shmem page that was swapped out, −1 none. */
export function shmemSwapSlot(inode: Inode, index: number): number {
  const v = index < inode.pages.length ? inode.pages[index]! : 0
  return v < 0 ? -v - 1 : -1
}

function ensureIndex(inode: Inode, index: number): void {
  if (index < inode.pages.length) return
  // Not made to the file's length: a file that is being written grows a little with every call.
  const n = Math.max(index + 1, inode.pages.length * 2, 8)
  const pages = new Int32Array(n)
  pages.set(inode.pages)
  inode.pages = pages
  const shadows = new Float64Array(n)
  shadows.set(inode.shadows)
  inode.shadows = shadows
}

const nidOf = (state: KernelState, pfn: Pfn): number => state.zones[pageZoneIndex(state.memmap, pfn)]!.nid

/** Whether the file's pages are swap-backed (tmpfs): they are counted as shmem and live on the anonymous lists. */
export const isShmem = (inode: Inode): boolean => inode.fs === 'tmpfs'

/**
 * A fresh, charged frame enters the cache; the caller starts the read or fills it.
 * @returns 0 when there is no memory, the charge failed, or the operation has to wait
 * @kernel  filemap_alloc_folio(), filemap_add_folio(), shmem_alloc_and_add_folio()
 */
export function newCachePage(state: KernelState, inode: Inode, index: number, extraGfp: number): Pfn {
  const pfn = allocPages(state, GFP_PAGE_CACHE | extraGfp, 0)
  if (pfn === 0) return 0
  const task = currentTask(state)
  const memcg = task === undefined ? 1 : taskMemcg(state, task)
  if (memcgCharge(state, memcg, 1, GFP_PAGE_CACHE | extraGfp) !== 'ok') {
    freeUnrefPage(state, pfn, 0)
    return 0
  }
  ensureIndex(inode, index)
  if (inode.shadows[index] === 0 && !takeTreeSlot(state, inode, index)) {
    memcgUncharge(state, memcg, 1)
    freeUnrefPage(state, pfn, 0)
    return 0
  }
  setPageMemcg(state.memmap, pfn, memcg)
  setFlag(state.memmap, pfn, isShmem(inode) ? PG_FILE | PG_SWAPBACKED : PG_FILE)
  attach(state, inode, index, pfn)
  const shadow = inode.shadows[index]!
  if (shadow !== 0) {
    inode.shadows[index] = 0
    workingsetRefault(state, pfn, shadow)
  }
  folioAddLru(state, pfn, false)
  return pfn
}

/** Puts a frame that is already charged and flagged into the cache (fresh, or shmem coming back from swap). */
export function attach(state: KernelState, inode: Inode, index: number, pfn: Pfn): void {
  ensureIndex(inode, index)
  inode.pages[index] = pfn
  inode.nrPages++
  countTreePage(state, inode, index, 1)
  setPageMapping(state.memmap, pfn, inode.ino, index)
  accountCache(state, inode, pfn, 1)
}

function accountCache(state: KernelState, inode: Inode, pfn: Pfn, sign: number): void {
  const nid = nidOf(state, pfn)
  const stat = state.nodes[nid]!.stat
  const memcg = pageMemcg(state.memmap, pfn)
  modStat(stat, NR_FILE_PAGES, sign)
  modMemcgState(state, memcg, MEMCG_FILE, sign, nid)
  if (isShmem(inode)) {
    modStat(stat, NR_SHMEM, sign)
    modMemcgState(state, memcg, MEMCG_SHMEM, sign, nid)
  }
}

/** Takes the page out of its file; the frame stays charged and allocated. @kernel __filemap_remove_folio() */
export function detach(state: KernelState, pfn: Pfn): Inode {
  const inode = inodeAt(state, pageMapping(state.memmap, pfn))
  const index = pageIndex(state.memmap, pfn)
  const found = inode.pages[index]
  if (found !== pfn) throw new AssertionError(`file ${inode.ino} index ${index} holds ${found}, not pfn ${pfn}`)
  accountCache(state, inode, pfn, -1)
  inode.pages[index] = 0
  inode.nrPages--
  countTreePage(state, inode, index, -1)
  if (hasFlag(state.memmap, pfn, PG_DIRTY) && !isShmem(inode)) folioClearDirty(state, pfn)
  setPageMapping(state.memmap, pfn, 0, 0)
  return inode
}

/**
 * Reclaim takes a clean, unmapped page out of the cache and leaves a shadow; the caller frees the frame.
 * @kernel  mm/vmscan.c __remove_mapping()
 */
export function removeMapping(state: KernelState, pfn: Pfn, shadow: number): void {
  const index = pageIndex(state.memmap, pfn)
  const inode = detach(state, pfn)
  inode.shadows[index] = shadow
  if (shadow === 0) giveTreeSlot(state, inode, index)
  else workingsetUpdateNode(state, inode, index)
  if (inode.nrPages === 0) hooks.inodeAddLru(state, inode, false)
}

/** Another frame holds the file's page now; its row says which one. @kernel mm/migrate.c __folio_migrate_mapping() */
export function replaceMapping(state: KernelState, from: Pfn, to: Pfn): void {
  const inode = inodeAt(state, pageMapping(state.memmap, to))
  const index = pageIndex(state.memmap, to)
  assert(inode.pages[index] === from, `file ${inode.ino} index ${index} holds ${inode.pages[index]}, not pfn ${from}`)
  inode.pages[index] = to
}

/**
 * A shmem page goes to the swap cache: its slot takes its place in the file.
 * @kernel  mm/shmem.c shmem_writepage()
 */
export function shmemReplaceBySwap(state: KernelState, pfn: Pfn, slot: number): void {
  const index = pageIndex(state.memmap, pfn)
  const inode = detach(state, pfn)
  clearFlag(state.memmap, pfn, PG_FILE)
  inode.pages[index] = -(slot + 1)
}

/** Frees one cached page that nobody maps (truncate, drop_caches). @kernel truncate_inode_folio() */
export function dropPage(state: KernelState, pfn: Pfn): void {
  assert(mapcount(state.memmap, pfn) === 0, `pfn ${pfn} is dropped from the cache while mapped`)
  const index = pageIndex(state.memmap, pfn)
  const inode = detach(state, pfn)
  giveTreeSlot(state, inode, index)
  freeCachePage(state, pfn)
  if (inode.nrPages === 0) hooks.inodeAddLru(state, inode, false)
}

/** A frame that belongs to no file any more: off the LRU, uncharged, back to the allocator. */
export function freeCachePage(state: KernelState, pfn: Pfn): void {
  lruDel(state, pfn)
  clearMlocked(state, pfn)
  const memcg = pageMemcg(state.memmap, pfn)
  clearFlag(state.memmap, pfn, ~0)
  setPageMemcg(state.memmap, pfn, 0)
  memcgUncharge(state, memcg, 1)
  freeUnrefPage(state, pfn, 0)
}

/**
 * Clean, unmapped page cache of all files on disks goes, with what eviction remembered; dirty, mapped and busy pages stay.
 * @kernel  fs/drop_caches.c drop_pagecache_sb(), mm/truncate.c invalidate_mapping_pages()
 */
export function dropPagecache(state: KernelState): Pages {
  let dropped = 0
  for (const inode of state.inodes) {
    if (inode === undefined || inode.fs !== 'ext4' || inode.nrPages === 0) continue
    for (let i = 0; i < inode.pages.length; i++) {
      const pfn = inode.pages[i]!
      if (pfn === 0) forgetShadow(state, inode, i)
      if (pfn <= 0 || mapcount(state.memmap, pfn) > 0) continue
      if (hasFlag(state.memmap, pfn, PG_DIRTY | PG_LOCKED | PG_WRITEBACK)) continue
      dropPage(state, pfn)
      dropped++
    }
  }
  return dropped
}

/** @kernel mm/truncate.c clear_shadow_entries() */
function forgetShadow(state: KernelState, inode: Inode, index: number): void {
  if (inode.shadows[index] === 0) return
  inode.shadows[index] = 0
  giveTreeSlot(state, inode, index)
}

/** What eviction left in [from, to) of a file is forgotten. @kernel mm/workingset.c shadow_lru_isolate(): xa_delete_node() */
export function forgetShadows(state: KernelState, inode: Inode, from: number, to: number): void {
  for (let index = from; index < Math.min(to, inode.shadows.length); index++) forgetShadow(state, inode, index)
  hooks.inodeAddLru(state, inode, false)
}

/** First index in [from, from + limit) that is not cached, −1 none. @kernel page_cache_next_miss() */
export function nextMissing(inode: Inode, from: number, limit: Pages): number {
  for (let i = from; i < from + limit; i++) if (findPage(inode, i) === 0) return i
  return -1
}

/**
 * Starts reading the window of `ra`, cut to the file; pages already cached are skipped.
 * @returns pages for which a read was started
 * @kernel  mm/readahead.c page_cache_ra_unbounded(), ext4_mpage_readpages()
 */
export function startReadahead(state: KernelState, inode: Inode, ra: Readahead): Pages {
  const end = Math.min(ra.start + ra.size, filePages(inode))
  const mark = ra.asyncSize > 0 ? ra.start + ra.size - ra.asyncSize : -1
  const pfns: number[] = []
  for (let index = ra.start; index < end; index++) {
    if (findPage(inode, index) !== 0) continue
    // Read-ahead gives up quietly when memory is short; the page that is really needed is asked for again below.
    const gfp = index === ra.start && pfns.length === 0 ? 0 : GFP_BIT_NORETRY | GFP_BIT_NOWARN
    const pfn = newCachePage(state, inode, index, gfp)
    if (pfn === 0) break
    setFlag(state.memmap, pfn, PG_LOCKED | (index === mark ? PG_READAHEAD : 0))
    pfns.push(pfn)
  }
  if (pfns.length > 0) {
    countVmEvents(state.vmstat, PGPGIN, pfns.length * 4)
    charge(state, state.costs.submitPage)
    submitIo(state, inode.device, { write: false, pfns })
  }
  return pfns.length
}

/**
 * The page at `index`, read in if need be, with read-ahead as a read(2) stream does it.
 * @returns 0 = no memory or the operation has to wait (isSuspended)
 * @kernel  mm/filemap.c filemap_get_pages()
 */
export function readPage(state: KernelState, inode: Inode, ra: Readahead, index: number, request: Pages): Pfn {
  let pfn = findPage(inode, index)
  if (pfn === 0) {
    syncReadahead(ra, index, Math.max(1, request), index > 0 && findPage(inode, index - 1) !== 0, state.config.series)
    startReadahead(state, inode, ra)
    pfn = findPage(inode, index)
    if (pfn === 0) {
      if (isSuspended(state)) return 0
      pfn = readSinglePage(state, inode, index)
      if (pfn === 0) return 0
    }
  } else readMarked(state, inode, ra, { pfn, index, request: Math.max(1, request) })
  ra.prevIndex = index
  if (hasFlag(state.memmap, pfn, PG_LOCKED)) {
    suspendOnPage(state, pfn)
    return 0
  }
  return pfn
}

/**
 * A cached page is used; if it carries the marker of a read-ahead, the next window is read.
 * @returns whether it carried the marker
 * @kernel  page_cache_async_ra()
 */
export function readMarked(
  state: KernelState,
  inode: Inode,
  ra: Readahead,
  page: { readonly pfn: Pfn; readonly index: number; readonly request: Pages },
): boolean {
  const { pfn, index, request } = page
  if (!testAndClearFlag(state.memmap, pfn, PG_READAHEAD)) return false
  const wasLocked = hasFlag(state.memmap, pfn, PG_LOCKED)
  // Held while room is made for the window: the page in hand must not be reclaimed.
  setFlag(state.memmap, pfn, PG_LOCKED)
  const missing = (from: number, limit: Pages): number => nextMissing(inode, from, limit)
  if (asyncReadahead(ra, index, request, missing, state.config.series)) startReadahead(state, inode, ra)
  if (!wasLocked) clearFlag(state.memmap, pfn, PG_LOCKED)
  // A failed read-ahead never blocks the access itself.
  state.exec.suspendUntilNs = -1
  return true
}

/** One page without read-ahead. @kernel filemap_create_folio() */
export function readSinglePage(state: KernelState, inode: Inode, index: number): Pfn {
  const pfn = newCachePage(state, inode, index, 0)
  if (pfn === 0) return 0
  setFlag(state.memmap, pfn, PG_LOCKED)
  countVmEvents(state.vmstat, PGPGIN, 4)
  charge(state, state.costs.submitPage)
  submitIo(state, inode.device, { write: false, pfns: [pfn] })
  return pfn
}

/** The window around a mapped fault: 32 pages from 16 below, marker at the last quarter. @kernel do_sync_mmap_readahead() */
export function mmapReadAround(state: KernelState, inode: Inode, ra: Readahead, index: number): void {
  ra.start = Math.max(0, index - RA_PAGES_MAX / 2)
  ra.size = RA_PAGES_MAX
  ra.asyncSize = RA_PAGES_MAX / 4
  startReadahead(state, inode, ra)
}
