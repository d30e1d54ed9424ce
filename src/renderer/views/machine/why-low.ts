/**
 * Where the watermarks of a zone come from, as the kernel's formula with this machine's numbers put in. The results are
 * those that the machine has; only the terms between are worked out here, so that they can be read. Pure.
 */
import type { TaskFrame, ZoneFrame } from '../../../protocol/messages'
import { formatCount } from '../../format'
import type { Pages } from '../../../util/units'

export interface WhyInput {
  readonly zone: ZoneFrame
  readonly zones: readonly ZoneFrame[]
  readonly minFreeKbytes: number
  readonly watermarkScaleFactor: number
  /** '6.1' treats Movable like any other zone. */
  readonly series: string
  readonly kswapd: TaskFrame | undefined
  /** Not only described: it runs. */
  readonly isLive: boolean
}
export interface WhyRow {
  readonly label: string
  readonly text: string
  readonly unit: string
  readonly isResult?: boolean
}
export interface WhyLow {
  readonly title: string
  readonly rows: readonly WhyRow[]
  readonly verdict: string
}

/** A share of `n` in 1/10000 without losing digits. @kernel mult_frac() */
const perTenThousand = (n: number, parts: number): number =>
  Math.floor(n / 10000) * parts + Math.floor(((n % 10000) * parts) / 10000)

const pages = (label: string, value: Pages, isResult = false): WhyRow => ({
  label,
  text: formatCount(value),
  unit: 'pages',
  isResult,
})

/** @kernel mm/page_alloc.c __setup_per_zone_wmarks() */
export function whyLow(input: WhyInput): WhyLow {
  const { zone, zones } = input
  const isClamped = zone.name === 'Movable' && input.series !== '6.1'
  const isLowmem = (other: ZoneFrame): boolean => input.series === '6.1' || other.name !== 'Movable'
  const lowmem = zones.filter(isLowmem).reduce((sum, other) => sum + other.managed, 0)
  const pagesMin = Math.floor(input.minFreeKbytes / 4)
  const share = lowmem === 0 ? 0 : Number((BigInt(pagesMin) * BigInt(zone.managed)) / BigInt(lowmem))
  const quarter = Math.floor(share / 4)
  const scaled = perTenThousand(zone.managed, input.watermarkScaleFactor)
  const step = Math.max(quarter, scaled)
  const min = zone.min - zone.boost
  const rows: WhyRow[] = [
    pages('min_free_kbytes / 4', pagesMin),
    { label: '× managed / lowmem', text: `${formatCount(zone.managed)} / ${formatCount(lowmem)}`, unit: '' },
    ...(isClamped ? [pages('share', share), { label: 'managed / 1024, 32 to 128', text: '', unit: '' }] : []),
    pages('min', min, true),
    {
      label: `step = max(${isClamped ? 'share' : 'min'} / 4, ${input.watermarkScaleFactor} ‱)`,
      text: `max(${formatCount(quarter)}, ${formatCount(scaled)})`,
      unit: '',
    },
    pages('low = min + step', zone.low - zone.boost, true),
    pages('high = min + 2 × step', zone.high - zone.boost, true),
  ]
  if (zone.boost > 0) rows.push(pages('boost, on all three', zone.boost))
  return {
    title: `Why low is ${formatCount(zone.low)} in ${zone.name}, node ${zone.nid}`,
    rows,
    verdict: verdictOf(input, step),
  }
}

function verdictOf({ zone, kswapd, isLive }: WhyInput, step: Pages): string {
  const name = kswapd?.comm ?? `kswapd${zone.nid}`
  if (!isLive)
    return `Once free falls below low, ${name} wakes and goes on until free passes high; below min a task that wants a page reclaims first.`
  const state = kswapd?.state === 'S' || kswapd === undefined ? 'asleep' : 'at work'
  const free = `Free is ${formatCount(zone.free)}`
  if (zone.free < zone.min)
    return `${free}, below min: a task that wants a page here reclaims first, and only those that free memory may take it. ${name} is ${state}.`
  if (zone.free < zone.low)
    return `${free}, below low: the next allocation wakes ${name}, which runs until free passes high. It is ${state}.`
  if (zone.free < zone.high)
    return `${free}, between low and high: ${name} is ${state}; once awake it goes on until free passes high, ${formatCount(zone.high)}.`
  return `${free}, ${formatCount(zone.free - zone.low)} above low: ${name} is ${state}. A larger step (${formatCount(step)}) would wake it earlier.`
}
