/**
 * The lower half of a predicted fault: what kind of entry is there, who fills the page, and what that costs.
 * @kernel  mm/memory.c handle_pte_fault(), do_fault(), do_wp_page(), do_swap_page()
 * @spec    04 §4.5
 */
import type { Ns, Pages, Pfn, Vpn } from '../../util/units'
import type { Inode } from '../fs_types'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { faultAroundWindow } from './file_fault'
import { filePages, findPage, inodeAt, isShmem, shmemSwapSlot } from './filemap'
import {
  PG_ANON,
  PG_ANON_EXCLUSIVE,
  PG_LOCKED,
  PG_READAHEAD,
  PG_SWAPCACHE,
  hasFlag,
  mapcount,
  pageFlags,
  pageMapping,
} from './memmap'
import {
  MM_ANONPAGES,
  MM_FILEPAGES,
  MM_SHMEMPAGES,
  VM_DONTEXPAND,
  VM_RAND_READ,
  VM_SEQ_READ,
  VM_SHARED,
  type Mm,
  type Vma,
} from './mm_types'
import { ENTRIES_PER_TABLE, findPteSlot, isSwapPte, pteAt, ptePfn, pteSwapSlot } from './pgtable'
import { RA_PAGES_MAX } from './readahead'
import { rssCounter } from './rmap'
import { swapCacheLookup, swapCount } from './swapfile'

/** Who fills the page. */
export type FillKind =
  | 'none'
  /** The zero page, for a read. */
  | 'zero-page'
  /** A zeroed frame. */
  | 'anonymous'
  /** Zeroed 2 MiB. */
  | 'huge-page'
  /** A zeroed huge page of the pool. */
  | 'pool-page'
  /** Private memory that somebody else sees too, or the zero page: a copy. */
  | 'copy'
  /** Private memory of nobody else: the same frame becomes writable. */
  | 'reuse'
  /** A shared page becomes writable, and its file dirty. */
  | 'make-dirty'
  /** Pages of the page cache, around the address. */
  | 'fault-around'
  | 'page-cache'
  /** Read from the device. */
  | 'file-read'
  /** A private copy of a file's page. */
  | 'file-copy'
  | 'shmem-new'
  | 'shmem-swap'
  | 'swap-cache'
  | 'swap-read'
  /** Behind the end of the file. */
  | 'sigbus'

type Text = readonly [stage: 'entry' | 'fill' | 'map', by: string, text: string]

export interface PtePrediction {
  readonly fill: FillKind
  readonly isMajor: boolean
  readonly frames: Pages
  readonly rss: readonly [number, number, number, number]
  readonly costNs: Ns
  readonly texts: readonly Text[]
}

export interface PteFault {
  readonly task: Task
  readonly mm: Mm
  readonly vma: Vma
  readonly vpn: Vpn
  readonly pte: number
  readonly isWrite: boolean
}

/** [file, anon, shmem, swap] */
function rssOf(counter: number, pages: number): [number, number, number, number] {
  const rss: [number, number, number, number] = [0, 0, 0, 0]
  rss[counter] = pages
  return rss
}
const ANON: readonly [number, number, number, number] = rssOf(MM_ANONPAGES, 1)
const NO_RSS: readonly [number, number, number, number] = [0, 0, 0, 0]

/** @kernel handle_pte_fault() */
export function predictPte(state: KernelState, fault: PteFault): PtePrediction {
  const { vma, pte, isWrite } = fault
  if (pte === 0) return vma.ino === 0 ? anonymous(state, isWrite) : fileFault(state, fault)
  if (isSwapPte(pte)) return swapFault(state, fault)
  return writeProtected(state, fault)
}

/** @kernel do_anonymous_page() */
function anonymous(state: KernelState, isWrite: boolean): PtePrediction {
  if (isWrite)
    return {
      fill: 'anonymous',
      isMajor: false,
      frames: 1,
      rss: ANON,
      costNs: state.costs.anonFault,
      texts: [
        [
          'fill',
          'do_anonymous_page',
          'private memory, written for the first time: a zeroed frame, charged to the group',
        ],
      ],
    }
  return {
    fill: 'zero-page',
    isMajor: false,
    frames: 0,
    rss: NO_RSS,
    costNs: state.costs.zeroPageFault,
    texts: [['fill', 'do_anonymous_page', 'private memory, only read: the zero page, read-only; no frame is taken']],
  }
}

