/**
 * Nodes of the tree that is the swap cache: one radix_tree_node for 64 slots that hold a frame or the shadow of one.
 * They are taken while memory is short, from the reserves if need be, and they are not movable: swapping out itself
 * breaks into foreign pageblocks and so raises the watermarks.
 * @kernel      mm/swap_state.c add_to_swap_cache(), delete_from_swap_cache(), clear_shadow_from_swap_cache()
 * @simplifies  the first level of nodes only; the higher ones are a 64th of them
 */
import type { Pages } from '../../util/units'
import type { KernelState } from '../state'
import { GFP_BIT_HIGH, GFP_BIT_NOMEMALLOC, GFP_BIT_NOWARN, GFP_NOWAIT } from './gfp'
import { cacheNumber } from './slab_state'
import { kmemCacheAlloc, kmemCacheFree } from './slub'

const SLOT_SHIFT = 6

/** Nodes of one swap area. Index: offset of a slot >> 6. */
export interface SwapTree {
  /** Slots in use. */
  readonly use: Uint8Array
  /** Address of the node, 0 none. */
  readonly nodes: Float64Array
}

/** An empty tree. @kernel mm/swap_state.c init_swap_address_space() */
export function createSwapTree(pages: Pages): SwapTree {
  const nodes = (pages >> SLOT_SHIFT) + 1
  return { use: new Uint8Array(nodes), nodes: new Float64Array(nodes) }
}

/**
 * The node of a slot that is about to hold a frame.
 * @returns false when there is no memory for it
 * @kernel  lib/xarray.c xas_create(), xas_nomem()
 */
export function needSwapTreeNode(state: KernelState, { nodes }: SwapTree, offset: number): boolean {
  const node = offset >> SLOT_SHIFT
  if (nodes[node] !== 0) return true
  const cache = cacheNumber(state.slabs, 'radix_tree_node')
  const address =
    kmemCacheAlloc(state, cache, GFP_NOWAIT | GFP_BIT_NOWARN) ||
    kmemCacheAlloc(state, cache, GFP_BIT_HIGH | GFP_BIT_NOMEMALLOC | GFP_BIT_NOWARN)
  nodes[node] = address
  return address !== 0
}

/** A slot that held neither frame nor shadow holds one now. */
export function takeSwapTreeSlot({ use }: SwapTree, offset: number): void {
  use[offset >> SLOT_SHIFT]!++
}

/** A slot holds neither frame nor shadow any more. @kernel lib/xarray.c xas_delete_node() */
export function giveSwapTreeSlot(state: KernelState, { use, nodes }: SwapTree, offset: number): void {
  const node = offset >> SLOT_SHIFT
  if (--use[node]! > 0) return
  const address = nodes[node]!
  nodes[node] = 0
  if (address !== 0) kmemCacheFree(state, address)
}
