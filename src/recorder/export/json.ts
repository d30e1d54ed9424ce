/** A whole record as one JSON document: series, stretches of reclaim, trace events. */
import type { Ns } from '../../util/units'
import { queryEvents } from '../events'
import type { Recorder } from '../recorder'
import { querySpans } from '../spans'
import { recordRows } from './rows'

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null)

/** Written out field by field: an internal name never becomes part of a file by accident. */
export function formatRunJson(recorder: Recorder, range: { readonly fromNs: Ns; readonly toNs: Ns }): string {
  const { names, times, columns } = recordRows(recorder, range)
  const document = {
    format: 'pagewalk-run',
    version: 1,
    fromNs: range.fromNs,
    toNs: range.toNs,
    atNs: Array.from(times, Math.round),
    series: Object.fromEntries(names.map((name, i) => [name, Array.from(columns[i]!, orNull)])),
    // A stretch that still goes on at the end has no end of its own.
    spans: querySpans(recorder.spans, { ...range, limit: Infinity }).map((s) => ({
      track: s.track,
      fromNs: s.fromNs,
      toNs: orNull(s.toNs),
      pid: s.pid,
      comm: s.comm,
      nid: s.nid,
      reclaimed: s.reclaimed,
    })),
    events: queryEvents(recorder.events, { ...range, names: [], limit: Infinity }).map((e) => ({
      atNs: e.atNs,
      name: e.name,
      pid: e.pid,
      comm: e.comm,
      cpu: e.cpu,
      fields: e.fields,
      text: e.text,
    })),
  }
  return `${JSON.stringify(document)}\n`
}
