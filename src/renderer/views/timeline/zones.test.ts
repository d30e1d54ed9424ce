import { expect, test } from 'vitest'
import type { SeriesInfo, ZoneFrame } from '../../../protocol/messages'
import { mainZones, zoneKeys, zoneTitle } from './zones'

const info = (name: string): SeriesInfo => ({ name, unit: 'pages', shape: 'level' })
const zone = (nid: number, name: string, managed: number): ZoneFrame => ({
  nid,
  name,
  managed,
  startPfn: 0,
  free: 0,
  min: 0,
  low: 0,
  high: 0,
  boost: 0,
  spanned: 0,
  present: 0,
  pcp: 0,
  anon: 0,
  file: 0,
  pagetables: 0,
  kernel: 0,
  protection: [],
})

test('each zone with a series of free pages is found once', () =>
  expect(
    zoneKeys([info('zone:0:DMA:free'), info('zone:0:DMA:min'), info('vmstat:pgfault'), info('zone:1:Normal:free')]),
  ).toEqual(['zone:0:DMA', 'zone:1:Normal']))

test('a node is named only where there are several', () => {
  expect(zoneTitle('zone:0:DMA32', 1)).toBe('DMA32')
  expect(zoneTitle('zone:1:Normal', 2)).toBe('Normal, node 1')
})

test('the largest zone of each node is shown first', () => {
  const keys = ['zone:0:DMA', 'zone:0:DMA32', 'zone:0:Normal', 'zone:1:Normal']
  const zones = [zone(0, 'DMA', 3840), zone(0, 'DMA32', 765941), zone(0, 'Normal', 255782), zone(1, 'Normal', 513904)]
  expect(mainZones(keys, zones)).toEqual(['zone:0:DMA32', 'zone:1:Normal'])
})
