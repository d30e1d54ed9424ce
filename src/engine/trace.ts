/**
 * Tracepoints: the kernel's names, fields and print formats in one table; emit() hands them to the listener.
 * The engine keeps those that were switched on below /sys/kernel/tracing: trace_ring.ts; all others the recorder keeps.
 * @kernel  include/trace/events/{kmem,vmscan,oom,compaction,exceptions,sched,syscalls,signal}.h
 */
import { context, isForSink } from './context'
import type { KernelState } from './state'
import { recordTrace } from './trace_ring'

export interface TracepointInfo {
  readonly system: string
  readonly name: string
  /** Names of the numeric arguments, in order; at most eight. A field called `text` takes the string. */
  readonly fields: readonly string[]
}

const tp = (system: string, name: string, ...fields: string[]): TracepointInfo => ({ system, name, fields })

/** Of a zone that is left alone after failures. */
const DEFER_FIELDS = ['nid', 'zone', 'order', 'defer_shift', 'order_failed', 'considered'] as const

/** Adding one: a row here and the emit. Order is the wire order: append only. */
export const TRACEPOINTS = {
  mm_page_alloc: tp('kmem', 'mm_page_alloc', 'pfn', 'order', 'gfp_flags', 'migratetype'),
  mm_page_free: tp('kmem', 'mm_page_free', 'pfn', 'order'),
  mm_page_alloc_extfrag: tp(
    'kmem',
    'mm_page_alloc_extfrag',
    'pfn',
    'alloc_order',
    'fallback_order',
    'alloc_migratetype',
    'fallback_migratetype',
    'change_ownership',
  ),
  mm_vmscan_wakeup_kswapd: tp('vmscan', 'mm_vmscan_wakeup_kswapd', 'nid', 'order', 'gfp_flags'),
  mm_vmscan_kswapd_wake: tp('vmscan', 'mm_vmscan_kswapd_wake', 'nid', 'order'),
  mm_vmscan_kswapd_sleep: tp('vmscan', 'mm_vmscan_kswapd_sleep', 'nid'),
  mm_vmscan_direct_reclaim_begin: tp('vmscan', 'mm_vmscan_direct_reclaim_begin', 'order', 'gfp_flags'),
  mm_vmscan_direct_reclaim_end: tp('vmscan', 'mm_vmscan_direct_reclaim_end', 'nr_reclaimed', 'delay_ns'),
  mm_vmscan_memcg_reclaim_begin: tp('vmscan', 'mm_vmscan_memcg_reclaim_begin', 'order', 'gfp_flags', 'memcg'),
  mm_vmscan_memcg_reclaim_end: tp('vmscan', 'mm_vmscan_memcg_reclaim_end', 'nr_reclaimed', 'delay_ns', 'memcg'),
  mm_vmscan_lru_isolate: tp(
    'vmscan',
    'mm_vmscan_lru_isolate',
    'highest_zoneidx',
    'order',
    'nr_requested',
    'nr_scanned',
    'nr_skipped',
    'nr_taken',
    'lru',
  ),
  mm_vmscan_lru_shrink_inactive: tp(
    'vmscan',
    'mm_vmscan_lru_shrink_inactive',
    'nid',
    'nr_scanned',
    'nr_reclaimed',
    'nr_dirty',
    'nr_writeback',
    'nr_activate',
    'nr_ref_keep',
    'priority',
  ),
  mm_vmscan_lru_shrink_active: tp(
    'vmscan',
    'mm_vmscan_lru_shrink_active',
    'nid',
    'nr_taken',
    'nr_active',
    'nr_deactivated',
    'nr_referenced',
    'priority',
    'file',
  ),
  mm_vmscan_throttled: tp('vmscan', 'mm_vmscan_throttled', 'nid', 'usec_timeout', 'usec_delayed', 'reason'),
  mm_vmscan_write_folio: tp('vmscan', 'mm_vmscan_write_folio', 'pfn', 'lru'),
  mark_victim: tp(
    'oom',
    'mark_victim',
    'pid',
    'total_vm_kb',
    'anon_rss_kb',
    'file_rss_kb',
    'shmem_rss_kb',
    'uid',
    'pgtables_kb',
    'oom_score_adj',
  ),
  oom_score_adj_update: tp('oom', 'oom_score_adj_update', 'pid', 'oom_score_adj'),
  page_fault_user: tp('exceptions', 'page_fault_user', 'address', 'error_code'),
  sched_process_fork: tp('sched', 'sched_process_fork', 'parent', 'child'),
  sched_process_exec: tp('sched', 'sched_process_exec', 'pid', 'text'),
  sched_process_exit: tp('sched', 'sched_process_exit', 'pid', 'status'),
  /** Ours: time a task lost in memory.high throttling. @model no kernel tracepoint exists */
  memcg_high_throttle: tp('pagewalk', 'memcg_high_throttle', 'pid', 'delay_ns', 'memcg'),
  memcg_event: tp('pagewalk', 'memcg_event', 'memcg', 'event', 'count'),
  /** Ours: kswapd found its node balanced and rests for HZ/10 before it really sleeps. */
  kswapd_nap: tp('pagewalk', 'kswapd_nap', 'nid'),
  mm_compaction_begin: tp(
    'compaction',
    'mm_compaction_begin',
    'zone_start',
    'migrate_pfn',
    'free_pfn',
    'zone_end',
    'sync',
  ),
  mm_compaction_end: tp(
    'compaction',
    'mm_compaction_end',
    'zone_start',
    'migrate_pfn',
    'free_pfn',
    'zone_end',
    'sync',
    'status',
  ),
  mm_compaction_isolate_migratepages: tp(
    'compaction',
    'mm_compaction_isolate_migratepages',
    'start_pfn',
    'end_pfn',
    'nr_scanned',
    'nr_taken',
  ),
  mm_compaction_isolate_freepages: tp(
    'compaction',
    'mm_compaction_isolate_freepages',
    'start_pfn',
    'end_pfn',
    'nr_scanned',
    'nr_taken',
  ),
  mm_compaction_migratepages: tp('compaction', 'mm_compaction_migratepages', 'nr_migrated', 'nr_failed'),
  mm_compaction_try_to_compact_pages: tp(
    'compaction',
    'mm_compaction_try_to_compact_pages',
    'order',
    'gfp_flags',
    'priority',
  ),
  mm_compaction_suitable: tp('compaction', 'mm_compaction_suitable', 'nid', 'zone', 'order', 'ret'),
  mm_compaction_finished: tp('compaction', 'mm_compaction_finished', 'nid', 'zone', 'order', 'ret'),
  mm_compaction_deferred: tp('compaction', 'mm_compaction_deferred', ...DEFER_FIELDS),
  mm_compaction_kcompactd_wake: tp('compaction', 'mm_compaction_kcompactd_wake', 'nid', 'order', 'highest_zoneidx'),
  mm_compaction_wakeup_kcompactd: tp('compaction', 'mm_compaction_wakeup_kcompactd', 'nid', 'order', 'highest_zoneidx'),
  mm_compaction_kcompactd_sleep: tp('compaction', 'mm_compaction_kcompactd_sleep', 'nid'),
  /** Ours: a free block was taken and cut down; the lower part is kept, the upper halves go to the free lists. */
  buddy_split: tp('pagewalk', 'buddy_split', 'pfn', 'order_high', 'order_low', 'migratetype', 'nid', 'zone'),
  /** Ours: one step of merging, pfn XOR (1 << order) = buddy_pfn, pfn AND buddy_pfn = merged_pfn. */
  buddy_merge: tp('pagewalk', 'buddy_merge', 'pfn', 'buddy_pfn', 'order', 'merged_pfn', 'nid', 'zone'),
  /** `text` is the cache's name; no call_site: our callers have no addresses. */
  kmem_cache_alloc: tp(
    'kmem',
    'kmem_cache_alloc',
    'ptr',
    'bytes_req',
    'bytes_alloc',
    'gfp_flags',
    'node',
    'accounted',
    'text',
  ),
  kmem_cache_free: tp('kmem', 'kmem_cache_free', 'ptr', 'text'),
  kmalloc: tp('kmem', 'kmalloc', 'ptr', 'bytes_req', 'bytes_alloc', 'gfp_flags', 'node', 'accounted'),
  kfree: tp('kmem', 'kfree', 'ptr'),
  mm_compaction_defer_compaction: tp('compaction', 'mm_compaction_defer_compaction', ...DEFER_FIELDS),
  mm_compaction_defer_reset: tp('compaction', 'mm_compaction_defer_reset', ...DEFER_FIELDS),
  mm_compaction_fast_isolate_freepages: tp(
    'compaction',
    'mm_compaction_fast_isolate_freepages',
    'start_pfn',
    'end_pfn',
    'nr_scanned',
    'nr_taken',
  ),
  /** `text`: the string that an argument points to. */
  sys_enter: tp('raw_syscalls', 'sys_enter', 'id', 'arg0', 'arg1', 'arg2', 'arg3', 'arg4', 'arg5', 'text'),
  /** `out` and `text`: what the call has stored for its caller. */
  sys_exit: tp('raw_syscalls', 'sys_exit', 'id', 'ret', 'out', 'text'),
  /** `detail`: the address of an access, or who sent it. */
  signal_generate: tp('signal', 'signal_generate', 'sig', 'errno', 'code', 'pid', 'grp', 'res', 'detail', 'text'),
  /** A block leaves the free lists, under the zone's lock. */
  mm_page_alloc_zone_locked: tp('kmem', 'mm_page_alloc_zone_locked', 'pfn', 'order', 'migratetype', 'percpu_refill'),
  /** A block goes from a CPU's list back to the free lists. */
  mm_page_pcpu_drain: tp('kmem', 'mm_page_pcpu_drain', 'pfn', 'order', 'migratetype'),
} as const satisfies Record<string, TracepointInfo>

