/**
 * mremap: shrinks, grows in place, or moves a mapping with its page tables.
 * @kernel  mm/mremap.c as of 6.1 and 6.12
 * @spec    04 §4.4
 */
import type { Errno } from '../util/errno'
import { PAGE_SIZE, type Ns, type Pages, type Vpn } from '../util/units'
import { charge, isSuspended } from './exec'
import { pageOf, pagesIn, unmapRange } from './mappings'
import { inodeAt } from './mm/filemap'
import {
  VM_ACCOUNT,
  VM_DONTEXPAND,
  VM_LOCKED,
  VM_LOCKED_MASK,
  VM_MAYSHARE,
  VM_PFNMAP,
  VM_SHARED,
  type Mm,
  type Vma,
} from './mm/mm_types'
import { getUnmappedArea, mayExpandVm, mayLock } from './mm/mmap'
import { startGap } from './mm/unmapped_area'
import { movePageTables, prepareTables } from './mm/mremap'
import { moveHugetlb, prepareHugetlbMove, type HugetlbMove } from './mm/hugetlb_map'
import { vmaUnit } from './mm/hugetlb_pool'
import { beginSlots, flushTlbMm } from './mm/tlb_flush'
import { vmEnoughMemory, vmUnacctMemory } from './mm/overcommit'
import { freePageTables } from './mm/pgtable'
import { mmAt } from './mm/rss'
import { copyVma, insertVma, modifyVma, taskSize } from './mm/vma'
import { findVma, findVmaIndex } from './mm/vma_find'
import { populate } from './populate'
import type { KernelState } from './state'
import { fail, partFrom, succeed } from './syscall_result'
import { MAP_FIXED, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, type Op, type Task } from './task'
import { STEP_BLOCKED, STEP_DONE } from './touch'

type MremapOp = Extract<Op, { op: 'mremap' }>

interface Request {
  readonly from: Vpn
  readonly oldPages: Pages
  readonly newPages: Pages
  readonly flags: number
  readonly newAddress: number
}

/** Where the mapping is now, and how many new pages a locked one has to bring in. */
interface Outcome {
  readonly at: Vpn
  readonly populateFrom: Vpn
  readonly populatePages: Pages
}

/** opDone 0: not moved yet; afterwards 1 + pages of a locked mapping that were brought in. @kernel sys_mremap() */
export function opMremap(state: KernelState, task: Task, op: MremapOp, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  if (task.opDone === 0) {
    charge(state, state.costs.mmapCall)
    const outcome = remap(state, mm, op)
    if (isSuspended(state)) return STEP_BLOCKED
    if (typeof outcome === 'string') return fail(task, outcome)
    succeed(task, outcome.at * PAGE_SIZE)
    if (outcome.populatePages === 0) return STEP_DONE
    task.opDone = 1
  }
  const vma = findVma(mm, pageOf(task.result))!
  // The whole mapping: what was there before is there still.
  return partFrom(task, 1, () => populate(state, task, vma.start, vma.end - vma.start, endNs))
}

const KNOWN = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP

