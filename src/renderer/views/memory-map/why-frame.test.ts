import { expect, test } from 'vitest'
import { FRAME_ANON, FRAME_FREE, FRAME_PCP, type PageInfo } from '../../../protocol/page-map'
import { framePairs } from './frame-fields'
import { whatText, whyText } from './why-frame'

const PAGE: PageInfo = {
  atNs: 0,
  pfn: 0x1a20,
  owner: FRAME_ANON,
  nid: 0,
  zone: 'DMA32',
  migratetype: 'Movable',
  blockSkipped: false,
  flags: ['uptodate', 'lru', 'swapbacked'],
  head: 0x1a20,
  order: 0,
  refcount: 1,
  mapcount: 1,
  memcg: '/a',
  lru: { name: 'inactive_anon', isOffList: false, next: 0x1a21, prev: 0 },
  mappings: [{ pid: 412, comm: 'stress', address: 0x7f3a5c2b1000, vma: '[heap]' }],
}

test('an anonymous page says whose it is, where, on which list and who pays', () => {
  expect(whatText(PAGE)).toBe(
    'Anonymous page of stress (pid 412), virtual 0x7f3a5c2b1000 [heap], inactive_anon, charged to /a.',
  )
  expect(whyText(PAGE)).toContain('__GFP_MOVABLE into a Movable pageblock')
  expect(whyText({ ...PAGE, migratetype: 'Unmovable' })).toContain('its pageblock is Unmovable')
})

const FREE: PageInfo = {
  ...PAGE,
  owner: FRAME_FREE,
  mappings: [],
  mapcount: 0,
  order: 5,
  free: {
    head: 0x1a20,
    order: 5,
    type: 'Movable',
    buddy: 0x1a00,
    buddyState: 'in use',
    buddyFree: 20,
    next: 0,
  },
}

test('a free block names its buddy and why the two are not one', () => {
  expect(whatText(FREE)).toBe('Free block of order 5 (32 frames), head of it, on the Movable list.')
  expect(whyText(FREE)).toBe(
    'Its buddy is pfn 0x1a00 (0x1a20 XOR 0x20), of whose 32 frames 20 are free: not all, so the two cannot merge.',
  )
  const one = { ...FREE, free: { ...FREE.free!, order: 0, buddy: 0x1a21, buddyFree: 0 } }
  expect(whyText(one)).toContain('0x1a21 (0x1a20 XOR 0x1), which is in use')
  expect(whyText({ ...FREE, free: { ...FREE.free!, buddyState: 'other zone' } })).toContain('in another zone')
})

test('a frame on a per-CPU list is neither free nor in use', () => {
  const pcp = { ...PAGE, owner: FRAME_PCP, pcpCpu: 3, mappings: [] }
  expect(whatText(pcp)).toBe('Free, on the per-CPU list of CPU 3.')
  expect(whyText(pcp)).toContain('not in nr_free_pages')
})

test('fields are the kernel’s, and lead on to neighbours, buddies and processes', () => {
  const text = (info: PageInfo, name: string) => framePairs(info).find((pair) => pair.name === name)
  expect(text(PAGE, 'physical')?.text).toBe('0x1a20000')
  expect(text(PAGE, 'flags')?.text).toBe('uptodate lru swapbacked')
  expect(text(PAGE, '_mapcount')?.text).toBe('0, mapped once')
  expect(text(PAGE, 'next')?.pfn).toBe(0x1a21)
  expect(text(PAGE, 'mapped at')?.pid).toBe(412)
  expect(text(FREE, 'buddy')?.pfn).toBe(0x1a00)
})
