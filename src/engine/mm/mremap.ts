/**
 * Page tables that go with a mapping when it moves: entry by entry, or a whole table at a time where both places begin at
 * a multiple of 2 MiB.
 * @kernel  mm/mremap.c move_page_tables()
 * @spec    04 §4.4
 */
import { HPAGE_PAGES, type Pages, type Vpn } from '../../util/units'
import { charge, isSuspended } from '../exec'
import type { KernelState } from '../state'
import { depositTable, isHugePmd, pmdPfn, withdrawTable } from './huge_pmd'
import { splitHugePmd } from './huge_split'
import type { Mm } from './mm_types'
import {
  ENTRIES_PER_TABLE,
  allocTable,
  childTable,
  ensurePteSlot,
  entryIndex,
  entrySpan,
  findPteSlot,
  forEachPte,
  isPresent,
  linkTable,
  pteAt,
  ptePfn,
  setPte,
  setTableBase,
  tableLevel,
  tableOfSlot,
  vpnOfSlot,
} from './pgtable'
import { pageMoveRmap } from './rmap'
import { beginSlots, flushTlbMm, noteSlot } from './tlb_flush'

/** Where entries come from and go to. */
export interface TableMove {
  readonly from: Vpn
  readonly to: Vpn
  readonly pages: Pages
}

/** The PMD table above a page; made on the way if asked. @returns −1 = there is none, or it could not be had */
function pmdTable(state: KernelState, mm: Mm, vpn: Vpn, isMade: boolean): number {
  const t = state.pgtables
  let table = mm.pgd
  for (let level = tableLevel(t, table); level > 2; level--) {
    const index = entryIndex(vpn, level)
    let child = childTable(t, table, index)
    if (child < 0 && isMade) {
      const span = entrySpan(level)
      child = allocTable(state, mm.id, level - 1, Math.floor(vpn / span) * span)
      if (child >= 0) linkTable(t, table * ENTRIES_PER_TABLE + index, child)
    }
    if (child < 0) return -1
    table = child
  }
  return table
}

/** Entry of the PMD table that leads to a page's PTE table; −1 = no PMD table. */
function pmdSlot(state: KernelState, mm: Mm, vpn: Vpn): number {
  const table = pmdTable(state, mm, vpn, false)
  return table < 0 ? -1 : table * ENTRIES_PER_TABLE + entryIndex(vpn, 2)
}

/** A whole table can go over: both places begin at 2 MiB, and nothing is at the new one. @kernel move_normal_pmd() */
const isWhole = (move: TableMove, done: Pages): boolean =>
  (move.from + done) % HPAGE_PAGES === 0 && (move.to + done) % HPAGE_PAGES === 0 && move.pages - done >= HPAGE_PAGES

/** Calls `visit` for each stretch of one PTE table, or of 512 pages that move as one. */
function forEachStretch(move: TableMove, visit: (done: Pages, pages: Pages) => boolean): boolean {
  for (let done = 0; done < move.pages;) {
    const pages = Math.min(HPAGE_PAGES - ((move.from + done) % HPAGE_PAGES), move.pages - done)
    if (!visit(done, pages)) return false
    done += pages
  }
  return true
}

/**
 * Makes the tables that the move needs, so that the move itself cannot fail half-way; made ones stay when it has to wait.
 * @returns false = no memory, or waiting
 * @kernel  alloc_new_pmd(), pte_alloc() in move_page_tables()
 */
export function prepareTables(state: KernelState, mm: Mm, move: TableMove): boolean {
  const shift = move.to - move.from
  return forEachStretch(move, (done, pages) => {
    const from = move.from + done
    const slot = pmdSlot(state, mm, from)
    if (slot < 0 || pteAt(state.pgtables, slot) === 0) return true
    if (isHugePmd(pteAt(state.pgtables, slot)) && !isWhole(move, done)) splitHugePmd(state, mm, slot)
    if (isWhole(move, done)) return pmdTable(state, mm, from + shift, true) >= 0 && !isSuspended(state)
    let complete = true
    forEachPte(state, mm, from, from + pages, (pte) => {
      if (complete) complete = ensurePteSlot(state, mm, vpnOfSlot(state.pgtables, pte) + shift) >= 0
    })
    return complete && !isSuspended(state)
  })
}

/**
 * Moves the entries; tables are there (prepareTables).
 * @kernel  mm/mremap.c move_page_tables(), move_ptes(), move_normal_pmd()
 */
export function movePageTables(state: KernelState, mm: Mm, move: TableMove): void {
  const t = state.pgtables
  const shift = move.to - move.from
  beginSlots()
  forEachStretch(move, (done, pages) => {
    const from = move.from + done
    const old = pmdSlot(state, mm, from)
    const entry = old < 0 ? 0 : pteAt(t, old)
    if (entry === 0) return true
    const target = isWhole(move, done) ? pmdSlot(state, mm, from + shift) : -1
    if (isHugePmd(entry)) moveHugePmd(state, mm, old, target, { from, pages, shift })
    else if (target >= 0 && pteAt(t, target) === 0) {
      setPte(t, old, 0)
      linkTable(t, target, entry - 1)
      setTableBase(t, entry - 1, from + shift)
    } else forEachPte(state, mm, from, from + pages, (slot, pte) => moveEntry(state, mm, slot, pte, shift))
    charge(state, state.costs.syscall)
    return true
  })
  flushTlbMm(state, mm.id, move.pages, false)
}

/**
 * A huge page moves whole, with the table put by for it, unless the new place has PTEs already.
 * @kernel mm/huge_memory.c move_huge_pmd()
 */
function moveHugePmd(
  state: KernelState,
  mm: Mm,
  old: number,
  target: number,
  { from, pages, shift }: { readonly from: Vpn; readonly pages: Pages; readonly shift: number },
): void {
  const t = state.pgtables
  const entry = pteAt(t, old)
  if (target < 0 || pteAt(t, target) !== 0) {
    splitHugePmd(state, mm, old)
    forEachPte(state, mm, from, from + pages, (slot, pte) => moveEntry(state, mm, slot, pte, shift))
    return
  }
  depositTable(t, tableOfSlot(target), withdrawTable(t, tableOfSlot(old)))
  setPte(t, old, 0)
  setPte(t, target, entry)
  if (pmdPfn(entry) !== state.thp.hugeZeroPfn) pageMoveRmap(state, pmdPfn(entry), old, target)
}

function moveEntry(state: KernelState, mm: Mm, slot: number, pte: number, shift: number): void {
  const t = state.pgtables
  const target = findPteSlot(state, mm, vpnOfSlot(t, slot) + shift)
  setPte(t, slot, 0)
  setPte(t, target, pte)
  noteSlot(slot)
  if (isPresent(pte) && ptePfn(pte) !== state.zeroPfn) pageMoveRmap(state, ptePfn(pte), slot, target)
}
