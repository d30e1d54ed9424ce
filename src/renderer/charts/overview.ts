/** The whole run in one line. */
import type { EChartsCoreOption } from 'echarts/core'
import type { SeriesWindow } from '../../protocol/messages'
import type { Ns } from '../../util/units'
import type { ChartFrame } from './base'
import { chartFrame, lineSeries } from './base'
import { findSeries, maxOf, minMaxLine } from './series'

export interface OverviewChart extends Omit<ChartFrame, 'axis' | 'description'> {
  /** The clock, or the end of the run when it stands in the past. */
  readonly untilNs: Ns
  readonly data: SeriesWindow
  readonly name: string
}

/** Free pages from boot to the end of the run: where it falls and stays low is where to look closer. */
export function overviewChart(chart: OverviewChart): EChartsCoreOption {
  const series = findSeries(chart.data, chart.name)
  const max = Math.max(1, maxOf(series?.max) * 1.1)
  const option = chartFrame(
    { ...chart, description: 'Free pages over the whole run. Where it falls and stays low is where to look closer.' },
    [
      lineSeries('free', series ? minMaxLine(chart.data.times, series, chart.untilNs) : new Float64Array(0), {
        color: chart.colors.quiet,
        fill: 0.12,
        isStep: true,
      }),
    ],
  )
  return { ...option, yAxis: { type: 'value', min: 0, max, show: false } }
}
