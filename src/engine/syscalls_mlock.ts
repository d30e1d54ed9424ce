/**
 * Locking memory: mlock, mlock2, munlock, mlockall, munlockall. Programs run as root unless they gave it up: RLIMIT_MEMLOCK
 * holds for the others.
 * @kernel  mm/mlock.c
 * @spec    04 §4.8
 */
import type { Errno } from '../util/errno'
import { PAGE_SIZE, type Ns, type Vpn } from '../util/units'
import { charge } from './exec'
import { pageOf, pagesIn } from './mappings'
import { filePages, inodeAt } from './mm/filemap'
import { compoundHead } from './mm/folio'
import { forEachHugePmd, pmdPfn } from './mm/huge_pmd'
import { mlockFolio, munlockFolio } from './mm/mlock'
import { isAccessible } from './mm/mmap'
import { VM_HUGETLB, VM_LOCKED, VM_LOCKED_MASK, VM_LOCKONFAULT, VM_SPECIAL, type Mm } from './mm/mm_types'
import { forEachPte, isPresent, ptePfn } from './mm/pgtable'
import { mmAt } from './mm/rss'
import { changeFlags, forEachPart, type VmaPart } from './mm/vma'
import { findVmaIndex } from './mm/vma_find'
import { isCapable, rlimitPages } from './rlimit'
import { populate } from './populate'
import type { KernelState } from './state'
import { fail, partFrom, succeed } from './syscall_result'
import type { Op, Task } from './task'
import { STEP_DONE } from './touch'

type OpOf<K extends Op['op']> = Extract<Op, { op: K }>

/** @kernel can_do_mlock() */
const canDoMlock = (state: KernelState): boolean => isCapable(state) || rlimitPages(state, 'memlock') > 0

/**
 * @returns ENOMEM: a hole (what lies before it is changed), more than the limit, or a page that cannot be had; EPERM
 * @kernel  do_mlock(), sys_munlock()
 */
export function opMlock(state: KernelState, task: Task, op: OpOf<'mlock'> | OpOf<'munlock'>, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  const start = pageOf(op.address)
  const end = start + pagesIn((op.address % PAGE_SIZE) + op.length)
  if (task.opDone === 0) {
    charge(state, state.costs.syscall)
    const errno = op.op === 'munlock' ? applyFlags(state, mm, start, end, 0) : lock(state, mm, start, end, op)
    if (errno !== undefined) return fail(task, errno)
    if (op.op === 'munlock') return succeed(task, 0)
    task.opDone = 1
  }
  const { to, errno } = populatable(state, mm, start, end)
  const step = partFrom(task, 1, () => populate(state, task, start, to - start, endNs))
  if (step !== STEP_DONE) return step
  return errno === undefined ? succeed(task, 0) : fail(task, errno)
}

function lock(state: KernelState, mm: Mm, start: Vpn, end: Vpn, op: OpOf<'mlock'>): Errno | undefined {
  if (!canDoMlock(state)) return 'EPERM'
  let wanted = mm.lockedVm + (end - start)
  // Pages of the range that are locked already do not count twice.
  forEachPart(mm, start, end, (part) => {
    if ((part.vma.flags & VM_LOCKED) !== 0) wanted -= part.end - part.start
    return undefined
  })
  if (!isCapable(state) && wanted > rlimitPages(state, 'memlock')) return 'ENOMEM'
  return applyFlags(state, mm, start, end, op.onFault === true ? VM_LOCKED_MASK : VM_LOCKED)
}

/** Mapping after mapping, up to the first hole. @kernel apply_vma_lock_flags() */
function applyFlags(state: KernelState, mm: Mm, start: Vpn, end: Vpn, flags: number): Errno | undefined {
  if (start === end) return undefined
  return forEachPart(mm, start, end, (part) => mlockFixup(state, mm, part, flags), 'stop')
}

/** @kernel mlock_fixup() */
function mlockFixup(state: KernelState, mm: Mm, part: VmaPart, flags: number): Errno | undefined {
  const { vma, start, end } = part
  const before = vma.flags
  if ((before & VM_LOCKED_MASK) === flags || (before & (VM_SPECIAL | VM_HUGETLB)) !== 0) return undefined
  const changed = changeFlags(state, mm, part, flags, VM_LOCKED_MASK & ~flags)
  if (typeof changed === 'string') return changed
  const wasLocked = (before & VM_LOCKED) !== 0
  const isLocked = (flags & VM_LOCKED) !== 0
  if (isLocked === wasLocked) return undefined
  mm.lockedVm += isLocked ? end - start : start - end
  const mark = isLocked ? mlockFolio : munlockFolio
  forEachHugePmd(state, mm, start, end, (_slot, entry) => {
    if (pmdPfn(entry) !== state.thp.hugeZeroPfn) mark(state, pmdPfn(entry))
  })
  forEachPte(state, mm, start, end, (_slot, pte) => {
    if (isPresent(pte) && ptePfn(pte) !== state.zeroPfn) mark(state, compoundHead(state.memmap, ptePfn(pte)))
  })
  return undefined
}

/** How far the range can be brought in: to the first page without access or behind the end of its file. */
function populatable(state: KernelState, mm: Mm, start: Vpn, end: Vpn): { to: Vpn; errno: Errno | undefined } {
  for (let at = start; at < end;) {
    const vma = mm.vmas[findVmaIndex(mm, at)]
    if (vma === undefined || vma.start > at || !isAccessible(vma)) return { to: at, errno: 'ENOMEM' }
    const isLazy = (vma.flags & VM_LOCKONFAULT) !== 0
    const fileEnd = vma.ino === 0 || isLazy ? vma.end : vma.start + filePages(inodeAt(state, vma.ino)) - vma.pgoff
    const to = Math.min(vma.end, end)
    if (fileEnd < to) return { to: Math.max(at, fileEnd), errno: 'ENOMEM' }
    at = to
  }
  return { to: end, errno: undefined }
}

/** Locks mapping after mapping; opDone counts 1 + pages over all of them. @kernel sys_mlockall(), apply_mlockall_flags() */
export function opMlockall(state: KernelState, task: Task, op: OpOf<'mlockall'>, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  if (task.opDone === 0) {
    charge(state, state.costs.syscall)
    if (!op.current && !op.future) return fail(task, 'EINVAL')
    if (!canDoMlock(state)) return fail(task, 'EPERM')
    if (op.current && !isCapable(state) && mm.totalVm > rlimitPages(state, 'memlock')) return fail(task, 'ENOMEM')
    const flags = op.onFault === true ? VM_LOCKED_MASK : VM_LOCKED
    mm.defFlags = op.future ? flags : 0
    if (!op.current) return succeed(task, 0)
    applyToAll(state, mm, flags)
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

/** @kernel sys_munlockall() */
export function opMunlockall(state: KernelState, task: Task): number {
  const mm = mmAt(state, task.mm)
  charge(state, state.costs.syscall)
  mm.defFlags = 0
  applyToAll(state, mm, 0)
  return succeed(task, 0)
}

/** What cannot be cut or joined any more is passed over. @kernel apply_mlockall_flags() */
function applyToAll(state: KernelState, mm: Mm, flags: number): void {
  forEachPart(mm, 0, Number.MAX_SAFE_INTEGER, (part) => {
    mlockFixup(state, mm, part, flags)
    return undefined
  })
}
