/**
 * The slab allocator: objects of one kind in blocks of pages. A CPU takes objects from its own slab without a lock, then
 * from slabs that it set aside, then from the lists of its node, and only then asks the page allocator.
 * @kernel  mm/slub.c
 * @spec    03 §3.4–§3.6
 * @simplifies  objects of a new slab are handed out by address (the kernel shuffles them); other nodes are always searched
 *              (98 of 100 attempts do); no sheaves
 */
import { AssertionError } from '../../util/assert'
import { PAGE_SIZE } from '../../util/units'
import { isSuspended } from '../exec'
import type { KernelState } from '../state'
import { TRACE_CACHE_ALLOC, TRACE_CACHE_FREE, emit, isWanted } from '../trace'
import { GFP_BIT_ACCOUNT } from './gfp'
import { memcgChargeSlab, memcgUnchargeSlab } from './memcontrol'
import { currentObjCgroup } from './obj_cgroup'
import { END_OF_LIST, OBJECT_IN_USE, SLAB_ACTIVE, SLAB_FULL, SLAB_NODE_PARTIAL, slabHead, slabRow } from './slab_state'
import { slabOutOfMemory } from './slab_oom'
import { activate, cpuCell, nodeCell, putCpuPartial, removePartial } from './slub_list'
import { discardSlab, newSlab } from './slub_page'
import {
  ALLOC_FASTPATH,
  ALLOC_FROM_PARTIAL,
  ALLOC_REFILL,
  ALLOC_SLAB,
  CPU_PARTIAL_ALLOC,
  CPU_PARTIAL_DRAIN,
  CPU_PARTIAL_FREE,
  FREE_FASTPATH,
  FREE_FROZEN,
  FREE_SLAB,
  FREE_SLOWPATH,
} from './slub_path'
import { flushCpuPartial, flushCpuSlab } from './slub_shrink'

/** An object that is charged carries a pointer to its group. @kernel mm/slab.h obj_full_size() */
const OBJ_CGROUP_BYTES = 8

// ---------------------------------------------------------------- allocate

/** The request had no node of its own. @kernel NUMA_NO_NODE */
const NO_NODE = -1

/**
 * One object.
 * @param cache  its number, see cacheNumber()
 * @returns its physical address; 0 when there is no memory, the charge was refused, or the operation has to wait
 * @kernel  mm/slub.c kmem_cache_alloc()
 * @spec    03 §3.5, 07 §7.3
 * @simplifies  the group is charged before the object is taken, 6.12 does it after
 */
export function kmemCacheAlloc(state: KernelState, cache: number, gfp: number): number {
  const address = allocCharged(state, cache, gfp)
  if (isWanted(TRACE_CACHE_ALLOC)) {
    const { name, objectSize, size, isAccounted } = state.slabs.caches[cache]!
    const accounted = Number(isAccounted || (gfp & GFP_BIT_ACCOUNT) !== 0)
    emit(state, 'kmem_cache_alloc', [address, objectSize, size, gfp, NO_NODE, accounted], name)
  }
  return address
}

/** The same without its tracepoint, for kmalloc, which has one of its own. @kernel mm/slub.c slab_alloc_node() */
export function allocCharged(state: KernelState, cache: number, gfp: number): number {
  const s = state.slabs
  const { isAccounted, isReclaimable, size } = s.caches[cache]!
  let memcg = 0
  if (isAccounted || (gfp & GFP_BIT_ACCOUNT) !== 0) memcg = currentObjCgroup(state)
  const bytes = size + OBJ_CGROUP_BYTES
  if (memcg !== 0 && memcgChargeSlab(state, memcg, bytes, { isReclaimable, gfp }) !== 'ok') return 0
  const address = slabAlloc(state, cache, gfp)
  if (memcg === 0) return address
  if (address === 0) memcgUnchargeSlab(state, memcg, bytes, { isReclaimable })
  else s.memcg[objectAt(state, address).cell] = memcg
  return address
}

/** @kernel mm/slub.c slab_alloc_node() */
function slabAlloc(state: KernelState, cache: number, gfp: number): number {
  const s = state.slabs
  const cpu = cpuCell(state, cache)
  s.path = ALLOC_FASTPATH
  if (s.cpuFreelist[cpu]! === END_OF_LIST && !newActiveSlab(state, cache, cpu, gfp)) return 0
  const row = s.cpuSlab[cpu]!
  const object = s.cpuFreelist[cpu]!
  const cell = s.firstObject[row]! + object
  s.cpuFreelist[cpu] = s.nextFree[cell]!
  s.nextFree[cell] = OBJECT_IN_USE
  return s.pfn[row]! * PAGE_SIZE + object * s.caches[cache]!.size
}

