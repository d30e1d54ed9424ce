/** The map as a table: frames of each zone by owner. Pure. */
import {
  FRAME_ANON,
  FRAME_FILE,
  FRAME_FREE,
  FRAME_HUGE,
  FRAME_KERNEL,
  FRAME_PCP,
  FRAME_PGTABLE,
  FRAME_RESERVED,
  FRAME_SLAB,
  NR_FRAME_OWNERS,
  type MapZone,
  type PageMapWhole,
} from '../../../protocol/page-map'

export interface OwnerColumn {
  readonly title: string
  readonly owner: number
}

/** In the order of every legend and stack. */
export const OWNER_COLUMNS: readonly OwnerColumn[] = [
  { title: 'anon', owner: FRAME_ANON },
  { title: 'huge', owner: FRAME_HUGE },
  { title: 'file', owner: FRAME_FILE },
  { title: 'slab', owner: FRAME_SLAB },
  { title: 'page table', owner: FRAME_PGTABLE },
  { title: 'kernel', owner: FRAME_KERNEL },
  { title: 'per-CPU lists', owner: FRAME_PCP },
  { title: 'free', owner: FRAME_FREE },
  { title: 'reserved', owner: FRAME_RESERVED },
]

export interface OwnerRow {
  readonly zone: number
  readonly name: string
  /** One for each column. */
  readonly pages: readonly number[]
  readonly present: number
}

export function ownerRows(zones: readonly MapZone[], { totals }: PageMapWhole): OwnerRow[] {
  return zones.map(({ zone, nid, name, present }) => ({
    zone,
    name: `node ${nid}, ${name}`,
    pages: OWNER_COLUMNS.map(({ owner }) => totals[zone * NR_FRAME_OWNERS + owner] ?? 0),
    present,
  }))
}

export const sumRows = (rows: readonly OwnerRow[]): OwnerRow => ({
  zone: -1,
  name: 'all',
  pages: OWNER_COLUMNS.map((_, at) => rows.reduce((sum, row) => sum + row.pages[at]!, 0)),
  present: rows.reduce((sum, row) => sum + row.present, 0),
})
