/**
 * One row per page frame: the struct page of the simulator, as columns of typed arrays indexed by pfn.
 * Apart, because every mechanism reads it and its layout decides the speed of all of them. 32 bytes a page;
 * untouched memory costs nothing, because 0 is the empty value of every column.
 *
 * Links (`next`, `prev`) serve whichever list the frame is on: free area, pcp, LRU, slab. A frame is on one list at most.
 * @kernel  include/linux/mm_types.h struct page
 * @spec    00 §1
 */
import type { Pfn } from '../../util/units'

/** Page flags. The first group says who owns the frame; exactly one of them is set on every managed frame. */
export const PG_BUDDY = 1 << 0 // head of a free block of order 0–9; order 10 is told by blockNext, see buddy.ts
export const PG_PCP = 1 << 1 // on a per-CPU list (head)
export const PG_RESERVED = 1 << 2 // present, never managed
export const PG_KERNEL = 1 << 3 // allocated by the kernel: stacks, percpu, large kmalloc
export const PG_TABLE = 1 << 4 // page table
export const PG_SLAB = 1 << 5
export const PG_ANON = 1 << 6 // anonymous user page
export const PG_FILE = 1 << 7 // page cache, shmem included (then PG_SWAPBACKED too)
export const PG_HUGETLB = 1 << 8
export const PG_TAIL = 1 << 9 // inside a larger block or compound page
// What is known about it.
export const PG_LRU = 1 << 10
export const PG_ACTIVE = 1 << 11
export const PG_REFERENCED = 1 << 12
export const PG_WORKINGSET = 1 << 13
export const PG_DIRTY = 1 << 14
export const PG_WRITEBACK = 1 << 15
export const PG_LOCKED = 1 << 16 // read I/O under way
export const PG_RECLAIM = 1 << 17 // rotate to the tail when writeback ends
export const PG_SWAPBACKED = 1 << 18
export const PG_SWAPCACHE = 1 << 19
export const PG_UNEVICTABLE = 1 << 20
export const PG_MLOCKED = 1 << 21
export const PG_ANON_EXCLUSIVE = 1 << 22
export const PG_READAHEAD = 1 << 23
export const PG_ISOLATED = 1 << 24
export const PG_LRU_BATCH = 1 << 25 // in a per-CPU folio batch, not yet on a list
export const PG_HEAD = 1 << 26 // first frame of a large folio, see folio.ts
/** MGLRU: generation + 1 (0 = not on a generation list) in 3 bits, then 2 bits of references. */
export const LRU_GEN_SHIFT = 27
export const LRU_GEN_MASK = 7 << 27
export const LRU_REFS_SHIFT = 30
export const LRU_REFS_MASK = (3 << 30) | 0

export const PG_OWNER_MASK =
  PG_BUDDY | PG_PCP | PG_RESERVED | PG_KERNEL | PG_TABLE | PG_SLAB | PG_ANON | PG_FILE | PG_HUGETLB | PG_TAIL

export interface MemMap {
  /** Rows 0 … endPfn-1. Row 0 is never a usable frame: 0 means "none" in every link. */
  readonly endPfn: Pfn
  readonly next: Int32Array
  readonly prev: Int32Array
  readonly flags: Int32Array
  /** Page-table entries that map the frame. */
  readonly mapcount: Int32Array
  /** 0 none; > 0 page-table slot + 1 of the only mapping; < 0: −(node + 1) of a chain in rmap.ts. */
  readonly rmap: Int32Array
  /** Page cache: inode number. Swap cache: swap slot + 1. Page table: index of the table. Slab: cache index. */
  readonly mapping: Int32Array
  /** Page cache: page index in the file. */
  readonly index: Int32Array
  /** Memory cgroup id that the frame is charged to; 0 uncharged. */
  readonly memcg: Uint16Array
  /** Order of the free block, pcp entry or compound page that starts here; ORDER_FREE with it in front of a free block. */
  readonly order: Uint8Array
  /** Index into state.zones + 1, 0 = no memory here; one entry for each MiB. */
  readonly zone: Uint8Array
}

/** Zones meet only at multiples of 2^8 pages, 1 MiB. */
const ZONE_ENTRY_SHIFT = 8
const ZONE_ENTRY_PAGES = 1 << ZONE_ENTRY_SHIFT

