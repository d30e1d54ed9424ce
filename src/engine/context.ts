/**
 * What surrounds a running machine and is not part of it: who listens, and the table of programs.
 * State stays plain data; this is set for the duration of one engine call and never read by a decision of the kernel.
 */
import type { Errno } from '../util/errno'
import type { Ns } from '../util/units'
import type { ProgramTable } from './task'

/** Receives what happens while the engine runs. Every method is optional; a machine without listeners is as fast as it gets. */
export interface Sink {
  /** A tracepoint: index into TRACEPOINTS, time, up to eight numbers, one optional string. */
  trace?(tracepoint: number, atNs: Ns, pid: number, cpu: number, args: readonly number[], text: string): void
  /** By tracepoint: 1 = this listener does not want it, so that page-by-page ones cost next to nothing. */
  muted?: Uint8Array
  /** A task wrote to a descriptor that belongs to the user's side (a terminal or a shell's pipe). */
  output?(pid: number, fd: number, text: string): void
  /** A task ended: wait status as the shell shows it (0..255, 128+signal when killed). */
  exited?(pid: number, status: number): void
  /** A host-driven task is loaded and waits for its host (see Command 'spawn'). */
  ready?(pid: number): void
  /**
   * A system call that a host-driven task made in its own time is over (see Commands 'write' and 'perform'): '' = it
   * succeeded, its result, and what it read as text.
   */
  performed?(pid: number, errno: Errno | '', result: number, text: string): void
  /** A line of the kernel log. */
  klog?(atNs: Ns, text: string): void
  /** Set by the listener to make runUntil return after the event that is being handled. */
  stopRequested: boolean
}

/** By tracepoint: 1 = nobody wants it. */
const ALL_MUTED = new Uint8Array(256).fill(1)
const NONE_MUTED = new Uint8Array(256)

export interface EngineContext {
  sink: Sink
  /** What the sink does not listen to; asked for every page, so it is looked up once a call of the engine. */
  muted: Uint8Array
  /** By tracepoint: 1 = the machine's own trace buffer takes it; undefined = it takes nothing. Owner: trace_ring.ts */
  traced: Uint8Array | undefined
  programs: ProgramTable
  /** Fault injection, for tests only: whether this request finds no memory. @kernel mm/fail_page_alloc.c */
  failAlloc?: (gfp: number, order: number) => boolean
}

const NOBODY: Sink = { stopRequested: false }
export const context: EngineContext = { sink: NOBODY, muted: ALL_MUTED, traced: undefined, programs: {} }

const mutedBySink = ({ sink }: EngineContext): Uint8Array =>
  sink.trace === undefined ? ALL_MUTED : (sink.muted ?? NONE_MUTED)

/** Whether the sink wants a tracepoint that somebody wants. */
export const isForSink = (c: EngineContext, tracepoint: number): boolean =>
  c.traced === undefined || mutedBySink(c)[tracepoint] === 0

/** Says what the machine's own buffer takes; tracepoints are muted when neither it nor the sink wants them. */
export function listenInKernel(c: EngineContext, traced: Uint8Array | undefined): void {
  c.traced = traced
  c.muted = mutedBySink(c)
  if (traced !== undefined) c.muted = c.muted.map((muted, i) => (traced[i] === 1 ? 0 : muted))
}

/** Runs `work` with these listeners and programs; engine calls nest and never overlap, because all of it is synchronous. */
export function withContext<T>(
  sink: Sink | undefined,
  programs: ProgramTable,
  work: () => T,
  traced?: Uint8Array | undefined,
): T {
  const before = { ...context }
  context.sink = sink ?? NOBODY
  listenInKernel(context, traced)
  context.programs = programs
  try {
    return work()
  } finally {
    context.sink = before.sink
    context.muted = before.muted
    context.traced = before.traced
    context.programs = before.programs
  }
}
