/**
 * The LRU lists of one memory cgroup on one node, and the counters that say how long they are. Apart from swap.ts,
 * because both reclaim policies link pages into it.
 * @kernel  include/linux/mmzone.h struct lruvec, include/linux/mm_inline.h
 * @spec    05 §5.2, §5.10
 */
import { AssertionError } from '../../util/assert'
import type { Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { MAX_NR_ZONES } from './gfp'
import { PG_SWAPBACKED, createLists, hasFlag, pageMemcg, pageZoneIndex } from './memmap'
import { MEMCG_STAT_INACTIVE_ANON, modMemcgState } from './memcg_stat'
import { NR_INACTIVE_ANON, NR_ZONE_INACTIVE_ANON, modStat, readStat } from './vmstat'

export const LRU_INACTIVE_ANON = 0
export const LRU_ACTIVE_ANON = 1
export const LRU_INACTIVE_FILE = 2
export const LRU_ACTIVE_FILE = 3
export const LRU_UNEVICTABLE = 4
export const NR_LRU_LISTS = 5

export const LRU_GEN_ANON = 0
export const LRU_GEN_FILE = 1
export const MIN_NR_GENS = 2
export const MAX_NR_GENS = 4
export const MAX_NR_TIERS = 4

/** Kinds of moves that Lruvec.moves counts, anon and file each: MOVE_* of reclaim/reclaim_record.ts. */
export const NR_MOVES = 14

/** Dirty pages of this group (or node) come back to the tail faster than they are written. */
export const LRUVEC_CGROUP_CONGESTED = 1
export const LRUVEC_NODE_CONGESTED = 2

/** Multi-gen lists of one lruvec. Owner: reclaim/lru_gen.ts. */
export interface LruGen {
  maxSeq: number
  /** [anon, file] */
  readonly minSeq: Float64Array
  /** (gen * 2 + type) * MAX_NR_ZONES + zone */
  readonly lists: Int32Array
  readonly nrPages: Int32Array
  /** Time at which each generation was made, ns. */
  readonly bornNs: Float64Array
  /** type * 4 + tier, of the current history and then averages. */
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
  /** Classic: one list for each LRU_*. Unevictable pages are counted, never linked. */
  readonly lists: Int32Array
  /** Pages: LRU_* * MAX_NR_ZONES + zone idx. */
  readonly sizes: Int32Array
  anonCost: number
  fileCost: number
  nonresidentAge: number
  /** WORKINGSET_ACTIVATE_{ANON,FILE} seen at the last snapshot. */
  readonly refaults: Float64Array
  /** Sums over the groups below, as last looked at: LRU_* up to file, refaults that became active. Owner: memcg_flush.ts */
  readonly flushed: Float64Array
  readonly gen: LruGen
  /** MOVE_*: pages that moved since boot. Owner: reclaim/reclaim_log.ts */
  readonly moves: Float64Array
  /** LRUVEC_* */
  flags: number
  /** Where partial walks below this group stopped: memcg id, 0 = at the start. Owner: vmscan.ts */
  iterPosition: number
  iterGeneration: number
  /** MGLRU's list of groups: generation (−1 not on it), bin, and head/tail mark. Owner: reclaim/memcg_lru.ts */
  memcgGen: number
  memcgBin: number
  memcgSeg: number
}

/** Empty lists of a group on a node. @kernel mm/mmzone.c lruvec_init(), mm/vmscan.c lru_gen_init_lruvec() */
export function createLruvec(memcg: number, nid: number): Lruvec {
  const tiers = (): Float64Array => new Float64Array(2 * MAX_NR_TIERS)
  return {
    memcg,
    nid,
    lists: createLists(NR_LRU_LISTS),
    sizes: new Int32Array(NR_LRU_LISTS * MAX_NR_ZONES),
    anonCost: 0,
    fileCost: 0,
    nonresidentAge: 0,
    refaults: new Float64Array(2),
    flushed: new Float64Array(LRU_UNEVICTABLE + 2),
    gen: {
      maxSeq: MIN_NR_GENS + 1,
      minSeq: new Float64Array(2),
      lists: createLists(MAX_NR_GENS * 2 * MAX_NR_ZONES),
      nrPages: new Int32Array(MAX_NR_GENS * 2 * MAX_NR_ZONES),
      bornNs: new Float64Array(MAX_NR_GENS),
      evicted: tiers(),
      refaulted: tiers(),
      protectedPages: tiers(),
      avgTotal: tiers(),
      avgRefaulted: tiers(),
    },
    moves: new Float64Array(NR_MOVES),
    flags: 0,
    iterPosition: 0,
    iterGeneration: 0,
    memcgGen: -1,
    memcgBin: 0,
    memcgSeg: 0,
  }
}

/** @kernel  include/linux/memcontrol.h mem_cgroup_lruvec() */
export function lruvecOf(state: KernelState, memcg: number, nid: number): Lruvec {
  const lruvec = state.lruvecs[memcg * state.nodes.length + nid]
  // The text of an assert() is made before the test: too dear for what is called several times a page.
  if (lruvec === undefined) throw new AssertionError(`memory cgroup ${memcg} has no lists on node ${nid}`)
  return lruvec
}

/** Pages that belong to no group are on the root's lists. @kernel include/linux/memcontrol.h folio_lruvec() */
export const folioLruvec = (state: KernelState, pfn: Pfn): Lruvec =>
  lruvecOf(state, pageMemcg(state.memmap, pfn) || 1, folioNid(state, pfn))

/** Zones are numbered node by node. @kernel page_to_nid() */
export const folioNid = (state: KernelState, pfn: Pfn): number => (pageZoneIndex(state.memmap, pfn) / MAX_NR_ZONES) | 0

/** ZONE_DMA … @kernel folio_zonenum() */
export const folioZonenum = (state: KernelState, pfn: Pfn): number => pageZoneIndex(state.memmap, pfn) % MAX_NR_ZONES

/** 1 = file lists, 0 = anonymous (shmem too). @kernel include/linux/mm_inline.h folio_is_file_lru() */
export const folioIsFileLru = (state: KernelState, pfn: Pfn): 0 | 1 =>
  hasFlag(state.memmap, pfn, PG_SWAPBACKED) ? 0 : 1

/** The same group's parent on the same node. @kernel include/linux/memcontrol.h parent_lruvec() */
export function parentLruvec(state: KernelState, lruvec: Lruvec): Lruvec | undefined {
  const parent = state.memcgs[lruvec.memcg]?.parent ?? 0
  return parent === 0 ? undefined : lruvecOf(state, parent, lruvec.nid)
}

/**
 * A list of this lruvec grew or shrank: lruvec, memcg, node and zone counters.
 * @kernel  include/linux/mm_inline.h update_lru_size()
 */
export function updateLruSize(state: KernelState, lruvec: Lruvec, lru: number, zone: number, delta: Pages): void {
  lruvec.sizes[lru * MAX_NR_ZONES + zone]! += delta
  modStat(state.nodes[lruvec.nid]!.stat, NR_INACTIVE_ANON + lru, delta)
  modStat(state.zones[lruvec.nid * MAX_NR_ZONES + zone]!.stat, NR_ZONE_INACTIVE_ANON + lru, delta)
  modMemcgState(state, lruvec.memcg, MEMCG_STAT_INACTIVE_ANON + lru, delta, lruvec.nid)
}

/** Own pages of one list in zones up to `highestZoneidx`. @kernel mm/vmscan.c lruvec_lru_size() */
export function lruvecLruSize(lruvec: Lruvec, lru: number, highestZoneidx: number): Pages {
  let sum = 0
  for (let zone = 0; zone <= highestZoneidx; zone++) sum += lruvec.sizes[lru * MAX_NR_ZONES + zone]!
  return sum
}

/** Pages of one list of a group and everything below it, now. @kernel lruvec_page_state(), with nothing left per CPU */
export function lruvecPageState(state: KernelState, lruvec: Lruvec, lru: number): Pages {
  const parent = state.memcgs[lruvec.memcg]?.parent ?? 0
  if (parent === 0) return readStat(state.nodes[lruvec.nid]!.stat, NR_INACTIVE_ANON + lru)
  let sum = 0
  for (const child of state.memcgs[lruvec.memcg]!.children) {
    sum += lruvecPageState(state, lruvecOf(state, child, lruvec.nid), lru)
  }
  return sum + lruvecLruSize(lruvec, lru, MAX_NR_ZONES - 1)
}

/** 6.1 sums up before each look, whenever more than a few pages changed; memcg_flush.ts has the rest. */
export const isSummedAtOnce = (state: KernelState): boolean => state.config.series === '6.1'

/** Pages of one list of a group and everything below it, as last summed up. @kernel lruvec_page_state(NR_LRU_BASE + lru) */
export const lruvecFlushedState = (state: KernelState, lruvec: Lruvec, lru: number): Pages =>
  isSummedAtOnce(state) ? lruvecPageState(state, lruvec, lru) : lruvec.flushed[lru]!

/** Pages were evicted or activated: the clock that refault distances are measured with. @kernel mm/workingset.c */
export function workingsetAgeNonresident(state: KernelState, lruvec: Lruvec, nr: Pages): void {
  for (let l: Lruvec | undefined = lruvec; l !== undefined; l = parentLruvec(state, l)) l.nonresidentAge += nr
}

/**
 * What reclaiming from one type cost: I/O counts 32 times as much as a rotated page. Old costs fade when they exceed a
 * quarter of the lists.
 * @kernel  mm/swap.c lru_note_cost()
 * @spec    05 §5.4
 */
export function lruNoteCost(
  state: KernelState,
  lruvec: Lruvec,
  isFile: number,
  cost: { readonly nrIo: Pages; readonly nrRotated: Pages },
): void {
  const total = cost.nrIo * 32 + cost.nrRotated
  if (total === 0) return
  for (let l: Lruvec | undefined = lruvec; l !== undefined; l = parentLruvec(state, l)) {
    if (isFile === 1) l.fileCost += total
    else l.anonCost += total
    let size = 0
    for (let lru = 0; lru < LRU_UNEVICTABLE; lru++) size += lruvecFlushedState(state, l, lru)
    if (l.fileCost + l.anonCost > Math.floor(size / 4)) {
      l.fileCost = Math.floor(l.fileCost / 2)
      l.anonCost = Math.floor(l.anonCost / 2)
    }
  }
}