/**
 * Many objects that nobody in particular pays for: slab by slab, in the order in which kmemCacheAlloc() would give them.
 * @returns how many there were
 * @kernel  mm/slub.c kmem_cache_alloc_bulk()
 */
export function kmemCacheAllocBulk(state: KernelState, cache: number, gfp: number, count: number): number {
  const s = state.slabs
  const cpu = cpuCell(state, cache)
  let left = count
  while (left > 0) {
    if (s.cpuFreelist[cpu]! === END_OF_LIST && !newActiveSlab(state, cache, cpu, gfp)) break
    const { nextFree } = s
    const first = s.firstObject[s.cpuSlab[cpu]!]!
    let object = s.cpuFreelist[cpu]!
    for (; object !== END_OF_LIST && left > 0; left--) {
      const cell = first + object
      object = nextFree[cell]!
      nextFree[cell] = OBJECT_IN_USE
    }
    s.cpuFreelist[cpu] = object
  }
  return count - left
}

/** The slow path: a slab with free objects becomes this CPU's. @kernel mm/slub.c ___slab_alloc() */
function newActiveSlab(state: KernelState, cache: number, cpu: number, gfp: number): boolean {
  const s = state.slabs
  const active = s.cpuSlab[cpu]!
  if (active !== 0) {
    // Objects that other CPUs have given back to it.
    if (s.freelist[active] !== END_OF_LIST) {
      activate(s, cpu, active)
      s.path = ALLOC_REFILL
      return true
    }
    s.place[active] = SLAB_FULL
    s.cpuSlab[cpu] = 0
  }
  const first = s.cpuPartial[cpu]!
  if (first !== 0) {
    s.cpuPartial[cpu] = s.next[first]!
    s.cpuPartialSlabs[cpu]!--
    activate(s, cpu, first)
    s.path = CPU_PARTIAL_ALLOC
    return true
  }
  if (takePartial(state, cache, cpu)) {
    s.path = ALLOC_FROM_PARTIAL
    return true
  }
  const row = newSlab(state, cache, gfp)
  if (row === 0) {
    if (!isSuspended(state)) slabOutOfMemory(state, cache, gfp)
    return false
  }
  // Reclaim may have allocated from this cache meanwhile.
  if (s.cpuSlab[cpu] !== 0) flushCpuSlab(state, cache, cpu)
  activate(s, cpu, row)
  s.path = ALLOC_SLAB
  return true
}

/** From the node's own list, else from a node that has more than it must keep. @kernel mm/slub.c get_partial() */
function takePartial(state: KernelState, cache: number, cpu: number): boolean {
  const s = state.slabs
  const own = state.cpuNode[state.exec.cpu]!
  if (takePartialOfNode(state, cache, cpu, own)) return true
  if (state.nodes.length === 1 || s.caches[cache]!.remoteNodeDefragRatio === 0) return false
  for (const index of state.nodes[own]!.zonelist) {
    const { nid } = state.zones[index]!
    if (nid === own || s.nrPartial[nodeCell(state, cache, nid)]! <= s.caches[cache]!.minPartial) continue
    if (takePartialOfNode(state, cache, cpu, nid)) return true
  }
  return false
}

/** The first slab becomes active, some more are set aside for the CPU. @kernel mm/slub.c get_partial_node() */
function takePartialOfNode(state: KernelState, cache: number, cpu: number, nid: number): boolean {
  const s = state.slabs
  const node = nodeCell(state, cache, nid)
  const row = s.partial[2 * node]!
  if (row === 0) return false
  removePartial(s, node, row)
  activate(s, cpu, row)
  if (s.caches[cache]!.cpuPartialSlabs === 0) return true
  const most = s.caches[cache]!.cpuPartialSlabs >> 1
  for (let moved = 0; moved <= most && s.partial[2 * node] !== 0; moved++) {
    const more = s.partial[2 * node]!
    removePartial(s, node, more)
    putCpuPartial(state, cache, cpu, more)
  }
  return true
}

// ---------------------------------------------------------------- free

