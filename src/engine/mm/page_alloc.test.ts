import { describe, expect, test } from 'vitest'
import { machineConfig, plainMachine, zoneNamed, zoneState } from '../../../test/zone-state'
import { digestTree } from '../../util/hash'
import { GIB, MIB, NS_PER_JIFFY, NS_PER_S } from '../../util/units'
import type { KernelState } from '../state'
import { freeOnePage, rmqueueSmallest } from './buddy'
import { checkBuddy } from './buddy_check'
import {
  GFP_BIT_COMP,
  GFP_BIT_DMA,
  GFP_BIT_DMA32,
  GFP_BIT_HIGH,
  GFP_BIT_HIGHMEM,
  GFP_BIT_MOVABLE,
  GFP_BIT_NOWARN,
  GFP_BIT_THISNODE,
  MIGRATE_MOVABLE,
} from './gfp'
import { PG_KERNEL, pageOrder, pageZoneIndex, setFlags } from './memmap'
import { wmark, WMARK_LOW, WMARK_MIN, ZONE_FLAG_BELOW_HIGH, zoneFreePages } from './mmzone'
import { allocPages, allocSinglePages, freePages } from './page_alloc'
import { gfpToAllocFlags } from './page_alloc_slowpath'
import { drainAllPages, pcpCount } from './pcp'
import {
  NUMA_FOREIGN,
  NUMA_HIT,
  NUMA_LOCAL,
  NUMA_MISS,
  NUMA_OTHER,
  PGALLOC_DMA,
  PGFREE,
  readStat,
  vmEvent,
} from './vmstat'

/** A user page that neither wakes kswapd nor reclaims: it shows the marks alone. */
const USER_NOWAKE = GFP_BIT_HIGHMEM | GFP_BIT_MOVABLE | GFP_BIT_NOWARN
const KERNEL_NOWAKE = GFP_BIT_NOWARN

function take(state: KernelState, gfp: number, order = 0, nid?: number): number {
  const pfn = allocPages(state, gfp, order, nid)
  if (pfn !== 0) setFlags(state.memmap, pfn, PG_KERNEL)
  return pfn
}

/** Allocates until it fails; how many pages each zone gave, by zone index. */
function exhaust(state: KernelState, gfp: number, order = 0): number[] {
  const given = state.zones.map(() => 0)
  for (;;) {
    const pfn = take(state, gfp, order)
    if (pfn === 0) return given
    given[pageZoneIndex(state.memmap, pfn)]! += 1 << order
  }
}

/** DMA, 112 MiB of DMA32 and 128 MiB of Normal. */
const threeZones = (): KernelState =>
  zoneState(
    machineConfig({
      nodes: [
        {
          nid: 0,
          ranges: [
            { start: 0, end: 128 * MIB },
            { start: 4 * GIB, end: 4 * GIB + 128 * MIB },
          ],
          cpus: [0, 1],
        },
      ],
      reservations: [
        { nid: 0, zone: 'DMA', managed: 3840, returnedLate: 0 },
        { nid: 0, zone: 'DMA32', managed: 28000, returnedLate: 0 },
        { nid: 0, zone: 'Normal', managed: 32000, returnedLate: 0 },
      ],
    }),
  )

const twoNodes = (): KernelState =>
  zoneState(
    machineConfig({
      nodes: [
        { nid: 0, ranges: [{ start: 0, end: 128 * MIB }], cpus: [0] },
        { nid: 1, ranges: [{ start: 128 * MIB, end: 256 * MIB }], cpus: [1] },
      ],
    }),
  )

