/** Cells → pixels: a buffer of colours for one canvas. Pure, and the only hot loop of the view. */
import {
  CELL_UNREAD,
  FRAME_ANON,
  FRAME_FILE,
  FRAME_HOLE,
  FRAME_RESERVED,
  type PageMap,
  type PageRange,
} from '../../../protocol/page-map'
import { HEADER_PX, mortonOf, type MapGeometry, type MapSection } from './zoom'

/** Colours by kind as the canvas stores them (ABGR), and how the second one is mixed in. */
export interface Inks {
  readonly first: Uint32Array
  readonly second: Uint32Array
  /** 0 plain, 1 hatched, 2 checked. */
  readonly pattern: Uint8Array
  readonly ground: number
}

/** A reply, with what it was asked for. */
export interface MapPicture {
  readonly shift: number
  readonly ranges: readonly PageRange[]
  /** Where each range begins in `map.cells`. */
  readonly starts: readonly number[]
  readonly map: PageMap
}

export function createPicture(shift: number, ranges: readonly PageRange[], map: PageMap): MapPicture {
  const starts: number[] = []
  let at = 0
  for (const range of ranges) {
    starts.push(at)
    at += range.cells
  }
  return { shift, ranges, starts, map }
}

/** The first cell of the picture that user memory holds, else its first cell that is memory. */
export function firstUserFrame({ shift, ranges, starts, map }: MapPicture): number | undefined {
  const isUser = (kind: number): boolean => kind === FRAME_ANON || kind === FRAME_FILE
  for (const is of [isUser, (kind: number) => kind !== FRAME_HOLE && kind !== FRAME_RESERVED]) {
    for (let r = 0; r < ranges.length; r++) {
      const { startPfn, cells } = ranges[r]!
      const at = map.cells.subarray(starts[r]!, starts[r]! + cells).findIndex(is)
      if (at >= 0) return startPfn + at * 2 ** shift
    }
  }
  return undefined
}

const columns = new Map<number, { readonly x: Uint8Array; readonly y: Uint8Array }>()

/** Column and row of each cell of a tile. */
function mortonTable(order: number): { readonly x: Uint8Array; readonly y: Uint8Array } {
  const known = columns.get(order)
  if (known) return known
  const table = { x: new Uint8Array(1 << order), y: new Uint8Array(1 << order) }
  for (let cell = 0; cell < 1 << order; cell++) {
    const { x, y } = mortonOf(cell)
    table.x[cell] = x
    table.y[cell] = y
  }
  columns.set(order, table)
  return table
}

/** No kind: the ground shows. */
const OUTSIDE = 254

/** Kinds of the cells of one tile, out of a reply for this or another size of cell. */
function readTile(
  g: MapGeometry,
  picture: MapPicture,
  section: MapSection,
  tilePfn: number,
  kinds: Uint8Array,
): number {
  const { zone } = section
  const size = 2 ** g.level.shift
  const end = zone.startPfn + zone.spanned
  const count = Math.max(0, Math.min(kinds.length, Math.ceil((end - tilePfn) / size)))
  kinds.fill(CELL_UNREAD, 0, count)
  const sizeOfPicture = 2 ** picture.shift
  for (let r = 0; r < picture.ranges.length; r++) {
    const range = picture.ranges[r]!
    const rangeEnd = range.startPfn + range.cells * sizeOfPicture
    if (range.zone !== zone.zone || rangeEnd <= tilePfn || range.startPfn >= tilePfn + count * size) continue
    const from = Math.max(0, Math.ceil((range.startPfn - tilePfn) / size))
    const to = Math.min(count, Math.ceil((rangeEnd - tilePfn) / size))
    const base = picture.starts[r]!
    if (size === sizeOfPicture) {
      const first = base + (tilePfn - range.startPfn) / size
      for (let i = from; i < to; i++) kinds[i] = picture.map.cells[first + i]!
    } else {
      for (let i = from; i < to; i++)
        kinds[i] = picture.map.cells[base + Math.floor((tilePfn + i * size - range.startPfn) / sizeOfPicture)]!
    }
  }
  // A tile may begin before its zone does.
  kinds.fill(OUTSIDE, 0, Math.min(count, Math.max(0, Math.floor((zone.startPfn - tilePfn) / size))))
  return count
}

