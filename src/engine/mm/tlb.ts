/**
 * Translation: what one access finds in the TLBs and paging-structure caches of its CPU, and what it leaves there.
 *
 * Nearly all fills follow a page fault, and faults come in ascending order. A page that was not present is in no TLB, so
 * that its fill needs no look-up: it only lengthens a run, and runs are put into the structures when something looks there
 * (measured: a fault costs 3 ns more this way instead of 35). Whatever a long run pushes out is never touched at all.
 * @model   hardware of spec 04 §4.2: L1 and L2 are filled together, an L2 hit fills L1, LRU in a set, empty ways first
 * @simplifies  the accessed bit is set by every access, not only by walks: reclaim sees no page as idle that a TLB serves
 */
import type { PageTables } from './pgtable'
import {
  DATA_4K,
  NR_RUNS,
  ROUTE_COLUMNS,
  STRUCTURE_COLUMNS,
  STLB_FETCH_HITS,
  STLB_HITS,
  WALKS_COLD,
  WALK_READS,
  pscKey,
  type CpuTlb,
  type Tlb,
} from './tlb_state'

/** How an access was translated. */
export const TLB_L1 = 0
export const TLB_L2 = 1
/** Walk with the leaf's table in the paging-structure caches: its entries are taken to lie in the data caches. */
export const TLB_WALK = 2
/** Walk through upper levels too: the leaf entry comes from DRAM. */
export const TLB_WALK_COLD = 3

/** Bits of a generation that name its ASID. */
export const SPACE_ASID = 7

function allocate(tlb: Tlb, c: CpuTlb): void {
  c.tag = new Int32Array(tlb.entries)
  c.space = new Int32Array(tlb.entries)
  c.head = new Uint8Array(tlb.sets)
  c.mayHaveDead = new Uint8Array(tlb.sets)
  c.psc = new Int32Array(tlb.psc.reduce((sum, n) => sum + n, 0))
}

/**
 * One access to a page that is present and may be accessed so.
 * @param slot   of the leaf entry
 * @param route  DATA_4K …: which structures
 * @returns TLB_L1 … TLB_WALK_COLD
 * @model   hardware
 */
export function tlbAccess(tlb: Tlb, c: CpuTlb, t: PageTables, slot: number, route: number): number {
  if (slot === c.lastSlot && route < 3) return TLB_L1
  if (c.runs !== 0) settleRuns(tlb, c)
  if (c.tag.length === 0) allocate(tlb, c)
  if (route < 3) c.lastSlot = slot
  const r = route * ROUTE_COLUMNS
  if (use(tlb.route, c, r, slot, c.curSpace)) return TLB_L1
  if (use(tlb.route, c, r + STRUCTURE_COLUMNS, slot, c.curSpace)) {
    c.counts[route < 3 ? STLB_HITS : STLB_FETCH_HITS]!++
    return TLB_L2
  }
  c.asidFilled |= 1 << c.asid
  return walkTo(tlb, c, t, slot >>> 9) === 1 ? TLB_WALK : TLB_WALK_COLD
}

/**
 * Makes a translation the youngest of its set: from where it is, or in place of a dead one, or of the oldest. A set is a
 * ring whose youngest entry is at its head, so that replacing the oldest moves nothing but the head.
 * @param r  first column of the structure in the table of routes
 * @returns whether the structure had it
 */
function use(route: Int32Array, c: CpuTlb, r: number, slot: number, space: number): boolean {
  const first = route[r]!
  if (first < 0) return false
  const { tag, space: spaces } = c
  const ways = route[r + 2]!
  const set = slot & route[r + 1]!
  const from = first + set * ways
  const end = from + ways
  const ring = route[r + 3]! + set
  const head = from + c.head[ring]!
  let at = from
  while (at < end && (tag[at] !== slot + 1 || spaces[at] !== space)) at++
  const isHit = at < end
  if (!isHit) {
    at = c.mayHaveDead[ring] === 0 ? -1 : youngestDead(c, from, end, head)
    if (at < 0) {
      // The oldest one is before the head, and becomes it.
      c.mayHaveDead[ring] = 0
      at = head === from ? end - 1 : head - 1
      c.head[ring] = at - from
      tag[at] = slot + 1
      spaces[at] = space
      return false
    }
  }
  while (at !== head) {
    const younger = at === from ? end - 1 : at - 1
    tag[at] = tag[younger]!
    spaces[at] = spaces[younger]!
    at = younger
  }
  tag[head] = slot + 1
  spaces[head] = space
  return isHit
}

const isDead = (c: CpuTlb, i: number): boolean => c.asidSpace[c.space[i]! & SPACE_ASID] !== c.space[i]

/** The dead entry nearest to the head of a set, −1 none. */
function youngestDead(c: CpuTlb, from: number, end: number, head: number): number {
  let at = head
  for (let i = from; i < end; i++) {
    if (isDead(c, at)) return at
    at = at === end - 1 ? from : at + 1
  }
  return -1
}

// ---------------------------------------------------------------- fills after faults

/**
 * A page of 4 KiB was brought in by a fault and is accessed again: the walk that succeeds. Whatever a TLB held of the
 * page before, the fault has thrown out.
 * @model   hardware; the walk's time is part of what the fault costs
 */
export function tlbFill(tlb: Tlb, c: CpuTlb, t: PageTables, slot: number): void {
  c.lastSlot = slot
  const last = c.runs - 1
  if (last >= 0 && c.runFirst[last]! + c.runCount[last]! === slot && c.runSpace[last] === c.curSpace)
    c.runCount[last]!++
  else startRun(tlb, c, slot)
  if (slot >>> 9 !== c.lastTable) walkTo(tlb, c, t, slot >>> 9)
  else c.counts[WALK_READS]!++
}

