import { describe, expect, test } from 'vitest'
import {
  addAnonPages,
  addFilePages,
  letTimePass,
  lruState,
  mapFilePage,
  newFile,
  newSpace,
  setFree,
  setMarks,
  testZone,
} from '../../../../test/lru-state'
import { makeGroup } from '../../../../test/memcg-state'
import type { KernelState } from '../../state'
import { GFP_KERNEL } from '../gfp'
import { checkLru } from '../lru_check'
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  lruvecOf,
  lruvecPageState,
} from '../lruvec'
import { PG_ACTIVE, PG_REFERENCED, PG_WORKINGSET, clearFlag, hasFlag, listHead, setFlag } from '../memmap'
import { MEMCG_LOW } from '../memcontrol'
import { MM_ANONPAGES, MM_SWAPENTS, VM_EXEC } from '../mm_types'
import { PTE_ACCESSED, pteAt, setPte } from '../pgtable'
import { folioReferenced } from '../rmap'
import { exactRss } from '../rss'
import { folioMarkAccessed } from '../swap'
import { nrSwapPages } from '../swap_space'
import { tryToFreePages } from '../direct_reclaim'
import { tryToFreeMemcgPages } from '../vmscan'
import { NR_SWAPCACHED, PGACTIVATE, PGDEACTIVATE, PGSCAN_DIRECT, PSWPOUT, readStat, vmEvent } from '../vmstat'
import { shrinkInactiveList } from './lru_lists'
import { createScanControl, type ScanControl } from './scan_control'

const direct = (): ScanControl =>
  createScanControl({ kind: 'direct', target: 0, nrToReclaim: 32, order: 0, gfp: GFP_KERNEL, reclaimIdx: 4 })

const scanFile = (state: KernelState, nr = 1): number =>
  shrinkInactiveList(state, direct(), lruvecOf(state, 1, 0), LRU_INACTIVE_FILE, nr)
const scanAnon = (state: KernelState, nr = 1): number =>
  shrinkInactiveList(state, direct(), lruvecOf(state, 1, 0), LRU_INACTIVE_ANON, nr)

/** One clean page of a file, mapped young by `spaces` address spaces. */
function mappedPage(spaces: number, flags = 0): { state: KernelState; pfn: number; slots: number[] } {
  const state = lruState()
  const inode = newFile(state, 1)
  const [pfn] = addFilePages(state, inode, 1)
  const slots: number[] = []
  for (let i = 0; i < spaces; i++) {
    const { mm, file } = newSpace(state, inode)
    file.flags |= flags
    slots.push(mapFilePage(state, mm, 0, pfn!, PTE_ACCESSED))
  }
  return { state, pfn: pfn!, slots }
}

const touchAgain = (state: KernelState, slot: number): void =>
  setPte(state.pgtables, slot, pteAt(state.pgtables, slot) | PTE_ACCESSED)

describe('second chance of a mapped page (spec 05 E11)', () => {
  test('young at the first scan: kept, and reclaimed at the second when nobody used it again', () => {
    const { state, pfn, slots } = mappedPage(1)
    expect(scanFile(state)).toBe(0)
    expect(hasFlag(state.memmap, pfn, PG_REFERENCED)).toBe(true)
    expect(pteAt(state.pgtables, slots[0]!) & PTE_ACCESSED).toBe(0)
    expect(listHead(lruvecOf(state, 1, 0).lists, LRU_INACTIVE_FILE)).toBe(pfn)
    expect(scanFile(state)).toBe(1)
    expect(checkLru(state)).toEqual([])
  })
  test('used again between the scans: activated', () => {
    const { state, pfn, slots } = mappedPage(1)
    scanFile(state)
    touchAgain(state, slots[0]!)
    expect(scanFile(state)).toBe(0)
    expect(hasFlag(state.memmap, pfn, PG_ACTIVE)).toBe(true)
    expect(vmEvent(state.vmstat, PGACTIVATE)).toBe(1)
  })
  test('young in two address spaces: activated at once', () => {
    const { state, pfn } = mappedPage(2)
    scanFile(state)
    expect(hasFlag(state.memmap, pfn, PG_ACTIVE)).toBe(true)
  })
  test('young in an executable mapping: activated at once', () => {
    const { state, pfn } = mappedPage(1, VM_EXEC)
    scanFile(state)
    expect(hasFlag(state.memmap, pfn, PG_ACTIVE)).toBe(true)
  })
  test('an anonymous page: kept once, written at the second scan, freed after the write', () => {
    const state = lruState({ swapSlots: 100 })
    const { mm } = newSpace(state)
    addAnonPages(state, mm, 1)
    expect(scanAnon(state)).toBe(0)
    expect(scanAnon(state)).toBe(0)
    expect(vmEvent(state.vmstat, PSWPOUT)).toBe(1)
    expect([exactRss(state, mm.id, MM_ANONPAGES), exactRss(state, mm.id, MM_SWAPENTS)]).toEqual([0, 1])
    letTimePass(state, 1_000_000)
    expect(scanAnon(state)).toBe(1)
    expect(readStat(state.nodes[0]!.stat, NR_SWAPCACHED)).toBe(0)
    expect(nrSwapPages(state)).toBe(99)
    expect(checkLru(state)).toEqual([])
  })
})

