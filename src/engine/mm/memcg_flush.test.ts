import { expect, test } from 'vitest'
import { addFilePages, letTimePass, lruState, newFile } from '../../../test/lru-state'
import { makeGroup } from '../../../test/memcg-state'
import { NS_PER_S } from '../../util/units'
import { GFP_KERNEL } from './gfp'
import { LRU_ACTIVE_FILE, LRU_INACTIVE_FILE, lruvecOf, lruvecPageState, lruvecFlushedState } from './lruvec'
import { FLUSH_TIME, flushMemcgStats, flushMemcgStatsRatelimited, handleMemcgFlush } from './memcg_flush'
import { PG_ACTIVE } from './memmap'
import { tryToFreePages } from './direct_reclaim'

const NOW = { order: 0, gfp: GFP_KERNEL, nid: 0, highestZoneidx: 3 }

test('list lengths are those of the last sum, groups below included', () => {
  const state = lruState()
  const { id } = makeGroup(state, '/a')
  addFilePages(state, newFile(state, 500), 500, { memcg: id })
  const seen = (): number => lruvecFlushedState(state, lruvecOf(state, 1, 0), LRU_INACTIVE_FILE)
  expect(seen()).toBe(0)
  flushMemcgStats(state, 1)
  expect(seen()).toBe(500)
  addFilePages(state, newFile(state, 100), 100)
  expect(seen()).toBe(500)
  handleMemcgFlush(state)
  expect(seen()).toBe(600)
})

test('a reader of a group sums up that group, not what lies above it', () => {
  const state = lruState()
  const { id } = makeGroup(state, '/a')
  addFilePages(state, newFile(state, 500), 500, { memcg: id })
  flushMemcgStats(state, id)
  expect(lruvecFlushedState(state, lruvecOf(state, id, 0), LRU_INACTIVE_FILE)).toBe(500)
  expect(lruvecFlushedState(state, lruvecOf(state, 1, 0), LRU_INACTIVE_FILE)).toBe(0)
})

test('reclaim sums up itself when the last sum is older than two turns of the worker', () => {
  const state = lruState()
  flushMemcgStats(state, 1)
  addFilePages(state, newFile(state, 500), 500)
  const seen = (): number => lruvecFlushedState(state, lruvecOf(state, 1, 0), LRU_INACTIVE_FILE)
  letTimePass(state, 2 * FLUSH_TIME)
  flushMemcgStatsRatelimited(state)
  expect(seen()).toBe(0)
  letTimePass(state, 1)
  flushMemcgStatsRatelimited(state)
  expect(seen()).toBe(500)
})

test('6.12 goes on emptying an active list by an old sum where 6.1 stops at the balance', () => {
  const activeShare = (series: '6.12' | '6.1'): number => {
    const state = lruState({ series })
    addFilePages(state, newFile(state, 40_000), 40_000, { flags: PG_ACTIVE })
    addFilePages(state, newFile(state, 36_000), 36_000)
    flushMemcgStats(state, 1)
    for (let i = 0; i < 300; i++) tryToFreePages(state, NOW)
    expect(state.nowNs).toBeLessThan(NS_PER_S)
    const pages = (lru: number): number => lruvecPageState(state, lruvecOf(state, 1, 0), lru)
    return pages(LRU_ACTIVE_FILE) / pages(LRU_INACTIVE_FILE)
  }
  expect(activeShare('6.1')).toBeGreaterThan(0.95)
  expect(activeShare('6.12')).toBeLessThan(0.8)
})
