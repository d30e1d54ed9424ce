import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TaskMachine, type TaskMachineOptions } from '../../../test/task-machine'
import { digestTree } from '../../util/hash'
import type { Op } from '../task'

const PAGE = 4096
const PAGES = 1500

/** What two tasks of a group do one after the other: accesses and what gives their pages back. */
type Step = { readonly who: number; readonly op: (base: number) => Op }

const pageNumber = fc.nat(PAGES - 1)
const range = fc.tuple(pageNumber, fc.integer({ min: 1, max: 700 }))
const inside = (from: number, pages: number): number => Math.min(pages, PAGES - from) * PAGE
const mode = fc.constantFrom('write', 'write', 'write', 'read') as fc.Arbitrary<'write' | 'read'>

const operation: fc.Arbitrary<Step['op']> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(range, mode).map(([[from, n], how]) => (base: number): Op => ({
      op: 'touch',
      address: base + from * PAGE,
      length: inside(from, n),
      mode: how,
    })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.array(pageNumber, { minLength: 1, maxLength: 400 }), mode)
      .map(([pages, how]) => (address: number): Op => ({ op: 'touchList', address, pages, mode: how })),
  },
  {
    weight: 2,
    arbitrary: range.map(([from, n]) => (base: number): Op => ({
      op: 'madvise',
      address: base + from * PAGE,
      length: inside(from, n),
      advice: 'dontneed',
    })),
  },
  {
    weight: 1,
    arbitrary: range.map(([from, n]) => (base: number): Op => ({
      op: 'mlock',
      address: base + from * PAGE,
      length: inside(from, n),
    })),
  },
  {
    weight: 1,
    arbitrary: range.map(([from, n]) => (base: number): Op => ({
      op: 'mprotect',
      address: base + from * PAGE,
      length: inside(from, n),
      prot: 1,
    })),
  },
  {
    weight: 1,
    arbitrary: range.map(([from, n]) => (base: number): Op => ({
      op: 'mprotect',
      address: base + from * PAGE,
      length: inside(from, n),
      prot: 3,
    })),
  },
)
const step: fc.Arbitrary<Step> = fc.record({ who: fc.nat(1), op: operation })

/** The state after all steps, as a digest after each. */
function digests(options: TaskMachineOptions, limit: string, steps: readonly Step[]): string[] {
  const m = new TaskMachine({ ...options, swapPages: 4096 })
  m.write('/sys/fs/cgroup/cgroup.subtree_control', '+memory')
  m.command({ kind: 'mkdir', pid: 1, path: '/sys/fs/cgroup/g', parents: false })
  m.write('/sys/fs/cgroup/g/memory.max', limit)
  const tasks = [m.spawn(), m.spawn()].map((pid) => ({ pid, base: m.map(pid, PAGES) }))
  m.write('/sys/fs/cgroup/g/cgroup.procs', String(tasks[0]!.pid))
  const seen = steps.map(({ who, op }) => {
    const { pid, base } = tasks[who]!
    if (m.state.tasks[pid] !== undefined && m.isResting(pid)) m.perform(pid, op(base))
    return digestTree(m.state)
  })
  expect(m.engine.checkInvariants(m.state)).toEqual([])
  return seen
}

describe('faults in a row', () => {
  const machines: readonly TaskMachineOptions[] = [
    { cpus: 2 },
    { series: '6.1' },
    { mglru: false, sysctls: { 'vm.min_free_kbytes': '20000' } },
  ]
  test.each(machines)('leave the machine of faults that are watched one by one: %j', (options) => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 12 }),
        fc.constantFrom('max', '3M', '5M'),
        (steps, limit) => {
          expect(digests(options, limit, steps)).toEqual(digests({ ...options, isWatched: true }, limit, steps))
        },
      ),
      { numRuns: 6, seed: 5 },
    )
  })
})
