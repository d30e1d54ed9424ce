/**
 * An access that a person makes in a process's name: one load, store or instruction fetch, as a debugger would let the
 * process do it at a breakpoint. The fault handler is the kernel's own; frames, charges, counters and signals are the
 * process's.
 * @model  the access is made at once, whatever the process is doing, and takes no simulated time; one that has to wait
 *         for a device or for memory goes on in the background
 */
import type { Errno } from '../util/errno'
import { NS_PER_MS, PAGE_SIZE, type Ns, type Pages, type Pfn } from '../util/units'
import { now } from './exec'
import { badAddress, addressHalf, PF_INSTR, PF_WRITE } from './fault_signal'
import { klog } from './klog'
import { MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, MM_SWAPENTS } from './mm/mm_types'
import { predictFault, type FaultPrediction } from './mm/fault_predict'
import { findHugePmd, frameInHuge } from './mm/huge_pmd'
import { findPteSlot, isPresent, pteAt, ptePfn } from './mm/pgtable'
import { exactRss, mmAt } from './mm/rss'
import { taskSize } from './mm/vma'
import { schedule } from './queue'
import { wakeTask } from './sched_queue'
import type { KernelState } from './state'
import type { SigInfo, Task, TouchMode } from './task'
import { STEP_DONE, STEP_KILLED, fetchPage, touchPage } from './touch'

/** [file, anon, shmem, swap] */
const COUNTERS = [MM_FILEPAGES, MM_ANONPAGES, MM_SHMEMPAGES, MM_SWAPENTS] as const

export type TouchOutcome = 'none' | 'minor' | 'major' | 'signal' | 'waiting' | 'killed'

/** One access and what came of it. */
export interface TouchRecord {
  readonly id: number
  readonly pid: number
  readonly address: number
  readonly access: TouchMode
  readonly atNs: Ns
  /** What was to be expected, with the handler's decisions. */
  readonly predicted: FaultPrediction
  outcome: TouchOutcome
  siginfo?: SigInfo
  /** Frame behind the address afterwards, 0 none. */
  pfn: Pfn
  /** What the access made: page tables, and changes of [file, anon, shmem, swap]. */
  tables: Pages
  rss: readonly number[]
  /** What the handler's steps would have taken. */
  costNs: Ns
  /** When it came to its end. */
  doneNs: Ns
}

/** Before the access, for the difference. */
interface Before {
  /** The access has already started I/O. */
  wasMajor: boolean
  minFlt: number
  majFlt: number
  pgtablesBytes: number
  rss: readonly number[]
}

export interface HandTouch {
  lastId: number
  /** The latest ones, oldest first. */
  readonly done: TouchRecord[]
  readonly waiting: { readonly record: TouchRecord; readonly before: Before }[]
}

/** @model see the file's head */
export const createHandTouch = (): HandTouch => ({ lastId: 0, done: [], waiting: [] })

/** Accesses that are remembered. */
const KEPT = 32

export interface TouchRequest {
  readonly pid: number
  readonly address: number
  readonly access: TouchMode
}

function refuse(state: KernelState, errno: Errno, why: string): Errno {
  klog(state, `pagewalk/touch: ${why}`)
  return errno
}

/**
 * Makes one access.
 * @returns ESRCH no such process; EINVAL a kernel thread, or a process without memory; EBUSY one that is itself waiting
 *   for a page, or for an earlier access of ours
 */
export function touchByHand(state: KernelState, request: TouchRequest): Errno | undefined {
  const task = state.tasks[request.pid]
  if (task === undefined || task.state === 'Z') return refuse(state, 'ESRCH', `there is no process ${request.pid}`)
  if (task.mm < 0) return refuse(state, 'EINVAL', `${task.comm}[${task.pid}] has no address space of its own`)
  const isWaiting = state.handTouch.waiting.some(({ record }) => record.pid === task.pid)
  if (task.state === 'D' || isWaiting || task.killSignal !== 0)
    return refuse(state, 'EBUSY', `${task.comm}[${task.pid}] is busy with a page: let it finish first`)
  const id = ++state.handTouch.lastId
  const record: TouchRecord = {
    id,
    ...request,
    atNs: now(state),
    predicted: predictFault(state, task, request.address, request.access),
    outcome: 'waiting',
    pfn: 0,
    tables: 0,
    rss: [0, 0, 0, 0],
    costNs: 0,
    doneNs: now(state),
  }
  step(state, task, { record, before: snapshot(state, task) })
  return undefined
}

