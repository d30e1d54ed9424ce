/** Huge pages one by one: who gets one, what splits it, what becomes of the pieces (04 §4.11 E2, E12; 08 §8.6). */
import { describe, expect, test } from 'vitest'
import { TaskMachine, puppetChild, type TaskMachineOptions } from '../../../test/task-machine'
import { context } from '../context'
import type { Op } from '../task'
import { PAGEBLOCK_ORDER } from './gfp'

const PAGE = 4096
const HUGE = 512 * PAGE

/** A task and the first multiple of 2 MiB in a fresh mapping of its own. */
function start(pages: number, options: TaskMachineOptions = {}) {
  const m = new TaskMachine({ mib: 768, thp: 'always', ...options })
  const pid = m.spawn()
  const address = Math.ceil(m.map(pid, pages + 512) / HUGE) * HUGE
  const act = (op: Op) => m.perform(pid, op)
  const touch = (from: number, length: number, mode: 'read' | 'write' = 'write') =>
    act({ op: 'touch', address: address + from, length, mode })
  const count = (key: string): number => m.number('/proc/vmstat', key)
  const pteKb = (): number => Number(/VmPTE:\s+(\d+)/.exec(m.read(`/proc/${pid}/status`))![1])
  const sound = (): void => expect(m.engine.checkInvariants(m.state)).toEqual([])
  return { m, pid, address, act, touch, count, pteKb, sound }
}

describe('a range of 10 MiB that begins 1 MiB past a huge page (E12)', () => {
  test('4 huge pages and 512 small ones; their tables and those put by are counted', () => {
    const t = start(4000)
    const before = t.pteKb()
    t.act({ op: 'munmap', address: t.address, length: HUGE / 2 })
    t.act({ op: 'munmap', address: t.address + HUGE / 2 + 5 * HUGE, length: HUGE / 2 })
    expect(t.touch(HUGE / 2, 5 * HUGE).minflt).toBe(516)
    // 4 tables put by and 2 of PTEs; the PUD and the PMD table are there for the vdso.
    expect(t.pteKb() - before).toBe(24)
    expect(t.m.number('/proc/meminfo', 'AnonHugePages:')).toBe(4 * 2048)
    t.sound()
  })
})

describe('a part of a huge page', () => {
  test.each<[string, (address: number) => Op, { deferred: number; anon: number }]>([
    [
      'dropped',
      (address) => ({ op: 'madvise', address, length: 8 * PAGE, advice: 'dontneed' }),
      { deferred: 1, anon: 504 },
    ],
    ['unmapped', (address) => ({ op: 'munmap', address, length: 8 * PAGE }), { deferred: 1, anon: 504 }],
    [
      'made read-only',
      (address) => ({ op: 'mprotect', address, length: 8 * PAGE, prot: 1 }),
      { deferred: 0, anon: 512 },
    ],
    ['locked', (address) => ({ op: 'mlock', address, length: 8 * PAGE }), { deferred: 0, anon: 512 }],
  ])('%s: the entry is split, the page stays one', (_name, op, { deferred, anon }) => {
    const t = start(512)
    t.touch(0, HUGE)
    const pages = t.count('nr_anon_pages')
    const free = t.count('nr_free_pages')
    t.act(op(t.address))
    expect([t.count('thp_split_pmd'), t.count('thp_split_page'), t.count('nr_anon_transparent_hugepages')]).toEqual([
      1, 0, 0,
    ])
    expect(t.count('thp_deferred_split_page')).toBe(deferred)
    expect(t.count('nr_anon_pages') - pages).toBe(anon - 512)
    // What is dropped of it is not free yet.
    expect(t.count('nr_free_pages')).toBeLessThan(free + 4)
    t.sound()
  })

  test('is given back when memory is short', () => {
    const t = start(512)
    t.touch(0, HUGE)
    t.act({ op: 'madvise', address: t.address, length: HUGE - PAGE, advice: 'dontneed' })
    expect(t.m.write('/proc/sys/vm/drop_caches', '2')).toBe('')
    expect(t.count('thp_split_page')).toBe(1)
    expect(t.touch(HUGE - PAGE, PAGE, 'read').minflt).toBe(0)
    t.sound()
  })
})

