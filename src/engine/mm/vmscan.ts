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
import { folioNid } from './lruvec'
import { PG_LRU, PG_UNEVICTABLE, hasFlag, mapcount } from './memmap'
import { ROOT_MEMCG } from './memcontrol'
import { memstallEnter, memstallLeave } from './psi'
import { createFreeRun, doTryToFreePages } from './reclaim/free_pages'
import { closeRun, openRun } from './reclaim/reclaim_log'
import { SWAP_CLUSTER_MAX, createReclaimStat, createScanControl } from './reclaim/scan_control'
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

/**
 * Reclaims particular pages now, whatever their age: MADV_PAGEOUT.
 * @param pfns  mapped once, by the caller
 * @returns pages freed; pages on their way to swap are not counted
 * @kernel  mm/vmscan.c reclaim_pages()
 */
export function reclaimPages(state: KernelState, pfns: readonly Pfn[], gfp: number): Pages {
  const list = new Int32Array(1)
  let reclaimed = 0
  for (const pfn of pfns) {
    if (!hasFlag(state.memmap, pfn, PG_LRU) || hasFlag(state.memmap, pfn, PG_UNEVICTABLE)) continue
    if (mapcount(state.memmap, pfn) > 1) continue
    const sc = createScanControl({
      kind: 'direct',
      target: 0,
      nrToReclaim: 1,
      order: 0,
      gfp,
      reclaimIdx: MAX_NR_ZONES - 1,
    })
    const nid = folioNid(state, pfn)
    lruDel(state, pfn)
    list[0] = pfn
    reclaimed += shrinkFolioList(state, sc, nid, { list, count: 1, ignoreReferences: true }, pageoutStat)
    if (pageoutStat.kept === 1) folioPutback(state, pfn)
  }
  return reclaimed
}
