/**
 * What compaction remembers of each zone between its runs: where the scanners stopped, which pageblocks are not worth a
 * look, and how long to leave a zone alone after failures. Apart from compaction.ts, because the state tree and the
 * sleeping kernel threads need only this.
 * @kernel  include/linux/mmzone.h struct zone (compact_*), mm/compaction.c
 * @spec    08 §8.7
 */
import type { Ns, Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { emit, isTracing } from '../trace'
import { PAGEBLOCK_ORDER } from './gfp'
import type { Zone } from './mmzone'
import { SWAP_CLUSTER_MAX } from './reclaim/scan_control'

/** Deferral ends after 2^6 requests. @kernel COMPACT_MAX_DEFER_SHIFT */
export const COMPACT_MAX_DEFER_SHIFT = 6

export const PAGEBLOCK_PAGES: Pages = 1 << PAGEBLOCK_ORDER
export const pageblockStart = (pfn: Pfn): Pfn => pfn & ~(PAGEBLOCK_PAGES - 1)
export const pageblockEnd = (pfn: Pfn): Pfn => pageblockStart(pfn) + PAGEBLOCK_PAGES

/** One zone. Positions are page frames; 0 = not known yet. */
export interface ZoneCompaction {
  /** Requests since the last failure. */
  considered: number
  deferShift: number
  /** Orders below this one have not failed. */
  orderFailed: number
  /** Where the migrate scanner goes on: [asynchronous, others]. */
  readonly cachedMigratePfn: [Pfn, Pfn]
  cachedFreePfn: Pfn
  /** Outermost pageblocks that are worth a look, as the last flush of skip marks found them. */
  initMigratePfn: Pfn
  initFreePfn: Pfn
  /** The scanners of a direct compaction met: skip marks may be forgotten when kswapd sleeps. */
  blockskipFlush: boolean
  /** For a person who looks; no decision reads it. undefined = none yet. */
  last: LastCompaction | undefined
}

/** kcompactd of one node. Owner: kcompactd.ts */
export interface Kcompactd {
  /** pid of the kernel thread, 0 none. */
  pid: number
  /** Largest order asked for since the last run, 0 nobody asked. */
  maxOrder: number
  /** Highest zone that may be used; −1 = all of the node. */
  highestZoneidx: number
  stage: 'asleep' | 'zones' | 'proactive'
  /** Order and highest zone of the work under way. */
  order: number
  zoneidx: number
  /** Next zone of the node to look at. */
  nextZone: number
  /** The zone under way, as the kernel's stack would hold it. */
  control: CompactControl | undefined
  /** Score when proactive work began. */
  previousScore: number
  /** The timer whose event carries this number ends the wait. */
  sequence: number
  /** vm.compaction_proactiveness was written: look at the node before anything else. @kernel proactive_compact_trigger */
  isTriggered: boolean
}

/** How the last run over a zone ended. */
export interface LastCompaction {
  by: CompactBy
  order: number
  /** COMPACT_* of compaction_suitable.ts */
  result: number
  migratePfn: Pfn
  freePfn: Pfn
  atNs: Ns
}

export interface CompactionState {
  /** By zone index. */
  readonly zones: readonly ZoneCompaction[]
  /** 1 = isolating from this pageblock failed lately. Index: pfn >> 9. */
  readonly skip: Uint8Array
  /** By node. */
  readonly kcompactd: readonly Kcompactd[]
  /** Writes to compact_memory under way, by pid. Owner: compaction_manual.ts */
  readonly manual: Record<number, ManualCompaction>
  /** Runs of tasks for their own requests that stopped before their end; at most one a task. Owner: compaction_direct.ts */
  readonly direct: DirectCompaction[]
}

/** How much a compaction may do to the machine. @kernel enum migrate_mode */
export type CompactMode = 'async' | 'syncLight' | 'sync'

/** On whose behalf a run works: a request that waits, kcompactd for others or on its own, or a write to compact_memory. */
export type CompactBy = 'direct' | 'kcompactd' | 'proactive' | 'manual'

/** One run over one zone. Plain data: a kernel thread keeps it between two steps. @kernel struct compact_control */
export interface CompactControl {
  /** Index into state.zones. */
  readonly zone: number
  /** −1: the whole zone, for nobody in particular. */
  readonly order: number
  readonly mode: CompactMode
  readonly gfp: number
  readonly highestZoneidx: number
  readonly allocFlags: number
  readonly by: CompactBy
  readonly ignoreSkipHint: boolean
  readonly ignoreBlockSuitable: boolean
  wholeZone: boolean
  migratePfn: Pfn
  freePfn: Pfn
  /** Start of the pageblock from which pages were taken last, 0 none. */
  lastMigratedPfn: Pfn
  /** Isolates the rest of the pageblock although it already has enough. */
  finishPageblock: boolean
  /** Nothing was taken yet: what the asynchronous scanner passes, the others need not look at either. */
  updateCached: boolean
  /** Where the search of the free lists begins. */
  searchOrder: number
  /** Searches of the free lists that found nothing, since the last one that did; each halves how far the next one looks. */
  fastSearchFail: number
  /** Lowest pageblock that the search has found; −1 = it has been used. @kernel fast_start_pfn */
  fastStartPfn: Pfn
  /** A block that became free and is the request's own, 0 none. @kernel struct capture_control */
  captured: Pfn
  migrateScanned: number
  freeScanned: number
  /** The run stopped between two turns of its loop. */
  isPaused: boolean
  /** Frames that it holds meanwhile: first frame and order of each block, in turn. @kernel freepages */
  freepages: number[]
}

/** A write to compact_memory that is not done yet. */
export interface ManualCompaction {
  /** Zones left; the first one is under way when `control` is set. */
  readonly zones: number[]
  control: CompactControl | undefined
}

/** A task compacts for its own request and lets others run. */
export interface DirectCompaction {
  readonly pid: number
  readonly gfp: number
  readonly order: number
  readonly priority: number
  /** Before the first reclaim of the request (S3), or after one that freed `progress` pages (S6). */
  readonly isFirst: boolean
  readonly progress: Pages
  /** Zones in the order of the request; the one at `at` is under way when `control` is set. */
  readonly zonelist: readonly number[]
  at: number
  control: CompactControl | undefined
  /** The block that the last zone's run made, 0 none. */
  captured: Pfn
  /** COMPACT_* of the zones before. */
  best: number
  /** Whether the task's stall began with the run. */
  isOwnStall: boolean
}

const createZone = (): ZoneCompaction => ({
  considered: 0,
  deferShift: 0,
  orderFailed: 0,
  cachedMigratePfn: [0, 0],
  cachedFreePfn: 0,
  initMigratePfn: 0,
  initFreePfn: 0,
  blockskipFlush: false,
  last: undefined,
})

const createKcompactd = (): Kcompactd => ({
  pid: 0,
  maxOrder: 0,
  highestZoneidx: -1,
  stage: 'asleep',
  order: 0,
  zoneidx: 0,
  nextZone: 0,
  control: undefined,
  previousScore: 0,
  sequence: 0,
  isTriggered: false,
})

/** Nothing tried, nothing skipped. @kernel mm/mm_init.c zone_init_internals(), pgdat_init_kcompactd() */
export const createCompactionState = (size: {
  readonly zones: number
  readonly nodes: number
  readonly endPfn: Pfn
}): CompactionState => ({
  zones: Array.from({ length: size.zones }, createZone),
  skip: new Uint8Array((size.endPfn >> PAGEBLOCK_ORDER) + 1),
  kcompactd: Array.from({ length: size.nodes }, createKcompactd),
  manual: {},
  direct: [],
})

/** Every run over a zone that is under way, kcompactd's first, then those that tasks wait for. */
export const controlsUnderWay = (state: KernelState): CompactControl[] =>
  [...state.compaction.kcompactd, ...state.compaction.direct, ...Object.values(state.compaction.manual)].flatMap(
    ({ control }) => control ?? [],
  )

/** @kernel zone_to_compact fields of struct zone */
export const zoneCompaction = (state: KernelState, zone: Zone): ZoneCompaction => state.compaction.zones[zone.index]!

// ---------------------------------------------------------------- deferral

/** A synchronous run did not make a block: the next requests wait. @kernel mm/compaction.c defer_compaction() */
export function deferCompaction(z: ZoneCompaction, order: number): void {
  z.considered = 0
  z.deferShift = Math.min(COMPACT_MAX_DEFER_SHIFT, z.deferShift + 1)
  if (order < z.orderFailed) z.orderFailed = order
}

/**
 * Whether this request should leave the zone alone; counts it.
 * @kernel  mm/compaction.c compaction_deferred()
 * @spec    08 §8.7 "Deferral", E8
 */
export function compactionDeferred(z: ZoneCompaction, order: number): boolean {
  if (order < z.orderFailed) return false
  const limit = 1 << z.deferShift
  if (++z.considered < limit) return true
  z.considered = limit
  return false
}

/** A block of the order exists. `allocated`: and the request got it. @kernel mm/compaction.c compaction_defer_reset() */
export function compactionDeferReset(z: ZoneCompaction, order: number, outcome: 'allocated' | 'compacted'): void {
  if (outcome === 'allocated') {
    z.considered = 0
    z.deferShift = 0
  }
  if (order >= z.orderFailed) z.orderFailed = order + 1
}

/** Tells how long the zone is left alone. @kernel include/trace/events/compaction.h mm_compaction_defer_template */
export function traceDefer(state: KernelState, what: DeferTracepoint, zone: Zone, order: number): void {
  if (!isTracing()) return
  const { deferShift, orderFailed, considered } = zoneCompaction(state, zone)
  emit(state, what, [zone.nid, zone.idx, order, deferShift, orderFailed, considered])
}

type DeferTracepoint = 'mm_compaction_deferred' | 'mm_compaction_defer_compaction' | 'mm_compaction_defer_reset'

/** The longest deferral is over: old marks no longer count. @kernel mm/compaction.c compaction_restarting() */
export const compactionRestarting = (z: ZoneCompaction, order: number): boolean =>
  order >= z.orderFailed && z.deferShift === COMPACT_MAX_DEFER_SHIFT && z.considered >= 1 << z.deferShift

// ---------------------------------------------------------------- marks

export const isPageblockSkipped = (state: KernelState, pfn: Pfn): boolean =>
  state.compaction.skip[pfn >> PAGEBLOCK_ORDER] === 1

export function skipPageblock(state: KernelState, pfn: Pfn): void {
  state.compaction.skip[pfn >> PAGEBLOCK_ORDER] = 1
}

export function unskipPageblock(state: KernelState, pfn: Pfn): void {
  state.compaction.skip[pfn >> PAGEBLOCK_ORDER] = 0
}

/** The next run starts at the ends of the zone. @kernel mm/compaction.c reset_cached_positions() */
export function resetCachedPositions(state: KernelState, zone: Zone): void {
  const z = zoneCompaction(state, zone)
  z.cachedMigratePfn[0] = zone.startPfn
  z.cachedMigratePfn[1] = zone.startPfn
  z.cachedFreePfn = pageblockStart(zone.startPfn + zone.spanned - 1)
}

/** How many blocks of a free list a search may look at. @kernel mm/compaction.c freelist_scan_limit() */
export const freelistScanLimit = (cc: CompactControl): number =>
  (SWAP_CLUSTER_MAX >> Math.min(31, cc.fastSearchFail)) + 1
