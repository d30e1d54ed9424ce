import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { drawZone, machineConfig, plainMachine, zoneNamed, zoneState } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import type { KernelState } from '../state'
import { freeOnePage, pageblockType, rmqueueSmallest, setPageblockType } from './buddy'
import { checkBuddy } from './buddy_check'
import { highatomicMax, mayClaim, reserveHighatomic, rmqueueFallback, unreserveHighatomic } from './buddy_fallback'
import { extfragForOrder, fragmentationIndex, unusableFreeIndex } from './fragmentation'
import { MIGRATE_HIGHATOMIC, MIGRATE_MOVABLE, MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE } from './gfp'
import { PG_LRU, setFlags } from './memmap'
import { ALLOC_KSWAPD, ALLOC_NOFRAGMENT, ZONE_FLAG_BOOSTED, zoneFreePages, type Zone } from './mmzone'

const BASE = 8192

/** DMA32 of a 64 MiB machine with everything allocated; tests free what they need. */
function emptyZone(series: '6.1' | '6.12' = '6.12'): { state: KernelState; zone: Zone } {
  const state = zoneState(plainMachine(64 * MIB, 2, series))
  const zone = zoneNamed(state, 0, 1)
  while (rmqueueSmallest(state, zone, 10, MIGRATE_MOVABLE) !== 0) continue
  expect(zoneFreePages(zone)).toBe(0)
  return { state, zone }
}

const free = (state: KernelState, zone: Zone, pfn: number, order: number): void =>
  freeOnePage(state, zone, pfn, order, pageblockType(state, pfn))

describe('splitting and merging (02 §2.11)', () => {
  test('E1: one page out of a block of 1024 leaves one block of each order; freeing it merges them again', () => {
    const { state, zone } = emptyZone()
    free(state, zone, BASE, 10)
    expect(rmqueueSmallest(state, zone, 0, MIGRATE_MOVABLE)).toBe(BASE)
    expect([...zone.nrFree]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0])
    expect(zoneFreePages(zone)).toBe(1023)
    expect(drawZone(state, BASE, 32)).toMatchInlineSnapshot(`"#01. 2... 3... .... 4... .... .... ...."`)
    free(state, zone, BASE, 0)
    expect([...zone.nrFree]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    expect(checkBuddy(state)).toEqual([])
  })
  test('E2: buddies are found by XOR', () => {
    const { state, zone } = emptyZone()
    free(state, zone, BASE + 0x1a8, 3)
    expect(drawZone(state, BASE + 0x1a0, 16)).toMatchInlineSnapshot(`"#### #### 3... ...."`)
    free(state, zone, BASE + 0x1a4, 2)
    expect(drawZone(state, BASE + 0x1a0, 16)).toMatchInlineSnapshot(`"#### 2... 3... ...."`)
    free(state, zone, BASE + 0x1a0, 2)
    expect(drawZone(state, BASE + 0x1a0, 16)).toMatchInlineSnapshot(`"4... .... .... ...."`)
  })
  test('a block goes to the tail when the buddy of its parent is free already', () => {
    const { state, zone } = emptyZone()
    free(state, zone, BASE + 2, 1)
    free(state, zone, BASE + 8, 0)
    free(state, zone, BASE, 0)
    expect(rmqueueSmallest(state, zone, 0, MIGRATE_MOVABLE)).toBe(BASE + 8)
    expect(rmqueueSmallest(state, zone, 0, MIGRATE_MOVABLE)).toBe(BASE)
  })
  test('pageblocks of unlike reserve types do not merge at order 9', () => {
    const { state, zone } = emptyZone()
    setPageblockType(state, BASE, MIGRATE_HIGHATOMIC)
    free(state, zone, BASE, 9)
    free(state, zone, BASE + 512, 9)
    expect(zone.nrFree[9]).toBe(2)
    expect(zone.nrFreeHighatomic).toBe(512)
    expect(checkBuddy(state)).toEqual([])
  })
  test('mergeable pageblocks of different types merge and take the type of the freed one', () => {
    const { state, zone } = emptyZone()
    setPageblockType(state, BASE, MIGRATE_UNMOVABLE)
    free(state, zone, BASE, 9)
    free(state, zone, BASE + 512, 9)
    expect(zone.nrFree[10]).toBe(1)
    expect([pageblockType(state, BASE), pageblockType(state, BASE + 512)]).toEqual([MIGRATE_MOVABLE, MIGRATE_MOVABLE])
    expect(checkBuddy(state)).toEqual([])
  })
})

