/**
 * The lists of one group on one node as a reader from outside sees them: five lists with their sizes, and the pages that
 * moved between them since boot. Reads only; nothing here may be used by a mechanism.
 * @kernel  what memory.numa_stat, zoneinfo and the vmscan tracepoints tell
 * @model   a look from outside
 */
import type { Pages } from '../../../util/units'
import type { KernelState } from '../../state'
import { MAX_NR_ZONES } from '../gfp'
import { NR_LRU_LISTS, NR_MOVES, lruvecLruSize, lruvecOf, lruvecPageState } from '../lruvec'
import {
  MEMCG_STAT_WORKINGSET_ACTIVATE_ANON,
  MEMCG_STAT_WORKINGSET_REFAULT_ANON,
  MEMCG_STAT_WORKINGSET_RESTORE_ANON,
  memcgNodeStateLocal,
} from '../memcg_stat'
import { ROOT_MEMCG, nextMemcg } from '../memcontrol'
import { WORKINGSET_ACTIVATE_ANON, WORKINGSET_REFAULT_ANON, WORKINGSET_RESTORE_ANON, readStat } from '../vmstat'
import {
  MOVE_ACCESSED,
  MOVE_ACTIVATED,
  MOVE_DEACTIVATED,
  MOVE_KEPT,
  MOVE_SCANNED,
  MOVE_STOLEN,
  MOVE_WRITTEN,
} from './reclaim_record'

/** Anonymous, then file. */
export type AnonFile = readonly [Pages, Pages]

export interface LruListView {
  /** As in memory.stat: inactive_anon … unevictable. */
  readonly name: string
  /** Pages of the group itself, and with the groups below it. */
  readonly own: Pages
  readonly tree: Pages
}

/** Pages since boot, of the group and everything below it, on this node. */
export interface MovesView {
  readonly scanned: AnonFile
  readonly stolen: AnonFile
  /** Inactive to active, because reclaim found them used. */
  readonly activated: AnonFile
  /** Inactive to active, because somebody used them. */
  readonly accessed: AnonFile
  /** Active to inactive. */
  readonly deactivated: AnonFile
  /** Back to the head of the inactive list: a second chance. */
  readonly kept: AnonFile
  readonly written: AnonFile
  readonly refaulted: AnonFile
  readonly refaultActivated: AnonFile
  readonly restored: AnonFile
}

export interface ListsView {
  readonly lists: readonly LruListView[]
  readonly moves: MovesView
}

const NAMES = ['inactive_anon', 'active_anon', 'inactive_file', 'active_file', 'unevictable']

/** Ids of a group and everything below it. @model a look from outside */
export function groupsBelow(state: KernelState, memcg: number): number[] {
  const ids: number[] = []
  for (let id = memcg; id !== 0; id = nextMemcg(state, memcg, id)) ids.push(id)
  return ids
}

/** The group below with most pages of its own on the node: what a sum over groups is told by. @model a look from outside */
export function fullestGroup(state: KernelState, nid: number, groups: readonly number[]): number {
  const pages = (id: number): Pages => lruvecOf(state, id, nid).sizes.reduce((sum, size) => sum + size, 0)
  return groups.reduce((most, id) => (pages(id) > pages(most) ? id : most))
}

function workingset(state: KernelState, nid: number, ids: readonly number[], nodeItem: number, item: number): AnonFile {
  if (ids[0] === ROOT_MEMCG) {
    const { stat } = state.nodes[nid]!
    return [readStat(stat, nodeItem), readStat(stat, nodeItem + 1)]
  }
  const sum = (file: number): number =>
    ids.reduce((total, id) => total + memcgNodeStateLocal(state.memcgs[id]!, item + file, nid), 0)
  return [sum(0), sum(1)]
}

/** @model a look from outside */
export function listsView(state: KernelState, nid: number, memcg: number): ListsView {
  const own = lruvecOf(state, memcg, nid)
  const ids = groupsBelow(state, memcg)
  const moves = new Float64Array(NR_MOVES)
  for (const id of ids) {
    const lruvec = lruvecOf(state, id, nid)
    for (let i = 0; i < NR_MOVES; i++) moves[i]! += lruvec.moves[i]!
  }
  const pair = (move: number): AnonFile => [moves[move]!, moves[move + 1]!]
  return {
    lists: Array.from({ length: NR_LRU_LISTS }, (_, lru) => ({
      name: NAMES[lru]!,
      own: lruvecLruSize(own, lru, MAX_NR_ZONES - 1),
      tree: lruvecPageState(state, own, lru),
    })),
    moves: {
      scanned: pair(MOVE_SCANNED),
      stolen: pair(MOVE_STOLEN),
      activated: pair(MOVE_ACTIVATED),
      accessed: pair(MOVE_ACCESSED),
      deactivated: pair(MOVE_DEACTIVATED),
      kept: pair(MOVE_KEPT),
      written: pair(MOVE_WRITTEN),
      refaulted: workingset(state, nid, ids, WORKINGSET_REFAULT_ANON, MEMCG_STAT_WORKINGSET_REFAULT_ANON),
      refaultActivated: workingset(state, nid, ids, WORKINGSET_ACTIVATE_ANON, MEMCG_STAT_WORKINGSET_ACTIVATE_ANON),
      restored: workingset(state, nid, ids, WORKINGSET_RESTORE_ANON, MEMCG_STAT_WORKINGSET_RESTORE_ANON),
    },
  }
}
