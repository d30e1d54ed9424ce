/** What a band is: how far a simulated figure may lie from the captured one, and why. */
import type { CaseTraits } from './figure'

export type Band =
  | { readonly kind: 'exact' }
  /** Within `abs` or within `percent` of the real value, whichever is wider. */
  | { readonly kind: 'near'; readonly abs?: number; readonly percent?: number }
  /** The simulated value alone decides. */
  | { readonly kind: 'range'; readonly min: number; readonly max: number }
  /** Zero on one side means zero on the other. */
  | { readonly kind: 'sameSign' }

export interface BandRow {
  readonly cases: (traits: CaseTraits) => boolean
  readonly figure: RegExp
  readonly band: Band
  readonly reason: string
}

export const exact: Band = { kind: 'exact' }
export const near = (abs: number): Band => ({ kind: 'near', abs })
export const percent = (value: number): Band => ({ kind: 'near', percent: value })
