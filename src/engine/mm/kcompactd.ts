/**
 * kcompactd: the kernel thread of each node that compacts in the background, when kswapd has freed enough memory but not
 * in one piece, and on its own when free memory is very fragmented. What is a stack of loops in the kernel is data here,
 * so that tasks run in between.
 * @kernel  mm/compaction.c kcompactd(), kcompactd_do_work(), proactive part of compact_node()
 * @spec    08 §8.7 "kcompactd", "Proactive"
 */
import { HZ, jiffiesToNs, type Ns } from '../../util/units'
import { charge, currentTask, now } from '../exec'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { emit } from '../trace'
import { beginCompactZone, continueCompactZone, createCompactControl } from './compaction'
import { fragmentationScoreNode, shouldProactiveCompactNode } from './compaction_score'
import {
  COMPACT_MAX_DEFER_SHIFT,
  compactionDeferReset,
  compactionDeferred,
  deferCompaction,
  resetIsolationSuitable,
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
import { drainAllPages } from './pcp'
import { psiDequeue } from './psi'
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

/** The thread exists. @kernel mm/compaction.c kcompactd_run() */
export function startKcompactd(state: KernelState, nid: number, pid: number): void {
  state.compaction.kcompactd[nid]!.pid = pid
  state.tasks[pid]!.waitChannel = 'kcompactd'
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
  k.stage = 'zones'
  k.order = 0
  k.control = undefined
  hooks.wakeTask(state, k.pid)
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
    if (zoneCompaction(state, zone).blockskipFlush) resetIsolationSuitable(state, zone)
  }
}

/**
 * Is a node fragmented enough for work of its own?
 * @kernel      mm/compaction.c kcompactd()
 * @simplifies  nobody calls it yet: the machine has no timer for it
 */
export function proactiveTick(state: KernelState): void {
  state.compaction.kcompactd.forEach((k, nid) => {
    if (k.pid === 0 || k.stage !== 'asleep' || now(state) < k.nextCheckNs) return
    if (!shouldProactiveCompactNode(state, nid)) return
    k.stage = 'proactive'
    k.nextZone = 0
    k.control = undefined
    k.previousScore = fragmentationScoreNode(state, nid)
    hooks.wakeTask(state, k.pid)
  })
}

// ---------------------------------------------------------------- working

/**
 * Goes on with the thread's work.
 * @param endNs  value of exec.ns at which the slice ends
 * @returns whether the thread has gone to sleep
 */
export function kcompactdStep(state: KernelState, nid: number, endNs: Ns): boolean {
  const k = state.compaction.kcompactd[nid]!
  const startNs = state.exec.ns
  if (k.stage === 'zones' && k.order === 0) beginWork(state, nid, k)
  if (k.stage === 'asleep' || (k.control === undefined && !nextControl(state, nid, k))) {
    endWork(state, nid, k)
    return true
  }
  workOnZone(state, k, k.control!, endNs)
  if (state.exec.ns === startNs) charge(state, 1)
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
  if (zone.idx > k.zoneidx || compactionDeferred(zoneCompaction(state, zone), k.order)) return undefined
  const highestZoneidx = k.zoneidx
  return createCompactControl({ zone: zone.index, order: k.order, mode: 'syncLight', by: 'kcompactd', highestZoneidx })
}

function workOnZone(state: KernelState, k: Kcompactd, cc: CompactControl, endNs: Ns): void {
  const before = { migrate: cc.migrateScanned, free: cc.freeScanned }
  const result = continueCompactZone(state, cc, endNs)
  countVmEvents(state.vmstat, COMPACT_DAEMON_MIGRATE_SCANNED, cc.migrateScanned - before.migrate)
  countVmEvents(state.vmstat, COMPACT_DAEMON_FREE_SCANNED, cc.freeScanned - before.free)
  if (result === COMPACT_CONTINUE) return
  k.control = undefined
  if (k.stage === 'proactive') return
  const z = zoneCompaction(state, state.zones[cc.zone]!)
  if (result === COMPACT_SUCCESS) compactionDeferReset(z, cc.order, 'compacted')
  else if (result === COMPACT_PARTIAL_SKIPPED || result === COMPACT_COMPLETE) {
    // Frames on per-CPU lists might have merged.
    drainAllPages(state)
    deferCompaction(z, cc.order)
  }
}

/** Back to sleep; fruitless proactive work is tried again after 32 s. @kernel mm/compaction.c kcompactd() */
function endWork(state: KernelState, nid: number, k: Kcompactd): void {
  let delay = CHECK_INTERVAL
  if (k.stage === 'proactive' && fragmentationScoreNode(state, nid) >= k.previousScore) {
    delay = CHECK_INTERVAL * 2 ** COMPACT_MAX_DEFER_SHIFT
  }
  if (k.stage === 'zones') {
    if (k.maxOrder <= k.order) k.maxOrder = 0
    if (highestOf(k) >= k.zoneidx) k.highestZoneidx = -1
  }
  k.stage = 'asleep'
  k.order = 0
  emit(state, 'mm_compaction_kcompactd_sleep', [nid])
  k.nextCheckNs = now(state) + delay
  const task = currentTask(state)
  if (task !== undefined) sleepThread(state, task)
}

function sleepThread(state: KernelState, task: Task): void {
  task.state = 'S'
  task.waitChannel = 'kcompactd'
  task.wakeSequence++
  task.nvcsw++
  psiDequeue(state, task)
}
