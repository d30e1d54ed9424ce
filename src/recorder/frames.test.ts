import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commitSample, createFrameStore, cutFrames, seriesHandle, seriesWindow, setValue } from './frames'

const level = (name: string) => ({ name, unit: 'pages', shape: 'level' }) as const
const MS = 1_000_000

function filled(nr: number, value: (i: number) => number, budget = 1 << 26) {
  const store = createFrameStore(budget)
  const a = seriesHandle(store, level('a'))
  for (let i = 0; i < nr; i++) {
    setValue(store, a, value(i))
    commitSample(store, (i + 1) * 10 * MS)
  }
  return store
}

const arrays = (w: ReturnType<typeof seriesWindow>, i = 0) => ({
  min: [...w.series[i]!.min],
  max: [...w.series[i]!.max],
  last: [...w.series[i]!.last],
})

test('a bucket shows the least, the greatest and the last value in it', () => {
  const store = filled(6, (i) => [5, 1, 7, 2, 2, 9][i]!)
  const w = seriesWindow(store, ['a'], { fromNs: 10 * MS, toNs: 70 * MS, buckets: 2 })
  expect(arrays(w)).toEqual({ min: [1, 2], max: [7, 9], last: [7, 9] })
  expect([...w.times]).toEqual([10 * MS, 40 * MS])
})

test('a bucket without a sample holds the value before it; before the first and after the last there is none', () => {
  const store = filled(2, (i) => i + 1)
  const w = seriesWindow(store, ['a'], { fromNs: 0, toNs: 35 * MS, buckets: 7 })
  expect(arrays(w).last).toEqual([NaN, NaN, 1, 1, 2, NaN, NaN])
})

test('an unknown name gives a column of NaN', () => {
  const w = seriesWindow(
    filled(3, () => 1),
    ['b'],
    { fromNs: 0, toNs: 40 * MS, buckets: 4 },
  )
  expect(arrays(w).max.every(Number.isNaN)).toBe(true)
})

test('a series that comes late is absent before and correct after', () => {
  const store = filled(100, () => 1)
  const b = seriesHandle(store, level('b'))
  for (let i = 100; i < 200; i++) {
    setValue(store, 0, 1)
    if (i < 150 || i > 180) setValue(store, b, i)
    commitSample(store, (i + 1) * 10 * MS)
  }
  const w = seriesWindow(store, ['b'], { fromNs: 10 * MS, toNs: 2010 * MS, buckets: 10 })
  expect(arrays(w).min).toEqual([NaN, NaN, NaN, NaN, NaN, 100, 120, 140, NaN, 181])
  expect(arrays(w).max).toEqual([NaN, NaN, NaN, NaN, NaN, 119, 139, 149, NaN, 199])
})

test('coarse buckets of a long record agree with a plain scan', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer(),
      (nr, buckets, salt) => {
        const value = (i: number) => Math.imul(i + salt, 0x9e3779b1) >>> 12
        const store = filled(nr, value)
        const from = 10 * MS
        const to = (nr + 1) * 10 * MS
        const w = seriesWindow(store, ['a'], { fromNs: from, toNs: to, buckets })
        const all = Array.from({ length: nr }, (_, i) => value(i))
        const got = arrays(w)
        expect(Math.min(...got.min.filter((x) => !Number.isNaN(x)))).toBe(Math.min(...all))
        expect(Math.max(...got.max.filter((x) => !Number.isNaN(x)))).toBe(Math.max(...all))
        expect(got.last.filter((x) => !Number.isNaN(x)).at(-1)).toBe(all.at(-1))
        for (const x of got.last) if (!Number.isNaN(x)) expect(all).toContain(x)
      },
    ),
    { seed: 3, numRuns: 60 },
  )
})

test('the budget is kept, and a thinned range still shows its extremes', () => {
  const budget = 400_000
  const store = filled(60_000, (i) => (i === 1234 ? 1e6 : i === 4321 ? -5 : i % 100), budget)
  expect(store.bytes).toBeLessThan(budget * 1.1)
  const w = seriesWindow(store, ['a'], { fromNs: 0, toNs: 600_000 * MS + 1, buckets: 100 })
  expect(Math.max(...arrays(w).max.filter((x) => !Number.isNaN(x)))).toBe(1e6)
  expect(Math.min(...arrays(w).min.filter((x) => !Number.isNaN(x)))).toBe(-5)
  const recent = seriesWindow(store, ['a'], { fromNs: 599_990 * MS, toNs: 600_000 * MS + 10, buckets: 1 })
  expect(arrays(recent).last).toEqual([99])
})

test('counters that stand still cost next to nothing', () => {
  expect(filled(50_000, () => 7).bytes).toBeLessThan(500_000)
})

test('cutting forgets what came later, and the record goes on as if it had never been', () => {
  for (const cut of [1, 7, 8, 63, 64, 65, 500, 511, 512, 513, 999]) {
    const once = filled(1000, (i) => (i * 37) % 101)
    cutFrames(once, cut * 10 * MS)
    const direct = filled(cut, (i) => (i * 37) % 101)
    for (let i = cut; i < 700 + cut; i++) {
      for (const store of [once, direct]) {
        setValue(store, 0, (i * 53) % 97)
        commitSample(store, (i + 1) * 10 * MS)
      }
    }
    for (const buckets of [1, 3, 40]) {
      const range = { fromNs: 0, toNs: 20_000 * MS, buckets }
      expect(arrays(seriesWindow(once, ['a'], range))).toEqual(arrays(seriesWindow(direct, ['a'], range)))
    }
    expect(once.lastNs).toBe(direct.lastNs)
  }
})

test('cutting before the first sample empties the record', () => {
  const store = filled(10, (i) => i)
  cutFrames(store, 5)
  expect(store.nrSamples).toBe(0)
  setValue(store, 0, 4)
  commitSample(store, 10 * MS)
  expect(arrays(seriesWindow(store, ['a'], { fromNs: 0, toNs: 20 * MS, buckets: 2 })).last).toEqual([NaN, 4])
})

test('many samples of many series are cheap to take', () => {
  const store = createFrameStore(1 << 26)
  const handles = Array.from({ length: 300 }, (_, i) => seriesHandle(store, level(`s${i}`)))
  for (let i = 0; i < 2000; i++) {
    for (const h of handles) setValue(store, h, h < 50 ? i * h : 0)
    commitSample(store, i)
  }
  expect(store.nrSamples).toBe(2000)
})
