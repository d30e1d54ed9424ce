/**
 * What a memory limit costs: faults, waiting and kills over the limit, one below the other. Left of the knee all three
 * rise; a limit belongs right of it.
 */
import type { EChartsCoreOption } from 'echarts/core'
import type { AdvisePoint } from '../../protocol/advise'
import { MIB, type Bytes } from '../../util/units'
import type { ChartColors } from './palette'

export interface AdviceChart {
  /** Ascending by limit. */
  readonly points: readonly AdvisePoint[]
  readonly kneeBytes: Bytes | undefined
  readonly ownBytes: Bytes | undefined
  readonly colors: ChartColors
}

interface Row {
  readonly name: string
  readonly of: (point: AdvisePoint) => number
  readonly color: (colors: ChartColors) => string
}

const ROWS: readonly Row[] = [
  { name: 'major faults and refaults', of: (p) => p.majorFaults + p.refaults, color: (c) => c.file },
  { name: 'PSI some, % of the run', of: (p) => p.psiPercent, color: (c) => c.memcg },
  { name: 'OOM kills', of: (p) => p.kills, color: (c) => c.danger },
]

/** Told apart by shape, not by colour alone. */
export const VERDICT_SYMBOL: Readonly<Record<AdvisePoint['verdict'], string>> = {
  killed: 'rect',
  tight: 'triangle',
  holds: 'circle',
}

const niceMost = (most: number): number => {
  if (most <= 0) return 1
  const step = 10 ** Math.floor(Math.log10(most))
  return Math.ceil(most / step) * step
}
const short = (value: number): string =>
  value >= 1e6
    ? `${+(value / 1e6).toFixed(1)}M`
    : value >= 1e3
      ? `${+(value / 1e3).toFixed(1)}k`
      : String(+value.toFixed(2))

const TOP = [22, 128, 234]
const HEIGHT = 72

export function adviceChart({ points, kneeBytes, ownBytes, colors }: AdviceChart): EChartsCoreOption {
  const limits = points.map((point) => point.limitBytes / MIB)
  const min = Math.min(...limits)
  const max = Math.max(...limits)
  const room = Math.max(1, (max - min) * 0.03)
  const label = { color: colors.quiet, fontSize: 10, fontFamily: colors.font }
  const span = { min: Math.floor(min - room), max: Math.ceil(max + room) }
  return {
    animation: false,
    aria: {
      enabled: true,
      label: {
        description: 'Faults, waiting and kills for each memory limit that was tried, smallest limit at the left.',
      },
    },
    grid: ROWS.map((_, i) => ({ left: 52, right: 12, top: TOP[i]!, height: HEIGHT, containLabel: false })),
    xAxis: ROWS.map((_, i) => ({
      type: 'value',
      gridIndex: i,
      ...span,
      axisLabel: { ...label, show: i === ROWS.length - 1, formatter: (v: number) => `${v}`, hideOverlap: true },
      axisLine: { show: true, lineStyle: { color: colors.line } },
      axisTick: { show: false },
      splitLine: { lineStyle: { color: colors.grid } },
    })),
    yAxis: ROWS.map((row, i) => ({
      type: 'value',
      gridIndex: i,
      min: 0,
      max: niceMost(Math.max(...points.map(row.of))),
      interval: niceMost(Math.max(...points.map(row.of))),
      name: row.name,
      nameTextStyle: { ...label, align: 'left', padding: [0, 0, 0, -44] },
      nameGap: 6,
      axisLabel: { ...label, formatter: short },
      splitLine: { lineStyle: { color: colors.grid } },
    })),
    series: ROWS.flatMap((row, i) => {
      const most = niceMost(Math.max(...points.map(row.of)))
      return [
        line(
          i,
          row.name,
          points.map((p) => [p.limitBytes / MIB, row.of(p), p.verdict]),
          row.color(colors),
        ),
        ...mark(i, 'knee', kneeBytes, most, colors.ink, 'solid'),
        ...mark(i, 'own limit', ownBytes, most, colors.warn, 'dashed'),
      ]
    }),
  }
}

const line = (
  at: number,
  name: string,
  points: readonly (readonly [number, number, AdvisePoint['verdict']])[],
  color: string,
): object => ({
  type: 'line',
  name,
  xAxisIndex: at,
  yAxisIndex: at,
  data: points.map(([x, y, verdict]) => ({ value: [x, y], symbol: VERDICT_SYMBOL[verdict] })),
  silent: true,
  symbolSize: 6,
  lineStyle: { color, width: 1.25 },
  itemStyle: { color },
})

const mark = (
  at: number,
  name: string,
  bytes: Bytes | undefined,
  most: number,
  color: string,
  dash: string,
): object[] =>
  bytes === undefined
    ? []
    : [
        {
          type: 'line',
          name,
          xAxisIndex: at,
          yAxisIndex: at,
          data: [
            [bytes / MIB, 0],
            [bytes / MIB, most],
          ],
          silent: true,
          showSymbol: false,
          symbol: 'none',
          lineStyle: { color, width: 1.5, type: dash },
          itemStyle: { color },
        },
      ]
