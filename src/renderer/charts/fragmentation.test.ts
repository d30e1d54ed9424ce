import { expect, test } from 'vitest'
import type { SeriesWindow } from '../../protocol/messages'
import { fragmentationChart, fragmentationNames, indexSeries } from './fragmentation'
import { chartColors } from './palette'

const ZONE = 'zone:0:DMA32'
const column = (values: readonly number[]): Float64Array => Float64Array.from(values)
const data = (values: readonly number[], name: string): SeriesWindow => ({
  fromNs: 0,
  toNs: 30,
  times: column([0, 10, 20]),
  series: [{ name, min: column(values), max: column(values), last: column(values) }],
})
const chart = (window: SeriesWindow, index: 'unusable' | 'extfrag', order: number) =>
  fragmentationChart({
    untilNs: 20,
    view: { fromNs: 0, toNs: 30 },
    colors: chartColors((name) => name),
    data: window,
    zone: ZONE,
    index,
    order,
  }) as { series: { name: string; data: Float64Array; lineStyle: { color: string } }[] }

test('both indices are asked for at every order above 0', () => {
  expect(fragmentationNames(ZONE)).toHaveLength(20)
  expect(fragmentationNames(ZONE)).toContain('zone:0:DMA32:unusable:10')
})

test('the chosen order is drawn last and in ink, the others behind it', () => {
  const { series } = chart(data([0, 0.4, 0.5], indexSeries(ZONE, 'unusable', 4)), 'unusable', 4)
  expect(series).toHaveLength(10)
  expect(series.at(-1)).toMatchObject({ name: 'order 4', lineStyle: { color: '--t-1' } })
  expect([...series.at(-1)!.data]).toEqual([0, 0, 10, 0.4, 20, 0.5])
})

test('an order that would not fail lies on the axis, not below it', () => {
  const { series } = chart(data([-1, 0.8, -1], indexSeries(ZONE, 'extfrag', 9)), 'extfrag', 9)
  expect([...series.at(-1)!.data]).toEqual([0, 0, 10, 0.8, 20, 0])
})
