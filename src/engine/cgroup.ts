/**
 * The cgroup tree (core): groups, membership, controllers. Limits and charges are in mm/memcontrol.ts.
 * @kernel  kernel/cgroup/cgroup.c
 * @spec    07 §7.1
 */
import { assert } from '../util/assert'
import { err, ok, type Result } from '../util/result'
import type { Errno } from '../util/errno'
import { hooks } from './hooks'
import type { Cpuset } from './mm/cpuset_mems'
import { startMemcgFlush } from './mm/memcg_flush'
import { createMemcg, offlineMemcg, releaseDeadMemcgs } from './mm/memcontrol'
import { ROOT_MEMCG } from './mm/memcg_tree'
import { psiEnqueue, psiExit } from './mm/psi'
import type { KernelState } from './state'
import type { Task } from './task'

export interface Cgroup {
  /** 1 = root. Never used again after removal. */
  readonly id: number
  readonly parent: number
  /** '' for the root. */
  readonly name: string
  children: number[]
  /** Thread-group leaders in it, in the order of arrival. */
  tasks: number[]
  /** Controllers handed to children, in kernel order. */
  subtreeControl: string[]
  /** Memory controller that its tasks are charged to: its own, or the nearest ancestor's. */
  memcg: number
  hasOwnMemcg: boolean
  frozen: boolean
  /** Written to cpuset.cpus and cpuset.mems; absent: never. Owner: cpuset.ts */
  cpusetCpus?: number[]
  cpusetMems?: number[]
  /** In force; absent: all of the machine. Owner: cpuset.ts */
  cpuset?: Cpuset
  maxDepth: number
  maxDescendants: number
}

export const ROOT_CGROUP = 1

/** In kernel order. @simplifies only cpuset and memory have files and an effect; the others can be switched on and off */
export const CONTROLLERS = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'] as const
/** These may be used inside a group with processes. @kernel cgrp_dfl_threaded_ss_mask */
const THREADED_CONTROLLERS: readonly string[] = ['cpuset', 'cpu', 'pids']

const inKernelOrder = (names: ReadonlySet<string>): string[] => CONTROLLERS.filter((name) => names.has(name))
const isDomainController = (name: string): boolean => !THREADED_CONTROLLERS.includes(name)

// ---------------------------------------------------------------- looking up

export function cgroupAt(state: KernelState, id: number): Cgroup {
  const cgroup = state.cgroups[id]
  assert(cgroup !== undefined, `cgroup ${id} does not exist`)
  return cgroup
}

/** The group at an absolute path inside the tree: '/', '/a/b'. */
export function cgroupByPath(state: KernelState, path: string): Cgroup | undefined {
  let cgroup: Cgroup | undefined = cgroupAt(state, ROOT_CGROUP)
  for (const name of path.split('/')) {
    if (name === '') continue
    const child: number | undefined = cgroup.children.find((id) => cgroupAt(state, id).name === name)
    if (child === undefined) return undefined
    cgroup = cgroupAt(state, child)
  }
  return cgroup
}

/** '/' for the root and for groups that are gone. @kernel cgroup_path() */
export function cgroupPath(state: KernelState, id: number): string {
  let path = ''
  for (
    let cgroup = state.cgroups[id];
    cgroup !== undefined && cgroup.parent !== 0;
    cgroup = state.cgroups[cgroup.parent]
  ) {
    path = `/${cgroup.name}${path}`
  }
  return path === '' ? '/' : path
}

/** Group that a task's memory is charged to. @kernel mem_cgroup_from_task() */
export const taskMemcg = (state: KernelState, task: Task): number => state.cgroups[task.cgroup]?.memcg ?? ROOT_MEMCG

/** Controllers that the group has: all in the root, elsewhere what its parent hands down. @kernel cgroup_control() */
export const cgroupControllers = (state: KernelState, cgroup: Cgroup): readonly string[] =>
  cgroup.parent === 0 ? CONTROLLERS : cgroupAt(state, cgroup.parent).subtreeControl

/** The group and everything below it, parents before children, children in order of creation. */
export function cgroupSubtree(state: KernelState, id: number): Cgroup[] {
  const cgroup = cgroupAt(state, id)
  return [cgroup, ...cgroup.children.flatMap((child) => cgroupSubtree(state, child))]
}

/** Whether a process lives in the subtree. @kernel cgroup_is_populated() */
export const isPopulated = (state: KernelState, id: number): boolean =>
  cgroupSubtree(state, id).some((cgroup) => cgroup.tasks.length > 0)

// ---------------------------------------------------------------- groups

function addCgroup(state: KernelState, parent: Cgroup | undefined, name: string): Cgroup {
  const cgroup: Cgroup = {
    id: Math.max(ROOT_CGROUP, state.cgroups.length),
    parent: parent?.id ?? 0,
    name,
    children: [],
    tasks: [],
    subtreeControl: [],
    memcg: parent?.memcg ?? 0,
    hasOwnMemcg: false,
    frozen: false,
    maxDepth: Infinity,
    maxDescendants: Infinity,
  }
  if (parent?.cpuset !== undefined) cgroup.cpuset = parent.cpuset
  state.cgroups[cgroup.id] = cgroup
  parent?.children.push(cgroup.id)
  return cgroup
}