describe('access through descriptors (spec 05 E12)', () => {
  test('the first read marks the page, the second activates it', () => {
    const state = lruState()
    const [pfn] = addFilePages(state, newFile(state, 1), 1)
    folioMarkAccessed(state, pfn!)
    expect(vmEvent(state.vmstat, PGACTIVATE)).toBe(0)
    folioMarkAccessed(state, pfn!)
    expect(vmEvent(state.vmstat, PGACTIVATE)).toBe(1)
    expect(hasFlag(state.memmap, pfn!, PG_ACTIVE)).toBe(true)
    expect(hasFlag(state.memmap, pfn!, PG_REFERENCED)).toBe(false)
  })
  test('one read and one young PTE: activated at the scan', () => {
    const { state, pfn } = mappedPage(1)
    folioMarkAccessed(state, pfn)
    scanFile(state)
    expect(hasFlag(state.memmap, pfn, PG_ACTIVE)).toBe(true)
  })
})

describe('what is scanned', () => {
  /** 512 MiB, `file` inactive and `active` active file pages, `anon` anonymous pages, no page free. */
  function machine(pages: { file: number; active?: number; anon: number }, swapSlots = 10_000): KernelState {
    const state = lruState({ mib: 256, swapSlots })
    const inode = newFile(state, pages.file + (pages.active ?? 0))
    addFilePages(state, inode, pages.active ?? 0, { flags: PG_ACTIVE })
    addFilePages(state, inode, pages.file)
    // Old: their first second chance is behind them.
    for (const pfn of addAnonPages(state, newSpace(state).mm, pages.anon)) folioReferenced(state, pfn)
    setMarks(testZone(state), 300, 400, 500)
    setFree(state, 300)
    return state
  }
  const reclaim = (state: KernelState): number =>
    tryToFreePages(state, { order: 0, gfp: GFP_KERNEL, nid: 0, highestZoneidx: 3 })
  const file = (state: KernelState): number => readStat(state.nodes[0]!.stat, 2) + readStat(state.nodes[0]!.stat, 3)

  test.each([1, 60, 100, 200])('plenty of unused cache: swappiness %i scans no anonymous page', (swappiness) => {
    const state = machine({ file: 20_000, anon: 20_000 })
    state.sysctl.swappiness = swappiness
    reclaim(state)
    expect(vmEvent(state.vmstat, PSWPOUT)).toBe(0)
    expect(file(state)).toBeLessThan(20_000)
  })
  test('cache that was used twice and swappiness 200: no file page is taken', () => {
    const state = machine({ file: 10, active: 20_000, anon: 20_000 })
    state.sysctl.swappiness = 200
    for (let i = 0; i < 20; i++) {
      reclaim(state)
      letTimePass(state, 5_000_000)
    }
    expect(file(state)).toBe(20_010)
    expect(vmEvent(state.vmstat, PSWPOUT)).toBeGreaterThan(0)
  })
  test('hardly any file left: anonymous pages go, whatever the swappiness', () => {
    const state = machine({ file: 100, anon: 40_000 })
    state.sysctl.swappiness = 0
    for (let i = 0; i < 20; i++) reclaim(state)
    expect(vmEvent(state.vmstat, PSWPOUT)).toBeGreaterThan(0)
  })
  test('without swap only file is scanned', () => {
    const state = machine({ file: 2000, anon: 40_000 }, 0)
    reclaim(state)
    expect(vmEvent(state.vmstat, PGSCAN_DIRECT)).toBe(20_000 === file(state) ? 0 : 2000 - file(state))
    expect(lruvecPageState(state, lruvecOf(state, 1, 0), LRU_INACTIVE_ANON)).toBe(40_000)
  })
  test('an active list that is longer than the inactive one refills it, and its pages become working set', () => {
    const state = machine({ file: 100, active: 20_000, anon: 0 }, 0)
    reclaim(state)
    const deactivated = vmEvent(state.vmstat, PGDEACTIVATE)
    expect(deactivated).toBeGreaterThan(0)
    expect(lruvecPageState(state, lruvecOf(state, 1, 0), LRU_ACTIVE_FILE)).toBe(20_000 - deactivated)
    expect(hasFlag(state.memmap, listHead(lruvecOf(state, 1, 0).lists, LRU_INACTIVE_FILE), PG_WORKINGSET)).toBe(true)
    expect(checkLru(state)).toEqual([])
  })
  test('when nothing is left the active list is used although it was spared before', () => {
    const state = machine({ file: 0, active: 40, anon: 0 }, 0)
    // 40 active and 0 inactive pages: low; with as many inactive ones it would be spared.
    expect(reclaim(state)).toBeGreaterThan(0)
  })
})

