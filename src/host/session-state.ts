/**
 * What one window's session has: at most one machine that is up, and how to bring it up, move it in time and keep it.
 * The requests of requests.ts are made of these.
 */
import type { Refusal } from '../engine/commands'
import type { MachineConfig } from '../engine/config'
import type { Engine } from '../engine/engine_api'
import type { KernelState } from '../engine/state'
import type { ProgramTable } from '../engine/task'
import type { LabShelf, OpenedLab } from '../labs/index'
import {
  formatMachine,
  formatSession,
  toConfig,
  type MachineProfile,
  type Session as SavedSession,
} from '../profiles/index'
import type { FrameSection, HostEvent, MachinePreview } from '../protocol/messages'
import { strerror } from '../util/errno'
import { ok, userError, type Err, type Result, type UserError } from '../util/result'
import type { Ns } from '../util/units'
import {
  bootMachine,
  digestAtEnd,
  firstPosition,
  forkHere,
  goBack,
  hasShortcut,
  isAtEnd,
  issue,
  keepCheckpoint,
  RECORD_ALL,
  replayTo,
  runToPosition,
  type Machine,
} from './machine'
import type { Clock, Pacer } from './pacer'
import { createPageMapMemory, type PageMapMemory } from './page-levels'
import { createFrameMemory, type FrameMemory } from './rates'
import { createSysHost, type SysHost } from './sys'
import { createTerminals, replaceShells, type Terminals } from './terminals'
import { turn } from './turn'

export interface ReadyMachine {
  /** File name without '.json'. */
  readonly id: string
  readonly text: string
}

export interface SessionDeps {
  readonly engine: Engine
  readonly programs: ProgramTable
  readonly preview: (config: MachineConfig) => MachinePreview
  readonly machines: readonly ReadyMachine[]
  readonly clock: Clock
  readonly appVersion: string
  readonly labs?: Pick<LabShelf, 'list' | 'open'>
}

/** A machine that is up, with everything that belongs to it. */
export interface Up {
  readonly machine: Machine
  readonly profile: MachineProfile
  readonly profileText: string
  host: SysHost
  readonly terminals: Terminals
  readonly memory: FrameMemory
  readonly pages: PageMapMemory
  /** Our own bug stopped it: it can be read, saved and taken back in time, but not run on. */
  isBroken: boolean
  hasToldPanic: boolean
  /** Wall time spent running since the last checkpoint, and what that one cost. */
  ranMs: number
  checkpointMs: number
}

export interface Session {
  readonly deps: SessionDeps
  readonly emit: (event: HostEvent) => void
  readonly pacer: Pacer
  sections: readonly FrameSection[]
  up: Up | undefined
  lab: OpenedLab | undefined
  /** A request came that makes the one under way pointless. */
  readonly isInterrupted: boolean
}

// ---------------------------------------------------------------- bringing up

export function bringUp(session: Session, profile: MachineProfile, seed: number): Up {
  takeDown(session)
  const { deps } = session
  const machine = bootMachine(deps.engine, toConfig(profile), seed, RECORD_ALL)
  const write = (id: number, text: string): void => session.emit({ kind: 'terminal', terminal: id, text })
  const host = openDoor(session, machine, write)
  const up: Up = {
    machine,
    profile,
    profileText: formatMachine(profile),
    host,
    terminals: createTerminals(machine, host, write),
    memory: createFrameMemory(),
    pages: createPageMapMemory(),
    isBroken: false,
    hasToldPanic: false,
    ranMs: 0,
    checkpointMs: 0,
  }
  session.up = up
  return up
}

const openDoor = (session: Session, machine: Machine, write: (id: number, text: string) => void): SysHost =>
  createSysHost(machine, {
    programs: session.deps.programs,
    onStrayOutput: (text) => write(0, text.replace(/\r?\n/g, '\r\n')),
  })

export function takeDown(session: Session): void {
  session.pacer.isRunning = false
  session.up?.host.close()
  session.up = undefined
  session.lab = undefined
}

// ---------------------------------------------------------------- errors

export const refused = (refusal: Refusal, where: string): Err<UserError> =>
  userError(refusal.errno, where, `${strerror(refusal.errno)}.`, refusal.explanation)

export function needUp(session: Session): Result<Up> {
  if (session.up !== undefined) return ok(session.up)
  return userError('host/no-machine', 'session', 'No machine is up.', 'Choose or open one first.')
}

/** A look at the machine that changes nothing. */
export function looking<R, T>(look: (state: KernelState, request: R) => Result<T>) {
  return (session: Session, request: R): Result<T> => {
    const up = needUp(session)
    return up.ok ? look(up.value.machine.state, request) : up
  }
}

/** A machine that may be acted on. */
export function needSound(session: Session): Result<Up> {
  const up = needUp(session)
  if (!up.ok) return up
  if (up.value.isBroken) {
    return userError(
      'host/broken',
      up.value.machine.config.name,
      'An internal check failed, so this machine does not run on.',
      'Save the session for a report, go back in time, or reset it.',
    )
  }
  if (isAtEnd(up.value.machine) && up.value.machine.state.panicked !== '') {
    return userError(
      'host/panicked',
      up.value.machine.config.name,
      'The kernel panicked, so this machine does not run on.',
      'Reset it, or go back in time.',
    )
  }
  return up
}

