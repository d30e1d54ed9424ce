/**
 * Demotion: reclaim on a fast node moves a page to slower memory instead of taking it out.
 * @kernel  mm/vmscan.c demote_folio_list(), alloc_demote_folio()
 * @spec    08 §8.4
 */
import type { Pfn } from '../../../util/units'
import type { KernelState } from '../../state'
import {
  GFP_BIT_KSWAPD_RECLAIM,
  GFP_BIT_NOMEMALLOC,
  GFP_BIT_NOWARN,
  GFP_BIT_THISNODE,
  GFP_HIGHUSER_MOVABLE,
  GFP_RECLAIM,
} from '../gfp'
import { hooks } from '../../hooks'
import { PG_ANON, PG_FILE, PG_LOCKED, PG_WRITEBACK, hasFlag, pageMemcg } from '../memmap'
import { MEMCG_STAT_PGDEMOTE_DIRECT, MEMCG_STAT_PGDEMOTE_KSWAPD, modMemcgState } from '../memcg_stat'
import { nextDemotionNode } from '../memory_tiers'
import { moveIsolated } from '../migrate'
import { PGDEMOTE_DIRECT, PGDEMOTE_KSWAPD, modStat } from '../vmstat'
import type { ScanControl } from './scan_control'

const GFP_DEMOTE =
  (GFP_HIGHUSER_MOVABLE & ~GFP_RECLAIM) |
  GFP_BIT_KSWAPD_RECLAIM |
  GFP_BIT_NOWARN |
  GFP_BIT_NOMEMALLOC |
  GFP_BIT_THISNODE

/**
 * Moves an isolated page to the node below, if there is room without effort.
 * @returns false = it stays, and is reclaimed as any other
 * @kernel      mm/vmscan.c demote_folio_list()
 * @simplifies  page by page, and only to the nearest node below
 */
export function demoteFolio(state: KernelState, sc: ScanControl, nid: number, pfn: Pfn): boolean {
  const m = state.memmap
  if (!hasFlag(m, pfn, PG_ANON | PG_FILE) || hasFlag(m, pfn, PG_LOCKED | PG_WRITEBACK)) return false
  const to = hooks.allocPages(state, GFP_DEMOTE, 0, nextDemotionNode(state, nid))
  if (to === 0) return false
  const byKswapd = sc.kind === 'kswapd'
  modStat(state.nodes[nid]!.stat, byKswapd ? PGDEMOTE_KSWAPD : PGDEMOTE_DIRECT, 1)
  modMemcgState(
    state,
    pageMemcg(m, pfn) || 1,
    byKswapd ? MEMCG_STAT_PGDEMOTE_KSWAPD : MEMCG_STAT_PGDEMOTE_DIRECT,
    1,
    nid,
  )
  moveIsolated(state, pfn, to)
  return true
}
