/**
 * Operations on the address space: accesses, mappings, locks, the heap.
 * @kernel  mm/mmap.c, mm/mprotect.c, mm/mlock.c; malloc as in glibc
 */
import type { Errno } from '../util/errno'
import { PAGE_SIZE, type Ns, type Pages, type Vpn } from '../util/units'
import { charge, isSuspended } from './exec'
import { makeMapping, pageOf, pagesIn, unmapRange } from './mappings'
import { PG_ANON_EXCLUSIVE, hasFlag } from './mm/memmap'
import {
  VM_ACCOUNT,
  VM_DONTEXPAND,
  VM_LOCKED,
  VM_NORESERVE,
  VM_SHARED,
  VM_WRITE,
  type Mm,
  type Vma,
} from './mm/mm_types'
import { munlockFolio } from './mm/mlock'
import { vmEnoughMemory, vmUnacctMemory } from './mm/overcommit'
import { PTE_WRITE, forEachPte, isPresent, ptePfn, setPte } from './mm/pgtable'
import { mmAt, mmOf } from './mm/rss'
import { changeFlags, insertVma, isFullyMapped, splitsNeeded, vmFlags } from './mm/vma'
import { findVma, findVmaIndex } from './mm/vma_find'
import { chargeObject } from './slab_objects'
import type { KernelState } from './state'
import { fail, succeed } from './syscall_result'
import {
  MAP_ANONYMOUS,
  MAP_LOCKED,
  MAP_POPULATE,
  MAP_PRIVATE,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  type Op,
  type Task,
} from './task'
import { STEP_BLOCKED, STEP_DONE, populate, touchRange } from './touch'

type OpOf<K extends Op['op']> = Extract<Op, { op: K }>

/** Runs a part of an operation whose progress counts from `base`, because what came before it is done once only. */
function partFrom(task: Task, base: number, part: () => number): number {
  task.opDone -= base
  const step = part()
  task.opDone += base
  return step
}

export function opTouch(state: KernelState, task: Task, op: OpOf<'touch'>, endNs: Ns): number {
  if (op.length <= 0) return succeed(task, 0)
  const first = pageOf(op.address)
  const count = pageOf(op.address + op.length - 1) - first + 1
  if (task.opDone === 0 && op.incompressible === true) {
    const mm = mmOf(state, task)
    const vma = mm === undefined ? undefined : findVma(mm, first)
    if (vma !== undefined) vma.incompressible = true
  }
  const perPage = op.incompressible === true ? state.costs.fillPage : state.costs.access
  const step = touchRange(state, task, first, count, op.mode === 'write', perPage, endNs)
  return step === STEP_DONE ? succeed(task, count) : step
}

// ---------------------------------------------------------------- mappings

/** opDone 0: the mapping is not made yet; afterwards 1 + pages that were brought in. */
export function opMmap(state: KernelState, task: Task, op: OpOf<'mmap'>, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  if (task.opDone === 0) {
    charge(state, state.costs.mmapCall)
    if (!chargeObject(state, 'mapping')) return isSuspended(state) ? STEP_BLOCKED : fail(task, 'ENOMEM')
    const start = makeMapping(state, task, mm, op)
    if (typeof start === 'string') return isSuspended(state) ? STEP_BLOCKED : fail(task, start)
    succeed(task, start * PAGE_SIZE)
    task.opDone = 1
  }
  if ((op.flags & (MAP_POPULATE | MAP_LOCKED)) === 0 && !mm.lockFuture) return STEP_DONE
  return partFrom(task, 1, () => populate(state, task, pageOf(task.result), pagesIn(op.length), endNs))
}

export function opMunmap(state: KernelState, task: Task, address: number, length: number): number {
  if (address % PAGE_SIZE !== 0 || length <= 0) return fail(task, 'EINVAL')
  charge(state, state.costs.mmapCall)
  const errno = unmapRange(state, mmAt(state, task.mm), pageOf(address), pageOf(address) + pagesIn(length))
  return errno === undefined ? succeed(task, 0) : fail(task, errno)
}

const NOT_ACCOUNTED_BY_WRITE = VM_ACCOUNT | VM_WRITE | VM_SHARED | VM_NORESERVE

/** What a change of protection promises or takes back. @kernel mprotect_fixup() @spec 04 §4.4 */
function accountProtection(state: KernelState, mm: Mm, vma: Vma, pages: Pages, wanted: number): number | undefined {
  if ((wanted & VM_WRITE) !== 0 && (vma.flags & NOT_ACCOUNTED_BY_WRITE) === 0)
    return vmEnoughMemory(state, mm, pages) ? VM_ACCOUNT : undefined
  return 0
}