// ---------------------------------------------------------------- time

/** Wall time between two breaths: other messages are taken in meanwhile. */
const BREATH_MS = 30
/** Simulated time of one piece of replay. */
const PIECE_NS = 20_000_000

/** Forward until `toNs`: through what is recorded, then on; or until `isOver`. */
export async function runTo(session: Session, up: Up, toNs: Ns, isOver: () => boolean): Promise<void> {
  const { machine } = up
  const { clock } = session.deps
  let breathMs = clock.nowMs()
  while (!isOver() && machine.state.nowNs < toNs && !isAtEnd(machine)) {
    replayTo(machine, { atNs: Math.min(toNs, machine.state.nowNs + PIECE_NS), eventCount: Infinity })
    if (clock.nowMs() - breathMs > BREATH_MS) {
      await turn()
      breathMs = clock.nowMs()
    }
  }
  if (isOver() || machine.state.nowNs >= toNs || !isAtEnd(machine)) return
  const startMs = clock.nowMs()
  await up.host.advance(toNs, () => isOver() || clock.nowMs() - startMs > BREATH_MS)
  up.ranMs += clock.nowMs() - startMs
  checkpointIfDue(session, up)
  if (!isOver() && machine.state.nowNs < toNs && machine.state.panicked === '' && !up.host.isClosed) {
    await runTo(session, up, toNs, isOver)
  }
}

/** A replay should take no more than this, and copies no more than a tenth of the time. */
const REPLAY_MS = 100

function checkpointIfDue(session: Session, up: Up): void {
  if (up.ranMs < Math.max(REPLAY_MS, 10 * up.checkpointMs)) return
  const startMs = session.deps.clock.nowMs()
  keepCheckpoint(up.machine)
  up.checkpointMs = session.deps.clock.nowMs() - startMs
  up.ranMs = 0
}

/** Any time of the run, or beyond its end. */
export async function seekTo(session: Session, up: Up, atNs: Ns): Promise<void> {
  const { machine } = up
  const target = Math.max(firstPosition(machine).atNs, atNs)
  if (up.isBroken || target < machine.state.nowNs || hasShortcut(machine, target)) {
    goBack(machine, target)
    up.isBroken = false
  }
  forgetRates(up)
  await runTo(session, up, target, () => session.isInterrupted)
}

/** After a jump nobody was busy "since the last frame". */
export function forgetRates(up: Up): void {
  up.memory.atNs = up.machine.state.nowNs
  up.memory.taskNs.clear()
  up.memory.cpuBusyNs.length = 0
}

/** Before anything is done to the machine: in the past, the run is cut there and shells start anew. */
export function cutIfPast(session: Session, up: Up): void {
  if (isAtEnd(up.machine)) return
  forkHere(up.machine)
  up.host.close()
  up.host = openDoor(session, up.machine, up.terminals.write)
  replaceShells(up.terminals, up.host)
}

/** A command of the window itself, given as pid 1. */
export function act(session: Session, up: Up, command: Parameters<typeof issue>[1]): ReturnType<typeof issue> {
  cutIfPast(session, up)
  return issue(up.machine, command)
}

// ---------------------------------------------------------------- keeping

export function saveText(session: Session, up: Up): string {
  const { machine, profile } = up
  const { rewind } = machine
  return formatSession({
    appVersion: session.deps.appVersion,
    profile,
    seed: machine.seed,
    commands: rewind.log,
    endNs: rewind.endNs,
    endEventCount: rewind.endEventCount,
    digest: digestAtEnd(machine, up.isBroken),
    ...(session.lab === undefined ? {} : { lab: { id: session.lab.progress().id, steps: session.lab.marks() } }),
  })
}

/**
 * Lives a saved run again, with a full record.
 * @returns false when this engine comes to another end than the one that wrote the file
 */
export async function relive(session: Session, up: Up, saved: SavedSession): Promise<boolean> {
  const { machine } = up
  const { clock } = session.deps
  let breathMs = clock.nowMs()
  const breathe = async (): Promise<void> => {
    checkpointIfDue(session, up)
    if (clock.nowMs() - breathMs <= BREATH_MS) return
    up.ranMs += clock.nowMs() - breathMs
    await turn()
    breathMs = clock.nowMs()
  }
  for (const { atNs, eventCount, command } of saved.commands) {
    await approach(machine, atNs, breathe)
    runToPosition(machine, { atNs, eventCount })
    issue(machine, command)
  }
  await approach(machine, saved.endNs, breathe)
  runToPosition(machine, { atNs: saved.endNs, eventCount: saved.endEventCount })
  return digestAtEnd(machine, false) === saved.digest
}

/** Up to a little before `atNs`, in pieces. */
async function approach(machine: Machine, atNs: Ns, breathe: () => Promise<void>): Promise<void> {
  while (machine.state.nowNs + PIECE_NS < atNs && machine.state.panicked === '') {
    runToPosition(machine, { atNs: machine.state.nowNs + PIECE_NS, eventCount: 0 })
    await breathe()
  }
}
