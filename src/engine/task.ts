/**
 * Tasks and programs. A program is a pure reducer: `next` looks at its own data and at the result of its last
 * operation and names the next operation. State keeps the program's *name* and data, never a function.
 *
 * @kernel  include/linux/sched.h struct task_struct
 */
import type { Errno } from '../util/errno'
import type { Bytes, Ns, Pages } from '../util/units'
import type { TaskNuma } from './mm/numa_state'
import type { Mempolicy } from './mm/mm_types'
import type { Rlimit, Rlimits } from './rlimit'

// ---------------------------------------------------------------- operations

/** 'exec' fetches instructions. */
export type TouchMode = 'read' | 'write' | 'exec'

/**
 * What a program asks of the machine, one at a time. Addresses and lengths are bytes. The engine performs it, charges
 * its time, and calls `next` again with the result. Long ones (touch, read, write) go on over many time slices.
 */
export type Op =
  /** One access to every page of [address, address+length), ascending. Result: pages touched. */
  | {
      readonly op: 'touch'
      readonly address: number
      readonly length: Bytes
      readonly mode: TouchMode
      readonly incompressible?: boolean
      /** Every word that is written is the same. */
      readonly isSameFilled?: boolean
    }
  /** Accesses in the given order of page indices from address. */
  | { readonly op: 'touchList'; readonly address: number; readonly pages: readonly number[]; readonly mode: TouchMode }
  /** Result: address, or errno. `fd` of an open file for a file mapping. */
  | {
      readonly op: 'mmap'
      readonly length: Bytes
      readonly prot: number
      readonly flags: number
      readonly fd?: number
      readonly offset?: Bytes
      readonly address?: number
    }
  | { readonly op: 'munmap'; readonly address: number; readonly length: Bytes }
  | { readonly op: 'mprotect'; readonly address: number; readonly length: Bytes; readonly prot: number }
  | { readonly op: 'madvise'; readonly address: number; readonly length: Bytes; readonly advice: Advice }
  /** Grows, shrinks or moves a mapping; `flags` are MREMAP_*. Result: its address now. */
  | {
      readonly op: 'mremap'
      readonly address: number
      readonly oldLength: Bytes
      readonly newLength: Bytes
      readonly flags: number
      readonly newAddress?: number
    }
  /** Writes dirty pages of file mappings back; `flags` are MS_*. */
  | { readonly op: 'msync'; readonly address: number; readonly length: Bytes; readonly flags: number }
  /** onFault: mlock2(MLOCK_ONFAULT). */
  | { readonly op: 'mlock'; readonly address: number; readonly length: Bytes; readonly onFault?: boolean }
  | { readonly op: 'munlock'; readonly address: number; readonly length: Bytes }
  | { readonly op: 'mlockall'; readonly current: boolean; readonly future: boolean; readonly onFault?: boolean }
  | { readonly op: 'munlockall' }
  /** Soft limit of the task itself, and the hard one if given; Infinity = unlimited. */
  | { readonly op: 'setrlimit'; readonly resource: Rlimit; readonly bytes: Bytes; readonly hard?: Bytes }
  /** Another user than root has no capabilities: limits and reserves hold for it. Root cannot be had back. */
  | { readonly op: 'setuid'; readonly uid: number }
  /** Grows or shrinks the heap; result: new break. 0 asks. */
  | { readonly op: 'brk'; readonly address: number }
  /** malloc of glibc: brk below 128 KiB, else mmap of length + one page, data at +16. Result: address of the data. */
  | { readonly op: 'malloc'; readonly length: Bytes }
  | { readonly op: 'free'; readonly address: number }
  /** Result: descriptor. */
  | {
      readonly op: 'open'
      readonly path: string
      readonly write?: boolean
      readonly create?: boolean
      readonly truncate?: boolean
      readonly append?: boolean
    }
  | { readonly op: 'close'; readonly fd: number }
  /** Result: bytes read (0 at the end). Through the page cache. `offset`: lseek() there first. */
  | { readonly op: 'read'; readonly fd: number; readonly length: Bytes; readonly offset?: Bytes }
  /** Writes data without content (a length) or text. Result: bytes written. */
  | { readonly op: 'write'; readonly fd: number; readonly length?: Bytes; readonly text?: string }
  | { readonly op: 'fsync'; readonly fd: number }
  /** Everything dirty goes to its disk; the caller waits for it. */
  | { readonly op: 'sync' }
  /** Result: read end; `text`: both ends, 'read write'. */
  | { readonly op: 'pipe' }
  /** Whole small file, pseudo-files included. Result text in `text`. */
  | { readonly op: 'readFile'; readonly path: string }
  | {
      readonly op: 'writeFile'
      readonly path: string
      readonly text: string
      readonly create?: boolean
      readonly append?: boolean
    }
  | { readonly op: 'stat'; readonly path: string }
  | { readonly op: 'unlink'; readonly path: string }
  /** Result: how many of the pages are in the page cache. */
  | { readonly op: 'mincore'; readonly address: number; readonly length: Bytes }
  | { readonly op: 'sleep'; readonly ns: Ns }
  | { readonly op: 'pause' }
  /** CPU time without memory accesses. */
  | { readonly op: 'compute'; readonly ns: Ns }
  /** Child continues with `child` as its data; result: pid of the child. */
  | { readonly op: 'fork'; readonly child: ProgramData }
  /** Blocks until the child ended. Result: wait status. pid −1: any child, result pid * 256 + status. */
  | { readonly op: 'wait'; readonly pid: number }
  | { readonly op: 'setAffinity'; readonly cpu: number }
  /** Policy of the task: MPOL_* mode with MPOL_F_* flags or'ed in, and the mask as node numbers. */
  | { readonly op: 'setMempolicy'; readonly mode: number; readonly nodes: readonly number[] }
  /** Policy of a range; `flags` are MPOL_MF_STRICT 1, MOVE 2, MOVE_ALL 4. */
  | {
      readonly op: 'mbind'
      readonly address: number
      readonly length: Bytes
      readonly mode: number
      readonly nodes: readonly number[]
      readonly flags: number
    }
  /** move_pages(2), to `node` or only asking. Result: pages asked about; `text` has a node or −errno a page, by spaces. */
  | { readonly op: 'movePages'; readonly address: number; readonly length: Bytes; readonly node?: number }
  /** migrate_pages(2). Result: pages that stayed where they were. */
  | {
      readonly op: 'migratePages'
      readonly pid: number
      readonly from: readonly number[]
      readonly to: readonly number[]
    }
  | { readonly op: 'setComm'; readonly comm: string }
  | { readonly op: 'signal'; readonly pid: number; readonly signal: number }
  /** From now on SIGTERM and SIGINT set `signalled` instead of killing. */
  | { readonly op: 'catchSignals' }
  | { readonly op: 'exit'; readonly status: number }
  /** Goes on as the program of that name with a new address space; its descriptors stay. ENOENT: there is none. */
  | { readonly op: 'execve'; readonly argv: readonly string[] }
  /** Replaces the address space by a program's image and goes on as that program. Made by spawn and execve. */
  | {
      readonly op: 'exec'
      readonly argv: readonly string[]
      readonly program: string
      readonly image: ProgramImage
      readonly forked: ProgramImage
    }
  /** A host-driven task: waits until its host ends it. */
  | { readonly op: 'host' }