/** Event 'touchByHand': the access is made again from its start, as a faulting instruction is. */
export function handleTouchByHand(state: KernelState, event: { readonly id: number }): void {
  const { waiting } = state.handTouch
  const at = waiting.findIndex(({ record }) => record.id === event.id)
  if (at < 0) return
  const entry = waiting.splice(at, 1)[0]!
  const task = state.tasks[entry.record.pid]
  if (task !== undefined && task.state !== 'Z' && task.mm >= 0) step(state, task, entry)
  else finish(state, entry.record, 'killed')
}

function snapshot(state: KernelState, task: Task): Before {
  return {
    wasMajor: false,
    minFlt: task.minFlt,
    majFlt: task.majFlt,
    pgtablesBytes: mmAt(state, task.mm).pgtablesBytes,
    rss: COUNTERS.map((counter) => exactRss(state, task.mm, counter)),
  }
}

/** Runs the access as the task itself; what the task was doing goes on afterwards as if nothing had been. */
function step(state: KernelState, task: Task, entry: { record: TouchRecord; before: Before }): void {
  const { exec } = state
  const { record, before } = entry
  const own = { ...exec }
  const { retry, op } = task
  Object.assign(exec, { pid: task.pid, cpu: task.cpu, ns: 0, suspendUntilNs: -1, waitPfn: 0, isCommand: true })
  task.retry = { ...retry, chargeRetries: -1, noProgressLoops: -1, faultWasMajor: before.wasMajor }
  task.op = { op: 'touch', address: record.address, length: 1, mode: record.access }
  const outcome = access(state, task, record)
  record.costNs += exec.ns
  const mayRetryAt = Number.isFinite(exec.suspendUntilNs) && exec.suspendUntilNs >= 0 ? exec.suspendUntilNs : 0
  task.op = op
  before.wasMajor = task.retry.faultWasMajor
  task.retry = retry
  Object.assign(exec, own)
  if (outcome === STEP_DONE || outcome === STEP_KILLED) {
    conclude(state, task, record, before)
    return
  }
  state.handTouch.waiting.push(entry)
  schedule(state.queue, Math.max(mayRetryAt, now(state) + NS_PER_MS), { kind: 'touchByHand', id: record.id })
}

/** @returns STEP_* */
function access(state: KernelState, task: Task, { address, access: mode }: TouchRecord): number {
  const vpn = Math.floor(address / PAGE_SIZE)
  if (addressHalf(state, address) !== 'user' || vpn >= taskSize(state)) {
    badAddress(state, task, address, mode === 'write' ? PF_WRITE : mode === 'exec' ? PF_INSTR : 0)
    return STEP_KILLED
  }
  const mm = mmAt(state, task.mm)
  return mode === 'exec' ? fetchPage(state, task, mm, vpn) : touchPage(state, task, mm, vpn, mode === 'write')
}

function conclude(state: KernelState, task: Task, record: TouchRecord, before: Before): void {
  const mm = mmAt(state, task.mm)
  const vpn = Math.floor(record.address / PAGE_SIZE)
  const slot = addressHalf(state, record.address) === 'user' && vpn < taskSize(state) ? findPteSlot(state, mm, vpn) : -1
  const pte = slot < 0 ? 0 : pteAt(state.pgtables, slot)
  const huge = slot < 0 && addressHalf(state, record.address) === 'user' ? findHugePmd(state, mm, vpn) : -1
  record.pfn = isPresent(pte) ? ptePfn(pte) : huge < 0 ? 0 : frameInHuge(state.pgtables, huge, vpn)
  record.tables = (mm.pgtablesBytes - before.pgtablesBytes) / PAGE_SIZE
  record.rss = COUNTERS.map((counter, i) => exactRss(state, task.mm, counter) - before.rss[i]!)
  if (task.killSignal !== 0) {
    if (task.siginfo !== undefined) record.siginfo = task.siginfo
    if (task.state === 'S') wakeTask(state, task.pid)
    finish(state, record, task.siginfo === undefined ? 'killed' : 'signal')
    return
  }
  const fault = task.majFlt > before.majFlt ? 'major' : task.minFlt > before.minFlt ? 'minor' : 'none'
  finish(state, record, fault)
}

function finish(state: KernelState, record: TouchRecord, outcome: TouchOutcome): void {
  record.outcome = outcome
  record.doneNs = now(state)
  const { done } = state.handTouch
  done.push(record)
  if (done.length > KEPT) done.shift()
}
