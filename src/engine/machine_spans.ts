/**
 * Which frames are RAM, and where zones begin and end: addresses only, from the machine's description.
 * @kernel  mm/mm_init.c, arch/x86/kernel/e820.c
 * @spec    01 §1.2, §1.3
 */
import { assert } from '../util/assert'
import { bytesToPagesFloor, PAGE_SIZE, type Pages, type Pfn } from '../util/units'
import type { MachineConfig } from './config'
import { MAX_NR_ZONES, ZONE_DEVICE, ZONE_DMA, ZONE_DMA32, ZONE_MOVABLE, ZONE_NORMAL } from './mm/gfp'

/** Frames [start, end). */
export interface PfnRange {
  readonly start: Pfn
  readonly end: Pfn
}

/** A zone by address only, before anybody takes frames from it. */
export interface ZoneSpan {
  readonly nid: number
  readonly idx: number
  /** 0 when nothing is spanned. */
  readonly startPfn: Pfn
  readonly spanned: Pages
  readonly present: Pages
}

/** First frame of each zone index and the frame behind the last one; Movable has no fixed place. */
const ZONE_LIMITS: readonly (readonly [Pfn, Pfn])[] = [
  [0, 4096],
  [4096, 1048576],
  [1048576, Number.MAX_SAFE_INTEGER],
]
/** The first frame is given to firmware, and 640 KiB … 1 MiB is not RAM whatever firmware says. */
const LOW_HOLE: PfnRange = { start: 0xa0, end: 0x100 }
/** Frames in a block of the largest order: zones begin and end at multiples of it. */
const MAX_ORDER_PAGES = 1024

/** Frames of RAM of a node, ascending: its ranges that firmware calls usable, without the two low holes. */
export function ramRanges(config: MachineConfig, nid: number): PfnRange[] {
  const node = config.nodes.find((n) => n.nid === nid)
  assert(node !== undefined, `node ${nid} is not in the configuration`)
  const usable = config.firmware.filter((r) => r.type === 'usable')
  const pieces = usable.length === 0 ? [{ start: 0, end: Number.MAX_SAFE_INTEGER }] : usable
  const ranges: PfnRange[] = []
  for (const range of node.ranges) {
    for (const piece of pieces) {
      const start = Math.max(1, Math.ceil(Math.max(range.start, piece.start) / PAGE_SIZE))
      const end = Math.floor(Math.min(range.end, piece.end) / PAGE_SIZE)
      pushWithout(ranges, { start, end }, LOW_HOLE)
    }
  }
  return ranges.sort((a, b) => a.start - b.start)
}

function pushWithout(out: PfnRange[], range: PfnRange, hole: PfnRange): void {
  const below = { start: range.start, end: Math.min(range.end, hole.start) }
  const above = { start: Math.max(range.start, hole.end), end: range.end }
  if (below.start < below.end) out.push(below)
  if (above.start < above.end) out.push(above)
}

const rangesPages = (ranges: readonly PfnRange[]): Pages => ranges.reduce((sum, r) => sum + r.end - r.start, 0)

/** The parts of `ranges` inside [start, end). */
export function clipRanges(ranges: readonly PfnRange[], start: Pfn, end: Pfn): PfnRange[] {
  return ranges
    .map((r) => ({ start: Math.max(r.start, start), end: Math.min(r.end, end) }))
    .filter((r) => r.start < r.end)
}

/** Zones by address only. @kernel mm/mm_init.c calculate_node_totalpages() @spec 01 §1.3 */
export function spanZones(config: MachineConfig): ZoneSpan[] {
  const movable = movableStarts(config)
  return config.nodes.flatMap((node) => {
    const ranges = ramRanges(config, node.nid)
    return Array.from({ length: MAX_NR_ZONES }, (_, idx) => spanOf(node.nid, idx, ranges, movable[node.nid] ?? 0))
  })
}

