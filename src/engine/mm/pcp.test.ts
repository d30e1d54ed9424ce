import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { drawZone, plainMachine, zoneNamed, zoneState } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import type { KernelSeries } from '../config'
import { withContext } from '../context'
import type { KernelState } from '../state'
import { TRACEPOINT_NAMES } from '../trace'
import { checkBuddy } from './buddy_check'
import { MIGRATE_MOVABLE, MIGRATE_UNMOVABLE } from './gfp'
import { PG_ANON, setFlags } from './memmap'
import { ZONE_FLAG_BELOW_HIGH, ZONE_FLAG_RECLAIM_ACTIVE, zoneFreePages, type PerCpuPages, type Zone } from './mmzone'
import {
  decayPcp,
  drainAllPages,
  freeUnrefPage,
  isPcpOrder,
  nrPcpAlloc,
  nrPcpFree,
  nrPcpHigh,
  pcpCount,
  rmqueuePcp,
} from './pcp'

/** A 2 GiB machine without reservations; its DMA32 zone has batch 63. */
function machine(series: KernelSeries = '6.12', cpus = 2): { state: KernelState; zone: Zone; pcp: PerCpuPages } {
  const state = zoneState(plainMachine(2048 * MIB, cpus, series))
  const zone = zoneNamed(state, 0, 1)
  return { state, zone, pcp: zone.pcp[0]! }
}

const take = (state: KernelState, zone: Zone, order = 0, type = MIGRATE_MOVABLE): number => {
  const pfn = rmqueuePcp(state, zone, order, type, 0)
  setFlags(state.memmap, pfn, PG_ANON)
  return pfn
}

describe('allocating through per-CPU lists (01 §1.8)', () => {
  test('the first page of a fresh list brings a batch of 63, lowest frame first', () => {
    const { state, zone, pcp } = machine()
    expect([take(state, zone), take(state, zone), take(state, zone)]).toEqual([4096, 4097, 4098])
    expect(pcp.count).toBe(60)
    expect(drawZone(state, 4096, 64)).toMatchInlineSnapshot(
      `"###p pppp pppp pppp pppp pppp pppp pppp pppp pppp pppp pppp pppp pppp pppp ppp0"`,
    )
  })
  test('the batch doubles with each refill until 32 times', () => {
    const { state, zone, pcp } = machine()
    const refills: number[] = []
    for (let i = 0; i < 4000; i++) {
      const before = pcp.count
      take(state, zone)
      if (before === 0) refills.push(pcp.count + 1)
    }
    expect(refills).toEqual([63, 126, 252, 504, 1008, 2016, 2016])
    expect(pcp.allocFactor).toBe(5)
  })
  test('6.1 always takes 63', () => {
    const { state, zone, pcp } = machine('6.1')
    const refills = new Set<number>()
    for (let i = 0; i < 1000; i++) {
      const before = pcp.count
      take(state, zone)
      if (before === 0) refills.add(pcp.count + 1)
    }
    expect([...refills]).toEqual([63])
  })
  test.each([
    [1, 31],
    [2, 15],
    [3, 7],
    [9, 2],
  ])('order %i is taken %i at a time', (order, blocks) => {
    const { state, zone, pcp } = machine()
    take(state, zone, order)
    expect(pcp.count).toBe((blocks - 1) << order)
  })
  test('orders 4 to 8 and 10 have no list', () => {
    expect([0, 1, 2, 3, 4, 8, 9, 10].filter(isPcpOrder)).toEqual([0, 1, 2, 3, 9])
  })
  test('pages on lists are not free', () => {
    const { state, zone } = machine()
    const before = zoneFreePages(zone)
    take(state, zone)
    expect(zoneFreePages(zone)).toBe(before - 63)
  })
})

describe('tuning of high (6.12)', () => {
  const tuned = (over: Partial<PerCpuPages> = {}): PerCpuPages => ({
    ...machine().pcp,
    highMin: 4000,
    highMax: 50000,
    batch: 63,
    high: 5000,
    ...over,
  })
  test('allocating raises high by the batch while the zone is above its high mark', () => {
    const { zone } = machine()
    const pcp = tuned()
    nrPcpAlloc(zone, pcp, 0)
    expect(pcp.high).toBe(5063)
    nrPcpAlloc({ ...zone, flags: ZONE_FLAG_BELOW_HIGH }, pcp, 0)
    expect(pcp.high).toBe(5063)
  })
  test('reclaim keeps only four batches on a list', () => {
    const { zone } = machine()
    const pcp = tuned({ freeCount: 200 })
    expect(nrPcpHigh({ ...zone, flags: ZONE_FLAG_RECLAIM_ACTIVE }, pcp, 'normal')).toBe(252)
    expect(pcp.high).toBe(4800)
  })
  test('below the high mark every free gives pages back', () => {
    const { zone } = machine()
    const pcp = tuned({ count: 4500, freeCount: 10 })
    expect(nrPcpHigh({ ...zone, flags: ZONE_FLAG_BELOW_HIGH }, pcp, 'normal')).toBe(4500)
    expect(pcp.high).toBe(4937)
  })
  test('frees in bulk are as large as recent frees, at least a batch, at most high less a batch', () => {
    expect(nrPcpFree(tuned({ freeCount: 10 }), 5000, 'normal')).toBe(63)
    expect(nrPcpFree(tuned({ freeCount: 1000 }), 5000, 'normal')).toBe(1000)
    expect(nrPcpFree(tuned({ freeCount: 2016 }), 500, 'normal')).toBe(437)
    expect(nrPcpFree(tuned(), 62, 'normal')).toBe(1)
  })
  test('an idle list shrinks by an eighth each second down to the low-mark share', () => {
    const { state, pcp } = machine()
    pcp.high = pcp.highMin * 2
    const seen: number[] = []
    for (let i = 0; i < 3; i++) {
      decayPcp(state, 0)
      seen.push(pcp.high)
    }
    const start = pcp.highMin * 2
    expect(seen[0]).toBe(start - (start >> 3))
    expect(seen).toEqual([...seen].sort((a, b) => b - a))
    for (let i = 0; i < 20; i++) decayPcp(state, 0)
    expect(pcp.high).toBe(pcp.highMin)
  })
})

