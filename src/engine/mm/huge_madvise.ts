/**
 * Advice about huge pages: what holds for the whole of one is done to it as a whole; where only a part is meant, the rest
 * must not suffer, so it is split.
 * @kernel  mm/huge_memory.c madvise_free_huge_pmd(), mm/madvise.c madvise_cold_or_pageout_pte_range()
 * @spec    04 §4.4 madvise, 08 §8.6
 */
import { HPAGE_PAGES, type Pfn, type Vpn } from '../../util/units'
import type { KernelState } from '../state'
import { PG_LARGE, compoundHead, nrPagesMapped } from './folio'
import { forEachHugePmd, pmdPfn } from './huge_pmd'
import { splitFolio, splitHugePmd } from './huge_split'
import { hasFlag, mapcount } from './memmap'
import type { Mm } from './mm_types'
import { forEachPte, isPresent, ptePfn } from './pgtable'

/**
 * Calls `visit` for each huge page of the range that nobody else maps; afterwards only small pages are left in the range
 * besides those, and pieces of huge pages that others use, too.
 */
export function forEachOwnHugePage(
  state: KernelState,
  mm: Mm,
  start: Vpn,
  end: Vpn,
  visit: (slot: number, entry: number, head: Pfn) => void,
): void {
  forEachHugePmd(state, mm, start, end, (slot, entry, first) => {
    const head = pmdPfn(entry)
    if (head === state.thp.hugeZeroPfn) return
    if (first < start || first + HPAGE_PAGES > end) splitHugePmd(state, mm, slot)
    else if (mapcount(state.memmap, head) === 1) visit(slot, entry, head)
  })
  splitOwnFolios(state, mm, start, end)
}

/** Large folios that PTEs of the range map, and nobody else. @kernel mm/huge_memory.c split_folio() */
function splitOwnFolios(state: KernelState, mm: Mm, start: Vpn, end: Vpn): void {
  const m = state.memmap
  const heads: Pfn[] = []
  forEachPte(state, mm, start, end, (_slot, pte) => {
    if (!isPresent(pte) || !hasFlag(m, ptePfn(pte), PG_LARGE)) return
    const head = compoundHead(m, ptePfn(pte))
    if (heads.at(-1) !== head && mapcount(m, head) === nrPagesMapped(m, head)) heads.push(head)
  })
  for (const head of heads) if (hasFlag(m, head, PG_LARGE)) splitFolio(state, head)
}
