import { describe, expect, test } from 'vitest'
import { THRESHOLDS, efficiencyOf, evidence, limitScans, verdicts, type Readings } from './diagnosis'
import { readingsOf, seriesNames } from './readings'
import type { ReclaimReply } from '../../../protocol/reclaim'

const QUIET: Readings = {
  seconds: 5,
  kswapdPercent: 0,
  failures: 0,
  scanKswapd: 0,
  scanDirect: 0,
  stealKswapd: 0,
  stealDirect: 0,
  scanAnon: 0,
  scanFile: 0,
  stealAnon: 0,
  stealFile: 0,
  refaultAnon: 0,
  refaultFile: 0,
  allocstall: 0,
  pswpin: 0,
  pswpout: 0,
  free: 5000,
  min: 1000,
  low: 1250,
  high: 1500,
  anon: 1000,
  file: 9000,
  swapTotal: 10_000,
  swapFree: 10_000,
  psiSome: 0,
  psiFull: 0,
}
/** kswapd freed 9000 of 10000 scanned pages of page cache. */
const STREAM: Readings = {
  ...QUIET,
  kswapdPercent: 12,
  scanKswapd: 10_000,
  stealKswapd: 9000,
  scanFile: 10_000,
  stealFile: 9000,
}
const ids = (r: Partial<Readings>, base = STREAM): string[] => verdicts({ ...base, ...r }).map(({ id }) => id)

describe('the verdict follows from the counters', () => {
  test.each([
    ['nothing scanned', QUIET, ['idle']],
    ['page cache freed at once', STREAM, ['streaming']],
    ['mostly anonymous', { ...STREAM, scanAnon: 9000, scanFile: 1000, stealAnon: 8000, stealFile: 1000 }, ['swapping']],
    ['sixteen failures', { ...QUIET, failures: 16 }, ['hopeless']],
  ] satisfies [string, Readings, string[]][])('%s', (_, readings, expected) => {
    expect(verdicts(readings).map(({ id }) => id)).toEqual(expected)
  })
  test('each threshold holds from its value on, and not below', () => {
    expect(ids({ refaultFile: 1799 })).toEqual(['streaming'])
    expect(ids({ refaultFile: 1800 })).toEqual(['thrashing'])
    expect(ids({ scanKswapd: 9001, scanDirect: 999 })).toEqual(['streaming'])
    expect(ids({ scanKswapd: 9000, scanDirect: 1000 })).toEqual(['behind'])
    expect(ids({ stealKswapd: 3000 })).toEqual(['streaming'])
    expect(ids({ stealKswapd: 2999 })).toEqual(['in-vain'])
    expect(ids({ scanFile: 20_000 })).toEqual(['streaming'])
    expect(ids({ scanFile: 20_001 })).toEqual(['limits'])
    expect(ids({ swapTotal: 0, anon: 20, file: 10 })).toEqual(['streaming'])
    expect(ids({ swapTotal: 0, anon: 21, file: 10 })).toEqual(['no-swap'])
    expect(THRESHOLDS).toMatchObject({ refaults: 20, directShare: 10, efficiencyPoor: 30 })
  })
  test('a handful of refaults is no thrashing, whatever its share', () => {
    expect(ids({ stealFile: 100, refaultFile: 63 })).toEqual(['streaming'])
  })
  test('several grave findings stand together, the gravest first', () => {
    expect(ids({ refaultFile: 5000, scanDirect: 5000, stealKswapd: 100 })).toEqual(['thrashing', 'behind', 'in-vain'])
  })
})

test('every row names its threshold and a command', () => {
  const rows = evidence(STREAM, 0)
  expect(rows.every(({ command, rule }) => command !== '' && rule !== '')).toBe(true)
  expect(rows.find(({ id }) => id === 'efficiency')).toMatchObject({
    tone: 'ok',
    reading: '9000 of 10\u202f000, 90.0 %',
  })
  expect(efficiencyOf(STREAM)).toBe(90)
  expect(limitScans({ ...STREAM, scanAnon: 500 })).toBe(500)
})

test('readings are differences over the window, and levels at its end', () => {
  const names = seriesNames(0)
  const rising = {
    min: new Float64Array([NaN, 100, 200]),
    max: new Float64Array(3),
    last: new Float64Array([NaN, 150, 400]),
  }
  const window = {
    fromNs: 0,
    toNs: 2e9,
    times: new Float64Array(3),
    series: names.map((name) => ({ name, ...rising })),
  }
  const zone = { name: 'DMA32', zone: 1, free: 10, min: 1, low: 2, high: 3, boost: 0 }
  const reply = { nid: 0, kswapd: { failures: 2 }, zones: [zone, zone] } as unknown as ReclaimReply
  expect(readingsOf(window, reply)).toMatchObject({
    seconds: 2,
    failures: 2,
    scanKswapd: 300,
    allocstall: 1500,
    swapFree: 400,
    anon: 800,
    free: 20,
    high: 6,
  })
})
