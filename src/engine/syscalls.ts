/**
 * Operations of programs: one function an operation. Each returns a STEP_*; an operation that has to wait is called
 * again with its progress in task.opDone.
 * @kernel  the system calls of the same names
 */
import type { Errno } from '../util/errno'
import { PAGE_SIZE, type Ns } from '../util/units'
import { charge, isSuspended, now, suspend } from './exec'
import { stepExec, stepFork } from './exec_image'
import { shellImage } from './images'
import { allocKernelStack } from './kernel_stack'
import { createTask, exitTask, reapZombie, sendSignal, startTask, SIGKILL } from './lifecycle'
import { copyMm } from './mm/fork'
import { inodeAt } from './mm/filemap'
import { zapRange } from './mm/memory'
import {
  VM_ACCOUNT,
  VM_HUGEPAGE,
  VM_LOCKED,
  VM_NOHUGEPAGE,
  VM_RAND_READ,
  VM_SEQ_READ,
  VM_WRITE,
  type Mm,
} from './mm/mm_types'
import { PG_ANON_EXCLUSIVE, hasFlag } from './mm/memmap'
import { munlockFolio } from './mm/mlock'
import { PTE_WRITE, forEachPte, freePageTables, isPresent, ptePfn, setPte } from './mm/pgtable'
import { mmAt, mmOf } from './mm/rss'
import {
  changeFlags,
  findFreeRange,
  insertVma,
  isFullyMapped,
  mmapRegion,
  removeVmas,
  splitAt,
  vmEnoughMemory,
  vmFlags,
  vmUnacctMemory,
} from './mm/vma'
import { findVma, findVmaIndex } from './mm/vma_find'
import { releaseInode } from './fs/vfs'
import { chargeObject } from './slab_objects'
import type { KernelState } from './state'
import { fail, succeed } from './syscall_result'
import { fileOp } from './syscalls_file'
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_LOCKED,
  MAP_POPULATE,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
  type Op,
  type Task,
} from './task'
import { STEP_BLOCKED, STEP_DONE, STEP_KILLED, STEP_MORE, populate, touchList, touchRange } from './touch'

const pageOf = (address: number): number => Math.floor(address / PAGE_SIZE)
const pagesIn = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE)

/**
 * Goes on with the task's operation.
 * @param endNs  value of exec.ns at which the time slice ends
 */
export function stepOp(state: KernelState, task: Task, op: Op, endNs: Ns): number {
  switch (op.op) {
    case 'touch':
      return opTouch(state, task, op, endNs)
    case 'touchList': {
      const step = touchList(state, task, pageOf(op.address), op.pages, op.mode === 'write', state.costs.access, endNs)
      return step === STEP_DONE ? succeed(task, op.pages.length) : step
    }
    case 'mmap':
      return opMmap(state, task, op, endNs)
    case 'munmap':
      return opMunmap(state, task, op.address, op.length)
    case 'mprotect':
      return opMprotect(state, task, op)
    case 'madvise':
      return opMadvise(state, task, op, endNs)
    case 'mlock':
    case 'munlock':
      return opMlock(state, task, op, endNs)
    case 'mlockall':
      return opMlockall(state, task, op, endNs)
    case 'brk':
      return opBrk(state, task, op.address)
    case 'malloc':
      return opMalloc(state, task, op.length)
    case 'free':
      return opFree(state, task, op.address)
    case 'sleep':
    case 'pause':
    case 'host':
      return opSleep(state, task, op)
    case 'compute':
      return opCompute(state, task, op.ns, endNs)
    case 'fork':
      return opFork(state, task, op)
    case 'wait':
      return opWait(state, task, op.pid)
    case 'exec':
      return opExec(state, task, op, endNs)
    case 'setAffinity':
      task.affinity = op.cpu
      return succeed(task, 0)
    case 'setComm':
      task.comm = op.comm.slice(0, 15)
      return succeed(task, 0)
    case 'signal': {
      const errno = sendSignal(state, op.pid, op.signal)
      return errno === undefined ? succeed(task, 0) : fail(task, errno)
    }
    case 'catchSignals':
      task.catchesSignals = true
      return succeed(task, 0)
    case 'exit':
      exitTask(state, task, op.status)
      return STEP_DONE
    default:
      return fileOp(state, task, op, endNs)
  }
}

