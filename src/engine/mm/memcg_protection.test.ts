import { expect, test } from 'vitest'
import vectors from '../../../test/vectors.json'
import { makeGroup, memcgState } from '../../../test/memcg-state'
import { GFP_KERNEL } from './gfp'
import {
  calculateProtection,
  effectiveProtection,
  memcgBelowLow,
  memcgBelowMin,
  memcgProtection,
} from './memcg_protection'
import { nextMemcg } from './memcg_tree'
import { memcgCharge } from './memcontrol'
import { pageCounterSetLow, pageCounterSetMin } from './page_counter'

const GIB_PAGES = 262144

test.each(vectors.effective_protection)('usage $usage, setting $setting: effective $effective', (row) => {
  const input = {
    usage: row.usage,
    parentUsage: row.parent_usage,
    setting: row.setting,
    parentEffective: row.parent_effective,
    siblingsProtected: row.siblings_protected,
    recursive: row.recursive,
  }
  expect(effectiveProtection(input)).toBe(row.effective)
})

/** P with children A and B; values in GiB. */
function family(p: { low: number }, a: { low: number; usage: number }, b: { low: number; usage: number }) {
  const state = memcgState()
  const groups = { p: makeGroup(state, '/p'), a: makeGroup(state, '/p/a'), b: makeGroup(state, '/p/b') }
  pageCounterSetLow(state.memcgs, groups.p.id, p.low * GIB_PAGES)
  pageCounterSetLow(state.memcgs, groups.a.id, a.low * GIB_PAGES)
  pageCounterSetLow(state.memcgs, groups.b.id, b.low * GIB_PAGES)
  memcgCharge(state, groups.a.id, a.usage * GIB_PAGES, GFP_KERNEL)
  memcgCharge(state, groups.b.id, b.usage * GIB_PAGES, GFP_KERNEL)
  for (let id = 1; id !== 0; id = nextMemcg(state, 1, id)) calculateProtection(state, 0, id)
  return { state, ...groups }
}

test('children that claim more than their parent has share it (spec 07 E2)', () => {
  const { a, b } = family({ low: 1 }, { low: 1, usage: 1 }, { low: 1, usage: 1 })
  expect([a.memory.elow, b.memory.elow]).toEqual([131072, 131072])
})

test('what the parent has left over goes to its children by usage (E3)', () => {
  const { p, a, b } = family({ low: 2 }, { low: 0.5, usage: 2 }, { low: 0, usage: 2 })
  expect([p.memory.elow, a.memory.elow, b.memory.elow]).toEqual([524288, 299593, 224694])
})

test('overcommitted children are cut in proportion (E4)', () => {
  const { a, b } = family({ low: 1 }, { low: 2, usage: 1.5 }, { low: 1, usage: 0.5 })
  expect([a.memory.elow, b.memory.elow]).toEqual([196608, 65536])
})

test('the target of a reclaim has no protection, and its children count by their own settings', () => {
  const { state, p, a } = family({ low: 1 }, { low: 1, usage: 1 }, { low: 1, usage: 1 })
  expect(memcgProtection(state, p.id, p.id)).toEqual({ min: 0, low: 0 })
  calculateProtection(state, p.id, a.id)
  expect(memcgProtection(state, p.id, a.id)).toEqual({ min: 0, low: GIB_PAGES })
  expect(memcgBelowLow(state, p.id, a.id)).toBe(true)
  expect(memcgBelowMin(state, p.id, a.id)).toBe(false)
})

test('memory.min covers a group up to its usage', () => {
  const state = memcgState()
  const a = makeGroup(state, '/a')
  pageCounterSetMin(state.memcgs, a.id, 16384)
  memcgCharge(state, a.id, 16384, GFP_KERNEL)
  calculateProtection(state, 0, a.id)
  expect(memcgBelowMin(state, 0, a.id)).toBe(true)
  memcgCharge(state, a.id, 100, GFP_KERNEL)
  calculateProtection(state, 0, a.id)
  expect(memcgBelowMin(state, 0, a.id)).toBe(false)
})

test('an overcommitted branch stays within what its parent is given', () => {
  const { p, a, b } = family({ low: 1 }, { low: 0.375, usage: 0.75 }, { low: 0.875, usage: 0.8125 })
  expect(a.memory.elow + b.memory.elow).toBeLessThanOrEqual(p.memory.elow)
})
