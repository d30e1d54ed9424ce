import { expect, test } from 'vitest'
import type { FreeArea } from '../../../protocol/allocators'
import { indexText, matrixRows } from './matrix'

const counts = (...first: number[]): number[] => [...first, ...new Array<number>(11 - first.length).fill(0)]
const area = (zone: string, more: Partial<FreeArea> = {}): FreeArea => ({
  nid: 0,
  zone,
  freePages: 11,
  managed: 100,
  nrFree: counts(3, 4),
  byType: [counts(3), counts(0, 4), counts()],
  unusable: counts(),
  extfrag: counts(-1000, -1000, 1000 - 90),
  ...more,
})
const view = { areas: [area('DMA'), area('DMA32', { managed: 900 })], types: ['Unmovable', 'Movable', 'Reclaimable'] }

test('every zone has a row, and the open one its types below it', () => {
  const rows = matrixRows(view, '0 DMA32', [5, 6, 7])
  expect(rows.map((row) => `${row.kind} ${row.title} ${row.pages}`)).toEqual([
    'zone DMA 11',
    'zone DMA32 11',
    'type Unmovable 3',
    'type Movable 8',
    'type Reclaimable 0',
  ])
  expect(rows[3]!.pageblocks).toBe(6)
})

test('bars compare pages, not blocks', () => {
  const [, , unmovable, movable] = matrixRows(view, '0 DMA32', undefined)
  expect(unmovable!.cells[0]!.share).toBe(3 / 8)
  expect(movable!.cells[1]!.share).toBe(1)
})

test('the index is printed as debugfs prints it', () => {
  expect([0, -1000, 413, 1000].map(indexText)).toEqual(['0', '−1', '0.413', '1'])
})
