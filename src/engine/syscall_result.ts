/** How an operation hands its outcome to the program: a value, or −1 and errno, as in C. */
import type { Errno } from '../util/errno'
import type { Task } from './task'
import { STEP_DONE } from './touch'

export function fail(task: Task, errno: Errno): number {
  task.result = -1
  task.errno = errno
  return STEP_DONE
}

export function succeed(task: Task, result: number): number {
  task.result = result
  task.errno = ''
  return STEP_DONE
}

/** Runs a part of an operation whose progress counts from `base`, because what came before it is done once only. */
export function partFrom(task: Task, base: number, part: () => number): number {
  task.opDone -= base
  const step = part()
  task.opDone += base
  return step
}
