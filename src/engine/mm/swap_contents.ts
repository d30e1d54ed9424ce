/**
 * What is known of a page's contents when it gets a swap slot: whether they would shrink when compressed. Apart from
 * swapfile.ts, because it looks at mappings, which slots know nothing of.
 * @model  contents are not simulated; programs that fill memory with random bytes, or with one and the same, say so,
 * mapping by mapping
 */
import type { Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { pageRmap } from './memmap'
import { mmOfSlot, vpnOfSlot } from './pgtable'
import { mmAt } from './rss'
import { findVma } from './vma_find'

export const ORDINARY = 0
export const RANDOM = 1
/** All words of the page are the same. */
export const SAME_FILLED = 2

/** @model  by the mapping, where one page table maps it; shared pages and those of tmpfs count as ordinary */
export function contentsOf(state: KernelState, pfn: Pfn): number {
  const head = pageRmap(state.memmap, pfn)
  if (head <= 0) return ORDINARY
  const slot = head - 1
  const vma = findVma(mmAt(state, mmOfSlot(state.pgtables, slot)), vpnOfSlot(state.pgtables, slot))
  if (vma?.incompressible === true) return RANDOM
  return vma?.isSameFilled === true ? SAME_FILLED : ORDINARY
}