test('DONTNEED of a whole one gives its table back, and the next touch is huge again', () => {
  const t = start(1024)
  t.touch(0, 2 * HUGE)
  const full = t.pteKb()
  t.act({ op: 'madvise', address: t.address, length: HUGE, advice: 'dontneed' })
  expect(t.pteKb()).toBe(full - 4)
  expect(t.touch(0, HUGE).minflt).toBe(1)
  expect(t.count('thp_split_pmd')).toBe(0)
  t.sound()
})

describe('PAGEOUT of two huge pages', () => {
  test.each([
    ['two clusters are empty', 2000, [2, 0, 0]],
    ['swap is smaller than a cluster and its header', 600, [0, 2, 2]],
    ['the disk turns: it has no clusters', 2000, [0, 2, 2]],
  ] as const)('%s', (name, swapPages, counts) => {
    const t = start(1024, { swapPages, rotational: name.includes('turns') })
    t.touch(0, 2 * HUGE)
    t.act({ op: 'madvise', address: t.address, length: 2 * HUGE, advice: 'pageout' })
    expect(['thp_swpout', 'thp_swpout_fallback', 'thp_split_page'].map(t.count)).toEqual(counts)
    expect(t.count('pswpout')).toBe(Math.min(1024, swapPages))
    t.m.advance(1e9)
    t.sound()
    expect(t.touch(0, 2 * HUGE, 'read').died).toBe(-1)
    t.sound()
  })
})

test('a child shares huge pages without a copy; each has a table put by', () => {
  const t = start(1024)
  t.touch(0, 2 * HUGE)
  const free = t.count('nr_free_pages')
  const child = t.act({ op: 'fork', child: puppetChild }).result
  expect(free - t.count('nr_free_pages')).toBeLessThan(200)
  t.m.advance(1e8)
  expect(t.m.read(`/proc/${child}/smaps_rollup`)).toMatch(/AnonHugePages: +4096 kB/)
  t.sound()
  t.m.perform(child, { op: 'exit', status: 0 })
  expect(t.touch(0, 2 * HUGE).minflt).toBe(2)
  expect(t.count('thp_split_pmd')).toBe(0)
  t.sound()
})

test('moved to another multiple of 2 MiB a huge page stays whole, else it is split', () => {
  const t = start(1024)
  t.touch(0, HUGE)
  const moved = t.act({ op: 'mremap', address: t.address, oldLength: HUGE, newLength: 2 * HUGE, flags: 1 })
  expect(moved.errno).toBe('')
  expect(t.count('thp_split_pmd')).toBe(moved.result % HUGE === 0 ? 0 : 1)
  t.sound()
})

describe('no huge page to be had', () => {
  test('the fault goes on with small pages and says so', () => {
    const t = start(512)
    context.failAlloc = (_gfp, order) => order === PAGEBLOCK_ORDER
    const { minflt } = t.touch(0, HUGE)
    delete context.failAlloc
    expect(minflt).toBe(512)
    expect([t.count('thp_fault_fallback'), t.count('thp_fault_fallback_charge')]).toEqual([1, 0])
    t.sound()
  })

  test('a group at its limit is not asked to make room for one', () => {
    const t = start(2048)
    const dir = '/sys/fs/cgroup/g'
    t.m.write('/sys/fs/cgroup/cgroup.subtree_control', '+memory')
    t.m.command({ kind: 'mkdir', pid: 1, path: dir, parents: false })
    t.m.write(`${dir}/cgroup.procs`, String(t.pid))
    t.m.write(`${dir}/memory.max`, String(HUGE + 100 * PAGE))
    t.touch(0, HUGE)
    t.touch(HUGE, 10 * PAGE)
    expect(t.count('thp_fault_fallback_charge')).toBe(1)
    expect(t.m.read(`${dir}/memory.stat`)).toMatch(/^anon_thp 2097152$/m)
    expect(t.m.read(`${dir}/memory.stat`)).toMatch(/^thp_fault_alloc 1$/m)
    t.sound()
  })
})

test('whichever allocation fails, nothing is half done', () => {
  for (let nth = 1, failed = true; failed; nth++) {
    const t = start(1024)
    failed = false
    let left = nth
    context.failAlloc = () => {
      failed ||= left === 1
      return left-- === 1
    }
    t.touch(0, 4 * PAGE, 'read')
    t.touch(HUGE, HUGE)
    t.act({ op: 'fork', child: puppetChild })
    t.touch(0, HUGE + 4 * PAGE)
    delete context.failAlloc
    t.sound()
    expect(nth).toBeLessThan(600)
    if (nth > 40) nth += 50
  }
})
