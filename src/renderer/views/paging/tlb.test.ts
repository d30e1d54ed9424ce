import { describe, expect, test } from 'vitest'
import type { TlbCounts, TlbReply, TlbView, TranslationView } from '../../../protocol/paging'
import { reachBars, reachText, residentOf } from './reach'
import { between, countRows, levelFacts, percent, sharesOf, standingText, summaryText } from './tlb'
import { keep } from './use-recent-counts'

const look = (level: 1 | 2, isHit: boolean) =>
  ({ name: level === 1 ? 'L1 DTLB' : 'L2 TLB', level, entries: 64, ways: 4, sets: 16, set: 3, isHit, age: -1 }) as const
const level = (at: number, cache: string, isCached: boolean, isRead: boolean, ns = 0) =>
  ({ level: at, cache, isCached, isRead, ns }) as const

const MISS: TranslationView = {
  cpu: 1,
  standing: 'in use',
  asid: 2,
  found: 'walk',
  pageBytes: 4096,
  looks: [look(1, false), look(2, false)],
  levels: [
    level(4, 'PML4E', true, false),
    level(3, 'PDPTE', true, false),
    level(2, 'PDE', false, true),
    level(1, '', false, true, 100),
  ],
  startLevel: 2,
  reads: 2,
  ns: 100,
}
const HIT: TranslationView = {
  ...MISS,
  found: 'L2',
  looks: [look(1, false), look(2, true)],
  levels: MISS.levels.map((each) => ({ ...each, isRead: false, ns: 0 })),
  reads: 0,
  ns: 2,
}

describe('a walk with its caches', () => {
  test('levels above the start are skipped; the cost stands at the entry that is waited for', () => {
    expect(levelFacts(MISS, 3)).toMatchObject({ cache: 'PDPTE hit', walk: 'skipped', isRead: false })
    expect(levelFacts(MISS, 2)).toMatchObject({ cache: 'PDE miss', walk: 'starts here', isStart: true })
    expect(levelFacts(MISS, 1)).toMatchObject({ cache: 'TLB miss', walk: 'read, 100 ns', isStart: false })
    expect(levelFacts(MISS, 5)).toBeUndefined()
    expect(summaryText(MISS)).toBe('CPU 1: TLB miss, PDPTE hit, 2 loads, 100 ns')
  })
  test('a hit reads nothing; a fault is no miss of the TLB but of the tables', () => {
    expect(levelFacts(HIT, 1)).toMatchObject({ cache: 'L2 TLB hit', isHit: true, isRead: false })
    expect(summaryText(HIT)).toBe('CPU 1: L2 TLB hit, no load, 2 ns')
    const fault = { ...MISS, found: 'fault', looks: [], pageBytes: 0, ns: 0, reads: 1 } as const
    expect(summaryText(fault)).toBe('CPU 1: PDPTE hit, 1 load, then the fault')
    expect(levelFacts(fault, 1)?.cache).toBe('never cached: P is 0')
  })
  test('how the CPU stands to the process, with the number that it has there', () => {
    const view = { standing: 'kept', asid: 2, pcid: true } as TlbView
    expect(standingText('stress', view)).toContain('kept under its number (ASID 2, PCID 3).')
    expect(standingText('stress', { ...view, standing: 'unknown', asid: -1 })).not.toContain('ASID')
  })
})

const counts = (more: Partial<TlbCounts>): TlbCounts => ({
  loads: 0,
  stores: 0,
  fetches: 0,
  l2Hits: 0,
  l2FetchHits: 0,
  walksLoad: 0,
  walksStore: 0,
  walksFetch: 0,
  walksFault: 0,
  walksCold: 0,
  walkReads: 0,
  walkNs: 0,
  flushesFull: 0,
  flushesPage: 0,
  ipisSent: 0,
  ipisReceived: 0,
  switchesKept: 0,
  switchesFlushed: 0,
  ...more,
})

describe('counts as figures', () => {
  test('an access that faults walks twice and is one miss', () => {
    // 100 loads: 70 hits of the first level, 10 of the second, 15 walks, 5 faults with two walks each.
    const shares = sharesOf(counts({ loads: 100, l2Hits: 10, walksLoad: 25, walksFault: 5 }))
    expect(shares).toEqual({ accesses: 100, l1: 0.7, l2: 0.1, walk: 0.15, fault: 0.05 })
    expect(sharesOf(counts({}))).toBeUndefined()
  })
  test('nothing that is there is rounded to none, nor to all', () => {
    expect(percent(0)).toBe('0.00 %')
    expect(percent(0.00001)).toBe('< 0.01 %')
    expect(percent(0.999999)).toBe('> 99.99 %')
    expect(percent(0.5)).toBe('50.0 %')
  })
  test('the last second is what came since an answer that is that old', () => {
    const at = (atNs: number): TlbReply => ({ atNs, tlb: {} as TlbView })
    const kept = [0.2, 0.6, 1.1, 1.5].reduce<readonly TlbReply[]>((all, s) => keep(all, at(s * 1e9)), [])
    expect(kept.map(({ atNs }) => atNs / 1e9)).toEqual([0.2, 0.6, 1.1, 1.5])
    expect(keep(kept, at(1.7e9))[0]!.atNs).toBe(0.6e9)
    // Gone back in time: what came later never happened.
    expect(keep(kept, at(0.7e9)).map(({ atNs }) => atNs / 1e9)).toEqual([0.2, 0.6, 0.7])
    expect(between(counts({ loads: 9 }), counts({ loads: 4 })).loads).toBe(5)
    const rows = countRows(counts({ ipisReceived: 3 }), counts({ ipisReceived: 8 }))
    expect(rows.find(({ title }) => title === 'IPIs received')).toMatchObject({ recent: '3', total: '8' })
  })
})

describe('reach beside memory', () => {
  const REACH = [
    { page: '4K', pageBytes: 4096, entries: 1536, bytes: 6 * 2 ** 20 },
    { page: '2M', pageBytes: 2 ** 21, entries: 1536, bytes: 3 * 2 ** 30 },
  ] as const
  test('bars share one scale; what goes beyond it is cut and says so', () => {
    const { bars, bytesPerPx } = reachBars(REACH, { smallBytes: 60 * 2 ** 20, hugeBytes: 4 * 2 ** 20 }, 640)
    const [memory, small, huge] = bars
    expect(memory!.parts.map(({ mark }) => mark)).toEqual(['anon', 'huge'])
    expect(memory!.parts[0]!.width * bytesPerPx).toBeCloseTo(60 * 2 ** 20, 3)
    expect(small!.parts[0]!.width * bytesPerPx).toBeCloseTo(6 * 2 ** 20, 3)
    expect(huge).toMatchObject({ isCut: true, text: '3 GiB', parts: [{ width: 640 }] })
    expect(small!.isCut).toBe(false)
  })
  test('the sentence counts entries', () => {
    const vmas = [{ residentPages: 15360 + 1024, hugePages: 1024 }] as never
    const resident = residentOf({ vmas })
    expect(resident).toEqual({ smallBytes: 60 * 2 ** 20, hugeBytes: 4 * 2 ** 20 })
    expect(reachText(REACH, { smallBytes: 60 * 2 ** 20, hugeBytes: 0 })).toContain('10.0 % hit')
    expect(reachText(REACH, { smallBytes: 4096, hugeBytes: 2 ** 22 })).toContain('all fit into 1536')
  })
})
