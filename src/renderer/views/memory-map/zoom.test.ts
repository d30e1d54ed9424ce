import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { MapZone } from '../../../protocol/page-map'
import {
  cellAt,
  createGeometry,
  frameBeside,
  LEVELS,
  levelAtFirst,
  levelToFit,
  mortonCell,
  mortonOf,
  placeOf,
  rangesBetween,
} from './zoom'

const zone = (index: number, startPfn: number, spanned: number): MapZone => ({
  zone: index,
  nid: Math.floor(index / 5),
  name: 'Normal',
  startPfn,
  spanned,
  present: spanned,
  managed: spanned,
  ram: [{ start: startPfn, end: startPfn + spanned }],
})
const SMALL = [zone(0, 1, 4095), zone(1, 4096, 126_943)]
/** Eight nodes of 128 GiB. */
const TIB = Array.from({ length: 8 }, (_, nid) =>
  zone(nid * 5 + 2, (nid * 2 ** 25) | (nid === 0 ? 0x100000 : 0), 2 ** 25),
)

test('columns and rows of a cell are its even and odd bits', () => {
  for (let cell = 0; cell < 1024; cell++) {
    const { x, y } = mortonOf(cell)
    expect(mortonCell(x, y)).toBe(cell)
  }
  expect(mortonOf(0b100111)).toEqual({ x: 0b011, y: 0b101 })
})

test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])('every free block of order %i is a rectangle', (order) => {
  const g = createGeometry(SMALL, { shift: 0, px: 1 }, 1024)
  for (let head = 8192; head < 16384; head += 2 ** order * 7) {
    const start = head - (head % 2 ** order)
    const places = Array.from({ length: 2 ** order }, (_, i) => placeOf(g, start + i)!)
    const width = Math.max(...places.map((p) => p.x)) - Math.min(...places.map((p) => p.x)) + 1
    const height = Math.max(...places.map((p) => p.y)) - Math.min(...places.map((p) => p.y)) + 1
    expect(width * height).toBe(2 ** order)
  }
})

test('the place of a frame leads back to its cell, at every zoom and width', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: LEVELS.length - 1 }),
      fc.integer({ min: 64, max: 2000 }),
      fc.constantFrom(SMALL, TIB),
      fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      (level, width, zones, share) => {
        const g = createGeometry(zones, LEVELS[level]!, width)
        const { startPfn, spanned } = zones[Math.floor(share * zones.length)]!
        const pfn = startPfn + Math.floor(share * spanned)
        const at = placeOf(g, pfn)!
        const found = cellAt(g, at.x, at.y)!
        const size = 2 ** g.level.shift
        expect(at.x + g.level.px).toBeLessThanOrEqual(g.width)
        expect(found.pfn).toBe(Math.max(found.section.zone.startPfn, pfn - (pfn % size)))
      },
    ),
    { seed: 1, numRuns: 2000 },
  )
})

test('what is asked for are whole rows in view, and no frame behind a zone', () => {
  const g = createGeometry(SMALL, { shift: 0, px: 1 }, 1024)
  expect(g.tilesPerRow).toBe(32)
  const all = rangesBetween(g, 0, g.height)
  expect(all).toEqual([
    { zone: 0, startPfn: 0, cells: 4096 },
    { zone: 1, startPfn: 4096, cells: 126_943 },
  ])
  const { top } = g.sections[1]!
  expect(rangesBetween(g, top + 15 + 16, top + 15 + 32)).toEqual([{ zone: 1, startPfn: 4096 + 16_384, cells: 16_384 }])
})

test('a machine of 1 TiB fits on one screen, a small one fills at least half of it', () => {
  const far = levelToFit(TIB, 1024, 368)
  expect(createGeometry(TIB, LEVELS[far]!, 1024).height).toBeLessThanOrEqual(368)
  const near = levelAtFirst(SMALL, 1024, 368)
  expect(createGeometry(SMALL, LEVELS[near]!, 1024).height).toBeGreaterThan(368 / 2)
})

test('beyond the edge of a row the addresses go on', () => {
  const g = createGeometry(SMALL, { shift: 0, px: 1 }, 1024)
  expect(frameBeside(g, 4096, { dx: 1, dy: 0 }, 131_072)).toBe(4097)
  expect(frameBeside(g, 4096, { dx: 0, dy: 1 }, 131_072)).toBe(4098)
  expect(frameBeside(g, 4096, { dx: -1, dy: 0 }, 131_072)).toBe(4095)
  expect(frameBeside(g, 0, { dx: -1, dy: 0 }, 131_072)).toBe(0)
})
