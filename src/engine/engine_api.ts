/**
 * The engine's surface as a type: what hosts, the command line and tests hold in their hands. createEngine() of
 * index.ts makes one; nothing outside src/engine calls deeper than this to change a machine.
 */
import type { Frozen } from '../util/clone'
import type { Result } from '../util/result'
import type { Ns } from '../util/units'
import type { Command, CommandResult, FileStat, Refusal } from './commands'
import type { MachineConfig } from './config'
import type { Sink } from './context'
import type { KernelState } from './state'

/** An unchangeable copy of a machine. Neighbouring checkpoints share what did not change between them. */
export interface Checkpoint {
  readonly atNs: Ns
  readonly eventCount: number
  readonly frozen: Frozen<KernelState>
}

export interface Engine {
  boot(config: MachineConfig, seed: number): KernelState
  /**
   * Handles events with time <= atNs in order and sets nowNs; returns early after the event in which sink.stopRequested
   * became true. Returns the time reached. How a run is cut into calls never changes it.
   */
  runUntil(state: KernelState, atNs: Ns, sink?: Sink): Ns
  command(state: KernelState, command: Command, sink?: Sink): CommandResult
  /** A peek without side effects. */
  readFile(state: KernelState, path: string): Result<string, Refusal>
  writeFile(state: KernelState, path: string, text: string, sink?: Sink): CommandResult
  listDir(state: KernelState, path: string): Result<readonly string[], Refusal>
  statFile(state: KernelState, path: string, pid: number): Result<FileStat, Refusal>
  /** `previous`: an earlier checkpoint of the same run to share unchanged memory with. */
  checkpoint(state: KernelState, previous?: Checkpoint): Checkpoint
  restore(checkpoint: Checkpoint): KernelState
  /** One sentence for each broken invariant; empty when the machine is sound. */
  checkInvariants(state: KernelState): string[]
}
