/**
 * Taking a range out of an address space collects what was translated, for one flush at the end.
 * @kernel  mm/mmu_gather.c
 * @spec    04 §4.2 (Shootdown)
 */
import type { Vpn } from '../../util/units'
import type { KernelState } from '../state'
import { entrySpan, tableLevel, tableOfSlot, vpnOfSlot, type PageTables } from './pgtable'
import { beginSlots, flushTlbMm, noteSlot } from './tlb_flush'

/** From first to last translated page; nothing is kept between two operations. */
const gather = { start: Infinity, end: 0 }

/** @kernel tlb_gather_mmu() */
export function tlbGatherMmu(): void {
  gather.start = Infinity
  gather.end = 0
  beginSlots()
}

/** A page that was translated is not any more. @kernel tlb_remove_tlb_entry() */
export const tlbRemoveEntry: (slot: number) => void = noteSlot

/** Slots `first` to `last` of one table hold the first and the last page taken out of it. @kernel __tlb_adjust_range() */
export function tlbAdjustRange(t: PageTables, first: number, last: number): void {
  const start: Vpn = vpnOfSlot(t, first)
  const end: Vpn = vpnOfSlot(t, last) + entrySpan(tableLevel(t, tableOfSlot(last)))
  if (start < gather.start) gather.start = start
  if (end > gather.end) gather.end = end
}

/** One entry changed under a translation. @kernel tlb_flush_pte_range() */
export function tlbRemove(t: PageTables, slot: number): void {
  noteSlot(slot)
  tlbAdjustRange(t, slot, slot)
}

/**
 * Whoever may still translate through the range forgets it; without a page or a table that went there is nothing to do.
 * @kernel  tlb_finish_mmu(), tlb_flush_mmu_tlbonly()
 */
export function tlbFinishMmu(state: KernelState, mm: number, freedTables: boolean): void {
  const pages = Math.max(0, gather.end - gather.start)
  if (pages > 0 || freedTables) flushTlbMm(state, mm, Math.max(1, pages), freedTables)
}
