import { expect, test } from 'vitest'
import { fakeConfig, fakeEngine } from '../../../test/support/fake-engine'
import { TRACEPOINT_NAMES } from '../../engine/trace'
import { createRecorder, recordTrace, takeSample } from '../recorder'
import { formatChromeTrace } from './chrome-trace'
import { formatCsv } from './csv'
import { formatRunJson } from './json'
import { recordRows } from './rows'

const MS = 1_000_000

function recorded() {
  const engine = fakeEngine()
  const state = engine.boot(fakeConfig(), 1)
  const recorder = createRecorder(state)
  engine.command(state, { kind: 'spawn', parent: 1, argv: ['burn', '3'] })
  const sink = {
    stopRequested: false,
    trace: (tracepoint: number, atNs: number, pid: number, cpu: number, args: readonly number[], text: string) =>
      recordTrace(recorder, { tracepoint, atNs, arrivalNs: atNs, pid, comm: 'a"b', cpu, args, text }),
  }
  for (const at of [10, 20, 30]) {
    state.psi.avg[0] = at * 2048
    engine.runUntil(state, at * MS, sink)
    takeSample(recorder, state)
  }
  return { recorder, range: { fromNs: 0, toNs: 40 * MS } }
}

test('CSV has a row for each sample and a column for each series', () => {
  const { recorder, range } = recorded()
  const [head, ...rows] = formatCsv(recordRows(recorder, range)).trimEnd().split('\n')
  const names = head!.split(',')
  const column = names.indexOf('psi:some:avg10')
  expect(names[0]).toBe('atNs')
  expect(rows.map((row) => [row.split(',')[0], row.split(',')[column]])).toEqual([
    ['0', '0'],
    ['10000000', '10'],
    ['20000000', '20'],
    ['30000000', '30'],
  ])
})

test('a name with a comma or a quote is quoted, and what does not exist is empty', () => {
  const rows = {
    names: ['a,b', 'c"d'],
    times: new Float64Array([1]),
    columns: [new Float64Array([NaN]), new Float64Array([2])],
  }
  expect(formatCsv(rows)).toBe('atNs,"a,b","c""d"\n1,,2\n')
})

test('JSON holds series, spans and events under their own names', () => {
  const { recorder, range } = recorded()
  const run = JSON.parse(formatRunJson(recorder, range)) as Record<string, unknown>
  expect(Object.keys(run)).toEqual(['format', 'version', 'fromNs', 'toNs', 'atNs', 'series', 'spans', 'events'])
  expect(run['spans']).toEqual([
    { track: 'direct', fromNs: 0, toNs: MS, pid: 2, comm: 'a"b', nid: -1, reclaimed: 1 },
    { track: 'direct', fromNs: 2 * MS, toNs: null, pid: 2, comm: 'a"b', nid: -1, reclaimed: 0 },
  ])
  expect((run['series'] as Record<string, unknown>)['psi:some:avg10']).toEqual([0, 10, 20, 30])
  expect(run['events']).toHaveLength(3)
})

test('the trace has reclaim as stretches, tracepoints by the kernel’s names and counters that change', () => {
  const { recorder, range } = recorded()
  const { traceEvents } = JSON.parse(formatChromeTrace(recorder, range)) as { traceEvents: Record<string, unknown>[] }
  const byPhase = (ph: string) => traceEvents.filter((e) => e['ph'] === ph)
  expect(byPhase('X')).toEqual([
    { ph: 'X', name: 'direct reclaim', cat: 'reclaim', pid: 2, tid: 2, ts: 0, dur: 1000, args: { nr_reclaimed: 1 } },
    {
      ph: 'X',
      name: 'direct reclaim',
      cat: 'reclaim',
      pid: 2,
      tid: 2,
      ts: 2000,
      dur: 38_000,
      args: { nr_reclaimed: 0 },
    },
  ])
  expect(byPhase('i').map((e) => e['name'])).toEqual([
    'mm_vmscan_direct_reclaim_begin',
    'mm_vmscan_direct_reclaim_end',
    'mm_vmscan_direct_reclaim_begin',
  ])
  expect(byPhase('i').every((e) => TRACEPOINT_NAMES.includes(e['name'] as never) && e['cat'] === 'vmscan')).toBe(true)
  expect(
    byPhase('C')
      .filter((e) => e['name'] === 'psi:some:avg10')
      .map((e) => e['args']),
  ).toEqual([0, 10, 20, 30].map((value) => ({ value })))
  expect(byPhase('M').filter((e) => e['name'] === 'process_name')).toHaveLength(6)
})
