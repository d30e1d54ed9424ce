/**
 * Lists of slabs: the partial list of a node, the slabs that a CPU has set aside, and the one that it allocates from.
 * @kernel  mm/slub.c struct kmem_cache_node, struct kmem_cache_cpu
 * @spec    03 §3.4
 */
import { assert } from '../../util/assert'
import type { KernelState } from '../state'
import { END_OF_LIST, SLAB_ACTIVE, SLAB_CPU_PARTIAL, SLAB_NODE_PARTIAL, type Slabs } from './slab_state'

/** Where the columns of the running CPU are for a cache. @kernel this_cpu_ptr(s->cpu_slab) */
export const cpuCell = (state: KernelState, cache: number): number => cache * state.cpuNode.length + state.exec.cpu

/** Where the columns of a node are for a cache. @kernel mm/slub.c get_node() */
export const nodeCell = (state: KernelState, cache: number, nid: number): number => cache * state.nodes.length + nid

/** All free objects of the slab belong to the CPU from now on. @kernel mm/slub.c freeze_slab() */
export function activate(s: Slabs, cpu: number, row: number): void {
  s.cpuSlab[cpu] = row
  s.cpuFreelist[cpu] = s.freelist[row]!
  s.freelist[row] = END_OF_LIST
  s.inuse[row] = s.objects[row]!
  s.place[row] = SLAB_ACTIVE
  s.next[row] = 0
}

/** @kernel mm/slub.c put_cpu_partial() */
export function putCpuPartial(state: KernelState, cache: number, cpu: number, row: number): void {
  const s = state.slabs
  assert(s.cache[row] === cache, `slab ${row} set aside for another cache`)
  s.place[row] = SLAB_CPU_PARTIAL
  s.next[row] = s.cpuPartial[cpu]!
  s.cpuPartial[cpu] = row
  s.cpuPartialSlabs[cpu]!++
}
/** @kernel mm/slub.c __add_partial() */
export function addPartial(s: Slabs, node: number, row: number, end: 'head' | 'tail'): void {
  const first = s.partial[2 * node]!
  const last = s.partial[2 * node + 1]!
  const isHead = end === 'head'
  s.next[row] = isHead ? first : 0
  s.prev[row] = isHead ? 0 : last
  if (isHead) {
    if (first !== 0) s.prev[first] = row
    s.partial[2 * node] = row
    if (last === 0) s.partial[2 * node + 1] = row
  } else {
    if (last !== 0) s.next[last] = row
    s.partial[2 * node + 1] = row
    if (first === 0) s.partial[2 * node] = row
  }
  s.nrPartial[node]!++
  s.place[row] = SLAB_NODE_PARTIAL
}

/** @kernel mm/slub.c remove_partial() */
export function removePartial(s: Slabs, node: number, row: number): void {
  const next = s.next[row]!
  const prev = s.prev[row]!
  if (prev !== 0) s.next[prev] = next
  else s.partial[2 * node] = next
  if (next !== 0) s.prev[next] = prev
  else s.partial[2 * node + 1] = prev
  s.next[row] = 0
  s.prev[row] = 0
  s.nrPartial[node]!--
}
