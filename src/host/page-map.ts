/**
 * Cells of the frames that the window shows, within a time that a reply may take. What the blocks were at their last look
 * is kept in page-levels.ts.
 */
import { pageZoneIndex } from '../engine/mm/memmap'
import { freeKind, readColours, type PageLens } from '../engine/mm/page_colours'
import { FRAME_FREE, FRAME_HOLE, PAGE_KINDS_MAX } from '../engine/mm/page_kinds'
import { BLOCK_PAGES, maskOtherZones, readOwners, uniformOwner } from '../engine/mm/page_map'
import type { KernelState } from '../engine/state'
import { CELL_UNREAD, type PageRange } from '../protocol/page-map'
import { countCells } from './page-cells'
import { levelOf, readSome, type Level, type PageMapMemory } from './page-levels'

const frames = new Uint8Array(BLOCK_PAGES)
const owners = new Uint8Array(BLOCK_PAGES)

export interface RangeCells {
  readonly cells: Uint8Array
  readonly counts: Float64Array
  readonly staleCells: number
}

/** Cells of the ranges, one after the other. */
export function readRanges(
  state: KernelState,
  memory: PageMapMemory,
  query: { readonly lens: PageLens; readonly shift: number; readonly ranges: readonly PageRange[] },
  nowMs: () => number,
): RangeCells {
  const { lens, shift, ranges } = query
  const level = levelOf(memory, state, shift, lens)
  const todo: number[] = []
  for (const range of ranges)
    forEachBlock(state, range, shift, (block) => {
      if (level.readAt[block] !== memory.look && uniformOwner(state, memory.facts, block) < 0) todo.push(block)
    })
  readSome(state, memory, level, lens, todo, nowMs)
  const cells = new Uint8Array(ranges.reduce((sum, range) => sum + range.cells, 0))
  const counts = new Float64Array(PAGE_KINDS_MAX)
  const out: Output = { cells, counts, at: 0, stale: 0 }
  for (const range of ranges) {
    const base = out.at
    forEachBlock(state, range, shift, (block, first, count, offset) => {
      out.at = base + offset
      writeBlock(state, memory, level, lens, { block, first, count, zone: range.zone }, out)
    })
    out.at = base + range.cells
  }
  return { cells, counts, staleCells: out.stale }
}

interface Output {
  readonly cells: Uint8Array
  readonly counts: Float64Array
  at: number
  stale: number
}

/** Part of a block: `count` cells from its cell `first` on. */
interface Piece {
  readonly block: number
  readonly first: number
  readonly count: number
  readonly zone: number
}

/** Blocks of a range below the end of memory, with the cells of each that lie in the range. */
function forEachBlock(
  state: KernelState,
  range: PageRange,
  shift: number,
  visit: (block: number, first: number, count: number, offset: number) => void,
): void {
  const perBlock = BLOCK_PAGES >> shift
  const startCell = Math.floor(range.startPfn / 2 ** shift)
  const blocks = Math.ceil(state.memmap.endPfn / BLOCK_PAGES)
  for (let cell = startCell; cell < startCell + range.cells;) {
    const block = Math.floor(cell / perBlock)
    if (block >= blocks) return
    const end = Math.min((block + 1) * perBlock, startCell + range.cells)
    visit(block, cell - block * perBlock, end - cell, cell - startCell)
    cell = end
  }
}

function writeBlock(
  state: KernelState,
  memory: PageMapMemory,
  level: Level,
  lens: PageLens,
  piece: Piece,
  out: Output,
): void {
  const { block, first, count, zone } = piece
  const start = block * BLOCK_PAGES
  const uniform = uniformOwner(state, memory.facts, block)
  if (uniform >= 0 && pageZoneIndex(state.memmap, start) !== zone && uniform !== FRAME_HOLE) return
  if (uniform === FRAME_FREE && lens.colour === 'migratetype') {
    for (let i = 0; i < count; i++) {
      const kind = freeKind(state, lens, start + ((first + i) << level.shift))
      out.cells[out.at + i] = kind
      out.counts[kind]! += 2 ** level.shift
    }
  } else if (uniform >= 0) {
    const kind = uniform === FRAME_FREE ? freeKind(state, lens, start) : uniform
    out.cells.fill(kind, out.at, out.at + count)
    out.counts[kind]! += count << level.shift
  } else if (isMixed(state, block, zone) || (level.shift > 0 && count < BLOCK_PAGES >> level.shift)) {
    writeMixed(state, memory, level.shift, lens, piece, out)
  } else {
    const isRead = level.readAt[block]! > 0
    if (level.readAt[block] !== memory.look) out.stale += count
    if (!isRead) {
      out.cells.fill(CELL_UNREAD, out.at, out.at + count)
      return
    }
    const from = block * (BLOCK_PAGES >> level.shift) + first
    out.cells.set(level.cells.subarray(from, from + count), out.at)
    addCounts(level, piece, out)
  }
}

/** Whole blocks have their counts; a part is only counted when a cell is a frame. */
function addCounts(level: Level, { block, count }: Piece, out: Output): void {
  if (count === BLOCK_PAGES >> level.shift) {
    const at = block * PAGE_KINDS_MAX
    for (let kind = 0; kind < PAGE_KINDS_MAX; kind++) out.counts[kind]! += level.counts[at + kind]!
    return
  }
  for (let i = 0; i < count; i++) out.counts[out.cells[out.at + i]!]!++
}

/** Frames of more than one zone, or of another: read for each reply, as is the rest of a block that a range cuts. */
function isMixed(state: KernelState, block: number, zone: number): boolean {
  const start = block * BLOCK_PAGES
  for (let i = 0; i < BLOCK_PAGES; i += 256) {
    const at = pageZoneIndex(state.memmap, start + i)
    if (at !== zone && at >= 0) return true
  }
  return false
}

const mixedCells = new Uint8Array(BLOCK_PAGES)
const mixedCounts = new Uint16Array(PAGE_KINDS_MAX)

function writeMixed(
  state: KernelState,
  memory: PageMapMemory,
  shift: number,
  lens: PageLens,
  { block, first, count, zone }: Piece,
  out: Output,
): void {
  readOwners(state, memory.facts, block, owners)
  maskOtherZones(state, block, zone, owners)
  readColours(state, lens, block, owners, frames)
  countCells(frames, shift, mixedCells, 0, mixedCounts, 0)
  out.cells.set(mixedCells.subarray(first, first + count), out.at)
  for (let i = first << shift; i < (first + count) << shift; i++) out.counts[frames[i]!]!++
}
