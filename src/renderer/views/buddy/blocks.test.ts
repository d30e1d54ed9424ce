import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { MergeStep } from '../../../protocol/allocators'
import { buddyOf, mergeStory, splitStory, xorSum } from './blocks'

const PFN = 0x1a400

test('the buddy is pfn XOR (1 << order), also above 2^31', () => {
  const block = fc.tuple(fc.nat(2 ** 30), fc.nat(10))
  fc.assert(
    fc.property(block, ([frame, order]) => {
      const pfn = frame - (frame % 2 ** order)
      expect(buddyOf(pfn, order)).toBe(pfn ^ (1 << order))
      expect(buddyOf(pfn + 2 ** 36, order)).toBe((pfn ^ (1 << order)) + 2 ** 36)
    }),
    { seed: 1 },
  )
})

test('the sum shows the bit that is turned, and no other differs', () => {
  const sum = xorSum(PFN, 3)
  expect(sum.buddy).toBe(0x1a408)
  const turned = sum.bits.filter(({ pfn, buddy }) => pfn !== buddy)
  expect(turned.map(({ bit, mask }) => [bit, mask])).toEqual([[3, '1']])
  expect(sum.bits.map(({ pfn }) => pfn).join('')).toBe('010000000000')
})

test('a split keeps the lower half and lists each upper one, down to the order wanted', () => {
  const story = splitStory(PFN, 4, 1)
  expect(story.steps.map((step) => step.title)).toEqual([
    'Take the block of order 4 at 0x1a400',
    'Halve: order 4 becomes two of order 3',
    'Halve: order 3 becomes two of order 2',
    'Halve: order 2 becomes two of order 1',
  ])
  expect(story.rows.map(({ order, right, step }) => [order, right.pfn - PFN, right.role, step])).toEqual([
    [3, 8, 'listed', 1],
    [2, 4, 'listed', 2],
    [1, 2, 'listed', 3],
  ])
  const pages = story.rows.reduce((sum, row) => sum + 2 ** row.order, 0)
  expect(pages + 2 ** 1).toBe(2 ** 4)
})

test('a block of the order wanted is not split', () => {
  const story = splitStory(PFN, 3, 3)
  expect(story.rows).toEqual([])
  expect(story.steps).toHaveLength(1)
  expect(story.steps[0]!.text).toContain('nothing is split')
})

test('a merge goes up until a buddy is not free; the lower of two buddies stands left', () => {
  const walk: MergeStep[] = [
    { order: 0, pfn: PFN + 1, buddy: PFN, verdict: 'merges', buddyOrder: 0 },
    { order: 1, pfn: PFN, buddy: PFN + 2, verdict: 'in use', buddyOrder: -1 },
  ]
  const story = mergeStory(walk)!
  expect(story.rows.map(({ order, left, right }) => [order, left.role, right.role])).toEqual([
    [1, 'freed', 'stays'],
    [0, 'joins', 'freed'],
  ])
  expect(story.steps.map((step) => step.title)).toEqual([
    'Free the block of order 0 at 0x1a401',
    'Merge: two of order 0 become order 1 at 0x1a400',
    'Stop: order 1 at 0x1a400 goes to free list 1',
  ])
  expect(story.steps[2]!.text).toContain('is in use')
  expect(mergeStory([])).toBeUndefined()
})

test('the largest order has no buddy to ask', () => {
  const story = mergeStory([{ order: 10, pfn: PFN, buddy: PFN, verdict: 'largest', buddyOrder: 10 }])!
  expect(story.rows).toEqual([])
  expect(story.steps.at(-1)).toMatchObject({ sum: undefined, text: 'There is no larger order: the block is whole.' })
})
