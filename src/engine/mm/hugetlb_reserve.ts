/**
 * Promises of huge pages: a mapping is promised its pages when it is made, and takes them one by one when it is touched.
 * What the pool does not have is taken from the buddy system at once, as surplus, if an administrator allows it.
 * @kernel  mm/hugetlb.c hugetlb_reserve_pages(), hugetlb_acct_memory(), gather_surplus_pages()
 * @spec    08 §8.5
 */
import type { Pfn } from '../../util/units'
import { currentNode, currentTask } from '../exec'
import type { Inode } from '../fs_types'
import type { KernelState } from '../state'
import { inodeAt } from './filemap'
import { GFP_HUGETLB, countBuddyAlloc, dissolveHugePage, nodesFrom, prepHugePage, removePoolPage } from './hugetlb'
import {
  GIGANTIC_ORDER,
  availableHugePages,
  hstateOfOrder,
  hugeIndex,
  surplusHugePages,
  type Hstate,
  type HugetlbFile,
} from './hugetlb_pool'
import { pageZoneIndex, setPageMapping } from './memmap'
import { VM_MAYSHARE, VM_NORESERVE, type Vma } from './mm_types'
import { allocPages } from './page_alloc'

export const hstateVma = (state: KernelState, vma: Vma): Hstate => hstateOfOrder(state, vma.hugeOrder!)
export const hugetlbFile = (state: KernelState, vma: Vma): HugetlbFile => inodeAt(state, vma.ino).hugetlb!
const nidOf = (state: KernelState, pfn: Pfn): number => state.zones[pageZoneIndex(state.memmap, pfn)]!.nid

// ---------------------------------------------------------------- surplus pages

/**
 * One page beyond the pool, if nr_overcommit_hugepages allows it; it is counted, and on no list.
 * @returns 0 = not allowed, no memory, or waiting
 * @kernel  mm/hugetlb.c alloc_surplus_hugetlb_folio()
 */
export function allocSurplus(state: KernelState, h: Hstate, nid: number): Pfn {
  if (h.order === GIGANTIC_ORDER || surplusHugePages(h) >= h.overcommit) return 0
  state.exec.mayStop = currentTask(state)?.op !== undefined && !state.exec.isCommand
  const pfn = allocPages(state, GFP_HUGETLB, h.order, nid)
  state.exec.mayStop = false
  countBuddyAlloc(state, h, pfn)
  if (pfn === 0) return 0
  prepHugePage(state, h, pfn)
  h.nr[nidOf(state, pfn)]!++
  h.surplus[nidOf(state, pfn)]!++
  return pfn
}

/**
 * A huge page that nobody uses any more: back to its pool, or to the buddy system when its node has too many.
 * @kernel  mm/hugetlb.c free_huge_folio()
 */
export function freeHugePage(state: KernelState, h: Hstate, pfn: Pfn): void {
  const nid = nidOf(state, pfn)
  setPageMapping(state.memmap, pfn, 0, 0)
  if (h.surplus[nid]! === 0) {
    h.free[nid]!.push(pfn)
    return
  }
  h.nr[nid]!--
  h.surplus[nid]!--
  dissolveHugePage(state, h, pfn)
}

/**
 * So many pages more are promised; what is missing is added as surplus, all or nothing.
 * @kernel  mm/hugetlb.c gather_surplus_pages()
 * @spec    08 §8.5 (mmap)
 */
function gatherSurplus(state: KernelState, h: Hstate, delta: number): boolean {
  const added: Pfn[] = []
  // 6.11+: the lowest node that the task may use is asked first, before that the node that it runs on.
  const nid = state.config.series === '6.1' ? currentNode(state) : nodesFrom(state, 0)[0]!
  for (let needed = delta - availableHugePages(h); needed > 0; needed--) {
    const pfn = allocSurplus(state, h, nid)
    if (pfn === 0) {
      for (const page of added) freeHugePage(state, h, page)
      return false
    }
    added.push(pfn)
  }
  h.resv += delta
  for (const page of added) h.free[nidOf(state, page)]!.push(page)
  return true
}

/** Promises are taken back, and the surplus pages that were there for them go. @kernel mm/hugetlb.c return_unused_surplus_pages() */
function returnUnused(state: KernelState, h: Hstate, unused: number): void {
  h.resv -= unused
  if (h.order === GIGANTIC_ORDER) return
  for (let pages = Math.min(unused, surplusHugePages(h)); pages > 0; pages--) {
    if (!removePoolPage(state, h, nodesFrom(state, h.nextNidToFree), { onlySurplus: true })) return
  }
}

