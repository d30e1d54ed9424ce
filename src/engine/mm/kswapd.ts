/**
 * kswapd: the kernel thread of each node that frees pages in the background, from the low to the high watermark. What
 * is a stack of loops in the kernel is data here (reclaim/reclaim_state.ts): each step is one batch, so that tasks that
 * allocate run in between.
 * @kernel  mm/vmscan.c kswapd(), balance_pgdat(), wakeup_kswapd(), kswapd_try_to_sleep()
 * @spec    05 §5.6
 */
import { HZ, jiffiesToNs, type Ns } from '../../util/units'
import { charge, currentTask, isSuspended, now } from '../exec'
import type { SimEvent } from '../events'
import { hooks } from '../hooks'
import { schedule } from '../queue'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { emit, isTracing } from '../trace'
import { queueRoomAt } from './block'
import { GFP_BIT_DIRECT_RECLAIM, GFP_KERNEL, MAX_NR_ZONES, PAGEBLOCK_ORDER } from './gfp'
import { LRUVEC_CGROUP_CONGESTED, LRUVEC_NODE_CONGESTED, lruvecOf } from './lruvec'
import { flushSkipMarks, wakeupKcompactd } from './kcompactd'
import { ROOT_MEMCG } from './memcontrol'
import { wakePfmemallocWaiters } from './direct_reclaim'
import { NUMA_BALANCING_MEMORY_TIERING } from './numa_state'
import { WMARK_HIGH, WMARK_PROMO, ZONE_FLAG_RECLAIM_ACTIVE, wmark, zoneWatermarkOk, type Zone } from './mmzone'
import { memstallEnter, memstallLeave, psiDequeue } from './psi'
import { activePolicy } from './reclaim'
import { snapshotRefaults } from './reclaim/lru'
import { noteDecision } from './reclaim/kswapd_log'
import { closeRun, openRun } from './reclaim/reclaim_log'
import type { KswapdRun } from './reclaim/reclaim_state'
import {
  DEF_PRIORITY,
  MAX_RECLAIM_RETRIES,
  PGDAT_DIRTY,
  PGDAT_WRITEBACK,
  SWAP_CLUSTER_MAX,
  compactGap,
  createScanControl,
} from './reclaim/scan_control'
import { restartShrink, shrinkNodeStep } from './reclaim/shrink_node'
import { KSWAPD_HIGH_WMARK_HIT_QUICKLY, KSWAPD_LOW_WMARK_HIT_QUICKLY, PAGEOUTRUN, countVmEvent } from './vmstat'

/** KswapdState.phase. */
export const KSWAPD_ASLEEP = 0
export const KSWAPD_NAPPING = 1
export const KSWAPD_RUNNING = 2

/** KswapdState.highestZoneidx when nobody asked since the last run. */
const NO_REQUEST = -1

const NAP: Ns = jiffiesToNs(HZ / 10)

function managedZones(state: KernelState, nid: number, highestZoneidx: number): Zone[] {
  const first = nid * MAX_NR_ZONES
  return state.zones.slice(first, first + highestZoneidx + 1).filter((zone) => zone.managed > 0)
}

/**
 * Whether some zone can serve such a request above its high mark. A node without zones is balanced.
 * @kernel  mm/vmscan.c pgdat_balanced()
 */
export function pgdatBalanced(state: KernelState, nid: number, order: number, highestZoneidx: number): boolean {
  const zones = managedZones(state, nid, highestZoneidx)
  // Room is kept for pages that are promoted.
  const mark = (state.sysctl.numaBalancing & NUMA_BALANCING_MEMORY_TIERING) !== 0 ? WMARK_PROMO : WMARK_HIGH
  return zones.length === 0 || zones.some((zone) => zoneWatermarkOk(zone, order, wmark(zone, mark), highestZoneidx, 0))
}

/** @kernel  mm/vmscan.c pgdat_watermark_boosted() */
const isBoosted = (state: KernelState, nid: number, highestZoneidx: number): boolean =>
  managedZones(state, nid, highestZoneidx).some((zone) => zone.watermarkBoost > 0)

/**
 * An allocation found its zones low: kswapd of the zone's node starts, unless it works already, has nothing to do, or
 * has given up.
 * @kernel  mm/vmscan.c wakeup_kswapd()
 * @spec    05 §5.6 "Wake"
 */