/** What a host-driven task may be told to do in its own time. */
export type HostOp = Extract<
  Op,
  { readonly op: 'open' | 'close' | 'read' | 'write' | 'fsync' | 'sync' | 'migratePages' }
>

export type Advice =
  | 'normal'
  | 'random'
  | 'sequential'
  | 'willneed'
  | 'dontneed'
  | 'free'
  | 'cold'
  | 'pageout'
  | 'hugepage'
  | 'nohugepage'
  | 'populate_read'
  | 'populate_write'
  | 'dontfork'
  | 'dofork'
  | 'wipeonfork'
  | 'keeponfork'
  | 'dontdump'
  | 'dodump'
  | 'mergeable'
  | 'unmergeable'
  | 'remove'

export const PROT_READ = 1
export const PROT_WRITE = 2
export const PROT_EXEC = 4
export const MAP_SHARED = 1
export const MAP_PRIVATE = 2
export const MAP_SHARED_VALIDATE = 3
/** Bits of MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE. */
export const MAP_TYPE = 0xf
export const MAP_FIXED = 0x10
export const MAP_ANONYMOUS = 0x20
export const MAP_GROWSDOWN = 0x100
export const MAP_LOCKED = 0x2000
export const MAP_NORESERVE = 0x4000
export const MAP_POPULATE = 0x8000
export const MAP_NONBLOCK = 0x10000
export const MAP_STACK = 0x20000
export const MAP_HUGETLB = 0x40000
export const MAP_FIXED_NOREPLACE = 0x100000
export const MREMAP_MAYMOVE = 1
export const MREMAP_FIXED = 2
export const MREMAP_DONTUNMAP = 4
export const MS_ASYNC = 1
export const MS_INVALIDATE = 2
export const MS_SYNC = 4

// ---------------------------------------------------------------- programs

/** Plain data of one program instance: numbers, strings, arrays, objects. */
export interface ProgramData {
  [key: string]: unknown
}

