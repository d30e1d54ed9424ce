/**
 * Run queues: which CPU a task waits on, sleeping and waking. Running them is sched.ts.
 * @kernel  kernel/sched/core.c try_to_wake_up(), select_task_rq()
 * @model   one queue a CPU, turn by turn, who wakes goes first; no weights or classes
 */
import { NS_PER_MS, type Ns } from '../util/units'
import { now } from './exec'
import { memstallLeave, psiDequeue, psiEnqueue } from './mm/psi'
import { schedule } from './queue'
import type { KernelState, RunQueue } from './state'
import type { Task } from './task'

/** Of an idle CPU that has never run anything. */
export const createRunQueue = (): RunQueue => ({
  queue: [],
  active: false,
  current: 0,
  woken: 0,
  interrupted: 0,
  turnNs: 0,
  busyNs: 0,
  userNs: 0,
  loadNs: 0,
  loadAtNs: 0,
  switches: 0,
})

/** Whether the task's affinity lets it run on the CPU. @kernel include/linux/cpumask.h cpumask_test_cpu(cpu, p->cpus_ptr) */
export const isAllowedOn = (task: Task, cpu: number): boolean =>
  task.affinity >= 0 ? task.affinity === cpu : (task.cpusAllowed?.includes(cpu) ?? true)

/** An idle CPU first, the last one of the task before others; else the shortest queue. */
function selectCpu(state: KernelState, task: Task): number {
  if (task.affinity >= 0) return task.affinity
  const queues = state.runqueues
  const isAllowed = isAllowedOn(task, task.cpu)
  if (isAllowed && !queues[task.cpu]!.active) return task.cpu
  let best = isAllowed ? task.cpu : task.cpusAllowed![0]!
  let bestLength = queues[best]!.queue.length + 1
  for (let cpu = 0; cpu < queues.length; cpu++) {
    if (!isAllowedOn(task, cpu)) continue
    const length = queues[cpu]!.queue.length + (queues[cpu]!.active ? 1 : 0)
    if (length < bestLength) {
      best = cpu
      bestLength = length
      if (length === 0) break
    }
  }
  return best
}

/** Half-life of a CPU's load. @kernel kernel/sched/pelt.c: 32 ms */
const LOAD_HALF_LIFE: Ns = 32 * NS_PER_MS

/** Load of a CPU now. */
function loadOf(rq: RunQueue, atNs: Ns): Ns {
  const halvings = Math.floor((atNs - rq.loadAtNs) / LOAD_HALF_LIFE)
  return halvings > 30 ? 0 : Math.floor(rq.loadNs / (1 << Math.max(0, halvings)))
}

/** A slice of a CPU is over. @kernel update_load_avg() */
export function addLoad(rq: RunQueue, atNs: Ns, usedNs: Ns): void {
  rq.loadNs = loadOf(rq, atNs) + usedNs
  rq.loadAtNs = atNs
}

/** A new task goes to the CPU with the least to do. @kernel select_task_rq_fair() with SD_BALANCE_FORK */
function selectCpuForNew(state: KernelState, task: Task): number {
  if (task.affinity >= 0) return task.affinity
  const atNs = now(state)
  let best = task.cpu
  let bestLength = Infinity
  let bestLoad = Infinity
  state.runqueues.forEach((rq, cpu) => {
    if (!isAllowedOn(task, cpu)) return
    const length = rq.queue.length + (rq.active ? 1 : 0)
    const load = loadOf(rq, atNs)
    if (length > bestLength || (length === bestLength && load >= bestLoad)) return
    best = cpu
    bestLength = length
    bestLoad = load
  })
  return best
}

/** Puts a runnable task on a queue and starts an idle CPU. */
export function enqueueTask(state: KernelState, task: Task, isNew = false): void {
  enqueueOn(state, task, isNew ? selectCpuForNew(state, task) : selectCpu(state, task))
}

function enqueueOn(state: KernelState, task: Task, cpu: number): void {
  task.cpu = cpu
  const rq = state.runqueues[task.cpu]!
  // Who slept has used less CPU time than those who ran: it goes first, as under CFS.
  rq.queue.unshift(task.pid)
  rq.woken++
  if (rq.active) return
  rq.active = true
  schedule(state.queue, now(state), { kind: 'cpuRun', cpu: task.cpu })
}

