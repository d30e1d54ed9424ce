import { describe, expect, test } from 'vitest'
import { readFileSync } from 'node:fs'
import vectors from '../../../test/vectors.json'
import { addProcess, exitProcess, makeGroup, memcgState, runAs } from '../../../test/memcg-state'
import { cgroupByPath } from '../cgroup'
import { isSuspended } from '../exec'
import { hooks } from '../hooks'
import { GFP_KERNEL } from '../mm/gfp'
import { MEMCG_HIGH, MEMCG_MAX, MEMCG_OOM, MEMCG_OOM_KILL } from '../mm/memcg_events'
import { handleMemoryMax } from '../mm/memcg_limit'
import { memcgCharge, memcgUncharge } from '../mm/memcontrol'
import type { KernelState } from '../state'
import { cgroupFs } from './cgroup'

function read(state: KernelState, path: string): string {
  const text = cgroupFs.file(state, path)?.read?.(state, 1, false)
  return typeof text === 'string' ? text : `<${text?.errno ?? 'no such file'}>`
}
const write = (state: KernelState, path: string, text: string, pid = 0): string => {
  const file = cgroupFs.file(state, path)
  if (file === undefined) return 'no such file'
  return file.write?.(state, `${text}\n`, pid) ?? 'ok'
}

function machine(): KernelState {
  const state = memcgState()
  makeGroup(state, '/a')
  return state
}

describe('values (spec 07 §7.2, E1)', () => {
  test.each(vectors.memcg_rounding)('$write reads back $read', ({ write: bytes, read: back }) => {
    const state = machine()
    expect(write(state, 'a/memory.max', `${bytes}`)).toBe('ok')
    expect(read(state, 'a/memory.max')).toBe(`${back}\n`)
  })

  test.each([
    ['1G', '1073741824\n'],
    ['100M', '104857600\n'],
    ['8k', '8192\n'],
    ['2T', '2199023255552\n'],
    ['0x100000', '1048576\n'],
    ['010000', '4096\n'],
    ['max', 'max\n'],
    ['16E', '0\n'],
    ['8E', 'max\n'],
    ['', '0\n'],
    [' 8192 ', '8192\n'],
  ])('%j is %j', (text, back) => {
    const state = machine()
    expect(write(state, 'a/memory.low', text)).toBe('ok')
    expect(read(state, 'a/memory.low')).toBe(back)
  })

  test.each(['1.5G', '-1', '+4096', '100MB', '1 G', 'infinity', '08', 'MAX'])(
    '%j is refused and changes nothing',
    (text) => {
      const state = machine()
      write(state, 'a/memory.high', '8192')
      expect(write(state, 'a/memory.high', text)).toBe('EINVAL')
      expect(read(state, 'a/memory.high')).toBe('8192\n')
    },
  )

  test.each([
    ['a/memory.oom.group', '2', 'EINVAL'],
    ['a/memory.oom.group', 'yes', 'EINVAL'],
    ['a/memory.oom.group', '99999999999', 'ERANGE'],
    ['a/memory.oom.group', '1', 'ok'],
    ['a/cgroup.kill', '0', 'ERANGE'],
    ['a/cgroup.kill', 'x', 'EINVAL'],
    ['a/cgroup.procs', '4711', 'ESRCH'],
    ['a/cgroup.procs', '-1', 'EINVAL'],
    ['a/cgroup.procs', 'abc', 'EINVAL'],
    ['a/cgroup.subtree_control', '+bogus', 'EINVAL'],
    ['a/cgroup.subtree_control', '+io', 'ENOENT'],
    ['a/cgroup.max.depth', '-1', 'ERANGE'],
    ['a/cgroup.max.depth', 'max', 'ok'],
    ['a/memory.current', '1', 'EINVAL'],
    ['a/memory.events', '1', 'EINVAL'],
    ['a/memory.peak', 'reset', 'ok'],
    ['a/memory.reclaim', 'lots', 'EINVAL'],
    ['a/memory.reclaim', '1M swappiness=201', 'EINVAL'],
    ['a/memory.reclaim', '1M', 'EAGAIN'],
    ['memory.max', '1G', 'no such file'],
    ['nowhere/memory.max', '1G', 'no such file'],
  ])('%s ← %j: %s (E10)', (path, text, outcome) => {
    expect(write(machine(), path, text)).toBe(outcome)
  })

  test('only root may write', () => {
    const state = machine()
    addProcess(state, { pid: 100, comm: 'sh', uid: 1000 })
    expect(write(state, 'a/memory.max', '1G', 100)).toBe('EACCES')
  })

  test('6.1 knows no arguments of memory.reclaim and no swap peak', () => {
    const state = memcgState({ series: '6.1' })
    makeGroup(state, '/a')
    expect(write(state, 'a/memory.reclaim', '1M swappiness=10')).toBe('EINVAL')
    expect(write(state, 'a/memory.peak', 'reset')).toBe('EINVAL')
    expect(read(state, 'a/memory.swap.peak')).toBe('<no such file>')
  })
})

