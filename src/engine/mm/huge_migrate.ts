/**
 * Moving a huge page to another node: whole if a block of its size can be had there, else split, and its pages go one by
 * one.
 * @kernel  mm/migrate.c migrate_pages_batch(), mm/mempolicy.c alloc_migration_target_by_mpol()
 * @spec    08 §8.1, §8.6 "Migration keeps THP"
 */
import { HPAGE_PAGES, type Pfn } from '../../util/units'
import { charge, isSuspended } from '../exec'
import type { KernelState } from '../state'
import { prepLargeFolio } from './folio'
import { GFP_BIT_NOWARN, GFP_BIT_THISNODE, GFP_RECLAIM, GFP_TRANSHUGE, PAGEBLOCK_ORDER } from './gfp'
import { pmdPfn, withHugePfn } from './huge_pmd'
import { splitFolio } from './huge_split'
import {
  PG_ANON,
  PG_ANON_EXCLUSIVE,
  PG_LOCKED,
  PG_LRU,
  PG_MLOCKED,
  PG_REFERENCED,
  PG_SWAPBACKED,
  PG_WORKINGSET,
  PG_WRITEBACK,
  hasFlag,
  mapcount,
  pageFlags,
  pageMemcg,
  setFlag,
  setPageMemcg,
} from './memmap'
import { interleaveIndex } from './mempolicy'
import { mlockFolio, munlockFolio } from './mlock'
import type { MigrationTarget, Mm } from './mm_types'
import { allocPages, allocPagesMpol } from './page_alloc'
import { pteAt, setPte, vpnOfSlot } from './pgtable'
import { folioAddRmapPmd, folioRemoveRmapPmd } from './rmap'
import { folioPutback, lruDel } from './swap'
import { releaseFrame } from './swap_fault'
import { findVma } from './vma_find'
import {
  PGMIGRATE_FAIL,
  PGMIGRATE_SUCCESS,
  THP_MIGRATION_FAIL,
  THP_MIGRATION_SPLIT,
  THP_MIGRATION_SUCCESS,
  countVmEvent,
  countVmEvents,
} from './vmstat'

const CARRIED = PG_ANON | PG_SWAPBACKED | PG_ANON_EXCLUSIVE | PG_REFERENCED | PG_WORKINGSET

/** @returns first frame, 0 = none, or waiting @kernel mm/mempolicy.c alloc_migration_target_by_mpol() */
function allocTarget(state: KernelState, mm: Mm, slot: number, policy: MigrationTarget): Pfn {
  if (typeof policy === 'number')
    return allocPages(
      state,
      (GFP_TRANSHUGE & ~GFP_RECLAIM) | GFP_BIT_THISNODE | GFP_BIT_NOWARN,
      PAGEBLOCK_ORDER,
      policy,
    )
  const vpn = vpnOfSlot(state.pgtables, slot)
  const vma = findVma(mm, vpn)
  if (policy === undefined || vma === undefined) return allocPages(state, GFP_TRANSHUGE, PAGEBLOCK_ORDER)
  return allocPagesMpol(state, GFP_TRANSHUGE, PAGEBLOCK_ORDER, policy, interleaveIndex(vma, vpn, PAGEBLOCK_ORDER))
}

/**
 * Moves a huge page to where the policy puts it. Without room for it there it is split: the caller finds small pages.
 * @param slot  of the PMD entry that maps it
 * @kernel      mm/migrate.c migrate_pages_batch()
 * @simplifies  pages that several address spaces map stay where they are, as busy ones do
 */
export function moveHugePage(state: KernelState, mm: Mm, slot: number, policy: MigrationTarget): void {
  const old = pmdPfn(pteAt(state.pgtables, slot))
  if (!isMovableHuge(state, old)) {
    countVmEvent(state.vmstat, THP_MIGRATION_FAIL)
    countVmEvents(state.vmstat, PGMIGRATE_FAIL, HPAGE_PAGES)
    return
  }
  const target = allocTarget(state, mm, slot, policy)
  if (target === 0) {
    if (isSuspended(state)) return
    countVmEvent(state.vmstat, THP_MIGRATION_SPLIT)
    splitFolio(state, old)
    return
  }
  migrateHugeTo(state, slot, target)
}

/** Nothing holds the huge page where it is. @kernel mm/migrate.c folio_isolate_lru() for a THP, migrate_folio_unmap() */
export const isMovableHuge = (state: KernelState, pfn: Pfn): boolean =>
  mapcount(state.memmap, pfn) === 1 &&
  hasFlag(state.memmap, pfn, PG_LRU) &&
  !hasFlag(state.memmap, pfn, PG_LOCKED | PG_WRITEBACK)

/**
 * Moves a huge page into a block of its size.
 * @param target  from the allocator
 * @kernel  mm/migrate.c migrate_folio_move()
 */
export function migrateHugeTo(state: KernelState, slot: number, target: Pfn): void {
  prepLargeFolio(state.memmap, target, PAGEBLOCK_ORDER)
  replaceHugePage(state, slot, pmdPfn(pteAt(state.pgtables, slot)), target)
  countVmEvent(state.vmstat, THP_MIGRATION_SUCCESS)
  countVmEvents(state.vmstat, PGMIGRATE_SUCCESS, HPAGE_PAGES)
  charge(state, HPAGE_PAGES * state.costs.copyPage)
}

/** The entry names the new page, which takes over everything else; the old one is freed. @kernel folio_migrate_flags() */
function replaceHugePage(state: KernelState, slot: number, old: Pfn, target: Pfn): void {
  const m = state.memmap
  const isMlocked = hasFlag(m, old, PG_MLOCKED)
  if (isMlocked) munlockFolio(state, old)
  lruDel(state, old)
  setFlag(m, target, pageFlags(m, old) & CARRIED)
  const entry = pteAt(state.pgtables, slot)
  folioRemoveRmapPmd(state, old, slot)
  // The charge goes over with the contents.
  setPageMemcg(m, target, pageMemcg(m, old))
  setPageMemcg(m, old, 0)
  setPte(state.pgtables, slot, withHugePfn(entry, target))
  folioAddRmapPmd(state, target, slot)
  folioPutback(state, target)
  if (isMlocked) mlockFolio(state, target)
  releaseFrame(state, old)
}