describe('freeing', () => {
  test('6.1: a list at its mark gives back a batch, then twice as much each time', () => {
    const { state, zone, pcp } = machine('6.1')
    const pages = Array.from({ length: 30000 }, () => take(state, zone))
    drainAllPages(state)
    const drops: number[] = []
    for (const pfn of pages) {
      const before = pcp.count
      freeUnrefPage(state, pfn, 0)
      if (pcp.count <= before) drops.push(before + 1 - pcp.count)
    }
    expect(drops.slice(0, 6)).toEqual([63, 126, 252, 504, 1008, 2016])
    expect(checkBuddy(state)).toEqual([])
  })
  test('6.12: larger blocks freed in a row leave the list once it holds a batch', () => {
    const { state, zone, pcp } = machine()
    const blocks = Array.from({ length: 40 }, () => take(state, zone, 3))
    drainAllPages(state)
    const counts = blocks.map((pfn) => {
      freeUnrefPage(state, pfn, 3)
      return pcp.count
    })
    // The first 63 pages are not yet a row; then each batch goes as a whole.
    expect(counts.slice(0, 18)).toEqual([8, 16, 24, 32, 40, 48, 56, 64, 0, 8, 16, 24, 32, 40, 48, 56, 0, 8])
    expect(checkBuddy(state)).toEqual([])
  })
  test('draining gives every page back and the zone is whole again', () => {
    const { state, zone } = machine()
    const before = [...zone.nrFree]
    const pages = Array.from({ length: 500 }, (_, i) =>
      take(state, zone, 0, i % 2 === 0 ? MIGRATE_MOVABLE : MIGRATE_UNMOVABLE),
    )
    for (const pfn of pages) freeUnrefPage(state, pfn, 0)
    drainAllPages(state)
    expect(pcpCount(zone)).toBe(0)
    expect([...zone.nrFree]).toEqual(before)
  })
  test('a page cannot be freed twice', () => {
    const { state, zone } = machine()
    const pfn = take(state, zone)
    freeUnrefPage(state, pfn, 0)
    expect(() => freeUnrefPage(state, pfn, 0)).toThrow(`pfn ${pfn} freed, but it is not allocated`)
  })
})

test.each(['6.12', '6.1'] as const)('%s: random use by two CPUs keeps every invariant and loses no page', (series) => {
  const step = fc.record({
    op: fc.constantFrom('alloc', 'alloc', 'free', 'drain', 'decay', 'reclaim'),
    cpu: fc.integer({ min: 0, max: 1 }),
    order: fc.constantFrom(0, 0, 1, 2, 3, 9),
    type: fc.integer({ min: 0, max: 2 }),
    pick: fc.nat(),
    times: fc.integer({ min: 1, max: 80 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { state, zone } = machine(series)
      const total = zoneFreePages(zone)
      const held: { pfn: number; order: number }[] = []
      for (const s of steps) {
        state.exec.cpu = s.cpu
        for (let i = 0; i < s.times; i++) {
          if (s.op === 'alloc') {
            const pfn = rmqueuePcp(state, zone, s.order, s.type, 0)
            if (pfn !== 0) held.push({ pfn, order: s.order })
          } else if (s.op === 'free' && held.length > 0) {
            const [block] = held.splice(s.pick % held.length, 1)
            freeUnrefPage(state, block!.pfn, block!.order)
          }
        }
        if (s.op === 'drain') drainAllPages(state)
        if (s.op === 'decay') decayPcp(state, s.cpu)
        if (s.op === 'reclaim') zone.flags ^= ZONE_FLAG_RECLAIM_ACTIVE
      }
      expect(checkBuddy(state)).toEqual([])
      const heldPages = held.reduce((sum, b) => sum + (1 << b.order), 0)
      expect(zoneFreePages(zone) + pcpCount(zone) + heldPages).toBe(total)
    }),
    { numRuns: 25, seed: 20251123 },
  )
})

test('each page of a refill, and each that goes back, is a tracepoint; listening changes nothing', () => {
  const [heard, unheard] = [machine(), machine()]
  const seen: { name: string; args: readonly number[] }[] = []
  const muted = new Uint8Array(TRACEPOINT_NAMES.length).fill(1)
  for (const name of ['mm_page_alloc_zone_locked', 'mm_page_pcpu_drain'] as const)
    muted[TRACEPOINT_NAMES.indexOf(name)] = 0
  const trace = (t: number, _at: number, _pid: number, _cpu: number, args: readonly number[]): void =>
    void seen.push({ name: TRACEPOINT_NAMES[t]!, args })
  withContext({ stopRequested: false, muted, trace }, {}, () => take(heard.state, heard.zone))
  take(unheard.state, unheard.zone)
  expect(seen).toHaveLength(63)
  expect(seen[62]).toEqual({ name: 'mm_page_alloc_zone_locked', args: [4096 + 62, 0, MIGRATE_MOVABLE, 1] })
  expect(drawZone(heard.state, 4096, 64)).toBe(drawZone(unheard.state, 4096, 64))
  seen.length = 0
  withContext({ stopRequested: false, muted, trace }, {}, () => drainAllPages(heard.state))
  expect(seen.map(({ name }) => name)).toEqual(Array.from({ length: 62 }, () => 'mm_page_pcpu_drain'))
})
