/**
 * KernelState: the whole machine as a tree of plain data. It can be copied, hashed, compared, printed and rewound.
 * Each struct has one owning file; only that file indexes its columns or writes its fields.
 */
import type { Ns, Pages } from '../util/units'
import type { PrngState } from '../util/prng'
import type { MachineConfig, ThpMode } from './config'
import type { CostTable } from './costs'
import type { Dcache } from './fs/dcache'
import type { BlockDevice, Inode, Mount } from './fs_types'
import type { Pipe } from './pipe'
import type { Modules } from './modules'
import type { Tracing } from './trace_ring'
import type { EventQueue } from './queue'
import type { Ratelimit } from './ratelimit'
import type { AnonVmas } from './mm/anon_vma'
import type { ProcessObjects } from './slab_objects'
import type { Taint } from './taint'
import type { Task } from './task'
import type { Cgroup } from './cgroup'
import type { ByHand } from './mm/by_hand'
import type { HandPages } from './mm/by_hand_pages'
import type { HandTouch } from './by_hand_touch'
import type { CompactionState } from './mm/compaction_state'
import type { Hstate } from './mm/hugetlb_pool'
import type { MemMap } from './mm/memmap'
import type { Memcg, MemcgStock } from './mm/memcontrol'
import type { Mm } from './mm/mm_types'
import type { PgData, Zone } from './mm/mmzone'
import type { NumaBalancing } from './mm/numa_state'
import type { OomRecord } from './mm/oom_kill'
import type { PageTables } from './mm/pgtable'
import type { ThpState } from './mm/thp'
import type { RmapChains } from './mm/rmap_chain'
import type { Lruvec } from './mm/swap'
import type { SwapArea } from './mm/swapfile'
import type { PsiGroup } from './mm/psi'
import type { ShadowNodes } from './mm/shadow_nodes'
import type { Deferred } from './mm/shrinker'
import type { Slabs } from './mm/slab_state'
import type { Tlb } from './mm/tlb_state'
import type { Vmap } from './mm/vmalloc'
import type { ReclaimState } from './mm/reclaim/reclaim_state'
import type { Vmstat } from './mm/vmstat'
import type { Zswap } from './mm/zswap_state'

/** What is being executed right now. Zero between two events. */
export interface ExecContext {
  /** Task that the cost is charged to; 0 = none. */
  pid: number
  cpu: number
  /** Simulated time used since the event began. */
  ns: Ns
  /** The running operation has to wait: −1 no; Infinity = until woken; else a time. Set through suspend(). */
  suspendUntilNs: Ns
  suspendReason: string
  /** Frame whose I/O the operation waits for, 0 none. */
  waitPfn: number
  /** Whoever allocates now unwinds and tries again when told to wait: direct reclaim may stop in between. */
  mayStop: boolean
  /** A command of the user's side runs: the clock stands still, and what it charges is dropped. */
  isCommand: boolean
  /** That command is a write whose task can go on with it as an operation of its own. */
  mayGoOn: boolean
}

/** One CPU. Owner: sched.ts */
export interface RunQueue {
  /** Runnable pids; the first one runs next. */
  readonly queue: number[]
  /** How many of the first ones have just been woken: they go before the one that is in the middle of its turn. */
  woken: number
  /** The task that was in the middle of its turn when its last slice ended, and how long the turn is so far; 0 none. */
  interrupted: number
  turnNs: Ns
  /** A cpuRun event is scheduled. */
  active: boolean
  /** pid of the slice that ran last, 0 none. */
  current: number
  /** CPU time used, and the part of it in user mode. */
  busyNs: Ns
  userNs: Ns
  /** CPU time used lately, halved every 32 ms, as of loadAtNs. */
  loadNs: Ns
  loadAtNs: Ns
  switches: number
}

