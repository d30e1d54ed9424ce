/**
 * Faults in mappings of huge pages: a page from the pool, zeroed as a whole; a copy when a private page is shared with a
 * child; SIGBUS when the pool has none left for who was promised none.
 * @kernel  mm/hugetlb.c hugetlb_fault(), hugetlb_no_page(), hugetlb_wp()
 * @spec    08 §8.5
 */
import type { Ns, Pfn, Vpn } from '../../util/units'
import { charge, currentNode, isSuspended } from '../exec'
import { klog } from '../klog'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { anonVmaPrepare } from './anon_vma'
import { FAULT_MINOR, FAULT_RETRY, FAULT_SIGBUS, failed } from './fault'
import { GFP_HUGETLB } from './hugetlb'
import { ensureSlotAt, isHugePmd, pmdPfn } from './huge_pmd'
import { clearHugetlb, hugeLevel, installHugetlb } from './hugetlb_map'
import { availableHugePages, hugeIndex, hugePages, type Hstate } from './hugetlb_pool'
import {
  allocSurplus,
  commitReservation,
  freeHugePage,
  hstateVma,
  hugetlbFile,
  needsReservation,
} from './hugetlb_reserve'
import { mapcount, setPageMapping } from './memmap'
import { MPOL_PREFERRED_MANY, interleaveIndex, policyNode, policyZonelists, vmaPolicy } from './mempolicy'
import { VM_MAYSHARE, VM_SHARED, VM_WRITE, type Mm, type Vma } from './mm_types'
import { PTE_ACCESSED, PTE_DIRTY, PTE_WRITE, mmOfSlot, pteAt, setPte, vpnOfSlot } from './pgtable'
import { forEachMapping } from './rmap_chain'
import { mmAt } from './rss'
import { flushTlbPage } from './tlb_flush'
import { findVma } from './vma_find'

/** One fault, and what it is about. */
interface HugetlbFault {
  readonly task: Task
  readonly mm: Mm
  readonly vma: Vma
  readonly h: Hstate
  /** Of the entry that maps the huge page. */
  readonly slot: number
  readonly index: number
  readonly vpn: Vpn
  readonly isWrite: boolean
}

const zeroNs = (state: KernelState, h: Hstate): Ns => (state.costs.zero2MiB * hugePages(h)) / 512
const copyNs = (state: KernelState, h: Hstate): Ns => state.costs.copyPage * hugePages(h)

/**
 * An access to a huge page that is not there, or that may not be written yet.
 * @returns FAULT_*
 * @kernel  mm/hugetlb.c hugetlb_fault()
 */
export function hugetlbFault(state: KernelState, task: Task, mm: Mm, vma: Vma, vpn: Vpn, isWrite: boolean): number {
  const slot = ensureSlotAt(state, mm, vpn, hugeLevel(vma))
  if (slot < 0) return failed(state)
  const fault = { task, mm, vma, h: hstateVma(state, vma), slot, index: hugeIndex(vma, vpn), vpn, isWrite }
  const entry = pteAt(state.pgtables, slot)
  if (!isHugePmd(entry)) return noPage(state, fault)
  if (isWrite && (entry & PTE_WRITE) === 0) return writeProtected(state, fault)
  setPte(state.pgtables, slot, (entry | PTE_ACCESSED | (isWrite ? PTE_DIRTY : 0)) >>> 0)
  return FAULT_MINOR
}

/** @kernel mm/hugetlb.c hugetlb_no_page() */
function noPage(state: KernelState, fault: HugetlbFault): number {
  const { task, mm, vma, h, slot, index, isWrite } = fault
  if (vma.hugeResv === 'unmapped') {
    klog(state, `PID ${task.pid} killed due to inadequate hugepage pool`)
    return FAULT_SIGBUS
  }
  if ((vma.flags & VM_MAYSHARE) !== 0) return sharedPage(state, fault)
  if (vma.anonVma === 0 && !anonVmaPrepare(state, mm, vma)) return failed(state)
  const pfn = allocHugetlbPage(state, fault, false)
  if (pfn === 0) return isSuspended(state) ? FAULT_RETRY : FAULT_SIGBUS
  setPageMapping(state.memmap, pfn, vma.ino, index)
  installHugetlb(state, mm, slot, pfn, PTE_ACCESSED | (isWrite ? PTE_WRITE | PTE_DIRTY : 0))
  charge(state, state.costs.minorFault + zeroNs(state, h))
  return FAULT_MINOR
}

