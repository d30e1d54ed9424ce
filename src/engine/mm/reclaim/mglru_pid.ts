/**
 * MGLRU's feedback: refaults against evictions, compared between types and tiers, decide what is evicted next.
 * @kernel  mm/vmscan.c struct ctrl_pos, read_ctrl_pos(), positive_ctrl_err(), get_type_to_scan(), get_tier_idx()
 * @spec    05 §5.10
 */
import { MAX_NR_TIERS, type LruGen } from '../lruvec'
import { MIN_LRU_BATCH } from './mglru_swappiness'

export interface CtrlPos {
  readonly refaulted: number
  readonly total: number
  readonly gain: number
}

/** @kernel  read_ctrl_pos() */
export function readCtrlPos(g: LruGen, type: number, tier: number, gain: number): CtrlPos {
  const i = type * MAX_NR_TIERS + tier
  return {
    refaulted: g.avgRefaulted[i]! + g.refaulted[i]!,
    total: g.avgTotal[i]! + g.evicted[i]! + (tier > 0 ? g.protectedPages[i]! : 0),
    gain,
  }
}

/** The process value has few refaults, or a lower share of them than the set point. @kernel positive_ctrl_err() */
export const positiveCtrlErr = (sp: CtrlPos, pv: CtrlPos): boolean =>
  pv.refaulted < MIN_LRU_BATCH ||
  pv.refaulted * (sp.total + MIN_LRU_BATCH) * sp.gain <= (sp.refaulted + 1) * pv.total * pv.gain

function lastTier(g: LruGen, type: number, gain: number, sp: CtrlPos): number {
  let tier = 1
  while (tier < MAX_NR_TIERS && positiveCtrlErr(sp, readCtrlPos(g, type, tier, gain))) tier++
  return tier - 1
}

/** Highest tier of a type that is not protected. @kernel get_tier_idx() */
export const getTierIdx = (g: LruGen, type: number): number => lastTier(g, type, 2, readCtrlPos(g, type, 0, 1))

/** Anonymous or file, and its highest unprotected tier. @kernel get_type_to_scan() */
export function getTypeToScan(g: LruGen, swappiness: number): { type: number; tier: number } {
  const gain = [swappiness, 200 - swappiness]
  const type = positiveCtrlErr(readCtrlPos(g, 0, 0, gain[0]!), readCtrlPos(g, 1, 0, gain[1]!)) ? 1 : 0
  return { type, tier: lastTier(g, type, gain[type]!, readCtrlPos(g, 1 - type, 0, gain[1 - type]!)) }
}

/** The oldest generation is gone: its history becomes half of the average. @kernel reset_ctrl_pos(), carryover */
export function resetCtrlPos(g: LruGen, type: number): void {
  for (let tier = 0; tier < MAX_NR_TIERS; tier++) {
    const i = type * MAX_NR_TIERS + tier
    g.avgRefaulted[i] = Math.floor((g.avgRefaulted[i]! + g.refaulted[i]!) / 2)
    const total = g.avgTotal[i]! + g.evicted[i]! + (tier > 0 ? g.protectedPages[i]! : 0)
    g.avgTotal[i] = Math.floor(total / 2)
    g.refaulted[i] = 0
    g.evicted[i] = 0
    g.protectedPages[i] = 0
  }
}
