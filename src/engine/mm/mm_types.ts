/**
 * Address spaces: struct mm and struct vma. Functions live in vma.ts, pgtable.ts and memory.ts.
 * @kernel  include/linux/mm_types.h
 * @spec    04 §4.4, §4.10
 */
import type { SwapReadahead } from './swap_state'
import type { Bytes, Pages, Vpn } from '../../util/units'
import type { Zonelists } from './mmzone'

export const MM_FILEPAGES = 0
export const MM_ANONPAGES = 1
export const MM_SHMEMPAGES = 2
export const MM_SWAPENTS = 3

export const VM_READ = 1
export const VM_WRITE = 2
export const VM_EXEC = 4
export const VM_SHARED = 8
export const VM_GROWSDOWN = 0x100
export const VM_LOCKED = 0x2000
export const VM_RAND_READ = 0x8000
export const VM_SEQ_READ = 0x10000
/** Special mappings (vdso, vvar): never locked, never merged. */
export const VM_DONTEXPAND = 0x40000
export const VM_ACCOUNT = 0x100000
export const VM_NORESERVE = 0x200000
export const VM_HUGEPAGE = 0x20000000
export const VM_NOHUGEPAGE = 0x40000000

/** Where pages come from. Never changed once made, so that tasks and mappings may share it. Owner: mm/mempolicy.ts */
export interface Mempolicy {
  /** MPOL_* */
  readonly mode: number
  /** MPOL_F_* */
  readonly flags: number
  /** Nodes with memory that the policy names, ascending. */
  readonly nodes: readonly number[]
  /** By node: its zonelists cut down to `nodes`. Only of modes that confine, else empty. */
  readonly confined: readonly Zonelists[]
}

export interface Vma {
  /** First page and the page behind the last. */
  start: Vpn
  end: Vpn
  flags: number
  /** Inode of a file or shared mapping, 0 for private anonymous memory. */
  ino: number
  /** Page offset of `start` in the file. */
  pgoff: Pages
  /** '[heap]', '[stack]', a path, or ''. */
  name: string
  /** Has ever had an anonymous page (anon_vma exists). */
  hasAnon: boolean
  /** Contents do not compress: for zram and zero-page detection. */
  incompressible: boolean
  /** History of swap-in; absent before the first. Owner: mm/swap_state.ts */
  swapRa?: SwapReadahead
  /** Set by mbind(); absent: the task's policy holds. Owner: mm/mbind.ts */
  policy?: Mempolicy
}

export interface Mm {
  readonly id: number
  /** Tasks that share it; 0 = free slot. */
  users: number
  /** Index of the top-level table in state.pgtables. */
  pgd: number
  vmas: Vma[]
  /** Exact part: [file, anon, shmem, swap]; add `rssPending` for the precise value (6.2+: per-CPU, batch 32). */
  readonly rss: Float64Array
  /** cpu * 4 + counter: deltas that a cheap read does not see. */
  readonly rssPending: Int32Array
  pgtablesBytes: Bytes
  totalVm: Pages
  dataVm: Pages
  stackVm: Pages
  execVm: Pages
  lockedVm: Pages
  hiwaterRss: Pages
  hiwaterVm: Pages
  /** Heap: first and current break, bytes. */
  startBrk: number
  brk: number
  /** mmap goes down from here, bytes. */
  mmapBase: number
  lockFuture: boolean
  /** MMF_OOM_SKIP: reaped or given up. */
  oomSkip: boolean
  /** pid of the task chosen as victim, 0 none. */
  oomVictim: number
}
