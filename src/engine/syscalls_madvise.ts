/**
 * madvise: what a program says about its memory, and what the kernel makes of it.
 * @kernel  mm/madvise.c
 * @spec    04 §4.4 madvise
 */
import type { Errno } from '../util/errno'
import { PAGE_SIZE, type Ns, type Vpn } from '../util/units'
import { charge } from './exec'
import { pageOf, pagesIn } from './mappings'
import { filePages, inodeAt, startReadahead } from './mm/filemap'
import { GFP_KERNEL } from './mm/gfp'
import { PG_DIRTY, PG_REFERENCED, PG_SWAPCACHE, clearFlag, hasFlag, mapcount } from './mm/memmap'
import { zapRange } from './mm/zap'
import {
  MM_SWAPENTS,
  VM_DONTEXPAND,
  VM_HUGEPAGE,
  VM_LOCKED,
  VM_NOHUGEPAGE,
  VM_RAND_READ,
  VM_READ,
  VM_SEQ_READ,
  VM_SHARED,
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
import { changeFlags, isFullyMapped, splitsNeeded } from './mm/vma'
import { findVma } from './mm/vma_find'
import { reclaimPages } from './mm/vmscan'
import type { KernelState } from './state'
import { fail, succeed } from './syscall_result'
import type { Advice, Op, Task } from './task'
import { STEP_DONE, STEP_KILLED, touchRange } from './touch'

type MadviseOp = Extract<Op, { op: 'madvise' }>

/** Advice that is only remembered: flags to set and to clear. */
const FLAGS: { readonly [K in Advice]?: readonly [set: number, clear: number] } = {
  normal: [0, VM_RAND_READ | VM_SEQ_READ],
  random: [VM_RAND_READ, VM_SEQ_READ],
  sequential: [VM_SEQ_READ, VM_RAND_READ],
  hugepage: [VM_HUGEPAGE, VM_NOHUGEPAGE],
  nohugepage: [VM_NOHUGEPAGE, VM_HUGEPAGE],
}

type RangeAction = (state: KernelState, mm: Mm, vma: Vma, start: Vpn, end: Vpn) => Errno | undefined

const dontneed: RangeAction = (state, mm, vma, start, end) => {
  if ((vma.flags & (VM_LOCKED | VM_DONTEXPAND)) !== 0) return 'EINVAL'
  zapRange(state, mm, vma, start, end)
  return undefined
}

const isFreeable = (vma: Vma): boolean => vma.ino === 0 && (vma.flags & (VM_SHARED | VM_LOCKED | VM_DONTEXPAND)) === 0
const isPageable = (vma: Vma): boolean => (vma.flags & (VM_LOCKED | VM_DONTEXPAND)) === 0

/** Pages may be dropped instead of swapped until they are written again. @kernel madvise_free_pte_range() */
const free: RangeAction = (state, mm, vma, start, end) => {
  if (!isFreeable(vma)) return 'EINVAL'
  lruAddDrainAll(state)
  forEachPte(state, mm, start, end, (slot, pte) => {
    if (isSwapPte(pte)) {
      setPte(state.pgtables, slot, 0)
      addMmCounter(state, mm.id, MM_SWAPENTS, -1)
      freeSwapAndCache(state, pteSwapSlot(pte))
      return
    }
    const pfn = ptePfn(pte)
    if (pfn === state.zeroPfn || mapcount(state.memmap, pfn) !== 1) return
    if (hasFlag(state.memmap, pfn, PG_SWAPCACHE) && !tryToFreeSwap(state, pfn)) return
    clearFlag(state.memmap, pfn, PG_DIRTY)
    setPte(state.pgtables, slot, pte & ~(PTE_ACCESSED | PTE_DIRTY))
    folioMarkLazyfree(state, pfn)
  })
  return undefined
}

/** Private pages, and those of nobody else. @kernel madvise_cold_or_pageout_pte_range() */
function ownPages(state: KernelState, mm: Mm, start: Vpn, end: Vpn, visit: (pfn: number) => void): void {
  lruAddDrainAll(state)
  forEachPte(state, mm, start, end, (slot, pte) => {
    if (!isPresent(pte) || ptePfn(pte) === state.zeroPfn || mapcount(state.memmap, ptePfn(pte)) !== 1) return
    setPte(state.pgtables, slot, pte & ~PTE_ACCESSED)
    clearFlag(state.memmap, ptePfn(pte), PG_REFERENCED)
    visit(ptePfn(pte))
  })
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

const ACTIONS: { readonly [K in Advice]?: RangeAction } = { dontneed, free, cold, pageout, willneed }

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
  const flags = FLAGS[op.advice]
  if (flags !== undefined && mm.vmas.length + splitsNeeded(mm, start, end) > state.sysctl.maxMapCount)
    return fail(task, 'ENOMEM')
  const hasHoles = !isFullyMapped(mm, start, end)
  let errno: Errno | undefined
  if (flags === undefined) errno = forEachMappingIn(state, mm, start, end, ACTIONS[op.advice]!)
  else changeFlags(state, mm, start, end, flags[0], flags[1])
  // What is mapped has been done; only then a hole is an error.
  return errno !== undefined ? fail(task, errno) : hasHoles ? fail(task, 'ENOMEM') : succeed(task, 0)
}

function forEachMappingIn(state: KernelState, mm: Mm, start: Vpn, end: Vpn, action: RangeAction): Errno | undefined {
  for (const vma of mm.vmas) {
    if (vma.start >= end || vma.end <= start) continue
    const errno = action(state, mm, vma, Math.max(vma.start, start), Math.min(vma.end, end))
    if (errno !== undefined) return errno
  }
  return undefined
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
    task.killSignal = 0
    return fail(task, 'EFAULT')
  }
  return step === STEP_DONE ? succeed(task, 0) : step
}

const SIGBUS = 7
