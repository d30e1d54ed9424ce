/**
 * fork + exec as pages: the child first runs in a copy of its parent's image, then in the new one, and touches the
 * pages that such a program touches. So start-up faults, RSS and table sizes are real.
 * @kernel  fs/exec.c, fs/binfmt_elf.c
 * @spec    11 §0
 */
import { PAGE_SIZE, type Pages, type Vpn } from '../util/units'
import { lookup } from './fs/vfs'
import { allocKernelStack } from './kernel_stack'
import { exitMm } from './lifecycle'
import { VM_ACCOUNT, VM_EXEC, VM_GROWSDOWN, VM_READ, VM_WRITE, type Mm } from './mm/mm_types'
import { allocPgd } from './mm/pgtable'
import { mmAt, mmOf } from './mm/rss'
import { STACK_TOP_VPN, VDSO_VPN, createMm, insertVma, vmEnoughMemory } from './mm/vma'
import { PROGRAM_START_NS } from './costs'
import { charge } from './exec'
import type { KernelState } from './state'
import { STEP_BLOCKED, STEP_DONE, STEP_KILLED, STEP_MORE, touchPage } from './touch'
import type { Op, ProgramImage, Task } from './task'
import { emit } from './trace'

const TEXT_VPN: Vpn = 0x400
/** Heap: its own 2 MiB range, so that it has its own page table as a randomised heap has. */
const HEAP_VPN: Vpn = 0x1000
const STACK_PAGES: Pages = 33
const VDSO_PAGES: Pages = 2
const VVAR_PAGES: Pages = 4
/** Pages of a forked shell that its child touches before exec: text windows read, own pages written. */
const FORK_TEXT_FAULTS = 10
const FORK_ANON_PAGES = 12
const WINDOW = 16

/** Mappings of an image; pages are not touched yet. */
function mapImage(state: KernelState, mm: Mm, image: ProgramImage): void {
  const inode = lookup(state, image.path)
  const ino = typeof inode === 'string' ? 0 : inode.ino
  if (typeof inode !== 'string') inode.users++
  const none = { hasAnon: false, incompressible: false }
  const fixed = STACK_PAGES + VDSO_PAGES + VVAR_PAGES + image.textPages
  const dataPages = Math.max(8, image.totalVm - fixed)
  const heapPages = Math.floor(dataPages / 2)
  const text = { start: TEXT_VPN, end: TEXT_VPN + image.textPages, ino, pgoff: 0, name: image.path, ...none }
  insertVma(mm, { ...text, flags: VM_READ | VM_EXEC })
  const bssStart = TEXT_VPN + image.textPages
  const anonFlags = VM_READ | VM_WRITE | VM_ACCOUNT
  insertVma(mm, {
    start: bssStart,
    end: bssStart + dataPages - heapPages,
    flags: anonFlags,
    ino: 0,
    pgoff: 0,
    name: '',
    ...none,
  })
  const heapStart = Math.max(HEAP_VPN, Math.ceil((bssStart + dataPages) / 512 + 1) * 512)
  insertVma(mm, {
    start: heapStart,
    end: heapStart + heapPages,
    flags: anonFlags,
    ino: 0,
    pgoff: 0,
    name: '[heap]',
    ...none,
  })
  insertVma(mm, {
    start: VDSO_VPN - VVAR_PAGES,
    end: VDSO_VPN,
    flags: VM_READ,
    ino: 0,
    pgoff: 0,
    name: '[vvar]',
    ...none,
  })
  insertVma(mm, {
    start: VDSO_VPN,
    end: VDSO_VPN + VDSO_PAGES,
    flags: VM_READ | VM_EXEC,
    ino: state.vdsoIno,
    pgoff: 0,
    name: '[vdso]',
    ...none,
  })
  insertVma(mm, {
    start: STACK_TOP_VPN - STACK_PAGES,
    end: STACK_TOP_VPN,
    flags: anonFlags | VM_GROWSDOWN,
    ino: 0,
    pgoff: 0,
    name: '[stack]',
    ...none,
  })
  mm.startBrk = heapStart * PAGE_SIZE
  mm.brk = (heapStart + heapPages) * PAGE_SIZE
  vmEnoughMemory(state, undefined, dataPages + STACK_PAGES)
}

interface Touch {
  readonly vpn: Vpn
  readonly isWrite: boolean
}