/** A page of a shared file: the one that is there, or a new one for all. @kernel hugetlb_no_page(), VM_MAYSHARE */
function sharedPage(state: KernelState, { mm, vma, h, slot, index, ...fault }: HugetlbFault): number {
  const { pages } = hugetlbFile(state, vma)
  let pfn = pages[index]!
  if (pfn === 0) {
    pfn = allocHugetlbPage(state, { ...fault, mm, vma, h, slot, index }, false)
    if (pfn === 0) return isSuspended(state) ? FAULT_RETRY : FAULT_SIGBUS
    setPageMapping(state.memmap, pfn, vma.ino, index)
    pages[index] = pfn
    charge(state, zeroNs(state, h))
  }
  const canWrite = (vma.flags & (VM_WRITE | VM_SHARED)) === (VM_WRITE | VM_SHARED)
  installHugetlb(state, mm, slot, pfn, PTE_ACCESSED | (canWrite ? PTE_WRITE | PTE_DIRTY : 0))
  charge(state, state.costs.minorFault)
  return FAULT_MINOR
}

/** A write to a page that is mapped read-only in a writable mapping. @kernel mm/hugetlb.c hugetlb_wp() */
function writeProtected(state: KernelState, fault: HugetlbFault): number {
  const { mm, vma, h, slot } = fault
  const t = state.pgtables
  const old = pmdPfn(pteAt(t, slot))
  const reuse = (): number => {
    setPte(t, slot, (pteAt(t, slot) | PTE_WRITE | PTE_DIRTY | PTE_ACCESSED) >>> 0)
    charge(state, state.costs.minorFault)
    return FAULT_MINOR
  }
  if ((vma.flags & VM_MAYSHARE) !== 0 || mapcount(state.memmap, old) === 1) return reuse()
  const isOwner = vma.hugeResv === 'owner'
  const pfn = allocHugetlbPage(state, fault, isOwner)
  if (pfn === 0) {
    if (isSuspended(state)) return FAULT_RETRY
    if (!isOwner) return FAULT_SIGBUS
    // The one who was promised the page keeps it; who shares it by fork loses it.
    unmapRefPrivate(state, mm, old)
    return mapcount(state.memmap, old) === 1 ? reuse() : FAULT_SIGBUS
  }
  clearHugetlb(state, slot)
  flushTlbPage(state, mm.id, slot)
  if (mapcount(state.memmap, old) === 0) freeHugePage(state, h, old)
  setPageMapping(state.memmap, pfn, vma.ino, fault.index)
  installHugetlb(state, mm, slot, pfn, PTE_ACCESSED | PTE_WRITE | PTE_DIRTY)
  charge(state, state.costs.minorFault + copyNs(state, h))
  return FAULT_MINOR
}

/** Takes a private page away from all who were promised none. @kernel mm/hugetlb.c unmap_ref_private() */
function unmapRefPrivate(state: KernelState, owner: Mm, pfn: Pfn): void {
  const t = state.pgtables
  forEachMapping(state, pfn, (slot) => {
    const mm = mmAt(state, mmOfSlot(t, slot))
    const vma = findVma(mm, vpnOfSlot(t, slot))
    if (mm === owner || vma === undefined || vma.hugeResv === 'owner') return
    vma.hugeResv = 'unmapped'
    clearHugetlb(state, slot)
    flushTlbPage(state, mm.id, slot)
  })
}

// ---------------------------------------------------------------- a page from the pool

/**
 * @param avoidReserve  not one that somebody was promised: the caller has used his own promise already
 * @returns 0 = none, or waiting
 * @kernel  mm/hugetlb.c alloc_hugetlb_folio(), dequeue_hugetlb_folio_vma()
 */
function allocHugetlbPage(state: KernelState, { vma, h, index, vpn }: HugetlbFault, avoidReserve: boolean): Pfn {
  const isPromised = !avoidReserve && !needsReservation(state, vma, index)
  const nids = nodesFor(state, vma, vpn)
  let pfn = 0
  if (isPromised || availableHugePages(h) > 0) pfn = dequeue(h, nids)
  if (pfn === 0) pfn = allocSurplus(state, h, nids[0] ?? currentNode(state))
  if (pfn === 0) return 0
  if (isPromised) h.resv--
  commitReservation(state, vma, index)
  return pfn
}

/** @kernel mm/hugetlb.c dequeue_hugetlb_folio_nodemask() */
function dequeue(h: Hstate, nids: readonly number[]): Pfn {
  for (const nid of nids) {
    const pfn = h.free[nid]!.pop()
    if (pfn !== undefined) return pfn
  }
  return 0
}

/** Nodes that the mapping's policy allows, the nearest one first. @kernel mm/mempolicy.c huge_node() */
function nodesFor(state: KernelState, vma: Vma, vpn: Vpn): readonly number[] {
  const policy = vmaPolicy(state, vma)
  const unique = (zones: readonly number[]): number[] => [...new Set(zones.map((zone) => state.zones[zone]!.nid))]
  if (policy === undefined) return unique(state.nodes[currentNode(state)]!.zonelist)
  const nid = policyNode(state, policy, interleaveIndex(vma, vpn, vma.hugeOrder!))
  const all = unique(policyZonelists(state, policy, nid, GFP_HUGETLB).zonelist)
  if (policy.mode !== MPOL_PREFERRED_MANY) return all
  // The mask first, then everybody.
  return [...all.filter((n) => policy.nodes.includes(n)), ...all.filter((n) => !policy.nodes.includes(n))]
}
