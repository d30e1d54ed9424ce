/**
 * Page tables: a pool of 512-entry tables, each made of one simulated frame. A page-table slot is
 * `table * 512 + index`: one int32 names a PTE of any address space, which is what the reverse map keeps.
 *
 * Entries: present PTE = pfn << 4 | A D W P; PROT_NONE = pfn << 4 | A D 0 0; not present = payload << 4 | kind (SWAP);
 * upper level = child table + 1 or, with the highest bit set, a page of 2 MiB (huge_pmd.ts).
 * @kernel  arch/x86/include/asm/pgtable.h, mm/memory.c
 * @spec    04 §4.1
 */
import { AssertionError, assert } from '../../util/assert'
import { PAGE_SIZE, type Pfn, type Vpn } from '../../util/units'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { taskMemcg } from '../cgroup'
import { currentTask } from '../exec'
import { GFP_BIT_ZERO, GFP_KERNEL_ACCOUNT } from './gfp'
import { PG_TABLE, clearFlag, pageMemcg, pageZoneIndex, setFlag, setPageMapping, setPageMemcg } from './memmap'
import { memcgCharge, memcgUncharge, modMemcgState } from './memcontrol'
import { MEMCG_KERNEL, MEMCG_PAGETABLES } from './memcg_stat'
import type { Mm } from './mm_types'
import { freeUnrefPage } from './pcp'
import { mmAt } from './rss'
import { initNewContext } from './tlb_state'
import { NR_PAGE_TABLE_PAGES, modStat } from './vmstat'

export interface PageTables {
  /** 4, or 5 where the processor has LA57 and the kernel uses it. */
  readonly levels: PagingLevels
  /** Entries of all tables: table * 512 + index. */
  entries: Uint32Array
  /** Frame that the table is made of; 0 = free table slot. */
  pfn: Int32Array
  /** 1 PTE, 2 PMD, 3 PUD, 4 PGD (5 with LA57). */
  level: Uint8Array
  /** Address space. */
  mm: Int32Array
  /** First virtual page that the table covers. */
  base: Float64Array
  /** Table whose entry points to it, −1 none. */
  parent: Int32Array
  /** Entries that are not none. */
  used: Int32Array
  /** PTE tables put by for the huge pages below a PMD table: the first one + 1; of such a table, the next one + 1. */
  deposit: Int32Array
  /** Free table numbers, as a stack. */
  free: number[]
  count: number
}

export const PTE_PRESENT = 1
export const PTE_WRITE = 2
export const PTE_DIRTY = 4
export const PTE_ACCESSED = 8
const PTE_BITS = 4
/** Not present: the low bits say what the payload is. */
const PTE_KIND_SWAP = 2
const PTE_KIND_MASK = 15
/** The hardware bits of a PTE: everything below the frame number. */
const PTE_LOW_BITS = 15

export const ENTRIES_PER_TABLE = 512
const INITIAL_TABLES = 64
const PUD_LEVEL = 3

/** @kernel pgtable_l5_enabled() */
export type PagingLevels = 4 | 5

/** @model  pool of tables instead of pointers, so that the state copies and hashes as plain data */
export function createPageTables(levels: PagingLevels = 4): PageTables {
  return {
    levels,
    entries: new Uint32Array(INITIAL_TABLES * ENTRIES_PER_TABLE),
    pfn: new Int32Array(INITIAL_TABLES),
    level: new Uint8Array(INITIAL_TABLES),
    mm: new Int32Array(INITIAL_TABLES),
    base: new Float64Array(INITIAL_TABLES),
    parent: new Int32Array(INITIAL_TABLES),
    used: new Int32Array(INITIAL_TABLES),
    deposit: new Int32Array(INITIAL_TABLES),
    free: [],
    count: 0,
  }
}

// ---------------------------------------------------------------- entries

/** @kernel pte_val() */
export const pteAt = (t: PageTables, slot: number): number => t.entries[slot]!
/** Maps a frame: also when nobody may access it for now. @kernel pte_present() */
export const isPresent = (pte: number): boolean => pte !== 0 && (pte & 3) !== PTE_KIND_SWAP
/** A frame behind PROT_NONE: the hardware sees no entry. @kernel pte_protnone() */
export const isProtNone = (pte: number): boolean => pte !== 0 && (pte & 3) === 0
/** The same entry with another access. @kernel pte_modify() */
export const withAccess = (pte: number, access: 'none' | 'read' | 'write'): number =>
  ((pte & ~3) | (access === 'none' ? 0 : access === 'read' ? PTE_PRESENT : PTE_PRESENT | PTE_WRITE)) >>> 0
