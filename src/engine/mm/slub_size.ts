/**
 * Arithmetic of a slab cache: how large an object becomes, how many fit into a slab, and how many slabs are kept.
 * Apart, because it is the same for every cache and needs no machine.
 * @kernel  mm/slub.c calculate_sizes(), calculate_order(), set_min_partial(), set_cpu_partial()
 * @spec    03 §3.1–§3.3
 */
import { assert } from '../../util/assert'
import { PAGE_SIZE, type Bytes } from '../../util/units'

/** @kernel slab_max_order */
export const SLAB_MAX_ORDER = 3
const MAX_OBJS_PER_PAGE = 32767
const MIN_PARTIAL = 5
const MAX_PARTIAL = 10
const WORD = 8

export interface SlabGeometry {
  /** Bytes from one object to the next. */
  readonly size: Bytes
  readonly order: number
  readonly objects: number
  /** Order and objects of a slab when the large one cannot be had. */
  readonly minOrder: number
  readonly minOrderObjects: number
  /** Partial slabs that a node keeps even when they are empty. Can be written. */
  minPartial: number
  /** Free objects that a CPU may keep in partial slabs, and the slabs that this makes. */
  cpuPartial: number
  cpuPartialSlabs: number
}

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to
/** Bits that a number needs. @kernel fls() */
const fls = (n: number): number => 32 - Math.clz32(n)

/** Smallest order that holds so many bytes. @kernel get_order() */
export const orderOfBytes = (bytes: Bytes): number => fls(Math.ceil(bytes / PAGE_SIZE) - 1)

const clamp = (n: number, low: number, high: number): number => Math.min(Math.max(n, low), high)

/**
 * Bytes from one object to the next.
 * @param isPointerOutside  the free pointer may not lie in the object (constructor, or readers under RCU)
 * @kernel  mm/slub.c calculate_sizes()
 * @spec    03 §3.1
 * @simplifies  no debugging: no red zones, poison or tracks
 */
export function slabSize(objectSize: Bytes, align: Bytes, isPointerOutside: boolean): Bytes {
  const inuse = roundUp(objectSize, WORD)
  return roundUp(isPointerOutside ? inuse + WORD : inuse, Math.max(align, WORD))
}

/** Smallest order from `minOrder` on that wastes at most 1/fraction of the slab; −1 none. @kernel calc_slab_order() */
function calcSlabOrder(size: Bytes, minOrder: number, fraction: number): number {
  if (Math.floor((PAGE_SIZE << minOrder) / size) > MAX_OBJS_PER_PAGE) return orderOfBytes(size * MAX_OBJS_PER_PAGE) - 1
  for (let order = minOrder; order <= SLAB_MAX_ORDER; order++) {
    const bytes = PAGE_SIZE << order
    if (bytes % size <= Math.floor(bytes / fraction)) return order
  }
  return -1
}

/** @kernel mm/slub.c calculate_order() @spec 03 §3.2 */
export function calculateOrder(size: Bytes, cpus: number, series: '6.1' | '6.12'): number {
  assert(cpus > 0 && size > 0, `slab order for ${size} bytes on ${cpus} CPUs`)
  const maxObjects = Math.max(Math.floor((PAGE_SIZE << SLAB_MAX_ORDER) / size), 1)
  let minObjects = Math.min(4 * (fls(cpus) + 1), maxObjects)
  for (;;) {
    const minOrder = orderOfBytes(minObjects * size)
    for (let fraction = 16; fraction >= (series === '6.1' ? 4 : 2); fraction /= 2) {
      const order = calcSlabOrder(size, minOrder, fraction)
      if (order >= 0) return order
    }
    // 6.1 asks for fewer objects before it gives up.
    if (series !== '6.1' || minObjects <= 2) return orderOfBytes(size)
    minObjects--
  }
}

/** Free objects that a CPU may keep aside. @kernel mm/slub.c set_cpu_partial() @spec 03 §3.3 */
function cpuPartialObjects(size: Bytes): number {
  if (size >= PAGE_SIZE) return 6
  if (size >= 1024) return 24
  return size >= 256 ? 52 : 120
}

/**
 * @param cpus  present CPUs
 * @kernel  mm/slub.c kmem_cache_open()
 * @spec    03 §3.1–§3.3
 */
export function slabGeometry(size: Bytes, cpus: number, series: '6.1' | '6.12'): SlabGeometry {
  const order = calculateOrder(size, cpus, series)
  const objects = Math.floor((PAGE_SIZE << order) / size)
  const minOrder = orderOfBytes(size)
  const cpuPartial = cpuPartialObjects(size)
  return {
    size,
    order,
    objects,
    minOrder,
    minOrderObjects: Math.floor((PAGE_SIZE << minOrder) / size),
    minPartial: clamp((fls(size) - 1) >> 1, MIN_PARTIAL, MAX_PARTIAL),
    cpuPartial,
    cpuPartialSlabs: Math.ceil((cpuPartial * 2) / objects),
  }
}
