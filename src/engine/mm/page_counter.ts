/**
 * Hierarchical page counters of the memory controller: usage, limits, peak, protection sums.
 * @kernel  mm/page_counter.c
 * @spec    07 §7.3, §7.5
 */
import type { Pages } from '../../util/units'

/** 'max' in a file. */
export const COUNTER_MAX: Pages = Number.MAX_SAFE_INTEGER

export interface PageCounter {
  usage: Pages
  min: Pages
  low: Pages
  high: Pages
  max: Pages
  /** Highest usage ever. */
  watermark: Pages
  failcnt: number
  /** Effective protection, recomputed by memcontrol.ts during reclaim. */
  emin: Pages
  elow: Pages
  minUsage: Pages
  lowUsage: Pages
  childrenMinUsage: Pages
  childrenLowUsage: Pages
}
