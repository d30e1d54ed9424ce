/**
 * Mappings together with the files that they hold: made by mmap, taken away by munmap, exit and a fork that failed.
 * Above mm/vma.ts, because letting go of a file's last user frees the file.
 * @kernel  mm/mmap.c do_mmap(), do_vmi_munmap(), exit_mmap()
 */
import type { Errno } from '../util/errno'
import { PAGE_SIZE, type Pages, type Vpn } from '../util/units'
import { charge } from './exec'
import { dAdd, giveNameObjects, takeNameObjects } from './fs/dcache'
import { createInode, releaseInode } from './fs/vfs'
import { inodeAt } from './mm/filemap'
import { putHugeZeroPage } from './mm/huge_zero'
import { GIGANTIC_ORDER, HUGE_ORDER, maySplit } from './mm/hugetlb_pool'
import { closeHugetlb, createHugetlbFile, evictHugetlb } from './mm/hugetlb_reserve'
import { zapRange } from './mm/zap'
import { VM_DONTEXPAND, VM_HUGETLB, VM_MAYWRITE, VM_SHARED, type Mm, type Vma } from './mm/mm_types'
import { vmEnoughMemory } from './mm/overcommit'
import { giveOne } from './mm/slab_group'
import { tlbFinishMmu, tlbGatherMmu } from './mm/mmu_gather'
import { freeAllTables, freePageTables } from './mm/pgtable'
import { exitTlb } from './mm/tlb_flush'
import { getUnmappedArea, mayLock, mayMap, mmapRegion, vmFlags } from './mm/mmap'
import { removeVmas, splitAt } from './mm/vma'
import { findVma } from './mm/vma_find'
import { isCapable, rlimitPages } from './rlimit'
import type { KernelState } from './state'
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_GROWSDOWN,
  MAP_HUGETLB,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MAP_STACK,
  MAP_TYPE,
  PROT_WRITE,
  type Op,
  type Task,
} from './task'

type MmapOp = Extract<Op, { op: 'mmap' }>

export const pageOf = (address: number): Vpn => Math.floor(address / PAGE_SIZE)
export const pagesIn = (bytes: number): Pages => Math.ceil(bytes / PAGE_SIZE)

/** The file behind a mapping, with the mapping counted as its user. */
interface Backing {
  readonly ino: number
  readonly name: string
  /** VM_* that the mapping may not have. */
  readonly clear: number
  /** VM_* that it always has. */
  readonly set?: number
  readonly hugeOrder?: number
}

/** Shared memory without a name is a tmpfs file without a name. @kernel mm/shmem.c shmem_zero_setup() */
function sharedAnonymous(state: KernelState, op: MmapOp): Backing | Errno {
  const pages = pagesIn(op.length)
  const isReserved = (op.flags & MAP_NORESERVE) === 0 || state.sysctl.overcommitMemory === 2
  const objects = takeNameObjects(state, 'tmpfs', 'dev/zero')
  if (objects === undefined) return 'ENOMEM'
  if (isReserved && !vmEnoughMemory(state, undefined, pages)) {
    giveNameObjects(state, objects)
    return 'ENOMEM'
  }
  const inode = createInode(state, 'file', 'tmpfs', pages * PAGE_SIZE, -1)
  dAdd(state, objects, inode, { parent: 0, name: 'dev/zero', owner: 0 })
  inode.linked = false
  inode.committed = isReserved ? pages : 0
  inode.isReserved = isReserved
  inode.users = 1
  return { ino: inode.ino, name: '/dev/zero (deleted)', clear: 0 }
}

/** @kernel MAP_HUGE_SHIFT, MAP_HUGE_MASK */
const MAP_HUGE_SHIFT = 26
const MAP_HUGE_MASK = 0x3f
const HUGE_SHIFTS: Readonly<Record<number, number>> = { 0: HUGE_ORDER, 21: HUGE_ORDER, 30: GIGANTIC_ORDER }

/** Of MAP_HUGETLB with MAP_2MB, MAP_1GB or the default size. @returns order; undefined = no such size @kernel hstate_sizelog() */
const hugeOrderOf = (flags: number): number | undefined => HUGE_SHIFTS[(flags >>> MAP_HUGE_SHIFT) & MAP_HUGE_MASK]

/** Huge pages without a name are a file of hugetlbfs without a name. @kernel fs/hugetlbfs/inode.c hugetlb_file_setup() */
function anonymousHuge(state: KernelState, op: MmapOp, pages: Pages): Backing | Errno {
  const order = hugeOrderOf(op.flags)!
  const objects = takeNameObjects(state, 'hugetlbfs', 'anon_hugepage')
  if (objects === undefined) return 'ENOMEM'
  const inode = createInode(state, 'file', 'hugetlbfs', pages * PAGE_SIZE, -1)
  dAdd(state, objects, inode, { parent: 0, name: 'anon_hugepage', owner: 0 })
  inode.linked = false
  inode.users = 1
  const isShared = (op.flags & MAP_TYPE) !== MAP_PRIVATE
  inode.hugetlb = createHugetlbFile(order, pages / 2 ** order, isShared)
  const set = VM_HUGETLB | VM_DONTEXPAND
  return { ino: inode.ino, name: '/anon_hugepage (deleted)', clear: 0, set, hugeOrder: order }
}

