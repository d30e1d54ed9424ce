import { expect, test } from 'vitest'
import type { Column } from './table'
import { sortRows } from './table'

const columns: Column<{ pid: number; rss: number }>[] = [
  { id: 'pid', title: 'pid', sortBy: (row) => row.pid },
  { id: 'rss', title: 'rss', sortBy: (row) => row.rss },
]
const rows = [
  { pid: 1, rss: 5 },
  { pid: 2, rss: 9 },
  { pid: 3, rss: 5 },
]

test('descending order keeps equal rows as they were', () =>
  expect(sortRows(rows, columns, '-rss').map((row) => row.pid)).toEqual([2, 1, 3]))
test('no order leaves the rows alone', () => expect(sortRows(rows, columns, '')).toBe(rows))