type OpOf<K extends Op['op']> = Extract<Op, { op: K }>

function opTouch(state: KernelState, task: Task, op: OpOf<'touch'>, endNs: Ns): number {
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

function opMmap(state: KernelState, task: Task, op: OpOf<'mmap'>, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  // opDone 0: make the mapping; afterwards pages are brought in, opDone counts them and result keeps the address.
  if (task.opDone === 0) {
    charge(state, state.costs.mmapCall)
    if (!chargeObject(state, 'mapping')) return isSuspended(state) ? STEP_BLOCKED : fail(task, 'ENOMEM')
    const errno = makeMapping(state, task, mm, op)
    if (errno !== undefined) return fail(task, errno)
    if ((op.flags & (MAP_POPULATE | MAP_LOCKED)) === 0 && !mm.lockFuture) return STEP_DONE
  }
  const step = populate(state, task, pageOf(task.result), pagesIn(op.length), endNs)
  return step
}

function makeMapping(state: KernelState, task: Task, mm: Mm, op: OpOf<'mmap'>): Errno | undefined {
  if (op.length <= 0) return 'EINVAL'
  let ino = 0
  let name = ''
  if ((op.flags & MAP_ANONYMOUS) === 0) {
    const fd = task.fds[op.fd ?? -1]
    if (fd?.kind !== 'inode') return 'EBADF'
    if ((op.prot & PROT_WRITE) !== 0 && (op.flags & MAP_PRIVATE) === 0 && !fd.writable) return 'EACCES'
    ino = fd.ino
    name = `inode:${ino}`
  }
  if ((op.flags & MAP_FIXED) !== 0) opMunmap(state, task, op.address ?? 0, op.length)
  const vma = mmapRegion(state, mm, {
    pages: pagesIn(op.length),
    prot: op.prot,
    flags: op.flags,
    ino,
    pgoff: pageOf(op.offset ?? 0),
    at: op.address === undefined ? -1 : pageOf(op.address),
    name,
  })
  if (typeof vma === 'string') return vma
  if (ino !== 0) inodeAt(state, ino).users++
  if ((op.flags & MAP_LOCKED) !== 0) changeFlags(mm, vma.start, vma.end, VM_LOCKED, 0)
  task.result = vma.start * PAGE_SIZE
  // The mapping may have merged with the one above it: the new part is what was asked for.
  const wanted = pagesIn(op.length)
  if (vma.end - vma.start !== wanted && op.address === undefined) task.result = lowestNewPage(mm, vma.start) * PAGE_SIZE
  task.errno = ''
  return undefined
}

/** After a merge with the mapping above, the new range begins where the merged one begins. */
const lowestNewPage = (mm: Mm, start: number): number => mm.vmas[findVmaIndex(mm, start)]!.start

export function opMunmap(state: KernelState, task: Task, address: number, length: number): number {
  if (address % PAGE_SIZE !== 0 || length <= 0) return fail(task, 'EINVAL')
  charge(state, state.costs.mmapCall)
  unmapRange(state, mmAt(state, task.mm), pageOf(address), pageOf(address) + pagesIn(length))
  return succeed(task, 0)
}

/** @kernel do_vmi_munmap() */
export function unmapRange(state: KernelState, mm: Mm, start: number, end: number): void {
  const { first, last } = splitAt(mm, start, end)
  if (first === last) return
  for (let i = first; i < last; i++) zapRange(state, mm, mm.vmas[i]!, mm.vmas[i]!.start, mm.vmas[i]!.end)
  const floor = first > 0 ? mm.vmas[first - 1]!.end : 0
  const ceiling = last < mm.vmas.length ? mm.vmas[last]!.start : Number.MAX_SAFE_INTEGER
  for (const vma of removeVmas(state, mm, first, last)) {
    if (vma.ino === 0) continue
    const inode = inodeAt(state, vma.ino)
    inode.users--
    releaseInode(state, inode)
  }
  freePageTables(state, mm, floor, ceiling)
}

function opMprotect(state: KernelState, task: Task, op: OpOf<'mprotect'>): number {
  const mm = mmAt(state, task.mm)
  const start = pageOf(op.address)
  const end = start + pagesIn(op.length)
  if (op.address % PAGE_SIZE !== 0) return fail(task, 'EINVAL')
  if (!isFullyMapped(mm, start, end)) return fail(task, 'ENOMEM')
  charge(state, state.costs.mmapCall)
  const wanted = vmFlags(op.prot, 0)
  changeFlags(mm, start, end, wanted, 7 & ~wanted)
  const writable = (wanted & VM_WRITE) !== 0
  forEachPte(state, mm, start, end, (slot, pte) => {
    if (!isPresent(pte)) return
    // Exclusive anonymous pages become writable at once (6.0+); all others take a write fault.
    const exclusive = hasFlag(state.memmap, ptePfn(pte), PG_ANON_EXCLUSIVE)
    setPte(state.pgtables, slot, writable && exclusive ? pte | PTE_WRITE : pte & ~PTE_WRITE)
  })
  return succeed(task, 0)
}

function opMadvise(state: KernelState, task: Task, op: OpOf<'madvise'>, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  if (op.address % PAGE_SIZE !== 0) return fail(task, 'EINVAL')
  const start = pageOf(op.address)
  const count = pagesIn(op.length)
  const end = start + count
  switch (op.advice) {
    case 'populate_write':
    case 'populate_read': {
      const step = touchRange(state, task, start, count, op.advice === 'populate_write', 0, endNs)
      return step === STEP_DONE ? succeed(task, 0) : step
    }
    case 'hugepage':
      changeFlags(mm, start, end, VM_HUGEPAGE, VM_NOHUGEPAGE)
      break
    case 'nohugepage':
      changeFlags(mm, start, end, VM_NOHUGEPAGE, VM_HUGEPAGE)
      break
    case 'normal':
      changeFlags(mm, start, end, 0, VM_RAND_READ | VM_SEQ_READ)
      break
    case 'random':
      changeFlags(mm, start, end, VM_RAND_READ, VM_SEQ_READ)
      break
    case 'sequential':
      changeFlags(mm, start, end, VM_SEQ_READ, VM_RAND_READ)
      break
    case 'dontneed':
      for (const vma of mm.vmas) {
        if (vma.start >= end || vma.end <= start) continue
        if ((vma.flags & VM_LOCKED) !== 0) return fail(task, 'EINVAL')
        zapRange(state, mm, vma, Math.max(vma.start, start), Math.min(vma.end, end))
      }
      break
    default:
      return fail(task, 'EINVAL')
  }
  charge(state, state.costs.syscall)
  return succeed(task, 0)
}

function opMlock(state: KernelState, task: Task, op: OpOf<'mlock'> | OpOf<'munlock'>, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  const start = pageOf(op.address)
  const count = pagesIn(op.length)
  if (task.opDone === 0) {
    if (!isFullyMapped(mm, start, start + count)) return fail(task, 'ENOMEM')
    lockFlags(mm, start, start + count, op.op === 'mlock')
  }
  if (op.op === 'munlock') {
    unlockPages(state, mm, start, start + count)
    return succeed(task, 0)
  }
  const step = populate(state, task, start, count, endNs)
  return step === STEP_DONE ? succeed(task, 0) : step
}

function lockFlags(mm: Mm, start: number, end: number, lock: boolean): void {
  for (const vma of mm.vmas) {
    const pages = Math.min(vma.end, end) - Math.max(vma.start, start)
    if (pages > 0 && ((vma.flags & VM_LOCKED) !== 0) !== lock) mm.lockedVm += lock ? pages : -pages
  }
  changeFlags(mm, start, end, lock ? VM_LOCKED : 0, lock ? 0 : VM_LOCKED)
}

function unlockPages(state: KernelState, mm: Mm, start: number, end: number): void {
  forEachPte(state, mm, start, end, (_slot, pte) => {
    if (isPresent(pte) && ptePfn(pte) !== state.zeroPfn) munlockFolio(state, ptePfn(pte))
  })
}

/** Locks mapping after mapping; opDone counts pages over all of them. */
function opMlockall(state: KernelState, task: Task, op: OpOf<'mlockall'>, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  if (op.future) mm.lockFuture = true
  if (!op.current) return succeed(task, 0)
  if (task.opDone === 0) for (const vma of [...mm.vmas]) lockFlags(mm, vma.start, vma.end, true)
  let before = 0
  for (const vma of mm.vmas) {
    const pages = vma.end - vma.start
    const done = task.opDone - before
    if (done < pages) {
      task.opDone = Math.max(0, done)
      const step = populate(state, task, vma.start, pages, endNs)
      task.opDone += before
      if (step !== STEP_DONE) return step
    }
    before += pages
  }
  return succeed(task, 0)
}

function opBrk(state: KernelState, task: Task, address: number): number {
  const mm = mmAt(state, task.mm)
  charge(state, state.costs.syscall)
  const oldEnd = pagesIn(mm.brk)
  const newEnd = pagesIn(address)
  if (address < mm.startBrk || address === 0) return succeed(task, mm.brk)
  if (newEnd > oldEnd) {
    const next = mm.vmas[findVmaIndex(mm, oldEnd)]
    const isFree = next === undefined || next.start > newEnd + 256
    if (!isFree || !vmEnoughMemory(state, mm, newEnd - oldEnd)) return succeed(task, mm.brk)
    const flags = vmFlags(PROT_READ | PROT_WRITE, MAP_PRIVATE) | VM_ACCOUNT
    insertVma(mm, {
      start: oldEnd,
      end: newEnd,
      flags,
      ino: 0,
      pgoff: 0,
      name: '[heap]',
      hasAnon: false,
      incompressible: false,
    })
  } else if (newEnd < oldEnd) unmapRange(state, mm, newEnd, oldEnd)
  mm.brk = address
  return succeed(task, address)
}

/** glibc's threshold between the heap and a mapping of its own. */
const MMAP_THRESHOLD = 128 * 1024
const MALLOC_HEADER = 16

function opMalloc(state: KernelState, task: Task, length: number): number {
  if (length < MMAP_THRESHOLD) {
    const mm = mmAt(state, task.mm)
    const address = mm.brk
    opBrk(state, task, mm.brk + Math.ceil((length + MALLOC_HEADER) / 16) * 16)
    return task.result === address ? fail(task, 'ENOMEM') : succeed(task, address + MALLOC_HEADER)
  }
  const mm = mmAt(state, task.mm)
  // opDone 0: mapping; 1: glibc writes the block's header into its first page.
  if (task.opDone === 0) {
    charge(state, state.costs.mmapCall)
    const pages = pagesIn(length + PAGE_SIZE)
    const at = findFreeRange(state, mm, pages, true)
    const vma = mmapRegion(state, mm, {
      pages,
      prot: PROT_READ | PROT_WRITE,
      flags: MAP_PRIVATE | MAP_ANONYMOUS,
      ino: 0,
      pgoff: 0,
      at: -1,
      name: '',
    })
    if (typeof vma === 'string') return fail(task, vma)
    task.result = at * PAGE_SIZE + MALLOC_HEADER
    task.errno = ''
    task.heapBlocks[task.result] = pages
  }
  const step = touchRange(state, task, pageOf(task.result), 1, true, state.costs.access, Infinity)
  return step
}

function opFree(state: KernelState, task: Task, address: number): number {
  const pages = task.heapBlocks[address]
  if (pages === undefined) return succeed(task, 0)
  delete task.heapBlocks[address]
  return opMunmap(state, task, address - MALLOC_HEADER, pages * PAGE_SIZE)
}

/** First call: go to sleep. Second call, after waking: done. */
function opSleep(state: KernelState, task: Task, op: OpOf<'sleep'> | OpOf<'pause'> | OpOf<'host'>): number {
  if (task.opDone === 1 && op.op !== 'host') return succeed(task, 0)
  task.opDone = 1
  const until = op.op === 'sleep' ? now(state) + Math.max(0, op.ns) : Infinity
  suspend(state, until, sleepChannel(task, op.op))
  return STEP_BLOCKED
}

/** Where such a task would be waiting on Linux: a shell at its terminal, a service in its event loop. */
function sleepChannel(task: Task, op: 'sleep' | 'pause' | 'host'): string {
  if (op === 'sleep') return 'hrtimer_nanosleep'
  if (op === 'pause') return 'do_pause'
  return /^(?:-?bash|-?sh|init)$/.test(task.comm) ? 'wait_woken' : 'do_epoll_wait'
}

function opCompute(state: KernelState, task: Task, ns: Ns, endNs: Ns): number {
  const left = ns - task.opDone
  const slice = Math.min(left, Math.max(0, endNs - state.exec.ns))
  charge(state, slice)
  task.opDone += slice
  return task.opDone >= ns ? succeed(task, 0) : STEP_MORE
}

function opFork(state: KernelState, task: Task, op: OpOf<'fork'>): number {
  charge(state, state.costs.forkBase)
  const partial = { mm: -1 }
  const copy = copyMm(state, mmAt(state, task.mm), partial)
  if (copy < 0) {
    if (partial.mm >= 0) dropCopy(state, partial.mm)
    return isSuspended(state) ? STEP_BLOCKED : fail(task, 'ENOMEM')
  }
  const child = createTask(state, {
    ppid: task.pid,
    comm: task.comm,
    argv: task.argv,
    program: task.program,
    data: op.child,
    op: undefined,
    isKthread: false,
  })
  child.mm = copy
  child.heapBlocks = { ...task.heapBlocks }
  allocKernelStack(state, child)
  startTask(state, child)
  return succeed(task, child.pid)
}

/** A fork that failed half-way leaves nothing behind. */
function dropCopy(state: KernelState, mmIndex: number): void {
  const mm = mmAt(state, mmIndex)
  if (mm.pgd >= 0) unmapRange(state, mm, 0, Number.MAX_SAFE_INTEGER)
  let promised = 0
  for (const vma of mm.vmas) if (vma.flags & VM_ACCOUNT) promised += vma.end - vma.start
  vmUnacctMemory(state, promised)
  mm.users = 0
}

function opWait(state: KernelState, task: Task, pid: number): number {
  if (pid === -1) return opWaitAny(state, task)
  const zombie = state.tasks[pid]
  if (zombie === undefined || zombie.ppid !== task.pid) return fail(task, 'ECHILD')
  if (zombie.state === 'Z') {
    reapZombie(state, task, zombie)
    return succeed(task, zombie.exitStatus)
  }
  suspend(state, Infinity, 'do_wait')
  return STEP_BLOCKED
}

/** Result: pid * 256 + status. */
function opWaitAny(state: KernelState, task: Task): number {
  const pid = task.zombies[0]
  if (pid !== undefined) {
    const zombie = state.tasks[pid]!
    reapZombie(state, task, zombie)
    return succeed(task, pid * 256 + zombie.exitStatus)
  }
  if (!state.taskList.some((child) => state.tasks[child]!.ppid === task.pid)) return fail(task, 'ECHILD')
  suspend(state, Infinity, 'do_wait')
  return STEP_BLOCKED
}

function opExec(state: KernelState, task: Task, op: OpOf<'exec'>, endNs: Ns): number {
  const isSubshell = op.program === 'subshell'
  const step = isSubshell ? stepFork(state, task, shellImage(state.config), endNs) : stepExec(state, task, op, endNs)
  if (step === STEP_KILLED && task.killSignal === 0) task.killSignal = SIGKILL
  return step
}
