import { expect, test } from 'vitest'
import type { SlabCacheView, SlabPage } from '../../../protocol/allocators'
import { placeRows, walkOrder } from './places'

const slab = (pfn: number, more: Partial<SlabPage> = {}): SlabPage => ({
  pfn,
  nid: 0,
  order: 0,
  objects: 21,
  inuse: 21,
  free: 0,
  ...more,
})
const cache: SlabCacheView = {
  name: 'dentry',
  cpus: [
    { cpu: 0, active: slab(10, { free: 2 }), cpuFree: 5, partial: [slab(11, { free: 20 })], nrPartial: 3 },
    { cpu: 1, active: undefined, cpuFree: 0, partial: [], nrPartial: 0 },
  ],
  nodes: [{ nid: 0, nrSlabs: 7, totalObjects: 147, partial: [slab(12, { free: 1 })], nrPartial: 1, nrFull: 2 }],
  full: [slab(13), slab(14)],
}

test('places stand in the order in which an allocation tries them; a CPU without a slab has no row', () => {
  expect(placeRows(cache).map((row) => `${row.title} ${row.total}`)).toEqual([
    'cpu0 1',
    'cpu0 partial 3',
    'node 0 partial 1',
    'full 2',
  ])
  expect(walkOrder(placeRows(cache))).toEqual([10, 11, 12, 13, 14])
})

test('free objects of an active slab are those on the CPU’s freelist and those that others gave back', () => {
  expect(placeRows(cache)[0]!.slabs[0]).toMatchObject({ used: 14, free: 7 })
  expect(placeRows(cache)[0]!.words).toBe('fast path: 5 free on its freelist')
})
