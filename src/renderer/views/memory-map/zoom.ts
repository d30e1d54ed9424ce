/**
 * How the map lies on the screen: zones one below the other, each in rows of tiles, frames in Morton order inside a tile,
 * so that every buddy block is a rectangle. Zooming is by powers of two. Pure.
 */
import type { MapZone, PageRange } from '../../../protocol/page-map'
import { PAGEBLOCK_PAGES, type Pfn } from '../../../util/units'

/** A cell stands for 2^shift frames and is drawn as a square of `px` pixels. */
export interface ZoomLevel {
  readonly shift: number
  readonly px: number
}

/** From one frame as large as a stamp to 16 MiB a pixel. */
export const LEVELS: readonly ZoomLevel[] = [
  ...[64, 32, 16, 8, 4, 2, 1].map((px) => ({ shift: 0, px })),
  ...[2, 4, 6, 8, 9, 10, 11, 12].map((shift) => ({ shift, px: 1 })),
]
export const LEVEL_ONE_TO_ONE = LEVELS.findIndex(({ shift, px }) => shift === 0 && px === 1)

/** Where a zone's name stands. */
export const HEADER_PX = 15
const GAP_PX = 2

/** A zone's place on the map. */
export interface MapSection {
  readonly zone: MapZone
  /** First frame of its first row: at or before the zone's start. */
  readonly firstPfn: Pfn
  readonly rows: number
  /** y of its header; rows begin HEADER_PX below. */
  readonly top: number
}

export interface MapGeometry {
  readonly level: ZoomLevel
  /** Cells of a tile: 2^tileOrder. */
  readonly tileOrder: number
  readonly tileWidth: number
  readonly tileHeight: number
  readonly tilesPerRow: number
  readonly rowFrames: number
  readonly sections: readonly MapSection[]
  readonly width: number
  readonly height: number
}

/** Columns and rows of a tile of 2^order cells. */
const tileColumns = (order: number): number => 2 ** Math.ceil(order / 2)
const tileRows = (order: number): number => 2 ** Math.floor(order / 2)

/** The largest tile, up to 512 cells, that fits into the width. */
function tileOrderFor(px: number, width: number): number {
  let order = 9
  while (order > 0 && tileColumns(order) * px > width) order--
  return order
}

/** @param width  pixels that the map may take */
export function createGeometry(zones: readonly MapZone[], level: ZoomLevel, width: number): MapGeometry {
  const tileOrder = tileOrderFor(level.px, Math.max(width, level.px))
  const tileWidth = tileColumns(tileOrder) * level.px
  const tileHeight = tileRows(tileOrder) * level.px
  const fitting = Math.max(1, Math.floor(width / tileWidth))
  // Rows that begin at round addresses are read more easily.
  const tilesPerRow = fitting >= 8 ? fitting - (fitting % 4) : fitting
  const tileFrames = 2 ** (tileOrder + level.shift)
  const rowFrames = tileFrames * tilesPerRow
  const sections: MapSection[] = []
  let top = 0
  for (const zone of zones) {
    const firstPfn = Math.floor(zone.startPfn / tileFrames) * tileFrames
    const rows = Math.ceil((zone.startPfn + zone.spanned - firstPfn) / rowFrames)
    sections.push({ zone, firstPfn, rows, top })
    top += HEADER_PX + rows * tileHeight + GAP_PX
  }
  return {
    level,
    tileOrder,
    tileWidth,
    tileHeight,
    tilesPerRow,
    rowFrames,
    sections,
    width: tileWidth * tilesPerRow,
    height: top,
  }
}

/** Even bits of a cell's number are its column, odd ones its row. */
export function mortonOf(cell: number): { readonly x: number; readonly y: number } {
  let x = 0
  let y = 0
  for (let bit = 0; bit < 10; bit++) {
    x |= ((cell >> (2 * bit)) & 1) << bit
    y |= ((cell >> (2 * bit + 1)) & 1) << bit
  }
  return { x, y }
}

export function mortonCell(x: number, y: number): number {
  let cell = 0
  for (let bit = 0; bit < 10; bit++) cell |= (((x >> bit) & 1) << (2 * bit)) | (((y >> bit) & 1) << (2 * bit + 1))
  return cell
}

const isInZone = (zone: MapZone, pfn: Pfn): boolean => pfn >= zone.startPfn && pfn < zone.startPfn + zone.spanned

/** First frame of the cell at a place of the map, and the zone that it is drawn in. */
export function cellAt(
  g: MapGeometry,
  x: number,
  y: number,
): { readonly pfn: Pfn; readonly section: MapSection } | undefined {
  if (x < 0 || x >= g.width) return undefined
  for (const section of g.sections) {
    const down = y - section.top - HEADER_PX
    if (down < 0) return undefined
    const row = Math.floor(down / g.tileHeight)
    if (row >= section.rows) continue
    const { px, shift } = g.level
    const tile = Math.floor(x / g.tileWidth)
    const cell = mortonCell(Math.floor((x % g.tileWidth) / px), Math.floor((down % g.tileHeight) / px))
    const size = 2 ** shift
    const pfn = section.firstPfn + row * g.rowFrames + (tile * 2 ** g.tileOrder + cell) * size
    const { zone } = section
    if (pfn + size <= zone.startPfn || pfn >= zone.startPfn + zone.spanned) return undefined
    return { pfn: Math.max(pfn, zone.startPfn), section }
  }
  return undefined
}

