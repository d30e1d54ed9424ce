/**
 * mprotect: what it promises and takes back, which mappings it cuts and joins, and what becomes of pages that are there.
 * @kernel  mm/mprotect.c
 * @spec    04 §4.4
 */
import type { Errno } from '../util/errno'
import { PAGE_SIZE } from '../util/units'
import { charge } from './exec'
import { pageOf, pagesIn } from './mappings'
import { inodeAt, isShmem } from './mm/filemap'
import { forEachHugePmd, pmdPfn } from './mm/huge_pmd'
import { changeHugetlbProtection } from './mm/hugetlb_map'
import { PG_ANON_EXCLUSIVE, hasFlag } from './mm/memmap'
import { mayExpandVm, vmFlags } from './mm/mmap'
import {
  VM_ACCESS_FLAGS,
  VM_ACCOUNT,
  VM_HUGETLB,
  VM_NORESERVE,
  VM_SHARED,
  VM_WRITE,
  type Mm,
  type Vma,
} from './mm/mm_types'
import { vmEnoughMemory, vmUnacctMemory } from './mm/overcommit'
import { PTE_DIRTY, forEachPte, isPresent, ptePfn, setPte, withAccess } from './mm/pgtable'
import { tlbFinishMmu, tlbGatherMmu, tlbRemove } from './mm/mmu_gather'
import { mmAt } from './mm/rss'
import { changeFlags, forEachPart, type VmaPart } from './mm/vma'
import type { KernelState } from './state'
import { fail, succeed } from './syscall_result'
import { PROT_EXEC, PROT_READ, PROT_WRITE, type Op, type Task } from './task'

const PROT_BITS = PROT_READ | PROT_WRITE | PROT_EXEC | 8
const NOT_ACCOUNTED_BY_WRITE = VM_ACCOUNT | VM_WRITE | VM_HUGETLB | VM_SHARED | VM_NORESERVE

/**
 * Changes what may be done with the pages of a range, mapping after mapping: those before one that is refused stay
 * changed.
 * @kernel  mm/mprotect.c do_mprotect_pkey()
 */
export function opMprotect(state: KernelState, task: Task, op: Extract<Op, { op: 'mprotect' }>): number {
  const mm = mmAt(state, task.mm)
  const start = pageOf(op.address)
  const end = start + pagesIn(op.length)
  if (op.address % PAGE_SIZE !== 0) return fail(task, 'EINVAL')
  if (start === end) return succeed(task, 0)
  if (end < start) return fail(task, 'ENOMEM')
  if ((op.prot & ~PROT_BITS) !== 0) return fail(task, 'EINVAL')
  charge(state, state.costs.mmapCall)
  const access = vmFlags(op.prot, 0) & VM_ACCESS_FLAGS
  const errno = forEachPart(mm, start, end, (part) => mprotectFixup(state, mm, part, access), 'stop')
  return errno === undefined ? succeed(task, 0) : fail(task, errno)
}

/** @kernel mm/mprotect.c mprotect_fixup(), and the check of VM_MAY* before it */
function mprotectFixup(state: KernelState, mm: Mm, part: VmaPart, access: number): Errno | undefined {
  const { vma, start, end } = part
  // VM_MAYREAD … VM_MAYEXEC lie four bits above VM_READ … VM_EXEC.
  if ((access & ~(vma.flags >> 4)) !== 0) return 'EACCES'
  const before = vma.flags
  if ((before & VM_ACCESS_FLAGS) === access) return undefined
  const account = accountChange(state, mm, part, access)
  if (account === 'ENOMEM') return account
  const set = access | (account === 'promise' ? VM_ACCOUNT : 0)
  const clear = (VM_ACCESS_FLAGS & ~access) | (account === 'release' ? VM_ACCOUNT : 0)
  const changed = changeFlags(state, mm, part, set, clear)
  if (typeof changed === 'string') {
    if (account === 'promise') vmUnacctMemory(state, end - start)
    return changed
  }
  if (account === 'release') vmUnacctMemory(state, end - start)
  changeProtection(state, mm, changed, part)
  return undefined
}

