/**
 * Operations on tasks: sleeping, fork, exec, wait, signals, placement.
 * @kernel  kernel/fork.c, kernel/exit.c, kernel/time/hrtimer.c, kernel/sched/syscalls.c
 */
import { cloneTree } from '../util/clone'
import type { Ns } from '../util/units'
import { taskMemcg } from './cgroup'
import { context } from './context'
import { charge, isSuspended, now, suspend } from './exec'
import { EXEC_WITHOUT_FORK, stepExec, stepFork } from './exec_image'
import { shellImage } from './images'
import { allocKernelStack, freeKernelStack } from './kernel_stack'
import { SIGKILL, createTask, reapZombie, sendSignal, startTask } from './lifecycle'
import { unmapAll } from './mappings'
import { copyMm } from './mm/fork'
import { mmAt } from './mm/rss'
import { hasTooManyProcesses } from './rlimit'
import type { KernelState } from './state'
import { fail, succeed } from './syscall_result'
import type { Op, Task } from './task'
import { STEP_BLOCKED, STEP_KILLED, STEP_MORE } from './touch'
import { hasProgram } from './userland'

type OpOf<K extends Op['op']> = Extract<Op, { op: K }>

/** First call: go to sleep. Second call, after waking: done. */
export function opSleep(state: KernelState, task: Task, op: OpOf<'sleep'> | OpOf<'pause'> | OpOf<'host'>): number {
  if (task.opDone === 1 && op.op !== 'host') return succeed(task, 0)
  task.opDone = 1
  const until = op.op === 'sleep' ? now(state) + Math.max(0, op.ns) : Infinity
  suspend(state, until, sleepChannel(task, op.op))
  return STEP_BLOCKED
}

/** Where such a task would be waiting on Linux: a shell at its terminal, a service in its event loop. */
function sleepChannel(task: Task, op: 'sleep' | 'pause' | 'host'): string {
  if (op === 'sleep') return 'hrtimer_nanosleep'
  if (op === 'pause') return 'do_pause'
  return /^(?:-?bash|-?sh|init)$/.test(task.comm) ? 'wait_woken' : 'do_epoll_wait'
}

export function opCompute(state: KernelState, task: Task, ns: Ns, endNs: Ns): number {
  const left = ns - task.opDone
  const slice = Math.min(left, Math.max(0, endNs - state.exec.ns))
  charge(state, slice)
  task.opDone += slice
  return task.opDone >= ns ? succeed(task, 0) : STEP_MORE
}

/** @kernel kernel_clone() */
export function opFork(state: KernelState, task: Task, op: OpOf<'fork'>): number {
  charge(state, state.costs.forkBase)
  if (hasTooManyProcesses(state, task)) return fail(task, 'EAGAIN')
  const stack: number[] = []
  const partial = { mm: -1 }
  if (
    !allocKernelStack(state, taskMemcg(state, task), stack) ||
    copyMm(state, mmAt(state, task.mm), partial) < 0 ||
    isSuspended(state)
  ) {
    // A fork that failed half-way leaves nothing behind.
    freeKernelStack(state, stack)
    if (partial.mm >= 0) dropCopy(state, partial.mm)
    return isSuspended(state) ? STEP_BLOCKED : fail(task, 'ENOMEM')
  }
  const child = createTask(state, {
    ppid: task.pid,
    comm: task.comm,
    argv: task.argv,
    program: task.program,
    data: cloneTree(op.child),
    op: undefined,
    isKthread: false,
  })
  child.mm = partial.mm
  child.stackPfns = stack
  child.heapBlocks = { ...task.heapBlocks }
  // Handlers are inherited; what has already arrived is not.
  child.catchesSignals = task.catchesSignals
  startTask(state, child)
  return succeed(task, child.pid)
}

function dropCopy(state: KernelState, mmIndex: number): void {
  const mm = mmAt(state, mmIndex)
  unmapAll(state, mm)
  mm.users = 0
}

/** @kernel kernel/exit.c do_wait() */
export function opWait(state: KernelState, task: Task, pid: number): number {
  charge(state, state.costs.syscall)
  if (pid === -1) return opWaitAny(state, task)
  const zombie = state.tasks[pid]
  if (zombie === undefined || zombie.ppid !== task.pid) return fail(task, 'ECHILD')
  if (zombie.state === 'Z') {
    reapZombie(state, task, zombie)
    return succeed(task, zombie.exitStatus)
  }
  suspend(state, Infinity, 'do_wait')
  return STEP_BLOCKED
}

/** Result: pid * 256 + status. */
function opWaitAny(state: KernelState, task: Task): number {
  const pid = task.zombies[0]
  if (pid !== undefined) {
    const zombie = state.tasks[pid]!
    reapZombie(state, task, zombie)
    return succeed(task, pid * 256 + zombie.exitStatus)
  }
  if (!state.taskList.some((child) => state.tasks[child]!.ppid === task.pid)) return fail(task, 'ECHILD')
  suspend(state, Infinity, 'do_wait')
  return STEP_BLOCKED
}

export function opExec(state: KernelState, task: Task, op: OpOf<'exec'>, endNs: Ns): number {
  const isSubshell = op.program === 'subshell'
  const step = isSubshell ? stepFork(state, task, shellImage(state.config), endNs) : stepExec(state, task, op, endNs)
  if (step === STEP_KILLED && task.killSignal === 0) task.killSignal = SIGKILL
  return step
}

/**
 * The task goes on as another program of the table, from its second half of fork + exec on.
 * @kernel fs/exec.c begin_new_exec()
 */
export function opExecve(state: KernelState, task: Task, argv: readonly string[]): number {
  charge(state, state.costs.syscall)
  const name = argv[0]?.split('/').pop() ?? ''
  const program = Object.hasOwn(context.programs, name) ? context.programs[name]! : undefined
  if (program === undefined || !hasProgram(state, program)) return fail(task, 'ENOENT')
  task.op = { op: 'exec', argv, program: name, image: program.image, forked: program.image }
  task.opDone = EXEC_WITHOUT_FORK
  // Blocks of malloc and handlers of signals belonged to the old image.
  task.heapBlocks = {}
  task.catchesSignals = false
  return STEP_MORE
}

export function opSignal(state: KernelState, task: Task, op: OpOf<'signal'>): number {
  charge(state, state.costs.syscall)
  const errno = sendSignal(state, op.pid, op.signal)
  return errno === undefined ? succeed(task, 0) : fail(task, errno)
}

/** @returns EPERM: only root may become somebody else @kernel kernel/sys.c __sys_setuid() */
export function opSetuid(state: KernelState, task: Task, uid: number): number {
  charge(state, state.costs.syscall)
  if (task.uid !== 0 && task.uid !== uid) return fail(task, 'EPERM')
  task.uid = uid
  return succeed(task, 0)
}
