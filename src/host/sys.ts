/**
 * The shell's door to a machine. What a shell does becomes a logged command; what it waits for is remembered here and
 * answered at the exact simulated time, in the order in which it happened and not in the order in which this computer
 * got round to it.
 *
 * How: the engine stops at the end of the event in which something happened that a shell waits for. The news are kept in
 * a queue, the promises are resolved in its order, and the host's event loop gets a turn before time goes on. A turn
 * is a macrotask, so every chain of awaits has run to its next wait by then, however long; counting microtasks would
 * need a bound, and a shell that computes for longer than the bound would see time pass in the middle of a line. Foreign
 * code that needs turns of its own is declared through work() and waited for as well.
 */
import type { CommandResult, Refusal } from '../engine/commands'
import { nextEventAt } from '../engine/queue'
import type { ProgramTable } from '../engine/task'
import type { Sys } from '../shell/sys'
import { err, ok, type Result } from '../util/result'
import { NS_PER_MS, type Ns } from '../util/units'
import { issue, runLive, stepLive, type Listener, type Machine } from './machine'
import { machineTlb, openTrace, usageOf } from './tracing'
import { turn } from './turn'

/** The machine's date at boot: 2026-01-05 08:00:00 UTC. A constant, because the same run shows the same dates. */
export const BOOT_EPOCH_MS = 1_767_600_000_000

/** Simulated time between two looks at `shouldPause`. */
const STRETCH_NS = 20 * NS_PER_MS

type News =
  | { readonly kind: 'output'; readonly handler: OutputHandler; readonly fd: number; readonly text: string }
  | { readonly kind: 'exited'; readonly pid: number; readonly status: number }
  | { readonly kind: 'ready'; readonly pid: number }
  | { readonly kind: 'performed'; readonly pid: number; readonly result: CommandResult }

type OutputHandler = (fd: number, text: string) => void

interface Watch {
  readonly waits: { readonly parent: number; readonly resolve: (status: number) => void }[]
  readonly readies: ((isReady: boolean) => void)[]
  readonly performs: ((result: CommandResult) => void)[]
}

interface Sleeper {
  readonly dueNs: Ns
  readonly pid: number
  readonly resolve: (slept: boolean) => void
}

export interface SysHost {
  readonly sys: Sys
  /** Runs shells and machine until `toNs`, or until `shouldPause` says that this slice of wall time is used up. */
  advance(toNs: Ns, shouldPause?: () => boolean): Promise<void>
  /** Handles `nr` events, or wakes as many sleepers, one at a time. */
  step(nr: number): Promise<void>
  /** Lets shells run until all of them wait, without letting time pass. */
  settle(): Promise<void>
  /** The shells of this door belong to a run that is no more: nothing they do has an effect, no wait of theirs ends. */
  close(): void
  readonly isClosed: boolean
}

const GONE: Refusal = { errno: 'ESRCH', explanation: 'This shell belongs to a run that was cut.' }
const NEVER: Promise<never> = new Promise(() => {})

interface Waiting {
  readonly news: News[]
  readonly watches: Map<number, Watch>
  readonly handlers: Map<number, OutputHandler>
  /** Ordered by time, then by arrival. */
  readonly sleepers: Sleeper[]
  readonly works: Set<Promise<unknown>>
  /** Ends each trace that a shell of this door has open. */
  readonly tracing: Set<() => void>
  /** Statuses of tasks that ended before anybody asked: the machine's init takes its children away by itself. */
  readonly ended: Map<number, number>
  /** Our own bug, met by a shell in the middle of a line: it must stop the machine, not end as that shell's trouble. */
  failure: { readonly error: unknown } | undefined
  isClosed: boolean
}

export interface SysOptions {
  readonly programs: ProgramTable
  /** Output of a task whose spawner is unknown: an orphan's. */
  readonly onStrayOutput: (text: string) => void
}

export function createSysHost(machine: Machine, options: SysOptions): SysHost {
  const waiting: Waiting = {
    news: [],
    watches: new Map(),
    handlers: new Map(),
    sleepers: [],
    works: new Set(),
    tracing: new Set(),
    ended: new Map(),
    failure: undefined,
    isClosed: false,
  }
  const listener = listen(machine, waiting, options)
  machine.listener = listener
  const settle = async (): Promise<void> => {
    do {
      await turn()
      if (waiting.works.size > 0) await Promise.allSettled(waiting.works)
      if (waiting.failure !== undefined) throw waiting.failure.error
    } while (waiting.works.size > 0 || deliver(machine, waiting))
  }
  return {
    sys: createSys(machine, waiting, options),
    settle,
    advance: async (toNs, shouldPause) => {
      await settle()
      while (!waiting.isClosed && machine.state.nowNs < toNs && machine.state.panicked === '') {
        if (shouldPause?.() === true) return
        listener.stopRequested = false
        const wakeNs = waiting.sleepers[0]?.dueNs ?? Infinity
        runLive(machine, Math.min(toNs, wakeNs, machine.state.nowNs + STRETCH_NS))
        if (deliver(machine, waiting)) await settle()
      }
    },
    step: async (nr) => {
      await settle()
      for (let i = 0; i < nr && !waiting.isClosed && machine.state.panicked === ''; i++) {
        const wakeNs = waiting.sleepers[0]?.dueNs ?? Infinity
        const eventNs = nextEventAt(machine.state.queue) ?? Infinity
        if (wakeNs === Infinity && eventNs === Infinity) return
        if (wakeNs < eventNs) runLive(machine, wakeNs)
        else stepLive(machine, 1)
        if (deliver(machine, waiting)) await settle()
      }
    },
    close: () => {
      waiting.isClosed = true
      for (const stop of waiting.tracing) stop()
      if (machine.listener === listener) machine.listener = undefined
    },
    get isClosed() {
      return waiting.isClosed
    },
  }
}

