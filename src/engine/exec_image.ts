/**
 * fork + exec as pages: the child first runs in a copy of its parent's image, then in the new one, and touches the
 * pages that such a program touches. So start-up faults, RSS and table sizes are real.
 * @kernel  fs/exec.c, fs/binfmt_elf.c
 * @spec    11 §0
 */
import { PAGE_SIZE, type Pages, type Vpn } from '../util/units'
import { taskMemcg } from './cgroup'
import { PROGRAM_START_NS } from './costs'
import { charge, isSuspended } from './exec'
import { lookup } from './fs/vfs'
import type { Inode } from './fs_types'
import { allocKernelStack } from './kernel_stack'
import { exitMm } from './lifecycle'
import { unmapAll } from './mappings'
import { inodeAt } from './mm/filemap'
import {
  VM_ACCOUNT,
  VM_DONTDUMP,
  VM_DONTEXPAND,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_IO,
  VM_MAYREAD,
  VM_MAY_ALL,
  VM_PFNMAP,
  VM_READ,
  VM_WRITE,
  type Mm,
  type Vma,
} from './mm/mm_types'
import { vmEnoughMemory, vmUnacctMemory } from './mm/overcommit'
import { allocPgd } from './mm/pgtable'
import { mmAt, mmOf } from './mm/rss'
import { pickMmapLayout } from './mm/unmapped_area'
import { STACK_TOP_VPN, VDSO_VPN, createMm, insertVma } from './mm/vma'
import type { KernelState } from './state'
import type { Op, ProgramImage, Task } from './task'
import { STEP_BLOCKED, STEP_DONE, STEP_KILLED, STEP_MORE, touchPage } from './touch'
import { emit } from './trace'

const TEXT_VPN: Vpn = 0x400
/** Heap: its own 2 MiB range, so that it has its own page table as a randomised heap has. */
const HEAP_VPN: Vpn = 0x1000
const STACK_PAGES: Pages = 33
const VDSO_PAGES: Pages = 2
const VVAR_PAGES: Pages = 4
const VVAR_FLAGS = VM_READ | VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_DONTDUMP
/** Pages of a forked shell that its child touches before exec: text windows read, own pages written. */
const FORK_TEXT_FAULTS = 10
const FORK_ANON_PAGES = 12
const WINDOW = 16

/**
 * Mappings of an image; pages are not touched yet.
 * @returns whether its memory was promised and its mappings were made; those that were are the caller's to undo
 */
