import { beforeEach, describe, expect, test } from 'vitest'
import { TaskMachine, puppetChild } from '../../../test/task-machine'
import { isObjectInUse } from './slub'
import { cacheNumber } from './slab_state'
import type { Mm } from './mm_types'
import { mmAt } from './rss'
import { mapleNodes } from './vm_area'

const PAGE = 4096

/** Objects of a cache that are in use. */
function inUse(m: TaskMachine, name: string): number {
  const s = m.state.slabs
  const cache = cacheNumber(s, name)
  let n = 0
  for (let row = 1; row < s.rows; row++)
    if (s.cache[row] === cache && s.pfn[row] !== 0)
      for (let i = 0; i < s.objects[row]!; i++)
        if (isObjectInUse(m.state, s.pfn[row]! * PAGE + i * s.caches[cache]!.size)) n++
  return n
}

const NAMES = ['mm_struct', 'vm_area_struct', 'anon_vma', 'anon_vma_chain', 'maple_node'] as const
type Counts = Record<(typeof NAMES)[number], number>

const counts = (m: TaskMachine): Counts =>
  Object.fromEntries(NAMES.map((name) => [name, inUse(m, name)])) as unknown as Counts

/** What has changed; caches without a change are left out. */
const change = (before: Counts, after: Counts): Partial<Counts> =>
  Object.fromEntries(NAMES.filter((n) => after[n] !== before[n]).map((n) => [n, after[n] - before[n]]))

test.each([
  ['a mapping and the hole behind it', 2, 1],
  ['a leaf that is full', 16, 1],
  ['two leaves and the node above them', 17, 3],
  ['ten leaves below one node', 160, 11],
  ['eleven leaves need two nodes and a third above', 161, 14],
])('maple nodes for %s: %i ranges, %i nodes', (_, slots, nodes) => expect(mapleNodes(slots)).toBe(nodes))

describe('objects of an address space', () => {
  let m: TaskMachine
  let pid: number
  let before: Counts
  const mm = (): Mm => mmAt(m.state, m.task(pid).mm)
  const write = (who: number, address: number, pages: number): void =>
    void m.perform(who, { op: 'touch', address, length: pages * PAGE, mode: 'write' })
  const since = (): Partial<Counts> => change(before, counts(m))
  const sound = (): void => expect(m.engine.checkInvariants(m.state)).toEqual([])

  beforeEach(() => {
    m = new TaskMachine()
    pid = m.spawn()
    before = counts(m)
  })

  test('mmap takes a vm_area_struct, the first write an anon_vma and a link to it, munmap gives all back at once', () => {
    const a = m.map(pid, 8)
    expect(since()).toEqual({ vm_area_struct: 1 })
    m.perform(pid, { op: 'touch', address: a, length: PAGE, mode: 'read' })
    expect(since()).toEqual({ vm_area_struct: 1 })
    write(pid, a, 8)
    expect(since()).toEqual({ vm_area_struct: 1, anon_vma: 1, anon_vma_chain: 1 })
    m.perform(pid, { op: 'munmap', address: a, length: 8 * PAGE })
    expect(since()).toEqual({})
    sound()
  })

  test('a mapping that grows its neighbour is no object of its own', () => {
    m.map(pid, 8)
    m.map(pid, 8)
    expect(since()).toEqual({ vm_area_struct: 1 })
  })

  test('a hole cut into a mapping makes two of it, and both lead to the same anon_vma', () => {
    const a = m.map(pid, 9)
    write(pid, a, 9)
    m.perform(pid, { op: 'munmap', address: a + 4 * PAGE, length: PAGE })
    expect(since()).toEqual({ vm_area_struct: 2, anon_vma: 1, anon_vma_chain: 2 })
    const made = mm().vmas.filter(({ start }) => start >= a / PAGE && start < a / PAGE + 9)
    expect(new Set(made.map(({ anonVma }) => anonVma)).size).toBe(1)
    sound()
  })

  test('fork copies every mapping; one with pages gets a link to its parent and an anon_vma of its own', () => {
    const withPages = mm().vmas.filter(({ anonVma }) => anonVma !== 0).length
    const child = m.perform(pid, { op: 'fork', child: puppetChild }).result
    m.settle(child)
    const own = mm().vmas.length
    expect(since()).toEqual({
      mm_struct: 1,
      vm_area_struct: own,
      anon_vma: withPages,
      // Its fs_struct lies in the same cache, which the kernel has merged.
      anon_vma_chain: 2 * withPages + 1,
      maple_node: mm().mapleNodes.length,
    })
    sound()
    m.perform(child, { op: 'exit', status: 0 })
    expect(since()).toEqual({})
    sound()
  })

  test('a chain of forks is as long as its ancestors are many; a dead parent lends its anon_vma', () => {
    const a = m.map(pid, 4)
    write(pid, a, 4)
    const lengths: number[] = []
    let who = pid
    for (let generation = 0; generation < 4; generation++) {
      const of = mmAt(m.state, m.task(who).mm)
      lengths.push(of.vmas.find(({ start }) => start === a / PAGE)!.anonChain!.length)
      const child = m.perform(who, { op: 'fork', child: puppetChild }).result
      m.settle(child)
      if (generation > 0) m.perform(who, { op: 'exit', status: 0 })
      who = child
      sound()
    }
    // The third generation finds that the second's has no mapping left, and takes it over instead of making its own.
    expect(lengths).toEqual([1, 2, 3, 3])
    m.perform(who, { op: 'exit', status: 0 })
    m.perform(pid, { op: 'exit', status: 0 })
    sound()
  })

  test('what a child inherited does not merge with new memory beside it', () => {
    const a = m.map(pid, 4)
    write(pid, a, 4)
    const child = m.perform(pid, { op: 'fork', child: puppetChild }).result
    m.settle(child)
    const mappings = (who: number): number => mmAt(m.state, m.task(who).mm).vmas.length
    const [ours, its] = [mappings(pid), mappings(child)]
    m.map(pid, 4)
    m.map(child, 4)
    expect(mappings(pid)).toBe(ours)
    expect(mappings(child)).toBe(its + 1)
    sound()
  })
})
