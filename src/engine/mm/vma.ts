/**
 * Address spaces and their mappings: where a new one goes, how they split and merge, and what is counted of them.
 * No page is allocated here; faults do that (memory.ts).
 * @kernel  mm/mmap.c, mm/vma.c
 * @spec    04 §4.4
 */
import type { Errno } from '../../util/errno'
import { HPAGE_PAGES, PAGE_SIZE, type Pages, type Vpn } from '../../util/units'
import type { KernelState } from '../state'
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from '../task'
import {
  VM_ACCOUNT,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_NORESERVE,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  type Mempolicy,
  type Mm,
  type Vma,
} from './mm_types'
import { vmEnoughMemory, vmUnacctMemory } from './overcommit'
import { mpolEqual } from './mempolicy'
import { findVmaIndex } from './vma_find'

/** User addresses end here with four levels: 2^47 − 4096. */
export const TASK_SIZE_VPN: Vpn = 0x7ffffffff
/** The stack's top; @model no address randomisation: the same run gives the same addresses. */
export const STACK_TOP_VPN: Vpn = 0x7ffffffff
/** mmap goes down from here; the vdso lies above it inside the same gigabyte. */
export const MMAP_BASE_VPN: Vpn = 0x7fffbfe00
export const VDSO_VPN: Vpn = 0x7fffbfffa

export function createMm(state: KernelState): number {
  let id = state.mms.findIndex((m) => m.users === 0 && m.pgd < 0)
  if (id < 0) id = state.mms.length
  state.mms[id] = {
    id,
    users: 1,
    pgd: -1,
    vmas: [],
    rss: new Float64Array(4),
    rssPending: new Int32Array(4 * state.cpuNode.length),
    pgtablesBytes: 0,
    totalVm: 0,
    dataVm: 0,
    stackVm: 0,
    execVm: 0,
    lockedVm: 0,
    hiwaterRss: 0,
    hiwaterVm: 0,
    startBrk: 0,
    brk: 0,
    mmapBase: MMAP_BASE_VPN * PAGE_SIZE,
    lockFuture: false,
    oomSkip: false,
    oomVictim: 0,
  }
  return id
}

/** Private and writable: promised memory. @kernel accountable_mapping() */
const isAccountable = (flags: number): boolean => (flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) === VM_WRITE

/** Counters of an address space. @kernel vm_stat_account() */
function statAccount(mm: Mm, flags: number, pages: Pages): void {
  mm.totalVm += pages
  if (flags & VM_GROWSDOWN) mm.stackVm += pages
  else if ((flags & (VM_WRITE | VM_SHARED)) === VM_WRITE) mm.dataVm += pages
  else if ((flags & (VM_EXEC | VM_WRITE)) === VM_EXEC) mm.execVm += pages
  if (mm.totalVm > mm.hiwaterVm) mm.hiwaterVm = mm.totalVm
}

const canMerge = (a: Vma, b: Vma): boolean =>
  a.end === b.start &&
  a.flags === b.flags &&
  a.ino === b.ino &&
  a.name === b.name &&
  a.incompressible === b.incompressible &&
  mpolEqual(a.policy, b.policy) &&
  (a.ino === 0 || a.pgoff + (a.end - a.start) === b.pgoff)

/**
 * Puts a mapping into a free range and merges it with its neighbours; whoever calls has counted the file's new user.
 * @kernel  vma_link(), vma_merge()
 */
export function insertVma(state: KernelState, mm: Mm, vma: Vma): Vma {
  const i = findVmaIndex(mm, vma.start)
  mm.vmas.splice(i, 0, vma)
  statAccount(mm, vma.flags, vma.end - vma.start)
  return mergeAround(state, mm, i)
}

/** One mapping less holds the file; another one still does. */
function dropMerged(state: KernelState, mm: Mm, i: number): void {
  const gone = mm.vmas.splice(i, 1)[0]!
  if (gone.ino !== 0) state.inodes[gone.ino]!.users--
}

function mergeAround(state: KernelState, mm: Mm, i: number): Vma {
  let vma = mm.vmas[i]!
  const next = mm.vmas[i + 1]
  if (next !== undefined && canMerge(vma, next)) {
    vma.end = next.end
    vma.hasAnon ||= next.hasAnon
    dropMerged(state, mm, i + 1)
  }
  const before = mm.vmas[i - 1]
  if (before !== undefined && canMerge(before, vma)) {
    before.end = vma.end
    before.hasAnon ||= vma.hasAnon
    dropMerged(state, mm, i)
    vma = before
  }
  return vma
}

