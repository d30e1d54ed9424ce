/** The whole machine by owner: frames of each zone, and a strip of cells from its first frame to its last. */
import { MAX_PAGE_ORDER } from '../engine/mm/gfp'
import { pageZoneIndex } from '../engine/mm/memmap'
import type { PageLens } from '../engine/mm/page_colours'
import { NR_FRAME_OWNERS, PAGE_KINDS_MAX } from '../engine/mm/page_kinds'
import { BLOCK_PAGES, readOwners } from '../engine/mm/page_map'
import type { KernelState } from '../engine/state'
import { CELL_UNREAD, type PageMapWhole } from '../protocol/page-map'
import type { Pages } from '../util/units'
import { mostFrequent } from './page-cells'
import { createLevel, readSome, wishBlocks, type Level, type PageMapMemory, type Wishes } from './page-levels'

/** The strip has at most so many cells. */
const WHOLE_CELLS = 1024
const OWNERS: PageLens = { colour: 'owner', subject: 0 }
const owners = new Uint8Array(BLOCK_PAGES)

/** What only a look at every block of 1024 frames can tell, within the time that a reply may take. */
export function readWhole(state: KernelState, memory: PageMapMemory, nowMs: () => number): PageMapWhole {
  const { endPfn } = state.memmap
  let shift = 0
  while (endPfn / 2 ** shift > WHOLE_CELLS) shift++
  memory.whole ??= createLevel(state, Math.min(shift, MAX_PAGE_ORDER), 'owner')
  const level = memory.whole
  const { uniform, look, facts } = memory
  const wishes: Wishes = { unseen: [], seen: [] }
  wishBlocks(memory, level, 0, uniform.length, wishes)
  readSome(state, memory, level, OWNERS, wishes, nowMs)

  const totals = new Float64Array(state.zones.length * NR_FRAME_OWNERS)
  const cells = new Uint8Array(Math.ceil(endPfn / 2 ** shift))
  const sums = new Float64Array(PAGE_KINDS_MAX)
  const blocksPerCell = 2 ** Math.max(0, shift - MAX_PAGE_ORDER)
  let stalePages: Pages = 0
  for (let block = 0; block < uniform.length; block++) {
    const owner = uniform[block]!
    const zone = facts.zones[block]!
    if (owner >= 0) {
      sums[owner]! += BLOCK_PAGES
      if (zone >= 0) totals[zone * NR_FRAME_OWNERS + owner]! += BLOCK_PAGES
    } else {
      if (level.readAt[block] !== look) stalePages += BLOCK_PAGES
      addSeen(state, memory, level, block, totals, sums)
    }
    if (shift < MAX_PAGE_ORDER) copyCells(memory, level, block, cells)
    else if ((block + 1) % blocksPerCell === 0 || block + 1 === uniform.length) {
      cells[Math.floor(block / blocksPerCell)] = mostFrequent(sums)
      sums.fill(0)
    }
  }
  return { shift, cells, totals, stalePages }
}

/** Counts of a block at its last look; of one where zones meet, frame by frame. */
function addSeen(
  state: KernelState,
  memory: PageMapMemory,
  level: Level,
  block: number,
  totals: Float64Array,
  sums: Float64Array,
): void {
  const zone = memory.facts.zones[block]!
  const from = block * PAGE_KINDS_MAX
  for (let owner = 0; owner < NR_FRAME_OWNERS; owner++) {
    const pages = level.counts[from + owner]!
    sums[owner]! += pages
    if (zone >= 0) totals[zone * NR_FRAME_OWNERS + owner]! += pages
  }
  if (zone !== -2) return
  readOwners(state, memory.facts, block, owners)
  for (let i = 0; i < BLOCK_PAGES; i++) {
    const at = pageZoneIndex(state.memmap, block * BLOCK_PAGES + i)
    if (at >= 0) totals[at * NR_FRAME_OWNERS + owners[i]!]!++
  }
}

function copyCells(memory: PageMapMemory, level: Level, block: number, cells: Uint8Array): void {
  const perBlock = BLOCK_PAGES >> level.shift
  const from = block * perBlock
  const end = Math.min(from + perBlock, cells.length)
  const owner = memory.uniform[block]!
  if (owner >= 0) cells.fill(owner, from, end)
  else if (level.readAt[block] === 0) cells.fill(CELL_UNREAD, from, end)
  else cells.set(level.cells.subarray(from, end), from)
}
