/** `mm hog`: touches private anonymous memory page by page, at a rate, and reports to a log. */
import type { Op, ProgramView } from '../../engine/task'
import type { Step } from '../steps'
import {
  MB,
  PG,
  alignedRegionSteps,
  commonSteps,
  createData,
  floatOption,
  hasOption,
  holdSteps,
  longOption,
  option,
  roundMs,
  waitFor,
  type MmData,
} from './options'
import { phaseSteps } from './phase'

interface HogData extends MmData {
  /** Descriptor that reports go to. */
  log: number
  /** Pages touched in this loop. */
  page: number
  loop: number
  /** Pages of the touch under way. */
  chunk: number
  /** Bytes at which the next report is due. */
  nextReport: number
  retouch: boolean
}

export const createHog = (args: readonly string[]): HogData => ({
  ...createData(args),
  bytes: longOption(args, 'mb', 100) * MB,
  log: 1,
  page: 0,
  loop: 0,
  chunk: 0,
  nextReport: longOption(args, 'report', 0) * MB,
  retouch: longOption(args, 'retouch', 0) !== 0,
})

/** Pages until the rate is looked at (after every page whose index is a multiple of 16) or a report is due. */
function chunkLength(d: HogData): number {
  const total = d.bytes / PG
  let end = total
  if (floatOption(d.args, 'rate', 0) > 0) end = Math.min(end, (d.page === 0 ? 0 : Math.ceil(d.page / 16) * 16) + 1)
  const isReporting = longOption(d.args, 'report', 0) > 0 && d.loop === 0
  if (isReporting && d.nextReport / PG > d.page) end = Math.min(end, d.nextReport / PG)
  return Math.max(1, end - d.page)
}

/** Sleep that keeps the rate, if the hog is ahead by more than 1 ms. */
function pace(d: HogData, view: ProgramView): Op | undefined {
  const rate = floatOption(d.args, 'rate', 0)
  const last = d.page - 1
  if (rate <= 0 || last % 16 !== 0) return undefined
  const dueNs = d.startNs + ((d.loop * d.bytes + last * PG) / (rate * MB)) * 1e9
  const aheadNs = dueNs - view.nowNs
  return aheadNs > 1e6 ? { op: 'sleep', ns: Math.floor(aheadNs) } : undefined
}

const prepare: readonly Step<HogData>[] = [
  (d) => {
    const thp = option(d.args, 'thp', 'nohuge')
    if (thp !== 'nohuge' && thp !== 'huge') return undefined
    return { op: 'madvise', address: d.address, length: d.bytes, advice: thp === 'huge' ? 'hugepage' : 'nohugepage' }
  },
  (d) => (longOption(d.args, 'lock', 0) !== 0 ? { op: 'mlockall', current: true, future: true } : undefined),
  (d) =>
    hasOption(d.args, 'log')
      ? { op: 'open', path: option(d.args, 'log', ''), write: true, create: true, truncate: true }
      : undefined,
  (d, view) => {
    if (hasOption(d.args, 'log')) d.log = view.errno === undefined ? view.result : 1
    d.startNs = view.nowNs
    return undefined
  },
]

/** Touch, pace, report; jumps back to itself until all loops are done. */
const touchLoop: readonly Step<HogData>[] = [
  (d) => {
    d.chunk = chunkLength(d)
    return {
      op: 'touch',
      address: d.address + d.page * PG,
      length: d.chunk * PG,
      mode: 'write',
      incompressible: d.loop === 0 && longOption(d.args, 'rand', 0) !== 0,
    }
  },
  (d, view) => {
    d.page += d.chunk
    return pace(d, view)
  },
  (d, view) => {
    const report = longOption(d.args, 'report', 0)
    if (report <= 0 || d.loop > 0 || d.page * PG < d.nextReport) return undefined
    d.nextReport += report * MB
    return { op: 'write', fd: d.log, text: `${roundMs(view.nowNs)} hog touched_mb=${Math.floor((d.page * PG) / MB)}\n` }
  },
  (d) => {
    if (d.page * PG < d.bytes) d.pc -= 4
    else if (++d.loop < longOption(d.args, 'loops', 1)) {
      d.page = 0
      d.pc -= 4
    }
    return undefined
  },
]

const tail: readonly Step<HogData>[] = [
  (d, view) => ({
    op: 'write',
    fd: d.log,
    text: `${roundMs(view.nowNs)} hog done mb=${d.bytes / MB} ms=${roundMs(view.nowNs - d.startNs)} minflt=${view.minflt} majflt=${view.majflt}\n`,
  }),
]

const retouch: readonly Step<HogData>[] = [
  (d) => {
    if (!d.retouch) d.pc = Number.MAX_SAFE_INTEGER
    return undefined
  },
  ...phaseSteps<HogData>('', false),
  (d) => ({ op: 'touch', address: d.address, length: d.bytes, mode: 'read' }),
  ...phaseSteps<HogData>('retouch', true),
]

export const hogSteps: readonly Step<HogData>[] = [
  ...(commonSteps as readonly Step<HogData>[]),
  ...(waitFor('go') as readonly Step<HogData>[]),
  ...(alignedRegionSteps as readonly Step<HogData>[]),
  ...prepare,
  ...touchLoop,
  ...tail,
  ...(holdSteps as readonly Step<HogData>[]),
  ...retouch,
]