test('blocks of two nodes that meet at an odd MiB do not merge', () => {
  const nodes = [
    { nid: 0, ranges: [{ start: MIB, end: 33 * MIB }], cpus: [0] },
    { nid: 1, ranges: [{ start: 33 * MIB, end: 66 * MIB }], cpus: [1] },
  ]
  const reservations = [
    { nid: 0, zone: 'DMA', managed: 3840, returnedLate: 0 },
    { nid: 0, zone: 'DMA32', managed: 17 * 256, returnedLate: 0 },
    { nid: 1, zone: 'DMA32', managed: 33 * 256, returnedLate: 0 },
  ] as const
  const state = zoneState(machineConfig({ nodes, reservations }))
  expect(checkBuddy(state)).toEqual([])
  const [a, b] = [zoneNamed(state, 0, 1), zoneNamed(state, 1, 1)]
  expect([a.nrFree[8], b.nrFree[8]]).toEqual([1, 1])
  const mine = rmqueueSmallest(state, a, 8, MIGRATE_MOVABLE)
  expect(mine).toBe(32 * 256)
  free(state, a, mine, 8)
  expect([a.nrFree[8], b.nrFree[8]]).toEqual([1, 1])
  expect(checkBuddy(state)).toEqual([])
})

describe('fallback between migrate types (02 §2.3, §2.11)', () => {
  test('E5: an unmovable page converts both pageblocks of an order-10 block and raises no mark', () => {
    const { state, zone } = emptyZone()
    free(state, zone, BASE, 10)
    expect(rmqueueFallback(state, zone, 0, MIGRATE_UNMOVABLE, ALLOC_KSWAPD)).toBe(BASE)
    expect([pageblockType(state, BASE), pageblockType(state, BASE + 512)]).toEqual([
      MIGRATE_UNMOVABLE,
      MIGRATE_UNMOVABLE,
    ])
    expect(zone.watermarkBoost).toBe(0)
    expect(zoneFreePages(zone)).toBe(1023)
    expect(rmqueueFallback(state, zone, 0, MIGRATE_UNMOVABLE, 0)).toBe(BASE + 1)
    expect(checkBuddy(state)).toEqual([])
  })
  test('E5: a small block among LRU pages is robbed, its pageblock stays Movable, the marks rise', () => {
    const { state, zone } = emptyZone()
    for (let pfn = BASE; pfn < BASE + 512; pfn++) setFlags(state.memmap, pfn, PG_LRU)
    for (let pfn = BASE + 32; pfn < BASE + 64; pfn++) setFlags(state.memmap, pfn, 0)
    free(state, zone, BASE + 32, 5)
    expect(rmqueueFallback(state, zone, 0, MIGRATE_UNMOVABLE, ALLOC_KSWAPD)).toBe(BASE + 32)
    expect(pageblockType(state, BASE)).toBe(MIGRATE_MOVABLE)
    expect(zone.watermarkBoost).toBe(512)
    expect(zone.flags & ZONE_FLAG_BOOSTED).not.toBe(0)
    expect(zone.nrFreeType[4 * 5 + MIGRATE_MOVABLE]).toBe(1)
    expect(checkBuddy(state)).toEqual([])
  })
  test('a pageblock without LRU pages is claimed whole', () => {
    const { state, zone } = emptyZone()
    free(state, zone, BASE + 32, 5)
    free(state, zone, BASE + 128, 2)
    expect(rmqueueFallback(state, zone, 0, MIGRATE_UNMOVABLE, 0)).toBe(BASE + 128)
    expect(pageblockType(state, BASE)).toBe(MIGRATE_UNMOVABLE)
    expect(checkBuddy(state)).toEqual([])
  })
  test('E6: a movable page takes a small unmovable block without claiming', () => {
    const { state, zone } = emptyZone()
    setPageblockType(state, BASE, MIGRATE_UNMOVABLE)
    free(state, zone, BASE + 4, 2)
    expect(mayClaim(2, MIGRATE_MOVABLE)).toBe(false)
    expect(rmqueueFallback(state, zone, 0, MIGRATE_MOVABLE, 0)).toBe(BASE + 4)
    expect(pageblockType(state, BASE)).toBe(MIGRATE_UNMOVABLE)
    expect(zone.watermarkBoost).toBe(0)
    expect(checkBuddy(state)).toEqual([])
  })
  test('with NOFRAGMENT only whole pageblocks are taken from others', () => {
    const { state, zone } = emptyZone()
    free(state, zone, BASE + 32, 5)
    expect(rmqueueFallback(state, zone, 0, MIGRATE_RECLAIMABLE, ALLOC_NOFRAGMENT)).toBe(0)
    free(state, zone, BASE + 512, 9)
    expect(rmqueueFallback(state, zone, 0, MIGRATE_RECLAIMABLE, ALLOC_NOFRAGMENT)).toBe(BASE + 512)
  })
  test('reclaimable is robbed before movable', () => {
    const { state, zone } = emptyZone()
    setPageblockType(state, BASE, MIGRATE_RECLAIMABLE)
    free(state, zone, BASE, 9)
    free(state, zone, BASE + 1024, 9)
    expect(rmqueueFallback(state, zone, 0, MIGRATE_UNMOVABLE, 0)).toBe(BASE)
  })
  test('6.1 moves the free pages of a claimable pageblock even when the pageblock keeps its type', () => {
    const { state, zone } = emptyZone('6.1')
    for (let pfn = BASE; pfn < BASE + 512; pfn++) setFlags(state.memmap, pfn, PG_LRU)
    for (const start of [32, 64]) for (let i = 0; i < 4; i++) setFlags(state.memmap, BASE + start + i, 0)
    free(state, zone, BASE + 32, 2)
    free(state, zone, BASE + 64, 1)
    expect(rmqueueFallback(state, zone, 0, MIGRATE_UNMOVABLE, 0)).toBe(BASE + 64)
    expect(pageblockType(state, BASE)).toBe(MIGRATE_MOVABLE)
    expect(zone.nrFreeType[2 * 5 + MIGRATE_UNMOVABLE]).toBe(1)
    expect(checkBuddy(state)).toEqual([])
  })
})

