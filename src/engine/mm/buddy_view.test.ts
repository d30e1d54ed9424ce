import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { machineConfig, plainMachine, zoneNamed as zoneAt, zoneState } from '../../../test/zone-state'
import { GIB, MIB } from '../../util/units'
import { buddyinfoText } from '../procfs/buddyinfo'
import { pagetypeinfoText } from '../procfs/pagetypeinfo'
import { zoneinfoText } from '../procfs/zoneinfo'
import type { KernelState } from '../state'
import { freeOnePage, pageblockType, rmqueueSmallest } from './buddy'
import {
  freeAreas,
  freeListBlocks,
  mergeWalk,
  nextBlock,
  pageblockCounts,
  pcpLists,
  pcpListsOfCpu,
  zoneNamed,
} from './buddy_view'
import { GFP_HIGHUSER_MOVABLE, GFP_KERNEL, MIGRATE_MOVABLE, MIGRATE_UNMOVABLE, ZONE_NAMES } from './gfp'
import { allocPages, freePages } from './page_alloc'

const numbersOf = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number)

/** Rows of the two files, without names. */
const filesOf = (state: KernelState): { free: number[][]; byType: number[][]; blocks: number[][] } => {
  const rows = pagetypeinfoText(state).split('\n')
  const numbers = (row: string): number[] => numbersOf(row.replace(/^Node +\d+, zone +\w+,?/, ''))
  return {
    free: buddyinfoText(state).trim().split('\n').map(numbers),
    byType: rows.filter((row) => row.includes(' type ') && row.startsWith('Node')).map(numbers),
    blocks: rows.filter((row) => /^Node \d+, zone +\w+ +\d/.test(row)).map(numbers),
  }
}

const twoNodes = (): KernelState =>
  zoneState(
    machineConfig({
      nodes: [
        { nid: 0, ranges: [{ start: MIB, end: 64 * MIB }], cpus: [0, 1] },
        { nid: 1, ranges: [{ start: 4 * GIB, end: 4 * GIB + 64 * MIB }], cpus: [2] },
      ],
      reservations: [
        { nid: 0, zone: 'DMA', managed: 3840, returnedLate: 0 },
        { nid: 0, zone: 'DMA32', managed: 12_000, returnedLate: 0 },
        { nid: 1, zone: 'Normal', managed: 16_000, returnedLate: 0 },
      ],
    }),
  )

test('what is seen is what /proc/buddyinfo and /proc/pagetypeinfo print, to the block, whatever happened before', () => {
  const operation = fc.tuple(fc.nat(10), fc.boolean(), fc.nat(2), fc.boolean())
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const state = twoNodes()
      const held: [number, number][] = []
      for (const [order, isMovable, cpu, gives] of operations) {
        state.exec.cpu = cpu
        const given = gives ? held.pop() : undefined
        if (given) freePages(state, given[0], given[1])
        else {
          const pfn = allocPages(state, isMovable ? GFP_HIGHUSER_MOVABLE : GFP_KERNEL, order, state.cpuNode[cpu]!)
          if (pfn !== 0) held.unshift([pfn, order])
        }
      }
      const areas = freeAreas(state)
      const files = filesOf(state)
      expect(areas.map((area) => area.nrFree)).toEqual(files.free)
      expect(areas.flatMap((area) => area.byType)).toEqual(files.byType)
      const blocks = areas.map((area) => pageblockCounts(state, zoneNamed(state, area.nid, area.zone)!))
      expect(blocks).toEqual(files.blocks)
      for (const area of areas)
        expect(area.freePages).toBe(area.nrFree.reduce((sum, n, order) => sum + n * 2 ** order, 0))
    }),
    { numRuns: 25, seed: 7 },
  )
})

