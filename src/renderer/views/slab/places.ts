/** The slabs of one cache by place, in the order in which an allocation looks for them. Pure. */
import type { SlabCacheView, SlabPage } from '../../../protocol/allocators'

export interface PlacedSlab {
  readonly slab: SlabPage
  /** Objects in use, those on a CPU's own freelist not counted. */
  readonly used: number
  readonly free: number
}

export interface SlabPlaceRow {
  readonly id: string
  readonly title: string
  /** What an allocation does here. */
  readonly words: string
  readonly slabs: readonly PlacedSlab[]
  /** Slabs in the place; `slabs` has the first of them. */
  readonly total: number
  readonly kind: 'cpu' | 'cpu partial' | 'node partial' | 'full'
}

const placed = (slab: SlabPage): PlacedSlab => ({ slab, used: slab.objects - slab.free, free: slab.free })

/** CPUs without a slab of the cache are left out: there may be hundreds. */
export function placeRows(cache: SlabCacheView): readonly SlabPlaceRow[] {
  const rows: SlabPlaceRow[] = []
  for (const { cpu, active, cpuFree, partial, nrPartial } of cache.cpus) {
    if (active) {
      const free = active.free + cpuFree
      rows.push({
        id: `cpu ${cpu}`,
        title: `cpu${cpu}`,
        words: cpuFree > 0 ? `fast path: ${cpuFree} free on its freelist` : 'freelist empty: the slow path is next',
        slabs: [{ slab: active, used: active.objects - free, free }],
        total: 1,
        kind: 'cpu',
      })
    }
    if (nrPartial > 0) {
      rows.push({
        id: `partial ${cpu}`,
        title: `cpu${cpu} partial`,
        words: 'set aside: the next slab when the active one is empty',
        slabs: partial.map(placed),
        total: nrPartial,
        kind: 'cpu partial',
      })
    }
  }
  for (const { nid, partial, nrPartial } of cache.nodes) {
    rows.push({
      id: `node ${nid}`,
      title: `node ${nid} partial`,
      words: nrPartial > 0 ? 'under the list lock: taken when a CPU has none' : 'empty',
      slabs: partial.map(placed),
      total: nrPartial,
      kind: 'node partial',
    })
  }
  const nrFull = cache.nodes.reduce((sum, node) => sum + node.nrFull, 0)
  rows.push({
    id: 'full',
    title: 'full',
    words: nrFull > 0 ? 'on no list: found again when an object is freed' : 'none',
    slabs: cache.full.map(placed),
    total: nrFull,
    kind: 'full',
  })
  return rows
}

/** Slabs that can be walked with the arrows, in the order of the rows. */
export const walkOrder = (rows: readonly SlabPlaceRow[]): readonly number[] =>
  rows.flatMap((row) => row.slabs.map(({ slab }) => slab.pfn))
