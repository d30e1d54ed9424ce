/**
 * All slab caches at a glance: slabtop's figures, where the slabs are, and what of their memory holds no object. Reads only.
 * @kernel  mm/slub.c get_slabinfo(), show_slab_objects()
 * @spec    03 §3.4, §3.11
 */
import { PAGE_SIZE, type Bytes, type Pages } from '../../util/units'
import type { KernelState } from '../state'
import { slabCounts } from './slab_stat'
import {
  END_OF_LIST,
  SLAB_ACTIVE,
  SLAB_CPU_PARTIAL,
  SLAB_FULL,
  SLAB_NODE_PARTIAL,
  SLAB_NONE,
  type Slabs,
} from './slab_state'

/**
 * One cache. Its pages are, to the byte, used × objectSize + padding + free objects + slab tails.
 */
export interface SlabTotals {
  readonly name: string
  readonly aliases: readonly string[]
  readonly isReclaimable: boolean
  readonly isAccounted: boolean
  readonly objectSizeBytes: Bytes
  /** From one object to the next. */
  readonly sizeBytes: Bytes
  readonly objectsPerSlab: number
  readonly order: number
  /** As /proc/slabinfo counts: free objects that a CPU holds are active. */
  readonly activeObjects: number
  readonly objects: number
  readonly slabs: number
  readonly pages: Pages
  /** Slabs by place. */
  readonly onCpu: number
  readonly cpuPartial: number
  readonly nodePartial: number
  readonly full: number
  /** Free objects wherever they are: on a CPU's freelist or on the slab's own. */
  readonly freeObjects: number
  /** Bytes of free objects. */
  readonly freeBytes: Bytes
  /** Bytes between the end of an object in use and the next one. */
  readonly paddingBytes: Bytes
  /** Bytes behind the last object of each slab. */
  readonly tailBytes: Bytes
}

/** Sums over the slabs of each cache. */
interface Sums {
  readonly pages: Float64Array
  readonly objects: Float64Array
  readonly free: Float64Array
  /** Cell cache * 5 + place. */
  readonly places: Int32Array
}

const PLACES = 5

function sumSlabs(s: Slabs): Sums {
  const n = s.caches.length
  const sums: Sums = {
    pages: new Float64Array(n),
    objects: new Float64Array(n),
    free: new Float64Array(n),
    places: new Int32Array(n * PLACES),
  }
  for (let row = 1; row < s.rows; row++) {
    const place = s.place[row]!
    if (place === SLAB_NONE) continue
    const cache = s.cache[row]!
    sums.pages[cache]! += 1 << s.order[row]!
    sums.objects[cache]! += s.objects[row]!
    sums.free[cache]! += s.objects[row]! - s.inuse[row]!
    sums.places[cache * PLACES + place]!++
  }
  return sums
}

/** Free objects that CPUs hold of a cache: the slab counts them as in use. */
function heldByCpus(state: KernelState, cache: number): number {
  const s = state.slabs
  const cpus = state.cpuNode.length
  let held = 0
  for (let cell = cache * cpus; cell < (cache + 1) * cpus; cell++) {
    const first = s.firstObject[s.cpuSlab[cell]!]!
    for (let object = s.cpuFreelist[cell]!; object !== END_OF_LIST; object = s.nextFree[first + object]!) held++
  }
  return held
}

/**
 * Every cache, oldest first. One pass over all slabs.
 * @kernel  mm/slab_common.c slab_show(), tools/mm/slabinfo.c
 * @spec    03 §3.11
 */
export function slabTotals(state: KernelState): SlabTotals[] {
  const s = state.slabs
  const sums = sumSlabs(s)
  return s.caches.map((cache, i) => {
    const { activeObjects, objects, slabs } = slabCounts(state, i)
    const place = (at: number): number => sums.places[i * PLACES + at]!
    const freeObjects = sums.free[i]! + heldByCpus(state, i)
    const pages = sums.pages[i]!
    return {
      name: cache.name,
      aliases: cache.aliases.filter((alias) => alias !== cache.name),
      isReclaimable: cache.isReclaimable,
      isAccounted: cache.isAccounted,
      objectSizeBytes: cache.objectSize,
      sizeBytes: cache.size,
      objectsPerSlab: cache.objects,
      order: cache.order,
      activeObjects,
      objects,
      slabs,
      pages,
      onCpu: place(SLAB_ACTIVE),
      cpuPartial: place(SLAB_CPU_PARTIAL),
      nodePartial: place(SLAB_NODE_PARTIAL),
      full: place(SLAB_FULL),
      freeObjects,
      freeBytes: freeObjects * cache.size,
      paddingBytes: (sums.objects[i]! - freeObjects) * (cache.size - cache.objectSize),
      tailBytes: pages * PAGE_SIZE - sums.objects[i]! * cache.size,
    }
  })
}
