/** One slab opened: what stands in each cell of the grid, and said of it. Pure. */
import type { SlabObject, SlabObjectsView } from '../../../protocol/allocators'

/** 0x1a4000c0: physical, as the engine counts. */
export const addressText = (address: number): string => `0x${address.toString(16)}`

export const objectWords = (object: SlabObject): string => {
  if (object.state === 'used') {
    const who = [object.owner, object.cgroup && `charged to ${object.cgroup}`].filter(Boolean).join(', ')
    return who ? `in use: ${who}` : 'in use'
  }
  const list = object.state === 'free on cpu' ? "the CPU's freelist" : "the slab's freelist"
  return object.position === 0 ? `free, handed out next from ${list}` : `free, ${object.position + 1}. on ${list}`
}

const CELL_WIDTHS = [64, 48, 36, 28, 22, 18, 14]
/** Height of a cell with its gap, px. */
export const CELL_HEIGHT = 21

export interface ObjectGrid {
  readonly columns: number
  /** Width of a cell with its gap, px. */
  readonly cellPx: number
}

/** The widest cells with which all objects stand in the box without scrolling; else the narrowest. */
export function objectGrid(objects: number, box: { readonly width: number; readonly height: number }): ObjectGrid {
  const lines = Math.max(1, Math.floor(box.height / CELL_HEIGHT))
  const columnsOf = (cellPx: number): number => Math.max(1, Math.floor(box.width / cellPx))
  const cellPx = CELL_WIDTHS.find((px) => Math.ceil(objects / columnsOf(px)) <= lines) ?? CELL_WIDTHS.at(-1)!
  return { columns: Math.min(Math.max(1, objects), columnsOf(cellPx)), cellPx }
}

export const placeWords = (view: SlabObjectsView): string => {
  switch (view.place) {
    case 'cpu':
      return `active on cpu${view.cpu}`
    case 'cpu partial':
      return 'set aside by a CPU'
    case 'node partial':
      return `on the partial list of node ${view.slab.nid}`
    case 'full':
      return 'full, on no list'
  }
}

export interface ObjectCounts {
  readonly used: number
  readonly onCpu: number
  readonly onSlab: number
}

export const countObjects = (list: readonly SlabObject[]): ObjectCounts => ({
  used: list.filter((object) => object.state === 'used').length,
  onCpu: list.filter((object) => object.state === 'free on cpu').length,
  onSlab: list.filter((object) => object.state === 'free on slab').length,
})
