/** Slab caches as slabtop shows them, and what of their memory is lost. Pure. */
import type { Column } from '../../components/table'
import { formatBytes, formatCount, joinFigure } from '../../format'
import type { SlabTotals } from '../../../protocol/allocators'
import { PAGE_SIZE } from '../../../util/units'

export const bytesText = (bytes: number): string => (bytes === 0 ? '0' : joinFigure(formatBytes(bytes)))

/** Bytes of the cache's slabs. */
export const cacheBytes = (cache: SlabTotals): number => cache.pages * PAGE_SIZE

/** Percent of the objects that are active, rounded down as slabtop does; none: 0. */
export const usePercent = (cache: { readonly activeObjects: number; readonly objects: number }): number =>
  cache.objects === 0 ? 0 : Math.floor((cache.activeObjects * 100) / cache.objects)

const figure = (id: string, title: string, of: (cache: SlabTotals) => number): Column<SlabTotals> => ({
  id,
  title,
  isNumber: true,
  text: (cache) => formatCount(of(cache)),
  sortBy: of,
})
const amount = (id: string, title: string, of: (cache: SlabTotals) => number): Column<SlabTotals> => ({
  id,
  title,
  isNumber: true,
  text: (cache) => bytesText(of(cache)),
  sortBy: of,
})

/** slabtop's columns in its order, but the name first, and what is lost last. */
export const CACHE_COLUMNS: readonly Column<SlabTotals>[] = [
  { id: 'name', title: 'name', sortBy: (cache) => cache.name },
  figure('objects', 'objs', (cache) => cache.objects),
  figure('active', 'active', (cache) => cache.activeObjects),
  {
    id: 'use',
    title: 'use',
    isNumber: true,
    text: (cache) => (cache.objects === 0 ? '–' : `${usePercent(cache)} %`),
    sortBy: usePercent,
  },
  figure('size', 'obj size, B', (cache) => cache.sizeBytes),
  figure('slabs', 'slabs', (cache) => cache.slabs),
  figure('perSlab', 'obj/slab', (cache) => cache.objectsPerSlab),
  amount('bytes', 'cache size', cacheBytes),
  amount('free', 'free objects', (cache) => cache.freeBytes),
  amount('padding', 'padding', (cache) => cache.paddingBytes + cache.tailBytes),
]

/** Words of the filter all have to be found in the name or one of its aliases. */
export function shownCaches(
  caches: readonly SlabTotals[],
  filter: string,
  options: { readonly withEmpty: boolean },
): readonly SlabTotals[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  return caches.filter((cache) => {
    if (cache.objects === 0 && !options.withEmpty && words.length === 0) return false
    const names = [cache.name, ...cache.aliases].join(' ').toLowerCase()
    return words.every((word) => names.includes(word))
  })
}

/** The lines that slabtop prints above its table. */
export interface SlabSums {
  readonly activeObjects: number
  readonly objects: number
  readonly slabs: number
  readonly activeCaches: number
  readonly caches: number
  readonly bytes: number
  readonly freeBytes: number
  readonly paddingBytes: number
  readonly tailBytes: number
}

export function slabSums(caches: readonly SlabTotals[]): SlabSums {
  const sum = (of: (cache: SlabTotals) => number): number => caches.reduce((total, cache) => total + of(cache), 0)
  return {
    activeObjects: sum((c) => c.activeObjects),
    objects: sum((c) => c.objects),
    slabs: sum((c) => c.slabs),
    activeCaches: caches.filter((c) => c.objects > 0).length,
    caches: caches.length,
    bytes: sum(cacheBytes),
    freeBytes: sum((c) => c.freeBytes),
    paddingBytes: sum((c) => c.paddingBytes),
    tailBytes: sum((c) => c.tailBytes),
  }
}

/** Where each byte of a cache is, in the order of the bar. */
export interface LossPart {
  readonly id: 'objects' | 'padding' | 'free' | 'tail'
  readonly title: string
  readonly bytes: number
  readonly why: string
}

export function lossParts(cache: SlabTotals): readonly LossPart[] {
  const used = cache.objects - cache.freeObjects
  return [
    {
      id: 'objects',
      title: 'objects in use',
      bytes: used * cache.objectSizeBytes,
      why: `${formatCount(used)} × ${formatCount(cache.objectSizeBytes)} B`,
    },
    {
      id: 'padding',
      title: 'padding',
      bytes: cache.paddingBytes,
      why: `${formatCount(used)} × ${cache.sizeBytes - cache.objectSizeBytes} B, to the next object`,
    },
    {
      id: 'free',
      title: 'free objects',
      bytes: cache.freeBytes,
      why: `${formatCount(cache.freeObjects)} × ${formatCount(cache.sizeBytes)} B in slabs that are kept`,
    },
    {
      id: 'tail',
      title: 'slab ends',
      bytes: cache.tailBytes,
      why: `behind the last object of ${formatCount(cache.slabs)} slabs`,
    },
  ]
}
