import { expect, test } from 'vitest'
import type { AdvisePoint } from '../../protocol/advise'
import { MIB } from '../../util/units'
import { adviceChart } from './advice'
import { chartColors } from './palette'

const point = (mib: number, more: Partial<AdvisePoint> = {}): AdvisePoint => ({
  limitBytes: mib * MIB,
  peakBytes: mib * MIB,
  faults: 10,
  majorFaults: 3,
  refaults: 4,
  stallNs: 0,
  psiPercent: 0,
  kills: 0,
  restarts: 0,
  maxEvents: 0,
  isEvicted: false,
  allocStalls: 0,
  anonHalfBytes: 0,
  anonBytes: 0,
  verdict: 'holds',
  ...more,
})

test('each limit is a point of its verdict’s shape in three rows; the knee is a line across each', () => {
  const points = [point(40, { kills: 2, verdict: 'killed' }), point(60)]
  const options = { points, kneeBytes: 60 * MIB, ownBytes: undefined, colors: chartColors((name) => name) }
  const { series, xAxis } = adviceChart(options) as {
    series: { name: string; data: readonly unknown[] }[]
    xAxis: { min: number; max: number }[]
  }
  expect(series.map(({ name }) => name)).toEqual([
    'major faults and refaults',
    'knee',
    'PSI some, % of the run',
    'knee',
    'OOM kills',
    'knee',
  ])
  expect(series[0]!.data).toEqual([
    { value: [40, 7], symbol: 'rect' },
    { value: [60, 7], symbol: 'circle' },
  ])
  expect(series[5]!.data).toEqual([
    [60, 0],
    [60, 2],
  ])
  expect(xAxis[0]!.min).toBeLessThan(40)
  expect(xAxis[0]!.max).toBeGreaterThan(60)
})
