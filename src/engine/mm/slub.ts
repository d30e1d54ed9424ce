/**
 * The slab allocator: objects of one kind in blocks of pages. A CPU takes objects from its own slab without a lock, then
 * from slabs that it set aside, then from the lists of its node, and only then asks the page allocator.
 * @kernel  mm/slub.c
 * @spec    03 §3.4–§3.6
 * @simplifies  objects of a new slab are handed out by address (the kernel shuffles them); other nodes are always searched
 *              (98 of 100 attempts do); no sheaves
 */
import { assert, AssertionError } from '../../util/assert'
import { PAGE_SIZE } from '../../util/units'
import { taskMemcg } from '../cgroup'
import { currentTask } from '../exec'
import type { KernelState } from '../state'
import {
  GFP_BIT_ACCOUNT,
  GFP_BIT_COMP,
  GFP_BIT_DIRECT_RECLAIM,
  GFP_BIT_DMA,
  GFP_BIT_NOFAIL,
  GFP_BIT_NOMEMALLOC,
  GFP_BIT_NORETRY,
  GFP_BIT_NOWARN,
  GFP_BIT_RECLAIMABLE,
  GFP_RECLAIM,
} from './gfp'
import { memcgChargeSlab, memcgUnchargeSlab, ROOT_MEMCG } from './memcontrol'
import { PG_SLAB, PG_TAIL, pageZoneIndex, setFlag, setFlagsOfRange, setPageMapping, setPageOrder } from './memmap'
import { allocPages, freePages } from './page_alloc'
import {
  END_OF_LIST,
  giveRow,
  OBJECT_IN_USE,
  SLAB_ACTIVE,
  SLAB_CPU_PARTIAL,
  SLAB_FULL,
  SLAB_NODE_PARTIAL,
  slabHead,
  slabRow,
  takeRow,
  type Slabs,
} from './slab_state'
import { modStat, NR_SLAB_RECLAIMABLE, NR_SLAB_UNRECLAIMABLE } from './vmstat'

/** An object that is charged carries a pointer to its group. @kernel mm/slab.h obj_full_size() */
const OBJ_CGROUP_BYTES = 8

// ---------------------------------------------------------------- allocate

/**
 * One object.
 * @param cache  its number, see cacheNumber()
 * @returns its physical address; 0 when there is no memory, the charge was refused, or the operation has to wait
 * @kernel  mm/slub.c kmem_cache_alloc()
 * @spec    03 §3.5, 07 §7.3
 * @simplifies  the group is charged before the object is taken, 6.12 does it after
 */
export function kmemCacheAlloc(state: KernelState, cache: number, gfp: number): number {
  const s = state.slabs
  const { isAccounted, isReclaimable, size } = s.caches[cache]!
  let memcg = 0
  if (isAccounted || (gfp & GFP_BIT_ACCOUNT) !== 0) {
    const task = currentTask(state)
    memcg = task === undefined ? ROOT_MEMCG : taskMemcg(state, task)
    if (memcg === ROOT_MEMCG) memcg = 0
  }
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
  if (s.cpuFreelist[cpu]! === END_OF_LIST && !newActiveSlab(state, cache, cpu, gfp)) return 0
  const row = s.cpuSlab[cpu]!
  const object = s.cpuFreelist[cpu]!
  const cell = s.firstObject[row]! + object
  s.cpuFreelist[cpu] = s.nextFree[cell]!
  s.nextFree[cell] = OBJECT_IN_USE
  return s.pfn[row]! * PAGE_SIZE + object * s.caches[cache]!.size
}

const cpuCell = (state: KernelState, cache: number): number => cache * state.cpuNode.length + state.exec.cpu
const nodeCell = (state: KernelState, cache: number, nid: number): number => cache * state.nodes.length + nid

