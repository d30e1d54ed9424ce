/** What stands beside and on the pixels: addresses of rows, names of zones, the scanners of compaction. Pure. */
import type { CompactionScanner } from '../../../protocol/page-map'
import { PAGE_SIZE } from '../../../util/units'
import { formatBytes, formatCount, joinFigure } from '../../format'
import { HEADER_PX, placeOf, type MapGeometry } from './zoom'

/** Room that a label of two lines takes. */
const TICK_PX = 44

export interface AxisTick {
  readonly y: number
  readonly pfn: string
  readonly offset: string
}

/** First frames of rows in view, as far apart as their labels need. */
export function axisOf(g: MapGeometry, scrollY: number, height: number): AxisTick[] {
  const ticks: AxisTick[] = []
  const every = Math.max(1, Math.ceil(TICK_PX / g.tileHeight))
  for (const { zone, firstPfn, rows, top } of g.sections) {
    const at = top + HEADER_PX - Math.round(scrollY)
    const first = Math.max(0, Math.ceil(-at / g.tileHeight / every) * every)
    for (let row = first; row < rows; row += every) {
      const y = at + row * g.tileHeight
      if (y >= height - 8) break
      const pfn = Math.max(zone.startPfn, firstPfn + row * g.rowFrames)
      const isRoom = g.tileHeight * Math.min(every, rows - row) >= 22
      const offset = isRoom ? `+${joinFigure(formatBytes((pfn - zone.startPfn) * PAGE_SIZE))}` : ''
      ticks.push({ y, pfn: `0x${pfn.toString(16)}`, offset })
    }
  }
  return ticks
}

export interface ZoneHeader {
  readonly zone: number
  readonly y: number
  readonly name: string
  readonly span: string
}

/** Names of the zones in view; that of the zone at the upper edge stays there. */
export function headersOf(g: MapGeometry, scrollY: number, height: number): ZoneHeader[] {
  return g.sections
    .map(({ zone, top }) => ({
      zone: zone.zone,
      y: top - Math.round(scrollY),
      name: `node ${zone.nid}, zone ${zone.name}`,
      span: `${joinFigure(formatBytes(zone.managed * PAGE_SIZE))} managed, ${formatCount(zone.present)} frames present`,
    }))
    .filter(({ y }) => y > -HEADER_PX && y < height)
}

export interface ScannerMark {
  readonly key: string
  readonly x: number
  readonly y: number
  readonly size: number
  readonly text: string
  readonly textX: number
  readonly path: string
}

/** Two marks a zone: one goes up and takes pages, one goes down and takes free frames. */
export function scannerMarks(
  g: MapGeometry,
  scrollY: number,
  height: number,
  scanners: readonly CompactionScanner[],
): ScannerMark[] {
  const size = Math.max(4, g.level.px)
  return scanners.flatMap(({ zone, migratePfn, freePfn, isRunning, who }) =>
    (['migrate', 'free'] as const).flatMap((name) => {
      const at = placeOf(g, name === 'migrate' ? migratePfn : Math.max(0, freePfn - 1))
      const y = at ? at.y - Math.round(scrollY) : -1
      if (!at || y < 0 || y >= height) return []
      const isUp = name === 'migrate'
      const text = `${name} scanner${isRunning ? `, ${who}` : ', at rest'}`
      const textX = at.x + size + 18 + text.length * 6 > g.width ? at.x - 16 - text.length * 6 : at.x + size + 16
      const tip = isUp ? at.x + size + 12 : at.x + size + 5
      const back = isUp ? at.x + size + 5 : at.x + size + 12
      const path = `M${tip} ${y + 1}L${back} ${y - 3}V${y + 5}z`
      return [{ key: `${zone} ${name} ${who}`, x: at.x, y, size, text, textX, path }]
    }),
  )
}
