/**
 * A booted small machine whose tasks do what a test tells them, one operation at a time: for tests of faults, system
 * calls, files, scheduling and the life of tasks on the real engine.
 */
import type { BlockDeviceConfig, KernelSeries, MachineConfig } from '../src/engine/config'
import type { Engine } from '../src/engine/engine_api'
import type { Sink } from '../src/engine/context'
import { createEngine } from '../src/engine/index'
import { nextEventAt } from '../src/engine/queue'
import { wakeTask } from '../src/engine/sched_queue'
import type { KernelState } from '../src/engine/state'
import type { FileDescriptor, Op, Program, ProgramTable, Task } from '../src/engine/task'
import { assert } from '../src/util/assert'
import type { Errno } from '../src/util/errno'
import { MIB } from '../src/util/units'
import { plainMachine } from './zone-state'

/** What a puppet remembers: the operation it is to do, and how the last one ended. */
interface PuppetData {
  [key: string]: unknown
  wanted: Op | undefined
  isBusy: boolean
  result: number
  errno: Errno | ''
  text: string
  signalled: boolean
}

const newPuppet = (): PuppetData => ({
  wanted: undefined,
  isBusy: false,
  result: 0,
  errno: '',
  text: '',
  signalled: false,
})

/** Waits for its test, does one operation, remembers the outcome. A forked child is a puppet too: fork with `puppetChild`. */
const puppet: Program = {
  name: 'puppet',
  image: { path: '/bin/puppet', totalVm: 329, textPages: 172, anonPages: 15 },
  start: () => ({ ok: true, data: newPuppet() }),
  next(data, view): Op {
    const d = data as PuppetData
    d.result = view.result
    d.errno = view.errno ?? ''
    d.text = view.text
    d.signalled ||= view.signalled
    const op = d.wanted
    d.wanted = undefined
    d.isBusy = op !== undefined
    return op ?? { op: 'pause' }
  },
}

export const puppetChild: PuppetData = newPuppet()

export interface Outcome {
  readonly result: number
  readonly errno: Errno | ''
  readonly text: string
  /** Faults during the operation. */
  readonly minflt: number
  readonly majflt: number
  /** Status with which the task died instead of finishing, −1 it lives. */
  readonly died: number
}

export interface TaskMachineOptions {
  readonly mib?: number
  readonly cpus?: number
  readonly series?: KernelSeries
  readonly mglru?: boolean
  readonly thp?: MachineConfig['thp']
  /** Slots of a swap device that is on from the start. */
  readonly swapPages?: number
  readonly rotational?: boolean
  /** Files of a disk that is mounted at /data, by name and size in pages. */
  readonly files?: Readonly<Record<string, number>>
  readonly sysctls?: Readonly<Record<string, string>>
  readonly programs?: ProgramTable
  readonly userland?: MachineConfig['userland']
  readonly fiveLevelPaging?: boolean
  readonly seed?: number
  /** Somebody listens to every tracepoint. */
  readonly isWatched?: boolean
  /** A machine that is up already. */
  readonly state?: KernelState
  /** Called after every event. */
  readonly afterEvent?: (state: KernelState) => void
}

const DISK = { readNs: 100_000, writeNs: 30_000, perPageNs: 2_000 } as const

function devices(options: TaskMachineOptions): BlockDeviceConfig[] {
  const { files = {}, swapPages = 0, rotational = false } = options
  const list = Object.entries(files).map(([path, pages]) => ({ path, sizeBytes: pages * 4096 }))
  const disk: BlockDeviceConfig = { path: '/dev/vdb', sizeBytes: 1 << 30, ...DISK, rotational: false, files: list }
  const swap = { onAtBoot: true }
  const swapDisk = { path: '/dev/vdc', sizeBytes: (swapPages + 1) * 4096, ...DISK, rotational, files: [], swap }
  return [disk, ...(swapPages > 0 ? [swapDisk] : [])]
}

