/**
 * Going back: the log of everything that was done to the machine, and copies of the machine at thinning intervals.
 * Any earlier moment is the nearest copy before it, the commands since then, and time. Doing something in the past
 * cuts the log there.
 *
 * A position of a run is (time, events handled): two commands of one instant may have events between them.
 */
import type { Command } from '../engine/commands'
import type { Sink } from '../engine/context'
import type { Checkpoint, Engine } from '../engine/engine_api'
import type { KernelState } from '../engine/state'
import { assert } from '../util/assert'
import { releaseFrozen } from '../util/clone'
import type { Ns } from '../util/units'

export interface LoggedCommand {
  readonly atNs: Ns
  /** Events that the machine had handled before it. */
  readonly eventCount: number
  readonly command: Command
}

interface Stop {
  readonly checkpoint: Checkpoint
  /** Commands that were given before it. */
  readonly cursor: number
}

export interface Rewind {
  readonly log: LoggedCommand[]
  /** Commands of the log that the present state has seen; log.length at the live end of the run. */
  cursor: number
  /** Where the recorded run ends. */
  endNs: Ns
  endEventCount: number
  readonly stops: Stop[]
  bytes: number
  readonly budgetBytes: number
}

export const createRewind = (budgetBytes: number): Rewind => ({
  log: [],
  cursor: 0,
  endNs: 0,
  endEventCount: 0,
  stops: [],
  bytes: 0,
  budgetBytes,
})

/** Whether the state is where the recorded run ends, so that what happens next is new. */
export const isLive = (rewind: Rewind, state: KernelState): boolean =>
  rewind.cursor === rewind.log.length && state.nowNs >= rewind.endNs && state.eventCount >= rewind.endEventCount

/** After live time passed or a command was given. */
export function noteLive(rewind: Rewind, state: KernelState): void {
  rewind.endNs = state.nowNs
  rewind.endEventCount = state.eventCount
}

/** Logs a command that is about to be given; the run must be live (see cutHere). */
export function noteCommand(rewind: Rewind, state: KernelState, command: Command): void {
  assert(rewind.cursor === rewind.log.length, `a command at ${rewind.cursor} of ${rewind.log.length} logged ones`)
  rewind.log.push({ atNs: state.nowNs, eventCount: state.eventCount, command })
  rewind.cursor++
  noteLive(rewind, state)
}

/** Makes the present state the end of the run. */
export function cutHere(rewind: Rewind, state: KernelState): void {
  rewind.log.length = rewind.cursor
  noteLive(rewind, state)
  while (rewind.stops.length > 0 && isAfter(rewind.stops.at(-1)!, rewind, state))
    dropStop(rewind, rewind.stops.length - 1)
}

const isAfter = ({ checkpoint, cursor }: Stop, rewind: Rewind, state: KernelState): boolean =>
  checkpoint.atNs > state.nowNs || checkpoint.eventCount > state.eventCount || cursor > rewind.cursor

// ---------------------------------------------------------------- checkpoints

/** Copies the machine as it is now. Any moment will do, recorded or live, as long as it is later than the last copy. */
export function addCheckpoint(rewind: Rewind, engine: Engine, state: KernelState): void {
  const last = rewind.stops.at(-1)
  if (last !== undefined && last.checkpoint.atNs >= state.nowNs) return
  const checkpoint = engine.checkpoint(state, last?.checkpoint)
  rewind.stops.push({ checkpoint, cursor: rewind.cursor })
  rewind.bytes += checkpoint.frozen.plainBytes + checkpoint.frozen.chunkBytes
  while (rewind.bytes > rewind.budgetBytes && rewind.stops.length > 3) dropStop(rewind, leastMissed(rewind))
}

/** The copy whose absence lengthens a replay least for its age; never the first (boot) nor the last. */
function leastMissed(rewind: Rewind): number {
  const stops = rewind.stops
  const nowNs = stops.at(-1)!.checkpoint.atNs
  let best = 1
  let least = Infinity
  for (let i = 1; i < stops.length - 1; i++) {
    const gap = stops[i + 1]!.checkpoint.atNs - stops[i - 1]!.checkpoint.atNs
    const age = nowNs - stops[i]!.checkpoint.atNs + 1
    if (gap / age < least) {
      least = gap / age
      best = i
    }
  }
  return best
}

