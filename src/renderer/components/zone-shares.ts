/** A zone's managed pages by owner, as rectangles that add up. Pure. */
import type { ZoneFrame } from '../../protocol/messages'
import { formatCount } from '../format'

export interface ZoneShare {
  readonly owner: 'anon' | 'file' | 'pgtable' | 'kernel' | 'free'
  readonly pages: number
  readonly x: number
  readonly width: number
  readonly words: string
}

/** Free includes the pages on per-CPU lists. Anything that the counters leave over is kernel. */
export function zoneShares(zone: ZoneFrame, width: number): readonly ZoneShare[] {
  const free = zone.free + zone.pcp
  const known = zone.anon + zone.file + zone.pagetables + free
  const parts = [
    ['anon', zone.anon, 'anon'],
    ['file', zone.file, 'file'],
    ['pgtable', zone.pagetables, 'page table'],
    ['kernel', Math.max(0, zone.managed - known), 'kernel'],
    ['free', free, 'free'],
  ] as const
  let x = 0
  return parts.map(([owner, pages, name]) => {
    const share = {
      owner,
      pages,
      x,
      width: (pages / Math.max(1, zone.managed)) * width,
      words: `${name} ${formatCount(pages)} pages`,
    }
    x += share.width
    return share
  })
}
