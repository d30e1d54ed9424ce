/**
 * Slabs that a CPU gives up, and shrinking a cache to what is in use.
 * @kernel  mm/slub.c __put_partials(), deactivate_slab(), __kmem_cache_shrink()
 * @spec    03 §3.6
 */
import type { KernelState } from '../state'
import { END_OF_LIST, SLAB_FULL } from './slab_state'
import { addPartial, nodeCell, removePartial } from './slub_list'
import { discardSlab } from './slub_page'

/** The slabs that the CPU has set aside go to the lists of their nodes. @kernel mm/slub.c __put_partials() */
export function flushCpuPartial(state: KernelState, cache: number, cpu: number): void {
  const s = state.slabs
  for (let row = s.cpuPartial[cpu]!; row !== 0;) {
    const next = s.next[row]!
    putPartial(state, cache, row, 'tail')
    row = next
  }
  s.cpuPartial[cpu] = 0
  s.cpuPartialSlabs[cpu] = 0
}
/** On its node's list, or back to the page allocator when it is empty and the list is long enough. */
function putPartial(state: KernelState, cache: number, row: number, end: 'head' | 'tail'): void {
  const s = state.slabs
  const node = nodeCell(state, cache, s.nid[row]!)
  if (s.inuse[row] === 0 && s.nrPartial[node]! >= s.caches[cache]!.minPartial) discardSlab(state, cache, row)
  else addPartial(s, node, row, end)
}
/**
 * The CPU gives up the slab that it allocates from, if it has one.
 * @param cpu  cell of the cache's columns for the CPU
 * @kernel  mm/slub.c flush_slab(), deactivate_slab()
 */
export function flushCpuSlab(state: KernelState, cache: number, cpu: number): void {
  const s = state.slabs
  const row = s.cpuSlab[cpu]!
  if (row === 0) return
  const hadRemoteFrees = s.freelist[row] !== END_OF_LIST
  for (let object = s.cpuFreelist[cpu]!; object !== END_OF_LIST;) {
    const cell = s.firstObject[row]! + object
    const next = s.nextFree[cell]!
    s.nextFree[cell] = s.freelist[row]!
    s.freelist[row] = object
    s.inuse[row]!--
    object = next
  }
  s.cpuSlab[cpu] = 0
  s.cpuFreelist[cpu] = END_OF_LIST
  if (s.freelist[row] === END_OF_LIST) s.place[row] = SLAB_FULL
  else putPartial(state, cache, row, hadRemoteFrees ? 'tail' : 'head')
}

/** All CPUs give up their slabs of the cache. @kernel mm/slub.c flush_all() */
export function flushAll(state: KernelState, cache: number): void {
  const cpus = state.cpuNode.length
  for (let cpu = 0; cpu < cpus; cpu++) {
    flushCpuSlab(state, cache, cache * cpus + cpu)
    flushCpuPartial(state, cache, cache * cpus + cpu)
  }
}

/**
 * Gives every empty slab of a cache back, and puts the fullest partial slabs first.
 * @kernel  mm/slub.c __kmem_cache_shrink()
 * @spec    03 §3.6
 */
export function kmemCacheShrink(state: KernelState, cache: number): void {
  const s = state.slabs
  flushAll(state, cache)
  for (const { nid } of state.nodes) {
    const node = nodeCell(state, cache, nid)
    const rows: number[] = []
    for (let row = s.partial[2 * node]!; row !== 0; row = s.next[row]!) rows.push(row)
    for (const row of rows) removePartial(s, node, row)
    // Equally full slabs keep their order; those with more than 32 free objects are not sorted.
    const free = (row: number): number => Math.min(s.objects[row]! - s.inuse[row]!, 33)
    rows.sort((a, b) => free(a) - free(b))
    for (const row of rows) {
      if (s.inuse[row] === 0) discardSlab(state, cache, row)
      else addPartial(s, node, row, 'tail')
    }
  }
}
