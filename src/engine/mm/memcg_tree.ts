/**
 * Walking the tree of memory cgroups. Apart, because charging, reclaim, statistics and the OOM killer all walk it.
 * @kernel  mm/memcontrol.c mem_cgroup_iter()
 * @spec    07 §7.7
 */
import { AssertionError } from '../../util/assert'
import type { KernelState } from '../state'
import type { Memcg } from './memcontrol'

export const ROOT_MEMCG = 1

/** The group with this id, which must exist. @kernel mem_cgroup_from_id() */
export function memcgAt(state: KernelState, id: number): Memcg {
  const memcg = state.memcgs[id]
  if (memcg === undefined) throw new AssertionError(`memory cgroup ${id} does not exist`)
  return memcg
}

/** Whether `id` is `ancestor` or lies below it. @kernel mem_cgroup_is_descendant() */
export function isMemcgDescendant(state: KernelState, id: number, ancestor: number): boolean {
  for (let i = id; i !== 0; i = memcgAt(state, i).parent) if (i === ancestor) return true
  return false
}

/**
 * The group after `id` in a walk of the subtree of `root`: parents before children, children in order of creation,
 * dying groups included because they still hold pages.
 * @returns 0 at the end, and when `id` is not in the subtree (a cursor whose group is gone)
 * @kernel  mem_cgroup_iter(), css_next_descendant_pre()
 */
export function nextMemcg(state: KernelState, root: number, id: number): number {
  if (!isMemcgDescendant(state, id, root)) return 0
  const first = memcgAt(state, id).children[0]
  if (first !== undefined) return first
  for (let i = id; i !== root;) {
    const parent = memcgAt(state, i).parent
    const siblings = memcgAt(state, parent).children
    const next = siblings[siblings.indexOf(i) + 1]
    if (next !== undefined) return next
    i = parent
  }
  return 0
}

/** The group itself while it is online, else its nearest online ancestor. @kernel mem_cgroup_id_get_online() */
export function onlineMemcg(state: KernelState, id: number): number {
  let i = id
  while (!memcgAt(state, i).online) i = memcgAt(state, i).parent
  return i
}