test('per-CPU lists are those of /proc/zoneinfo, and the single lists add up to the count', () => {
  const state = zoneState(plainMachine(64 * MIB))
  allocPages(state, GFP_KERNEL, 0, 0)
  allocPages(state, GFP_HIGHUSER_MOVABLE, 2, 0)
  const zone = zoneNamed(state, 0, 'DMA32')!
  const [first] = pcpLists(zone)
  expect(first!.count).toBeGreaterThan(0)
  const printed = zoneinfoText(state).match(
    /zone +DMA32[\s\S]*?cpu: 0\n +count: +(\d+)\n +high: +(\d+)\n +batch: +(\d+)/,
  )!
  expect(printed.slice(1).map(Number)).toEqual([first!.count, first!.high, first!.batch])
  const lists = pcpListsOfCpu(state, zone, 0)
  expect(lists.reduce((sum, list) => sum + list.blocks * 2 ** list.order, 0)).toBe(first!.count)
  expect(lists.filter((list) => list.blocks > 0).map((list) => `${list.order} ${list.type}`)).toEqual([
    '0 Unmovable',
    '2 Movable',
  ])
  expect(pcpListsOfCpu(state, zone, 9)).toEqual([])
})

describe('a block and its buddy', () => {
  const BASE = 8192
  /** DMA32 with everything allocated; tests free what they need. */
  const emptied = (): { state: KernelState; free: (pfn: number, order: number) => void } => {
    const state = zoneState(plainMachine(64 * MIB))
    const zone = zoneAt(state, 0, 1)
    while (rmqueueSmallest(state, zone, 10, MIGRATE_MOVABLE) !== 0) continue
    return { state, free: (pfn, order) => freeOnePage(state, zone, pfn, order, pageblockType(state, pfn)) }
  }

  test('the walk says which buddies a free would join, and why it stops', () => {
    const { state, free } = emptied()
    const zone = zoneNamed(state, 0, ZONE_NAMES[1])!
    free(BASE + 1, 0)
    free(BASE + 2, 1)
    free(BASE + 4, 1)
    const walk = mergeWalk(state, zone, BASE, 0)
    expect(walk.map(({ order, pfn, buddy, verdict }) => [order, pfn - BASE, buddy - BASE, verdict])).toEqual([
      [0, 0, 1, 'merges'],
      [1, 0, 2, 'merges'],
      [2, 0, 4, 'split'],
    ])
    free(BASE, 0)
    expect(freeListBlocks(state, zone, { order: 2, type: MIGRATE_MOVABLE, limit: 9 })).toEqual([
      { pfn: BASE, buddy: BASE + 4, verdict: 'split' },
    ])
  })

  test('a walk always ends where the freed block really ends', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1023), { maxLength: 200 }), (frames) => {
        const { state, free } = emptied()
        const zone = zoneNamed(state, 0, 'DMA32')!
        for (const frame of frames) {
          const last = mergeWalk(state, zone, BASE + frame, 0).at(-1)!
          free(BASE + frame, 0)
          const block = freeListBlocks(state, zone, { order: last.order, type: MIGRATE_MOVABLE, limit: 2000 })
          expect(block.map((b) => b.pfn)).toContain(last.pfn)
        }
      }),
      { numRuns: 20, seed: 3 },
    )
  })

  test('the first frame of a zone has a buddy that is not the zone’s', () => {
    const state = zoneState(plainMachine(64 * MIB))
    expect(mergeWalk(state, zoneNamed(state, 0, 'DMA')!, 256, 8)[0]!.verdict).toBe('other zone')
  })

  test('the next block is the head of the smallest list that suffices', () => {
    const { state, free } = emptied()
    const zone = zoneNamed(state, 0, 'DMA32')!
    expect(nextBlock(zone, 0, MIGRATE_MOVABLE)).toBeUndefined()
    free(BASE, 5)
    free(BASE + 64, 3)
    expect(nextBlock(zone, 2, MIGRATE_MOVABLE)).toEqual({ pfn: BASE + 64, blockOrder: 3 })
    expect(nextBlock(zone, 4, MIGRATE_MOVABLE)).toEqual({ pfn: BASE, blockOrder: 5 })
    expect(nextBlock(zone, 4, MIGRATE_UNMOVABLE)).toBeUndefined()
    expect(rmqueueSmallest(state, zone, 2, MIGRATE_MOVABLE)).toBe(BASE + 64)
  })
})