describe('directories', () => {
  test.each([
    ['6.12', 'cg-oom-max100-hog200'],
    ['6.1', 'cg-oom-max100-hog200-k61'],
  ] as const)('%s: a group has the captured files, in the captured layout', (series, name) => {
    const state = memcgState({ series })
    makeGroup(state, '/a')
    const url = new URL(`../../../test/captures/truth/${name}/cg/a.txt`, import.meta.url)
    const parts = readFileSync(url, 'utf8').split(/^# (.*)\n/m)
    const skeleton = (text: string): string => text.replace(/(?<![a-zA-Z])\d+(\.\d+)?|max$/gm, '#')
    for (let i = 1; i < parts.length; i += 2) {
      expect(cgroupFs.list(state, 'a')).toContain(parts[i])
      expect([parts[i], skeleton(read(state, `a/${parts[i]!}`))]).toEqual([parts[i], skeleton(parts[i + 1]!)])
    }
  })

  test('without the memory controller a group has no memory files; the root has no limits', () => {
    const state = machine()
    expect(cgroupFs.mkdir!(state, 'a/b')).toBeUndefined()
    expect(cgroupFs.list(state, 'a/b')!.filter((name) => name.startsWith('memory'))).toEqual([])
    expect(cgroupFs.list(state, '')!.filter((name) => name.startsWith('memory'))).toEqual([
      'memory.numa_stat',
      'memory.pressure',
      'memory.reclaim',
      'memory.stat',
    ])
    expect(read(state, 'a/memory.reclaim')).toBe('<EINVAL>')
  })

  test('mkdir and rmdir', () => {
    const state = machine()
    expect(cgroupFs.mkdir!(state, 'x/y')).toBe('ENOENT')
    expect(cgroupFs.mkdir!(state, 'a')).toBe('EEXIST')
    expect(cgroupFs.mkdir!(state, 'a/memory.max')).toBe('EEXIST')
    expect(cgroupFs.mkdir!(state, 'a/b')).toBeUndefined()
    expect(cgroupFs.rmdir!(state, 'a')).toBe('EBUSY')
    expect(cgroupFs.rmdir!(state, 'a/b')).toBeUndefined()
    expect(cgroupFs.rmdir!(state, 'a/b')).toBe('ENOENT')
    expect(cgroupFs.rmdir!(state, 'a/memory.max')).toBe('ENOTDIR')
  })
})

describe('processes', () => {
  test('a shell joins with its own pid or 0; populated follows', () => {
    const state = machine()
    addProcess(state, { pid: 100, comm: 'bash' })
    expect(read(state, 'a/cgroup.events')).toBe('populated 0\nfrozen 0\n')
    expect(write(state, 'a/cgroup.procs', '0', 100)).toBe('ok')
    expect(read(state, 'a/cgroup.procs')).toBe('100\n')
    expect(read(state, 'a/cgroup.threads')).toBe('100\n')
    expect(read(state, 'a/cgroup.events')).toBe('populated 1\nfrozen 0\n')
    expect(read(state, 'cgroup.procs')).toBe('')
  })

  test('cgroup.kill reaches everything below', () => {
    const state = machine()
    cgroupFs.mkdir!(state, 'a/b')
    addProcess(state, { pid: 100, comm: 'x', group: '/a' })
    addProcess(state, { pid: 101, comm: 'y', group: '/a/b' })
    addProcess(state, { pid: 102, comm: 'z' })
    expect(write(state, 'a/cgroup.kill', '1')).toBe('ok')
    expect([100, 101, 102].map((pid) => state.tasks[pid]!.killSignal)).toEqual([9, 9, 0])
  })

  test('a group removed with charges is dying until they are gone', () => {
    const state = machine()
    const a = cgroupByPath(state, '/a')!.memcg
    memcgCharge(state, a, 1, GFP_KERNEL)
    cgroupFs.rmdir!(state, 'a')
    expect(read(state, 'cgroup.stat')).toBe('nr_descendants 0\nnr_dying_descendants 1\n')
    memcgUncharge(state, a, 1)
    expect(read(state, 'cgroup.stat')).toBe('nr_descendants 0\nnr_dying_descendants 0\n')
  })
})

/** A group of `pages` whose pages reclaim frees `each` at a time. */
function filled(pages: number, each: number): { state: KernelState; usage: () => number } {
  const state = machine()
  const a = state.memcgs[cgroupByPath(state, '/a')!.memcg]!
  addProcess(state, { pid: 50, comm: 'sh' })
  addProcess(state, { pid: 100, comm: 'app', group: '/a', anon: pages })
  runAs(state, 100)
  memcgCharge(state, a.id, pages, GFP_KERNEL)
  runAs(state, 50)
  hooks.tryToFreeMemcgPages = (s, id, nr) => {
    const got = Math.min(each, Math.max(nr, 32), a.memory.usage)
    memcgUncharge(s, id, got)
    return got
  }
  return { state, usage: () => a.memory.usage }
}

describe('limits below usage', () => {
  test('memory.high reclaims down to the limit, without an event', () => {
    const { state, usage } = filled(1024, 64)
    expect(write(state, 'a/memory.high', '2M', 50)).toBe('ok')
    expect(usage()).toBeLessThanOrEqual(512)
    expect(state.memcgs[2]!.events[MEMCG_HIGH]).toBe(0)
    expect(isSuspended(state)).toBe(false)
  })

  test('memory.high gives up after 16 fruitless rounds and never kills', () => {
    const { state, usage } = filled(1024, 0)
    expect(write(state, 'a/memory.high', '2M', 50)).toBe('ok')
    expect([usage(), state.tasks[100]!.killSignal]).toEqual([1024, 0])
  })

  test('memory.max reclaims, then kills one after the other until usage fits', () => {
    const { state, usage } = filled(1024, 0)
    addProcess(state, { pid: 101, comm: 'other', group: '/a', anon: 2000 })
    expect(write(state, 'a/memory.max', '2M', 50)).toBe('ok')
    const a = state.memcgs[2]!
    const killed = (): number[] => [100, 101].filter((pid) => state.tasks[pid]!.killSignal === 9)
    const nextRound = (): void => {
      const entry = state.queue.heap.find((e) => e.event.kind === 'memoryMax')!
      state.queue.heap = state.queue.heap.filter((e) => e !== entry)
      state.nowNs = entry.atNs
      runAs(state, 0)
      handleMemoryMax(state, { memcg: a.id, pid: 50 })
    }
    expect([killed(), a.events[MEMCG_MAX], a.events[MEMCG_OOM], a.events[MEMCG_OOM_KILL]]).toEqual([[101], 0, 1, 1])
    // The victim is slow: nobody else dies for it.
    nextRound()
    expect([killed(), a.events[MEMCG_OOM]]).toEqual([[101], 2])
    memcgUncharge(state, a.id, 400)
    exitProcess(state, 101)
    nextRound()
    expect(killed()).toEqual([100, 101])
    memcgUncharge(state, a.id, 624)
    exitProcess(state, 100)
    nextRound()
    const waiting = state.queue.heap.map((e) => e.event.kind).filter((kind) => kind !== 'memcgFlush')
    expect([usage(), waiting, a.events[MEMCG_OOM]]).toEqual([0, ['oomReap', 'oomReap'], 3])
    expect(state.klog.filter((line) => line.text.startsWith('sh invoked oom-killer')).length).toBe(2)
    expect(read(state, 'a/memory.max')).toBe('2097152\n')
  })

  test('a writer that is gone kills no more', () => {
    const { state } = filled(1024, 0)
    write(state, 'a/memory.max', '2M', 50)
    exitProcess(state, 100)
    delete state.tasks[50]
    handleMemoryMax(state, { memcg: 2, pid: 50 })
    expect(state.memcgs[2]!.events[MEMCG_OOM]).toBe(1)
  })

  test('memory.max with nobody to kill keeps the limit and leaves the usage', () => {
    const { state, usage } = filled(1024, 0)
    state.tasks[100]!.oomScoreAdj = -1000
    write(state, 'a/memory.max', '2M', 50)
    expect([usage(), isSuspended(state)]).toEqual([1024, false])
    expect(state.klog.at(-1)!.text).toBe('Out of memory and no killable processes...')
  })

  test('memory.reclaim frees what is asked, a quarter of the rest at a time', () => {
    const { state, usage } = filled(1024, 1000)
    const goals: number[] = []
    const reclaim = hooks.tryToFreeMemcgPages
    hooks.tryToFreeMemcgPages = (s, id, nr, gfp, options) => {
      goals.push(nr)
      expect(options).toEqual({ maySwap: true, proactive: true, swappiness: 10 })
      return reclaim(s, id, nr, gfp, options)
    }
    expect(write(state, 'a/memory.reclaim', '1M swappiness=10', 50)).toBe('ok')
    expect(goals).toEqual([64, 48, 36, 27, 19, 11, 3])
    expect(usage()).toBe(1024 - 64 - 48 - 36 - 32 - 32 - 32 - 32)
  })
})
