import { expect, test } from 'vitest'
import type { ReclaimSpan } from '../../../protocol/messages'
import { spanTwins } from './span-tables'
import { ALL_SERIES, seriesTwins } from './timeline-table'

const free = Float64Array.of(900, 800)
const data = {
  fromNs: 0,
  toNs: 2e9,
  times: Float64Array.of(0, 1e9),
  series: [{ name: 'zone:0:DMA32:free', min: free, max: free, last: free }],
}
const twins = seriesTwins({ data, zones: ['zone:0:DMA32'], nrNodes: 1, formatTime: String })

test('every chart of series has a table, and one table has all series', () => {
  expect(twins.map(({ name }) => name)).toEqual([
    ALL_SERIES,
    'Free pages, DMA32',
    'Scan and steal, pages a second',
    'Anon and file, pages a second',
    'Refaults, pages a second',
    'Swap and file I/O, pages a second',
    'PSI memory, percent',
  ])
  const columns = (i: number): readonly string[] => twins[i]!.table().columns.map(({ title }) => title)
  expect(columns(0)).toEqual([1, 2, 3, 4, 5, 6].flatMap(columns))
})

test('a track without data is a column of the unknown, in its place', () => {
  const table = twins[1]!.table()
  expect(table.columns.map(({ title }) => title)).toEqual(['free DMA32', 'min DMA32', 'low DMA32', 'high DMA32'])
  expect(table.rows.map((row) => row.cells)).toEqual([
    ['900', '–', '–', '–'],
    ['800', '–', '–', '–'],
  ])
})

const span = (track: ReclaimSpan['track'], pid: number, fromNs: number, toNs: number): ReclaimSpan => ({
  track,
  fromNs,
  toNs,
  pid,
  comm: 'a,b',
  nid: -1,
  reclaimed: 64,
})
const query = {
  view: { fromNs: 0, toNs: 1e9 },
  nowNs: 1e9,
  width: 100,
  spans: [span('direct', 7, 100, 3100), span('direct', 7, 5000, 6000), span('kswapd', 3, 0, Infinity)],
  events: [{ atNs: 5, name: 'mark_victim', pid: 9, comm: 'x', cpu: 1, fields: { pid: 9 }, text: '' }],
  formatTime: String,
}
const csvOf = (name: string): readonly string[] =>
  spanTwins(query)
    .find((twin) => twin.name === name)!
    .csv()
    .trim()
    .split('\r\n')

test('stretches, stalls by task, their lengths and events are tables too, with plain figures in their CSV', () => {
  expect(csvOf('Reclaim').slice(1)).toEqual([
    '100,3100,direct,"a,b",7,,64',
    '5000,6000,direct,"a,b",7,,64',
    '0,,kswapd,"a,b",3,,64',
  ])
  expect(csvOf('Stalls').slice(1)).toEqual(['"a,b",7,2,4000,1000,3000,3000'])
  expect(csvOf('Stall latency').slice(1)).toEqual(['1000,2000,1,0', '2000,4000,1,0'])
  expect(csvOf('Events').slice(1)).toEqual(['5,mark_victim,x,9,1,pid=9'])
})