/** An anonymous mapping without a page that is not writable any more needs no promise. */
const isUnpromised = (vma: Vma, wanted: number): boolean =>
  (wanted & VM_WRITE) === 0 && (vma.flags & VM_ACCOUNT) !== 0 && vma.ino === 0 && !vma.hasAnon

const PROT_BITS = PROT_READ | PROT_WRITE | PROT_EXEC

/**
 * @kernel      mm/mprotect.c do_mprotect_pkey()
 * @simplifies  PROT_NONE on pages that are present is refused with EINVAL: entries without access are not modelled
 */
export function opMprotect(state: KernelState, task: Task, op: OpOf<'mprotect'>): number {
  const mm = mmAt(state, task.mm)
  const start = pageOf(op.address)
  const end = start + pagesIn(op.length)
  if (op.address % PAGE_SIZE !== 0) return fail(task, 'EINVAL')
  if (start === end) return succeed(task, 0)
  if (!isFullyMapped(mm, start, end)) return fail(task, 'ENOMEM')
  if (mm.vmas.length + splitsNeeded(mm, start, end) > state.sysctl.maxMapCount) return fail(task, 'ENOMEM')
  if ((op.prot & PROT_BITS) === 0 && hasPages(state, mm, start, end)) return fail(task, 'EINVAL')
  charge(state, state.costs.mmapCall)
  const errno = protect(state, mm, start, end, vmFlags(op.prot, 0))
  if (errno !== undefined) return fail(task, errno)
  const writable = (op.prot & PROT_WRITE) !== 0
  forEachPte(state, mm, start, end, (slot, pte) => {
    if (!isPresent(pte)) return
    // Exclusive anonymous pages become writable at once (6.0+); all others take a write fault.
    const exclusive = hasFlag(state.memmap, ptePfn(pte), PG_ANON_EXCLUSIVE)
    setPte(state.pgtables, slot, writable && exclusive ? pte | PTE_WRITE : pte & ~PTE_WRITE)
  })
  return succeed(task, 0)
}

function hasPages(state: KernelState, mm: Mm, start: Vpn, end: Vpn): boolean {
  let found = false
  forEachPte(state, mm, start, end, () => (found = true))
  return found
}

/** Mapping after mapping, as the kernel does it: those before one that is refused stay changed. */
function protect(state: KernelState, mm: Mm, start: Vpn, end: Vpn, wanted: number): Errno | undefined {
  for (let at = start; at < end;) {
    const vma = findVma(mm, at)!
    const to = Math.min(vma.end, end)
    const account = accountProtection(state, mm, vma, to - at, wanted)
    if (account === undefined) return 'ENOMEM'
    const unpromised = isUnpromised(vma, wanted)
    if (unpromised) vmUnacctMemory(state, to - at)
    changeFlags(state, mm, at, to, wanted | account, (PROT_BITS & ~wanted) | (unpromised ? VM_ACCOUNT : 0))
    at = to
  }
  return undefined
}

// ---------------------------------------------------------------- locks

/** @kernel mm/mlock.c do_mlock(), apply_vma_lock_flags(); programs run as root: no RLIMIT_MEMLOCK */
export function opMlock(state: KernelState, task: Task, op: OpOf<'mlock'> | OpOf<'munlock'>, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  const start = pageOf(op.address)
  const end = start + pagesIn((op.address % PAGE_SIZE) + op.length)
  if (task.opDone === 0) {
    charge(state, state.costs.syscall)
    if (!isFullyMapped(mm, start, end)) return fail(task, 'ENOMEM')
    lockFlags(state, mm, start, end, op.op === 'mlock')
    if (op.op === 'munlock') {
      unlockPages(state, mm, start, end)
      return succeed(task, 0)
    }
    task.opDone = 1
  }
  const step = partFrom(task, 1, () => populate(state, task, start, end - start, endNs))
  return step === STEP_DONE ? succeed(task, 0) : step
}

/** Special mappings are never locked. */
function lockFlags(state: KernelState, mm: Mm, start: Vpn, end: Vpn, lock: boolean): void {
  for (let at = start; at < end;) {
    const vma = mm.vmas[findVmaIndex(mm, at)]
    if (vma === undefined) return
    const from = Math.max(at, vma.start)
    const to = Math.min(vma.end, end)
    const isLocked = (vma.flags & VM_LOCKED) !== 0
    if (to > from && isLocked !== lock && (vma.flags & VM_DONTEXPAND) === 0) {
      mm.lockedVm += lock ? to - from : from - to
      changeFlags(state, mm, from, to, lock ? VM_LOCKED : 0, lock ? 0 : VM_LOCKED)
    }
    at = to
  }
}

