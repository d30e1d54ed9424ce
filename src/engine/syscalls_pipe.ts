/**
 * System calls on pipes that a program opens itself.
 * @kernel  fs/pipe.c do_pipe2(), pipe_read(), pipe_write()
 */
import type { Bytes } from '../util/units'
import { charge, isSuspended } from './exec'
import { createPipe, openPipeEnd, pipeRead, pipeWrite } from './pipe'
import { mayOpen } from './rlimit'
import { dropFileObject, takeFileObject } from './slab_objects'
import type { KernelState } from './state'
import { fail, succeed } from './syscall_result'
import type { Task } from './task'
import { STEP_BLOCKED, returnToUser } from './touch'

/** Lowest free descriptors of the task. */
function firstFreeFd(task: Task, from: number): number {
  let fd = from
  while (task.fds[fd] !== undefined) fd++
  return fd
}

/** Two descriptors; the text of the result names them, read end first. @kernel do_pipe2() */
export function opPipe(state: KernelState, task: Task): number {
  charge(state, state.costs.syscall * 4)
  if (!mayOpen(task, firstFreeFd(task, firstFreeFd(task, 3) + 1))) return fail(task, 'EMFILE')
  const objects: number[] = []
  for (let end = 0; end < 2; end++) {
    const object = takeFileObject(state)
    if (object < 0) {
      for (const taken of objects) dropFileObject(state, taken)
      return isSuspended(state) ? STEP_BLOCKED : fail(task, 'ENOMEM')
    }
    objects.push(object)
  }
  const pipe = createPipe(state)
  const readEnd = firstFreeFd(task, 3)
  task.fds[readEnd] = { kind: 'pipe', pipe, end: 'read', object: objects[0]! }
  openPipeEnd(state, pipe, 'read')
  const writeEnd = firstFreeFd(task, readEnd + 1)
  task.fds[writeEnd] = { kind: 'pipe', pipe, end: 'write', object: objects[1]! }
  openPipeEnd(state, pipe, 'write')
  task.resultText = `${readEnd} ${writeEnd}`
  return succeed(task, readEnd)
}

/** Waits while the pipe is empty and somebody could write. */
export function readPipe(state: KernelState, task: Task, pipe: number, length: Bytes): number {
  charge(state, state.costs.syscall)
  const got = pipeRead(state, pipe, length)
  return got === 'wait' ? STEP_BLOCKED : succeed(task, got)
}

/** Writes all of it, waiting for readers when the ring is full. opDone = bytes written. */
export function writePipe(state: KernelState, task: Task, pipe: number, length: Bytes): number {
  if (task.opDone === 0) charge(state, state.costs.syscall)
  while (task.opDone < length) {
    const put = pipeWrite(state, pipe, length - task.opDone)
    if (put === 'wait' || isSuspended(state)) return STEP_BLOCKED
    if (typeof put === 'string') return task.opDone > 0 ? succeed(task, task.opDone) : fail(task, put)
    task.opDone += put
    returnToUser(state, task)
    if (isSuspended(state)) return STEP_BLOCKED
  }
  return succeed(task, task.opDone)
}
