/**
 * The balance between anonymous and file pages as classic reclaim would find it now: every question of get_scan_count()
 * with its numbers, and the pages that each priority would scan. Asks the policy itself with a scan control of its own,
 * and changes nothing. For people; nothing here may be used by a mechanism.
 * @kernel  mm/vmscan.c prepare_scan_control(), get_scan_count()
 * @spec    05 §5.3, §5.4
 */
import type { Pages } from '../../../util/units'
import type { KernelState } from '../../state'
import { GFP_KERNEL, MAX_NR_ZONES } from '../gfp'
import { LRU_ACTIVE_FILE, lruvecLruSize, lruvecOf, lruvecFlushedState } from '../lruvec'
import { activatedRefaults } from '../memcg_flush'
import { ROOT_MEMCG } from '../memcontrol'
import { classicPolicy, fileTinyFacts, scanBalance, scanProtection } from './lru'
import { memcgNrSwapPages, scSwappiness } from './mglru_swappiness'
import { inactiveIsLowFor, inactiveRatio, scanCounts, scanFractions, type ScanBalance } from './scan_count'
import { DEF_PRIORITY, createScanControl, type ScanControl } from './scan_control'

/** Whether an active list may be shrunk, and why. */
export interface DeactivateView {
  readonly inactive: Pages
  readonly active: Pages
  readonly ratio: number
  readonly isLow: boolean
  /** Refaults that became active, now and when the last reclaim ended. */
  readonly refaults: number
  readonly refaultsBefore: number
  readonly may: boolean
}

export interface ScanRow {
  readonly priority: number
  readonly balance: ScanBalance
  /** By LRU_INACTIVE_ANON … */
  readonly scan: readonly Pages[]
}

export interface BalanceView {
  readonly swappiness: number
  readonly anonCost: number
  readonly fileCost: number
  /** ap, fp and their sum. */
  readonly anonShare: number
  readonly fileShare: number
  readonly swapPages: Pages
  readonly isLimit: boolean
  readonly deactivate: readonly [DeactivateView, DeactivateView]
  /** At priority 12. */
  readonly cacheTrim: boolean
  readonly inactiveFile: Pages
  /** Undefined for the reclaim of a group at its limit, which does not ask. */
  readonly tiny: { readonly free: Pages; readonly high: Pages; readonly file: Pages; readonly anon: Pages } | undefined
  readonly fileIsTiny: boolean
  /** Own pages by LRU_INACTIVE_ANON …, and the protected part of them. */
  readonly sizes: readonly Pages[]
  readonly protection: { readonly protection: Pages; readonly usage: Pages } | undefined
  /** Priority 12 first. */
  readonly rows: readonly ScanRow[]
}

/** A reclaim that looks and does nothing. @param target  0: the machine is short; else the group at its limit @model a look from outside */
export const lookingScan = (target: number): ScanControl =>
  createScanControl({
    kind: target === 0 ? 'kswapd' : 'memcg',
    target,
    nrToReclaim: 0,
    order: 0,
    gfp: GFP_KERNEL,
    reclaimIdx: MAX_NR_ZONES - 1,
  })

function deactivateView(state: KernelState, sc: ScanControl, nid: number, file: 0 | 1): DeactivateView {
  const target = lruvecOf(state, sc.target || ROOT_MEMCG, nid)
  const inactive = lruvecFlushedState(state, target, file * 2)
  const active = lruvecFlushedState(state, target, file * 2 + 1)
  return {
    inactive,
    active,
    ratio: inactiveRatio(inactive + active),
    isLow: inactiveIsLowFor(inactive, active),
    refaults: activatedRefaults(state, target, file),
    refaultsBefore: target.refaults[file]!,
    may: (sc.mayDeactivate & (1 << file)) !== 0,
  }
}

/**
 * @param target  0: as when the machine is short of memory; else the group whose limit was met
 * @kernel  mm/vmscan.c get_scan_count()
 */
export function balanceView(state: KernelState, nid: number, memcg: number, target: number): BalanceView {
  const lruvec = lruvecOf(state, memcg, nid)
  const first = lookingScan(target)
  classicPolicy.prepareNode(state, first, nid)
  const swappiness = scSwappiness(state, first)
  const fractions = scanFractions(swappiness, first.anonCost, first.fileCost)
  const sizes: Pages[] = []
  for (let lru = 0; lru <= LRU_ACTIVE_FILE; lru++) sizes.push(lruvecLruSize(lruvec, lru, MAX_NR_ZONES - 1))
  const protection = scanProtection(state, first, lruvec)
  const isOnline = state.memcgs[memcg]!.online
  const rows: ScanRow[] = []
  for (let priority = DEF_PRIORITY; priority >= 0; priority--) {
    const sc = lookingScan(target)
    sc.priority = priority
    classicPolicy.prepareNode(state, sc, nid)
    const balance = scanBalance(state, sc, lruvec, swappiness)
    const scan = [0, 0, 0, 0]
    scanCounts({ sizes, priority, balance, fractions, protection, isOnline }, scan)
    rows.push({ priority, balance, scan })
  }
  const root = lruvecOf(state, target || ROOT_MEMCG, nid)
  return {
    swappiness,
    anonCost: first.anonCost,
    fileCost: first.fileCost,
    anonShare: fractions.anon,
    fileShare: fractions.file,
    swapPages: memcgNrSwapPages(state, memcg),
    isLimit: target > 1,
    deactivate: [deactivateView(state, first, nid, 0), deactivateView(state, first, nid, 1)],
    cacheTrim: first.cacheTrimMode,
    inactiveFile: lruvecFlushedState(state, root, 2),
    tiny: target > 1 ? undefined : fileTinyFacts(state, root),
    fileIsTiny: first.fileIsTiny,
    sizes,
    protection,
    rows,
  }
}
