import { expect, test } from 'vitest'
import { TaskMachine } from '../../test/task-machine'
import { PTE_DIRTY, PTE_PRESENT, findPteSlot, pteAt, setPte } from './mm/pgtable'
import { mmOf } from './mm/rss'

const MAP_NORESERVE = 0x4022

/** A mapping of 3 GiB that begins in the middle of a table. */
function sparse() {
  const m = new TaskMachine({ thp: 'never' })
  const pid = m.spawn()
  const address = m.map(pid, 3 * 2 ** 18, MAP_NORESERVE) + 77 * 4096
  const slotOf = (page: number): number => findPteSlot(m.state, mmOf(m.state, m.task(pid))!, address / 4096 + page)
  const clean = (page: number): void => {
    const slot = slotOf(page)
    setPte(m.state.pgtables, slot, pteAt(m.state.pgtables, slot) & ~PTE_DIRTY)
  }
  const dirty = (pages: readonly number[]): number[] =>
    pages.filter((page) => {
      const slot = slotOf(page)
      return slot >= 0 && (pteAt(m.state.pgtables, slot) & (PTE_PRESENT | PTE_DIRTY)) === (PTE_PRESENT | PTE_DIRTY)
    })
  return { m, pid, address, dirty, clean }
}

test('a list reaches exactly its pages, also where tables 2 GiB apart take turns', () => {
  const { m, pid, address, dirty, clean } = sparse()
  const far = 1024 * 512
  const pages = [3, far + 3, 5, far + 5, 600, 3, far + 600, 5, 700_000, far + 3]
  const { minflt, errno } = m.perform(pid, { op: 'touchList', address, pages, mode: 'write' })
  expect([minflt, errno]).toEqual([new Set(pages).size, ''])
  const near = Array.from({ length: 1200 }, (_, i) => i)
  const around = [...near, ...near.map((i) => far + i), ...near.map((i) => 700_000 + i)]
  const touched = [...new Set(pages)].sort((a, b) => a - b)
  expect(dirty(around)).toEqual(touched)
  // Once more, without a fault in between.
  touched.forEach(clean)
  expect(dirty(around)).toEqual([])
  expect(m.perform(pid, { op: 'touchList', address, pages, mode: 'write' }).minflt).toBe(0)
  expect(dirty(around)).toEqual(touched)
})

test('tables that were given back between two lists are looked for again', () => {
  const { m, pid, address, dirty } = sparse()
  const pages = [0, 1000, 2000, 0, 1000]
  m.perform(pid, { op: 'touchList', address, pages, mode: 'write' })
  m.perform(pid, { op: 'munmap', address, length: 4096 * 4096 })
  m.perform(pid, { op: 'mmap', address, length: 4096 * 4096, prot: 3, flags: 0x32 })
  expect(dirty(pages)).toEqual([])
  expect(m.perform(pid, { op: 'touchList', address, pages, mode: 'write' }).minflt).toBe(3)
  expect(dirty([0, 1000, 2000])).toEqual([0, 1000, 2000])
})
