import { expect, test } from 'vitest'
import { captureConfig, captureText, staticCaptures } from '../../test/static-captures'
import { bootMachine } from './machine'
import { createTask, reapZombie } from './lifecycle'
import { cacheNumber } from './mm/slab_state'
import { isObjectInUse } from './mm/slub'
import { checkSlabs } from './mm/slub_check'
import { takeNameObjects } from './fs/dcache'
import type { KernelState } from './state'

const capture = staticCaptures().find((c) => c.name === 'static-1g-2cpu')!
const release = /Linux version (\S+)/.exec(captureText(capture, 'base/version'))![1]!
const boot = (): KernelState => bootMachine({ ...captureConfig(capture, 'captured'), release }, 1)

const newTask = (state: KernelState): number =>
  createTask(state, { ppid: 1, comm: 'x', argv: [], program: 'tool', data: {}, op: undefined, isKthread: false }).pid

const cacheOf = (state: KernelState, address: number): string => {
  const s = state.slabs
  for (let row = 1; row < s.rows; row++) {
    const start = s.pfn[row]! * 4096
    if (start !== 0 && address >= start && address < start + (4096 << s.order[row]!))
      return s.caches[s.cache[row]!]!.name
  }
  return ''
}

test('a task has its own task_struct and companions, and gives them back when it is reaped', () => {
  const state = boot()
  const pid = newTask(state)
  const held = [...state.processObjects[pid]!.task]
  expect(held.map((address) => cacheOf(state, address))).toEqual(
    ['task_struct', 'pid', 'cred', 'signal_cache', 'sighand_cache', 'files_cache', 'fs_cache', 'mm_struct'].map(
      (name) => state.slabs.caches[cacheNumber(state.slabs, name)]!.name,
    ),
  )
  expect(held.every((address) => isObjectInUse(state, address))).toBe(true)
  reapZombie(state, undefined, state.tasks[pid]!)
  expect(state.processObjects[pid]).toBeUndefined()
  expect(held.some((address) => isObjectInUse(state, address))).toBe(false)
  expect(checkSlabs(state)).toEqual([])
})

test('kernel threads have no files and no mm', () => {
  const state = boot()
  const kswapd = state.taskList.find((pid) => state.tasks[pid]!.comm === 'kswapd0')!
  expect(state.processObjects[kswapd]!.task).toHaveLength(5)
})

test('a file of tmpfs is an inode of shmem and a dentry, one of ext4 an inode of ext4', () => {
  const state = boot()
  const names = (fs: string): string[] =>
    [takeNameObjects(state, fs, 'x')!]
      .flatMap(({ inode, dentry }) => [inode, dentry])
      .map((address) => cacheOf(state, address))
  expect(names('tmpfs')).toEqual(['shmem_inode_cache', 'dentry'])
  expect(names('ext4')).toEqual(['ext4_inode_cache', 'dentry'])
})
