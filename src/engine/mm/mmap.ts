/**
 * Where a new mapping goes, whether it may be made, and how a stack grows.
 * @kernel  mm/mmap.c, mm/vma.c, arch/x86/kernel/sys_x86_64.c
 * @spec    04 §4.4
 */
import type { Errno } from '../../util/errno'
import { PAGE_SIZE, type Pages, type Vpn } from '../../util/units'
import { isCapable, rlimitPages } from '../rlimit'
import type { KernelState } from '../state'
import {
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from '../task'
import {
  VM_ACCESS_FLAGS,
  VM_ACCOUNT,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_HUGETLB,
  VM_LOCKED,
  VM_LOCKED_MASK,
  VM_MAYSHARE,
  VM_MAY_ALL,
  VM_NORESERVE,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  type Mm,
  type Vma,
} from './mm_types'
import { closeHugetlb, hugetlbReserve } from './hugetlb_reserve'
import { vmEnoughMemory, vmUnacctMemory } from './overcommit'
import { hasGapBelow, updateMapleTree } from './vm_area'
import { GUARD_GAP_PAGES, findFileRange, findFreeRange, findHugeRange, minMapVpn, startGap } from './unmapped_area'
import { TASK_SIZE_VPN, insertVma, statAccount, taskSize } from './vma'
import { findVmaIndex } from './vma_find'

/** Sysctl overcommit_memory = 2. */
const OVERCOMMIT_NEVER = 2

/** @kernel calc_vm_prot_bits(), calc_vm_flag_bits() */
export function vmFlags(prot: number, flags: number): number {
  return (
    (prot & PROT_READ ? VM_READ : 0) |
    (prot & PROT_WRITE ? VM_WRITE : 0) |
    (prot & PROT_EXEC ? VM_EXEC : 0) |
    (flags & MAP_SHARED ? VM_SHARED | VM_MAYSHARE : 0) |
    (flags & MAP_NORESERVE ? VM_NORESERVE : 0) |
    (flags & MAP_GROWSDOWN ? VM_GROWSDOWN : 0) |
    (flags & MAP_LOCKED ? VM_LOCKED : 0) |
    VM_MAY_ALL
  )
}

// ---------------------------------------------------------------- a place

export interface PlaceRequest {
  readonly pages: Pages
  /** MAP_* */
  readonly flags: number
  /** Wanted address, bytes; 0 = anywhere. */
  readonly address: number
  readonly isAnonymous: boolean
  /** Of a file on a disk: page offset at which the mapping begins. */
  readonly fileOffset?: Pages
  /** Pages of a huge page of the pool that the mapping is for, else 1: multiples of it only. */
  readonly unit: Pages
}

/** A range that was asked for lies on one side of 2^47, or nowhere. @kernel mmap_address_hint_valid() */
const isHintValid = (state: KernelState, at: Vpn, pages: Pages): boolean =>
  at + pages <= taskSize(state) && at > TASK_SIZE_VPN === at + pages > TASK_SIZE_VPN

/** Whether the range lies between mappings, with the gap of a stack above it. */
function isRoomAt(mm: Mm, at: Vpn, pages: Pages): boolean {
  const next = mm.vmas[findVmaIndex(mm, at)]
  return next === undefined || at + pages <= startGap(next)
}

/**
 * Where a mapping goes: where it must, where it would like to, or the highest free range.
 * @returns first page; ENOMEM no room; EINVAL a fixed address that is not aligned; EPERM below mmap_min_addr; EEXIST
 * @kernel  __get_unmapped_area(), do_mmap(), security_mmap_addr()
 */
export function getUnmappedArea(state: KernelState, mm: Mm, request: PlaceRequest): Vpn | Errno {
  const { pages, flags, address, unit } = request
  if (pages > taskSize(state)) return 'ENOMEM'
  if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0) return fixedPlace(state, mm, request)
  const hinted = Math.floor(address / PAGE_SIZE)
  if (hinted > 0) {
    const at = Math.ceil(Math.max(hinted, minMapVpn(state)) / unit) * unit
    if (isHintValid(state, at, pages) && isRoomAt(mm, at, pages)) return at
  }
  if (request.fileOffset !== undefined && hinted === 0) {
    const at = findFileRange(mm, pages, request.fileOffset)
    return at < 0 ? 'ENOMEM' : at
  }
  // Only who asks for an address beyond 2^47 is shown that there are any.
  const above = hinted > TASK_SIZE_VPN ? taskSize(state) - TASK_SIZE_VPN : 0
  // An address that was asked for turns off the alignment of large mappings (6.12.y).
  const isAlignable = request.isAnonymous && hinted === 0
  const start = unit > 1 ? findHugeRange(mm, pages, unit, above) : findFreeRange(state, mm, pages, isAlignable, above)
  return start < 0 ? 'ENOMEM' : start
}

