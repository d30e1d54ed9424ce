/** Free lists as the rows of a matrix: the zones as /proc/buddyinfo has them, the open one by type as pagetypeinfo. Pure. */
import type { BuddyView } from '../../../protocol/allocators'

export interface MatrixCell {
  readonly order: number
  readonly blocks: number
  /** Share of the pages in the fullest cell of its kind, 0 to 1. */
  readonly share: number
}

export interface MatrixRow {
  readonly id: string
  readonly kind: 'zone' | 'type'
  readonly title: string
  readonly nid: number
  readonly zone: string
  /** Index of the migrate type; −1 in the row of a zone. */
  readonly type: number
  readonly cells: readonly MatrixCell[]
  readonly pages: number
  /** Pageblocks of the type; undefined where not counted. */
  readonly pageblocks: number | undefined
}

export const areaKey = (area: { readonly nid: number; readonly zone: string }): string => `${area.nid} ${area.zone}`

const pagesOf = (counts: readonly number[]): number => counts.reduce((sum, n, order) => sum + n * 2 ** order, 0)

function cellsOf(counts: readonly number[], most: number): readonly MatrixCell[] {
  return counts.map((blocks, order) => ({ order, blocks, share: most > 0 ? (blocks * 2 ** order) / most : 0 }))
}

const mostIn = (rows: readonly (readonly number[])[]): number =>
  Math.max(0, ...rows.flatMap((counts) => counts.map((n, order) => n * 2 ** order)))

/** Zones in the order of the file; the open one is followed by its types. */
export function matrixRows(
  view: Pick<BuddyView, 'areas' | 'types'>,
  openZone: string,
  pageblocks: readonly number[] | undefined,
): readonly MatrixRow[] {
  return view.areas.flatMap((area) => {
    const { nid, zone } = area
    const key = areaKey(area)
    const row: MatrixRow = {
      id: key,
      kind: 'zone',
      title: zone,
      nid,
      zone,
      type: -1,
      cells: cellsOf(area.nrFree, mostIn([area.nrFree])),
      pages: pagesOf(area.nrFree),
      pageblocks: undefined,
    }
    if (key !== openZone) return [row]
    const most = mostIn(area.byType)
    const types = view.types.map((title, type): MatrixRow => {
      const counts = area.byType[type]!
      return {
        id: `${key} ${title}`,
        kind: 'type',
        title,
        nid,
        zone,
        type,
        cells: cellsOf(counts, most),
        pages: pagesOf(counts),
        pageblocks: pageblocks?.[type],
      }
    })
    return [row, ...types]
  })
}

/** '0.413', '−1': as debugfs prints the index, without the zeros of a whole number. */
export function indexText(thousandths: number): string {
  if (thousandths % 1000 === 0) return String(thousandths / 1000).replace('-', '−')
  return (thousandths / 1000).toFixed(3).replace('-', '−')
}
