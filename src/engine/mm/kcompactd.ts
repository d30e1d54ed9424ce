/**
 * kcompactd: the kernel thread of each node that compacts in the background, when kswapd has freed enough memory but not
 * in one piece, and on its own when free memory is very fragmented. What is a stack of loops in the kernel is data here,
 * so that tasks run in between.
 * @kernel  mm/compaction.c kcompactd(), kcompactd_do_work(), proactive part of compact_node()
 * @spec    08 §8.7 "kcompactd", "Proactive"
 */
import { HZ, jiffiesToNs, type Ns } from '../../util/units'
import { charge, currentTask, now } from '../exec'
import type { SimEvent } from '../events'
import { hooks } from '../hooks'
import { schedule } from '../queue'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { emit } from '../trace'
import { beginCompactZone, continueCompactZone, createCompactControl } from './compaction'
import { resetIsolationSuitable } from './compaction_reset'
import { fragmentationScoreNode, shouldProactiveCompactNode } from './compaction_score'
import {
  COMPACT_MAX_DEFER_SHIFT,
  compactionDeferReset,
  compactionDeferred,
  deferCompaction,
  traceDefer,
  zoneCompaction,
  type CompactControl,
  type Kcompactd,
} from './compaction_state'
import {
  COMPACT_COMPLETE,
  COMPACT_CONTINUE,
  COMPACT_PARTIAL_SKIPPED,
  COMPACT_SUCCESS,
  compactionSuitAllocationOrder,
} from './compaction_suitable'
import { MAX_NR_ZONES } from './gfp'
import { ALLOC_WMARK_MIN, type Zone } from './mmzone'
import { drainZonePcp } from './pcp'
import { memstallEnter, memstallLeave, psiDequeue } from './psi'
import {
  COMPACT_DAEMON_FREE_SCANNED,
  COMPACT_DAEMON_MIGRATE_SCANNED,
  COMPACT_DAEMON_WAKE,
  countVmEvent,
  countVmEvents,
} from './vmstat'

/** How often at most a node's fragmentation is looked at. @kernel HPAGE_FRAG_CHECK_INTERVAL_MSEC */
const CHECK_INTERVAL: Ns = jiffiesToNs(HZ / 2)

const zonesUpTo = (state: KernelState, nid: number, idx: number): Zone[] =>
  state.nodes[nid]!.zones.map((z) => state.zones[z]!).filter((zone) => zone.idx <= idx && zone.managed > 0)

/** Highest zone that may be used: what was asked for, or all of the node. */
const highestOf = (k: Kcompactd): number => (k.highestZoneidx < 0 ? MAX_NR_ZONES - 1 : k.highestZoneidx)

/** The thread exists and waits. @kernel mm/compaction.c kcompactd_run() */
export function startKcompactd(state: KernelState, nid: number, pid: number): void {
  const k = state.compaction.kcompactd[nid]!
  k.pid = pid
  state.tasks[pid]!.waitChannel = 'kcompactd'
  armTimer(state, nid, k, CHECK_INTERVAL)
}

/** Nobody is looked at while vm.compaction_proactiveness is 0. @kernel mm/compaction.c kcompactd(), timeout */
function armTimer(state: KernelState, nid: number, k: Kcompactd, delay: Ns): void {
  k.sequence++
  if (state.sysctl.compactionProactiveness === 0) return
  schedule(state.queue, Math.ceil(now(state) + delay), { kind: 'kcompactdTimer', nid, sequence: k.sequence })
}

// ---------------------------------------------------------------- waking

/**
 * Somebody needs a block of this order and could not make it himself.
 * @kernel  mm/compaction.c wakeup_kcompactd()
 */
export function wakeupKcompactd(state: KernelState, nid: number, order: number, highestZoneidx: number): void {
  if (order === 0) return
  const k = state.compaction.kcompactd[nid]!
  k.maxOrder = Math.max(k.maxOrder, order)
  k.highestZoneidx = Math.min(highestOf(k), highestZoneidx)
  if (k.pid === 0 || k.stage !== 'asleep' || !isNodeSuitable(state, nid, k)) return
  emit(state, 'mm_compaction_wakeup_kcompactd', [nid, order, highestZoneidx])
  lookUp(state, nid, k)
}