function fixedPlace(state: KernelState, mm: Mm, request: PlaceRequest): Vpn | Errno {
  const { pages, flags, address, unit } = request
  if (address < 0 || address > (taskSize(state) - pages) * PAGE_SIZE) return 'ENOMEM'
  if (address % (unit * PAGE_SIZE) !== 0) return 'EINVAL'
  const at = address / PAGE_SIZE
  if (address < state.sysctl.mmapMinAddr && !isCapable(state)) return 'EPERM'
  const next = mm.vmas[findVmaIndex(mm, at)]
  const isTaken = next !== undefined && next.start < at + pages
  return (flags & MAP_FIXED_NOREPLACE) !== 0 && isTaken ? 'EEXIST' : at
}

// ---------------------------------------------------------------- limits

/** @kernel is_data_mapping() */
const isData = (flags: number): boolean => (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) === VM_WRITE

/** RLIMIT_AS and RLIMIT_DATA. @kernel may_expand_vm() */
export function mayExpandVm(state: KernelState, mm: Mm, flags: number, pages: Pages): boolean {
  if (mm.totalVm + pages > rlimitPages(state, 'as')) return false
  return !isData(flags) || mm.dataVm + pages <= rlimitPages(state, 'data')
}

/** RLIMIT_MEMLOCK, which root need not keep. @kernel mlock_future_ok() */
export const mayLock = (state: KernelState, mm: Mm, flags: number, pages: Pages): boolean =>
  (flags & VM_LOCKED) === 0 || isCapable(state) || mm.lockedVm + pages <= rlimitPages(state, 'memlock')

/** Private and writable: promised memory. @kernel accountable_mapping() */
const isAccountable = (flags: number): boolean =>
  (flags & (VM_NORESERVE | VM_SHARED | VM_WRITE | VM_HUGETLB)) === VM_WRITE

/** Mapped pages of a range. @kernel count_vma_pages_range() */
function mappedPages(mm: Mm, start: Vpn, end: Vpn): Pages {
  let pages = 0
  for (let i = findVmaIndex(mm, start); i < mm.vmas.length && mm.vmas[i]!.start < end; i++)
    pages += Math.min(end, mm.vmas[i]!.end) - Math.max(start, mm.vmas[i]!.start)
  return pages
}

/** Whether the limits leave room for a mapping that replaces what is there. @kernel mmap_region() */
export const mayMap = (state: KernelState, mm: Mm, flags: number, start: Vpn, pages: Pages): boolean =>
  mayExpandVm(state, mm, flags, pages) || mayExpandVm(state, mm, flags, pages - mappedPages(mm, start, start + pages))

// ---------------------------------------------------------------- making it

export interface MmapRequest {
  readonly start: Vpn
  readonly pages: Pages
  /** VM_* */
  readonly flags: number
  /** Inode of the mapped file, 0 for private anonymous memory. */
  readonly ino: number
  readonly pgoff: number
  readonly name: string
  /** Its pages come from the pool of this order. */
  readonly hugeOrder?: number
}

/**
 * Makes a mapping in a range that is free; whoever calls has counted the file's new user.
 * @returns ENOMEM: the memory may not be promised, or there is none for the mapping itself; perhaps the task has to wait
 * @kernel  mm/mmap.c mmap_region()
 */
