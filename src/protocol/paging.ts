/**
 * What the Paging view asks for: one address walked through the tables of a process, and the process's address space.
 * Asked for while the view is open; nothing of it is sent unasked.
 */
import type { Ns } from '../util/units'
import type { SpaceView } from '../engine/mm/space_view'
import type { WalkView } from '../engine/mm/walk_view'

export type { AddressField } from '../engine/mm/virtual_address'
export type { EntryFlag } from '../engine/mm/raw_pte'
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
}

export interface GetSpace {
  readonly kind: 'getSpace'
  readonly pid: number
}

export interface SpaceReply {
  readonly atNs: Ns
  readonly space: SpaceView
}
