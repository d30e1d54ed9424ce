import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addAnonPages, letTimePass, lruState, newSpace } from '../../../test/lru-state'
import { makeGroup } from '../../../test/memcg-state'
import { swapsText } from '../procfs/swaps'
import type { KernelState } from '../state'
import { MEMCG_SWAP_FAIL } from './memcontrol'
import { PG_DIRTY, PG_LOCKED, PG_READAHEAD, PG_SWAPCACHE, hasFlag, pageMapping } from './memmap'
import { MM_ANONPAGES, MM_SWAPENTS, type Mm } from './mm_types'
import { checkLru } from './lru_check'
import { isPresent, isSwapPte, findPteSlot, pteAt, pteSwapSlot } from './pgtable'
import { exactRss } from './rss'
import { createBlockDevice } from './block'
import { GFP_KERNEL } from './gfp'
import { reclaimPages } from './vmscan'
import { nrSwapPages, totalSwapPages, vmSwapFull } from './swap_space'
import {
  folioAllocSwap,
  folioFreeSwap,
  mkswap,
  swapCacheLookup,
  swapCount,
  swapDuplicate,
  swapFree,
  swapon,
} from './swapfile'
import { swapReadFolio, swapCacheGet, swapinNrPages } from './swap_state'
import { swapoff } from './swapoff'
import { NR_SWAPCACHED, PSWPIN, SWAP_RA, SWAP_RA_HIT, readStat, vmEvent } from './vmstat'

const { swap_readahead: rows } = JSON.parse(
  readFileSync(new URL('../../../test/vectors.json', import.meta.url), 'utf8'),
) as {
  swap_readahead: { hits: number; adjacent: boolean; max: number; prev_window: number; window: number }[]
}

function addArea(state: KernelState, path: string, slots: number, priority?: number): void {
  const sizeBytes = (slots + 1) * 4096
  const latencies = { readNs: 100_000, writeNs: 30_000, perPageNs: 2_000 }
  state.devices.push(
    createBlockDevice({ path, sizeBytes, ...latencies, rotational: false, files: [], swap: { onAtBoot: false } }),
  )
  expect(swapon(state, path, priority)).toBeUndefined()
}

/** `count` anonymous pages that were written to swap and left memory; their slots in order of address. */
function swappedOut(state: KernelState, mm: Mm, count: number): number[] {
  const pfns = addAnonPages(state, mm, count)
  reclaimPages(state, pfns, GFP_KERNEL)
  letTimePass(state, 1_000_000_000)
  reclaimPages(state, pfns, GFP_KERNEL)
  return pfns.map((_, i) => pteSwapSlot(pteAt(state.pgtables, findPteSlot(state, mm, 0x10000 + i))))
}

