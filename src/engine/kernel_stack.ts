/**
 * Kernel stacks: four frames a thread, mapped together by vmalloc and charged to the group that forks.
 * @kernel  kernel/fork.c alloc_thread_stack_node(), memcg_charge_kernel_stack()
 * @spec    07 §7.3, 09 §9.1 (KernelStack)
 */
import { isSuspended } from './exec'
import { GFP_KERNEL, GFP_KERNEL_ACCOUNT } from './mm/gfp'
import { PG_KERNEL, clearFlag, pageMemcg, pageZoneIndex, setFlag, setPageMemcg } from './mm/memmap'
import { memcgCharge, memcgUncharge, modMemcgState } from './mm/memcontrol'
import { MEMCG_STAT_KERNEL, MEMCG_STAT_KERNEL_STACK } from './mm/memcg_stat'
import { allocPages } from './mm/page_alloc'
import { freeUnrefPage } from './mm/pcp'
import { addVmArea, removeVmArea, type VmArea } from './mm/vmalloc'
import { NR_KERNEL_STACK, modStat } from './mm/vmstat'
import type { KernelState } from './state'

/** THREAD_SIZE is 16 KiB. */
const STACK_PAGES = 4

function account(state: KernelState, pfn: number, memcg: number, sign: number): void {
  const nid = state.zones[pageZoneIndex(state.memmap, pfn)]!.nid
  modStat(state.nodes[nid]!.stat, NR_KERNEL_STACK, sign * 4)
  modMemcgState(state, memcg, MEMCG_STAT_KERNEL_STACK, sign, nid)
  modMemcgState(state, memcg, MEMCG_STAT_KERNEL, sign, nid)
}

const areaOf = (state: KernelState, stack: readonly number[]): VmArea | undefined =>
  stack.length < STACK_PAGES ? undefined : state.vmap.areas.find(({ pfns }) => pfns[0] === stack[0])

/**
 * Fills a task's stack; called again after waiting it goes on where it stopped.
 * @param memcg  group that pays
 * @returns false = no memory, charge refused, or waiting
 */
export function allocKernelStack(state: KernelState, memcg: number, stack: number[]): boolean {
  while (stack.length < STACK_PAGES) {
    const pfn = allocPages(state, GFP_KERNEL, 0)
    if (pfn === 0) return false
    if (memcgCharge(state, memcg, 1, GFP_KERNEL_ACCOUNT) !== 'ok' || isSuspended(state)) {
      freeUnrefPage(state, pfn, 0)
      return false
    }
    setFlag(state.memmap, pfn, PG_KERNEL)
    setPageMemcg(state.memmap, pfn, memcg)
    account(state, pfn, memcg, 1)
    stack.push(pfn)
  }
  // Called again after a wait, it has its addresses already.
  if (areaOf(state, stack) === undefined) {
    const frames = [...stack]
    addVmArea(state, { pages: 4, caller: 'dup_task_struct', kind: 'vmalloc', pfns: frames, bootNid: -1 }, STACK_PAGES)
  }
  return true
}

/** @kernel free_thread_stack() */
export function freeKernelStack(state: KernelState, stack: number[]): void {
  const area = areaOf(state, stack)
  if (area !== undefined) removeVmArea(state, area)
  for (const pfn of stack) {
    const memcg = pageMemcg(state.memmap, pfn)
    account(state, pfn, memcg, -1)
    clearFlag(state.memmap, pfn, PG_KERNEL)
    setPageMemcg(state.memmap, pfn, 0)
    freeUnrefPage(state, pfn, 0)
    memcgUncharge(state, memcg, 1)
  }
  stack.length = 0
}
