/**
 * Reclaim that somebody waits for: a task that allocates, a group at its limit, a node that is to be kept local. Runs to
 * completion; its time is charged to the task.
 * @kernel  mm/vmscan.c try_to_free_pages(), do_try_to_free_pages(), try_to_free_mem_cgroup_pages()
 * @spec    05 §5.7, 07 §7.8
 */
import { NS_PER_S, type Pages, type Pfn } from '../../util/units'
import { charge, currentNode, currentTask, now, suspend } from '../exec'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { emit } from '../trace'
import { pollIo } from './block'
import { GFP_BIT_HIGHMEM, GFP_BIT_MOVABLE, MAX_NR_ZONES, PAGE_ALLOC_COSTLY_ORDER, ZONE_NORMAL } from './gfp'
import { LRUVEC_CGROUP_CONGESTED, folioNid, lruvecOf } from './lruvec'
import { PG_LRU, PG_UNEVICTABLE, hasFlag, mapcount } from './memmap'
import { ROOT_MEMCG } from './memcontrol'
import { WMARK_MIN, wmark, zoneFreePages, type Zonelists } from './mmzone'
import { memstallEnter, memstallLeave } from './psi'
import { snapshotRefaults } from './reclaim/lru'
import {
  DEF_PRIORITY,
  MAX_RECLAIM_RETRIES,
  SWAP_CLUSTER_MAX,
  cgroupReclaim,
  createReclaimStat,
  createScanControl,
  createShrinkRun,
  type ScanControl,
} from './reclaim/scan_control'
import { compactionReady, restartShrink, shrinkNodeStep } from './reclaim/shrink_node'
import { shrinkFolioList } from './reclaim/shrink_folio_list'
import { considerReclaimThrottle } from './reclaim/throttle'
import { folioPutback, lruDel } from './swap'
import {
  ALLOCSTALL_DMA,
  NR_ZONE_ACTIVE_FILE,
  NR_ZONE_INACTIVE_FILE,
  PGSCAN_DIRECT_THROTTLE,
  countVmEvent,
  readStat,
} from './vmstat'

/** All of a node at one priority. @kernel mm/vmscan.c shrink_node() */
export function shrinkNode(state: KernelState, sc: ScanControl, nid: number): void {
  const run = createShrinkRun(nid)
  restartShrink(run)
  while (!shrinkNodeStep(state, sc, run)) pollIo(state)
}

/** Every node of the zonelist once. @kernel mm/vmscan.c shrink_zones() */
function shrinkZones(state: KernelState, sc: ScanControl, node: Zonelists): void {
  let lastNid = -1
  for (const z of node.zonelist) {
    const zone = state.zones[z]!
    if (zone.idx > sc.reclaimIdx || zone.managed === 0) continue
    if (!cgroupReclaim(sc) && sc.order > PAGE_ALLOC_COSTLY_ORDER && compactionReady(zone, sc)) {
      sc.compactionReady = true
      continue
    }
    if (zone.nid === lastNid) continue
    lastNid = zone.nid
    shrinkNode(state, sc, zone.nid)
    considerReclaimThrottle(state, zone.nid, sc)
  }
}

/** Priorities 12 down to 0, until enough is free. */
function raisePriorities(state: KernelState, sc: ScanControl, node: Zonelists): void {
  if (!cgroupReclaim(sc)) countVmEvent(state.vmstat, ALLOCSTALL_DMA + sc.reclaimIdx)
  do {
    sc.nrScanned = 0
    shrinkZones(state, sc, node)
    if (sc.nrReclaimed >= sc.nrToReclaim || sc.compactionReady) break
    if (sc.priority < DEF_PRIORITY - 2) sc.mayWritepage = true
  } while (--sc.priority >= 0)
  for (const nid of new Set(node.zonelist.map((z) => state.zones[z]!.nid))) {
    snapshotRefaults(state, sc.target, nid)
    if (cgroupReclaim(sc)) lruvecOf(state, sc.target, nid).flags &= ~LRUVEC_CGROUP_CONGESTED
  }
}

/**
 * Gives up only after every restraint was dropped: partial walks (6.11+), active lists, memory.low.
 * Each retry counts as another allocstall, as the kernel's label stands before the count.
 * @returns pages freed, at least 1 when compaction should be tried instead
 * @kernel  mm/vmscan.c do_try_to_free_pages()
 */