export const isSwapPte = (pte: number): boolean => (pte & PTE_KIND_MASK) === PTE_KIND_SWAP
/** @kernel pte_pfn() */
export const ptePfn = (pte: number): Pfn => pte >>> PTE_BITS
/** Global swap slot of a swap PTE. @kernel pte_to_swp_entry() */
export const pteSwapSlot = (pte: number): number => pte >>> PTE_BITS
/** @kernel mk_pte() */
export const makePte = (pfn: Pfn, bits: number): number => ((pfn << PTE_BITS) | bits | PTE_PRESENT) >>> 0
/** The same bits with another frame. @kernel remove_migration_pte() */
export const withPfn = (pte: number, pfn: Pfn): number => ((pfn << PTE_BITS) | (pte & PTE_LOW_BITS)) >>> 0
/** @kernel swp_entry_to_pte() */
export const makeSwapPte = (slot: number): number => ((slot << PTE_BITS) | PTE_KIND_SWAP) >>> 0

/** Writes an entry and keeps the count of used ones. @kernel set_pte_at() */
export function setPte(t: PageTables, slot: number, pte: number): void {
  const before = t.entries[slot]!
  t.entries[slot] = pte
  if (before === 0 && pte !== 0) t.used[slot >>> 9]!++
  else if (before !== 0 && pte === 0) t.used[slot >>> 9]!--
}

export const tableOfSlot = (slot: number): number => slot >>> 9
export const mmOfSlot = (t: PageTables, slot: number): number => t.mm[slot >>> 9]!
/** Virtual page that the entry translates: the PTE's page, or the first one of a huge entry's. */
export const vpnOfSlot = (t: PageTables, slot: number): Vpn =>
  t.level[slot >>> 9] === 1
    ? t.base[slot >>> 9]! + (slot & 511)
    : t.base[slot >>> 9]! + (slot & 511) * SPANS[t.level[slot >>> 9]!]!
export const tablePfn = (t: PageTables, table: number): Pfn => t.pfn[table]!
export const tableLevel = (t: PageTables, table: number): number => t.level[table]!
export const tableBase = (t: PageTables, table: number): Vpn => t.base[table]!
export const tableUsed = (t: PageTables, table: number): number => t.used[table]!
export const tableMm = (t: PageTables, table: number): number => t.mm[table]!
/** A PTE table that serves other addresses from now on. @kernel mm/mremap.c move_normal_pmd() */
export function setTableBase(t: PageTables, table: number, base: Vpn): void {
  t.base[table] = base
}
/** Child of an upper-level entry, −1 none: also where a huge page is, whose highest bit makes it negative. */
export const childTable = (t: PageTables, table: number, index: number): number =>
  Math.max(t.entries[table * ENTRIES_PER_TABLE + index]! | 0, 0) - 1

const SPANS: readonly number[] = [0, 1, 2 ** 9, 2 ** 18, 2 ** 27, 2 ** 36]
/** Pages that one entry of a table of this level covers: 1, 512, 512², 512³. */
export const entrySpan = (level: number): number => SPANS[level]!

/** First and last entry of a table that a range touches, whose ends are counted from the table's first page. */
export const firstEntry = (start: number, span: number): number => Math.max(0, Math.floor(start / span))
export const lastEntry = (end: number, span: number): number =>
  Math.min(ENTRIES_PER_TABLE - 1, Math.ceil(end / span) - 1)

/** Nine bits of the page number; those of the three lower levels lie in its low word. */
export const entryIndex = (vpn: Vpn, level: number): number =>
  (level <= 3 ? vpn >>> (9 * (level - 1)) : Math.floor(vpn / SPANS[level]!)) & (ENTRIES_PER_TABLE - 1)

// ---------------------------------------------------------------- tables

function growPool(t: PageTables): void {
  const n = t.pfn.length * 2
  const copy = <A extends Uint32Array | Int32Array | Uint8Array | Float64Array>(to: A, from: A): A => (to.set(from), to)
  t.entries = copy(new Uint32Array(n * ENTRIES_PER_TABLE), t.entries)
  t.pfn = copy(new Int32Array(n), t.pfn)
  t.level = copy(new Uint8Array(n), t.level)
  t.mm = copy(new Int32Array(n), t.mm)
  t.base = copy(new Float64Array(n), t.base)
  t.parent = copy(new Int32Array(n), t.parent)
  t.used = copy(new Int32Array(n), t.used)
  t.deposit = copy(new Int32Array(n), t.deposit)
}

