/**
 * The cgroup tree (core): groups, membership, controllers. Limits and charges are in mm/memcontrol.ts.
 * @kernel  kernel/cgroup/cgroup.c
 * @spec    07 §7.1
 */
export interface Cgroup {
  /** 1 = root. */
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
  maxDepth: number
  maxDescendants: number
}
