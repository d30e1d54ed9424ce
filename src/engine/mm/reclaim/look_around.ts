/**
 * MGLRU's neighbours: where one page was used, the pages next to it probably were, too. Cheaper than walking all page
 * tables, because the table is in the cache already.
 * @kernel  mm/vmscan.c lru_gen_look_around()
 * @spec    05 §5.10
 */
import type { Pages, Pfn } from '../../../util/units'
import type { KernelState } from '../../state'
import { compoundHead } from '../folio'
import { folioLruvec } from '../lruvec'
import { pageMemcg } from '../memmap'
import {
  ENTRIES_PER_TABLE,
  PTE_ACCESSED,
  isPresent,
  mmOfSlot,
  pteAt,
  ptePfn,
  setPte,
  tableLevel,
  tableOfSlot,
  vpnOfSlot,
} from '../pgtable'
import { forEachFolioMapping } from '../rmap'
import { mmAt } from '../rss'
import { findVma } from '../vma_find'
import { folioUpdateGen, genFromSeq } from './lru_gen'
import { canSwap } from './mglru_swappiness'
import type { ScanControl } from './scan_control'

const WINDOW: Pages = 64

/** First and last entry to look at, around `index`. @kernel lru_gen_look_around(), start and end */
function windowAround(index: number, low: number, high: number): { from: number; to: number } {
  if (high - low <= WINDOW) return { from: low, to: high }
  if (index - low < WINDOW / 2) return { from: low, to: low + WINDOW }
  if (high - index < WINDOW / 2) return { from: high - WINDOW, to: high }
  return { from: index - WINDOW / 2, to: index + WINDOW / 2 }
}

/** Promotes young pages around every young mapping of an isolated page. @kernel mm/vmscan.c lru_gen_look_around() */
export function lookAround(state: KernelState, sc: ScanControl, pfn: Pfn): void {
  forEachFolioMapping(state, pfn, (slot) => {
    if ((pteAt(state.pgtables, slot) & PTE_ACCESSED) !== 0) lookAroundSlot(state, sc, pfn, slot)
  })
}

function lookAroundSlot(state: KernelState, sc: ScanControl, pfn: Pfn, slot: number): void {
  const t = state.pgtables
  // A huge page has no neighbours in its table that the same walk would find.
  if (tableLevel(t, tableOfSlot(slot)) > 1) return
  const vpn = vpnOfSlot(t, slot)
  const vma = findVma(mmAt(state, mmOfSlot(t, slot)), vpn)
  if (vma === undefined) return
  const index = slot % ENTRIES_PER_TABLE
  const low = Math.max(0, index - (vpn - vma.start))
  const high = Math.min(ENTRIES_PER_TABLE, index + (vma.end - vpn))
  const { from, to } = windowAround(index, low, high)
  const lruvec = folioLruvec(state, pfn)
  const gen = genFromSeq(lruvec.gen.maxSeq)
  const memcg = pageMemcg(state.memmap, pfn)
  const takesAnon = canSwap(state, sc, lruvec)
  for (let i = from; i < to; i++) {
    const s = slot - index + i
    if (s === slot) continue
    const pte = pteAt(t, s)
    if (!isPresent(pte) || (pte & PTE_ACCESSED) === 0) continue
    const neighbour = compoundHead(state.memmap, ptePfn(pte))
    if (neighbour === state.zeroPfn || pageMemcg(state.memmap, neighbour) !== memcg) continue
    const l = folioLruvec(state, neighbour)
    if (l !== lruvec || (!takesAnon && vma.ino === 0)) continue
    setPte(t, s, pte & ~PTE_ACCESSED)
    folioUpdateGen(state, l, neighbour, gen)
  }
}
