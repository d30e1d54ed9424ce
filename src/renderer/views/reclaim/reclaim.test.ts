import { describe, expect, test } from 'vitest'
import type { BalanceView, GensView, MovesView, PassView } from '../../../protocol/reclaim'
import { anonPart, deactivateText, feedbackLines, formulaLines, questionLines } from './balance'
import { phaseText, verbText, zoneText } from './kswapd'
import { addSample, latelyOf, listRows, type MovesSample } from './lists'
import { kindText, passNotes, priorityText, resultText, shareText, whyText, type Run } from './runs'

const deactivate = { inactive: 300, active: 100, ratio: 1, isLow: false, refaults: 5, refaultsBefore: 5, may: false }

/** Costs of spec 05 E2: anon 1000, file 200, swappiness 60. */
const balance = (over: Partial<BalanceView> = {}): BalanceView => ({
  swappiness: 60,
  anonCost: 1000,
  fileCost: 200,
  anonShare: 98,
  fileShare: 359,
  swapPages: 1000,
  isLimit: false,
  deactivate: [deactivate, deactivate],
  cacheTrim: false,
  inactiveFile: 300,
  tiny: { free: 500, high: 300, file: 400, anon: 100 },
  fileIsTiny: false,
  sizes: [0, 0, 0, 0],
  protection: undefined,
  rows: [],
  ...over,
})

describe('the balance in words', () => {
  test('the formula stands with its numbers (spec 05 E2)', () => {
    expect(formulaLines(balance()).map(({ text, result }) => `${text} = ${result}`)).toEqual([
      'total cost = anon 1000 + file 200 = 1200',
      'A = total + anon cost; F = total + file cost = 2200; 1400',
      'ap = 60 × (3600 + 1) / (2200 + 1) = 98',
      'fp = (200 − 60) × (3600 + 1) / (1400 + 1) = 359',
      'ap + fp = 457',
    ])
    expect(anonPart(balance())).toBeCloseTo(98 / 457)
  })
  test.each([
    [{}, 'FRACT'],
    [{ swapPages: 0, cacheTrim: true }, 'none: FILE'],
    [{ cacheTrim: true }, 'FILE'],
    [{ fileIsTiny: true, cacheTrim: true }, 'ANON'],
    [{ isLimit: true, swappiness: 0, tiny: undefined }, '0: FILE'],
  ] satisfies [Partial<BalanceView>, string][])(
    'the first question that is answered yes decides: %j',
    (over, result) => {
      const lines = questionLines(balance(over)).filter(({ decides }) => decides)
      expect(lines.map((line) => line.result)).toEqual([result])
    },
  )
  test('an active list is left alone while inactive is long enough and nothing refaults', () => {
    expect(deactivateText('file', deactivate)).toBe(
      'active_file is left alone: inactive 300 × 1 ≥ active 100, no new refaults',
    )
    expect(deactivateText('anon', { ...deactivate, isLow: true, inactive: 50 })).toContain(
      'may shrink: inactive 50 × 1 <',
    )
    expect(deactivateText('anon', { ...deactivate, refaults: 9 })).toContain('4 refaults became active')
  })
  test("MGLRU's comparison decides only from 64 refaults on", () => {
    const choice = (refaulted: number): GensView['choice'] => ({
      type: 'file',
      reason: 'feedback',
      swappiness: 60,
      anon: { refaulted: 0, total: 1000, gain: 60 },
      file: { refaulted, total: 1000, gain: 140 },
    })
    expect(feedbackLines(choice(63)).find(({ decides }) => decides)!.result).toBe('yes: file')
    expect(feedbackLines(choice(64)).find(({ decides }) => decides)!.result).toBe('anon')
  })
})

describe('lists', () => {
  const moves = (stolen: number): MovesView => {
    const none = [0, 0] as const
    return {
      scanned: none,
      stolen: [stolen, 0],
      activated: none,
      accessed: none,
      deactivated: none,
      kept: none,
      written: none,
      refaulted: none,
      refaultActivated: none,
      restored: none,
    }
  }
  const sample = (ms: number, stolen: number): MovesSample => ({ atNs: ms * 1e6, moves: moves(stolen) })

  test('lately is the last second: one older sample stays as its beginning', () => {
    let samples: readonly MovesSample[] = []
    for (const [ms, stolen] of [
      [0, 0],
      [500, 10],
      [1200, 30],
      [1600, 100],
    ] as const)
      samples = addSample(samples, sample(ms, stolen))
    expect(samples.map(({ atNs }) => atNs / 1e6)).toEqual([500, 1200, 1600])
    expect(latelyOf(samples)).toMatchObject({ overNs: 1.1e9, moves: { stolen: [90, 0] } })
  })
  test('going back in time begins anew', () => {
    expect(addSample([sample(100, 1), sample(200, 2)], sample(150, 1))).toHaveLength(1)
  })
  test('both types are drawn at one scale', () => {
    const lists = [300, 100, 50, 50, 0].map((tree) => ({ name: '', own: tree, tree }))
    const { rows } = listRows({ lists, moves: moves(0) }, 580)
    expect(rows.map(({ active, inactive }) => [active.width, inactive.width])).toEqual([
      [100, 300],
      [50, 50],
    ])
  })
})

