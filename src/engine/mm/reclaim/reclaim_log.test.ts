import { describe, expect, test } from 'vitest'
import {
  addAnonPages,
  addFilePages,
  lruState,
  newFile,
  newSpace,
  setFree,
  setMarks,
  testZone,
} from '../../../../test/lru-state'
import { makeGroup } from '../../../../test/memcg-state'
import type { KernelState } from '../../state'
import { digestTree } from '../../../util/hash'
import { tryToFreePages } from '../direct_reclaim'
import { GFP_KERNEL } from '../gfp'
import { PGSCAN_ANON, PGSCAN_FILE, PGSTEAL_ANON, PGSTEAL_FILE, vmEvent } from '../vmstat'
import { tryToFreeMemcgPages } from '../vmscan'
import { balanceView, lookingScan } from './balance_view'
import { gensView } from './gens_view'
import { listsView } from './lists_view'
import { openRun, openVisit } from './reclaim_log'
import { RUNS_MAX, VISITS_MAX } from './reclaim_record'
import { runsView } from './runs_view'
import { lruvecOf } from '../lruvec'
import { flushMemcgStats } from '../memcg_flush'

const reclaim = (state: KernelState): number =>
  tryToFreePages(state, { order: 0, gfp: GFP_KERNEL, nid: 0, highestZoneidx: 3 })

const sum = ([anon, file]: readonly [number, number]): number => anon + file

describe.each([false, true])('the record of reclaim, MGLRU %s', (mglru) => {
  function machine(): KernelState {
    const state = lruState({ mglru, swapSlots: 4000 })
    addAnonPages(state, newSpace(state).mm, 3000)
    addFilePages(state, newFile(state, 3000), 3000)
    return state
  }

  test('pages that moved since boot are those of /proc/vmstat', () => {
    const state = machine()
    for (let i = 0; i < 20; i++) reclaim(state)
    const { moves } = listsView(state, 0, 1)
    expect(moves.scanned).toEqual([vmEvent(state.vmstat, PGSCAN_ANON), vmEvent(state.vmstat, PGSCAN_FILE)])
    expect(moves.stolen).toEqual([vmEvent(state.vmstat, PGSTEAL_ANON), vmEvent(state.vmstat, PGSTEAL_FILE)])
    expect(sum(moves.scanned)).toBeGreaterThan(0)
  })

  test('the passes of a run add up to what it scanned and freed', () => {
    const state = machine()
    const freed = reclaim(state)
    const [run] = runsView(state, { nid: 0, groups: [], most: 1 })
    expect(run).toMatchObject({ kind: 'direct', nrReclaimed: freed })
    expect(run!.passes.reduce((total, pass) => total + sum(pass.stolen) + pass.slab, 0)).toBe(freed)
    expect(run!.passes.reduce((total, pass) => total + sum(pass.scanned), 0)).toBe(run!.nrScanned)
    expect(run!.endNs).toBeGreaterThan(run!.startNs)
    expect(run!.freeAfter).toBeGreaterThan(run!.freeBefore)
  })

  test("a group's limit is a run of its own, found by its group and by no other", () => {
    const state = machine()
    const group = makeGroup(state, '/a').id
    const other = makeGroup(state, '/b').id
    addFilePages(state, newFile(state, 500), 500, { memcg: group })
    tryToFreeMemcgPages(state, group, 32, GFP_KERNEL, { maySwap: true, proactive: false })
    expect(runsView(state, { nid: 0, groups: [group], most: 5 })).toMatchObject([{ kind: 'memcg', target: group }])
    expect(runsView(state, { nid: 0, groups: [other], most: 5 })).toEqual([])
  })

  test('looking changes nothing', () => {
    const state = machine()
    reclaim(state)
    const before = digestTree(state)
    listsView(state, 0, 1)
    balanceView(state, 0, 1, 0)
    gensView(state, lookingScan(0), 0, [1])
    runsView(state, { nid: 0, groups: [], most: 50 })
    expect(digestTree(state)).toBe(before)
  })
})

test('a run that is overtaken by the ring writes into nobody else’s row', () => {
  const state = lruState({ mib: 64 })
  const old = lookingScan(0)
  openRun(state, old, 0)
  openVisit(state, old, lruvecOf(state, 1, 0), 0)
  for (let i = 0; i < Math.max(RUNS_MAX, VISITS_MAX); i++) {
    const sc = lookingScan(0)
    openRun(state, sc, 0)
    openVisit(state, sc, lruvecOf(state, 1, 0), 0)
  }
  const visits = state.reclaim.reclaimLog.nrVisits
  openVisit(state, old, lruvecOf(state, 1, 0), 0)
  expect(state.reclaim.reclaimLog.nrVisits).toBe(visits)
  expect(runsView(state, { nid: 0, groups: [], most: 1000 })).toHaveLength(RUNS_MAX)
})

test('each priority has its own balance: the formula, then only cache, then both alike', () => {
  const state = lruState({ mib: 128, swapSlots: 4000 })
  setMarks(testZone(state), 100, 125, 150)
  setFree(state, 10_000)
  const { mm } = newSpace(state)
  addAnonPages(state, mm, 2000)
  addFilePages(state, newFile(state, 3000), 3000)
  flushMemcgStats(state, 1)
  const view = balanceView(state, 0, 1, 0)
  expect(view).toMatchObject({ swappiness: 60, anonCost: 0, fileCost: 0, anonShare: 60, fileShare: 140 })
  const at = (priority: number) => view.rows.find((row) => row.priority === priority)!
  // 3000 >> 12 is 0: no cache to trim at the first priority, so the formula rules; at 11 the cache is trimmed.
  expect(at(12).balance).toBe('FRACT')
  expect(at(11)).toMatchObject({ balance: 'FILE', scan: [0, 0, 1, 0] })
  expect(at(0)).toMatchObject({ balance: 'EQUAL', scan: [2000, 0, 3000, 0] })
})