/** What a program may look at between two operations. One object, reused; do not keep it. */
export interface ProgramView {
  readonly pid: number
  /** Simulated time, ns (CLOCK_MONOTONIC). */
  readonly nowNs: Ns
  /** Result of the last operation: a number (address, fd, bytes, pid, status), or -1 with `errno`. */
  readonly result: number
  readonly errno: Errno | undefined
  /** Result of readFile. */
  readonly text: string
  /** getrusage(RUSAGE_SELF) */
  readonly minflt: number
  readonly majflt: number
  /** A caught SIGTERM or SIGINT arrived. */
  readonly signalled: boolean
  readonly cpu: number
  readonly nid: number
  /** A number in [0, bound) from this program's own stream. */
  random(bound: number): number
}

/** How a program's image looks in memory, so that its faults, RSS and table sizes are those of a real one. */
export interface ProgramImage {
  /** Path of the executable; its pages are page cache of that file. */
  readonly path: string
  /** Address space without heap and regions, pages. */
  readonly totalVm: Pages
  /** Pages of the file touched at start (RssFile, or RssShmem when the file is on tmpfs). */
  readonly textPages: Pages
  /** Anonymous pages touched at start: data, stack, heap. */
  readonly anonPages: Pages
}

export interface Program {
  readonly name: string
  readonly image: ProgramImage
  /** C source in root's home folder: the program is not on the machine until somebody builds it. */
  readonly source?: string
  /** Belongs to a server's installation: a machine that has nothing but an initramfs does not have it. */
  readonly isServer?: true
  /** Parses arguments. `usage` is printed to stderr and the task exits with `status`. */
  start(argv: readonly string[], env: Readonly<Record<string, string>>): ProgramStart
  next(data: ProgramData, view: ProgramView): Op
}

export type ProgramStart =
  | { readonly ok: true; readonly data: ProgramData }
  | { readonly ok: false; readonly usage: string; readonly status: number }

/** Visible table of all programs; src/workloads/index.ts fills it and createEngine receives it. */
export type ProgramTable = Readonly<Record<string, Program>>

// ---------------------------------------------------------------- tasks

/** What the handler of a signal would be told. @kernel siginfo_t */
export interface SigInfo {
  readonly signo: number
  /** SEGV_MAPERR, SEGV_ACCERR, BUS_ADRERR, SI_KERNEL */
  readonly code: number
  /** si_addr */
  readonly address: number
  /** Error code of the page fault: 1 the entry was there, 2 write, 4 user, 16 instruction fetch. */
  readonly error: number
}

/** R running or runnable, S interruptible, D uninterruptible, T stopped by a signal, Z zombie. */
export type TaskState = 'R' | 'S' | 'D' | 'T' | 'Z'

/**
 * A descriptor. 'host' belongs to the user's side; output to it is handed to the Sink. `object`: address of its struct file,
 * which a fork shares; absent when it came from the user's side.
 */
export type FileDescriptor =
  | { readonly kind: 'host' }
  | { readonly kind: 'null' }
  | { readonly kind: 'pipe'; readonly pipe: number; readonly end: 'read' | 'write'; readonly object?: number }
  | {
      readonly kind: 'inode'
      readonly ino: number
      /** Path by which it was opened. */
      readonly path?: string
      position: Bytes
      readonly append: boolean
      readonly writable: boolean
      readahead: Readahead
      readonly object?: number
    }
  /** A file of /proc, /sys or a cgroup, re-read at each open. */
  | {
      readonly kind: 'pseudo'
      readonly path: string
      readonly text: string
      position: Bytes
      readonly writable: boolean
      readonly object?: number
    }

/** struct file_ra_state. Owner: mm/readahead.ts */
export interface Readahead {
  start: number
  size: number
  asyncSize: number
  mmapMiss: number
  prevIndex: number
}

/** A memcg charge or an allocation that had to wait: what its loop remembers. */
export interface RetryState {
  /** try_charge_memcg: reclaim retries left, −1 when no charge is under way. Owner: mm/memcontrol.ts */
  chargeRetries: number
  chargeDrained: boolean
  chargePassedOom: boolean
  /** memory.reclaim: pages freed before a suspension. Owner: mm/memcg_limit.ts */
  reclaimed?: Pages
  /** __alloc_pages_slowpath: no_progress_loops, −1 when none is under way. Owner: mm/page_alloc.ts */
  noProgressLoops: number
  /** Which request noProgressLoops belongs to: gfp * 16 + order. Owner: mm/page_alloc.ts */
  noProgressRequest?: number
  compactRetries: number
  /** COMPACT_* of its last direct compaction, and how hard the next one tries. Owner: mm/page_alloc_slowpath.ts */
  compactResult?: number
  compactPriority?: number
  /** The fault under way has already started I/O. Owner: mm/memory.ts */
  faultWasMajor: boolean
}

