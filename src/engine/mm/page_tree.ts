/**
 * Nodes of the tree that holds a file's pages: one radix_tree_node for 64 slots, charged to the group that first
 * needed it. A shadow keeps its slot, and so its node, in use.
 * @kernel  lib/xarray.c xa_node, SLAB_ACCOUNT radix_tree_node
 * @spec    07 §7.3
 */
import type { Inode } from '../fs_types'
import type { KernelState } from '../state'
import { GFP_KERNEL_ACCOUNT } from './gfp'
import { cacheNumber } from './slab_state'
import { workingsetUpdateNode } from './shadow_nodes'
import { kmemCacheAlloc, kmemCacheFree } from './slub'

const SLOT_SHIFT = 6

function ensureNode(inode: Inode, node: number): void {
  if (node < inode.treeUse.length) return
  const n = Math.max(node + 1, inode.treeUse.length * 2)
  const use = new Uint8Array(n)
  use.set(inode.treeUse)
  inode.treeUse = use
  const nodes = new Float64Array(n)
  nodes.set(inode.treeNodes)
  inode.treeNodes = nodes
  const pages = new Uint8Array(n)
  pages.set(inode.treePages)
  inode.treePages = pages
  const rows = new Int32Array(n)
  rows.set(inode.treeRows)
  inode.treeRows = rows
}

/** A page came into its node of the tree, or left it. @kernel mm/workingset.c workingset_update_node() */
export function countTreePage(state: KernelState, inode: Inode, index: number, sign: 1 | -1): void {
  const node = index >> SLOT_SHIFT
  ensureNode(inode, node)
  inode.treePages[node]! += sign
  if (sign > 0) workingsetUpdateNode(state, inode, index)
}

/**
 * A slot that held nothing is about to hold a page.
 * @returns false = the node's charge was refused, there is no memory, or the operation has to wait
 * @kernel      xas_create()
 * @simplifies  the first level of nodes only; the higher ones are a 64th of them
 */
export function takeTreeSlot(state: KernelState, inode: Inode, index: number): boolean {
  const node = index >> SLOT_SHIFT
  ensureNode(inode, node)
  // A lone page at index 0 hangs on the root of the tree, without a node.
  if (inode.treeUse[node] === 0 && index > 0) {
    const address = kmemCacheAlloc(state, cacheNumber(state.slabs, 'radix_tree_node'), GFP_KERNEL_ACCOUNT)
    if (address === 0) return false
    inode.treeNodes[node] = address
  }
  inode.treeUse[node]!++
  return true
}

/** A slot holds neither page nor shadow any more. @kernel xas_delete_node() */
export function giveTreeSlot(state: KernelState, inode: Inode, index: number): void {
  const node = index >> SLOT_SHIFT
  if (--inode.treeUse[node]! > 0) {
    workingsetUpdateNode(state, inode, index)
    return
  }
  const address = inode.treeNodes[node]!
  if (address === 0) return
  inode.treeNodes[node] = 0
  workingsetUpdateNode(state, inode, index)
  kmemCacheFree(state, address)
}
