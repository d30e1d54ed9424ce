/** A page table as 32 × 16 squares: the paths of its kinds, and the cell of a point. Pure. */
import {
  CELL_ANON,
  CELL_FILE,
  CELL_HUGE,
  CELL_PROTNONE,
  CELL_SWAP,
  CELL_TABLE,
  CELL_ZERO,
} from '../../../protocol/paging'

export const CELL_COLUMNS = 32
export const CELL_ROWS = 16
/** px from cell to cell, and of the square itself. */
export const CELL_PITCH = 5
const CELL_PX = 4
export const MAP_WIDTH = CELL_COLUMNS * CELL_PITCH
export const MAP_HEIGHT = CELL_ROWS * CELL_PITCH

const square = (index: number): string =>
  `M${(index % CELL_COLUMNS) * CELL_PITCH} ${Math.floor(index / CELL_COLUMNS) * CELL_PITCH}h${CELL_PX}v${CELL_PX}h-${CELL_PX}z`

/** Path of all cells of one kind. */
export function cellsPath(cells: Uint8Array, kind: number): string {
  let path = ''
  for (let i = 0; i < cells.length; i++) if (cells[i] === kind) path += square(i)
  return path
}

/** Kinds in the order of the legend; the mark is the class that has the colour. */
export const CELL_MARKS: readonly { readonly kind: number; readonly mark: string; readonly label: string }[] = [
  { kind: CELL_TABLE, mark: 'pgtable', label: 'table' },
  { kind: CELL_ANON, mark: 'anon', label: 'anonymous' },
  { kind: CELL_HUGE, mark: 'huge', label: 'huge page' },
  { kind: CELL_FILE, mark: 'file', label: 'file' },
  { kind: CELL_ZERO, mark: 'kernel', label: 'zero page' },
  { kind: CELL_SWAP, mark: 'memcg', label: 'in swap' },
  { kind: CELL_PROTNONE, mark: 'reserved', label: 'no access' },
]

/** Upper left corner of a cell, px. */
export const cellAt = (index: number): { x: number; y: number } => ({
  x: (index % CELL_COLUMNS) * CELL_PITCH,
  y: Math.floor(index / CELL_COLUMNS) * CELL_PITCH,
})

/** The entry under a point of the drawing. @returns −1 beside it */
export function entryUnder(x: number, y: number): number {
  const [column, row] = [Math.floor(x / CELL_PITCH), Math.floor(y / CELL_PITCH)]
  return column < 0 || column >= CELL_COLUMNS || row < 0 || row >= CELL_ROWS ? -1 : row * CELL_COLUMNS + column
}
