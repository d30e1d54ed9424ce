/**
 * A machine of a few lines behind the engine's interface, for tests of recorder and host that must not depend on how
 * memory works: tasks that tick, print, stall and end, driven by the real queue and the real random streams.
 */
import { ok, err, type Result } from '../../src/util/result'
import type { CommandResult, Command, Refusal } from '../../src/engine/commands'
import type { MachineConfig } from '../../src/engine/config'
import type { Sink } from '../../src/engine/context'
import { takeCheckpoint, restoreCheckpoint } from '../../src/engine/checkpoint'
import type { Engine } from '../../src/engine/engine_api'
import { createQueue, nextEventAt, popEvent, schedule } from '../../src/engine/queue'
import type { KernelState } from '../../src/engine/state'
import type { Task } from '../../src/engine/task'
import { TRACEPOINT_NAMES, type Tracepoint } from '../../src/engine/trace'
import { assert } from '../../src/util/assert'
import { createPrng, below } from '../../src/util/prng'
import { NS_PER_MS, NS_PER_S, type Ns } from '../../src/util/units'

const QUIET: Sink = { stopRequested: false }

const refuse = (errno: Refusal['errno']): CommandResult => err({ errno, explanation: '' })
const done = (value = 0, text = ''): CommandResult => ok({ value, text })

function newTask(state: KernelState, ppid: number, argv: readonly string[], program: string): Task {
  const pid = ++state.lastPid
  const task = {
    pid,
    tgid: pid,
    ppid,
    comm: argv[0] ?? 'sh',
    argv,
    state: 'S',
    waitChannel: '',
    cpu: 0,
    program,
    data: { n: 0 },
    zombies: [],
    stallNs: 0,
    exitStatus: 0,
    isKthread: false,
    cgroup: 1,
    mm: -1,
    utimeNs: 0,
    stimeNs: 0,
    oomScoreAdj: 0,
    minFlt: 0,
    majFlt: 0,
    isOomVictim: false,
  } as unknown as Task
  state.tasks[pid] = task
  state.taskList.push(pid)
  return task
}

function exit(state: KernelState, sink: Sink, task: Task, status: number): void {
  task.state = 'Z'
  task.exitStatus = status
  state.tasks[task.ppid]?.zombies.push(task.pid)
  sink.exited?.(task.pid, status)
}

const trace = (state: KernelState, sink: Sink, name: Tracepoint, pid: number, args: number[]): void =>
  sink.trace?.(TRACEPOINT_NAMES.indexOf(name), state.nowNs, pid, 0, args, '')

/** One step of a program: sleep N, burn N (N ticks of 1 ms with output and reclaim), or a tool that gets loaded. */
function step(state: KernelState, sink: Sink, task: Task): void {
  const n = task.data['n'] as number
  task.data['n'] = n + 1
  const again = (ns: Ns): void =>
    schedule(state.queue, state.nowNs + ns, { kind: 'taskWake', pid: task.pid, sequence: 0 })
  if (task.program === 'tool') {
    if (n === 0) again(300_000)
    else sink.ready?.(task.pid)
  } else if (task.program === 'sleep') {
    if (n === 0) again(Number(task.argv[1]) * NS_PER_S)
    else exit(state, sink, task, 0)
  } else if (task.program === 'burn') {
    if (n === Number(task.argv[1])) return exit(state, sink, task, 3)
    state.committedAs += below(state.prng, 'fake', 1000)
    state.memmap.flags[below(state.prng, 'fake/page', state.memmap.endPfn)]! += 1
    trace(state, sink, n % 2 === 0 ? 'mm_vmscan_direct_reclaim_begin' : 'mm_vmscan_direct_reclaim_end', task.pid, [
      n,
      0,
    ])
    if (n % 10 === 0) sink.output?.(task.pid, 1, `tick ${n} ${state.committedAs}\n`)
    if (task.argv[2] === 'crash' && n === 5) assert(false, 'the fake machine was told to break')
    again(NS_PER_MS)
  }
}

