/** Shared file pages and writeback. @spec 04 §4.5, 05 §5.11 */
import { expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { PTE_WRITE, findPteSlot, pteAt } from './pgtable'

const PAGES = 8

/** A task that maps a file of eight pages shared and has written to each. */
function stage() {
  const m = new TaskMachine({ files: { data: PAGES } })
  const pid = m.spawn()
  const fd = m.open(pid, '/data/data', { write: true })
  const map = (flags: number): number =>
    m.perform(pid, { op: 'mmap', length: PAGES * 4096, prot: 3, flags, fd, offset: 0 }).result
  const address = map(1)
  const write = (pages = PAGES, at = address) =>
    m.perform(pid, { op: 'touch', address: at, length: pages * 4096, mode: 'write' })
  write()
  const isWritable = (at: number): boolean => {
    const slot = findPteSlot(m.state, m.state.mms[m.task(pid).mm]!, at / 4096)
    return (pteAt(m.state.pgtables, slot) & PTE_WRITE) !== 0
  }
  const dirty = (): number => m.number('/proc/meminfo', 'Dirty')
  const sync = () => m.perform(pid, { op: 'msync', address, length: PAGES * 4096, flags: 4 })
  return { m, pid, fd, map, address, write, isWritable, dirty, sync }
}

test('what was written again after its writeback is dirty again, at the price of one minor fault a page', () => {
  const { write, dirty, sync } = stage()
  expect(dirty()).toBe(32)
  expect(write().minflt).toBe(0)
  expect(sync().errno).toBe('')
  expect(dirty()).toBe(0)
  const again = write(3)
  expect([again.minflt, again.majflt, dirty()]).toEqual([3, 0, 12])
  expect(write(3).minflt).toBe(0)
})

test('pages of a shared mapping are write-protected when they are written out, in every mapping of them', () => {
  const { map, write, address, isWritable, sync } = stage()
  const second = map(1)
  write(PAGES, second)
  expect([isWritable(address), isWritable(second)]).toEqual([true, true])
  sync()
  expect([isWritable(address), isWritable(second)]).toEqual([false, false])
})

test('a CPU that has the translation forgets it: its next write walks and faults', () => {
  const { m, write, sync } = stage()
  const flushes = () => m.number('/sys/kernel/debug/pagewalk/tlb', '  page_flushes')
  const before = flushes()
  sync()
  expect(flushes() - before).toBe(PAGES)
  expect(write().minflt).toBe(PAGES)
  expect(m.engine.checkInvariants(m.state)).toEqual([])
})

test('a private copy of a page keeps its write access', () => {
  const { map, write, isWritable, sync } = stage()
  const copy = map(2)
  write(PAGES, copy)
  sync()
  expect(isWritable(copy)).toBe(true)
  expect(write(PAGES, copy).minflt).toBe(0)
})
