import { expect, test } from 'vitest'
import type { RecordedEvent } from '../../../protocol/messages'
import { endOfMerges, newEvents, quietWords, refusedWords, storiesOf } from './happened'

const event = (name: string, fields: Record<string, number>): RecordedEvent => ({
  atNs: 0,
  name,
  pid: 1,
  comm: 'init',
  cpu: 0,
  fields,
  text: '',
})
const split = (pfn: number, from: number, to: number): RecordedEvent =>
  event('buddy_split', { pfn, order_high: from, order_low: to, migratetype: 1, nid: 0, zone: 1 })
const merge = (pfn: number, order: number): RecordedEvent =>
  event('buddy_merge', {
    pfn,
    order,
    buddy_pfn: pfn ^ (1 << order),
    merged_pfn: pfn & ~(1 << order),
    nid: 0,
    zone: 1,
  })

test('merges that go on from each other are one story, a split ends it', () => {
  const events = [merge(0x105, 0), merge(0x104, 1), merge(0x200, 4), split(0x800, 9, 5)]
  expect(storiesOf(events).map((story) => `${story.kind} ${story.title}`)).toEqual([
    'merge order 0 at 0x105 to order 2',
    'merge order 4 at 0x200 to order 5',
    'split order 9 at 0x800 to order 5',
  ])
  expect(endOfMerges(events)).toEqual({ pfn: 0x200, order: 5 })
  expect(storiesOf([])).toEqual([])
  expect(endOfMerges([split(0x800, 9, 5)])).toBeUndefined()
})

test('the last merge says why it went no further, when that is known of its block', () => {
  const stop = { order: 1, pfn: 0x104, buddy: 0x106, verdict: 'in use', buddyOrder: -1 } as const
  const [story] = storiesOf([merge(0x105, 0)], stop)
  expect(story!.steps.at(-1)!.text).toContain('0x106 is in use')
  expect(storiesOf([merge(0x105, 0)], { ...stop, pfn: 0x108 })[0]!.steps).toHaveLength(2)
})

test('a request that set nothing off says why', () => {
  const quiet = (verb: 'alloc' | 'free', order: number): string =>
    quietWords({ verb, order, pfn: 0x40, stories: [], isWaiting: false }, 'in use')
  expect(quiet('alloc', 3)).toContain('a per-CPU list had a block')
  expect(quiet('alloc', 5)).toContain('free list 5 had a block of just that order')
  expect(quiet('free', 0)).toContain('went to the list of the CPU')
  expect(quiet('free', 5)).toContain('because its buddy is in use')
})

test('the events of a request are those that were not there before it, wherever they stand', () => {
  const [old, later] = [split(0x800, 9, 5), merge(0x820, 5)]
  expect(newEvents([old], [later, old])).toEqual([later])
  expect(newEvents([old], [old, old])).toEqual([old])
  expect(newEvents([], [old])).toEqual([old])
})

test('a refusal without a word in the log is explained by the order', () => {
  expect(refusedWords('alloc order=12')).toContain('order 10, 4 MiB')
  expect(refusedWords('alloc order=10 gfp=GFP_ATOMIC')).toContain('2^10 pages')
  expect(refusedWords('free 0x10')).toBe('')
})
