/**
 * How many frames of a large folio are mapped, and what follows for the counters: a frame counts once, whether the whole
 * folio or a PTE of its own maps it. A folio of which only a part is still mapped waits to be split.
 * @kernel  mm/rmap.c __folio_add_rmap(), __folio_remove_rmap()
 * @spec    08 §8.6
 */
import type { Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { deferredSplitFolio } from './deferred_split'
import {
  addEntireMapcount,
  addNrPagesMapped,
  addPteMapcount,
  compoundHead,
  entireMapcount,
  folioNrPages,
  nrPagesMapped,
} from './folio'
import { MEMCG_ANON, MEMCG_STAT_ANON_THP, modMemcgState } from './memcg_stat'
import { pageMemcg, pageZoneIndex } from './memmap'
import { NR_ANON_PAGES, NR_ANON_TRANSPARENT_HUGEPAGES, modStat } from './vmstat'

/** @kernel mm/rmap.c __folio_mod_stat() */
function modStats(state: KernelState, head: Pfn, nr: Pages, nrHuge: number): void {
  const nid = state.zones[pageZoneIndex(state.memmap, head)]!.nid
  const memcg = pageMemcg(state.memmap, head)
  if (nr !== 0) {
    modStat(state.nodes[nid]!.stat, NR_ANON_PAGES, nr)
    if (memcg !== 0) modMemcgState(state, memcg, MEMCG_ANON, nr, nid)
  }
  if (nrHuge === 0) return
  modStat(state.nodes[nid]!.stat, NR_ANON_TRANSPARENT_HUGEPAGES, nrHuge)
  if (memcg !== 0) modMemcgState(state, memcg, MEMCG_STAT_ANON_THP, nrHuge, nid)
}

/** A PTE maps one frame of the folio. @kernel mm/rmap.c folio_add_anon_rmap_ptes() */
export function countPteMapped(state: KernelState, pfn: Pfn): void {
  const m = state.memmap
  const head = compoundHead(m, pfn)
  if (addPteMapcount(m, pfn, 1) !== 1) return
  addNrPagesMapped(m, head, 1)
  if (entireMapcount(m, head) === 0) modStats(state, head, 1, 0)
}

/** @kernel mm/rmap.c folio_remove_rmap_ptes() */
export function countPteUnmapped(state: KernelState, pfn: Pfn): void {
  const m = state.memmap
  const head = compoundHead(m, pfn)
  if (addPteMapcount(m, pfn, -1) !== 0) return
  const left = addNrPagesMapped(m, head, -1)
  if (entireMapcount(m, head) > 0) return
  modStats(state, head, -1, 0)
  if (left > 0) deferredSplitFolio(state, head)
}

/** A PMD maps the whole folio. @kernel mm/rmap.c folio_add_anon_rmap_pmd() */
export function countPmdMapped(state: KernelState, head: Pfn): void {
  const m = state.memmap
  if (addEntireMapcount(m, head, 1) !== 1) return
  modStats(state, head, folioNrPages(m, head) - nrPagesMapped(m, head), 1)
}

/** @kernel mm/rmap.c folio_remove_rmap_pmd() */
export function countPmdUnmapped(state: KernelState, head: Pfn): void {
  const m = state.memmap
  if (addEntireMapcount(m, head, -1) !== 0) return
  const nr = folioNrPages(m, head)
  const left = nrPagesMapped(m, head)
  modStats(state, head, left - nr, -1)
  if (left > 0 && left < nr) deferredSplitFolio(state, head)
}
