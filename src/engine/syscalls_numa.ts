/**
 * Operations of programs that concern nodes: policies, asking where pages lie, and on which CPUs a task may run.
 * @kernel  mm/mempolicy.c, mm/migrate.c, kernel/sched/syscalls.c
 * @spec    08 §8.1
 */
import { errnoNumber } from '../util/errno'
import { PAGE_SIZE, type Ns, type Vpn } from '../util/units'
import type { Mm } from './mm/mm_types'
import { memsAllowed } from './mm/cpuset_mems'
import { charge, isSuspended } from './exec'
import {
  MPOL_MF_MOVE,
  MPOL_MF_MOVE_ALL,
  MPOL_MF_STRICT,
  mbindRange,
  moveMisplaced,
  pageStatus,
  setMempolicy,
  type MbindRequest,
} from './mm/mbind'
import { moveEntry, prepareMove } from './mm/migrate_entries'
import { migrateNodes, migrationPairs } from './mm/migrate_nodes'
import { findPteSlot } from './mm/pgtable'
import { mmAt } from './mm/rss'
import { leaveCpu, setCpusAllowed } from './sched_affinity'
import type { KernelState } from './state'
import { fail, succeed } from './syscall_result'
import type { Op, Task } from './task'
import { STEP_BLOCKED, STEP_MORE } from './touch'

type OpOf<K extends Op['op']> = Extract<Op, { op: K }>

/** Pages looked at between two looks at the clock. */
const MOVE_CHUNK = 512

export function opSetAffinity(state: KernelState, task: Task, op: OpOf<'setAffinity'>): number {
  charge(state, state.costs.syscall)
  if (state.cpuNode[op.cpu] === undefined) return fail(task, 'EINVAL')
  if (!setCpusAllowed(state, task, [op.cpu])) return fail(task, 'EINVAL')
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

/** Progress of migrate_pages in one number: the pair above, the next page below. */
const PAIR_UNIT = 2 ** 46

/**
 * Pages of a process go from nodes to nodes. Result: pages that could not be moved.
 * @kernel  mm/mempolicy.c kernel_migrate_pages()
 */
export function opMigratePages(state: KernelState, task: Task, op: OpOf<'migratePages'>, endNs: Ns): number {
  const target = op.pid === 0 ? task : state.tasks[op.pid]
  if (target === undefined || target.state === 'Z') return fail(task, 'ESRCH')
  if ([...op.from, ...op.to].some((nid) => state.nodes[nid] === undefined)) return fail(task, 'EINVAL')
  const allowed = memsAllowed(state, target)
  const to = op.to.filter((nid) => allowed.includes(nid) && memsAllowed(state, task).includes(nid))
  if (to.length === 0 || target.mm < 0) return fail(task, 'EINVAL')
  if (task.opDone === 0) {
    charge(state, state.costs.syscall)
    prepareMove(state)
    task.result = 0
  }
  const progress = { pair: Math.floor(task.opDone / PAIR_UNIT), at: task.opDone % PAIR_UNIT, failed: 0 }
  const pairs = migrationPairs(op.from, to)
  const how = migrateNodes(state, mmAt(state, target.mm), pairs, progress, () => state.exec.ns >= endNs)
  task.opDone = progress.pair * PAIR_UNIT + progress.at
  task.result += progress.failed
  if (how === 'blocked') return STEP_BLOCKED
  return how === 'more' ? STEP_MORE : succeed(task, task.result)
}

/** One page goes to the node, unless others map it too. @returns node, or −errno @kernel mm/migrate.c add_folio_for_migration() */
function movePageTo(state: KernelState, mm: Mm, vpn: Vpn, nid: number): number {
  const status = pageStatus(state, mm, vpn)
  if (status < 0 || status === nid) return status
  const slot = findPteSlot(state, mm, vpn)
  if (slot < 0 || !moveEntry(state, mm, slot, { target: nid, shared: false })) return -errnoNumber('EBUSY')
  return nid
}

export function opMovePages(state: KernelState, task: Task, op: OpOf<'movePages'>): number {
  const mm = mmAt(state, task.mm)
  const start = Math.floor(op.address / PAGE_SIZE)
  const pages = Math.ceil(op.length / PAGE_SIZE)
  const nodes: number[] = []
  const { node } = op
  if (node !== undefined) {
    if (state.nodes[node]?.hasMemory !== true) return fail(task, 'ENODEV')
    if (!memsAllowed(state, task).includes(node)) return fail(task, 'EACCES')
    prepareMove(state)
  }
  for (let i = 0; i < pages; i++)
    nodes.push(node === undefined ? pageStatus(state, mm, start + i) : movePageTo(state, mm, start + i, node))
  if (isSuspended(state)) return STEP_BLOCKED
  charge(state, state.costs.syscall + pages * state.costs.pageWalk)
  const step = succeed(task, pages)
  task.resultText = nodes.join(' ')
  return step
}
