/**
 * Reclaim on one node: which groups are visited, how much of each, and what follows. Step by step, so that kswapd can be
 * interrupted after each batch; direct reclaim takes all steps at once.
 * @kernel  mm/vmscan.c shrink_node(), shrink_node_memcgs(), lru_gen_shrink_node()
 * @spec    05 §5.6, §5.9
 */
import { charge } from '../../exec'
import { hooks } from '../../hooks'
import { compactionSuitable } from '../compaction_suitable'
import type { KernelState } from '../../state'
import { pollIo } from '../block'
import { MAX_NR_ZONES, PAGE_ALLOC_COSTLY_ORDER } from '../gfp'
import {
  LRUVEC_CGROUP_CONGESTED,
  LRUVEC_NODE_CONGESTED,
  lruvecOf,
  lruvecPageState,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
} from '../lruvec'
import { flushMemcgStatsRatelimited } from '../memcg_flush'
import {
  MEMCG_LOW,
  ROOT_MEMCG,
  calculateProtection,
  memcgBelowLow,
  memcgBelowMin,
  memcgEvent,
  nextMemcg,
} from '../memcontrol'
import { WMARK_HIGH, WMARK_MIN, wmark, zoneWatermarkOk, type Zone } from '../mmzone'
import { nrSwapPages } from '../swap_space'
import { beginMemcgWalk, endMemcgVisit, nextMemcgToShrink, noteMemcgYoung } from './memcg_lru'
import { activePolicy } from './index'
import { noteSlab, openVisit } from './reclaim_log'
import { OUTCOME_BELOW_LOW, OUTCOME_BELOW_MIN, OUTCOME_SCANNED } from './reclaim_record'
import { shouldAbortScan } from './mglru'
import {
  DEF_PRIORITY,
  PGDAT_DIRTY,
  PGDAT_WRITEBACK,
  cgroupReclaim,
  clearNodeCounts,
  compactGap,
  createShrinkRun,
  type ScanControl,
  type ShrinkRun,
} from './scan_control'
import { reclaimThrottle } from './throttle'

/** MGLRU visits groups by its own list for global reclaim; 6.1 had no such list. */
const usesMemcgLru = (state: KernelState, sc: ScanControl): boolean =>
  (state.mglruEnabled & 1) !== 0 && !cgroupReclaim(sc) && state.config.series !== '6.1'

/** A new pass over a node. */
export function restartShrink(run: ShrinkRun): void {
  run.stage = 'begin'
  run.isReclaimable = false
}

/**
 * One batch of at most 32 (classic) or 64 (MGLRU) pages, or a step from one group to the next.
 * @returns whether the node is done
 * @kernel  mm/vmscan.c shrink_node()
 */
export function shrinkNodeStep(state: KernelState, sc: ScanControl, run: ShrinkRun): boolean {
  switch (run.stage) {
    case 'begin':
      begin(state, sc, run)
      break
    case 'visit':
      visit(state, sc, run)
      break
    case 'batch':
      batch(state, sc, run)
      break
    case 'end':
      end(state, sc, run)
      break
    case 'done':
      break
  }
  return run.stage === 'done'
}

function begin(state: KernelState, sc: ScanControl, run: ShrinkRun): void {
  run.reclaimedBefore = sc.nrReclaimed
  run.memcg = 0
  run.hasStarted = false
  run.isPartial = state.config.series !== '6.1' && sc.kind !== 'kswapd' && !sc.memcgFullWalk
  if (usesMemcgLru(state, sc)) {
    // Clean unmapped cache is taken first anyway: without writing and unmapping it would be futile.
    if (!sc.mayWritepage || !sc.mayUnmap) {
      run.stage = 'done'
      return
    }
    activePolicy(state).prepareNode(state, sc, run.nid)
    if (sc.kind === 'kswapd') sc.nrReclaimed = 0
    beginMemcgWalk(state, run)
  } else {
    clearNodeCounts(sc)
    if ((state.mglruEnabled & 1) === 0) flushMemcgStatsRatelimited(state)
    activePolicy(state).prepareNode(state, sc, run.nid)
  }
  run.stage = 'visit'
}

