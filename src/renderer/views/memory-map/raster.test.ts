import { expect, test } from 'vitest'
import {
  FRAME_ANON,
  FRAME_FREE,
  PAGE_COLOURS,
  PAGE_KINDS_MAX,
  type MapZone,
  type PageMap,
} from '../../../protocol/page-map'
import { inksOf, kindsOf, parseColour } from './kinds'
import { createPicture, firstUserFrame, paint, type Inks } from './raster'
import { createGeometry, HEADER_PX } from './zoom'

const ZONE: MapZone = {
  zone: 1,
  nid: 0,
  name: 'DMA32',
  startPfn: 4096,
  spanned: 1024,
  present: 1024,
  managed: 1024,
  ram: [{ start: 4096, end: 5120 }],
}
const GROUND = 9
/** Each kind is its own colour. */
const INKS: Inks = {
  first: Uint32Array.from({ length: 256 }, (_, kind) => 100 + kind),
  second: Uint32Array.from({ length: 256 }, (_, kind) => 100 + kind),
  pattern: new Uint8Array(256),
  ground: GROUND,
}
const reply = (cells: Uint8Array): PageMap => ({
  atNs: 0,
  cells,
  counts: new Float64Array(PAGE_KINDS_MAX),
  staleCells: 0,
  whole: undefined,
  scanners: [],
  isMglru: true,
})

function draw(px: number, shift: number, cells: Uint8Array, pictureShift = shift): Uint32Array {
  const g = createGeometry([ZONE], { shift, px }, 64)
  const picture = createPicture(pictureShift, [{ zone: 1, startPfn: 4096, cells: cells.length }], reply(cells))
  const pixels = new Uint32Array(64 * 32)
  paint(pixels, { width: 64, height: 32 }, g, HEADER_PX, picture, INKS)
  return pixels
}

test('the second block of order 3 lies below the first, four pixels wide and two high', () => {
  const cells = new Uint8Array(1024).fill(FRAME_FREE)
  cells.fill(FRAME_ANON, 8, 16)
  const pixels = draw(1, 0, cells)
  const anon = [...pixels.keys()].filter((i) => pixels[i] === 100 + FRAME_ANON)
  expect(anon).toEqual([128, 129, 130, 131, 192, 193, 194, 195])
})

test('the last picture stands while another size of cell is asked for', () => {
  const coarse = draw(1, 0, Uint8Array.of(FRAME_ANON, FRAME_FREE, FRAME_FREE, FRAME_FREE), 8)
  expect(coarse.filter((colour) => colour === 100 + FRAME_ANON)).toHaveLength(256)
  const fine = draw(1, 8, new Uint8Array(1024).fill(FRAME_ANON), 0)
  expect(fine.filter((colour) => colour === 100 + FRAME_ANON)).toHaveLength(4)
  expect(fine.filter((colour) => colour === GROUND)).toHaveLength(64 * 32 - 4)
})

test('the cursor begins on user memory', () => {
  const cells = new Uint8Array(1024).fill(FRAME_FREE)
  expect(firstUserFrame(createPicture(0, [{ zone: 1, startPfn: 4096, cells: 1024 }], reply(cells)))).toBe(4096)
  cells[77] = FRAME_ANON
  expect(firstUserFrame(createPicture(0, [{ zone: 1, startPfn: 4096, cells: 1024 }], reply(cells)))).toBe(4173)
})

test('colours are read as tokens have them, shortened or not', () => {
  expect(parseColour('#fff')).toEqual([255, 255, 255])
  expect(parseColour('#b7680a')).toEqual([183, 104, 10])
})

test.each(PAGE_COLOURS)('kinds by %s have each a name of their own, and one that is not chosen fades', (colour) => {
  const kinds = kindsOf(colour, '412', true)
  expect(new Set(kinds.map(({ kind }) => kind)).size).toBe(kinds.length)
  expect(new Set(kinds.map(({ label }) => label)).size).toBe(kinds.length)
  const token = (name: string): string => (name === '--s-0' ? '#ffffff' : '#102030')
  const all = inksOf(kinds, new Set(), token)
  const one = inksOf(kinds, new Set([kinds[0]!.kind]), token)
  expect(one.second[kinds[0]!.kind]).toBe(all.second[kinds[0]!.kind])
  expect(one.second[kinds[1]!.kind]).not.toBe(all.second[kinds[1]!.kind])
})
