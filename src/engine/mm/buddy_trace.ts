/** What tells of blocks that leave the free lists; apart, because only listeners need it. */
import type { Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { emit } from '../trace'
import { MIGRATE_RECLAIMABLE, PAGE_ALLOC_COSTLY_ORDER, PAGEBLOCK_ORDER } from './gfp'

/**
 * Whether the block is for a CPU's list follows from what it is: orders 0 to 3 and 9, of the three types that have lists.
 * @kernel  mm/page_alloc.c __rmqueue_smallest(): trace_mm_page_alloc_zone_locked()
 */
export function traceZoneLocked(state: KernelState, pfn: Pfn, order: number, migratetype: number): void {
  const isPcpOrder = order <= PAGE_ALLOC_COSTLY_ORDER || order === PAGEBLOCK_ORDER
  const isRefill = migratetype <= MIGRATE_RECLAIMABLE && isPcpOrder
  emit(state, 'mm_page_alloc_zone_locked', [pfn, order, migratetype, isRefill ? 1 : 0])
}
