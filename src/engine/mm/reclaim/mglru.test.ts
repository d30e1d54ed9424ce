import { describe, expect, test } from 'vitest'
import {
  addAnonPages,
  addFilePage,
  addFilePages,
  letTimePass,
  lruState,
  newFile,
  newSpace,
  setFree,
  setMarks,
  testZone,
} from '../../../../test/lru-state'
import { addProcess, makeGroup } from '../../../../test/memcg-state'
import type { KernelState } from '../../state'
import { GFP_KERNEL } from '../gfp'
import { checkLru } from '../lru_check'
import { lruvecOf, type Lruvec } from '../lruvec'
import { MEMCG_LOW, MEMCG_MAX } from '../memcontrol'
import { pageFlags } from '../memmap'
import { folioMarkAccessed, lruAddDrainAll } from '../swap'
import { tryToFreePages } from '../direct_reclaim'
import { tryToFreeMemcgPages } from '../vmscan'
import {
  NR_ACTIVE_ANON,
  NR_ACTIVE_FILE,
  NR_INACTIVE_ANON,
  NR_INACTIVE_FILE,
  PGSCAN_ANON,
  PGSCAN_DIRECT,
  PGSCAN_FILE,
  PGSTEAL_DIRECT,
  PSWPOUT,
  readStat,
  vmEvent,
} from '../vmstat'
import { setMglruEnabled } from './index'
import { folioLruGen, folioLruRefs, genFromSeq, genSize, lruTierFromRefs } from './lru_gen'
import { shouldRunAging, tryToIncMaxSeq } from './mglru_aging'
import { getTypeToScan, positiveCtrlErr } from './mglru_pid'
import { initialPriority } from './mglru_priority'

const stat = (state: KernelState, item: number): number => readStat(state.nodes[0]!.stat, item)
const root = (state: KernelState): Lruvec => lruvecOf(state, 1, 0)
const reclaim = (state: KernelState): number =>
  tryToFreePages(state, { order: 0, gfp: GFP_KERNEL, nid: 0, highestZoneidx: 3 })

/** Generation numbers with their sizes, oldest first: 'anon 0:0 1:0 2:0 3:5'. */
function generations(state: KernelState, type: 0 | 1): string {
  const g = root(state).gen
  const parts: string[] = []
  for (let seq = g.minSeq[type]!; seq <= g.maxSeq; seq++) parts.push(`${seq}:${genSize(g, genFromSeq(seq), type)}`)
  return parts.join(' ')
}

describe('where pages begin (spec 05 §5.10)', () => {
  test('an empty lruvec has generations 0 to 3', () => {
    const state = lruState({ mglru: true })
    expect(generations(state, 0)).toBe('0:0 1:0 2:0 3:0')
  })
  test('a faulted anonymous page is in the youngest generation and counts as active', () => {
    const state = lruState({ mglru: true })
    addAnonPages(state, newSpace(state).mm, 5)
    expect(generations(state, 0)).toBe('0:0 1:0 2:0 3:5')
    expect([stat(state, NR_ACTIVE_ANON), stat(state, NR_INACTIVE_ANON)]).toEqual([5, 0])
  })
  test('file read by read(2) is in the generation after the oldest and counts as inactive', () => {
    const state = lruState({ mglru: true })
    addFilePages(state, newFile(state, 7), 7)
    expect(generations(state, 1)).toBe('0:0 1:7 2:0 3:0')
    expect([stat(state, NR_ACTIVE_FILE), stat(state, NR_INACTIVE_FILE)]).toEqual([0, 7])
  })
  test('reading again does not move a page, it raises its references and tier', () => {
    const state = lruState({ mglru: true })
    const [pfn] = addFilePages(state, newFile(state, 1), 1)
    const seen: number[][] = []
    for (let i = 0; i < 6; i++) {
      folioMarkAccessed(state, pfn!)
      const refs = folioLruRefs(pageFlags(state.memmap, pfn!))
      seen.push([refs, lruTierFromRefs(refs)])
    }
    expect(seen).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 2],
      [4, 3],
      [4, 3],
    ])
    expect(generations(state, 1)).toBe('0:0 1:1 2:0 3:0')
  })
})

