/**
 * madvise: what a program says about its memory, and what the kernel makes of it.
 * @kernel  mm/madvise.c
 * @spec    04 §4.4 madvise
 */
import type { Errno } from '../util/errno'
import { PAGE_SIZE, type Ns, type Vpn } from '../util/units'
import { charge } from './exec'
import { punchHole } from './fs/vfs'
import { pageOf, pagesIn } from './mappings'
import { filePages, inodeAt, startReadahead } from './mm/filemap'
import { PG_LARGE } from './mm/folio'
import { GFP_KERNEL } from './mm/gfp'
import { forEachOwnHugePage } from './mm/huge_madvise'
import { vmaUnit } from './mm/hugetlb_pool'
import { PG_DIRTY, PG_REFERENCED, PG_SWAPCACHE, clearFlag, hasFlag, mapcount } from './mm/memmap'
import { tlbFinishMmu, tlbGatherMmu, tlbRemove } from './mm/mmu_gather'
import { zapRange } from './mm/zap'
import {
  MM_SWAPENTS,
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_DONTEXPAND,
  VM_HUGEPAGE,
  VM_HUGETLB,
  VM_IO,
  VM_LOCKED,
  VM_MAYSHARE,
  VM_MERGEABLE,
  VM_NOHUGEPAGE,
  VM_RAND_READ,
  VM_READ,
  VM_SEQ_READ,
  VM_SHARED,
  VM_SPECIAL,
  VM_WIPEONFORK,
  VM_WRITE,
  type Mm,
  type Vma,
} from './mm/mm_types'
import {
  PTE_ACCESSED,
  PTE_DIRTY,
  forEachPte,
  isPresent,
  isSwapPte,
  pteAt,
  ptePfn,
  pteSwapSlot,
  setPte,
  vpnOfSlot,
} from './mm/pgtable'
import { RA_PAGES_MAX, createReadahead } from './mm/readahead'
import { addMmCounter, mmAt } from './mm/rss'
import { folioDeactivate, folioMarkLazyfree, lruAddDrainAll } from './mm/swap'
import { freeSwapAndCache, tryToFreeSwap } from './mm/swap_fault'
import { swapReadFolio } from './mm/swap_state'
import { swapCacheLookup } from './mm/swapfile'
import { changeFlags, errnoOf, forEachPart, isFullyMapped, type VmaPart } from './mm/vma'
import { findVma } from './mm/vma_find'
import { reclaimPages } from './mm/vmscan'
import type { KernelState } from './state'
import { fail, succeed } from './syscall_result'
import type { Advice, Op, Task } from './task'
import { STEP_DONE, STEP_KILLED, forgetSignal, touchRange } from './touch'

type MadviseOp = Extract<Op, { op: 'madvise' }>

/** Advice that is only remembered: flags to set and to clear. @kernel madvise_vma_behavior() */
const FLAGS: { readonly [K in Advice]?: readonly [set: number, clear: number] } = {
  normal: [0, VM_RAND_READ | VM_SEQ_READ],
  random: [VM_RAND_READ, VM_SEQ_READ],
  sequential: [VM_SEQ_READ, VM_RAND_READ],
  hugepage: [VM_HUGEPAGE, VM_NOHUGEPAGE],
  nohugepage: [VM_NOHUGEPAGE, VM_HUGEPAGE],
  dontfork: [VM_DONTCOPY, 0],
  dofork: [0, VM_DONTCOPY],
  wipeonfork: [VM_WIPEONFORK, 0],
  keeponfork: [0, VM_WIPEONFORK],
  dontdump: [VM_DONTDUMP, 0],
  dodump: [0, VM_DONTDUMP],
  mergeable: [VM_MERGEABLE, 0],
  unmergeable: [0, VM_MERGEABLE],
}

/** Mappings that KSM leaves alone, whatever is asked. @kernel vma_ksm_compatible() */
const KSM_NEVER = VM_SHARED | VM_MAYSHARE | VM_SPECIAL | VM_HUGETLB

/** Mappings for which a flag makes no sense. @kernel madvise_vma_behavior(), hugepage_madvise() */
const isFlagRefused = (advice: Advice, vma: Vma): boolean => {
  if (advice === 'dofork') return (vma.flags & VM_IO) !== 0
  if (advice === 'wipeonfork') return vma.ino !== 0 || (vma.flags & VM_SHARED) !== 0
  if (advice === 'dodump') return (vma.flags & VM_HUGETLB) === 0 && (vma.flags & VM_SPECIAL) !== 0
  return advice === 'hugepage' && (vma.flags & VM_SPECIAL) !== 0
}

