/**
 * Folios of which only a part is mapped: the rest can be given back once they are split, which waits until memory is
 * short.
 * @kernel  mm/huge_memory.c deferred_split_folio(), deferred_split_scan()
 * @spec    08 §8.6 "Split"
 */
import type { Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { deferredLink } from './folio'
import {
  PG_RECLAIM,
  clearFlag,
  createLists,
  hasFlag,
  listAddTail,
  listDel,
  listHead,
  nextOnList,
  pageMapping,
  pageMemcg,
  pageZoneIndex,
  setFlag,
} from './memmap'
import { THP_DEFERRED_SPLIT_PAGE, countVmEvent } from './vmstat'

/** One queue a node, oldest first. @kernel struct deferred_split */
export interface DeferredSplit {
  readonly lists: Int32Array
  readonly length: number[]
}

/** @kernel mm/mm_init.c pgdat_init_split_queue() */
export const createDeferredSplit = (nodes: number): DeferredSplit => ({
  lists: createLists(nodes),
  length: Array.from({ length: nodes }, () => 0),
})

const nidOf = (state: KernelState, pfn: Pfn): number => state.zones[pageZoneIndex(state.memmap, pfn)]!.nid

/** @kernel folio_test_partially_mapped() */
export const isSplitDeferred = (state: KernelState, head: Pfn): boolean =>
  hasFlag(state.memmap, deferredLink(head), PG_RECLAIM)

/** The folio joins the queue, if it is not there. @kernel mm/huge_memory.c deferred_split_folio() */
export function deferredSplitFolio(state: KernelState, head: Pfn): void {
  if (isSplitDeferred(state, head)) return
  const { lists, length } = state.thp.deferred
  const nid = nidOf(state, head)
  setFlag(state.memmap, deferredLink(head), PG_RECLAIM)
  listAddTail(state.memmap, lists, nid, deferredLink(head))
  length[nid]!++
  countVmEvent(state.vmstat, THP_DEFERRED_SPLIT_PAGE)
}

/** The folio goes away or is split. @kernel mm/huge_memory.c folio_unqueue_deferred_split() */
export function unqueueDeferredSplit(state: KernelState, head: Pfn): void {
  if (!isSplitDeferred(state, head)) return
  const { lists, length } = state.thp.deferred
  const nid = nidOf(state, head)
  clearFlag(state.memmap, deferredLink(head), PG_RECLAIM)
  listDel(state.memmap, lists, nid, deferredLink(head))
  length[nid]!--
}

/**
 * Waiting folios of a group on a node, oldest first.
 * @param memcg  0 = the root's and nobody's
 * @kernel  mm/huge_memory.c get_deferred_split_queue()
 */
export function deferredFolios(state: KernelState, nid: number, memcg: number): Pfn[] {
  const found: Pfn[] = []
  if (state.thp.deferred.length[nid] === 0) return found
  const m = state.memmap
  for (let link = listHead(state.thp.deferred.lists, nid); link !== 0; link = nextOnList(m, link)) {
    const head = pageMapping(m, link)
    const owner = pageMemcg(m, head)
    if ((owner <= 1 ? 0 : owner) === memcg) found.push(head)
  }
  return found
}

/** Waiting folios of a group on a node. @kernel mm/huge_memory.c deferred_split_count() */
export const deferredSplitCount = (state: KernelState, nid: number, memcg: number): Pages =>
  deferredFolios(state, nid, memcg).length
