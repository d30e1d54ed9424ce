/**
 * Keeps the record of reclaim (reclaim_record.ts): called by whoever reclaims, once a run, a visit or a batch of pages,
 * never for a single page.
 * @kernel  where the tracepoints of include/trace/events/vmscan.h are
 * @model   see reclaim_record.ts
 */
import type { Ns, Pages } from '../../../util/units'
import { currentTask, now } from '../../exec'
import type { KernelState } from '../../state'
import { MAX_NR_ZONES } from '../gfp'
import type { Lruvec } from '../lruvec'
import { ROOT_MEMCG } from '../memcg_tree'
import { NR_FREE_PAGES, readStat } from '../vmstat'
import {
  BALANCES,
  FLAG_CACHE_TRIM,
  FLAG_FILE_TINY,
  FLAG_MAY_SWAP,
  FLAG_MGLRU,
  MOVE_ACCESSED,
  MOVE_ACTIVATED,
  MOVE_DEACTIVATED,
  MOVE_KEPT,
  MOVE_SCANNED,
  MOVE_STOLEN,
  MOVE_WRITTEN,
  NR_COLUMNS,
  OUTCOME_AGED,
  RUNS_MAX,
  VISITS_MAX,
  V_ACTIVATED,
  V_ANON_COST,
  V_ANON_SHARE,
  V_BALANCE,
  V_DEACTIVATED,
  V_DIRTY,
  V_FILE_COST,
  V_FILE_SHARE,
  V_FLAGS,
  V_FREE,
  V_KEPT,
  V_MEMCG,
  V_NID,
  V_OUTCOME,
  V_PRIORITY,
  V_ROTATED,
  V_RUN,
  V_SCANNED,
  V_SIZE,
  V_SLAB,
  V_SORTED,
  V_STOLEN,
  V_SWAPPINESS,
  V_WANT,
  V_WRITEBACK,
  V_WRITTEN,
  type AskedReclaim,
  type ReclaimLog,
  type ReclaimRun,
} from './reclaim_record'
import type { ScanBalance } from './scan_count'
import type { ReclaimStat, ScanControl } from './scan_control'

function nodeFree(state: KernelState, nid: number): Pages {
  let free = 0
  for (const z of state.nodes[nid]!.zones) free += readStat(state.zones[z]!.stat, NR_FREE_PAGES)
  return free
}

/** A reclaimer begins; its scan control carries the run's number from here on. @model see the top of this file */
export function openRun(state: KernelState, sc: ScanControl, nid: number, asked: AskedReclaim = ''): void {
  const { reclaimLog: log } = state.reclaim
  const task = currentTask(state)
  const target = state.memcgs[sc.target]
  sc.run = log.nrRuns++
  sc.visit = -1
  log.runs[sc.run % RUNS_MAX] = {
    id: sc.run,
    kind: sc.kind,
    asked: sc.isProactive ? 'memory.reclaim' : asked,
    pid: task?.pid ?? 0,
    comm: task?.comm ?? '',
    nid,
    order: sc.order,
    target: sc.target,
    wanted: sc.nrToReclaim,
    startNs: now(state),
    endNs: -1,
    freeBefore: nodeFree(state, nid),
    freeAfter: -1,
    nrScanned: 0,
    nrReclaimed: 0,
    priority: sc.priority,
    usage: target?.memory.usage ?? -1,
    high: target?.memory.high ?? -1,
    max: target?.memory.max ?? -1,
  }
}

/** The run, unless the ring has gone over it. */
function runOf(log: ReclaimLog, id: number): ReclaimRun | undefined {
  const run = id < 0 ? undefined : log.runs[id % RUNS_MAX]
  return run?.id === id ? run : undefined
}

/** @model see the top of this file */
export function closeRun(state: KernelState, sc: ScanControl): void {
  const run = runOf(state.reclaim.reclaimLog, sc.run)
  sc.run = -1
  sc.visit = -1
  if (run === undefined) return
  run.endNs = now(state)
  run.freeAfter = nodeFree(state, run.nid)
  run.nrReclaimed = sc.nrReclaimed
}

/** First column of the visit under way, −1 when there is none any more. */
function rowOf(log: ReclaimLog, sc: ScanControl): number {
  return sc.visit < 0 || log.nrVisits - sc.visit > VISITS_MAX ? -1 : (sc.visit % VISITS_MAX) * NR_COLUMNS
}

/** A group's turn at one priority. @model see the top of this file */
export function openVisit(state: KernelState, sc: ScanControl, lruvec: Lruvec, outcome: number): void {
  const { reclaimLog: log } = state.reclaim
  const run = runOf(log, sc.run)
  if (run === undefined) {
    sc.visit = -1
    return
  }
  if (sc.priority < run.priority) run.priority = sc.priority
  // Of many groups most have nothing on this node.
  if (lruvec.memcg !== ROOT_MEMCG && lruvec.sizes.every((size) => size === 0)) {
    sc.visit = -1
    return
  }
  sc.visit = log.nrVisits++
  const { visits } = log
  const row = rowOf(log, sc)
  visits.fill(0, row, row + NR_COLUMNS)
  log.visitNs[sc.visit % VISITS_MAX] = now(state)
  visits[row + V_RUN] = sc.run
  visits[row + V_NID] = lruvec.nid
  visits[row + V_MEMCG] = lruvec.memcg
  visits[row + V_PRIORITY] = sc.priority
  visits[row + V_OUTCOME] = outcome
  visits[row + V_FREE] = nodeFree(state, lruvec.nid)
  let flags = sc.mayDeactivate
  if (sc.cacheTrimMode) flags |= FLAG_CACHE_TRIM
  if (sc.fileIsTiny) flags |= FLAG_FILE_TINY
  if (sc.maySwap) flags |= FLAG_MAY_SWAP
  if ((state.mglruEnabled & 1) !== 0) flags |= FLAG_MGLRU
  visits[row + V_FLAGS] = flags
  for (let lru = 0; lru < 4; lru++) {
    let size = 0
    for (let zone = 0; zone <= sc.reclaimIdx; zone++) size += lruvec.sizes[lru * MAX_NR_ZONES + zone]!
    visits[row + V_SIZE + lru] = size
  }
}