const PASS: PassView = {
  priority: 12,
  atNs: 0,
  groups: 1,
  belowMin: 0,
  belowLow: 0,
  aged: 0,
  free: 100,
  balance: 'FRACT',
  swappiness: 60,
  anonShare: 60,
  fileShare: 140,
  anonCost: 0,
  fileCost: 0,
  flags: 16,
  sizes: [0, 0, 0, 0],
  wanted: [0, 0, 0, 0],
  scanned: [1, 2],
  stolen: [1, 1],
  activated: [0, 0],
  kept: [0, 0],
  written: [0, 0],
  deactivated: [0, 0],
  dirty: 0,
  writeback: 0,
  rotated: 0,
  sorted: 0,
  slab: 0,
}
const run = (over: Partial<Run> = {}): Run => ({
  id: 1,
  kind: 'direct',
  asked: '',
  pid: 7,
  comm: 'hog',
  nid: 0,
  order: 0,
  target: 0,
  targetPath: '',
  wanted: 32,
  startNs: 0,
  endNs: 2e6,
  freeBefore: 100,
  freeAfter: 140,
  nrScanned: 3,
  nrReclaimed: 40,
  priority: 12,
  usage: -1,
  high: -1,
  max: -1,
  passes: [PASS],
  ...over,
})

describe('runs', () => {
  test('each kind says why it began', () => {
    expect(whyText(run())).toBe(
      'an allocation of order 0 found no zone above min; node 0 had 100 pages free, 32 pages wanted',
    )
    const group = { kind: 'memcg', target: 5, targetPath: '/a' } as const
    expect(whyText(run({ ...group, usage: 100, high: 1000, max: 100 }))).toContain(
      'would lift /a over memory.max: 100 of 100',
    )
    expect(whyText(run({ ...group, usage: 100, high: 90, max: 1000 }))).toContain('/a is above memory.high: 100 of 90')
    expect(whyText(run({ ...group, usage: 200, high: 1000, max: 100 }))).toContain('set below its usage')
    expect(whyText(run({ ...group, asked: 'memory.reclaim' }))).toContain('memory.reclaim of /a')
    expect(kindText(run({ kind: 'kswapd' }))).toBe('background')
  })
  test('what came of it', () => {
    expect(resultText(run())).toBe('took 2.00 ms: 40 pages freed, free pages 100 → 140')
    expect(resultText(run({ endNs: -1, freeAfter: -1 }))).toBe('still at it: 40 pages freed')
    expect(priorityText(run({ passes: [PASS, { ...PASS, priority: 9 }] }))).toBe('12–9')
  })
  test('how a pass shared its pressure', () => {
    expect(shareText(PASS, false)).toBe('anon 60 : file 140')
    expect(shareText({ ...PASS, balance: 'FILE', flags: 20 }, false)).toBe('FILE: cache_trim_mode')
    expect(shareText({ ...PASS, balance: 'FILE', flags: 0 }, false)).toBe('FILE: may not swap')
    expect(shareText({ ...PASS, balance: 'ANON', flags: 24 }, false)).toBe('ANON: file_is_tiny')
    expect(passNotes({ ...PASS, belowMin: 2, dirty: 3 })).toBe('3 dirty, 2 groups spared by memory.min')
  })
})

describe('kswapd in words', () => {
  const zones = [
    { zone: 0, free: 10, min: 5, low: 8, high: 12, boost: 0, reserve: 0 },
    { zone: 1, free: 1250, min: 1000, low: 1250, high: 1500, boost: 0, reserve: 0 },
  ]
  const decision = { atNs: 0, pid: 7, comm: 'hog', order: 0, highestZoneidx: 1, failures: 0, zones }
  const names = (zone: number): string => ['DMA', 'DMA32'][zone]!

  test('one zone above the mark is enough; when there is none, the highest tells', () => {
    expect(zoneText({ ...decision, verb: 'wakeup', zones: [zones[1]!] }, names)).toBe('DMA32 free 1250 ≤ low 1250')
    expect(zoneText({ ...decision, verb: 'begin' }, names)).toBe('DMA32 free 1250 ≤ high 1500')
    expect(zoneText({ ...decision, verb: 'nap', zones: [{ ...zones[0]!, free: 13 }, zones[1]!] }, names)).toBe(
      'DMA free 13 > high 12',
    )
    // A low zone keeps its reserve from requests for a higher one.
    expect(
      zoneText({ ...decision, verb: 'nap', zones: [{ ...zones[0]!, free: 13, reserve: 500 }, zones[1]!] }, names),
    ).toBe('DMA32 free 1250 ≤ high 1500')
  })
  test('who woke it, and when it has given up', () => {
    expect(verbText({ ...decision, verb: 'wakeup', order: 3 })).toBe('woken by hog 7 for order 3')
    const now = {
      pid: 3,
      phase: 'asleep',
      failures: 16,
      priority: 12,
      order: 0,
      wanted: 0,
      reclaimed: 0,
      cpuNs: 0,
    } as const
    expect(phaseText(now)).toContain('given up')
    expect(phaseText({ ...now, failures: 0 })).toContain('asleep')
  })
})
