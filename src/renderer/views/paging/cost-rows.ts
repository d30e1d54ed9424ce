/** Costs of accesses as rows. Pure. */
import type { FaultCosts } from '../../../protocol/paging'

export interface CostRow {
  readonly title: string
  readonly ns: number
  /** Of the scale's length, 0 to 1. */
  readonly share: number
  readonly isThis: boolean
}

/** Which row a page that is filled so belongs to. */
const ROW_OF: Readonly<Record<string, keyof FaultCosts>> = {
  'zero-page': 'zeroPageFault',
  anonymous: 'anonFault',
  'huge-page': 'thpFault',
  'pool-page': 'thpFault',
  copy: 'cowFault',
  'file-copy': 'cowFault',
  reuse: 'minorFault',
  'make-dirty': 'minorFault',
  'fault-around': 'minorFault',
  'page-cache': 'minorFault',
  'swap-cache': 'minorFault',
}

const TITLES: readonly (readonly [keyof FaultCosts, string])[] = [
  ['access', 'TLB hit'],
  ['pageWalk', 'page walk'],
  ['zeroPageFault', 'fault: zero page'],
  ['minorFault', 'fault: in memory'],
  ['anonFault', 'fault: zeroed frame'],
  ['cowFault', 'fault: copy'],
  ['thpFault', 'fault: huge page'],
]

/** @param fill  '' when there is no fault: then a hit or a walk, as the TLB has it */
export function costRows(costs: FaultCosts, fill: string): readonly CostRow[] {
  const most = Math.max(...TITLES.map(([key]) => costs[key]), 10)
  return TITLES.map(([key, title]) => ({
    title,
    ns: costs[key],
    share: Math.max(0.02, Math.log10(Math.max(1, costs[key])) / Math.log10(most)),
    isThis: fill === '' ? key === 'access' || key === 'pageWalk' : ROW_OF[fill] === key,
  }))
}