describe('aging', () => {
  test('used pages stay in what was the youngest generation; unused ones grow old', () => {
    const state = lruState({ mglru: true, swapSlots: 1000 })
    const { mm } = newSpace(state)
    addProcess(state, { pid: 10, comm: 'hog' }).mm = mm.id
    addAnonPages(state, mm, 10)
    tryToIncMaxSeq(state, root(state), true)
    expect(generations(state, 0)).toBe('1:0 2:0 3:10 4:0')
    expect(stat(state, NR_ACTIVE_ANON)).toBe(10)
    tryToIncMaxSeq(state, root(state), true)
    expect(stat(state, NR_INACTIVE_ANON)).toBe(10)
    tryToIncMaxSeq(state, root(state), true)
    expect(generations(state, 0)).toBe('3:10 4:0 5:0 6:0')
    expect(checkLru(state)).toEqual([])
  })
  test('is due when the two youngest generations hold everything', () => {
    const state = lruState({ mglru: true, swapSlots: 1000 })
    const g = root(state).gen
    g.minSeq.set([1, 1])
    expect(shouldRunAging(root(state), true)).toEqual({ shouldAge: false, total: 0 })
    g.minSeq.set([2, 2])
    expect(shouldRunAging(root(state), true).shouldAge).toBe(true)
  })
  test('the fourth generation merges the oldest into the next', () => {
    const state = lruState({ mglru: true })
    addFilePages(state, newFile(state, 3), 3)
    tryToIncMaxSeq(state, root(state), false)
    tryToIncMaxSeq(state, root(state), false)
    expect(generations(state, 1)).toBe('2:3 3:0 4:0 5:0')
    expect(checkLru(state)).toEqual([])
  })
})

describe('eviction', () => {
  function machine(pages: { file: number; anon: number; swapSlots?: number; swappiness?: number }): KernelState {
    const state = lruState({ mib: 256, mglru: true, swapSlots: pages.swapSlots ?? 20_000 })
    state.sysctl.swappiness = pages.swappiness ?? 60
    const { mm } = newSpace(state)
    addProcess(state, { pid: 10, comm: 'hog' }).mm = mm.id
    addAnonPages(state, mm, pages.anon)
    addFilePages(state, newFile(state, pages.file), pages.file)
    setMarks(testZone(state), 300, 400, 500)
    setFree(state, 300)
    return state
  }

  test('a direct reclaim takes one batch of 64', () => {
    const state = machine({ file: 20_000, anon: 1000 })
    expect(reclaim(state)).toBe(64)
    expect([vmEvent(state.vmstat, PGSCAN_DIRECT), vmEvent(state.vmstat, PGSTEAL_DIRECT)]).toEqual([64, 64])
  })
  test.each([60, 100, 200])('swappiness %i is invisible while there is file to take', (swappiness) => {
    const state = machine({ file: 10_000, anon: 10_000, swappiness })
    for (let i = 0; i < 100; i++) reclaim(state)
    expect(vmEvent(state.vmstat, PGSCAN_ANON)).toBe(0)
    expect(vmEvent(state.vmstat, PGSCAN_FILE)).toBe(6400)
  })
  test('once file is used up anonymous pages are aged and written: each is scanned twice', () => {
    const state = machine({ file: 200, anon: 20_000 })
    for (let i = 0; i < 60; i++) {
      reclaim(state)
      letTimePass(state, 5_000_000)
    }
    expect(stat(state, NR_INACTIVE_FILE) + stat(state, NR_ACTIVE_FILE)).toBe(0)
    expect(vmEvent(state.vmstat, PSWPOUT)).toBeGreaterThan(1000)
    const stolen = vmEvent(state.vmstat, PGSTEAL_DIRECT) - 200
    expect(vmEvent(state.vmstat, PGSCAN_ANON) / stolen).toBeGreaterThan(1.8)
    expect(vmEvent(state.vmstat, PGSCAN_ANON) / stolen).toBeLessThan(2.2)
    expect(checkLru(state)).toEqual([])
  })
  test('swappiness 0 never reaches anonymous pages, with a gigabyte of swap free', () => {
    const state = machine({ file: 100, anon: 20_000, swappiness: 0 })
    for (let i = 0; i < 20; i++) reclaim(state)
    expect(reclaim(state)).toBe(0)
    expect(vmEvent(state.vmstat, PGSCAN_ANON)).toBe(0)
  })
  test('less than 64 pages of swap room are none', () => {
    const state = machine({ file: 0, anon: 20_000, swapSlots: 63 })
    expect(reclaim(state)).toBe(0)
    expect(vmEvent(state.vmstat, PSWPOUT)).toBe(0)
  })
  test('pages read several times are taken like others while refaults are few', () => {
    const state = lruState({ mib: 64, mglru: true })
    const pfns = addFilePages(state, newFile(state, 1000), 1000)
    for (let i = 0; i < 3; i++) for (const pfn of pfns) folioMarkAccessed(state, pfn)
    setMarks(testZone(state), 300, 400, 500)
    setFree(state, 300)
    expect(reclaim(state)).toBe(64)
  })
})

describe('feedback', () => {
  test('fewer than 64 refaults never protect', () => {
    expect(positiveCtrlErr({ refaulted: 0, total: 1, gain: 1 }, { refaulted: 63, total: 64, gain: 1 })).toBe(true)
    expect(positiveCtrlErr({ refaulted: 0, total: 1000, gain: 1 }, { refaulted: 64, total: 64, gain: 1 })).toBe(false)
  })
  test('the type with fewer refaults for its evictions is taken', () => {
    const g = root(lruState({ mglru: true })).gen
    expect(getTypeToScan(g, 60)).toEqual({ type: 1, tier: 3 })
    g.evicted[4] = 1000
    g.refaulted[4] = 900
    expect(getTypeToScan(g, 60).type).toBe(0)
  })
})