// ---------------------------------------------------------------- news

function listen(machine: Machine, waiting: Waiting, options: SysOptions): Listener {
  const listener: Listener = {
    stopRequested: false,
    output: (pid, fd, text) => {
      const handler = handlerOf(machine, waiting, pid) ?? ((_: number, t: string) => options.onStrayOutput(t))
      waiting.news.push({ kind: 'output', handler, fd, text })
      listener.stopRequested = true
    },
    exited: (pid, status) => {
      if (!waiting.watches.has(pid) && !waiting.sleepers.some((s) => s.pid === pid))
        return remember(waiting, pid, status)
      waiting.news.push({ kind: 'exited', pid, status })
      listener.stopRequested = true
    },
    ready: (pid) => {
      waiting.news.push({ kind: 'ready', pid })
      listener.stopRequested = true
    },
    performed: (pid, errno, value, text) => {
      const result: CommandResult = errno === '' ? ok({ value, text }) : err({ errno, explanation: '' })
      waiting.news.push({ kind: 'performed', pid, result })
      listener.stopRequested = true
    },
  }
  return listener
}

const ENDED_MAX = 4096

function remember(waiting: Waiting, pid: number, status: number): void {
  const { ended } = waiting
  ended.set(pid, status)
  if (ended.size > ENDED_MAX) ended.delete(ended.keys().next().value!)
}

/** Who asked for a task's output: whoever spawned it or the nearest ancestor of it. Remembered from the first line on. */
function handlerOf(machine: Machine, waiting: Waiting, pid: number): OutputHandler | undefined {
  for (let p = pid; p > 0; p = machine.state.tasks[p]?.ppid ?? 0) {
    const handler = waiting.handlers.get(p)
    if (handler === undefined) continue
    waiting.handlers.set(pid, handler)
    return handler
  }
  return undefined
}

/** Answers everything that has happened by now, oldest first. Returns whether there was anything. */
function deliver(machine: Machine, waiting: Waiting): boolean {
  if (waiting.isClosed) return false
  let any = false
  for (let news = waiting.news.shift(); news !== undefined; news = waiting.news.shift()) {
    any = true
    if (news.kind === 'output') news.handler(news.fd, news.text)
    else if (news.kind === 'ready') answerReady(waiting, news.pid, true)
    else if (news.kind === 'performed') answerPerforms(waiting, news.pid, news.result)
    else answerExit(machine, waiting, news.pid, news.status)
  }
  while (waiting.sleepers.length > 0 && waiting.sleepers[0]!.dueNs <= machine.state.nowNs) {
    any = true
    waiting.sleepers.shift()!.resolve(true)
  }
  return any
}

function watchOf(waiting: Waiting, pid: number): Watch {
  let watch = waiting.watches.get(pid)
  if (watch === undefined) waiting.watches.set(pid, (watch = { waits: [], readies: [], performs: [] }))
  return watch
}

function answerReady(waiting: Waiting, pid: number, isReady: boolean): void {
  for (const resolve of waiting.watches.get(pid)?.readies.splice(0) ?? []) resolve(isReady)
}

function answerPerforms(waiting: Waiting, pid: number, result: CommandResult): void {
  for (const resolve of waiting.watches.get(pid)?.performs.splice(0) ?? []) resolve(result)
}

function answerExit(machine: Machine, waiting: Waiting, pid: number, status: number): void {
  answerReady(waiting, pid, false)
  answerPerforms(waiting, pid, err({ errno: 'EINTR', explanation: '' }))
  const waits = waiting.watches.get(pid)?.waits ?? []
  if (waits.length === 0) remember(waiting, pid, status)
  for (const wait of waits) {
    const reaped = issue(machine, { kind: 'reap', parent: wait.parent, pid })
    wait.resolve(reaped.ok ? reaped.value.value : status)
  }
  waiting.watches.delete(pid)
  for (let i = 0; i < waiting.sleepers.length;) {
    if (waiting.sleepers[i]!.pid === pid) waiting.sleepers.splice(i, 1)[0]!.resolve(false)
    else i++
  }
}

