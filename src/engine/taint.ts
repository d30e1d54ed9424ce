/**
 * What has gone wrong in this kernel since boot: the taint flags that every stack dump repeats, and which warnings were
 * given already.
 * @kernel  kernel/panic.c add_taint(), print_tainted(), warn_slowpath
 */
import { klog } from './klog'
import type { KernelState } from './state'

/** Bits of /proc/sys/kernel/tainted. @kernel include/linux/panic.h */
export const TAINT_BAD_PAGE = 5
export const TAINT_WARN = 9
export const TAINT_OOT_MODULE = 12
export const TAINT_UNSIGNED_MODULE = 13

/** Letters of the bits when set; a bit that is not set shows as a blank, the first one as G. @kernel taint_flags[] */
const LETTERS = 'PFSRMBUDAWCIOELKXTN'
const NAMES: Readonly<Record<number, string>> = {
  [TAINT_BAD_PAGE]: 'BAD_PAGE',
  [TAINT_WARN]: 'WARN',
  [TAINT_OOT_MODULE]: 'OOT_MODULE',
  [TAINT_UNSIGNED_MODULE]: 'UNSIGNED_MODULE',
}

export interface Taint {
  /** Bit mask. */
  flags: number
  /** Places in the source that warn once and have done so. */
  readonly warnedOnce: string[]
}

export const createTaint = (): Taint => ({ flags: 0, warnedOnce: [] })

/** @kernel kernel/panic.c test_taint() */
export const isTainted = (state: KernelState, bit: number): boolean => (state.taint.flags & (1 << bit)) !== 0

/** @kernel  kernel/panic.c add_taint(); with LOCKDEP_NOW_UNRELIABLE for a bad page */
export function addTaint(state: KernelState, bit: number): void {
  if (bit === TAINT_BAD_PAGE && !isTainted(state, bit)) klog(state, 'Disabling lock debugging due to kernel taint')
  state.taint.flags |= 1 << bit
}

/** 'Not tainted', or 'Tainted: G    B   W         '. @kernel kernel/panic.c print_tainted() */
export function taintedText(state: KernelState): string {
  if (state.taint.flags === 0) return 'Not tainted'
  const letters = [...LETTERS].map((letter, bit) => (isTainted(state, bit) ? letter : bit === 0 ? 'G' : ' '))
  return `Tainted: ${letters.join('')}`
}

/** The line that spells the letters out, since 6.11: 'Tainted: [B]=BAD_PAGE, [W]=WARN'. @kernel print_tainted_verbose() */
export function taintedVerbose(state: KernelState): string[] {
  if (state.taint.flags === 0 || state.config.series === '6.1') return []
  const set = [...LETTERS].flatMap((letter, bit) => (isTainted(state, bit) ? [`[${letter}]=${NAMES[bit]}`] : []))
  return [`Tainted: ${set.join(', ')}`]
}

/** Whether a warning of this place may be given: the first time only. @kernel include/linux/once_lite.h */
export function firstTime(state: KernelState, place: string): boolean {
  if (state.taint.warnedOnce.includes(place)) return false
  state.taint.warnedOnce.push(place)
  return true
}
