/**
 * What an access would do, without doing it: the decisions of the fault handler in the order in which it makes them, and
 * what would be charged. Reads only; nothing here may be used by a mechanism. The handler itself is memory.ts and
 * file_fault.ts; a test compares the two access by access.
 * @kernel  arch/x86/mm/fault.c do_user_addr_fault(), mm/memory.c handle_pte_fault()
 * @spec    04 §4.5
 */
import { PAGE_SIZE, type Ns, type Pages, type Vpn } from '../../util/units'
import {
  BUS_ADRERR,
  PF_INSTR,
  PF_PROT,
  PF_USER,
  PF_WRITE,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SIGBUS,
  SIGSEGV,
  SI_KERNEL,
  addressHalf,
} from '../fault_signal'
import type { KernelState } from '../state'
import type { SigInfo, Task, TouchMode } from '../task'
import { predictHuge } from './fault_predict_huge'
import { predictHugetlb } from './fault_predict_hugetlb'
import { predictPte, type FillKind, type PtePrediction } from './fault_predict_pte'
import { findHugePmd } from './huge_pmd'
import { VM_EXEC, VM_WRITE, type Mm, type Vma } from './mm_types'
import { isAccessible, stackGrowth } from './mmap'
import { ENTRIES_PER_TABLE, PTE_PRESENT, childTable, entryIndex, pteAt, tableLevel } from './pgtable'
import { mmAt } from './rss'
import { taskSize } from './vma'
import { findVma, findVmaIndex } from './vma_find'

/** Where in the handler a decision is made. */
export type FaultStage = 'address' | 'tables' | 'vma' | 'stack' | 'access' | 'entry' | 'fill' | 'map' | 'signal'

export interface FaultDecision {
  readonly stage: FaultStage
  /** Kernel function that decides; the hardware when it begins with 'CPU'. */
  readonly by: string
  /** What it finds, as a sentence. */
  readonly text: string
}

export type FaultOutcome = 'none' | 'minor' | 'major' | 'SIGSEGV' | 'SIGBUS'

/** What an access would do. */
export interface FaultPrediction {
  readonly outcome: FaultOutcome
  readonly fill: FillKind
  readonly decisions: readonly FaultDecision[]
  /** Error code that the hardware would push; −1 = no page fault. */
  readonly error: number
  readonly siginfo: SigInfo | undefined
  /** Page tables that would be made, and frames taken for the page itself. */
  readonly tables: Pages
  readonly frames: Pages
  /** Changes of [file, anon, shmem, swap] pages of the process. */
  readonly rss: readonly [number, number, number, number]
  /** Of the handler's own steps; waiting for a device not included. */
  readonly costNs: Ns
}

const ACCESS_BITS: Readonly<Record<TouchMode, number>> = { read: 0, write: PF_WRITE, exec: PF_INSTR }
const VERBS: Readonly<Record<TouchMode, string>> = { read: 'read', write: 'write', exec: 'fetch' }
const NOTHING: PtePrediction = { fill: 'none', isMajor: false, frames: 0, rss: [0, 0, 0, 0], costNs: 0, texts: [] }

interface Walk {
  readonly pte: number
  /** Tables that are missing on the way. */
  readonly missing: Pages
}

/** As the hardware does it. */
function walk(state: KernelState, mm: Mm, vpn: Vpn): Walk {
  const t = state.pgtables
  let table = mm.pgd
  for (let level = tableLevel(t, table); level > 1; level--) {
    const child = childTable(t, table, entryIndex(vpn, level))
    if (child < 0) {
      // The lower bits of a huge page's entry are those of a PTE.
      const huge = findHugePmd(state, mm, vpn)
      return huge >= 0 ? { pte: pteAt(t, huge), missing: 0 } : { pte: 0, missing: level - 1 }
    }
    table = child
  }
  return { pte: pteAt(t, table * ENTRIES_PER_TABLE + entryIndex(vpn, 1)), missing: 0 }
}

/**
 * Predicts one access of a process.
 * @param address  bytes; any 64 bits, exact up to 2^53 and at multiples of 4 KiB above
 * @kernel  do_user_addr_fault(), handle_mm_fault()
 * @simplifies  says nothing of what a lack of memory would do: reclaim, a limit of a group, the OOM killer
 */
