/**
 * Nodes of page trees that hold nothing but shadows of evicted pages: kept, until they are more than memory is worth.
 * @kernel  mm/workingset.c workingset_update_node(), count_shadow_nodes(), shadow_lru_isolate()
 * @spec    03 §3.9
 */
import { charge } from '../exec'
import type { Inode } from '../fs_types'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { createListLru, listLruAdd, listLruCount, listLruDel, listLruFirst, type ListLru } from './list_lru'
import { lruvecOf } from './lruvec'
import { MEMCG_STAT_SLAB_RECLAIMABLE, MEMCG_STAT_SLAB_UNRECLAIMABLE, memcgNodeStateLocal } from './memcg_stat'
import { SHRINK_BATCH, type Shrinker } from './shrinker'
import { objectMemcg, objectNid } from './slub'
import { WORKINGSET_NODERECLAIM, WORKINGSET_NODES, modStat } from './vmstat'
import { PAGE_SIZE } from '../../util/units'

/** One row a node that is on a list; row 0 is nobody's. */
export interface ShadowNodes {
  rows: number
  /** Linked through `ino`. */
  freeRow: number
  ino: Int32Array
  node: Int32Array
  readonly lru: ListLru
}

/** @kernel mm/workingset.c workingset_init() */
export const createShadowNodes = (): ShadowNodes => ({
  rows: 1,
  freeRow: 0,
  ino: new Int32Array(64),
  node: new Int32Array(64),
  lru: createListLru(),
})

const SLOT_SHIFT = 6

function takeRow(s: ShadowNodes): number {
  if (s.freeRow !== 0) {
    const row = s.freeRow
    s.freeRow = s.ino[row]!
    return row
  }
  if (s.rows === s.ino.length) {
    for (const column of ['ino', 'node'] as const) {
      const longer = new Int32Array(2 * s.rows)
      longer.set(s[column])
      s[column] = longer
    }
  }
  return s.rows++
}

/**
 * A slot of a node has changed: a node with shadows and no page belongs on the list, any other does not.
 * @kernel  mm/workingset.c workingset_update_node()
 */
export function workingsetUpdateNode(state: KernelState, inode: Inode, index: number): void {
  const node = index >> SLOT_SHIFT
  const address = inode.treeNodes[node] ?? 0
  const isWanted = address !== 0 && inode.treePages[node] === 0 && inode.fs !== 'tmpfs'
  if (isWanted === (inode.treeRows[node] ?? 0) > 0) return
  if (isWanted) list(state, inode, node, address)
  else unlist(state, inode, node)
}

function list(state: KernelState, inode: Inode, node: number, address: number): void {
  const s = state.shadowNodes
  const row = takeRow(s)
  s.ino[row] = inode.ino
  s.node[row] = node
  inode.treeRows[node] = row
  let memcg = objectMemcg(state, address)
  while (memcg > 1 && state.memcgs[memcg]?.online !== true) memcg = state.memcgs[memcg]?.parent ?? 0
  const nid = objectNid(state, address)
  listLruAdd(s.lru, row, { owner: 0, memcg: memcg <= 1 ? 0 : memcg, nid })
  modStat(state.nodes[nid]!.stat, WORKINGSET_NODES, 1)
}

function unlist(state: KernelState, inode: Inode, node: number): void {
  const s = state.shadowNodes
  const row = inode.treeRows[node]!
  const { nid } = s.lru.lists[s.lru.list[row]!]!
  listLruDel(s.lru, row)
  inode.treeRows[node] = 0
  s.ino[row] = s.freeRow
  s.freeRow = row
  modStat(state.nodes[nid]!.stat, WORKINGSET_NODES, -1)
}

/** Pages whose shadows are worth keeping. @kernel count_shadow_nodes() */
function pagesOf(state: KernelState, nid: number, memcgId: number): number {
  const memcg = state.memcgs[memcgId]
  if (memcgId === 0 || memcg === undefined)
    return state.zones.reduce((sum, zone) => sum + (zone.nid === nid ? zone.present : 0), 0)
  const { sizes } = lruvecOf(state, memcgId, nid)
  const slab =
    memcgNodeStateLocal(memcg, MEMCG_STAT_SLAB_RECLAIMABLE, nid) +
    memcgNodeStateLocal(memcg, MEMCG_STAT_SLAB_UNRECLAIMABLE, nid)
  return sizes.reduce((sum, n) => sum + n, 0) + Math.floor(slab / PAGE_SIZE)
}

/** @kernel mm/workingset.c shadow_lru_isolate() */
function dropShadows(state: KernelState, row: number): void {
  const s = state.shadowNodes
  const inode = state.inodes[s.ino[row]!]!
  const first = s.node[row]! << SLOT_SHIFT
  const { nid } = s.lru.lists[s.lru.list[row]!]!
  modStat(state.nodes[nid]!.stat, WORKINGSET_NODERECLAIM, 1)
  hooks.forgetShadows(state, inode, first, first + (1 << SLOT_SHIFT))
}

/** 64 slots a node; half of what is too much, whatever the priority. @kernel mm/workingset.c workingset_shadow_shrinker */
export const shadowShrinker: Shrinker = {
  id: 0,
  batch: SHRINK_BATCH,
  seeks: 0,
  count: (state, nid, memcg) => {
    const nodes = listLruCount(state.shadowNodes.lru, { owner: 0, memcg, nid })
    return nodes === 0 ? 0 : Math.max(0, nodes - Math.floor(pagesOf(state, nid, memcg) / 8))
  },
  scan: (state, { nid, memcg, nr }) => {
    let done = 0
    for (; done < nr; done++) {
      const row = listLruFirst(state.shadowNodes.lru, { owner: 0, memcg, nid })
      if (row === 0) break
      charge(state, state.costs.shrinkObject)
      dropShadows(state, row)
    }
    return done
  },
}