export function mmapRegion(state: KernelState, mm: Mm, request: MmapRequest): Errno | undefined {
  const { start, pages, ino, name } = request
  let { flags } = request
  // Huge pages are promised by their own pool.
  if (state.sysctl.overcommitMemory === OVERCOMMIT_NEVER && request.hugeOrder === undefined) flags &= ~VM_NORESERVE
  if (isAccountable(flags)) {
    if (!vmEnoughMemory(state, mm, pages)) return 'ENOMEM'
    flags |= VM_ACCOUNT
  }
  if ((flags & VM_HUGETLB) !== 0) flags &= ~VM_LOCKED_MASK
  const pgoff = ino === 0 ? start : request.pgoff
  const huge = request.hugeOrder === undefined ? {} : { hugeOrder: request.hugeOrder }
  const vma: Vma = { start, end: start + pages, flags, ino, pgoff, name, anonVma: 0, incompressible: false, ...huge }
  if (request.hugeOrder !== undefined && !hugetlbReserve(state, vma)) return 'ENOMEM'
  if (insertVma(state, mm, vma) === undefined) {
    if ((flags & VM_ACCOUNT) !== 0) vmUnacctMemory(state, pages)
    if (vma.hugeOrder !== undefined) closeHugetlb(state, vma)
    return 'ENOMEM'
  }
  if ((flags & VM_LOCKED) !== 0) mm.lockedVm += pages
  return undefined
}

// ---------------------------------------------------------------- stacks

/** A mapping that one can read, write or execute. @kernel vma_is_accessible() */
export const isAccessible = (vma: Vma): boolean => (vma.flags & VM_ACCESS_FLAGS) !== 0

/** Why a stack does not grow down to a page; 'ok' when it may. */
export type StackGrowth = 'ok' | 'no-stack' | 'guard-gap' | 'rlimit' | 'min-addr'

/**
 * Whether the mapping above a page is a stack that may grow down to it; what may be promised is not asked.
 * @kernel  expand_downwards(), acct_stack_growth()
 */
export function stackGrowth(state: KernelState, mm: Mm, vpn: Vpn): StackGrowth {
  const i = findVmaIndex(mm, vpn)
  const vma = mm.vmas[i]
  if (vma === undefined || (vma.flags & VM_GROWSDOWN) === 0) return 'no-stack'
  if (vpn < minMapVpn(state)) return 'min-addr'
  const before = mm.vmas[i - 1]
  const isGuarded = before !== undefined && (before.flags & VM_GROWSDOWN) === 0 && isAccessible(before)
  if (isGuarded && vpn - before.end < GUARD_GAP_PAGES) return 'guard-gap'
  const grow = vma.start - vpn
  if (!mayExpandVm(state, mm, vma.flags, grow) || !mayLock(state, mm, vma.flags, grow)) return 'rlimit'
  return vma.end - vpn > rlimitPages(state, 'stack') ? 'rlimit' : 'ok'
}

/**
 * An access below a stack: the mapping grows down to it, if it may.
 * @returns the mapping that contains the page now
 * @kernel  expand_stack(), expand_downwards(), acct_stack_growth()
 */
export function expandStack(state: KernelState, mm: Mm, vpn: Vpn): Vma | undefined {
  if (stackGrowth(state, mm, vpn) !== 'ok') return undefined
  const i = findVmaIndex(mm, vpn)
  const vma = mm.vmas[i]!
  const grow = vma.start - vpn
  if ((vma.flags & VM_ACCOUNT) !== 0 && !vmEnoughMemory(state, mm, grow)) return undefined
  const gap = hasGapBelow(mm, i)
  vma.start = vpn
  vma.pgoff -= grow
  updateMapleTree(state, mm, hasGapBelow(mm, i) - gap)
  statAccount(mm, vma.flags, grow)
  if ((vma.flags & VM_LOCKED) !== 0) mm.lockedVm += grow
  return vma
}