function dropStop(rewind: Rewind, i: number): void {
  const [stop] = rewind.stops.splice(i, 1)
  rewind.bytes -= releaseFrozen(stop!.checkpoint.frozen)
}

// ---------------------------------------------------------------- replay

/** Time of the copy from which `atNs` is reached soonest. */
export const nearestStopNs = (rewind: Rewind, atNs: Ns): Ns =>
  rewind.stops.findLast((s) => s.checkpoint.atNs <= atNs)?.checkpoint.atNs ?? 0

/** A state from which `atNs` is reached by going forward: a copy at or before it. */
export function restoreBefore(rewind: Rewind, engine: Engine, atNs: Ns): KernelState {
  const stop = rewind.stops.findLast((s) => s.checkpoint.atNs <= atNs) ?? rewind.stops[0]
  assert(stop !== undefined, 'nothing to go back to: no checkpoint was taken')
  rewind.cursor = stop.cursor
  return engine.restore(stop.checkpoint)
}

/** The same for a position counted in events. */
export function restoreBeforeEvent(rewind: Rewind, engine: Engine, eventCount: number): KernelState {
  const stop = rewind.stops.findLast((s) => s.checkpoint.eventCount <= eventCount) ?? rewind.stops[0]
  assert(stop !== undefined, 'nothing to go back to: no checkpoint was taken')
  rewind.cursor = stop.cursor
  return engine.restore(stop.checkpoint)
}

/** A sink that stops the engine once so many events were handled in all. */
export const stopAtEvent = (state: KernelState, eventCount: number): Sink => ({
  get stopRequested(): boolean {
    return state.eventCount >= eventCount
  },
  // The engine clears it at the start of a run; the count decides alone.
  set stopRequested(_: boolean) {},
})

/** Goes to a position at which the recorded run was before: (atNs, eventCount). */
function goTo(engine: Engine, state: KernelState, at: { readonly atNs: Ns; readonly eventCount: number }): void {
  if (state.eventCount < at.eventCount) engine.runUntil(state, at.atNs, stopAtEvent(state, at.eventCount))
  if (state.nowNs < at.atNs) engine.runUntil(state, at.atNs)
  assert(
    state.eventCount === at.eventCount && state.nowNs === at.atNs,
    `replay reached (${state.nowNs} ns, event ${state.eventCount}) instead of (${at.atNs} ns, event ${at.eventCount})`,
  )
}

export interface ReplayTarget {
  readonly atNs: Ns
  /** Not further than this many events in all; Infinity = no limit. */
  readonly eventCount: number
}

/**
 * Repeats the recorded run up to the target or to its end, whichever comes first. Gives commands at their positions.
 * Returns true when the state is at the live end.
 */
export function replay(rewind: Rewind, engine: Engine, state: KernelState, target: ReplayTarget): boolean {
  while (rewind.cursor < rewind.log.length) {
    const next = rewind.log[rewind.cursor]!
    if (next.atNs > target.atNs || next.eventCount > target.eventCount) break
    goTo(engine, state, next)
    engine.command(state, next.command)
    rewind.cursor++
  }
  const isPastEnd = target.atNs >= rewind.endNs && target.eventCount >= rewind.endEventCount
  if (rewind.cursor === rewind.log.length && isPastEnd) {
    goTo(engine, state, { atNs: rewind.endNs, eventCount: rewind.endEventCount })
    return true
  }
  runTowards(rewind, engine, state, target)
  return false
}

/** Time passes up to the target, but not past the next command or the end, which have to be met exactly. */
function runTowards(rewind: Rewind, engine: Engine, state: KernelState, target: ReplayTarget): void {
  const next = rewind.log[rewind.cursor] ?? { atNs: rewind.endNs, eventCount: rewind.endEventCount }
  const atNs = Math.min(target.atNs, next.atNs)
  const limit = Math.min(target.eventCount, next.eventCount)
  if (state.eventCount < limit) engine.runUntil(state, atNs, stopAtEvent(state, limit))
  // Only time is left: every event before `next` is among those that were counted.
  if (state.eventCount < target.eventCount && state.nowNs < atNs) engine.runUntil(state, atNs)
}
