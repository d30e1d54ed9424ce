/**
 * What the views of the two allocators ask for: free lists with their blocks, slab caches with their slabs and objects.
 * Asked for while such a view is open; nothing of it is sent unasked.
 */
import type { Bytes, Ns, Pages } from '../util/units'

// ---------------------------------------------------------------- buddy

export interface GetBuddy {
  readonly kind: 'getBuddy'
  readonly nid: number
  /** 'DMA32', … : the zone whose lists are opened. */
  readonly zone: string
  /** The free list that is opened. */
  readonly order: number
  /** Index into `types`. */
  readonly type: number
  /** CPU whose single lists are counted. */
  readonly cpu: number
  /** A block whose merging is asked about. */
  readonly block?: { readonly pfn: number; readonly order: number }
  /** Counts pageblocks too: a pass over all of the zone. */
  readonly withPageblocks: boolean
}

export interface BuddyView {
  readonly atNs: Ns
  /** Names of the migrate types, in the order of all lists by type. */
  readonly types: readonly string[]
  readonly areas: readonly FreeArea[]
  /** The zone that was asked about. */
  readonly pcp: readonly PcpLists[]
  readonly cpuLists: readonly PcpList[]
  readonly blocks: readonly FreeBlock[]
  /** Where the next block of the order and type would be cut from; undefined: from another type's lists. */
  readonly next: { readonly pfn: number; readonly blockOrder: number } | undefined
  /** How the block would merge if it were freed now. */
  readonly merge: readonly MergeStep[]
  readonly pageblocks?: readonly number[]
}

/** Free blocks of one zone. */
export interface FreeArea {
  readonly nid: number
  readonly zone: string
  readonly freePages: Pages
  readonly managed: Pages
  /** Blocks of each order. */
  readonly nrFree: readonly number[]
  /** Blocks by migrate type, then order. */
  readonly byType: readonly (readonly number[])[]
  /** Thousandths, by order. */
  readonly unusable: readonly number[]
  /** Thousandths, by order; −1000: an allocation would succeed. */
  readonly extfrag: readonly number[]
}

/** The lists of one CPU for one zone, in pages. */
export interface PcpLists {
  readonly cpu: number
  readonly count: Pages
  readonly high: Pages
  readonly batch: Pages
  readonly highMin: Pages
  readonly highMax: Pages
}

export interface PcpList {
  readonly order: number
  readonly type: string
  readonly blocks: number
}

export type BuddyVerdict =
  'merges' | 'in use' | 'on a pcp list' | 'split' | 'other zone' | 'reserved' | 'other type' | 'largest'

export interface FreeBlock {
  readonly pfn: number
  readonly buddy: number
  readonly verdict: BuddyVerdict
}

export interface MergeStep extends FreeBlock {
  readonly order: number
  /** Order of the free block that starts at the buddy, −1 none. */
  readonly buddyOrder: number
}

// ---------------------------------------------------------------- slab

export interface GetSlabs {
  readonly kind: 'getSlabs'
  /** Name of the cache that is opened; '' none. */
  readonly cache: string
  /** A frame of the slab that is opened; 0 none. */
  readonly pfn: number
}

export interface SlabsView {
  readonly atNs: Ns
  readonly caches: readonly SlabTotals[]
  readonly cache: SlabCacheView | undefined
  readonly slab: SlabObjectsView | undefined
}

/** One cache; its pages are, to the byte, objects in use + padding + free objects + slab tails. */
export interface SlabTotals {
  readonly name: string
  readonly aliases: readonly string[]
  readonly isReclaimable: boolean
  readonly isAccounted: boolean
  readonly objectSizeBytes: Bytes
  readonly sizeBytes: Bytes
  readonly objectsPerSlab: number
  readonly order: number
  readonly activeObjects: number
  readonly objects: number
  readonly slabs: number
  readonly pages: Pages
  readonly onCpu: number
  readonly cpuPartial: number
  readonly nodePartial: number
  readonly full: number
  readonly freeObjects: number
  readonly freeBytes: Bytes
  readonly paddingBytes: Bytes
  readonly tailBytes: Bytes
}

export interface SlabPage {
  readonly pfn: number
  readonly nid: number
  readonly order: number
  readonly objects: number
  /** As struct slab counts: all of them while a CPU allocates from it. */
  readonly inuse: number
  /** Free objects on the slab's own freelist. */
  readonly free: number
}

export interface CpuSlabs {
  readonly cpu: number
  readonly active: SlabPage | undefined
  readonly cpuFree: number
  readonly partial: readonly SlabPage[]
  readonly nrPartial: number
}

export interface NodeSlabs {
  readonly nid: number
  readonly nrSlabs: number
  readonly totalObjects: number
  readonly partial: readonly SlabPage[]
  readonly nrPartial: number
  readonly nrFull: number
}

/** Lists are cut off; the counts are of all. */
export interface SlabCacheView {
  readonly name: string
  readonly cpus: readonly CpuSlabs[]
  readonly nodes: readonly NodeSlabs[]
  readonly full: readonly SlabPage[]
}

export interface SlabObject {
  readonly address: Bytes
  readonly state: 'used' | 'free on cpu' | 'free on slab'
  /** Place on its freelist, 0 = handed out first; −1 when in use. */
  readonly position: number
  /** Path of the group that pays for it, '' none. */
  readonly cgroup: string
  /** Who holds it, as far as the machine knows; ''. */
  readonly owner: string
}

export interface SlabObjectsView {
  readonly cache: string
  readonly place: 'cpu' | 'cpu partial' | 'node partial' | 'full'
  /** CPU whose slab it is, −1 none. */
  readonly cpu: number
  readonly slab: SlabPage
  readonly sizeBytes: Bytes
  readonly objectSizeBytes: Bytes
  readonly list: readonly SlabObject[]
}
