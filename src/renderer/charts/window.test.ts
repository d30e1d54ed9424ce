import { expect, test } from 'vitest'
import { clampWindow, following, pan, spanOf, tickLabel, timeTicks, timeToX, xToTime, zoom } from './window'

const S = 1e9

test('zooming keeps the moment under the pointer in its place', () => {
  const before = { fromNs: 10 * S, toNs: 20 * S }
  const after = zoom(before, 0.5, 12 * S, 100 * S)
  expect(spanOf(after)).toBe(5 * S)
  expect(timeToX(after, 1000, 12 * S)).toBeCloseTo(timeToX(before, 1000, 12 * S))
})

test('zooming out stops at the whole run', () => {
  expect(zoom({ fromNs: 1 * S, toNs: 9 * S }, 10, 5 * S, 10 * S)).toEqual({ fromNs: 0, toNs: 10 * S })
})

test('panning stops at boot and at the end', () => {
  const view = { fromNs: 1 * S, toNs: 3 * S }
  expect(pan(view, -5 * S, 10 * S)).toEqual({ fromNs: 0, toNs: 2 * S })
  expect(pan(view, 50 * S, 10 * S)).toEqual({ fromNs: 8 * S, toNs: 10 * S })
})

test('follow shows the whole span from boot before the run is that long', () => {
  expect(following(10 * S, 3 * S)).toEqual({ fromNs: 0, toNs: 10 * S })
  expect(following(10 * S, 30 * S)).toEqual({ fromNs: 20 * S, toNs: 30 * S })
})

test('a window is never narrower than ten microseconds', () => {
  expect(spanOf(clampWindow({ fromNs: 5, toNs: 6 }, S))).toBe(10_000)
})

test('time and place are each other’s inverse', () => {
  const view = { fromNs: 2 * S, toNs: 4 * S }
  expect(xToTime(view, 800, timeToX(view, 800, 3.25 * S))).toBe(3.25 * S)
})

test.each([
  [{ fromNs: 36 * S, toNs: 46 * S }, [36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46]],
  [{ fromNs: 0, toNs: 184 * S }, [0, 20, 40, 60, 80, 100, 120, 140, 160, 180]],
])('ticks stand at round moments of %o', (view, seconds) => {
  expect(timeTicks(view).map((ns) => ns / S)).toEqual(seconds)
})

test('a tick’s label has the decimals of its step', () => {
  expect(tickLabel(42 * S, S)).toBe('42')
  expect(tickLabel(42.25 * S, 0.05 * S)).toBe('42.25')
  expect(tickLabel(1_500_000, 500_000)).toBe('0.0015')
})
