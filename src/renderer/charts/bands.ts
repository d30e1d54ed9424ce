/** Stretches of time on rows: who reclaims, and which task waits for it. */
import type { EChartsCoreOption } from 'echarts/core'
import type { ReclaimSpan } from '../../protocol/messages'
import type { Ns } from '../../util/units'
import type { ChartFrame } from './base'
import { chartFrame } from './base'
import type { TimeWindow } from './window'
import { spanOf } from './window'

/** kswapd in the background, a task pays, a container pays: always three tracks, always in this order. */
export const RECLAIM_TRACKS = ['kswapd', 'direct', 'memcg'] as const
export type ReclaimTrack = (typeof RECLAIM_TRACKS)[number]

/** A row's own colour, as in the colours of the chart. */
export type BandColor = ReclaimTrack

export interface Band {
  readonly fromNs: Ns
  readonly toNs: Ns
  readonly row: number
  readonly color: BandColor
}

/** memory.high holding a task back belongs to its container: the memcg track. */
export const trackOf = (span: ReclaimSpan): ReclaimTrack => (span.track === 'throttle' ? 'memcg' : span.track)

/** What the recorder tells of as going on ends at `nowNs`. */
export const endOf = (span: ReclaimSpan, nowNs: Ns): Ns =>
  Number.isFinite(span.toNs) ? span.toNs : Math.max(span.fromNs, nowNs)

/**
 * Bands of one row, with those that would touch on the screen drawn as one. Oldest first; a band is at least a pixel.
 * @param pixelNs  simulated time of one pixel
 */
export function mergeBands(bands: readonly Band[], pixelNs: Ns): readonly Band[] {
  const merged: { fromNs: Ns; toNs: Ns; row: number; color: BandColor }[] = []
  for (const band of [...bands].sort((a, b) => a.fromNs - b.fromNs)) {
    const last = merged.at(-1)
    if (last && last.color === band.color && band.fromNs <= last.toNs + pixelNs)
      last.toNs = Math.max(last.toNs, band.toNs)
    else merged.push({ ...band })
  }
  return merged
}

export interface BandQuery {
  readonly view: TimeWindow
  readonly nowNs: Ns
  /** px */
  readonly width: number
}

const pixelOf = ({ view, width }: BandQuery): Ns => spanOf(view) / Math.max(1, width)

export function reclaimBands(spans: readonly ReclaimSpan[], query: BandQuery): readonly Band[] {
  return RECLAIM_TRACKS.flatMap((track, row) =>
    mergeBands(
      spans
        .filter((span) => trackOf(span) === track)
        .map((span) => ({ fromNs: span.fromNs, toNs: endOf(span, query.nowNs), row, color: track })),
      pixelOf(query),
    ),
  )
}

/** Time inside the window that a track worked, overlaps counted once, and how often it started. */
export interface TrackSum {
  readonly ns: Ns
  readonly runs: number
}

export function sumTrack(spans: readonly ReclaimSpan[], track: ReclaimTrack, query: BandQuery): TrackSum {
  const own = spans.filter((span) => trackOf(span) === track)
  const bands = mergeBands(
    own.map((span) => ({
      fromNs: Math.max(query.view.fromNs, span.fromNs),
      toNs: Math.min(query.view.toNs, endOf(span, query.nowNs)),
      row: 0,
      color: track,
    })),
    0,
  )
  return { ns: bands.reduce((sum, band) => sum + Math.max(0, band.toNs - band.fromNs), 0), runs: own.length }
}

/** One task that waited for reclaim or was held back by memory.high. */
export interface StallRow {
  readonly pid: number
  readonly comm: string
  readonly ns: Ns
  readonly longestNs: Ns
  readonly spans: readonly ReclaimSpan[]
}

