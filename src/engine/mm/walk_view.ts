/**
 * One address on its way through the page tables, as a reader from outside sees it: every table with the entry used and
 * its neighbours, and what is at the end. Reads only; nothing here may be used by a mechanism.
 * @kernel  mm/pagewalk.c, arch/x86/mm/fault.c dump_pagetable()
 * @spec    04 §4.1
 */
import { PAGE_SIZE, type Bytes, type Pages, type Pfn, type Vpn } from '../../util/units'
import type { KernelState } from '../state'
import { isHugePmd, pmdPfn } from './huge_pmd'
import { PG_ANON, PG_FILE, PG_HUGETLB, PG_SWAPBACKED, pageFlags } from './memmap'
import type { Mm } from './mm_types'
import {
  ENTRIES_PER_TABLE,
  childTable,
  entryIndex,
  entrySpan,
  pteAt,
  ptePfn,
  pteSwapSlot,
  tableBase,
  tableLevel,
  tablePfn,
  tableUsed,
} from './pgtable'
import { RAW_NONE, pteKind, rawLeaf, rawPte, rawTableEntry, swapType, type EntryFlag } from './raw_pte'
import { areaOfSlot } from './swapfile'
import { tableCells } from './table_cells'
import { findVma } from './vma_find'
import { cutAddress, hex64, levelName, type CutAddress } from './virtual_address'

/** One entry of a table. */
export interface WalkEntry {
  readonly index: number
  /** Physical address of the entry itself. */
  readonly physical: number
  /** Its 64 bits: '0x8000000012345867'. */
  readonly raw: string
  readonly flags: readonly EntryFlag[]
  readonly kind: 'none' | 'table' | 'page' | 'swap' | 'protnone'
  /** Frame that it points to: table or page; 0 none. */
  readonly pfn: Pfn
  /** Swap area and slot in it. */
  readonly swap?: { readonly type: number; readonly offset: number; readonly path: string }
}

/** One table on the way. */
export interface WalkStep {
  /** 5 … 1 */
  readonly level: number
  /** 'PGD', 'P4D', 'PUD', 'PMD', 'PTE' */
  readonly name: string
  /** Frame that the table is made of. */
  readonly tablePfn: Pfn
  /** First address that the table covers. */
  readonly base: number
  /** Bytes that one entry covers. */
  readonly entryBytes: Bytes
  /** Entries that are not none, of 512. */
  readonly used: number
  /** CELL_* of each entry. */
  readonly cells: Uint8Array
  readonly entry: WalkEntry
  /** Entries around it, itself included, ascending. */
  readonly neighbours: readonly WalkEntry[]
}

/** How the walk ends. */
export type WalkEnd =
  /** A page: the access goes through if its rights do. */
  | 'page'
  /** An empty entry: page fault. */
  | 'none'
  /** The page is in swap: page fault. */
  | 'swap'
  /** The frame is there, but not for the hardware. */
  | 'protnone'
  /** Not an address: general protection fault, no page fault. */
  | 'non-canonical'
  /** The kernel's half: never the program's. */
  | 'kernel'

/** The page at the end of a walk. */
export interface WalkPage {
  readonly pfn: Pfn
  /** Pages of the mapping: 1, 512 or 262144. */
  readonly pages: Pages
  /** Physical address of the byte. */
  readonly physical: number
  readonly nid: number
  readonly kind: 'anonymous' | 'file' | 'shmem' | 'zero page' | 'hugetlb' | 'other'
  /** Effective rights: AND over the levels; execution unless an entry forbids it. */
  readonly canWrite: boolean
  readonly canExecute: boolean
}

export interface WalkView extends CutAddress {
  readonly steps: readonly WalkStep[]
  readonly end: WalkEnd
  readonly page?: WalkPage
  /** The mapping that the address belongs to, '' none: its name, or 'anonymous'. */
  readonly vma: string
}

/** Entries shown on each side of the one used. */
const AROUND = 3

/**
 * @param address  any 64 bits
 * @kernel  dump_pagetable()
 */
export function walkView(state: KernelState, mm: Mm, address: bigint): WalkView {
  const cut = cutAddress(address, tableLevel(state.pgtables, mm.pgd))
  if (cut.half !== 'user') {
    return { ...cut, steps: [], end: cut.half === 'kernel' ? 'kernel' : 'non-canonical', vma: '' }
  }
  const vma = findVma(mm, cut.vpn)
  const steps = stepsTo(state, mm, cut)
  const last = steps[steps.length - 1]!
  const name = vma === undefined ? '' : vma.name === '' ? 'anonymous' : vma.name
  const { kind } = last.entry
  // A walk that ends above the PTE found nothing there.
  const end = kind === 'table' ? 'none' : kind
  return { ...cut, steps, end, vma: name, ...(end === 'page' ? { page: pageOf(state, last, cut) } : {}) }
}

