/**
 * Kernel objects that processes make: task_struct and its companions, and open files. They come from the slab caches and
 * are charged to the group of the task that asks. What belongs to an address space is made in mm/vma.ts and mm/vm_area.ts.
 * @kernel  kernel/fork.c, fs/file_table.c
 * @spec    03 §3.8, 07 §7.3, 11 §4
 */
import { currentTask } from './exec'
import { GFP_KERNEL_ACCOUNT } from './mm/gfp'
import { GFP_UNDOABLE, giveAll, giveOne, takeAll, takeOne } from './mm/slab_group'
import { findCache } from './mm/slab_state'
import type { KernelState } from './state'
import type { FileDescriptor } from './task'

/** Addresses of what one process holds. */
export interface ProcessObjects {
  /** Until it is reaped. */
  readonly task: number[]
  /** Until it exits. */
  readonly user: number[]
}

/** Every task, kernel threads included. */
const TASK_CACHES = ['task_struct', 'pid', 'cred', 'cred_jar', 'signal_cache', 'sighand_cache']
/** Tasks with user memory. */
const USER_CACHES = ['files_cache', 'fs_cache']

/**
 * A new task's own objects.
 * @kernel      copy_process(), dup_task_struct()
 * @simplifies  never waits, and goes over its group's limit rather than fail: the stack is what may fail. A task that finds
 *              no memory for them goes on without
 */
export function takeTaskObjects(state: KernelState, pid: number, isKthread: boolean): void {
  state.processObjects[pid] = {
    task: takeAll(state, TASK_CACHES, GFP_UNDOABLE) ?? [],
    user: isKthread ? [] : (takeAll(state, USER_CACHES, GFP_UNDOABLE) ?? []),
  }
}

/** What a zombie does not need any more. @kernel exit_files(), exit_fs() */
export function giveUserObjects(state: KernelState, pid: number): void {
  const held = state.processObjects[pid]
  if (held !== undefined) giveAll(state, held.user)
}

/** @kernel release_task(), free_task() */
export function giveTaskObjects(state: KernelState, pid: number): void {
  const held = state.processObjects[pid]
  if (held === undefined) return
  giveAll(state, held.user)
  giveAll(state, held.task)
  delete state.processObjects[pid]
}

/**
 * struct file of a descriptor that the running task opens.
 * @returns its address; 0 = the machine holds none for it (it is not opened by a task, or the kernel has no such cache);
 *          −1 = the charge was refused, there is no memory, or the operation has to wait
 * @kernel  fs/file_table.c alloc_empty_file()
 */
export function takeFileObject(state: KernelState): number {
  if (currentTask(state) === undefined || findCache(state.slabs, 'filp') < 0) return 0
  const object = takeOne(state, 'filp', GFP_KERNEL_ACCOUNT)
  if (object === 0) return -1
  state.openFiles[object] = 1
  return object
}

const objectOf = (fd: FileDescriptor | undefined): number =>
  fd === undefined || fd.kind === 'host' || fd.kind === 'null' ? 0 : (fd.object ?? 0)

/** One more descriptor for the same file. @kernel get_file() */
export function getFileObject(state: KernelState, fd: FileDescriptor | undefined): void {
  const object = objectOf(fd)
  if (object !== 0) state.openFiles[object]!++
}

/** The last descriptor frees it, at once. @kernel fput(), __fput() */
export function putFileObject(state: KernelState, fd: FileDescriptor | undefined): void {
  dropFileObject(state, objectOf(fd))
}

/** @param object  address, 0 = none @kernel fput() */
export function dropFileObject(state: KernelState, object: number): void {
  if (object === 0 || --state.openFiles[object]! > 0) return
  delete state.openFiles[object]
  giveOne(state, object)
}
