/**
 * Memory accesses of programs: the hot loop. One access a page; present pages only set their bits, the others fault.
 * @kernel  arch/x86/mm/fault.c do_user_addr_fault()
 * @spec    04 §4.1, §4.5
 */
import { NS_PER_US, PAGE_SIZE, type Ns, type Vpn } from '../util/units'
import { charge, isSuspended, now, suspend } from './exec'
import { endDirectCompaction } from './mm/compaction_direct'
import {
  BUS_ADRERR,
  PF_PROT,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SIGBUS,
  SIGSEGV,
  accessBits,
  accessedAddress,
  forceSigFault,
} from './fault_signal'
import { endDirectReclaim } from './mm/direct_reclaim'
import { anonRun, type AccessSpan } from './mm/anon_run'
import { accessHugePmd } from './mm/huge_memory'
import { findHugePmd } from './mm/huge_pmd'
import { handleOverHigh } from './mm/memcontrol'
import {
  FAULT_MAJOR,
  FAULT_MINOR,
  FAULT_OOM,
  FAULT_RETRY,
  FAULT_SIGBUS,
  handleFaultAbovePte,
  handleMmFault,
} from './mm/memory'
import { VM_EXEC, VM_WRITE, type Mm, type Vma } from './mm/mm_types'
import { PTE_ACCESSED, PTE_DIRTY, PTE_PRESENT, PTE_WRITE, findPteSlot, pteAt, setPte } from './mm/pgtable'
import { mmOf } from './mm/rss'
import { expandStack, isAccessible } from './mm/mmap'
import { switchMm } from './mm/tlb_flush'
import { beginPass, breakPass, endPass, followPass, leavePass } from './mm/tlb_pass'
import { DATA_4K, type CpuTlb } from './mm/tlb_state'
import { findVma } from './mm/vma_find'
import { chargeRemote, endBeforeRemote } from './remote_access'
import type { KernelState } from './state'
import type { Task } from './task'
import { emit, isWanted, TRACE_PAGE_FAULT } from './trace'
import { countAccesses, refill, translate, translateHuge } from './translate'

export const STEP_DONE = 0
/** The time slice is used up; go on with the same operation. */
export const STEP_MORE = 1
/** The operation waits (exec.suspendUntilNs). */
export const STEP_BLOCKED = 2
/** A deadly signal is pending. */
export const STEP_KILLED = 3

/** Its address space is gone already. */
export function noMemoryMap(task: Task): number {
  if (task.killSignal === 0) task.killSignal = SIGSEGV
  return STEP_KILLED
}

/** Sleeps off what the fault charged beyond memory.high. @kernel resume_user_mode_work() */
export function returnToUser(state: KernelState, task: Task): void {
  if (task.overHigh === 0) return
  const ns = handleOverHigh(state, task)
  if (ns > 0) suspend(state, now(state) + ns, 'mem_cgroup_handle_over_high')
}

/** @returns whether the mapping allows the access. @kernel access_error() */
const isAllowed = (vma: Vma, isWrite: boolean): boolean => (isWrite ? (vma.flags & VM_WRITE) !== 0 : isAccessible(vma))

/**
 * One faulting access. STEP_DONE = the page is there now (and exec may be suspended by memory.high).
 * @param vma       mapping that contains the page, if any
 * @param lookedUp  slot of the page's PTE, −1 = some table is missing
 * @kernel  do_user_addr_fault()
 */
export function faultAt(
  state: KernelState,
  task: Task,
  mm: Mm,
  found: Vma | undefined,
  vpn: Vpn,
  lookedUp: number,
  isWrite: boolean,
): number {
  const vma = found ?? expandStack(state, mm, vpn)
  if (vma === undefined || !isAllowed(vma, isWrite)) return badArea(state, task, vma, vpn, lookedUp, isWrite)
  if (isWanted(TRACE_PAGE_FAULT)) emit(state, 'page_fault_user', [vpn * PAGE_SIZE, (isWrite ? 2 : 0) | 4])
  // Page numbers stop here: they do not fit a small integer, and passing one on costs an allocation.
  const outcome =
    lookedUp < 0
      ? handleFaultAbovePte(state, task, mm, vma, vpn, isWrite)
      : handleMmFault(state, task, mm, vma, lookedUp, isWrite)
  // The fault may have been resolved without the page that reclaim or compaction was for.
  if (outcome !== FAULT_RETRY) {
    if (state.reclaim.direct.length !== 0) endDirectReclaim(state, task.pid)
    if (state.compaction.direct.length !== 0) endDirectCompaction(state, task.pid)
  }
  if (outcome !== FAULT_MINOR && outcome !== FAULT_MAJOR) return faultFailed(state, task, outcome, vpn, isWrite)
  if (task.overHigh !== 0) returnToUser(state, task)
  return STEP_DONE
}

