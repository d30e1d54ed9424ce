/**
 * What reclaim remembers between its runs: one field of KernelState, so that a new policy or a new habit of kswapd needs
 * no other file.
 * @model  the kernel spreads it over struct pglist_data, mem_cgroup_per_node and static variables
 */
import type { Ns, Pages } from '../../../util/units'
import type { SwapReadahead } from '../swap_state'
import type { FreeRun } from './free_pages'
import type { ReclaimLog } from './reclaim_record'
import type { ScanControl, ShrinkRun } from './scan_control'

/** A run of kswapd under way. Owner: kswapd.ts */
export interface KswapdRun {
  /** 'idle' = decides whether to sleep. */
  stage: 'idle' | 'begin' | 'priority' | 'shrink' | 'end'
  sc: ScanControl
  shrink: ShrinkRun
  /** What this run was asked for. */
  order: number
  highestZoneidx: number
  /** What the last run was able to keep of the order. */
  reclaimOrder: number
  boost: Pages
  wasBoosted: boolean
  zoneBoosts: number[]
  canRaisePriority: boolean
  reclaimedBefore: Pages
}

/** A task's direct reclaim that stopped before its end. Owner: direct_reclaim.ts */
export interface DirectRun {
  readonly pid: number
  readonly startNs: Ns
  readonly free: FreeRun
}

/** Groups of one node in the order in which MGLRU visits them. Owner: reclaim/memcg_lru.ts */
export interface MemcgLru {
  /** Generation that is being reclaimed. */
  seq: number
  /** generation * 8 + bin → memcg ids, head first. */
  readonly fifo: number[][]
  readonly nrMemcgs: number[]
}

export interface ReclaimState {
  /** By node. */
  readonly kswapd: KswapdRun[]
  /** At most one for each task. */
  readonly direct: DirectRun[]
  readonly memcgLru: MemcgLru[]
  /** Tasks that wait until kswapd has brought a node's reserves back, by node. Owner: direct_reclaim.ts */
  readonly pfmemallocWait: number[][]
  /** Window of swap-in by slot. Owner: swap_state.ts */
  readonly swapRa: SwapReadahead
  /** Dirty inodes: since when; groups whose writers woke the flusher, which is queued then;
   * whether the last writer that looked found more than the limit. Owner: page_writeback.ts, flusher.ts */
  readonly writeback: {
    readonly dirtiedNs: Record<number, Ns>
    background: number[]
    isExceeded: boolean
    /** Number of the periodic tick that is on its way. */
    tick: number
  }
  /** When all counts of groups were last summed up. Owner: memcg_flush.ts */
  statsFlushedNs: Ns
  /** lru_gen/min_ttl_ms, ns. */
  lruGenMinTtlNs: Ns
  /** What reclaim did lately, for people who look. Owner: reclaim_log.ts, kswapd_log.ts */
  readonly reclaimLog: ReclaimLog
}
