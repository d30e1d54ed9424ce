/** `k=v` arguments of the lab program, with C's number syntax, and what every subcommand does first. */
import type { Op } from '../../engine/task'
import type { Step, StepData } from '../steps'

export const MB = 1 << 20
export const PG = 4096

export interface MmData extends StepData {
  readonly args: readonly string[]
  /** Address of the region under test. */
  address: number
  bytes: number
  /** Bytes cut off in front of the aligned region. */
  head: number
  /** CLOCK_MONOTONIC at the start of the timed part, ns. */
  startNs: number
}

/** Value of the first `key=…`, else the default. */
export function option(args: readonly string[], key: string, fallback: string): string {
  const found = args.find((a) => a.startsWith(`${key}=`))
  return found === undefined ? fallback : found.slice(key.length + 1)
}

export const hasOption = (args: readonly string[], key: string): boolean => args.some((a) => a.startsWith(`${key}=`))

/** strtol(s, 0, 0): leading integer, decimal, hex or octal; 0 when there is none. */
export function longOption(args: readonly string[], key: string, fallback: number): number {
  if (!hasOption(args, key)) return fallback
  const match = /^\s*([-+]?)(0x[0-9a-f]+|0[0-7]*|\d+)/i.exec(option(args, key, ''))
  if (match === null) return 0
  const digits = match[2]!
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits)
  return match[1] === '-' ? -value : value
}

/** atof(s) */
export function floatOption(args: readonly string[], key: string, fallback: number): number {
  const match = /^\s*[-+]?(\d+(\.\d*)?|\.\d+)/.exec(option(args, key, String(fallback)))
  return match === null ? 0 : Number(match[0])
}

export const createData = (args: readonly string[]): MmData => ({
  pc: 0,
  status: 0,
  args,
  address: 0,
  bytes: 0,
  head: 0,
  startNs: 0,
})

export const nowMs = (ns: number): number => ns / 1e6
/** printf("%.0f"): rounds half to even like the C library; halves are exact in binary. */
export function roundMs(ns: number): string {
  const ms = nowMs(ns)
  const floor = Math.floor(ms)
  const rest = ms - floor
  if (rest === 0.5) return String(floor % 2 === 0 ? floor : floor + 1)
  return String(Math.round(ms))
}

const write = (path: string, text: string): Op => ({ op: 'writeFile', path, text })

/** oomadj, cg, name, cpu: in this order, each only when given. Failures are ignored as in the C program. */
export const commonSteps: readonly Step<MmData>[] = [
  (d) => (hasOption(d.args, 'oomadj') ? write('/proc/self/oom_score_adj', option(d.args, 'oomadj', '')) : undefined),
  (d) => (hasOption(d.args, 'cg') ? write(`${option(d.args, 'cg', '')}/cgroup.procs`, '0') : undefined),
  (d) => (hasOption(d.args, 'name') ? write('/proc/self/comm', option(d.args, 'name', '')) : undefined),
  (d) => (longOption(d.args, 'cpu', -1) >= 0 ? { op: 'setAffinity', cpu: longOption(d.args, 'cpu', -1) } : undefined),
]

/** Waits until a file exists, looking every 50 ms. `key` names the option with its path. */
export function waitFor(key: string): readonly Step<MmData>[] {
  return [
    (d) => (hasOption(d.args, key) ? { op: 'stat', path: option(d.args, key, '') } : undefined),
    (d, view) => {
      if (!hasOption(d.args, key) || view.errno === undefined) return undefined
      d.pc -= 2
      return { op: 'sleep', ns: 50_000_000 }
    },
  ]
}

/** until=FILE, hold=-1 (for ever), hold=SECONDS. */
export const holdSteps: readonly Step<MmData>[] = [
  ...waitFor('until'),
  (d) => {
    if (hasOption(d.args, 'until')) return undefined
    const seconds = longOption(d.args, 'hold', 0)
    if (seconds === 0) return undefined
    if (seconds > 0) return { op: 'sleep', ns: seconds * 1e9 }
    d.pc--
    return { op: 'pause' }
  },
]

const RW = 3
const PRIVATE_ANON = 0x22

/** mmap N + 2 MiB and cut it to an aligned N, as the C program does to make huge-page results exact. */
export const alignedRegionSteps: readonly Step<MmData>[] = [
  (d) => ({ op: 'mmap', length: d.bytes + 2 * MB, prot: RW, flags: PRIVATE_ANON }),
  (d, view) => {
    if (view.errno !== undefined) {
      d.status = 3
      d.pc = Number.MAX_SAFE_INTEGER
      return { op: 'write', fd: 1, text: `mmap failed errno=12\n` }
    }
    const start = view.result
    d.address = Math.ceil(start / (2 * MB)) * 2 * MB
    d.head = d.address - start
    return d.address > start ? { op: 'munmap', address: start, length: d.address - start } : undefined
  },
  (d) => {
    // The slack of 2 MiB less what was cut off in front.
    const tail = 2 * MB - d.head
    return tail > 0 ? { op: 'munmap', address: d.address + d.bytes, length: tail } : undefined
  },
]
