/**
 * vm.zone_reclaim_mode: a node frees page cache of its own before an allocation goes to the next node. Apart from
 * vmscan.ts because the walk over the zonelist asks for it, not somebody who is out of memory.
 * @kernel  mm/vmscan.c node_reclaim(), __node_reclaim()
 * @spec    08 §8.2
 */
import type { Pages } from '../../util/units'
import { charge, currentNode, currentTask } from '../exec'
import type { KernelState } from '../state'
import { GFP_BIT_DIRECT_RECLAIM } from './gfp'
import type { PgData } from './mmzone'
import { memstallEnter, memstallLeave } from './psi'
import { closeRun, openRun } from './reclaim/reclaim_log'
import { SWAP_CLUSTER_MAX, createScanControl } from './reclaim/scan_control'
import {
  NR_ACTIVE_FILE,
  NR_DIRTY,
  NR_FILE_PAGES,
  NR_INACTIVE_FILE,
  NR_MAPPED,
  NR_SLAB_RECLAIMABLE,
  ZONE_RECLAIM_FAILED,
  ZONE_RECLAIM_SUCCESS,
  countVmEvent,
  readStat,
} from './vmstat'
import { shrinkNode } from './reclaim/shrink_node'

const RECLAIM_ZONE = 1
const RECLAIM_WRITE = 2
const RECLAIM_UNMAP = 4
const NODE_RECLAIM_PRIORITY = 4

/** @kernel mm/internal.h node_reclaim_enabled() */
export const nodeReclaimEnabled = (state: KernelState): boolean =>
  (state.sysctl.zoneReclaimMode & (RECLAIM_ZONE | RECLAIM_WRITE | RECLAIM_UNMAP)) !== 0

/** Page cache that this mode may free. @kernel mm/vmscan.c node_pagecache_reclaimable() */
export function nodePagecacheReclaimable(state: KernelState, node: PgData): Pages {
  const mode = state.sysctl.zoneReclaimMode
  const lru = readStat(node.stat, NR_INACTIVE_FILE) + readStat(node.stat, NR_ACTIVE_FILE)
  const unmapped = Math.max(0, lru - readStat(node.stat, NR_MAPPED))
  const nr = (mode & RECLAIM_UNMAP) !== 0 ? readStat(node.stat, NR_FILE_PAGES) : unmapped
  const dirty = (mode & RECLAIM_WRITE) !== 0 ? 0 : readStat(node.stat, NR_DIRTY)
  return nr - Math.min(nr, dirty)
}

/** Percent of a node, zone by zone. @kernel setup_min_unmapped_ratio(), setup_min_slab_ratio() */
function shareOfNode(state: KernelState, node: PgData, percent: number): Pages {
  let pages = 0
  for (const index of node.zones) pages += Math.floor((state.zones[index]!.managed * percent) / 100)
  return pages
}

/** More cache or slab than vm.min_unmapped_ratio and vm.min_slab_ratio leave alone. */
function hasEnough(state: KernelState, node: PgData): boolean {
  return (
    nodePagecacheReclaimable(state, node) > shareOfNode(state, node, state.sysctl.minUnmappedRatio) ||
    readStat(node.stat, NR_SLAB_RECLAIMABLE) > shareOfNode(state, node, state.sysctl.minSlabRatio)
  )
}

/**
 * Reclaims from one node, if that is worth while and this task may.
 * @returns true: enough was freed; false: full, not tried (no blocking, a reclaimer, another node's CPUs), or too little
 * @kernel      mm/vmscan.c node_reclaim()
 * @simplifies  one CPU runs at a time, so that a second reclaimer of the node never meets the first
 */
export function nodeReclaim(
  state: KernelState,
  nid: number,
  request: { readonly gfp: number; readonly order: number; readonly highestZoneidx: number },
): boolean {
  const node = state.nodes[nid]!
  const task = currentTask(state)
  if (!hasEnough(state, node)) return false
  if ((request.gfp & GFP_BIT_DIRECT_RECLAIM) === 0 || task?.memalloc === true) return false
  if (node.cpus.length > 0 && nid !== currentNode(state)) return false
  if (task !== undefined) task.memalloc = true
  const isEnough = reclaimFromNode(state, nid, request)
  if (task !== undefined) task.memalloc = false
  countVmEvent(state.vmstat, isEnough ? ZONE_RECLAIM_SUCCESS : ZONE_RECLAIM_FAILED)
  return isEnough
}

/** @kernel mm/vmscan.c __node_reclaim() */
function reclaimFromNode(
  state: KernelState,
  nid: number,
  { gfp, order, highestZoneidx }: { readonly gfp: number; readonly order: number; readonly highestZoneidx: number },
): boolean {
  const wanted = 1 << order
  const mode = state.sysctl.zoneReclaimMode
  const sc = createScanControl({
    kind: 'node',
    target: 0,
    nrToReclaim: Math.max(wanted, SWAP_CLUSTER_MAX),
    order,
    gfp,
    reclaimIdx: highestZoneidx,
  })
  sc.priority = NODE_RECLAIM_PRIORITY
  sc.mayWritepage = (mode & RECLAIM_WRITE) !== 0
  sc.mayUnmap = (mode & RECLAIM_UNMAP) !== 0
  const task = currentTask(state)
  const began = memstallEnter(state, task)
  charge(state, state.costs.reclaimEntry)
  openRun(state, sc, nid)
  do shrinkNode(state, sc, nid)
  while (sc.nrReclaimed < wanted && --sc.priority >= 0)
  closeRun(state, sc)
  memstallLeave(state, task, began)
  return sc.nrReclaimed >= wanted
}