/**
 * vm.compaction_proactiveness was written: every node looks at its fragmentation at once.
 * @kernel  mm/compaction.c compaction_proactiveness_sysctl_handler()
 */
export function proactivenessWritten(state: KernelState): void {
  if (state.sysctl.compactionProactiveness === 0) return
  state.compaction.kcompactd.forEach((k, nid) => {
    if (k.pid === 0 || k.isTriggered) return
    k.isTriggered = true
    emit(state, 'mm_compaction_wakeup_kcompactd', [nid, -1, state.nodes[nid]!.zones.length - 1])
    if (k.stage === 'asleep') lookUp(state, nid, k)
  })
}

/** The wait of 500 ms, or of 32 s after fruitless work, is over. @kernel mm/compaction.c kcompactd() */
export function handleKcompactdTimer(state: KernelState, event: Extract<SimEvent, { kind: 'kcompactdTimer' }>): void {
  const k = state.compaction.kcompactd[event.nid]!
  if (k.sequence === event.sequence && k.stage === 'asleep') lookUp(state, event.nid, k)
}

/**
 * @simplifies  the thread is woken only when there is work: looking costs no context switch
 */
function lookUp(state: KernelState, nid: number, k: Kcompactd): void {
  if (pickWork(state, nid, k)) hooks.wakeTask(state, k.pid)
  else armTimer(state, nid, k, CHECK_INTERVAL)
}

/** Requests of others first, unless the sysctl was written. @kernel mm/compaction.c kcompactd(), the loop */
function pickWork(state: KernelState, nid: number, k: Kcompactd): boolean {
  k.order = 0
  k.nextZone = 0
  k.control = undefined
  if (k.maxOrder > 0 && !k.isTriggered) k.stage = 'zones'
  else if (shouldProactiveCompactNode(state, nid)) {
    k.stage = 'proactive'
    k.previousScore = fragmentationScoreNode(state, nid)
  } else {
    k.isTriggered = false
    return false
  }
  return true
}

/** @kernel mm/compaction.c kcompactd_node_suitable() */
const isNodeSuitable = (state: KernelState, nid: number, k: Kcompactd): boolean =>
  zonesUpTo(state, nid, highestOf(k)).some(
    (zone) =>
      compactionSuitAllocationOrder(state, zone, k.maxOrder, highestOf(k), ALLOC_WMARK_MIN) === COMPACT_CONTINUE,
  )

/** kswapd goes to sleep: what direct compaction gave up on may be tried again. @kernel reset_isolation_suitable() */
export function flushSkipMarks(state: KernelState, nid: number): void {
  for (const zone of zonesUpTo(state, nid, MAX_NR_ZONES - 1)) {
    resetIsolationSuitable(state, zone)
  }
}

// ---------------------------------------------------------------- working

/**
 * Goes on with the thread's work.
 * @param endNs  value of exec.ns at which the slice ends
 * @returns whether the thread has gone to sleep
 */
export function kcompactdStep(state: KernelState, nid: number, endNs: Ns): boolean {
  const k = state.compaction.kcompactd[nid]!
  const task = currentTask(state)
  const startNs = state.exec.ns
  const began = k.stage === 'zones' && memstallEnter(state, task)
  const isDone = workOn(state, nid, k, endNs)
  memstallLeave(state, task, began)
  if (isDone) sleepThread(state, task!)
  else if (state.exec.ns === startNs) charge(state, 1)
  return isDone
}

/** @returns whether there is nothing left to do */
function workOn(state: KernelState, nid: number, k: Kcompactd, endNs: Ns): boolean {
  if (k.stage === 'zones' && k.order === 0) beginWork(state, nid, k)
  if (k.control === undefined && !nextControl(state, nid, k)) return !endWork(state, nid, k)
  workOnZone(state, k, k.control!, endNs)
  return false
}

