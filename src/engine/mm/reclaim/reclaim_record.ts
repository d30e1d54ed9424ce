/**
 * What reclaim did lately, for people who look: the last runs (kswapd from wake to sleep, a task's direct reclaim, a
 * group at its limit), within them each visit to one group's lists at one priority, and what kswapd decided when. No
 * decision of the kernel reads it. It is part of the machine, so that a rewound machine shows what it knew then.
 * @kernel  the sums of the tracepoints in include/trace/events/vmscan.h
 * @model   rings of fixed length; the kernel only has counters and tracepoints
 */
import type { Ns, Pages } from '../../../util/units'
import type { ScanBalance } from './scan_count'
import type { ScanControl } from './scan_control'

/** Runs and visits that are remembered. */
export const RUNS_MAX = 128
export const VISITS_MAX = 512
/** Of each node. */
export const DECISIONS_MAX = 32

export type AskedReclaim = '' | 'memory.reclaim' | 'MADV_PAGEOUT' | 'lru_gen'

/** From the first look to the last page of one reclaimer. */
export interface ReclaimRun {
  /** Counted since boot, from 0. */
  readonly id: number
  readonly kind: ScanControl['kind']
  /** What a person or program asked for; '' = memory is short. */
  readonly asked: AskedReclaim
  readonly pid: number
  readonly comm: string
  /** Of kswapd: its node; of others: the node that was asked first. */
  readonly nid: number
  readonly order: number
  readonly target: number
  readonly wanted: Pages
  readonly startNs: Ns
  /** −1 while it goes on. */
  endNs: Ns
  readonly freeBefore: Pages
  freeAfter: Pages
  nrScanned: Pages
  nrReclaimed: Pages
  /** The lowest that it came to. */
  priority: number
  /** Of the target group when the run began: usage and the limits that it may have met; pages. */
  readonly usage: Pages
  readonly high: Pages
  readonly max: Pages
}

/** What kswapd of a node did about its own work. */
export type KswapdVerb = 'wakeup' | 'begin' | 'low-hit' | 'high-hit' | 'nap' | 'sleep' | 'failure'

export interface KswapdDecision {
  readonly atNs: Ns
  readonly verb: KswapdVerb
  /** Who made it happen: an allocating task, or kswapd itself. */
  readonly pid: number
  readonly comm: string
  readonly order: number
  readonly highestZoneidx: number
  readonly failures: number
  /** Zones that it looks at, as they were. */
  readonly zones: readonly {
    readonly zone: number
    readonly free: Pages
    readonly min: Pages
    readonly low: Pages
    readonly high: Pages
    readonly boost: Pages
    /** Kept from requests for a higher zone: lowmem_reserve of the request's zone. */
    readonly reserve: Pages
  }[]
}

export interface ReclaimLog {
  /** Row of a run: id % RUNS_MAX. */
  readonly runs: ReclaimRun[]
  nrRuns: number
  /** Row of a visit: its number % VISITS_MAX; V_* name the columns. */
  readonly visits: Int32Array
  readonly visitNs: Float64Array
  nrVisits: number
  /** By node, oldest first. */
  readonly decisions: KswapdDecision[][]
}

// Columns of a visit; two for anon and file where an F follows.
export const V_RUN = 0
export const V_NID = 1
export const V_MEMCG = 2
export const V_PRIORITY = 3
export const V_OUTCOME = 4
export const V_BALANCE = 5
export const V_SWAPPINESS = 6
export const V_ANON_SHARE = 7
export const V_FILE_SHARE = 8
export const V_ANON_COST = 9
export const V_FILE_COST = 10
export const V_FLAGS = 11
/** Four each, by LRU_INACTIVE_ANON …: sizes of the lists when it began, pages that it set out to scan. */
export const V_SIZE = 12
export const V_WANT = 16
export const V_SCANNED = 20
export const V_STOLEN = 22
export const V_ACTIVATED = 24
export const V_KEPT = 26
export const V_WRITTEN = 28
export const V_DEACTIVATED = 30
export const V_DIRTY = 32
export const V_WRITEBACK = 33
export const V_ROTATED = 34
export const V_SORTED = 35
export const V_SLAB = 36
export const V_FREE = 37
export const NR_COLUMNS = 38

/** V_OUTCOME: what became of the visit. */
export const OUTCOME_SCANNED = 0
export const OUTCOME_BELOW_MIN = 1
export const OUTCOME_BELOW_LOW = 2
/** MGLRU: a new generation instead of eviction. */
export const OUTCOME_AGED = 3
/** Only the active anonymous list, before anything is reclaimed. */
export const OUTCOME_BALANCED = 4

/** V_FLAGS */
export const FLAG_DEACTIVATE_ANON = 1
export const FLAG_DEACTIVATE_FILE = 2
export const FLAG_CACHE_TRIM = 4
export const FLAG_FILE_TINY = 8
export const FLAG_MAY_SWAP = 16
export const FLAG_MGLRU = 32

/** V_BALANCE is an index into this. */
export const BALANCES: readonly (ScanBalance | '')[] = ['', 'EQUAL', 'FRACT', 'ANON', 'FILE']

// Lruvec.moves: pages since boot, anon and file each.
export const MOVE_SCANNED = 0
export const MOVE_STOLEN = 2
export const MOVE_ACTIVATED = 4
export const MOVE_KEPT = 6
export const MOVE_WRITTEN = 8
export const MOVE_DEACTIVATED = 10
/** Activated because somebody read or wrote the page, not by reclaim. */
export const MOVE_ACCESSED = 12

/** Nothing happened yet. @model see the top of this file */
export const createReclaimLog = (nrNodes: number): ReclaimLog => ({
  runs: [],
  nrRuns: 0,
  visits: new Int32Array(VISITS_MAX * NR_COLUMNS),
  visitNs: new Float64Array(VISITS_MAX),
  nrVisits: 0,
  decisions: Array.from({ length: nrNodes }, () => []),
})
