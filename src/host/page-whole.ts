/** The whole machine by owner: frames of each zone, and a strip of cells from its first frame to its last. */
import { pageZoneIndex } from '../engine/mm/memmap'
import type { PageLens } from '../engine/mm/page_colours'
import { NR_FRAME_OWNERS, PAGE_KINDS_MAX } from '../engine/mm/page_kinds'
import { BLOCK_PAGES, readOwners, uniformOwner } from '../engine/mm/page_map'
import type { KernelState } from '../engine/state'
import { CELL_UNREAD, type PageMapWhole } from '../protocol/page-map'
import type { Pages } from '../util/units'
import { mostFrequent } from './page-cells'
import { createLevel, readSome, type Level, type PageMapMemory } from './page-levels'

const BLOCK_SHIFT = 10
/** The strip has at most so many cells. */
const WHOLE_CELLS = 1024
const owners = new Uint8Array(BLOCK_PAGES)

const OWNERS: PageLens = { colour: 'owner', subject: 0 }

/** Frames by zone and owner, and one strip of cells for all of memory. */
export function readWhole(state: KernelState, memory: PageMapMemory, nowMs: () => number): PageMapWhole {
  const { endPfn } = state.memmap
  let shift = 0
  while (endPfn / 2 ** shift > WHOLE_CELLS) shift++
  memory.whole ??= createLevel(state, Math.min(shift, BLOCK_SHIFT), 'owner')
  const level = memory.whole
  const blocks = Math.ceil(endPfn / BLOCK_PAGES)
  const todo: number[] = []
  for (let block = 0; block < blocks; block++)
    if (level.readAt[block] !== memory.look && uniformOwner(state, memory.facts, block) < 0) todo.push(block)
  readSome(state, memory, level, OWNERS, todo, nowMs)

  const totals = new Float64Array(state.zones.length * NR_FRAME_OWNERS)
  const cells = new Uint8Array(Math.ceil(endPfn / 2 ** shift))
  const sums = new Float64Array(PAGE_KINDS_MAX)
  const blocksPerCell = 2 ** Math.max(0, shift - BLOCK_SHIFT)
  let stalePages: Pages = 0
  for (let block = 0; block < blocks; block++) {
    if (block % blocksPerCell === 0) sums.fill(0)
    if (!addBlock(state, memory, level, block, totals, sums)) stalePages += BLOCK_PAGES
    if (shift < BLOCK_SHIFT) copyCells(state, memory, level, block, cells)
    else if (block % blocksPerCell === blocksPerCell - 1 || block === blocks - 1)
      cells[Math.floor(block / blocksPerCell)] = mostFrequent(sums)
  }
  return { shift, cells, totals, stalePages }
}

/** @returns whether the block was seen at this look */
function addBlock(
  state: KernelState,
  memory: PageMapMemory,
  level: Level,
  block: number,
  totals: Float64Array,
  sums: Float64Array,
): boolean {
  const uniform = uniformOwner(state, memory.facts, block)
  if (uniform >= 0) {
    sums[uniform]! += BLOCK_PAGES
    const zone = pageZoneIndex(state.memmap, block * BLOCK_PAGES)
    if (zone >= 0) totals[zone * NR_FRAME_OWNERS + uniform]! += BLOCK_PAGES
    return true
  }
  const at = block * PAGE_KINDS_MAX
  for (let owner = 0; owner < NR_FRAME_OWNERS; owner++) sums[owner]! += level.counts[at + owner]!
  addToZones(state, memory, level, block, totals)
  return level.readAt[block] === memory.look
}

function addToZones(
  state: KernelState,
  memory: PageMapMemory,
  level: Level,
  block: number,
  totals: Float64Array,
): void {
  const start = block * BLOCK_PAGES
  let zone = -1
  let isOne = true
  for (let i = 0; i < BLOCK_PAGES; i += 256) {
    const at = pageZoneIndex(state.memmap, start + i)
    if (at < 0) continue
    if (zone >= 0 && at !== zone) isOne = false
    zone = at
  }
  if (zone < 0) return
  if (isOne) {
    const from = block * PAGE_KINDS_MAX
    for (let owner = 0; owner < NR_FRAME_OWNERS; owner++)
      totals[zone * NR_FRAME_OWNERS + owner]! += level.counts[from + owner]!
    return
  }
  readOwners(state, memory.facts, block, owners)
  for (let i = 0; i < BLOCK_PAGES; i++) {
    const at = pageZoneIndex(state.memmap, start + i)
    if (at >= 0) totals[at * NR_FRAME_OWNERS + owners[i]!]!++
  }
}

function copyCells(state: KernelState, memory: PageMapMemory, level: Level, block: number, cells: Uint8Array): void {
  const perBlock = BLOCK_PAGES >> level.shift
  const uniform = uniformOwner(state, memory.facts, block)
  const from = block * perBlock
  const count = Math.min(perBlock, cells.length - from)
  if (uniform >= 0) cells.fill(uniform, from, from + count)
  else if (level.readAt[block] === 0) cells.fill(CELL_UNREAD, from, from + count)
  else cells.set(level.cells.subarray(from, from + count), from)
}
