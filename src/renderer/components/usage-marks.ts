/** Limits and protections on a usage bar: where they stand, and how a drag or a key moves them. Pure. */
import type { Bytes } from '../../util/units'
import { PAGE_SIZE } from '../../util/units'

export type MarkKind = 'min' | 'low' | 'high' | 'max'

export interface UsageMark {
  readonly kind: MarkKind
  /** −1: no limit; such a mark stands at the bar's end and is drawn hollow. */
  readonly bytes: Bytes
  readonly isFixed?: boolean
}

/** Protections (min, low) point up from below, limits (high, max) down from above. */
export const pointsUp = (kind: MarkKind): boolean => kind === 'min' || kind === 'low'

export const markX = (mark: UsageMark, scale: { totalBytes: Bytes; width: number }): number =>
  mark.bytes < 0 ? scale.width : Math.min(1, mark.bytes / Math.max(1, scale.totalBytes)) * scale.width

/** Bytes under a place on the bar, in whole pages. A limit dragged past the end becomes max. */
export function bytesAt(x: number, kind: MarkKind, scale: { totalBytes: Bytes; width: number }): Bytes {
  if (x >= scale.width + 8 && !pointsUp(kind)) return -1
  const share = Math.min(1, Math.max(0, x / Math.max(1, scale.width)))
  return Math.round((share * scale.totalBytes) / PAGE_SIZE) * PAGE_SIZE
}

/** Arrow keys move by 1 % of the bar, with Shift by one page; Home and End go to 0 and max. */
export function bytesAfterKey(
  mark: UsageMark,
  press: { readonly key: string; readonly shiftKey: boolean },
  totalBytes: Bytes,
): Bytes | undefined {
  const step = press.shiftKey ? PAGE_SIZE : Math.max(PAGE_SIZE, Math.round(totalBytes / 100 / PAGE_SIZE) * PAGE_SIZE)
  const from = mark.bytes < 0 ? totalBytes : mark.bytes
  if (press.key === 'ArrowRight' || press.key === 'ArrowUp') {
    const next = from + step
    return next > totalBytes && !pointsUp(mark.kind) ? -1 : Math.min(next, totalBytes)
  }
  if (press.key === 'ArrowLeft' || press.key === 'ArrowDown') return Math.max(0, from - step)
  if (press.key === 'Home') return 0
  if (press.key === 'End') return pointsUp(mark.kind) ? totalBytes : -1
  return undefined
}

/** What the kernel's file takes: a number of bytes, or 'max'. */
export const limitText = (bytes: Bytes): string => (bytes < 0 ? 'max' : String(bytes))
