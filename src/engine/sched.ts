/**
 * Virtual CPUs: who runs until when. One cpuRun event is one time slice: the first task of the queue works on its
 * operations until the slice ends, it sleeps, or it dies; the time it used is when the CPU runs again.
 * @kernel  kernel/sched/core.c schedule()
 * @model   slices of 100 µs (longer when nothing else is due) instead of CFS/EEVDF: fine enough that allocators and
 *          kswapd interleave within a batch of pages. A task that is not done with its turn goes on after its slice, unless
 *          another one has been woken
 */
import { assert } from '../util/assert'
import { NS_PER_MS, NS_PER_US, type Ns } from '../util/units'
import { context } from './context'
import { isSuspended, now } from './exec'
import { exitTask, sendSignal, SIGKILL, startTask } from './lifecycle'
import { PREEMPTED } from './mm/direct_reclaim'
import { kcompactdStep } from './mm/kcompactd'
import { kswapdStep } from './mm/kswapd'
import { runDueDrains } from './mm/memcg_stock'
import { PG_WORKINGSET, hasFlag } from './mm/memmap'
import { preferredCpu } from './mm/numa_placement'
import { taskTickNuma } from './mm/numa_scan'
import { memstallEnter, psiDequeue } from './mm/psi'
import { enterLazyTlb, switchMm } from './mm/tlb_flush'
import { taskTlbIn, taskTlbOut } from './mm/tlb_task'
import { nextEventAt, schedule } from './queue'
import { cpuLimitSignal } from './rlimit'
import { addLoad, isAllowedOn, moveTask, pullTask, sleepTask, waitOnPage } from './sched_queue'
import type { KernelState, RunQueue } from './state'
import { traceEnter, traceExit } from './syscall_trace'
import { stepOp } from './syscalls'
import type { Op, Program, ProgramView, Task } from './task'
import { STEP_BLOCKED, STEP_DONE, STEP_KILLED, returnToUser } from './touch'
import { below } from '../util/prng'

const SLICE_NS: Ns = 100 * NS_PER_US
const SLICE_MAX_NS: Ns = NS_PER_MS
/** A turn ends at a tick of 250 Hz: the base slice of so few CPUs is shorter. @kernel sysctl_sched_base_slice, CONFIG_HZ */
const TURN_NS: Ns = 4 * NS_PER_MS

/** Slices never run far past the next event, so that I/O and timers are seen in time. */
function sliceLength(state: KernelState): Ns {
  const next = nextEventAt(state.queue)
  const gap = next === undefined ? SLICE_MAX_NS : next - state.nowNs
  return Math.max(SLICE_NS, Math.min(SLICE_MAX_NS, gap))
}

/** One time slice of one CPU. */
export function runCpu(state: KernelState, cpu: number): void {
  const rq = state.runqueues[cpu]!
  const exec = state.exec
  exec.cpu = cpu
  runDueDrains(state)
  const pid = nextRunnable(state, cpu)
  if (pid === 0) {
    rq.active = false
    rq.current = 0
    enterLazyTlb(state.tlb, cpu)
    return
  }
  const task = state.tasks[pid]!
  exec.pid = pid
  if (rq.current !== pid) {
    exec.ns += state.costs.contextSwitch
    rq.switches++
  }
  rq.current = pid
  startTurn(state, rq, pid)
  task.cpu = cpu
  if (task.mm < 0) enterLazyTlb(state.tlb, cpu)
  else switchMm(state, task.mm)
  const tlb = state.tlb.cpus[cpu]!
  taskTlbIn(tlb)
  if (state.sysctl.numaBalancing !== 0 && task.mm >= 0 && task.killSignal === 0) taskTickNuma(state, task)
  runTask(state, task, sliceLength(state))
  taskTlbOut(tlb, task)
  const used = Math.ceil(exec.ns)
  rq.busyNs += used
  addLoad(rq, state.nowNs, used)
  if (!task.isKthread) rq.userNs += Math.floor(used / 4)
  task.stimeNs += used
  rq.interrupted = 0
  const signal = cpuLimitSignal(task)
  if (signal !== 0) sendSignal(state, pid, signal)
  if (task.state === 'R' && state.tasks[pid] !== undefined) {
    // sched_setaffinity() has moved it, or it goes on, or waits here for its next turn.
    const nearer = task.numa === undefined ? -1 : preferredCpu(state, task, (other) => isAllowedOn(task, other))
    if (nearer >= 0) moveTask(state, task, nearer)
    else if (isAllowedOn(task, cpu)) requeue(rq, pid, used)
    else {
      task.nivcsw++
      psiDequeue(state, task)
      startTask(state, task)
    }
  }
  schedule(state.queue, state.nowNs + Math.max(1, used), { kind: 'cpuRun', cpu })
  exec.ns = 0
  exec.pid = 0
  exec.cpu = 0
}

/** Whoever was in the middle of a turn and does not go on has been preempted. */
function startTurn(state: KernelState, rq: RunQueue, pid: number): void {
  if (rq.interrupted === pid) return
  const preempted = rq.interrupted === 0 ? undefined : state.tasks[rq.interrupted]
  if (preempted !== undefined) preempted.nivcsw++
  rq.turnNs = 0
}

/** The slice is over and the task could go on: it does, after those that were woken, until its turn is over. */
function requeue(rq: RunQueue, pid: number, usedNs: Ns): void {
  rq.interrupted = pid
  rq.turnNs += usedNs
  if (rq.turnNs < TURN_NS) rq.queue.splice(rq.woken, 0, pid)
  else {
    rq.queue.push(pid)
    rq.turnNs = 0
  }
}

