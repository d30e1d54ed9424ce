/**
 * The last runs of reclaim with what each priority did, as sums over the groups that are looked at. Reads the record
 * only; nothing here may be used by a mechanism.
 * @kernel  the sums of mm_vmscan_lru_shrink_inactive and _active by run and priority
 * @model   a look from outside
 */
import type { Ns, Pages } from '../../../util/units'
import type { KernelState } from '../../state'
import type { AnonFile } from './lists_view'
import {
  BALANCES,
  OUTCOME_AGED,
  OUTCOME_BALANCED,
  OUTCOME_BELOW_LOW,
  OUTCOME_BELOW_MIN,
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
  type ReclaimRun,
} from './reclaim_record'
import { visitAt } from './reclaim_log'
import type { ScanBalance } from './scan_count'

/** All visits of one run at one priority on one node. */
export interface PassView {
  readonly priority: number
  readonly atNs: Ns
  /** Groups whose lists were scanned, and those that memory.min or memory.low spared. */
  groups: number
  belowMin: number
  belowLow: number
  /** MGLRU: groups that got a new generation instead. */
  aged: number
  /** Free pages of the node when it began. */
  readonly free: Pages
  /** Of the first group that was scanned; the formula's inputs are the same for all of a pass. */
  balance: ScanBalance | ''
  swappiness: number
  anonShare: number
  fileShare: number
  anonCost: number
  fileCost: number
  /** FLAG_* of reclaim_record.ts. */
  flags: number
  /** Sums by LRU_INACTIVE_ANON … */
  readonly sizes: number[]
  readonly wanted: number[]
  scanned: AnonFile
  stolen: AnonFile
  activated: AnonFile
  kept: AnonFile
  written: AnonFile
  deactivated: AnonFile
  dirty: Pages
  writeback: Pages
  rotated: Pages
  sorted: Pages
  slab: Pages
}

export interface RunView extends ReclaimRun {
  readonly passes: readonly PassView[]
}

const plus = (sum: AnonFile, columns: Int32Array, at: number): AnonFile => [
  sum[0] + columns[at]!,
  sum[1] + columns[at + 1]!,
]

const newPass = (atNs: Ns, c: Int32Array): PassView => ({
  priority: c[V_PRIORITY]!,
  atNs,
  groups: 0,
  belowMin: 0,
  belowLow: 0,
  aged: 0,
  free: c[V_FREE]!,
  balance: '',
  swappiness: 0,
  anonShare: 0,
  fileShare: 0,
  anonCost: 0,
  fileCost: 0,
  flags: c[V_FLAGS]!,
  sizes: [0, 0, 0, 0],
  wanted: [0, 0, 0, 0],
  scanned: [0, 0],
  stolen: [0, 0],
  activated: [0, 0],
  kept: [0, 0],
  written: [0, 0],
  deactivated: [0, 0],
  dirty: 0,
  writeback: 0,
  rotated: 0,
  sorted: 0,
  slab: 0,
})

function addVisit(pass: PassView, c: Int32Array): void {
  pass.deactivated = plus(pass.deactivated, c, V_DEACTIVATED)
  pass.rotated += c[V_ROTATED]!
  const outcome = c[V_OUTCOME]!
  if (outcome === OUTCOME_BALANCED) return
  if (outcome === OUTCOME_BELOW_MIN) pass.belowMin++
  else if (outcome === OUTCOME_BELOW_LOW) pass.belowLow++
  else pass.groups++
  if (outcome === OUTCOME_AGED) pass.aged++
  if (outcome === OUTCOME_BELOW_MIN || outcome === OUTCOME_BELOW_LOW) return
  if (pass.groups === 1) {
    pass.balance = BALANCES[c[V_BALANCE]!]!
    pass.swappiness = c[V_SWAPPINESS]!
    pass.anonShare = c[V_ANON_SHARE]!
    pass.fileShare = c[V_FILE_SHARE]!
    pass.anonCost = c[V_ANON_COST]!
    pass.fileCost = c[V_FILE_COST]!
    pass.flags = c[V_FLAGS]!
  }
  for (let lru = 0; lru < 4; lru++) {
    pass.sizes[lru]! += c[V_SIZE + lru]!
    pass.wanted[lru]! += c[V_WANT + lru]!
  }
  pass.scanned = plus(pass.scanned, c, V_SCANNED)
  pass.stolen = plus(pass.stolen, c, V_STOLEN)
  pass.activated = plus(pass.activated, c, V_ACTIVATED)
  pass.kept = plus(pass.kept, c, V_KEPT)
  pass.written = plus(pass.written, c, V_WRITTEN)
  pass.dirty += c[V_DIRTY]!
  pass.writeback += c[V_WRITEBACK]!
  pass.sorted += c[V_SORTED]!
  pass.slab += c[V_SLAB]!
}

/**
 * The latest runs that visited one of these groups on the node, latest first.
 * @param groups  memcg ids; empty: all of them
 * @model a look from outside
 */
export function runsView(
  state: KernelState,
  { nid, groups, most }: { readonly nid: number; readonly groups: readonly number[]; readonly most: number },
): RunView[] {
  const { reclaimLog: log } = state.reclaim
  const passes = new Map<number, PassView[]>()
  const wanted = new Set(groups)
  for (let nr = Math.max(0, log.nrVisits - VISITS_MAX); nr < log.nrVisits; nr++) {
    const { atNs, columns } = visitAt(log, nr)
    if (columns[V_NID] !== nid || (wanted.size > 0 && !wanted.has(columns[V_MEMCG]!))) continue
    const run = columns[V_RUN]!
    const list = passes.get(run) ?? []
    if (list.length === 0) passes.set(run, list)
    let pass = list.at(-1)
    if (pass?.priority !== columns[V_PRIORITY]) list.push((pass = newPass(atNs, columns)))
    addVisit(pass!, columns)
  }
  const runs: RunView[] = []
  for (let id = log.nrRuns - 1; id >= Math.max(0, log.nrRuns - RUNS_MAX) && runs.length < most; id--) {
    const of = passes.get(id)
    const run = log.runs[id % RUNS_MAX]
    if (of !== undefined && run !== undefined) runs.push({ ...run, passes: of })
  }
  return runs
}
