import { expect, test } from 'vitest'
import {
  formatBytes,
  formatClock,
  formatCount,
  formatDuration,
  formatLimit,
  formatMoment,
  formatPercent,
  formatRate,
  formatSpeed,
  joinFigure,
} from './format'

test.each([
  [0, '0'],
  [9999, '9999'],
  [12345, '12\u202f345'],
  [114845, '114\u202f845'],
  [1284551, '1\u202f284\u202f551'],
  [-28380, '\u221228\u202f380'],
])('a count of %d is written %s', (value, text) => expect(formatCount(value)).toBe(text))

test.each([
  [968 * 1024 * 1024 + 5000, '968 MiB'],
  [2.16 * 1024 ** 3, '2.16 GiB'],
  [61.4 * 1024 ** 2, '61.4 MiB'],
  [512 * 1024 ** 2, '512 MiB'],
  [1024 ** 4, '1 TiB'],
  [4096, '4 KiB'],
  [100, '100 B'],
])('%d bytes are written %s', (bytes, text) => expect(joinFigure(formatBytes(bytes))).toBe(text))

test('a limit of −1 is max, without a unit', () => expect(joinFigure(formatLimit(-1))).toBe('max'))

test.each([
  [86_000, '86.0 µs'],
  [60_000_000, '60.0 ms'],
  [999, '999 ns'],
  [1_035_000_000, '1.03 s'],
  [0, '0 ns'],
])('%d ns are written %s', (ns, text) => expect(joinFigure(formatDuration(ns))).toBe(text))

test('the clock has nine decimals in groups of three', () =>
  expect(formatClock(42_318_604_112)).toEqual({ main: '42.318', rest: '\u202f604\u202f112' }))

test('the last nanosecond before a second does not round up', () => expect(formatClock(999_999_999).main).toBe('0.999'))

test('a rate keeps three digits', () => expect(joinFigure(formatRate(34_712))).toBe('34.7 k/s'))
test('percent has a space and its decimals; zero is 0', () => {
  expect(joinFigure(formatPercent(41.76, 2))).toBe('41.76 %')
  expect(joinFigure(formatPercent(0))).toBe('0 %')
})
test('as fast as it goes is max', () => expect(formatSpeed(Infinity)).toBe('max'))
test.each([
  [0.01, '0.01 ×'],
  [1, '1 ×'],
  [31.4, '31.4 ×'],
])('speed %d is %s', (s, t) => expect(formatSpeed(s)).toBe(t))
test('a moment has more decimals when the view is narrow', () => {
  expect(formatMoment(42_318_604_112, 10e9)).toBe('42.319')
  expect(formatMoment(42_318_604_112, 10e6)).toBe('42.318604')
})
