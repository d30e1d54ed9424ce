/**
 * The classic policy: an active and an inactive list for each type; pages are taken from the tail of the inactive lists,
 * which the active lists refill.
 * @kernel  mm/vmscan.c prepare_scan_control(), get_scan_count(), shrink_lruvec()
 * @spec    05 §5.3, §5.4
 */
import type { Pages } from '../../../util/units'
import type { KernelState } from '../../state'
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  lruvecLruSize,
  lruvecOf,
  lruvecPageState,
  type Lruvec,
  lruvecFlushedState,
} from '../lruvec'
import { activatedRefaults } from '../memcg_flush'
import { memcgProtection, nextMemcg, ROOT_MEMCG } from '../memcontrol'
import { canDemote } from '../memory_tiers'
import { wmark, WMARK_HIGH } from '../mmzone'
import { totalSwapPages } from '../swap_space'
import { NR_FREE_PAGES, readStat } from '../vmstat'
import { shrinkActiveList, shrinkInactiveList } from './lru_lists'
import { memcgNrSwapPages, scSwappiness } from './mglru_swappiness'
import type { ReclaimPolicy } from './policy'
import { noteBalance, openVisit } from './reclaim_log'
import { OUTCOME_BALANCED } from './reclaim_record'
import { inactiveIsLowFor, scanCounts, scanFractions, type ScanBalance, type ScanProtection } from './scan_count'
import { DEF_PRIORITY, SWAP_CLUSTER_MAX, cgroupReclaim, type ScanControl, type ShrinkRun } from './scan_control'

/** @kernel  mm/vmscan.c inactive_is_low(); sizes include the groups below, as last summed up */
const inactiveIsLow = (state: KernelState, lruvec: Lruvec, inactiveLru: number): boolean =>
  inactiveIsLowFor(lruvecFlushedState(state, lruvec, inactiveLru), lruvecFlushedState(state, lruvec, inactiveLru + 1))

/** Remembers where refaults stand, to see at the next reclaim whether any came. @kernel mm/vmscan.c snapshot_refaults() */
export function snapshotRefaults(state: KernelState, target: number, nid: number): void {
  const lruvec = lruvecOf(state, target || ROOT_MEMCG, nid)
  lruvec.refaults[0] = activatedRefaults(state, lruvec, 0)
  lruvec.refaults[1] = activatedRefaults(state, lruvec, 1)
}

/**
 * Looks at the node as a whole: which active lists may shrink, whether there is plenty of unused cache, or hardly any.
 * @kernel  mm/vmscan.c prepare_scan_control()
 * @spec    05 §5.3
 */
function prepareNode(state: KernelState, sc: ScanControl, nid: number): void {
  const target = lruvecOf(state, sc.target || ROOT_MEMCG, nid)
  sc.anonCost = target.anonCost
  sc.fileCost = target.fileCost
  sc.mayDeactivate = 3
  if (!sc.forceDeactivate) {
    sc.mayDeactivate = 0
    for (const file of [0, 1]) {
      const isRefaulting = activatedRefaults(state, target, file) !== target.refaults[file]
      if (isRefaulting || inactiveIsLow(state, target, file * 2)) sc.mayDeactivate |= 1 << file
    }
  }
  const inactiveFile = lruvecFlushedState(state, target, LRU_INACTIVE_FILE)
  const mayTrim = (sc.mayDeactivate & 2) === 0 && !sc.noCacheTrimMode
  sc.cacheTrimMode = Math.floor(inactiveFile / (1 << sc.priority)) > 0 && mayTrim
  if (!cgroupReclaim(sc)) sc.fileIsTiny = fileIsTiny(state, sc, target)
}

/**
 * Free, file and inactive anonymous pages of a node, and the sum of its high marks.
 * @kernel  mm/vmscan.c prepare_scan_control(), its local variables
 */
