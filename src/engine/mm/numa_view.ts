/** Where a process's pages are, as a reader from outside counts them: what numa_maps says, summed over its mappings. */
import { HPAGE_PAGES, type Pages } from '../../util/units'
import type { KernelState } from '../state'
import { forEachHugePmd, pmdPfn } from './huge_pmd'
import { pageZoneIndex } from './memmap'
import type { Mm } from './mm_types'
import { forEachPteTable, isPresent, pteAt, ptePfn } from './pgtable'

/** Pages that the address space maps, by node; the zero pages lie nowhere. @kernel fs/proc/task_mmu.c gather_stats() */
export function mappedByNode(state: KernelState, mm: Mm): Pages[] {
  const pages = state.nodes.map(() => 0)
  const end = Number.MAX_SAFE_INTEGER
  const add = (pfn: number, nr: Pages): void => {
    const zone = pageZoneIndex(state.memmap, pfn)
    if (zone >= 0) pages[state.zones[zone]!.nid]! += nr
  }
  forEachHugePmd(state, mm, 0, end, (_slot, entry) => {
    if (pmdPfn(entry) !== state.thp.hugeZeroPfn) add(pmdPfn(entry), HPAGE_PAGES)
  })
  forEachPteTable(state, mm, 0, end, (first, last) => {
    for (let slot = first; slot <= last; slot++) {
      const pte = pteAt(state.pgtables, slot)
      if (pte !== 0 && isPresent(pte) && ptePfn(pte) !== state.zeroPfn) add(ptePfn(pte), 1)
    }
  })
  return pages
}
