import { expect, test } from 'vitest'
import { TRACEPOINT_NAMES, type Tracepoint } from '../engine/trace'
import { createSpanLog, cutSpans, querySpans, recordSpan, throttledNs } from './spans'

const ALL = { fromNs: 0, toNs: 1e9, limit: 100 }

/** "time pid name args…", one a line; '!' marks the arrival where it differs from the time. */
function log(text: string) {
  const spans = createSpanLog(1000)
  for (const line of text.trim().split('\n')) {
    const [at, pid, name, ...args] = line.trim().split(/\s+/)
    const [atNs, arrivalNs] = at!.split('!').map(Number)
    recordSpan(spans, {
      tracepoint: TRACEPOINT_NAMES.indexOf(name as Tracepoint),
      atNs: atNs!,
      arrivalNs: arrivalNs ?? atNs!,
      pid: Number(pid),
      comm: `t${pid}`,
      cpu: 0,
      args: args.map(Number),
      text: '',
    })
  }
  return spans
}

const draw = (spans: ReturnType<typeof log>): string[] =>
  querySpans(spans, ALL).map((s) => `${s.track} ${s.fromNs}-${s.toNs} ${s.comm} nid=${s.nid} +${s.reclaimed}`)

test('kswapd works from wake to sleep and counts what its passes freed', () => {
  expect(
    draw(
      log(`
    10 7 mm_vmscan_kswapd_wake 1 0
    12 7 mm_vmscan_lru_shrink_inactive 1 32 20 0 0 0 0 12
    13 9 mm_vmscan_lru_shrink_inactive 1 32 30 0 0 0 0 12
    15 7 mm_vmscan_kswapd_wake 1 3
    20 7 mm_vmscan_lru_shrink_inactive 1 32 5 0 0 0 0 11
    30 7 mm_vmscan_kswapd_sleep 1
    40 7 mm_vmscan_kswapd_wake 1 0`),
    ),
  ).toEqual(['kswapd 10-30 t7 nid=1 +25', 'kswapd 40-Infinity t7 nid=1 +0'])
})

test('direct and memcg reclaim last as long as the task was delayed', () => {
  expect(
    draw(
      log(`
    10 100 mm_vmscan_direct_reclaim_begin 0 5
    11 101 mm_vmscan_memcg_reclaim_begin 0 5 3
    12 100 mm_vmscan_direct_reclaim_end 32 500
    19 101 mm_vmscan_memcg_reclaim_end 8 0 3
    20 102 mm_vmscan_direct_reclaim_end 8 0`),
    ),
  ).toEqual(['direct 10-510 t100 nid=-1 +32', 'memcg 11-19 t101 nid=-1 +8'])
})

test('throttling is told of when its length is known', () => {
  const spans = log(`
    1000 100 memcg_high_throttle 100 400 3
    5000 101 memcg_high_throttle 101 100 3
    9000 102 mm_vmscan_throttled 0 10 2 1`)
  expect(draw(spans)).toEqual([
    'throttle 1000-1400 t100 nid=-1 +0',
    'throttle 5000-5100 t101 nid=-1 +0',
    'throttle 7000-9000 t102 nid=0 +0',
  ])
  expect(throttledNs(spans, 10_000)[3]).toBe(500)
  expect(throttledNs(spans, 1200)[3]).toBe(200)
})

test('a nap inside a run of reclaim is a part of it, and no second stall', () => {
  const spans = log(`
    1000 102 mm_vmscan_direct_reclaim_begin 0 5
    9000 102 mm_vmscan_throttled 0 10 2 1
    9500 102 mm_vmscan_direct_reclaim_end 8 0`)
  expect(draw(spans)).toEqual(['direct 1000-9500 t102 nid=-1 +8'])
})

test('a cut goes by when the engine told, and what ended later goes on again', () => {
  const spans = log(`
    10!10 1 mm_vmscan_direct_reclaim_begin 0 5
    60!50 2 mm_vmscan_direct_reclaim_begin 0 5
    70!70 1 mm_vmscan_direct_reclaim_end 32 0
    80!80 3 mm_vmscan_kswapd_wake 0 0`)
  cutSpans(spans, 55, () => 0)
  expect(draw(spans)).toEqual(['direct 10-Infinity t1 nid=-1 +0', 'direct 60-Infinity t2 nid=-1 +0'])
  expect([...spans.open.keys()].sort()).toEqual(['direct:1', 'direct:2'])
})

test('a kswapd run that was cut in the middle has freed what its passes had freed by then', () => {
  const spans = log(`
    10 7 mm_vmscan_kswapd_wake 1 0
    20 7 mm_vmscan_lru_shrink_inactive 1 32 20 0 0 0 0 12
    60 7 mm_vmscan_lru_shrink_inactive 1 32 5 0 0 0 0 12
    90 7 mm_vmscan_kswapd_sleep 1`)
  cutSpans(spans, 55, (pid, fromNs) => (pid === 7 && fromNs === 10 ? 20 : -1))
  expect(draw(spans)).toEqual(['kswapd 10-Infinity t7 nid=1 +20'])
})

test('the log is bounded and keeps the newest', () => {
  const spans = createSpanLog(100)
  for (let i = 0; i < 1000; i++) {
    recordSpan(spans, {
      tracepoint: TRACEPOINT_NAMES.indexOf('memcg_high_throttle'),
      atNs: i,
      arrivalNs: i,
      pid: 1,
      comm: '',
      cpu: 0,
      args: [1, 1, 1],
      text: '',
    })
  }
  expect(spans.spans.length).toBeLessThanOrEqual(100)
  expect(querySpans(spans, { fromNs: 0, toNs: 1e9, limit: 1 })[0]!.fromNs).toBe(999)
})
