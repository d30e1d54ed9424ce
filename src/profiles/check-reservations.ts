/** What a capture says of each zone against the RAM that the profile gives it. */
import type { Err, UserError } from '../util/result'
import { MIB, GIB, PAGE_SIZE } from '../util/units'
import type { MachineProfile } from './machine'
import type { Report } from './machine-check'
import { intersect, nodeRanges } from './memory-map'

type Fault = Err<UserError> | undefined
type LowZone = 'DMA' | 'DMA32' | 'Normal'

/** @spec 01 §1.3 */
const ZONE_LIMITS: Readonly<Record<LowZone, { start: number; end: number }>> = {
  DMA: { start: 0, end: 16 * MIB },
  DMA32: { start: 16 * MIB, end: 4 * GIB },
  Normal: { start: 4 * GIB, end: Number.MAX_SAFE_INTEGER },
}

export function checkReservations(profile: MachineProfile, report: Report): Fault {
  const rows = profile.reservations
  if (!rows || rows.length === 0) return undefined
  const ranges = nodeRanges(profile)
  const pagesIn = (nid: number, zone: LowZone): number =>
    intersect(ranges[nid] ?? [], [ZONE_LIMITS[zone]]).reduce((sum, r) => sum + (r.end - r.start) / PAGE_SIZE, 0)
  const pagesOf = (nid: number): number =>
    (['DMA', 'DMA32', 'Normal'] as const).reduce((sum, z) => sum + pagesIn(nid, z), 0)
  for (const [i, row] of rows.entries()) {
    const at = (name: string): readonly PropertyKey[] => ['reservations', i, name]
    if (row.node >= profile.nodes.length)
      return report(
        'no-such-node',
        at('node'),
        `There is no node ${row.node}.`,
        `Use 0 to ${profile.nodes.length - 1}.`,
      )
    if (rows.findIndex((r) => r.node === row.node && r.zone === row.zone) < i)
      return report(
        'zone-twice',
        ['reservations', i],
        `Zone ${row.zone} of node ${row.node} is there already.`,
        'One row a zone.',
      )
    const present = row.zone === 'Movable' ? pagesOf(row.node) : pagesIn(row.node, row.zone)
    if (row.managedPages > present)
      return report(
        'zone-larger-than-ram',
        at('managedPages'),
        `${row.managedPages} pages in zone ${row.zone} of node ${row.node}, which has ${present} pages of RAM.`,
        'A zone manages at most its RAM.',
      )
    if (row.returnedLatePages > row.managedPages)
      return report(
        'returned-too-much',
        at('returnedLatePages'),
        `${row.returnedLatePages} of ${row.managedPages} pages.`,
        'It is a part of managedPages.',
      )
  }
  if (profile.kernel.kernelcore !== undefined || profile.kernel.movablecore !== undefined) return undefined
  for (let nid = 0; nid < profile.nodes.length; nid++) {
    for (const zone of ['DMA', 'DMA32', 'Normal'] as const) {
      if (pagesIn(nid, zone) > 0 && !rows.some((r) => r.node === nid && r.zone === zone)) {
        return report(
          'zone-missing',
          ['reservations'],
          `Zone ${zone} of node ${nid} has RAM but no row.`,
          'Give one row for each zone with RAM, or none at all.',
        )
      }
    }
  }
  return undefined
}
