/**
 * Reclaim in the name of a group at its limit, and of particular pages. Runs to completion; its time is charged to the
 * task.
 * @kernel  mm/vmscan.c try_to_free_mem_cgroup_pages(), reclaim_pages()
 * @spec    07 §7.8
 */
import type { Pages, Pfn } from '../../util/units'
import { charge, currentNode, currentTask, now } from '../exec'
import type { KernelState } from '../state'
import { emit } from '../trace'
import { GFP_BIT_HIGHMEM, GFP_BIT_MOVABLE, MAX_NR_ZONES } from './gfp'
import { folioIsFileLru, folioLruvec, type Lruvec } from './lruvec'
import { PG_LRU, PG_UNEVICTABLE, hasFlag, mapcount } from './memmap'
import { ROOT_MEMCG } from './memcontrol'
import { memstallEnter, memstallLeave } from './psi'
import { createFreeRun, doTryToFreePages } from './reclaim/free_pages'
import { closeRun, noteBatch, openRun, openVisit } from './reclaim/reclaim_log'
import { OUTCOME_SCANNED } from './reclaim/reclaim_record'
import { SWAP_CLUSTER_MAX, createReclaimStat, createScanControl, type ScanControl } from './reclaim/scan_control'
import { shrinkFolioList } from './reclaim/shrink_folio_list'
import { folioPutback, lruDel } from './swap'

/**
 * Reclaim from one group and what lies below it.
 * @param nr  pages wanted; at least 32 are tried
 * @returns pages freed
 * @kernel  mm/vmscan.c try_to_free_mem_cgroup_pages()
 * @spec    07 §7.8
 */
export function tryToFreeMemcgPages(
  state: KernelState,
  memcgId: number,
  nr: Pages,
  gfp: number,
  options: { readonly maySwap: boolean; readonly proactive: boolean; readonly swappiness?: number },
): Pages {
  const task = currentTask(state)
  const startNs = now(state)
  const began = memstallEnter(state, task)
  const wasMemalloc = task?.memalloc ?? false
  if (task !== undefined) task.memalloc = true
  charge(state, state.costs.reclaimEntry)
  const fullGfp = gfp | GFP_BIT_HIGHMEM | GFP_BIT_MOVABLE
  const target = memcgId === ROOT_MEMCG ? 0 : memcgId
  emit(state, 'mm_vmscan_memcg_reclaim_begin', [0, fullGfp, memcgId])
  const sc = createScanControl({
    kind: 'memcg',
    target,
    nrToReclaim: Math.max(nr, SWAP_CLUSTER_MAX),
    order: 0,
    gfp: fullGfp,
    reclaimIdx: MAX_NR_ZONES - 1,
  })
  sc.maySwap = options.maySwap
  sc.isProactive = options.proactive
  sc.swappiness = options.swappiness ?? -1
  sc.mayWritepage = state.sysctl.laptopMode === 0
  openRun(state, sc, currentNode(state))
  const reclaimed = doTryToFreePages(state, createFreeRun(sc), state.nodes[currentNode(state)]!)
  closeRun(state, sc)
  emit(state, 'mm_vmscan_memcg_reclaim_end', [reclaimed, now(state) - startNs, memcgId])
  if (task !== undefined) task.memalloc = wasMemalloc
  memstallLeave(state, task, began)
  return reclaimed
}

const pageoutStat = createReclaimStat()
const pageoutList = new Int32Array(SWAP_CLUSTER_MAX)

/**
 * Reclaims particular pages now, whatever their age: MADV_PAGEOUT.
 * @param pfns  mapped once, by the caller
 * @returns pages freed; pages on their way to swap are not counted
 * @kernel      mm/vmscan.c reclaim_pages(), reclaim_folio_list()
 * @simplifies  32 at a time; the kernel takes all pages of one page table that lie on one node
 */
export function reclaimPages(state: KernelState, pfns: readonly Pfn[], gfp: number): Pages {
  const task = currentTask(state)
  const wasMemalloc = task?.memalloc ?? false
  if (task !== undefined) task.memalloc = true
  const wish = { kind: 'direct', target: 0, nrToReclaim: pfns.length, order: 0, gfp } as const
  const sc = createScanControl({ ...wish, reclaimIdx: MAX_NR_ZONES - 1 })
  openRun(state, sc, currentNode(state), 'MADV_PAGEOUT')
  for (let at = 0; at < pfns.length;) at = reclaimSome(state, sc, pfns, at)
  closeRun(state, sc)
  if (task !== undefined) task.memalloc = wasMemalloc
  return sc.nrReclaimed
}

const isWanted = (state: KernelState, pfn: Pfn): boolean =>
  hasFlag(state.memmap, pfn, PG_LRU) && !hasFlag(state.memmap, pfn, PG_UNEVICTABLE) && mapcount(state.memmap, pfn) <= 1

/** The next pages that are on the lists of one group and node. @returns where to go on */
function reclaimSome(state: KernelState, sc: ScanControl, pfns: readonly Pfn[], from: number): number {
  let at = from
  let count = 0
  let lruvec: Lruvec | undefined
  let type = 0
  for (; at < pfns.length && count < pageoutList.length; at++) {
    const pfn = pfns[at]!
    if (!isWanted(state, pfn)) continue
    const own = folioLruvec(state, pfn)
    lruvec ??= own
    if (own !== lruvec) break
    if (count === 0) type = folioIsFileLru(state, pfn)
    else if (type !== folioIsFileLru(state, pfn)) break
    pageoutList[count++] = pfn
  }
  if (lruvec === undefined) return at
  if (sc.visit < 0) openVisit(state, sc, lruvec, OUTCOME_SCANNED)
  for (let i = 0; i < count; i++) lruDel(state, pageoutList[i]!)
  const batch = { list: pageoutList, count, ignoreReferences: true }
  const reclaimed = shrinkFolioList(state, sc, lruvec.nid, batch, pageoutStat)
  sc.nrReclaimed += reclaimed
  noteBatch(state, sc, lruvec, type, { scanned: count, reclaimed, stat: pageoutStat })
  for (let i = 0; i < pageoutStat.kept; i++) folioPutback(state, pageoutList[i]!)
  return at
}