/** The n-th access of an image's start: text windows, then data, heap, stack, then the vdso. */
function imageTouch(
  state: KernelState,
  mm: Mm,
  image: ProgramImage,
  textFaults: number,
  anonPages: Pages,
  withVdso: boolean,
  n: number,
): Touch | undefined {
  if (n < textFaults) {
    // The entry code lies at the end of the image; then the rest is used from the start.
    if (n === 0) return { vpn: TEXT_VPN + image.textPages - 1, isWrite: false }
    return { vpn: TEXT_VPN + Math.min((n - 1) * WINDOW, image.textPages - 1), isWrite: false }
  }
  let i = n - textFaults
  if (i < anonPages) {
    const stack = Math.min(3, anonPages)
    if (i < stack) return { vpn: STACK_TOP_VPN - 1 - i, isWrite: true }
    i -= stack
    const heap = mm.vmas.find((v) => v.name === '[heap]')
    const data = TEXT_VPN + image.textPages
    const half = Math.ceil((anonPages - stack) / 2)
    if (i < half || heap === undefined) return { vpn: data + i, isWrite: true }
    return { vpn: heap.start + (i - half), isWrite: true }
  }
  if (i === anonPages && withVdso && state.config.series !== '6.1') return { vpn: VDSO_VPN, isWrite: false }
  return undefined
}

/** Gives the task a fresh address space with this image. @returns whether the top table could be had */
function newImage(state: KernelState, task: Task, image: ProgramImage): boolean {
  const index = createMm(state)
  if (!allocPgd(state, index)) {
    mmAt(state, index).users = 0
    return false
  }
  task.mm = index
  mapImage(state, mmAt(state, index), image)
  return true
}

type ExecOp = Extract<Op, { op: 'exec' }>

/**
 * Goes on with fork + exec. Progress: 0 = no address space yet; then accesses of the forked image, of the new image.
 * @returns STEP_*; STEP_DONE = the program may start
 */
export function stepExec(state: KernelState, task: Task, op: ExecOp, endNs: number): number {
  if (task.opDone === 0) {
    if (!allocKernelStack(state, task)) return state.exec.suspendUntilNs >= 0 ? STEP_BLOCKED : STEP_KILLED
    if (!newImage(state, task, op.forked)) return state.exec.suspendUntilNs >= 0 ? STEP_BLOCKED : STEP_KILLED
    task.opDone = 1
    charge(state, state.costs.forkBase)
  }
  const forkSteps = FORK_TEXT_FAULTS + FORK_ANON_PAGES
  while (task.opDone <= forkSteps) {
    const mm = mmOf(state, task)!
    const touch = imageTouch(state, mm, op.forked, FORK_TEXT_FAULTS, FORK_ANON_PAGES, false, task.opDone - 1)
    const step = touch === undefined ? STEP_DONE : touchPage(state, task, mm, touch.vpn, touch.isWrite)
    if (step !== STEP_DONE) return step
    task.opDone++
    if (state.exec.ns >= endNs) return STEP_MORE
  }
  if (task.opDone === forkSteps + 1) {
    exitMm(state, task)
    task.opDone++
    charge(state, state.costs.execBase)
  }
  if (task.opDone === forkSteps + 2) {
    if (!newImage(state, task, op.image)) return state.exec.suspendUntilNs >= 0 ? STEP_BLOCKED : STEP_KILLED
    task.opDone++
    task.argv = op.argv
    task.comm = (op.argv[0] ?? '').split('/').pop()!.slice(0, 15)
    emit(state, 'sched_process_exec', [task.pid], task.comm)
  }
  return touchNewImage(state, task, op, forkSteps + 3, endNs)
}

function touchNewImage(state: KernelState, task: Task, op: ExecOp, firstStep: number, endNs: number): number {
  const textFaults = Math.ceil(op.image.textPages / WINDOW)
  for (;;) {
    const mm = mmOf(state, task)!
    const touch = imageTouch(state, mm, op.image, textFaults, op.image.anonPages, true, task.opDone - firstStep)
    if (touch === undefined) {
      charge(state, PROGRAM_START_NS)
      return STEP_DONE
    }
    const step = touchPage(state, task, mm, touch.vpn, touch.isWrite)
    if (step !== STEP_DONE) return step
    task.opDone++
    if (state.exec.ns >= endNs) return STEP_MORE
  }
}

/** A subshell: the parent's image again, without exec. */
export function stepFork(state: KernelState, task: Task, image: ProgramImage, endNs: number): number {
  if (task.opDone === 0) {
    if (!allocKernelStack(state, task)) return state.exec.suspendUntilNs >= 0 ? STEP_BLOCKED : STEP_KILLED
    if (!newImage(state, task, image)) return state.exec.suspendUntilNs >= 0 ? STEP_BLOCKED : STEP_KILLED
    task.opDone = 1
    charge(state, state.costs.forkBase)
  }
  // It goes on as a shell: all of its text and its own data.
  const textFaults = Math.ceil(image.textPages / WINDOW)
  for (;;) {
    const mm = mmOf(state, task)!
    const touch = imageTouch(state, mm, image, textFaults, FORK_ANON_PAGES, true, task.opDone - 1)
    if (touch === undefined) return STEP_DONE
    const step = touchPage(state, task, mm, touch.vpn, touch.isWrite)
    if (step !== STEP_DONE) return step
    task.opDone++
    if (state.exec.ns >= endNs) return STEP_MORE
  }
}
