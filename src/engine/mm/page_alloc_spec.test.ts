/** The tables of the specification of the page allocator, a row a test. Outcomes of a starving machine: page_alloc_slowpath.test.ts. */
import { describe, expect, test } from 'vitest'
import { captureConfig, staticCaptures } from '../../../test/static-captures'
import { MIB } from '../../util/units'
import { plainMachine, zoneNamed, zoneState } from '../../../test/zone-state'
import type { KernelSeries } from '../config'
import { bootMachine } from '../machine'
import { pseudo } from '../procfs'
import type { KernelState } from '../state'
import { pageblockType } from './buddy'
import { checkBuddy } from './buddy_check'
import * as gfp from './gfp'
import { formatGfp } from './gfp_names'
import { parseGfp } from './gfp_parse'
import {
  ALLOC_CPUSET,
  ALLOC_HIGHATOMIC,
  ALLOC_OOM,
  watermarkLimit,
  wmark,
  WMARK_HIGH,
  WMARK_LOW,
  WMARK_MIN,
} from './mmzone'
import { allocPages, freePages } from './page_alloc'
import { gfpToAllocFlags } from './page_alloc_slowpath'
import { drainAllPages } from './pcp'

const { MIGRATE_MOVABLE, MIGRATE_UNMOVABLE, ZONE_DMA, ZONE_DMA32, ZONE_MOVABLE, ZONE_NORMAL } = gfp

describe('02 §2.8: masks', () => {
  // min = 10508: what an order-0 request must leave behind in the slow path (E3).
  test.each([
    ['GFP_KERNEL', '0xcc0', 'waits', 10508, MIGRATE_UNMOVABLE, ZONE_NORMAL],
    ['GFP_KERNEL_ACCOUNT', '0x400cc0', 'waits', 10508, MIGRATE_UNMOVABLE, ZONE_NORMAL],
    ['GFP_USER', '0x100cc0', 'waits', 10508, MIGRATE_UNMOVABLE, ZONE_NORMAL],
    ['GFP_HIGHUSER_MOVABLE', '0x100cca', 'waits', 10508, MIGRATE_MOVABLE, ZONE_MOVABLE],
    ['GFP_ATOMIC', '0x820', 'does not', 3941, MIGRATE_UNMOVABLE, ZONE_NORMAL],
    ['GFP_NOWAIT', '0x2800', 'does not', 10508, MIGRATE_UNMOVABLE, ZONE_NORMAL],
    ['GFP_NOFS', '0xc40', 'waits', 10508, MIGRATE_UNMOVABLE, ZONE_NORMAL],
    ['GFP_NOIO', '0xc00', 'waits', 10508, MIGRATE_UNMOVABLE, ZONE_NORMAL],
    ['GFP_DMA', '0x1', 'does not', 10508, MIGRATE_UNMOVABLE, ZONE_DMA],
    ['GFP_DMA32', '0x4', 'does not', 10508, MIGRATE_UNMOVABLE, ZONE_DMA32],
    ['GFP_TRANSHUGE_LIGHT', '0x1c20ca', 'does not', 10508, MIGRATE_MOVABLE, ZONE_MOVABLE],
    ['GFP_TRANSHUGE', '0x1c24ca', 'waits', 10508, MIGRATE_MOVABLE, ZONE_MOVABLE],
    ['GFP_KERNEL|__GFP_HIGH', '0xce0', 'waits', 5254, MIGRATE_UNMOVABLE, ZONE_NORMAL],
    ['GFP_KERNEL|__GFP_RECLAIMABLE', '0xcd0', 'waits', 10508, gfp.MIGRATE_RECLAIMABLE, ZONE_NORMAL],
    ['GFP_KERNEL|__GFP_MOVABLE', '0xcc8', 'waits', 10508, MIGRATE_MOVABLE, ZONE_NORMAL],
  ] as const)('%s = %s, %s, leaves %i pages, type %i, from zone %i down', (name, value, waits, limit, type, zone) => {
    const mask = parseGfp(name)!
    expect(`0x${mask.toString(16)}`).toBe(value)
    expect(formatGfp(mask).startsWith(`${value}(`)).toBe(true)
    expect((mask & gfp.GFP_BIT_DIRECT_RECLAIM) !== 0).toBe(waits === 'waits')
    expect(watermarkLimit(10508, gfpToAllocFlags(mask, 0))).toBe(limit)
    expect([gfp.gfpMigratetype(mask), gfp.gfpZone(mask)]).toEqual([type, zone])
  })

  test('GFP_NOWAIT of 6.1 is warned of', () => {
    expect(parseGfp('GFP_NOWAIT', '6.1')).toBe(0x800)
  })
})