export function fileTinyFacts(
  state: KernelState,
  root: Lruvec,
): { readonly free: Pages; readonly high: Pages; readonly file: Pages; readonly anon: Pages } {
  let free = 0
  let high = 0
  for (const z of state.nodes[root.nid]!.zones) {
    const zone = state.zones[z]!
    free += readStat(zone.stat, NR_FREE_PAGES)
    if (zone.managed > 0) high += wmark(zone, WMARK_HIGH)
  }
  const file = lruvecPageState(state, root, LRU_ACTIVE_FILE) + lruvecPageState(state, root, LRU_INACTIVE_FILE)
  const anon = lruvecPageState(state, root, LRU_INACTIVE_ANON)
  return { free, high, file, anon }
}

/** File pages and free pages together would not reach the high marks: file cannot help. */
function fileIsTiny(state: KernelState, sc: ScanControl, root: Lruvec): boolean {
  const { free, high, file, anon } = fileTinyFacts(state, root)
  return file + free <= high && (sc.mayDeactivate & 1) === 0 && Math.floor(anon / (1 << sc.priority)) > 0
}

/** @kernel  mm/vmscan.c get_scan_count(), first half */
export function scanBalance(state: KernelState, sc: ScanControl, lruvec: Lruvec, swappiness: number): ScanBalance {
  const canReclaimAnon = canDemote(state, lruvec.nid) || memcgNrSwapPages(state, lruvec.memcg) > 0
  if (!sc.maySwap || !canReclaimAnon) return 'FILE'
  if (cgroupReclaim(sc) && swappiness === 0) return 'FILE'
  if (sc.priority === 0 && swappiness !== 0) return 'EQUAL'
  if (sc.fileIsTiny) return 'ANON'
  return sc.cacheTrimMode ? 'FILE' : 'FRACT'
}

/** @kernel  get_scan_count(): memory.min always, memory.low unless this pass reclaims below it */
export function scanProtection(state: KernelState, sc: ScanControl, lruvec: Lruvec): ScanProtection | undefined {
  const { min, low } = memcgProtection(state, sc.target, lruvec.memcg)
  if (min === 0 && low === 0) return undefined
  const usage = state.memcgs[lruvec.memcg]!.memory.usage
  if (sc.memcgLowReclaim || low <= min) return { protection: min, usage }
  sc.memcgLowSkipped = true
  return { protection: low, usage }
}

const sizes = [0, 0, 0, 0]

function beginLruvec(state: KernelState, sc: ScanControl, run: ShrinkRun, lruvec: Lruvec): void {
  const swappiness = scSwappiness(state, sc)
  for (let lru = 0; lru < 4; lru++) sizes[lru] = lruvecLruSize(lruvec, lru, sc.reclaimIdx)
  const balance = scanBalance(state, sc, lruvec, swappiness)
  const fractions = scanFractions(swappiness, sc.anonCost, sc.fileCost)
  const protection = scanProtection(state, sc, lruvec)
  const isOnline = state.memcgs[lruvec.memcg]!.online
  scanCounts({ sizes, priority: sc.priority, balance, fractions, protection, isOnline }, run.nr)
  noteBalance(state, sc, { balance, swappiness, anon: fractions.anon, file: fractions.file }, run.nr)
  for (let lru = 0; lru < 4; lru++) run.targets[lru] = run.nr[lru]!
  run.lru = 0
  run.lruvecReclaimed = 0
  run.isProportional = !cgroupReclaim(sc) && sc.kind !== 'kswapd' && sc.priority === DEF_PRIORITY
}

/** One list's turn: at most 32 pages. */
function shrinkList(state: KernelState, sc: ScanControl, run: ShrinkRun, lruvec: Lruvec, lru: number): void {
  const nr = Math.min(run.nr[lru]!, SWAP_CLUSTER_MAX)
  run.nr[lru]! -= nr
  if (lru === LRU_INACTIVE_ANON || lru === LRU_INACTIVE_FILE) {
    run.lruvecReclaimed += shrinkInactiveList(state, sc, lruvec, lru, nr)
  } else if ((sc.mayDeactivate & (lru === LRU_ACTIVE_ANON ? 1 : 2)) !== 0) shrinkActiveList(state, sc, lruvec, lru, nr)
  else sc.skippedDeactivate = true
}

