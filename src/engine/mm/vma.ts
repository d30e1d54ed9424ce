/**
 * Address spaces and their mappings: how they are cut, changed and taken out, and what is counted of them. Where a new
 * one goes is in mmap.ts; no page is allocated here, faults do that (memory.ts).
 * @kernel  mm/mmap.c, mm/vma.c
 * @spec    04 §4.4
 */
import type { Errno } from '../../util/errno'
import { PAGE_SIZE, type Pages, type Vpn } from '../../util/units'
import type { KernelState } from '../state'
import { splitHugePmdAt } from './huge_split'
import { maySplit } from './hugetlb_pool'
import { mpolEqual } from './mempolicy'
import {
  VM_ACCOUNT,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_SHARED,
  VM_WRITE,
  type Mempolicy,
  type Mm,
  type Vma,
} from './mm_types'
import { vmUnacctMemory } from './overcommit'
import { findVmaIndex } from './vma_find'
import { anonVmaCopied, anonVmaFork } from './anon_vma'
import { GFP_KERNEL } from './gfp'
import { GFP_UNDOABLE, takeOne } from './slab_group'
import { hasGapBelow, updateMapleTree, vmAreaAlloc, vmAreaFree } from './vm_area'
import { findMergers, mergeAt } from './vma_merge'

/**
 * User addresses end here with four levels: 2^47 − 4096. With five, nothing is placed above unless an address there is
 * asked for: programs keep their own bits in the upper ones.
 * @kernel DEFAULT_MAP_WINDOW
 */
export const TASK_SIZE_VPN: Vpn = 0x7ffffffff
/** Where user addresses end: with five levels 2^56 − 4096. @kernel TASK_SIZE_MAX */
export const taskSize = (state: Pick<KernelState, 'pgtables'>): Vpn =>
  state.pgtables.levels === 5 ? 2 ** 44 - 1 : TASK_SIZE_VPN
/** The stack's top; @model no address randomisation: the same run gives the same addresses. */
export const STACK_TOP_VPN: Vpn = 0x7ffffffff
/** mmap goes down from here, right below vvar and vdso: no multiple of 2 MiB, as random bases hardly ever are. */
export const MMAP_BASE_VPN: Vpn = 0x7fffbfff6
export const VDSO_VPN: Vpn = 0x7fffbfffa

/**
 * A new address space without a mapping.
 * @returns its index; its `object` is 0 when there was no memory for it, the charge was refused, or the task has to wait
 * @kernel  kernel/fork.c mm_alloc()
 */
export function createMm(state: KernelState): number {
  return addMm(state, takeOne(state, 'mm_struct', GFP_KERNEL))
}

/** @param object  address of its mm_struct, 0 = none @kernel kernel/fork.c mm_init() */
export function addMm(state: Pick<KernelState, 'mms' | 'cpuNode'>, object: number): number {
  let id = state.mms.findIndex((m) => m.users === 0 && m.pgd < 0)
  if (id < 0) id = state.mms.length
  state.mms[id] = {
    id,
    users: 1,
    pgd: -1,
    vmas: [],
    object,
    gaps: 1,
    mapleNodes: [],
    rss: new Float64Array(4),
    rssPending: new Int32Array(4 * state.cpuNode.length),
    pgtablesBytes: 0,
    hugePmds: 0,
    hugetlbUsage: 0,
    usesHugeZero: false,
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
    defFlags: 0,
    oomSkip: false,
    oomVictim: 0,
  }
  return id
}

/** Counters of an address space. @kernel vm_stat_account() */
export function statAccount(mm: Mm, flags: number, pages: Pages): void {
  mm.totalVm += pages
  if (flags & VM_GROWSDOWN) mm.stackVm += pages
  else if ((flags & (VM_WRITE | VM_SHARED)) === VM_WRITE) mm.dataVm += pages
  else if ((flags & (VM_EXEC | VM_WRITE)) === VM_EXEC) mm.execVm += pages
  if (mm.totalVm > mm.hiwaterVm) mm.hiwaterVm = mm.totalVm
}

