/**
 * How many pages of each list one pass scans, and when an inactive list is too short. Pure arithmetic.
 * @kernel  mm/vmscan.c get_scan_count(), inactive_is_low()
 * @spec    05 §5.3, §5.4
 */
import type { Pages } from '../../../util/units'
import { LRU_ACTIVE_FILE } from '../lruvec'
import { SWAP_CLUSTER_MAX } from './scan_control'

/** Active pages per inactive page that are still fine. @kernel inactive_is_low() @spec 05 §5.3, E4 */
export function inactiveRatio(pages: Pages): number {
  const gb = Math.floor(pages / 262144)
  return gb > 0 ? Math.floor(Math.sqrt(10 * gb)) : 1
}

/** @kernel  mm/vmscan.c inactive_is_low() */
export const inactiveIsLowFor = (inactive: Pages, active: Pages): boolean =>
  inactive * inactiveRatio(inactive + active) < active

/** How pressure is shared between anonymous and file pages. */
export type ScanBalance = 'EQUAL' | 'FRACT' | 'ANON' | 'FILE'

/**
 * Shares of pressure: the cheaper type to reclaim gets more, weighted by swappiness.
 * @returns anon, file and their sum
 * @kernel  mm/vmscan.c get_scan_count(), "calculate_pressure_balance"
 * @spec    05 §5.4 step 7
 */
export function scanFractions(
  swappiness: number,
  anonCost: number,
  fileCost: number,
): { anon: number; file: number; sum: number } {
  const total = anonCost + fileCost
  const anonWeight = total + anonCost
  const fileWeight = total + fileCost
  const all = anonWeight + fileWeight
  const anon = Math.floor((swappiness * (all + 1)) / (anonWeight + 1))
  const file = Math.floor(((200 - swappiness) * (all + 1)) / (fileWeight + 1))
  return { anon, file, sum: anon + file }
}

/** Protection of the group, and how much it uses: scan counts shrink with the protected share. */
export interface ScanProtection {
  readonly protection: Pages
  readonly usage: Pages
}

/** The unprotected part of a list. @kernel get_scan_count(), "Scale a cgroup's reclaim pressure" */
export function unprotectedPages(size: Pages, { protection, usage }: ScanProtection): Pages {
  const used = Math.max(usage, protection)
  return Math.max(size - Math.floor((size * protection) / (used + 1)), SWAP_CLUSTER_MAX)
}

export interface ScanCountInput {
  /** Pages by LRU_INACTIVE_ANON … LRU_ACTIVE_FILE. */
  readonly sizes: readonly Pages[]
  readonly priority: number
  readonly balance: ScanBalance
  readonly fractions: { readonly anon: number; readonly file: number; readonly sum: number }
  /** Undefined: the group has no protection in this reclaim. */
  readonly protection: ScanProtection | undefined
  readonly isOnline: boolean
}

/**
 * Pages to scan of each list.
 * @param out  receives four counts, by LRU_*
 * @kernel  mm/vmscan.c get_scan_count(), second half
 * @spec    05 §5.4, E1–E3
 */
export function scanCounts(input: ScanCountInput, out: number[]): void {
  const { anon, file, sum } = input.fractions
  for (let lru = 0; lru <= LRU_ACTIVE_FILE; lru++) {
    const isFile = lru >= 2
    const size = input.sizes[lru]!
    let scan = input.protection === undefined ? size : unprotectedPages(size, input.protection)
    scan = Math.floor(scan / (1 << input.priority))
    if (scan === 0 && !input.isOnline) scan = Math.min(size, SWAP_CLUSTER_MAX)
    if (input.balance === 'FRACT') {
      const share = scan * (isFile ? file : anon)
      scan = input.isOnline ? Math.floor(share / sum) : Math.ceil(share / sum)
    } else if (input.balance !== 'EQUAL' && (input.balance === 'FILE') !== isFile) scan = 0
    out[lru] = scan
  }
}
