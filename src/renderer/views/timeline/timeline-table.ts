/** The tracks of the timeline as tables and as CSV: a twin for every chart, and one of all series. Pure. */
import type { SeriesWindow } from '../../../protocol/messages'
import type { Ns } from '../../../util/units'
import { PSI_SERIES } from '../../charts/psi'
import { RATE_TRACKS, type RateTrack } from '../../charts/rate-tracks'
import { rateOf } from '../../charts/rates'
import { findSeries } from '../../charts/series'
import type { TwinColumn, TwinInput, TwinTable } from '../../components/table-twin'
import { twinCsv, twinTable } from '../../components/table-twin'
import { formatCount, formatRate, joinFigure } from '../../format'
import { zoneTitle } from './zones'

/** A chart's name, as its canvas and its exports have it, with the same data to be read. */
export interface ChartTwin {
  readonly name: string
  readonly table: () => TwinTable
  /** Every row at full precision. */
  readonly csv: () => string
}

export interface TwinQuery {
  readonly data: SeriesWindow
  readonly zones: readonly string[]
  readonly nrNodes: number
  readonly formatTime: (ns: Ns) => string
}

export const ALL_SERIES = 'All series'
export const freeName = (zone: string, nrNodes: number): string => `Free pages, ${zoneTitle(zone, nrNodes)}`
export const rateName = (track: RateTrack): string => `${track.title}, ${track.unit}`
export const PSI_NAME = 'PSI memory, percent'
export const WHOLE_NAME = 'Whole run'

/** Free pages of the whole run: lowest and last of each bucket. */
export function overviewTwin(data: SeriesWindow, name: string, formatTime: (ns: Ns) => string): ChartTwin {
  const series = findSeries(data, name)
  const column = (title: string, values: Float64Array | undefined): TwinColumn => ({
    title,
    unit: 'pages',
    values: values ?? empty(data.times.length),
    format: formatCount,
  })
  const columns = [column('free', series?.last), column('lowest free', series?.min)]
  return seriesTwin(WHOLE_NAME, { times: data.times, columns }, formatTime)
}

/** A table of a thousand rows is read by nobody: the CSV has them all. */
export const ROWS_MAX = 300

const empty = (length: number): Float64Array => new Float64Array(length).fill(NaN)

type Named = readonly [name: string, columns: readonly TwinColumn[]]

const lastOf = (data: SeriesWindow, name: string): Float64Array =>
  findSeries(data, name)?.last ?? empty(data.times.length)

function freeColumns({ data, nrNodes }: TwinQuery, zone: string): readonly TwinColumn[] {
  const title = zoneTitle(zone, nrNodes)
  return ['free', 'min', 'low', 'high'].map((mark) => ({
    title: `${mark} ${title}`,
    unit: 'pages',
    values: lastOf(data, `${zone}:${mark}`),
    format: formatCount,
  }))
}

const rateColumns = (data: SeriesWindow, track: RateTrack): readonly TwinColumn[] =>
  track.lines.map((line) => ({
    title: line.name,
    unit: '',
    values: rateOf(data, line) ?? empty(data.times.length),
    format: (value) => (value === 0 ? '0' : joinFigure(formatRate(value))),
  }))

const psiColumns = (data: SeriesWindow): readonly TwinColumn[] =>
  (['some', 'full'] as const).map((kind) => ({
    title: `PSI ${kind}`,
    unit: '%',
    values: lastOf(data, PSI_SERIES[kind]),
    format: (value) => (value === 0 ? '0' : value.toFixed(2)),
  }))

export function seriesTwin(name: string, input: TwinInput, formatTime: (ns: Ns) => string): ChartTwin {
  return { name, table: () => twinTable(input, ROWS_MAX, formatTime), csv: () => twinCsv(input) }
}

/** First all series together, then each chart by itself in the order of the tracks. */
export function seriesTwins(query: TwinQuery): readonly ChartTwin[] {
  const { data } = query
  const charts: readonly Named[] = [
    ...query.zones.map((zone): Named => [freeName(zone, query.nrNodes), freeColumns(query, zone)]),
    ...RATE_TRACKS.map((track): Named => [rateName(track), rateColumns(data, track)]),
    [PSI_NAME, psiColumns(data)],
  ]
  const all: Named = [ALL_SERIES, charts.flatMap(([, columns]) => columns)]
  return [all, ...charts].map(([name, columns]) => seriesTwin(name, { times: data.times, columns }, query.formatTime))
}
