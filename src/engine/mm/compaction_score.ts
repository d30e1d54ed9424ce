/**
 * How fragmented a node is for proactive compaction, and between which scores kcompactd works.
 * @kernel  mm/compaction.c fragmentation_score_node(), fragmentation_score_wmark()
 * @spec    08 §8.7 "Proactive", E7
 */
import type { KernelState } from '../state'
import { extfragForOrder } from './fragmentation'
import { PAGEBLOCK_ORDER } from './gfp'
import type { Zone } from './mmzone'

/** Percent of the zone's free memory that is no huge page. @kernel fragmentation_score_zone() */
export const fragmentationScoreZone = (zone: Zone): number => extfragForOrder(zone.nrFree, PAGEBLOCK_ORDER)

/** The zones' scores, each by its share of the node. @kernel fragmentation_score_node() */
export function fragmentationScoreNode(state: KernelState, nid: number): number {
  const zones = state.nodes[nid]!.zones.map((index) => state.zones[index]!)
  const present = zones.reduce((sum, zone) => sum + zone.present, 0)
  return zones.reduce((sum, z) => sum + Math.floor((z.present * fragmentationScoreZone(z)) / (present + 1)), 0)
}

/** Work starts above `high` and ends at `low`. @kernel fragmentation_score_wmark() */
export function fragmentationScoreWmark(proactiveness: number): { readonly low: number; readonly high: number } {
  const low = Math.max(100 - proactiveness, 5)
  return { low, high: Math.min(low + 10, 100) }
}

/** @kernel mm/compaction.c kswapd_is_running() */
export const isKswapdRunning = (state: KernelState, nid: number): boolean =>
  state.tasks[state.nodes[nid]!.kswapd.pid]?.state === 'R'

/** @kernel mm/compaction.c should_proactive_compact_node() */
export function shouldProactiveCompactNode(state: KernelState, nid: number): boolean {
  const proactiveness = state.sysctl.compactionProactiveness
  if (proactiveness === 0 || isKswapdRunning(state, nid)) return false
  return fragmentationScoreNode(state, nid) > fragmentationScoreWmark(proactiveness).high
}
