/**
 * Slab caches as a reader from outside sees them: where each slab of a cache is, and one slab opened to its objects.
 * Reads only; nothing here may be used by a mechanism.
 * @kernel  mm/slub.c show_slab_objects(), get_freelist(); as crash's `kmem -S` walks them
 * @spec    03 §3.4
 */
import { PAGE_SIZE, type Bytes, type Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { slabOwners } from './slab_owners'
import {
  END_OF_LIST,
  OBJECT_IN_USE,
  SLAB_ACTIVE,
  SLAB_CPU_PARTIAL,
  SLAB_FULL,
  SLAB_NODE_PARTIAL,
  slabHead,
  slabRow,
} from './slab_state'

export type SlabPlace = 'cpu' | 'cpu partial' | 'node partial' | 'full'

/** One slab. */
export interface SlabPage {
  readonly pfn: Pfn
  readonly nid: number
  readonly order: number
  readonly objects: number
  /** As struct slab counts: all of them while a CPU allocates from it. */
  readonly inuse: number
  /** Free objects on the slab's own freelist. */
  readonly free: number
}

/** What one CPU holds of a cache. */
export interface CpuSlabs {
  readonly cpu: number
  /** The slab that it allocates from. */
  readonly active: SlabPage | undefined
  /** Free objects that only this CPU can take, without a lock. */
  readonly cpuFree: number
  /** Slabs set aside, next one first; at most `limit` of them. */
  readonly partial: readonly SlabPage[]
  readonly nrPartial: number
}

/** What one node holds of a cache. */
export interface NodeSlabs {
  readonly nid: number
  readonly nrSlabs: number
  readonly totalObjects: number
  /** The list, first to be taken first; at most `limit` of them. */
  readonly partial: readonly SlabPage[]
  readonly nrPartial: number
  /** On no list: every object is in use. */
  readonly nrFull: number
}

export interface SlabCacheView {
  readonly name: string
  readonly cpus: readonly CpuSlabs[]
  readonly nodes: readonly NodeSlabs[]
  /** First slabs without a free object, at most `limit`; they are on no list. */
  readonly full: readonly SlabPage[]
}

/** What one object of a slab is. */
export interface SlabObject {
  readonly address: Bytes
  /** 'cpu' and 'slab' name the freelist that a free object is on. */
  readonly state: 'used' | 'free on cpu' | 'free on slab'
  /** Its place on that list, 0 = handed out first; −1 when in use. */
  readonly position: number
  /** Group that pays for it, 0 none. */
  readonly memcg: number
  /** 'task 171 (hog)', 'inode 12 (ext4)': who keeps it, as far as anybody remembers; '' = nobody knows. */
  readonly owner: string
}

export interface SlabObjectsView {
  readonly cache: string
  readonly place: SlabPlace
  /** CPU whose slab it is, −1 none. */
  readonly cpu: number
  readonly slab: SlabPage
  readonly sizeBytes: Bytes
  readonly objectSizeBytes: Bytes
  readonly list: readonly SlabObject[]
}

const PLACES: Readonly<Record<number, SlabPlace>> = {
  [SLAB_ACTIVE]: 'cpu',
  [SLAB_CPU_PARTIAL]: 'cpu partial',
  [SLAB_NODE_PARTIAL]: 'node partial',
  [SLAB_FULL]: 'full',
}

/** Objects of a freelist, first one first. */
function listed(state: KernelState, row: number, head: number): number[] {
  const s = state.slabs
  const found: number[] = []
  for (let object = head; object !== END_OF_LIST; object = s.nextFree[s.firstObject[row]! + object]!) found.push(object)
  return found
}

function pageOf(state: KernelState, row: number): SlabPage {
  const s = state.slabs
  return {
    pfn: s.pfn[row]!,
    nid: s.nid[row]!,
    order: s.order[row]!,
    objects: s.objects[row]!,
    inuse: s.inuse[row]!,
    free: listed(state, row, s.freelist[row]!).length,
  }
}

function chain(state: KernelState, first: number, limit: number): SlabPage[] {
  const found: SlabPage[] = []
  for (let row = first; row !== 0 && found.length < limit; row = state.slabs.next[row]!) found.push(pageOf(state, row))
  return found
}

function cpuSlabs(state: KernelState, cache: number, cpu: number, limit: number): CpuSlabs {
  const s = state.slabs
  const cell = cache * state.cpuNode.length + cpu
  const row = s.cpuSlab[cell]!
  return {
    cpu,
    active: row === 0 ? undefined : pageOf(state, row),
    cpuFree: row === 0 ? 0 : listed(state, row, s.cpuFreelist[cell]!).length,
    partial: chain(state, s.cpuPartial[cell]!, limit),
    nrPartial: s.cpuPartialSlabs[cell]!,
  }
}

/** Rows of the cache that no list leads to. */
function fullRows(state: KernelState, cache: number): number[] {
  const s = state.slabs
  const rows: number[] = []
  for (let row = 1; row < s.rows; row++) if (s.cache[row] === cache && s.place[row] === SLAB_FULL) rows.push(row)
  return rows
}

/**
 * Where the slabs of one cache are.
 * @param cache  its number, see findCache()
 * @param limit  slabs of each list that are described; the counts are of all
 * @kernel  mm/slub.c show_slab_objects()
 */
export function slabCacheView(state: KernelState, cache: number, limit = 64): SlabCacheView {
  const s = state.slabs
  const full = fullRows(state, cache)
  const nodes = state.nodes.map(({ nid }): NodeSlabs => {
    const cell = cache * state.nodes.length + nid
    return {
      nid,
      nrSlabs: s.nrSlabs[cell]!,
      totalObjects: s.totalObjects[cell]!,
      partial: chain(state, s.partial[2 * cell]!, limit),
      nrPartial: s.nrPartial[cell]!,
      nrFull: full.filter((row) => s.nid[row] === nid).length,
    }
  })
  return {
    name: s.caches[cache]!.name,
    cpus: state.cpuNode.map((_, cpu) => cpuSlabs(state, cache, cpu, limit)),
    nodes,
    full: full.slice(0, limit).map((row) => pageOf(state, row)),
  }
}

/**
 * One slab opened to its objects, in the order of their addresses.
 * @param pfn  any frame of the slab
 * @returns undefined when the frame belongs to no slab (a large kmalloc is none)
 * @kernel  mm/slub.c __fill_map()
 */
export function slabObjectsView(state: KernelState, pfn: Pfn): SlabObjectsView | undefined {
  const s = state.slabs
  const head = slabHead(state.memmap, pfn)
  const row = head === 0 ? 0 : slabRow(state.memmap, head)
  if (row === 0 || s.pfn[row] !== head) return undefined
  const cache = s.caches[s.cache[row]!]!
  const cpus = state.cpuNode.length
  const cpu = state.cpuNode.findIndex((_, n) => s.cpuSlab[s.cache[row]! * cpus + n] === row)
  const onSlab = listed(state, row, s.freelist[row]!)
  const onCpu = cpu < 0 ? [] : listed(state, row, s.cpuFreelist[s.cache[row]! * cpus + cpu]!)
  const from = head * PAGE_SIZE
  const owners = slabOwners(state, from, from + (PAGE_SIZE << s.order[row]!))
  const list = Array.from({ length: s.objects[row]! }, (_, object): SlabObject => {
    const cell = s.firstObject[row]! + object
    const isUsed = s.nextFree[cell] === OBJECT_IN_USE
    const address = from + object * cache.size
    const list = isUsed ? [] : onCpu.includes(object) ? onCpu : onSlab
    return {
      address,
      state: isUsed ? 'used' : list === onCpu ? 'free on cpu' : 'free on slab',
      position: list.indexOf(object),
      memcg: s.memcg[cell]!,
      owner: isUsed ? (owners.find((row) => row.address === address)?.owner ?? '') : '',
    }
  })
  return {
    cache: cache.name,
    place: PLACES[s.place[row]!]!,
    cpu,
    slab: pageOf(state, row),
    sizeBytes: cache.size,
    objectSizeBytes: cache.objectSize,
    list,
  }
}
