/**
 * Operations of programs: which function does which. Each returns a STEP_*; an operation that has to wait is called
 * again with its progress in task.opDone.
 * @kernel  the system calls of the same names
 */
import type { Ns } from '../util/units'
import { charge } from './exec'
import { flushOnReturn } from './mm/tlb_flush'
import { exitTask } from './lifecycle'
import type { KernelState } from './state'
import { succeed } from './syscall_result'
import { memoryOp } from './syscalls_memory'
import { opMbind, opMigratePages, opMovePages, opSetAffinity, opSetMempolicy } from './syscalls_numa'
import { opCompute, opExec, opExecve, opFork, opSignal, opSleep, opWait } from './syscalls_process'
import type { Op, Task } from './task'
import { STEP_DONE } from './touch'

/** What a program does without the kernel; faults come back by themselves. */
const IN_USER_MODE: ReadonlySet<Op['op']> = new Set(['compute', 'touch', 'touchList'])

/**
 * Goes on with the task's operation.
 * @param endNs  value of exec.ns at which the time slice ends
 */
export function stepOp(state: KernelState, task: Task, op: Op, endNs: Ns): number {
  if (state.tlb.flushesOnReturn && !IN_USER_MODE.has(op.op)) flushOnReturn(state, state.tlb.cpus[state.exec.cpu]!)
  switch (op.op) {
    case 'sleep':
    case 'pause':
    case 'host':
      return opSleep(state, task, op)
    case 'compute':
      return opCompute(state, task, op.ns, endNs)
    case 'fork':
      return opFork(state, task, op)
    case 'wait':
      return opWait(state, task, op.pid)
    case 'execve':
      return opExecve(state, task, op.argv)
    case 'exec':
      return opExec(state, task, op, endNs)
    case 'setAffinity':
      return opSetAffinity(state, task, op)
    case 'setMempolicy':
      return opSetMempolicy(state, task, op)
    case 'mbind':
      return opMbind(state, task, op, endNs)
    case 'movePages':
      return opMovePages(state, task, op)
    case 'migratePages':
      return opMigratePages(state, task, op, endNs)
    case 'signal':
      return opSignal(state, task, op)
    case 'setComm':
      charge(state, state.costs.syscall)
      task.comm = op.comm.slice(0, 15)
      return succeed(task, 0)
    case 'catchSignals':
      charge(state, state.costs.syscall)
      task.catchesSignals = true
      return succeed(task, 0)
    case 'exit':
      exitTask(state, task, op.status)
      return STEP_DONE
    default:
      return memoryOp(state, task, op, endNs)
  }
}