export interface Task {
  readonly pid: number
  readonly tgid: number
  ppid: number
  comm: string
  argv: readonly string[]
  uid: number
  /** Absent: the defaults. Owner: rlimit.ts */
  rlimits?: Rlimits
  isKthread: boolean
  state: TaskState
  /** What a blocked task waits for, as /proc/<pid>/wchan would say; '' when running. */
  waitChannel: string
  /** CPU it runs on or ran on last. */
  cpu: number
  /** Allowed CPU, −1 = any. */
  affinity: number
  /** Allowed CPUs when they are more than one and not all; `affinity` is −1 then. */
  cpusAllowed?: readonly number[]
  /** What sched_setaffinity() asked for, which a cpuset may narrow; absent: any. Owner: syscalls_numa.ts */
  userCpus?: readonly number[]
  /** Memory policy; absent: local. Inherited by fork, kept by exec. Owner: mm/mbind.ts */
  mempolicy?: Mempolicy
  /** Node of the last interleaved page that no mapping places. Owner: mm/mempolicy.ts */
  ilPrev?: number
  /** Pages still due on ilPrev, weighted interleave. Owner: mm/mempolicy.ts */
  ilWeight?: number
  /** What a page of its last piece of touching cost more for being remote; absent: nothing. Owner: remote_access.ts */
  remoteNs?: Ns
  /** Absent: not looked at since exec. Owner: mm/numa_scan.ts */
  numa?: TaskNuma
  /** Makes stale timers harmless. */
  wakeSequence: number
  cgroup: number
  /** Index into state.mms, −1 for kernel threads and zombies. */
  mm: number
  program: string
  data: ProgramData
  /** Operation under way, undefined = ask the program. Owner: syscalls.ts */
  op: Op | undefined
  /** Progress inside `op`: pages or bytes done. */
  opDone: number
  /** Result of the last finished operation. */
  result: number
  errno: Errno | ''
  resultText: string
  fds: (FileDescriptor | undefined)[]
  cwd: string
  env: Readonly<Record<string, string>>
  oomScoreAdj: number
  oomScoreAdjMin: number
  /** PF_MEMALLOC: kswapd and direct reclaimers. */
  memalloc: boolean
  /** TIF_MEMDIE / tsk_is_oom_victim: chosen by the OOM killer. Owner: mm/oom_kill.ts */
  isOomVictim: boolean
  /** Deadly signal pending, 0 = none. */
  killSignal: number
  /** Why, when an access is the reason. Owner: fault_signal.ts */
  siginfo?: SigInfo
  catchesSignals: boolean
  signalled: boolean
  /** SIGSTOP came and no SIGCONT yet: it stops when it next runs. */
  isStopped?: boolean
  /** Pages charged beyond memory.high since the last return to user mode. Owner: mm/memcontrol.ts */
  overHigh: Pages
  retry: RetryState
  startNs: Ns
  utimeNs: Ns
  /** Of children that were waited for, and theirs. */
  cutimeNs: Ns
  cstimeNs: Ns
  stimeNs: Ns
  /** What the TLBs counted for it: loads, stores, their walks, hits of the second level. Owner: mm/tlb_task.ts */
  dataTlb?: number[]
  minFlt: number
  majFlt: number
  cminFlt: number
  cmajFlt: number
  /** 6.1: rss events not yet folded into the mm, [file, anon, shmem, swap]. */
  rssPending: number[]
  rssEvents: number
  /** Memory stalls so far, ns: direct reclaim, memcg reclaim, throttling, refault waits. */
  stallNs: Ns
  /** Time the current stall began, −1 when not stalled. Owner: mm/psi.ts */
  stalledSinceNs: Ns
  /** What this task counts as in its pressure groups, and on which CPU: PSI_* bits | cpu << 4; 0 at start. Owner: mm/psi.ts */
  psiFlags: number
  /** Wait status once it is a zombie. */
  exitStatus: number
  /** Frames of the kernel stack. Owner: kernel_stack.ts */
  stackPfns: number[]
  /** malloc blocks that are mappings of their own: address of the data → pages. */
  heapBlocks: Record<number, Pages>
  /** Children that ended and were not waited for. */
  zombies: number[]
  /** Pages dirtied since the last look at the dirty limits. */
  nrDirtied: Pages
  /** With so many it looks again; when its last pause ended, −1 = it never had to. @kernel dirty_paused_when */
  nrDirtiedPause: Pages
  dirtyPausedNs: Ns
  nvcsw: number
  nivcsw: number
  /** Most pages that were resident at once, of address spaces that it left. Absent: it left none. */
  maxRss?: Pages
  /** Pages that it asked devices for, and that it made dirty. Absent: none. @kernel task_io_accounting */
  readPages?: Pages
  dirtiedPages?: Pages
}