/** @kernel bad_area(), bad_area_access_error() */
function badArea(
  state: KernelState,
  task: Task,
  vma: Vma | undefined,
  vpn: Vpn,
  slot: number,
  isWrite: boolean,
): number {
  const isThere = slot >= 0 && (pteAt(state.pgtables, slot) & PTE_PRESENT) !== 0
  const error = accessBits(task, isWrite) | (isThere ? PF_PROT : 0)
  const code = vma === undefined ? SEGV_MAPERR : SEGV_ACCERR
  forceSigFault(state, task, { signo: SIGSEGV, code, address: accessedAddress(task, vpn), error })
  return STEP_KILLED
}

function faultFailed(state: KernelState, task: Task, outcome: number, vpn: Vpn, isWrite: boolean): number {
  switch (outcome) {
    case FAULT_RETRY:
      return task.killSignal !== 0 ? STEP_KILLED : STEP_BLOCKED
    case FAULT_SIGBUS:
      forceSigFault(state, task, {
        signo: SIGBUS,
        code: BUS_ADRERR,
        address: accessedAddress(task, vpn),
        error: accessBits(task, isWrite),
      })
      return STEP_KILLED
    case FAULT_OOM:
    default:
      // The handler gives up; the access is simply made again (pagefault_out_of_memory), unless the task was killed.
      charge(state, NS_PER_US)
      return task.killSignal !== 0 ? STEP_KILLED : STEP_MORE
  }
}

/**
 * Accesses pages [first + opDone, first + count) until the slice ends.
 * @param endNs  value of exec.ns at which the slice ends
 */
export function touchRange(
  state: KernelState,
  task: Task,
  first: Vpn,
  count: number,
  isWrite: boolean,
  perPageNs: Ns,
  endNs: Ns,
): number {
  const mm = mmOf(state, task)
  if (mm === undefined) return noMemoryMap(task)
  const from = task.opDone
  const c = switchMm(state, mm.id)
  const isNuma = state.nodes.length > 1
  const pieceEnd = isNuma ? endBeforeRemote(state, task, perPageNs, endNs) : endNs
  const span: AccessSpan = { first, count, pages: undefined, perPageNs, endNs: pieceEnd }
  let step = STEP_MORE
  if (beginPass(state, mm, c, first, count, from)) {
    task.opDone = followPass(state, mm, c, span, isWrite)
    if (task.opDone === count) step = STEP_DONE
  }
  if (step !== STEP_DONE && state.exec.ns < pieceEnd) {
    step = touchPages(state, task, mm, c, span, isWrite)
    if (step === STEP_DONE) endPass(c)
    else leavePass(c, task.opDone)
  }
  countAccesses(state, task.opDone - from, isWrite)
  if (isNuma) chargeRemote(state, task, mm, first + from, first + task.opDone)
  return step
}

