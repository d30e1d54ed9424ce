/**
 * Promised memory: what a mapping may still be promised, and the sum of all promises.
 * @kernel  mm/util.c
 * @spec    04 §4.9
 */
import { PAGE_SIZE, type Pages } from '../../util/units'
import { currentTask } from '../exec'
import { klog } from '../klog'
import { isCapable } from '../rlimit'
import type { KernelState } from '../state'
import { hugetlbTotalPages } from './hugetlb_pool'
import type { Mm } from './mm_types'
import { totalSwapPages } from './swap_space'

const OVERCOMMIT_GUESS = 0
const OVERCOMMIT_ALWAYS = 1

/** @kernel totalram_pages() */
export function totalRamPages(state: KernelState): Pages {
  let sum = 0
  for (const zone of state.zones) sum += zone.managed
  return sum
}

/**
 * A ratio below zero is more than all memory, because the kernel multiplies without a sign.
 * @simplifies  exact to 53 bits of 64
 */
const wrappedShare = (pages: Pages, ratio: number): Pages =>
  Number(BigInt.asUintN(64, BigInt(pages) * BigInt(ratio)) / 100n)

/** CommitLimit, pages. Huge pages of the pool can be promised to nobody else. @kernel mm/util.c vm_commit_limit(), hugetlb_total_pages() */
export function vmCommitLimit(state: KernelState): Pages {
  const { overcommitKbytes, overcommitRatio } = state.sysctl
  const swap = totalSwapPages(state)
  if (overcommitKbytes > 0) return Math.floor(overcommitKbytes / 4) + swap
  const pages = totalRamPages(state) - hugetlbTotalPages(state)
  if (overcommitRatio < 0) return wrappedShare(pages, overcommitRatio) + swap
  return Math.floor((pages * overcommitRatio) / 100) + swap
}

/**
 * Promises memory, or refuses it.
 * @param mm  address space that asks; undefined for the kernel's own files
 * @returns false → ENOMEM; nothing was promised
 * @kernel      mm/util.c __vm_enough_memory()
 * @simplifies  the log line is not rate-limited
 */
export function vmEnoughMemory(state: KernelState, mm: Mm | undefined, pages: Pages): boolean {
  const mode = state.sysctl.overcommitMemory
  state.committedAs += pages
  if (mode === OVERCOMMIT_ALWAYS) return true
  if (mode === OVERCOMMIT_GUESS) {
    if (pages <= totalRamPages(state) + totalSwapPages(state)) return true
  } else {
    let allowed = vmCommitLimit(state)
    // Root keeps a reserve for itself, to log in and clear up.
    if (!isCapable(state)) allowed -= Math.floor(state.sysctl.adminReserveKbytes / 4)
    if (mm !== undefined)
      allowed -= Math.min(Math.floor(mm.totalVm / 32), Math.floor(state.sysctl.userReserveKbytes / 4))
    if (state.committedAs < allowed) return true
  }
  state.committedAs -= pages
  logRefusal(state, pages)
  return false
}

function logRefusal(state: KernelState, pages: Pages): void {
  const task = currentTask(state)
  const who = `pid: ${task?.pid ?? 0}, comm: ${task?.comm ?? 'swapper'}`
  klog(
    state,
    state.config.series === '6.1'
      ? `__vm_enough_memory: ${who}, no enough memory for the allocation`
      : `__vm_enough_memory: ${who}, bytes: ${pages * PAGE_SIZE} not enough memory for the allocation`,
  )
}

/** Takes a promise back. @kernel include/linux/mman.h vm_unacct_memory() */
export function vmUnacctMemory(state: KernelState, pages: Pages): void {
  state.committedAs -= pages
}
