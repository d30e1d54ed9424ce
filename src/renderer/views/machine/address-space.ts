/** The physical address space to scale: nodes, zones, who holds the pages, holes, and a lens for the first 16 MiB. Pure. */
import type { MachinePreview, ZoneFrame } from '../../../protocol/messages'
import { zoneShares } from '../../components/zone-shares'
import { formatBytes, joinFigure } from '../../format'
import type { Bytes } from '../../../util/units'
import { GIB, MIB, pagesToBytes } from '../../../util/units'

export interface Block {
  readonly x: number
  readonly width: number
  readonly label: string
  readonly detail: string
}
export interface OwnerBlock {
  readonly owner: string
  readonly x: number
  readonly width: number
}
export interface Tick {
  readonly x: number
  readonly label: string
}
export interface Strip {
  readonly nodes: readonly Block[]
  readonly zones: readonly Block[]
  readonly owners: readonly OwnerBlock[]
  readonly holes: readonly Block[]
  readonly ticks: readonly Tick[]
  readonly endBytes: Bytes
}

interface Range {
  readonly startBytes: Bytes
  readonly endBytes: Bytes
}
export interface Window extends Range {
  /** px from the left of the drawing, and px in all */
  readonly left: number
  readonly width: number
}
export interface Machine {
  readonly preview: MachinePreview
  /** The zones that stand there: live ones with their owners, or those of the preview. */
  readonly zones: readonly ZoneFrame[]
}

export const LENS_END = 16 * MIB
/** Smaller pieces are drawn, but not told apart: two pixels. */
const GAP_MIN_PX = 2
const LABEL_PX = 6.6

const xOf = (bytes: Bytes, w: Window): number =>
  w.left +
  (Math.min(Math.max(bytes, w.startBytes), w.endBytes) - w.startBytes) * (w.width / (w.endBytes - w.startBytes))

const cut = (a: Range, b: Range): Range | undefined => {
  const startBytes = Math.max(a.startBytes, b.startBytes)
  const endBytes = Math.min(a.endBytes, b.endBytes)
  return startBytes < endBytes ? { startBytes, endBytes } : undefined
}

/** Ranges that lie closer than a gap one could see become one. */
function merged(ranges: readonly Range[], gapBytes: Bytes): Range[] {
  const out: Range[] = []
  for (const range of [...ranges].sort((a, b) => a.startBytes - b.startBytes)) {
    const last = out.at(-1)
    if (last && range.startBytes - last.endBytes <= gapBytes)
      out[out.length - 1] = { startBytes: last.startBytes, endBytes: Math.max(last.endBytes, range.endBytes) }
    else out.push(range)
  }
  return out
}

export const zoneRange = (zone: ZoneFrame): Range => ({
  startBytes: pagesToBytes(zone.startPfn),
  endBytes: pagesToBytes(zone.startPfn + zone.spanned),
})

/** Where the zone has memory: its span without the holes between the node's ranges. */
export function zonePieces(zone: ZoneFrame, preview: MachinePreview): Range[] {
  const ranges = preview.nodes.find((node) => node.nid === zone.nid)?.ranges ?? []
  return ranges.flatMap((range) => cut(range, zoneRange(zone)) ?? [])
}

const block = (range: Range, w: Window, label: string, detail: string): Block => {
  const x = xOf(range.startBytes, w)
  return { x, width: xOf(range.endBytes, w) - x, label, detail }
}

/** Text that fits into a width of so many pixels, at about six pixels a letter; nothing rather than a stump. */
export function fitted(label: string, detail: string, width: number): { label: string; detail: string } {
  const room = Math.floor((width - 8) / LABEL_PX)
  if (label.length > room) return { label: '', detail: '' }
  return { label, detail: label.length + 1 + detail.length > room ? '' : detail }
}

/** The zone's owners, poured into its pieces from the left: how much of what, not where. */
function ownersOf(zone: ZoneFrame, pieces: readonly Range[], w: Window): OwnerBlock[] {
  const placed = pieces.map((piece) => block(piece, w, '', ''))
  const total = placed.reduce((sum, piece) => sum + piece.width, 0)
  const out: OwnerBlock[] = []
  for (const share of zoneShares(zone, total)) {
    let skipped = 0
    for (const piece of placed) {
      const from = Math.max(0, share.x - skipped)
      const to = Math.min(piece.width, share.x + share.width - skipped)
      if (to > from && from < piece.width) out.push({ owner: share.owner, x: piece.x + from, width: to - from })
      skipped += piece.width
    }
  }
  return out
}

