/**
 * What a page's entries have to give up before it is written out: while it is mapped writable nobody would notice the next
 * write to it, and what was written after the writeback would never reach the disk.
 * @kernel  mm/rmap.c folio_mkclean(), mm/page-writeback.c folio_clear_dirty_for_io()
 * @spec    04 §4.5 (Shared file mapping: page_mkwrite), 05 §5.11
 */
import type { Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { mapcount } from './memmap'
import { folioClearDirty } from './page_writeback'
import { PTE_DIRTY, PTE_WRITE, mmOfSlot, pteAt, setPte } from './pgtable'
import { forEachMapping } from './rmap_chain'
import { flushTlbPage } from './tlb_flush'

/**
 * Write-protects the page wherever it is mapped writable: the next write faults, and page_mkwrite makes the page dirty
 * again. Each entry is flushed by itself, as ptep_clear_flush() does.
 * @returns  entries that were writable or dirty
 * @kernel   mm/rmap.c folio_mkclean(), page_vma_mkclean_one()
 */
export function folioMkclean(state: KernelState, pfn: Pfn): Pages {
  if (mapcount(state.memmap, pfn) === 0) return 0
  const t = state.pgtables
  let cleaned = 0
  // A private mapping has no writable entry for a page of the file: what is written there is a copy.
  forEachMapping(state, pfn, (slot) => {
    const pte = pteAt(t, slot)
    if ((pte & (PTE_WRITE | PTE_DIRTY)) === 0) return
    setPte(t, slot, pte & ~(PTE_WRITE | PTE_DIRTY))
    flushTlbPage(state, mmOfSlot(t, slot), slot)
    cleaned++
  })
  return cleaned
}

/**
 * The page of a file is about to be written.
 * @returns  whether it was dirty
 * @kernel   mm/page-writeback.c folio_clear_dirty_for_io(); that an entry alone is dirty cannot be: its fault marked the page
 */
export function folioClearDirtyForIo(state: KernelState, pfn: Pfn): boolean {
  folioMkclean(state, pfn)
  return folioClearDirty(state, pfn)
}