describe('where kswapd begins', () => {
  test.each([
    [32803, 1019, 6],
    [1_000_000, 64, 12],
    [100_000, 1500, 6],
    [1_000_000, 1500, 8],
  ])('%i reclaimable pages and a target of %i: priority %i', (pages, target, priority) => {
    expect(initialPriority(pages, target)).toBe(priority)
  })
})

describe('groups', () => {
  test('a group at its limit frees 64 pages for each max event: two passes over four times the limit (07 E6c, scaled)', () => {
    const state = lruState({ mib: 256, mglru: true })
    const group = makeGroup(state, '/a')
    addProcess(state, { pid: 10, comm: 'reader', group: '/a' })
    state.exec.pid = 10
    group.memory.max = 4096
    const inode = newFile(state, 16_384)
    for (let i = 0; i < 16_384; i++) addFilePage(state, inode, i, { memcg: group.id, gfp: GFP_KERNEL })
    expect(group.events[MEMCG_MAX]).toBe((16_384 - 4096) / 64)
    expect(vmEvent(state.vmstat, PGSCAN_FILE)).toBe(64 * group.events[MEMCG_MAX]!)
    expect(vmEvent(state.vmstat, PGSCAN_DIRECT)).toBe(0)
    expect(checkLru(state)).toEqual([])
  })

  const TOUCHED = 4000
  function twoGroups(low: number, min: number): { state: KernelState; ids: number[] } {
    const state = lruState({ mib: 128, mglru: true })
    const ids = [makeGroup(state, '/p').id, makeGroup(state, '/u').id]
    for (const id of ids) addFilePages(state, newFile(state, TOUCHED), TOUCHED, { memcg: id })
    state.memcgs[ids[0]!]!.memory.low = low
    state.memcgs[ids[0]!]!.memory.min = min
    state.memcgs[ids[0]!]!.memory.elow = low
    state.memcgs[ids[0]!]!.memory.emin = min
    setMarks(testZone(state), 300, 400, 500)
    setFree(state, 300)
    return { state, ids }
  }
  const taken = (state: KernelState, id: number): number => {
    const g = lruvecOf(state, id, 0).gen
    let left = 0
    for (let gen = 0; gen < 4; gen++) left += genSize(g, gen, 1)
    return TOUCHED - left
  }

  test('memory.low does not scale what a visit takes: half of it protected, equal losses', () => {
    const { state, ids } = twoGroups(2000, 0)
    for (let i = 0; i < 50; i++) reclaim(state)
    const [p, u] = ids.map((id) => taken(state, id))
    expect(p! + u!).toBe(3200)
    expect(p! / u!).toBeGreaterThan(0.5)
    expect(p! / u!).toBeLessThan(2)
  })
  test('below memory.low a group is passed over once, then taken from with an event', () => {
    const { state, ids } = twoGroups(TOUCHED + 200, 0)
    for (let i = 0; i < 50; i++) reclaim(state)
    expect(taken(state, ids[0]!)).toBeGreaterThan(0)
    expect(state.memcgs[ids[0]!]!.events[MEMCG_LOW]).toBeGreaterThan(0)
  })
  test('memory.min stops a group within one batch', () => {
    const { state, ids } = twoGroups(0, 3000)
    for (let i = 0; i < 60; i++) reclaim(state)
    expect(taken(state, ids[0]!)).toBeLessThanOrEqual(1000 + 64)
    expect(taken(state, ids[1]!)).toBeGreaterThan(2000)
  })
  test('limit reclaim from a parent visits its children in turn', () => {
    const { state, ids } = twoGroups(0, 0)
    for (let i = 0; i < 10; i++)
      tryToFreeMemcgPages(state, ids[0]!, 32, GFP_KERNEL, { maySwap: true, proactive: false })
    expect(ids.map((id) => taken(state, id))).toEqual([640, 0])
  })
})

test('switching the policy moves every page and changes no sum', () => {
  const state = lruState({ mib: 64, mglru: true, swapSlots: 1000 })
  addAnonPages(state, newSpace(state).mm, 50)
  addFilePages(state, newFile(state, 70), 70)
  setMglruEnabled(state, 0)
  lruAddDrainAll(state)
  expect([NR_INACTIVE_ANON, NR_ACTIVE_ANON, NR_INACTIVE_FILE, NR_ACTIVE_FILE].map((i) => stat(state, i))).toEqual([
    0, 50, 70, 0,
  ])
  expect(checkLru(state)).toEqual([])
  setMglruEnabled(state, 7)
  expect(stat(state, NR_ACTIVE_ANON) + stat(state, NR_INACTIVE_ANON)).toBe(50)
  expect(folioLruGen(0)).toBe(-1)
  expect(checkLru(state)).toEqual([])
})
