import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { SlabCacheView } from '../../../protocol/allocators'
import { ALLOC_RUNGS, FREE_RUNGS, ladderOf, listChanges } from './ladder'

test('the rungs are all ways that the engine knows, and no others', () => {
  const source = readFileSync(new URL('../../../engine/mm/slub_path.ts', import.meta.url), 'utf8')
  const known = [...source.slice(source.indexOf('SLUB_PATHS')).matchAll(/'(\w+)'/g)].map((match) => match[1])
  expect([...ALLOC_RUNGS, ...FREE_RUNGS].map((rung) => rung.path).sort()).toEqual(known.sort())
})

test('questions before the way that was taken were answered with no, later ones were not asked', () => {
  expect(ladderOf('alloc', 'cpu_partial_alloc').map((rung) => rung.state)).toEqual([
    'no',
    'no',
    'yes',
    'not asked',
    'not asked',
  ])
  expect(ladderOf('free', 'free_fastpath').map((rung) => rung.state)[0]).toBe('yes')
  expect(ladderOf('alloc', '').every((rung) => rung.state === 'not asked')).toBe(true)
})

test('only lists whose length differs are named', () => {
  const cache = (cpuFree: number, nrPartial: number): SlabCacheView => ({
    name: 'dentry',
    cpus: [{ cpu: 0, active: undefined, cpuFree, partial: [], nrPartial: 2 }],
    nodes: [{ nid: 0, nrSlabs: 9, totalObjects: 189, partial: [], nrPartial, nrFull: 4 }],
    full: [],
  })
  expect(listChanges(cache(15, 3), cache(14, 3))).toEqual(['cpu0 freelist 15 → 14'])
  expect(listChanges(cache(0, 3), cache(0, 2))).toEqual(['node 0 partial 3 → 2'])
  expect(listChanges(cache(1, 1), cache(1, 1))).toEqual([])
})
