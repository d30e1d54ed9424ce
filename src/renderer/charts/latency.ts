/** How long tasks waited for memory: finished stalls, counted by powers of two. */
import type { EChartsCoreOption } from 'echarts/core'
import type { ReclaimSpan } from '../../protocol/messages'
import type { Ns } from '../../util/units'
import { NS_PER_US } from '../../util/units'
import { formatDuration, joinFigure } from '../format'
import { trackOf } from './bands'
import { AXIS_WIDTH } from './base'
import type { ChartColors } from './palette'
import { niceMax, ticksOf } from './series'
import type { TimeWindow } from './window'

export const STALL_TRACKS = ['direct', 'memcg'] as const
type StallTrack = (typeof STALL_TRACKS)[number]

export interface LatencyBucket {
  /** [fromNs, toNs): 0 to 1 µs, 1 to 2 µs, 2 to 4 µs … */
  readonly fromNs: Ns
  readonly toNs: Ns
  readonly counts: Readonly<Record<StallTrack, number>>
}

export interface Latency {
  readonly buckets: readonly LatencyBucket[]
  readonly count: number
  readonly totalNs: Ns
  readonly p50Ns: Ns
  readonly p99Ns: Ns
  readonly maxNs: Ns
}

/** Stalls that ended in the window; what goes on has no length yet. */
export const stallsIn = (spans: readonly ReclaimSpan[], view: TimeWindow, pid?: number): readonly ReclaimSpan[] =>
  spans.filter(
    (span) =>
      span.track !== 'kswapd' &&
      Number.isFinite(span.toNs) &&
      span.toNs >= view.fromNs &&
      span.toNs <= view.toNs &&
      (pid === undefined || span.pid === pid),
  )

const bucketIndex = (ns: Ns): number => {
  let index = 0
  for (let edge = NS_PER_US; edge <= ns; edge *= 2) index++
  return index
}
const edgeOf = (index: number): Ns => (index === 0 ? 0 : NS_PER_US * 2 ** (index - 1))

/** The value that a share of all stalls did not exceed: the nearest rank. */
const rank = (sorted: readonly Ns[], share: number): Ns =>
  sorted.length === 0 ? 0 : sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!

/** Buckets from the shortest to the longest stall that was seen, empty ones between them included. */
export function latencyOf(stalls: readonly ReclaimSpan[]): Latency {
  const lengths = stalls.map((span) => span.toNs - span.fromNs)
  const sorted = [...lengths].sort((a, b) => a - b)
  const first = sorted.length === 0 ? 0 : bucketIndex(sorted[0]!)
  const last = sorted.length === 0 ? -1 : bucketIndex(sorted.at(-1)!)
  const counts = Array.from({ length: last - first + 1 }, () => ({ direct: 0, memcg: 0 }))
  stalls.forEach((span, i) => {
    const track = trackOf(span)
    if (track !== 'kswapd') counts[bucketIndex(lengths[i]!) - first]![track]++
  })
  return {
    buckets: counts.map((of, i) => ({ fromNs: edgeOf(first + i), toNs: edgeOf(first + i + 1), counts: of })),
    count: stalls.length,
    totalNs: lengths.reduce((sum, ns) => sum + ns, 0),
    p50Ns: rank(sorted, 0.5),
    p99Ns: rank(sorted, 0.99),
    maxNs: sorted.at(-1) ?? 0,
  }
}

export const bucketLabel = (bucket: LatencyBucket): string => joinFigure(formatDuration(bucket.fromNs))

/** A long tail at the right means that a few allocations pay for all: the median hides it, p99 does not. */
export function latencyChart(latency: Latency, colors: ChartColors): EChartsCoreOption {
  const most = Math.max(1, ...latency.buckets.map(({ counts }) => counts.direct + counts.memcg))
  const max = niceMax(most)
  const quiet = { color: colors.quiet, fontSize: 10, fontFamily: colors.font }
  const description =
    'How many stalls lasted how long, by powers of two. A long tail at the right means that a few allocations pay for all.'
  return {
    animation: false,
    aria: { enabled: true, label: { description } },
    grid: { left: AXIS_WIDTH, right: 0, top: 8, bottom: 20, containLabel: false },
    xAxis: {
      type: 'category',
      data: latency.buckets.map(bucketLabel),
      axisLabel: { ...quiet, margin: 5 },
      axisLine: { lineStyle: { color: colors.line } },
      axisTick: { show: false },
    },
    yAxis: {
      type: 'value',
      min: 0,
      max,
      interval: max / (max < 4 ? max : ticksOf(max, false)),
      axisLabel: quiet,
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { lineStyle: { color: colors.grid, width: 1 } },
    },
    series: STALL_TRACKS.map((track) => ({
      type: 'bar',
      name: track,
      stack: 'stalls',
      silent: true,
      barCategoryGap: '15%',
      itemStyle: {
        color: colors[track],
        ...(track === 'memcg' ? { borderColor: colors.ink, borderWidth: 1, borderType: 'dotted' } : {}),
      },
      data: latency.buckets.map(({ counts }) => counts[track] || '-'),
    })),
  }
}
