/** Free pages of one zone against its watermarks. */
import type { EChartsCoreOption } from 'echarts/core'
import type { SeriesWindow } from '../../protocol/messages'
import type { Ns, Pages } from '../../util/units'
import { formatCount } from '../format'
import type { ChartFrame } from './base'
import { chartFrame, lineSeries } from './base'
import { findSeries, flatLine, maxOf, minMaxLine, niceMax, ticksOf } from './series'

export type FreeScale = 'marks' | 'all'

export interface WatermarkChart extends Omit<ChartFrame, 'axis' | 'description'> {
  /** The clock, or the end of the run when it stands in the past. */
  readonly untilNs: Ns
  readonly data: SeriesWindow
  /** 'zone:0:DMA32' */
  readonly zone: string
  readonly scaleMax: Pages
}

/** Names of the series that the chart of a zone needs. */
export const watermarkNames = (zone: string): readonly string[] =>
  ['free', 'min', 'low', 'high'].map((mark) => `${zone}:${mark}`)

/**
 * The end of the vertical axis. 'marks': the high watermark stands at two thirds, and what is above is off the scale,
 * because near the marks is where something happens. 'all': everything in view fits.
 */
export function freeScale(data: SeriesWindow, zone: string, scale: FreeScale): Pages {
  const high = maxOf(findSeries(data, `${zone}:high`)?.max)
  if (scale === 'marks' && high > 0) return niceMax(high * 1.5)
  return niceMax(maxOf(findSeries(data, `${zone}:free`)?.max) * 1.02)
}

/**
 * Below low (dashed) kswapd works; below min (solid, tinted) tasks pay for reclaim themselves; above high (dotted)
 * kswapd sleeps again.
 */
export function watermarkChart(chart: WatermarkChart): EChartsCoreOption {
  const { data, zone, colors, scaleMax } = chart
  const mark = (name: string): Float64Array => {
    const series = findSeries(data, `${zone}:${name}`)
    return series ? flatLine(data.times, series.last, chart.untilNs) : new Float64Array(0)
  }
  const free = findSeries(data, `${zone}:free`)
  const description =
    'Free pages against the watermarks. Below low kswapd works; below min tasks pay for reclaim themselves; above high kswapd sleeps again.'
  return chartFrame(
    { ...chart, description, axis: { max: scaleMax, ticks: ticksOf(scaleMax, true), format: formatCount } },
    [
      { ...lineSeries('below min', mark('min'), { color: colors.danger, isStep: true, fill: 0.07, width: 0 }), z: 1 },
      { ...lineSeries('high', mark('high'), { color: colors.high, isStep: true, dash: [1, 3] }), z: 2 },
      { ...lineSeries('low', mark('low'), { color: colors.low, isStep: true, dash: [5, 3] }), z: 2 },
      { ...lineSeries('min', mark('min'), { color: colors.min, isStep: true }), z: 2 },
      {
        ...lineSeries('free', free ? minMaxLine(data.times, free, chart.untilNs) : new Float64Array(0), {
          color: colors.ink,
          isStep: true,
        }),
        z: 3,
      },
    ],
  )
}
