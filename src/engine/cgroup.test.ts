import { describe, expect, test } from 'vitest'
import { addProcess, makeGroup, memcgState } from '../../test/memcg-state'
import {
  attachTask,
  cgroupByPath,
  cgroupControllers,
  cgroupPath,
  createCgroup,
  detachTask,
  migrateProcess,
  removeCgroup,
  taskMemcg,
  writeSubtreeControl,
} from './cgroup'
import { checkMemcg } from './mm/memcg_check'
import type { KernelState } from './state'

const idOf = (state: KernelState, path: string): number => cgroupByPath(state, path)!.id

describe('the tree', () => {
  test('groups are found by path and know theirs', () => {
    const state = memcgState()
    makeGroup(state, '/a/b')
    expect(cgroupPath(state, idOf(state, '/a/b/'))).toBe('/a/b')
    expect(cgroupPath(state, 1)).toBe('/')
    expect(cgroupByPath(state, '/a/c')).toBeUndefined()
  })

  test('mkdir refuses newlines, twins, and what is too deep or too many', () => {
    const state = memcgState()
    makeGroup(state, '/a')
    expect(createCgroup(state, 1, 'x\ny')).toEqual({ ok: false, error: 'EINVAL' })
    expect(createCgroup(state, 1, 'a')).toEqual({ ok: false, error: 'EEXIST' })
    const a = cgroupByPath(state, '/a')!
    a.maxDepth = 1
    const b = createCgroup(state, a.id, 'b')
    expect(b.ok && createCgroup(state, b.value, 'c')).toEqual({ ok: false, error: 'EAGAIN' })
    a.maxDescendants = 1
    expect(createCgroup(state, a.id, 'd')).toEqual({ ok: false, error: 'EAGAIN' })
  })

  test('rmdir refuses the root, groups with children and groups with processes, but not zombies', () => {
    const state = memcgState()
    makeGroup(state, '/a/b')
    const task = addProcess(state, { pid: 100, comm: 'app', group: '/a/b' })
    expect(removeCgroup(state, 1)).toBe('EBUSY')
    expect(removeCgroup(state, idOf(state, '/a'))).toBe('EBUSY')
    expect(removeCgroup(state, idOf(state, '/a/b'))).toBe('EBUSY')
    task.state = 'Z'
    detachTask(state, 100)
    expect(removeCgroup(state, idOf(state, '/a/b'))).toBeUndefined()
    expect(removeCgroup(state, idOf(state, '/a'))).toBeUndefined()
    expect(checkMemcg(state)).toEqual([])
  })
})

describe('subtree_control (spec 07 §7.1)', () => {
  test.each([
    ['bogus', 'EINVAL'],
    ['+bogus', 'EINVAL'],
    ['memory', 'EINVAL'],
    ['+io', 'ENOENT'],
    ['+io +bogus', 'EINVAL'],
    ['-memory', undefined],
    ['', undefined],
    ['+memory -memory', undefined],
  ] as const)('%j in a group that has memory only: %s', (text, errno) => {
    const state = memcgState()
    makeGroup(state, '/a')
    expect(writeSubtreeControl(state, idOf(state, '/a'), text)).toBe(errno)
  })

  test('names come back in kernel order, and make the controllers of the children', () => {
    const state = memcgState()
    expect(writeSubtreeControl(state, 1, '+pids +cpu +io\n')).toBeUndefined()
    expect(cgroupByPath(state, '/')!.subtreeControl).toEqual(['cpuset', 'cpu', 'io', 'memory', 'pids'])
    makeGroup(state, '/a')
    expect(cgroupControllers(state, cgroupByPath(state, '/a')!)).toEqual(['cpuset', 'cpu', 'io', 'memory', 'pids'])
  })

  test('no internal processes: a domain controller cannot be handed on by a group with processes', () => {
    const state = memcgState()
    makeGroup(state, '/a')
    addProcess(state, { pid: 100, comm: 'app', group: '/a' })
    expect(writeSubtreeControl(state, idOf(state, '/a'), '+memory')).toBe('EBUSY')
    expect(writeSubtreeControl(state, idOf(state, '/a'), '+cpuset')).toBeUndefined()
    expect(writeSubtreeControl(state, 1, '+io')).toBeUndefined()
  })

  test('a controller that a child hands on cannot be taken away', () => {
    const state = memcgState()
    makeGroup(state, '/a/b')
    expect(writeSubtreeControl(state, 1, '-memory')).toBe('EBUSY')
    expect(writeSubtreeControl(state, idOf(state, '/a'), '-memory')).toBeUndefined()
    expect(writeSubtreeControl(state, 1, '-memory')).toBeUndefined()
    expect(checkMemcg(state)).toEqual([])
  })

  test('tasks are charged to the nearest group with a memory controller', () => {
    const state = memcgState()
    const a = makeGroup(state, '/a')
    const b = createCgroup(state, idOf(state, '/a'), 'b')
    const task = addProcess(state, { pid: 100, comm: 'app', group: '/a/b' })
    expect(taskMemcg(state, task)).toBe(a.id)
    writeSubtreeControl(state, idOf(state, '/a'), '+memory')
    const own = cgroupByPath(state, '/a/b')!
    expect([b.ok, own.hasOwnMemcg, taskMemcg(state, task)]).toEqual([true, true, own.memcg])
    expect(state.memcgs[own.memcg]!.parent).toBe(a.id)
    writeSubtreeControl(state, idOf(state, '/a'), '-memory')
    expect(taskMemcg(state, task)).toBe(a.id)
  })
})

describe('moving processes', () => {
  test.each([
    [99, '/a', 'ESRCH'],
    [100, '/a', undefined],
    [100, '/p', 'EBUSY'],
    [2, '/a', 'EINVAL'],
    [100, '/', undefined],
  ] as const)('pid %i to %s: %s', (pid, path, errno) => {
    const state = memcgState()
    makeGroup(state, '/a')
    makeGroup(state, '/p/c')
    addProcess(state, { pid: 2, comm: 'kthreadd', isKthread: true })
    addProcess(state, { pid: 100, comm: 'app' })
    expect(migrateProcess(state, pid, idOf(state, path))).toBe(errno)
    expect(checkMemcg(state)).toEqual([])
  })

  test('threaded controllers below do not keep processes out', () => {
    const state = memcgState()
    makeGroup(state, '/a')
    addProcess(state, { pid: 100, comm: 'app' })
    writeSubtreeControl(state, idOf(state, '/a'), '+cpuset')
    expect(migrateProcess(state, 100, idOf(state, '/a'))).toBeUndefined()
  })

  test('a task is in one list, at its end', () => {
    const state = memcgState()
    makeGroup(state, '/a')
    addProcess(state, { pid: 100, comm: 'x', group: '/a' })
    addProcess(state, { pid: 101, comm: 'y', group: '/a' })
    attachTask(state, 100, idOf(state, '/a'))
    expect(cgroupByPath(state, '/a')!.tasks).toEqual([101, 100])
  })
})