describe('areas', () => {
  test('a device without a header, a missing one and one in use are refused', () => {
    const state = lruState()
    expect(swapon(state, '/dev/vda')).toBe('EINVAL')
    expect(swapon(state, '/dev/nope')).toBe('ENOENT')
    expect(mkswap(state, '/dev/vda')).toBeUndefined()
    expect(swapon(state, '/dev/vda')).toBeUndefined()
    expect(swapon(state, '/dev/vda')).toBe('EBUSY')
    expect(mkswap(state, '/dev/vda')).toBe('EBUSY')
    expect(swapoff(state, '/dev/vdz')).toBe('EINVAL')
  })
  test('one page of the device is the header', () => {
    expect(totalSwapPages(lruState({ swapSlots: 1000 }))).toBe(1000)
  })
  test('priorities count down from −2; /proc/swaps lists the highest first', () => {
    const state = lruState({ swapSlots: 262143 })
    addArea(state, '/dev/vdc', 99)
    addArea(state, '/dev/vdd', 99, 5)
    expect(swapsText(state)).toMatchInlineSnapshot(`
      "Filename				Type		Size		Used		Priority
      /dev/vdd                                partition	396		0		5
      /dev/vdb                                partition	1048572		0		-2
      /dev/vdc                                partition	396		0		-3
      "
    `)
  })
  test('the highest priority fills first, equal ones in turn', () => {
    const state = lruState()
    addArea(state, '/dev/vdc', 20, 1)
    addArea(state, '/dev/vdd', 20, 1)
    addArea(state, '/dev/vde', 20, 0)
    for (const pfn of addAnonPages(state, newSpace(state).mm, 10)) folioAllocSwap(state, pfn)
    expect(state.swapAreas.map((a) => a.used)).toEqual([5, 5, 0])
    for (const pfn of addAnonPages(state, newSpace(state).mm, 40)) folioAllocSwap(state, pfn)
    expect(state.swapAreas.map((a) => a.used)).toEqual([20, 20, 10])
  })
  test('with many free slots a CPU takes 64 from one area before the next has its turn', () => {
    const state = lruState()
    addArea(state, '/dev/vdc', 1000, 1)
    addArea(state, '/dev/vdd', 1000, 1)
    const used = (): number[] => state.swapAreas.map((a) => a.used)
    for (const pfn of addAnonPages(state, newSpace(state).mm, 63)) folioAllocSwap(state, pfn)
    expect(used()).toEqual([63, 0])
    for (const pfn of addAnonPages(state, newSpace(state).mm, 2)) folioAllocSwap(state, pfn)
    expect(used()).toEqual([64, 1])
  })
})

describe('slots', () => {
  test('go up one after the other; a second CPU begins its own cluster of 512', () => {
    const state = lruState({ swapSlots: 5000, cpus: 2 })
    const pfns = addAnonPages(state, newSpace(state).mm, 4)
    const slots = pfns.map((pfn, i) => {
      state.exec.cpu = i % 2
      folioAllocSwap(state, pfn)
      return pageMapping(state.memmap, pfn) - 1
    })
    expect(slots).toEqual([1, 512, 2, 513])
  })
  test('the last free slot is found and then swap is full', () => {
    const state = lruState({ swapSlots: 700 })
    const pfns = addAnonPages(state, newSpace(state).mm, 701)
    expect(pfns.map((pfn) => folioAllocSwap(state, pfn)).lastIndexOf(true)).toBe(699)
    expect(nrSwapPages(state)).toBe(0)
    expect(vmSwapFull(state)).toBe(true)
    expect(folioFreeSwap(state, pfns[123]!)).toBe(true)
    expect(folioAllocSwap(state, pfns[700]!)).toBe(true)
    expect(checkLru(state)).toEqual([])
  })
  test('a group at memory.swap.max gets none, and says so', () => {
    const state = lruState({ swapSlots: 100 })
    const group = makeGroup(state, '/a')
    group.swap.max = 2
    const pfns = addAnonPages(state, newSpace(state).mm, 3, { memcg: group.id })
    expect(pfns.map((pfn) => folioAllocSwap(state, pfn))).toEqual([true, true, false])
    expect(group.swap.usage).toBe(2)
    expect(group.events[MEMCG_SWAP_FAIL]).toBe(1)
    expect(state.swapAreas[0]!.used).toBe(2)
  })
  test('count their users against a plain tally', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), fc.boolean()), { maxLength: 80 }), (ops) => {
        const state = lruState({ mib: 32, swapSlots: 50 })
        const pfns = addAnonPages(state, newSpace(state).mm, 5)
        for (const pfn of pfns) folioAllocSwap(state, pfn)
        const slots = pfns.map((pfn) => pageMapping(state.memmap, pfn) - 1)
        const tally = [0, 0, 0, 0, 0]
        for (const [i, more] of ops) {
          if (more) swapDuplicate(state, slots[i]!)
          else if (tally[i]! > 0) swapFree(state, slots[i]!)
          else continue
          tally[i]! += more ? 1 : -1
        }
        expect(slots.map((slot) => swapCount(state, slot))).toEqual(tally)
        for (const pfn of pfns) folioFreeSwap(state, pfn)
        expect(state.swapAreas[0]!.used).toBe(tally.filter((n) => n > 0).length)
      }),
      { numRuns: 30 },
    )
  })
})