/** The object's slab and its cell in the object columns. */
interface ObjectPlace {
  row: number
  object: number
  cell: number
}
const found: ObjectPlace = { row: 0, object: 0, cell: 0 }

/** One object, reused: copy what must last. Throws when there is no object at the address. */
function objectAt(state: KernelState, address: number): ObjectPlace {
  const s = state.slabs
  const head = slabHead(state.memmap, Math.floor(address / PAGE_SIZE))
  if (head === 0) throw new AssertionError(`address ${address} is not in a slab`)
  found.row = slabRow(state.memmap, head)
  found.object = (address - head * PAGE_SIZE) / s.caches[s.cache[found.row]!]!.size
  found.cell = s.firstObject[found.row]! + found.object
  if (!Number.isInteger(found.object)) throw new AssertionError(`address ${address} is inside an object`)
  return found
}

/**
 * Whether an address is an object in use, for checks from outside.
 * @kernel  mm/slub.c check_object()
 */
export function isObjectInUse(state: KernelState, address: number): boolean {
  if (slabHead(state.memmap, Math.floor(address / PAGE_SIZE)) === 0) return false
  return state.slabs.nextFree[objectAt(state, address).cell] === OBJECT_IN_USE
}

/** Group that pays for an object, 0 none. @kernel mm/memcontrol.c mem_cgroup_from_slab_obj() */
export const objectMemcg = (state: KernelState, address: number): number =>
  state.slabs.memcg[objectAt(state, address).cell]!

/** Node of an object's memory. @kernel slab_nid() */
export const objectNid = (state: KernelState, address: number): number => state.slabs.nid[objectAt(state, address).row]!

/**
 * Gives an object back and uncharges it.
 * @kernel  mm/slub.c kmem_cache_free()
 * @spec    03 §3.6
 */
export function kmemCacheFree(state: KernelState, address: number): void {
  if (isWanted(TRACE_CACHE_FREE)) {
    const { row } = objectAt(state, address)
    emit(state, 'kmem_cache_free', [address], state.slabs.caches[state.slabs.cache[row]!]!.name)
  }
  freeCharged(state, address)
}

/** The same without its tracepoint, for kfree. @kernel mm/slub.c slab_free() */
export function freeCharged(state: KernelState, address: number): void {
  const s = state.slabs
  const { row, object, cell } = objectAt(state, address)
  if (s.nextFree[cell] !== OBJECT_IN_USE) throw new AssertionError(`object at ${address} is freed twice`)
  const cache = s.cache[row]!
  const memcg = s.memcg[cell]!
  const { size, isReclaimable } = s.caches[cache]!
  if (memcg !== 0) {
    s.memcg[cell] = 0
    memcgUnchargeSlab(state, memcg, size + OBJ_CGROUP_BYTES, { isReclaimable })
  }
  const cpu = cpuCell(state, cache)
  if (s.cpuSlab[cpu] === row) {
    s.nextFree[cell] = s.cpuFreelist[cpu]!
    s.cpuFreelist[cpu] = object
    s.path = FREE_FASTPATH
  } else freeToSlab(state, { cache, row, object, cpu })
}

/** @kernel mm/slub.c __slab_free() */
function freeToSlab(state: KernelState, at: { cache: number; row: number; object: number; cpu: number }): void {
  const s = state.slabs
  const { cache, row, object, cpu } = at
  s.nextFree[s.firstObject[row]! + object] = s.freelist[row]!
  s.freelist[row] = object
  s.inuse[row]!--
  s.path = s.place[row] === SLAB_ACTIVE ? FREE_FROZEN : FREE_SLOWPATH
  if (s.place[row] === SLAB_FULL) {
    s.path = CPU_PARTIAL_FREE
    if (s.cpuPartial[cpu] !== 0 && s.cpuPartialSlabs[cpu]! >= s.caches[cache]!.cpuPartialSlabs) {
      flushCpuPartial(state, cache, cpu)
      s.path = CPU_PARTIAL_DRAIN
    }
    putCpuPartial(state, cache, cpu, row)
  } else if (s.place[row] === SLAB_NODE_PARTIAL && s.inuse[row] === 0) {
    const node = nodeCell(state, cache, s.nid[row]!)
    if (s.nrPartial[node]! < s.caches[cache]!.minPartial) return
    removePartial(s, node, row)
    discardSlab(state, cache, row)
    s.path = FREE_SLAB
  }
}
