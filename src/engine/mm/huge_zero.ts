/**
 * The huge zero page: what a read of untouched memory maps. Made at the first such fault, kept for as long as an address
 * space has used it, given back under pressure after that.
 * @kernel  mm/huge_memory.c mm_get_huge_zero_folio(), shrink_huge_zero_page_scan()
 * @spec    08 §8.6
 */
import { HPAGE_PAGES, type Pages, type Pfn } from '../../util/units'
import { isSuspended } from '../exec'
import type { KernelState } from '../state'
import { GFP_BIT_MOVABLE, GFP_BIT_ZERO, GFP_TRANSHUGE, PAGEBLOCK_ORDER } from './gfp'
import { PG_KERNEL, PG_TAIL, setFlags, setFlagsOfRange } from './memmap'
import type { Mm } from './mm_types'
import { allocPages } from './page_alloc'
import { freeUnrefPage } from './pcp'
import { THP_ZERO_PAGE_ALLOC, THP_ZERO_PAGE_ALLOC_FAILED, countVmEvent } from './vmstat'

/** @returns first frame, 0 = none to be had, or waiting @kernel mm/huge_memory.c get_huge_zero_page() */
export function getHugeZeroPage(state: KernelState, mm: Mm): Pfn {
  const { thp } = state
  if (thp.hugeZeroPfn === 0) {
    const pfn = allocPages(state, (GFP_TRANSHUGE | GFP_BIT_ZERO) & ~GFP_BIT_MOVABLE, PAGEBLOCK_ORDER)
    if (pfn === 0) {
      if (!isSuspended(state)) countVmEvent(state.vmstat, THP_ZERO_PAGE_ALLOC_FAILED)
      return 0
    }
    setFlagsOfRange(state.memmap, pfn, HPAGE_PAGES, PG_TAIL)
    setFlags(state.memmap, pfn, PG_KERNEL)
    thp.hugeZeroPfn = pfn
    countVmEvent(state.vmstat, THP_ZERO_PAGE_ALLOC)
  }
  if (!mm.usesHugeZero) {
    mm.usesHugeZero = true
    thp.hugeZeroUsers++
  }
  return thp.hugeZeroPfn
}

/** The address space is gone. @kernel mm/huge_memory.c mm_put_huge_zero_folio() */
export function putHugeZeroPage(state: KernelState, mm: Mm): void {
  if (!mm.usesHugeZero) return
  mm.usesHugeZero = false
  state.thp.hugeZeroUsers--
}

/** Pages that can be given back. @kernel mm/huge_memory.c shrink_huge_zero_page_count() */
export const hugeZeroFreeable = (state: KernelState): Pages =>
  state.thp.hugeZeroPfn !== 0 && state.thp.hugeZeroUsers === 0 ? HPAGE_PAGES : 0

/** @returns pages freed @kernel mm/huge_memory.c shrink_huge_zero_page_scan() */
export function freeHugeZero(state: KernelState): Pages {
  const pages = hugeZeroFreeable(state)
  if (pages === 0) return 0
  freeUnrefPage(state, state.thp.hugeZeroPfn, PAGEBLOCK_ORDER)
  state.thp.hugeZeroPfn = 0
  return pages
}