/** Gives the group a memory controller of its own. @returns false when ids have run out */
function onlineMemory(state: KernelState, cgroup: Cgroup): boolean {
  const id = createMemcg(state, cgroup.memcg, cgroup.id)
  if (id === 0) return false
  cgroup.hasOwnMemcg = true
  for (const below of cgroupSubtree(state, cgroup.id)) if (!below.hasOwnMemcg || below === cgroup) below.memcg = id
  return true
}

/** Charges stay with the dying controller; new ones go to the parent's. */
function offlineMemory(state: KernelState, cgroup: Cgroup): void {
  const gone = cgroup.memcg
  const heir = cgroupAt(state, cgroup.parent).memcg
  for (const below of cgroupSubtree(state, cgroup.id)) if (below.memcg === gone) below.memcg = heir
  cgroup.hasOwnMemcg = false
  offlineMemcg(state, gone)
}

/** The root of the tree, at boot. @kernel cgroup_init_early() */
export function createRootCgroup(state: KernelState): void {
  assert(state.cgroups[ROOT_CGROUP] === undefined, 'the cgroup tree exists already')
  const root = addCgroup(state, undefined, '')
  assert(onlineMemory(state, root) && root.memcg === ROOT_MEMCG, 'the root has no memory controller')
  startMemcgFlush(state)
}

const depthOf = (state: KernelState, cgroup: Cgroup): number =>
  cgroup.parent === 0 ? 0 : 1 + depthOf(state, cgroupAt(state, cgroup.parent))

/** Whether every ancestor's cgroup.max.* lets one more group in below `parent`. @kernel cgroup_check_hierarchy_limits() */
function isWithinLimits(state: KernelState, parent: Cgroup): boolean {
  const depth = depthOf(state, parent) + 1
  for (let up: Cgroup | undefined = parent; up !== undefined; up = state.cgroups[up.parent]) {
    if (cgroupSubtree(state, up.id).length - 1 >= up.maxDescendants) return false
    if (depth - depthOf(state, up) > up.maxDepth) return false
  }
  return true
}

/**
 * mkdir in the tree.
 * @returns the group's id; EINVAL for a newline in the name, EEXIST, EAGAIN beyond cgroup.max.*, ENOSPC without ids
 * @kernel  cgroup_mkdir()
 */
export function createCgroup(state: KernelState, parentId: number, name: string): Result<number, Errno> {
  const parent = cgroupAt(state, parentId)
  if (name.includes('\n')) return err('EINVAL')
  if (parent.children.some((id) => cgroupAt(state, id).name === name)) return err('EEXIST')
  if (!isWithinLimits(state, parent)) return err('EAGAIN')
  const cgroup = addCgroup(state, parent, name)
  if (parent.subtreeControl.includes('memory') && !onlineMemory(state, cgroup)) {
    dropCgroup(state, cgroup)
    return err('ENOSPC')
  }
  return ok(cgroup.id)
}

function dropCgroup(state: KernelState, cgroup: Cgroup): void {
  const parent = cgroupAt(state, cgroup.parent)
  parent.children = parent.children.filter((id) => id !== cgroup.id)
  state.cgroups[cgroup.id] = undefined
}

/**
 * rmdir. Zombies do not keep a group; what it still has charged stays behind as a dying memory group.
 * @returns EBUSY with processes or children, and for the root
 * @kernel  cgroup_rmdir(), cgroup_destroy_locked()
 */
export function removeCgroup(state: KernelState, id: number): Errno | undefined {
  const cgroup = cgroupAt(state, id)
  if (cgroup.parent === 0 || cgroup.tasks.length > 0 || cgroup.children.length > 0) return 'EBUSY'
  if (cgroup.hasOwnMemcg) offlineMemory(state, cgroup)
  for (const pid of state.taskList) {
    const zombie = state.tasks[pid]
    if (zombie?.cgroup === id) zombie.cgroup = cgroup.parent
  }
  dropCgroup(state, cgroup)
  releaseDeadMemcgs(state)
  return undefined
}

// ---------------------------------------------------------------- membership

/** Puts a process into a group, out of its old one; the memory it has charged stays where it is. @kernel cgroup_migrate() */
export function attachTask(state: KernelState, pid: number, cgroupId: number): void {
  detachTask(state, pid)
  const task = state.tasks[pid]
  assert(task !== undefined, `task ${pid} does not exist`)
  cgroupAt(state, cgroupId).tasks.push(task.tgid)
  for (const other of state.taskList) {
    const thread = state.tasks[other]
    if (thread?.tgid === task.tgid) moveThread(state, thread, cgroupId)
  }
  moveThread(state, task, cgroupId)
}

/** A runnable task counts in its new groups' pressure from now on. @kernel cgroup_move_task() */
function moveThread(state: KernelState, task: Task, cgroupId: number): void {
  if (task.cgroup === cgroupId) return
  const isCounted = task.psiFlags !== 0
  if (isCounted) psiExit(state, task)
  task.cgroup = cgroupId
  if (isCounted) psiEnqueue(state, task)
}

