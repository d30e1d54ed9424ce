/**
 * Transparent huge pages: what is set, and which mappings and requests it holds for.
 * @kernel  mm/huge_memory.c
 * @spec    08 §8.6
 */
import { HPAGE_PAGES, type Pfn, type Vpn } from '../../util/units'
import type { KernelState } from '../state'
import { createDeferredSplit, type DeferredSplit } from './deferred_split'
import {
  GFP_BIT_DIRECT_RECLAIM,
  GFP_BIT_KSWAPD_RECLAIM,
  GFP_BIT_NORETRY,
  GFP_TRANSHUGE,
  GFP_TRANSHUGE_LIGHT,
} from './gfp'
import { hugeStart } from './huge_pmd'
import { VM_DONTEXPAND, VM_HUGEPAGE, VM_NOHUGEPAGE, VM_SHARED, type Vma } from './mm_types'

/** What huge pages remember. Settings are files below /sys/kernel/mm/transparent_hugepage. */
export interface ThpState {
  /** 0 or 1. */
  useZeroPage: number
  /** The huge zero page's first frame, 0 none; and address spaces that have mapped it. Owner: huge_zero.ts */
  hugeZeroPfn: Pfn
  hugeZeroUsers: number
  /** Owner: deferred_split.ts */
  readonly deferred: DeferredSplit
}

/** @model  Debian's defaults; `enabled` and `defrag` lie in the state itself, because boot needs them early */
export const createThp = (nodes: number): ThpState => ({
  useZeroPage: 1,
  hugeZeroPfn: 0,
  hugeZeroUsers: 0,
  deferred: createDeferredSplit(nodes),
})

/** Private anonymous memory whose owner did not say no. @kernel mm/huge_memory.c __thp_vma_allowable_orders() */
export const thpVmaAllowed = (vma: Vma): boolean =>
  vma.ino === 0 && (vma.flags & (VM_SHARED | VM_DONTEXPAND | VM_NOHUGEPAGE)) === 0

/** The whole 2 MiB around the page belong to the mapping. @kernel include/linux/huge_mm.h thp_vma_suitable_order() */
export function thpVmaSuitable(vma: Vma, vpn: Vpn): boolean {
  const first = hugeStart(vpn)
  return first >= vma.start && first + HPAGE_PAGES <= vma.end
}

/** Huge pages are switched on for the mapping. @kernel TVA_ENFORCE_SYSFS */
export const thpEnabledFor = (state: KernelState, vma: Vma): boolean =>
  state.thpEnabled === 'always' || (state.thpEnabled === 'madvise' && (vma.flags & VM_HUGEPAGE) !== 0)

/**
 * How hard a fault tries to get its huge page.
 * @returns GFP_*
 * @kernel  mm/huge_memory.c vma_thp_gfp_mask()
 * @spec    08 §8.6, table of defrag modes
 */
export function vmaThpGfpMask(state: KernelState, vma: Vma): number {
  const madvised = (vma.flags & VM_HUGEPAGE) !== 0
  switch (state.thpDefrag) {
    case 'always':
      return madvised ? GFP_TRANSHUGE : GFP_TRANSHUGE | GFP_BIT_NORETRY
    case 'defer':
      return GFP_TRANSHUGE_LIGHT | GFP_BIT_KSWAPD_RECLAIM
    case 'defer+madvise':
      return GFP_TRANSHUGE_LIGHT | (madvised ? GFP_BIT_DIRECT_RECLAIM : GFP_BIT_KSWAPD_RECLAIM)
    case 'madvise':
      return GFP_TRANSHUGE_LIGHT | (madvised ? GFP_BIT_DIRECT_RECLAIM : 0)
    default:
      return GFP_TRANSHUGE_LIGHT
  }
}