/** What the change promises or takes back. @spec 04 §4.4 */
function accountChange(
  state: KernelState,
  mm: Mm,
  { vma, start, end }: VmaPart,
  access: number,
): 'promise' | 'release' | 'nothing' | 'ENOMEM' {
  const pages = end - start
  if ((access & VM_WRITE) === 0) {
    // A promise for memory that nobody has written goes back (6.7+).
    const isUntouched = (vma.flags & VM_ACCOUNT) !== 0 && vma.ino === 0 && vma.anonVma === 0
    return isUntouched && state.config.series !== '6.1' ? 'release' : 'nothing'
  }
  const wanted = (vma.flags & ~VM_ACCESS_FLAGS) | access
  if (!mayExpandVm(state, mm, wanted, pages) && mayExpandVm(state, mm, vma.flags, pages)) return 'ENOMEM'
  if ((vma.flags & NOT_ACCOUNTED_BY_WRITE) !== 0) return 'nothing'
  return vmEnoughMemory(state, mm, pages) ? 'promise' : 'ENOMEM'
}

/**
 * The entries of the pages that are there. Taking access away is done at once; giving it waits for a write fault,
 * unless nobody else has a say about the page.
 * @kernel  change_pte_range(), pte_needs_flush(), can_change_pte_writable()
 */
function changeProtection(state: KernelState, mm: Mm, vma: Vma, { start, end }: VmaPart): void {
  const range = { start, end }
  const isNone = (vma.flags & VM_ACCESS_FLAGS) === 0
  const isWritable = (vma.flags & VM_WRITE) !== 0
  const access = (upgrade: boolean): 'none' | 'write' | 'read' => (isNone ? 'none' : upgrade ? 'write' : 'read')
  // A translation that allows less than the entry costs a fault at most: only rights that went need a flush.
  const change = (slot: number, before: number, after: number): void => {
    setPte(state.pgtables, slot, after)
    if ((before & ~after) !== 0) tlbRemove(state.pgtables, slot)
  }
  tlbGatherMmu()
  if (vma.hugeOrder !== undefined) {
    changeHugetlbProtection(state, mm, { vma, ...range })
    return tlbFinishMmu(state, mm.id, false)
  }
  forEachHugePmd(state, mm, range.start, range.end, (slot, entry) =>
    change(slot, entry, withAccess(entry, access(isWritable && mayWriteHugeAtOnce(state, entry)))),
  )
  forEachPte(state, mm, range.start, range.end, (slot, pte) => {
    if (!isPresent(pte)) return
    const upgrade = isWritable && mayWriteAtOnce(state, vma, pte)
    change(slot, pte, withAccess(pte, access(upgrade)))
  })
  tlbFinishMmu(state, mm.id, false)
}

/** @kernel mm/huge_memory.c can_change_pmd_writable() */
function mayWriteHugeAtOnce(state: KernelState, entry: number): boolean {
  if ((entry & PTE_DIRTY) === 0 && state.config.series === '6.1') return false
  return pmdPfn(entry) !== state.thp.hugeZeroPfn && hasFlag(state.memmap, pmdPfn(entry), PG_ANON_EXCLUSIVE)
}

function mayWriteAtOnce(state: KernelState, vma: Vma, pte: number): boolean {
  const isDirty = (pte & PTE_DIRTY) !== 0
  if ((vma.flags & VM_SHARED) === 0) {
    const isOwn = ptePfn(pte) !== state.zeroPfn && hasFlag(state.memmap, ptePfn(pte), PG_ANON_EXCLUSIVE)
    return isOwn && (isDirty || state.config.series !== '6.1')
  }
  // tmpfs does not want to hear of the first write; a disk's file does, unless the page is dirty already (6.2+).
  return isShmem(inodeAt(state, vma.ino)) || (isDirty && state.config.series !== '6.1')
}