/** @model  plain constructor; arrays are lazily zeroed by the operating system below us */
export function createMemMap(endPfn: Pfn): MemMap {
  const rows = Math.ceil(endPfn / 1024) * 1024
  return {
    endPfn,
    next: new Int32Array(rows),
    prev: new Int32Array(rows),
    flags: new Int32Array(rows),
    mapcount: new Int32Array(rows),
    rmap: new Int32Array(rows),
    mapping: new Int32Array(rows),
    index: new Int32Array(rows),
    memcg: new Uint16Array(rows),
    order: new Uint8Array(rows),
    zone: new Uint8Array(rows / ZONE_ENTRY_PAGES),
  }
}

export const pageFlags = (m: MemMap, pfn: Pfn): number => m.flags[pfn]!
export const hasFlag = (m: MemMap, pfn: Pfn, mask: number): boolean => (m.flags[pfn]! & mask) !== 0
export function setFlag(m: MemMap, pfn: Pfn, mask: number): void {
  m.flags[pfn]! |= mask
}
export function clearFlag(m: MemMap, pfn: Pfn, mask: number): void {
  m.flags[pfn]! &= ~mask
}
/** Clears and says whether any of them was set. */
export function testAndClearFlag(m: MemMap, pfn: Pfn, mask: number): boolean {
  const f = m.flags[pfn]!
  m.flags[pfn] = f & ~mask
  return (f & mask) !== 0
}
export function setFlags(m: MemMap, pfn: Pfn, flags: number): void {
  m.flags[pfn] = flags
}
/**
 * In the column `order`, of the first frame of a free block of order 0–9: what PG_BUDDY says in the flags. Merging asks
 * this of frames all over memory, and bytes lie four times as close: random orders are freed 1.25 times as fast.
 */
const ORDER_FREE = 1 << 7
export const pageOrder = (m: MemMap, pfn: Pfn): number => m.order[pfn]! & ~ORDER_FREE
export function setPageOrder(m: MemMap, pfn: Pfn, order: number): void {
  m.order[pfn] = order
}
/** Flags of the first frame of a free block of order 0–9, and its order. */
export function setFreeBlock(m: MemMap, pfn: Pfn, order: number, flags: number): void {
  m.flags[pfn] = flags
  m.order[pfn] = ORDER_FREE | order
}
export const isFreeBlock = (m: MemMap, pfn: Pfn, order: number): boolean => m.order[pfn] === (ORDER_FREE | order)
/** The two ways to say that a free block of order 0–9 starts here agree. */
export const isFreeMarkTrue = (m: MemMap, pfn: Pfn): boolean =>
  hasFlag(m, pfn, PG_BUDDY) === (m.order[pfn]! & ORDER_FREE) > 0
/** Index into state.zones; −1 where no zone is. */
export const pageZoneIndex = (m: MemMap, pfn: Pfn): number => m.zone[pfn >> ZONE_ENTRY_SHIFT]! - 1
/** Says that [startPfn, endPfn) belongs to zone `zoneIndex`. Both ends are multiples of 256, or no zone lies beyond. */
export function setZoneOfRange(m: MemMap, startPfn: Pfn, endPfn: Pfn, zoneIndex: number): void {
  m.zone.fill(zoneIndex + 1, startPfn >> ZONE_ENTRY_SHIFT, (endPfn + ZONE_ENTRY_PAGES - 1) >> ZONE_ENTRY_SHIFT)
}
/** Writes the same flags to `count` frames. */
export function setFlagsOfRange(m: MemMap, pfn: Pfn, count: number, flags: number): void {
  m.flags.fill(flags, pfn, pfn + count)
}
export const mapcount = (m: MemMap, pfn: Pfn): number => m.mapcount[pfn]!
export function addMapcount(m: MemMap, pfn: Pfn, delta: number): number {
  return (m.mapcount[pfn]! += delta)
}
export const pageRmap = (m: MemMap, pfn: Pfn): number => m.rmap[pfn]!
export function setPageRmap(m: MemMap, pfn: Pfn, value: number): void {
  m.rmap[pfn] = value
}
export const pageMapping = (m: MemMap, pfn: Pfn): number => m.mapping[pfn]!
export const pageIndex = (m: MemMap, pfn: Pfn): number => m.index[pfn]!
export function setPageMapping(m: MemMap, pfn: Pfn, mapping: number, index: number): void {
  m.mapping[pfn] = mapping
  m.index[pfn] = index
}
export const pageMemcg = (m: MemMap, pfn: Pfn): number => m.memcg[pfn]!
export function setPageMemcg(m: MemMap, pfn: Pfn, id: number): void {
  m.memcg[pfn] = id
}

