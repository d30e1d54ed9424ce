/** How far the TLB reaches, beside what the process has in memory: bars on one linear scale. Pure. */
import type { ReachView, SpaceView } from '../../../protocol/paging'
import { formatBytes, formatCount, joinFigure } from '../../format'
import { PAGE_SIZE, type Bytes } from '../../../util/units'

const HUGE: Bytes = 512 * PAGE_SIZE

/** What a process has in memory, by the size of the entries that map it. */
export interface Resident {
  readonly smallBytes: Bytes
  readonly hugeBytes: Bytes
}

export function residentOf({ vmas }: Pick<SpaceView, 'vmas'>): Resident {
  const pages = vmas.reduce((sum, { residentPages }) => sum + residentPages, 0)
  const huge = vmas.reduce((sum, { hugePages }) => sum + hugePages, 0)
  return { smallBytes: (pages - huge) * PAGE_SIZE, hugeBytes: huge * PAGE_SIZE }
}

export interface ReachBar {
  readonly title: string
  readonly text: string
  /** Parts from the left, px; `mark` is the class of their colour. */
  readonly parts: readonly { readonly x: number; readonly width: number; readonly mark: string }[]
  /** It goes on beyond the scale. */
  readonly isCut: boolean
}

export interface ReachScale {
  readonly bars: readonly ReachBar[]
  readonly bytesPerPx: number
}

const text = (bytes: Bytes): string => joinFigure(formatBytes(bytes))

/** Room behind the longest bar for its figure, as a share of the scale. */
const AIR = 1.04

/**
 * The process's memory, and what each kind of entry covers when all are of that kind. The scale ends behind the larger of
 * the memory and the shortest reach; what is longer is cut and says so.
 * @param width  px
 */
export function reachBars(reach: readonly ReachView[], resident: Resident, width: number): ReachScale {
  const { smallBytes, hugeBytes } = resident
  const total = smallBytes + hugeBytes
  const shortest = Math.min(...reach.map(({ bytes }) => bytes))
  const bytesPerPx = Math.max(1, (Math.max(total, reach.length > 0 ? shortest : 0) * AIR) / width)
  const small = smallBytes / bytesPerPx
  const bars: ReachBar[] = [
    {
      title: 'in memory',
      text: text(total),
      parts: [
        { x: 0, width: small, mark: 'anon' },
        { x: small, width: hugeBytes / bytesPerPx, mark: 'huge' },
      ].filter((part) => part.width > 0),
      isCut: false,
    },
    ...reach.map(({ page, entries, bytes }) => ({
      title: `${formatCount(entries)} × ${PAGE_TITLES[page]}`,
      text: text(bytes),
      parts: [{ x: 0, width: Math.min(width, bytes / bytesPerPx), mark: 'reach' }],
      isCut: bytes / bytesPerPx > width,
    })),
  ]
  return { bars, bytesPerPx }
}

const PAGE_TITLES = { '4K': '4 KiB', '2M': '2 MiB', '1G': '1 GiB' } as const

/** What the bars come to, as a sentence. */
export function reachText(reach: readonly ReachView[], { smallBytes, hugeBytes }: Resident): string {
  const small = smallBytes / PAGE_SIZE
  const huge = Math.ceil(hugeBytes / HUGE)
  const entries = reach.find(({ page }) => page === '4K')?.entries ?? 0
  const needed = small + huge
  const what =
    huge === 0
      ? `${formatCount(small)} pages of 4 KiB`
      : `${formatCount(small)} pages of 4 KiB and ${formatCount(huge)} of 2 MiB`
  if (needed <= entries) return `${what} need an entry each: all fit into ${formatCount(entries)}.`
  const asHuge = Math.ceil((smallBytes + hugeBytes) / HUGE)
  const hint = huge === 0 ? ` As huge pages they would need ${formatCount(asHuge)}.` : ''
  const share = ((entries / needed) * 100).toFixed(1)
  return `${what} need an entry each, and there are ${formatCount(entries)}: of accesses at random ${share} % hit.${hint}`
}
