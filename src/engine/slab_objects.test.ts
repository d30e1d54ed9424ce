import { expect, test } from 'vitest'
import { captureConfig, captureText, staticCaptures } from '../../test/static-captures'
import { bootMachine } from './machine'
import { createTask, reapZombie } from './lifecycle'
import { cacheNumber } from './mm/slab_state'
import { isObjectInUse } from './mm/slub'
import { checkSlabs } from './mm/slub_check'
import { takeNameObjects } from './fs/dcache'
import { TaskMachine, puppetChild } from '../../test/task-machine'
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
  const { task, user } = state.processObjects[pid]!
  const held = [...task, ...user]
  expect(held.map((address) => cacheOf(state, address))).toEqual(
    ['task_struct', 'pid', 'cred', 'signal_cache', 'sighand_cache', 'files_cache', 'fs_cache'].map(
      (name) => state.slabs.caches[cacheNumber(state.slabs, name)]!.name,
    ),
  )
  expect(held.every((address) => isObjectInUse(state, address))).toBe(true)
  reapZombie(state, undefined, state.tasks[pid]!)
  expect(state.processObjects[pid]).toBeUndefined()
  expect(held.some((address) => isObjectInUse(state, address))).toBe(false)
  expect(checkSlabs(state)).toEqual([])
})

test('kernel threads have no files', () => {
  const state = boot()
  const kswapd = state.taskList.find((pid) => state.tasks[pid]!.comm === 'kswapd0')!
  expect(state.processObjects[kswapd]!.task).toHaveLength(5)
  expect(state.processObjects[kswapd]!.user).toEqual([])
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

/** Objects of a cache that are in use. */
function inUse(state: KernelState, name: string): number {
  const s = state.slabs
  const cache = cacheNumber(s, name)
  let n = 0
  for (let row = 1; row < s.rows; row++)
    if (s.cache[row] === cache && s.pfn[row] !== 0)
      for (let i = 0; i < s.objects[row]!; i++)
        if (isObjectInUse(state, s.pfn[row]! * 4096 + i * s.caches[cache]!.size)) n++
  return n
}

test('an open file is a struct file; a fork shares it, and the last close frees it at once', () => {
  const m = new TaskMachine({ files: { f: 4 } })
  const pid = m.spawn()
  const before = inUse(m.state, 'filp')
  const fd = m.open(pid, '/data/f')
  expect(inUse(m.state, 'filp')).toBe(before + 1)
  const child = m.perform(pid, { op: 'fork', child: puppetChild }).result
  m.settle(child)
  expect(inUse(m.state, 'filp')).toBe(before + 1)
  m.perform(pid, { op: 'close', fd })
  expect(inUse(m.state, 'filp')).toBe(before + 1)
  m.perform(child, { op: 'close', fd })
  expect(inUse(m.state, 'filp')).toBe(before)
  m.perform(pid, { op: 'pipe' })
  expect(inUse(m.state, 'filp')).toBe(before + 2)
  expect(m.engine.checkInvariants(m.state)).toEqual([])
})
