/** Rates: pages a second that reclaim looks at, takes and gets back, and that go to and come from devices. */
import type { EChartsCoreOption } from 'echarts/core'
import type { SeriesWindow } from '../../protocol/messages'
import type { Ns } from '../../util/units'
import { formatThree } from '../format'
import type { ChartFrame, LineStyle } from './base'
import { chartFrame, lineSeries } from './base'
import type { ChartColors } from './palette'
import type { RateLine, RateTrack } from './rate-tracks'
import { findSeries, flatLine, maxOf, niceMax, ratesOf, ticksOf } from './series'

export interface RateChart extends Omit<ChartFrame, 'axis' | 'description'> {
  /** The clock, or the end of the run when it stands in the past. */
  readonly untilNs: Ns
  readonly data: SeriesWindow
  readonly track: RateTrack
}

/** Names of the series that a track's lines are made of. */
export const rateNames = (track: RateTrack): readonly string[] => [
  ...new Set(track.lines.flatMap((line) => Object.keys(line.terms))),
]

/** A line's rate: that of the weighted sum of its counters; undefined while one of them is not there. */
export function rateOf(data: SeriesWindow, line: RateLine): Float64Array | undefined {
  let sum: Float64Array | undefined
  for (const [name, weight] of Object.entries(line.terms)) {
    const series = findSeries(data, name)
    if (!series) return undefined
    sum ??= new Float64Array(series.last.length)
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + weight * series.last[i]!
  }
  return sum && ratesOf(data, sum)
}

const style = (line: RateLine, colors: ChartColors): LineStyle => ({
  color: colors[line.color],
  ...(line.isDashed ? { dash: [2, 2] } : {}),
})

export function rateChart(chart: RateChart): EChartsCoreOption {
  const { track } = chart
  const rates = track.lines.map((line) => rateOf(chart.data, line))
  const max = niceMax(Math.max(1000, ...rates.map(maxOf)) * 1.05)
  const format = (value: number): string =>
    value === 0
      ? '0'
      : max >= 10_000
        ? `${Math.round(value / 1000)} k`
        : `${value % 1000 === 0 ? value / 1000 : formatThree(value / 1000)} k`
  return chartFrame(
    { ...chart, description: track.description, axis: { max, ticks: ticksOf(max, false), format } },
    track.lines.map((line, i) =>
      lineSeries(
        line.name,
        rates[i] ? flatLine(chart.data.times, rates[i], chart.untilNs) : new Float64Array(0),
        style(line, chart.colors),
      ),
    ),
  )
}
