/**
 * Setting memory policies, asking where pages lie, and moving pages that lie on the wrong node.
 * @kernel  mm/mempolicy.c do_set_mempolicy(), do_mbind(); mm/migrate.c do_pages_stat()
 * @spec    08 §8.1
 */
import { errnoNumber, type Errno } from '../../util/errno'
import type { Pfn, Vpn } from '../../util/units'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { findHugePmd, forEachHugePmd, pmdPfn } from './huge_pmd'
import { pageZoneIndex } from './memmap'
import {
  MPOL_DEFAULT,
  MPOL_INTERLEAVE,
  MPOL_MODE_FLAGS,
  MPOL_WEIGHTED_INTERLEAVE,
  mpolNew,
  resetInterleave,
} from './mempolicy'
import { moveEntries } from './migrate_entries'
import type { Mm } from './mm_types'
import { findPteSlot, forEachPte, isPresent, pteAt, ptePfn } from './pgtable'
import { isFullyMapped, setRangePolicy } from './vma'
import { findVma } from './vma_find'

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
 */
export function moveMisplaced(state: KernelState, mm: Mm, r: MbindRequest, from: Vpn, to: Vpn): number {
  const policy = mpolNew(state, r.mode, r.nodes)
  if (policy === 'EINVAL') return 0
  const how = { target: policy, shared: (r.flags & MPOL_MF_MOVE_ALL) !== 0 }
  return moveEntries(state, mm, { start: from, end: to }, (nid) => !r.nodes.includes(nid), how)
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