/**
 * The next group of the subtree. A partial walk goes on where the last one stopped and ends with the tree.
 * @returns 0 at the end
 * @kernel  mm/memcontrol.c mem_cgroup_iter()
 */
function nextInTree(state: KernelState, sc: ScanControl, run: ShrinkRun): number {
  const root = sc.target || ROOT_MEMCG
  if (!run.isPartial) {
    if (!run.hasStarted) return root
    return state.memcgs[run.memcg] === undefined ? 0 : nextMemcg(state, root, run.memcg)
  }
  const iter = lruvecOf(state, root, run.nid)
  if (!run.hasStarted) run.generation = iter.iterGeneration
  else if (run.generation !== iter.iterGeneration) return 0
  const position = iter.iterPosition
  const isLost = position === 0 || state.memcgs[position] === undefined
  let next = isLost ? root : nextMemcg(state, root, position)
  if (next === 0) {
    iter.iterGeneration++
    if (!run.hasStarted) {
      run.generation = iter.iterGeneration
      next = root
    }
  }
  iter.iterPosition = next
  return next
}

function visit(state: KernelState, sc: ScanControl, run: ShrinkRun): void {
  const isLruWalk = usesMemcgLru(state, sc)
  const id = isLruWalk ? nextMemcgToShrink(state, sc, run) : nextInTree(state, sc, run)
  run.hasStarted = true
  run.memcg = id
  if (id === 0) {
    run.stage = 'end'
    return
  }
  charge(state, state.costs.shrinkLruvec)
  const lruvec = lruvecOf(state, id, run.nid)
  if (!isLruWalk) {
    calculateProtection(state, sc.target, id)
    if (memcgBelowMin(state, sc.target, id)) {
      openVisit(state, sc, lruvec, OUTCOME_BELOW_MIN)
      return
    }
    if (memcgBelowLow(state, sc.target, id)) {
      if (!sc.memcgLowReclaim) {
        sc.memcgLowSkipped = true
        openVisit(state, sc, lruvec, OUTCOME_BELOW_LOW)
        return
      }
      memcgEvent(state, id, MEMCG_LOW)
    }
  }
  openVisit(state, sc, lruvec, OUTCOME_SCANNED)
  activePolicy(state).beginLruvec(state, sc, run, lruvec)
  run.stage = 'batch'
}

function batch(state: KernelState, sc: ScanControl, run: ShrinkRun): void {
  if (state.memcgs[run.memcg] === undefined) {
    run.stage = 'visit'
    return
  }
  const policy = activePolicy(state)
  const lruvec = lruvecOf(state, run.memcg, run.nid)
  if (policy.shrinkBatch(state, sc, run, lruvec)) return
  policy.endLruvec(state, sc, run, lruvec)
  const before = state.slabs.discardedPages
  hooks.shrinkSlab(state, sc.gfp, run.nid, run.memcg, sc.priority)
  sc.slabReclaimed += state.slabs.discardedPages - before
  noteSlab(state, sc, state.slabs.discardedPages - before)
  if (usesMemcgLru(state, sc)) {
    flushReclaimState(state, sc)
    endMemcgVisit(state, sc, run)
    run.stage = shouldAbortScan(state, sc, run.nid) ? 'end' : 'visit'
    return
  }
  if ((state.mglruEnabled & 1) !== 0) noteMemcgYoung(state, run, lruvec)
  run.stage = run.isPartial && sc.nrReclaimed >= sc.nrToReclaim ? 'end' : 'visit'
}

/** Since 6.4, what shrinkers free counts for global reclaim only. @kernel mm/vmscan.c flush_reclaim_state() */
function flushReclaimState(state: KernelState, sc: ScanControl): void {
  if (!cgroupReclaim(sc) || state.config.series === '6.1') sc.nrReclaimed += sc.slabReclaimed
  sc.slabReclaimed = 0
}

