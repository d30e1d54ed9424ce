/**
 * Filling and emptying the pools of huge pages: spread evenly over the nodes, one page at a time, until the number is
 * reached or nothing more can be had.
 * @kernel  mm/hugetlb.c set_max_huge_pages(), alloc_pool_huge_folio(), remove_pool_hugetlb_folio()
 * @spec    08 §8.5
 */
import type { Errno } from '../../util/errno'
import type { Pfn } from '../../util/units'
import { charge, hasWriterTime, isSuspended, now, suspend, writerPieceEnd } from '../exec'
import type { KernelState } from '../state'
import { PREEMPTED } from './direct_reclaim'
import {
  GFP_BIT_COMP,
  GFP_BIT_NOWARN,
  GFP_BIT_RETRY_MAYFAIL,
  GFP_BIT_THISNODE,
  GFP_HIGHUSER_MOVABLE,
  MAX_PAGE_ORDER,
} from './gfp'
import { allocGigantic } from './hugetlb_gigantic'
import {
  GIGANTIC_ORDER,
  freeHugePages,
  hugePages,
  nrHugePages,
  persistentHugePages,
  surplusHugePages,
  type Hstate,
} from './hugetlb_pool'
import { PG_HUGETLB, PG_TAIL, setFlags, setFlagsOfRange, setPageOrder } from './memmap'
import { allocPages, freePages } from './page_alloc'
import { HTLB_BUDDY_ALLOC_FAIL, HTLB_BUDDY_ALLOC_SUCCESS, countVmEvent } from './vmstat'

/** @kernel htlb_alloc_mask() and alloc_buddy_hugetlb_folio() */
export const GFP_HUGETLB = GFP_HIGHUSER_MOVABLE | GFP_BIT_COMP | GFP_BIT_NOWARN | GFP_BIT_RETRY_MAYFAIL

/** A command of the user's side cannot wait: it asks again at once, as often as the allocator loops. */
const ASKS_WITHOUT_WAITING = 32

/** Longest piece between two looks at the scheduler. @model cond_resched() after every page */
const PIECE_NS = 1_000_000

/** Nodes that may hold huge pages, beginning with `first` and going round. @kernel for_each_node_mask_to_alloc() */
export function nodesFrom(state: KernelState, first: number): number[] {
  const nids = state.nodes.filter((n) => n.hasMemory).map((n) => n.nid)
  const at = nids.findIndex((nid) => nid >= first)
  return at <= 0 ? nids : [...nids.slice(at), ...nids.slice(0, at)]
}

const nextNode = (state: KernelState, nid: number): number => nodesFrom(state, nid + 1)[0]!

/** @returns first frame, 0 = none, or waiting @kernel mm/hugetlb.c alloc_buddy_hugetlb_folio() */
function allocHugePage(state: KernelState, h: Hstate, nid: number): Pfn {
  if (h.order === GIGANTIC_ORDER) return allocGigantic(state, nid)
  for (let asked = 0; asked < ASKS_WITHOUT_WAITING; asked++) {
    state.exec.mayStop = hasWriterTime(state)
    const pfn = allocPages(state, GFP_HUGETLB | GFP_BIT_THISNODE, h.order, nid)
    state.exec.mayStop = false
    if (pfn !== 0 || !isSuspended(state) || hasWriterTime(state)) return pfn
    state.exec.suspendUntilNs = -1
  }
  return 0
}

/** Frames that were just allocated become one huge page. @kernel mm/hugetlb.c prep_new_hugetlb_folio() */
export function prepHugePage(state: KernelState, h: Hstate, pfn: Pfn): void {
  setFlagsOfRange(state.memmap, pfn, hugePages(h), PG_TAIL)
  setFlags(state.memmap, pfn, PG_HUGETLB)
  setPageOrder(state.memmap, pfn, h.order)
}

/** @kernel mm/hugetlb.c count_vm_event(HTLB_BUDDY_PGALLOC): only what the buddy system was asked for */
export function countBuddyAlloc(state: KernelState, h: Hstate, pfn: Pfn): void {
  if (h.order !== GIGANTIC_ORDER)
    countVmEvent(state.vmstat, pfn === 0 ? HTLB_BUDDY_ALLOC_FAIL : HTLB_BUDDY_ALLOC_SUCCESS)
}

