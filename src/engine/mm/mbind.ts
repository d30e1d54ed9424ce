/**
 * Setting memory policies, asking where pages lie, and moving pages that lie on the wrong node.
 * @kernel  mm/mempolicy.c do_set_mempolicy(), do_mbind(); mm/migrate.c do_pages_stat()
 * @spec    08 §8.1
 */
import { errnoNumber, type Errno } from '../../util/errno'
import type { Pfn, Vpn } from '../../util/units'
import { charge, isSuspended } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { isLargeFolio } from './folio'
import { findHugePmd, forEachHugePmd, pmdPfn } from './huge_pmd'
import { moveHugePage } from './huge_migrate'
import { GFP_BIT_COMP, GFP_BIT_RETRY_MAYFAIL, GFP_HIGHUSER_MOVABLE } from './gfp'
import {
  PG_ANON,
  PG_ANON_EXCLUSIVE,
  PG_LOCKED,
  PG_HUGETLB,
  PG_LRU,
  PG_MLOCKED,
  PG_REFERENCED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_WORKINGSET,
  PG_WRITEBACK,
  clearFlag,
  hasFlag,
  mapcount,
  pageFlags,
  pageMemcg,
  pageZoneIndex,
  setFlag,
  setPageMemcg,
} from './memmap'
import {
  MPOL_DEFAULT,
  MPOL_INTERLEAVE,
  MPOL_MODE_FLAGS,
  MPOL_WEIGHTED_INTERLEAVE,
  interleaveIndex,
  mpolNew,
  resetInterleave,
} from './mempolicy'
import { mlockFolio, munlockFolio } from './mlock'
import type { Mempolicy, Mm } from './mm_types'
import { allocPages, allocPagesMpol } from './page_alloc'
import { freeUnrefPage } from './pcp'
import { findPteSlot, forEachPte, isPresent, pteAt, ptePfn, setPte, vpnOfSlot, withPfn } from './pgtable'
import { pageAddRmap, pageRemoveRmap } from './rmap'
import { folioPutback, lruAddDrainAll, lruDel } from './swap'
import { isFullyMapped, setRangePolicy } from './vma'
import { findVma } from './vma_find'
import { PGMIGRATE_FAIL, PGMIGRATE_SUCCESS, countVmEvent } from './vmstat'

export const MPOL_MF_STRICT = 1
export const MPOL_MF_MOVE = 2
export const MPOL_MF_MOVE_ALL = 4

/** What was asked of a range of pages. */
export interface MbindRequest {
  readonly start: Vpn
  /** Behind the last page. */
  readonly end: Vpn
  /** MPOL_* | MPOL_F_* */
  readonly mode: number
  readonly nodes: readonly number[]
  /** MPOL_MF_* */
  readonly flags: number
}

/**
 * The task's own policy, for everything that no mapping's policy rules.
 * @kernel  mm/mempolicy.c do_set_mempolicy()
 */
export function setMempolicy(
  state: KernelState,
  task: Task,
  mode: number,
  nodes: readonly number[],
): Errno | undefined {
  const policy = mpolNew(state, mode, nodes)
  if (policy === 'EINVAL') return policy
  if (policy === undefined) delete task.mempolicy
  else task.mempolicy = policy
  if (policy?.mode === MPOL_INTERLEAVE || policy?.mode === MPOL_WEIGHTED_INTERLEAVE) resetInterleave(task)
  return undefined
}

const nidOf = (state: KernelState, pfn: Pfn): number => state.zones[pageZoneIndex(state.memmap, pfn)]!.nid

/** A present page that lies on none of the nodes. @kernel queue_folio_required() with MPOL_MF_INVERT */
const isMisplaced = (state: KernelState, pte: number, nodes: readonly number[]): boolean =>
  isPresent(pte) && ptePfn(pte) !== state.zeroPfn && !nodes.includes(nidOf(state, ptePfn(pte)))

const isHugeMisplaced = (state: KernelState, entry: number, nodes: readonly number[]): boolean =>
  pmdPfn(entry) !== state.thp.hugeZeroPfn && !nodes.includes(nidOf(state, pmdPfn(entry)))

/**
 * Gives the mappings of a range their policy. Moving what lies elsewhere is moveMisplaced().
 * @returns EINVAL: bad mode or mask; EFAULT: a hole; EIO: STRICT without MOVE, and a page lies elsewhere
 * @kernel  mm/mempolicy.c do_mbind(), queue_pages_range(), mbind_range()
 */
