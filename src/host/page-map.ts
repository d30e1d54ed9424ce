/**
 * Cells of the frames that the window shows, within a time that a reply may take. What the blocks were at their last look
 * is kept in page-levels.ts.
 */
import { MAX_PAGE_ORDER } from '../engine/mm/gfp'
import { freeKind, readColours, type PageLens } from '../engine/mm/page_colours'
import { FRAME_FREE, FRAME_HOLE, PAGE_KINDS_MAX } from '../engine/mm/page_kinds'
import { BLOCK_PAGES, maskOtherZones, readOwners } from '../engine/mm/page_map'
import type { KernelState } from '../engine/state'
import { CELL_UNREAD, type PageRange } from '../protocol/page-map'
import { countCells, mostFrequent } from './page-cells'
import { levelOf, readSome, wishBlocks, type Level, type PageMapMemory, type Wishes } from './page-levels'

const frames = new Uint8Array(BLOCK_PAGES)
const owners = new Uint8Array(BLOCK_PAGES)

export interface RangeCells {
  readonly cells: Uint8Array
  readonly counts: Float64Array
  readonly staleCells: number
}

/** What one request looks at, and through what. */
interface Look {
  readonly state: KernelState
  readonly memory: PageMapMemory
  readonly lens: PageLens
  /** Of cells up to 2^10 frames; larger ones are made of its counts. */
  readonly level: Level
}

interface Output {
  readonly cells: Uint8Array
  readonly counts: Float64Array
  stale: number
}

/** Cells of the ranges, one after the other. */
export function readRanges(
  state: KernelState,
  memory: PageMapMemory,
  query: { readonly lens: PageLens; readonly shift: number; readonly ranges: readonly PageRange[] },
  nowMs: () => number,
): RangeCells {
  const { lens, shift, ranges } = query
  const level = levelOf(memory, state, Math.min(shift, MAX_PAGE_ORDER), lens)
  const wishes: Wishes = { unseen: [], seen: [] }
  for (const range of ranges) {
    const { from, to } = blocksOf(memory, range, shift)
    wishBlocks(memory, level, from, to, wishes)
  }
  readSome(state, memory, level, lens, wishes, nowMs)
  const cells = new Uint8Array(ranges.reduce((sum, range) => sum + range.cells, 0))
  const out: Output = { cells, counts: new Float64Array(PAGE_KINDS_MAX), stale: 0 }
  const look: Look = { state, memory, lens, level }
  let at = 0
  for (const range of ranges) {
    if (shift > MAX_PAGE_ORDER) writeCoarse(look, range, shift, at, out)
    else writeFine(look, range, at, out)
    at += range.cells
  }
  return { cells, counts: out.counts, staleCells: out.stale }
}

/** Blocks that a range touches, as far as there is memory. */
function blocksOf(memory: PageMapMemory, range: PageRange, shift: number): { from: number; to: number } {
  const from = Math.floor(range.startPfn / BLOCK_PAGES)
  const end = Math.ceil((range.startPfn + range.cells * 2 ** shift) / BLOCK_PAGES)
  return { from, to: Math.min(end, memory.uniform.length) }
}

/** Part of a block: `count` cells from its cell `first` on, written from `at` on. */
interface Piece {
  readonly block: number
  readonly first: number
  readonly count: number
  readonly zone: number
  readonly at: number
}

/** Cells of at most one block each. */
function writeFine(look: Look, range: PageRange, base: number, out: Output): void {
  const { shift } = look.level
  const { uniform, facts } = look.memory
  const perBlock = BLOCK_PAGES >> shift
  const firstCell = Math.floor(range.startPfn / 2 ** shift)
  const endCell = firstCell + range.cells
  const { from, to } = blocksOf(look.memory, range, shift)
  for (let block = from; block < to;) {
    // Blocks that are all alike are written together: most of a large machine is.
    let next = block + 1
    const isPlain = look.lens.colour !== 'migratetype' && uniform[block]! >= 0
    while (isPlain && next < to && uniform[next] === uniform[block] && facts.zones[next] === facts.zones[block]) next++
    const startCell = Math.max(firstCell, block * perBlock)
    const count = Math.min(endCell, next * perBlock) - startCell
    const first = startCell - block * perBlock
    writePiece(look, { block, first, count, zone: range.zone, at: base + startCell - firstCell }, out)
    block = next
  }
}