/** @kernel do_wp_page() */
function writeProtected(state: KernelState, { vma, pte }: PteFault): PtePrediction {
  const pfn = ptePfn(pte)
  const isZero = pfn === state.zeroPfn
  const flags = isZero ? 0 : pageFlags(state.memmap, pfn)
  const common = { isMajor: false, frames: 0, rss: NO_RSS, costNs: state.costs.minorFault } as const
  if ((vma.flags & VM_SHARED) !== 0)
    return {
      ...common,
      fill: 'make-dirty',
      texts: [['fill', 'do_wp_page', 'a shared page: it becomes writable and dirty']],
    }
  if ((flags & PG_ANON) !== 0 && isOwn(state, pfn, flags))
    return {
      ...common,
      fill: 'reuse',
      texts: [['fill', 'wp_page_reuse', 'nobody else has this page: it becomes writable']],
    }
  const rss: [number, number, number, number] = isZero ? [0, 1, 0, 0] : rssOf(rssCounter(flags), -1)
  if (!isZero) rss[MM_ANONPAGES]! += 1
  const whose = isZero ? 'the zero page' : 'a page that others see too'
  const text: Text = ['fill', 'wp_page_copy', `${whose}: a frame of its own with a copy, charged to the group`]
  return { fill: 'copy', isMajor: false, frames: 1, rss, costNs: state.costs.cowFault, texts: [text] }
}

/** @kernel wp_can_reuse_anon_folio() */
function isOwn(state: KernelState, pfn: Pfn, flags: number): boolean {
  if ((flags & PG_ANON_EXCLUSIVE) !== 0) return true
  if (mapcount(state.memmap, pfn) !== 1) return false
  if ((flags & PG_SWAPCACHE) === 0) return true
  return swapCount(state, pageMapping(state.memmap, pfn) - 1) === 0
}

/** @kernel do_swap_page() */
function swapFault(state: KernelState, { vma, pte, isWrite }: PteFault): PtePrediction {
  const entry = pteSwapSlot(pte)
  const cached = swapCacheLookup(state, entry)
  const isAlone = swapCount(state, entry) === 1 && (cached === 0 || mapcount(state.memmap, cached) === 0)
  const needsCopy = isWrite && !isAlone && (vma.flags & VM_SHARED) === 0
  const first: Text =
    cached === 0
      ? ['fill', 'do_swap_page', `slot ${entry} is not in the swap cache: it is read, with neighbours; the task waits`]
      : ['fill', 'do_swap_page', `slot ${entry} is in the swap cache: no I/O`]
  const copy: Text = ['map', 'wp_page_copy', 'others have the same slot: a copy is written to']
  return {
    fill: cached === 0 ? 'swap-read' : 'swap-cache',
    isMajor: cached === 0,
    frames: (cached === 0 ? 1 : 0) + (needsCopy ? 1 : 0),
    rss: [0, 1, 0, -1],
    costNs: state.costs.minorFault + (needsCopy ? state.costs.cowFault : 0),
    texts: needsCopy ? [first, copy] : [first],
  }
}

// ---------------------------------------------------------------- files

/** @kernel do_fault(), do_read_fault(), do_cow_fault(), do_shared_fault() */
function fileFault(state: KernelState, fault: PteFault): PtePrediction {
  const { vma, vpn, isWrite } = fault
  const inode = inodeAt(state, vma.ino)
  const index = vma.pgoff + (vpn - vma.start)
  if (index >= filePages(inode)) {
    const text: Text = [
      'fill',
      '__do_fault',
      `page ${index} lies behind the end of the file (${filePages(inode)} pages)`,
    ]
    return { fill: 'sigbus', isMajor: false, frames: 0, rss: NO_RSS, costNs: 0, texts: [text] }
  }
  if (!isWrite && (vma.flags & VM_DONTEXPAND) === 0) {
    const around = faultAround(state, fault, inode)
    if (around !== undefined) return around
  }
  const source = sourceOf(state, inode, index)
  const isCopy = isWrite && (vma.flags & VM_SHARED) === 0
  const counter = isShmem(inode) ? MM_SHMEMPAGES : MM_FILEPAGES
  // A read that had to wait is made again, and then maps what has come with the page.
  const isRetried = source.fill === 'file-read' && !isWrite
  const mapped = isRetried ? around(state, fault, inode, readAround(fault, inode, index)).pages : 1
  const map: Text = isCopy
    ? ['map', 'do_cow_fault', 'the mapping is private: a frame of its own with a copy, charged to the group']
    : [
        'map',
        isWrite ? 'do_shared_fault' : 'do_read_fault',
        isWrite ? 'mapped writable; the file is dirty' : 'mapped read-only',
      ]
  return {
    fill: isCopy ? 'file-copy' : source.fill,
    isMajor: source.isMajor,
    frames: source.frames + (isCopy ? 1 : 0),
    rss: isCopy ? ANON : rssOf(counter, mapped),
    costNs: isCopy ? state.costs.cowFault : state.costs.minorFault,
    texts: [source.text, map],
  }
}