/** @returns EINVAL, EAGAIN: too many mappings, which is said that way here */
function adviseFlags(state: KernelState, mm: Mm, part: VmaPart, advice: Advice): Errno | undefined {
  const [set, clear] = FLAGS[advice]!
  if (isFlagRefused(advice, part.vma)) return 'EINVAL'
  if ((advice === 'mergeable' || advice === 'unmergeable') && (part.vma.flags & KSM_NEVER) !== 0) return undefined
  const errno = errnoOf(changeFlags(state, mm, part, set, clear))
  return errno === undefined ? undefined : 'EAGAIN'
}

type RangeAction = (state: KernelState, mm: Mm, vma: Vma, start: Vpn, end: Vpn) => Errno | undefined

/** Huge pages of the pool go whole: a part at the end stays. @kernel madvise_dontneed_free_valid_vma() */
const dontneed: RangeAction = (state, mm, vma, start, end) => {
  const unit = vmaUnit(vma)
  if (unit === 1 && (vma.flags & (VM_LOCKED | VM_DONTEXPAND)) !== 0) return 'EINVAL'
  if (start % unit !== 0) return 'EINVAL'
  tlbGatherMmu()
  zapRange(state, mm, vma, start, end - (end % unit))
  tlbFinishMmu(state, mm.id, false)
  return undefined
}

const isFreeable = (vma: Vma): boolean => vma.ino === 0 && (vma.flags & (VM_SHARED | VM_LOCKED | VM_DONTEXPAND)) === 0
const isPageable = (vma: Vma): boolean => (vma.flags & (VM_LOCKED | VM_DONTEXPAND)) === 0

/** Pages may be dropped instead of swapped until they are written again. @kernel madvise_free_pte_range() */
const free: RangeAction = (state, mm, vma, start, end) => {
  if (!isFreeable(vma)) return 'EINVAL'
  lruAddDrainAll(state)
  tlbGatherMmu()
  forEachOwnHugePage(state, mm, start, end, (slot, entry, head) => {
    clearFlag(state.memmap, head, PG_DIRTY)
    setPte(state.pgtables, slot, (entry & ~(PTE_ACCESSED | PTE_DIRTY)) >>> 0)
    tlbRemove(state.pgtables, slot)
    folioMarkLazyfree(state, head)
  })
  forEachPte(state, mm, start, end, (slot, pte) => {
    if (isSwapPte(pte)) {
      setPte(state.pgtables, slot, 0)
      addMmCounter(state, mm.id, MM_SWAPENTS, -1)
      freeSwapAndCache(state, pteSwapSlot(pte))
      return
    }
    const pfn = ptePfn(pte)
    if (pfn === state.zeroPfn || mapcount(state.memmap, pfn) !== 1 || hasFlag(state.memmap, pfn, PG_LARGE)) return
    if (hasFlag(state.memmap, pfn, PG_SWAPCACHE) && !tryToFreeSwap(state, pfn)) return
    clearFlag(state.memmap, pfn, PG_DIRTY)
    if ((pte & (PTE_ACCESSED | PTE_DIRTY)) !== 0) tlbRemove(state.pgtables, slot)
    setPte(state.pgtables, slot, pte & ~(PTE_ACCESSED | PTE_DIRTY))
    folioMarkLazyfree(state, pfn)
  })
  tlbFinishMmu(state, mm.id, false)
  return undefined
}

/** Private pages, and those of nobody else. @kernel madvise_cold_or_pageout_pte_range() */
function ownPages(state: KernelState, mm: Mm, start: Vpn, end: Vpn, visit: (pfn: number) => void): void {
  lruAddDrainAll(state)
  tlbGatherMmu()
  forEachOwnHugePage(state, mm, start, end, (slot, entry, head) => {
    setPte(state.pgtables, slot, (entry & ~PTE_ACCESSED) >>> 0)
    tlbRemove(state.pgtables, slot)
    clearFlag(state.memmap, head, PG_REFERENCED)
    visit(head)
  })
  forEachPte(state, mm, start, end, (slot, pte) => {
    if (!isPresent(pte) || ptePfn(pte) === state.zeroPfn || mapcount(state.memmap, ptePfn(pte)) !== 1) return
    if (hasFlag(state.memmap, ptePfn(pte), PG_LARGE)) return
    if ((pte & PTE_ACCESSED) !== 0) tlbRemove(state.pgtables, slot)
    setPte(state.pgtables, slot, pte & ~PTE_ACCESSED)
    clearFlag(state.memmap, ptePfn(pte), PG_REFERENCED)
    visit(ptePfn(pte))
  })
  tlbFinishMmu(state, mm.id, false)
}