/**
 * Puts a mapping into a free range and joins it with neighbours that are alike; whoever calls has counted the file's
 * new user.
 * @returns undefined = no memory for the mapping, its charge was refused, or the operation has to wait
 * @kernel  vma_merge_new_range(), vm_area_alloc(), vma_link()
 */
export function insertVma(state: KernelState, mm: Mm, vma: Vma): Vma | undefined {
  const at = findVmaIndex(mm, vma.start)
  const { left, right } = findMergers(vma, mm.vmas[at - 1], mm.vmas[at])
  if (left === undefined && right === undefined && !vmAreaAlloc(state, vma, GFP_KERNEL)) return undefined
  const i = linkVma(state, mm, vma)
  anonVmaCopied(state, vma)
  return mergeAt(state, mm, i)
}

/** Puts a mapping into a free range. @returns its index @kernel vma_iter_store() */
function linkVma(state: KernelState, mm: Mm, vma: Vma): number {
  const i = findVmaIndex(mm, vma.start)
  const before = hasGapBelow(mm, i)
  mm.vmas.splice(i, 0, vma)
  statAccount(mm, vma.flags, vma.end - vma.start)
  updateMapleTree(state, mm, hasGapBelow(mm, i) + hasGapBelow(mm, i + 1) - before)
  return i
}

/**
 * A forked mapping: never merged, and linked to the anonymous memory of its parent unless that is wiped.
 * @param vma  the child's, in its place in the list even when this fails: whoever calls tears the copy down
 * @returns false = no memory, charge refused, or waiting
 * @kernel  kernel/fork.c dup_mmap(), vm_area_dup(), anon_vma_fork()
 */
export function forkVma(state: KernelState, mm: Mm, vma: Vma, parent: Vma | undefined): boolean {
  vma.anonVma = 0
  delete vma.anonChain
  linkVma(state, mm, vma)
  return vmAreaAlloc(state, vma, GFP_KERNEL) && (parent === undefined || anonVmaFork(state, vma, parent))
}

/** The same mapping as a value of its own, without the objects; its chain is the other's until anonVmaCopied(). */
export function copyVma(vma: Vma): Vma {
  const copy = vma.swapRa === undefined ? { ...vma } : { ...vma, swapRa: { ...vma.swapRa } }
  delete copy.objects
  return copy
}

/**
 * Cuts a mapping in two at `at`; both parts hold the file.
 * @kernel      __split_vma()
 * @simplifies  takes its objects from reserves rather than fail
 */