export function wakeupKswapd(state: KernelState, zone: Zone, gfp: number, order: number, highestZoneidx: number): void {
  if (zone.managed === 0) return
  const k = state.nodes[zone.nid]!.kswapd
  k.order = Math.max(k.order, order)
  k.highestZoneidx = Math.max(k.highestZoneidx, highestZoneidx)
  if (k.phase === KSWAPD_RUNNING || k.pid === 0) return
  if (
    k.failures >= MAX_RECLAIM_RETRIES ||
    (pgdatBalanced(state, zone.nid, order, highestZoneidx) && !isBoosted(state, zone.nid, highestZoneidx))
  ) {
    // Enough memory, but not in one piece; who can compact itself does so.
    if ((gfp & GFP_BIT_DIRECT_RECLAIM) === 0) wakeupKcompactd(state, zone.nid, order, highestZoneidx)
    return
  }
  emit(state, 'mm_vmscan_wakeup_kswapd', [zone.nid, order, gfp])
  noteDecision(state, zone.nid, 'wakeup', { order, highestZoneidx })
  if (k.phase === KSWAPD_NAPPING) {
    // Woken from its nap: what the last run was for still counts.
    countVmEvent(state.vmstat, KSWAPD_LOW_WMARK_HIT_QUICKLY)
    noteDecision(state, zone.nid, 'low-hit', { order, highestZoneidx })
    k.order = Math.max(k.order, state.reclaim.kswapd[zone.nid]!.reclaimOrder)
  }
  wake(state, zone.nid)
}

/** The thread becomes runnable; its first step looks at the node. */
function wake(state: KernelState, nid: number): void {
  const k = state.nodes[nid]!.kswapd
  k.phase = KSWAPD_RUNNING
  k.wakeSequence++
  state.reclaim.kswapd[nid]!.stage = 'begin'
  hooks.wakeTask(state, k.pid)
}

/** HZ/10 have passed since the node was balanced: if it still is, kswapd sleeps until woken. @kernel kswapd_try_to_sleep() */
export function handleKswapdNap(state: KernelState, event: Extract<SimEvent, { kind: 'kswapdNap' }>): void {
  const k = state.nodes[event.nid]!.kswapd
  if (k.phase !== KSWAPD_NAPPING || k.wakeSequence !== event.sequence) return
  const run = state.reclaim.kswapd[event.nid]!
  if (prepareSleep(state, event.nid, run)) {
    k.phase = KSWAPD_ASLEEP
    // The timer speaks for the thread.
    state.exec.pid = k.pid
    if (isTracing()) emit(state, 'mm_vmscan_kswapd_sleep', [event.nid])
    noteDecision(state, event.nid, 'sleep', run)
    return
  }
  countVmEvent(state.vmstat, KSWAPD_HIGH_WMARK_HIT_QUICKLY)
  noteDecision(state, event.nid, 'high-hit', run)
  wake(state, event.nid)
}

/** Nothing to do: the node is balanced, or hopeless. @kernel mm/vmscan.c prepare_kswapd_sleep() */
function prepareSleep(state: KernelState, nid: number, run: KswapdRun): boolean {
  const node = state.nodes[nid]!
  wakePfmemallocWaiters(state, nid)
  if (node.kswapd.failures >= MAX_RECLAIM_RETRIES) return true
  if (!pgdatBalanced(state, nid, run.reclaimOrder, run.highestZoneidx)) return false
  node.flags &= ~(PGDAT_DIRTY | PGDAT_WRITEBACK)
  lruvecOf(state, ROOT_MEMCG, nid).flags &= ~(LRUVEC_NODE_CONGESTED | LRUVEC_CGROUP_CONGESTED)
  return true
}

/** The thread leaves its CPU until `untilNs`. */
function sleepThread(state: KernelState, task: Task, how: 'S' | 'D', channel: string, untilNs: Ns): void {
  task.state = how
  task.waitChannel = channel
  task.wakeSequence++
  task.nvcsw++
  psiDequeue(state, task)
  if (untilNs !== Infinity) {
    schedule(state.queue, Math.ceil(untilNs), { kind: 'taskWake', pid: task.pid, sequence: task.wakeSequence })
  }
}

/**
 * One piece of kswapd's work: at most one batch of pages, inside a memory stall.
 * @returns ns that were charged; done = the thread has gone to sleep
 * @kernel  mm/vmscan.c kswapd()
 */
