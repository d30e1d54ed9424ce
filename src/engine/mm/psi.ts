/**
 * Pressure stall information for memory: how long tasks waited, as averages and a total.
 * @kernel  kernel/sched/psi.c
 * @spec    05 §5.15
 */
import type { Ns } from '../../util/units'

/** System-wide or of one cgroup. */
export interface PsiGroup {
  /** Tasks stalled and tasks running productively right now. */
  nrStalled: number
  nrRunning: number
  someTotalNs: Ns
  fullTotalNs: Ns
  /** Time up to which totals were brought. */
  updatedNs: Ns
  /** avg10, avg60, avg300 in 1/2048 percent: some then full. */
  readonly avg: Float64Array
  /** Totals at the last averaging. */
  lastSomeNs: Ns
  lastFullNs: Ns
  lastAverageNs: Ns
}
