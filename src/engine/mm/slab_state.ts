/**
 * Slab caches as plain data: what a cache is, its slabs and their objects in columns, and how to find them.
 * A slab's row never leaves its cache, so that the piece of the object columns that belongs to it never moves.
 * @kernel  mm/slab.h struct kmem_cache, struct slab; include/linux/slub_def.h struct kmem_cache_cpu
 * @spec    03 §3.4
 */
import { assert } from '../../util/assert'
import type { Bytes, Pages, Pfn } from '../../util/units'
import type { MachineConfig } from '../config'
import { hasFlag, PG_SLAB, pageIndex, pageOrder, type MemMap } from './memmap'
import { slabCacheTable } from './slab_cache_facts'
import { slabGeometry, slabSize, type SlabGeometry } from './slub_size'

export interface KmemCache extends SlabGeometry {
  /** Name of the first cache that was created with this shape; what slabinfo prints. */
  readonly name: string
  /** ':A-0000192' when others may be merged into it, else ''. */
  readonly sysfsId: string
  /** All names that lead here when it is mergeable. */
  readonly aliases: readonly string[]
  readonly objectSize: Bytes
  readonly align: Bytes
  readonly isReclaimable: boolean
  /** Every object is charged to the group of the task that asks for it. */
  readonly isAccounted: boolean
  readonly isDma: boolean
  /** 0 … 100: how readily slabs of other nodes are taken; 0 = never. Can be written. */
  remoteNodeDefragRatio: number
}

/** Where a slab is. */
export const SLAB_NONE = 0
/** The slab that a CPU allocates from. */
export const SLAB_ACTIVE = 1
export const SLAB_CPU_PARTIAL = 2
export const SLAB_NODE_PARTIAL = 3
/** On no list. */
export const SLAB_FULL = 4

/** In nextFree: the object is in use, or ends a list. */
export const OBJECT_IN_USE = -2
export const END_OF_LIST = -1

export interface Slabs {
  readonly caches: readonly KmemCache[]
  /** Names, aliases included → number of the cache. */
  readonly byName: Readonly<Record<string, number>>
  /** Cell cache * CPUs + CPU: row of the active slab (0 none), its next free object, and the CPU's partial slabs. */
  readonly cpuSlab: Int32Array
  readonly cpuFreelist: Int16Array
  readonly cpuPartial: Int32Array
  readonly cpuPartialSlabs: Int32Array
  /** Cell cache * nodes + node; [first, last] of the partial list at twice that. */
  readonly nrSlabs: Int32Array
  readonly totalObjects: Int32Array
  readonly nrPartial: Int32Array
  readonly partial: Int32Array
  /** Row of a slab that was given back, for each cache; linked through `next`. */
  readonly freeRow: Int32Array
  /** Rows and objects handed out so far; the columns below are longer. Row 0 is nobody's. */
  rows: number
  objectRows: number
  pfn: Int32Array
  cache: Uint16Array
  nid: Uint8Array
  order: Uint8Array
  objects: Uint16Array
  /** Objects in use; all of them while the slab is a CPU's active one. */
  inuse: Uint16Array
  freelist: Int16Array
  place: Uint8Array
  next: Int32Array
  prev: Int32Array
  /** First cell of the slab's objects in the two columns below. */
  firstObject: Int32Array
  nextFree: Int16Array
  /** Group that the object is charged to, 0 none. */
  memcg: Uint16Array
  /** Pages of allocations that are too large for a cache. Owner: mm/kmalloc.ts */
  largePages: Pages
  /** Pages that went back to the page allocator, ever. @kernel mm_account_reclaimed_pages() */
  discardedPages: Pages
  /** Which way the last allocation or free took. Owner: mm/slub.ts; names in mm/slub_path.ts */
  path: number
}

/** @kernel mm/slab_common.c create_boot_cache(): the struct ends with a pointer for each node */
const objectBytes = (name: string, bytes: Bytes, nodes: number): Bytes =>
  name === 'kmem_cache' ? bytes + 8 * nodes : bytes