/** Shorter runs replace too little to be worth a look. */
const LONG_RUN = 64

function startRun(tlb: Tlb, c: CpuTlb, slot: number): void {
  if (c.tag.length === 0) allocate(tlb, c)
  if (c.runs > 1 && c.runCount[c.runs - 1]! >= LONG_RUN) dropOldRuns(tlb, c)
  if (c.runs === NR_RUNS) settleRuns(tlb, c)
  c.asidFilled |= 1 << c.asid
  c.runFirst[c.runs] = slot
  c.runCount[c.runs] = 1
  c.runSpace[c.runs] = c.curSpace
  c.runs++
}

/** Whether runs from `from` on leave nothing older in a level of the structures of data pages. */
function replacesAll(tlb: Tlb, c: CpuTlb, from: number, level: number): boolean {
  const column = DATA_4K * ROUTE_COLUMNS + level * STRUCTURE_COLUMNS
  const sets = tlb.route[column + 1]! + 1
  let fills = 0
  for (let i = from; i < c.runs; i++) if (!isRepeated(c, i)) fills += Math.floor(c.runCount[i]! / sets)
  return tlb.route[column]! < 0 || fills >= tlb.route[column + 2]!
}

/** A later run fills some of the same pages again. */
function isRepeated(c: CpuTlb, run: number): boolean {
  const first = c.runFirst[run]!
  const end = first + c.runCount[run]!
  for (let i = run + 1; i < c.runs; i++) {
    if (c.runFirst[i]! < end && first < c.runFirst[i]! + c.runCount[i]!) return true
  }
  return false
}

/** Runs before the last one that replaces everything need never be done. */
function dropOldRuns(tlb: Tlb, c: CpuTlb): void {
  let from = c.runs - 1
  while (from > 0 && !(replacesAll(tlb, c, from, 0) && replacesAll(tlb, c, from, 1))) from--
  if (from === 0) return
  c.runFirst.copyWithin(0, from, c.runs)
  c.runCount.copyWithin(0, from, c.runs)
  c.runSpace.copyWithin(0, from, c.runs)
  c.runs -= from
  c.isWiped = true
}

/** Puts the fills of all runs into the structures, in order. @model see the head of the file */
export function settleRuns(tlb: Tlb, c: CpuTlb): void {
  const { route } = tlb
  for (let level = 1; level >= 0; level--) {
    const column = DATA_4K * ROUTE_COLUMNS + level * STRUCTURE_COLUMNS
    const first = route[column]!
    const setMask = route[column + 1]!
    const ways = route[column + 2]!
    if (first < 0) continue
    const size = (setMask + 1) * ways
    if (c.isWiped) c.space.fill(0, first, first + size)
    for (let run = 0; run < c.runs; run++) {
      const end = c.runFirst[run]! + c.runCount[run]!
      // As many as fit: what came before them in the run they push out again.
      for (let slot = Math.max(c.runFirst[run]!, end - size); slot < end; slot++)
        use(route, c, column, slot, c.runSpace[run]!)
    }
  }
  c.runs = 0
  c.isWiped = false
}

// ---------------------------------------------------------------- paging-structure caches

/**
 * The levels above a leaf: entries that are cached need not be read.
 * @param table  that holds the leaf entry
 * @returns entries read, the leaf's included
 * @model   hardware of spec 04 §4.2: PDE, PDPTE and PML4E caches; what a walk reads, it caches
 */
function walkTo(tlb: Tlb, c: CpuTlb, t: PageTables, table: number): number {
  let reads = 1
  if (table !== c.lastTable) {
    c.lastTable = table
    reads = walkUpper(tlb, c, t, table)
  }
  c.counts[WALK_READS]! += reads
  if (reads > 1) c.counts[WALKS_COLD]!++
  return reads
}

function walkUpper(tlb: Tlb, c: CpuTlb, t: PageTables, leaf: number): number {
  let first = 0
  let reads = 1
  let level = t.level[leaf]!
  for (let i = 1; i < level; i++) first += tlb.psc[i - 1] ?? 0
  for (let table = leaf; t.parent[table]! >= 0; table = t.parent[table]!) {
    const size = tlb.psc[level - 1] ?? 0
    if (usePsc(c.psc, first, size, pscKey(table, c.asid))) break
    first += size
    level++
    reads++
  }
  return reads
}

/** Makes an entry the youngest, in one pass: all younger ones move up. @returns whether it was cached */
function usePsc(psc: Int32Array, first: number, size: number, key: number): boolean {
  let carried = key
  for (let i = first; i < first + size; i++) {
    const held = psc[i]!
    psc[i] = carried
    if (held === key) return true
    if (held === 0) return false
    carried = held
  }
  return false
}

/** The paging-structure caches forget an address space. @model hardware: INVLPG and a new CR3 do so */
export function forgetPsc(tlb: Tlb, c: CpuTlb, asid: number): void {
  c.lastTable = -1
  let first = 0
  if (c.psc.length === 0) return
  for (const size of tlb.psc) {
    let kept = first
    for (let i = first; i < first + size; i++) {
      const held = c.psc[i]!
      if (held === 0) break
      if ((held & SPACE_ASID) !== asid) c.psc[kept++] = held
    }
    c.psc.fill(0, kept, first + size)
    first += size
  }
}
