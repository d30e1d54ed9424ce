/** Pages a second that reclaim looks at and takes. */
import type { EChartsCoreOption } from 'echarts/core'
import type { SeriesWindow } from '../../protocol/messages'
import type { Ns } from '../../util/units'
import { formatThree } from '../format'
import type { ChartFrame, LineStyle } from './base'
import { chartFrame, lineSeries } from './base'
import type { ChartColors } from './palette'
import { findSeries, flatLine, maxOf, niceMax, ratesOf, ticksOf } from './series'

export interface RateLine {
  readonly name: string
  readonly series: string
  readonly color: 'kswapd' | 'direct'
  readonly isDashed: boolean
}

/** Scan solid, steal dotted, in the colour of who does it. */
export const SCAN_LINES: readonly RateLine[] = [
  { name: 'pgscan_kswapd', series: 'vmstat:pgscan_kswapd', color: 'kswapd', isDashed: false },
  { name: 'pgsteal_kswapd', series: 'vmstat:pgsteal_kswapd', color: 'kswapd', isDashed: true },
  { name: 'pgscan_direct', series: 'vmstat:pgscan_direct', color: 'direct', isDashed: false },
  { name: 'pgsteal_direct', series: 'vmstat:pgsteal_direct', color: 'direct', isDashed: true },
]

export interface RateChart extends Omit<ChartFrame, 'axis' | 'description'> {
  /** The clock, or the end of the run when it stands in the past. */
  readonly untilNs: Ns
  readonly data: SeriesWindow
}

export const rateOf = (data: SeriesWindow, name: string): Float64Array | undefined => {
  const series = findSeries(data, name)
  return series && ratesOf(data, series.last)
}

const style = (line: RateLine, colors: ChartColors): LineStyle => ({
  color: colors[line.color],
  ...(line.isDashed ? { dash: [2, 2] } : {}),
})

/** Scanned far above stolen means that reclaim works hard for little: the pages it looks at are in use. */
export function rateChart(chart: RateChart): EChartsCoreOption {
  const rates = SCAN_LINES.map((line) => rateOf(chart.data, line.series))
  const max = niceMax(Math.max(1000, ...rates.map(maxOf)) * 1.05)
  const description =
    'Pages scanned and stolen a second. Scanned far above stolen means that reclaim works hard for little.'
  const format = (value: number): string =>
    value === 0
      ? '0'
      : max >= 10_000
        ? `${Math.round(value / 1000)} k`
        : `${value % 1000 === 0 ? value / 1000 : formatThree(value / 1000)} k`
  return chartFrame(
    { ...chart, description, axis: { max, ticks: ticksOf(max, false), format } },
    SCAN_LINES.map((line, i) =>
      lineSeries(
        line.name,
        rates[i] ? flatLine(chart.data.times, rates[i], chart.untilNs) : new Float64Array(0),
        style(line, chart.colors),
      ),
    ),
  )
}