export interface Sysctl {
  minFreeKbytes: number
  userMinFreeKbytes: number
  watermarkScaleFactor: number
  watermarkBoostFactor: number
  lowmemReserveRatio: number[]
  percpuPagelistHighFraction: number
  swappiness: number
  pageCluster: number
  overcommitMemory: number
  overcommitRatio: number
  overcommitKbytes: number
  adminReserveKbytes: number
  userReserveKbytes: number
  panicOnOom: number
  oomKillAllocatingTask: number
  oomDumpTasks: number
  vfsCachePressure: number
  dirtyRatio: number
  dirtyBackgroundRatio: number
  dirtyBytes: number
  dirtyBackgroundBytes: number
  dirtyWritebackCentisecs: number
  dirtyExpireCentisecs: number
  maxMapCount: number
  zoneReclaimMode: number
  numaStat: number
  numaBalancing: number
  statInterval: number
  minUnmappedRatio: number
  minSlabRatio: number
  laptopMode: number
  pidMax: number
  extfragThreshold: number
  compactionProactiveness: number
  compactUnevictableAllowed: number
  dirtytimeExpireSeconds: number
  enableSoftOffline: number
  hugetlbShmGroup: number
  legacyVaLayout: number
  memfdNoexec: number
  memoryFailureEarlyKill: number
  memoryFailureRecovery: number
  mmapMinAddr: number
  mmapRndBits: number
  mmapRndCompatBits: number
  pageLockUnfairness: number
  unprivilegedUserfaultfd: number
}

export interface KernelState {
  readonly config: MachineConfig
  readonly seed: number
  nowNs: Ns
  /** Events handled so far. */
  eventCount: number
  readonly queue: EventQueue
  readonly prng: PrngState
  readonly costs: CostTable
  readonly exec: ExecContext
  readonly sysctl: Sysctl
  /** Fatal stop: kernel panic text, '' while it runs. */
  panicked: string

  // memory
  readonly memmap: MemMap
  readonly zones: Zone[]
  readonly nodes: PgData[]
  readonly vmstat: Vmstat
  /** Σ min(managed, max protection + high). Owner: mmzone.ts */
  totalreservePages: Pages
  /** Reports of failed allocations. Owner: mm/warn_alloc.ts */
  readonly nopageRatelimit: Ratelimit
  /** Reports of slab caches without memory. Owner: mm/slab_oom.ts */
  readonly slubRatelimit: Ratelimit
  /** Lines about accesses that killed. Owner: fault_signal.ts */
  readonly segvRatelimit: Ratelimit
  /** Accesses that a person makes in somebody's name. Owner: by_hand_touch.ts */
  readonly handTouch: HandTouch
  /** Pages that a person holds through debugfs. Owner: mm/by_hand_pages.ts */
  readonly handPages: HandPages
  /** Pageblock migratetypes, index pfn >> 9. Owner: buddy.ts */
  readonly pageblocks: Uint8Array
  /** Links of order-10 blocks, index pfn >> 10. Owner: buddy.ts */
  readonly blockNext: Int32Array
  readonly blockPrev: Int32Array
  /** Pools of huge pages: 2 MiB, 1 GiB. Owner: mm/hugetlb.ts */
  readonly hugetlb: readonly Hstate[]
  /** Owners: mm/compaction_state.ts, mm/kcompactd.ts */
  readonly compaction: CompactionState
  readonly lruvecs: (Lruvec | undefined)[]
  /** Per CPU: pages waiting to be added to an LRU list. Owner: swap.ts */
  readonly lruBatches: { readonly pages: Int32Array; count: number }[]
  mglruEnabled: number
  /** What reclaim remembers between its runs; createReclaimState(). Owners: mm/reclaim, kswapd.ts, page_writeback.ts */
  readonly reclaim: ReclaimState
  readonly swapAreas: SwapArea[]
  /** createZswap(). Owners: mm/zswap_state.ts, mm/zswap.ts, mm/zswap_params.ts */
  readonly zswap: Zswap
  /** createNumaBalancing(). Owners: mm/numa_state.ts, mm/numa_scan.ts */
  readonly numa: NumaBalancing
  /** Some group's cpuset is smaller than the machine. Owner: cpuset.ts */
  hasCpusets?: boolean
  /** Pages in a row by node, weighted interleave; absent: 1 everywhere. Owner: mm/mempolicy.ts */
  interleaveWeights?: number[]
  thpEnabled: ThpMode
  thpDefrag: string
  /** createThp(). Owner: mm/thp.ts */
  readonly thp: ThpState
  committedAs: Pages
  readonly pgtables: PageTables
  /** createTlb(). Owners: mm/tlb_state.ts, mm/tlb.ts, mm/tlb_flush.ts */
  readonly tlb: Tlb
  /** createSlabs(). Owners: mm/slub.ts, mm/slab_state.ts */
  readonly slabs: Slabs
  /** Kernel addresses given away; createVmap(). Owner: mm/vmalloc.ts */
  readonly vmap: Vmap
  /** createTracing(). Owners: trace_ring.ts, trace_buffer.ts */
  readonly tracing: Tracing
  /** Loaded kernel modules. Owner: modules.ts */
  readonly modules: Modules
  /** Names and inodes in memory; createDcache(). Owner: fs/dcache.ts */
  readonly dcache: Dcache
  /** Nodes of page trees without pages; createShadowNodes(). Owner: mm/shadow_nodes.ts */
  readonly shadowNodes: ShadowNodes
  /** Work that shrinkers put off, and objects that the last one scanned. Owner: mm/shrinker.ts */
  /** drop_caches was told not to speak. @kernel fs/drop_caches.c stfu */
  dropCachesQuiet?: boolean
  readonly shrinkers: { readonly deferred: Deferred; scanned: number }
  /** Kernel memory that a person holds. Owner: mm/by_hand.ts */
  readonly byHand: ByHand
  readonly rmapChains: RmapChains
  /** createAnonVmas(). Owner: mm/anon_vma.ts */
  readonly anonVmas: AnonVmas
  /** 0 until the first read fault; a reserved frame, never freed. */
  zeroPfn: number

