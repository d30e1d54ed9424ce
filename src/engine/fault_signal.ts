/**
 * Signals that an access brings about: which one, what siginfo says, and the line in the kernel log.
 * @kernel  arch/x86/mm/fault.c __bad_area_nosemaphore(), do_sigbus(), show_signal_msg(); arch/x86/kernel/traps.c
 * @spec    04 §4.1, §4.5
 */
import { NS_PER_S, PAGE_SIZE, type Vpn } from '../util/units'
import { now } from './exec'
import { klog } from './klog'
import { ratelimit } from './ratelimit'
import type { KernelState } from './state'
import type { SigInfo, Task } from './task'
import { emit } from './trace'

export const SIGBUS = 7
export const SIGSEGV = 11
/** Nothing is mapped there. */
export const SEGV_MAPERR = 1
/** The mapping does not allow the access. */
export const SEGV_ACCERR = 2
/** Behind the end of the file. */
export const BUS_ADRERR = 2
/** Sent by the kernel for no reason that siginfo has a word for: no such address. */
export const SI_KERNEL = 0x80

/** Bits of the error code that the hardware pushes. @kernel arch/x86/include/asm/trap_pf.h */
export const PF_PROT = 1
export const PF_WRITE = 2
export const PF_USER = 4
export const PF_INSTR = 16

/** Bytes of either half of the address space: a table's 512 entries a level, and the page. @kernel __VIRTUAL_MASK_SHIFT */
const halfBytes = (state: KernelState): number => 2 ** (9 * state.pgtables.levels + 11)

/** Half of the address space that an address lies in; 'hole' = it is none. @kernel __is_canonical_address() */
export function addressHalf(state: KernelState, address: number): 'user' | 'kernel' | 'hole' {
  const half = halfBytes(state)
  if (address >= 0 && address < half) return 'user'
  return address >= 2 ** 64 - half && address < 2 ** 64 ? 'kernel' : 'hole'
}

/** The byte that was accessed, as far as the operation says it: the page's first one otherwise. */
export function accessedAddress(task: Task, vpn: Vpn): number {
  const { op } = task
  const isFirst = op?.op === 'touch' && Math.floor(op.address / PAGE_SIZE) === vpn
  return isFirst ? op.address : vpn * PAGE_SIZE
}

/** Error code of the access that the operation makes. */
export const accessBits = (task: Task, isWrite: boolean): number =>
  PF_USER | (isWrite ? PF_WRITE : task.op?.op === 'touch' && task.op.mode === 'exec' ? PF_INSTR : 0)

/** The task dies of its access when it next would run. @kernel force_sig_fault() */
export function forceSigFault(state: KernelState, task: Task, info: SigInfo): void {
  if (task.killSignal !== 0) return
  task.killSignal = info.signo
  task.siginfo = info
  emit(state, 'signal_generate', [info.signo, 0, info.code, task.pid, 0, 0, info.address], task.comm)
  if (info.signo === SIGSEGV) showSignal(state, task, info)
}

/** Ten lines in five seconds. @kernel printk_ratelimit() */
const RATE = { intervalNs: 5 * NS_PER_S, burst: 10 }

/**
 * @kernel      show_signal_msg(), show_signal(); debug.exception-trace is 1 on x86
 * @simplifies  no ip and sp in the line and no code bytes: programs here are not made of instructions. A fetch's ip is its
 *              address
 */
function showSignal(state: KernelState, task: Task, { code, address, error }: SigInfo): void {
  const { mayPrint, suppressed } = ratelimit(state.segvRatelimit, now(state), RATE)
  if (suppressed > 0) klog(state, `show_signal_msg: ${suppressed} callbacks suppressed`)
  if (!mayPrint) return
  const who = `${task.comm}[${task.pid}]`
  if (code === SI_KERNEL) {
    klog(state, `traps: ${who} general protection fault error:0`)
    return
  }
  const ip = (error & PF_INSTR) !== 0 ? ` ip ${address.toString(16).padStart(16, '0')}` : ''
  const cpu = state.exec.cpu
  const place = `likely on CPU ${cpu} (core ${cpu}, socket ${state.cpuNode[cpu] ?? 0})`
  klog(state, `${who}: segfault at ${address.toString(16)}${ip} error ${error.toString(16)} ${place}`)
}

/** An access to an address that user mode has not got: no page table is asked. @kernel exc_general_protection(), do_kern_addr_fault() */
export function badAddress(state: KernelState, task: Task, address: number, access: number): void {
  const info =
    addressHalf(state, address) === 'hole'
      ? { signo: SIGSEGV, code: SI_KERNEL, address: 0, error: 0 }
      : { signo: SIGSEGV, code: SEGV_MAPERR, address, error: access | PF_USER | PF_PROT }
  forceSigFault(state, task, info)
}
