/**
 * The cpuset controller: which CPUs and nodes the tasks of a group may use, and what becomes of tasks and their memory when
 * that changes.
 * @kernel  kernel/cgroup/cpuset.c
 * @spec    08 §8.1 "cpuset"
 */
import type { Errno } from '../util/errno'
import { NS_PER_MS } from '../util/units'
import { cgroupAt, cgroupControllers, cgroupSubtree, type Cgroup } from './cgroup'
import type { SimEvent } from './events'
import { now } from './exec'
import { confine, memoryNodes, memsAllowed, type Cpuset } from './mm/cpuset_mems'
import { mpolRebind } from './mm/mempolicy'
import { prepareMove } from './mm/migrate_entries'
import { migrateNodes, migrationPairs } from './mm/migrate_nodes'
import { mmAt, mmOf } from './mm/rss'
import { schedule } from './queue'
import { applyCpus } from './sched_affinity'
import type { KernelState } from './state'
import type { Task } from './task'

const allCpus = (state: KernelState): number[] => state.cpuNode.map((_, cpu) => cpu)
const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i])

/** CPUs in force for a group. @kernel cpuset.cpus.effective */
export const effectiveCpus = (state: KernelState, cgroup: Cgroup): readonly number[] =>
  cgroup.cpuset?.cpus ?? allCpus(state)
/** Nodes in force for a group. @kernel cpuset.mems.effective */
export const effectiveMems = (state: KernelState, cgroup: Cgroup): readonly number[] =>
  cgroup.cpuset?.mems ?? memoryNodes(state)

/** What was asked for, as far as the parent has it; nothing left: all that the parent has. @kernel compute_effective_cpumask() */
function within(asked: readonly number[], parent: readonly number[]): readonly number[] {
  const left = asked.filter((n) => parent.includes(n))
  return left.length === 0 ? parent : left
}

function computeCpuset(state: KernelState, cgroup: Cgroup): Cpuset | undefined {
  if (cgroup.parent === 0) return undefined
  const parent = cgroupAt(state, cgroup.parent)
  if (!cgroupControllers(state, cgroup).includes('cpuset')) return parent.cpuset
  const cpus = within(cgroup.cpusetCpus ?? [], effectiveCpus(state, parent))
  const mems = within(cgroup.cpusetMems ?? [], effectiveMems(state, parent))
  if (isSame(cpus, effectiveCpus(state, parent)) && isSame(mems, effectiveMems(state, parent))) return parent.cpuset
  return { cpus, mems, confined: state.nodes.map((node) => confine(state, node, mems, true)) }
}

/**
 * Computes the group's cpuset and those below anew, and lets their tasks feel it.
 * @kernel  update_cpumasks_hier(), update_nodemasks_hier()
 */
export function updateCpusets(state: KernelState, cgroupId: number): void {
  for (const cgroup of cgroupSubtree(state, cgroupId)) {
    const before = { cpus: effectiveCpus(state, cgroup), mems: effectiveMems(state, cgroup) }
    const next = computeCpuset(state, cgroup)
    if (next === undefined) delete cgroup.cpuset
    else {
      cgroup.cpuset = next
      state.hasCpusets = true
    }
    for (const pid of cgroup.tasks) changeTask(state, state.tasks[pid], before)
  }
}

interface Before {
  readonly cpus: readonly number[]
  readonly mems: readonly number[]
}

/** @kernel cpuset_update_tasks_cpumask(), cpuset_update_tasks_nodemask() */
function changeTask(state: KernelState, task: Task | undefined, before: Before): void {
  if (task === undefined || task.state === 'Z' || task.isKthread) return
  const cgroup = cgroupAt(state, task.cgroup)
  if (!isSame(before.cpus, effectiveCpus(state, cgroup))) applyCpus(state, task, cgroup.cpuset?.cpus)
  const mems = memsAllowed(state, task)
  if (isSame(before.mems, mems)) return
  const range = { from: before.mems, to: mems }
  if (task.mempolicy !== undefined) task.mempolicy = mpolRebind(state, task.mempolicy, range)
  const mm = mmOf(state, task)
  if (mm === undefined) return
  for (const vma of mm.vmas) if (vma.policy !== undefined) vma.policy = mpolRebind(state, vma.policy, range)
  schedule(state.queue, now(state), { kind: 'cpusetMigrate', mm: mm.id, object: mm.object, ...range, pair: 0, at: 0 })
}

/** A process comes from another group: where it may run and where its memory lies follow. @kernel cpuset_attach() */
export function cpusetAttach(state: KernelState, pid: number, fromCgroup: number): void {
  const from = cgroupAt(state, fromCgroup)
  changeTask(state, state.tasks[pid], { cpus: effectiveCpus(state, from), mems: effectiveMems(state, from) })
}

const MIGRATE_PIECE_NS = NS_PER_MS

/** The worker that moves a process's pages to its new nodes. @kernel cpuset_migrate_mm_workfn() */
export function handleCpusetMigrate(state: KernelState, event: Extract<SimEvent, { kind: 'cpusetMigrate' }>): void {
  const mm = mmAt(state, event.mm)
  if (mm.users === 0 || mm.object !== event.object) return
  if (event.pair === 0 && event.at === 0) prepareMove(state)
  const pairs = migrationPairs(event.from, event.to)
  const progress = { pair: event.pair, at: event.at, failed: 0 }
  const how = migrateNodes(state, mm, pairs, progress, () => state.exec.ns >= MIGRATE_PIECE_NS)
  if (how !== 'more') return
  schedule(state.queue, Math.ceil(now(state)), { ...event, pair: progress.pair, at: progress.at })
}

/** A group with processes cannot lose all its CPUs or nodes. @kernel validate_change() */
const wouldStarve = (cgroup: Cgroup, was: readonly number[] | undefined, wanted: readonly number[]): boolean =>
  cgroup.tasks.length > 0 && (was ?? []).length > 0 && wanted.length === 0

/**
 * A write to cpuset.cpus or cpuset.mems.
 * @returns EINVAL: a CPU or node that the machine lacks; ENOSPC: emptied while processes are in the group
 * @kernel  cpuset_write_resmask(), update_cpumask(), update_nodemask()
 */
export function writeCpuset(
  state: KernelState,
  cgroup: Cgroup,
  which: 'cpus' | 'mems',
  wanted: readonly number[],
): Errno | undefined {
  const there = which === 'cpus' ? allCpus(state) : memoryNodes(state)
  if (wanted.some((n) => !there.includes(n))) return 'EINVAL'
  if (wouldStarve(cgroup, which === 'cpus' ? cgroup.cpusetCpus : cgroup.cpusetMems, wanted)) return 'ENOSPC'
  if (which === 'cpus') cgroup.cpusetCpus = [...wanted]
  else cgroup.cpusetMems = [...wanted]
  updateCpusets(state, cgroup.id)
  return undefined
}
