import { describe, expect, test } from 'vitest'
import { crumbs, dma32, take } from '../../../test/crumbs'
import vectors from '../../../test/vectors.json'
import { plainMachine, zoneNamed, zoneState } from '../../../test/zone-state'
import type { KernelState } from '../state'
import {
  COMPACT_PRIO_ASYNC,
  COMPACT_PRIO_SYNC_LIGHT,
  shouldCompactRetry,
  type CompactRequest,
} from './compaction_direct'
import { fragmentationScoreNode, fragmentationScoreWmark } from './compaction_score'
import {
  compactionDeferReset,
  compactionDeferred,
  createCompactionState,
  deferCompaction,
  type ZoneCompaction,
} from './compaction_state'
import {
  COMPACT_COMPLETE,
  COMPACT_SKIPPED,
  COMPACT_SUCCESS,
  compactionSuitAllocationOrder,
  compactionSuitable,
  hasPagesToCompact,
} from './compaction_suitable'
import { extfragForOrder } from './fragmentation'
import { GFP_KERNEL } from './gfp'

describe('score of proactive compaction (spec 08 E7)', () => {
  test.each(vectors.proactive_score)('$nr_free', (v) => {
    expect(extfragForOrder(v.nr_free, 9)).toBe(v.zone_percent)
    const state = {
      nodes: [{ nid: 0, zones: [0] }],
      zones: [{ present: 1_000_000, nrFree: v.nr_free }],
    } as unknown as KernelState
    expect(fragmentationScoreNode(state, 0)).toBe(v.node_score_single_zone_present_1000000)
  })

  test.each([
    [20, { low: 80, high: 90 }],
    [0, { low: 100, high: 100 }],
    [100, { low: 5, high: 15 }],
  ])('proactiveness %d', (proactiveness, expected) => {
    expect(fragmentationScoreWmark(proactiveness)).toEqual(expected)
  })
})

describe('deferral (spec 08 E8)', () => {
  const fresh = (): ZoneCompaction => createCompactionState({ zones: 1, nodes: 1, endPfn: 1 }).zones[0]!

  test('after three failures seven requests wait and the eighth runs', () => {
    const z = fresh()
    for (let i = 0; i < 3; i++) deferCompaction(z, 9)
    const deferred = Array.from({ length: 8 }, () => compactionDeferred(z, 9))
    expect(deferred).toEqual([true, true, true, true, true, true, true, false])
  })

  test('lower orders than the failed one are not deferred', () => {
    const z = fresh()
    compactionDeferReset(z, 9, 'compacted')
    deferCompaction(z, 9)
    expect(compactionDeferred(z, 8)).toBe(false)
    expect(compactionDeferred(z, 9)).toBe(true)
  })

  test('an allocation that succeeds ends the deferral', () => {
    const z = fresh()
    for (let i = 0; i < 9; i++) deferCompaction(z, 9)
    expect(z.deferShift).toBe(6)
    compactionDeferReset(z, 9, 'allocated')
    expect([z.deferShift, compactionDeferred(z, 9)]).toEqual([0, false])
  })
})

describe('suitability (spec 08 E9)', () => {
  const zone = zoneNamed(zoneState(plainMachine(64 << 20)), 0, 1)
  zone.watermark.set([10508, 13135, 15762, 18389])

  test.each([
    [2, 10508 + 8, false],
    [2, 10508 + 9, true],
    [9, 13135 + 1024, false],
    [9, 13135 + 1025, true],
  ])('order %d with %d free pages: %s', (order, free, expected) => {
    expect(hasPagesToCompact(zone, order, 1, free)).toBe(expected)
  })

  test('a lack of memory is not fragmentation: the index must exceed extfrag_threshold', () => {
    const { state } = crumbs()
    take(state, 5)
    expect(compactionSuitable(state, dma32(state), 9, 1)).toBe(true)
    state.sysctl.extfragThreshold = 1000
    expect(compactionSuitable(state, dma32(state), 9, 1)).toBe(false)
    expect(compactionSuitAllocationOrder(state, dma32(state), 9, 1, 0)).toBe(COMPACT_SKIPPED)
    expect(compactionSuitAllocationOrder(state, dma32(state), 0, 1, 0)).toBe(COMPACT_SUCCESS)
  })
})

describe('should_compact_retry (spec 02 §2.7)', () => {
  const { state } = crumbs()
  const request = (order: number): CompactRequest => ({ gfp: GFP_KERNEL, order, allocFlags: 0, zonelist: [1] })

  test('a costly order is tried asynchronously and lightly, then no more', () => {
    const retry = { priority: COMPACT_PRIO_ASYNC, retries: 0, result: COMPACT_COMPLETE }
    const answers = [0, 1].map(() => shouldCompactRetry(state, request(9), retry))
    expect([answers, retry.priority]).toEqual([[true, false], COMPACT_PRIO_SYNC_LIGHT])
  })

  test('a small order gets one more step', () => {
    const retry = { priority: COMPACT_PRIO_ASYNC, retries: 0, result: COMPACT_COMPLETE }
    expect([0, 1, 2].map(() => shouldCompactRetry(state, request(2), retry))).toEqual([true, true, false])
  })

  test.each([
    [9, 4],
    [2, 16],
  ])('order %d may lose a race %d times', (order, times) => {
    const retry = { priority: 0, retries: 0, result: COMPACT_SUCCESS }
    let n = 0
    while (shouldCompactRetry(state, request(order), retry)) n++
    expect(n).toBe(times)
  })
})