/** What a mapping may become of a file, by the way the file was opened. @kernel mm/mmap.c do_mmap(), the file's part */
function mappedFile(state: KernelState, task: Task, op: MmapOp): Backing | Errno {
  const fd = task.fds[op.fd ?? -1]
  if (fd === undefined) return 'EBADF'
  const type = op.flags & MAP_TYPE
  const canWrite = fd.kind === 'inode' && fd.writable
  if (type === MAP_SHARED_VALIDATE && (op.flags & ~KNOWN_FLAGS) !== 0) return 'EOPNOTSUPP'
  if (type !== MAP_PRIVATE && (op.prot & PROT_WRITE) !== 0 && !canWrite) return 'EACCES'
  if (type !== MAP_PRIVATE && canWrite && fd.append) return 'EACCES'
  const inode = fd.kind === 'inode' ? inodeAt(state, fd.ino) : undefined
  if (fd.kind !== 'inode' || inode?.kind !== 'file') return 'ENODEV'
  if ((op.flags & MAP_GROWSDOWN) !== 0) return 'EINVAL'
  inode.users++
  // A file opened for reading only: it can never become writable, and nothing of it is ever dirtied.
  const clear = type !== MAP_PRIVATE && !canWrite ? VM_MAYWRITE | VM_SHARED : 0
  return { ino: fd.ino, name: fd.path ?? '', clear }
}

const NO_FILE: Backing = { ino: 0, name: '', clear: 0 }

/** Flags that MAP_SHARED_VALIDATE knows. @kernel LEGACY_MAP_MASK */
const KNOWN_FLAGS =
  MAP_TYPE |
  MAP_FIXED |
  MAP_ANONYMOUS |
  MAP_GROWSDOWN |
  MAP_LOCKED |
  MAP_NORESERVE |
  MAP_POPULATE |
  MAP_NONBLOCK |
  MAP_STACK |
  0x1800

/** Of a request: what no file and no other mapping is needed to refuse. @kernel do_mmap(), the first checks */
function refusedAtSight(state: KernelState, mm: Mm, op: MmapOp): Errno | undefined {
  if ((op.offset ?? 0) % PAGE_SIZE !== 0 || op.length === 0) return 'EINVAL'
  if (op.length < 0 || op.length >= 2 ** 64 - PAGE_SIZE) return 'ENOMEM'
  return mm.vmas.length > state.sysctl.maxMapCount ? 'ENOMEM' : undefined
}

const isTypeKnown = (op: MmapOp): boolean => {
  const type = op.flags & MAP_TYPE
  if (type === MAP_SHARED_VALIDATE) return (op.flags & MAP_ANONYMOUS) === 0
  return type === MAP_SHARED || type === MAP_PRIVATE
}

/** Mappings of disk files are placed by their offset; tmpfs places its own like anonymous memory, without alignment. */
function diskOffset(state: KernelState, task: Task, op: MmapOp): { fileOffset: Pages } | undefined {
  const fd = task.fds[op.fd ?? -1]
  const isOnDisk = fd?.kind === 'inode' && inodeAt(state, fd.ino).fs === 'ext4'
  return isOnDisk ? { fileOffset: Math.floor((op.offset ?? 0) / PAGE_SIZE) } : undefined
}

/**
 * A new mapping, in the kernel's order of questions; what a fixed one covers goes only when nothing stands against it.
 * @returns first page of the new mapping
 * @kernel  ksys_mmap_pgoff(), do_mmap(), mmap_region()
 */
