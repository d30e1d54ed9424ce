/**
 * What must hold for huge pages at every moment between two events: apart from mm_check.ts, which asks for it.
 * @spec 04 §4.11, 08 §8.6
 */
import { HPAGE_PAGES, type Pages, type Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { isSplitDeferred } from './deferred_split'
import { compoundHead, entireMapcount, folioNrPages, nrPagesMapped, pteMapcount } from './folio'
import { forEachHugeEntry, forEachHugePmd, isHugePmd, pmdPfn } from './huge_pmd'
import { PG_ANON, PG_HEAD, PG_HUGETLB, hasFlag, mapcount } from './memmap'
import type { Mm } from './mm_types'
import { ENTRIES_PER_TABLE, mmOfSlot, pteAt, tableLevel, tablePfn, tableUsed } from './pgtable'
import { findVma } from './vma_find'

/** Page-table entries by the frame that they name: PTEs of each frame, PMDs of each first frame. */
export interface Entries {
  readonly ptesOf: Int32Array
  readonly pmdsOf: Int32Array
}

/** @returns anonymous pages that huge entries of the address space map @model  looks from outside */
export function checkHugeEntries(state: KernelState, mm: Mm, pmdsOf: Int32Array, found: string[]): Pages {
  let pages = 0
  let entries = 0
  let usage = 0
  forEachHugeEntry(state, mm, { start: 0, end: Number.MAX_SAFE_INTEGER, level: 3 }, (_slot, entry, first) => {
    entries++
    usage += 2 ** 18
    pmdsOf[pmdPfn(entry)]!++
    if (findVma(mm, first)?.hugeOrder !== 18)
      found.push(`mm ${mm.id}: the entry at ${first} lies in no mapping of 1 GiB`)
  })
  forEachHugePmd(state, mm, 0, Number.MAX_SAFE_INTEGER, (slot, entry, first) => {
    entries++
    const vma = findVma(mm, first)
    if (vma?.hugeOrder === 9) {
      usage += HPAGE_PAGES
      pmdsOf[pmdPfn(entry)]!++
      return
    }
    if (vma === undefined || first + HPAGE_PAGES > vma.end || vma.ino !== 0)
      found.push(`mm ${mm.id}: the huge page at ${first} lies in no anonymous mapping as a whole`)
    if (mmOfSlot(state.pgtables, slot) !== mm.id) found.push(`mm ${mm.id}: slot ${slot} belongs to another`)
    const pfn = pmdPfn(entry)
    if (pfn === state.thp.hugeZeroPfn) return
    pmdsOf[pfn]!++
    pages += HPAGE_PAGES
    if (!hasFlag(state.memmap, pfn, PG_HEAD) || !hasFlag(state.memmap, pfn, PG_ANON))
      found.push(`mm ${mm.id}: the huge page at ${first} maps pfn ${pfn}, which is no large folio`)
  })
  if (usage !== mm.hugetlbUsage) found.push(`mm ${mm.id}: hugetlb_usage ${mm.hugetlbUsage}, entries map ${usage}`)
  if (entries !== mm.hugePmds) found.push(`mm ${mm.id}: ${mm.hugePmds} huge entries counted, ${entries} there`)
  return pages
}

/** @returns frames of a large folio that something maps @model  looks from outside */
export function checkLargeFolio(state: KernelState, head: Pfn, { ptesOf, pmdsOf }: Entries, found: string[]): Pages {
  const m = state.memmap
  const nr = folioNrPages(m, head)
  let ptes = 0
  let mapped = 0
  for (let pfn = head; pfn < head + nr; pfn++) {
    ptes += ptesOf[pfn]!
    if (ptesOf[pfn]! > 0) mapped++
    if (compoundHead(m, pfn) !== head) found.push(`pfn ${pfn} does not point to its head ${head}`)
    if (pteMapcount(m, pfn) !== ptesOf[pfn])
      found.push(`pfn ${pfn}: ${pteMapcount(m, pfn)} PTEs, ${ptesOf[pfn]} entries`)
  }
  const pmds = pmdsOf[head]!
  if (mapcount(m, head) !== ptes + pmds)
    found.push(`folio ${head}: mapcount ${mapcount(m, head)}, ${ptes + pmds} entries`)
  if (entireMapcount(m, head) !== pmds) found.push(`folio ${head}: entire mapcount ${entireMapcount(m, head)}, ${pmds}`)
  if (nrPagesMapped(m, head) !== mapped) found.push(`folio ${head}: ${nrPagesMapped(m, head)} frames mapped, ${mapped}`)
  if (pmds === 0 && mapped < nr && !isSplitDeferred(state, head))
    found.push(`folio ${head}: ${mapped} of ${nr} frames are mapped, and it does not wait to be split`)
  return pmds > 0 ? nr : mapped
}

/** As many empty PTE tables are put by as the PMD table has huge entries. @model  looks from outside */
export function checkDeposits({ pgtables: t, memmap: m }: KernelState, table: number, found: string[]): void {
  let huge = 0
  for (let i = 0; i < ENTRIES_PER_TABLE; i++) {
    const entry = pteAt(t, table * ENTRIES_PER_TABLE + i)
    // Nothing is put by for huge pages of the pool.
    if (isHugePmd(entry) && !hasFlag(m, pmdPfn(entry), PG_HUGETLB)) huge++
  }
  let deposits = 0
  for (let next = t.deposit[table]!; next !== 0; next = t.deposit[next - 1]!) {
    deposits++
    if (tablePfn(t, next - 1) === 0 || tableLevel(t, next - 1) !== 1 || tableUsed(t, next - 1) !== 0)
      found.push(`table ${next - 1} is put by for table ${table} and is no empty PTE table`)
  }
  if (deposits !== huge) found.push(`PMD table ${table}: ${huge} huge entries, ${deposits} tables put by`)
}
