/** Pressure stall information of memory. */
import type { EChartsCoreOption } from 'echarts/core'
import type { SeriesWindow } from '../../protocol/messages'
import type { Ns } from '../../util/units'
import type { ChartFrame } from './base'
import { chartFrame, lineSeries } from './base'
import { findSeries, flatLine, maxOf, niceMax, ticksOf } from './series'

export const PSI_SERIES = { some: 'psi:some:avg10', full: 'psi:full:avg10' } as const

export interface PsiChart extends Omit<ChartFrame, 'axis' | 'description'> {
  /** The clock, or the end of the run when it stands in the past. */
  readonly untilNs: Ns
  readonly data: SeriesWindow
}

/** some: the share of time in which at least one task waited for memory; full: in which every task did. */
export function psiChart(chart: PsiChart): EChartsCoreOption {
  const { data, colors } = chart
  const some = findSeries(data, PSI_SERIES.some)
  const full = findSeries(data, PSI_SERIES.full)
  const line = (series: typeof some): Float64Array =>
    series ? flatLine(data.times, series.max, chart.untilNs) : new Float64Array(0)
  const max = Math.min(100, Math.max(10, niceMax(maxOf(some?.max) * 1.05)))
  const description =
    'Pressure stall information. some: share of time in which a task waited for memory; full: in which all did.'
  return chartFrame(
    { ...chart, description, axis: { max, ticks: ticksOf(max, false), format: (value) => String(Math.round(value)) } },
    [
      lineSeries('some', line(some), { color: colors.warn, fill: 0.28 }),
      lineSeries('full', line(full), { color: colors.danger, fill: 0.55 }),
    ],
  )
}
