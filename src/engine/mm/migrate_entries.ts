/**
 * Moving what the page tables of one process map to another node: mbind with MOVE, migrate_pages, move_pages and cpusets
 * differ in which pages they want and where to, and in nothing else.
 * @kernel  mm/mempolicy.c queue_pages_range(), mm/migrate.c migrate_pages()
 * @spec    08 §8.1
 */
import type { Pfn, Vpn } from '../../util/units'
import { currentTask, isSuspended } from '../exec'
import type { KernelState } from '../state'
import { isLargeFolio } from './folio'
import {
  GFP_BIT_COMP,
  GFP_BIT_NOWARN,
  GFP_BIT_RETRY_MAYFAIL,
  GFP_BIT_THISNODE,
  GFP_HIGHUSER_MOVABLE,
  GFP_RECLAIM,
} from './gfp'
import { moveHugePage } from './huge_migrate'
import { forEachHugePmd, pmdPfn } from './huge_pmd'
import { PG_HUGETLB, hasFlag, mapcount, pageZoneIndex } from './memmap'
import { interleaveIndex } from './mempolicy'
import { isMigratable, isolateForMigration, migratePage } from './migrate'
import type { MigrationTarget, Mm } from './mm_types'
import { allocPages, allocPagesMpol } from './page_alloc'
import { freeUnrefPage } from './pcp'
import { forEachPte, isPresent, pteAt, ptePfn, vpnOfSlot } from './pgtable'
import { lruAddDrainAll } from './swap'
import { findVma } from './vma_find'
import { PGMIGRATE_FAIL, PGMIGRATE_SUCCESS, countVmEvent } from './vmstat'

/** Where to, and whether pages that other processes map too are taken along (MPOL_MF_MOVE_ALL). */
export interface MoveHow {
  readonly target: MigrationTarget
  readonly shared: boolean
}

/** Pages on per-CPU batches cannot be isolated: they go to their lists first. @kernel lru_cache_disable() */
export const prepareMove = (state: KernelState): void => lruAddDrainAll(state)

const nidOf = (state: KernelState, pfn: Pfn): number => state.zones[pageZoneIndex(state.memmap, pfn)]!.nid

/**
 * Moves the pages that [start, end) maps and that lie on a node that is wanted away.
 * @returns pages that stayed; −1: the operation has to wait (what is moved already stays moved)
 * @kernel      mm/mempolicy.c queue_pages_range(), mm/migrate.c migrate_pages()
 * @simplifies  huge pages of the pool, and huge pages that are mapped in pieces, stay where they are, as busy ones do
 */
export function moveEntries(
  state: KernelState,
  mm: Mm,
  range: { readonly start: Vpn; readonly end: Vpn },
  isWanted: (nid: number) => boolean,
  how: MoveHow,
): number {
  const huge: number[] = []
  forEachHugePmd(state, mm, range.start, range.end, (slot, entry) => {
    const pfn = pmdPfn(entry)
    if (pfn === state.thp.hugeZeroPfn || hasFlag(state.memmap, pfn, PG_HUGETLB)) return
    if (isWanted(nidOf(state, pfn))) huge.push(slot)
  })
  for (const slot of huge) {
    moveHugePage(state, mm, slot, how.target)
    if (isSuspended(state)) return -1
  }
  const slots: number[] = []
  forEachPte(state, mm, range.start, range.end, (slot, pte) => {
    if (!isPresent(pte) || ptePfn(pte) === state.zeroPfn) return
    if (isWanted(nidOf(state, ptePfn(pte)))) slots.push(slot)
  })
  let failed = 0
  for (const slot of slots) {
    const moved = moveEntry(state, mm, slot, how)
    if (isSuspended(state)) return -1
    countVmEvent(state.vmstat, moved ? PGMIGRATE_SUCCESS : PGMIGRATE_FAIL)
    if (!moved) failed++
  }
  return failed
}

/** @returns whether the page lies where it should now @kernel mm/migrate.c unmap_and_move() */
export function moveEntry(state: KernelState, mm: Mm, slot: number, { target, shared }: MoveHow): boolean {
  const from = ptePfn(pteAt(state.pgtables, slot))
  const isOwn = shared || mapcount(state.memmap, from) === 1
  if (!isOwn || isLargeFolio(state.memmap, from) || !isMigratable(state, from)) return false
  const to = allocTarget(state, mm, slot, target)
  if (to === 0) return false
  if (ptePfn(pteAt(state.pgtables, slot)) !== from || !isMigratable(state, from)) {
    // Making room took the old page out.
    freeUnrefPage(state, to, 0)
    return false
  }
  isolateForMigration(state, from)
  migratePage(state, from, to)
  return true
}

const GFP_POLICY = GFP_HIGHUSER_MOVABLE | GFP_BIT_RETRY_MAYFAIL | GFP_BIT_COMP

/** @kernel mm/migrate.c alloc_migration_target(), mm/mempolicy.c alloc_migration_target_by_mpol() */
function allocTarget(state: KernelState, mm: Mm, slot: number, target: MigrationTarget): Pfn {
  if (typeof target === 'number') {
    // Nobody waits for memory in a worker's name.
    const gfp = GFP_HIGHUSER_MOVABLE | GFP_BIT_THISNODE
    return allocPages(state, currentTask(state) === undefined ? (gfp & ~GFP_RECLAIM) | GFP_BIT_NOWARN : gfp, 0, target)
  }
  const vpn = vpnOfSlot(state.pgtables, slot)
  const vma = findVma(mm, vpn)
  if (target === undefined || vma === undefined) return allocPages(state, GFP_POLICY, 0)
  return allocPagesMpol(state, GFP_POLICY, 0, target, interleaveIndex(vma, vpn, 0))
}
