import { expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { mmOf } from './rss'
import { CELL_ANON, CELL_HUGE, CELL_NONE, CELL_TABLE, CELL_ZERO } from './table_cell_kinds'
import { spaceView } from './space_view'
import { spaceProfile } from './table_cells'
import { walkView } from './walk_view'

const PAGE = 4096

test('the picture of a table has one cell an entry: the used ones are those that the table counts', () => {
  const m = new TaskMachine()
  const pid = m.spawn()
  const a = m.map(pid, 4)
  m.perform(pid, { op: 'touch', address: a + PAGE, length: PAGE, mode: 'write' })
  m.perform(pid, { op: 'touch', address: a + 2 * PAGE, length: PAGE, mode: 'read' })
  const { steps } = walkView(m.state, mmOf(m.state, m.task(pid))!, BigInt(a + PAGE))
  for (const { cells, used, entry, level } of steps) {
    expect(cells).toHaveLength(512)
    expect(cells.filter((kind) => kind !== CELL_NONE)).toHaveLength(used)
    expect(cells[entry.index]).toBe(level === 1 ? CELL_ANON : CELL_TABLE)
  }
  expect(steps[3]!.cells[steps[3]!.entry.index - 1]).toBe(CELL_NONE)
  expect(steps[3]!.cells[steps[3]!.entry.index + 1]).toBe(CELL_ZERO)
})

test('a long mapping is cut into at most 128 stretches, and each page is counted in its own', () => {
  const m = new TaskMachine()
  const pid = m.spawn()
  const a = m.map(pid, 300)
  m.perform(pid, { op: 'touch', address: a + 3 * PAGE, length: 3 * PAGE, mode: 'write' })
  m.perform(pid, { op: 'touch', address: a + 299 * PAGE, length: PAGE, mode: 'read' })
  const mm = mmOf(m.state, m.task(pid))!
  const profile = spaceProfile(m.state, mm)[mm.vmas.findIndex((vma) => vma.start * PAGE === a)]!
  expect(profile.stretchPages).toBe(3)
  expect([...profile.resident.subarray(0, 3)]).toEqual([0, 3, 0])
  expect(profile.zero.at(-1)).toBe(1)
  expect(profile.resident).toHaveLength(100)
})

test('a page of 2 MiB ends the walk at the PMD; its cell, its mapping and its stretch say so', () => {
  const m = new TaskMachine({ mib: 768, thp: 'always' })
  const pid = m.spawn()
  const a = m.map(pid, 1024)
  m.perform(pid, { op: 'touch', address: a + 5 * PAGE, length: 1, mode: 'write' })
  const mm = mmOf(m.state, m.task(pid))!
  const view = walkView(m.state, mm, BigInt(a + 7 * PAGE + 0x123))
  expect(view.steps.map(({ name }) => name)).toEqual(['PGD', 'PUD', 'PMD'])
  const last = view.steps[2]!
  expect(view.end).toBe('page')
  expect(view.page).toMatchObject({ pages: 512, kind: 'anonymous', canWrite: true, pfn: last.entry.pfn + 7 })
  expect(last.entry.flags).toContain('PS')
  expect(last.cells[last.entry.index]).toBe(CELL_HUGE)
  const at = mm.vmas.findIndex((vma) => vma.start * PAGE === a)
  expect(spaceView(m.state, mm, 1).vmas[at]).toMatchObject({ residentPages: 512, hugePages: 512 })
  const profile = spaceProfile(m.state, mm)[at]!
  expect([...profile.huge.subarray(62, 66)]).toEqual([8, 8, 0, 0])
})