describe('02 §2.5: flags of the slow path', () => {
  test.each([
    ['GFP_ATOMIC', 0, { highatomic: false, cpuset: false }],
    ['GFP_ATOMIC', 1, { highatomic: true, cpuset: false }],
    ['GFP_ATOMIC|__GFP_NOMEMALLOC', 1, { highatomic: false, cpuset: false }],
    ['GFP_NOWAIT', 3, { highatomic: false, cpuset: true }],
    ['GFP_KERNEL|__GFP_HIGH', 3, { highatomic: false, cpuset: true }],
  ] as const)('%s of order %i: %o', (name, order, { highatomic, cpuset }) => {
    const flags = gfpToAllocFlags(parseGfp(name)!, order)
    expect([(flags & ALLOC_HIGHATOMIC) !== 0, (flags & ALLOC_CPUSET) !== 0]).toEqual([highatomic, cpuset])
  })

  test('E3: an OOM victim may take half of the reserve; with min 31: 16 / 12 / 31 / 16', () => {
    const limit = (name: string): number => watermarkLimit(31, gfpToAllocFlags(parseGfp(name)!, 0))
    expect([
      limit('GFP_KERNEL|__GFP_HIGH'),
      limit('GFP_ATOMIC'),
      limit('GFP_NOWAIT'),
      watermarkLimit(31, ALLOC_OOM),
    ]).toEqual([16, 12, 31, 16])
  })
})

describe('02 §2.4: the reserve and blocks larger than a pageblock', () => {
  function atomicBlock(series: KernelSeries): { state: KernelState; pfn: number } {
    const state = zoneState(plainMachine(512 * MIB, 1, series))
    // Far below the low mark, but not below 3/8 of min: the slow path's own flags decide.
    const zone = zoneNamed(state, 0, ZONE_DMA32)
    zone.watermark.set([400, 1e9 + 400, 2e9 + 400, 3e9 + 400])
    zoneNamed(state, 0, ZONE_DMA).watermark.fill(1e9)
    return { state, pfn: allocPages(state, gfp.GFP_ATOMIC & ~gfp.GFP_BIT_KSWAPD_RECLAIM, 10) }
  }
  test('6.12: both pageblocks are reserved, and come back to the reserve', () => {
    const { state, pfn } = atomicBlock('6.12')
    const zone = zoneNamed(state, 0, ZONE_DMA32)
    expect([pageblockType(state, pfn), pageblockType(state, pfn + 512)]).toEqual([
      gfp.MIGRATE_HIGHATOMIC,
      gfp.MIGRATE_HIGHATOMIC,
    ])
    expect(zone.nrReservedHighatomic).toBe(1024)
    freePages(state, pfn, 10)
    expect(zone.nrFreeHighatomic).toBe(1024)
    expect(checkBuddy(state)).toEqual([])
  })
  test('6.12: a block whose pageblocks became unlike is freed in two', () => {
    const { state, pfn } = atomicBlock('6.12')
    const zone = zoneNamed(state, 0, ZONE_DMA32)
    state.pageblocks[(pfn + 512) >> 9] = MIGRATE_MOVABLE
    zone.nrReservedHighatomic -= 512
    freePages(state, pfn, 10)
    expect(zone.nrFreeHighatomic).toBe(512)
    expect(checkBuddy(state)).toEqual([])
  })
  test('6.1: only the first pageblock is reserved', () => {
    const { state, pfn } = atomicBlock('6.1')
    expect(zoneNamed(state, 0, ZONE_DMA32).nrReservedHighatomic).toBe(512)
    expect(pageblockType(state, pfn + 512)).not.toBe(gfp.MIGRATE_HIGHATOMIC)
  })
})