/** Takes the next task that is still runnable off the queue; 0 = none. */
function nextRunnable(state: KernelState, cpu: number): number {
  const rq = state.runqueues[cpu]!
  while (rq.queue.length > 0) {
    const pid = rq.queue.shift()!
    if (rq.woken > 0) rq.woken--
    if (state.tasks[pid]?.state === 'R') return pid
  }
  return pullTask(state, cpu)
}

function runTask(state: KernelState, task: Task, length: Ns): void {
  if (task.isKthread) {
    runKthread(state, task, length)
    return
  }
  while (state.exec.ns < length) {
    if (task.killSignal !== 0) {
      exitTask(state, task, 128 + task.killSignal)
      return
    }
    if (task.isStopped === true) {
      sleepTask(state, task, 'T', Infinity, 'do_signal_stop')
      return
    }
    const op = task.op ?? beginOp(state, task)
    const step = stepOp(state, task, op, length)
    if (task.state === 'Z') return
    if (step === STEP_DONE) {
      finishOp(state, task, op)
      if (!isSuspended(state)) continue
    }
    if (step === STEP_KILLED) continue
    if (step === STEP_BLOCKED || isSuspended(state)) {
      blockTask(state, task)
      return
    }
    // STEP_MORE: the slice is used up, or the same access is made again.
  }
}

/** The operation is complete; what the system call charged beyond memory.high is slept off on the way back. */
function finishOp(state: KernelState, task: Task, op: Op): void {
  traceExit(state, task, op)
  if (op.op === 'exec') startProgram(task, op)
  else task.op = undefined
  if (task.program === 'host' && op.op !== 'exec')
    context.sink.performed?.(task.pid, task.errno, task.result, task.resultText)
  task.opDone = 0
  if (!isSuspended(state)) returnToUser(state, task)
}

/** exec is done: the task is its program now. */
function startProgram(task: Task, op: Extract<Op, { op: 'exec' }>): void {
  if (op.program === 'tool' || op.program === 'subshell') {
    task.op = { op: 'host' }
    context.sink.ready?.(task.pid)
    return
  }
  const program = programOf(op.program)
  const start = program.start(op.argv, task.env)
  task.program = op.program
  if (start.ok) {
    task.data = start.data
    task.op = undefined
    return
  }
  // Bad arguments: the program prints its usage and ends.
  task.data = {}
  task.program = 'usage'
  task.op = { op: 'write', fd: 2, text: start.usage }
  task.data['exit'] = start.status
}

function programOf(name: string): Program {
  const program = context.programs[name]
  assert(program !== undefined, `program ${name} is not in the table`)
  return program
}

/** What the program asks for next. */
function beginOp(state: KernelState, task: Task): Op {
  const op = nextOp(state, task)
  task.op = op
  traceEnter(state, task, op)
  return op
}

/** Programs that only wait for their host, and the tail of a failed start. */
function nextOp(state: KernelState, task: Task): Op {
  if (task.program === 'host') return { op: 'host' }
  if (task.program === 'usage') return { op: 'exit', status: Number(task.data['exit'] ?? 2) }
  return programOf(task.program).next(task.data, viewOf(state, task))
}

type MutableView = { -readonly [K in keyof ProgramView]: ProgramView[K] }
let viewState: KernelState
let viewTask: Task
const view: MutableView = {
  pid: 0,
  nowNs: 0,
  result: 0,
  errno: undefined,
  text: '',
  minflt: 0,
  majflt: 0,
  signalled: false,
  cpu: 0,
  nid: 0,
  random: (bound: number): number => below(viewState.prng, `program/${viewTask.program}/${viewTask.pid}`, bound),
}

function viewOf(state: KernelState, task: Task): ProgramView {
  viewState = state
  viewTask = task
  view.pid = task.pid
  view.nowNs = Math.floor(now(state))
  view.result = task.result
  view.errno = task.errno === '' ? undefined : task.errno
  view.text = task.resultText
  view.minflt = task.minFlt
  view.majflt = task.majFlt
  view.signalled = task.signalled
  view.cpu = state.exec.cpu
  view.nid = state.cpuNode[state.exec.cpu]!
  task.resultText = ''
  return view
}

/** Turns exec.suspend… into a sleeping task. */
function blockTask(state: KernelState, task: Task): void {
  const exec = state.exec
  const until = exec.suspendUntilNs
  const reason = exec.suspendReason
  exec.suspendUntilNs = -1
  exec.suspendReason = ''
  if (reason === PREEMPTED || (task.killSignal === SIGKILL && until === Infinity)) return
  const interruptible =
    reason === 'hrtimer_nanosleep' ||
    reason === 'do_pause' ||
    reason === 'do_wait' ||
    reason === 'wait_woken' ||
    reason === 'do_epoll_wait' ||
    reason.startsWith('pipe_')
  const isStall =
    reason === 'mem_cgroup_handle_over_high' ||
    (exec.waitPfn !== 0 && hasFlag(state.memmap, exec.waitPfn, PG_WORKINGSET))
  if (isStall) memstallEnter(state, task)
  if (exec.waitPfn !== 0) {
    waitOnPage(state, task.pid, exec.waitPfn)
    exec.waitPfn = 0
  }
  sleepTask(state, task, interruptible ? 'S' : 'D', until, reason)
}

/** Kernel threads work in batches; each batch may end the slice. */
function runKthread(state: KernelState, task: Task, length: Ns): void {
  const nid = Number(task.data['nid'])
  while (state.exec.ns < length && task.state === 'R') {
    const isDone = task.program === 'kcompactd' ? kcompactdStep(state, nid, length) : kswapdStep(state, nid).done
    if (isDone) return
  }
}
