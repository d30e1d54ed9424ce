/**
 * A predicted fault in a mapping of huge pages of the pool.
 * @kernel  mm/hugetlb.c hugetlb_fault(), hugetlb_no_page(), hugetlb_wp(): hugetlb_fault.ts follows the same functions
 * @spec    08 §8.5
 */
import type { Pages } from '../../util/units'
import type { KernelState } from '../state'
import type { FillKind, PteFault, PtePrediction } from './fault_predict_pte'
import { GIGANTIC_ORDER, availableHugePages, freeHugePages, hugeIndex, surplusHugePages, vmaUnit } from './hugetlb_pool'
import { hstateVma, hugetlbFile, needsReservation } from './hugetlb_reserve'
import { findHugePmd, pmdPfn } from './huge_pmd'
import { mapcount } from './memmap'
import { VM_MAYSHARE } from './mm_types'
import { pteAt } from './pgtable'

/** What is said and counted; a huge page is in none of the counters of resident pages. */
const filled = (fill: FillKind, frames: Pages, costNs: number, by: string, text: string): PtePrediction => ({
  fill,
  isMajor: false,
  frames,
  rss: [0, 0, 0, 0],
  costNs,
  texts: [['fill', by, text]],
})

/**
 * @returns undefined: not such a mapping
 * @kernel      mm/hugetlb.c hugetlb_fault()
 * @simplifies  assumes that memory policy and node do not stand in the way of a free page
 */
export function predictHugetlb(state: KernelState, fault: PteFault): PtePrediction | undefined {
  const { mm, vma, vpn } = fault
  if (vma.hugeOrder === undefined) return undefined
  const slot = findHugePmd(state, mm, vpn)
  return slot >= 0 ? writeProtected(state, fault, slot) : noPage(state, fault)
}

/** A page can be had for who was promised one, else only what is left over, or a surplus page. */
function canHave(state: KernelState, { vma }: PteFault, isPromised: boolean): boolean {
  const h = hstateVma(state, vma)
  if (isPromised ? freeHugePages(h) > 0 : availableHugePages(h) > 0) return true
  return h.order !== GIGANTIC_ORDER && surplusHugePages(h) < h.overcommit
}

function noPage(state: KernelState, fault: PteFault): PtePrediction {
  const { vma, vpn } = fault
  const { costs } = state
  const unit = vmaUnit(vma)
  const index = hugeIndex(vma, vpn)
  const isShared = (vma.flags & VM_MAYSHARE) !== 0
  if (isShared && hugetlbFile(state, vma).pages[index] !== 0)
    return filled('page-cache', 0, costs.minorFault, 'hugetlb_no_page', 'the file has this huge page: it is mapped')
  if (vma.hugeResv === 'unmapped')
    return filled('sigbus', 0, 0, 'hugetlb_no_page', 'this page went to the process that was promised it')
  const isPromised = !needsReservation(state, vma, index)
  if (!canHave(state, fault, isPromised))
    return filled('sigbus', 0, 0, 'alloc_hugetlb_folio', 'nothing was promised, and the pool has no page left over')
  const whence = isPromised ? 'the page that was promised' : 'nothing was promised: a page that is left over'
  const costNs = costs.minorFault + (costs.zero2MiB * unit) / 512
  return filled('pool-page', unit, costNs, 'hugetlb_no_page', `${whence} comes from the pool and is zeroed`)
}

function writeProtected(state: KernelState, fault: PteFault, slot: number): PtePrediction {
  const { vma } = fault
  const { costs } = state
  const pfn = pmdPfn(pteAt(state.pgtables, slot))
  if ((vma.flags & VM_MAYSHARE) !== 0 || mapcount(state.memmap, pfn) === 1)
    return filled('reuse', 0, costs.minorFault, 'hugetlb_wp', 'nobody else has this huge page: it becomes writable')
  const unit = vmaUnit(vma)
  if (canHave(state, fault, false))
    return filled('copy', unit, costs.minorFault + costs.copyPage * unit, 'hugetlb_wp', 'the huge page is copied whole')
  return vma.hugeResv === 'owner'
    ? filled('reuse', 0, costs.minorFault, 'unmap_ref_private', 'no page for a copy: the other one loses this page')
    : filled('sigbus', 0, 0, 'hugetlb_wp', 'no page for a copy, and none was promised')
}
