/**
 * A kswapd that has nothing to do.
 * @kernel  mm/vmscan.c kswapd(), balance_pgdat(): their local variables
 */
import { GFP_KERNEL, MAX_NR_ZONES } from '../gfp'
import type { KswapdRun } from './reclaim_state'
import { createScanControl, createShrinkRun, createZoneBoosts } from './scan_control'

/** @model  the stack of a kernel thread as plain data */
export const createKswapdRun = (nid: number): KswapdRun => ({
  stage: 'idle',
  sc: createScanControl({ kind: 'kswapd', target: 0, nrToReclaim: 0, order: 0, gfp: GFP_KERNEL, reclaimIdx: 0 }),
  shrink: createShrinkRun(nid),
  order: 0,
  highestZoneidx: MAX_NR_ZONES - 1,
  reclaimOrder: 0,
  boost: 0,
  wasBoosted: false,
  zoneBoosts: createZoneBoosts(),
  canRaisePriority: true,
  reclaimedBefore: 0,
})