/** @kernel mm/compaction.c kcompactd_do_work(), beginning */
function beginWork(state: KernelState, nid: number, k: Kcompactd): void {
  k.order = k.maxOrder
  k.zoneidx = highestOf(k)
  k.nextZone = 0
  emit(state, 'mm_compaction_kcompactd_wake', [nid, k.order, k.zoneidx])
  countVmEvent(state.vmstat, COMPACT_DAEMON_WAKE)
}

/** The next zone that needs work; false = none left. */
function nextControl(state: KernelState, nid: number, k: Kcompactd): boolean {
  for (; k.nextZone < MAX_NR_ZONES; k.nextZone++) {
    const zone = state.zones[state.nodes[nid]!.zones[k.nextZone]!]!
    const control = zone.managed === 0 ? undefined : controlFor(state, k, zone)
    if (control === undefined || beginCompactZone(state, control) !== COMPACT_CONTINUE) continue
    k.control = control
    k.nextZone++
    return true
  }
  return false
}

function controlFor(state: KernelState, k: Kcompactd, zone: Zone): CompactControl | undefined {
  if (k.stage === 'proactive') {
    const whole = { wholeZone: true, ignoreSkipHint: true }
    return createCompactControl({ zone: zone.index, order: -1, mode: 'syncLight', by: 'proactive', ...whole })
  }
  if (zone.idx > k.zoneidx) return undefined
  if (compactionDeferred(zoneCompaction(state, zone), k.order)) {
    traceDefer(state, 'mm_compaction_deferred', zone, k.order)
    return undefined
  }
  const highestZoneidx = k.zoneidx
  return createCompactControl({ zone: zone.index, order: k.order, mode: 'syncLight', by: 'kcompactd', highestZoneidx })
}

function workOnZone(state: KernelState, k: Kcompactd, cc: CompactControl, endNs: Ns): void {
  const result = continueCompactZone(state, cc, endNs)
  if (result === COMPACT_CONTINUE) return
  k.control = undefined
  countVmEvents(state.vmstat, COMPACT_DAEMON_MIGRATE_SCANNED, cc.migrateScanned)
  countVmEvents(state.vmstat, COMPACT_DAEMON_FREE_SCANNED, cc.freeScanned)
  if (k.stage === 'proactive') return
  const zone = state.zones[cc.zone]!
  const z = zoneCompaction(state, zone)
  if (result === COMPACT_SUCCESS) {
    compactionDeferReset(z, cc.order, 'compacted')
    traceDefer(state, 'mm_compaction_defer_reset', zone, cc.order)
  } else if (result === COMPACT_PARTIAL_SKIPPED || result === COMPACT_COMPLETE) {
    // Frames on per-CPU lists might have merged.
    for (let cpu = 0; cpu < zone.pcp.length; cpu++) drainZonePcp(state, zone, cpu)
    deferCompaction(z, cc.order)
    traceDefer(state, 'mm_compaction_defer_compaction', zone, cc.order)
  }
}

/**
 * All zones are done. What was asked for meanwhile comes next; without any, the node is looked at again in 500 ms, or in
 * 32 s when work of its own did not make it better.
 * @returns whether there is more to do
 * @kernel  mm/compaction.c kcompactd()
 */
function endWork(state: KernelState, nid: number, k: Kcompactd): boolean {
  let delay = CHECK_INTERVAL
  if (k.stage === 'proactive') {
    if (fragmentationScoreNode(state, nid) >= k.previousScore) delay = CHECK_INTERVAL * 2 ** COMPACT_MAX_DEFER_SHIFT
    k.isTriggered = false
  } else {
    if (k.maxOrder <= k.order) k.maxOrder = 0
    if (highestOf(k) >= k.zoneidx) k.highestZoneidx = -1
  }
  k.stage = 'asleep'
  emit(state, 'mm_compaction_kcompactd_sleep', [nid])
  if ((k.maxOrder > 0 || k.isTriggered) && pickWork(state, nid, k)) return true
  armTimer(state, nid, k, delay)
  return false
}

function sleepThread(state: KernelState, task: Task): void {
  task.state = 'S'
  task.waitChannel = 'kcompactd'
  task.wakeSequence++
  task.nvcsw++
  psiDequeue(state, task)
}