/** Default: 64 MiB, one CPU, 6.12 with MGLRU, no swap, user land of an initramfs. */
export function taskMachineConfig(options: TaskMachineOptions = {}): MachineConfig {
  const { mib = 64, cpus = 1, series = '6.12' } = options
  return {
    ...plainMachine(mib * MIB, cpus, series),
    mglru: options.mglru ?? series === '6.12',
    thp: options.thp ?? 'never',
    blockDevices: devices(options),
    sysctls: options.sysctls ?? {},
    userland: options.userland ?? 'initramfs',
    ...(options.fiveLevelPaging === true ? { fiveLevelPaging: true } : {}),
  }
}

/** Simulated time after which an operation counts as stuck. */
const PATIENCE_NS = 600e9

export class TaskMachine {
  readonly state: KernelState
  readonly engine: Engine
  /** Exit statuses by pid, as the host hears of them. */
  readonly exits = new Map<number, number>()
  /** What tasks wrote to descriptors of the user's side. */
  output = ''
  private readonly sink: Sink
  private readonly afterEvent: ((state: KernelState) => void) | undefined

  constructor(options: TaskMachineOptions = {}) {
    this.engine = createEngine({ programs: { ...options.programs, puppet } })
    this.afterEvent = options.afterEvent
    const isStepping = options.afterEvent !== undefined
    const { exits } = this
    const print = (text: string): void => void (this.output += text)
    this.sink = {
      exited: (pid, status) => void exits.set(pid, status),
      output: (_pid, _fd, text) => print(text),
      ...(options.isWatched === true ? { trace: () => {} } : {}),
      // Stops after each event when somebody wants to look.
      get stopRequested() {
        return isStepping
      },
      set stopRequested(_) {},
    }
    this.state = options.state ?? this.engine.boot(taskMachineConfig(options), options.seed ?? 1)
    if (options.state !== undefined) return
    this.advance(50e6)
    if (Object.keys(options.files ?? {}).length > 0) this.mount('ext4', '/dev/vdb', '/data')
  }

  /** Lets simulated time pass. */
  advance(ns: number): void {
    this.runTo(this.state.nowNs + ns, () => false)
  }

  private runTo(atNs: number, isDone: () => boolean): void {
    while (!isDone()) {
      const next = nextEventAt(this.state.queue)
      if (next === undefined || next > atNs || this.state.panicked !== '') break
      this.engine.runUntil(this.state, next, this.sink)
      this.afterEvent?.(this.state)
    }
    if (!isDone()) this.engine.runUntil(this.state, atNs, this.sink)
  }

  /** A loaded puppet, child of pid 1, or of another task. */
  spawn(comm = 'puppet', parent = 1): number {
    const pid = this.run(['puppet'], parent)
    this.runTo(this.state.nowNs + PATIENCE_NS, () => this.isResting(pid))
    const task = this.state.tasks[pid]
    if (task !== undefined) task.comm = comm
    return pid
  }

  /** Starts a program of the table and does not wait. */
  run(argv: readonly string[], parent = 1): number {
    const spawned = this.engine.command(this.state, { kind: 'spawn', parent, argv }, this.sink)
    assert(spawned.ok, `${argv[0]} cannot be started: ${spawned.ok ? '' : spawned.error.explanation}`)
    return spawned.value.value
  }

  /** Lets time pass until the task has ended. @returns its status */
  waitFor(pid: number, patienceNs = PATIENCE_NS): number {
    this.runTo(this.state.nowNs + patienceNs, () => this.exits.has(pid))
    return this.exits.get(pid) ?? -1
  }

  task(pid: number): Task {
    const task = this.state.tasks[pid]
    assert(task !== undefined, `there is no task ${pid}`)
    return task
  }

  /** It waits for its next operation, or is gone. */
  isResting(pid: number): boolean {
    const task = this.state.tasks[pid]
    if (task === undefined || task.state === 'Z') return true
    return task.state === 'S' && task.waitChannel === 'do_pause' && (task.data as PuppetData).wanted === undefined
  }

