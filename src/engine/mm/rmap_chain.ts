/**
 * Which page-table slots map a frame: one is kept in the page's own column, more go to a chain. Apart from rmap.ts, which
 * counts and walks them.
 * @spec    04 §4.7
 */
import { AssertionError } from '../../util/assert'
import type { Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { addMapcount, pageRmap, setPageRmap, type MemMap } from './memmap'

export interface RmapChains {
  /** Page-table slot of node i. */
  slot: Int32Array
  /** Next node + 1, 0 = end. */
  next: Int32Array
  /** First free node + 1. */
  free: number
  count: number
}

/** @model  a pool of chain nodes instead of anon_vma trees: finds the same PTEs */
export const createRmapChains = (): RmapChains => ({
  slot: new Int32Array(1024),
  next: new Int32Array(1024),
  free: 0,
  count: 0,
})

function newNode(c: RmapChains, slot: number, next: number): number {
  let node: number
  if (c.free !== 0) {
    node = c.free - 1
    c.free = c.next[node]!
  } else {
    node = c.count++
    if (node >= c.slot.length) {
      const copy = (to: Int32Array, from: Int32Array): Int32Array => (to.set(from), to)
      c.slot = copy(new Int32Array(c.slot.length * 2), c.slot)
      c.next = copy(new Int32Array(c.next.length * 2), c.next)
    }
  }
  c.slot[node] = slot
  c.next[node] = next
  return node
}

/** The first mapping of a page that nobody has seen yet; the caller counts it. @kernel folio_add_new_anon_rmap() */
export function addFirstMapping(memmap: MemMap, pfn: Pfn, slot: number): void {
  setPageRmap(memmap, pfn, slot + 1)
  addMapcount(memmap, pfn, 1)
}

/**
 * An entry maps the page from now on. Nearly every page has one mapping: that case stays small enough to be inlined.
 * @kernel  mm/rmap.c __folio_add_rmap()
 */
export function addMapping(state: KernelState, pfn: Pfn, slot: number): void {
  if (pageRmap(state.memmap, pfn) === 0) setPageRmap(state.memmap, pfn, slot + 1)
  else addToChain(state, pfn, slot)
}

function addToChain(state: KernelState, pfn: Pfn, slot: number): void {
  const head = pageRmap(state.memmap, pfn)
  const chains = state.rmapChains
  if (head > 0) {
    const old = newNode(chains, head - 1, 0)
    setPageRmap(state.memmap, pfn, -(newNode(chains, slot, old + 1) + 1))
  } else setPageRmap(state.memmap, pfn, -(newNode(chains, slot, -head) + 1))
}

/** It does no more. @kernel mm/rmap.c __folio_remove_rmap() */
export function removeMappingOf(state: KernelState, pfn: Pfn, slot: number): void {
  if (pageRmap(state.memmap, pfn) === slot + 1) setPageRmap(state.memmap, pfn, 0)
  else removeFromChain(state, pfn, slot)
}

function removeFromChain(state: KernelState, pfn: Pfn, slot: number): void {
  const head = pageRmap(state.memmap, pfn)
  const chains = state.rmapChains
  if (head > 0) throw new AssertionError(`pfn ${pfn} is mapped by slot ${head - 1}, not ${slot}`)
  let before = -1
  let node = -head - 1
  while (node >= 0 && chains.slot[node] !== slot) {
    before = node
    node = chains.next[node]! - 1
  }
  if (node < 0) throw new AssertionError(`pfn ${pfn} has no mapping at slot ${slot}`)
  const rest = chains.next[node]!
  if (before >= 0) chains.next[before] = rest
  else setPageRmap(state.memmap, pfn, rest === 0 ? 0 : -rest)
  chains.next[node] = chains.free
  chains.free = node + 1
}

/**
 * Calls `visit` for every entry that maps the frame; it may remove that mapping. Of a large folio's first frame these are
 * its PTEs and the PMDs of the whole.
 * @kernel  rmap_walk()
 */
export function forEachMapping(state: KernelState, pfn: Pfn, visit: (slot: number) => void): void {
  const head = pageRmap(state.memmap, pfn)
  if (head > 0) visit(head - 1)
  else {
    let node = -head - 1
    while (node >= 0) {
      const slot = state.rmapChains.slot[node]!
      node = state.rmapChains.next[node]! - 1
      visit(slot)
    }
  }
}

/** An entry maps a huge page of the pool, which no counter of mapped pages knows. @kernel hugetlb_add_new_anon_rmap() */
export function hugetlbAddRmap(state: KernelState, pfn: Pfn, slot: number): void {
  addMapping(state, pfn, slot)
  addMapcount(state.memmap, pfn, 1)
}

/** @kernel hugetlb_remove_rmap() */
export function hugetlbRemoveRmap(state: KernelState, pfn: Pfn, slot: number): void {
  removeMappingOf(state, pfn, slot)
  addMapcount(state.memmap, pfn, -1)
}
