/**
 * Allocating and freeing page frames: the door that everybody else uses.
 * @kernel  mm/page_alloc.c __alloc_pages(), __free_pages()
 * @spec    02
 */
import type { Pfn } from '../../util/units'
import { context } from '../context'
import { currentNode } from '../exec'
import type { KernelState } from '../state'
import { fastAllocFlags, getPageFromFreelist, preferredZone } from './freelist'
import { MAX_PAGE_ORDER } from './gfp'
import { allocPagesSlowpath, allocationEnded } from './page_alloc_slowpath'
import { freeUnrefPage } from './pcp'

/**
 * A block of 2^order frames. Its flags are 0: the caller says at once who owns it.
 * @param nid  node whose zonelist is used; that of the running CPU when left out
 * @returns first frame; 0 when the request failed or has to wait (`isSuspended(state)`: unwind, it is tried again)
 * @kernel  mm/page_alloc.c __alloc_pages_noprof()
 * @spec    02 §2.5–§2.7
 * @simplifies  no memory policies, no cpusets; gfp is not narrowed by memalloc_nofs_save() and its like
 */
export function allocPages(state: KernelState, gfp: number, order: number, nid?: number): Pfn {
  if (order > MAX_PAGE_ORDER || context.failAlloc?.(gfp, order) === true) return 0
  const node = state.nodes[nid ?? currentNode(state)]!
  const preferred = preferredZone(state, node, gfp)
  if (preferred === undefined) return 0
  const pfn = getPageFromFreelist(state, gfp, order, fastAllocFlags(state, gfp, preferred), node, preferred)
  if (pfn === 0) return allocPagesSlowpath(state, gfp, order, node)
  allocationEnded(state, gfp, order)
  return pfn
}

/**
 * Gives back what allocPages() gave. The caller has unmapped it, taken it off every list and uncharged it.
 * @kernel  mm/page_alloc.c __free_pages()
 * @spec    02 §2.2, 01 §1.8
 */
export function freePages(state: KernelState, pfn: Pfn, order: number): void {
  freeUnrefPage(state, pfn, order)
}
