import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { faultAroundWindow } from './file_fault'
import { asyncReadahead, createReadahead, initialWindow, nextWindow, syncReadahead } from './readahead'

const vectors = JSON.parse(readFileSync(new URL('../../../test/vectors.json', import.meta.url), 'utf8')) as {
  file_readahead: {
    initial: { request: number; max: number; size: number }[]
    next: { cur: number; max: number; size: number }[]
  }
  fault_around: { pte_index: number; vma_page_offset: number; vma_pages: number; from: number; to: number }[]
}

const nothingMissing = (): number => -1

describe('windows of read(2) (04 §4.5)', () => {
  test.each(vectors.file_readahead.initial)(
    'a first request of $request pages reads $size',
    ({ request, max, size }) => {
      expect(initialWindow(request, max)).toBe(size)
    },
  )

  test.each(vectors.file_readahead.next)('after $cur pages come $size', ({ cur, max, size }) => {
    expect(nextWindow(cur, max)).toBe(size)
  })

  test('a stream of single pages reads 4, then 8, 16, 32 and 32 pages, each at its marker', () => {
    const ra = createReadahead()
    syncReadahead(ra, 0, 1, false)
    const windows = [[ra.start, ra.size]]
    for (let i = 0; i < 4; i++) {
      const marker = ra.start + ra.size - ra.asyncSize
      expect(asyncReadahead(ra, marker, 1, nothingMissing)).toBe(true)
      windows.push([ra.start, ra.size])
    }
    expect(windows).toEqual([
      [0, 4],
      [4, 8],
      [12, 16],
      [28, 32],
      [60, 32],
    ])
  })

  test('a lone request in the middle of a file reads what it asks for and sets no marker', () => {
    const ra = createReadahead()
    syncReadahead(ra, 500, 4, false)
    expect([ra.start, ra.size, ra.asyncSize]).toEqual([500, 4, 0])
  })

  test('a marker that fits no window starts behind what is cached', () => {
    const ra = createReadahead()
    expect(asyncReadahead(ra, 100, 1, () => 110)).toBe(true)
    expect([ra.start, ra.size, ra.asyncSize]).toEqual([110, 2 * (10 + 1), 22])
    expect(asyncReadahead(createReadahead(), 100, 1, nothingMissing)).toBe(false)
  })
})

describe('windows of Linux 6.1', () => {
  test('a marker with no page missing behind it reads on from the last page that was looked at', () => {
    const ra = createReadahead()
    expect(asyncReadahead(ra, 100, 32, nothingMissing, '6.1')).toBe(true)
    expect([ra.start, ra.size, ra.asyncSize]).toEqual([132, 32, 32])
  })

  test('the first page behind a window belongs to its stream', () => {
    const ra = { ...createReadahead(), start: 10, size: 8, asyncSize: 2 }
    expect(asyncReadahead({ ...ra }, 18, 32, nothingMissing)).toBe(false)
    expect(asyncReadahead(ra, 18, 32, nothingMissing, '6.1')).toBe(true)
    expect([ra.start, ra.size, ra.asyncSize]).toEqual([18, 16, 16])
  })

  test('a miss right behind a window reads the next two at once, the second from its marker on', () => {
    const ra = { ...createReadahead(), start: 10, size: 4, asyncSize: 2 }
    syncReadahead(ra, 14, 1, true, '6.1')
    expect([ra.start, ra.size, ra.asyncSize]).toEqual([14, 24, 16])
  })
})

describe('fault-around (04 §4.5, E3)', () => {
  test.each(vectors.fault_around)(
    'a fault at entry $pte_index, page $vma_page_offset of $vma_pages, maps $from to $to',
    ({ pte_index, vma_page_offset, vma_pages, from, to }) => {
      expect(faultAroundWindow(pte_index, vma_page_offset, vma_pages)).toEqual({ from, to })
    },
  )
})
