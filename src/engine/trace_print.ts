/**
 * How the kernel prints each tracepoint: the TP_printk() formats, as `perf script` and the trace file show them.
 * Fields that our tracepoints do not carry are left out of their line.
 * @kernel  include/trace/events/{kmem,compaction,vmscan,oom,exceptions,sched}.h TP_printk()
 */
import type { KernelSeries } from './config'
import { COMPACTION_STATUS } from './mm/compaction_suitable'
import { ZONE_NAMES, PAGEBLOCK_ORDER } from './mm/gfp'
import { formatGfp } from './mm/gfp_names'
import { TRACEPOINTS, type Tracepoint } from './trace'

/** One event, as far as its line needs it. */
export interface TraceLine {
  readonly args: readonly number[]
  readonly text: string
  readonly series: KernelSeries
}

type Print = (a: (index: number) => number, line: TraceLine) => string

const hex = (n: number): string => `0x${n.toString(16)}`
/** %lx: −1 is ffffffffffffffff. */
const longHex = (n: number): string => BigInt.asUintN(64, BigInt(n)).toString(16)
/** 'GFP_KERNEL|__GFP_ZERO' without the number that dmesg puts before it. */
const gfpNames = (mask: number): string => formatGfp(mask).replace(/^0x[0-9a-f]+\((.*)\)$/, '$1')
/** perf does not know where the memory map lies, and shows the frame number as the page's address. */
const page = (pfn: number): string => `page=${hex(pfn)} pfn=${hex(pfn)}`
const zoneName = (index: number): string => (ZONE_NAMES[index] ?? '').padEnd(8)
const range: Print = (a) => `range=(${hex(a(0))} ~ ${hex(a(1))}) nr_scanned=${a(2)} nr_taken=${a(3)}`

const status = (result: number): string => COMPACTION_STATUS[result] ?? String(result)
const scan = (a: (index: number) => number): string =>
  `zone_start=${hex(a(0))} migrate_pfn=${hex(a(1))} free_pfn=${hex(a(2))} zone_end=${hex(a(3))}, mode=${a(4) === 0 ? 'async' : 'sync'}`
const verdict: Print = (a) => `node=${a(0)} zone=${zoneName(a(1))} order=${a(2)} ret=${status(a(3))}`
const deferral: Print = (a) =>
  `node=${a(0)} zone=${zoneName(a(1))} order=${a(2)} order_failed=${a(4)} consider=${a(5)} limit=${2 ** a(3)}`
const kcompactd: Print = (a) => `nid=${a(0)} order=${a(1)} classzone_idx=${zoneName(a(2))}`

/** @kernel include/trace/events/vmscan.h show_reclaim_flags(), show_throttle_flags() */
const reclaimFlags = (isFile: boolean): string => `RECLAIM_WB_${isFile ? 'FILE' : 'ANON'}|RECLAIM_WB_ASYNC`
const THROTTLE = ['WRITEBACK', 'ISOLATED', 'NOPROGRESS', 'CONGESTED']
const throttleReason = (bits: number): string =>
  THROTTLE.filter((_, bit) => (bits & (1 << bit)) !== 0)
    .map((name) => `VMSCAN_THROTTLE_${name}`)
    .join('|') || 'VMSCAN_THROTTLE_NONE'
const LRU = ['inactive_anon', 'active_anon', 'inactive_file', 'active_file', 'unevictable']
const reclaimBegin: Print = (a) => `order=${a(0)} gfp_flags=${gfpNames(a(1))}`
const reclaimEnd: Print = (a) => `nr_reclaimed=${a(0)}`

const markVictim: Print = (a, { text, series }) =>
  series === '6.1'
    ? `pid=${a(0)}`
    : `pid=${a(0)} comm=${text} total-vm=${a(1)}kB anon-rss=${a(2)}kB file-rss:${a(3)}kB shmem-rss:${a(4)}kB uid=${a(5)} pgtables=${a(6)}kB oom_score_adj=${a(7)}`

const allocated = (a: (index: number) => number): string =>
  `bytes_req=${a(1)} bytes_alloc=${a(2)} gfp_flags=${gfpNames(a(3))} node=${a(4)} accounted=${a(5) !== 0}`

/** Ours, and those whose formats name nothing else: `field=value`, in the table's order. */
const plain =
  (name: Tracepoint): Print =>
  (a) =>
    TRACEPOINTS[name].fields.map((field, i) => `${field}=${/pfn$/.test(field) ? hex(a(i)) : a(i)}`).join(' ')