describe('reserve for atomic high orders (02 §2.4)', () => {
  test('E7: 1277952 managed pages may keep 12800 on 6.12 and 13291 on 6.1', () => {
    const zone = zoneNamed(zoneState(plainMachine(64 * MIB)), 0, 1)
    expect(highatomicMax({ ...zone, managed: 1277952 })).toBe(12800)
    expect(highatomicMax({ ...zone, managed: 1277952, series: '6.1' })).toBe(13291)
    expect(highatomicMax({ ...zone, managed: 51199 })).toBe(0)
  })
  test('a reserved pageblock goes back to the type that asks', () => {
    const { state, zone } = emptyZone()
    free(state, zone, BASE, 10)
    zone.managed = 60000
    const pfn = rmqueueSmallest(state, zone, 2, MIGRATE_MOVABLE)
    reserveHighatomic(state, zone, pfn, 1)
    expect([zone.nrReservedHighatomic, zone.nrFreeHighatomic]).toEqual([512, 508])
    expect(unreserveHighatomic(state, [zone.index], MIGRATE_UNMOVABLE, { force: false })).toBe(false)
    expect(unreserveHighatomic(state, [zone.index], MIGRATE_UNMOVABLE, { force: true })).toBe(true)
    expect([zone.nrReservedHighatomic, zone.nrFreeHighatomic]).toEqual([0, 0])
    expect(pageblockType(state, BASE)).toBe(MIGRATE_UNMOVABLE)
  })
})

interface IndexVector {
  nr_free: number[]
  order: number
  fragmentation_index: number
  unusable_index: number
}
const vectors = JSON.parse(readFileSync(new URL('../../../test/vectors.json', import.meta.url), 'utf8')) as {
  buddy_index: IndexVector[]
  proactive_score: unknown
}

describe('fragmentation indices (02 §2.9)', () => {
  test.each(vectors.buddy_index)('$nr_free at order $order', (v) => {
    expect(fragmentationIndex(v.nr_free, v.order)).toBe(v.fragmentation_index)
    expect(unusableFreeIndex(v.nr_free, v.order)).toBe(v.unusable_index)
  })
  test('an empty zone is not fragmented, and all of its free memory is unusable', () => {
    const none = new Array(11).fill(0)
    expect([fragmentationIndex(none, 3), unusableFreeIndex(none, 3), extfragForOrder(none, 3)]).toEqual([0, 1000, 0])
  })
})

// ---------------------------------------------------------------- against a slow reference

