/**
 * What the Paging view asks for: one address walked through the tables of a process, and the process's address space.
 * Asked for while the view is open; nothing of it is sent unasked.
 */
import type { Ns } from '../util/units'
import type { CostTable } from '../engine/costs'
import type { FaultPrediction } from '../engine/mm/fault_predict'
import type { TouchMode } from '../engine/task'
import type { SpaceView } from '../engine/mm/space_view'
import type { VmaProfile } from '../engine/mm/table_cells'
import type { TlbView } from '../engine/mm/tlb_contents'
import type { TranslationView } from '../engine/mm/tlb_view'
import type { WalkView } from '../engine/mm/walk_view'

export type { FaultPrediction } from '../engine/mm/fault_predict'
export type { TouchMode } from '../engine/task'
export type { AddressField } from '../engine/mm/virtual_address'
export type { EntryFlag } from '../engine/mm/raw_pte'
export * from '../engine/mm/table_cell_kinds'
export type { VmaProfile } from '../engine/mm/table_cells'
export type { PscView, ReachView, StructureView, TlbCounts, TlbView } from '../engine/mm/tlb_contents'
export type { LevelRead, Standing, TlbLook, TranslationView } from '../engine/mm/tlb_view'
export type { SpaceView, VmaView } from '../engine/mm/space_view'
export type { WalkEnd, WalkEntry, WalkPage, WalkStep, WalkView } from '../engine/mm/walk_view'

export interface GetWalk {
  readonly kind: 'getWalk'
  readonly pid: number
  /** As typed: '0x7f1234567abc', or a decimal number. Any 64 bits. */
  readonly address: string
  /** CPU whose caches of translations are looked into. */
  readonly cpu: number
}

export interface WalkReply {
  readonly atNs: Ns
  readonly walk: WalkView
  /** What the CPU's caches hold of the way; absent where no walk is. */
  readonly translation?: TranslationView
}

export interface GetSpace {
  readonly kind: 'getSpace'
  readonly pid: number
}

export interface SpaceReply {
  readonly atNs: Ns
  readonly space: SpaceView
  /** Where in each mapping its pages are: a row a mapping, in the same order. */
  readonly profiles: readonly VmaProfile[]
}

/** One CPU's translation caches, with the process's part in them. */
export interface GetTlb {
  readonly kind: 'getTlb'
  readonly pid: number
  readonly cpu: number
}

export interface TlbReply {
  readonly atNs: Ns
  readonly tlb: TlbView
}

/** What an access would do; nothing is touched. */
export interface GetFault {
  readonly kind: 'getFault'
  readonly pid: number
  readonly address: string
  readonly access: TouchMode
}

/** What accesses cost on this machine. */
export type FaultCosts = Pick<
  CostTable,
  'access' | 'pageWalk' | 'zeroPageFault' | 'minorFault' | 'anonFault' | 'cowFault' | 'thpFault'
>

export interface FaultReply {
  readonly atNs: Ns
  readonly prediction: FaultPrediction
  readonly costs: FaultCosts
}