describe('out and in again', () => {
  test('a page that comes back is charged, in the swap cache and locked until it is read', () => {
    const state = lruState({ swapSlots: 1000 })
    const { mm } = newSpace(state)
    const [slot] = swappedOut(state, mm, 1)
    expect([exactRss(state, mm.id, MM_ANONPAGES), exactRss(state, mm.id, MM_SWAPENTS)]).toEqual([0, 1])
    const pfn = swapReadFolio(state, slot!)
    expect(hasFlag(state.memmap, pfn, PG_LOCKED)).toBe(true)
    expect(swapCacheLookup(state, slot!)).toBe(pfn)
    expect(readStat(state.nodes[0]!.stat, NR_SWAPCACHED)).toBe(1)
    letTimePass(state, 1_000_000)
    expect(hasFlag(state.memmap, pfn, PG_LOCKED)).toBe(false)
    expect(vmEvent(state.vmstat, PSWPIN)).toBe(1)
    expect(checkLru(state)).toEqual([])
  })
  test('neighbours come along: a window of eight around the page, and a hit when one is used', () => {
    const state = lruState({ swapSlots: 1000 })
    const { mm, anon } = newSpace(state)
    const slots = swappedOut(state, mm, 32)
    swapReadFolio(state, slots[10]!, { mm, vma: anon, vpn: 0x10000 + 10 })
    expect([vmEvent(state.vmstat, PSWPIN), vmEvent(state.vmstat, SWAP_RA)]).toEqual([8, 7])
    const neighbour = swapCacheGet(state, slots[11]!, anon)
    expect(neighbour).not.toBe(0)
    expect(vmEvent(state.vmstat, SWAP_RA_HIT)).toBe(1)
    expect(hasFlag(state.memmap, neighbour, PG_READAHEAD)).toBe(false)
  })
  test('on a rotating disk the neighbours are those of the aligned block of slots', () => {
    const state = lruState({ swapSlots: 1000, rotational: true })
    const { mm, anon } = newSpace(state)
    const slots = swappedOut(state, mm, 32)
    swapReadFolio(state, slots[10]!, { mm, vma: anon, vpn: 0x10000 + 10 })
    const cached = slots.filter((slot) => swapCacheLookup(state, slot) !== 0)
    expect(cached).toEqual([8, 9, 10, 11, 12, 13, 14, 15])
  })
  test('swapoff brings everything back and leaves nothing', () => {
    const state = lruState({ swapSlots: 1000 })
    const { mm } = newSpace(state)
    swappedOut(state, mm, 40)
    swapReadFolio(state, 5)
    expect(swapoff(state, '/dev/vdb')).toBeUndefined()
    expect(state.swapAreas).toEqual([])
    expect([exactRss(state, mm.id, MM_ANONPAGES), exactRss(state, mm.id, MM_SWAPENTS)]).toEqual([40, 0])
    const pte = pteAt(state.pgtables, findPteSlot(state, mm, 0x10000))
    expect([isPresent(pte), isSwapPte(pte)]).toEqual([true, false])
    expect(hasFlag(state.memmap, pte >>> 4, PG_SWAPCACHE)).toBe(false)
    expect(hasFlag(state.memmap, pte >>> 4, PG_DIRTY)).toBe(true)
    expect(checkLru(state)).toEqual([])
  })
})

test.each(rows)('read-ahead window: $hits hits, adjacent $adjacent, previous $prev_window → $window', (row) => {
  const { hits, adjacent: isAdjacent, max, prev_window: previousWindow, window } = row
  expect(swapinNrPages({ hits, isAdjacent, max, previousWindow })).toBe(window)
})
