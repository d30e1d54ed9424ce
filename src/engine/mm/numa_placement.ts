/**
 * What a task's hinting faults say about it: its preferred node, how often it is scanned, and that it may go to where its
 * memory lies.
 * @kernel  kernel/sched/fair.c task_numa_fault(), task_numa_placement(), update_task_scan_period(), numa_migrate_preferred()
 * @spec    08 §8.3 "Period adaptation after a pass"
 */
import { NS_PER_MS, type Pages } from '../../util/units'
import { now } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { nodeIsToptier } from './memory_tiers'
import type { Mm } from './mm_types'
import { taskNuma, taskScanMax, taskScanMin } from './numa_scan'
import { NUMA_BALANCING_MEMORY_TIERING, cpupidMatchPid, type TaskNuma } from './numa_state'
import { mmAt } from './rss'

/** One hinting fault that is over. */
export interface NumaFault {
  /** Node that the page lies on now. */
  readonly nid: number
  readonly pages: Pages
  /** cpupid of the touch before, 0 = none. */
  readonly last: number
  /** The page was on the CPU's node when it was touched. */
  readonly isLocal: boolean
  readonly outcome: 'stays' | 'moved' | 'failed'
}

const REMOTE = 0
const LOCAL = 1
const FAILED = 2

/** @kernel kernel/sched/fair.c task_numa_fault() */
export function taskNumaFault(state: KernelState, task: Task, fault: NumaFault): void {
  const isTiering = (state.sysctl.numaBalancing & NUMA_BALANCING_MEMORY_TIERING) !== 0
  if (isTiering && !nodeIsToptier(state, fault.nid)) return
  const n = taskNuma(state, task)
  const isPrivate = fault.last === 0 || cpupidMatchPid(fault.last, task.pid)
  if (now(state) >= n.migrateRetryNs) {
    taskNumaPlacement(state, task, n)
    const intervalMs = Math.min(1000, Math.floor(n.scanPeriodMs / 16))
    if (n.preferredNid >= 0) n.migrateRetryNs = now(state) + intervalMs * NS_PER_MS
  }
  if (fault.outcome === 'moved') n.pagesMigrated += fault.pages
  if (fault.outcome === 'failed') n.locality[FAILED]! += fault.pages
  n.buffer[fault.nid * 2 + (isPrivate ? 1 : 0)]! += fault.pages
  n.locality[fault.isLocal ? LOCAL : REMOTE]! += fault.pages
  n.totalFaults += fault.pages
}

/** A pass is over: older faults count half, and the node with most of them is preferred. @kernel task_numa_placement() */
function taskNumaPlacement(state: KernelState, task: Task, n: TaskNuma): void {
  const mm = mmAt(state, task.mm)
  const seq = mm.numa?.seq ?? 0
  if (n.scanSeq === seq) return
  n.scanSeq = seq
  let shared = 0
  let priv = 0
  let best = -1
  let most = 0
  for (let nid = 0; nid < state.nodes.length; nid++) {
    let faults = 0
    for (const kind of [0, 1]) {
      const at = nid * 2 + kind
      const fresh = n.buffer[at]!
      if (kind === 1) priv += fresh
      else shared += fresh
      n.faults[at] = Math.floor(n.faults[at]! / 2) + fresh
      n.buffer[at] = 0
      faults += n.faults[at]
    }
    if (faults > most) {
      most = faults
      best = nid
    }
  }
  if (best >= 0) n.preferredNid = nearestWithCpus(state, best)
  updateTaskScanPeriod(state, mm, n, shared, priv)
}

/** A task cannot go to a node without CPUs. @kernel numa_nearest_node(…, N_CPU) */
function nearestWithCpus(state: KernelState, nid: number): number {
  if (state.nodes[nid]!.cpus.length > 0) return nid
  const distance = (to: number): number => state.config.distances[nid]![to]!
  return state.nodes
    .filter((node) => node.cpus.length > 0)
    .reduce((best, node) => (distance(node.nid) < distance(best) ? node.nid : best), state.nodes[0]!.nid)
}

const PERIOD_SLOTS = 10
const PERIOD_THRESHOLD = 7

/**
 * Scans less often while faults are private or local, more often while pages lie wrong.
 * @kernel  kernel/sched/fair.c update_task_scan_period()
 * @spec    08 §8.3
 */
function updateTaskScanPeriod(state: KernelState, mm: Mm, n: TaskNuma, shared: Pages, priv: Pages): void {
  const [remote = 0, local = 0, failed = 0] = n.locality
  n.locality.fill(0)
  if (local + shared === 0 || failed > 0) {
    n.scanPeriodMs = Math.min(taskScanMax(state, mm), n.scanPeriodMs * 2)
    if (mm.numa !== undefined) mm.numa.nextScanNs = now(state) + n.scanPeriodMs * NS_PER_MS
    return
  }
  const slot = Math.ceil(n.scanPeriodMs / PERIOD_SLOTS)
  const lr = Math.floor((local * PERIOD_SLOTS) / (local + remote))
  const ps = Math.floor((priv * PERIOD_SLOTS) / Math.max(1, priv + shared))
  const slots =
    ps >= PERIOD_THRESHOLD
      ? Math.max(1, ps - PERIOD_THRESHOLD)
      : lr >= PERIOD_THRESHOLD
        ? Math.max(1, lr - PERIOD_THRESHOLD)
        : Math.max(lr, ps) - PERIOD_THRESHOLD
  const next = n.scanPeriodMs + slots * slot
  n.scanPeriodMs = Math.min(taskScanMax(state, mm), Math.max(taskScanMin(state, mm), next))
}

/**
 * A CPU of the task's preferred node that has nothing to do, when the task runs elsewhere; −1 none.
 * @kernel      kernel/sched/fair.c numa_migrate_preferred(), task_numa_migrate()
 * @simplifies  only idle CPUs: tasks do not change places
 */
export function preferredCpu(state: KernelState, task: Task, isAllowed: (cpu: number) => boolean): number {
  const preferred = task.numa?.preferredNid ?? -1
  if (preferred < 0 || state.cpuNode[task.cpu] === preferred) return -1
  const idle = state.nodes[preferred]!.cpus.find((cpu) => !state.runqueues[cpu]!.active && isAllowed(cpu))
  return idle ?? -1
}
