/**
 * Operations of programs on their address space: which function does which; the others are those on files.
 * @kernel  the system calls of the same names
 */
import type { Ns } from '../util/units'
import { charge } from './exec'
import { pageOf } from './mappings'
import { setRlimit } from './rlimit'
import type { KernelState } from './state'
import { fail, succeed } from './syscall_result'
import { fileOp } from './syscalls_file'
import { opMadvise } from './syscalls_madvise'
import { opMlock, opMlockall, opMunlockall } from './syscalls_mlock'
import { opBrk, opFree, opMalloc, opMmap, opMunmap, opTouch } from './syscalls_mm'
import { opMprotect } from './syscalls_mprotect'
import { opMremap } from './syscalls_mremap'
import { opMsync } from './syscalls_msync'
import { opSetuid } from './syscalls_process'
import type { Op, Task } from './task'
import { STEP_DONE } from './touch'
import { touchList } from './touch_list'

/** @param endNs  value of exec.ns at which the time slice ends */
export function memoryOp(state: KernelState, task: Task, op: Op, endNs: Ns): number {
  switch (op.op) {
    case 'touch':
      return opTouch(state, task, op, endNs)
    case 'touchList': {
      const step = touchList(state, task, pageOf(op.address), op.pages, op.mode === 'write', state.costs.access, endNs)
      return step === STEP_DONE ? succeed(task, op.pages.length) : step
    }
    case 'mmap':
      return opMmap(state, task, op, endNs)
    case 'munmap':
      return opMunmap(state, task, op.address, op.length)
    case 'mprotect':
      return opMprotect(state, task, op)
    case 'madvise':
      return opMadvise(state, task, op, endNs)
    case 'mlock':
    case 'munlock':
      return opMlock(state, task, op, endNs)
    case 'mlockall':
      return opMlockall(state, task, op, endNs)
    case 'munlockall':
      return opMunlockall(state, task)
    case 'mremap':
      return opMremap(state, task, op, endNs)
    case 'msync':
      return opMsync(state, task, op)
    case 'setrlimit':
      charge(state, state.costs.syscall)
      return setLimit(state, task, op)
    case 'setuid':
      return opSetuid(state, task, op.uid)
    case 'brk':
      return opBrk(state, task, op.address, endNs)
    case 'malloc':
      return opMalloc(state, task, op.length)
    case 'free':
      return opFree(state, task, op.address)
    default:
      return fileOp(state, task, op, endNs)
  }
}

/** Root may raise its own hard limit with the soft one. @kernel sys_setrlimit() */
function setLimit(state: KernelState, task: Task, op: Extract<Op, { op: 'setrlimit' }>): number {
  const errno = setRlimit(state, task, op.resource, { soft: op.bytes, hard: op.hard })
  return errno === undefined ? succeed(task, 0) : fail(task, errno)
}
