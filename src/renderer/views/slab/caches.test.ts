import { expect, test } from 'vitest'
import type { SlabTotals } from '../../../protocol/allocators'
import { CACHE_COLUMNS, lossParts, shownCaches, slabSums, usePercent } from './caches'

const cache = (name: string, more: Partial<SlabTotals> = {}): SlabTotals => ({
  name,
  aliases: [],
  isReclaimable: false,
  isAccounted: false,
  objectSizeBytes: 184,
  sizeBytes: 192,
  objectsPerSlab: 21,
  order: 0,
  activeObjects: 40,
  objects: 42,
  slabs: 2,
  pages: 2,
  onCpu: 1,
  cpuPartial: 1,
  nodePartial: 0,
  full: 0,
  freeObjects: 10,
  freeBytes: 1920,
  paddingBytes: 32 * 8,
  tailBytes: 2 * 64,
  ...more,
})

test('the parts of a cache add up to its pages', () => {
  const parts = lossParts(cache('dentry'))
  expect(parts.map((part) => part.bytes)).toEqual([32 * 184, 256, 1920, 128])
  expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(2 * 4096)
})

test('use is rounded down as slabtop prints it, and an empty cache has none', () => {
  expect(usePercent(cache('dentry'))).toBe(95)
  expect(usePercent(cache('dentry', { activeObjects: 0, objects: 0 }))).toBe(0)
  const use = CACHE_COLUMNS.find((column) => column.id === 'use')!
  expect(use.text!(cache('x', { objects: 0 }))).toBe('–')
})

test('a cache is found by the name of one that was merged into it; empty ones show when searched for', () => {
  const caches = [cache('dentry', { aliases: ['names'] }), cache('bio', { objects: 0 })]
  const names = (filter: string, withEmpty = false): string[] =>
    shownCaches(caches, filter, { withEmpty }).map((c) => c.name)
  expect(names('')).toEqual(['dentry'])
  expect(names('', true)).toEqual(['dentry', 'bio'])
  expect(names('NAM')).toEqual(['dentry'])
  expect(names('bio')).toEqual(['bio'])
})

test('the sums are those of all caches, shown or not', () => {
  expect(slabSums([cache('a'), cache('b', { objects: 0, activeObjects: 0, pages: 0 })])).toMatchObject({
    objects: 42,
    activeObjects: 40,
    activeCaches: 1,
    caches: 2,
    bytes: 8192,
  })
})
