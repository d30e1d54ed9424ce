/**
 * Operations of programs that concern nodes: policies, asking where pages lie, and on which CPUs a task may run.
 * @kernel  mm/mempolicy.c, mm/migrate.c, kernel/sched/syscalls.c
 * @spec    08 §8.1
 */
import { PAGE_SIZE, type Ns } from '../util/units'
import { charge, currentTask, now, suspend } from './exec'
import {
  MPOL_MF_MOVE,
  MPOL_MF_MOVE_ALL,
  MPOL_MF_STRICT,
  mbindRange,
  moveMisplaced,
  pageStatus,
  prepareMove,
  setMempolicy,
  type MbindRequest,
} from './mm/mbind'
import { mmAt } from './mm/rss'
import { isAllowedOn } from './sched_queue'
import type { KernelState } from './state'
import { fail, succeed } from './syscall_result'
import type { Op, Task } from './task'
import { STEP_BLOCKED, STEP_MORE } from './touch'

type OpOf<K extends Op['op']> = Extract<Op, { op: K }>

/** Pages looked at between two looks at the clock. */
const MOVE_CHUNK = 512

/**
 * The task runs only on these CPUs from now on: at once, if it runs elsewhere.
 * @param cpus  numbers of CPUs that exist, not empty
 * @kernel  kernel/sched/core.c __set_cpus_allowed_ptr()
 */
export function setCpusAllowed(state: KernelState, task: Task, cpus: readonly number[]): void {
  delete task.cpusAllowed
  task.affinity = cpus.length === 1 ? cpus[0]! : -1
  if (cpus.length > 1 && cpus.length < state.cpuNode.length) task.cpusAllowed = [...cpus]
}

/** Off a CPU that it may not use: it goes on at once on another. @kernel migration_cpu_stop() */
export function leaveCpu(state: KernelState, task: Task): void {
  if (!isAllowedOn(task, state.exec.cpu) && currentTask(state) === task)
    suspend(state, now(state), 'migration_cpu_stop')
}

export function opSetAffinity(state: KernelState, task: Task, op: OpOf<'setAffinity'>): number {
  charge(state, state.costs.syscall)
  if (state.cpuNode[op.cpu] === undefined) return fail(task, 'EINVAL')
  setCpusAllowed(state, task, [op.cpu])
  leaveCpu(state, task)
  return succeed(task, 0)
}

export function opSetMempolicy(state: KernelState, task: Task, op: OpOf<'setMempolicy'>): number {
  charge(state, state.costs.syscall)
  const errno = setMempolicy(state, task, op.mode, op.nodes)
  return errno === undefined ? succeed(task, 0) : fail(task, errno)
}

/** opDone: 0 = the policy is not set yet; then 1 + pages looked at for moving. result counts failures meanwhile. */
export function opMbind(state: KernelState, task: Task, op: OpOf<'mbind'>, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  if (op.address % PAGE_SIZE !== 0 || op.length < 0) return fail(task, 'EINVAL')
  const start = op.address / PAGE_SIZE
  const end = start + Math.ceil(op.length / PAGE_SIZE)
  if (start === end) return succeed(task, 0)
  const request: MbindRequest = { start, end, mode: op.mode, nodes: op.nodes, flags: op.flags }
  if (task.opDone === 0) {
    charge(state, state.costs.mmapCall)
    const errno = mbindRange(state, mm, request)
    if (errno !== undefined) return fail(task, errno)
    if ((op.flags & (MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) === 0) return succeed(task, 0)
    prepareMove(state)
    task.opDone = 1
    task.result = 0
  }
  while (start + task.opDone - 1 < end) {
    const from = start + task.opDone - 1
    const to = Math.min(end, from + MOVE_CHUNK)
    const failed = moveMisplaced(state, mm, request, from, to)
    if (failed < 0) return STEP_BLOCKED
    task.result += failed
    task.opDone = to - start + 1
    if (state.exec.ns >= endNs) return STEP_MORE
  }
  return task.result > 0 && (op.flags & MPOL_MF_STRICT) !== 0 ? fail(task, 'EIO') : succeed(task, 0)
}

export function opMovePages(state: KernelState, task: Task, op: OpOf<'movePages'>): number {
  const mm = mmAt(state, task.mm)
  const start = Math.floor(op.address / PAGE_SIZE)
  const pages = Math.ceil(op.length / PAGE_SIZE)
  const nodes: number[] = []
  for (let i = 0; i < pages; i++) nodes.push(pageStatus(state, mm, start + i))
  charge(state, state.costs.syscall + pages * state.costs.pageWalk)
  const step = succeed(task, pages)
  task.resultText = nodes.join(' ')
  return step
}
