/**
 * LRU lists: the lruvec struct, per-CPU batches of pages on their way to a list, and moving between lists.
 * @kernel  mm/swap.c, include/linux/mm_inline.h
 * @spec    05 §5.2
 */

export const LRU_INACTIVE_ANON = 0
export const LRU_ACTIVE_ANON = 1
export const LRU_INACTIVE_FILE = 2
export const LRU_ACTIVE_FILE = 3
export const LRU_UNEVICTABLE = 4
export const NR_LRU_LISTS = 5

/** Multi-gen lists of one lruvec. Owner: reclaim/mglru.ts. */
export interface LruGen {
  maxSeq: number
  /** [anon, file] */
  readonly minSeq: Float64Array
  /** (gen * 2 + type) * MAX_NR_ZONES + zone */
  readonly lists: Int32Array
  readonly nrPages: Int32Array
  /** Time at which each generation was made, ns. */
  readonly bornNs: Float64Array
  /** [history][type][tier] of 2 × 2 × 4, then averages [type][tier]. */
  readonly evicted: Float64Array
  readonly refaulted: Float64Array
  readonly protectedPages: Float64Array
  readonly avgTotal: Float64Array
  readonly avgRefaulted: Float64Array
}

/** Pages of one memory cgroup on one node. Index in state.lruvecs: memcg id * number of nodes + nid. */
export interface Lruvec {
  readonly memcg: number
  readonly nid: number
  /** Classic: one list for each LRU_*. Unevictable pages are counted, never scanned. */
  readonly lists: Int32Array
  /** Pages: LRU_* * MAX_NR_ZONES + zone idx. */
  readonly sizes: Int32Array
  anonCost: number
  fileCost: number
  nonresidentAge: number
  /** WORKINGSET_ACTIVATE_{ANON,FILE} seen at the last snapshot. */
  readonly refaults: Float64Array
  readonly gen: LruGen
}
