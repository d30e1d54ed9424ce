/** `mm read`, `mm write`: streams through the page cache. */
import type { Op, ProgramView } from '../../engine/task'
import { stdout, type Step } from '../steps'
import {
  MB,
  commonSteps,
  createData,
  floatOption,
  holdSteps,
  longOption,
  option,
  roundMs,
  waitFor,
  type MmData,
} from './options'

interface StreamData extends MmData {
  fd: number
  /** Bytes of this pass, and of all passes. */
  done: number
  total: number
  pass: number
}

export const createStream = (args: readonly string[], mb: number): StreamData => ({
  ...createData(args),
  bytes: longOption(args, 'mb', mb) * MB,
  fd: -1,
  done: 0,
  total: 0,
  pass: 0,
})

const BUFFER = 131072

function pace(d: StreamData, view: ProgramView): Op | undefined {
  const rate = floatOption(d.args, 'rate', 0)
  if (rate <= 0) return undefined
  const aheadNs = d.startNs + (d.total / (rate * MB)) * 1e9 - view.nowNs
  return aheadNs > 1e6 ? { op: 'sleep', ns: Math.floor(aheadNs) } : undefined
}

const failOpen = (d: StreamData): Op => {
  d.status = 1
  d.pc = Number.MAX_SAFE_INTEGER
  return stdout('open errno 2\n')
}

/** Index of the step that opens the file, relative to the loop's last step. */
export const readSteps: readonly Step<StreamData>[] = [
  ...(commonSteps as readonly Step<StreamData>[]),
  ...(waitFor('go') as readonly Step<StreamData>[]),
  (d) => ({ op: 'malloc', length: longOption(d.args, 'bs', BUFFER) }),
  (d, view) => {
    d.startNs = view.nowNs
    return undefined
  },
  // One pass: open, read until the end or mb, close, report.
  (d) => {
    d.done = 0
    return { op: 'open', path: option(d.args, 'file', '') }
  },
  (d, view) => {
    if (view.errno !== undefined) return failOpen(d)
    d.fd = view.result
    return undefined
  },
  (d) => ({ op: 'read', fd: d.fd, length: longOption(d.args, 'bs', BUFFER) }),
  (d, view) => {
    if (view.errno !== undefined || view.result <= 0) {
      d.pc++
      return { op: 'close', fd: d.fd }
    }
    d.done += view.result
    d.total += view.result
    return pace(d, view)
  },
  (d) => {
    if (d.bytes === 0 || d.done < d.bytes) {
      d.pc -= 3
      return undefined
    }
    return { op: 'close', fd: d.fd }
  },
  (d, view) => stdout(`read pass=${d.pass} bytes=${d.done} ms=${roundMs(view.nowNs - d.startNs)}\n`),
  (d) => {
    if (++d.pass < longOption(d.args, 'passes', 1)) d.pc -= 7
    return undefined
  },
  ...(holdSteps as readonly Step<StreamData>[]),
]

export const writeSteps: readonly Step<StreamData>[] = [
  ...(commonSteps as readonly Step<StreamData>[]),
  (d) => ({ op: 'open', path: option(d.args, 'file', ''), write: true, create: true, truncate: true }),
  (d, view) => {
    if (view.errno !== undefined) return failOpen(d)
    d.fd = view.result
    return { op: 'malloc', length: BUFFER }
  },
  (d, view) => {
    d.startNs = view.nowNs
    return { op: 'touch', address: view.result, length: BUFFER, mode: 'write' }
  },
  (d) => {
    if (d.done < d.bytes) return { op: 'write', fd: d.fd, length: BUFFER }
    d.pc += 2
    return undefined
  },
  (d, view) => {
    if (view.errno !== undefined || view.result <= 0) {
      d.pc++
      return stdout(`write stopped at ${d.done} errno=28\n`)
    }
    d.done += view.result
    d.total = d.done
    return pace(d, view)
  },
  (d) => {
    d.pc -= 3
    return undefined
  },
  (d, view) => stdout(`wrote bytes=${d.done} ms=${roundMs(view.nowNs - d.startNs)}\n`),
  (d) => (longOption(d.args, 'sync', 0) !== 0 ? { op: 'fsync', fd: d.fd } : undefined),
  (d, view) =>
    longOption(d.args, 'sync', 0) !== 0 ? stdout(`fsync done ms=${roundMs(view.nowNs - d.startNs)}\n`) : undefined,
  (d) => ({ op: 'close', fd: d.fd }),
  ...(holdSteps as readonly Step<StreamData>[]),
]