/** The balance that the visit uses, with its numbers. @model see the top of this file */
export function noteBalance(
  state: KernelState,
  sc: ScanControl,
  used: {
    readonly balance: ScanBalance | ''
    readonly swappiness: number
    readonly anon: number
    readonly file: number
  },
  want: readonly Pages[],
): void {
  const { reclaimLog: log } = state.reclaim
  const row = rowOf(log, sc)
  if (row < 0) return
  const { visits } = log
  visits[row + V_BALANCE] = BALANCES.indexOf(used.balance)
  visits[row + V_SWAPPINESS] = used.swappiness
  visits[row + V_ANON_SHARE] = used.anon
  visits[row + V_FILE_SHARE] = used.file
  visits[row + V_ANON_COST] = sc.anonCost
  visits[row + V_FILE_COST] = sc.fileCost
  for (let lru = 0; lru < 4; lru++) visits[row + V_WANT + lru] = want[lru]!
}

/** Adds to one column of the visit under way. */
function add(log: ReclaimLog, sc: ScanControl, column: number, nr: number): void {
  const row = rowOf(log, sc)
  if (row >= 0) log.visits[row + column]! += nr
}

/** One batch of inactive (or old) pages went through. @model see the top of this file */
export function noteBatch(
  state: KernelState,
  sc: ScanControl,
  lruvec: Lruvec,
  isFile: number,
  got: { readonly scanned: Pages; readonly reclaimed: Pages; readonly stat: ReclaimStat },
): void {
  const { reclaimLog: log } = state.reclaim
  const { stat, scanned, reclaimed } = got
  const { moves } = lruvec
  const activated = stat.activateAnon + stat.activateFile
  moves[MOVE_SCANNED + isFile]! += scanned
  moves[MOVE_STOLEN + isFile]! += reclaimed
  moves[MOVE_ACTIVATED + isFile]! += activated
  moves[MOVE_KEPT + isFile]! += stat.refKeep
  moves[MOVE_WRITTEN + isFile]! += stat.pageout
  const run = runOf(log, sc.run)
  if (run !== undefined) {
    run.nrScanned += scanned
    run.nrReclaimed += reclaimed
  }
  const row = rowOf(log, sc)
  if (row < 0) return
  const { visits } = log
  visits[row + V_SCANNED + isFile]! += scanned
  visits[row + V_STOLEN + isFile]! += reclaimed
  visits[row + V_ACTIVATED + isFile]! += activated
  visits[row + V_KEPT + isFile]! += stat.refKeep
  visits[row + V_WRITTEN + isFile]! += stat.pageout
  visits[row + V_DIRTY]! += stat.unqueuedDirty
  visits[row + V_WRITEBACK]! += stat.writeback + stat.immediate
}

/** One batch of active pages. @model see the top of this file */
export function noteActive(
  state: KernelState,
  sc: ScanControl,
  lruvec: Lruvec,
  isFile: number,
  got: { readonly deactivated: Pages; readonly rotated: Pages },
): void {
  lruvec.moves[MOVE_DEACTIVATED + isFile]! += got.deactivated
  add(state.reclaim.reclaimLog, sc, V_DEACTIVATED + isFile, got.deactivated)
  add(state.reclaim.reclaimLog, sc, V_ROTATED, got.rotated)
}

/** Activated by an access. @model see the top of this file */
export function noteAccessed(lruvec: Lruvec, isFile: number, nr: Pages): void {
  lruvec.moves[MOVE_ACCESSED + isFile]! += nr
}

/** MGLRU: pages of the oldest generation that moved to another one instead. @model see the top of this file */
export const noteSorted = (state: KernelState, sc: ScanControl, nr: Pages): void =>
  add(state.reclaim.reclaimLog, sc, V_SORTED, nr)

/** Pages that shrinkers gave back in this visit. @model see the top of this file */
export const noteSlab = (state: KernelState, sc: ScanControl, nr: Pages): void =>
  add(state.reclaim.reclaimLog, sc, V_SLAB, nr)

/** MGLRU opened a generation. @model see the top of this file */
export function noteAged(state: KernelState, sc: ScanControl): void {
  const row = rowOf(state.reclaim.reclaimLog, sc)
  if (row >= 0) state.reclaim.reclaimLog.visits[row + V_OUTCOME] = OUTCOME_AGED
}

/** The columns of a visit that is still remembered. @param nr  its number since boot @model see the top of this file */
export function visitAt(log: ReclaimLog, nr: number): { readonly atNs: Ns; readonly columns: Int32Array } {
  const row = nr % VISITS_MAX
  return { atNs: log.visitNs[row]!, columns: log.visits.subarray(row * NR_COLUMNS, (row + 1) * NR_COLUMNS) }
}