describe('which zone gives (02 §2.5, §2.6)', () => {
  test('Normal first, then DMA32, DMA last; each stops at its min mark plus the reserve for the higher zones', () => {
    const state = threeZones()
    const given = exhaust(state, USER_NOWAKE)
    for (const zone of state.zones.filter((z) => z.present > 0)) {
      const stop = wmark(zone, WMARK_MIN) + zone.lowmemReserve[3]!
      expect(given[zone.index]).toBeGreaterThan(0)
      // The mark is looked at before a per-CPU list is refilled, so that one refill may go below it.
      expect(zoneFreePages(zone)).toBeLessThanOrEqual(stop)
      expect(zoneFreePages(zone)).toBeGreaterThan(stop - (zone.pcp[0]!.batch << 5))
    }
    expect(checkBuddy(state)).toEqual([])
  })
  test('single pages that do not come from lists stop exactly at the mark', () => {
    const state = zoneState(plainMachine(512 * MIB))
    const zone = zoneNamed(state, 0, 1)
    exhaust(state, USER_NOWAKE | GFP_BIT_DMA32, 4)
    const free = zoneFreePages(zone)
    // Order 4 asks that 15 further pages stay above the mark.
    expect(free - 15).toBeLessThanOrEqual(wmark(zone, WMARK_MIN))
    expect(free - 15 + 16).toBeGreaterThan(wmark(zone, WMARK_MIN))
  })
  test('a GFP_DMA request never leaves DMA, a GFP_DMA32 request never uses Normal', () => {
    const dma = threeZones()
    expect(
      exhaust(dma, KERNEL_NOWAKE | GFP_BIT_DMA)
        .map((n, i) => (n > 0 ? i : -1))
        .filter((i) => i >= 0),
    ).toEqual([0])
    const dma32 = threeZones()
    expect(exhaust(dma32, KERNEL_NOWAKE | GFP_BIT_DMA32)[2]).toBe(0)
  })
  test('__GFP_HIGH may use half of the reserve, and without direct reclaim five eighths', () => {
    expect(gfpToAllocFlags(GFP_BIT_HIGH, 0)).toBe(gfpToAllocFlags(GFP_BIT_HIGH | 0, 0))
    const state = zoneState(plainMachine(512 * MIB))
    const zone = zoneNamed(state, 0, 1)
    exhaust(state, KERNEL_NOWAKE | GFP_BIT_DMA32 | GFP_BIT_HIGH, 4)
    const min = wmark(zone, WMARK_MIN)
    const limit = min - Math.floor(min / 2) - Math.floor((min - Math.floor(min / 2)) / 4)
    expect(zoneFreePages(zone) - 15).toBeLessThanOrEqual(limit)
    expect(zoneFreePages(zone) - 15 + 16).toBeGreaterThan(limit)
  })
  test('the zone remembers that it fell below its high mark until a free finds it above again', () => {
    const state = zoneState(plainMachine(256 * MIB))
    const zone = zoneNamed(state, 0, 1)
    const pages: number[] = []
    while ((zone.flags & ZONE_FLAG_BELOW_HIGH) === 0 && pages[pages.length - 1] !== 0)
      pages.push(take(state, USER_NOWAKE))
    expect(pages).not.toContain(0)
    for (const pfn of pages) freePages(state, pfn, 0)
    drainAllPages(state)
    expect(zone.flags & ZONE_FLAG_BELOW_HIGH).toBe(0)
  })
  test('an unmovable request takes DMA32 rather than a movable pageblock of Normal', () => {
    const state = threeZones()
    // Normal has only fragments of movable pageblocks left: no order-9 block may be converted.
    const normal = zoneNamed(state, 0, 2)
    const blocks: number[] = []
    for (let pfn = -1; pfn !== 0;) {
      pfn = rmqueueSmallest(state, normal, 8, MIGRATE_MOVABLE)
      if (pfn !== 0) blocks.push(pfn)
    }
    for (const pfn of blocks) if (pfn % 512 === 0) freeOnePage(state, normal, pfn, 8, MIGRATE_MOVABLE)
    expect(zoneFreePages(normal)).toBeGreaterThan(wmark(normal, WMARK_LOW))
    expect(pageZoneIndex(state.memmap, take(state, KERNEL_NOWAKE))).toBe(1)
    expect(pageZoneIndex(state.memmap, take(state, USER_NOWAKE))).toBe(2)
  })
})

