/**
 * What a cpuset means for memory: the nodes that a task may use, and its zonelists without the others. Setting cpusets is
 * cpuset.ts.
 * @kernel  kernel/cgroup/cpuset.c cpuset_node_allowed(), include/linux/cpuset.h
 * @spec    08 §8.1 "cpuset"
 */
import { currentTask } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import type { Zonelists } from './mmzone'

/** CPUs and nodes in force for a group. Never changed once made: groups below share it. */
export interface Cpuset {
  readonly cpus: readonly number[]
  readonly mems: readonly number[]
  /** By node: its zonelists cut down to `mems`. */
  readonly confined: readonly Zonelists[]
}

/** Nodes with memory. @kernel node_states[N_MEMORY] */
export const memoryNodes = (state: KernelState): number[] => state.nodes.filter((n) => n.hasMemory).map((n) => n.nid)

/** The cpuset that confines a task; undefined = the whole machine's. @kernel task_cs() */
export const cpusetOf = (state: KernelState, task: Task | undefined): Cpuset | undefined =>
  task === undefined || state.hasCpusets !== true ? undefined : state.cgroups[task.cgroup]?.cpuset

/** @kernel include/linux/sched.h task_struct.mems_allowed */
export const memsAllowed = (state: KernelState, task: Task | undefined): readonly number[] =>
  cpusetOf(state, task)?.mems ?? memoryNodes(state)

/** The lists without zones of other nodes. `isCpuset`: no policy asked for that. @kernel first_zones_zonelist() */
export function confine(state: KernelState, from: Zonelists, nodemask: readonly number[], isCpuset = false): Zonelists {
  const keep = (zone: number): boolean => nodemask.includes(state.zones[zone]!.nid)
  return {
    nid: from.nid,
    zonelist: from.zonelist.filter(keep),
    zonelistThisnode: from.zonelistThisnode.filter(keep),
    nodemask,
    ...(isCpuset ? { isCpuset } : {}),
  }
}

/**
 * The lists that the running task's cpuset leaves of a request that no policy confines.
 * @kernel  mm/page_alloc.c prepare_alloc_pages(): ac->nodemask = &cpuset_current_mems_allowed
 */
export function cpusetZonelists(state: KernelState, from: Zonelists): Zonelists {
  if (from.nodemask !== undefined) return from
  return cpusetOf(state, currentTask(state))?.confined[from.nid] ?? from
}
