/**
 * What every chart of the timeline has in common: nothing moves, no tooltip, no legend, one time axis that is drawn
 * outside, and room at the left for the figures of the vertical axis.
 */
import type { EChartsCoreOption } from 'echarts/core'
import type { ChartColors } from './palette'
import type { TimeWindow } from './window'

/** Room for the figures of the vertical axis, px: the plot begins right of it in every track. */
export const AXIS_WIDTH = 48

export interface VerticalAxis {
  readonly max: number
  readonly ticks: number
  readonly format: (value: number) => string
}

export interface ChartFrame {
  readonly view: TimeWindow
  readonly colors: ChartColors
  /** Said by screen readers: what the chart is and what its shape means. */
  readonly description: string
  readonly axis?: VerticalAxis
  /** Dock charts have no axis figures. */
  readonly axisWidth?: number
  readonly padding?: { readonly top: number; readonly bottom: number }
}

function verticalAxis({ axis, colors }: ChartFrame): EChartsCoreOption {
  if (!axis) return { type: 'value', min: 0, max: 1, show: false }
  return {
    type: 'value',
    min: 0,
    max: axis.max,
    interval: axis.max / axis.ticks,
    axisLabel: {
      color: colors.quiet,
      fontSize: 10,
      fontFamily: colors.font,
      margin: 6,
      formatter: axis.format,
      verticalAlignMaxLabel: 'top',
      verticalAlignMinLabel: 'bottom',
    },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: colors.grid, width: 1 } },
  }
}

/** The frame of a chart; its `series` are put in by the builder. */
export function chartFrame(frame: ChartFrame, series: readonly object[]): EChartsCoreOption {
  const padding = frame.padding ?? { top: 6, bottom: 4 }
  return {
    animation: false,
    aria: { enabled: true, label: { description: frame.description } },
    grid: { left: frame.axisWidth ?? AXIS_WIDTH, right: 0, ...padding, containLabel: false },
    xAxis: { type: 'value', min: frame.view.fromNs, max: frame.view.toNs, show: false },
    yAxis: verticalAxis(frame),
    series,
  }
}

export interface LineStyle {
  readonly color: string
  readonly dash?: 'solid' | readonly number[]
  readonly isStep?: boolean
  readonly fill?: number
  readonly width?: number
}

/** A line over flat typed columns: 1.25 px, no symbol, no smoothing. */
export const lineSeries = (name: string, data: Float64Array, style: LineStyle): object => ({
  type: 'line',
  name,
  dimensions: ['x', 'y'],
  data,
  silent: true,
  showSymbol: false,
  symbol: 'none',
  step: style.isStep ? 'end' : false,
  lineStyle: { color: style.color, width: style.width ?? 1.25, type: style.dash ?? 'solid', cap: 'butt' },
  itemStyle: { color: style.color },
  ...(style.fill === undefined ? {} : { areaStyle: { color: style.color, opacity: style.fill } }),
})

/** Places labels near their lines, at least `gap` apart and inside `height`: later ones give way downwards, then all upwards. */
export function spreadLabels(wanted: readonly number[], gap: number, height: number): readonly number[] {
  const placed = [...wanted]
  for (let i = 1; i < placed.length; i++) placed[i] = Math.max(placed[i]!, placed[i - 1]! + gap)
  for (let i = placed.length - 1; i >= 0; i--) {
    const most = i === placed.length - 1 ? height : placed[i + 1]! - gap
    placed[i] = Math.min(placed[i]!, most)
  }
  return placed
}
