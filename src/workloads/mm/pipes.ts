/** `mm pipes`: fills pipes and reads part of each, so that free memory is crumbs between pages that cannot move. */
import { errnoNumber } from '../../util/errno'
import { stdout, type Step } from '../steps'
import { flagFile, waitForFlag } from './flag'
import { PG, commonSteps, createData, longOption, type MmData } from './options'

interface PipesData extends MmData {
  /** Read ends of the pipes. */
  fds: number[]
  /** Bytes written. */
  written: number
  /** Pipe and page that are read. */
  at: number
  page: number
  drained: number
}

type S = Step<PipesData>

/** Bytes of one write: all 16 pages of a pipe. */
const RING = 65_536
const RING_PAGES = RING / PG
/** sizeof(int[2]) */
const FDS_BYTES = 8

export const createPipes = (args: readonly string[]): PipesData => ({
  ...createData(args),
  fds: [],
  written: 0,
  at: 0,
  page: 0,
  drained: 0,
})

const nrPipes = (d: PipesData): number => Math.max(0, longOption(d.args, 'n', 400))
const keepOf = (d: PipesData): number => Math.max(1, longOption(d.args, 'keep', 2))

const prepare: readonly S[] = [
  (d) => ({ op: 'malloc', length: Math.max(1, nrPipes(d) * FDS_BYTES) }),
  (d, view) => ({ op: 'touch', address: view.result, length: Math.max(1, nrPipes(d) * FDS_BYTES), mode: 'write' }),
  () => ({ op: 'malloc', length: RING }),
  (_d, view) => ({ op: 'touch', address: view.result, length: RING, mode: 'write' }),
]

/** One turn a pipe; jumps back until there are enough or the kernel refuses one. */
const fill: readonly S[] = [
  (d) => {
    if (d.fds.length < nrPipes(d)) return { op: 'pipe' }
    d.pc += 2
    return undefined
  },
  (d, view) => {
    if (view.errno !== undefined) {
      d.pc++
      return stdout(`pipe errno ${errnoNumber(view.errno)} at ${d.fds.length}\n`)
    }
    const [readEnd = 0, writeEnd = 0] = view.text.split(' ').map(Number)
    d.fds.push(readEnd)
    return { op: 'write', fd: writeEnd, length: RING }
  },
  (d, view) => {
    if (view.errno === undefined) d.written += view.result
    d.pc -= 3
    return undefined
  },
]

/** Reads each pipe page by page up to the first one to be kept. */
const drain: readonly S[] = [
  (d) => {
    while (d.at < d.fds.length && (d.page >= RING_PAGES || d.page % keepOf(d) === keepOf(d) - 1)) {
      d.at++
      d.page = 0
    }
    if (d.at < d.fds.length) return { op: 'read', fd: d.fds[d.at]!, length: PG }
    d.pc++
    return undefined
  },
  (d, view) => {
    if (view.result === PG) d.drained++
    d.page++
    d.pc -= 2
    return undefined
  },
]

export const pipesSteps: readonly S[] = [
  ...(commonSteps as readonly S[]),
  // Two descriptors a pipe: more than a program may have unless it asks.
  () => ({ op: 'setrlimit', resource: 'nofile', bytes: 200_000, hard: 200_000 }),
  ...prepare,
  ...fill,
  (d) => stdout(`pipes=${d.fds.length} bytes=${d.written}\n`),
  ...(flagFile('pipes.touched') as readonly S[]),
  ...(waitForFlag('pipes.go') as readonly S[]),
  ...drain,
  (d) => stdout(`drained_pages=${d.drained}\n`),
  ...(flagFile('pipes.freed') as readonly S[]),
  ...(waitForFlag('pipes.end') as readonly S[]),
]