/** The process ends: it leaves the lists, and remembers its group as a zombie. @kernel cgroup_exit() */
export function detachTask(state: KernelState, pid: number): void {
  const task = state.tasks[pid]
  const cgroup = task === undefined ? undefined : state.cgroups[task.cgroup]
  if (task === undefined || cgroup === undefined) return
  cgroup.tasks = cgroup.tasks.filter((member) => member !== task.tgid)
}

/** A group without domain controllers for its children may hold processes too. @kernel cgroup_can_be_thread_root() */
function canBeThreadRoot(state: KernelState, cgroup: Cgroup): boolean {
  if (cgroup.parent === 0) return true
  if (cgroup.children.some((id) => isPopulated(state, id))) return false
  return !cgroup.subtreeControl.some(isDomainController)
}

/**
 * A write to cgroup.procs: moves a whole process.
 * @returns EBUSY when the group hands domain controllers to its children (no internal processes), EINVAL for kernel
 *          threads bound to a CPU, ESRCH
 * @kernel  __cgroup_procs_write(), cgroup_migrate_vet_dst()
 */
export function migrateProcess(state: KernelState, pid: number, cgroupId: number): Errno | undefined {
  const task = state.tasks[pid]
  const cgroup = cgroupAt(state, cgroupId)
  if (task === undefined || task.state === 'Z') return 'ESRCH'
  if (task.isKthread) return 'EINVAL'
  if (!canBeThreadRoot(state, cgroup) && cgroup.subtreeControl.length > 0) return 'EBUSY'
  const from = task.cgroup
  if (from === cgroupId) return undefined
  attachTask(state, pid, cgroupId)
  hooks.cpusetAttach(state, pid, from)
  return undefined
}

// ---------------------------------------------------------------- controllers

/** Without the controller its settings are gone. @kernel cpuset_css_free() */
function forgetCpuset(cgroup: Cgroup): void {
  delete cgroup.cpusetCpus
  delete cgroup.cpusetMems
}

interface ControlChange {
  readonly enable: Set<string>
  readonly disable: Set<string>
}

function parseSubtreeControl(text: string): ControlChange | undefined {
  const enable = new Set<string>()
  const disable = new Set<string>()
  for (const token of text.trim().split(' ')) {
    if (token === '') continue
    const name = token.slice(1)
    if (!(CONTROLLERS as readonly string[]).includes(name)) return undefined
    if (token.startsWith('+')) {
      enable.add(name)
      disable.delete(name)
    } else if (token.startsWith('-')) {
      disable.add(name)
      enable.delete(name)
    } else return undefined
  }
  return { enable, disable }
}

/** What would really change; an error when it must not. */
function vetSubtreeControl(state: KernelState, cgroup: Cgroup, change: ControlChange): Errno | undefined {
  const available = cgroupControllers(state, cgroup)
  for (const name of CONTROLLERS) {
    const isOn = cgroup.subtreeControl.includes(name)
    if (change.enable.has(name)) {
      if (isOn) change.enable.delete(name)
      else if (!available.includes(name)) return 'ENOENT'
    } else if (change.disable.has(name)) {
      if (!isOn) change.disable.delete(name)
      else if (cgroup.children.some((id) => cgroupAt(state, id).subtreeControl.includes(name))) return 'EBUSY'
    }
  }
  if (change.enable.size === 0 || cgroup.parent === 0) return undefined
  if (![...change.enable].some(isDomainController) && canBeThreadRoot(state, cgroup)) return undefined
  return cgroup.tasks.length > 0 ? 'EBUSY' : undefined
}

/**
 * A write to cgroup.subtree_control: '+memory -io'; the last mention of a name wins.
 * @returns EINVAL, ENOENT, EBUSY as in the table of spec 07 §7.1
 * @kernel  cgroup_subtree_control_write()
 */
export function writeSubtreeControl(state: KernelState, cgroupId: number, text: string): Errno | undefined {
  const cgroup = state.cgroups[cgroupId]
  const change = parseSubtreeControl(text)
  if (change === undefined) return 'EINVAL'
  if (cgroup === undefined) return 'ENODEV'
  const problem = vetSubtreeControl(state, cgroup, change)
  if (problem !== undefined) return problem
  const names = new Set(cgroup.subtreeControl)
  for (const name of change.enable) names.add(name)
  for (const name of change.disable) names.delete(name)
  cgroup.subtreeControl = inKernelOrder(names)
  for (const id of cgroup.children) {
    const child = cgroupAt(state, id)
    if (change.enable.has('memory') && !onlineMemory(state, child)) return 'ENOSPC'
    if (change.disable.has('memory')) offlineMemory(state, child)
    if (change.disable.has('cpuset')) forgetCpuset(child)
  }
  if (change.enable.has('cpuset') || change.disable.has('cpuset')) hooks.updateCpusets(state, cgroupId)
  return undefined
}