export function kswapdStep(state: KernelState, nid: number): { ns: Ns; done: boolean } {
  const task = currentTask(state)!
  const run = state.reclaim.kswapd[nid]!
  const startNs = state.exec.ns
  if (state.nodes[nid]!.kswapd.phase !== KSWAPD_RUNNING) wakeFromOutside(state, nid)
  const began = memstallEnter(state, task)
  step(state, nid, run)
  memstallLeave(state, task, began)
  if (state.exec.ns === startNs) charge(state, 1)
  const ns = state.exec.ns - startNs
  if (task.state !== 'R') return { ns, done: true }
  waitIfNeeded(state, run, task)
  return { ns, done: task.state !== 'R' }
}

/** The scheduler ran the thread although nobody asked for reclaim (first run after boot): it looks and sleeps. */
function wakeFromOutside(state: KernelState, nid: number): void {
  const k = state.nodes[nid]!.kswapd
  k.phase = KSWAPD_RUNNING
  k.wakeSequence++
  state.reclaim.kswapd[nid]!.stage = 'begin'
}

/** A throttle, or a swap device whose queue is full. */
function waitIfNeeded(state: KernelState, run: KswapdRun, task: Task): void {
  let until = isSuspended(state) ? state.exec.suspendUntilNs : 0
  const channel = isSuspended(state) ? state.exec.suspendReason : 'blk_mq_get_tag'
  state.exec.suspendUntilNs = -1
  if (run.stage === 'shrink') {
    for (const area of state.swapAreas) until = Math.max(until, queueRoomAt(state, area.device))
  }
  if (until > now(state)) sleepThread(state, task, 'D', channel, until)
}

function step(state: KernelState, nid: number, run: KswapdRun): void {
  switch (run.stage) {
    case 'idle':
      tryToSleep(state, nid, run)
      break
    case 'begin':
      beginBalance(state, nid, run)
      break
    case 'priority':
      beginPriority(state, nid, run)
      break
    case 'shrink':
      if (shrinkNodeStep(state, run.sc, run.shrink)) endPriority(state, nid, run)
      break
    case 'end':
      endBalance(state, nid, run)
      break
  }
}

/** Takes over what was asked for meanwhile; naps when the node is fine. @kernel kswapd(), kswapd_try_to_sleep() */
function tryToSleep(state: KernelState, nid: number, run: KswapdRun): void {
  const k = state.nodes[nid]!.kswapd
  if (!prepareSleep(state, nid, run)) {
    countVmEvent(state.vmstat, KSWAPD_HIGH_WMARK_HIT_QUICKLY)
    noteDecision(state, nid, 'high-hit', run)
    run.stage = 'begin'
    return
  }
  flushSkipMarks(state, nid)
  wakeupKcompactd(state, nid, run.order, run.highestZoneidx)
  k.phase = KSWAPD_NAPPING
  k.wakeSequence++
  if (isTracing()) emit(state, 'kswapd_nap', [nid])
  noteDecision(state, nid, 'nap', run)
  schedule(state.queue, Math.ceil(now(state) + NAP), { kind: 'kswapdNap', nid, sequence: k.wakeSequence })
  sleepThread(state, currentTask(state)!, 'S', 'kswapd_try_to_sleep', Infinity)
}

/** @kernel  mm/vmscan.c balance_pgdat(), beginning */
function beginBalance(state: KernelState, nid: number, run: KswapdRun): void {
  const k = state.nodes[nid]!.kswapd
  run.order = k.order
  if (k.highestZoneidx !== NO_REQUEST) run.highestZoneidx = k.highestZoneidx
  k.order = 0
  k.highestZoneidx = NO_REQUEST
  emit(state, 'mm_vmscan_kswapd_wake', [nid, run.order])
  countVmEvent(state.vmstat, PAGEOUTRUN)
  run.boost = 0
  for (const zone of managedZones(state, nid, run.highestZoneidx)) {
    run.zoneBoosts[zone.idx] = zone.watermarkBoost
    run.boost += zone.watermarkBoost
  }
  run.wasBoosted = run.boost > 0
  const wish = { kind: 'kswapd', target: 0, nrToReclaim: 0, order: run.order, gfp: GFP_KERNEL } as const
  run.sc = createScanControl({ ...wish, reclaimIdx: run.highestZoneidx })
  openRun(state, run.sc, nid)
  noteDecision(state, nid, 'begin', run)
  setReclaimActive(state, nid, run.highestZoneidx, true)
  run.stage = 'priority'
}

