/**
 * Hierarchical page counters of the memory controller: usage, limits, peak, protection sums. Apart, because memory and
 * swap count the same way and neither knows what is counted.
 * @kernel  mm/page_counter.c
 * @spec    07 §7.3, §7.5
 */
import { AssertionError } from '../../util/assert'
import type { Pages } from '../../util/units'

/** 'max' in a file. */
export const COUNTER_MAX: Pages = Number.MAX_SAFE_INTEGER

export interface PageCounter {
  usage: Pages
  min: Pages
  low: Pages
  high: Pages
  max: Pages
  /** Highest usage ever. */
  watermark: Pages
  failcnt: number
  /** Effective protection, recomputed by memcontrol.ts during reclaim. */
  emin: Pages
  elow: Pages
  minUsage: Pages
  lowUsage: Pages
  childrenMinUsage: Pages
  childrenLowUsage: Pages
}

/** A counter's place: the tree is an array of nodes by id, 0 = no parent. */
export interface CounterNode {
  readonly parent: number
  readonly memory: PageCounter
  readonly swap: PageCounter
}
export type CounterTree = readonly (CounterNode | undefined)[]
export type CounterKind = 'memory' | 'swap'

/** @kernel  page_counter_init() */
export const createPageCounter = (): PageCounter => ({
  usage: 0,
  min: 0,
  low: 0,
  high: COUNTER_MAX,
  max: COUNTER_MAX,
  watermark: 0,
  failcnt: 0,
  emin: 0,
  elow: 0,
  minUsage: 0,
  lowUsage: 0,
  childrenMinUsage: 0,
  childrenLowUsage: 0,
})

/** No message is built unless it is needed: this runs for every charged page. */
function nodeAt(tree: CounterTree, id: number): CounterNode {
  const node = tree[id]
  if (node === undefined) throw new AssertionError(`page counter of group ${id}, which does not exist`)
  return node
}

/** By name, not node[kind]: this runs up the tree for every page that is charged or given back. */
const counterOf = (node: CounterNode, kind: CounterKind): PageCounter => (kind === 'memory' ? node.memory : node.swap)

/** Brings the parent's sums up to date with one child's protected usage. */
function propagateProtectedUsage(tree: CounterTree, node: CounterNode, kind: CounterKind): void {
  if (node.parent === 0) return
  const c = counterOf(node, kind)
  const parent = counterOf(nodeAt(tree, node.parent), kind)
  const minUsage = Math.min(c.usage, c.min)
  if (minUsage !== c.minUsage) {
    parent.childrenMinUsage += minUsage - c.minUsage
    c.minUsage = minUsage
  }
  const lowUsage = Math.min(c.usage, c.low)
  if (lowUsage !== c.lowUsage) {
    parent.childrenLowUsage += lowUsage - c.lowUsage
    c.lowUsage = lowUsage
  }
}

/**
 * Charges `nr` pages to the group and every ancestor, whatever their limits.
 * @kernel  mm/page_counter.c page_counter_charge()
 */
export function pageCounterCharge(tree: CounterTree, id: number, kind: CounterKind, nr: Pages): void {
  for (let i = id; i !== 0;) {
    const node = nodeAt(tree, i)
    const c = counterOf(node, kind)
    c.usage += nr
    if (c.usage > c.watermark) c.watermark = c.usage
    propagateProtectedUsage(tree, node, kind)
    i = node.parent
  }
}

/**
 * Charges `nr` pages to the group and every ancestor, or to none of them.
 * @returns 0 when charged, else the id of the first group on the way up whose limit is in the way (its failcnt rose)
 * @kernel  mm/page_counter.c page_counter_try_charge()
 */
export function pageCounterTryCharge(tree: CounterTree, id: number, kind: CounterKind, nr: Pages): number {
  for (let i = id; i !== 0;) {
    const node = nodeAt(tree, i)
    const c = counterOf(node, kind)
    if (c.usage + nr > c.max) {
      c.failcnt++
      return i
    }
    i = node.parent
  }
  pageCounterCharge(tree, id, kind, nr)
  return 0
}

/**
 * Takes `nr` pages away from the group and every ancestor.
 * @kernel  mm/page_counter.c page_counter_uncharge()
 */
export function pageCounterUncharge(tree: CounterTree, id: number, kind: CounterKind, nr: Pages): void {
  for (let i = id; i !== 0;) {
    const node = nodeAt(tree, i)
    const c = counterOf(node, kind)
    if (c.usage < nr) throw new AssertionError(`uncharge of ${nr} pages from group ${i}: ${kind} has ${c.usage}`)
    c.usage -= nr
    propagateProtectedUsage(tree, node, kind)
    i = node.parent
  }
}

/** @kernel  mm/page_counter.c page_counter_set_min() */
export function pageCounterSetMin(tree: CounterTree, id: number, nr: Pages): void {
  const node = nodeAt(tree, id)
  node.memory.min = nr
  propagateProtectedUsage(tree, node, 'memory')
}

/** @kernel  mm/page_counter.c page_counter_set_low() */
export function pageCounterSetLow(tree: CounterTree, id: number, nr: Pages): void {
  const node = nodeAt(tree, id)
  node.memory.low = nr
  propagateProtectedUsage(tree, node, 'memory')
}

/** Pages that still fit below `max`. @kernel mm/memcontrol.c mem_cgroup_margin() (v2) */
export const pageCounterMargin = (c: PageCounter): Pages => Math.max(0, c.max - c.usage)
