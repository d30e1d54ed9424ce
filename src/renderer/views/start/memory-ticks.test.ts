import { expect, test } from 'vitest'
import { memoryTicks } from './memory-ticks'

const GIB = 1024 ** 3

test('a machine twice as large is one step longer', () => {
  const width = (bytes: number): number => memoryTicks(bytes, 1)[0]!.width
  expect(width(2 * GIB) - width(GIB)).toBeCloseTo(width(GIB) - width(GIB / 2))
})
test('each node has its piece', () => expect(memoryTicks(8 * GIB, 2)).toHaveLength(2))
test('one tebibyte still fits the column', () => {
  const ticks = memoryTicks(1024 * GIB, 8)
  expect(ticks[7]!.x + ticks[7]!.width).toBeLessThanOrEqual(150)
})
