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
import { zapRange } from './mm/zap'
import type { Mm, Vma } from './mm/mm_types'
import { vmEnoughMemory } from './mm/overcommit'
import { freeAllTables, freePageTables } from './mm/pgtable'
import { mmapRegion, removeVmas, splitAt, splitsNeeded, type MmapRequest } from './mm/vma'
import type { KernelState } from './state'
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
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
  return { ino: inode.ino, name: '/dev/zero (deleted)' }
}

function mappedFile(state: KernelState, task: Task, op: MmapOp): Backing | Errno {
  const fd = task.fds[op.fd ?? -1]
  if (fd?.kind !== 'inode') return 'EBADF'
  if ((op.prot & PROT_WRITE) !== 0 && (op.flags & MAP_PRIVATE) === 0 && !fd.writable) return 'EACCES'
  const inode = inodeAt(state, fd.ino)
  if (inode.kind !== 'file') return 'ENODEV'
  inode.users++
  return { ino: fd.ino, name: fd.path ?? '' }
}

const NO_FILE: Backing = { ino: 0, name: '' }

/** @returns first page of the new mapping */
export function makeMapping(state: KernelState, task: Task, mm: Mm, op: MmapOp): Vpn | Errno {
  if (op.length <= 0 || (op.flags & (MAP_SHARED | MAP_PRIVATE)) === 0) return 'EINVAL'
  const isFixed = (op.flags & MAP_FIXED) !== 0
  if (isFixed && (op.address ?? -1) % PAGE_SIZE !== 0) return 'EINVAL'
  const pages = pagesIn(op.length)
  if (isFixed) {
    const errno = unmapRange(state, mm, pageOf(op.address!), pageOf(op.address!) + pages)
    if (errno !== undefined) return errno
  }
  const isAnonymous = (op.flags & MAP_ANONYMOUS) !== 0
  const isShared = (op.flags & MAP_SHARED) !== 0
  const backing = !isAnonymous ? mappedFile(state, task, op) : isShared ? sharedAnonymous(state, op) : NO_FILE
  if (typeof backing === 'string') return backing
  const request: MmapRequest = {
    pages,
    prot: op.prot,
    flags: op.flags,
    ...backing,
    pgoff: pagesIn(op.offset ?? 0),
    at: op.address === undefined ? -1 : pageOf(op.address),
  }
  const start = mmapRegion(state, mm, request)
  if (typeof start === 'string' && backing.ino !== 0) putFile(state, backing.ino)
  return start
}

function putFile(state: KernelState, ino: number): void {
  const inode = inodeAt(state, ino)
  inode.users--
  releaseInode(state, inode)
}

const putFiles = (state: KernelState, gone: readonly Vma[]): void => {
  for (const vma of gone) if (vma.ino !== 0) putFile(state, vma.ino)
}

/**
 * Takes a range out of an address space: its pages, its mappings, and the tables that nobody needs any more.
 * @returns ENOMEM when cutting mappings at the borders would make too many of them
 * @kernel  do_vmi_munmap()
 */
export function unmapRange(state: KernelState, mm: Mm, start: Vpn, end: Vpn): Errno | undefined {
  if (mm.vmas.length + splitsNeeded(mm, start, end) > state.sysctl.maxMapCount + 1) return 'ENOMEM'
  const { first, last } = splitAt(state, mm, start, end)
  if (first === last) return undefined
  for (let i = first; i < last; i++) zapRange(state, mm, mm.vmas[i]!, mm.vmas[i]!.start, mm.vmas[i]!.end)
  const floor = first > 0 ? mm.vmas[first - 1]!.end : 0
  const ceiling = last < mm.vmas.length ? mm.vmas[last]!.start : Number.MAX_SAFE_INTEGER
  putFiles(state, removeVmas(state, mm, first, last))
  freePageTables(state, mm, floor, ceiling)
  return undefined
}

/** The last user of an address space goes, and everything in it. @kernel exit_mmap(), mmdrop() */
export function unmapAll(state: KernelState, mm: Mm): void {
  if (mm.pgd >= 0) for (const vma of mm.vmas) zapRange(state, mm, vma, vma.start, vma.end)
  putFiles(state, removeVmas(state, mm, 0, mm.vmas.length))
  if (mm.pgd >= 0) freeAllTables(state, mm)
  mm.oomSkip = true
  charge(state, state.costs.mmapCall)
}
