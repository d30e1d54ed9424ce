/**
 * Entries of PMD tables that map 2 MiB themselves, and the PTE table that is put by with each of them, so that splitting
 * the entry never needs memory.
 *
 * Entry: highest bit, pfn / 512 << 4, A D W P. A slot of a PMD table is table * 512 + index, as for a PTE.
 * @kernel  arch/x86/include/asm/pgtable.h pmd_trans_huge(), mm/pgtable-generic.c
 * @spec    04 §4.1, 08 §8.6
 */
import { assert } from '../../util/assert'
import { HPAGE_PAGES, type Pages, type Pfn, type Vpn } from '../../util/units'
import type { KernelState } from '../state'
import type { Mm } from './mm_types'
import {
  ENTRIES_PER_TABLE,
  PTE_PRESENT,
  allocTable,
  childTable,
  entryIndex,
  entrySpan,
  firstEntry,
  freeTable,
  lastEntry,
  linkTable,
  pteAt,
  setPte,
  tableBase,
  tableLevel,
  tableOfSlot,
  vpnOfSlot,
  type PageTables,
} from './pgtable'

const PMD_LEAF = 0x80000000
const PMD_BITS = 4
const HPAGE_ORDER = 9
const PMD_LEVEL = 2

/** @kernel pmd_trans_huge() */
export const isHugePmd = (entry: number): boolean => (entry & PMD_LEAF) !== 0
/** First frame of the huge page. @kernel pmd_pfn() */
export const pmdPfn = (entry: number): Pfn => ((entry & ~PMD_LEAF) >>> PMD_BITS) << HPAGE_ORDER
/** @kernel mk_huge_pmd() */
export const makePmd = (pfn: Pfn, bits: number): number =>
  (PMD_LEAF | ((pfn >>> HPAGE_ORDER) << PMD_BITS) | bits | PTE_PRESENT) >>> 0
/** The same bits with another huge page. */
export const withHugePfn = (entry: number, pfn: Pfn): number =>
  (PMD_LEAF | ((pfn >>> HPAGE_ORDER) << PMD_BITS) | (entry & 15)) >>> 0

/** First page of the 2 MiB that a page lies in. @kernel HPAGE_PMD_MASK */
export const hugeStart = (vpn: Vpn): Vpn => vpn - (vpn % HPAGE_PAGES)

/** Slot of the PMD entry of a page, −1 when the table is missing. @kernel mm_find_pmd() */
export function findPmdSlot(state: KernelState, mm: Mm, vpn: Vpn): number {
  const t = state.pgtables
  let table = mm.pgd
  for (let level = tableLevel(t, table); level > PMD_LEVEL; level--) {
    table = childTable(t, table, entryIndex(vpn, level))
    if (table < 0) return -1
  }
  return table * ENTRIES_PER_TABLE + entryIndex(vpn, PMD_LEVEL)
}

/** Slot of the huge entry that maps the page, of whatever size; −1 none. */
export function findHugePmd(state: KernelState, mm: Mm, vpn: Vpn): number {
  if (mm.hugePmds === 0) return -1
  const t = state.pgtables
  let table = mm.pgd
  for (let level = tableLevel(t, table); level >= PMD_LEVEL; level--) {
    const slot = table * ENTRIES_PER_TABLE + entryIndex(vpn, level)
    const entry = pteAt(t, slot)
    if (isHugePmd(entry)) return slot
    if (entry === 0) return -1
    table = entry - 1
  }
  return -1
}

/** Pages that a huge entry maps: 512, or 512 times as many. */
export const hugeEntryPages = (t: PageTables, slot: number): Pages => entrySpan(tableLevel(t, tableOfSlot(slot)))

/** Frame behind a page that a huge entry maps. */
export const frameInHuge = (t: PageTables, slot: number, vpn: Vpn): Pfn =>
  pmdPfn(pteAt(t, slot)) + (vpn % hugeEntryPages(t, slot))

/**
 * Slot of the PMD entry of a page; missing tables are made on the way.
 * @returns −1 when a table could not be had
 * @kernel  __handle_mm_fault() p4d_alloc … pmd_alloc
 */
export const ensurePmdSlot = (state: KernelState, mm: Mm, vpn: Vpn): number => ensureSlotAt(state, mm, vpn, PMD_LEVEL)

/**
 * Slot of a page's entry in its table of one level; missing tables above are made.
 * @param lowest  2 = PMD, 3 = PUD
 * @returns −1 when a table could not be had
 * @kernel  mm/hugetlb.c huge_pte_alloc()
 */