/**
 * `to` becomes the page that `from` was: flags, owner, mappings, charge. `from` is left with no owner and no mappings.
 * Neither is on a list. @kernel mm/migrate.c folio_migrate_flags(), mm/memcontrol.c mem_cgroup_migrate()
 */
export function movePageRow(m: MemMap, from: Pfn, to: Pfn): void {
  for (const column of [m.flags, m.mapcount, m.rmap, m.mapping, m.index]) {
    column[to] = column[from]!
    column[from] = 0
  }
  m.memcg[to] = m.memcg[from]!
  m.memcg[from] = 0
}

// Lists: `heads` holds [head, tail] pairs of pfns; list i is at 2i. Used by free areas, pcp lists, LRU lists.

/** Two entries a list, all empty. */
export const createLists = (count: number): Int32Array => new Int32Array(2 * count)
export const listHead = (heads: Int32Array, i: number): Pfn => heads[2 * i]!
export const listTail = (heads: Int32Array, i: number): Pfn => heads[2 * i + 1]!
/** Towards the tail. */
export const nextOnList = (m: MemMap, pfn: Pfn): Pfn => m.next[pfn]!
/** Towards the head. */
export const prevOnList = (m: MemMap, pfn: Pfn): Pfn => m.prev[pfn]!

export function listAddHead({ next, prev }: MemMap, heads: Int32Array, i: number, pfn: Pfn): void {
  const h = heads[2 * i]!
  next[pfn] = h
  prev[pfn] = 0
  if (h !== 0) prev[h] = pfn
  else heads[2 * i + 1] = pfn
  heads[2 * i] = pfn
}

/** The same as listDel() of a list's first entry: nothing is before it. The list is not empty. */
export function listDelHead({ next, prev }: MemMap, heads: Int32Array, i: number): void {
  const pfn = heads[2 * i]!
  const n = next[pfn]!
  heads[2 * i] = n
  if (n === 0) heads[2 * i + 1] = 0
  else {
    next[pfn] = 0
    prev[n] = 0
  }
}

export function listAddTail({ next, prev }: MemMap, heads: Int32Array, i: number, pfn: Pfn): void {
  const t = heads[2 * i + 1]!
  prev[pfn] = t
  next[pfn] = 0
  if (t !== 0) next[t] = pfn
  else heads[2 * i] = pfn
  heads[2 * i + 1] = pfn
}

/** `pfn` in front of `at`, which is on list i. */
export function listAddBefore({ next, prev }: MemMap, heads: Int32Array, i: number, at: Pfn, pfn: Pfn): void {
  const p = prev[at]!
  next[pfn] = at
  prev[pfn] = p
  if (p !== 0) next[p] = pfn
  else heads[2 * i] = pfn
  prev[at] = pfn
}

export function listDel({ next, prev }: MemMap, heads: Int32Array, i: number, pfn: Pfn): void {
  const n = next[pfn]!
  const p = prev[pfn]!
  if (p !== 0) next[p] = n
  else heads[2 * i] = n
  if (n !== 0) prev[n] = p
  else heads[2 * i + 1] = p
  next[pfn] = 0
  prev[pfn] = 0
}

/** Pages in front of `pfn` go behind the tail: `pfn`, which is on list i, becomes its head. */
export function listRotateToHead({ next, prev }: MemMap, heads: Int32Array, i: number, pfn: Pfn): void {
  const before = prev[pfn]!
  if (before === 0) return
  const head = heads[2 * i]!
  const tail = heads[2 * i + 1]!
  next[tail] = head
  prev[head] = tail
  next[before] = 0
  prev[pfn] = 0
  heads[2 * i] = pfn
  heads[2 * i + 1] = before
}