/** Tasks by the time that they lost in view, the longest first; kswapd is nobody's stall. */
export function stallRows(spans: readonly ReclaimSpan[], query: BandQuery, most: number): readonly StallRow[] {
  const byPid = new Map<number, ReclaimSpan[]>()
  for (const span of spans) {
    if (span.track === 'kswapd') continue
    const own = byPid.get(span.pid)
    if (own) own.push(span)
    else byPid.set(span.pid, [span])
  }
  const rows = [...byPid].map(([pid, own]) => {
    let ns = 0
    let longestNs = 0
    for (const span of own) {
      const length = endOf(span, query.nowNs) - span.fromNs
      ns += length
      longestNs = Math.max(longestNs, length)
    }
    return { pid, comm: own[0]!.comm, ns, longestNs, spans: own }
  })
  return rows.sort((a, b) => b.ns - a.ns || a.pid - b.pid).slice(0, most)
}

export function stallBands(rows: readonly StallRow[], query: BandQuery): readonly Band[] {
  return rows.flatMap((stall, row) =>
    RECLAIM_TRACKS.flatMap((track) =>
      mergeBands(
        stall.spans
          .filter((span) => trackOf(span) === track)
          .map((span) => ({ fromNs: span.fromNs, toNs: endOf(span, query.nowNs), row, color: track })),
        pixelOf(query),
      ),
    ),
  )
}

/** What is on at a moment: the spans of a track that hold it. One that reaches the clock is still on there. */
export const spansAt = (
  spans: readonly ReclaimSpan[],
  track: ReclaimTrack,
  { atNs, nowNs }: { readonly atNs: Ns; readonly nowNs: Ns },
): readonly ReclaimSpan[] =>
  spans.filter(
    (span) =>
      trackOf(span) === track && span.fromNs <= atNs && (atNs < span.toNs || (span.toNs >= nowNs && atNs <= nowNs)),
  )

export interface BandChart extends Omit<ChartFrame, 'axis'> {
  readonly bands: readonly Band[]
  readonly rows: number
  /** px, of a band and of a row */
  readonly bandHeight: number
  readonly rowHeight: number
  readonly hasStrip: boolean
}

interface RenderApi {
  value(dimension: number): number
  coord(point: readonly [number, number]): [number, number]
}

const COLUMNS = 4
/** Colour column of what lies behind the bands of a row: a strip, or a hairline where bands are low. */
const BEHIND = RECLAIM_TRACKS.length

/** Flat [from, to, row, colour, …]: first the strips of all rows, then the bands over them. */
function flatBands(chart: BandChart): Float64Array {
  const { bands, rows, view } = chart
  const flat = new Float64Array((rows + bands.length) * COLUMNS)
  for (let row = 0; row < rows; row++) flat.set([view.fromNs, view.toNs, row, BEHIND], row * COLUMNS)
  bands.forEach((band, i) =>
    flat.set([band.fromNs, band.toNs, band.row, RECLAIM_TRACKS.indexOf(band.color)], (rows + i) * COLUMNS),
  )
  return flat
}

/** One row as the canvas sees it: rows are counted from the top, in pixels, not in data. */
const rowTop = (chart: BandChart, row: number): number =>
  (chart.padding?.top ?? 6) + row * chart.rowHeight + (chart.rowHeight - chart.bandHeight) / 2

/** The rectangle of one item of the flat columns. */
function drawBand(chart: BandChart, api: RenderApi): object {
  const { colors, hasStrip, bandHeight } = chart
  const [from] = api.coord([api.value(0), 0])
  const [to] = api.coord([api.value(1), 0])
  const top = rowTop(chart, api.value(2))
  const track = RECLAIM_TRACKS[api.value(3)]
  const isLine = track === undefined && !hasStrip
  return {
    type: 'rect',
    shape: {
      x: from,
      y: isLine ? top + Math.floor(bandHeight / 2) : top,
      width: Math.max(1, to - from),
      height: isLine ? 1 : bandHeight,
    },
    style: { fill: track ? colors[track] : hasStrip ? colors.strip : colors.line },
  }
}

/** A band is a stretch of work; a full row means that it never rests. Rows stay when they are quiet. */
export function bandChart(chart: BandChart): EChartsCoreOption {
  return chartFrame(chart, [
    {
      type: 'custom',
      silent: true,
      clip: true,
      dimensions: ['from', 'to', 'row', 'color'],
      encode: { x: [0, 1], y: 2 },
      data: flatBands(chart),
      renderItem: (_params: object, api: RenderApi) => drawBand(chart, api),
    },
  ])
}
