import { expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { findPteSlot, pteAt, ptePfn } from '../mm/pgtable'

const at = (address: number): string => address.toString(16).padStart(12, '0')

function stage(options: ConstructorParameters<typeof TaskMachine>[0] = {}) {
  const m = new TaskMachine({ files: { f: 8 }, ...options })
  const pid = m.spawn()
  const rows = (address: number): string[] => {
    const text = m.read(`/sys/kernel/debug/pagewalk/pagemap/${pid}`).split('\n')
    const head = text.findIndex((row) => row.startsWith(address.toString(16)))
    const end = text.findIndex((row, i) => i > head && /^[0-9a-f]/.test(row))
    return text.slice(head + 1, end)
  }
  const touch = (address: number, pages: number, mode: 'read' | 'write') =>
    m.perform(pid, { op: 'touch', address, length: pages * 4096, mode })
  const frame = (address: number): number => {
    const slot = findPteSlot(m.state, m.state.mms[m.task(pid).mm]!, address / 4096)
    return ptePfn(pteAt(m.state.pgtables, slot))
  }
  return { m, pid, rows, touch, frame }
}

test('pages that were only read share the zero page, written ones have frames of their own', () => {
  const { m, pid, rows, touch, frame } = stage()
  const address = m.map(pid, 16)
  touch(address, 4, 'read')
  touch(address + 8 * 4096, 1, 'write')
  const zero = m.state.zeroPfn.toString(16)
  const own = frame(address + 8 * 4096).toString(16)
  expect(rows(address)).toEqual([
    '  pages 16 present 5 swapped 0',
    `  ${at(address)}-${at(address + 4 * 4096)}        4 pfn 0x${zero}-0x${zero} present zero`,
    `  ${at(address + 8 * 4096)}-${at(address + 9 * 4096)}        1 pfn 0x${own}-0x${own} present exclusive`,
  ])
})

test('frames that follow one another are one row; a second mapping of a file page ends its exclusiveness', () => {
  const { m, pid, rows, touch, frame } = stage()
  const fd = m.open(pid, '/data/f')
  const map = () => m.perform(pid, { op: 'mmap', length: 4 * 4096, prot: 1, flags: 1, fd, offset: 0 }).result
  const address = map()
  touch(address, 4, 'read')
  const first = frame(address)
  expect(frame(address + 3 * 4096)).toBe(first + 3)
  const row = (flags: string): string =>
    `  ${at(address)}-${at(address + 4 * 4096)}        4 pfn 0x${first.toString(16)}-0x${(first + 3).toString(16)} ${flags}`
  expect(rows(address)[1]).toBe(row('present file exclusive'))
  const second = m.perform(pid, {
    op: 'mmap',
    length: 4 * 4096,
    prot: 1,
    flags: 0x11,
    fd,
    offset: 0,
    address: 0x7000000,
  })
  touch(second.result, 4, 'read')
  expect(rows(address)[1]).toBe(row('present file'))
})

test('what was swapped out is told by its slots', () => {
  const { m, pid, rows, touch } = stage({ swapPages: 64 })
  const address = m.map(pid, 8)
  touch(address, 8, 'write')
  m.perform(pid, { op: 'madvise', address, length: 8 * 4096, advice: 'pageout' })
  const [head = '', row = ''] = rows(address)
  expect(head).toBe('  pages 8 present 0 swapped 8')
  expect(row).toMatch(/ +8 swap slot (\d+)-(\d+) swapped$/)
})

test('a huge page is one row of 512 pages', () => {
  const { m, pid, touch } = stage({ thp: 'always', mib: 768 })
  const address = Math.ceil(m.map(pid, 1024) / 2 ** 21) * 2 ** 21
  touch(address, 1, 'write')
  expect(m.read(`/sys/kernel/debug/pagewalk/pagemap/${pid}`)).toMatch(
    / {6}512 pfn 0x[0-9a-f]+-0x[0-9a-f]+ present exclusive huge$/m,
  )
})

test('threads of the kernel and processes that are not there have no page map', () => {
  const { m } = stage()
  for (const pid of ['2', '99999', 'x']) expect(m.read(`/sys/kernel/debug/pagewalk/pagemap/${pid}`)).toBe('ENOENT')
})
