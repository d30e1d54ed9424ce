/**
 * Where the two scanners of a zone are: a look from outside, for people. Pure; no decision reads it.
 * @model  the fields that mm/compaction.c keeps in struct zone and on the stack of who compacts
 * @spec   08 §8.7
 */
import type { Pfn } from '../../util/units'
import type { KernelState } from '../state'
import type { CompactBy, CompactControl, LastCompaction } from './compaction_state'
import { controlsUnderWay, pageblockStart } from './compaction_state'

export interface CompactionScanners {
  /** Index into state.zones. */
  readonly zone: number
  /** Who compacts the zone right now; '' = nobody, the positions are those where the next run will go on. */
  readonly by: CompactBy | ''
  /** −1: for nobody in particular, or nobody runs. */
  readonly order: number
  /** Next frame that the migrate scanner looks at, of synchronous runs. It walks upwards. */
  readonly migratePfn: Pfn
  /** The same of asynchronous runs; equal to migratePfn while somebody runs. */
  readonly migrateAsyncPfn: Pfn
  /** Where the free scanner takes frames next. It walks downwards. */
  readonly freePfn: Pfn
  /** How the last run ended. */
  readonly last: LastCompaction | undefined
}

/**
 * Scanners of every zone with memory.
 * @model  see above
 */
export const compactionScanners = (state: KernelState): CompactionScanners[] =>
  state.zones.filter((zone) => zone.managed > 0).map((zone) => zoneScanners(state, zone.index))

/** Scanners of one zone. @model see above */
export function zoneScanners(state: KernelState, index: number): CompactionScanners {
  const zone = state.zones[index]!
  const { cachedMigratePfn, cachedFreePfn, last } = state.compaction.zones[index]!
  const running = runningControl(state, index)
  if (running !== undefined) {
    const { by, order, migratePfn, freePfn } = running
    return { zone: index, by, order, migratePfn, migrateAsyncPfn: migratePfn, freePfn, last }
  }
  const start = zone.startPfn
  const end = start + zone.spanned
  const migrate = (cached: Pfn): Pfn => (cached > start && cached < end ? cached : start)
  return {
    zone: index,
    by: '',
    order: -1,
    migratePfn: migrate(cachedMigratePfn[1]),
    migrateAsyncPfn: migrate(cachedMigratePfn[0]),
    freePfn: cachedFreePfn > start && cachedFreePfn < end ? cachedFreePfn : pageblockStart(end - 1),
    last,
  }
}

/** kcompactd's run before those of tasks: it is the one that others wait for. */
const runningControl = (state: KernelState, index: number): CompactControl | undefined =>
  controlsUnderWay(state).find(({ zone }) => zone === index)