export function ensureSlotAt(state: KernelState, mm: Mm, vpn: Vpn, lowest: number): number {
  const t = state.pgtables
  let table = mm.pgd
  for (let level = tableLevel(t, table); level > lowest; level--) {
    const index = entryIndex(vpn, level)
    let child = childTable(t, table, index)
    if (child < 0) {
      const span = entrySpan(level)
      child = allocTable(state, mm.id, level - 1, Math.floor(vpn / span) * span)
      if (child < 0) return -1
      linkTable(t, table * ENTRIES_PER_TABLE + index, child)
    }
    table = child
  }
  return table * ENTRIES_PER_TABLE + entryIndex(vpn, lowest)
}

// ---------------------------------------------------------------- tables put by

/** @kernel mm/pgtable-generic.c pgtable_trans_huge_deposit() */
export function depositTable(t: PageTables, pmdTable: number, table: number): void {
  t.deposit[table] = t.deposit[pmdTable]!
  t.deposit[pmdTable] = table + 1
}

/** @kernel mm/pgtable-generic.c pgtable_trans_huge_withdraw() */
export function withdrawTable(t: PageTables, pmdTable: number): number {
  const table = t.deposit[pmdTable]! - 1
  assert(table >= 0, `PMD table ${pmdTable} has no table put by`)
  t.deposit[pmdTable] = t.deposit[table]!
  t.deposit[table] = 0
  return table
}

/** The huge entry goes, and the table that was put by with it. @kernel zap_deposited_table() */
export function clearHugePmd(state: KernelState, mm: Mm, slot: number): void {
  const t = state.pgtables
  setPte(t, slot, 0)
  mm.hugePmds--
  freeTable(state, withdrawTable(t, tableOfSlot(slot)))
}

/** An empty entry becomes a huge one. @kernel set_pmd_at(), pgtable_trans_huge_deposit() */
export function installHugePmd(state: KernelState, mm: Mm, slot: number, entry: number, table: number): void {
  assert(pteAt(state.pgtables, slot) === 0, `PMD slot ${slot} is in use`)
  depositTable(state.pgtables, tableOfSlot(slot), table)
  setPte(state.pgtables, slot, entry)
  mm.hugePmds++
}

/** The huge entry becomes a table of its own, empty: whoever calls fills it. @returns its first PTE slot @kernel pmd_populate() */
export function replaceByTable(state: KernelState, mm: Mm, slot: number): number {
  const t = state.pgtables
  const table = withdrawTable(t, tableOfSlot(slot))
  t.base[table] = vpnOfSlot(t, slot)
  linkTable(t, slot, table)
  mm.hugePmds--
  return table * ENTRIES_PER_TABLE
}

/**
 * Calls `visit(slot, entry, start)` for every entry of 2 MiB that maps part of [start, end); it may take that entry away.
 * @kernel  walk_pmd_range()
 */
export function forEachHugePmd(
  state: KernelState,
  mm: Mm,
  start: Vpn,
  end: Vpn,
  visit: (slot: number, entry: number, first: Vpn) => void,
): void {
  if (mm.hugePmds > 0) visitBelow(state, mm.pgd, { start, end, level: PMD_LEVEL }, visit)
}

/** The same for huge entries of one level: 2 = 2 MiB, 3 = 1 GiB. @kernel mm/pagewalk.c walk_hugetlb_range() */
export function forEachHugeEntry(
  state: KernelState,
  mm: Mm,
  range: HugeRange,
  visit: (slot: number, entry: number, first: Vpn) => void,
): void {
  if (mm.hugePmds > 0) visitBelow(state, mm.pgd, range, visit)
}

export interface HugeRange {
  readonly start: Vpn
  readonly end: Vpn
  /** Of the tables that hold the entries. */
  readonly level: number
}

function visitBelow(
  state: KernelState,
  table: number,
  range: HugeRange,
  visit: (slot: number, entry: number, first: Vpn) => void,
): void {
  const t = state.pgtables
  const level = tableLevel(t, table)
  const span = entrySpan(level)
  const base = tableBase(t, table)
  const first = firstEntry(range.start - base, span)
  const last = lastEntry(range.end - base, span)
  for (let i = first; i <= last; i++) {
    const slot = table * ENTRIES_PER_TABLE + i
    const entry = pteAt(t, slot)
    if (isHugePmd(entry)) {
      if (level === range.level) visit(slot, entry, base + i * span)
    } else if (entry !== 0 && level > range.level) visitBelow(state, entry - 1, range, visit)
  }
}
