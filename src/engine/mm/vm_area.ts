/**
 * struct vm_area_struct of each mapping, with its lock, and the nodes of the tree that keeps them in order.
 * @kernel  kernel/fork.c vm_area_alloc(), vm_area_dup(), vm_area_free(); lib/maple_tree.c
 * @spec    03 §3.8, 04 §4.4
 */
import type { KernelState } from '../state'
import type { Mm, Vma } from './mm_types'
import { unlinkAnonVmas } from './anon_vma'
import { GFP_UNDOABLE, giveAll, giveOne, takeAll, takeOne } from './slab_group'
import { findCache } from './slab_state'

/** A mapping, and where each has a lock of its own (6.4 to 6.14) that. */
const CACHES = ['vm_area_struct', 'vma_lock']

/**
 * @param gfp  charged to the running task's group: the caches are accounted
 * @returns false = no memory, charge refused, or waiting
 * @kernel  kernel/fork.c vm_area_alloc()
 */
export function vmAreaAlloc(state: KernelState, vma: Vma, gfp: number): boolean {
  const taken = takeAll(state, CACHES, gfp)
  if (taken === undefined) return false
  vma.objects = taken
  return true
}

/** A mapping goes, with its links to anonymous memory. @kernel kernel/fork.c vm_area_free(), unlink_anon_vmas() */
export function vmAreaFree(state: KernelState, vma: Vma): void {
  unlinkAnonVmas(state, vma)
  if (vma.objects !== undefined) giveAll(state, vma.objects)
  delete vma.objects
}

/** @kernel include/linux/maple_tree.h MAPLE_RANGE64_SLOTS (leaves), MAPLE_ARANGE64_SLOTS (nodes above them: they keep gaps) */
const LEAF_SLOTS = 16
const NODE_SLOTS = 10

/** Whether there is a hole below mapping i; behind the last one there always is. */
export function hasGapBelow(mm: Mm, i: number): number {
  const vma = mm.vmas[i]
  if (vma === undefined) return 1
  return vma.start > (i === 0 ? 0 : mm.vmas[i - 1]!.end) ? 1 : 0
}

/**
 * Nodes for so many ranges: a mapping takes a slot, and so does each hole.
 * @kernel      lib/maple_tree.c
 * @simplifies  nodes are as full as they can be, as after the copy that fork makes in 6.1; nodes that were split later are
 *              about half full, so that a tree with more than one leaf has up to twice as many
 */
export function mapleNodes(slots: number): number {
  if (slots <= 1) return 0
  let level = Math.ceil(slots / LEAF_SLOTS)
  let nodes = level
  while (level > 1) {
    level = Math.ceil(level / NODE_SLOTS)
    nodes += level
  }
  return nodes
}

/**
 * The tree grows or shrinks to what its mappings need.
 * @param gaps  holes more or fewer than before
 * @kernel      lib/maple_tree.c mas_preallocate(), mas_free()
 * @simplifies  never waits and never fails; nodes go back at once, not after a grace period
 */
export function updateMapleTree(state: KernelState, mm: Mm, gaps: number): void {
  mm.gaps += gaps
  if (findCache(state.slabs, 'maple_node') < 0) return
  const wanted = mm.vmas.length === 0 ? 0 : mapleNodes(mm.vmas.length + mm.gaps)
  while (mm.mapleNodes.length > wanted) giveOne(state, mm.mapleNodes.pop()!)
  while (mm.mapleNodes.length < wanted) {
    const node = takeOne(state, 'maple_node', GFP_UNDOABLE)
    if (node === 0) return
    mm.mapleNodes.push(node)
  }
}