const cold: RangeAction = (state, mm, vma, start, end) => {
  if (!isPageable(vma)) return 'EINVAL'
  ownPages(state, mm, start, end, (pfn) => folioDeactivate(state, pfn))
  return undefined
}

const pageout: RangeAction = (state, mm, vma, start, end) => {
  if (!isPageable(vma)) return 'EINVAL'
  const pfns: number[] = []
  ownPages(state, mm, start, end, (pfn) => pfns.push(pfn))
  reclaimPages(state, pfns, GFP_KERNEL)
  return undefined
}

/** Reads begin now; nobody waits for them. @kernel madvise_willneed() */
const willneed: RangeAction = (state, mm, vma, start, end) => {
  if (vma.ino === 0) {
    forEachPte(state, mm, start, end, (slot) => {
      const pte = pteAt(state.pgtables, slot)
      if (!isSwapPte(pte) || swapCacheLookup(state, pteSwapSlot(pte)) !== 0) return
      swapReadFolio(state, pteSwapSlot(pte), { mm, vma, vpn: vpnOfSlot(state.pgtables, slot) })
    })
  } else if (inodeAt(state, vma.ino).fs === 'ext4') {
    const inode = inodeAt(state, vma.ino)
    const last = Math.min(vma.pgoff + (end - vma.start), filePages(inode))
    const ra = createReadahead()
    for (ra.start = vma.pgoff + (start - vma.start); ra.start < last; ra.start += RA_PAGES_MAX) {
      ra.size = Math.min(RA_PAGES_MAX, last - ra.start)
      startReadahead(state, inode, ra)
    }
  }
  state.exec.suspendUntilNs = -1
  return undefined
}

/**
 * A hole is punched into the file, for everybody who maps it.
 * @kernel  madvise_remove(), shmem_fallocate(), ext4_punch_hole()
 */
const remove: RangeAction = (state, _mm, vma, start, end) => {
  if ((vma.flags & VM_LOCKED) !== 0) return 'EINVAL'
  if (vma.ino === 0) return 'EINVAL'
  if ((vma.flags & (VM_SHARED | VM_WRITE)) !== (VM_SHARED | VM_WRITE)) return 'EACCES'
  punchHole(state, inodeAt(state, vma.ino), vma.pgoff + (start - vma.start), vma.pgoff + (end - vma.start))
  return undefined
}

const ACTIONS: { readonly [K in Advice]?: RangeAction } = { dontneed, free, cold, pageout, willneed, remove }

/** @kernel do_madvise() */
export function opMadvise(state: KernelState, task: Task, op: MadviseOp, endNs: Ns): number {
  const mm = mmAt(state, task.mm)
  if (op.address % PAGE_SIZE !== 0) return fail(task, 'EINVAL')
  const start = pageOf(op.address)
  const end = start + pagesIn(op.length)
  if (op.advice === 'populate_read' || op.advice === 'populate_write')
    return madvisePopulate(state, task, mm, { start, end, isWrite: op.advice === 'populate_write' }, endNs)
  charge(state, state.costs.syscall)
  if (start === end) return succeed(task, 0)
  const action = ACTIONS[op.advice]
  // What is mapped has been done; only then a hole is an error.
  const errno = forEachPart(mm, start, end, (part) =>
    action === undefined ? adviseFlags(state, mm, part, op.advice) : action(state, mm, part.vma, part.start, part.end),
  )
  return errno === undefined ? succeed(task, 0) : fail(task, errno)
}

interface PopulateRange {
  readonly start: Vpn
  readonly end: Vpn
  readonly isWrite: boolean
}

/** @kernel madvise_populate() */
function madvisePopulate(state: KernelState, task: Task, mm: Mm, range: PopulateRange, endNs: Ns): number {
  const { start, end, isWrite } = range
  if (!isFullyMapped(mm, start, end)) return fail(task, 'ENOMEM')
  const needed = isWrite ? VM_WRITE : VM_READ | VM_WRITE
  for (let at = start; at < end;) {
    const vma = findVma(mm, at)!
    if ((vma.flags & needed) === 0) return fail(task, 'EINVAL')
    at = vma.end
  }
  const step = touchRange(state, task, start, end - start, isWrite, 0, endNs)
  if (step === STEP_KILLED && task.killSignal === SIGBUS) {
    forgetSignal(task)
    return fail(task, 'EFAULT')
  }
  return step === STEP_DONE ? succeed(task, 0) : step
}

const SIGBUS = 7
