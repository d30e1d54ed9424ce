/**
 * What a program's access costs beyond the access itself: the translation of its address, counted by the CPU that makes it.
 * @spec    04 §4.1, §4.3
 */
import { flushOnReturn } from './mm/tlb_flush'
import { TLB_L1, TLB_L2, TLB_WALK, tlbAccess, tlbFill } from './mm/tlb'
import { tableLevel, tableOfSlot } from './mm/pgtable'
import {
  DATA_1G,
  DATA_2M,
  TLB_LOADS,
  TLB_STORES,
  WALKS_FAULT_LOAD,
  WALKS_FAULT_STORE,
  WALKS_LOAD,
  WALKS_STORE,
  WALK_NS,
  type CpuTlb,
} from './mm/tlb_state'
import type { KernelState } from './state'

/**
 * The access that faulted is made again, and its walk succeeds. Both walks are part of what the fault cost.
 * @param slot   of the PTE that the fault filled in, −1 = it mapped a huge page
 * @param huge   slot of the huge entry in that case
 */
export function refill(state: KernelState, c: CpuTlb, slot: number, huge: number, isWrite: boolean): void {
  if (state.tlb.flushesOnReturn) flushOnReturn(state, c)
  if (slot >= 0) tlbFill(state.tlb, c, state.pgtables, slot)
  else if (huge >= 0) tlbAccess(state.tlb, c, state.pgtables, huge, hugeRoute(state, huge))
  c.counts[isWrite ? WALKS_FAULT_STORE : WALKS_FAULT_LOAD]!++
  c.counts[isWrite ? WALKS_STORE : WALKS_LOAD]!++
}

/**
 * The address of a page that is there is translated; a walk takes time.
 * @param route  DATA_4K or DATA_2M, as the entry is
 * @spec    04 §4.3
 */
export function translate(state: KernelState, c: CpuTlb, slot: number, isWrite: boolean, route: number): void {
  const how = tlbAccess(state.tlb, c, state.pgtables, slot, route)
  if (how === TLB_L1) return
  const { costs } = state
  if (how === TLB_L2) {
    state.exec.ns += costs.tlbL2Hit
    return
  }
  const ns = how === TLB_WALK ? costs.pageWalk : costs.pageWalkCold
  state.exec.ns += ns
  c.counts[WALK_NS]! += ns
  c.counts[isWrite ? WALKS_STORE : WALKS_LOAD]!++
}

/** Which structures hold translations of a huge entry's size: PMD entries map 2 MiB, PUD entries 1 GiB. */
const hugeRoute = (state: KernelState, slot: number): number =>
  tableLevel(state.pgtables, tableOfSlot(slot)) === 2 ? DATA_2M : DATA_1G

/** The same for a page that a huge entry maps. */
export const translateHuge = (state: KernelState, c: CpuTlb, slot: number, isWrite: boolean): void =>
  translate(state, c, slot, isWrite, hugeRoute(state, slot))

/** As many loads or stores were made. */
export const countAccesses = (state: KernelState, count: number, isWrite: boolean): void => {
  state.tlb.cpus[state.exec.cpu]!.counts[isWrite ? TLB_STORES : TLB_LOADS]! += count
}
