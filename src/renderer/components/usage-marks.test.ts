import { expect, test } from 'vitest'
import { bytesAfterKey, bytesAt, limitText, markX } from './usage-marks'

const MIB = 1024 * 1024
const scale = { totalBytes: 1000 * MIB, width: 250 }

test('a mark stands where its bytes are; max stands at the end', () => {
  expect(markX({ kind: 'high', bytes: 500 * MIB }, scale)).toBe(125)
  expect(markX({ kind: 'max', bytes: -1 }, scale)).toBe(250)
})

test('a drag lands on whole pages', () => {
  const bytes = bytesAt(33.3, 'high', scale)
  expect(bytes % 4096).toBe(0)
  expect(bytes / MIB).toBeCloseTo(133.2, 1)
})

test('a limit pulled past the end is max; a protection stops there', () => {
  expect(limitText(bytesAt(270, 'max', scale))).toBe('max')
  expect(bytesAt(270, 'low', scale)).toBe(1000 * MIB)
})

test('an arrow key moves by one percent, with Shift by one page', () => {
  const mark = { kind: 'high', bytes: 500 * MIB } as const
  expect(bytesAfterKey(mark, { key: 'ArrowRight', shiftKey: false }, 1000 * MIB)).toBe(510 * MIB)
  expect(bytesAfterKey(mark, { key: 'ArrowLeft', shiftKey: true }, 1000 * MIB)).toBe(500 * MIB - 4096)
})

test('a key that moves nothing says so', () =>
  expect(bytesAfterKey({ kind: 'low', bytes: 0 }, { key: 'x', shiftKey: false }, MIB)).toBeUndefined())
