/** Stretches, stalls, their lengths, and events as tables and as CSV. Pure. */
import type { ReclaimSpan, RecordedEvent } from '../../../protocol/messages'
import type { Ns } from '../../../util/units'
import type { BandQuery } from '../../charts/bands'
import { stallRows } from '../../charts/bands'
import { eventFields } from '../../charts/events'
import { bucketLabel, latencyOf, stallsIn } from '../../charts/latency'
import type { TwinTable } from '../../components/table-twin'
import { csvLines } from '../../components/table-twin'
import { formatCount, formatDuration, joinFigure } from '../../format'
import type { ChartTwin } from './timeline-table'
import { ROWS_MAX } from './timeline-table'

export const RECLAIM_NAME = 'Reclaim'
export const STALLS_NAME = 'Stalls'
export const LATENCY_NAME = 'Stall latency'
export const EVENTS_NAME = 'Events'

export interface SpanQuery extends BandQuery {
  readonly spans: readonly ReclaimSpan[]
  readonly events: readonly RecordedEvent[]
  readonly formatTime: (ns: Ns) => string
}

type Column = readonly [title: string, unit: string]
const columnsOf = (columns: readonly Column[]): TwinTable['columns'] =>
  columns.map(([title, unit]) => ({ title, unit }))

const length = (ns: Ns): string => (Number.isFinite(ns) ? joinFigure(formatDuration(ns)) : 'goes on')

/** The latest rows only: a window may hold thousands. */
const latest = <T>(rows: readonly T[]): readonly T[] => rows.slice(-ROWS_MAX)

const reclaimTwin = ({ spans, formatTime }: SpanQuery): ChartTwin => ({
  name: RECLAIM_NAME,
  table: () => ({
    columns: columnsOf([
      ['who', ''],
      ['task', ''],
      ['lasted', ''],
      ['reclaimed', 'pages'],
    ]),
    rows: latest(spans).map((span) => ({
      atNs: span.fromNs,
      time: formatTime(span.fromNs),
      cells: [span.track, `${span.comm} ${span.pid}`, length(span.toNs - span.fromNs), formatCount(span.reclaimed)],
    })),
  }),
  csv: () =>
    csvLines([
      ['from_ns', 'to_ns', 'who', 'comm', 'pid', 'node', 'reclaimed (pages)'],
      ...spans.map((span) => [
        span.fromNs,
        Number.isFinite(span.toNs) ? span.toNs : '',
        span.track,
        span.comm,
        span.pid,
        span.nid < 0 ? '' : span.nid,
        span.reclaimed,
      ]),
    ]),
})

function stallsTwin(query: SpanQuery): ChartTwin {
  const rows = () =>
    stallRows(query.spans, query, Number.MAX_SAFE_INTEGER).map((row) => ({
      ...row,
      latency: latencyOf(stallsIn(row.spans, query.view)),
    }))
  return {
    name: STALLS_NAME,
    table: () => ({
      first: 'task',
      columns: columnsOf([
        ['stalls', ''],
        ['total', ''],
        ['p50', ''],
        ['p99', ''],
        ['longest', ''],
      ]),
      rows: rows().map(({ comm, pid, ns, longestNs, spans, latency }) => ({
        time: `${comm} ${pid}`,
        cells: [formatCount(spans.length), length(ns), length(latency.p50Ns), length(latency.p99Ns), length(longestNs)],
      })),
    }),
    csv: () =>
      csvLines([
        ['comm', 'pid', 'stalls', 'total (ns)', 'p50 (ns)', 'p99 (ns)', 'longest (ns)'],
        ...rows().map(({ comm, pid, ns, longestNs, spans, latency }) => [
          comm,
          pid,
          spans.length,
          ns,
          latency.p50Ns,
          latency.p99Ns,
          longestNs,
        ]),
      ]),
  }
}

function latencyTwin(query: SpanQuery): ChartTwin {
  const buckets = () => latencyOf(stallsIn(query.spans, query.view)).buckets
  return {
    name: LATENCY_NAME,
    table: () => ({
      first: 'from',
      columns: columnsOf([
        ['to', ''],
        ['direct', 'stalls'],
        ['memcg', 'stalls'],
      ]),
      rows: buckets().map((bucket) => ({
        time: bucketLabel(bucket),
        cells: [length(bucket.toNs), formatCount(bucket.counts.direct), formatCount(bucket.counts.memcg)],
      })),
    }),
    csv: () =>
      csvLines([
        ['from (ns)', 'to (ns)', 'direct (stalls)', 'memcg (stalls)'],
        ...buckets().map(({ fromNs, toNs, counts }) => [fromNs, toNs, counts.direct, counts.memcg]),
      ]),
  }
}

const eventsTwin = ({ events, formatTime }: SpanQuery): ChartTwin => ({
  name: EVENTS_NAME,
  table: () => ({
    columns: columnsOf([
      ['event', ''],
      ['task', ''],
      ['CPU', ''],
      ['fields', ''],
    ]),
    rows: latest(events).map((event) => ({
      atNs: event.atNs,
      time: formatTime(event.atNs),
      cells: [event.name, `${event.comm} ${event.pid}`, String(event.cpu), eventFields(event)],
    })),
  }),
  csv: () =>
    csvLines([
      ['time_ns', 'event', 'comm', 'pid', 'cpu', 'fields'],
      ...events.map((event) => [event.atNs, event.name, event.comm, event.pid, event.cpu, eventFields(event)]),
    ]),
})

export const spanTwins = (query: SpanQuery): readonly ChartTwin[] => [
  reclaimTwin(query),
  stallsTwin(query),
  latencyTwin(query),
  eventsTwin(query),
]
