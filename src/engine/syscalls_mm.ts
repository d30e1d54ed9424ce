/**
 * Operations on the address space: accesses, mappings, the heap.
 * @kernel  mm/mmap.c; malloc as in glibc
 */
import { PAGE_SIZE, type Ns, type Vpn } from '../util/units'
import { charge, isSuspended } from './exec'
import { PF_INSTR, PF_WRITE, badAddress } from './fault_signal'
import { makeMapping, pageOf, pagesIn, unmapRange } from './mappings'
import { mayExpandVm, mayLock, vmFlags } from './mm/mmap'
import { startGap } from './mm/unmapped_area'
import { VM_ACCOUNT, VM_LOCKED, type Mm } from './mm/mm_types'
import { vmEnoughMemory, vmUnacctMemory } from './mm/overcommit'
import { mmAt, mmOf } from './mm/rss'
import { TASK_SIZE_VPN, insertVma, taskSize } from './mm/vma'
import { findVma, findVmaIndex } from './mm/vma_find'
import { rlimitPages } from './rlimit'
import { populate } from './populate'
import type { KernelState } from './state'
import { fail, partFrom, succeed } from './syscall_result'
import {
  MAP_ANONYMOUS,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_POPULATE,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
  type Op,
  type Task,
} from './task'
import { STEP_BLOCKED, STEP_DONE, STEP_KILLED, STEP_MORE, fetchPage, touchRange } from './touch'

type OpOf<K extends Op['op']> = Extract<Op, { op: K }>

/** One access to each page; where user addresses end, the last one is an access to an address that is none. */
export function opTouch(state: KernelState, task: Task, op: OpOf<'touch'>, endNs: Ns): number {
  if (op.length <= 0) return succeed(task, 0)
  const first = pageOf(op.address)
  // Page numbers are exact at any address; above 2^53 a sum of bytes is not.
  const count = pageOf((op.address % PAGE_SIZE) + op.length - 1) + 1
  const inside = Math.max(0, Math.min(count, taskSize(state) - first))
  if (task.opDone === 0) noteContents(state, task, op, first)
  const perPage = op.incompressible === true ? state.costs.fillPage : state.costs.access
  const step =
    op.mode === 'exec'
      ? fetchRange(state, task, first, inside, endNs)
      : touchRange(state, task, first, inside, op.mode === 'write', perPage, endNs)
  if (step !== STEP_DONE) return step
  if (inside === count) return succeed(task, count)
  const access = op.mode === 'write' ? PF_WRITE : op.mode === 'exec' ? PF_INSTR : 0
  badAddress(state, task, Math.max(op.address, (first + inside) * PAGE_SIZE), access)
  return STEP_KILLED
}

/** What programs say of the bytes that they write, for those who compress them. */
function noteContents(state: KernelState, task: Task, op: OpOf<'touch'>, first: Vpn): void {
  if (op.incompressible !== true && op.isSameFilled !== true) return
  const mm = mmOf(state, task)
  const vma = mm === undefined ? undefined : findVma(mm, first)
  if (vma === undefined) return
  if (op.incompressible === true) vma.incompressible = true
  // Of a heap or an arena only a part is written so.
  else if (vma.ino === 0 && vma.name === '') vma.isSameFilled = true
}

/** Instructions are fetched from page after page. */
function fetchRange(state: KernelState, task: Task, first: Vpn, count: number, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  while (task.opDone < count) {
    if (state.exec.ns >= endNs) return STEP_MORE
    const step = fetchPage(state, task, mm, first + task.opDone)
    if (step !== STEP_DONE) return step
    charge(state, state.costs.access)
    task.opDone++
    if (isSuspended(state)) return STEP_BLOCKED
  }
  return STEP_DONE
}

// ---------------------------------------------------------------- mappings

/** opDone 0: the mapping is not made yet; afterwards 1 + pages that were brought in. */
export function opMmap(state: KernelState, task: Task, op: OpOf<'mmap'>, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  if (task.opDone === 0) {
    charge(state, state.costs.mmapCall)
    const start = makeMapping(state, task, mm, op)
    if (typeof start === 'string') return isSuspended(state) ? STEP_BLOCKED : fail(task, start)
    succeed(task, start * PAGE_SIZE)
    task.opDone = 1
  }
  const isPopulated = (op.flags & (MAP_POPULATE | MAP_NONBLOCK)) === MAP_POPULATE
  if (!isPopulated && (op.flags & MAP_LOCKED) === 0 && (mm.defFlags & VM_LOCKED) === 0) return STEP_DONE
  return partFrom(task, 1, () => populate(state, task, pageOf(task.result), pagesIn(op.length), endNs))
}

export function opMunmap(state: KernelState, task: Task, address: number, length: number): number {
  const isInside = pageOf(address) + pagesIn(length) <= taskSize(state)
  if (address % PAGE_SIZE !== 0 || length <= 0 || !isInside) return fail(task, 'EINVAL')
  charge(state, state.costs.mmapCall)
  const errno = unmapRange(state, mmAt(state, task.mm), pageOf(address), pageOf(address) + pagesIn(length))
  return errno === undefined ? succeed(task, 0) : fail(task, errno)
}

