import { expect, test } from 'vitest'
import { timelineTable } from './timeline-table'

test('a track without data is a column of the unknown, in its place', () => {
  const free = Float64Array.of(900, 800)
  const data = {
    fromNs: 0,
    toNs: 2e9,
    times: Float64Array.of(0, 1e9),
    series: [{ name: 'zone:0:DMA32:free', min: free, max: free, last: free }],
  }
  const table = timelineTable(data, ['zone:0:DMA32'], 1)
  expect(table.columns.map((column) => column.title)).toEqual([
    'free DMA32',
    'min',
    'low',
    'high',
    'pgscan_kswapd',
    'pgsteal_kswapd',
    'pgscan_direct',
    'pgsteal_direct',
    'PSI some',
    'PSI full',
  ])
  expect([...table.columns[0]!.values]).toEqual([900, 800])
  expect([...table.columns[1]!.values]).toEqual([NaN, NaN])
})
