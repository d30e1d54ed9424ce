import { expect, test } from 'vitest'
import { addAnonPages, lruState, newSpace } from '../../../test/lru-state'
import { PG_DIRTY, clearFlag } from './memmap'
import { deleteFromSwapCache, folioAllocSwap, swapDuplicate, swapFree } from './swapfile'

const slotsInUse = (state: ReturnType<typeof lruState>): number =>
  state.swapAreas[0]!.tree.use.reduce((sum, n) => sum + n, 0)
const nodes = (state: ReturnType<typeof lruState>): number =>
  state.swapAreas[0]!.tree.nodes.reduce((sum, address) => sum + (address === 0 ? 0 : 1), 0)

test('64 slots in a row share a node; a shadow keeps it, and the end of the slot gives it back', () => {
  const state = lruState({ swapSlots: 1000 })
  const pfns = addAnonPages(state, newSpace(state).mm, 130)
  for (const pfn of pfns) expect(folioAllocSwap(state, pfn)).toBe(true)
  const area = state.swapAreas[0]!
  const slots = pfns.map((pfn) => area.base + area.cache.indexOf(pfn))
  expect(slotsInUse(state)).toBe(130)
  expect(nodes(state)).toBe(3)
  for (const slot of slots) swapDuplicate(state, slot)
  for (const pfn of pfns) {
    clearFlag(state.memmap, pfn, PG_DIRTY)
    deleteFromSwapCache(state, pfn, 4711)
  }
  expect(slotsInUse(state)).toBe(130)
  for (const slot of slots) swapFree(state, slot)
  expect(slotsInUse(state)).toBe(0)
  expect(nodes(state)).toBe(0)
})