/** To the MiB: what firmware keeps of a module is told by the holes. */
export const sizeText = (bytes: Bytes): string => joinFigure(formatBytes(Math.round(bytes / MIB) * MIB))

/** The marks of an axis: a power of two apart, at most ten of them. */
export function axisTicks(endBytes: Bytes, w: Window): Tick[] {
  let step = 64 * MIB
  while (endBytes / step > 10) step *= 2
  const ticks: Tick[] = []
  for (let at = 0; at <= endBytes; at += step) {
    const text = at === 0 ? '0' : at >= GIB || step >= GIB ? `${at / GIB} GiB` : `${at / MIB} MiB`
    ticks.push({ x: xOf(at, w), label: text })
  }
  return ticks
}

const endOf = (preview: MachinePreview): Bytes =>
  Math.max(...preview.nodes.flatMap((node) => node.ranges.map((range) => range.endBytes)), LENS_END)

/** The whole address space in `width` pixels, beginning at `left`. */
export function addressStrip({ preview, zones }: Machine, place: { left: number; width: number }): Strip {
  const endBytes = endOf(preview)
  const w: Window = { startBytes: 0, endBytes, ...place }
  const gapBytes = (GAP_MIN_PX * endBytes) / place.width
  const nodePieces = preview.nodes.map((node) => ({ node, pieces: merged(node.ranges, gapBytes) }))
  return {
    endBytes,
    nodes: nodePieces.flatMap(({ node, pieces }) =>
      pieces.map((piece) => block(piece, w, `Node ${node.nid}`, sizeText(piece.endBytes - piece.startBytes))),
    ),
    zones: zones.flatMap((zone) =>
      merged(zonePieces(zone, preview), gapBytes).map((piece) => block(piece, w, zone.name, '')),
    ),
    owners: zones.flatMap((zone) => ownersOf(zone, merged(zonePieces(zone, preview), gapBytes), w)),
    holes: preview.holes
      .filter((hole) => hole.endBytes - hole.startBytes > gapBytes && hole.startBytes < endBytes)
      .map((hole) => block(hole, w, 'hole', sizeText(hole.endBytes - hole.startBytes))),
    ticks: axisTicks(endBytes, w),
  }
}

/** The first 16 MiB, where zone DMA and the hole of the PC lie: a scale of its own. */
export function lensStrip({ preview, zones }: Machine, place: { left: number; width: number }): Strip {
  const w: Window = { startBytes: 0, endBytes: LENS_END, ...place }
  const holes = preview.holes.filter((hole) => hole.startBytes < LENS_END)
  const marks = [0, ...holes.flatMap((hole) => [hole.startBytes, hole.endBytes]), LENS_END]
  const inside = zones.filter((zone) => zone.name === 'DMA')
  return {
    endBytes: LENS_END,
    nodes: [],
    zones: inside.map((zone) =>
      block(zoneRange(zone), w, zone.name, `managed ${zone.managed} of ${zone.spanned} pages`),
    ),
    owners: inside.flatMap((zone) => ownersOf(zone, zonePieces(zone, preview), w)),
    holes: holes.map((hole) => block(hole, w, 'hole', hole.why)),
    ticks: spread(
      [...new Set(marks)]
        .sort((a, b) => a - b)
        .map((at) => ({ x: xOf(at, w), label: at === 0 ? '0' : `0x${at.toString(16)}` })),
    ),
  }
}

/** Marks whose texts would lie over each other are left out, never the first or the last. */
function spread(ticks: readonly Tick[]): Tick[] {
  const out: Tick[] = []
  for (const [at, tick] of ticks.entries()) {
    const last = out.at(-1)
    const isFree = !last || tick.x - last.x > last.label.length * LABEL_PX + 4
    if (isFree) out.push(tick)
    else if (at === ticks.length - 1) out[out.length - 1] = tick
  }
  return out
}

/** The holes in words, the smallest address first: '0x9f000–0x100000 video memory and firmware of the PC'. */
export const holeWords = (preview: MachinePreview): string[] =>
  preview.holes.map((hole) => `0x${hole.startBytes.toString(16)}–0x${hole.endBytes.toString(16)} ${hole.why}`)
