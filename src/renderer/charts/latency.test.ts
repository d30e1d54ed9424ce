import { expect, test } from 'vitest'
import type { ReclaimSpan } from '../../protocol/messages'
import { latencyOf, stallsIn } from './latency'

const stall = (toNs: number, ns: number, track: ReclaimSpan['track'] = 'direct', pid = 1): ReclaimSpan => ({
  track,
  fromNs: toNs - ns,
  toNs,
  pid,
  comm: 'x',
  nid: -1,
  reclaimed: 0,
})
const view = { fromNs: 0, toNs: 1e9 }

test('stalls are counted by powers of two, the empty buckets between them included', () => {
  const { buckets } = latencyOf([stall(1e6, 900), stall(1e6, 1000), stall(1e6, 1999), stall(1e6, 8000, 'memcg')])
  expect(buckets.map((b) => [b.fromNs, b.toNs, b.counts.direct, b.counts.memcg])).toEqual([
    [0, 1000, 1, 0],
    [1000, 2000, 2, 0],
    [2000, 4000, 0, 0],
    [4000, 8000, 0, 0],
    [8000, 16_000, 0, 1],
  ])
})

test('p99 is the nearest rank: of a hundred stalls the ninety-ninth', () => {
  const stalls = Array.from({ length: 100 }, (_, i) => stall(5e8, (i + 1) * 1000))
  expect(latencyOf(stalls)).toMatchObject({ count: 100, p50Ns: 50_000, p99Ns: 99_000, maxNs: 100_000 })
})

test('only what ended in view is counted; kswapd is nobody’s stall, and what goes on has no length', () => {
  const spans = [stall(5e8, 10), stall(2e9, 10), stall(5e8, 10, 'kswapd'), { ...stall(5e8, 10), toNs: Infinity }]
  expect(stallsIn(spans, view)).toEqual([spans[0]])
  expect(stallsIn([stall(5e8, 10), stall(5e8, 20, 'direct', 2)], view, 2).map((s) => s.pid)).toEqual([2])
})

test('no stall, no buckets', () => expect(latencyOf([])).toMatchObject({ buckets: [], count: 0, maxNs: 0 }))
