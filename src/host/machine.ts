/**
 * One machine with its record and its past. All that changes a machine goes through here: commands are logged with
 * their position, time passes in stretches that end where a sample is due, and going back is a replay.
 */
import type { Command, CommandResult } from '../engine/commands'
import type { MachineConfig } from '../engine/config'
import type { Sink } from '../engine/context'
import type { Engine } from '../engine/engine_api'
import type { KernelState } from '../engine/state'
import { TRACEPOINT_NAMES } from '../engine/trace'
import type { TraceRecord } from '../recorder/events'
import {
  createRecorder,
  cutRecorder,
  DEFAULT_RECORDER,
  nextSampleNs,
  recordTrace,
  takeSample,
  type Recorder,
  type RecorderOptions,
} from '../recorder/recorder'
import { withTracepoints } from '../recorder/events'
import {
  addCheckpoint,
  createRewind,
  cutHere,
  isLive,
  nearestStopNs,
  noteCommand,
  noteLive,
  replay,
  restoreBefore,
  restoreBeforeEvent,
  stopAtEvent,
  type Rewind,
} from '../recorder/rewind'
import type { Errno } from '../util/errno'
import { assert } from '../util/assert'
import { digestTree } from '../util/hash'
import type { Ns } from '../util/units'

/** Who is told of what programs do; time stops at the end of the event in which `stopRequested` became true. */
export interface Listener {
  output(pid: number, fd: number, text: string): void
  exited(pid: number, status: number): void
  ready(pid: number): void
  performed(pid: number, errno: Errno | '', result: number, text: string): void
  stopRequested: boolean
}

/** Somebody who asked for some tracepoints of the time to come, as perf does. Told inside the event: only notes it down. */
export interface Tracer {
  /** By tracepoint: 1 = wanted. */
  readonly wanted: Uint8Array
  readonly note: (record: TraceRecord) => void
}

export interface MachineOptions {
  /** undefined = nothing is recorded and the machine runs at full speed. */
  readonly record: RecorderOptions | undefined
  readonly checkpointBytes: number
}

export const RECORD_ALL: MachineOptions = { record: DEFAULT_RECORDER, checkpointBytes: 256 * 1024 * 1024 }
export const RECORD_NOTHING: MachineOptions = { record: undefined, checkpointBytes: 0 }

export interface Machine {
  readonly engine: Engine
  readonly config: MachineConfig
  readonly seed: number
  state: KernelState
  readonly rewind: Rewind
  readonly recorder: Recorder | undefined
  listener: Listener | undefined
  readonly tracers: Set<Tracer>
}

export function bootMachine(engine: Engine, config: MachineConfig, seed: number, options: MachineOptions): Machine {
  const state = engine.boot(config, seed)
  const rewind = createRewind(options.checkpointBytes)
  const recorder = options.record === undefined ? undefined : createRecorder(state, options.record)
  const machine: Machine = { engine, config, seed, state, rewind, recorder, listener: undefined, tracers: new Set() }
  noteLive(rewind, state)
  if (options.checkpointBytes > 0) addCheckpoint(rewind, engine, state)
  return machine
}

export const isAtEnd = (machine: Machine): boolean => isLive(machine.rewind, machine.state)

/** What the engine tells while time is new. One object a call, because the state it refers to may be replaced. */
function liveSink(machine: Machine): Sink {
  const { recorder, listener } = machine
  const sink: Sink = {
    get stopRequested(): boolean {
      return listener?.stopRequested ?? false
    },
    set stopRequested(value: boolean) {
      if (listener !== undefined) listener.stopRequested = value
    },
  }
  if (recorder !== undefined || machine.tracers.size > 0) listenToTrace(machine, sink)
  if (listener !== undefined) {
    sink.output = (pid, fd, text) => listener.output(pid, fd, text)
    sink.exited = (pid, status) => listener.exited(pid, status)
    sink.ready = (pid) => listener.ready(pid)
    sink.performed = (pid, errno, result, text) => listener.performed(pid, errno, result, text)
  }
  return sink
}

function listenToTrace(machine: Machine, sink: Sink): void {
  const { recorder, tracers, state } = machine
  sink.muted = mutedBy(recorder, tracers)
  sink.trace = (tracepoint, atNs, pid, cpu, args, text) => {
    const { nowNs, tasks } = state
    const record = { tracepoint, atNs, arrivalNs: nowNs, pid, comm: tasks[pid]?.comm ?? '', cpu, args, text }
    if (recorder !== undefined) recordTrace(recorder, record)
    for (const tracer of tracers) if (tracer.wanted[tracepoint] === 1) tracer.note(record)
  }
}

/** What neither the record nor a tracer wants. */
function mutedBy(recorder: Recorder | undefined, tracers: ReadonlySet<Tracer>): Uint8Array {
  const recorded = recorder?.events.muted
  if (tracers.size === 0 && recorded !== undefined) return recorded
  const muted = recorded === undefined ? new Uint8Array(TRACEPOINT_NAMES.length).fill(1) : Uint8Array.from(recorded)
  for (const { wanted } of tracers) for (let i = 0; i < muted.length; i++) if (wanted[i] === 1) muted[i] = 0
  return muted
}

/** One write that asks for pages by hand: few enough to be followed split by split and merge by merge. */
const asksForPages = (command: Command): boolean =>
  command.kind === 'write' && command.path.endsWith('/pagewalk/pages') && !/count=\d{3}/.test(command.text)