/** The checks that need no mapping. @kernel sys_mremap(), its first lines */
function refusedAtSight(op: MremapOp): boolean {
  const mayMove = (op.flags & MREMAP_MAYMOVE) !== 0
  if ((op.flags & ~KNOWN) !== 0 || op.address % PAGE_SIZE !== 0 || op.newLength <= 0) return true
  if ((op.flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0 && !mayMove) return true
  return (op.flags & MREMAP_DONTUNMAP) !== 0 && op.oldLength !== op.newLength
}

function remap(state: KernelState, mm: Mm, op: MremapOp): Outcome | Errno {
  if (refusedAtSight(op)) return 'EINVAL'
  const vma = findVma(mm, pageOf(op.address))
  if (vma === undefined) return 'EFAULT'
  const unit = vmaUnit(vma)
  const sized = (bytes: number): Pages => Math.ceil(pagesIn(bytes) / unit) * unit
  const request: Request = {
    from: pageOf(op.address),
    oldPages: sized(op.oldLength),
    newPages: sized(op.newLength),
    flags: op.flags,
    newAddress: op.newAddress ?? 0,
  }
  if (unit > 1 && (request.from % unit !== 0 || request.newPages > request.oldPages)) return 'EINVAL'
  if ((op.flags & MREMAP_FIXED) !== 0 && request.newAddress % (unit * PAGE_SIZE) !== 0) return 'EINVAL'
  if ((op.flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0) return remapTo(state, mm, request)
  if (request.oldPages >= request.newPages) return shrink(state, mm, request)
  return grow(state, mm, request)
}

const stays = (at: Vpn): Outcome => ({ at, populateFrom: at, populatePages: 0 })

function shrink(state: KernelState, mm: Mm, { from, oldPages, newPages }: Request): Outcome | Errno {
  return unmapRange(state, mm, from + newPages, from + oldPages) ?? stays(from)
}

/** @kernel vma_to_resize() */
function resizable(state: KernelState, mm: Mm, request: Request): Vma | Errno {
  const { from, oldPages, newPages, flags } = request
  const vma = findVma(mm, from)
  if (vma === undefined) return 'EFAULT'
  // Length 0 asks for a second mapping of the same shared memory.
  if (oldPages === 0 && (vma.flags & (VM_SHARED | VM_MAYSHARE)) === 0) return 'EINVAL'
  const isFixedSize = (vma.flags & (VM_DONTEXPAND | VM_PFNMAP)) !== 0
  if ((flags & MREMAP_DONTUNMAP) !== 0 && isFixedSize) return 'EINVAL'
  if (from + oldPages > vma.end) return 'EFAULT'
  if (newPages === oldPages) return vma
  if (isFixedSize) return 'EFAULT'
  if (!mayLock(state, mm, vma.flags, newPages - oldPages)) return 'EAGAIN'
  return mayExpandVm(state, mm, vma.flags, newPages - oldPages) ? vma : 'ENOMEM'
}

/** @kernel vma_expandable() */
function canGrowInPlace(state: KernelState, mm: Mm, vma: Vma, pages: Pages): boolean {
  const next = mm.vmas[findVmaIndex(mm, vma.end)]
  return vma.end + pages <= taskSize(state) && (next === undefined || vma.end + pages <= startGap(next))
}

function grow(state: KernelState, mm: Mm, request: Request): Outcome | Errno {
  const { from, oldPages, newPages, flags } = request
  const vma = resizable(state, mm, request)
  if (typeof vma === 'string') return vma
  const more = newPages - oldPages
  const isLocked = (vma.flags & VM_LOCKED) !== 0
  if (from + oldPages === vma.end && canGrowInPlace(state, mm, vma, more)) {
    if ((vma.flags & VM_ACCOUNT) !== 0 && !vmEnoughMemory(state, mm, more)) return 'ENOMEM'
    if (vma.ino !== 0) inodeAt(state, vma.ino).users++
    insertVma(state, mm, {
      ...copyVma(vma),
      start: vma.end,
      end: vma.end + more,
      pgoff: vma.pgoff + vma.end - vma.start,
    })
    if (isLocked) mm.lockedVm += more
    return { at: from, populateFrom: from + oldPages, populatePages: isLocked ? more : 0 }
  }
  if ((flags & MREMAP_MAYMOVE) === 0) return 'ENOMEM'
  // A private mapping without a file is placed like a new one, but never aligned for huge pages.
  const at = getUnmappedArea(state, mm, { ...NOWHERE, pages: newPages, unit: vmaUnit(vma) })
  return typeof at === 'string' ? at : moveVma(state, mm, vma, request, at)
}

const NOWHERE = { flags: 0, address: 0, isAnonymous: false } as const

/** MREMAP_FIXED and MREMAP_DONTUNMAP: what lies at the new place goes. @kernel mremap_to() */
function remapTo(state: KernelState, mm: Mm, request: Request): Outcome | Errno {
  const { from, newPages, flags, newAddress } = request
  if (newAddress % PAGE_SIZE !== 0) return 'EINVAL'
  const wanted = pageOf(newAddress)
  if (newPages > taskSize(state) || wanted > taskSize(state) - newPages) return 'EINVAL'
  if (from + request.oldPages > wanted && wanted + newPages > from) return 'EINVAL'
  if (mm.vmas.length + 2 >= state.sysctl.maxMapCount - MOVE_RESERVE) return 'ENOMEM'
  if ((flags & MREMAP_FIXED) !== 0) {
    const errno = unmapRange(state, mm, wanted, wanted + newPages)
    if (errno !== undefined) return errno
  }
  if (request.oldPages > newPages) {
    const errno = unmapRange(state, mm, from + newPages, from + request.oldPages)
    if (errno !== undefined) return errno
  }
  const sized = { ...request, oldPages: Math.min(request.oldPages, newPages) }
  const vma = resizable(state, mm, sized)
  if (typeof vma === 'string') return vma
  if ((flags & MREMAP_DONTUNMAP) !== 0 && !mayExpandVm(state, mm, vma.flags, sized.oldPages)) return 'ENOMEM'
  const place = (flags & MREMAP_FIXED) !== 0 ? { flags: MAP_FIXED, address: newAddress } : { address: newAddress }
  const at = getUnmappedArea(state, mm, { ...NOWHERE, ...place, pages: newPages, unit: vmaUnit(vma) })
  return typeof at === 'string' ? at : moveVma(state, mm, vma, sized, at)
}

/** Mappings that must still be free for a move. @kernel move_vma() */
const MOVE_RESERVE = 3

/**
 * A new mapping, the entries go over, the old one goes. Nothing has happened when it fails or has to wait.
 * @kernel  move_vma(), copy_vma()
 */
function moveVma(state: KernelState, mm: Mm, vma: Vma, request: Request, at: Vpn): Outcome | Errno {
  const { from, oldPages, newPages } = request
  if (mm.vmas.length >= state.sysctl.maxMapCount - MOVE_RESERVE) return 'ENOMEM'
  const isKept = (request.flags & MREMAP_DONTUNMAP) !== 0
  const move = { from, to: at, pages: oldPages }
  const isHuge = vma.hugeOrder !== undefined
  if (!(isHuge ? prepareHugetlbMove(state, mm, vma, move) : prepareTables(state, mm, move))) {
    if (!isSuspended(state)) freeUnusedTables(state, mm, at, newPages)
    return 'ENOMEM'
  }
  const promised = (vma.flags & VM_ACCOUNT) === 0 ? 0 : isKept ? newPages : newPages - oldPages
  if (promised > 0 && !vmEnoughMemory(state, mm, promised)) {
    freeUnusedTables(state, mm, at, newPages)
    return 'ENOMEM'
  }
  const isUntouched = vma.ino === 0 && vma.anonVma === 0
  const pgoff = isUntouched ? at : vma.pgoff + (from - vma.start)
  if (vma.ino !== 0) inodeAt(state, vma.ino).users++
  if (insertVma(state, mm, { ...copyVma(vma), start: at, end: at + newPages, pgoff }) === undefined) {
    if (vma.ino !== 0) inodeAt(state, vma.ino).users--
    if (promised > 0) vmUnacctMemory(state, promised)
    if (!isSuspended(state)) freeUnusedTables(state, mm, at, newPages)
    return 'ENOMEM'
  }
  if ((vma.flags & VM_LOCKED) !== 0) mm.lockedVm += newPages
  if (isHuge) moveHuge(state, mm, vma, move)
  else movePageTables(state, mm, move)
  const isLocked = (vma.flags & VM_LOCKED) !== 0
  if (isKept) leaveEmpty(state, mm, from, oldPages)
  else if (oldPages > 0) takeAway(state, mm, from, oldPages)
  return { at, populateFrom: at + oldPages, populatePages: isLocked ? newPages - oldPages : 0 }
}

/** The promises go over with the pages. @kernel mm/hugetlb.c clear_vma_resv_huge_pages() */
function moveHuge(state: KernelState, mm: Mm, vma: Vma, move: HugetlbMove): void {
  beginSlots()
  moveHugetlb(state, mm, vma, move)
  flushTlbMm(state, mm.id, move.pages, false)
  modifyVma(state, mm, { vma, start: move.from, end: move.from + move.pages }, (v) => delete v.hugeResv)
}

function freeUnusedTables(state: KernelState, mm: Mm, at: Vpn, pages: Pages): void {
  const next = findVmaIndex(mm, at)
  const floor = next > 0 ? mm.vmas[next - 1]!.end : 0
  freePageTables(state, mm, floor, mm.vmas[next]?.start ?? Math.max(at + pages, Number.MAX_SAFE_INTEGER))
}

/** The old mapping stays without a page and without a lock. @kernel move_vma() with MREMAP_DONTUNMAP */
function leaveEmpty(state: KernelState, mm: Mm, from: Vpn, pages: Pages): void {
  const vma = findVma(mm, from)!
  if ((vma.flags & VM_LOCKED) === 0) return
  mm.lockedVm -= pages
  modifyVma(state, mm, { vma, start: from, end: from + pages }, (v) => (v.flags &= ~VM_LOCKED_MASK))
}

/** The promise went over to the new mapping: unmapping the old one must not take it back. */
function takeAway(state: KernelState, mm: Mm, from: Vpn, pages: Pages): void {
  const isPromised = (findVma(mm, from)!.flags & VM_ACCOUNT) !== 0
  if (isPromised) state.committedAs += pages
  const errno = unmapRange(state, mm, from, from + pages)
  if (errno !== undefined && isPromised) vmUnacctMemory(state, pages)
}