/**
 * One table: a zeroed frame, charged to the running task's memory cgroup.
 * @returns table number, −1 when there is no memory, the charge failed, or the operation has to wait
 * @kernel  mm/pgtable-generic.c pte_alloc_one(), GFP_PGTABLE_USER
 */
export function allocTable(state: KernelState, mmIndex: number, level: number, base: Vpn): number {
  const pfn = hooks.allocPages(state, GFP_KERNEL_ACCOUNT | GFP_BIT_ZERO, 0)
  if (pfn === 0) return -1
  const task = currentTask(state)
  const memcg = task === undefined ? 1 : taskMemcg(state, task)
  if (memcgCharge(state, memcg, 1, GFP_KERNEL_ACCOUNT) !== 'ok') {
    freeUnrefPage(state, pfn, 0)
    return -1
  }
  const t = state.pgtables
  const reused = t.free.pop()
  const table = reused ?? t.count++
  if (table >= t.pfn.length) growPool(t)
  t.pfn[table] = pfn
  t.level[table] = level
  t.mm[table] = mmIndex
  t.base[table] = base
  t.parent[table] = -1
  t.used[table] = 0
  setFlag(state.memmap, pfn, PG_TABLE)
  setPageMapping(state.memmap, pfn, table, 0)
  setPageMemcg(state.memmap, pfn, memcg)
  accountTable(state, table, 1)
  return table
}

/** pgtables_bytes counts PTE, PMD and PUD tables. @kernel mm_inc_nr_ptes(), mm_inc_nr_pmds(), mm_inc_nr_puds() @spec 04 §4.1 */
export const isCounted = (t: PageTables, table: number): boolean => t.level[table]! <= PUD_LEVEL

function accountTable(state: KernelState, table: number, sign: number): void {
  const t = state.pgtables
  const pfn = t.pfn[table]!
  const memcg = pageMemcg(state.memmap, pfn)
  const nid = state.zones[pageZoneIndex(state.memmap, pfn)]!.nid
  modStat(state.nodes[nid]!.stat, NR_PAGE_TABLE_PAGES, sign)
  modMemcgState(state, memcg, MEMCG_PAGETABLES, sign, nid)
  modMemcgState(state, memcg, MEMCG_KERNEL, sign, nid)
  if (isCounted(t, table)) mmAt(state, t.mm[table]!).pgtablesBytes += sign * PAGE_SIZE
}

/** A table without entries goes back. @kernel mm/pgtable-generic.c pte_free() */
export function freeTable(state: KernelState, table: number): void {
  const t = state.pgtables
  assert(t.used[table] === 0, `page table ${table} of level ${t.level[table]} is freed with ${t.used[table]} entries`)
  const pfn = t.pfn[table]!
  accountTable(state, table, -1)
  const memcg = pageMemcg(state.memmap, pfn)
  setPageMemcg(state.memmap, pfn, 0)
  setPageMapping(state.memmap, pfn, 0, 0)
  clearFlag(state.memmap, pfn, PG_TABLE)
  freeUnrefPage(state, pfn, 0)
  memcgUncharge(state, memcg, 1)
  t.pfn[table] = 0
  t.free.push(table)
}

/** An entry points to a table of the next level from now on. @kernel pmd_populate() */
export function linkTable(t: PageTables, slot: number, table: number): void {
  setPte(t, slot, table + 1)
  t.parent[table] = slot >>> 9
}

/** Top-level table of a new address space. @kernel mm_alloc_pgd(), init_new_context() */
export function allocPgd(state: KernelState, mmIndex: number): boolean {
  const table = allocTable(state, mmIndex, state.pgtables.levels, 0)
  if (table < 0) return false
  mmAt(state, mmIndex).pgd = table
  initNewContext(state.tlb, mmIndex)
  return true
}

/** PTE slot of a page, −1 when one of the tables is missing. @kernel pte_offset_map() */
export function findPteSlot(state: KernelState, mm: Mm, vpn: Vpn): number {
  const t = state.pgtables
  let table = mm.pgd
  for (let level: number = t.levels; level > 1; level--) {
    table = childTable(t, table, entryIndex(vpn, level))
    if (table < 0) return -1
  }
  return table * ENTRIES_PER_TABLE + entryIndex(vpn, 1)
}