/** Gives a command to the machine at the live end of its run. */
export function issue(machine: Machine, command: Command): CommandResult {
  assert(isAtEnd(machine), `a command at ${machine.state.nowNs} ns of a run recorded until ${machine.rewind.endNs} ns`)
  noteCommand(machine.rewind, machine.state, command)
  if (machine.recorder !== undefined) machine.recorder.isTouched = true
  const run = (): CommandResult => machine.engine.command(machine.state, command, liveSink(machine))
  if (machine.recorder === undefined || !asksForPages(command)) return run()
  return withTracepoints(machine.recorder.events, ['buddy_split', 'buddy_merge'], run)
}

/** Lets time pass at the live end until `toNs`, or until the listener asks to stop. */
export function runLive(machine: Machine, toNs: Ns): void {
  const { engine, state, recorder, rewind, listener } = machine
  const sink = liveSink(machine)
  while (state.nowNs < toNs && state.panicked === '') {
    const sampleNs = recorder === undefined ? Infinity : nextSampleNs(recorder, state)
    engine.runUntil(state, Math.min(toNs, sampleNs), sink)
    noteLive(rewind, state)
    if (recorder !== undefined && state.nowNs >= sampleNs) takeSample(recorder, state)
    if (listener?.stopRequested === true) return
  }
}

/** Handles at most `nr` events at the live end, none of them later than `untilNs`. */
export function stepLive(machine: Machine, nr: number, untilNs: Ns = Number.MAX_SAFE_INTEGER): void {
  const { engine, state, rewind, recorder } = machine
  const limit = stopAtEvent(state, state.eventCount + nr)
  const sink = liveSink(machine)
  Object.defineProperty(sink, 'stopRequested', Object.getOwnPropertyDescriptor(limit, 'stopRequested')!)
  engine.runUntil(state, untilNs, sink)
  noteLive(rewind, state)
  if (recorder !== undefined) takeSample(recorder, state)
}

/** Forward through what is recorded. True when the live end is reached. */
export const replayTo = (machine: Machine, target: { readonly atNs: Ns; readonly eventCount: number }): boolean =>
  replay(machine.rewind, machine.engine, machine.state, target)

/** Puts a copy from at or before `atNs` in place of the state; replayTo() goes on from there. */
export function goBack(machine: Machine, atNs: Ns): void {
  machine.state = restoreBefore(machine.rewind, machine.engine, atNs)
}

/** Whether a copy of a later moment than now leads to `atNs` sooner than going on from here. */
export const hasShortcut = (machine: Machine, atNs: Ns): boolean =>
  !isAtEnd(machine) && nearestStopNs(machine.rewind, atNs) > machine.state.nowNs

/** The same, to before the event with this number. */
export function goBackToEvent(machine: Machine, eventCount: number): void {
  machine.state = restoreBeforeEvent(machine.rewind, machine.engine, eventCount)
}

/** Time and event count right after boot: the earliest position there is. */
export function firstPosition(machine: Machine): { readonly atNs: Ns; readonly eventCount: number } {
  const first = machine.rewind.stops[0]
  assert(first !== undefined, 'a machine without checkpoints has no past')
  return first.checkpoint
}

/** Saved every few seconds: pages of machines above 16 GiB are left to the counters, lists and tasks that they decide. */
const SAVED_COLUMN_BYTES_MAX = 16 * 1024 * 1024
const savedDigest = (state: KernelState): string => digestTree(state, SAVED_COLUMN_BYTES_MAX)

/**
 * Digest for a saved session: of the machine at the live end of its run, wherever the state is now.
 * @param isBroken  the state is what a failed check left behind: only a replay tells where the run was before
 */
export function digestAtEnd(machine: Machine, isBroken: boolean): string {
  if (!isBroken && isAtEnd(machine)) return savedDigest(machine.state)
  const { state, rewind } = machine
  const { cursor } = rewind
  goBack(machine, rewind.endNs)
  replayTo(machine, { atNs: Infinity, eventCount: Infinity })
  const digest = savedDigest(machine.state)
  machine.state = state
  rewind.cursor = cursor
  return digest
}

/** Lives up to a position that another run of this machine had reached, recording as if it were new. */
export function runToPosition(machine: Machine, at: { readonly atNs: Ns; readonly eventCount: number }): void {
  const { state } = machine
  const limit: Listener = {
    output: () => {},
    exited: () => {},
    ready: () => {},
    performed: () => {},
    get stopRequested() {
      return state.eventCount >= at.eventCount
    },
    set stopRequested(_: boolean) {},
  }
  const { listener } = machine
  if (state.eventCount < at.eventCount) {
    machine.listener = limit
    while (state.eventCount < at.eventCount && state.nowNs < at.atNs && state.panicked === '') runLive(machine, at.atNs)
    if (state.eventCount < at.eventCount && state.panicked === '')
      stepLive(machine, at.eventCount - state.eventCount, at.atNs)
  }
  machine.listener = undefined
  runLive(machine, at.atNs)
  machine.listener = listener
}

/** Makes this moment the end of the run: what was recorded after it is forgotten. */
export function forkHere(machine: Machine): void {
  cutHere(machine.rewind, machine.state)
  if (machine.recorder !== undefined) cutRecorder(machine.recorder, machine.state.nowNs)
}

export const keepCheckpoint = (machine: Machine): void => addCheckpoint(machine.rewind, machine.engine, machine.state)
