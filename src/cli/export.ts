/** The record of a run as files: series as CSV or JSON, or a trace for Perfetto and Chrome's viewer. */
import { klogLine } from '../engine/klog'
import type { Machine } from '../host/machine'
import { queryEvents } from '../recorder/events'
import { listSeries, seriesWindow } from '../recorder/frames'
import type { Recorder } from '../recorder/recorder'
import { querySpans } from '../recorder/spans'
import { assert } from '../util/assert'
import { NS_PER_MS } from '../util/units'

export const FORMATS = ['csv', 'json', 'perfetto'] as const
export type ExportFormat = (typeof FORMATS)[number]

const ROW_NS = 10 * NS_PER_MS
const ROWS_MAX = 8192

/** File name → text. */
export function exportRecord(machine: Machine, format: ExportFormat): Record<string, string> {
  const { recorder, state } = machine
  assert(recorder !== undefined, 'the run was not recorded')
  const dmesg = `${state.klog.map(klogLine).join('\n')}\n`
  const end = state.nowNs
  switch (format) {
    case 'csv':
      return { 'dmesg.txt': dmesg, 'series.csv': seriesCsv(recorder, end) }
    case 'json':
      return { 'dmesg.txt': dmesg, 'run.json': runJson(recorder, end) }
    case 'perfetto':
      return { 'dmesg.txt': dmesg, 'trace.json': traceJson(recorder, end) }
  }
}

interface Rows {
  readonly names: readonly string[]
  readonly times: Float64Array
  readonly columns: readonly Float64Array[]
}

function rowsOf(recorder: Recorder, endNs: number): Rows {
  const names = listSeries(recorder.frames).map((s) => s.name)
  const buckets = Math.max(1, Math.min(ROWS_MAX, Math.ceil(endNs / ROW_NS)))
  const window = seriesWindow(recorder.frames, names, { fromNs: 0, toNs: endNs, buckets })
  return { names, times: window.times, columns: window.series.map((s) => s.last) }
}

const cell = (value: number | undefined): string => (value === undefined || Number.isNaN(value) ? '' : String(value))

function seriesCsv(recorder: Recorder, endNs: number): string {
  const { names, times, columns } = rowsOf(recorder, endNs)
  const head = ['atNs', ...names].map((n) => (/[",]/.test(n) ? `"${n.replace(/"/g, '""')}"` : n)).join(',')
  const lines = [...times].map((at, i) => [cell(Math.round(at)), ...columns.map((c) => cell(c[i]))].join(','))
  return `${head}\n${lines.join('\n')}\n`
}

function runJson(recorder: Recorder, endNs: number): string {
  const { names, times, columns } = rowsOf(recorder, endNs)
  const numbers = (column: Float64Array): (number | null)[] => [...column].map((v) => (Number.isNaN(v) ? null : v))
  const document = {
    format: 'pagewalk-run',
    version: 1,
    endNs,
    atNs: [...times].map(Math.round),
    series: Object.fromEntries(names.map((name, i) => [name, numbers(columns[i]!)])),
    spans: querySpans(recorder.spans, { fromNs: 0, toNs: endNs, limit: Infinity }),
    events: queryEvents(recorder.events, { fromNs: 0, toNs: endNs, names: [], limit: Infinity }),
  }
  return `${JSON.stringify(document)}\n`
}

/** Chrome's trace format: microseconds; reclaim as stretches on the track of whoever works, levels as counters. */
function traceJson(recorder: Recorder, endNs: number): string {
  const { names, times, columns } = rowsOf(recorder, endNs)
  const events: object[] = []
  for (const span of querySpans(recorder.spans, { fromNs: 0, toNs: endNs, limit: Infinity })) {
    const to = Math.min(span.toNs, endNs)
    events.push({
      name: span.track,
      cat: 'reclaim',
      ph: 'X',
      ts: span.fromNs / 1000,
      dur: (to - span.fromNs) / 1000,
      pid: 1,
      tid: span.pid,
      args: { comm: span.comm, node: span.nid, reclaimed: span.reclaimed },
    })
  }
  for (const event of queryEvents(recorder.events, { fromNs: 0, toNs: endNs, names: [], limit: Infinity })) {
    events.push({
      name: event.name,
      cat: 'tracepoint',
      ph: 'i',
      s: 't',
      ts: event.atNs / 1000,
      pid: 1,
      tid: event.pid,
      args: { comm: event.comm, ...event.fields },
    })
  }
  for (const [c, name] of names.entries()) {
    if (!/^(?:zone|psi):/.test(name)) continue
    for (const [i, at] of times.entries()) {
      const value = columns[c]![i]!
      if (!Number.isNaN(value)) events.push({ name, ph: 'C', ts: at / 1000, pid: 1, args: { value } })
    }
  }
  return `${JSON.stringify({ displayTimeUnit: 'ms', traceEvents: events })}\n`
}
