/**
 * The pool of huge pages as data: how many each node has. Apart from hugetlb.ts, because the state tree and the reports
 * of memory need only this.
 * @kernel  include/linux/hugetlb.h struct hstate
 * @spec    08 §8.5
 */
import type { Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'

/**
 * The 2 MiB pool. Owner: hugetlb.ts
 * @simplifies  nothing maps huge pages, so that all of the pool is free: no reservations, no surplus
 */
export interface HugetlbPool {
  /** Frames of free huge pages by node, last freed first taken. */
  readonly free: Pfn[][]
  /** Most surplus pages that mappings may add. */
  overcommit: number
  /** Node of the next page that is added, and of the next one that is taken away. */
  nextNidToAlloc: number
  nextNidToFree: number
}

/** @kernel mm/hugetlb.c hugetlb_add_hstate() */
export const createHugetlbPool = (nodes: number): HugetlbPool => ({
  free: Array.from({ length: nodes }, () => []),
  overcommit: 0,
  nextNidToAlloc: 0,
  nextNidToFree: 0,
})

/** Huge pages of one node. @kernel h->nr_huge_pages_node[] */
export const nrHugePagesNode = (state: KernelState, nid: number): number => state.hugetlb.free[nid]!.length
/** Huge pages of the pool. @kernel h->nr_huge_pages */
export const nrHugePages = (state: KernelState): number =>
  state.hugetlb.free.reduce((sum, list) => sum + list.length, 0)

/** Frames of one huge page. */
export const HUGE_PAGE_PAGES: Pages = 512
