/**
 * `stress --vm N --vm-bytes B …`: workers that allocate, touch and free memory in a loop, as the tool of that name does.
 * Other worker kinds of the real tool (--cpu, --io, --hdd) are refused by name.
 */
import type { Op, Program, ProgramData, ProgramView, TouchMode } from '../engine/task'
import { PAGE_SIZE } from '../util/units'
import { runSteps, stderr, stdout, type Step, type StepData } from './steps'

interface StressData extends StepData {
  readonly workers: number
  readonly bytes: number
  readonly stride: number
  /** Seconds to sleep before freeing; −1 = do not, 0 = for ever. */
  readonly hang: number
  readonly keep: boolean
  readonly timeoutNs: number
  readonly quiet: boolean
  children: number[]
  started: number
  startNs: number
  failed: boolean
}

interface WorkerData extends StepData {
  readonly role: 'worker'
  readonly bytes: number
  readonly stride: number
  readonly hang: number
  readonly keep: boolean
  readonly endNs: number
  address: number
}

const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1048576, g: 1073741824 }
const TIMES: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400, y: 31536000 }

/** '300M' → bytes; undefined when it is no number. */
function scaled(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+)([a-z]?)$/i.exec(text)
  if (match === null) return undefined
  const factor = match[2] === '' ? 1 : units[match[2]!.toLowerCase()]
  return factor === undefined ? undefined : Number(match[1]) * factor
}

const HELP = `\`stress' imposes certain types of compute stress on your system

Usage: stress [OPTION [ARG]] ...
 -?, --help         show this help statement
 -q, --quiet        be quiet
 -t, --timeout N    timeout after N seconds
 -m, --vm N         spawn N workers spinning on malloc()/free()
     --vm-bytes B   malloc B bytes per vm worker (default is 256MB)
     --vm-stride B  touch a byte every B bytes (default is 4096)
     --vm-hang N    sleep N secs before free (default none, 0 is inf)
     --vm-keep      redirty memory instead of freeing and reallocating

Example: stress --vm 2 --vm-bytes 128M --timeout 10s

Note: Numbers may be suffixed with s,m,h,d,y (time) or B,K,M,G (size).
`

interface Parsed {
  vm: number
  bytes: number
  stride: number
  hang: number
  keep: boolean
  timeout: number
  quiet: boolean
}

const VALUE_OPTIONS: Readonly<Record<string, (p: Parsed, text: string) => number | undefined>> = {
  '--vm': (p, t) => (p.vm = scaled(t, {}) ?? Number.NaN),
  '--vm-bytes': (p, t) => (p.bytes = scaled(t, UNITS) ?? Number.NaN),
  '--vm-stride': (p, t) => (p.stride = scaled(t, UNITS) ?? Number.NaN),
  '--vm-hang': (p, t) => (p.hang = scaled(t, TIMES) ?? Number.NaN),
  '--timeout': (p, t) => (p.timeout = scaled(t, TIMES) ?? Number.NaN),
}
const SHORT: Readonly<Record<string, string>> = { '-m': '--vm', '-t': '--timeout', '-q': '--quiet' }

/** Options, or the line that explains what is wrong. */
function parse(args: readonly string[]): Parsed | string {
  const p: Parsed = { vm: 0, bytes: 256 * 1048576, stride: 4096, hang: -1, keep: false, timeout: 0, quiet: false }
  for (let i = 0; i < args.length; i++) {
    const [raw = '', inline] = args[i]!.split('=')
    const name = SHORT[raw] ?? raw
    if (name === '--vm-keep') p.keep = true
    else if (name === '--quiet') p.quiet = true
    else if (Object.hasOwn(VALUE_OPTIONS, name)) {
      const text = inline ?? args[++i]
      if (text === undefined) return `stress: FAIL: missing argument to option '${raw}'\n`
      if (Number.isNaN(VALUE_OPTIONS[name]!(p, text)))
        return `stress: FAIL: incorrect numeric value '${text}' for option '${raw}'\n`
    } else return `stress: FAIL: unrecognized option '${raw}'; this machine's stress has vm workers only\n`
  }
  return p
}

const info = (pid: number, text: string): Op => stdout(`stress: info: [${pid}] ${text}\n`)

const parentSteps: readonly Step<StressData>[] = [
  (d, view) => {
    d.startNs = view.nowNs
    return d.quiet ? undefined : info(view.pid, `dispatching hogs: 0 cpu, 0 io, ${d.workers} vm, 0 hdd`)
  },
  (d, view) => {
    if (d.started >= d.workers) {
      d.pc++
      return undefined
    }
    d.started++
    return { op: 'fork', child: createWorker(d, view.nowNs) }
  },
  (d, view) => {
    if (view.errno === undefined) d.children.push(view.result)
    d.pc -= 2
    return undefined
  },
  (d) => {
    const pid = d.children[0]
    if (pid === undefined) {
      d.pc += 2
      return undefined
    }
    return { op: 'wait', pid: -1 }
  },
  (d, view) => {
    if (view.errno !== undefined) {
      d.children = []
      d.pc -= 2
      return undefined
    }
    // wait() of any child: pid * 256 + status.
    const pid = Math.floor(view.result / 256)
    const status = view.result % 256
    d.children = d.children.filter((child) => child !== pid)
    d.pc -= 2
    if (status === 0) return undefined
    return workerFailed(d, view, pid, status)
  },
  (d) => {
    // The others are taken down with the one that failed.
    const pid = d.children.shift()
    if (pid === undefined) return undefined
    d.pc--
    return { op: 'signal', pid, signal: 9 }
  },
  (d, view) => {
    const seconds = Math.floor((view.nowNs - d.startNs) / 1e9)
    if (d.failed) {
      d.status = 1
      return stderr(`stress: FAIL: [${view.pid}] (451) failed run completed in ${seconds}s\n`)
    }
    return d.quiet ? undefined : info(view.pid, `successful run completed in ${seconds}s`)
  },
]