/**
 * PTE slot of a page; missing tables are made on the way.
 * @returns −1 when a table could not be had (no memory, charge refused, or the operation has to wait)
 * @kernel  __handle_mm_fault() p4d_alloc … pte_alloc
 */
export function ensurePteSlot(state: KernelState, mm: Mm, vpn: Vpn): number {
  const t = state.pgtables
  let table = mm.pgd
  for (let level: number = t.levels; level > 1; level--) {
    const index = entryIndex(vpn, level)
    let child = childTable(t, table, index)
    if (child < 0) {
      const span = entrySpan(level)
      if (pteAt(t, table * ENTRIES_PER_TABLE + index) !== 0)
        throw new AssertionError(`page ${vpn} of mm ${mm.id} is in a huge page and has no PTE`)
      child = allocTable(state, mm.id, level - 1, Math.floor(vpn / span) * span)
      if (child < 0) return -1
      linkTable(t, table * ENTRIES_PER_TABLE + index, child)
    }
    table = child
  }
  return table * ENTRIES_PER_TABLE + entryIndex(vpn, 1)
}

/**
 * Frees the tables that serve no mapping any more: whole spans inside [floor, ceiling), which lies between the
 * neighbouring mappings.
 * @returns whether there were any
 * @kernel  mm/memory.c free_pgtables(), free_pgd_range()
 * @spec    04 §4.1
 */
export function freePageTables(state: KernelState, mm: Mm, floor: Vpn, ceiling: Vpn): boolean {
  return freeBelow(state, mm.pgd, floor, ceiling)
}

function freeBelow(state: KernelState, table: number, floor: Vpn, ceiling: Vpn): boolean {
  const t = state.pgtables
  const level = tableLevel(t, table)
  let freed = false
  if (level === 1) return freed
  const span = entrySpan(level)
  const base = tableBase(t, table)
  const first = firstEntry(floor - base, span)
  const last = lastEntry(ceiling - base, span)
  for (let i = first; i <= last; i++) {
    const child = childTable(t, table, i)
    if (child < 0) continue
    if (freeBelow(state, child, floor, ceiling)) freed = true
    const start = base + i * span
    if (start >= floor && start + span <= ceiling && tableUsed(t, child) === 0) {
      setPte(t, table * ENTRIES_PER_TABLE + i, 0)
      freeTable(state, child)
      freed = true
    }
  }
  return freed
}

/** The address space is gone: all tables, the top one included. @kernel mmdrop(), pgd_free() */
export function freeAllTables(state: KernelState, mm: Mm): void {
  freeBelow(state, mm.pgd, 0, Number.MAX_SAFE_INTEGER)
  freeTable(state, mm.pgd)
  mm.pgd = -1
}

/** Calls `visit(slot, pte)` for every entry that is not none in [start, end). Tables that are missing are skipped. */
export function forEachPte(
  state: KernelState,
  mm: Mm,
  start: Vpn,
  end: Vpn,
  visit: (slot: number, pte: number) => void,
): void {
  const t = state.pgtables
  forEachPteTable(state, mm, start, end, (first, last) => {
    for (let slot = first; slot <= last; slot++) {
      const pte = t.entries[slot]!
      if (pte !== 0) visit(slot, pte)
    }
  })
}

/**
 * Calls `visit(first, last)` for the slots of each PTE table that lie in [start, end): for walks that look at every
 * page and want their loop inside (measured: unmapping took 1.3 times as long with a call for each entry).
 */
export function forEachPteTable(
  state: KernelState,
  mm: Mm,
  start: Vpn,
  end: Vpn,
  visit: (first: number, last: number) => void,
): void {
  visitBelow(state, mm.pgd, start, end, visit)
}

function visitBelow(
  state: KernelState,
  table: number,
  start: Vpn,
  end: Vpn,
  visit: (first: number, last: number) => void,
): void {
  const t = state.pgtables
  const level = tableLevel(t, table)
  const span = entrySpan(level)
  const base = tableBase(t, table)
  const first = firstEntry(start - base, span)
  const last = lastEntry(end - base, span)
  if (level === 1) {
    visit(table * ENTRIES_PER_TABLE + first, table * ENTRIES_PER_TABLE + last)
    return
  }
  for (let i = first; i <= last; i++) {
    const child = childTable(t, table, i)
    if (child >= 0) visitBelow(state, child, start, end, visit)
  }
}
