/**
 * The directory that a task is in.
 * @kernel  fs/open.c sys_chdir()
 */
import type { Errno } from '../../util/errno'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { listPath, statPath } from './vfs'

/** Enters a directory, also through a link to one; the name of the link stays, as shells show it. */
export function chdir(state: KernelState, task: Task, path: string): Errno | undefined {
  const stat = statPath(state, path)
  if (typeof stat === 'string') return stat
  if (stat.kind !== 'dir' && typeof listPath(state, path) === 'string') return 'ENOTDIR'
  task.cwd = path
  return undefined
}
