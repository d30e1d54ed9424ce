/** Tried limits as the rows of a table. Pure. */
import type { AdvisePoint, AdviseReport } from '../../../protocol/advise'
import { MIB } from '../../../util/units'
import type { TwinTable } from '../../components/table-twin'
import { formatCount, formatDuration, joinFigure } from '../../format'

const COLUMNS: TwinTable['columns'] = [
  { title: 'peak', unit: 'MiB' },
  { title: 'faults', unit: '' },
  { title: 'major', unit: '' },
  { title: 'refaults', unit: '' },
  { title: 'stall', unit: '' },
  { title: 'PSI some', unit: '%' },
  { title: 'max events', unit: '' },
  { title: 'kills', unit: '' },
  { title: 'verdict', unit: '' },
]

export function adviceTable(points: readonly AdvisePoint[], report: AdviseReport | undefined): TwinTable {
  return {
    first: 'limit, MiB',
    columns: COLUMNS,
    rows: points.map((point) => ({
      time: `${formatCount(point.limitBytes / MIB)}${marksOf(point, report)}`,
      cells: [
        (point.peakBytes / MIB).toFixed(1),
        formatCount(point.faults),
        formatCount(point.majorFaults),
        formatCount(point.refaults),
        joinFigure(formatDuration(point.stallNs)),
        point.psiPercent.toFixed(2),
        formatCount(point.maxEvents),
        formatCount(point.kills),
        point.isEvicted ? 'evicted' : point.verdict,
      ],
    })),
  }
}

function marksOf({ limitBytes }: AdvisePoint, report: AdviseReport | undefined): string {
  const marks = [
    limitBytes === report?.ownBytes ? 'own' : '',
    limitBytes === report?.kneeBytes ? 'knee' : '',
    limitBytes === report?.suggestedBytes ? 'suggested' : '',
  ].filter(Boolean)
  return marks.length === 0 ? '' : ` (${marks.join(', ')})`
}

/** Name under which a suggestion is saved. */
export const adviceFile = (kind: 'yaml' | 'systemd' | 'sysctl', report: AdviseReport, fileName: string): string =>
  ({ yaml: fileName, systemd: `${report.container}.service.d-memory.conf`, sysctl: `60-${report.pod}.conf` })[kind]