/**
 * Promises `delta` huge pages, or takes −delta promises back.
 * @returns false = the pool cannot keep them, or the task has to wait; nothing is promised then
 * @kernel  mm/hugetlb.c hugetlb_acct_memory()
 */
export function hugetlbAcctMemory(state: KernelState, h: Hstate, delta: number): boolean {
  if (delta > 0) return gatherSurplus(state, h, delta)
  if (delta < 0) returnUnused(state, h, -delta)
  return true
}

// ---------------------------------------------------------------- mappings and files

const countOf = (resv: Uint8Array, from: number, to: number, value: 0 | 1): number => {
  let count = 0
  for (let i = from; i < to; i++) if (resv[i] === value) count++
  return count
}

const indicesOf = (vma: Vma): { readonly from: number; readonly to: number } => ({
  from: hugeIndex(vma, vma.start),
  to: hugeIndex(vma, vma.end),
})

/**
 * A new mapping is promised its pages: shared ones for the file, private ones for the mapping.
 * @returns false → ENOMEM, or the task has to wait
 * @kernel  mm/hugetlb.c hugetlb_reserve_pages()
 */
export function hugetlbReserve(state: KernelState, vma: Vma): boolean {
  if ((vma.flags & VM_NORESERVE) !== 0) return true
  const h = hstateVma(state, vma)
  const { from, to } = indicesOf(vma)
  if ((vma.flags & VM_MAYSHARE) === 0) {
    if (!hugetlbAcctMemory(state, h, to - from)) return false
    vma.hugeResv = 'owner'
    return true
  }
  const { resv } = hugetlbFile(state, vma)
  if (!hugetlbAcctMemory(state, h, countOf(resv, from, to, 0))) return false
  resv.fill(1, from, to)
  return true
}

/**
 * Whether a page of the mapping comes from nobody's promise.
 * @kernel  mm/hugetlb.c vma_needs_reservation()
 */
export function needsReservation(state: KernelState, vma: Vma, index: number): boolean {
  const { resv } = hugetlbFile(state, vma)
  if ((vma.flags & VM_MAYSHARE) !== 0) return resv[index] === 0
  return vma.hugeResv !== 'owner' || resv[index] === 1
}

/** The page came: the promise is used, or the file has the page. @kernel mm/hugetlb.c vma_commit_reservation() */
export function commitReservation(state: KernelState, vma: Vma, index: number): void {
  if ((vma.flags & VM_MAYSHARE) !== 0 || vma.hugeResv === 'owner') hugetlbFile(state, vma).resv[index] = 1
}

/** The owner's page went, and may come back: it is promised again. @kernel mm/hugetlb.c vma_add_reservation() */
export function restoreReservation(state: KernelState, h: Hstate, vma: Vma, index: number): void {
  hugetlbFile(state, vma).resv[index] = 0
  h.resv++
}

/** A mapping is gone: what its owner was promised and has not used. @kernel mm/hugetlb.c hugetlb_vm_op_close() */
export function closeHugetlb(state: KernelState, vma: Vma): void {
  if (vma.hugeResv !== 'owner') return
  const { from, to } = indicesOf(vma)
  const unused = countOf(hugetlbFile(state, vma).resv, from, to, 0)
  hugetlbAcctMemory(state, hstateVma(state, vma), -unused)
}

/**
 * Pages [from, to) of a shared file go, with what was promised for them; nobody maps them any more.
 * @kernel  fs/hugetlbfs/inode.c remove_inode_hugepages(), mm/hugetlb.c hugetlb_unreserve_pages()
 */
export function removeHugetlbPages(state: KernelState, file: HugetlbFile, from: number, to: number): void {
  const h = hstateOfOrder(state, file.order)
  let freed = 0
  for (let i = from; i < to; i++) {
    const pfn = file.pages[i]!
    if (pfn === 0) continue
    file.pages[i] = 0
    freeHugePage(state, h, pfn)
    freed++
  }
  const promised = countOf(file.resv, from, to, 1)
  file.resv.fill(0, from, to)
  hugetlbAcctMemory(state, h, -(promised - freed))
}

/** The last user of a huge file without a name is gone. @kernel fs/hugetlbfs/inode.c hugetlbfs_evict_inode() */
export function evictHugetlb(state: KernelState, inode: Inode): void {
  const file = inode.hugetlb
  if (file === undefined) return
  // A private file's promises are its mappings'.
  if (file.isShared) removeHugetlbPages(state, file, 0, file.pages.length)
}

/** What a file of so many huge pages holds at first. */
export const createHugetlbFile = (order: number, pages: number, isShared: boolean): HugetlbFile => ({
  order,
  isShared,
  pages: new Int32Array(isShared ? pages : 0),
  resv: new Uint8Array(pages),
})
