/**
 * The rounds of reclaim that somebody waits for: priorities from 12 down to 0 over all nodes of a zonelist, again with
 * fewer restraints while nothing was freed. Step by step, so that other CPUs work in between.
 * @kernel  mm/vmscan.c do_try_to_free_pages(), shrink_zones()
 * @spec    05 §5.7
 */
import type { Pages } from '../../../util/units'
import type { KernelState } from '../../state'
import { pollIo } from '../block'
import { PAGE_ALLOC_COSTLY_ORDER } from '../gfp'
import { LRUVEC_CGROUP_CONGESTED, lruvecOf } from '../lruvec'
import type { Zonelists } from '../mmzone'
import { ALLOCSTALL_DMA, countVmEvent } from '../vmstat'
import { snapshotRefaults } from './lru'
import { DEF_PRIORITY, cgroupReclaim, createShrinkRun, type ScanControl, type ShrinkRun } from './scan_control'
import { compactionReady, restartShrink, shrinkNodeStep } from './shrink_node'
import { considerReclaimThrottle } from './throttle'

/** Where the rounds are. Plain data: a run that waits is part of the machine's state. */
export interface FreeRun {
  stage: 'round' | 'priority' | 'zone' | 'node' | 'done'
  readonly sc: ScanControl
  /** Next position in the zonelist. */
  at: number
  /** Node that was shrunk last at this priority, −1 none. */
  nid: number
  shrink: ShrinkRun
}

/** Nothing done yet. */
export const createFreeRun = (sc: ScanControl): FreeRun => ({
  stage: 'round',
  sc,
  at: 0,
  nid: -1,
  shrink: createShrinkRun(0),
})

/** Pages freed; at least 1 when compaction should be tried instead. */
export const freed = ({ sc }: FreeRun): Pages => sc.nrReclaimed || (sc.compactionReady ? 1 : 0)

/**
 * One batch of pages, or a step to the next node, priority or round.
 * @returns whether the run is over
 */
export function freePagesStep(state: KernelState, run: FreeRun, node: Zonelists): boolean {
  switch (run.stage) {
    case 'round':
      // Each round counts, as the kernel's label stands before the count.
      if (!cgroupReclaim(run.sc)) countVmEvent(state.vmstat, ALLOCSTALL_DMA + run.sc.reclaimIdx)
      run.stage = 'priority'
      break
    case 'priority':
      run.sc.nrScanned = 0
      run.at = 0
      run.nid = -1
      run.stage = 'zone'
      break
    case 'zone':
      nextNode(state, run, node)
      break
    case 'node':
      if (!shrinkNodeStep(state, run.sc, run.shrink)) break
      run.stage = 'zone'
      considerReclaimThrottle(state, run.nid, run.sc)
      break
    case 'done':
      break
  }
  return run.stage === 'done'
}

/** The next node of the zonelist that is worth it, else the end of this priority. @kernel mm/vmscan.c shrink_zones() */
function nextNode(state: KernelState, run: FreeRun, node: Zonelists): void {
  const { sc } = run
  while (run.at < node.zonelist.length) {
    const zone = state.zones[node.zonelist[run.at++]!]!
    if (zone.idx > sc.reclaimIdx || zone.managed === 0) continue
    if (!cgroupReclaim(sc) && sc.order > PAGE_ALLOC_COSTLY_ORDER && compactionReady(state, zone, sc)) {
      sc.compactionReady = true
      continue
    }
    if (zone.nid === run.nid) continue
    run.nid = zone.nid
    run.shrink = createShrinkRun(zone.nid)
    restartShrink(run.shrink)
    run.stage = 'node'
    return
  }
  endPriority(state, run, node)
}

function endPriority(state: KernelState, run: FreeRun, node: Zonelists): void {
  const { sc } = run
  const isEnough = sc.nrReclaimed >= sc.nrToReclaim || sc.compactionReady
  if (!isEnough && sc.priority < DEF_PRIORITY - 2) sc.mayWritepage = true
  if (!isEnough && --sc.priority >= 0) {
    run.stage = 'priority'
    return
  }
  for (const nid of new Set(node.zonelist.map((z) => state.zones[z]!.nid))) {
    snapshotRefaults(state, sc.target, nid)
    if (cgroupReclaim(sc)) lruvecOf(state, sc.target, nid).flags &= ~LRUVEC_CGROUP_CONGESTED
  }
  run.stage = freed(run) === 0 && dropRestraint(state, sc) ? 'round' : 'done'
}

/**
 * Before reclaim gives up it drops every restraint, one by one: partial walks (6.11+), active lists, memory.low.
 * @returns whether there was one left
 */
function dropRestraint(state: KernelState, sc: ScanControl): boolean {
  sc.priority = DEF_PRIORITY
  const hasPartialWalks = state.config.series !== '6.1'
  if (hasPartialWalks && !sc.memcgFullWalk) sc.memcgFullWalk = true
  else if (sc.skippedDeactivate) {
    sc.forceDeactivate = true
    sc.skippedDeactivate = false
  } else if (sc.memcgLowSkipped) {
    sc.forceDeactivate = false
    sc.memcgLowReclaim = true
    sc.memcgLowSkipped = false
  } else return false
  return true
}

/**
 * All steps at once, for whoever cannot be interrupted.
 * @returns pages freed, at least 1 when compaction should be tried instead
 * @kernel  mm/vmscan.c do_try_to_free_pages()
 */
export function doTryToFreePages(state: KernelState, run: FreeRun, node: Zonelists): Pages {
  while (!freePagesStep(state, run, node)) pollIo(state)
  return freed(run)
}
