/**
 * How fragmented a zone is for an order: three numbers over its counts of free blocks.
 * @kernel  mm/vmstat.c fill_contig_page_info(), __fragmentation_index(), unusable_free_index()
 * @spec    02 §2.9
 */
import { NR_PAGE_ORDERS } from './gfp'

/** Free blocks of each order, 0 … 10. */
type BlockCounts = ArrayLike<number>

const freePages = (nrFree: BlockCounts): number => {
  let sum = 0
  for (let o = 0; o < NR_PAGE_ORDERS; o++) sum += nrFree[o]! * 2 ** o
  return sum
}

const suitableBlocks = (nrFree: BlockCounts, order: number): number => {
  let sum = 0
  for (let o = order; o < NR_PAGE_ORDERS; o++) sum += nrFree[o]! * 2 ** (o - order)
  return sum
}

/**
 * Why an allocation of the order would fail, in thousandths: near 0 too little memory, near 1000 fragmentation, −1000 it
 * would not fail.
 * @kernel  mm/vmstat.c __fragmentation_index()
 * @spec    02 §2.9
 */
export function fragmentationIndex(nrFree: BlockCounts, order: number): number {
  let blocks = 0
  for (let o = 0; o < NR_PAGE_ORDERS; o++) blocks += nrFree[o]!
  if (blocks === 0) return 0
  if (suitableBlocks(nrFree, order) > 0) return -1000
  return 1000 - Math.floor((1000 + Math.floor((freePages(nrFree) * 1000) / 2 ** order)) / blocks)
}

/** Free memory that an allocation of the order cannot use, in thousandths. @kernel mm/vmstat.c unusable_free_index() */
export function unusableFreeIndex(nrFree: BlockCounts, order: number): number {
  const pages = freePages(nrFree)
  if (pages === 0) return 1000
  return Math.floor(((pages - suitableBlocks(nrFree, order) * 2 ** order) * 1000) / pages)
}

/** The same in percent, 0 for a full zone: the score of proactive compaction. @kernel mm/vmstat.c extfrag_for_order() */
export function extfragForOrder(nrFree: BlockCounts, order: number): number {
  const pages = freePages(nrFree)
  if (pages === 0) return 0
  return Math.floor(((pages - suitableBlocks(nrFree, order) * 2 ** order) * 100) / pages)
}
