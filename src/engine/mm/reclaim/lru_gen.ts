/**
 * MGLRU's lists: which generation a page belongs to, adding, removing and moving pages between generations. Apart from
 * mglru.ts, because adding a page happens all the time and aging and eviction only under pressure.
 *
 * A page table walk changes the generation in a page's flags but leaves the page on its old list, as in the kernel;
 * eviction moves it when it meets it. So the list that a page is linked into need not be the one its flags name.
 * @kernel  include/linux/mm_inline.h, mm/vmscan.c
 * @spec    05 §5.10
 */
import { AssertionError } from '../../../util/assert'
import type { Pages, Pfn } from '../../../util/units'
import type { KernelState } from '../../state'
import { folioNrPages } from '../folio'
import { MAX_NR_ZONES } from '../gfp'
import {
  LRU_GEN_ANON,
  LRU_GEN_FILE,
  LRU_INACTIVE_FILE,
  MAX_NR_GENS,
  MIN_NR_GENS,
  folioIsFileLru,
  folioZonenum,
  updateLruSize,
  type LruGen,
  type Lruvec,
} from '../lruvec'
import {
  LRU_GEN_MASK,
  LRU_GEN_SHIFT,
  LRU_REFS_MASK,
  LRU_REFS_SHIFT,
  PG_ACTIVE,
  PG_DIRTY,
  PG_RECLAIM,
  PG_REFERENCED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_WORKINGSET,
  PG_WRITEBACK,
  listAddHead,
  listAddTail,
  listDel,
  listHead,
  listTail,
  nextOnList,
  pageFlags,
  prevOnList,
  setFlags,
} from '../memmap'

/** A page's accesses through file descriptors, all of them. @kernel LRU_REFS_MASK | LRU_REFS_FLAGS */
const REFS_ALL = LRU_REFS_MASK | PG_REFERENCED | PG_WORKINGSET

/** A mask, because the remainder of a double is a call: it was 6 % of a fault. @kernel lru_gen_from_seq() */
export const genFromSeq = (seq: number): number => seq & (MAX_NR_GENS - 1)
/** Generation a page belongs to, −1 none. @kernel folio_lru_gen() */
export const folioLruGen = (flags: number): number => ((flags & LRU_GEN_MASK) >>> LRU_GEN_SHIFT) - 1
/** Accesses beyond the first, 0…4. @kernel folio_lru_refs() */
export const folioLruRefs = (flags: number): number =>
  ((flags & LRU_REFS_MASK) >>> LRU_REFS_SHIFT) + ((flags & PG_WORKINGSET) === 0 ? 0 : 1)
/** 0→0, 1→1, 2–3→2, 4→3. @kernel lru_tier_from_refs() */
export const lruTierFromRefs = (refs: number): number => (refs < 2 ? refs : refs < 4 ? 2 : 3)
export const genList = (gen: number, type: number, zone: number): number => (gen * 2 + type) * MAX_NR_ZONES + zone
/** @kernel get_nr_gens() */
export const nrGens = (g: LruGen, type: number): number => g.maxSeq - g.minSeq[type]! + 1
/** The two youngest generations count as active. @kernel lru_gen_is_active() */
export const isActiveGen = (g: LruGen, gen: number): boolean =>
  gen === genFromSeq(g.maxSeq) || gen === genFromSeq(g.maxSeq - 1)

/** Pages of one generation and type in all zones. */
export function genSize(g: LruGen, gen: number, type: number): Pages {
  let sum = 0
  for (let zone = 0; zone < MAX_NR_ZONES; zone++) sum += Math.max(0, g.nrPages[genList(gen, type, zone)]!)
  return sum
}

/**
 * Counters when a page enters (oldGen −1), leaves (newGen −1) or changes generation.
 * @kernel  include/linux/mm_inline.h lru_gen_update_size()
 */
function updateSize(
  state: KernelState,
  lruvec: Lruvec,
  type: number,
  zone: number,
  oldGen: number,
  newGen: number,
  nr: Pages,
): void {
  const g = lruvec.gen
  if (oldGen >= 0) g.nrPages[genList(oldGen, type, zone)]! -= nr
  if (newGen >= 0) g.nrPages[genList(newGen, type, zone)]! += nr
  const inactive = type * LRU_INACTIVE_FILE
  if (oldGen < 0) updateLruSize(state, lruvec, isActiveGen(g, newGen) ? inactive + 1 : inactive, zone, nr)
  else if (newGen < 0) updateLruSize(state, lruvec, isActiveGen(g, oldGen) ? inactive + 1 : inactive, zone, -nr)
  else if (isActiveGen(g, newGen) && !isActiveGen(g, oldGen)) {
    updateLruSize(state, lruvec, inactive, zone, -nr)
    updateLruSize(state, lruvec, inactive + 1, zone, nr)
  } else if (isActiveGen(g, oldGen) && !isActiveGen(g, newGen)) grewOlder(lruvec, oldGen, newGen)
}

