/**
 * What the LRU heuristics know of list lengths. The kernel keeps these counts per CPU and sums them up the tree only now
 * and then; since 6.8 reclaim contents itself with the last sums, which are up to two seconds old. So it may go on moving
 * pages off an active list that is short already, or see cache that is gone. Lengths that decide how much is scanned
 * (lruvecLruSize) are exact.
 * @kernel  mm/memcontrol.c flush_memcg_stats_dwork(), mem_cgroup_flush_stats(), mem_cgroup_flush_stats_ratelimited()
 */
import { NS_PER_S, type Ns } from '../../util/units'
import { now } from '../exec'
import { schedule } from '../queue'
import type { KernelState } from '../state'
import { MAX_NR_ZONES } from './gfp'
import { LRU_UNEVICTABLE, isSummedAtOnce, lruvecLruSize, lruvecOf, type Lruvec } from './lruvec'
import { MEMCG_STAT_WORKINGSET_ACTIVATE_ANON, NR_MEMCG_STATS } from './memcg_stat'
import { ROOT_MEMCG, memcgAt } from './memcg_tree'
import { WORKINGSET_ACTIVATE_ANON, readStat } from './vmstat'

/** @kernel  mm/memcontrol.c FLUSH_TIME */
export const FLUSH_TIME: Ns = 2 * NS_PER_S

/** Slot of refaults that became active in Lruvec.flushed, anonymous; file behind it. */
const ACTIVATED = LRU_UNEVICTABLE

/** Sums of one group and everything below it, from the leaves up. @kernel kernel/cgroup/rstat.c cgroup_rstat_flush() */
function flushTree(state: KernelState, memcg: number, nid: number): Float64Array {
  const lruvec = lruvecOf(state, memcg, nid)
  const { flushed } = lruvec
  const { children, stat, parent } = memcgAt(state, memcg)
  for (let lru = 0; lru < LRU_UNEVICTABLE; lru++) flushed[lru] = lruvecLruSize(lruvec, lru, MAX_NR_ZONES - 1)
  const item = nid * NR_MEMCG_STATS + MEMCG_STAT_WORKINGSET_ACTIVATE_ANON
  for (let file = 0; file < 2; file++) flushed[ACTIVATED + file] = stat[item + file]!
  for (const child of children) {
    const below = flushTree(state, child, nid)
    for (let i = 0; i < flushed.length; i++) flushed[i]! += below[i]!
  }
  // Counts of groups that are gone live on in the node.
  const { stat: ofNode } = state.nodes[nid]!
  if (parent === 0) for (let f = 0; f < 2; f++) flushed[ACTIVATED + f] = readStat(ofNode, WORKINGSET_ACTIVATE_ANON + f)
  return flushed
}

/**
 * Sums up what changed in a group and below it; its ancestors' sums stay as they are.
 * @kernel      mm/memcontrol.c mem_cgroup_flush_stats()
 * @simplifies  the kernel leaves fewer than 64 changes for each CPU unsummed
 */
export function flushMemcgStats(state: KernelState, memcg: number): void {
  if (memcg === ROOT_MEMCG) state.reclaim.statsFlushedNs = now(state)
  for (const { nid } of state.nodes) flushTree(state, memcg, nid)
}

/** Sums everything up when the worker is late, as it is right after boot. @kernel mem_cgroup_flush_stats_ratelimited() */
export function flushMemcgStatsRatelimited(state: KernelState): void {
  if (now(state) > state.reclaim.statsFlushedNs + 2 * FLUSH_TIME) flushMemcgStats(state, ROOT_MEMCG)
}

/** The first turn of the worker. @kernel mem_cgroup_css_online() of the root */
export function startMemcgFlush(state: KernelState): void {
  schedule(state.queue, state.nowNs + FLUSH_TIME, { kind: 'memcgFlush' })
}

/** @kernel  mm/memcontrol.c flush_memcg_stats_dwork() */
export function handleMemcgFlush(state: KernelState): void {
  flushMemcgStats(state, ROOT_MEMCG)
  startMemcgFlush(state)
}

/** The same, of a group and below it, now. */
function activatedNow(state: KernelState, memcg: number, nid: number, file: number): number {
  const { children, stat, parent } = memcgAt(state, memcg)
  if (parent === 0) return readStat(state.nodes[nid]!.stat, WORKINGSET_ACTIVATE_ANON + file)
  let sum = stat[nid * NR_MEMCG_STATS + MEMCG_STAT_WORKINGSET_ACTIVATE_ANON + file]!
  for (const child of children) sum += activatedNow(state, child, nid, file)
  return sum
}

/** Refaults that became active, of a group and below it, as last summed up. @kernel lruvec_page_state(WORKINGSET_ACTIVATE_*) */
export const activatedRefaults = (state: KernelState, lruvec: Lruvec, file: number): number =>
  isSummedAtOnce(state) ? activatedNow(state, lruvec.memcg, lruvec.nid, file) : lruvec.flushed[ACTIVATED + file]!
