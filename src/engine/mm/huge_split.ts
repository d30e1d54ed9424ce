/**
 * Taking huge pages apart: a PMD entry becomes 512 PTEs of the same folio; a folio becomes pages of their own.
 * @kernel  mm/huge_memory.c __split_huge_pmd_locked(), split_huge_page_to_list_to_order()
 * @spec    08 §8.6 "Split"
 */
import { AssertionError } from '../../util/assert'
import { HPAGE_PAGES, type Pages, type Pfn, type Vpn } from '../../util/units'
import { charge } from '../exec'
import type { KernelState } from '../state'
import { unqueueDeferredSplit } from './deferred_split'
import { dissolveLargeFolio, entireMapcount, folioNrPages } from './folio'
import { findHugePmd, forEachHugePmd, hugeStart, pmdPfn, replaceByTable } from './huge_pmd'
import { folioLruvec } from './lruvec'
import {
  LRU_GEN_MASK,
  LRU_REFS_MASK,
  PG_ACTIVE,
  PG_ANON,
  PG_ANON_EXCLUSIVE,
  PG_DIRTY,
  PG_HEAD,
  PG_LRU,
  PG_LRU_BATCH,
  PG_MLOCKED,
  PG_REFERENCED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_WORKINGSET,
  hasFlag,
  listAddBefore,
  mapcount,
  pageFlags,
  pageMemcg,
  setFlag,
  setPageMemcg,
} from './memmap'
import type { Mm } from './mm_types'
import { mmOfSlot, pteAt, setPte, tableLevel, tableOfSlot, withPfn } from './pgtable'
import { folioRemoveRmapPmd, pageAddRmap } from './rmap'
import { forEachMapping } from './rmap_chain'
import { flushTlbWithin } from './tlb_flush'
import { mmAt } from './rss'
import { lruGenListOf } from './reclaim/lru_gen'
import { folioLruList } from './swap'
import { releaseFrame } from './swap_fault'
import { THP_SPLIT_PAGE, THP_SPLIT_PMD, countVmEvent } from './vmstat'

/**
 * The huge entry becomes 512 PTEs of the same frames. Nothing else changes: no page is copied, moved or freed.
 * @kernel  mm/huge_memory.c __split_huge_pmd_locked()
 */
export function splitHugePmd(state: KernelState, mm: Mm, slot: number): void {
  const t = state.pgtables
  const m = state.memmap
  const entry = pteAt(t, slot)
  const head = pmdPfn(entry)
  const first = replaceByTable(state, mm, slot)
  flushTlbWithin(state, mm.id, HPAGE_PAGES)
  countVmEvent(state.vmstat, THP_SPLIT_PMD)
  charge(state, state.costs.splitPmd)
  if (head === state.thp.hugeZeroPfn) {
    for (let i = 0; i < HPAGE_PAGES; i++) setPte(t, first + i, withPfn(entry, state.zeroPfn))
    return
  }
  const exclusive = hasFlag(m, head, PG_ANON_EXCLUSIVE)
  for (let i = 0; i < HPAGE_PAGES; i++) {
    if (exclusive) setFlag(m, head + i, PG_ANON_EXCLUSIVE)
    setPte(t, first + i, withPfn(entry, head + i))
    pageAddRmap(state, head + i, first + i)
  }
  folioRemoveRmapPmd(state, head, slot)
}

/** Splits the entry that maps pages on both sides of `at`. @kernel mm/huge_memory.c split_huge_pmd_if_needed() */
export function splitHugePmdAt(state: KernelState, mm: Mm, at: Vpn): void {
  if (hugeStart(at) === at) return
  const slot = findHugePmd(state, mm, at)
  if (slot >= 0) splitHugePmd(state, mm, slot)
}

/** Splits every huge entry that maps part of the range. */
export function splitHugePmds(state: KernelState, mm: Mm, start: Vpn, end: Vpn): void {
  forEachHugePmd(state, mm, start, end, (slot) => splitHugePmd(state, mm, slot))
}

/** What a tail inherits. @kernel mm/huge_memory.c __split_huge_page_tail() */
const INHERITED =
  PG_ANON |
  PG_REFERENCED |
  PG_SWAPBACKED |
  PG_MLOCKED |
  PG_ACTIVE |
  PG_WORKINGSET |
  PG_UNEVICTABLE |
  PG_DIRTY |
  LRU_GEN_MASK |
  LRU_REFS_MASK

/** Every PMD of the folio becomes PTEs. @kernel mm/rmap.c try_to_migrate_one() with TTU_SPLIT_HUGE_PMD */
function splitAllPmds(state: KernelState, head: Pfn): void {
  if (entireMapcount(state.memmap, head) === 0) return
  const slots: number[] = []
  const t = state.pgtables
  forEachMapping(state, head, (slot) => {
    if (tableLevel(t, tableOfSlot(slot)) === 2) slots.push(slot)
  })
  for (const slot of slots) splitHugePmd(state, mmAt(state, mmOfSlot(t, slot)), slot)
}

/**
 * The frames of a folio that was split join it where it is linked; they are counted already.
 * @kernel  mm/huge_memory.c lru_add_page_tail()
 */
function lruLinkTails(state: KernelState, head: Pfn, nr: Pages): void {
  if (hasFlag(state.memmap, head, PG_UNEVICTABLE)) return
  const lruvec = folioLruvec(state, head)
  const { heads, list } = lruGenListOf(state, lruvec, head) ?? { heads: lruvec.lists, list: folioLruList(state, head) }
  for (let pfn = head + 1; pfn < head + nr; pfn++) listAddBefore(state.memmap, heads, list, head, pfn)
}

/**
 * The folio's frames become pages of their own; those that nobody maps are freed, the first one excepted.
 * @param isolated  whoever holds the folio off the LRU gets every frame that is left, the first one included, to put back
 * @param event     what it counts as
 * @kernel  mm/huge_memory.c split_huge_page_to_list_to_order()
 */
export function splitFolio(state: KernelState, head: Pfn, isolated?: Pfn[], event = THP_SPLIT_PAGE): void {
  const m = state.memmap
  if (!hasFlag(m, head, PG_HEAD) || hasFlag(m, head, PG_SWAPCACHE | PG_LRU_BATCH))
    throw new AssertionError(`pfn ${head} cannot be split: flags 0x${pageFlags(m, head).toString(16)}`)
  const nr = folioNrPages(m, head)
  unqueueDeferredSplit(state, head)
  splitAllPmds(state, head)
  dissolveLargeFolio(m, head)
  const onLru = hasFlag(m, head, PG_LRU)
  const flags = pageFlags(m, head) & (INHERITED | (onLru ? PG_LRU : 0))
  const memcg = pageMemcg(m, head)
  for (let pfn = head + 1; pfn < head + nr; pfn++) {
    setFlag(m, pfn, flags)
    setPageMemcg(m, pfn, memcg)
  }
  countVmEvent(state.vmstat, event)
  charge(state, state.costs.splitPage)
  if (onLru) lruLinkTails(state, head, nr)
  isolated?.push(head)
  for (let pfn = head + 1; pfn < head + nr; pfn++) {
    if (mapcount(m, pfn) === 0) releaseFrame(state, pfn)
    else isolated?.push(pfn)
  }
  if (isolated === undefined && mapcount(m, head) === 0) releaseFrame(state, head)
}
