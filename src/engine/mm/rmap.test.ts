import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addAnonPages, lruState, mapPage, newSpace, takeFrame } from '../../../test/lru-state'
import type { KernelState } from '../state'
import { memcgCharge } from './memcontrol'
import {
  PG_ANON,
  PG_ANON_EXCLUSIVE,
  PG_DIRTY,
  PG_SWAPBACKED,
  hasFlag,
  mapcount,
  pageRmap,
  setFlag,
  setPageMemcg,
} from './memmap'
import { MM_ANONPAGES, MM_SWAPENTS, VM_LOCKED, VM_SEQ_READ, type Mm } from './mm_types'
import {
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_WRITE,
  ensurePteSlot,
  findPteSlot,
  isSwapPte,
  makePte,
  pteAt,
  pteSwapSlot,
  setPte,
} from './pgtable'
import { folioReferenced, pageAddRmap, pageRemoveRmap, tryToUnmap, unmapFilePage } from './rmap'
import { forEachMapping } from './rmap_chain'
import { addMmCounter, exactRss } from './rss'
import { folioMarkLazyfree, lruAddDrainAll } from './swap'
import { folioAllocSwap, swapCount } from './swapfile'
import { NR_ANON_PAGES, readStat } from './vmstat'

const anonMapped = (state: KernelState): number => readStat(state.nodes[0]!.stat, NR_ANON_PAGES)

function mappingsOf(state: KernelState, pfn: number): number[] {
  const slots: number[] = []
  forEachMapping(state, pfn, (slot) => slots.push(slot))
  return slots.sort((a, b) => a - b)
}

/** One anonymous page that `spaces` map at the same address, as after fork. */
function sharedPage(count: number): { state: KernelState; pfn: number; mms: Mm[]; slots: number[] } {
  const state = lruState({ swapSlots: 1000 })
  const mms = Array.from({ length: count }, () => newSpace(state).mm)
  const pfn = addAnonPages(state, mms[0]!, 1)[0]!
  const slots = mms.map((mm, i) => {
    if (i === 0) return findPteSlot(state, mm, 0x10000)
    addMmCounter(state, mm.id, MM_ANONPAGES, 1)
    return mapPage(state, mm, 0x10000, pfn, PTE_ACCESSED)
  })
  return { state, pfn, mms, slots }
}

describe('which entries map a page', () => {
  test('one is kept in the page itself, more go to a chain, and back', () => {
    const { state, pfn, slots } = sharedPage(3)
    expect(mappingsOf(state, pfn)).toEqual([...slots].sort((a, b) => a - b))
    expect(mapcount(state.memmap, pfn)).toBe(3)
    for (const slot of [slots[1]!, slots[0]!, slots[2]!]) {
      setPte(state.pgtables, slot, 0)
      pageRemoveRmap(state, pfn, slot)
    }
    expect([mapcount(state.memmap, pfn), pageRmap(state.memmap, pfn)]).toEqual([0, 0])
  })

  test('nr_anon_pages counts a page once, however often it is mapped', () => {
    const { state, pfn, slots } = sharedPage(3)
    expect(anonMapped(state)).toBe(1)
    for (const slot of slots) pageRemoveRmap(state, pfn, slot)
    expect(anonMapped(state)).toBe(0)
  })

  test('chains of many pages stay apart, in any order of adding and removing', () => {
    const state = lruState({ mib: 64 })
    const { mm } = newSpace(state)
    const base = ensurePteSlot(state, mm, 0x10000)
    const operation = fc.record({ page: fc.nat(3), entry: fc.nat(40), add: fc.boolean() })
    const pfns = Array.from({ length: 4 }, () => {
      const pfn = takeFrame(state)
      memcgCharge(state, 1, 1, 0)
      setPageMemcg(state.memmap, pfn, 1)
      setFlag(state.memmap, pfn, PG_ANON | PG_SWAPBACKED)
      return pfn
    })
    const owner = new Map<number, number>()
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
        for (const { page, entry, add } of operations) {
          const slot = base + entry
          if (add && !owner.has(slot)) {
            pageAddRmap(state, pfns[page]!, slot)
            owner.set(slot, page)
          } else if (!add && owner.has(slot)) {
            pageRemoveRmap(state, pfns[owner.get(slot)!]!, slot)
            owner.delete(slot)
          }
        }
        pfns.forEach((pfn, page) => {
          const expected = [...owner].filter(([, p]) => p === page).map(([slot]) => slot)
          expect(mappingsOf(state, pfn)).toEqual(expected.sort((a, b) => a - b))
          expect(mapcount(state.memmap, pfn)).toBe(expected.length)
        })
      }),
      { seed: 7, numRuns: 50 },
    )
  })

  test('visiting may remove what it visits', () => {
    const { state, pfn } = sharedPage(4)
    forEachMapping(state, pfn, (slot) => pageRemoveRmap(state, pfn, slot))
    expect(mapcount(state.memmap, pfn)).toBe(0)
  })
})