export function predictFault(state: KernelState, task: Task, address: number, mode: TouchMode): FaultPrediction {
  const decisions: FaultDecision[] = []
  const say = (stage: FaultStage, by: string, text: string): void => void decisions.push({ stage, by, text })
  const vpn = Math.floor(address / PAGE_SIZE)
  const bits = ACCESS_BITS[mode] | PF_USER
  const killed = (signo: number, code: number, error: number, at = address): FaultPrediction => {
    const name = signo === SIGBUS ? 'SIGBUS' : 'SIGSEGV'
    say('signal', 'force_sig_fault', `${name} with ${codeName(signo, code)} at 0x${at.toString(16)}`)
    const siginfo = { signo, code, address: at, error: Math.max(0, error) }
    return { ...NONE, outcome: name, decisions, error, siginfo }
  }
  if (addressHalf(state, address) === 'hole') {
    say('address', 'CPU', 'not a canonical address: a general protection fault, and no table is looked at')
    return killed(SIGSEGV, SI_KERNEL, -1, 0)
  }
  if (vpn >= taskSize(state)) {
    say('address', 'CPU', 'behind the end of user space: user mode may not')
    return killed(SIGSEGV, SEGV_MAPERR, bits | PF_PROT)
  }
  const mm = mmAt(state, task.mm)
  const { pte, missing } = walk(state, mm, vpn)
  const vma = findVma(mm, vpn)
  const isThere = (pte & PTE_PRESENT) !== 0
  const entryAllows = isThere && (mode !== 'write' || (pte & 2) !== 0)
  if (entryAllows && (mode !== 'exec' || (vma !== undefined && (vma.flags & VM_EXEC) !== 0))) {
    say('tables', 'CPU', `the entry is there and allows the ${VERBS[mode]}: no fault`)
    return { ...NONE, outcome: 'none', decisions, error: -1, siginfo: undefined }
  }
  const error = bits | (isThere ? PF_PROT : 0)
  say('tables', 'CPU', missingText(missing, pte, isThere, mode))
  const target = vma ?? growingStack(state, mm, vpn, say)
  if (target === undefined) return killed(SIGSEGV, SEGV_MAPERR, error)
  if (vma !== undefined) say('vma', 'find_vma', `${nameOf(vma)} contains it`)
  const refusal = accessError(target, mode, isThere)
  if (refusal !== undefined) {
    say('access', 'access_error', refusal)
    return killed(SIGSEGV, SEGV_ACCERR, error)
  }
  say('access', 'access_error', `the mapping allows the ${VERBS[mode]}`)
  const tables = Math.max(0, missing - (target.hugeOrder ?? 0) / 9)
  if (tables > 0) say('entry', '__handle_mm_fault', `makes ${tables} page table${tables === 1 ? '' : 's'}`)
  const fault = { task, mm, vma: target, vpn, pte, isWrite: mode === 'write' }
  const filled = predictHugetlb(state, fault) ?? predictHuge(state, fault) ?? predictPte(state, fault)
  for (const [stage, by, text] of filled.texts) say(stage, by, text)
  if (filled.fill === 'sigbus') return { ...killed(SIGBUS, BUS_ADRERR, error), tables }
  // The page is there now, and still nothing may be executed in it.
  const after = { tables, frames: filled.frames, rss: filled.rss, costNs: filled.costNs, fill: filled.fill }
  if (mode === 'exec' && (target.flags & VM_EXEC) === 0) {
    say('access', 'CPU', 'the instruction is fetched again: the entry is there and says NX')
    return { ...killed(SIGSEGV, SEGV_ACCERR, bits | PF_PROT), ...after }
  }
  return { outcome: filled.isMajor ? 'major' : 'minor', decisions, error, siginfo: undefined, ...after }
}

const NONE = { fill: NOTHING.fill, tables: 0, frames: 0, rss: NOTHING.rss, costNs: 0 } as const

const codeName = (signo: number, code: number): string =>
  signo === SIGBUS
    ? 'BUS_ADRERR'
    : code === SI_KERNEL
      ? 'SI_KERNEL'
      : code === SEGV_MAPERR
        ? 'SEGV_MAPERR'
        : 'SEGV_ACCERR'

const nameOf = (vma: Vma): string =>
  `${vma.name === '' ? 'anonymous memory' : vma.name} ${(vma.start * PAGE_SIZE).toString(16)}-${(vma.end * PAGE_SIZE).toString(16)}`

function missingText(missing: Pages, pte: number, isThere: boolean, mode: TouchMode): string {
  if (missing > 0) return `${missing} table${missing === 1 ? ' is' : 's are'} missing on the way: page fault`
  if (pte === 0) return 'the entry is empty: page fault'
  if (!isThere) return 'the entry is not present: page fault'
  return mode === 'write' ? 'the entry is there, without the right to write' : 'the entry is there, and says NX'
}

/** @returns why not @kernel access_error() */
function accessError(vma: Vma, mode: TouchMode, isThere: boolean): string | undefined {
  if (mode === 'write') return (vma.flags & VM_WRITE) === 0 ? 'the mapping is not writable' : undefined
  if (isThere) return 'the page is there, so the rights of the mapping are at fault'
  return isAccessible(vma) ? undefined : 'PROT_NONE: nothing may be done here'
}

const NO_GROWTH = {
  'no-stack': 'no mapping contains it, and the next one above is no stack',
  'guard-gap': 'the stack above may not come closer than 256 pages to the mapping below',
  rlimit: 'the stack above would become larger than a resource limit allows',
  'min-addr': 'below mmap_min_addr nothing is ever mapped',
} as const

function growingStack(
  state: KernelState,
  mm: Mm,
  vpn: Vpn,
  say: (stage: FaultStage, by: string, text: string) => void,
): Vma | undefined {
  const growth = stackGrowth(state, mm, vpn)
  if (growth !== 'ok') {
    say(growth === 'no-stack' ? 'vma' : 'stack', growth === 'no-stack' ? 'find_vma' : 'expand_stack', NO_GROWTH[growth])
    return undefined
  }
  const vma = mm.vmas[findVmaIndex(mm, vpn)]!
  say('stack', 'expand_stack', `the stack grows down by ${vma.start - vpn} pages`)
  return { ...vma, start: vpn, pgoff: vma.pgoff - (vma.start - vpn) }
}