/** Apart, because a long text keeps the compiler from inlining the function that nearly never needs it. */
function grewOlder(lruvec: Lruvec, oldGen: number, newGen: number): never {
  throw new AssertionError(`a page on a list of node ${lruvec.nid} went from active generation ${oldGen} to ${newGen}`)
}

/** Generation for a page that enters the lists. */
function seqForNew(g: LruGen, type: number, flags: number, reclaiming: boolean): number {
  if (flags & PG_ACTIVE) return g.maxSeq
  const isFreshAnon = type === LRU_GEN_ANON && (flags & PG_SWAPCACHE) === 0
  const isBeingWritten = (flags & PG_RECLAIM) !== 0 && (flags & (PG_DIRTY | PG_WRITEBACK)) !== 0
  if (isFreshAnon || isBeingWritten) return g.maxSeq - 1
  if (reclaiming || g.minSeq[type]! + MIN_NR_GENS >= g.maxSeq) return g.minSeq[type]!
  return g.minSeq[type]! + 1
}

/**
 * Links a page that is on no list.
 * @param reclaiming  true: at the tail, to be taken next (its writeback has ended)
 * @kernel  include/linux/mm_inline.h lru_gen_add_folio()
 */
export function lruGenAddFolio(state: KernelState, lruvec: Lruvec, pfn: Pfn, reclaiming: boolean): void {
  const m = state.memmap
  const g = lruvec.gen
  const flags = pageFlags(m, pfn)
  if (folioLruGen(flags) >= 0) throw new AssertionError(`pfn ${pfn} is added to the generations twice`)
  const type = folioIsFileLru(state, pfn)
  const zone = folioZonenum(state, pfn)
  const gen = genFromSeq(seqForNew(g, type, flags, reclaiming))
  setFlags(m, pfn, (flags & ~(LRU_GEN_MASK | PG_ACTIVE)) | ((gen + 1) << LRU_GEN_SHIFT))
  updateSize(state, lruvec, type, zone, -1, gen, folioNrPages(m, pfn))
  if (reclaiming) listAddTail(m, g.lists, genList(gen, type, zone), pfn)
  else listAddHead(m, g.lists, genList(gen, type, zone), pfn)
}

/**
 * The same, at the head, for single pages of one group and zone that all have `flags` from now on.
 * @kernel  mm/swap.c folio_batch_move_lru()
 */
export function lruGenAddAlike(
  state: KernelState,
  lruvec: Lruvec,
  pfns: Int32Array,
  from: number,
  to: number,
  flags: number,
): void {
  const m = state.memmap
  const { lists } = lruvec.gen
  if (folioLruGen(flags) >= 0) throw new AssertionError(`pfn ${pfns[from]} is added to the generations twice`)
  const type = (flags & PG_SWAPBACKED) !== 0 ? LRU_GEN_ANON : LRU_GEN_FILE
  const zone = folioZonenum(state, pfns[from]!)
  const gen = genFromSeq(seqForNew(lruvec.gen, type, flags, false))
  const list = genList(gen, type, zone)
  const linked = (flags & ~(LRU_GEN_MASK | PG_ACTIVE)) | ((gen + 1) << LRU_GEN_SHIFT)
  for (let i = from; i < to; i++) {
    setFlags(m, pfns[i]!, linked)
    listAddHead(m, lists, list, pfns[i]!)
  }
  updateSize(state, lruvec, type, zone, -1, gen, to - from)
}

/** The list that a page is really linked into: only its ends need to be told apart. */
function linkedList(state: KernelState, g: LruGen, pfn: Pfn, gen: number, type: number, zone: number): number {
  const m = state.memmap
  const own = genList(gen, type, zone)
  if (nextOnList(m, pfn) !== 0 && prevOnList(m, pfn) !== 0) return own
  for (let i = 0; i < MAX_NR_GENS; i++) {
    const list = genList((gen + i) % MAX_NR_GENS, type, zone)
    if (listHead(g.lists, list) === pfn || listTail(g.lists, list) === pfn) return list
  }
  throw new AssertionError(`pfn ${pfn} of generation ${gen} is at the end of no list of node zone ${zone}`)
}