/** The same mapping as a value of its own. */
export function copyVma(vma: Vma): Vma {
  return vma.swapRa === undefined ? { ...vma } : { ...vma, swapRa: { ...vma.swapRa } }
}

/** Cuts a mapping in two at `at`; both parts hold the file. @kernel __split_vma() */
function splitVma(state: KernelState, mm: Mm, i: number, at: Vpn): void {
  const vma = mm.vmas[i]!
  const upper: Vma = { ...copyVma(vma), start: at, pgoff: vma.ino === 0 ? 0 : vma.pgoff + (at - vma.start) }
  vma.end = at
  mm.vmas.splice(i + 1, 0, upper)
  if (vma.ino !== 0) state.inodes[vma.ino]!.users++
}

/** Mappings that a change of [start, end) would cut. @kernel the map_count checks of split_vma() and do_vmi_munmap() */
export function splitsNeeded(mm: Mm, start: Vpn, end: Vpn): number {
  const cuts = (at: Vpn): boolean => {
    const vma = mm.vmas[findVmaIndex(mm, at)]
    return vma !== undefined && vma.start < at
  }
  return (cuts(start) ? 1 : 0) + (cuts(end) ? 1 : 0)
}

/** Makes sure that mappings begin and end at the borders of the range; returns indices [first, last). */
export function splitAt(state: KernelState, mm: Mm, start: Vpn, end: Vpn): { first: number; last: number } {
  let first = findVmaIndex(mm, start)
  if (first < mm.vmas.length && mm.vmas[first]!.start < start) {
    splitVma(state, mm, first, start)
    first++
  }
  let last = first
  while (last < mm.vmas.length && mm.vmas[last]!.start < end) {
    if (mm.vmas[last]!.end > end) splitVma(state, mm, last, end)
    last++
  }
  return { first, last }
}

/** Merges what became alike again after a change of flags. */
function mergeRange(state: KernelState, mm: Mm, start: Vpn, end: Vpn): void {
  for (let i = findVmaIndex(mm, Math.max(0, start - 1)); i + 1 < mm.vmas.length && mm.vmas[i]!.start < end;) {
    if (canMerge(mm.vmas[i]!, mm.vmas[i + 1]!)) mergeAround(state, mm, i)
    else i++
  }
}

/**
 * Highest free range below mmap_base.
 * @returns first page, −1 when the address space is full
 * @kernel  mm_get_unmapped_area(), thp_get_unmapped_area() (6.7+: anonymous multiples of 2 MiB are aligned to 2 MiB)
 */
export function findFreeRange(state: KernelState, mm: Mm, pages: Pages, isAnonymous: boolean): Vpn {
  const align = state.config.series !== '6.1' && isAnonymous && pages % HPAGE_PAGES === 0 ? HPAGE_PAGES : 1
  let top = mm.mmapBase / PAGE_SIZE
  for (let i = mm.vmas.length - 1; i >= -1; i--) {
    const floor = i < 0 ? 16 : mm.vmas[i]!.end
    if (floor < top) {
      const start = Math.floor((top - pages) / align) * align
      if (start >= floor) return start
    }
    if (i >= 0) top = Math.min(top, mm.vmas[i]!.start)
  }
  return -1
}

export interface MmapRequest {
  /** Pages. */
  readonly pages: Pages
  readonly prot: number
  readonly flags: number
  /** Inode of the mapped file, 0 for anonymous memory. */
  readonly ino: number
  readonly pgoff: Pages
  /** Wanted first page, −1 = anywhere. */
  readonly at: Vpn
  readonly name: string
}

/** @kernel calc_vm_prot_bits(), calc_vm_flag_bits() */
export function vmFlags(prot: number, flags: number): number {
  return (
    (prot & PROT_READ ? VM_READ : 0) |
    (prot & PROT_WRITE ? VM_WRITE : 0) |
    (prot & PROT_EXEC ? VM_EXEC : 0) |
    (flags & MAP_SHARED ? VM_SHARED : 0) |
    (flags & MAP_NORESERVE ? VM_NORESERVE : 0) |
    (flags & MAP_LOCKED ? VM_LOCKED : 0)
  )
}

/**
 * Makes a mapping. MAP_FIXED ranges must have been unmapped by the caller, which has also counted the file's new user.
 * @returns first page
 * @kernel  mm/mmap.c do_mmap(), mmap_region()
 * @spec    04 §4.4
 */