function writePiece(look: Look, piece: Piece, out: Output): void {
  const { memory, level, lens, state } = look
  const { block, first, count, zone, at } = piece
  const owner = memory.uniform[block]!
  const own = memory.facts.zones[block]!
  if (own >= 0 && own !== zone) return
  if (owner === FRAME_FREE && lens.colour === 'migratetype') {
    for (let i = 0; i < count; i++) {
      const kind = freeKind(state, lens, block * BLOCK_PAGES + ((first + i) << level.shift))
      out.cells[at + i] = kind
      out.counts[kind]! += 2 ** level.shift
    }
  } else if (owner >= 0) {
    const kind = owner === FRAME_FREE ? freeKind(state, lens, block * BLOCK_PAGES) : owner
    out.cells.fill(kind, at, at + count)
    out.counts[kind]! += count * 2 ** level.shift
  } else if (own === -2 || (level.shift > 0 && count < BLOCK_PAGES >> level.shift)) {
    writeCut(look, piece, out)
  } else {
    writeSeen(look, piece, out)
  }
}

/** As the block was at its last look. */
function writeSeen({ memory, level }: Look, { block, first, count, at }: Piece, out: Output): void {
  if (level.readAt[block] !== memory.look) out.stale += count
  if (level.readAt[block] === 0) {
    out.cells.fill(CELL_UNREAD, at, at + count)
    return
  }
  const from = block * (BLOCK_PAGES >> level.shift) + first
  out.cells.set(level.cells.subarray(from, from + count), at)
  if (count === BLOCK_PAGES >> level.shift) {
    const counts = block * PAGE_KINDS_MAX
    for (let kind = 0; kind < PAGE_KINDS_MAX; kind++) out.counts[kind]! += level.counts[counts + kind]!
  } else for (let i = 0; i < count; i++) out.counts[out.cells[at + i]!]!++
}

const cutCells = new Uint8Array(BLOCK_PAGES)
const cutCounts = new Uint16Array(PAGE_KINDS_MAX)

/** Frames of more than one zone, or of a block that the range cuts: read for each reply. */
function writeCut({ state, memory, level, lens }: Look, { block, first, count, zone, at }: Piece, out: Output): void {
  readOwners(state, memory.facts, block, owners)
  maskOtherZones(state, block, zone, owners)
  readColours(state, lens, block, owners, frames)
  countCells(frames, level.shift, cutCells, 0, cutCounts, 0)
  out.cells.set(cutCells.subarray(first, first + count), at)
  for (let i = first << level.shift; i < (first + count) << level.shift; i++) out.counts[frames[i]!]!++
}

/** Cells of several blocks each: the kind of most frames of all of them. */
function writeCoarse(look: Look, range: PageRange, shift: number, base: number, out: Output): void {
  const { memory, lens, state } = look
  const { uniform, facts } = memory
  const size = 2 ** (shift - MAX_PAGE_ORDER)
  const { from, to } = blocksOf(memory, range, shift)
  const one: Output = { cells: new Uint8Array(1), counts: new Float64Array(PAGE_KINDS_MAX), stale: 0 }
  for (let cell = 0, first = from; first < to; cell++, first += size) {
    const end = Math.min(first + size, to)
    const owner = uniform[first]!
    let isPlain = owner >= 0 && lens.colour !== 'migratetype' && facts.zones[first] === range.zone
    for (let block = first + 1; isPlain && block < end; block++)
      isPlain = uniform[block] === owner && facts.zones[block] === range.zone
    if (isPlain) {
      const kind = owner === FRAME_FREE ? freeKind(state, lens, first * BLOCK_PAGES) : owner
      out.cells[base + cell] = kind
      out.counts[kind]! += (end - first) * BLOCK_PAGES
      continue
    }
    one.counts.fill(0)
    one.stale = 0
    for (let block = first; block < end; block++)
      writePiece(look, { block, first: 0, count: 1, zone: range.zone, at: 0 }, one)
    const kind = mostFrequent(one.counts)
    for (let k = 0; k < PAGE_KINDS_MAX; k++) out.counts[k]! += one.counts[k]!
    if (one.stale > 0) out.stale++
    out.cells[base + cell] = kind === FRAME_HOLE && one.stale > 0 ? CELL_UNREAD : kind
  }
}