/** The slow path: a slab with free objects becomes this CPU's. @kernel mm/slub.c ___slab_alloc() */
function newActiveSlab(state: KernelState, cache: number, cpu: number, gfp: number): boolean {
  const s = state.slabs
  const active = s.cpuSlab[cpu]!
  if (active !== 0) {
    // Objects that other CPUs have given back to it.
    if (s.freelist[active] !== END_OF_LIST) {
      activate(s, cpu, active)
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
    return true
  }
  if (takePartial(state, cache, cpu)) return true
  const row = newSlab(state, cache, gfp)
  if (row === 0) return false
  activate(s, cpu, row)
  return true
}

/** All free objects of the slab belong to the CPU from now on. @kernel mm/slub.c freeze_slab() */
function activate(s: Slabs, cpu: number, row: number): void {
  s.cpuSlab[cpu] = row
  s.cpuFreelist[cpu] = s.freelist[row]!
  s.freelist[row] = END_OF_LIST
  s.inuse[row] = s.objects[row]!
  s.place[row] = SLAB_ACTIVE
  s.next[row] = 0
}

/** From the node's own list, else from a node that has more than it must keep. @kernel mm/slub.c get_partial() */
function takePartial(state: KernelState, cache: number, cpu: number): boolean {
  const s = state.slabs
  const own = state.cpuNode[state.exec.cpu]!
  if (takePartialOfNode(state, cache, cpu, own)) return true
  if (state.nodes.length === 1) return false
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

/**
 * Gives an object back and uncharges it.
 * @kernel  mm/slub.c kmem_cache_free()
 * @spec    03 §3.6
 */
export function kmemCacheFree(state: KernelState, address: number): void {
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
  } else freeToSlab(state, { cache, row, object, cpu })
}

/** @kernel mm/slub.c __slab_free() */
function freeToSlab(state: KernelState, at: { cache: number; row: number; object: number; cpu: number }): void {
  const s = state.slabs
  const { cache, row, object, cpu } = at
  s.nextFree[s.firstObject[row]! + object] = s.freelist[row]!
  s.freelist[row] = object
  s.inuse[row]!--
  if (s.place[row] === SLAB_FULL) {
    if (s.cpuPartialSlabs[cpu]! >= s.caches[cache]!.cpuPartialSlabs) flushCpuPartial(state, cache, cpu)
    putCpuPartial(state, cache, cpu, row)
  } else if (s.place[row] === SLAB_NODE_PARTIAL && s.inuse[row] === 0) {
    const node = nodeCell(state, cache, s.nid[row]!)
    if (s.nrPartial[node]! < s.caches[cache]!.minPartial) return
    removePartial(s, node, row)
    discardSlab(state, cache, row)
  }
}

/** @kernel mm/slub.c put_cpu_partial() */
function putCpuPartial(state: KernelState, cache: number, cpu: number, row: number): void {
  const s = state.slabs
  assert(s.cache[row] === cache, `slab ${row} set aside for another cache`)
  s.place[row] = SLAB_CPU_PARTIAL
  s.next[row] = s.cpuPartial[cpu]!
  s.cpuPartial[cpu] = row
  s.cpuPartialSlabs[cpu]!++
}

/** The slabs that the CPU has set aside go to the lists of their nodes. @kernel mm/slub.c __put_partials() */
function flushCpuPartial(state: KernelState, cache: number, cpu: number): void {
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

// ---------------------------------------------------------------- lists of a node

/** @kernel mm/slub.c __add_partial() */
function addPartial(s: Slabs, node: number, row: number, end: 'head' | 'tail'): void {
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
function removePartial(s: Slabs, node: number, row: number): void {
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

// ---------------------------------------------------------------- pages

/** Pages for a new slab: without reclaim at the wished order, then as the caller may. @kernel mm/slub.c allocate_slab() */
function newSlab(state: KernelState, cache: number, gfp: number): number {
  const s = state.slabs
  const { order, minOrder, isReclaimable, isDma } = s.caches[cache]!
  const flags = (gfp & ~GFP_BIT_ACCOUNT) | (isReclaimable ? GFP_BIT_RECLAIMABLE : 0) | (isDma ? GFP_BIT_DMA : 0)
  let first = (flags | GFP_BIT_NOWARN | GFP_BIT_NORETRY) & ~GFP_BIT_NOFAIL
  if ((first & GFP_BIT_DIRECT_RECLAIM) !== 0 && order > minOrder) first = (first | GFP_BIT_NOMEMALLOC) & ~GFP_RECLAIM
  let got = order
  let pfn = allocPages(state, order > 0 ? first | GFP_BIT_COMP : first, order)
  if (pfn === 0 && state.exec.suspendUntilNs < 0) {
    got = minOrder
    pfn = allocPages(state, minOrder > 0 ? flags | GFP_BIT_COMP : flags, minOrder)
  }
  if (pfn === 0) return 0
  const row = takeRow(s, cache)
  const m = state.memmap
  setFlag(m, pfn, PG_SLAB)
  setPageOrder(m, pfn, got)
  if (got > 0) setFlagsOfRange(m, pfn + 1, (1 << got) - 1, PG_TAIL)
  setPageMapping(m, pfn, cache, row)
  s.pfn[row] = pfn
  s.nid[row] = state.zones[pageZoneIndex(m, pfn)]!.nid
  s.order[row] = got
  const objects = Math.floor((PAGE_SIZE << got) / s.caches[cache]!.size)
  s.objects[row] = objects
  s.inuse[row] = 0
  s.freelist[row] = 0
  for (let i = 0, cell = s.firstObject[row]!; i < objects; i++)
    s.nextFree[cell + i] = i + 1 < objects ? i + 1 : END_OF_LIST
  accountSlab(state, cache, row, 1)
  return row
}

function accountSlab(state: KernelState, cache: number, row: number, sign: number): void {
  const s = state.slabs
  const nid = s.nid[row]!
  const node = nodeCell(state, cache, nid)
  s.nrSlabs[node]! += sign
  s.totalObjects[node]! += sign * s.objects[row]!
  const item = s.caches[cache]!.isReclaimable ? NR_SLAB_RECLAIMABLE : NR_SLAB_UNRECLAIMABLE
  modStat(state.nodes[nid]!.stat, item, sign * (1 << s.order[row]!))
}

/** An empty slab goes back to the page allocator. @kernel mm/slub.c discard_slab() */
function discardSlab(state: KernelState, cache: number, row: number): void {
  const s = state.slabs
  assert(s.inuse[row] === 0, `slab ${row} is given back with ${s.inuse[row]} objects in use`)
  accountSlab(state, cache, row, -1)
  const pfn = s.pfn[row]!
  const order = s.order[row]!
  giveRow(s, row)
  setFlagsOfRange(state.memmap, pfn, 1 << order, 0)
  freePages(state, pfn, order)
}

// ---------------------------------------------------------------- shrink

/** The CPU gives up its slabs of this cache. @kernel mm/slub.c flush_slab(), deactivate_slab() */
function flushCpu(state: KernelState, cache: number, cpu: number): void {
  const s = state.slabs
  const row = s.cpuSlab[cpu]!
  if (row !== 0) {
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
  flushCpuPartial(state, cache, cpu)
}

/**
 * Gives every empty slab of a cache back, and puts the fullest partial slabs first.
 * @kernel  mm/slub.c __kmem_cache_shrink()
 * @spec    03 §3.6
 */
export function kmemCacheShrink(state: KernelState, cache: number): void {
  const s = state.slabs
  const cpus = state.cpuNode.length
  for (let cpu = 0; cpu < cpus; cpu++) flushCpu(state, cache, cache * cpus + cpu)
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