export type Tracepoint = keyof typeof TRACEPOINTS
export const TRACEPOINT_NAMES = Object.keys(TRACEPOINTS) as Tracepoint[]
const INDEX = Object.fromEntries(TRACEPOINT_NAMES.map((n, i) => [n, i])) as Record<Tracepoint, number>

/** Tells the listener; free when nobody listens. Callers on the hottest paths check isTracing() first. */
export function emit(state: KernelState, name: Tracepoint, args: readonly number[], text = ''): void {
  const index = INDEX[name]
  if (context.muted[index] === 1) return
  if (context.traced?.[index] === 1) recordTrace(state, index, args, text)
  if (!isForSink(context, index)) return
  context.sink.trace?.(index, state.nowNs + state.exec.ns, state.exec.pid, state.exec.cpu, args, text)
}

/** Whether anybody listens: before the arguments are put together. */
export const isTracing = (): boolean => context.sink.trace !== undefined || context.traced !== undefined

/** Tracepoints that fire for each page are asked for by number: a look-up by name was 4 % of a recorded run. */
export const TRACE_PAGE_ALLOC = INDEX.mm_page_alloc
export const TRACE_PAGE_FREE = INDEX.mm_page_free
export const TRACE_ZONE_LOCKED = INDEX.mm_page_alloc_zone_locked
export const TRACE_PCPU_DRAIN = INDEX.mm_page_pcpu_drain
export const TRACE_PAGE_FAULT = INDEX.page_fault_user
export const TRACE_WRITE_FOLIO = INDEX.mm_vmscan_write_folio
export const TRACE_BUDDY_SPLIT = INDEX.buddy_split
export const TRACE_BUDDY_MERGE = INDEX.buddy_merge
export const TRACE_CACHE_ALLOC = INDEX.kmem_cache_alloc
export const TRACE_CACHE_FREE = INDEX.kmem_cache_free
export const TRACE_KMALLOC = INDEX.kmalloc
export const TRACE_KFREE = INDEX.kfree
export const TRACE_SYS_ENTER = INDEX.sys_enter
export const TRACE_SYS_EXIT = INDEX.sys_exit

/** Whether anybody wants this tracepoint. */
export const isWanted = (tracepoint: number): boolean => context.muted[tracepoint] === 0