function spanOf(nid: number, idx: number, ranges: readonly PfnRange[], movableStart: Pfn): ZoneSpan {
  const empty: ZoneSpan = { nid, idx, startPfn: 0, spanned: 0, present: 0 }
  const first = ranges[0]
  const last = ranges[ranges.length - 1]
  if (first === undefined || last === undefined || idx === ZONE_DEVICE) return empty
  const behindLower = movableStart === 0 ? last.end : Math.min(last.end, movableStart)
  const isMovable = idx === ZONE_MOVABLE
  if (isMovable && movableStart === 0) return empty
  const limits = isMovable ? [movableStart, last.end] : ZONE_LIMITS[idx]!
  const start = Math.max(first.start, limits[0]!)
  const end = Math.min(isMovable ? last.end : behindLower, limits[1]!)
  if (start >= end) return empty
  const present = rangesPages(clipRanges(ranges, start, end))
  return { nid, idx, startPfn: start, spanned: end - start, present }
}

/**
 * First Movable frame of each node id, 0 = none: kernelcore= is spread evenly over the nodes with memory.
 * @kernel  mm/mm_init.c find_zone_movable_pfns_for_nodes()
 * @spec    01 §1.3 "kernelcore= / movablecore="
 */
export function movableStarts(config: MachineConfig): number[] {
  const nodes = config.nodes
    .map((n) => ({ nid: n.nid, ranges: ramRanges(config, n.nid) }))
    .filter((n) => n.ranges.length > 0)
  const starts: number[] = config.nodes.map(() => 0)
  const total = nodes.reduce((sum, n) => sum + rangesPages(n.ranges), 0)
  const required = requiredKernelcore(config, total)
  if (required === 0 || required >= total) return starts
  const usableStart = highestZoneStart(nodes.flatMap((n) => n.ranges))
  const at = nodes.map((n) => Math.max(usableStart, n.ranges[0]!.start))
  const left = nodes.map((n) => clipRanges(n.ranges, 0, usableStart))
  let missing = required - left.reduce((sum, r) => sum + rangesPages(r), 0)
  // What lies below the highest zone serves the kernel already; the rest is cut from each node's part in turn.
  for (let share = nodes.length; share > 0 && missing > 0; share--) {
    missing = spreadKernelcore(
      nodes.map((n) => n.ranges),
      at,
      Math.floor(missing / share),
      missing,
    )
  }
  nodes.forEach((n, i) => {
    const start = Math.ceil(at[i]! / MAX_ORDER_PAGES) * MAX_ORDER_PAGES
    const end = n.ranges[n.ranges.length - 1]!.end
    if (start < end) starts[n.nid] = start
  })
  return starts
}

function spreadKernelcore(ranges: readonly (readonly PfnRange[])[], at: Pfn[], perNode: Pages, missing: Pages): Pages {
  let rest = missing
  ranges.forEach((own, i) => {
    let wanted = Math.min(perNode, rest)
    for (const range of clipRanges(own, at[i]!, Number.MAX_SAFE_INTEGER)) {
      if (wanted === 0) break
      const taken = Math.min(wanted, range.end - range.start)
      at[i] = range.start + taken
      wanted -= taken
      rest -= taken
    }
  })
  return rest
}

function requiredKernelcore(config: MachineConfig, total: Pages): Pages {
  let required = bytesToPagesFloor(config.kernelcoreBytes ?? 0)
  const movablecore = bytesToPagesFloor(config.movablecoreBytes ?? 0)
  if (movablecore > 0) {
    const rounded = Math.min(total, Math.ceil(movablecore / MAX_ORDER_PAGES) * MAX_ORDER_PAGES)
    required = Math.max(required, total - rounded)
  }
  return required
}

/** Movable may be carved only out of the highest populated zone. @kernel mm/mm_init.c find_usable_zone_for_movable() */
function highestZoneStart(ranges: readonly PfnRange[]): Pfn {
  for (const idx of [ZONE_NORMAL, ZONE_DMA32, ZONE_DMA]) {
    const [lo, hi] = ZONE_LIMITS[idx]!
    if (clipRanges(ranges, lo, hi).length > 0) return lo
  }
  return 0
}