describe('references', () => {
  test('each young entry counts once and is old afterwards', () => {
    const { state, pfn } = sharedPage(3)
    expect(folioReferenced(state, pfn).count).toBe(3)
    expect(folioReferenced(state, pfn).count).toBe(0)
  })

  test('mappings read in order do not count, locked ones say so', () => {
    const { state, pfn, mms } = sharedPage(2)
    mms[0]!.vmas[0]!.flags |= VM_SEQ_READ
    mms[1]!.vmas[0]!.flags |= VM_LOCKED
    expect(folioReferenced(state, pfn)).toMatchObject({ count: 0, locked: true })
  })
})

describe('taking a page out of every address space', () => {
  test('each entry becomes the swap slot, counted once for each', () => {
    const { state, pfn, mms, slots } = sharedPage(3)
    folioAllocSwap(state, pfn)
    expect(tryToUnmap(state, pfn)).toBe(true)
    const ptes = slots.map((slot) => pteAt(state.pgtables, slot))
    expect(ptes.every(isSwapPte)).toBe(true)
    expect(swapCount(state, pteSwapSlot(ptes[0]!))).toBe(3)
    for (const mm of mms)
      expect([exactRss(state, mm.id, MM_ANONPAGES), exactRss(state, mm.id, MM_SWAPENTS)]).toEqual([0, 1])
  })

  test('the dirty bit of an entry goes to the page', () => {
    const { state, pfn } = sharedPage(1)
    folioAllocSwap(state, pfn)
    state.memmap.flags[pfn]! &= ~PG_DIRTY
    tryToUnmap(state, pfn)
    expect(hasFlag(state.memmap, pfn, PG_DIRTY)).toBe(true)
  })

  test('a locked mapping keeps its page', () => {
    const { state, pfn, mms } = sharedPage(2)
    mms[1]!.vmas[0]!.flags |= VM_LOCKED
    folioAllocSwap(state, pfn)
    expect(tryToUnmap(state, pfn)).toBe(false)
    expect(mapcount(state.memmap, pfn)).toBe(1)
  })

  test('a lazily freed page that is written again stays, and is ordinary memory', () => {
    const { state, pfn, slots, mms } = sharedPage(1)
    lruAddDrainAll(state)
    setPte(state.pgtables, slots[0]!, makePte(pfn, PTE_WRITE))
    folioMarkLazyfree(state, pfn)
    setPte(state.pgtables, slots[0]!, makePte(pfn, PTE_WRITE | PTE_DIRTY))
    expect(tryToUnmap(state, pfn)).toBe(false)
    expect(hasFlag(state.memmap, pfn, PG_SWAPBACKED)).toBe(true)
    expect(exactRss(state, mms[0]!.id, MM_ANONPAGES)).toBe(1)
  })

  test('a lazily freed page that is not goes without a swap slot', () => {
    const { state, pfn, slots } = sharedPage(1)
    setPte(state.pgtables, slots[0]!, makePte(pfn, PTE_WRITE))
    folioMarkLazyfree(state, pfn)
    expect(tryToUnmap(state, pfn)).toBe(true)
    expect(pteAt(state.pgtables, slots[0]!)).toBe(0)
  })

  test('truncation unmaps locked mappings too', () => {
    const { state, pfn, mms } = sharedPage(2)
    mms[1]!.vmas[0]!.flags |= VM_LOCKED
    unmapFilePage(state, pfn)
    expect([mapcount(state.memmap, pfn), exactRss(state, mms[1]!.id, MM_ANONPAGES)]).toEqual([0, 0])
    expect(hasFlag(state.memmap, pfn, PG_ANON_EXCLUSIVE)).toBe(true)
  })
})
