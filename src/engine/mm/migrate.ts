/**
 * Moving a page to another frame: page-table entries, LRU list, memory cgroup and place in a file or in the swap cache
 * follow it.
 * @kernel  mm/migrate.c
 * @spec    08 §8.7
 */
import { AssertionError } from '../../util/assert'
import type { Pfn } from '../../util/units'
import { charge } from '../exec'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { folioIsFileLru, folioNid } from './lruvec'
import {
  PG_ANON,
  PG_FILE,
  PG_HEAD,
  PG_ISOLATED,
  PG_LOCKED,
  PG_LRU,
  PG_LRU_BATCH,
  PG_SWAPCACHE,
  PG_WRITEBACK,
  clearFlag,
  hasFlag,
  movePageRow,
  pageRmap,
  pageZoneIndex,
  setFlag,
} from './memmap'
import { countAtPlace } from './migrate_counters'
import { freeUnrefPage } from './pcp'
import { mmOfSlot, pteAt, ptePfn, setPte, withPfn } from './pgtable'
import { forEachMapping } from './rmap_chain'
import { folioPutback, lruDel } from './swap'
import { replaceInSwapCache } from './swapfile'
import { flushTlbPage } from './tlb_flush'
import { NR_ISOLATED_ANON, modStat } from './vmstat'

/**
 * Whether compaction could move the page now: a page of a list that no I/O holds; huge pages stay, as blocks of their size
 * are what compaction makes.
 * @kernel      mm/compaction.c isolate_migratepages_block() conditions
 * @simplifies  locked pages and pages under writeback are left alone in every mode; MIGRATE_SYNC waits for them
 */
export const isMigratable = (state: KernelState, pfn: Pfn): boolean =>
  hasFlag(state.memmap, pfn, PG_LRU) &&
  hasFlag(state.memmap, pfn, PG_ANON | PG_FILE) &&
  !hasFlag(state.memmap, pfn, PG_LOCKED | PG_WRITEBACK | PG_HEAD)

/** Takes the page off its list; it is counted as isolated until it is moved or put back. @kernel folio_isolate_lru() */
export function isolateForMigration(state: KernelState, pfn: Pfn): void {
  countIsolated(state, pfn, 1)
  lruDel(state, pfn)
  setFlag(state.memmap, pfn, PG_ISOLATED)
}

/** The page stays where it is. @kernel mm/migrate.c putback_movable_pages() */
export function putbackMovablePage(state: KernelState, pfn: Pfn): void {
  clearFlag(state.memmap, pfn, PG_ISOLATED)
  countIsolated(state, pfn, -1)
  folioPutback(state, pfn)
}

/** The same for a page that reclaim holds: it is on no list and counted as isolated with its batch. @kernel demote_folio_list() */
export function moveIsolated(state: KernelState, from: Pfn, to: Pfn): void {
  countIsolated(state, from, 1)
  setFlag(state.memmap, from, PG_ISOLATED)
  migratePage(state, from, to)
}

function countIsolated(state: KernelState, pfn: Pfn, sign: number): void {
  modStat(state.nodes[folioNid(state, pfn)]!.stat, NR_ISOLATED_ANON + folioIsFileLru(state, pfn), sign)
}

/**
 * Moves an isolated page into a free frame and frees the old one.
 * @param to  taken from the allocator, flags 0
 * @kernel      mm/migrate.c migrate_folio_unmap(), migrate_folio_move()
 * @simplifies  in one step: nobody ever meets a migration entry; the page goes to its list without a batch
 */
export function migratePage(state: KernelState, from: Pfn, to: Pfn): void {
  const m = state.memmap
  if (!hasFlag(m, from, PG_ISOLATED) || hasFlag(m, from, PG_LRU | PG_LRU_BATCH))
    throw new AssertionError(`pfn ${from} is migrated but not isolated`)
  const isOtherZone = pageZoneIndex(m, from) !== pageZoneIndex(m, to)
  countIsolated(state, from, -1)
  clearFlag(m, from, PG_ISOLATED)
  if (isOtherZone) countAtPlace(state, from, -1)
  movePageRow(m, from, to)
  if (isOtherZone) countAtPlace(state, to, 1)
  const head = pageRmap(m, to)
  // One mapping is the rule: no function is made for it.
  if (head > 0) remap(state, head - 1, from, to)
  else if (head < 0) forEachMapping(state, to, (slot) => remap(state, slot, from, to))
  if (hasFlag(m, to, PG_SWAPCACHE)) replaceInSwapCache(state, from, to)
  else if (hasFlag(m, to, PG_FILE)) hooks.replaceMapping(state, from, to)
  folioPutback(state, to)
  freeUnrefPage(state, from, 0)
  charge(state, 2 * state.costs.copyPage + state.costs.scanPage)
}

/** The page-table entry points to the new frame. @kernel mm/migrate.c remove_migration_pte() */
function remap(state: KernelState, slot: number, from: Pfn, to: Pfn): void {
  const pte = pteAt(state.pgtables, slot)
  if (ptePfn(pte) !== from) throw new AssertionError(`slot ${slot} maps pfn ${ptePfn(pte)}, not ${from}`)
  setPte(state.pgtables, slot, withPfn(pte, to))
  flushTlbPage(state, mmOfSlot(state.pgtables, slot), slot)
}