/**
 * A CPU that is about to idle takes a task that waits elsewhere.
 * @returns its pid, 0 = none may come here
 * @kernel  kernel/sched/fair.c sched_balance_newidle()
 */
export function pullTask(state: KernelState, cpu: number): number {
  let busiest: RunQueue | undefined
  for (const rq of state.runqueues) if (rq.queue.length > (busiest?.queue.length ?? 0)) busiest = rq
  if (busiest === undefined) return 0
  // The one whose slice ran last is still in it: slices are computed at their beginning.
  const running = busiest.current
  const at = busiest.queue.findLastIndex((pid) => pid !== running && mayRunOn(state, state.tasks[pid], cpu))
  if (at < 0) return 0
  const pid = busiest.queue.splice(at, 1)[0]!
  if (at < busiest.woken) busiest.woken--
  const task = state.tasks[pid]!
  psiDequeue(state, task)
  task.cpu = cpu
  psiEnqueue(state, task)
  return pid
}

/** It runs on the node with most of its memory. @kernel kernel/sched/fair.c migrate_degrades_locality() */
function wouldLeaveHome(state: KernelState, task: Task, cpu: number): boolean {
  const home = task.numa?.preferredNid ?? -1
  return home >= 0 && state.cpuNode[task.cpu] === home && state.cpuNode[cpu] !== home
}

const mayRunOn = (state: KernelState, task: Task | undefined, cpu: number): boolean =>
  task?.state === 'R' && !task.isKthread && isAllowedOn(task, cpu) && !wouldLeaveHome(state, task, cpu)

/** A runnable task that is on no queue goes on another CPU's. @kernel migrate_task_to() */
export function moveTask(state: KernelState, task: Task, cpu: number): void {
  psiDequeue(state, task)
  enqueueOn(state, task, cpu)
  psiEnqueue(state, task)
}

/** Wakes a sleeping task; does nothing to one that runs or is gone. */
export function wakeTask(state: KernelState, pid: number): void {
  const task = state.tasks[pid]
  if (task !== undefined && makeRunnable(state, task)) enqueueTask(state, task)
}

/**
 * A task whose host makes a system call was running all the time, on its CPU: it is neither placed anew nor switched to,
 * and nobody pulls it.
 */
export function wakeTaskInPlace(state: KernelState, task: Task): void {
  if (!makeRunnable(state, task)) return
  if (!isAllowedOn(task, task.cpu)) {
    enqueueTask(state, task)
    return
  }
  enqueueOn(state, task, task.cpu)
  state.runqueues[task.cpu]!.current = task.pid
}

/** @returns false = it runs already, or is gone */
function makeRunnable(state: KernelState, task: Task): boolean {
  if (task.state !== 'S' && task.state !== 'D' && task.state !== 'T') return false
  task.wakeSequence++
  task.state = 'R'
  // What it slept through because memory was short ends here (memory.high, refaults).
  if (task.stalledSinceNs >= 0) memstallLeave(state, task)
  psiEnqueue(state, task)
  return true
}

/** Puts the running task to sleep; `untilNs` Infinity = until woken. */
export function sleepTask(state: KernelState, task: Task, how: 'S' | 'D' | 'T', untilNs: Ns, channel: string): void {
  task.state = how
  task.waitChannel = channel
  task.wakeSequence++
  task.nvcsw++
  psiDequeue(state, task)
  if (untilNs !== Infinity)
    schedule(state.queue, Math.max(now(state), Math.ceil(untilNs)), {
      kind: 'taskWake',
      pid: task.pid,
      sequence: task.wakeSequence,
    })
}

/** Registers a task that waits for a frame's I/O. */
export function waitOnPage(state: KernelState, pid: number, pfn: number): void {
  const waiters = (state.pageWaiters[pfn] ??= [])
  if (!waiters.includes(pid)) waiters.push(pid)
}

/** The I/O of a frame is done. @kernel folio_end_read(), folio_wake_bit() */
export function wakePageWaiters(state: KernelState, pfn: number): void {
  const waiters = state.pageWaiters[pfn]
  if (waiters === undefined) return
  delete state.pageWaiters[pfn]
  for (const pid of waiters) wakeTask(state, pid)
}
