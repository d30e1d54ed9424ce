/**
 * Invariants of the slab allocator, seen from outside.
 * @kernel  mm/slub.c validate_slab_cache()
 * @spec    03 §3.12
 */
import type { KernelState } from '../state'
import { hasFlag, PG_SLAB, PG_TAIL, pageIndex } from './memmap'
import {
  END_OF_LIST,
  OBJECT_IN_USE,
  SLAB_ACTIVE,
  SLAB_CPU_PARTIAL,
  SLAB_FULL,
  SLAB_NODE_PARTIAL,
  SLAB_NONE,
} from './slab_state'
import { NR_SLAB_RECLAIMABLE, NR_SLAB_UNRECLAIMABLE } from './vmstat'

/** @model one sentence for each broken rule */
export function checkSlabs(state: KernelState): string[] {
  const found: string[] = []
  checkRows(state, found)
  checkLists(state, found)
  checkCounters(state, found)
  return found
}

function listLength(nextFree: Int16Array, first: number, head: number, limit: number): number {
  let n = 0
  for (let object = head; object !== END_OF_LIST && n <= limit; object = nextFree[first + object]!) n++
  return n
}

/** Free objects of a slab, lists and marks agree. */
function checkRows(state: KernelState, found: string[]): void {
  const s = state.slabs
  const cpuOfRow: Record<number, number> = {}
  s.cpuSlab.forEach((row, cpu) => {
    if (row !== 0) cpuOfRow[row] = cpu
  })
  for (let row = 1; row < s.rows; row++) {
    if (s.place[row] === SLAB_NONE) continue
    const name = `slab ${row} of ${s.caches[s.cache[row]!]!.name}`
    const first = s.firstObject[row]!
    const objects = s.objects[row]!
    if (!hasFlag(state.memmap, s.pfn[row]!, PG_SLAB) || pageIndex(state.memmap, s.pfn[row]!) !== row)
      found.push(`${name}: frame ${s.pfn[row]} does not know it`)
    for (let i = 1; i < 1 << s.order[row]!; i++)
      if (!hasFlag(state.memmap, s.pfn[row]! + i, PG_TAIL)) found.push(`${name}: frame ${s.pfn[row]! + i} is no tail`)
    let inUse = 0
    for (let i = 0; i < objects; i++) if (s.nextFree[first + i] === OBJECT_IN_USE) inUse++
    const free = listLength(s.nextFree, first, s.freelist[row]!, objects)
    const cpu = cpuOfRow[row]
    const cpuFree = cpu === undefined ? 0 : listLength(s.nextFree, first, s.cpuFreelist[cpu]!, objects)
    if (inUse + free + cpuFree !== objects)
      found.push(`${name}: ${inUse} in use, ${free} and ${cpuFree} on lists, of ${objects}`)
    if (s.inuse[row] !== objects - free)
      found.push(`${name}: inuse ${s.inuse[row]}, but ${free} of ${objects} are free`)
    if ((s.place[row] === SLAB_ACTIVE) !== (cpu !== undefined)) found.push(`${name}: active, but of no CPU`)
    if (s.place[row] === SLAB_FULL && free > 0) found.push(`${name}: on no list with ${free} free objects`)
  }
}

/** Every slab that says it is on a list is on that list, once. */
function checkLists(state: KernelState, found: string[]): void {
  const s = state.slabs
  const seen = new Uint8Array(s.rows)
  const walk = (head: number, place: number, what: string): number => {
    let n = 0
    for (let row = head; row !== 0 && n <= s.rows; row = s.next[row]!) {
      n++
      seen[row]!++
      if (s.place[row] !== place) found.push(`slab ${row} is on ${what} but says ${s.place[row]}`)
    }
    return n
  }
  s.cpuPartial.forEach((head, cpu) => {
    const n = walk(head, SLAB_CPU_PARTIAL, 'a list of a CPU')
    if (n !== s.cpuPartialSlabs[cpu])
      found.push(`cpu cell ${cpu} counts ${s.cpuPartialSlabs[cpu]} partial slabs, has ${n}`)
  })
  s.nrPartial.forEach((count, node) => {
    const n = walk(s.partial[2 * node]!, SLAB_NODE_PARTIAL, 'a list of a node')
    if (n !== count) found.push(`node cell ${node} counts ${count} partial slabs, has ${n}`)
  })
  for (let row = 1; row < s.rows; row++) {
    const wanted = s.place[row] === SLAB_CPU_PARTIAL || s.place[row] === SLAB_NODE_PARTIAL ? 1 : 0
    if (seen[row] !== wanted) found.push(`slab ${row} is on ${seen[row]} lists`)
  }
}

/** nr_slab_* are the pages of the slabs and of large kmallocs. */
function checkCounters(state: KernelState, found: string[]): void {
  const s = state.slabs
  const pages = [0, 0]
  const slabs = new Int32Array(s.nrSlabs.length)
  const objects = new Int32Array(s.nrSlabs.length)
  for (let row = 1; row < s.rows; row++) {
    if (s.place[row] === SLAB_NONE) continue
    const cache = s.cache[row]!
    const node = cache * state.nodes.length + s.nid[row]!
    slabs[node]!++
    objects[node]! += s.objects[row]!
    pages[s.caches[cache]!.isReclaimable ? 0 : 1]! += 1 << s.order[row]!
  }
  s.nrSlabs.forEach((count, node) => {
    if (count !== slabs[node] || s.totalObjects[node] !== objects[node])
      found.push(
        `node cell ${node} counts ${count} slabs and ${s.totalObjects[node]} objects, has ${slabs[node]} and ${objects[node]}`,
      )
  })
  const counted = [NR_SLAB_RECLAIMABLE, NR_SLAB_UNRECLAIMABLE].map((item) =>
    state.nodes.reduce((sum, node) => sum + node.stat[item]!, 0),
  )
  pages[1]! += s.largePages
  for (const i of [0, 1])
    if (counted[i] !== pages[i])
      found.push(`nr_slab_${i === 0 ? '' : 'un'}reclaimable is ${counted[i]}, slabs have ${pages[i]} pages`)
}
