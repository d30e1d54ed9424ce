/**
 * The trace-event format of Chrome's viewer and Perfetto: reclaim as stretches on three tracks and one for throttling,
 * tracepoints under the kernel's names, watermarks and pressure as counters. Times are microseconds.
 */
import { TRACEPOINTS, type Tracepoint } from '../../engine/trace'
import type { Ns } from '../../util/units'
import { queryEvents } from '../events'
import type { Recorder } from '../recorder'
import { querySpans, type SpanTrack } from '../spans'
import { recordRows } from './rows'

/** Always in this order: background, a task pays, a container pays, a container holds back. */
const TRACKS: Readonly<Record<SpanTrack, { readonly pid: number; readonly title: string }>> = {
  kswapd: { pid: 1, title: 'kswapd' },
  direct: { pid: 2, title: 'direct reclaim' },
  memcg: { pid: 3, title: 'memcg reclaim' },
  throttle: { pid: 4, title: 'memory.high throttling' },
}
const TRACEPOINTS_PID = 5
const COUNTERS_PID = 6
const COUNTERS = /^(zone|psi|swap):/

const micros = (ns: Ns): number => ns / 1000

const nameOf = (pid: number, name: string): object => ({ ph: 'M', name: 'process_name', pid, args: { name } })

export function formatChromeTrace(recorder: Recorder, range: { readonly fromNs: Ns; readonly toNs: Ns }): string {
  const events: object[] = [
    ...Object.values(TRACKS).map(({ pid, title }) => nameOf(pid, title)),
    nameOf(TRACEPOINTS_PID, 'tracepoints'),
    nameOf(COUNTERS_PID, 'counters'),
  ]
  const named = new Set<string>()
  const nameThread = (pid: number, tid: number, comm: string): void => {
    const key = `${pid}:${tid}`
    if (named.has(key)) return
    named.add(key)
    events.push({ ph: 'M', name: 'thread_name', pid, tid, args: { name: `${comm} ${tid}` } })
  }
  for (const span of querySpans(recorder.spans, { ...range, limit: Infinity })) {
    const { pid, title } = TRACKS[span.track]
    nameThread(pid, span.pid, span.comm)
    const toNs = Math.max(span.fromNs, Math.min(span.toNs, range.toNs))
    events.push({
      ph: 'X',
      name: title,
      cat: 'reclaim',
      pid,
      tid: span.pid,
      ts: micros(span.fromNs),
      dur: micros(toNs - span.fromNs),
      args: { nr_reclaimed: span.reclaimed, ...(span.nid < 0 ? {} : { nid: span.nid }) },
    })
  }
  for (const event of queryEvents(recorder.events, { ...range, names: [], limit: Infinity })) {
    nameThread(TRACEPOINTS_PID, event.pid, event.comm)
    const { system } = TRACEPOINTS[event.name as Tracepoint]
    events.push({
      ph: 'i',
      s: 't',
      name: event.name,
      cat: system,
      pid: TRACEPOINTS_PID,
      tid: event.pid,
      ts: micros(event.atNs),
      args: { ...event.fields, ...(event.text === '' ? {} : { text: event.text }), cpu: event.cpu },
    })
  }
  pushCounters(events, recorder, range)
  return `${JSON.stringify({ displayTimeUnit: 'ms', traceEvents: events })}\n`
}

/** One entry a change: a level that stands still says nothing new. */
function pushCounters(events: object[], recorder: Recorder, range: { readonly fromNs: Ns; readonly toNs: Ns }): void {
  const { names, times, columns } = recordRows(recorder, range)
  names.forEach((name, i) => {
    if (!COUNTERS.test(name)) return
    let before = NaN
    columns[i]!.forEach((value, row) => {
      if (Number.isNaN(value) || value === before) return
      before = value
      events.push({ ph: 'C', name, pid: COUNTERS_PID, ts: micros(times[row]!), args: { value } })
    })
  })
}
