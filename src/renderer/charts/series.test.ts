import { expect, test } from 'vitest'
import type { SeriesWindow } from '../../protocol/messages'
import { bucketAt, flatLine, minMaxLine, niceMax, offScale, ratesOf, ticksOf, valueAt } from './series'

const S = 1e9
const of = (...values: number[]): Float64Array => Float64Array.from(values)

function windowOf(stepNs: number, min: number[], max: number[], last: number[]): SeriesWindow {
  const times = Float64Array.from(min, (_, i) => i * stepNs)
  return {
    fromNs: 0,
    toNs: min.length * stepNs,
    times,
    series: [{ name: 'x', min: of(...min), max: of(...max), last: of(...last) }],
  }
}

test('a bucket keeps its lowest and its highest value: a dip between samples is drawn', () => {
  const data = windowOf(S, [10, 2, 9], [10, 12, 9], [10, 11, 9])
  expect([...minMaxLine(data.times, data.series[0]!, 2 * S)]).toEqual([0, 10, S, 12, S, 2, 2 * S, 9])
})

test('what was not recorded is not drawn', () => {
  const data = windowOf(S, [1, NaN, 3], [1, NaN, 3], [1, NaN, 3])
  expect([...minMaxLine(data.times, data.series[0]!, 2 * S)]).toEqual([0, 1, 2 * S, 3])
  expect([...flatLine(data.times, data.series[0]!.last, 2 * S)]).toEqual([0, 1, 2 * S, 3])
})

test('the rate of a counter is its growth a second; at the left edge that of the first stretch', () => {
  const data = windowOf(S, [0, 100, 300], [0, 100, 300], [0, 100, 300])
  expect([...ratesOf(data, data.series[0]!.last)]).toEqual([100, 100, 200])
})

test('a rate is taken over at least 100 ms: a counter sampled every 20 ms gives no comb', () => {
  const last = [0, 0, 0, 0, 20, 20, 20, 20, 40, 40, 40, 40, 60]
  const data = windowOf(5e6, last, last, last)
  const rates = ratesOf(data, data.series[0]!.last)
  expect(rates[12]).toBe(1000)
})

test('the value under the cursor is the last one recorded before it', () => {
  const data = windowOf(S, [5, 6, NaN], [5, 6, NaN], [5, 6, NaN])
  expect(valueAt(data, data.series[0]!.last, 0.5 * S)).toBe(5)
  expect(valueAt(data, data.series[0]!.last, 2.9 * S)).toBe(6)
  expect(valueAt(data, data.series[0]!.last, -1)).toBeUndefined()
  expect(bucketAt(data, 99 * S)).toBe(2)
})

test.each([
  [987, 1000],
  [1593, 2000],
  [34_700, 40_000],
  [46, 60],
  [0, 1],
  [0.3, 0.3],
])('an axis for %d ends at %d', (v, end) => expect(niceMax(v)).toBeCloseTo(end))

test('each stretch above the range is told once, with its peak', () => {
  const data = windowOf(S, [9, 9, 1, 8, 1], [9, 12, 1, 11, 1], [9, 9, 1, 8, 1])
  expect(offScale(data, data.series[0], 5)).toEqual([
    { atNs: S, value: 12 },
    { atNs: 3 * S, value: 11 },
  ])
})

test.each([
  [2000, 4],
  [60_000, 3],
  [3000, 3],
  [100, 4],
])('an axis that ends at %d has %d stretches', (max, ticks) => expect(ticksOf(max, true)).toBe(ticks))

test('a machine at rest is not sampled: its last value holds until the clock', () => {
  const data = windowOf(S, [5, NaN, NaN], [5, NaN, NaN], [5, NaN, NaN])
  expect([...flatLine(data.times, data.series[0]!.last, 2.5 * S)]).toEqual([0, 5, 2.5 * S, 5])
  expect([...minMaxLine(data.times, data.series[0]!, 2.5 * S)]).toEqual([0, 5, 2.5 * S, 5])
})