describe('groups', () => {
  const TOUCHED = 4000
  function groups(): { state: KernelState; ids: [number, number] } {
    const state = lruState({ mib: 128 })
    const ids = [makeGroup(state, '/p').id, makeGroup(state, '/u').id] as [number, number]
    for (const id of ids) addFilePages(state, newFile(state, TOUCHED), TOUCHED, { memcg: id })
    return { state, ids }
  }
  const size = (state: KernelState, id: number): number =>
    lruvecPageState(state, lruvecOf(state, id, 0), LRU_INACTIVE_FILE)

  test('pressure on a group grows with its unprotected part (spec 07 §7.5, classic)', () => {
    const { state, ids } = groups()
    state.memcgs[ids[0]]!.memory.low = 2000
    setMarks(testZone(state), 300, 400, 500)
    setFree(state, 300)
    for (let i = 0; i < 60; i++) tryToFreePages(state, { order: 0, gfp: GFP_KERNEL, nid: 0, highestZoneidx: 3 })
    const [p, u] = ids.map((id) => TOUCHED - size(state, id)) as [number, number]
    expect(p + u).toBeGreaterThan(1000)
    expect(p / u).toBeGreaterThan(0.35)
    expect(p / u).toBeLessThan(0.65)
    expect(state.memcgs[ids[0]]!.events[MEMCG_LOW]).toBe(0)
  })
  test('a group below memory.low is taken from when nothing else is left, and says so', () => {
    const { state, ids } = groups()
    for (const id of ids) state.memcgs[id]!.memory.low = TOUCHED + 100
    expect(tryToFreePages(state, { order: 0, gfp: GFP_KERNEL, nid: 0, highestZoneidx: 3 })).toBeGreaterThan(0)
    expect(ids.map((id) => state.memcgs[id]!.events[MEMCG_LOW]! > 0)).toContain(true)
  })
  test('a group below memory.min is never taken from', () => {
    const { state, ids } = groups()
    for (const id of ids) state.memcgs[id]!.memory.min = TOUCHED + 100
    expect(tryToFreePages(state, { order: 0, gfp: GFP_KERNEL, nid: 0, highestZoneidx: 3 })).toBe(0)
  })
  test('limit reclaim takes from the group only and does not count in pgscan_direct', () => {
    const { state, ids } = groups()
    const freed = tryToFreeMemcgPages(state, ids[0], 100, GFP_KERNEL, { maySwap: true, proactive: false })
    expect(freed).toBeGreaterThanOrEqual(100)
    expect(size(state, ids[0])).toBe(TOUCHED - freed)
    expect(size(state, ids[1])).toBe(TOUCHED)
    expect(vmEvent(state.vmstat, PGSCAN_DIRECT)).toBe(0)
  })
  test('limit reclaim of a parent with partial walks goes round its children', () => {
    const state = lruState({ mib: 128 })
    const parent = makeGroup(state, '/p').id
    const children = ['/p/a', '/p/b', '/p/c'].map((path) => makeGroup(state, path).id)
    for (const id of children) addFilePages(state, newFile(state, TOUCHED), TOUCHED, { memcg: id })
    for (let i = 0; i < 12; i++) tryToFreeMemcgPages(state, parent, 32, GFP_KERNEL, { maySwap: true, proactive: false })
    const taken = children.map((id) => TOUCHED - size(state, id))
    expect(Math.max(...taken) - Math.min(...taken)).toBeLessThanOrEqual(2 * 64)
    expect(Math.min(...taken)).toBeGreaterThan(0)
  })
})

test('a page whose slot is clean in the swap cache is dropped without writing again', () => {
  const state = lruState({ swapSlots: 100 })
  const { mm } = newSpace(state)
  const [pfn] = addAnonPages(state, mm, 1)
  scanAnon(state)
  scanAnon(state)
  letTimePass(state, 1_000_000)
  clearFlag(state.memmap, pfn!, PG_REFERENCED)
  setFlag(state.memmap, pfn!, 0)
  expect(scanAnon(state)).toBe(1)
  expect(vmEvent(state.vmstat, PSWPOUT)).toBe(1)
  expect(lruvecPageState(state, lruvecOf(state, 1, 0), LRU_ACTIVE_ANON)).toBe(0)
})

test('a machine whose pages are all active and anonymous is reclaimed, although old sums say that no list is short', () => {
  const state = lruState({ swapSlots: 4000 })
  addAnonPages(state, newSpace(state).mm, 2000, { flags: PG_ACTIVE })
  const lruvec = lruvecOf(state, 1, 0)
  // What was summed up last, a moment before the pages came: nothing on either list.
  state.reclaim.statsFlushedNs = state.nowNs
  lruvec.flushed.fill(0)
  expect(lruvec.lists[2 * LRU_INACTIVE_ANON]).toBe(0)
  const freed: number[] = []
  for (let i = 0; i < 8; i++) {
    freed.push(tryToFreePages(state, { order: 0, gfp: GFP_KERNEL, nid: 0, highestZoneidx: 3 }))
    letTimePass(state, 1_000_000)
  }
  // The OOM killer would come after 16 fruitless rounds.
  expect(Math.max(...freed)).toBeGreaterThan(0)
  expect(checkLru(state)).toEqual([])
})