function stepsTo(state: KernelState, mm: Mm, { vpn, levels }: CutAddress): WalkStep[] {
  const t = state.pgtables
  const steps: WalkStep[] = []
  for (let table = mm.pgd, level = levels; table >= 0 && level >= 1; level--) {
    const index = entryIndex(vpn, level)
    steps.push(stepAt(state, mm, { table, level, index, levels }))
    if (level === 1) break
    table = childTable(t, table, index)
  }
  return steps
}

interface Place {
  readonly table: number
  readonly level: number
  readonly index: number
  readonly levels: number
}

function stepAt(state: KernelState, mm: Mm, place: Place): WalkStep {
  const { table, level, index, levels } = place
  const t = state.pgtables
  const first = Math.max(0, Math.min(index - AROUND, ENTRIES_PER_TABLE - 1 - 2 * AROUND))
  const neighbours = Array.from({ length: 2 * AROUND + 1 }, (_, i) => entryAt(state, mm, table, first + i))
  return {
    level,
    name: levelName(level, levels),
    tablePfn: tablePfn(t, table),
    base: tableBase(t, table) * PAGE_SIZE,
    entryBytes: entrySpan(level) * PAGE_SIZE,
    used: tableUsed(t, table),
    cells: tableCells(state, table),
    entry: neighbours[index - first]!,
    neighbours,
  }
}

function entryAt(state: KernelState, mm: Mm, table: number, index: number): WalkEntry {
  const t = state.pgtables
  const physical = tablePfn(t, table) * PAGE_SIZE + index * 8
  if (tableLevel(t, table) === 1) return leafAt(state, mm, { table, index, physical })
  const entry = pteAt(t, table * ENTRIES_PER_TABLE + index)
  if (isHugePmd(entry)) return hugeAt(state, mm, { table, index, physical })
  const child = childTable(t, table, index)
  const pfn = child < 0 ? 0 : tablePfn(t, child)
  const { raw, flags } = child < 0 ? RAW_NONE : rawTableEntry(pfn)
  return { index, physical, raw: hex64(raw), flags, kind: child < 0 ? 'none' : 'table', pfn }
}

interface EntryPlace {
  readonly table: number
  readonly index: number
  readonly physical: number
}

/** A leaf of 2 MiB or 1 GiB: no table is below it. */
function hugeAt(state: KernelState, mm: Mm, { table, index, physical }: EntryPlace): WalkEntry {
  const t = state.pgtables
  const entry = pteAt(t, table * ENTRIES_PER_TABLE + index)
  const pfn = pmdPfn(entry)
  const vma = findVma(mm, tableBase(t, table) + index * entrySpan(tableLevel(t, table)))
  const { raw, flags } = rawLeaf(state, vma, { pfn, bits: entry & 15, isHuge: true })
  return { index, physical, raw: hex64(raw), flags, kind: 'page', pfn }
}

function leafAt(state: KernelState, mm: Mm, { table, index, physical }: EntryPlace): WalkEntry {
  const t = state.pgtables
  const entry = pteAt(t, table * ENTRIES_PER_TABLE + index)
  const vpn: Vpn = tableBase(t, table) + index
  const { raw, flags } = rawPte(state, findVma(mm, vpn), entry)
  const kind = pteKind(entry)
  const common = { index, physical, raw: hex64(raw), flags, kind }
  if (kind !== 'swap') return { ...common, pfn: kind === 'none' ? 0 : ptePfn(entry) }
  const slot = pteSwapSlot(entry)
  const area = areaOfSlot(state, slot)
  return { ...common, pfn: 0, swap: { type: swapType(state, slot), offset: slot - area.base, path: area.path } }
}

function pageOf(state: KernelState, last: WalkStep, cut: CutAddress): WalkPage {
  const pages = last.entryBytes / PAGE_SIZE
  const pfn = last.entry.pfn + (cut.vpn % pages)
  // What a page is, the first frame of a folio says for all.
  const head = pages > 1 ? last.entry.pfn : pfn
  const flags = head === state.zeroPfn ? 0 : pageFlags(state.memmap, head)
  const nid = state.zones.find((z) => z.present > 0 && pfn >= z.startPfn && pfn < z.startPfn + z.spanned)?.nid ?? 0
  return {
    pfn,
    pages,
    physical: pfn * PAGE_SIZE + cut.offset,
    nid,
    kind: kindOf(state, head, flags),
    canWrite: last.entry.flags.includes('W'),
    canExecute: !last.entry.flags.includes('NX'),
  }
}

function kindOf(state: KernelState, pfn: Pfn, flags: number): WalkPage['kind'] {
  if (pfn === state.zeroPfn || pfn === state.thp.hugeZeroPfn) return 'zero page'
  if ((flags & PG_HUGETLB) !== 0) return 'hugetlb'
  if ((flags & PG_ANON) !== 0) return 'anonymous'
  if ((flags & PG_FILE) === 0) return 'other'
  return (flags & PG_SWAPBACKED) !== 0 ? 'shmem' : 'file'
}
