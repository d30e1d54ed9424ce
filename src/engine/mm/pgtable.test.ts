import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { lruState, newSpace } from '../../../test/lru-state'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { checkMm } from './mm_check'
import type { Mm } from './mm_types'
import {
  PTE_DIRTY,
  PTE_WRITE,
  childTable,
  ensurePteSlot,
  entryIndex,
  entrySpan,
  findPteSlot,
  forEachPte,
  freeAllTables,
  freePageTables,
  isPresent,
  isSwapPte,
  makePte,
  makeSwapPte,
  mmOfSlot,
  pteAt,
  ptePfn,
  pteSwapSlot,
  setPte,
  tableBase,
  tableLevel,
  tableOfSlot,
  tableUsed,
  vpnOfSlot,
} from './pgtable'
import { NR_PAGE_TABLE_PAGES, readStat } from './vmstat'

const { va_index: addresses } = JSON.parse(
  readFileSync(new URL('../../../test/vectors.json', import.meta.url), 'utf8'),
) as { va_index: Record<string, number | string>[] }

const vpnOf = (address: number): number => Math.floor(address / 4096)
const pageTables = (state: KernelState): number => readStat(state.nodes[0]!.stat, NR_PAGE_TABLE_PAGES)

/** An address space without mappings: tables only. */
function bareSpace(mib = 512): { state: KernelState; mm: Mm } {
  const state = lruState({ mib })
  const { mm } = newSpace(state)
  mm.vmas = []
  return { state, mm }
}

describe('an address is cut into 9-bit fields (04 §4.11 E1)', () => {
  test('0x7F12_3456_7ABC is PGD 254, PUD 72, PMD 418, PTE 359', () => {
    const vpn = vpnOf(0x7f1234567abc)
    expect([4, 3, 2, 1].map((level) => entryIndex(vpn, level))).toEqual([254, 72, 418, 359])
  })

  test.each(addresses)('$va', (row) => {
    const vpn = vpnOf(Number(row['va']))
    expect(entryIndex(vpn, 4)).toBe(row['pgd'])
    expect(entryIndex(vpn, 3)).toBe(row['pud'])
    expect(entryIndex(vpn, 2)).toBe(row['pmd'])
    expect(entryIndex(vpn, 1)).toBe(row['pte'])
  })

  test('an entry covers 4 KiB, 2 MiB, 1 GiB, 512 GiB', () => {
    expect([1, 2, 3, 4].map((level) => entrySpan(level) * 4096)).toEqual([4096, 2 ** 21, 2 ** 30, 2 ** 39])
  })
})

test('an entry is a frame with its bits, or a swap slot, or nothing', () => {
  const pte = makePte(0xfffffff, PTE_WRITE | PTE_DIRTY)
  expect([isPresent(pte), isSwapPte(pte), ptePfn(pte), (pte & PTE_WRITE) !== 0]).toEqual([true, false, 0xfffffff, true])
  const swap = makeSwapPte(123456)
  expect([isPresent(swap), isSwapPte(swap), pteSwapSlot(swap)]).toEqual([false, true, 123456])
  // Slot 0 is the header of the first area: an entry never names it, and is never mistaken for "none".
  expect(makeSwapPte(0)).not.toBe(0)
  expect([isPresent(0), isSwapPte(0)]).toEqual([false, false])
})