function addSleeper(waiting: Waiting, sleeper: Sleeper): void {
  let i = waiting.sleepers.length
  while (i > 0 && waiting.sleepers[i - 1]!.dueNs > sleeper.dueNs) i--
  waiting.sleepers.splice(i, 0, sleeper)
}

// ---------------------------------------------------------------- the door

const isGone = (machine: Machine, pid: number): boolean => {
  const task = machine.state.tasks[pid]
  return task === undefined || task.state === 'Z'
}

function createSys(machine: Machine, waiting: Waiting, options: SysOptions): Sys {
  const act: Sys['command'] = (command) => {
    if (waiting.isClosed) return err(GONE)
    try {
      return issue(machine, command)
    } catch (error) {
      waiting.failure ??= { error }
      throw error
    }
  }
  const pidOf = (result: CommandResult): Result<number, Refusal> => (result.ok ? ok(result.value.value) : result)
  return {
    now: () => machine.state.nowNs,
    bootEpochMs: BOOT_EPOCH_MS,
    hostname: machine.config.hostname,
    isProgram: (name) => Object.hasOwn(options.programs, name) && options.programs[name]!.source === undefined,
    programNames: () =>
      Object.keys(options.programs)
        .filter((name) => options.programs[name]!.source === undefined)
        .sort(),
    read: (pid, path) => {
      const result = act({ kind: 'read', pid, path })
      return result.ok ? ok(result.value.text) : result
    },
    write: (pid, path, text, how) => act({ kind: 'write', pid, path, text, ...how }),
    order: (pid, path, text) => order(waiting, act, pid, path, text),
    list: (pid, path) => machine.engine.listDir(machine.state, absolute(machine, pid, path)),
    stat: (pid, path) => machine.engine.statFile(machine.state, path, pid),
    command: act,
    spawn: (parent, request, onOutput) => {
      const result = pidOf(act({ kind: 'spawn', parent, ...request }))
      if (result.ok) waiting.handlers.set(result.value, onOutput)
      return result
    },
    spawnTool: (parent, argv) => {
      const result = pidOf(act({ kind: 'spawn', parent, argv, tool: true }))
      if (!result.ok) return result
      const pid = result.value
      return ok({ pid, ready: new Promise<boolean>((resolve) => watchOf(waiting, pid).readies.push(resolve)) })
    },
    perform: async (pid, op) => {
      const begun = act({ kind: 'perform', pid, op })
      return begun.ok ? performed(waiting, pid) : begun
    },
    fork: (parent) => pidOf(act({ kind: 'fork', parent })),
    exit: (pid, status) => void act({ kind: 'exit', pid, status }),
    wait: (parent, pid) => {
      if (waiting.isClosed) return NEVER
      if (isGone(machine, pid)) {
        const reaped = act({ kind: 'reap', parent, pid })
        const status = reaped.ok ? reaped.value.value : (waiting.ended.get(pid) ?? 127)
        waiting.ended.delete(pid)
        return Promise.resolve(status)
      }
      return new Promise((resolve) => watchOf(waiting, pid).waits.push({ parent, resolve }))
    },
    kill: (from, pid, signal) => act({ kind: 'signal', pid, signal, from }),
    isAlive: (pid) => !isGone(machine, pid),
    sleep: (pid, ns) => {
      if (waiting.isClosed) return NEVER
      if (isGone(machine, pid)) return Promise.resolve(false)
      const dueNs = machine.state.nowNs + Math.max(0, Math.round(ns))
      return new Promise((resolve) => addSleeper(waiting, { dueNs, pid, resolve }))
    },
    trace: (names, onEvent) => openTrace(machine, waiting.tracing, names, onEvent),
    usage: (pid) => usageOf(machine, pid),
    machineTlb: () => machineTlb(machine),
    work: (promise) => heldUp(waiting, promise),
  }
}

/** Simulated time stands still until the promise is settled. */
function heldUp<T>(waiting: Waiting, promise: Promise<T>): Promise<T> {
  waiting.works.add(promise)
  const done = (): void => void waiting.works.delete(promise)
  promise.then(done, done)
  return promise
}

/** A write that goes on in its writer's own time is waited for. */
function order(
  waiting: Waiting,
  act: Sys['command'],
  pid: number,
  path: string,
  text: string,
): CommandResult | Promise<CommandResult> {
  const begun = act({ kind: 'write', pid, path, text, create: false, append: false, goesOn: true })
  return begun.ok && begun.value.value !== 0 ? performed(waiting, pid) : begun
}

/** What the task does in its own time is waited for. */
const performed = (waiting: Waiting, pid: number): Promise<CommandResult> =>
  new Promise((resolve) => watchOf(waiting, pid).performs.push(resolve))

/** listDir() of the engine knows no task, and so no current directory. */
function absolute(machine: Machine, pid: number, path: string): string {
  if (path.startsWith('/')) return path
  const cwd = machine.state.tasks[pid]?.cwd ?? '/'
  return path === '' || path === '.' ? cwd : `${cwd === '/' ? '' : cwd}/${path}`
}