export function mmapRegion(state: KernelState, mm: Mm, request: MmapRequest): Vpn | Errno {
  if (request.pages <= 0) return 'EINVAL'
  if (mm.vmas.length > state.sysctl.maxMapCount) return 'ENOMEM'
  const start = placeOf(state, mm, request)
  if (start < 0 || start + request.pages > TASK_SIZE_VPN) return 'ENOMEM'
  let flags = vmFlags(request.prot, request.flags)
  if (state.sysctl.overcommitMemory === OVERCOMMIT_NEVER) flags &= ~VM_NORESERVE
  if (isAccountable(flags)) {
    if (!vmEnoughMemory(state, mm, request.pages)) return 'ENOMEM'
    flags |= VM_ACCOUNT
  }
  if (mm.lockFuture) flags |= VM_LOCKED
  if ((flags & VM_LOCKED) !== 0) mm.lockedVm += request.pages
  insertVma(state, mm, {
    start,
    end: start + request.pages,
    flags,
    ino: request.ino,
    pgoff: request.pgoff,
    name: request.name,
    hasAnon: false,
    incompressible: false,
  })
  return start
}

/** Sysctl overcommit_memory = 2. */
const OVERCOMMIT_NEVER = 2

/** Where it goes: where it must, where it would like to, or the highest free range. @kernel get_unmapped_area() */
function placeOf(state: KernelState, mm: Mm, request: MmapRequest): Vpn {
  if ((request.flags & MAP_FIXED) !== 0) return request.at
  if (request.at >= 0) {
    const next = mm.vmas[findVmaIndex(mm, request.at)]
    if (next === undefined || next.start >= request.at + request.pages) return request.at
  }
  return findFreeRange(state, mm, request.pages, (request.flags & MAP_ANONYMOUS) !== 0)
}

/** Takes mappings [first, last) out of the list and gives back what they promised; pages are already zapped. */
export function removeVmas(state: KernelState, mm: Mm, first: number, last: number): Vma[] {
  const gone = mm.vmas.splice(first, last - first)
  for (const vma of gone) {
    const pages = vma.end - vma.start
    statAccount(mm, vma.flags, -pages)
    if (vma.flags & VM_ACCOUNT) vmUnacctMemory(state, pages)
    if (vma.flags & VM_LOCKED) mm.lockedVm -= pages
  }
  return gone
}

/** Sets and clears flags of the mappings in a range; splits and merges. @kernel vma_modify_flags() */
export function changeFlags(state: KernelState, mm: Mm, start: Vpn, end: Vpn, set: number, clear: number): void {
  const { first, last } = splitAt(state, mm, start, end)
  for (let i = first; i < last; i++) {
    const vma = mm.vmas[i]!
    statAccount(mm, vma.flags, -(vma.end - vma.start))
    vma.flags = (vma.flags & ~clear) | set
    statAccount(mm, vma.flags, vma.end - vma.start)
  }
  mergeRange(state, mm, start, end)
}

/** Gives the mappings of a range a memory policy; splits and merges. @kernel mm/mempolicy.c mbind_range(), vma_replace_policy() */
export function setRangePolicy(state: KernelState, mm: Mm, start: Vpn, end: Vpn, policy: Mempolicy | undefined): void {
  const { first, last } = splitAt(state, mm, start, end)
  for (let i = first; i < last; i++) {
    const vma = mm.vmas[i]!
    if (policy === undefined) delete vma.policy
    else vma.policy = policy
  }
  mergeRange(state, mm, start, end)
}

/** Whether every page of the range belongs to some mapping. */
export function isFullyMapped(mm: Mm, start: Vpn, end: Vpn): boolean {
  let at = start
  for (let i = findVmaIndex(mm, start); at < end; i++) {
    const vma = mm.vmas[i]
    if (vma === undefined || vma.start > at) return false
    at = vma.end
  }
  return true
}

/** RLIMIT_STACK is 8 MiB. */
const STACK_LIMIT_PAGES: Pages = 2048
/** @kernel stack_guard_gap */
const GUARD_GAP_PAGES: Pages = 256

/**
 * An access below a stack: the mapping grows down to it, if it may.
 * @returns the mapping that contains the page now
 * @kernel  expand_downwards(), acct_stack_growth()
 */
export function expandStack(state: KernelState, mm: Mm, vpn: Vpn): Vma | undefined {
  const i = findVmaIndex(mm, vpn)
  const vma = mm.vmas[i]
  if (vma === undefined || (vma.flags & VM_GROWSDOWN) === 0) return undefined
  const before = mm.vmas[i - 1]
  if (before !== undefined && vpn - before.end < GUARD_GAP_PAGES) return undefined
  const grow = vma.start - vpn
  if (vma.end - vpn > STACK_LIMIT_PAGES || !vmEnoughMemory(state, mm, grow)) return undefined
  vma.start = vpn
  statAccount(mm, vma.flags, grow)
  if ((vma.flags & VM_LOCKED) !== 0) mm.lockedVm += grow
  return vma
}