/** Caches of the configured kernel, all empty. @kernel mm/slub.c kmem_cache_init() */
export function createSlabs(config: Pick<MachineConfig, 'series' | 'release'>, cpus: number, nodes: number): Slabs {
  const byName: Record<string, number> = {}
  const caches = slabCacheTable(config).map(([name, sysfsId, bytes, align, flags, , , merged], i): KmemCache => {
    const objectSize = objectBytes(name, bytes, nodes)
    const aliases = merged === '' ? [] : merged.split(' ')
    for (const alias of [name, ...aliases]) byName[alias] = i
    return {
      name,
      sysfsId,
      aliases,
      objectSize,
      align,
      isReclaimable: flags.includes('a'),
      isAccounted: flags.includes('A'),
      isDma: flags.includes('d'),
      remoteNodeDefragRatio: 100,
      ...slabGeometry(slabSize(objectSize, align, flags.includes('F')), cpus, config.series),
    }
  })
  const perCpu = caches.length * cpus
  const perNode = caches.length * nodes
  const rows = 1024
  return {
    caches,
    byName,
    cpuSlab: new Int32Array(perCpu),
    cpuFreelist: new Int16Array(perCpu).fill(END_OF_LIST),
    cpuPartial: new Int32Array(perCpu),
    cpuPartialSlabs: new Int32Array(perCpu),
    nrSlabs: new Int32Array(perNode),
    totalObjects: new Int32Array(perNode),
    nrPartial: new Int32Array(perNode),
    partial: new Int32Array(2 * perNode),
    freeRow: new Int32Array(caches.length),
    rows: 1,
    objectRows: 0,
    pfn: new Int32Array(rows),
    cache: new Uint16Array(rows),
    nid: new Uint8Array(rows),
    order: new Uint8Array(rows),
    objects: new Uint16Array(rows),
    inuse: new Uint16Array(rows),
    freelist: new Int16Array(rows),
    place: new Uint8Array(rows),
    next: new Int32Array(rows),
    prev: new Int32Array(rows),
    firstObject: new Int32Array(rows),
    nextFree: new Int16Array(rows * 16),
    memcg: new Uint16Array(rows * 16),
    largePages: 0,
    discardedPages: 0,
    path: 0,
  }
}

/**
 * Number of a cache by its name or by that of a cache that was merged into it.
 * @returns −1 when this kernel has no such cache
 * @kernel  mm/slab_common.c find_mergeable()
 */
export const findCache = (s: Slabs, name: string): number => (Object.hasOwn(s.byName, name) ? s.byName[name]! : -1)

/** @kernel mm/slab_common.c find_mergeable() */
export function cacheNumber(s: Slabs, name: string): number {
  const cache = findCache(s, name)
  assert(cache >= 0, `there is no slab cache ${name}`)
  return cache
}

/** First frame of the slab that holds the frame; 0 when it belongs to none. @kernel virt_to_slab() */
export function slabHead(m: MemMap, pfn: Pfn): Pfn {
  for (let order = 0; order <= 10; order++) {
    const head = pfn & ~((1 << order) - 1)
    if (hasFlag(m, head, PG_SLAB)) return pageOrder(m, head) >= order ? head : 0
  }
  return 0
}

/** Row of the slab that begins at the frame. */
export const slabRow = (m: MemMap, head: Pfn): number => pageIndex(m, head)

type Grown = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array

function grown<T extends Grown>(column: T, length: number): T {
  const longer = new (column.constructor as new (n: number) => T)(length)
  longer.set(column as never)
  return longer
}

function growRows(s: Slabs): void {
  const n = s.pfn.length * 2
  s.pfn = grown(s.pfn, n)
  s.cache = grown(s.cache, n)
  s.nid = grown(s.nid, n)
  s.order = grown(s.order, n)
  s.objects = grown(s.objects, n)
  s.inuse = grown(s.inuse, n)
  s.freelist = grown(s.freelist, n)
  s.place = grown(s.place, n)
  s.next = grown(s.next, n)
  s.prev = grown(s.prev, n)
  s.firstObject = grown(s.firstObject, n)
}

/** A row for a new slab of the cache: one that was given back, or a fresh one. @model rows stand for struct slab */
export function takeRow(s: Slabs, cache: number): number {
  const used = s.freeRow[cache]!
  if (used !== 0) {
    s.freeRow[cache] = s.next[used]!
    return used
  }
  if (s.rows === s.pfn.length) growRows(s)
  const row = s.rows++
  s.cache[row] = cache
  s.firstObject[row] = s.objectRows
  const geometry = s.caches[cache]!
  s.objectRows += Math.max(geometry.objects, geometry.minOrderObjects)
  if (s.objectRows > s.nextFree.length) {
    const n = Math.max(s.objectRows, s.nextFree.length * 2)
    s.nextFree = grown(s.nextFree, n)
    s.memcg = grown(s.memcg, n)
  }
  return row
}

/** The slab of this row is gone. @model rows stand for struct slab */
export function giveRow(s: Slabs, row: number): void {
  const cache = s.cache[row]!
  s.place[row] = SLAB_NONE
  s.pfn[row] = 0
  s.next[row] = s.freeRow[cache]!
  s.freeRow[cache] = row
}
