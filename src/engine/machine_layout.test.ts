import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { machineConfig } from '../../test/zone-state'
import { GIB, MIB } from '../util/units'
import { holesOf, layoutZones, nodeOrders } from './machine_layout'
import { hashTablePages, memmapPages } from './machine_reservations'
import { movableStarts, ramRanges, spanZones } from './machine_spans'
import { createNodes } from './mm/mmzone'

const vectors = JSON.parse(readFileSync(new URL('../../test/vectors.json', import.meta.url), 'utf8')) as {
  node_order: { distance: number[][]; order: Record<string, number[]> }[]
}
const yes = (n: number): boolean[] => new Array<boolean>(n).fill(true)

/** E1 of spec 01 §1.11: 24 GiB with the hole at 3 GiB. */
const E1 = machineConfig({
  firmware: [
    { start: 0, end: 0x9fc00, type: 'usable' },
    { start: 0x9fc00, end: MIB, type: 'reserved' },
    { start: MIB, end: 3 * GIB, type: 'usable' },
    { start: 4 * GIB, end: 25 * GIB, type: 'usable' },
  ],
  nodes: [{ nid: 0, ranges: [{ start: 0, end: 25 * GIB }], cpus: [0, 1] }],
})

describe('zones (01 §1.3, §1.11 E1)', () => {
  test('E1: spans, holes and the first mebibyte', () => {
    expect(spanZones(E1).map((z) => [z.startPfn, z.spanned, z.present])).toEqual([
      [1, 4095, 3998],
      [4096, 1044480, 782336],
      [1048576, 5505024, 5505024],
      [0, 0, 0],
      [0, 0, 0],
    ])
    expect(layoutZones(E1)[0]!.managed).toBe(3840)
  })
  test('holes of physical memory', () => {
    expect(holesOf(E1)).toEqual([
      { start: 0, end: 4096 },
      { start: 0x9f000, end: MIB },
      { start: 3 * GIB, end: 4 * GIB },
    ])
  })
  test('E11: hash tables of a 24 GiB machine are 32 and 16 MiB', () => {
    expect(hashTablePages(6291358, 13) * 4096).toBe(32 * MIB)
    expect(hashTablePages(6291358, 14) * 4096).toBe(16 * MIB)
  })
  test('hash tables grow half as fast above 64 GiB', () => {
    expect(hashTablePages(16777216, 13) / hashTablePages(16777216 / 2, 13)).toBe(2)
    expect(hashTablePages(16777216 * 4, 13) / hashTablePages(16777216, 13)).toBe(2)
  })
  test('one section of 128 MiB costs 512 pages of memmap even if little RAM is in it', () => {
    expect(memmapPages([{ start: 0, end: 32768 }])).toBe(512)
    expect(memmapPages([{ start: 32768, end: 32769 }])).toBe(512)
    expect(memmapPages(ramRanges(E1, 0))).toBe(((24 * 1024) / 128) * 512)
  })
})

describe('Movable zone (01 §1.3)', () => {
  const twoNodes = (over: object): ReturnType<typeof machineConfig> =>
    machineConfig({
      nodes: [
        {
          nid: 0,
          ranges: [
            { start: 0, end: 3 * GIB },
            { start: 4 * GIB, end: 9 * GIB },
          ],
          cpus: [0],
        },
        { nid: 1, ranges: [{ start: 9 * GIB, end: 17 * GIB }], cpus: [1] },
      ],
      ...over,
    })
  test('none without a request, or when the kernel would get everything', () => {
    expect(movableStarts(twoNodes({}))).toEqual([0, 0])
    expect(movableStarts(twoNodes({ kernelcoreBytes: 16 * GIB }))).toEqual([0, 0])
  })
  test('kernelcore is spread over nodes; memory below 4 GiB counts first', () => {
    const [a, b] = movableStarts(twoNodes({ kernelcoreBytes: 7 * GIB }))
    // 3 GiB below the highest zone serve the kernel; the other 4 GiB come half from each node's Normal zone.
    expect([(a! * 4096) / GIB, (b! * 4096) / GIB]).toEqual([6, 11].map((g) => expect.closeTo(g, 2)))
  })
  test('movablecore leaves the kernel the rest', () => {
    const rows = spanZones(twoNodes({ movablecoreBytes: 4 * GIB }))
    const movable = rows.filter((z) => z.idx === 3).reduce((sum, z) => sum + z.present, 0)
    expect((movable * 4096) / GIB).toBeCloseTo(4, 2)
  })
  test('the start is rounded up to 4 MiB and the zone below ends there', () => {
    const rows = spanZones(twoNodes({ kernelcoreBytes: 7 * GIB + 12345 * 4096 }))
    for (const z of rows.filter((row) => row.idx === 3)) {
      expect(z.startPfn % 1024).toBe(0)
      const normal = rows.find((row) => row.nid === z.nid && row.idx === 2)!
      expect(normal.startPfn + normal.spanned).toBe(z.startPfn)
    }
  })
})

describe('fallback order of nodes (01 §1.4)', () => {
  test.each(vectors.node_order)('$distance', ({ distance, order }) => {
    const orders = nodeOrders(distance, yes(distance.length), yes(distance.length))
    expect(Object.fromEntries(orders.map((o, i) => [`${i}`, o]))).toEqual(order)
  })
  test("a node without memory falls back to others (lower numbers cost one more) and is nobody's fallback", () => {
    expect(
      nodeOrders(
        [
          [10, 20, 30],
          [20, 10, 20],
          [30, 20, 10],
        ],
        [true, false, true],
        yes(3),
      ),
    ).toEqual([
      [0, 2],
      [2, 0],
      [2, 0],
    ])
  })
  test('at equal distance a node without CPUs is preferred', () => {
    expect(
      nodeOrders(
        [
          [10, 20, 20],
          [20, 10, 20],
          [20, 20, 10],
        ],
        yes(3),
        [true, true, false],
      )[0],
    ).toEqual([0, 2, 1])
  })
  test('E9: the zonelist of node 1 holds its zones first, from high to low', () => {
    const config = machineConfig({
      nodes: [
        {
          nid: 0,
          ranges: [
            { start: 0, end: 3 * GIB },
            { start: 4 * GIB, end: 8 * GIB },
          ],
          cpus: [0],
        },
        { nid: 1, ranges: [{ start: 8 * GIB, end: 12 * GIB }], cpus: [1] },
      ],
    })
    const { nodes } = createNodes(config, layoutZones(config))
    expect(nodes[1]!.zonelist).toEqual([7, 2, 1, 0])
    expect(nodes[0]!.zonelist).toEqual([2, 1, 0, 7])
    expect(nodes[1]!.zonelistThisnode).toEqual([7])
  })
})