// ---------------------------------------------------------------- heap

/** opDone 0: the break is where it was; afterwards 1 + pages of the new part that were brought in. @kernel mm/mmap.c brk() */
export function opBrk(state: KernelState, task: Task, address: number, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  if (task.opDone === 0) {
    charge(state, state.costs.syscall)
    const before = mm.brk
    if (moveBreak(state, mm, address)) mm.brk = address
    else if (isSuspended(state)) return STEP_BLOCKED
    succeed(task, mm.brk)
    if (mm.brk <= before || (mm.defFlags & VM_LOCKED) === 0) return STEP_DONE
    task.opDone = 1
  }
  // The part of the heap that is locked; what was there before is there still.
  const end = pageOf(mm.brk + PAGE_SIZE - 1)
  const start = findVma(mm, end - 1)?.start ?? end
  return partFrom(task, 1, () => populate(state, task, start, end - start, endNs))
}

/** @returns whether the heap ends at the address now; a refusal changes nothing */
function moveBreak(state: KernelState, mm: Mm, address: number): boolean {
  if (address < mm.startBrk || address - mm.startBrk > rlimitPages(state, 'data') * PAGE_SIZE) return false
  const oldEnd = pageOf(mm.brk + PAGE_SIZE - 1)
  const newEnd = pageOf(address + PAGE_SIZE - 1)
  if (newEnd === oldEnd) return true
  if (newEnd < oldEnd) return unmapRange(state, mm, newEnd, oldEnd) === undefined
  return growHeap(state, mm, oldEnd, newEnd)
}

/** The heap takes the new part in when it still ends there; else a mapping of its own begins. @kernel do_brk_flags() */
function growHeap(state: KernelState, mm: Mm, from: Vpn, to: Vpn): boolean {
  const flags = vmFlags(PROT_READ | PROT_WRITE, MAP_PRIVATE) | VM_ACCOUNT | mm.defFlags
  const next = mm.vmas[findVmaIndex(mm, from)]
  // One page stays free below the next mapping, and the gap that a stack keeps.
  if (next !== undefined && to + 1 > startGap(next)) return false
  if (to > TASK_SIZE_VPN || !mayLock(state, mm, flags, to - from) || !mayExpandVm(state, mm, flags, to - from))
    return false
  if (mm.vmas.length > state.sysctl.maxMapCount || !vmEnoughMemory(state, mm, to - from)) return false
  const heap = { ino: 0, pgoff: from, name: '[heap]', anonVma: 0, incompressible: false }
  if (insertVma(state, mm, { start: from, end: to, flags, ...heap }) === undefined) {
    vmUnacctMemory(state, to - from)
    return false
  }
  if ((flags & VM_LOCKED) !== 0) mm.lockedVm += to - from
  return true
}

/** Larger blocks get a mapping of their own. @kernel glibc M_MMAP_THRESHOLD */
export const MMAP_THRESHOLD = 128 * 1024
/** Before the data of a block. */
export const MALLOC_HEADER = 16

/** opDone 0: nothing; 1: the mapping is there, and glibc writes the block's header into its first page. */
export function opMalloc(state: KernelState, task: Task, length: number): number {
  if (length < MMAP_THRESHOLD) return mallocFromHeap(state, task, length)
  const mm = mmAt(state, task.mm)
  if (task.opDone === 0) {
    charge(state, state.costs.mmapCall)
    const flags = MAP_PRIVATE | MAP_ANONYMOUS
    const request: OpOf<'mmap'> = { op: 'mmap', length: length + PAGE_SIZE, prot: PROT_READ | PROT_WRITE, flags }
    const start = makeMapping(state, task, mm, request)
    if (typeof start === 'string') return isSuspended(state) ? STEP_BLOCKED : fail(task, start)
    succeed(task, start * PAGE_SIZE + MALLOC_HEADER)
    task.heapBlocks[task.result] = pagesIn(length + PAGE_SIZE)
    task.opDone = 1
  }
  return partFrom(task, 1, () => touchRange(state, task, pageOf(task.result), 1, true, state.costs.access, Infinity))
}

function mallocFromHeap(state: KernelState, task: Task, length: number): number {
  const address = mmAt(state, task.mm).brk
  // A heap that is locked is brought in when it is used.
  const wanted = address + Math.ceil((length + MALLOC_HEADER) / 16) * 16
  charge(state, state.costs.syscall)
  const isMoved = moveBreak(state, mmAt(state, task.mm), wanted)
  if (!isMoved && isSuspended(state)) return STEP_BLOCKED
  if (isMoved) mmAt(state, task.mm).brk = wanted
  return !isMoved ? fail(task, 'ENOMEM') : succeed(task, address + MALLOC_HEADER)
}

/** Blocks with a mapping of their own go back to the kernel; the heap keeps the others. */
export function opFree(state: KernelState, task: Task, address: number): number {
  charge(state, state.costs.syscall)
  const pages = task.heapBlocks[address]
  if (pages === undefined) return succeed(task, 0)
  delete task.heapBlocks[address]
  return opMunmap(state, task, address - MALLOC_HEADER, pages * PAGE_SIZE)
}
