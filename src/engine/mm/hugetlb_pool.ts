/**
 * The pools of huge pages as data, one a size: how many each node has, how many are free, promised or surplus. Apart from
 * hugetlb.ts, because the state tree and the reports of memory need only this.
 * @kernel  include/linux/hugetlb.h struct hstate
 * @spec    08 §8.5
 */
import type { Bytes, Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import type { Mm, Vma } from './mm_types'

/** The pool of one size. Owners: hugetlb.ts, hugetlb_surplus.ts, hugetlb_fault.ts */
export interface Hstate {
  /** A huge page is 2^order pages: 9 = 2 MiB, 18 = 1 GiB. */
  readonly order: number
  /** Frames of free huge pages by node, last freed first taken. */
  readonly free: Pfn[][]
  /** All huge pages by node: free ones and those in use. */
  readonly nr: number[]
  /** Those of them that go back to the buddy system as soon as they are free. */
  readonly surplus: number[]
  /** Promised to mappings and not taken yet. */
  resv: number
  /** Most surplus pages that mappings may add. */
  overcommit: number
  /** Node of the next page that is added, and of the next one that is taken away. */
  nextNidToAlloc: number
  nextNidToFree: number
}

/** Huge pages of a file without a name, and what is promised for it; all indices count huge pages. */
export interface HugetlbFile {
  readonly order: number
  readonly isShared: boolean
  /** Pages that a shared mapping has brought in: first frames, 0 none. */
  readonly pages: Int32Array
  /**
   * A shared file: 1 = promised, or there already. A private one: 1 = its owner has used the promise.
   * @kernel struct resv_map
   */
  readonly resv: Uint8Array
}

export const HUGE_ORDER = 9
/** Larger than the buddy system's largest block. @kernel hstate_is_gigantic() */
export const GIGANTIC_ORDER = 18

const createHstate = (order: number, nodes: number): Hstate => ({
  order,
  free: Array.from({ length: nodes }, () => []),
  nr: new Array<number>(nodes).fill(0),
  surplus: new Array<number>(nodes).fill(0),
  resv: 0,
  overcommit: 0,
  nextNidToAlloc: 0,
  nextNidToFree: 0,
})

/** Pools of 2 MiB, the default size, and of 1 GiB. @kernel mm/hugetlb.c hugetlb_add_hstate() */
export const createHugetlb = (nodes: number): readonly Hstate[] => [
  createHstate(HUGE_ORDER, nodes),
  createHstate(GIGANTIC_ORDER, nodes),
]

/** Pages of 4 KiB in one huge page of the pool. @kernel pages_per_huge_page() */
export const hugePages = (h: { readonly order: number }): Pages => 2 ** h.order
/** @kernel huge_page_size() */
export const hugeBytes = (h: { readonly order: number }): Bytes => 2 ** (h.order + 12)

const sum = (counts: readonly number[]): number => counts.reduce((total, n) => total + n, 0)

/** @kernel size_to_hstate() */
export const hstateOfOrder = (state: KernelState, order: number): Hstate =>
  state.hugetlb[order === GIGANTIC_ORDER ? 1 : 0]!
/** Huge pages of the pool. @kernel h->nr_huge_pages */
export const nrHugePages = (h: Hstate): number => sum(h.nr)
/** @kernel h->free_huge_pages_node[] */
export const freeHugePagesNode = (h: Hstate, nid: number): number => h.free[nid]!.length
/** @kernel h->free_huge_pages */
export const freeHugePages = (h: Hstate): number => h.free.reduce((total, list) => total + list.length, 0)
/** @kernel h->surplus_huge_pages */
export const surplusHugePages = (h: Hstate): number => sum(h.surplus)
/** Those that an administrator asked for. @kernel persistent_huge_pages() */
export const persistentHugePages = (h: Hstate): number => nrHugePages(h) - surplusHugePages(h)
/** Free ones that nobody was promised. @kernel available_huge_pages() */
export const availableHugePages = (h: Hstate): number => freeHugePages(h) - h.resv
/** Pages of 4 KiB in all pools. @kernel hugetlb_total_pages() */
export const hugetlbTotalPages = (state: KernelState): Pages =>
  state.hugetlb.reduce((pages, h) => pages + nrHugePages(h) * hugePages(h), 0)

/** Pages of 4 KiB that one entry of the mapping maps at most by its own kind: huge ones map whole huge pages. @kernel vma_kernel_pagesize() */
export const vmaUnit = (vma: Vma): Pages => (vma.hugeOrder === undefined ? 1 : 2 ** vma.hugeOrder)

/** Whether the mapping at a page may be cut there. @kernel mm/hugetlb.c hugetlb_vm_op_split() */
export const maySplit = (vma: Vma, at: number): boolean => at % vmaUnit(vma) === 0

/** Index of a page in its huge file. @kernel vma_hugecache_offset() */
export const hugeIndex = (vma: Vma, vpn: number): number => Math.floor((vma.pgoff + (vpn - vma.start)) / vmaUnit(vma))

/** Huge pages that the address space maps change by pages of 4 KiB. @kernel hugetlb_count_add(), hugetlb_count_sub() */
export function hugetlbCountAdd(mm: Mm, pages: Pages): void {
  mm.hugetlbUsage += pages
}
