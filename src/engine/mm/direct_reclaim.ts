/**
 * Direct reclaim: a task that allocates frees pages itself. While it works and waits, kswapd and the tasks of other CPUs
 * go on: the run stops after a batch when somebody else is due, and goes on when the fault is made again
 * (docs/decisions/0008-direct-reclaim-in-steps.md).
 * @kernel  mm/vmscan.c try_to_free_pages(), throttle_direct_reclaim()
 * @spec    05 §5.7
 */
import { NS_PER_S, type Ns, type Pages } from '../../util/units'
import { charge, currentTask, isSuspended, now, suspend } from '../exec'
import { hooks } from '../hooks'
import { nextEventAt } from '../queue'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { emit } from '../trace'
import { pollIo, queueRoomAt } from './block'
import { MAX_NR_ZONES, ZONE_NORMAL } from './gfp'
import { WMARK_MIN, wmark, zoneFreePages, zoneReclaimablePages, type Zonelists } from './mmzone'
import { memstallEnter, memstallLeave } from './psi'
import { createFreeRun, doTryToFreePages, freePagesStep, freed } from './reclaim/free_pages'
import { closeRun, openRun } from './reclaim/reclaim_log'
import type { DirectRun } from './reclaim/reclaim_state'
import { MAX_RECLAIM_RETRIES, SWAP_CLUSTER_MAX, createScanControl } from './reclaim/scan_control'
import { PGSCAN_DIRECT_THROTTLE, countVmEvent } from './vmstat'

/** Whether the reserves of a node are high enough for more direct reclaimers. @kernel mm/vmscan.c allow_direct_reclaim() */
export function allowDirectReclaim(state: KernelState, nid: number): boolean {
  const node = state.nodes[nid]!
  if (node.kswapd.failures >= MAX_RECLAIM_RETRIES) return true
  let reserve = 0
  let free = 0
  for (let idx = 0; idx <= ZONE_NORMAL; idx++) {
    const zone = state.zones[nid * MAX_NR_ZONES + idx]!
    if (zone.managed === 0 || zoneReclaimablePages(state, zone) === 0) continue
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

/** What the reclaim is for. */
export interface DirectReclaimRequest {
  readonly order: number
  readonly gfp: number
  readonly nid: number
  readonly highestZoneidx: number
  /** The node's zonelists without forbidden nodes; left out: all of them. */
  readonly from?: Zonelists
}

/** The running task's reclaim for such a request, if it stopped in the middle. */
function parkedRun(state: KernelState, gfp: number, order: number): DirectRun | undefined {
  for (const run of state.reclaim.direct) {
    if (run.pid === state.exec.pid && run.free.sc.order === order && run.free.sc.gfp === gfp) return run
  }
  return undefined
}

/** Whether the running task stopped in the middle of reclaim for such a request. */
export const isReclaimUnderWay = (state: KernelState, gfp: number, order: number): boolean =>
  state.reclaim.direct.length !== 0 && parkedRun(state, gfp, order) !== undefined

/**
 * Direct reclaim.
 * @returns pages freed; 0 = no progress, or the task has to wait (isSuspended)
 * @kernel  mm/vmscan.c try_to_free_pages()
 * @spec    05 §5.7
 */
export function tryToFreePages(state: KernelState, request: DirectReclaimRequest): Pages {
  const node = request.from ?? state.nodes[request.nid]!
  const task = currentTask(state)
  const parked = parkedRun(state, request.gfp, request.order)
  if (parked === undefined && throttleDirectReclaim(state, node, request.highestZoneidx)) return 0
  const run = parked ?? beginRun(state, task, request)
  if (parked !== undefined) memstallEnter(state, task)
  if (!state.exec.mayStop || task === undefined || task.isKthread) doTryToFreePages(state, run.free, node)
  else if (!runUntilDue(state, run, node)) return 0
  endRun(state, run)
  return freed(run.free)
}

function beginRun(state: KernelState, task: Task | undefined, request: DirectReclaimRequest): DirectRun {
  const { order, gfp, highestZoneidx, nid } = request
  // One that was for a request which never came back.
  endDirectReclaim(state, state.exec.pid)
  const sc = createScanControl({
    kind: 'direct',
    target: 0,
    nrToReclaim: SWAP_CLUSTER_MAX,
    order,
    gfp,
    reclaimIdx: highestZoneidx,
  })
  sc.mayWritepage = state.sysctl.laptopMode === 0
  const run = { pid: state.exec.pid, startNs: now(state), free: createFreeRun(sc) }
  openRun(state, sc, nid)
  memstallEnter(state, task)
  charge(state, state.costs.reclaimEntry)
  emit(state, 'mm_vmscan_direct_reclaim_begin', [order, gfp])
  return run
}

/**
 * Works until somebody else is due or the task has to wait; then the run is kept for the next try.
 * @returns whether the run is over
 */
function runUntilDue(state: KernelState, run: DirectRun, node: Zonelists): boolean {
  while (!freePagesStep(state, run.free, node)) {
    pollIo(state)
    if (!isSuspended(state)) waitIfNeeded(state, run)
    if (!isSuspended(state)) continue
    if (!state.reclaim.direct.includes(run)) state.reclaim.direct.push(run)
    return false
  }
  return true
}

/** A swap device whose queue is full; else another CPU or a device that is due. */
function waitIfNeeded(state: KernelState, run: DirectRun): void {
  if (run.free.stage === 'node') {
    let until: Ns = 0
    for (const area of state.swapAreas) until = Math.max(until, queueRoomAt(state, area.device))
    if (until > now(state)) {
      suspend(state, until, 'blk_mq_get_tag')
      return
    }
  }
  const due = nextEventAt(state.queue)
  if (due !== undefined && due <= now(state)) suspend(state, now(state), PREEMPTED)
}

/** Why an operation stops that only lets others run: the task stays on its CPU's queue. */
export const PREEMPTED = 'preempted'

function endRun(state: KernelState, run: DirectRun): void {
  const at = state.reclaim.direct.indexOf(run)
  if (at >= 0) state.reclaim.direct.splice(at, 1)
  closeRun(state, run.free.sc)
  emit(state, 'mm_vmscan_direct_reclaim_end', [freed(run.free), now(state) - run.startNs])
  memstallLeave(state, state.tasks[run.pid])
}

/**
 * The task goes on without its reclaim: it was killed, or the fault was resolved otherwise.
 * @simplifies  the kernel's task works to the end of its batch first
 */
export function endDirectReclaim(state: KernelState, pid: number): void {
  const run = state.reclaim.direct.find((other) => other.pid === pid)
  if (run !== undefined) endRun(state, run)
}
