import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addAnonPages, addFilePage, addFilePages, lruState, newFile, newSpace } from '../../../test/lru-state'
import { lruvecOf } from './lruvec'
import { flushMemcgStats } from './memcg_flush'
import { PG_ACTIVE, PG_SWAPBACKED, PG_WORKINGSET, clearFlag, hasFlag, setFlag } from './memmap'
import { lruDel } from './swap'
import { WORKINGSET_ACTIVATE_FILE, WORKINGSET_REFAULT_FILE, WORKINGSET_RESTORE_FILE, readStat } from './vmstat'
import { packShadow, unpackShadow, workingsetEviction, workingsetRefault, workingsetSize } from './workingset'

test('a shadow gives back what went in', () => {
  fc.assert(
    fc.property(
      fc.nat((1 << 30) - 1),
      fc.integer({ min: 1, max: 65535 }),
      fc.nat(63),
      fc.boolean(),
      (age, memcg, nid, isWorkingset) => {
        const shadow = packShadow(age, memcg, nid, isWorkingset)
        expect(Number.isSafeInteger(shadow)).toBe(true)
        expect(shadow).not.toBe(0)
        expect(unpackShadow(shadow)).toEqual({ age, memcg, nid, isWorkingset })
      },
    ),
  )
})

/** A file page that is on no list, as if it had just been read again. */
function freshPage(state: ReturnType<typeof lruState>): number {
  const pfn = addFilePage(state, newFile(state, 1), 0)
  lruDel(state, pfn)
  return pfn
}

describe('classic refaults (spec 05 §5.5, E6)', () => {
  const counters = (state: ReturnType<typeof lruState>): number[] =>
    [WORKINGSET_REFAULT_FILE, WORKINGSET_ACTIVATE_FILE, WORKINGSET_RESTORE_FILE].map((i) =>
      readStat(state.nodes[0]!.stat, i),
    )

  test('a distance of 2500 is too far for 2000 active file pages, and near enough with 700 anonymous ones and swap', () => {
    const plain = lruState()
    addFilePages(plain, newFile(plain, 2000), 2000, { flags: PG_ACTIVE })
    const root = lruvecOf(plain, 1, 0)
    root.nonresidentAge = 7500
    const pfn = freshPage(plain)
    flushMemcgStats(plain, 1)
    expect(workingsetSize(plain, root, 1)).toBe(2000)
    workingsetRefault(plain, pfn, packShadow(5000, 1, 0, false))
    expect(hasFlag(plain.memmap, pfn, PG_ACTIVE)).toBe(false)
    expect(counters(plain)).toEqual([1, 0, 0])

    const swap = lruState({ swapSlots: 1000 })
    addFilePages(swap, newFile(swap, 2000), 2000, { flags: PG_ACTIVE })
    const { mm } = newSpace(swap)
    addAnonPages(swap, mm, 300, { flags: PG_ACTIVE })
    addAnonPages(swap, mm, 400)
    lruvecOf(swap, 1, 0).nonresidentAge = 7500
    const again = freshPage(swap)
    flushMemcgStats(swap, 1)
    expect(workingsetSize(swap, lruvecOf(swap, 1, 0), 1)).toBe(2700)
    workingsetRefault(swap, again, packShadow(5000, 1, 0, false))
    expect(hasFlag(swap.memmap, again, PG_ACTIVE)).toBe(true)
    expect(counters(swap)).toEqual([1, 1, 0])
  })

  test('a page that was active before comes back as working set and makes its type dearer', () => {
    const state = lruState()
    addFilePages(state, newFile(state, 500), 500, { flags: PG_ACTIVE })
    const pfn = freshPage(state)
    setFlag(state.memmap, pfn, PG_WORKINGSET)
    const shadow = workingsetEviction(state, pfn, 0)
    clearFlag(state.memmap, pfn, PG_WORKINGSET)
    workingsetRefault(state, pfn, shadow)
    expect(counters(state)).toEqual([1, 1, 1])
    expect(lruvecOf(state, 1, 0).fileCost).toBe(32)
  })

  test('eviction and activation both move the clock', () => {
    const state = lruState()
    const root = lruvecOf(state, 1, 0)
    workingsetEviction(state, freshPage(state), 0)
    expect(root.nonresidentAge).toBe(1)
  })
})

describe('MGLRU refaults (spec 05 §5.10)', () => {
  test('a refault is recent while the generation it was evicted from is still the oldest', () => {
    const state = lruState({ mglru: true })
    const root = lruvecOf(state, 1, 0)
    const pfn = freshPage(state)
    const shadow = workingsetEviction(state, pfn, 0)
    expect(root.gen.evicted[4]).toBe(1)
    workingsetRefault(state, pfn, shadow)
    expect(root.gen.refaulted[4]).toBe(1)
    root.gen.minSeq[1]!++
    workingsetRefault(state, pfn, shadow)
    expect(root.gen.refaulted[4]).toBe(1)
    expect(readStat(state.nodes[0]!.stat, WORKINGSET_REFAULT_FILE)).toBe(2)
    expect(readStat(state.nodes[0]!.stat, WORKINGSET_ACTIVATE_FILE)).toBe(1)
  })
  test('a page that a fault brings back becomes working set', () => {
    const state = lruState({ mglru: true })
    const pfn = freshPage(state)
    setFlag(state.memmap, pfn, PG_SWAPBACKED)
    workingsetRefault(state, pfn, workingsetEviction(state, pfn, 0), true)
    expect(hasFlag(state.memmap, pfn, PG_WORKINGSET)).toBe(true)
  })
})
