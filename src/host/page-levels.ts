/**
 * What was last seen of each block of 1024 frames, kept between the requests of a window.
 *
 * Nothing is watched and no write of the engine pays for it. Free blocks of order 10 and what boot reserved are known
 * without a look; any other block is read again when the machine has moved since its last look, the visible ones first, and
 * as many as a reply has time for: what is older than the reply is said in it.
 */
import { readColours, type PageLens } from '../engine/mm/page_colours'
import { PAGE_KINDS_MAX } from '../engine/mm/page_kinds'
import { BLOCK_PAGES, pageMapFacts, readOwners, readUniformOwners, type PageMapFacts } from '../engine/mm/page_map'
import type { KernelState } from '../engine/state'
import type { Machine } from './machine'
import { countCells } from './page-cells'

/** Wall time that reading blocks for one reply may take: well below what makes a window feel slow. */
const BUDGET_MS = 5
/** Blocks read between two looks at the clock. */
const BLOCKS_PER_LOOK = 16
/** What was seen of each block at one size of cell. */
export interface Level {
  readonly shift: number
  key: string
  readonly cells: Uint8Array
  /** Frames by kind: block * PAGE_KINDS_MAX + kind. */
  readonly counts: Uint16Array
  /** Look at which the block was read last; 0 never. */
  readonly readAt: Int32Array
  /** Where the next reply goes on when one was too short. */
  turn: number
}

/** Looks so far, kept with the machine that is up. */
export interface PageMapMemory {
  state: KernelState | undefined
  facts: PageMapFacts
  /** Owner of each block that is all one, else −1, at this look. */
  uniform: Int8Array
  /** Number of the look: grows whenever the machine has moved. */
  look: number
  eventCount: number
  nowNs: number
  commands: number
  readonly levels: Map<number, Level>
  whole: Level | undefined
}

export const createPageMapMemory = (): PageMapMemory => ({
  state: undefined,
  facts: { ram: [], fixed: new Int8Array(), zones: new Int16Array() },
  uniform: new Int8Array(),
  look: 0,
  eventCount: -1,
  nowNs: -1,
  commands: -1,
  levels: new Map(),
  whole: undefined,
})

/** Notices that the machine has moved since the last request. */
export function lookAgain(memory: PageMapMemory, machine: Machine): void {
  const { state } = machine
  const commands = machine.rewind.log.length
  if (memory.state !== state) {
    memory.facts = pageMapFacts(state)
    memory.uniform = new Int8Array(memory.facts.fixed.length)
    memory.levels.clear()
    memory.whole = undefined
  } else if (
    memory.eventCount === state.eventCount &&
    memory.nowNs === state.nowNs &&
    memory.commands === commands &&
    memory.look > 0
  ) {
    return
  }
  memory.state = state
  memory.look++
  memory.eventCount = state.eventCount
  memory.nowNs = state.nowNs
  memory.commands = commands
  readUniformOwners(state, memory.facts, memory.uniform)
}

export function createLevel(state: KernelState, shift: number, key: string): Level {
  const blocks = Math.ceil(state.memmap.endPfn / BLOCK_PAGES)
  return {
    shift,
    key,
    cells: new Uint8Array((blocks * BLOCK_PAGES) >> shift),
    counts: new Uint16Array(blocks * PAGE_KINDS_MAX),
    readAt: new Int32Array(blocks),
    turn: 0,
  }
}

/** The level of a cell size for a lens; looks through another lens are forgotten. */
export function levelOf(memory: PageMapMemory, state: KernelState, shift: number, lens: PageLens): Level {
  const key = `${lens.colour} ${lens.subject}`
  const found = memory.levels.get(shift)
  if (found === undefined) {
    const level = createLevel(state, shift, key)
    memory.levels.set(shift, level)
    return level
  }
  if (found.key !== key) {
    found.readAt.fill(0)
    found.key = key
  }
  return found
}

const frames = new Uint8Array(BLOCK_PAGES)
const owners = new Uint8Array(BLOCK_PAGES)

function readBlock(state: KernelState, memory: PageMapMemory, level: Level, lens: PageLens, block: number): void {
  readOwners(state, memory.facts, block, owners)
  readColours(state, lens, block, owners, frames)
  const perBlock = BLOCK_PAGES >> level.shift
  countCells(frames, level.shift, level.cells, block * perBlock, level.counts, block * PAGE_KINDS_MAX)
  level.readAt[block] = memory.look
}

/** Blocks that a reply would like to read. */
export interface Wishes {
  /** Never seen: first, because nothing can be shown of them. */
  readonly unseen: number[]
  readonly seen: number[]
}

/** Reads as many of the blocks as the budget allows. */
export function readSome(
  state: KernelState,
  memory: PageMapMemory,
  level: Level,
  lens: PageLens,
  { unseen, seen }: Wishes,
  nowMs: () => number,
): void {
  const untilMs = nowMs() + BUDGET_MS
  const all = unseen.length + seen.length
  for (let n = 0; n < all; n++) {
    const at = n - unseen.length
    if (n % BLOCKS_PER_LOOK === BLOCKS_PER_LOOK - 1 && nowMs() > untilMs) {
      level.turn += Math.max(0, at)
      return
    }
    readBlock(state, memory, level, lens, at < 0 ? unseen[n]! : seen[(level.turn + at) % seen.length]!)
  }
  level.turn = 0
}

/** Notes the blocks of [from, to) that are not known without a look, and were not looked at since the machine moved. */
export function wishBlocks(memory: PageMapMemory, level: Level, from: number, to: number, wishes: Wishes): void {
  const { uniform, look } = memory
  for (let block = from; block < to; block++) {
    if (uniform[block]! >= 0) continue
    const readAt = level.readAt[block]!
    if (readAt !== look) (readAt === 0 ? wishes.unseen : wishes.seen).push(block)
  }
}
