/**
 * What the views of the two allocators ask for: free lists with their blocks, slab caches with their slabs and objects.
 * Asked for while such a view is open; nothing of it is sent unasked.
 */
import type { Ns } from '../util/units'
import type { FreeArea, FreeBlock, MergeStep, NextBlock, PcpList, PcpLists } from '../engine/mm/buddy_view'
import type { SlabTotals } from '../engine/mm/slab_totals'
import type {
  SlabCacheView,
  SlabObject as EngineSlabObject,
  SlabObjectsView as EngineSlabObjectsView,
} from '../engine/mm/slab_view'

export type { BuddyVerdict, FreeArea, FreeBlock, MergeStep, PcpList, PcpLists } from '../engine/mm/buddy_view'
export type { SlabTotals } from '../engine/mm/slab_totals'
export type { CpuSlabs, NodeSlabs, SlabCacheView, SlabPage } from '../engine/mm/slab_view'

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
  readonly next: NextBlock | undefined
  /** How the block would merge if it were freed now. */
  readonly merge: readonly MergeStep[]
  readonly pageblocks?: readonly number[]
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

/** A group is named by its path, '' none: its number means nothing outside the machine. */
export type SlabObject = Omit<EngineSlabObject, 'memcg'> & { readonly cgroup: string }
export type SlabObjectsView = Omit<EngineSlabObjectsView, 'list'> & { readonly list: readonly SlabObject[] }