function doTryToFreePages(state: KernelState, sc: ScanControl, node: Zonelists): Pages {
  const hasPartialWalks = state.config.series !== '6.1'
  for (;;) {
    raisePriorities(state, sc, node)
    if (sc.nrReclaimed > 0) return sc.nrReclaimed
    if (sc.compactionReady) return 1
    sc.priority = DEF_PRIORITY
    if (hasPartialWalks && !sc.memcgFullWalk) sc.memcgFullWalk = true
    else if (sc.skippedDeactivate) {
      sc.forceDeactivate = true
      sc.skippedDeactivate = false
    } else if (sc.memcgLowSkipped) {
      sc.forceDeactivate = false
      sc.memcgLowReclaim = true
      sc.memcgLowSkipped = false
    } else return 0
  }
}

/** Whether the reserves of a node are high enough for more direct reclaimers. @kernel mm/vmscan.c allow_direct_reclaim() */
export function allowDirectReclaim(state: KernelState, nid: number): boolean {
  const node = state.nodes[nid]!
  if (node.kswapd.failures >= MAX_RECLAIM_RETRIES) return true
  let reserve = 0
  let free = 0
  for (let idx = 0; idx <= ZONE_NORMAL; idx++) {
    const zone = state.zones[nid * MAX_NR_ZONES + idx]!
    const cache = readStat(zone.stat, NR_ZONE_INACTIVE_FILE) + readStat(zone.stat, NR_ZONE_ACTIVE_FILE)
    if (zone.managed === 0 || cache === 0) continue
    reserve += wmark(zone, WMARK_MIN)
    free += zoneFreePages(zone)
  }
  return reserve === 0 || free > Math.floor(reserve / 2)
}

/**
 * The reserves are for those who free memory: everybody else waits for kswapd.
 * @returns whether the operation was suspended
 * @kernel      mm/vmscan.c throttle_direct_reclaim()
 * @simplifies  waits at most a second in both of the kernel's cases, then tries again
 */
function throttleDirectReclaim(state: KernelState, node: Zonelists, highestZoneidx: number): boolean {
  const task = currentTask(state)
  if (task === undefined || task.isKthread || task.killSignal !== 0) return false
  const first = node.zonelist.find((z) => state.zones[z]!.idx <= Math.min(highestZoneidx, ZONE_NORMAL))
  if (first === undefined) return false
  const throttler = state.zones[first]!.nid
  if (allowDirectReclaim(state, throttler)) return false
  countVmEvent(state.vmstat, PGSCAN_DIRECT_THROTTLE)
  const { kswapd } = state.nodes[throttler]!
  kswapd.highestZoneidx = Math.max(kswapd.highestZoneidx, ZONE_NORMAL)
  state.reclaim.pfmemallocWait[throttler]!.push(task.pid)
  hooks.wakeTask(state, kswapd.pid)
  suspend(state, now(state) + NS_PER_S, 'throttle_direct_reclaim')
  return true
}

/** kswapd has brought the reserves back. @kernel wake_up_all(&pgdat->pfmemalloc_wait) */
export function wakePfmemallocWaiters(state: KernelState, nid: number): void {
  const waiters = state.reclaim.pfmemallocWait[nid]!
  if (waiters.length === 0 || !allowDirectReclaim(state, nid)) return
  for (const pid of waiters.splice(0)) hooks.wakeTask(state, pid)
}

/**
 * Direct reclaim: the task frees pages for its own allocation.
 * @returns pages freed; 0 = no progress, or the task has to wait (isSuspended)
 * @kernel  mm/vmscan.c try_to_free_pages()
 * @spec    05 §5.7
 */
export function tryToFreePages(
  state: KernelState,
  request: {
    readonly order: number
    readonly gfp: number
    readonly nid: number
    readonly highestZoneidx: number
    /** The node's zonelists without forbidden nodes; left out: all of them. */
    readonly from?: Zonelists
  },
): Pages {
  const { order, gfp, nid, highestZoneidx } = request
  const node = request.from ?? state.nodes[nid]!
  if (throttleDirectReclaim(state, node, highestZoneidx)) return 0
  const task = currentTask(state)
  const startNs = now(state)
  const began = memstallEnter(state, task)
  charge(state, state.costs.reclaimEntry)
  emit(state, 'mm_vmscan_direct_reclaim_begin', [order, gfp])
  const wish = {
    kind: 'direct',
    target: 0,
    nrToReclaim: SWAP_CLUSTER_MAX,
    order,
    gfp,
    reclaimIdx: highestZoneidx,
  } as const
  const sc = createScanControl(wish)
  sc.mayWritepage = state.sysctl.laptopMode === 0
  const reclaimed = doTryToFreePages(state, sc, node)
  emit(state, 'mm_vmscan_direct_reclaim_end', [reclaimed, now(state) - startNs])
  memstallLeave(state, task, began)
  return reclaimed
}

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
  const reclaimed = doTryToFreePages(state, sc, state.nodes[currentNode(state)]!)
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
