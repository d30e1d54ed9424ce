import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createPageCounter,
  pageCounterCharge,
  pageCounterSetLow,
  pageCounterSetMin,
  pageCounterTryCharge,
  pageCounterUncharge,
  type CounterNode,
} from './page_counter'

/** Parents by id: 1 is the root, 2 and 3 are its children, 4 and 5 the children of 2. */
const PARENTS = [0, 0, 1, 1, 2, 2]
const tree = (): (CounterNode | undefined)[] =>
  PARENTS.map((parent, id) =>
    id === 0 ? undefined : { parent, memory: createPageCounter(), swap: createPageCounter() },
  )

const step = fc.record({
  kind: fc.constantFrom('charge', 'try', 'uncharge', 'max', 'min', 'low'),
  id: fc.integer({ min: 1, max: 5 }),
  nr: fc.integer({ min: 1, max: 100 }),
})

test('usage, peak and protected sums are those of the subtree after any operations', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const t = tree()
      const own = [0, 0, 0, 0, 0, 0]
      for (const { kind, id, nr } of steps) {
        if (kind === 'charge') pageCounterCharge(t, id, 'memory', nr)
        if (kind === 'charge') own[id]! += nr
        if (kind === 'try' && pageCounterTryCharge(t, id, 'memory', nr) === 0) own[id]! += nr
        if (kind === 'uncharge' && own[id]! >= nr) {
          pageCounterUncharge(t, id, 'memory', nr)
          own[id]! -= nr
        }
        if (kind === 'max') t[id]!.memory.max = nr * 3
        if (kind === 'min') pageCounterSetMin(t, id, nr)
        if (kind === 'low') pageCounterSetLow(t, id, nr)
      }
      for (let id = 5; id >= 1; id--) {
        const children = PARENTS.flatMap((parent, child) => (parent === id ? t[child]!.memory : []))
        const c = t[id]!.memory
        expect(c.usage).toBe(own[id]! + children.reduce((sum, child) => sum + child.usage, 0))
        expect(c.childrenMinUsage).toBe(children.reduce((sum, child) => sum + Math.min(child.usage, child.min), 0))
        expect(c.childrenLowUsage).toBe(children.reduce((sum, child) => sum + Math.min(child.usage, child.low), 0))
        expect(c.watermark).toBeGreaterThanOrEqual(c.usage)
      }
    }),
    { seed: 7, numRuns: 300 },
  )
})

test('a refused charge changes nothing but the failcnt of the group whose limit is in the way', () => {
  const t = tree()
  t[2]!.memory.max = 10
  pageCounterCharge(t, 5, 'memory', 8)
  expect(pageCounterTryCharge(t, 4, 'memory', 3)).toBe(2)
  expect([1, 2, 4, 5].map((id) => t[id]!.memory.usage)).toEqual([8, 8, 0, 8])
  expect([1, 2, 4, 5].map((id) => t[id]!.memory.failcnt)).toEqual([0, 1, 0, 0])
})

test('taking away more than there is stops the machine', () => {
  expect(() => pageCounterUncharge(tree(), 4, 'swap', 1)).toThrow('group 4')
})
