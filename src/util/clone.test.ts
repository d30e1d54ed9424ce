import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CHUNK_BYTES, cloneTree, freezeTree, releaseFrozen, thawTree } from './clone'
import { digestTree } from './hash'

const sample = () => ({
  nowNs: 12,
  name: 'x',
  none: undefined,
  list: [1, undefined, { deep: [true, 'y'] }],
  small: new Float64Array([1, 2.5, -0]),
  large: new Int32Array(100_000),
  odd: new Uint8Array(CHUNK_BYTES * 2 + 3),
})

test('a clone equals its original and shares nothing with it', () => {
  const a = sample()
  a.large[77_000] = 5
  a.odd[CHUNK_BYTES * 2 + 2] = 9
  const b = cloneTree(a)
  expect(b).toEqual(a)
  b.large[77_000] = 6
  b.odd[0] = 1
  b.small[0] = 7
  ;(b.list[2] as { deep: unknown[] }).deep[0] = false
  expect(a.large[77_000]).toBe(5)
  expect(a.odd[0]).toBe(0)
  expect(a.small[0]).toBe(1)
  expect(a.list[2]).toEqual({ deep: [true, 'y'] })
})

test('a column that is a window into a larger buffer is copied alone', () => {
  const buffer = new ArrayBuffer(CHUNK_BYTES * 4)
  const window = new Int32Array(buffer, 8, CHUNK_BYTES / 2)
  window[CHUNK_BYTES / 2 - 1] = 3
  const copy = cloneTree({ window }).window
  expect(copy.buffer.byteLength).toBe(window.byteLength)
  expect(copy).toEqual(window)
})

test.each([
  ['a Map', new Map()],
  ['a function', () => 1],
  ['a class instance', new (class Thing {})()],
])('%s in the tree is refused', (_name, value) => {
  expect(() => cloneTree({ value })).toThrow(/in a state tree/)
  expect(() => freezeTree({ value })).toThrow(/in a state tree/)
  expect(() => digestTree({ value })).toThrow(/in a state tree/)
})

test('thawing gives back what was frozen, as often as asked', () => {
  const a = sample()
  a.large[1] = 8
  a.odd[CHUNK_BYTES * 2 + 1] = 4
  const before = cloneTree(a)
  const frozen = freezeTree(a)
  a.large[1] = 9
  a.list.push(3)
  const first = thawTree(frozen)
  expect(first).toEqual(before)
  first.large[1] = 0
  expect(thawTree(frozen)).toEqual(before)
})

test('a second checkpoint stores only the chunks that changed', () => {
  const a = { column: new Int32Array(10 * (CHUNK_BYTES / 4)).fill(1) }
  const first = freezeTree(a)
  expect(first.chunkBytes).toBe(10 * CHUNK_BYTES)
  a.column[3 * (CHUNK_BYTES / 4)] = 2
  const second = freezeTree(a, first)
  expect(second.chunkBytes).toBe(CHUNK_BYTES)
  expect(releaseFrozen(first)).toBe(first.plainBytes + CHUNK_BYTES)
  expect(thawTree(second)).toEqual(a)
  expect(releaseFrozen(second)).toBe(second.plainBytes + 10 * CHUNK_BYTES)
})

test('a chunk that became zero again is not stored', () => {
  const a = { column: new Int32Array(CHUNK_BYTES) }
  a.column[0] = 1
  const first = freezeTree(a)
  a.column[0] = 0
  const second = freezeTree(a, first)
  expect(second.chunkBytes).toBe(0)
  expect(thawTree(second).column[0]).toBe(0)
})

test('clone, freeze and digest agree on random trees', () => {
  const leaf = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.string(),
    fc.boolean(),
    fc.constant(undefined),
    fc.uint8Array({ maxLength: 9 }),
    fc.float64Array({ maxLength: 4 }),
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('tree')),
      fc.dictionary(fc.string(), tie('tree'), { noNullPrototype: true }),
    ),
  }))
  fc.assert(
    fc.property(tree, (value) => {
      const digest = digestTree(value)
      expect(digestTree(cloneTree(value))).toBe(digest)
      expect(digestTree(thawTree(freezeTree(value)))).toBe(digest)
    }),
    { seed: 7, numRuns: 300 },
  )
})
