/**
 * What a reclaim policy is: which pages of one lruvec are taken, batch by batch. Walking groups and nodes, priorities,
 * throttling and what happens to a taken page are the same for all policies.
 * @kernel  mm/vmscan.c, where the policies are branches of lru_gen_enabled()
 * @model   an interface instead of branches
 */
import type { KernelState } from '../../state'
import type { Lruvec } from '../lruvec'
import type { ScanControl, ShrinkRun } from './scan_control'

export interface ReclaimPolicy {
  readonly name: string
  /** Once before the groups of a node are walked. */
  prepareNode(state: KernelState, sc: ScanControl, nid: number): void
  /** One group's work: how much to scan. */
  beginLruvec(state: KernelState, sc: ScanControl, run: ShrinkRun, lruvec: Lruvec): void
  /** One batch. @returns whether there is more to do */
  shrinkBatch(state: KernelState, sc: ScanControl, run: ShrinkRun, lruvec: Lruvec): boolean
  /** After the last batch of a group. */
  endLruvec(state: KernelState, sc: ScanControl, run: ShrinkRun, lruvec: Lruvec): void
  /** kswapd's look at all groups before it reclaims. */
  ageNode(state: KernelState, sc: ScanControl, nid: number): void
}