  /** Gives a resting puppet its next operation and lets time pass until it is done. */
  perform(pid: number, op: Op, patienceNs = PATIENCE_NS): Outcome {
    const task = this.begin(pid, op)
    const { minFlt, majFlt } = task
    this.runTo(this.state.nowNs + patienceNs, () => this.isResting(pid))
    const data = task.data as PuppetData
    const hasEnded = this.state.tasks[pid] === undefined || task.state === 'Z'
    assert(hasEnded || this.isResting(pid), `${op.op} of ${pid} is stuck: ${task.state} ${task.waitChannel}`)
    return {
      result: data.result,
      errno: data.errno,
      text: data.text,
      minflt: task.minFlt - minFlt,
      majflt: task.majFlt - majFlt,
      died: hasEnded ? (this.exits.get(pid) ?? task.exitStatus) : -1,
    }
  }

  /** How the last operation ended; undefined: it goes on, or the task is gone. */
  outcomeOf(pid: number): { readonly result: number; readonly errno: Errno | '' } | undefined {
    const task = this.state.tasks[pid]
    if (task === undefined || task.state === 'Z' || !this.isResting(pid)) return undefined
    const { result, errno } = task.data as PuppetData
    return { result, errno }
  }

  /** Gives a resting puppet an operation and does not wait. */
  begin(pid: number, op: Op): Task {
    const task = this.task(pid)
    assert(this.isResting(pid), `puppet ${pid} is busy: ${task.state} ${task.waitChannel} ${task.op?.op}`)
    const data = task.data as PuppetData
    data.wanted = op
    wakeTask(this.state, pid)
    return task
  }

  /** Lets time pass until the puppet rests again. */
  settle(pid: number): PuppetData {
    const task = this.task(pid)
    this.runTo(this.state.nowNs + PATIENCE_NS, () => this.isResting(pid))
    return task.data as PuppetData
  }

  /** A new mapping of private anonymous memory. @returns its address */
  map(pid: number, pages: number, flags = 0x22, prot = 3): number {
    const { result, errno } = this.perform(pid, { op: 'mmap', length: pages * 4096, prot, flags })
    assert(errno === '', `mmap: ${errno}`)
    return result
  }

  /** Opens a file. @returns the descriptor */
  open(pid: number, path: string, how: { write?: boolean; create?: boolean } = {}): number {
    const { result, errno } = this.perform(pid, { op: 'open', path, ...how })
    assert(errno === '', `open ${path}: ${errno}`)
    return result
  }

  fd(pid: number, fd: number): FileDescriptor | undefined {
    return this.task(pid).fds[fd]
  }

  /** Text of a file, or its errno. */
  read(path: string, pid = 1): string {
    const reply = this.engine.command(this.state, { kind: 'read', pid, path }, this.sink)
    return reply.ok ? reply.value.text : reply.error.errno
  }

  /** Number behind a key of a file of `key value` lines. */
  number(path: string, key: string): number {
    const line = this.read(path)
      .split('\n')
      .find((row) => row.startsWith(`${key} `) || row.startsWith(`${key}:`))
    assert(line !== undefined, `${path} has no ${key}`)
    return Number(/-?\d+/.exec(line.slice(key.length))![0])
  }

  /** @returns errno, '' when it was done */
  write(path: string, text: string, pid = 1, how: { create?: boolean; append?: boolean } = {}): Errno | '' {
    const command = { kind: 'write', pid, path, text, create: false, append: false, ...how } as const
    const reply = this.engine.command(this.state, command, this.sink)
    return reply.ok ? '' : reply.error.errno
  }

  /** Any other command. @returns errno, '' when it was done */
  command(command: Parameters<Engine['command']>[1]): Errno | '' {
    const reply = this.engine.command(this.state, command, this.sink)
    return reply.ok ? '' : reply.error.errno
  }

  mount(fs: string, source: string, path: string): void {
    this.command({ kind: 'mkdir', pid: 1, path, parents: true })
    const errno = this.command({ kind: 'mount', pid: 1, fs, source, path, options: [] })
    assert(errno === '', `mount ${path}: ${errno}`)
  }

  signal(pid: number, signal: number): Errno | '' {
    return this.command({ kind: 'signal', pid, signal, from: 1 })
  }
}