export function mbindRange(state: KernelState, mm: Mm, r: MbindRequest): Errno | undefined {
  if ((r.flags & ~(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) !== 0) return 'EINVAL'
  const policy = mpolNew(state, r.mode, r.nodes)
  if (policy === 'EINVAL') return policy
  const isDefault = (r.mode & ~MPOL_MODE_FLAGS) === MPOL_DEFAULT
  if (!isDefault && !isFullyMapped(mm, r.start, r.end)) return 'EFAULT'
  if (!isDefault && r.flags === MPOL_MF_STRICT) {
    let misplaced = 0
    forEachHugePmd(state, mm, r.start, r.end, (_slot, entry) => {
      if (isHugeMisplaced(state, entry, r.nodes)) misplaced++
    })
    forEachPte(state, mm, r.start, r.end, (_slot, pte) => {
      if (isMisplaced(state, pte, r.nodes)) misplaced++
    })
    if (misplaced > 0) return 'EIO'
  }
  const errno = setRangePolicy(state, mm, r, policy)
  // The default policy may be set over holes.
  return errno === 'ENOMEM' && isDefault && !isFullyMapped(mm, r.start, r.end) ? undefined : errno
}

/**
 * Moves the pages of [from, to) that lie on none of the request's nodes to where its policy puts them.
 * @returns pages that stayed where they are; −1: the operation has to wait (what is moved already stays moved)
 * @kernel  mm/mempolicy.c migrate_pages(…, alloc_migration_target_by_mpol(), …, MR_MEMPOLICY_MBIND)
 * @simplifies  only anonymous pages that one page table maps are moved; others count as failed, as busy ones do
 */
export function moveMisplaced(state: KernelState, mm: Mm, r: MbindRequest, from: Vpn, to: Vpn): number {
  const policy = mpolNew(state, r.mode, r.nodes)
  const huge: number[] = []
  forEachHugePmd(state, mm, from, to, (slot, entry) => {
    // Huge pages of the pool stay where they are.
    if (isHugeMisplaced(state, entry, r.nodes) && !hasFlag(state.memmap, pmdPfn(entry), PG_HUGETLB)) huge.push(slot)
  })
  for (const slot of huge) {
    if (policy !== 'EINVAL') moveHugePage(state, mm, slot, policy)
    if (isSuspended(state)) return -1
  }
  const slots: number[] = []
  forEachPte(state, mm, from, to, (slot, pte) => {
    if (isMisplaced(state, pte, r.nodes)) slots.push(slot)
  })
  let failed = 0
  for (const slot of slots) {
    const moved = policy !== 'EINVAL' && moveAnonPage(state, mm, slot, policy)
    if (isSuspended(state)) return -1
    countVmEvent(state.vmstat, moved ? PGMIGRATE_SUCCESS : PGMIGRATE_FAIL)
    if (!moved) failed++
  }
  return failed
}

/** Pages on per-CPU batches cannot be isolated: they go to their lists first. @kernel lru_cache_disable() */
export const prepareMove = (state: KernelState): void => lruAddDrainAll(state)

/** Flags that belong to the contents and go with them. @kernel folio_migrate_flags() */
const CARRIED = PG_ANON | PG_SWAPBACKED | PG_ANON_EXCLUSIVE | PG_REFERENCED | PG_WORKINGSET

const GFP_MIGRATION = GFP_HIGHUSER_MOVABLE | GFP_BIT_RETRY_MAYFAIL | GFP_BIT_COMP

function moveAnonPage(state: KernelState, mm: Mm, slot: number, policy: Mempolicy | undefined): boolean {
  const m = state.memmap
  const pte = pteAt(state.pgtables, slot)
  const old = ptePfn(pte)
  const isMovable =
    hasFlag(m, old, PG_ANON) && hasFlag(m, old, PG_LRU) && mapcount(m, old) === 1 && !isLargeFolio(m, old)
  if (!isMovable || hasFlag(m, old, PG_LOCKED | PG_WRITEBACK | PG_SWAPCACHE)) return false
  const target = allocTarget(state, mm, vpnOfSlot(state.pgtables, slot), policy)
  if (target === 0) return false
  const isMlocked = hasFlag(m, old, PG_MLOCKED)
  if (isMlocked) munlockFolio(state, old)
  lruDel(state, old)
  setFlag(m, target, pageFlags(m, old) & CARRIED)
  const memcg = pageMemcg(m, old)
  pageRemoveRmap(state, old, slot)
  // The charge goes over with the contents. @kernel mem_cgroup_migrate()
  setPageMemcg(m, target, memcg)
  setPte(state.pgtables, slot, withPfn(pte, target))
  pageAddRmap(state, target, slot)
  folioPutback(state, target)
  if (isMlocked) mlockFolio(state, target)
  clearFlag(m, old, ~0)
  setPageMemcg(m, old, 0)
  freeUnrefPage(state, old, 0)
  charge(state, state.costs.cowFault)
  return true
}

/** @kernel alloc_migration_target_by_mpol() */
function allocTarget(state: KernelState, mm: Mm, vpn: Vpn, policy: Mempolicy | undefined): Pfn {
  const vma = findVma(mm, vpn)
  if (policy === undefined || vma === undefined) return allocPages(state, GFP_MIGRATION, 0)
  return allocPagesMpol(state, GFP_MIGRATION, 0, policy, interleaveIndex(vma, vpn, 0))
}

const hugeStatus = (state: KernelState, pfn: Pfn): number =>
  pfn === state.thp.hugeZeroPfn ? -errnoNumber('EFAULT') : nidOf(state, pfn)

/**
 * Where one page lies.
 * @returns node, −ENOENT not present, −EFAULT no mapping or the zero page
 * @kernel  mm/migrate.c do_pages_stat_array()
 */
export function pageStatus(state: KernelState, mm: Mm, vpn: Vpn): number {
  if (findVma(mm, vpn) === undefined) return -errnoNumber('EFAULT')
  const slot = findPteSlot(state, mm, vpn)
  const huge = slot < 0 ? findHugePmd(state, mm, vpn) : -1
  if (huge >= 0) return hugeStatus(state, pmdPfn(pteAt(state.pgtables, huge)))
  const pte = slot < 0 ? 0 : pteAt(state.pgtables, slot)
  if (!isPresent(pte)) return -errnoNumber('ENOENT')
  return ptePfn(pte) === state.zeroPfn ? -errnoNumber('EFAULT') : nidOf(state, ptePfn(pte))
}