/** One more page on the first of the nodes that has one. @kernel mm/hugetlb.c alloc_pool_huge_folio() */
function addPoolPage(state: KernelState, h: Hstate, nids: readonly number[]): boolean {
  for (const nid of nids) {
    const pfn = allocHugePage(state, h, nid)
    if (isSuspended(state)) return false
    h.nextNidToAlloc = nids.length === 1 ? nid : nextNode(state, nid)
    countBuddyAlloc(state, h, pfn)
    if (pfn === 0) continue
    prepHugePage(state, h, pfn)
    h.nr[nid]!++
    h.free[nid]!.push(pfn)
    return true
  }
  return false
}

function pause(state: KernelState): undefined {
  suspend(state, now(state), PREEMPTED)
}

/** Gives a huge page back to the buddy system; a gigantic one in its largest blocks. @kernel mm/hugetlb.c __update_and_free_hugetlb_folio() */
export function dissolveHugePage(state: KernelState, h: Hstate, pfn: Pfn): void {
  const order = Math.min(h.order, MAX_PAGE_ORDER)
  for (let at = pfn; at < pfn + hugePages(h); at += 2 ** order) freePages(state, at, order)
}

/**
 * One free page less, of the first of the nodes that has one.
 * @param onlySurplus  only where there are surplus pages, and one of them less
 * @returns whether there was one
 * @kernel  mm/hugetlb.c remove_pool_hugetlb_folio()
 */
export function removePoolPage(
  state: KernelState,
  h: Hstate,
  nids: readonly number[],
  { onlySurplus }: { readonly onlySurplus: boolean },
): boolean {
  for (const nid of nids) {
    h.nextNidToFree = nids.length === 1 ? nid : nextNode(state, nid)
    if (onlySurplus && h.surplus[nid] === 0) continue
    const pfn = h.free[nid]!.pop()
    if (pfn === undefined) continue
    h.nr[nid]!--
    if (onlySurplus) h.surplus[nid]!--
    dissolveHugePage(state, h, pfn)
    return true
  }
  return false
}

/** Pages of one node become surplus, or persistent again. @returns whether there was one @kernel mm/hugetlb.c adjust_pool_surplus() */
function adjustSurplus(state: KernelState, h: Hstate, nids: readonly number[], delta: 1 | -1): boolean {
  for (const nid of nids) {
    if (delta < 0) h.nextNidToAlloc = nids.length === 1 ? nid : nextNode(state, nid)
    else h.nextNidToFree = nids.length === 1 ? nid : nextNode(state, nid)
    if (delta < 0 ? h.surplus[nid] === 0 : h.surplus[nid]! >= h.nr[nid]!) continue
    h.surplus[nid]! += delta
    return true
  }
  return false
}

/**
 * nr_hugepages: grows or shrinks the pool to `count` pages that stay. What cannot be had is missing, without an error;
 * the file then shows what was reached. Pages in use or promised that are too many become surplus.
 * @param nid      only this node's part; undefined: spread over nodes with memory
 * @param allowed  those of them that are asked, or give pages back; undefined: all
 * @returns undefined = done, or the task has to wait (isSuspended)
 * @kernel      mm/hugetlb.c set_max_huge_pages()
 * @spec        08 §8.5, E3, E4
 * @simplifies  every node is asked hard for every page; the kernel asks a node that has failed only gently afterwards
 */
export function setMaxHugePages(
  state: KernelState,
  h: Hstate,
  wanted: number,
  nid?: number,
  allowed?: readonly number[],
): Errno | undefined {
  const isAllowed = (n: number): boolean => allowed === undefined || allowed.includes(n)
  const nodes = (first: number): readonly number[] =>
    nid === undefined ? nodesFrom(state, first).filter(isAllowed) : [nid]
  const elsewhere = nid === undefined ? 0 : persistentHugePages(h) - (h.nr[nid]! - h.surplus[nid]!)
  const count = wanted + elsewhere
  const endNs = writerPieceEnd(state, PIECE_NS)
  while (surplusHugePages(h) > 0 && count > persistentHugePages(h)) {
    if (!adjustSurplus(state, h, nodes(h.nextNidToAlloc), -1)) break
  }
  while (persistentHugePages(h) < count) {
    if (state.exec.ns >= endNs) return pause(state)
    if (!addPoolPage(state, h, nodes(h.nextNidToAlloc))) return undefined
    charge(state, state.costs.zero2MiB * 2 ** (h.order - 9))
  }
  const kept = Math.max(count, h.resv + nrHugePages(h) - freeHugePages(h))
  while (persistentHugePages(h) > kept) {
    if (!removePoolPage(state, h, nodes(h.nextNidToFree), { onlySurplus: false })) break
  }
  while (persistentHugePages(h) > count) {
    if (!adjustSurplus(state, h, nodes(h.nextNidToFree), 1)) break
  }
  return undefined
}
