/**
 * Lists of cached objects from the oldest to the youngest, one for each owner, memory cgroup and node. An object is a row
 * number of whoever owns the table; it is on one list at most.
 * @kernel  mm/list_lru.c
 * @spec    03 §3.9
 */
import { assert } from '../../util/assert'

interface ListHead {
  readonly owner: number
  readonly memcg: number
  readonly nid: number
  first: number
  last: number
  count: number
}

export interface ListLru {
  /** By row. `list` is the number of the list that the row is on, 0 none. */
  next: Int32Array
  prev: Int32Array
  list: Int32Array
  /** Numbered from 1. */
  readonly lists: ListHead[]
  /** listKey() → number of the list. */
  readonly byKey: Record<number, number>
}

/** Which list: `owner` is a file system or 0; memcg 0 is the root and everything that is charged to nobody. */
export interface LruPlace {
  readonly owner: number
  readonly memcg: number
  readonly nid: number
}

const MEMCGS = 65536
const NODES = 64
const listKey = ({ owner, memcg, nid }: LruPlace): number => (owner * MEMCGS + memcg) * NODES + nid

/** @kernel mm/list_lru.c list_lru_init() */
export const createListLru = (): ListLru => ({
  next: new Int32Array(64),
  prev: new Int32Array(64),
  list: new Int32Array(64),
  lists: [{ owner: 0, memcg: 0, nid: 0, first: 0, last: 0, count: 0 }],
  byKey: {},
})

function grow(lru: ListLru, row: number): void {
  if (row < lru.list.length) return
  const n = Math.max(row + 1, 2 * lru.list.length)
  for (const column of ['next', 'prev', 'list'] as const) {
    const longer = new Int32Array(n)
    longer.set(lru[column])
    lru[column] = longer
  }
}

function listAt(lru: ListLru, place: LruPlace): number {
  const key = listKey(place)
  let number = Object.hasOwn(lru.byKey, key) ? lru.byKey[key]! : 0
  if (number === 0) {
    number = lru.lists.length
    lru.lists.push({ owner: place.owner, memcg: place.memcg, nid: place.nid, first: 0, last: 0, count: 0 })
    lru.byKey[key] = number
  }
  return number
}

/** @kernel mm/list_lru.c list_lru_from_memcg_idx() */
export const isListed = (lru: ListLru, row: number): boolean => row < lru.list.length && lru.list[row] !== 0

function append(lru: ListLru, number: number, row: number): void {
  const head = lru.lists[number]!
  lru.list[row] = number
  lru.prev[row] = head.last
  lru.next[row] = 0
  if (head.last === 0) head.first = row
  else lru.next[head.last] = row
  head.last = row
  head.count++
}

/**
 * Puts a row at the young end of a list.
 * @returns false when it is on a list already
 * @kernel  mm/list_lru.c list_lru_add()
 */
export function listLruAdd(lru: ListLru, row: number, place: LruPlace): boolean {
  if (isListed(lru, row)) return false
  grow(lru, row)
  append(lru, listAt(lru, place), row)
  return true
}

/** Takes a row off its list, if it is on one. @kernel mm/list_lru.c list_lru_del() */
export function listLruDel(lru: ListLru, row: number): void {
  if (!isListed(lru, row)) return
  const head = lru.lists[lru.list[row]!]!
  const next = lru.next[row]!
  const prev = lru.prev[row]!
  if (prev === 0) head.first = next
  else lru.next[prev] = next
  if (next === 0) head.last = prev
  else lru.prev[next] = prev
  lru.list[row] = 0
  head.count--
}

/** Second chance: the row becomes the youngest of its list. @kernel LRU_ROTATE */
export function listLruRotate(lru: ListLru, row: number): void {
  const number = lru.list[row]!
  assert(number !== 0, `row ${row} is on no list`)
  listLruDel(lru, row)
  append(lru, number, row)
}

/** The oldest row of a list, 0 when it is empty; `next` leads on. @kernel mm/list_lru.c list_lru_walk_one() */
export function listLruFirst(lru: ListLru, place: LruPlace): number {
  const key = listKey(place)
  return Object.hasOwn(lru.byKey, key) ? lru.lists[lru.byKey[key]!]!.first : 0
}

/** @kernel mm/list_lru.c list_lru_count_one() */
export function listLruCount(lru: ListLru, place: LruPlace): number {
  const key = listKey(place)
  return Object.hasOwn(lru.byKey, key) ? lru.lists[lru.byKey[key]!]!.count : 0
}

/** The group is gone: its lists go behind those of its parent. @kernel mm/list_lru.c memcg_reparent_list_lru() */
export function listLruReparent(lru: ListLru, memcg: number, parent: number): void {
  for (const { owner, nid, memcg: own, first } of [...lru.lists]) {
    if (own !== memcg || first === 0) continue
    for (let row = first; row !== 0;) {
      const next = lru.next[row]!
      listLruDel(lru, row)
      listLruAdd(lru, row, { owner, memcg: parent, nid })
      row = next
    }
  }
}
