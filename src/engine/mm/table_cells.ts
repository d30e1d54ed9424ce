/**
 * Pictures of page tables for readers from outside: the 512 entries of one table, and how much of each stretch of a
 * mapping is in memory. One small number an entry or stretch, so that a view can draw what it cannot list.
 * @kernel  mm/ptdump.c, fs/proc/task_mmu.c
 * @spec    04 §4.1
 */
import { HPAGE_PAGES, type Vpn } from '../../util/units'
import type { KernelState } from '../state'
import { forEachHugeEntry, forEachHugePmd, isHugePmd, pmdPfn } from './huge_pmd'
import { vmaUnit } from './hugetlb_pool'
import type { Mm, Vma } from './mm_types'
import { ENTRIES_PER_TABLE, forEachPte, isSwapPte, pteAt, ptePfn, tableLevel, vpnOfSlot } from './pgtable'
import { pteKind } from './raw_pte'
import { CELL_ANON, CELL_FILE, CELL_HUGE, CELL_PROTNONE, CELL_SWAP, CELL_TABLE, CELL_ZERO } from './table_cell_kinds'
import { PG_ANON, hasFlag } from './memmap'

/** One CELL_* for each of the 512 entries. @kernel note_page() */
export function tableCells(state: KernelState, table: number): Uint8Array {
  const t = state.pgtables
  const cells = new Uint8Array(ENTRIES_PER_TABLE)
  const isLeaf = tableLevel(t, table) === 1
  for (let i = 0; i < ENTRIES_PER_TABLE; i++) {
    const entry = pteAt(t, table * ENTRIES_PER_TABLE + i)
    if (entry !== 0) cells[i] = isLeaf ? leafCell(state, entry) : isHugePmd(entry) ? CELL_HUGE : CELL_TABLE
  }
  return cells
}

function leafCell(state: KernelState, entry: number): number {
  const kind = pteKind(entry)
  if (kind === 'swap') return CELL_SWAP
  if (kind === 'protnone') return CELL_PROTNONE
  if (ptePfn(entry) === state.zeroPfn) return CELL_ZERO
  return hasFlag(state.memmap, ptePfn(entry), PG_ANON) ? CELL_ANON : CELL_FILE
}

/** A mapping cut into stretches of equal length; each column holds pages of that stretch. */
export interface VmaProfile {
  /** Pages of a stretch; the last one may be shorter. */
  readonly stretchPages: number
  readonly resident: Uint32Array
  /** Mapped by entries of 2 MiB; not in `resident`. */
  readonly huge: Uint32Array
  readonly zero: Uint32Array
  readonly swapped: Uint32Array
}

/** Stretches of a mapping, at most: more than a picture has room for. */
const STRETCHES_MAX = 128

/**
 * Where in each mapping its pages are.
 * @kernel  smaps_pte_range(), which only adds up
 */
export function spaceProfile(state: KernelState, mm: Mm): VmaProfile[] {
  return mm.vmas.map((vma) => vmaProfile(state, mm, vma))
}

function vmaProfile(state: KernelState, mm: Mm, vma: Vma): VmaProfile {
  const pages = vma.end - vma.start
  const stretchPages = Math.ceil(pages / STRETCHES_MAX)
  const nr = Math.ceil(pages / stretchPages)
  const column = (): Uint32Array => new Uint32Array(nr)
  const [resident, huge, zero, swapped] = [column(), column(), column(), column()]
  const stretchOf = (vpn: Vpn): number => Math.floor((vpn - vma.start) / stretchPages)
  forEachPte(state, mm, vma.start, vma.end, (slot, pte) => {
    const at = stretchOf(vpnOfSlot(state.pgtables, slot))
    if (isSwapPte(pte)) swapped[at]!++
    else if (ptePfn(pte) === state.zeroPfn) zero[at]!++
    else resident[at]!++
  })
  forEachHugePmd(state, mm, vma.start, vma.end, (_slot, entry, first) => {
    const column = pmdPfn(entry) === state.thp.hugeZeroPfn ? zero : huge
    const [from, to] = [Math.max(first, vma.start), Math.min(first + HPAGE_PAGES, vma.end)]
    for (let vpn = from; vpn < to; vpn++) column[stretchOf(vpn)]!++
  })
  forEachHugeEntry(state, mm, { start: vma.start, end: vma.end, level: 3 }, (_slot, _entry, first) => {
    for (let vpn = first; vpn < first + vmaUnit(vma); vpn += HPAGE_PAGES) addPages(huge, vpn - vma.start, stretchPages)
  })
  return { stretchPages, resident, huge, zero, swapped }
}

/** 512 pages from `first` on, by stretch. */
function addPages(column: Uint32Array, first: number, stretchPages: number): void {
  for (let done = 0; done < HPAGE_PAGES;) {
    const at = Math.floor((first + done) / stretchPages)
    const pages = Math.min(HPAGE_PAGES - done, (at + 1) * stretchPages - first - done)
    column[at]! += pages
    done += pages
  }
}
