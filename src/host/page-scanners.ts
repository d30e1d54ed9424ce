/** Where compaction is at work in each zone, and where it will go on in those that it has worked in. */
import { compactionScanners } from '../engine/mm/compaction_scanners'
import type { KernelState } from '../engine/state'
import type { CompactionScanner } from '../protocol/page-map'

/** Zones in which nobody ever compacted have their scanners at their ends: that is nothing to see. */
export const scannersOf = (state: KernelState): CompactionScanner[] =>
  compactionScanners(state)
    .filter(({ by, last }) => by !== '' || last !== undefined)
    .map(({ zone, by, migratePfn, freePfn }) => ({ zone, migratePfn, freePfn, isRunning: by !== '', who: by }))
