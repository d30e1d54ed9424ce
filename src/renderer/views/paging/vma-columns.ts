/** The mappings of a process as table rows: what /proc/<pid>/maps and smaps say of them. Pure. */
import type { SpaceView, VmaView } from '../../../protocol/paging'
import type { Column } from '../../components/table'
import { formatBytes, formatCount, joinFigure } from '../../format'
import { PAGE_SIZE } from '../../../util/units'
import { nameOf } from './space'

const sizePages = ({ start, end }: VmaView): number => (end - start) / PAGE_SIZE
const number = (id: string, title: string, of: (vma: VmaView) => number): Column<VmaView> => ({
  id,
  title,
  isNumber: true,
  text: (vma) => formatCount(of(vma)),
  sortBy: of,
})

const range = ({ start, end }: VmaView): string => `${start.toString(16)}-${end.toString(16)}`

export const VMA_COLUMNS: readonly Column<VmaView>[] = [
  { id: 'range', title: 'range', text: range, sortBy: ({ start }) => start },
  { id: 'perms', title: 'perms', text: ({ perms }) => perms, sortBy: ({ perms }) => perms },
  number('size', 'pages', sizePages),
  number('resident', 'resident', ({ residentPages }) => residentPages),
  number('zero', 'zero page', ({ zeroPages }) => zeroPages),
  number('swapped', 'in swap', ({ swappedPages }) => swappedPages),
  number('huge', 'huge', ({ hugePages }) => hugePages),
  { id: 'locked', title: 'locked', text: ({ isLocked }) => (isLocked ? 'yes' : '–') },
  { id: 'name', title: 'what', text: nameOf, sortBy: nameOf },
]

const bytes = (pages: number): string => joinFigure(formatBytes(pages * PAGE_SIZE))

/** One mapping in a line. */
export function vmaLabel(vma: VmaView): string {
  const { residentPages, zeroPages, swappedPages, hugePages } = vma
  const parts = [
    `${bytes(residentPages)} resident`,
    ...(hugePages > 0 ? [`${bytes(hugePages)} of it huge`] : []),
    ...(zeroPages > 0 ? [`${formatCount(zeroPages)} times the zero page`] : []),
    ...(swappedPages > 0 ? [`${bytes(swappedPages)} in swap`] : []),
  ]
  return `${nameOf(vma)}, ${range(vma)} ${vma.perms}, ${bytes(sizePages(vma))}: ${parts.join(', ')}`
}

/** '6 mappings, 6.2 MiB promised, 1.9 MiB resident, 44 KiB of page tables'. */
export function sumText({ vmas, tableBytes }: SpaceView): string {
  const sum = (of: (vma: VmaView) => number): number => vmas.reduce((total, vma) => total + of(vma), 0)
  const swapped = sum((vma) => vma.swappedPages)
  return [
    `${vmas.length} mappings`,
    `${bytes(sum(sizePages))} promised`,
    `${bytes(sum((vma) => vma.residentPages))} resident`,
    ...(swapped > 0 ? [`${bytes(swapped)} in swap`] : []),
    `${joinFigure(formatBytes(tableBytes))} of page tables`,
  ].join(', ')
}