const tileKinds = new Uint8Array(512)

/** Cells from this size on are drawn apart from each other. */
const GRID_PX = 8

/** Draws what can be seen from `scrollY` on. `pixels` has `width` × `height`. */
export function paint(
  pixels: Uint32Array,
  size: { readonly width: number; readonly height: number },
  g: MapGeometry,
  scrollY: number,
  picture: MapPicture,
  inks: Inks,
): void {
  pixels.fill(inks.ground)
  const kinds = tileKinds.subarray(0, 1 << g.tileOrder)
  const tileFrames = 2 ** (g.tileOrder + g.level.shift)
  for (const section of g.sections) {
    const top = section.top + HEADER_PX - scrollY
    const first = Math.max(0, Math.floor(-top / g.tileHeight))
    const last = Math.min(section.rows, Math.ceil((size.height - top) / g.tileHeight))
    for (let row = first; row < last; row++) {
      for (let tile = 0; tile < g.tilesPerRow; tile++) {
        const tilePfn = section.firstPfn + row * g.rowFrames + tile * tileFrames
        const count = readTile(g, picture, section, tilePfn, kinds)
        if (count === 0) break
        paintTile(pixels, size, g, { x: tile * g.tileWidth, y: top + row * g.tileHeight }, kinds, count, inks)
      }
    }
  }
}

function paintTile(
  pixels: Uint32Array,
  { width, height }: { readonly width: number; readonly height: number },
  g: MapGeometry,
  at: { readonly x: number; readonly y: number },
  kinds: Uint8Array,
  count: number,
  { first, second, pattern }: Inks,
): void {
  const { px } = g.level
  const table = mortonTable(g.tileOrder)
  if (px === 1) return paintDots(pixels, { width, height }, table, at, kinds, count, { first, second, pattern })
  const drawn = px >= GRID_PX ? px - 1 : px
  for (let i = 0; i < count; i++) {
    const kind = kinds[i]!
    if (kind === OUTSIDE) continue
    const x = at.x + table.x[i]! * px
    const y = at.y + table.y[i]! * px
    const toY = Math.min(y + drawn, height)
    for (let py = Math.max(0, y); py < toY; py++) {
      const line = py * width
      if (pattern[kind] === 0) {
        const colour = first[kind]!
        for (let p = x; p < x + drawn; p++) pixels[line + p] = colour
      } else {
        for (let p = x; p < x + drawn; p++)
          pixels[line + p] = isSecond(pattern[kind]!, p, py) ? second[kind]! : first[kind]!
      }
    }
  }
}

/** A pixel a cell: most of the pictures there are, without the loops of larger ones (measured: 1.5 times as fast). */
function paintDots(
  pixels: Uint32Array,
  { width, height }: { readonly width: number; readonly height: number },
  table: { readonly x: Uint8Array; readonly y: Uint8Array },
  at: { readonly x: number; readonly y: number },
  kinds: Uint8Array,
  count: number,
  { first, second, pattern }: Omit<Inks, 'ground'>,
): void {
  const { x: columnOf, y: rowOf } = table
  for (let i = 0; i < count; i++) {
    const kind = kinds[i]!
    const y = at.y + rowOf[i]!
    if (kind === OUTSIDE || y < 0 || y >= height) continue
    const x = at.x + columnOf[i]!
    const how = pattern[kind]!
    pixels[y * width + x] = how !== 0 && isSecond(how, x, y) ? second[kind]! : first[kind]!
  }
}

const isSecond = (pattern: number, x: number, y: number): boolean =>
  pattern === 1 ? ((x + y) & 3) === 0 : (((x >> 1) + (y >> 1)) & 1) === 0
