/**
 * Address spaces: struct mm and struct vma. Functions live in vma.ts, pgtable.ts and memory.ts.
 * @kernel  include/linux/mm_types.h
 * @spec    04 §4.4, §4.10
 */
import type { SwapReadahead } from './swap_state'
import type { Bytes, Pages, Vpn } from '../../util/units'
import type { AnonVmaLink } from './anon_vma'
import type { MmNuma } from './numa_state'
import type { Zonelists } from './mmzone'

export const MM_FILEPAGES = 0
export const MM_ANONPAGES = 1
export const MM_SHMEMPAGES = 2
export const MM_SWAPENTS = 3

export const VM_READ = 1
export const VM_WRITE = 2
export const VM_EXEC = 4
export const VM_SHARED = 8
/** What mprotect() may still allow: a shared mapping of a file that was opened for reading lacks MAYWRITE. */
export const VM_MAYREAD = 0x10
export const VM_MAYWRITE = 0x20
export const VM_MAYEXEC = 0x40
export const VM_MAYSHARE = 0x80
export const VM_GROWSDOWN = 0x100
export const VM_PFNMAP = 0x400
export const VM_LOCKED = 0x2000
export const VM_IO = 0x4000
export const VM_SEQ_READ = 0x8000
export const VM_RAND_READ = 0x10000
/** fork leaves it out. */
export const VM_DONTCOPY = 0x20000
/** Special mappings (vdso, vvar): never locked, never merged. */
export const VM_DONTEXPAND = 0x40000
/** mlock2(MLOCK_ONFAULT): pages are locked when they are touched. */
export const VM_LOCKONFAULT = 0x80000
export const VM_ACCOUNT = 0x100000
export const VM_NORESERVE = 0x200000
export const VM_HUGETLB = 0x400000
/** A forked child finds zeros. */
export const VM_WIPEONFORK = 0x2000000
export const VM_DONTDUMP = 0x4000000
export const VM_HUGEPAGE = 0x20000000
export const VM_NOHUGEPAGE = 0x40000000
/** Bit 31, as JavaScript's bit operations give it back. */
export const VM_MERGEABLE = 0x80000000 | 0

/** @kernel VM_ACCESS_FLAGS */
export const VM_ACCESS_FLAGS = VM_READ | VM_WRITE | VM_EXEC
/** @kernel VM_LOCKED_MASK */
export const VM_LOCKED_MASK = VM_LOCKED | VM_LOCKONFAULT
/** Mappings that are never merged nor locked. @kernel VM_SPECIAL */
export const VM_SPECIAL = VM_IO | VM_DONTEXPAND | VM_PFNMAP
export const VM_MAY_ALL = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC

/** Where pages come from. Never changed once made, so that tasks and mappings may share it. Owner: mm/mempolicy.ts */
export interface Mempolicy {
  /** MPOL_* */
  readonly mode: number
  /** MPOL_F_* */
  readonly flags: number
  /** Nodes with memory that the policy names, ascending. */
  readonly nodes: readonly number[]
  /** Nodes as they were asked for; only of static and relative ones. @kernel w.user_nodemask */
  readonly asked?: readonly number[]
  /** By node: its zonelists cut down to `nodes`. Only of modes that confine, else empty. */
  readonly confined: readonly Zonelists[]
}

/** Where a page is to be moved: a node and no other, or where a policy puts it. */
export type MigrationTarget = Mempolicy | number | undefined

export interface Vma {
  /** First page and the page behind the last. */
  start: Vpn
  end: Vpn
  flags: number
  /** Inode of a file or shared mapping, 0 for private anonymous memory. */
  ino: number
  /** Page offset of `start` in the file; of anonymous memory the page at which it was first mapped. */
  pgoff: number
  /** '[heap]', '[stack]', a path, or ''. */
  name: string
  /** Row in state.anonVmas that its new pages belong to, 0 = never had an anonymous page. Owner: mm/anon_vma.ts */
  anonVma: number
  /** All rows that it leads to: its ancestors' too. Owner: mm/anon_vma.ts */
  anonChain?: readonly AnonVmaLink[]
  /** Addresses of its vm_area_struct and vma_lock; absent before it is in a list. Owner: mm/vm_area.ts */
  objects?: number[]
  /** Its anonymous pages may belong to the parent too, so it takes no neighbour in. @kernel !list_is_singular(&anon_vma_chain) */
  isCloned?: true
  /** Contents do not compress: for zram and zswap. */
  incompressible: boolean
  /** Pages are filled with one and the same word. */
  isSameFilled?: true
  /** History of swap-in; absent before the first. Owner: mm/swap_state.ts */
  swapRa?: SwapReadahead
  /** Set by mbind(); absent: the task's policy holds. Owner: mm/mbind.ts */
  policy?: Mempolicy
  /** When NUMA balancing looks at it next, and the pass that it was last in. @kernel vma_numab_state Owner: mm/numa_scan.ts */
  numab?: { nextScanNs: number; prevSeq: number }
  /** Maps huge pages of 2^hugeOrder pages from the pool, and nothing else. */
  readonly hugeOrder?: number
  /** Of a private one: it holds the promises; or it lost a page to their holder. @kernel HPAGE_RESV_OWNER, HPAGE_RESV_UNMAPPED */
  hugeResv?: 'owner' | 'unmapped'
}

export interface Mm {
  readonly id: number
  /** Tasks that share it; 0 = free slot. */
  users: number
  /** Index of the top-level table in state.pgtables. */
  pgd: number
  vmas: Vma[]
  /** Address of its mm_struct; 0 = none could be had, or it is gone. Owner: mm/vma.ts */
  object: number
  /** Holes below, between and behind the mappings, and the nodes of their tree. Owner: mm/vm_area.ts */
  gaps: number
  readonly mapleNodes: number[]
  /** Exact part: [file, anon, shmem, swap]; add `rssPending` for the precise value (6.2+: per-CPU, batch 32). */
  readonly rss: Float64Array
  /** cpu * 4 + counter: deltas that a cheap read does not see. */
  readonly rssPending: Int32Array
  pgtablesBytes: Bytes
  /** Entries above PTEs that map memory themselves: 2 MiB, or 1 GiB. Owner: mm/huge_pmd.ts */
  hugePmds: number
  /** Pages of 4 KiB in huge pages of the pool that it maps: in no other counter. Owner: mm/hugetlb_map.ts */
  hugetlbUsage: Pages
  /** MMF_HUGE_ZERO_PAGE: has mapped the huge zero page. Owner: mm/huge_zero.ts */
  usesHugeZero: boolean
  /** Absent: never looked at. Owner: mm/numa_scan.ts */
  numa?: MmNuma
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
  /** VM_LOCKED bits of mappings to come: mlockall(MCL_FUTURE). @kernel mm->def_flags */
  defFlags: number
  /** MMF_OOM_SKIP: reaped or given up. */
  oomSkip: boolean
  /** pid of the task chosen as victim, 0 none. */
  oomVictim: number
}