function splitVma(state: KernelState, mm: Mm, i: number, at: Vpn): void {
  const vma = mm.vmas[i]!
  const upper: Vma = { ...copyVma(vma), start: at, pgoff: vma.pgoff + (at - vma.start) }
  splitHugePmdAt(state, mm, at)
  vma.end = at
  mm.vmas.splice(i + 1, 0, upper)
  if (vma.ino !== 0) state.inodes[vma.ino]!.users++
  vmAreaAlloc(state, upper, GFP_UNDOABLE)
  anonVmaCopied(state, upper)
  updateMapleTree(state, mm, 0)
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

/** Takes mappings [first, last) out of the list and gives back what they promised; pages are already zapped. */
export function removeVmas(state: KernelState, mm: Mm, first: number, last: number): Vma[] {
  let gaps = 0
  for (let i = first; i <= last; i++) gaps += hasGapBelow(mm, i)
  const gone = mm.vmas.splice(first, last - first)
  updateMapleTree(state, mm, hasGapBelow(mm, first) - gaps)
  for (const vma of gone) {
    vmAreaFree(state, vma)
    const pages = vma.end - vma.start
    statAccount(mm, vma.flags, -pages)
    if (vma.flags & VM_ACCOUNT) vmUnacctMemory(state, pages)
    if (vma.flags & VM_LOCKED) mm.lockedVm -= pages
  }
  return gone
}

/** A part of one mapping. */
export interface VmaPart {
  readonly vma: Vma
  readonly start: Vpn
  readonly end: Vpn
}

/**
 * Changes a part of a mapping: it is cut out, unless a neighbour that is alike then takes it in.
 * @param change  called twice: to see what the part would be, and to change it
 * @returns the mapping that the part belongs to now; ENOMEM: there would be too many; EINVAL: cut inside a huge page.
 *   Nothing is changed then
 * @kernel  mm/vma.c vma_modify(), split_vma()
 */
export function modifyVma(state: KernelState, mm: Mm, part: VmaPart, change: (vma: Vma) => void): Vma | Errno {
  const { vma, start, end } = part
  if (!maySplit(vma, start) || !maySplit(vma, end)) return 'EINVAL'
  const i = findVmaIndex(mm, vma.start)
  const target = { ...copyVma(vma), start, end, pgoff: vma.pgoff + (start - vma.start) }
  change(target)
  const { left, right } = findMergers(
    target,
    start === vma.start ? mm.vmas[i - 1] : undefined,
    end === vma.end ? mm.vmas[i + 1] : undefined,
  )
  const cuts = (start > vma.start ? 1 : 0) + (end < vma.end ? 1 : 0)
  const isTooMany = left === undefined && right === undefined && cuts > 0
  if (isTooMany && mm.vmas.length + cuts > state.sysctl.maxMapCount) return 'ENOMEM'
  const { first } = splitAt(state, mm, start, end)
  const own = mm.vmas[first]!
  statAccount(mm, own.flags, start - end)
  change(own)
  statAccount(mm, own.flags, end - start)
  return mergeAt(state, mm, first)
}

/** Sets and clears flags of a part of a mapping. @kernel vma_modify_flags() */
export function changeFlags(state: KernelState, mm: Mm, part: VmaPart, set: number, clear: number): Vma | Errno {
  const { vma } = part
  if (((vma.flags & ~clear) | set) === vma.flags) return vma
  return modifyVma(state, mm, part, (v) => (v.flags = (v.flags & ~clear) | set))
}

/** At a hole: end there, or visit what lies behind it all the same. */
export type AtHole = 'stop' | 'skip'

/**
 * Calls `visit` for the part of each mapping that lies in [start, end), ascending; it may change them.
 * @returns the first error; ENOMEM when there is a hole
 * @kernel  mm/madvise.c madvise_walk_vmas(), mm/mprotect.c do_mprotect_pkey()
 */
export function forEachPart(
  mm: Mm,
  start: Vpn,
  end: Vpn,
  visit: (part: VmaPart) => Errno | undefined,
  atHole: AtHole = 'skip',
): Errno | undefined {
  let hole: Errno | undefined
  for (let at = start; at < end;) {
    const vma = mm.vmas[findVmaIndex(mm, at)]
    if (vma === undefined || vma.start >= end) return 'ENOMEM'
    if (vma.start > at && atHole === 'stop') return 'ENOMEM'
    if (vma.start > at) hole = 'ENOMEM'
    const part = { vma, start: Math.max(at, vma.start), end: Math.min(vma.end, end) }
    at = part.end
    const errno = visit(part)
    if (errno !== undefined) return errno
  }
  return hole
}

/** What a change of mappings says when there is nothing to add. */
export const errnoOf = (outcome: Vma | Errno): Errno | undefined => (typeof outcome === 'string' ? outcome : undefined)

/**
 * Gives the mappings of a range a memory policy; splits and merges.
 * @kernel  mm/mempolicy.c mbind_range(), vma_replace_policy()
 */
export function setRangePolicy(
  state: KernelState,
  mm: Mm,
  range: { readonly start: Vpn; readonly end: Vpn },
  policy: Mempolicy | undefined,
): Errno | undefined {
  const errno = forEachPart(mm, range.start, range.end, (part) =>
    mpolEqual(part.vma.policy, policy)
      ? undefined
      : errnoOf(
          modifyVma(state, mm, part, (vma) => {
            if (policy === undefined) delete vma.policy
            else vma.policy = policy
          }),
        ),
  )
  return errno
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