const PRINT: Readonly<Record<Tracepoint, Print>> = {
  mm_page_alloc: (a) => `${page(a(0))} order=${a(1)} migratetype=${a(3)} gfp_flags=${gfpNames(a(2))}`,
  mm_page_free: (a) => `${page(a(0))} order=${a(1)}`,
  mm_page_alloc_zone_locked: (a) => `${page(a(0))} order=${a(1)} migratetype=${a(2)} percpu_refill=${a(3)}`,
  mm_page_pcpu_drain: (a) => `${page(a(0))} order=${a(1)} migratetype=${a(2)}`,
  mm_page_alloc_extfrag: (a) =>
    `${page(a(0))} alloc_order=${a(1)} fallback_order=${a(2)} pageblock_order=${PAGEBLOCK_ORDER} alloc_migratetype=${a(3)} ` +
    `fallback_migratetype=${a(4)} fragmenting=${a(2) < PAGEBLOCK_ORDER ? 1 : 0} change_ownership=${a(5)}`,
  mm_vmscan_wakeup_kswapd: (a) => `nid=${a(0)} order=${a(1)} gfp_flags=${gfpNames(a(2))}`,
  mm_vmscan_kswapd_wake: (a) => `nid=${a(0)} order=${a(1)}`,
  mm_vmscan_kswapd_sleep: (a) => `nid=${a(0)}`,
  mm_vmscan_direct_reclaim_begin: reclaimBegin,
  mm_vmscan_direct_reclaim_end: reclaimEnd,
  mm_vmscan_memcg_reclaim_begin: reclaimBegin,
  mm_vmscan_memcg_reclaim_end: reclaimEnd,
  mm_vmscan_lru_isolate: (a, { series }) =>
    `${series === '6.1' ? 'isolate_mode=0 ' : ''}classzone=${a(0)} order=${a(1)} nr_requested=${a(2)} nr_scanned=${a(3)} ` +
    `nr_skipped=${a(4)} nr_taken=${a(5)} lru=${LRU[a(6)] ?? a(6)}`,
  mm_vmscan_lru_shrink_inactive: plain('mm_vmscan_lru_shrink_inactive'),
  mm_vmscan_lru_shrink_active: (a) =>
    `nid=${a(0)} nr_taken=${a(1)} nr_active=${a(2)} nr_deactivated=${a(3)} nr_referenced=${a(4)} priority=${a(5)} ` +
    `flags=${reclaimFlags(a(6) !== 0)}`,
  // The misspelt name is the kernel's.
  mm_vmscan_throttled: (a) => `nid=${a(0)} usec_timeout=${a(1)} usect_delayed=${a(2)} reason=${throttleReason(a(3))}`,
  mm_vmscan_write_folio: (a) => `${page(a(0))} flags=${reclaimFlags(a(1) >= 2)}`,
  mark_victim: markVictim,
  oom_score_adj_update: (a, { text }) => `pid=${a(0)} comm=${text} oom_score_adj=${a(1)}`,
  page_fault_user: (a) => `address=${hex(a(0))} error_code=${hex(a(1))}`,
  sched_process_fork: (a, { text }) => `comm=${text} pid=${a(0)} child_comm=${text} child_pid=${a(1)}`,
  sched_process_exec: (a, { text }) => `filename=${text} pid=${a(0)} old_pid=${a(0)}`,
  sched_process_exit: (a, { text }) => `comm=${text} pid=${a(0)}`,
  memcg_high_throttle: plain('memcg_high_throttle'),
  memcg_event: plain('memcg_event'),
  kswapd_nap: plain('kswapd_nap'),
  mm_compaction_begin: scan,
  mm_compaction_end: (a) => `${scan(a)} status=${status(a(5))}`,
  mm_compaction_isolate_migratepages: range,
  mm_compaction_isolate_freepages: range,
  mm_compaction_fast_isolate_freepages: range,
  mm_compaction_migratepages: (a) => `nr_migrated=${a(0)} nr_failed=${a(1)}`,
  mm_compaction_try_to_compact_pages: (a) => `order=${a(0)} gfp_mask=${gfpNames(a(1))} priority=${a(2)}`,
  mm_compaction_suitable: verdict,
  mm_compaction_finished: verdict,
  mm_compaction_deferred: deferral,
  mm_compaction_defer_compaction: deferral,
  mm_compaction_defer_reset: deferral,
  mm_compaction_kcompactd_wake: kcompactd,
  mm_compaction_wakeup_kcompactd: kcompactd,
  mm_compaction_kcompactd_sleep: (a) => `nid=${a(0)}`,
  buddy_split: plain('buddy_split'),
  buddy_merge: plain('buddy_merge'),
  kmem_cache_alloc: (a, { text }) => `ptr=${hex(a(0))} name=${text} ${allocated(a)}`,
  kmem_cache_free: (a, { text }) => `ptr=${hex(a(0))} name=${text}`,
  kmalloc: (a) => `ptr=${hex(a(0))} ${allocated(a)}`,
  kfree: (a) => `ptr=${hex(a(0))}`,
  sys_enter: (a) => `NR ${a(0)} (${[1, 2, 3, 4, 5, 6].map((i) => longHex(a(i))).join(', ')})`,
  sys_exit: (a) => `NR ${a(0)} = ${a(1)}`,
  signal_generate: (a, { text }) =>
    `sig=${a(0)} errno=${a(1)} code=${a(2)} comm=${text} pid=${a(3)} grp=${a(4)} res=${a(5)}`,
}

/** 'page=0x2700 pfn=0x2700 order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP'. @kernel TP_printk() */
export const tracepointText = (name: Tracepoint, line: TraceLine): string =>
  PRINT[name]((index) => line.args[index] ?? 0, line)
