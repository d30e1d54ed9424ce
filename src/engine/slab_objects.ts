/**
 * Kernel objects that processes make: task_struct and its companions, files, mappings, inodes. They come from the slab
 * caches and are charged to the group of the task that asks.
 * @kernel  kernel/fork.c, fs/file_table.c, mm/vma.c, mm/shmem.c, fs/ext4/super.c
 * @spec    03 §3.8, 07 §7.3, 11 §4
 */
import { currentTask } from './exec'
import { GFP_ATOMIC, GFP_BIT_NOWARN, GFP_KERNEL_ACCOUNT } from './mm/gfp'
import { findCache } from './mm/slab_state'
import { kmemCacheAlloc, kmemCacheFree } from './mm/slub'
import type { KernelState } from './state'

/** Addresses of what one process holds. */
export interface ProcessObjects {
  readonly task: number[]
  readonly files: number[]
  readonly mappings: number[]
}

/** Every task, kernel threads included. */
const TASK_CACHES = ['task_struct', 'pid', 'cred', 'cred_jar', 'signal_cache', 'sighand_cache']
/** Tasks with user memory. */
const USER_CACHES = ['files_cache', 'fs_cache', 'mm_struct']
/** A mapping with its lock (6.12), and what leads from an anonymous page back to it. */
const MAPPING_CACHES = ['vm_area_struct', 'vma_lock', 'anon_vma', 'anon_vma_chain']

/**
 * One object of each cache that this kernel has.
 * @returns undefined = no memory, refused, or waiting: nothing is held then
 */
function takeAll(state: KernelState, names: readonly string[], gfp: number): number[] | undefined {
  const taken: number[] = []
  for (const name of names) {
    const cache = findCache(state.slabs, name)
    if (cache < 0) continue
    const address = kmemCacheAlloc(state, cache, gfp)
    if (address === 0) {
      giveAll(state, taken)
      return undefined
    }
    taken.push(address)
  }
  return taken
}

function giveAll(state: KernelState, addresses: number[]): void {
  for (const address of addresses) kmemCacheFree(state, address)
  addresses.length = 0
}

/**
 * A new task's own objects.
 * @kernel      copy_process(), dup_task_struct()
 * @simplifies  never waits, and goes over its group's limit rather than fail: the stack is what may fail. A task that finds
 *              no memory for them goes on without
 */
export function takeTaskObjects(state: KernelState, pid: number, isKthread: boolean): void {
  const names = isKthread ? TASK_CACHES : [...TASK_CACHES, ...USER_CACHES]
  state.processObjects[pid] = {
    task: takeAll(state, names, GFP_ATOMIC | GFP_BIT_NOWARN) ?? [],
    files: [],
    mappings: [],
  }
}

/** @kernel release_task(), free_task() */
export function giveTaskObjects(state: KernelState, pid: number): void {
  const held = state.processObjects[pid]
  if (held === undefined) return
  giveAll(state, held.mappings)
  giveAll(state, held.files)
  giveAll(state, held.task)
  delete state.processObjects[pid]
}

/**
 * A file of the running task is opened: struct file.
 * @returns false = the charge was refused, there is no memory, or the operation has to wait
 * @kernel      alloc_empty_file()
 * @simplifies  kept until the task ends or opens its next file
 */
function takeFileObject(state: KernelState): boolean {
  const task = currentTask(state)
  const held = task === undefined ? undefined : state.processObjects[task.pid]
  if (task === undefined || held === undefined) return true
  const open = task.fds.filter((fd) => fd?.kind === 'inode').length
  while (held.files.length > open) kmemCacheFree(state, held.files.pop()!)
  const taken = takeAll(state, ['filp'], GFP_KERNEL_ACCOUNT)
  if (taken === undefined) return false
  held.files.push(...taken)
  return true
}

/**
 * The running task maps something: vm_area_struct and what belongs to it.
 * @returns false = the charge was refused, there is no memory, or the operation has to wait
 * @kernel      vm_area_alloc(), __anon_vma_prepare()
 * @simplifies  anon_vma is made with the mapping, not at its first fault; what munmap leaves is given back at the next
 *              mapping or at the end
 */
function takeMappingObjects(state: KernelState): boolean {
  const task = currentTask(state)
  const held = task === undefined ? undefined : state.processObjects[task.pid]
  const mm = task === undefined ? undefined : state.mms[task.mm]
  if (held === undefined || mm === undefined) return true
  const perMapping = MAPPING_CACHES.filter((name) => findCache(state.slabs, name) >= 0).length
  while (held.mappings.length > mm.vmas.length * perMapping) kmemCacheFree(state, held.mappings.pop()!)
  const taken = takeAll(state, MAPPING_CACHES, GFP_KERNEL_ACCOUNT)
  if (taken === undefined) return false
  held.mappings.push(...taken)
  return true
}

/**
 * An object that the running task asks for.
 * @returns false = the charge was refused, there is no memory, or the operation has to wait
 * @kernel  alloc_empty_file(), vm_area_alloc()
 */
export const chargeObject = (state: KernelState, object: 'filp' | 'mapping'): boolean =>
  object === 'filp' ? takeFileObject(state) : takeMappingObjects(state)