function end(state: KernelState, sc: ScanControl, run: ShrinkRun): void {
  if (usesMemcgLru(state, sc)) {
    if (sc.kind === 'kswapd') sc.nrReclaimed += run.reclaimedBefore
    if (sc.nrReclaimed > run.reclaimedBefore) state.nodes[run.nid]!.kswapd.failures = 0
    run.stage = 'done'
    return
  }
  flushReclaimState(state, sc)
  const reclaimed = sc.nrReclaimed - run.reclaimedBefore
  if (reclaimed > 0) run.isReclaimable = true
  judgeWrites(state, sc, run)
  if (shouldContinueReclaim(state, sc, run.nid, reclaimed)) {
    run.stage = 'begin'
    return
  }
  if (run.isReclaimable) state.nodes[run.nid]!.kswapd.failures = 0
  else if (sc.cacheTrimMode) sc.cacheTrimModeFailed = true
  run.stage = 'done'
}

/** Dirty pages at the tail: flags for kswapd, a pause for those who reclaim for themselves. @kernel shrink_node() */
function judgeWrites(state: KernelState, sc: ScanControl, run: ShrinkRun): void {
  const node = state.nodes[run.nid]!
  const target = lruvecOf(state, sc.target || ROOT_MEMCG, run.nid)
  if (sc.kind === 'kswapd') {
    if (sc.nrWriteback > 0 && sc.nrWriteback === sc.nrTaken) node.flags |= PGDAT_WRITEBACK
    if (sc.nrUnqueuedDirty === sc.nrFileTaken) node.flags |= PGDAT_DIRTY
    if (sc.nrImmediate > 0) reclaimThrottle(state, run.nid, 'WRITEBACK')
  }
  if (sc.nrDirty > 0 && sc.nrDirty === sc.nrCongested) {
    if (cgroupReclaim(sc)) target.flags |= LRUVEC_CGROUP_CONGESTED
    if (sc.kind === 'kswapd') target.flags |= LRUVEC_NODE_CONGESTED
  }
  const isCongested = (target.flags & (LRUVEC_CGROUP_CONGESTED | LRUVEC_NODE_CONGESTED)) !== 0
  if (sc.kind !== 'kswapd' && isCongested) reclaimThrottle(state, run.nid, 'CONGESTED')
}

const zonesUpTo = (state: KernelState, nid: number, idx: number): Zone[] =>
  state.zones.slice(nid * MAX_NR_ZONES, nid * MAX_NR_ZONES + idx + 1).filter((zone) => zone.managed > 0)

/** Reclaim for a large block goes on until compaction could make it. @kernel mm/vmscan.c should_continue_reclaim() */
function shouldContinueReclaim(state: KernelState, sc: ScanControl, nid: number, reclaimed: number): boolean {
  const isForCompaction = sc.order > PAGE_ALLOC_COSTLY_ORDER || (sc.order > 0 && sc.priority < DEF_PRIORITY - 2)
  if (!isForCompaction || reclaimed === 0) return false
  for (const zone of zonesUpTo(state, nid, sc.reclaimIdx)) {
    if (zoneWatermarkOk(zone, sc.order, wmark(zone, WMARK_MIN), sc.reclaimIdx, 0)) return false
    if (compactionSuitable(state, zone, sc.order, sc.reclaimIdx)) return false
  }
  const root = lruvecOf(state, ROOT_MEMCG, nid)
  let inactive = lruvecPageState(state, root, LRU_INACTIVE_FILE)
  if (nrSwapPages(state) > 0) inactive += lruvecPageState(state, root, LRU_INACTIVE_ANON)
  return inactive > compactGap(sc.order)
}

/** Nothing left for reclaim to do for a large block in this zone. @kernel mm/vmscan.c compaction_ready() */
export function compactionReady(state: KernelState, zone: Zone, sc: ScanControl): boolean {
  if (zoneWatermarkOk(zone, sc.order, wmark(zone, WMARK_MIN), sc.reclaimIdx, 0)) return true
  if (!compactionSuitable(state, zone, sc.order, sc.reclaimIdx)) return false
  return zoneWatermarkOk(zone, 0, wmark(zone, WMARK_HIGH) + compactGap(sc.order), sc.reclaimIdx, 0)
}

/** All of a node at one priority, in one go. @kernel mm/vmscan.c shrink_node() */
export function shrinkNode(state: KernelState, sc: ScanControl, nid: number): void {
  const run = createShrinkRun(nid)
  restartShrink(run)
  while (!shrinkNodeStep(state, sc, run)) pollIo(state)
}
