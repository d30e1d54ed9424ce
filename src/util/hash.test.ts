import { expect, test } from 'vitest'
import { digestTree } from './hash'

test('the digest is the same on every machine', () => {
  expect(digestTree({ a: 1, b: [true, 'x', undefined], c: new Int32Array([0, 0, 7]) })).toMatchInlineSnapshot(
    `"0f5b8686e29cc0ee"`,
  )
})

test('one bit anywhere changes the digest', () => {
  const make = () => ({ big: new Uint8Array(200_001), n: 0, s: '' })
  const digests = new Set([digestTree(make())])
  for (const at of [0, 3, 65_535, 65_536, 131_072, 199_999, 200_000]) {
    const tree = make()
    tree.big[at] = 1
    digests.add(digestTree(tree))
  }
  expect(digests.size).toBe(8)
})

test.each([
  ['0 and −0', 0, -0],
  ['1 and "1"', 1, '1'],
  ['missing and undefined', {}, { a: undefined }],
  ['types of columns', new Int32Array([1]), new Int16Array([1, 0])],
  ['where the zeroes are', [0, 0, 1], [0, 1, 0]],
  ['lengths of zeroed columns', new Int32Array(3), new Int32Array(4)],
  ['nesting', [[1], 2], [[1, 2]]],
  ['order of keys', { a: 1, b: 2 }, { b: 2, a: 1 }],
])('%s are told apart', (_name, a, b) => {
  expect(digestTree(a)).not.toBe(digestTree(b))
})

test('every NaN is the same NaN', () => {
  const odd = new Float64Array(new Uint32Array([1, 0x7ff80000]).buffer)[0]
  expect(digestTree(odd)).toBe(digestTree(NaN))
})

test('contents of larger columns can be left out, their lengths cannot', () => {
  const [small, large] = [new Int32Array(4), new Int32Array(400)]
  const before = digestTree({ small, large }, 1000)
  large[7] = 1
  expect(digestTree({ small, large }, 1000)).toBe(before)
  expect(digestTree({ small, large: new Int32Array(401) }, 1000)).not.toBe(before)
  small[0] = 1
  expect(digestTree({ small, large }, 1000)).not.toBe(before)
})
