/**
 * What a shell may do to the machine: the only door between src/shell and the engine. The host implements it
 * (src/host/sys.ts) on top of commands stamped with simulated time; tests may implement it over a table.
 *
 * Everything that waits is a promise that resolves at an exact simulated time.
 */
import type { CommandResult, FileStat, Refusal, Stdio } from '../engine/commands'
import type { DataTlbCounts } from '../engine/mm/tlb_task'
import type { HostOp } from '../engine/task'
import type { Tracepoint } from '../engine/trace'
import type { Result } from '../util/result'
import type { Ns } from '../util/units'

export interface SpawnRequest {
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: Stdio
  readonly stdout?: Stdio
  readonly stderr?: Stdio
  /** The program in an executable file that was built on the machine, and that file's path. */
  readonly built?: { readonly program: string; readonly path: string }
}

/** What a task has used so far. */
export interface Usage {
  readonly minorFaults: number
  readonly majorFaults: number
  readonly contextSwitches: number
  readonly userNs: Ns
  readonly systemNs: Ns
  /** What its accesses to data found in the TLBs. */
  readonly tlb?: DataTlbCounts
  /** What only GNU time prints. @kernel struct rusage: ru_maxrss, ru_nvcsw, ru_nivcsw, ru_inblock, ru_oublock */
  readonly more?: {
    readonly maxRssPages: number
    readonly voluntary: number
    readonly involuntary: number
    readonly readPages: number
    readonly dirtiedPages: number
    /** Of children that it has waited for. @kernel RUSAGE_CHILDREN */
    readonly childUserNs: Ns
    readonly childSystemNs: Ns
  }
}

/** One tracepoint that was asked for. */
export interface TraceEvent {
  readonly name: Tracepoint
  readonly atNs: Ns
  readonly pid: number
  readonly comm: string
  readonly cpu: number
  readonly args: readonly number[]
  readonly text: string
  /** Of the task that ran, at that moment; with sched_process_* only. */
  readonly usage: Usage | undefined
}

export interface Sys {
  /** Simulated time since boot; wall-clock date of the machine = bootEpochMs + nowNs / 1e6. */
  now(): Ns
  readonly bootEpochMs: number
  readonly hostname: string
  /** Whether argv[0] names a simulated program (mm, stress, python3, sleep …): then spawn() runs it inside the machine. */
  isProgram(name: string): boolean
  /** Names for completion and "command not found" hints. */
  programNames(): readonly string[]

  read(pid: number, path: string): Result<string, Refusal>
  write(
    pid: number,
    path: string,
    text: string,
    how: { create: boolean; append: boolean; sizeBytes?: number },
  ): CommandResult
  /** One write(2) to a pseudo-file, which is an order to the kernel: when that takes long, resolves when it is done. */
  order(pid: number, path: string, text: string): CommandResult | Promise<CommandResult>
  /** One system call on files that a tool's process makes in its own time; the reply has its result, and text that it read. */
  perform(pid: number, op: HostOp): Promise<CommandResult>
  /** Names in a directory, sorted as ls sorts them. */
  list(pid: number, path: string): Result<readonly string[], Refusal>
  stat(pid: number, path: string): Result<FileStat, Refusal>
  /** mkdir, rmdir, unlink, rename, chdir, mount, umount, mkswap, swapon, swapoff. */
  command(command: import('../engine/commands').Command): CommandResult

  /** fork + exec of a simulated program; output with stdio 'host' arrives at `onOutput`. */
  spawn(parent: number, request: SpawnRequest, onOutput: (fd: number, text: string) => void): Result<number, Refusal>
  /**
   * fork + exec of a small tool that the shell itself computes (cat, grep …): resolves when the process is loaded and its
   * page faults are done; the tool then works and calls exit(). Resolves false when it was killed before that.
   */
  spawnTool(parent: number, argv: readonly string[]): Result<{ pid: number; ready: Promise<boolean> }, Refusal>
  /** A subshell. */
  fork(parent: number): Result<number, Refusal>
  exit(pid: number, status: number): void
  /** Resolves with the wait status when the task has ended and was reaped by `parent`. */
  wait(parent: number, pid: number): Promise<number>
  kill(from: number, pid: number, signal: number): CommandResult
  isAlive(pid: number): boolean
  /** Resolves after `ns` of simulated time; rejects nothing; resolves early with false when `pid` is killed. */
  sleep(pid: number, ns: Ns): Promise<boolean>
  /**
   * Hands over tracepoints from now on, until the returned function is called. `onEvent` is called in the middle of an
   * event of the machine: it may only take notes.
   */
  trace(names: readonly Tracepoint[], onEvent: (event: TraceEvent) => void): () => void
  /** undefined when there is no such task. */
  usage(pid: number): Usage | undefined
  /** What the TLBs of all CPUs counted since boot. */
  machineTlb(): DataTlbCounts
  /**
   * Foreign code that may need turns of the host's event loop (a dynamic import, a library's timers) goes through here:
   * simulated time stands still until the promise is settled. Plain awaits need nothing: the host drains them.
   */
  work?<T>(promise: Promise<T>): Promise<T>
}