describe('01 §1.5–§1.8: the sysctls are live and have the kernel’s ranges', () => {
  const boot = (): KernelState =>
    bootMachine(
      captureConfig(
        staticCaptures().find((c) => c.name === 'static-512m-2cpu')!,
        'captured',
      ),
      1,
    )
  const write = (state: KernelState, name: string, text: string): string | undefined =>
    pseudo.write(state, `/proc/sys/vm/${name}`, text, 1)
  const dma32 = (state: KernelState) => state.zones[ZONE_DMA32]!
  const marks = (state: KernelState): number[] => [WMARK_MIN, WMARK_LOW, WMARK_HIGH].map((w) => wmark(dma32(state), w))

  test.each([
    ['min_free_kbytes', ['0', '8192'], ['-1', 'x', '', '2147483648']],
    ['watermark_scale_factor', ['1', '3000'], ['0', '3001', '-5']],
    ['watermark_boost_factor', ['0', '15000', '2147483647'], ['-1', '2147483648']],
    ['percpu_pagelist_high_fraction', ['0', '8', '100'], ['1', '7', '-8']],
    ['lowmem_reserve_ratio', ['256 256 32 0 0', '1'], ['x', '']],
    ['zone_reclaim_mode', ['0', '7'], ['-1']],
    ['extfrag_threshold', ['0', '1000'], ['-1', '1001']],
    ['compaction_proactiveness', ['0', '100'], ['-1', '101']],
  ])('%s', (name, good, bad) => {
    const state = boot()
    for (const text of good) expect([text, write(state, name, text)]).toEqual([text, undefined])
    const before = pseudo.read(state, `/proc/sys/vm/${name}`, 1, true)
    for (const text of bad) expect([text, write(state, name, text)]).toEqual([text, 'EINVAL'])
    expect(pseudo.read(state, `/proc/sys/vm/${name}`, 1, true)).toBe(before)
  })

  test('min_free_kbytes and watermark_scale_factor move the marks at once', () => {
    const state = boot()
    const [min = 0] = marks(state)
    write(state, 'min_free_kbytes', '16384')
    expect(marks(state)[0]).toBeGreaterThan(min * 4)
    const [, low = 0, high = 0] = marks(state)
    write(state, 'watermark_scale_factor', '1000')
    expect(marks(state)[2]! - marks(state)[1]!).toBe(Math.floor(dma32(state).managed / 10))
    expect(marks(state)[2]! - marks(state)[1]!).toBeGreaterThan(high - low)
  })

  test('lowmem_reserve_ratio closes a zone to those who could use a higher one, 0 opens it', () => {
    const state = boot()
    const dma = state.zones[ZONE_DMA]!
    write(state, 'lowmem_reserve_ratio', '4 256 32 0 0')
    expect(dma.lowmemReserve[ZONE_DMA32]).toBe(Math.floor(dma32(state).managed / 4))
    write(state, 'lowmem_reserve_ratio', '0 256 32 0 0')
    expect(dma.lowmemReserve[ZONE_DMA32]).toBe(0)
  })

  test('percpu_pagelist_high_fraction fixes the length of the lists, 0 gives it back', () => {
    const state = boot()
    const pcp = dma32(state).pcp[0]!
    const { highMin } = pcp
    write(state, 'percpu_pagelist_high_fraction', '8')
    expect([pcp.highMin, pcp.highMax]).toEqual([
      Math.floor(dma32(state).managed / 8 / 2),
      Math.floor(dma32(state).managed / 8 / 2),
    ])
    write(state, 'percpu_pagelist_high_fraction', '0')
    // At boot the upper bound came from the pages that were managed then.
    expect([pcp.highMin, pcp.highMax]).toEqual([highMin, Math.floor(dma32(state).managed / 8 / 2)])
  })

  test('watermark_boost_factor 0 ends boosting', () => {
    const state = boot()
    drainAllPages(state)
    write(state, 'watermark_boost_factor', '0')
    for (let i = 0; i < 200; i++) allocPages(state, gfp.GFP_NOWAIT | gfp.GFP_BIT_RECLAIMABLE, 3)
    expect(dma32(state).watermarkBoost).toBe(0)
  })
})
