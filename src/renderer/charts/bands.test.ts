import { expect, test } from 'vitest'
import type { ReclaimSpan } from '../../protocol/messages'
import { bandChart, mergeBands, reclaimBands, spansAt, stallRows, sumTrack } from './bands'
import { chartColors } from './palette'

const MS = 1e6
const span = (track: ReclaimSpan['track'], fromMs: number, toMs: number, pid = 42, comm = 'kswapd0'): ReclaimSpan => ({
  track,
  fromNs: fromMs * MS,
  toNs: toMs * MS,
  pid,
  comm,
  nid: 0,
  reclaimed: 32,
})
const query = { view: { fromNs: 0, toNs: 1000 * MS }, nowNs: 1000 * MS, width: 1000 }

test('bands that would touch on the screen are drawn as one', () => {
  const bands = [0, 2, 50].map((at) => ({ fromNs: at * MS, toNs: (at + 1.5) * MS, row: 0, color: 'kswapd' as const }))
  expect(mergeBands(bands, MS).map((band) => band.toNs - band.fromNs)).toEqual([3.5 * MS, 1.5 * MS])
})

test('the three tracks keep their rows, and memory.high throttling is the container’s', () => {
  const bands = reclaimBands([span('throttle', 5, 9), span('direct', 20, 30), span('kswapd', 40, 50)], query)
  expect(bands.map((band) => [band.row, band.color])).toEqual([
    [0, 'kswapd'],
    [1, 'direct'],
    [2, 'memcg'],
  ])
})

test('work that goes on ends at the clock', () => {
  const [band] = reclaimBands([span('kswapd', 990, Infinity)], query)
  expect(band!.toNs).toBe(1000 * MS)
})

test('overlapping direct reclaim of two tasks is counted once', () => {
  expect(sumTrack([span('direct', 0, 10, 1), span('direct', 5, 20, 2)], 'direct', query)).toEqual({
    ns: 20 * MS,
    runs: 2,
  })
})

test('only what lies in view is counted', () => {
  expect(sumTrack([span('kswapd', -50, 30), span('kswapd', 990, 2000)], 'kswapd', query).ns).toBe(40 * MS)
})

test('kswapd is nobody’s stall; tasks come by the time they lost', () => {
  const spans = [
    span('kswapd', 0, 900),
    span('direct', 0, 5, 7, 'web'),
    span('direct', 10, 30, 9, 'hog'),
    span('throttle', 40, 41, 7, 'web'),
  ]
  expect(stallRows(spans, query, 4).map((row) => [row.comm, row.ns / MS, row.longestNs / MS])).toEqual([
    ['hog', 20, 20],
    ['web', 6, 5],
  ])
})

test('a moment finds the spans that hold it', () => {
  const spans = [span('direct', 0, 5), span('direct', 3, 9), span('memcg', 3, 9)]
  expect(spansAt(spans, 'direct', { atNs: 4 * MS, nowNs: 20 * MS })).toHaveLength(2)
  expect(spansAt(spans, 'direct', { atNs: 9 * MS, nowNs: 20 * MS })).toHaveLength(0)
  expect(spansAt(spans, 'memcg', { atNs: 9 * MS, nowNs: 9 * MS })).toHaveLength(1)
})

test('the chart has a row for a quiet track', () => {
  const colors = chartColors((name) => name)
  const option = bandChart({
    view: query.view,
    colors,
    description: 'd',
    bands: [],
    rows: 3,
    bandHeight: 17,
    rowHeight: 23,
    hasStrip: true,
  })
  const series = option['series'] as { data: Float64Array }[]
  expect(Array.from(series[0]!.data).filter((_, i) => i % 4 === 2)).toEqual([0, 1, 2])
  expect(option['animation']).toBe(false)
})
