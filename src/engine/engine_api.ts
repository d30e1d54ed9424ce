/**
 * The engine as its users see it: functions over a KernelState that they may keep but not change.
 */
import type { Result } from '../util/result'
import type { Ns } from '../util/units'
import type { Command, CommandResult, FileStat, Refusal } from './commands'
import type { MachineConfig } from './config'
import type { Sink } from './context'
import type { KernelState } from './state'

/** A copy of a machine that can be continued any number of times. */
export interface Checkpoint {
  readonly atNs: Ns
  readonly bytes: number
  readonly state: KernelState
}

export interface Engine {
  /** A machine that has just booted: pid 1 exists, nothing runs yet. */
  boot(config: MachineConfig, seed: number, sink?: Sink): KernelState
  /** Handles events up to and including `atNs`, in order; returns the time reached (earlier when the sink asked to stop). */
  runUntil(state: KernelState, atNs: Ns, sink?: Sink): Ns
  /** Time of the next event, undefined when the machine is idle for ever. */
  nextEventAt(state: KernelState): Ns | undefined
  /** Handles exactly one event; returns the time reached. */
  step(state: KernelState, sink?: Sink): Ns
  command(state: KernelState, command: Command, sink?: Sink): CommandResult
  /** A look without side effects. */
  readFile(state: KernelState, path: string): Result<string, Refusal>
  listDir(state: KernelState, path: string): Result<readonly string[], Refusal>
  statFile(state: KernelState, path: string): Result<FileStat, Refusal>
  /** A write by root from outside: what the editors do. */
  writeFile(state: KernelState, path: string, text: string, sink?: Sink): CommandResult
  checkpoint(state: KernelState): Checkpoint
  restore(checkpoint: Checkpoint): KernelState
  /** Violations of the invariants, with page, zone and owner; empty when all hold. */
  checkInvariants(state: KernelState): string[]
}
