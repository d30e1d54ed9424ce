/**
 * The part of a predicted fault that comes before PTEs: a huge page for a range that may be one, and writes to a huge page
 * that is mapped read-only.
 * @kernel  mm/memory.c __handle_mm_fault(), mm/huge_memory.c
 * @spec    08 §8.6
 */
import { HPAGE_PAGES } from '../../util/units'
import type { KernelState } from '../state'
import type { PteFault, PtePrediction } from './fault_predict_pte'
import { findHugePmd, findPmdSlot, pmdPfn } from './huge_pmd'
import { PG_ANON_EXCLUSIVE, hasFlag, mapcount } from './memmap'
import { pteAt } from './pgtable'
import { thpEnabledFor, thpVmaAllowed, thpVmaSuitable } from './thp'

/**
 * @returns undefined: the PTE fault decides
 * @kernel      handleHugeFault() follows the same functions
 * @simplifies  assumes that a huge page can be had; without one the fault falls back to 4 KiB
 */
export function predictHuge(state: KernelState, fault: PteFault): PtePrediction | undefined {
  const { mm, vma, vpn, isWrite } = fault
  const huge = findHugePmd(state, mm, vpn)
  if (huge >= 0) return writeProtected(state, pteAt(state.pgtables, huge))
  const slot = findPmdSlot(state, mm, vpn)
  if (slot >= 0 && pteAt(state.pgtables, slot) !== 0) return undefined
  if (!thpEnabledFor(state, vma) || !thpVmaAllowed(vma) || !thpVmaSuitable(vma, vpn)) return undefined
  const common = { isMajor: false } as const
  if (!isWrite && state.thp.useZeroPage === 1)
    return {
      ...common,
      fill: 'zero-page',
      frames: 0,
      rss: [0, 0, 0, 0],
      costNs: state.costs.zeroPageFault,
      texts: [['fill', 'do_huge_pmd_anonymous_page', 'a whole 2 MiB that may be huge, only read: the huge zero page']],
    }
  return {
    ...common,
    fill: 'huge-page',
    frames: HPAGE_PAGES,
    rss: [0, HPAGE_PAGES, 0, 0],
    costNs: state.costs.thpFault,
    texts: [
      [
        'fill',
        'do_huge_pmd_anonymous_page',
        'a whole 2 MiB that may be huge: one zeroed huge page, and a table put by for a split',
      ],
    ],
  }
}

/** @kernel do_huge_pmd_wp_page() */
function writeProtected(state: KernelState, entry: number): PtePrediction {
  const pfn = pmdPfn(entry)
  const isZero = pfn === state.thp.hugeZeroPfn
  const isOwn = !isZero && (hasFlag(state.memmap, pfn, PG_ANON_EXCLUSIVE) || mapcount(state.memmap, pfn) === 1)
  if (isOwn)
    return {
      fill: 'reuse',
      isMajor: false,
      frames: 0,
      rss: [0, 0, 0, 0],
      costNs: state.costs.minorFault,
      texts: [['fill', 'do_huge_pmd_wp_page', 'nobody else has this huge page: it becomes writable']],
    }
  return {
    fill: 'copy',
    isMajor: false,
    frames: 1,
    rss: [0, isZero ? 1 : 0, 0, 0],
    costNs: state.costs.cowFault,
    texts: [
      [
        'fill',
        'do_huge_pmd_wp_page',
        `${isZero ? 'the huge zero page' : 'others see the huge page too'}: its entry is split into 512`,
      ],
      ['fill', 'wp_page_copy', 'the 4 KiB that are written get a frame of their own'],
    ],
  }
}
