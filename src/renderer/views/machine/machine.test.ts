import { expect, test } from 'vitest'
import type { MachinePreview, ZoneFrame } from '../../../protocol/messages'
import { GIB, MIB } from '../../../util/units'
import { addressStrip, fitted, lensStrip } from './address-space'
import { whyLow } from './why-low'
import { cpuRanges, zonelist } from './zone-list'

const zone = (name: string, more: Partial<ZoneFrame>): ZoneFrame => ({
  nid: 0,
  name,
  startPfn: 0,
  free: 0,
  min: 0,
  low: 0,
  high: 0,
  boost: 0,
  spanned: 0,
  present: 0,
  managed: 0,
  pcp: 0,
  anon: 0,
  file: 0,
  pagetables: 0,
  kernel: 0,
  protection: [],
  ...more,
})
// The worked example E2 of the specification.
const zones = [
  zone('DMA', { startPfn: 1, spanned: 4095, managed: 3840, free: 3840, min: 31, low: 38, high: 45 }),
  zone('DMA32', { startPfn: 4096, spanned: 1044480, managed: 772915, free: 700000, min: 6355, low: 7943, high: 9531 }),
  zone('Normal', {
    startPfn: 1048576,
    spanned: 1310720,
    managed: 1277952,
    free: 9000,
    min: 10508,
    low: 13135,
    high: 15762,
  }),
]
const preview: MachinePreview = {
  zones,
  nodes: [
    {
      nid: 0,
      cpus: [0, 1],
      order: [0],
      managed: 0,
      ranges: [
        { startBytes: 0x1000, endBytes: 0x9f000 },
        { startBytes: MIB, endBytes: 3 * GIB },
        { startBytes: 4 * GIB, endBytes: 9 * GIB },
      ],
    },
  ],
  holes: [
    { startBytes: 0x9f000, endBytes: MIB, why: 'VGA' },
    { startBytes: 3 * GIB, endBytes: 4 * GIB, why: 'devices' },
  ],
  minFreeKbytes: 67584,
  totalPages: 2054707,
  warnings: [],
}
const place = { left: 0, width: 900 }

test('nodes, zones and the hole below 4 GiB stand to scale', () => {
  const strip = addressStrip({ preview, zones }, place)
  expect(strip.nodes.map((block) => [Math.round(block.x), Math.round(block.width)])).toEqual([
    [0, 300],
    [400, 500],
  ])
  expect(strip.holes.map((block) => [Math.round(block.x), Math.round(block.width)])).toEqual([[300, 100]])
  expect(strip.zones.map((block) => block.label)).toEqual(['DMA', 'DMA32', 'Normal'])
  expect(strip.ticks.at(-1)).toEqual({ x: 900, label: '9 GiB' })
})

test('the owners fill the memory and leave the holes alone', () => {
  const strip = addressStrip({ preview, zones }, place)
  const inHole = strip.owners.filter((share) => share.x + share.width > 300.5 && share.x < 399.5)
  expect(inHole).toEqual([])
  expect(strip.owners.reduce((sum, share) => sum + share.width, 0)).toBeCloseTo(800, 0)
})

test('the lens shows the first 16 MiB with the hole of the PC', () => {
  const lens = lensStrip({ preview, zones }, { left: 10, width: 480 })
  expect(lens.zones.map((block) => [block.label, block.detail])).toEqual([['DMA', 'managed 3840 of 4095 pages']])
  expect(lens.ticks.map((tick) => tick.label)).toEqual(['0', '0x9f000', '0x1000000'])
})

test('a text that does not fit is left out, its detail first', () => {
  expect(fitted('Node 0', '3 GiB', 200)).toEqual({ label: 'Node 0', detail: '3 GiB' })
  expect(fitted('Node 0', '3 GiB', 60)).toEqual({ label: 'Node 0', detail: '' })
  expect(fitted('Node 0', '3 GiB', 20)).toEqual({ label: '', detail: '' })
})

test('the terms of the watermark formula lead to the marks that the machine has (spec 01 E2)', () => {
  const why = whyLow({
    zone: zones[2]!,
    zones,
    minFreeKbytes: 67584,
    watermarkScaleFactor: 10,
    series: '6.12',
    kswapd: undefined,
    isLive: true,
  })
  expect(why.title).toBe('Why low is 13\u202f135 in Normal, node 0')
  expect(why.rows.map((row) => row.text)).toEqual([
    '16\u202f896',
    '1\u202f277\u202f952 / 2\u202f054\u202f707',
    '10\u202f508',
    'max(2627, 1277)',
    '13\u202f135',
    '15\u202f762',
  ])
  expect(why.verdict).toContain('below min')
})

test('an allocation of a node tries its own zones from the top, then the next node', () => {
  const two = [...zones, zone('Normal', { nid: 1, managed: 9 }), zone('Movable', { nid: 1, managed: 9 })]
  const nodes = [{ ...preview.nodes[0]!, order: [0, 1] }]
  expect(zonelist(0, { ...preview, nodes }, two).map((step) => `${step.name} ${step.nid}`)).toEqual([
    'Normal 0',
    'DMA32 0',
    'DMA 0',
    'Movable 1',
    'Normal 1',
  ])
})

test('CPUs are written as ranges', () => expect(cpuRanges([0, 1, 2, 5, 8, 9])).toBe('0–2, 5, 8–9'))