describe('tables are made on demand', () => {
  test('a first page takes a PUD, a PMD and a PTE table; its neighbour takes none', () => {
    const { state, mm } = bareSpace()
    const before = pageTables(state)
    const slot = ensurePteSlot(state, mm, 0x10000)
    expect(pageTables(state) - before).toBe(3)
    expect(mm.pgtablesBytes).toBe(3 * 4096)
    expect(ensurePteSlot(state, mm, 0x10001)).toBe(slot + 1)
    expect(pageTables(state) - before).toBe(3)
    expect([mmOfSlot(state.pgtables, slot), vpnOfSlot(state.pgtables, slot)]).toEqual([mm.id, 0x10000])
    expect(findPteSlot(state, mm, 0x10000)).toBe(slot)
    expect(findPteSlot(state, mm, 0x20000)).toBe(-1)
  })

  test('1 GiB of 4 KiB pages needs 512 PTE tables and one PMD table (E2)', () => {
    const { state, mm } = bareSpace()
    const gib = 2 ** 18
    for (let vpn = 4 * gib; vpn < 5 * gib; vpn += 512) ensurePteSlot(state, mm, vpn)
    // The PUD table is shared with the rest of its 512 GiB.
    expect(mm.pgtablesBytes / 4096).toBe(512 + 1 + 1)
  })

  test('a table that cannot be had leaves no half-made path that counts', () => {
    const { state, mm } = bareSpace()
    const allocate = hooks.allocPages
    let left = 2
    hooks.allocPages = (...args) => (left-- > 0 ? allocate(...args) : 0)
    expect(ensurePteSlot(state, mm, 0x10000)).toBe(-1)
    hooks.allocPages = allocate
    expect(mm.pgtablesBytes).toBe(2 * 4096)
    expect(checkMm(state)).toEqual([])
    expect(ensurePteSlot(state, mm, 0x10000)).toBeGreaterThan(0)
  })

  test('the pool grows and every table keeps its place', () => {
    const { state, mm } = bareSpace()
    const slots = Array.from({ length: 200 }, (_, i) => ensurePteSlot(state, mm, i * 512))
    slots.forEach((slot, i) => setPte(state.pgtables, slot, makePte(i + 1, 0)))
    slots.forEach((slot, i) => {
      expect(ptePfn(pteAt(state.pgtables, slot))).toBe(i + 1)
      expect(tableBase(state.pgtables, tableOfSlot(slot))).toBe(i * 512)
    })
    slots.forEach((slot) => setPte(state.pgtables, slot, 0))
    freeAllTables(state, mm)
    expect(checkMm(state)).toEqual([])
  })
})

describe('tables go with the mappings that need them', () => {
  test('a range frees only tables that lie between its neighbours', () => {
    const { state, mm } = bareSpace()
    for (const vpn of [0x10000, 0x10200, 0x10400]) ensurePteSlot(state, mm, vpn)
    const before = mm.pgtablesBytes
    // The neighbours end inside the first table and begin inside the third: only the middle one is free.
    freePageTables(state, mm, 0x10010, 0x10410)
    expect((before - mm.pgtablesBytes) / 4096).toBe(1)
    expect([0x10000, 0x10200, 0x10400].map((vpn) => findPteSlot(state, mm, vpn) >= 0)).toEqual([true, false, true])
    freePageTables(state, mm, 0, Number.MAX_SAFE_INTEGER)
    expect(mm.pgtablesBytes).toBe(0)
    expect(childTable(state.pgtables, mm.pgd, 0)).toBe(-1)
  })

  test('a table with an entry stays', () => {
    const { state, mm } = bareSpace()
    const slot = ensurePteSlot(state, mm, 0x10000)
    setPte(state.pgtables, slot, makeSwapPte(5))
    freePageTables(state, mm, 0, Number.MAX_SAFE_INTEGER)
    expect(findPteSlot(state, mm, 0x10000)).toBe(slot)
    expect(tableUsed(state.pgtables, tableOfSlot(slot))).toBe(1)
    setPte(state.pgtables, slot, 0)
    freeAllTables(state, mm)
    expect(mm.pgd).toBe(-1)
  })

  test('freed tables are used again', () => {
    const { state, mm } = bareSpace()
    const slot = ensurePteSlot(state, mm, 0x10000)
    const count = state.pgtables.count
    freePageTables(state, mm, 0, Number.MAX_SAFE_INTEGER)
    ensurePteSlot(state, mm, 0x999000)
    expect(state.pgtables.count).toBe(count)
    expect(tableLevel(state.pgtables, tableOfSlot(slot))).toBeLessThan(4)
    expect(checkMm(state)).toEqual([])
  })
})

test('a walk visits the entries of a range in order and skips holes', () => {
  const { state, mm } = bareSpace()
  const vpns = [0x10000, 0x101ff, 0x10200, 0x50000, 0x50001]
  for (const vpn of vpns) setPte(state.pgtables, ensurePteSlot(state, mm, vpn), makeSwapPte(vpn & 0xfff))
  const seen: number[] = []
  forEachPte(state, mm, 0x10001, 0x50001, (slot) => seen.push(vpnOfSlot(state.pgtables, slot)))
  expect(seen).toEqual([0x101ff, 0x10200, 0x50000])
  for (const vpn of vpns) setPte(state.pgtables, findPteSlot(state, mm, vpn), 0)
})
