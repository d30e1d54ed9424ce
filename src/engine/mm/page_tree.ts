/**
 * Nodes of the tree that holds a file's pages: one object of 576 bytes for 64 slots, charged to the group that first
 * needed it. A shadow keeps its slot, and so its node, in use.
 * @kernel  lib/xarray.c xa_node, SLAB_ACCOUNT radix_tree_node
 * @spec    07 §7.3
 */
import { taskMemcg } from '../cgroup'
import { currentTask } from '../exec'
import type { Inode } from '../fs_types'
import type { KernelState } from '../state'
import { GFP_KERNEL_ACCOUNT } from './gfp'
import { memcgChargeSlab, memcgUnchargeSlab } from './memcontrol'

const NODE_BYTES = 576
const SLOT_SHIFT = 6
const ROOT = 1

function ensureNode(inode: Inode, node: number): void {
  if (node < inode.treeUse.length) return
  const n = Math.max(node + 1, inode.treeUse.length * 2)
  const use = new Uint8Array(n)
  use.set(inode.treeUse)
  inode.treeUse = use
  const memcg = new Uint16Array(n)
  memcg.set(inode.treeMemcg)
  inode.treeMemcg = memcg
}

/**
 * A slot that held nothing is about to hold a page.
 * @returns false = the node's charge was refused, or the operation has to wait
 * @kernel      xas_create()
 * @simplifies  the first level of nodes only; the higher ones are a 64th of them
 */
export function takeTreeSlot(state: KernelState, inode: Inode, index: number): boolean {
  const node = index >> SLOT_SHIFT
  ensureNode(inode, node)
  // A lone page at index 0 hangs on the root of the tree, without a node.
  if (inode.treeUse[node] === 0 && index > 0) {
    const task = currentTask(state)
    const memcg = task === undefined ? ROOT : taskMemcg(state, task)
    if (memcg !== ROOT) {
      const object = { isReclaimable: true, gfp: GFP_KERNEL_ACCOUNT }
      if (memcgChargeSlab(state, memcg, NODE_BYTES, object) !== 'ok') return false
    }
    inode.treeMemcg[node] = memcg
  }
  inode.treeUse[node]!++
  return true
}

/** A slot holds neither page nor shadow any more. @kernel xas_delete_node() */
export function giveTreeSlot(state: KernelState, inode: Inode, index: number): void {
  const node = index >> SLOT_SHIFT
  if (--inode.treeUse[node]! > 0) return
  const memcg = inode.treeMemcg[node]!
  inode.treeMemcg[node] = 0
  if (memcg > ROOT) memcgUnchargeSlab(state, memcg, NODE_BYTES, { isReclaimable: true })
}