/** The list that a page is really linked into; undefined: it is on no generation. */
export function lruGenListOf(
  state: KernelState,
  lruvec: Lruvec,
  pfn: Pfn,
): { readonly heads: Int32Array; readonly list: number } | undefined {
  const gen = folioLruGen(pageFlags(state.memmap, pfn))
  if (gen < 0) return undefined
  const { lists: heads } = lruvec.gen
  return { heads, list: linkedList(state, lruvec.gen, pfn, gen, folioIsFileLru(state, pfn), folioZonenum(state, pfn)) }
}

/**
 * Unlinks a page.
 * @param reclaiming  true: isolated for reclaim, forgets that it was active
 * @returns false when it is on no generation
 * @kernel  include/linux/mm_inline.h lru_gen_del_folio()
 */
export function lruGenDelFolio(state: KernelState, lruvec: Lruvec, pfn: Pfn, reclaiming: boolean): boolean {
  const m = state.memmap
  const flags = pageFlags(m, pfn)
  const gen = folioLruGen(flags)
  if (gen < 0) return false
  const g = lruvec.gen
  const type = folioIsFileLru(state, pfn)
  const zone = folioZonenum(state, pfn)
  setFlags(m, pfn, (flags & ~LRU_GEN_MASK) | (!reclaiming && isActiveGen(g, gen) ? PG_ACTIVE : 0))
  updateSize(state, lruvec, type, zone, gen, -1, folioNrPages(m, pfn))
  listDel(m, g.lists, linkedList(state, g, pfn, gen, type, zone), pfn)
  return true
}

/**
 * A young PTE was found: the page belongs to `gen` now; its list follows later.
 * @kernel  mm/vmscan.c folio_update_gen()
 */
export function folioUpdateGen(state: KernelState, lruvec: Lruvec, pfn: Pfn, gen: number): void {
  const flags = pageFlags(state.memmap, pfn)
  const old = folioLruGen(flags)
  if (old < 0) {
    setFlags(state.memmap, pfn, flags | PG_REFERENCED)
    return
  }
  setFlags(state.memmap, pfn, (flags & ~(LRU_GEN_MASK | REFS_ALL)) | ((gen + 1) << LRU_GEN_SHIFT))
  if (old === gen) return
  const nr = folioNrPages(state.memmap, pfn)
  updateSize(state, lruvec, folioIsFileLru(state, pfn), folioZonenum(state, pfn), old, gen, nr)
}

/**
 * Moves a page of the oldest generation to the next one; the caller links it.
 * @param reclaiming  also marks it to be rotated when its writeback ends
 * @returns its generation now
 * @kernel  mm/vmscan.c folio_inc_gen()
 */
export function folioIncGen(state: KernelState, lruvec: Lruvec, pfn: Pfn, type: number, reclaiming: boolean): number {
  const m = state.memmap
  const flags = pageFlags(m, pfn)
  const oldest = genFromSeq(lruvec.gen.minSeq[type]!)
  const gen = folioLruGen(flags)
  if (gen >= 0 && gen !== oldest) return gen
  const next = (oldest + 1) % MAX_NR_GENS
  const marked = reclaiming ? PG_RECLAIM : 0
  setFlags(m, pfn, (flags & ~(LRU_GEN_MASK | REFS_ALL)) | ((next + 1) << LRU_GEN_SHIFT) | marked)
  updateSize(state, lruvec, type, folioZonenum(state, pfn), oldest, next, folioNrPages(m, pfn))
  return next
}

/** Puts a linked page at the head or tail of another list of the same type and zone. @kernel list_move() */
export function moveBetweenGens(
  state: KernelState,
  g: LruGen,
  pfn: Pfn,
  from: number,
  to: number,
  atTail: boolean,
): void {
  listDel(state.memmap, g.lists, from, pfn)
  if (atTail) listAddTail(state.memmap, g.lists, to, pfn)
  else listAddHead(state.memmap, g.lists, to, pfn)
}

/** One more access through a file descriptor. @kernel mm/swap.c folio_inc_refs() */
export function folioIncRefs(state: KernelState, pfn: Pfn): void {
  const flags = pageFlags(state.memmap, pfn)
  if ((flags & PG_REFERENCED) === 0) setFlags(state.memmap, pfn, flags | PG_REFERENCED)
  else if ((flags & PG_WORKINGSET) === 0) setFlags(state.memmap, pfn, flags | PG_WORKINGSET)
  else if ((flags & LRU_REFS_MASK) !== LRU_REFS_MASK) setFlags(state.memmap, pfn, flags + (1 << LRU_REFS_SHIFT))
}

/** Forgets accesses. @kernel folio_clear_lru_refs() in isolate_folio() */
export function clearRefs(state: KernelState, pfn: Pfn): void {
  setFlags(state.memmap, pfn, pageFlags(state.memmap, pfn) & ~REFS_ALL)
}