interface Source {
  readonly fill: FillKind
  readonly isMajor: boolean
  readonly frames: Pages
  readonly text: Text
}

function sourceOf(state: KernelState, inode: Inode, index: number): Source {
  if (findPage(inode, index) !== 0) {
    const text: Text = ['fill', isShmem(inode) ? 'shmem_fault' : 'filemap_fault', `page ${index} is in the page cache`]
    return { fill: 'page-cache', isMajor: false, frames: 0, text }
  }
  if (!isShmem(inode)) {
    const text: Text = [
      'fill',
      'filemap_fault',
      `page ${index} is not in the page cache: it is read, with its neighbours; the task waits`,
    ]
    return { fill: 'file-read', isMajor: true, frames: 1, text }
  }
  const slot = shmemSwapSlot(inode, index)
  if (slot < 0) {
    const text: Text = ['fill', 'shmem_fault', `page ${index} is a hole: a zeroed frame, charged to the group`]
    return { fill: 'shmem-new', isMajor: false, frames: 1, text }
  }
  const isCached = swapCacheLookup(state, slot) !== 0
  const text: Text = [
    'fill',
    'shmem_fault',
    `page ${index} is in swap${isCached ? ', and in the swap cache' : ': it is read'}`,
  ]
  return { fill: 'shmem-swap', isMajor: !isCached, frames: isCached ? 0 : 1, text }
}

/** Pages that a miss brings in: none, one, or 32 around it. @kernel do_sync_mmap_readahead() */
function readAround({ vma }: PteFault, inode: Inode, index: number): { from: number; to: number; marked: number } {
  const misses = Math.min(inode.mmapRa.mmapMiss + 1, MMAP_MISSES_MAX)
  const isSingle = (vma.flags & VM_RAND_READ) !== 0 || ((vma.flags & VM_SEQ_READ) === 0 && misses > MMAP_MISSES)
  if (isSingle) return { from: index, to: index + 1, marked: -1 }
  const from = Math.max(0, index - RA_PAGES_MAX / 2)
  return { from, to: from + RA_PAGES_MAX, marked: from + RA_PAGES_MAX - RA_PAGES_MAX / 4 }
}

/** @kernel MMAP_LOTSAMISS, and ten times as many */
const MMAP_MISSES = 100
const MMAP_MISSES_MAX = 1000

/**
 * Pages of the fault-around window that would be mapped.
 * @param read  pages that will have been read by then
 * @kernel  do_fault_around(), filemap_map_pages()
 */
function around(
  state: KernelState,
  { mm, vma, vpn }: PteFault,
  inode: Inode,
  read: { readonly from: number; readonly to: number; readonly marked: number },
): { readonly pages: Pages; readonly hasOwn: boolean } {
  const own = vpn % ENTRIES_PER_TABLE
  const offset = vpn - vma.start
  const { from, to } = faultAroundWindow(own, offset, vma.end - vma.start)
  let pages = 0
  let hasOwn = false
  for (let i = from; i <= to; i++) {
    const index = vma.pgoff + offset + (i - own)
    if (index >= filePages(inode)) break
    const pfn = findPage(inode, index)
    const isRead = pfn === 0 && index >= read.from && index < read.to && index !== read.marked
    const isCached = pfn !== 0 && !hasFlag(state.memmap, pfn, PG_LOCKED | PG_READAHEAD)
    const slot = findPteSlot(state, mm, vpn + (i - own))
    if ((!isRead && !isCached) || (slot >= 0 && pteAt(state.pgtables, slot) !== 0)) continue
    pages++
    if (i === own) hasOwn = true
  }
  return { pages, hasOwn }
}

const NOT_READ = { from: 0, to: 0, marked: -1 } as const

/** @returns undefined: the page itself is not among those that can be mapped */
function faultAround(state: KernelState, fault: PteFault, inode: Inode): PtePrediction | undefined {
  const { pages, hasOwn } = around(state, fault, inode, NOT_READ)
  if (!hasOwn) return undefined
  return {
    fill: 'fault-around',
    isMajor: false,
    frames: 0,
    rss: rssOf(isShmem(inode) ? MM_SHMEMPAGES : MM_FILEPAGES, pages),
    costNs: state.costs.minorFault,
    texts: [['fill', 'do_fault_around', `in the page cache: ${pages} pages of its 64 KiB window are mapped at once`]],
  }
}