/** Free blocks as a set of `pfn/order`, merged by looking, never by lists. */
class Reference {
  readonly blocks = new Set<string>()
  free(pfn: number, order: number): void {
    let at = pfn
    let o = order
    while (o < 10 && this.blocks.delete(`${at ^ (1 << o)}/${o}`)) at &= ~(1 << o++)
    this.blocks.add(`${at}/${o}`)
  }
  /** Takes exactly this part out of the block that contains it. */
  take(pfn: number, order: number): boolean {
    for (let o = order; o <= 10; o++) {
      const head = pfn & ~((1 << o) - 1)
      if (!this.blocks.delete(`${head}/${o}`)) continue
      for (let part = o; part > order;) this.blocks.add(`${head + (1 << --part)}/${part}`)
      return head === pfn
    }
    return false
  }
  histogram(): number[] {
    const counts = new Array<number>(11).fill(0)
    for (const block of this.blocks) counts[Number(block.split('/')[1])]!++
    return counts
  }
}

test('random allocations and frees leave the same blocks as a set that merges by looking', () => {
  const step = fc.oneof(
    fc.record({ op: fc.constant('alloc' as const), order: fc.integer({ min: 0, max: 10 }) }),
    fc.record({ op: fc.constant('free' as const), pick: fc.nat() }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { state, zone } = emptyZone()
      const reference = new Reference()
      for (let block = 0; block < 4; block++) {
        free(state, zone, BASE + block * 1024, 10)
        reference.free(BASE + block * 1024, 10)
      }
      const held: { pfn: number; order: number }[] = []
      for (const s of steps) {
        if (s.op === 'alloc') {
          const pfn = rmqueueSmallest(state, zone, s.order, MIGRATE_MOVABLE)
          if (pfn === 0) {
            expect(
              reference
                .histogram()
                .slice(s.order)
                .every((n) => n === 0),
            ).toBe(true)
            continue
          }
          expect(reference.take(pfn, s.order)).toBe(true)
          held.push({ pfn, order: s.order })
        } else if (held.length > 0) {
          const [block] = held.splice(s.pick % held.length, 1)
          free(state, zone, block!.pfn, block!.order)
          reference.free(block!.pfn, block!.order)
        }
        expect([...zone.nrFree]).toEqual(reference.histogram())
      }
      expect(checkBuddy(state)).toEqual([])
      const heldPages = held.reduce((sum, b) => sum + (1 << b.order), 0)
      expect(zoneFreePages(zone) + heldPages).toBe(4096)
    }),
    { numRuns: 60, seed: 20251123 },
  )
})

test.each(['6.12', '6.1'] as const)(
  '%s: requests of all types mix, and every invariant holds after each step',
  (series) => {
    const step = fc.oneof(
      fc.record({
        op: fc.constant('alloc' as const),
        order: fc.integer({ min: 0, max: 5 }),
        type: fc.integer({ min: 0, max: 2 }),
        lru: fc.boolean(),
      }),
      fc.record({ op: fc.constant('free' as const), pick: fc.nat() }),
      fc.record({ op: fc.constant('reserve' as const), pick: fc.nat() }),
      fc.record({ op: fc.constant('unreserve' as const), type: fc.integer({ min: 0, max: 2 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { state, zone } = emptyZone(series)
        free(state, zone, BASE, 10)
        free(state, zone, BASE + 1024, 9)
        zone.managed = 120000
        const held: { pfn: number; order: number }[] = []
        for (const s of steps) {
          if (s.op === 'alloc') {
            const pfn = rmqueueFallback(state, zone, s.order, s.type, ALLOC_KSWAPD)
            if (pfn === 0) continue
            held.push({ pfn, order: s.order })
            if (s.lru) setFlags(state.memmap, pfn, PG_LRU)
          } else if (s.op === 'unreserve') {
            unreserveHighatomic(state, [zone.index], s.type, { force: true })
          } else if (held.length > 0 && s.op === 'reserve') {
            reserveHighatomic(state, zone, held[s.pick % held.length]!.pfn, 0)
          } else if (held.length > 0 && s.op === 'free') {
            const [block] = held.splice(s.pick % held.length, 1)
            setFlags(state.memmap, block!.pfn, 0)
            free(state, zone, block!.pfn, block!.order)
          }
        }
        expect(checkBuddy(state)).toEqual([])
        const heldPages = held.reduce((sum, b) => sum + (1 << b.order), 0)
        expect(zoneFreePages(zone) + heldPages).toBe(1536)
      }),
      { numRuns: 100, seed: 20251123 },
    )
  },
)