function mapImage(state: KernelState, mm: Mm, image: ProgramImage): boolean {
  const fixed = STACK_PAGES + VDSO_PAGES + VVAR_PAGES + image.textPages
  const dataPages = Math.max(8, image.totalVm - fixed)
  if (!vmEnoughMemory(state, undefined, dataPages + STACK_PAGES)) return false
  let isComplete = true
  const map = (start: Vpn, pages: Pages, flags: number, name: string, inode?: Inode): void => {
    const rest = { pgoff: inode === undefined ? start : 0, name, anonVma: 0, incompressible: false }
    const may = flags & VM_PFNMAP ? VM_MAYREAD : VM_MAY_ALL
    const vma: Vma = { start, end: start + pages, flags: flags | may, ino: inode?.ino ?? 0, ...rest }
    if (!isComplete || insertVma(state, mm, vma) === undefined) {
      isComplete = false
      if ((flags & VM_ACCOUNT) !== 0) vmUnacctMemory(state, pages)
    } else if (inode !== undefined) inode.users++
  }
  const file = lookup(state, image.path)
  const heapPages = Math.floor(dataPages / 2)
  const bssStart = TEXT_VPN + image.textPages
  const heapStart = Math.max(HEAP_VPN, Math.ceil((bssStart + dataPages) / 512 + 1) * 512)
  const anonFlags = VM_READ | VM_WRITE | VM_ACCOUNT
  map(TEXT_VPN, image.textPages, VM_READ | VM_EXEC, image.path, typeof file === 'string' ? undefined : file)
  map(bssStart, dataPages - heapPages, anonFlags, '')
  map(heapStart, heapPages, anonFlags, '[heap]')
  map(VDSO_VPN - VVAR_PAGES, VVAR_PAGES, VVAR_FLAGS, '[vvar]')
  map(VDSO_VPN, VDSO_PAGES, VM_READ | VM_EXEC | VM_DONTEXPAND, '[vdso]', inodeAt(state, state.vdsoIno))
  map(STACK_TOP_VPN - STACK_PAGES, STACK_PAGES, anonFlags | VM_GROWSDOWN, '[stack]')
  mm.startBrk = heapStart * PAGE_SIZE
  mm.brk = (heapStart + heapPages) * PAGE_SIZE
  return isComplete
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

/** Gives the task a fresh address space with this image. @returns whether there was memory for it */
function newImage(state: KernelState, task: Task, image: ProgramImage): boolean {
  const index = createMm(state)
  const mm = mmAt(state, index)
  pickMmapLayout(state, mm)
  if (mm.object === 0 || !allocPgd(state, index) || !mapImage(state, mm, image)) {
    unmapAll(state, mm)
    mm.users = 0
    return false
  }
  task.mm = index
  return true
}

/** The first step of a new task: its kernel stack and an address space. @returns STEP_DONE, or why not */
function beginImage(state: KernelState, task: Task, image: ProgramImage): number {
  const isReady = allocKernelStack(state, taskMemcg(state, task), task.stackPfns) && newImage(state, task, image)
  if (!isReady) return isSuspended(state) ? STEP_BLOCKED : STEP_KILLED
  task.opDone = 1
  charge(state, state.costs.forkBase)
  return STEP_DONE
}

interface ImagePart {
  readonly image: ProgramImage
  readonly textFaults: number
  readonly anonPages: Pages
  readonly withVdso: boolean
  /** Value of opDone at its first access. */
  readonly firstStep: number
}

/** Makes the accesses of an image from opDone on. @returns STEP_DONE when all are made */
function touchImage(state: KernelState, task: Task, part: ImagePart, endNs: number): number {
  const { image, textFaults, anonPages, withVdso, firstStep } = part
  for (;;) {
    const mm = mmOf(state, task)!
    const touch = imageTouch(state, mm, image, textFaults, anonPages, withVdso, task.opDone - firstStep)
    if (touch === undefined) return STEP_DONE
    const step = touchPage(state, task, mm, touch.vpn, touch.isWrite)
    if (step !== STEP_DONE) return step
    task.opDone++
    if (isSuspended(state)) return STEP_BLOCKED
    if (state.exec.ns >= endNs) return STEP_MORE
  }
}

type ExecOp = Extract<Op, { op: 'exec' }>

/**
 * Goes on with fork + exec. Progress: 0 = no address space yet; then accesses of the forked image, of the new image.
 * @returns STEP_*; STEP_DONE = the program may start
 */
export function stepExec(state: KernelState, task: Task, op: ExecOp, endNs: number): number {
  if (task.opDone === 0) {
    const step = beginImage(state, task, op.forked)
    if (step !== STEP_DONE) return step
  }
  const forkSteps = FORK_TEXT_FAULTS + FORK_ANON_PAGES
  if (task.opDone <= forkSteps) {
    const part = {
      image: op.forked,
      textFaults: FORK_TEXT_FAULTS,
      anonPages: FORK_ANON_PAGES,
      withVdso: false,
      firstStep: 1,
    }
    const step = touchImage(state, task, part, endNs)
    if (step !== STEP_DONE) return step
  }
  if (task.opDone === forkSteps + 1) {
    exitMm(state, task)
    task.opDone++
    charge(state, state.costs.execBase)
  }
  if (task.opDone === forkSteps + 2) {
    if (!newImage(state, task, op.image)) return isSuspended(state) ? STEP_BLOCKED : STEP_KILLED
    task.opDone++
    task.argv = op.argv
    task.comm = (op.argv[0] ?? '').split('/').pop()!.slice(0, 15)
    emit(state, 'sched_process_exec', [task.pid], task.comm)
  }
  const part = wholeImage(op.image, op.image.anonPages, forkSteps + 3)
  const step = touchImage(state, task, part, endNs)
  if (step === STEP_DONE) charge(state, PROGRAM_START_NS)
  return step
}

const wholeImage = (image: ProgramImage, anonPages: Pages, firstStep: number): ImagePart => ({
  image,
  textFaults: Math.ceil(image.textPages / WINDOW),
  anonPages,
  withVdso: true,
  firstStep,
})

/** Value of opDone at which an exec that needs no fork begins: its task has an address space to give up. */
export const EXEC_WITHOUT_FORK = FORK_TEXT_FAULTS + FORK_ANON_PAGES + 1

/** A subshell: the parent's image again, without exec. It goes on as a shell: all of its text and its own data. */
export function stepFork(state: KernelState, task: Task, image: ProgramImage, endNs: number): number {
  if (task.opDone === 0) {
    const step = beginImage(state, task, image)
    if (step !== STEP_DONE) return step
  }
  return touchImage(state, task, wholeImage(image, FORK_ANON_PAGES, 1), endNs)
}