function command(state: KernelState, c: Command, sink: Sink): CommandResult {
  switch (c.kind) {
    case 'spawn': {
      const name = c.argv[0]!
      const program = c.tool === true ? 'tool' : name
      if (!['tool', 'sleep', 'burn'].includes(program)) return refuse('ENOENT')
      const task = newTask(state, c.parent, c.argv, program)
      schedule(state.queue, state.nowNs, { kind: 'taskWake', pid: task.pid, sequence: 0 })
      return done(task.pid)
    }
    case 'fork':
      return done(newTask(state, c.parent, [state.tasks[c.parent]!.comm], '').pid)
    case 'exit':
      exit(state, sink, state.tasks[c.pid]!, c.status)
      return done()
    case 'reap': {
      const zombies = state.tasks[c.parent]?.zombies ?? []
      const at = zombies.indexOf(c.pid)
      if (at < 0) return refuse('ECHILD')
      zombies.splice(at, 1)
      const status = state.tasks[c.pid]!.exitStatus
      delete state.tasks[c.pid]
      state.taskList.splice(state.taskList.indexOf(c.pid), 1)
      return done(status)
    }
    case 'signal': {
      const task = state.tasks[c.pid]
      if (task === undefined) return refuse('ESRCH')
      if (task.state !== 'Z') exit(state, sink, task, 128 + c.signal)
      return done()
    }
    case 'setComm':
      state.tasks[c.pid]!.comm = c.comm
      return done()
    case 'write':
      if (!c.path.startsWith('/')) return refuse('ENOENT')
      state.prng.streams[c.path] = [...c.text].map((x) => x.charCodeAt(0))
      return done()
    case 'read': {
      const text = peek(state, c.path)
      return text.ok ? done(0, text.value) : text
    }
    default:
      return refuse('EINVAL')
  }
}

function peek(state: KernelState, path: string): Result<string, Refusal> {
  if (path === '/proc/uptime') return ok(`${state.nowNs / NS_PER_S}\n`)
  const words = state.prng.streams[path]
  return words === undefined ? err({ errno: 'ENOENT', explanation: '' }) : ok(String.fromCharCode(...words))
}

export function fakeEngine(): Engine {
  return {
    boot(config: MachineConfig, seed: number) {
      const state = {
        config,
        seed,
        nowNs: 0,
        eventCount: 0,
        queue: createQueue(),
        prng: createPrng(seed),
        tasks: {},
        taskList: [],
        lastPid: 0,
        committedAs: 0,
        panicked: '',
        memmap: { endPfn: 50_000, flags: new Int32Array(50_000) },
        exec: { pid: 0, cpu: 0, ns: 0 },
        klog: [],
        zones: [],
        nodes: [],
        memcgs: [],
        swapAreas: [],
        cgroups: [],
        vmstat: { events: new Float64Array(200) },
        runqueues: [],
        devices: [],
        psi: { avg: new Float64Array(6), someTotalNs: 0, fullTotalNs: 0, nrStalled: 0 },
        boot: {},
        oomReports: [],
      } as unknown as KernelState
      newTask(state, 0, ['init'], '')
      return state
    },
    runUntil(state, atNs, sink = QUIET) {
      for (;;) {
        const next = nextEventAt(state.queue)
        if (next === undefined || next > atNs) break
        const { event } = popEvent(state.queue)
        state.nowNs = next
        state.eventCount++
        const task = event.kind === 'taskWake' ? state.tasks[event.pid] : undefined
        if (task !== undefined && task.state !== 'Z') step(state, sink, task)
        if (sink.stopRequested) return state.nowNs
      }
      state.nowNs = atNs
      return atNs
    },
    command: (state, c, sink = QUIET) => command(state, c, sink),
    readFile: peek,
    writeFile: (state, path, text, sink = QUIET) =>
      command(state, { kind: 'write', pid: 1, path, text, create: true, append: false }, sink),
    listDir: () => ok([]),
    statFile: () => err({ errno: 'ENOENT', explanation: '' }),
    checkpoint: takeCheckpoint,
    restore: restoreCheckpoint,
    checkInvariants: () => [],
  }
}

export const fakeConfig = (): MachineConfig =>
  ({
    name: 'fake',
    hostname: 'fake',
    series: '6.12',
    release: '6.12',
    nodes: [],
    userland: 'debian',
  }) as unknown as MachineConfig
