/**
 * Many rows of the memory map at a time: pages that enter or leave a list together, and far rows that are asked for before
 * they are looked at. Apart from memmap.ts because what they do could be done one by one: they are here for speed alone.
 * @kernel  include/linux/list.h, include/linux/mm_types.h struct page
 * @spec    00 §1
 */
import type { Pages, Pfn } from '../../util/units'
import { PG_HEAD, type MemMap } from './memmap'

/**
 * Blocks that lie side by side enter a list at its tail, the first one first.
 * @kernel  mm/page_alloc.c rmqueue_bulk(): list_add_tail() of each
 */
export function listAddRunTail(
  { next, prev }: MemMap,
  heads: Int32Array,
  i: number,
  first: Pfn,
  step: Pages,
  count: number,
): void {
  let before = heads[2 * i + 1]!
  if (before === 0) heads[2 * i] = first
  else next[before] = first
  for (let k = 0, pfn = first; k < count; k++, pfn += step) {
    prev[pfn] = before
    next[pfn] = k + 1 < count ? pfn + step : 0
    before = pfn
  }
  heads[2 * i + 1] = before
}

/**
 * Takes up to `max` pages from the head of a list.
 * @param flags  what each of them then has for flags
 * @returns how many were taken
 * @kernel  mm/page_alloc.c __rmqueue_pcplist()
 */
export function listTakeHeads(
  { next, prev, flags: column }: MemMap,
  heads: Int32Array,
  i: number,
  max: number,
  flags: number,
): number {
  let count = 0
  let pfn = heads[2 * i]!
  for (; count < max && pfn !== 0; count++) {
    const following = next[pfn]!
    next[pfn] = 0
    column[pfn] = flags
    pfn = following
    prev[pfn] = 0
  }
  heads[2 * i] = pfn
  if (pfn === 0) heads[2 * i + 1] = 0
  return count
}

/** Flags and order of blocks that lie side by side. @kernel mm/page_alloc.c rmqueue_bulk() */
export function setRunOfBlocks(m: MemMap, first: Pfn, order: number, count: number, flags: number): void {
  for (let k = 0, pfn = first; k < count; k++, pfn += 1 << order) {
    m.flags[pfn] = flags
    m.order[pfn] = order
  }
}

/**
 * Takes up to `max` single pages from the tail of a list, the last one first, into `out`; stops before a larger folio.
 * Their links are followed before anything else is looked at, in loops so short that the processor fetches several far
 * rows at the same time: a shuffled list is scanned 1.2 times as fast. The kernel prefetches the page ahead.
 * @returns how many were taken
 * @kernel  mm/vmscan.c isolate_lru_folios(), prefetchw_prev_lru_folio()
 */
export function listTakeTail(m: MemMap, heads: Int32Array, i: number, out: Int32Array, max: number): number {
  const { next, prev } = m
  let seen = 0
  let left = heads[2 * i + 1]!
  for (; seen < max && left !== 0; left = prev[left]!) out[seen++] = left
  let count = 0
  while (count < seen && (m.flags[out[count]!]! & PG_HEAD) === 0) count++
  if (count < seen) left = out[count]!
  if (left !== 0) next[left] = 0
  else heads[2 * i] = 0
  heads[2 * i + 1] = left
  for (let k = 0; k < count; k++) {
    next[out[k]!] = 0
    prev[out[k]!] = 0
  }
  return count
}

/**
 * Asks for the rows of pages that are about to be looked at one by one, in a loop so short that the processor waits for
 * many far rows at a time instead of for each.
 * @returns a number without meaning: whoever calls has to use it, or the compiler drops the loads
 * @model  the kernel prefetches the next page's struct page, which is one cache line
 */
export function fetchRows({ mapcount, rmap, mapping, index, memcg }: MemMap, pfns: Int32Array, count: number): number {
  let seen = 0
  for (let i = 0; i < count; i++) {
    const pfn = pfns[i]!
    seen ^= mapcount[pfn]! ^ rmap[pfn]! ^ mapping[pfn]! ^ index[pfn]! ^ memcg[pfn]!
  }
  return seen
}

/** @kernel  mm/vmscan.c isolate_lru_folios(): folio_test_clear_lru() of each */
export function clearFlagOfEach({ flags }: MemMap, pfns: Int32Array, count: number, mask: number): void {
  for (let k = 0; k < count; k++) flags[pfns[k]!]! &= ~mask
}
