/**
 * Counts of a slab cache as files and views show them.
 * @kernel  mm/slub.c get_slabinfo(), show_slab_objects()
 * @spec    03 §3.11
 */
import type { KernelState } from '../state'

export interface SlabCounts {
  readonly activeObjects: number
  readonly objects: number
  readonly slabs: number
  readonly partial: number
}

/**
 * @simplifies  free objects are counted on every list; the kernel estimates those of lists with more than 10000 slabs
 * @kernel      mm/slub.c get_slabinfo(): free objects that a CPU holds count as active
 */
export function slabCounts(state: KernelState, cache: number): SlabCounts {
  const s = state.slabs
  let objects = 0
  let slabs = 0
  let partial = 0
  let free = 0
  for (const { nid } of state.nodes) {
    const node = cache * state.nodes.length + nid
    objects += s.totalObjects[node]!
    slabs += s.nrSlabs[node]!
    partial += s.nrPartial[node]!
    for (let row = s.partial[2 * node]!; row !== 0; row = s.next[row]!) free += s.objects[row]! - s.inuse[row]!
  }
  return { activeObjects: objects - free, objects, slabs, partial }
}