/**
 * One batch: the next list that has something left. After a round through all four, the target is looked at. Where all
 * that is left is active anonymous pages, the last priority still has one turn at them: programs here do not touch their
 * code while they run, whose pages would start the kernel's loop there. Without it the sums that say which list is short,
 * up to two seconds old, would let the OOM killer come with swap free.
 * @kernel  mm/vmscan.c shrink_lruvec()
 */
function shrinkBatch(state: KernelState, sc: ScanControl, run: ShrinkRun, lruvec: Lruvec): boolean {
  const { nr } = run
  if (run.lru === 0 && nr[LRU_INACTIVE_ANON] === 0 && nr[LRU_ACTIVE_FILE] === 0 && nr[LRU_INACTIVE_FILE] === 0) {
    if (sc.priority === 0 && nr[LRU_ACTIVE_ANON]! > 0) shrinkList(state, sc, run, lruvec, LRU_ACTIVE_ANON)
    return false
  }
  while (run.lru < 4 && nr[run.lru] === 0) run.lru++
  if (run.lru < 4) shrinkList(state, sc, run, lruvec, run.lru++)
  if (run.lru < 4) return true
  run.lru = 0
  if (run.lruvecReclaimed < sc.nrToReclaim || run.isProportional) return true
  return narrowDown(run)
}

/** The target is met: the type with less left stops, the other one goes on in the proportion first wanted. */
function narrowDown({ nr, targets }: ShrinkRun): boolean {
  const file = nr[LRU_INACTIVE_FILE]! + nr[LRU_ACTIVE_FILE]!
  const anon = nr[LRU_INACTIVE_ANON]! + nr[LRU_ACTIVE_ANON]!
  if (file === 0 || anon === 0) return false
  const smaller = file > anon ? LRU_INACTIVE_ANON : LRU_INACTIVE_FILE
  const target = targets[smaller]! + targets[smaller + 1]! + 1
  const percentage = Math.floor((Math.min(file, anon) * 100) / target)
  nr[smaller] = 0
  nr[smaller + 1] = 0
  const larger = smaller === LRU_INACTIVE_ANON ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON
  for (const lru of [larger, larger + 1]) {
    const scanned = targets[lru]! - nr[lru]!
    const wanted = Math.floor((targets[lru]! * (100 - percentage)) / 100)
    nr[lru] = Math.max(0, wanted - scanned)
  }
  return true
}

function endLruvec(state: KernelState, sc: ScanControl, run: ShrinkRun, lruvec: Lruvec): void {
  sc.nrReclaimed += run.lruvecReclaimed
  if (totalSwapPages(state) > 0 && inactiveIsLow(state, lruvec, LRU_INACTIVE_ANON)) {
    shrinkActiveList(state, sc, lruvec, LRU_ACTIVE_ANON, SWAP_CLUSTER_MAX)
  }
}

/** Keeps the inactive anonymous list long enough. @kernel mm/vmscan.c kswapd_age_node() */
function ageNode(state: KernelState, sc: ScanControl, nid: number): void {
  if (totalSwapPages(state) === 0) return
  if (!inactiveIsLow(state, lruvecOf(state, ROOT_MEMCG, nid), LRU_INACTIVE_ANON)) return
  for (let id = ROOT_MEMCG; id !== 0; id = nextMemcg(state, ROOT_MEMCG, id)) {
    const lruvec = lruvecOf(state, id, nid)
    if (lruvecLruSize(lruvec, LRU_ACTIVE_ANON, sc.reclaimIdx) > 0) openVisit(state, sc, lruvec, OUTCOME_BALANCED)
    shrinkActiveList(state, sc, lruvec, LRU_ACTIVE_ANON, SWAP_CLUSTER_MAX)
  }
}

/** @kernel  the branches of !lru_gen_enabled() */
export const classicPolicy: ReclaimPolicy = {
  name: 'classic',
  prepareNode,
  beginLruvec,
  shrinkBatch,
  endLruvec,
  ageNode,
}
