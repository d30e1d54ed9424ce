/** Fragmentation of one zone over time: one line an order, the chosen one in ink. */
import type { EChartsCoreOption } from 'echarts/core'
import type { SeriesWindow } from '../../protocol/messages'
import type { Ns } from '../../util/units'
import type { ChartFrame } from './base'
import { chartFrame, lineSeries } from './base'
import { findSeries, flatLine } from './series'

export type FragmentationIndex = 'unusable' | 'extfrag'

/** Orders that an index is recorded for: a single page is always usable. */
export const INDEXED_ORDERS: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

/** @param zone 'zone:0:DMA32' */
export const indexSeries = (zone: string, index: FragmentationIndex, order: number): string =>
  `${zone}:${index}:${order}`

export const fragmentationNames = (zone: string): readonly string[] =>
  INDEXED_ORDERS.flatMap((order) => [indexSeries(zone, 'unusable', order), indexSeries(zone, 'extfrag', order)])

export interface FragmentationChart extends Omit<ChartFrame, 'axis' | 'description'> {
  readonly untilNs: Ns
  readonly data: SeriesWindow
  readonly zone: string
  readonly index: FragmentationIndex
  readonly order: number
}

const DESCRIPTIONS: Readonly<Record<FragmentationIndex, string>> = {
  unusable:
    'Share of free memory in blocks too small for the order. It rises towards 1 as free memory falls into crumbs.',
  extfrag:
    'Why an allocation of the order would fail: near 0 for want of memory, near 1 because it is in crumbs; below 0, drawn as 0, it would not fail.',
}

/** The line of each order, the chosen one last and in ink; the index that says "would not fail" lies on the axis. */
export function fragmentationChart(chart: FragmentationChart): EChartsCoreOption {
  const { data, colors, zone, index, order } = chart
  const line = (of: number): Float64Array => {
    const series = findSeries(data, indexSeries(zone, index, of))
    if (!series) return new Float64Array(0)
    return flatLine(
      data.times,
      index === 'extfrag' ? series.max.map((value) => Math.max(0, value)) : series.max,
      chart.untilNs,
    )
  }
  const others = INDEXED_ORDERS.filter((other) => other !== order)
  return chartFrame(
    {
      ...chart,
      description: DESCRIPTIONS[index],
      axis: { max: 1, ticks: 2, format: (value) => (value === 0.5 ? '0.5' : String(value)) },
    },
    [
      ...others.map((other) => {
        const style = { color: colors.faint, isStep: true, width: 1 }
        const series = lineSeries(`order ${other}`, line(other), style) as { lineStyle: object }
        return { ...series, lineStyle: { ...series.lineStyle, opacity: 0.5 } }
      }),
      lineSeries(`order ${order}`, line(order), { color: colors.ink, isStep: true, width: 1.5 }),
    ],
  )
}