function workerFailed(d: StressData, view: ProgramView, pid: number, status: number): Op {
  d.failed = true
  d.pc = 5
  const how = status > 128 ? `got signal ${status - 128}` : `returned error ${status}`
  return stderr(
    `stress: FAIL: [${view.pid}] (415) <-- worker ${pid} ${how}\nstress: WARN: [${view.pid}] (417) now reaping child worker processes\n`,
  )
}

const createWorker = (d: StressData, nowNs: number): WorkerData => ({
  pc: 0,
  status: 0,
  role: 'worker',
  bytes: d.bytes,
  stride: d.stride,
  hang: d.hang,
  keep: d.keep,
  endNs: d.timeoutNs > 0 ? nowNs + d.timeoutNs : Infinity,
  address: 0,
})

const isOver = (d: WorkerData, view: ProgramView): boolean => view.nowNs >= d.endNs

/** First touches of one operation; later ones take a hundredth of the time. */
const TOUCH_CHUNK = 4 << 20
const KNOWN_CHUNK = 256 << 20

/** Pages of one operation when only one byte of several pages is touched. */
const LIST_PAGES = 512

/** One pass over the block, a byte every `stride`, in pieces, so that the alarm is seen in between. */
function sweep(mode: TouchMode): readonly Step<WorkerData>[] {
  const isKnown = (d: WorkerData): boolean => mode === 'read' || d['isTouched'] === true
  return [
    (d) => {
      d['at'] = 0
      return undefined
    },
    (d, view) => {
      const at = Number(d['at'])
      if (isOver(d, view)) d.pc = Number.MAX_SAFE_INTEGER
      if (isOver(d, view) || at >= d.bytes) return undefined
      d.pc--
      if (d.stride <= PAGE_SIZE) {
        const length = Math.min(isKnown(d) ? KNOWN_CHUNK : TOUCH_CHUNK, d.bytes - at)
        d['at'] = at + length
        return { op: 'touch', address: d.address + at, length, mode }
      }
      const end = Math.min(d.bytes, at + LIST_PAGES * d.stride)
      d['at'] = end
      const pages: number[] = []
      for (let offset = at; offset < end; offset += d.stride) pages.push(Math.floor(offset / PAGE_SIZE))
      return { op: 'touchList', address: d.address, pages, mode }
    },
  ]
}

const workerSteps: readonly Step<WorkerData>[] = [
  (d) => (d.address === 0 ? { op: 'malloc', length: d.bytes } : undefined),
  (d, view) => {
    if (d.address === 0) {
      if (view.errno !== undefined) {
        d.status = 1
        d.pc = Number.MAX_SAFE_INTEGER
        return stderr(`stress: FAIL: [${view.pid}] (494) hogvm malloc failed: Cannot allocate memory\n`)
      }
      d.address = view.result
      d['isTouched'] = false
    }
    return undefined
  },
  ...sweep('write'),
  (d, view) => {
    if (d.hang < 0) return undefined
    const left = d.endNs - view.nowNs
    return { op: 'sleep', ns: d.hang === 0 ? Math.min(left, 1e15) : Math.min(left, d.hang * 1e9) }
  },
  // Every byte that was written is compared.
  ...sweep('read'),
  (d) => (d.keep ? undefined : { op: 'free', address: d.address }),
  (d, view) => {
    if (!d.keep) d.address = 0
    d['isTouched'] = true
    d.pc = isOver(d, view) ? Number.MAX_SAFE_INTEGER : 0
    return undefined
  },
]

export const stress: Program = {
  name: 'stress',
  image: { path: '/usr/bin/stress', totalVm: 920, textPages: 380, anonPages: 30 },
  start(argv) {
    const args = argv.slice(1)
    if (args.length === 0 || args.includes('--help') || args.includes('-?'))
      return { ok: false, usage: HELP, status: args.length === 0 ? 1 : 0 }
    const parsed = parse(args)
    if (typeof parsed === 'string') return { ok: false, usage: parsed, status: 1 }
    if (parsed.vm === 0) return { ok: false, usage: 'stress: FAIL: nothing to do: use --vm N\n', status: 1 }
    const data: StressData = {
      pc: 0,
      status: 0,
      workers: parsed.vm,
      bytes: parsed.bytes,
      stride: parsed.stride,
      hang: parsed.hang,
      keep: parsed.keep,
      timeoutNs: parsed.timeout * 1e9,
      quiet: parsed.quiet,
      children: [],
      started: 0,
      startNs: 0,
      failed: false,
    }
    return { ok: true, data }
  },
  next(data: ProgramData, view: ProgramView) {
    const steps = data['role'] === 'worker' ? workerSteps : parentSteps
    return runSteps(steps as readonly Step<StepData>[], data as StepData, view)
  },
}
