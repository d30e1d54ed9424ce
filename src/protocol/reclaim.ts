/**
 * What the Reclaim view asks for: the lists of a group on a node, the balance between anonymous and file pages, the last
 * runs of reclaim, and what kswapd decided. Asked for while the view is open; nothing of it is sent unasked.
 */
import type { BalanceView } from '../engine/mm/reclaim/balance_view'
import type { GensView } from '../engine/mm/reclaim/gens_view'
import type { ListsView } from '../engine/mm/reclaim/lists_view'
import type { KswapdDecision } from '../engine/mm/reclaim/reclaim_record'
import type { RunView } from '../engine/mm/reclaim/runs_view'
import type { Ns, Pages } from '../util/units'

export type { BalanceView, DeactivateView, ScanRow } from '../engine/mm/reclaim/balance_view'
export type { GenView, GensView, TierView, TypeChoice, TypeReason } from '../engine/mm/reclaim/gens_view'
export type { AnonFile, ListsView, LruListView, MovesView } from '../engine/mm/reclaim/lists_view'
export type { KswapdDecision, KswapdVerb } from '../engine/mm/reclaim/reclaim_record'
export type { PassView, RunView } from '../engine/mm/reclaim/runs_view'

export interface GetReclaim {
  readonly kind: 'getReclaim'
  readonly nid: number
  /** Path of a group: '/' is the whole machine. */
  readonly group: string
  /** The balance as when the group's own limit is met, instead of when the machine is short. */
  readonly asLimit: boolean
}

export interface KswapdNow {
  readonly pid: number
  readonly phase: 'asleep' | 'napping' | 'running'
  readonly failures: number
  /** While it runs: where it is. */
  readonly priority: number
  readonly order: number
  readonly wanted: Pages
  readonly reclaimed: Pages
  /** Time on a CPU since boot. */
  readonly cpuNs: Ns
}

export interface ReclaimZone {
  readonly name: string
  readonly zone: number
  readonly free: Pages
  readonly min: Pages
  readonly low: Pages
  readonly high: Pages
  readonly boost: Pages
}

export interface ReclaimReply {
  readonly atNs: Ns
  readonly policy: 'classic' | 'mglru'
  readonly nid: number
  readonly group: string
  /** vm.swappiness */
  readonly swappiness: number
  readonly hasSwap: boolean
  readonly lists: ListsView
  /** With MGLRU only. */
  readonly gens: GensView | undefined
  /** Path of the group with most pages: the choice in `gens` and the counts in `balance` are its own. */
  readonly leader: string
  /** Classic only. */
  readonly balance: BalanceView | undefined
  readonly kswapd: KswapdNow
  readonly zones: readonly ReclaimZone[]
  /** Oldest first. */
  readonly decisions: readonly KswapdDecision[]
  /** Latest first. `targetPath`: the group at its limit, '' for the machine. */
  readonly runs: readonly (RunView & { readonly targetPath: string })[]
  /** Runs since boot: those that are not in `runs` are forgotten. */
  readonly nrRuns: number
}