/** One turn of the priority loop, up to shrink_node. @kernel mm/vmscan.c balance_pgdat() */
function beginPriority(state: KernelState, nid: number, run: KswapdRun): void {
  const { sc } = run
  run.reclaimedBefore = sc.nrReclaimed
  run.canRaisePriority = true
  const isBalanced = pgdatBalanced(state, nid, sc.order, run.highestZoneidx)
  if (!isBalanced && run.boost > 0) {
    run.boost = 0
    sc.priority = DEF_PRIORITY
    return
  }
  if (run.boost === 0 && isBalanced) {
    run.stage = 'end'
    return
  }
  if (run.boost > 0 && sc.priority === DEF_PRIORITY - 2) run.canRaisePriority = false
  sc.mayWritepage = state.sysctl.laptopMode === 0 && run.boost === 0
  sc.maySwap = run.boost === 0
  activePolicy(state).ageNode(state, sc, nid)
  if (sc.priority < DEF_PRIORITY - 2) sc.mayWritepage = true
  sc.nrScanned = 0
  sc.nrToReclaim = 0
  for (const zone of managedZones(state, nid, run.highestZoneidx)) {
    sc.nrToReclaim += Math.max(wmark(zone, WMARK_HIGH), SWAP_CLUSTER_MAX)
  }
  restartShrink(run.shrink)
  run.stage = 'shrink'
}

/** The node was shrunk at one priority: again, harder, or enough. @kernel kswapd_shrink_node(), balance_pgdat() */
function endPriority(state: KernelState, nid: number, run: KswapdRun): void {
  const { sc } = run
  if (sc.order > 0 && sc.nrReclaimed >= compactGap(sc.order)) sc.order = 0
  const reclaimed = sc.nrReclaimed - run.reclaimedBefore
  if (Math.max(sc.nrScanned, reclaimed) >= sc.nrToReclaim) run.canRaisePriority = false
  wakePfmemallocWaiters(state, nid)
  run.boost -= Math.min(run.boost, reclaimed)
  const boostIsFutile = run.boost > 0 && reclaimed === 0
  if (!boostIsFutile && (run.canRaisePriority || reclaimed === 0)) sc.priority--
  if (!boostIsFutile && sc.priority >= 1) {
    run.stage = 'priority'
    return
  }
  const mayRestart = sc.nrReclaimed === 0 && sc.priority < 1 && !sc.noCacheTrimMode && sc.cacheTrimModeFailed
  if (mayRestart && state.config.series !== '6.1') {
    sc.noCacheTrimMode = true
    sc.priority = DEF_PRIORITY
    run.stage = 'priority'
    return
  }
  if (sc.nrReclaimed === 0) {
    state.nodes[nid]!.kswapd.failures++
    noteDecision(state, nid, 'failure', run)
  }
  run.stage = 'end'
}

/** While kswapd works, per-CPU lists keep few of the pages that are freed. @kernel update_reclaim_active() */
function setReclaimActive(state: KernelState, nid: number, highestZoneidx: number, isActive: boolean): void {
  for (const zone of managedZones(state, nid, highestZoneidx)) {
    if (isActive) zone.flags |= ZONE_FLAG_RECLAIM_ACTIVE
    else zone.flags &= ~ZONE_FLAG_RECLAIM_ACTIVE
  }
}

/**
 * Boosts that this run has seen are over. A run that fell back to single pages leaves its order to kcompactd; one that did
 * not is over, and only what was asked for meanwhile counts.
 * @kernel  mm/vmscan.c balance_pgdat(), out:; kswapd(), reclaim_order < alloc_order
 */
function endBalance(state: KernelState, nid: number, run: KswapdRun): void {
  setReclaimActive(state, nid, run.highestZoneidx, false)
  if (run.wasBoosted) {
    for (const zone of managedZones(state, nid, run.highestZoneidx)) {
      zone.watermarkBoost -= Math.min(zone.watermarkBoost, run.zoneBoosts[zone.idx]!)
    }
    // Pageblocks were mixed, and now there is likely room to sort them.
    wakeupKcompactd(state, nid, PAGEBLOCK_ORDER, run.highestZoneidx)
  }
  snapshotRefaults(state, 0, nid)
  closeRun(state, run.sc)
  const k = state.nodes[nid]!.kswapd
  if (run.sc.order >= run.order) run.order = k.order
  run.reclaimOrder = Math.min(run.sc.order, run.order)
  if (k.highestZoneidx !== NO_REQUEST) run.highestZoneidx = k.highestZoneidx
  run.stage = 'idle'
}
