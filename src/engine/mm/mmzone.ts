/**
 * Nodes and zones: the structs, zonelists, watermarks and low-memory reserves.
 * @kernel  include/linux/mmzone.h, mm/page_alloc.c
 * @spec    01 §1.3–§1.8
 */
import type { Pages, Pfn } from '../../util/units'

export const WMARK_MIN = 0
export const WMARK_LOW = 1
export const WMARK_HIGH = 2
export const WMARK_PROMO = 3

export const ZONE_FLAG_BOOSTED = 1
export const ZONE_FLAG_BELOW_HIGH = 2
export const ZONE_FLAG_RECLAIM_ACTIVE = 4

/** One CPU's page lists of one zone. Owner: pcp.ts. */
export interface PerCpuPages {
  count: number
  high: number
  highMin: number
  highMax: number
  batch: number
  allocFactor: number
  /** 6.12; 6.1 keeps free_factor here. */
  freeCount: number
  /** Lists: (order * 3 + migratetype) for orders 0–3, then the two THP lists. */
  readonly lists: Int32Array
}

export interface Zone {
  /** Index into state.zones: nid * 5 + zone index. Empty zones exist too, because zoneinfo prints them. */
  readonly index: number
  readonly nid: number
  /** ZONE_DMA … ZONE_DEVICE */
  readonly idx: number
  readonly startPfn: Pfn
  readonly spanned: Pages
  readonly present: Pages
  managed: Pages
  /** managed − returnedLate: what boot computed watermarks with (spec 01 §1.6a). */
  managedAtBoot: Pages
  /** min, low, high, promo without boost. Read through wmark(). */
  readonly watermark: Float64Array
  watermarkBoost: Pages
  /** lowmem_reserve[j]: pages kept from allocations that could use zone j. */
  readonly lowmemReserve: Float64Array
  /** Free lists: order * MIGRATE_TYPES + migratetype. Owner: buddy.ts (order-10 links are per block, see there). */
  readonly freeLists: Int32Array
  /** Blocks per order, all types. */
  readonly nrFree: Int32Array
  /** Blocks per order * MIGRATE_TYPES + type. */
  readonly nrFreeType: Int32Array
  nrReservedHighatomic: Pages
  nrFreeHighatomic: Pages
  /** ZONE_FLAG_* */
  flags: number
  /** One entry a CPU of the machine. */
  readonly pcp: PerCpuPages[]
  /** ZONE_ITEMS counters. */
  readonly stat: Float64Array
  /** NUMA_ITEMS counters. */
  readonly numaStat: Float64Array
}

/** kswapd of one node. Owner: vmscan.ts. */
export interface KswapdState {
  /** pid of the kernel thread. */
  pid: number
  /** 0 asleep, 1 napping (HZ/10), 2 running. */
  phase: number
  order: number
  highestZoneidx: number
  failures: number
  /** Bumped at every wake-up so that a stale nap event is ignored. */
  wakeSequence: number
}

export interface PgData {
  readonly nid: number
  /** Zone indices of this node, ascending, empty ones included. */
  readonly zones: readonly number[]
  readonly cpus: readonly number[]
  readonly hasMemory: boolean
  /** Fallback order of node ids for this node, itself first if it has memory (spec 01 §1.4). */
  readonly nodeOrder: readonly number[]
  /** Populated zone indices (into state.zones) in allocation order; filter by idx <= gfpZone. */
  readonly zonelist: readonly number[]
  /** The same without other nodes, for __GFP_THISNODE. */
  readonly zonelistThisnode: readonly number[]
  /** NODE_ITEMS counters. */
  readonly stat: Float64Array
  readonly kswapd: KswapdState
  /** Node flags DIRTY, WRITEBACK. Owner: vmscan.ts. */
  flags: number
}

/** min/low/high/promo plus boost. @kernel include/linux/mmzone.h wmark_pages() */
export const wmark = (zone: Zone, which: number): Pages => zone.watermark[which]! + zone.watermarkBoost