  /** File whose only page is the vdso. */
  vdsoIno: number

  // tasks
  readonly tasks: Record<number, Task>
  /** Creation order: the process list that the OOM killer walks. */
  readonly taskList: number[]
  /** Slab objects of each process, by pid. Owner: slab_objects.ts */
  readonly processObjects: Record<number, ProcessObjects>
  /** Address of each struct file → descriptors that share it. Owner: slab_objects.ts */
  readonly openFiles: Record<number, number>
  lastPid: number
  readonly mms: Mm[]
  /** CPU number → node. */
  readonly cpuNode: readonly number[]
  /** Per CPU: pids that can run, first one runs. Owner: sched.ts */
  readonly runqueues: RunQueue[]
  /** Load over 1, 5 and 15 minutes, in 1/2048. Owner: loadavg.ts */
  readonly loads: Float64Array

  /** Frame → pids that wait for its I/O. Owner: sched.ts */
  readonly pageWaiters: Record<number, number[]>

  // control groups
  readonly cgroups: (Cgroup | undefined)[]
  readonly memcgs: (Memcg | undefined)[]
  /** One a CPU. */
  readonly memcgStocks: MemcgStock[]
  oomLockHolder: number
  /** Decisions of the OOM killer, oldest first; bounded. Owner: mm/oom_kill.ts */
  readonly oomReports: OomRecord[]
  /** createRatelimit(). Owner: mm/oom_kill.ts */
  readonly oomRatelimit: Ratelimit

  // files
  readonly inodes: (Inode | undefined)[]
  readonly mounts: Mount[]
  /** Owner: pipe.ts */
  readonly pipes: (Pipe | undefined)[]
  readonly devices: BlockDevice[]

  readonly psi: PsiGroup
  /** Kernel log, oldest first; bounded. */
  readonly klog: { readonly atNs: Ns; readonly text: string }[]
  readonly taint: Taint
  readonly boot: BootFacts
}

/** What boot found, for the log and for files that never change. */
export interface BootFacts {
  readonly totalPages: Pages
  readonly physicalPages: Pages
  readonly freePagesAtBoot: Pages
  readonly reservedPages: Pages
}
