/**
 * Filling and emptying the pool of 2 MiB pages: spread evenly over the nodes, one page at a time, until the number is
 * reached or nothing more can be had.
 * @kernel  mm/hugetlb.c set_max_huge_pages(), alloc_pool_huge_folio(), remove_pool_hugetlb_folio()
 * @spec    08 §8.5
 */
import type { Errno } from '../../util/errno'
import type { Pfn } from '../../util/units'
import { charge, hasWriterTime, isSuspended, now, suspend, writerPieceEnd } from '../exec'
import type { KernelState } from '../state'
import {
  GFP_BIT_COMP,
  GFP_BIT_NOWARN,
  GFP_BIT_RETRY_MAYFAIL,
  GFP_BIT_THISNODE,
  GFP_HIGHUSER_MOVABLE,
  PAGEBLOCK_ORDER,
} from './gfp'
import { PREEMPTED } from './direct_reclaim'
import { HUGE_PAGE_PAGES, nrHugePages, nrHugePagesNode } from './hugetlb_pool'
import { PG_HUGETLB, PG_TAIL, setFlags, setFlagsOfRange, setPageOrder } from './memmap'
import { allocPages, freePages } from './page_alloc'
import { HTLB_BUDDY_ALLOC_FAIL, HTLB_BUDDY_ALLOC_SUCCESS, countVmEvent } from './vmstat'

/** @kernel htlb_alloc_mask() and alloc_buddy_hugetlb_folio() */
const GFP_HUGETLB = GFP_HIGHUSER_MOVABLE | GFP_BIT_COMP | GFP_BIT_NOWARN | GFP_BIT_RETRY_MAYFAIL | GFP_BIT_THISNODE

/** A command of the user's side cannot wait: it asks again at once, as often as the allocator loops. */
const ASKS_WITHOUT_WAITING = 32

/** Longest piece between two looks at the scheduler. @model cond_resched() after every page */
const PIECE_NS = 1_000_000

/** Nodes that may hold huge pages, beginning with `first` and going round. @kernel for_each_node_mask_to_alloc() */
function nodesFrom(state: KernelState, first: number): number[] {
  const nids = state.nodes.filter((n) => n.hasMemory).map((n) => n.nid)
  const at = nids.findIndex((nid) => nid >= first)
  return at <= 0 ? nids : [...nids.slice(at), ...nids.slice(0, at)]
}

const nextNode = (state: KernelState, nid: number): number => nodesFrom(state, nid + 1)[0]!

/** @returns first frame, 0 = none, or waiting @kernel mm/hugetlb.c alloc_buddy_hugetlb_folio() */
function allocHugePage(state: KernelState, nid: number): Pfn {
  for (let asked = 0; asked < ASKS_WITHOUT_WAITING; asked++) {
    state.exec.mayStop = hasWriterTime(state)
    const pfn = allocPages(state, GFP_HUGETLB, PAGEBLOCK_ORDER, nid)
    state.exec.mayStop = false
    if (pfn !== 0 || !isSuspended(state) || hasWriterTime(state)) return pfn
    state.exec.suspendUntilNs = -1
  }
  return 0
}

/** One more page on the first of the nodes that has one. @kernel mm/hugetlb.c alloc_pool_huge_folio() */
function addPoolPage(state: KernelState, nids: readonly number[]): boolean {
  const pool = state.hugetlb
  for (const nid of nids) {
    const pfn = allocHugePage(state, nid)
    if (isSuspended(state)) return false
    pool.nextNidToAlloc = nids.length === 1 ? nid : nextNode(state, nid)
    countVmEvent(state.vmstat, pfn === 0 ? HTLB_BUDDY_ALLOC_FAIL : HTLB_BUDDY_ALLOC_SUCCESS)
    if (pfn === 0) continue
    setFlagsOfRange(state.memmap, pfn, HUGE_PAGE_PAGES, PG_TAIL)
    setFlags(state.memmap, pfn, PG_HUGETLB)
    setPageOrder(state.memmap, pfn, PAGEBLOCK_ORDER)
    pool.free[nid]!.push(pfn)
    return true
  }
  return false
}

function pause(state: KernelState): undefined {
  suspend(state, now(state), PREEMPTED)
}

/** One page less, of the first of the nodes that has one. @kernel mm/hugetlb.c remove_pool_hugetlb_folio() */
function removePoolPage(state: KernelState, nids: readonly number[]): void {
  const pool = state.hugetlb
  for (const nid of nids) {
    pool.nextNidToFree = nids.length === 1 ? nid : nextNode(state, nid)
    const pfn = pool.free[nid]!.pop()
    if (pfn === undefined) continue
    freePages(state, pfn, PAGEBLOCK_ORDER)
    return
  }
}

/**
 * nr_hugepages: grows or shrinks the pool to `count` pages. What cannot be had is missing, without an error; the file
 * then shows what was reached.
 * @param nid  only this node's part; undefined: spread over all nodes with memory
 * @returns undefined = done, or the task has to wait (isSuspended)
 * @kernel      mm/hugetlb.c set_max_huge_pages()
 * @spec        08 §8.5, E4
 * @simplifies  every node is asked hard for every page; the kernel asks a node that has failed only gently afterwards
 */
export function setMaxHugePages(state: KernelState, count: number, nid?: number): Errno | undefined {
  const pool = state.hugetlb
  const has = (): number => (nid === undefined ? nrHugePages(state) : nrHugePagesNode(state, nid))
  const nodes = (first: number): readonly number[] => (nid === undefined ? nodesFrom(state, first) : [nid])
  const endNs = writerPieceEnd(state, PIECE_NS)
  while (has() < count) {
    if (state.exec.ns >= endNs) return pause(state)
    if (!addPoolPage(state, nodes(pool.nextNidToAlloc))) return undefined
    charge(state, state.costs.zero2MiB)
  }
  while (has() > count) removePoolPage(state, nodes(pool.nextNidToFree))
  return undefined
}
