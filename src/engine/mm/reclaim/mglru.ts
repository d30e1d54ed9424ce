/**
 * The multi-generational policy: pages are in up to four generations by age; the oldest one is evicted, in batches of 64.
 * @kernel  mm/vmscan.c try_to_shrink_lruvec(), get_nr_to_scan(), should_abort_scan(), lru_gen_age_node()
 * @spec    05 §5.10
 */
import { now } from '../../exec'
import type { KernelState } from '../../state'
import { wakeupFlusher } from '../flusher'
import { MAX_NR_ZONES } from '../gfp'
import { LRU_GEN_FILE, lruvecOf, type Lruvec } from '../lruvec'
import { calculateProtection, memcgBelowMin, nextMemcg, ROOT_MEMCG } from '../memcontrol'
import { WMARK_HIGH, wmark, zoneWatermarkOk } from '../mmzone'
import { outOfMemory } from '../oom_kill'
import { lruAddDrain } from '../swap'
import { genFromSeq } from './lru_gen'
import { shouldRunAging, tryToIncMaxSeq } from './mglru_aging'
import { MIN_LRU_BATCH, getSwappiness } from './mglru_swappiness'
import type { ReclaimPolicy } from './policy'
import { DEF_PRIORITY, cgroupReclaim, compactGap, type ScanControl, type ShrinkRun } from './scan_control'
import { evictFolios } from './mglru_evict'
import { noteAged, noteBalance } from './reclaim_log'
import { setInitialPriority } from './mglru_priority'

/** @kernel  mm/vmscan.c get_nr_to_scan(): < 0 = leave this group alone now */
function getNrToScan(state: KernelState, sc: ScanControl, lruvec: Lruvec, canSwap: boolean): number {
  if (memcgBelowMin(state, sc.target, lruvec.memcg)) return -1
  const { shouldAge, total } = shouldRunAging(lruvec, canSwap)
  if (total > 0 && !state.memcgs[lruvec.memcg]!.online) return total
  if (!shouldAge || sc.priority === DEF_PRIORITY) return Math.floor(total / (1 << sc.priority))
  noteAged(state, sc)
  return tryToIncMaxSeq(state, lruvec, canSwap) ? -1 : 0
}

/** Enough for the machine. A group's own reclaim always goes through its lists fairly. @kernel should_abort_scan() */
export function shouldAbortScan(state: KernelState, sc: ScanControl, nid: number): boolean {
  if (cgroupReclaim(sc)) return false
  if (sc.nrReclaimed >= Math.max(sc.nrToReclaim, compactGap(sc.order))) return true
  if (sc.kind !== 'kswapd' || sc.order > 0) return false
  for (let idx = 0; idx <= sc.reclaimIdx; idx++) {
    const zone = state.zones[nid * MAX_NR_ZONES + idx]!
    const size = wmark(zone, WMARK_HIGH) + MIN_LRU_BATCH
    if (zone.managed > 0 && !zoneWatermarkOk(zone, 0, size, sc.reclaimIdx, 0)) return false
  }
  return true
}

function prepareNode(state: KernelState, sc: ScanControl, nid: number): void {
  lruAddDrain(state)
  if (!cgroupReclaim(sc)) setInitialPriority(state, sc, nid)
}

/** The record has no counts by list: one generation is taken. */
const NO_LISTS = [0, 0, 0, 0] as const

function beginLruvec(state: KernelState, sc: ScanControl, run: ShrinkRun, lruvec: Lruvec): void {
  run.swappiness = getSwappiness(state, sc, lruvec)
  run.scanned = 0
  run.nrToScan = 0
  noteBalance(state, sc, { balance: '', swappiness: run.swappiness, anon: 0, file: 0 }, NO_LISTS)
}

/** One round of try_to_shrink_lruvec(). @kernel mm/vmscan.c try_to_shrink_lruvec() */
function shrinkBatch(state: KernelState, sc: ScanControl, run: ShrinkRun, lruvec: Lruvec): boolean {
  run.nrToScan = getNrToScan(state, sc, lruvec, run.swappiness !== 0)
  if (run.nrToScan <= 0) return false
  const delta = evictFolios(state, sc, lruvec, run.swappiness)
  if (delta === 0) return false
  run.scanned += delta
  if (run.scanned >= run.nrToScan) return false
  return !shouldAbortScan(state, sc, run.nid)
}

function endLruvec(state: KernelState, sc: ScanControl): void {
  if (sc.nrUnqueuedDirty > 0 && sc.nrUnqueuedDirty === sc.nrFileTaken) wakeupFlusher(state)
}

/** A group that has pages older than min_ttl_ms, and enough of them. @kernel mm/vmscan.c lruvec_is_reclaimable() */
function lruvecIsReclaimable(state: KernelState, sc: ScanControl, memcg: number, nid: number): boolean {
  if (memcgBelowMin(state, 0, memcg) || !lruvecIsSizable(state, sc, memcg, nid)) return false
  const { gen } = lruvecOf(state, memcg, nid)
  return gen.bornNs[genFromSeq(gen.minSeq[LRU_GEN_FILE]!)]! + state.reclaim.lruGenMinTtlNs < now(state)
}

/**
 * Protections of all groups before kswapd reclaims; and with min_ttl_ms, whether there is anything to reclaim that was
 * not used just now: if not, a process has to go instead of all of them thrashing.
 * @kernel      mm/vmscan.c lru_gen_age_node()
 * @simplifies  6.1's early aging is left to eviction
 */
function ageNode(state: KernelState, sc: ScanControl, nid: number): void {
  setInitialPriority(state, sc, nid)
  let isReclaimable = state.reclaim.lruGenMinTtlNs === 0
  for (let id = ROOT_MEMCG; id !== 0; id = nextMemcg(state, ROOT_MEMCG, id)) {
    calculateProtection(state, 0, id)
    isReclaimable ||= lruvecIsReclaimable(state, sc, id, nid)
  }
  // 6.1 leaves out reclaim for blocks. The lock is held: somebody is at it already.
  if (isReclaimable || (state.config.series === '6.1' && sc.order > 0) || state.oomLockHolder !== 0) return
  outOfMemory(state, { memcg: 0, gfp: sc.gfp, order: 0 })
}

/** Whether the group is still worth coming back to. @kernel mm/vmscan.c lruvec_is_sizable() */
export function lruvecIsSizable(state: KernelState, sc: ScanControl, memcg: number, nid: number): boolean {
  const lruvec = lruvecOf(state, memcg, nid)
  const { total } = shouldRunAging(lruvec, getSwappiness(state, sc, lruvec) !== 0)
  return state.memcgs[memcg]!.online ? Math.floor(total / (1 << sc.priority)) > 0 : total > 0
}

/** @kernel  the branches of lru_gen_enabled() */
export const mglruPolicy: ReclaimPolicy = { name: 'mglru', prepareNode, beginLruvec, shrinkBatch, endLruvec, ageNode }
