/**
 * What automatic NUMA balancing remembers: its knobs, who used a page last, and of each address space and task how far
 * the scan has come and on which nodes its faults were.
 * @kernel  kernel/sched/fair.c, include/linux/mm.h folio_xchg_last_cpupid()
 * @spec    08 §8.3
 */
import type { Ns, Pages, Pfn, Vpn } from '../../util/units'
import type { KernelState } from '../state'

/** Bits of kernel.numa_balancing. */
export const NUMA_BALANCING_NORMAL = 1
export const NUMA_BALANCING_MEMORY_TIERING = 2

/** Knobs in /sys/kernel/debug/sched/numa_balancing, their kernel names and what they are at boot. */
export interface NumaKnobs {
  scan_delay_ms: number
  scan_period_min_ms: number
  scan_period_max_ms: number
  scan_size_mb: number
  hot_threshold_ms: number
}

export const NUMA_KNOBS: Readonly<NumaKnobs> = {
  scan_delay_ms: 1000,
  scan_period_min_ms: 1000,
  scan_period_max_ms: 60_000,
  scan_size_mb: 256,
  hot_threshold_ms: 1000,
}

/** Promotion to one fast node within the running second. @kernel struct pglist_data nbp_* */
export interface PromotionRate {
  startNs: Ns
  candidates: Pages
}

export interface NumaBalancing {
  readonly knobs: NumaKnobs
  /** kernel.numa_balancing_promote_rate_limit_MBps */
  promoteRateLimitMbps: number
  /** /sys/kernel/mm/numa/demotion_enabled */
  demotionEnabled: boolean
  readonly promotion: PromotionRate[]
  /** Who used a page last, or when its entry was marked, by blocks of 512 frames; absent: of none of them. */
  readonly lastCpupid: Record<number, Uint32Array>
  hasCpupid: boolean
}

/** @model  one plain object instead of static variables */
export const createNumaBalancing = (nodes: number): NumaBalancing => ({
  knobs: { ...NUMA_KNOBS },
  promoteRateLimitMbps: 65536,
  demotionEnabled: false,
  promotion: Array.from({ length: nodes }, () => ({ startNs: 0, candidates: 0 })),
  lastCpupid: {},
  hasCpupid: false,
})

/** The scan of one address space. @kernel struct mm_struct numa_next_scan, numa_scan_offset, numa_scan_seq */
export interface MmNuma {
  nextScanNs: Ns
  offset: Vpn
  seq: number
}

/** @kernel struct task_struct numa_* */
export interface TaskNuma {
  /** Of this address space. */
  readonly mm: number
  scanPeriodMs: number
  /** CPU time after which the next scan is looked at. */
  nodeStampNs: Ns
  isStarted: boolean
  scanSeq: number
  /** Node with most of its faults; −1 unknown. */
  preferredNid: number
  migrateRetryNs: Ns
  /** By node * 2 + private: decayed, and of the scan under way. */
  readonly faults: number[]
  readonly buffer: number[]
  /** Remote and local faults of the scan under way, and pages that failed to move. */
  readonly locality: number[]
  pagesMigrated: Pages
  totalFaults: Pages
}

// ---------------------------------------------------------------- who used a page last

const BLOCK_SHIFT = 9
const BLOCK = 1 << BLOCK_SHIFT
const PID_BITS = 8
const PID_MASK = (1 << PID_BITS) - 1

/** CPU and the low bits of a pid, never 0. @kernel cpu_pid_to_cpupid() */
export const makeCpupid = (cpu: number, pid: number): number => (((cpu + 1) << PID_BITS) | (pid & PID_MASK)) >>> 0
/** @kernel cpupid_to_cpu() */
export const cpupidCpu = (cpupid: number): number => (cpupid >>> PID_BITS) - 1
/** @kernel cpupid_match_pid() */
export const cpupidMatchPid = (cpupid: number, pid: number): boolean => (cpupid & PID_MASK) === (pid & PID_MASK)

/** 0 = nobody yet. @kernel folio_last_cpupid() */
export const lastCpupid = (state: KernelState, pfn: Pfn): number =>
  state.numa.lastCpupid[pfn >>> BLOCK_SHIFT]?.[pfn & (BLOCK - 1)] ?? 0

/** @returns what it was @kernel folio_xchg_last_cpupid(), folio_xchg_access_time() */
export function xchgLastCpupid(state: KernelState, pfn: Pfn, value: number): number {
  const before = lastCpupid(state, pfn)
  const block = (state.numa.lastCpupid[pfn >>> BLOCK_SHIFT] ??= new Uint32Array(BLOCK))
  block[pfn & (BLOCK - 1)] = value
  state.numa.hasCpupid = true
  return before
}

/** The frames are free: whoever has them next starts anew. @kernel mm/page_alloc.c page_cpupid_reset_last() */
export function resetLastCpupid(state: KernelState, pfn: Pfn, pages: Pages): void {
  for (let at = pfn; at < pfn + pages; at++) {
    const block = state.numa.lastCpupid[at >>> BLOCK_SHIFT]
    if (block !== undefined) block[at & (BLOCK - 1)] = 0
  }
}