describe('counters (02 §2.2)', () => {
  test('pgalloc counts pages of the zone, numa counters count calls', () => {
    const state = threeZones()
    const freed = vmEvent(state.vmstat, PGFREE)
    const pfn = take(state, USER_NOWAKE, 3)
    expect(vmEvent(state.vmstat, PGALLOC_DMA + 2)).toBe(8)
    expect(readStat(zoneNamed(state, 0, 2).numaStat, NUMA_HIT)).toBe(1)
    expect(readStat(zoneNamed(state, 0, 2).numaStat, NUMA_LOCAL)).toBe(1)
    freePages(state, pfn, 3)
    expect(vmEvent(state.vmstat, PGFREE) - freed).toBe(8)
  })
  test('refilling a per-CPU list is not an allocation', () => {
    const state = threeZones()
    take(state, USER_NOWAKE)
    expect(vmEvent(state.vmstat, PGALLOC_DMA + 2)).toBe(1)
    expect(pcpCount(zoneNamed(state, 0, 2))).toBeGreaterThan(0)
  })
  test('a page of another node is a miss there and foreign here; asked for from afar it is other', () => {
    const state = twoNodes()
    exhaust(state, USER_NOWAKE | GFP_BIT_THISNODE)
    const home = zoneNamed(state, 0, 1)
    const away = zoneNamed(state, 1, 1)
    const before = readStat(home.numaStat, NUMA_FOREIGN)
    expect(pageZoneIndex(state.memmap, take(state, USER_NOWAKE))).toBe(away.index)
    expect(readStat(away.numaStat, NUMA_MISS)).toBe(1)
    expect(readStat(away.numaStat, NUMA_OTHER)).toBe(1)
    expect(readStat(home.numaStat, NUMA_FOREIGN) - before).toBe(1)
    take(state, USER_NOWAKE, 0, 1)
    expect(readStat(away.numaStat, NUMA_HIT)).toBe(1)
    expect(readStat(away.numaStat, NUMA_OTHER)).toBe(2)
  })
  test('__GFP_THISNODE never leaves its node', () => {
    const state = twoNodes()
    const given = exhaust(state, USER_NOWAKE | GFP_BIT_THISNODE)
    expect(given.slice(5)).toEqual([0, 0, 0, 0, 0])
  })
})

describe('a request that fails', () => {
  test('orders above 10 are refused', () => {
    expect(allocPages(threeZones(), USER_NOWAKE, 11)).toBe(0)
  })
  test('is reported with the Mem-Info block, once in ten seconds, unless it said NOWARN', () => {
    const state = zoneState(plainMachine(64 * MIB))
    exhaust(state, KERNEL_NOWAKE)
    expect(state.klog).toEqual([])
    const reports = (): number => state.klog.filter((line) => line.text.includes('page allocation failure')).length
    allocPages(state, GFP_BIT_COMP, 4)
    expect(state.klog[0]!.text).toBe(
      'swapper/0: page allocation failure: order:4, mode:0x40000(__GFP_COMP), nodemask=(null),cpuset=/,mems_allowed=0',
    )
    expect(state.klog.some((line) => line.text === 'Mem-Info:')).toBe(true)
    allocPages(state, GFP_BIT_COMP, 4)
    expect(reports()).toBe(1)
    // Strictly later than ten seconds, in jiffies: ___ratelimit() asks time_is_before_jiffies().
    state.nowNs += 10 * NS_PER_S + NS_PER_JIFFY
    allocPages(state, GFP_BIT_COMP, 4)
    expect(reports()).toBe(2)
    expect(state.klog.some((line) => line.text === 'warn_alloc: 1 callbacks suppressed')).toBe(true)
  })
  test('leaves no trace in the zones', () => {
    const state = zoneState(plainMachine(64 * MIB))
    exhaust(state, KERNEL_NOWAKE)
    const before = JSON.stringify(state.zones.map((z) => [...z.nrFreeType]))
    expect(allocPages(state, KERNEL_NOWAKE, 5)).toBe(0)
    expect(JSON.stringify(state.zones.map((z) => [...z.nrFreeType]))).toBe(before)
  })
})

test('the allocated block knows its order and has no flags', () => {
  const state = threeZones()
  const pfn = allocPages(state, USER_NOWAKE, 9)
  expect([pfn % 512, pageOrder(state.memmap, pfn), state.memmap.flags[pfn]]).toEqual([0, 9, 0])
})

test.each([1, 500, 20_000, 1e6])('%i single pages in a row are those of as many requests', (count) => {
  const inARow = threeZones()
  const oneByOne = threeZones()
  let asked = 0
  while (asked < count && take(oneByOne, USER_NOWAKE) !== 0) asked++
  expect(allocSinglePages(inARow, USER_NOWAKE, count, PG_KERNEL)).toBe(asked)
  expect(digestTree(inARow)).toBe(digestTree(oneByOne))
})