/** The zone whose RAM the frame is, else the first that spans it. */
export const sectionOf = (g: MapGeometry, pfn: Pfn): MapSection | undefined =>
  g.sections.find(({ zone }) => zone.ram.some(({ start, end }) => pfn >= start && pfn < end)) ??
  g.sections.find(({ zone }) => isInZone(zone, pfn))

/** Upper left corner of the cell that holds the frame, in pixels of the map. */
export function placeOf(g: MapGeometry, pfn: Pfn): { readonly x: number; readonly y: number } | undefined {
  const section = sectionOf(g, pfn)
  if (!section) return undefined
  const into = pfn - section.firstPfn
  const row = Math.floor(into / g.rowFrames)
  const cell = Math.floor((into % g.rowFrames) / 2 ** g.level.shift)
  const cells = 2 ** g.tileOrder
  const { x, y } = mortonOf(cell % cells)
  return {
    x: Math.floor(cell / cells) * g.tileWidth + x * g.level.px,
    y: section.top + HEADER_PX + row * g.tileHeight + y * g.level.px,
  }
}

/** Rows that can be seen between two heights, as ranges of cells: what is asked for. */
export function rangesBetween(g: MapGeometry, fromY: number, toY: number): PageRange[] {
  const size = 2 ** g.level.shift
  const ranges: PageRange[] = []
  for (const { zone, firstPfn, rows, top } of g.sections) {
    const first = Math.max(0, Math.floor((fromY - top - HEADER_PX) / g.tileHeight))
    const last = Math.min(rows, Math.ceil((toY - top - HEADER_PX) / g.tileHeight))
    if (first >= last) continue
    const startPfn = firstPfn + first * g.rowFrames
    const endPfn = Math.min(firstPfn + last * g.rowFrames, zone.startPfn + zone.spanned)
    ranges.push({ zone: zone.zone, startPfn, cells: Math.ceil((endPfn - startPfn) / size) })
  }
  return ranges
}

/** First frame between two heights, and the one behind the last. */
export function framesBetween(
  g: MapGeometry,
  fromY: number,
  toY: number,
  endPfn: Pfn,
): { readonly from: Pfn; readonly to: Pfn } {
  const ranges = rangesBetween(g, fromY, toY)
  if (ranges.length === 0) return { from: 0, to: 0 }
  const ends = ranges.map((range) => range.startPfn + range.cells * 2 ** g.level.shift)
  return { from: Math.min(...ranges.map((range) => range.startPfn)), to: Math.min(endPfn, Math.max(...ends)) }
}

/** The frame some cells to the right and down; beyond an edge the order of addresses goes on. */
export function frameBeside(
  g: MapGeometry,
  pfn: Pfn,
  { dx, dy }: { readonly dx: number; readonly dy: number },
  endPfn: Pfn,
): Pfn {
  const at = placeOf(g, pfn)
  const { px, shift } = g.level
  const to = at && cellAt(g, at.x + (dx + 0.5) * px, at.y + (dy + 0.5) * px)
  return to ? to.pfn : Math.min(endPfn - 1, Math.max(0, pfn + dx * 2 ** shift))
}

/** The nearest zoom that shows all of memory in the height, or the farthest of all. */
export function levelToFit(zones: readonly MapZone[], width: number, height: number): number {
  const fits = LEVELS.findIndex((level) => createGeometry(zones, level, width).height <= height)
  return fits < 0 ? LEVELS.length - 1 : fits
}

/** The zoom to begin with: all of memory, or half of it where that leaves most of the room empty. */
export function levelAtFirst(zones: readonly MapZone[], width: number, height: number): number {
  const fits = levelToFit(zones, width, height)
  const isSmall = createGeometry(zones, LEVELS[fits]!, width).height < height / 2
  return isSmall ? Math.max(0, fits - 1) : fits
}

/** '1 px = 1 frame', '1 px = 512 frames (2 MiB)', '1 frame = 8 × 8 px'. */
export function levelText({ shift, px }: ZoomLevel): string {
  if (px > 1) return `1 frame = ${px} × ${px} px`
  if (shift === 0) return '1 px = 1 frame'
  const frames = 2 ** shift
  return `1 px = ${frames} frames${frames === PAGEBLOCK_PAGES ? ', a pageblock' : ''}`
}

/** What one tile stands for. */
export function tileText(g: MapGeometry): string {
  const frames = 2 ** (g.tileOrder + g.level.shift)
  if (frames === PAGEBLOCK_PAGES) return 'tile = pageblock'
  if (frames < PAGEBLOCK_PAGES) return `tile = ${frames} frames`
  const mib = frames / 256
  return mib >= 1024 ? `tile = ${mib / 1024} GiB` : `tile = ${mib} MiB`
}
