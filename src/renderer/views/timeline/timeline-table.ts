/** The tracks of the timeline as columns: what its table and its CSV hold. Pure. */
import type { SeriesWindow } from '../../../protocol/messages'
import { PSI_SERIES } from '../../charts/psi'
import { SCAN_LINES, rateOf } from '../../charts/rates'
import { findSeries } from '../../charts/series'
import type { TwinColumn, TwinInput } from '../../components/table-twin'
import { formatCount, formatRate, joinFigure } from '../../format'
import { zoneTitle } from './zones'

const empty = (length: number): Float64Array => new Float64Array(length).fill(NaN)

export function timelineTable(data: SeriesWindow, zones: readonly string[], nrNodes: number): TwinInput {
  const last = (name: string): Float64Array => findSeries(data, name)?.last ?? empty(data.times.length)
  const marks: TwinColumn[] = zones.flatMap((zone) =>
    ['free', 'min', 'low', 'high'].map((mark) => ({
      title: mark === 'free' ? `free ${zoneTitle(zone, nrNodes)}` : mark,
      unit: 'pages',
      values: last(`${zone}:${mark}`),
      format: formatCount,
    })),
  )
  const rates: TwinColumn[] = SCAN_LINES.map((line) => ({
    title: line.name,
    unit: '',
    values: rateOf(data, line.series) ?? empty(data.times.length),
    format: (value) => (value === 0 ? '0' : joinFigure(formatRate(value))),
  }))
  const psi: TwinColumn[] = (['some', 'full'] as const).map((kind) => ({
    title: `PSI ${kind}`,
    unit: '%',
    values: last(PSI_SERIES[kind]),
    format: (value) => (value === 0 ? '0' : value.toFixed(2)),
  }))
  return { times: data.times, columns: [...marks, ...rates, ...psi] }
}
