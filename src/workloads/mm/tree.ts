/**
 * `mm files`: touches many small files, so that names and inodes fill the kernel's caches. Not in the captured program.
 *     mm files dir=/data n=10000 op=create|stat|open|unlink [passes=1] [rate=FILES-PER-SECOND]
 */
import type { Op, ProgramView } from '../../engine/task'
import { stdout, type Step } from '../steps'
import { commonSteps, createData, floatOption, holdSteps, longOption, option, roundMs, type MmData } from './options'

interface FilesData extends MmData {
  n: number
  /** Files done in this pass, and passes done. */
  done: number
  pass: number
  failed: number
  fd: number
}

const KINDS = ['create', 'stat', 'open', 'unlink'] as const
const MAX_FILES = 1_000_000

export function createFiles(args: readonly string[]): FilesData | undefined {
  const n = longOption(args, 'n', 1000)
  const kind = option(args, 'op', 'stat')
  if (n < 1 || n > MAX_FILES || !KINDS.some((k) => k === kind) || option(args, 'dir', '') === '') return undefined
  return { ...createData(args), n, done: 0, pass: 0, failed: 0, fd: -1 }
}

const pathOf = (d: FilesData): string => `${option(d.args, 'dir', '').replace(/\/$/, '')}/f${d.done}`

function touchOne(d: FilesData): Op {
  const path = pathOf(d)
  switch (option(d.args, 'op', 'stat')) {
    case 'create':
      return { op: 'open', path, write: true, create: true }
    case 'open':
      return { op: 'open', path }
    case 'unlink':
      return { op: 'unlink', path }
    default:
      return { op: 'stat', path }
  }
}

function pace(d: FilesData, view: ProgramView): Op | undefined {
  const rate = floatOption(d.args, 'rate', 0)
  if (rate <= 0) return undefined
  const aheadNs = d.startNs + ((d.pass * d.n + d.done) / rate) * 1e9 - view.nowNs
  return aheadNs > 1e6 ? { op: 'sleep', ns: Math.floor(aheadNs) } : undefined
}

const isOpening = (d: FilesData): boolean => ['create', 'open'].includes(option(d.args, 'op', 'stat'))

export const filesSteps: readonly Step<FilesData>[] = [
  ...(commonSteps as readonly Step<FilesData>[]),
  (d, view) => {
    d.startNs = view.nowNs
    return undefined
  },
  touchOne,
  (d, view) => {
    if (view.errno !== undefined) d.failed++
    else if (isOpening(d)) return { op: 'close', fd: view.result }
    return undefined
  },
  (d, view) => {
    d.done++
    return pace(d, view)
  },
  (d) => {
    if (d.done < d.n) d.pc -= 4
    return undefined
  },
  (d, view) =>
    stdout(
      `files op=${option(d.args, 'op', 'stat')} n=${d.n} failed=${d.failed} ms=${roundMs(view.nowNs - d.startNs)}\n`,
    ),
  (d) => {
    d.done = 0
    if (++d.pass < longOption(d.args, 'passes', 1)) d.pc -= 6
    return undefined
  },
  ...(holdSteps as readonly Step<FilesData>[]),
]
