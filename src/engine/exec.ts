/**
 * What the code that runs right now may do to its own time: charge it, or say that the operation has to wait.
 * A waiting operation is not a stack that sleeps: all callers unwind, and the whole operation is tried again when the
 * task is woken (docs/decisions/0006-restartable-operations.md).
 */
import type { Ns } from '../util/units'
import type { ExecContext, KernelState } from './state'
import type { Task } from './task'

/** Between two events: nothing runs. */
export const createExecContext = (): ExecContext => ({
  pid: 0,
  cpu: 0,
  ns: 0,
  suspendUntilNs: -1,
  suspendReason: '',
  waitPfn: 0,
  mayStop: false,
  isCommand: false,
  mayGoOn: false,
})

/** Simulated time at this point of the running event. */
export const now = (state: KernelState): Ns => state.nowNs + state.exec.ns

/** The running task used `ns` of CPU time. */
export function charge(state: KernelState, ns: Ns): void {
  state.exec.ns += ns
}

/**
 * The running operation cannot finish now. The caller returns its failure value; everybody above unwinds.
 * @param untilNs  absolute time of the retry; Infinity = until somebody wakes the task
 * @param reason   as /proc/<pid>/wchan would name it
 */
export function suspend(state: KernelState, untilNs: Ns, reason: string): void {
  state.exec.suspendUntilNs = untilNs
  state.exec.suspendReason = reason
}

/** Waits until the I/O of a frame is done. @kernel folio_wait_locked() */
export function suspendOnPage(state: KernelState, pfn: number): void {
  suspend(state, Infinity, 'folio_wait_bit_common')
  state.exec.waitPfn = pfn
}

/**
 * Whether who writes to a pseudo-file has time of its own: the handler may then work in pieces and suspend between them.
 * A command of the user's side does so only when its task goes on with the write (docs/decisions/0010-long-writes.md).
 */
export function hasWriterTime(state: KernelState): boolean {
  if (state.exec.isCommand) return state.exec.mayGoOn
  const op = currentTask(state)?.op?.op
  return op === 'write' || op === 'writeFile'
}

/** The end of a piece of a long write: a command only begins it. @param pieceNs  how long its task works without a pause */
export function writerPieceEnd(state: KernelState, pieceNs: Ns): Ns {
  if (!hasWriterTime(state)) return Infinity
  return state.exec.ns + (state.exec.isCommand ? 0 : pieceNs)
}

export const isSuspended = (state: KernelState): boolean => state.exec.suspendUntilNs >= 0

/**
 * The task that was asked for last. Pids are sparse, so that looking one up in state.tasks is a hash lookup, and every
 * fault asks three times (measured: 5 % of a fault).
 */
const recent: { state: KernelState | undefined; pid: number; task: Task | undefined } = {
  state: undefined,
  pid: 0,
  task: undefined,
}

/** The task whose operation runs; undefined in timers and I/O completions. */
export function currentTask(state: KernelState): Task | undefined {
  const { pid } = state.exec
  if (pid === 0) return undefined
  return recent.pid === pid && recent.state === state ? recent.task : lookUp(state, pid)
}

function lookUp(state: KernelState, pid: number): Task | undefined {
  const task = state.tasks[pid]
  // Only what is there: a task that comes later must be found.
  recent.state = task === undefined ? undefined : state
  recent.pid = pid
  recent.task = task
  return task
}

/** Node of the CPU that runs. */
export function currentNode(state: KernelState): number {
  return state.cpuNode[state.exec.cpu] ?? 0
}