export function makeMapping(state: KernelState, task: Task, mm: Mm, op: MmapOp): Vpn | Errno {
  const isAnonymous = (op.flags & MAP_ANONYMOUS) !== 0
  if (!isAnonymous && (op.offset ?? 0) % PAGE_SIZE === 0 && task.fds[op.fd ?? -1] === undefined) return 'EBADF'
  const refused = refusedAtSight(state, mm, op)
  if (refused !== undefined) return refused
  const hugeOrder = isAnonymous && (op.flags & MAP_HUGETLB) !== 0 ? hugeOrderOf(op.flags) : 0
  if (hugeOrder === undefined || (!isAnonymous && (op.flags & MAP_HUGETLB) !== 0)) return 'EINVAL'
  const unit = 2 ** hugeOrder
  const pages = Math.ceil(pagesIn(op.length) / unit) * unit
  const onDisk = isAnonymous ? undefined : diskOffset(state, task, op)
  const place = { pages, flags: op.flags, address: op.address ?? 0, isAnonymous, unit, ...onDisk }
  const start = getUnmappedArea(state, mm, place)
  if (typeof start === 'string') return start
  const wanted = vmFlags(op.prot, op.flags) | mm.defFlags
  if ((op.flags & MAP_LOCKED) !== 0 && !isCapable(state) && rlimitPages(state, 'memlock') === 0) return 'EPERM'
  if (!mayLock(state, mm, wanted, pages)) return 'EAGAIN'
  if (!isTypeKnown(op)) return 'EINVAL'
  const isShared = (op.flags & MAP_TYPE) !== MAP_PRIVATE
  if (isAnonymous && isShared && (op.flags & MAP_GROWSDOWN) !== 0) return 'EINVAL'
  if (!mayMap(state, mm, wanted, start, pages)) return 'ENOMEM'
  const backing = backingOf(state, task, op, hugeOrder > 0 ? pages : 0)
  if (typeof backing === 'string') return backing
  const { ino, name, clear, set = 0, ...huge } = backing
  const flags = (wanted & ~clear) | set
  const region = { start, pages, flags, ino, name, pgoff: isAnonymous ? 0 : pagesIn(op.offset ?? 0), ...huge }
  const errno = unmapRange(state, mm, start, start + pages) ?? mmapRegion(state, mm, region)
  if (errno !== undefined && backing.ino !== 0) putFile(state, backing.ino)
  return errno ?? start
}

/** @param hugePages  of 4 KiB, when they come from the pool */
function backingOf(state: KernelState, task: Task, op: MmapOp, hugePages: Pages): Backing | Errno {
  if ((op.flags & MAP_ANONYMOUS) === 0) return mappedFile(state, task, op)
  if (hugePages > 0) return anonymousHuge(state, op, hugePages)
  return (op.flags & MAP_TYPE) !== MAP_PRIVATE ? sharedAnonymous(state, op) : NO_FILE
}

function putFile(state: KernelState, ino: number): void {
  const inode = inodeAt(state, ino)
  inode.users--
  if (inode.users === 0) evictHugetlb(state, inode)
  releaseInode(state, inode)
}

const putFiles = (state: KernelState, gone: readonly Vma[]): void => {
  for (const vma of gone) {
    if (vma.hugeOrder !== undefined) closeHugetlb(state, vma)
    if (vma.ino !== 0) putFile(state, vma.ino)
  }
}

/**
 * Takes a range out of an address space: its pages, its mappings, and the tables that nobody needs any more.
 * @returns ENOMEM when a hole in a mapping would make too many of them; EINVAL when a huge page would be cut
 * @kernel  do_vmi_munmap()
 */
export function unmapRange(state: KernelState, mm: Mm, start: Vpn, end: Vpn): Errno | undefined {
  const around = findVma(mm, start)
  // Only a hole in the middle of one makes them more.
  const isHole = around !== undefined && around.start < start && end < around.end
  if (isHole && mm.vmas.length >= state.sysctl.maxMapCount) return 'ENOMEM'
  const before = findVma(mm, end - 1)
  if (around !== undefined && !maySplit(around, start)) return 'EINVAL'
  if (before !== undefined && before.end > end && !maySplit(before, end)) return 'EINVAL'
  const { first, last } = splitAt(state, mm, start, end)
  if (first === last) return undefined
  tlbGatherMmu()
  for (let i = first; i < last; i++) zapRange(state, mm, mm.vmas[i]!, mm.vmas[i]!.start, mm.vmas[i]!.end)
  const floor = first > 0 ? mm.vmas[first - 1]!.end : 0
  const ceiling = last < mm.vmas.length ? mm.vmas[last]!.start : Number.MAX_SAFE_INTEGER
  putFiles(state, removeVmas(state, mm, first, last))
  tlbFinishMmu(state, mm.id, freePageTables(state, mm, floor, ceiling))
  return undefined
}

/** The last user of an address space goes, and everything in it. @kernel exit_mmap(), mmdrop() */
export function unmapAll(state: KernelState, mm: Mm): void {
  tlbGatherMmu()
  if (mm.pgd >= 0) for (const vma of mm.vmas) zapRange(state, mm, vma, vma.start, vma.end)
  putFiles(state, removeVmas(state, mm, 0, mm.vmas.length))
  if (mm.pgd >= 0) {
    freeAllTables(state, mm)
    exitTlb(state, mm.id)
  }
  putHugeZeroPage(state, mm)
  giveOne(state, mm.object)
  mm.object = 0
  mm.oomSkip = true
  charge(state, state.costs.mmapCall)
}
