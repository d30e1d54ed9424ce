import { describe, expect, test } from 'vitest'
import { figureText, formatValue, judge, median, type Figure } from './figure'
import { createRandom, shuffledIndices } from './measure'
import { parseNumbers } from './native'

const faults: Figure = {
  id: 'faults',
  title: 'faults',
  value: 4_000_000,
  unit: 'faults/s',
  against: { what: 'this kernel', value: 500_000 },
  aim: { kind: 'ratio', at: 8 },
}

describe('a figure', () => {
  test('is told with its unit, its opponent, the ratio and the aim', () => {
    expect(figureText(judge(faults)).trim().replace(/ {2,}/g, '  ')).toBe(
      'faults  4.00 M faults/s  this kernel 500 k faults/s = 8.00×  aim ≥ 8×: met',
    )
  })

  test('names the reason when there is no opponent, and then passes no verdict', () => {
    const { against: _, ...alone } = faults
    const judged = judge({ ...alone, skipped: 'no C compiler: spawn cc ENOENT' })
    expect(judged.isMet).toBeUndefined()
    expect(figureText(judged)).toContain('skipped: no C compiler: spawn cc ENOENT  aim ≥ 8×')
  })

  test.each([
    ['ratio', 8, true],
    ['ratio', 8.1, false],
    ['value', 4e6, true],
    ['value', 4e6 + 1, false],
    ['below', 4e6, false],
    ['below', 4e6 + 1, true],
  ] as const)('aim %s %d: met is %s', (kind, at, isMet) => {
    expect(judge({ ...faults, aim: { kind, at } }).isMet).toBe(isMet)
  })

  test('without an aim has no verdict', () => {
    const { aim: _, ...aimless } = faults
    expect(judge(aimless)).toEqual({ ...aimless, ratio: 8 })
  })
})

test.each([
  [1_234_567, 'faults/s', '1.23 M faults/s'],
  [123_456, 'faults/s', '123 k faults/s'],
  [999, 'pages/s', '999 pages/s'],
  [2.5e9, 'pages/s', '2.50 G pages/s'],
  [12.345, 'ms', '12.3 ms'],
  [1234, 'MiB', '1234 MiB'],
])('%d %s is written %s', (value, unit, text) => {
  expect(formatValue(value, unit)).toBe(text)
})

test('the median is the middle, or between the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([])).toBeNaN()
})

test('the numbers of a C program are collected by their word', () => {
  expect(parseNumbers('ascending 1.5\nrandom 2\nascending 3\nnot a number line\n')).toEqual({
    ascending: [1.5, 3],
    random: [2],
  })
})

test('a shuffle is a permutation, and the same for the same seed', () => {
  const order = shuffledIndices(1000, 7)
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  expect(shuffledIndices(1000, 7)).toEqual(order)
  expect(shuffledIndices(1000, 8)).not.toEqual(order)
})

test('the sequence of random numbers is xorshift32, as in the C programs', () => {
  const random = createRandom(12345)
  expect([random(), random(), random()]).toEqual([3336926330, 1697253807, 2816511904])
})
