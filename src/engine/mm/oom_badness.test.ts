import { expect, test } from 'vitest'
import vectors from '../../../test/vectors.json'
import { badnessPoints, oomScoreOf } from './oom_badness'

const points = (row: { rss: number; swap: number; pgtables_bytes: number; adj: number; totalpages: number }) =>
  badnessPoints({
    rss: row.rss,
    swap: row.swap,
    pgtablesBytes: row.pgtables_bytes,
    adj: row.adj,
    totalPages: row.totalpages,
  })

test.each(vectors.oom)(
  'rss $rss swap $swap adj $adj of $totalpages pages: $points points, oom_score $oom_score',
  (row) => {
    expect(points(row)).toBe(row.points ?? undefined)
    expect(oomScoreOf(points(row), row.totalpages)).toBe(row.oom_score)
  },
)

test.each(vectors.captures.oom_score)('a captured process with adj $adj shows $score', (row) => {
  const input = { rss: row.rss, swap: row.swap, pgtablesBytes: row.tables * 4096, adj: row.adj, totalPages: row.total }
  expect(oomScoreOf(badnessPoints(input), row.total)).toBe(row.score)
})

test('a daemon with adj 1000 shows 1333 (spec 06 E2)', () => {
  const total = 2500000
  const input = { rss: 300, swap: 0, pgtablesBytes: 57344, adj: 1000, totalPages: total }
  expect(badnessPoints(input)).toBe(2500314)
  expect(oomScoreOf(badnessPoints(input), total)).toBe(1333)
})
