/**
 * What is known of a page's contents when it gets a swap slot: whether they would shrink when compressed. Apart from
 * swapfile.ts, because it looks at mappings, which slots know nothing of.
 * @model  contents are not simulated; programs that fill memory with random bytes say so, mapping by mapping
 */
import type { Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { pageRmap } from './memmap'
import { mmOfSlot, vpnOfSlot } from './pgtable'
import { mmAt } from './rss'
import { findVma } from './vma_find'

/** @model  by the mapping, where one page table maps it; shared pages and those of tmpfs count as ordinary */
export function isRandom(state: KernelState, pfn: Pfn): boolean {
  const head = pageRmap(state.memmap, pfn)
  if (head <= 0) return false
  const slot = head - 1
  return findVma(mmAt(state, mmOfSlot(state.pgtables, slot)), vpnOfSlot(state.pgtables, slot))?.incompressible === true
}