function unlockPages(state: KernelState, mm: Mm, start: Vpn, end: Vpn): void {
  forEachPte(state, mm, start, end, (_slot, pte) => {
    if (isPresent(pte) && ptePfn(pte) !== state.zeroPfn) munlockFolio(state, ptePfn(pte))
  })
}

/** Locks mapping after mapping; opDone counts 1 + pages over all of them. */
export function opMlockall(state: KernelState, task: Task, op: OpOf<'mlockall'>, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  if (task.opDone === 0) {
    charge(state, state.costs.syscall)
    if (op.future) mm.lockFuture = true
    if (!op.current) return succeed(task, 0)
    lockFlags(state, mm, 0, Number.MAX_SAFE_INTEGER, true)
    task.opDone = 1
  }
  let before = 1
  for (const vma of mm.vmas) {
    const pages = vma.end - vma.start
    if (task.opDone - before < pages && (vma.flags & VM_LOCKED) !== 0) {
      task.opDone = Math.max(before, task.opDone)
      const step = partFrom(task, before, () => populate(state, task, vma.start, pages, endNs))
      if (step !== STEP_DONE) return step
    }
    before += pages
  }
  return succeed(task, 0)
}

// ---------------------------------------------------------------- heap

/** @kernel mm/mmap.c brk() */
export function opBrk(state: KernelState, task: Task, address: number): number {
  const mm = mmAt(state, task.mm)
  charge(state, state.costs.syscall)
  const oldEnd = pageOf(mm.brk + PAGE_SIZE - 1)
  const newEnd = pageOf(address + PAGE_SIZE - 1)
  if (address < mm.startBrk) return succeed(task, mm.brk)
  if (newEnd > oldEnd) {
    const next = mm.vmas[findVmaIndex(mm, oldEnd)]
    const isFree = next === undefined || next.start > newEnd + 256
    if (!isFree || !vmEnoughMemory(state, mm, newEnd - oldEnd)) return succeed(task, mm.brk)
    const flags = vmFlags(PROT_READ | PROT_WRITE, MAP_PRIVATE) | VM_ACCOUNT
    const heap = { ino: 0, pgoff: 0, name: '[heap]', hasAnon: false, incompressible: false }
    insertVma(state, mm, { start: oldEnd, end: newEnd, flags, ...heap })
  } else if (newEnd < oldEnd && unmapRange(state, mm, newEnd, oldEnd) !== undefined) return succeed(task, mm.brk)
  mm.brk = address
  return succeed(task, address)
}

/** glibc's threshold between the heap and a mapping of its own. */
const MMAP_THRESHOLD = 128 * 1024
const MALLOC_HEADER = 16

/** opDone 0: nothing; 1: the mapping is there, and glibc writes the block's header into its first page. */
export function opMalloc(state: KernelState, task: Task, length: number): number {
  if (length < MMAP_THRESHOLD) return mallocFromHeap(state, task, length)
  const mm = mmAt(state, task.mm)
  if (task.opDone === 0) {
    charge(state, state.costs.mmapCall)
    const flags = MAP_PRIVATE | MAP_ANONYMOUS
    const request: OpOf<'mmap'> = { op: 'mmap', length: length + PAGE_SIZE, prot: PROT_READ | PROT_WRITE, flags }
    const start = makeMapping(state, task, mm, request)
    if (typeof start === 'string') return fail(task, start)
    succeed(task, start * PAGE_SIZE + MALLOC_HEADER)
    task.heapBlocks[task.result] = pagesIn(length + PAGE_SIZE)
    task.opDone = 1
  }
  return partFrom(task, 1, () => touchRange(state, task, pageOf(task.result), 1, true, state.costs.access, Infinity))
}

function mallocFromHeap(state: KernelState, task: Task, length: number): number {
  const address = mmAt(state, task.mm).brk
  opBrk(state, task, address + Math.ceil((length + MALLOC_HEADER) / 16) * 16)
  return task.result === address ? fail(task, 'ENOMEM') : succeed(task, address + MALLOC_HEADER)
}

/** Blocks with a mapping of their own go back to the kernel; the heap keeps the others. */
export function opFree(state: KernelState, task: Task, address: number): number {
  charge(state, state.costs.syscall)
  const pages = task.heapBlocks[address]
  if (pages === undefined) return succeed(task, 0)
  delete task.heapBlocks[address]
  return opMunmap(state, task, address - MALLOC_HEADER, pages * PAGE_SIZE)
}