function touchPages(state: KernelState, task: Task, mm: Mm, c: CpuTlb, span: AccessSpan, isWrite: boolean): number {
  const { first, count, perPageNs, endNs } = span
  const t = state.pgtables
  const exec = state.exec
  const needed = isWrite ? PTE_PRESENT | PTE_WRITE : PTE_PRESENT
  const bits = isWrite ? PTE_ACCESSED | PTE_DIRTY : PTE_ACCESSED
  let done = task.opDone
  let slot = -1
  let vma: Vma | undefined
  while (done < count) {
    if (exec.ns >= endNs) return suspendAt(task, done, STEP_MORE)
    const vpn = first + done
    if (slot < 0 || (slot & 511) === 511) slot = findPteSlot(state, mm, vpn)
    else slot++
    if (slot < 0 && mm.hugePmds > 0) {
      const inHuge = Math.min(accessHugePmd(state, mm, vpn, isWrite), count - done)
      if (inHuge > 0) {
        translateHuge(state, c, findHugePmd(state, mm, vpn), isWrite)
        // The walk may have used up the slice: the access is made all the same.
        const inSlice = perPageNs > 0 ? Math.max(1, Math.ceil((endNs - exec.ns) / perPageNs)) : inHuge
        const pages = Math.min(inHuge, inSlice)
        exec.ns += pages * perPageNs
        done += pages
        continue
      }
    }
    const pte = slot < 0 ? 0 : t.entries[slot]!
    if ((pte & needed) !== needed) {
      breakPass(state.tlb, c, state.pgtables)
      if (vma === undefined || vpn < vma.start || vpn >= vma.end) vma = findVma(mm, vpn)
      if (pte === 0 && slot >= 0 && isWrite && vma !== undefined) {
        const faults = anonRun(state, task, mm, vma, c, slot, span, done)
        if (faults > 0) {
          done += faults
          slot = -1
          continue
        }
      }
      const step = faultAt(state, task, mm, vma, vpn, slot, isWrite)
      if (step !== STEP_DONE) return suspendAt(task, done, step)
      if (slot < 0) slot = findPteSlot(state, mm, vpn)
      refill(state, c, slot, slot < 0 ? findHugePmd(state, mm, vpn) : -1, isWrite)
    } else {
      if ((pte & bits) !== bits) t.entries[slot] = pte | bits
      translate(state, c, slot, isWrite, DATA_4K)
    }
    exec.ns += perPageNs
    done++
    if (isSuspended(state)) return suspendAt(task, done, STEP_BLOCKED)
  }
  task.opDone = done
  return STEP_DONE
}

function suspendAt(task: Task, done: number, step: number): number {
  task.opDone = done
  return step
}

/** One access. */
export function touchPage(state: KernelState, task: Task, mm: Mm, vpn: Vpn, isWrite: boolean): number {
  const step = reachPage(state, task, mm, switchMm(state, mm.id), vpn, isWrite)
  if (step === STEP_DONE) countAccesses(state, 1, isWrite)
  return step
}

/**
 * The same without counting it.
 * @param c  the CPU's translation caches, with this address space loaded
 */
export function reachPage(state: KernelState, task: Task, mm: Mm, c: CpuTlb, vpn: Vpn, isWrite: boolean): number {
  breakPass(state.tlb, c, state.pgtables)
  const slot = findPteSlot(state, mm, vpn)
  if (slot < 0 && accessHugePmd(state, mm, vpn, isWrite) > 0) {
    translateHuge(state, c, findHugePmd(state, mm, vpn), isWrite)
    return STEP_DONE
  }
  const pte = slot < 0 ? 0 : pteAt(state.pgtables, slot)
  const needed = isWrite ? PTE_PRESENT | PTE_WRITE : PTE_PRESENT
  if ((pte & needed) !== needed) {
    const step = faultAt(state, task, mm, findVma(mm, vpn), vpn, slot, isWrite)
    if (step !== STEP_DONE) return step
    const now4K = slot < 0 ? findPteSlot(state, mm, vpn) : slot
    refill(state, c, now4K, now4K < 0 ? findHugePmd(state, mm, vpn) : -1, isWrite)
  } else {
    setPte(state.pgtables, slot, pte | PTE_ACCESSED | (isWrite ? PTE_DIRTY : 0))
    translate(state, c, slot, isWrite, DATA_4K)
  }
  return STEP_DONE
}

/** The kernel itself made the access: it gets an error, nobody a signal. */
export function forgetSignal(task: Task): void {
  task.killSignal = 0
  delete task.siginfo
}

/**
 * One instruction fetch. A page that is not there is brought in whatever the mapping says; only then the hardware finds
 * that nothing may be executed there.
 * @kernel  access_error(): an access to a page that is not present is judged by PROT_NONE alone
 */
export function fetchPage(state: KernelState, task: Task, mm: Mm, vpn: Vpn): number {
  const step = touchPage(state, task, mm, vpn, false)
  if (step !== STEP_DONE || isSuspended(state)) return step
  const vma = findVma(mm, vpn)
  if (vma === undefined || (vma.flags & VM_EXEC) !== 0) return STEP_DONE
  return badArea(state, task, vma, vpn, findPteSlot(state, mm, vpn), false)
}
