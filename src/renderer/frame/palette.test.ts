import { expect, test } from 'vitest'
import { rankActions } from './palette'
import { lampOf } from './lamp'

const actions = [
  { title: 'Step by 1 ms', group: 'Transport' },
  { title: 'Boot vm-512m', group: 'Machines', detail: 'Reclaim and OOM happen within seconds' },
  { title: 'Reset to boot', group: 'Transport' },
]
const titles = (query: string): string[] => rankActions(actions, query).map((action) => action.title)

test('a title that starts with the word comes first', () =>
  expect(titles('boot')).toEqual(['Boot vm-512m', 'Reset to boot']))
test('every word has to be found', () => expect(titles('boot zram')).toEqual([]))
test('the detail counts too', () => expect(titles('oom')).toEqual(['Boot vm-512m']))
test('no words find everything in its order', () => expect(titles('  ')).toHaveLength(3))

test.each([
  [0, 0, 'ok'],
  [41.76, 15.49, 'warn'],
  [90, 60, 'danger'],
] as const)('PSI some %d and full %d light %s', (some, full, lamp) => expect(lampOf(some, full)).toBe(lamp))
