/**
 * Nodes and zones: the structs, their counters, and the question every allocation asks: may this zone give pages?
 * How high the marks are is computed in watermark.ts.
 * @kernel  include/linux/mmzone.h, mm/page_alloc.c
 * @spec    01 §1.3–§1.8, 02 §2.5
 */
import type { Pages, Pfn } from '../../util/units'
import type { KernelSeries, MachineConfig } from '../config'
import { nodeOrders, type ZoneLayout } from '../machine_layout'
import type { KernelState } from '../state'
import {
  MAX_NR_ZONES,
  MIGRATE_HIGHATOMIC,
  MIGRATE_MOVABLE,
  MIGRATE_RECLAIMABLE,
  MIGRATE_TYPES,
  MIGRATE_UNMOVABLE,
  NR_PAGE_ORDERS,
} from './gfp'
import { canDemote } from './memory_tiers'
import { createLists } from './memmap'
import { nrSwapPages } from './swap_space'
import {
  NODE_ITEMS,
  NR_FREE_PAGES,
  NR_ZONE_ACTIVE_ANON,
  NR_ZONE_ACTIVE_FILE,
  NR_ZONE_INACTIVE_ANON,
  NR_ZONE_INACTIVE_FILE,
  NUMA_ITEMS,
  readStat,
  ZONE_ITEMS,
} from './vmstat'

export const WMARK_MIN = 0
export const WMARK_LOW = 1
export const WMARK_HIGH = 2
export const WMARK_PROMO = 3

export const ZONE_FLAG_BOOSTED = 1
export const ZONE_FLAG_BELOW_HIGH = 2
export const ZONE_FLAG_RECLAIM_ACTIVE = 4

/** Allocation flags; the lowest two bits name the watermark. @kernel mm/internal.h ALLOC_* @spec 02 §2.5 */
export const ALLOC_WMARK_MIN = WMARK_MIN
export const ALLOC_WMARK_LOW = WMARK_LOW
export const ALLOC_WMARK_HIGH = WMARK_HIGH
export const ALLOC_WMARK_MASK = 3
export const ALLOC_NO_WATERMARKS = 0x4
export const ALLOC_OOM = 0x8
export const ALLOC_NON_BLOCK = 0x10
export const ALLOC_MIN_RESERVE = 0x20
export const ALLOC_CPUSET = 0x40
export const ALLOC_CMA = 0x80
export const ALLOC_NOFRAGMENT = 0x100
export const ALLOC_HIGHATOMIC = 0x200
export const ALLOC_KSWAPD = 0x800
export const ALLOC_RESERVES = ALLOC_NON_BLOCK | ALLOC_MIN_RESERVE | ALLOC_HIGHATOMIC | ALLOC_OOM

/** kswapd gives up on a node after so many fruitless runs; direct reclaim after so many loops. */
export const MAX_RECLAIM_RETRIES = 16

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
  /** The last free was of order 1–3. */
  prevFreeHighOrder: boolean
  /** Ticks of the vmstat worker until an unused list of a remote node is drained; 0 = not counting. */
  expire: number
  /** Lists: (order * 3 + migratetype) for orders 0–3, then the two THP lists. */
  readonly lists: Int32Array
}

export interface Zone {
  /** Index into state.zones: nid * 5 + zone index. Empty zones exist too, because zoneinfo prints them. */
  readonly index: number
  readonly nid: number
  /** ZONE_DMA … ZONE_DEVICE */
  readonly idx: number
  readonly series: KernelSeries
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
  /** This node's part of state.totalreservePages. */
  totalreservePages: Pages
}

/** Where a request starts and which zones it may take: a node, or its lists without the nodes that a policy forbids. */
export interface Zonelists {
  readonly nid: number
  readonly zonelist: readonly number[]
  readonly zonelistThisnode: readonly number[]
  /** Nodes that the request is confined to; undefined = none are forbidden. */
  readonly nodemask?: readonly number[]
  /** It is the task's cpuset that confines, no policy. */
  readonly isCpuset?: boolean
}

/** min/low/high/promo plus boost. @kernel include/linux/mmzone.h wmark_pages() */
export const wmark = (zone: Zone, which: number): Pages => zone.watermark[which]! + zone.watermarkBoost

/** @kernel mm/vmstat.c zone_page_state(NR_FREE_PAGES) */
export const zoneFreePages = (zone: Zone): Pages => readStat(zone.stat, NR_FREE_PAGES)

/**
 * Nodes and zones of a machine, all counters zero, no page free, no watermark set.
 * @kernel  mm/mm_init.c free_area_init(), mm/page_alloc.c build_all_zonelists()
 * @spec    01 §1.3, §1.4
 */
export function createNodes(config: MachineConfig, layout: readonly ZoneLayout[]): { nodes: PgData[]; zones: Zone[] } {
  const nrCpus = config.nodes.reduce((sum, n) => sum + n.cpus.length, 0)
  const zones = layout.map((row) => createZone(row, config.series, nrCpus))
  const hasMemory = config.nodes.map((n) => zones.some((z) => z.nid === n.nid && z.present > 0))
  const orders = nodeOrders(
    config.distances,
    hasMemory,
    config.nodes.map((n) => n.cpus.length > 0),
  )
  const nodes = config.nodes.map((node): PgData => {
    const own = (nid: number): number[] =>
      zones
        .filter((z) => z.nid === nid && z.present > 0)
        .map((z) => z.index)
        .reverse()
    const nodeOrder = orders[node.nid]!
    return {
      nid: node.nid,
      zones: zones.filter((z) => z.nid === node.nid).map((z) => z.index),
      cpus: node.cpus,
      hasMemory: hasMemory[node.nid]!,
      nodeOrder,
      zonelist: nodeOrder.flatMap(own),
      zonelistThisnode: own(node.nid),
      stat: new Float64Array(NODE_ITEMS.length),
      kswapd: { pid: 0, phase: 0, order: 0, highestZoneidx: 0, failures: 0, wakeSequence: 0 },
      flags: 0,
      totalreservePages: 0,
    }
  })
  return { nodes, zones }
}

function createZone(row: ZoneLayout, series: KernelSeries, nrCpus: number): Zone {
  return {
    index: row.nid * MAX_NR_ZONES + row.idx,
    nid: row.nid,
    idx: row.idx,
    series,
    startPfn: row.startPfn,
    spanned: row.spanned,
    present: row.present,
    managed: row.managed,
    managedAtBoot: row.managedAtBoot,
    watermark: new Float64Array(4),
    watermarkBoost: 0,
    lowmemReserve: new Float64Array(MAX_NR_ZONES),
    freeLists: createLists(NR_PAGE_ORDERS * MIGRATE_TYPES),
    nrFree: new Int32Array(NR_PAGE_ORDERS),
    nrFreeType: new Int32Array(NR_PAGE_ORDERS * MIGRATE_TYPES),
    nrReservedHighatomic: 0,
    nrFreeHighatomic: 0,
    flags: 0,
    pcp: Array.from({ length: nrCpus }, createPerCpuPages),
    stat: new Float64Array(ZONE_ITEMS.length),
    numaStat: new Float64Array(NUMA_ITEMS.length),
  }
}

function createPerCpuPages(): PerCpuPages {
  return {
    count: 0,
    high: 0,
    highMin: 0,
    highMax: 0,
    batch: 1,
    allocFactor: 0,
    freeCount: 0,
    prevFreeHighOrder: false,
    expire: 0,
    lists: createLists(NR_PCP_LISTS),
  }
}

/** Orders 0–3 × three migrate types, then order 9 movable and not movable. @kernel include/linux/mmzone.h NR_PCP_LISTS */
export const NR_PCP_LISTS = 14

/** Sum of one node counter over all nodes. @kernel mm/vmstat.c global_node_page_state() */
export function globalNodeState(state: KernelState, item: number): number {
  let sum = 0
  for (const node of state.nodes) sum += readStat(node.stat, item)
  return sum
}

/** Sum of one zone counter over all zones. @kernel mm/vmstat.c global_zone_page_state() */
export function globalZoneState(state: KernelState, item: number): number {
  let sum = 0
  for (const zone of state.zones) sum += readStat(zone.stat, item)
  return sum
}

/**
 * Whether an allocation may take pages from the zone without dipping below `mark`. High orders also need a free block of
 * at least that order on a list the caller may use.
 * @param mark           pages, boost included
 * @param highestZoneidx the highest zone that the allocation could use: it pays this zone's reserve for that
 * @returns false means "try the next zone", not "out of memory"
 * @kernel  mm/page_alloc.c zone_watermark_ok()
 * @spec    02 §2.5
 * @simplifies  no per-CPU drift of the free counter: ours is exact
 */
export const zoneWatermarkOk = (
  zone: Zone,
  order: number,
  mark: Pages,
  highestZoneidx: number,
  allocFlags: number,
): boolean => zoneWatermarkOkFor(zone, order, mark, highestZoneidx, allocFlags, zoneFreePages(zone))

/** The same for a number of free pages that is only imagined. @kernel mm/page_alloc.c __zone_watermark_ok() @spec 02 §2.5 */
export function zoneWatermarkOkFor(
  zone: Zone,
  order: number,
  mark: Pages,
  highestZoneidx: number,
  allocFlags: number,
  freePages: Pages,
): boolean {
  const free = freePages - ((1 << order) - 1) - unusableFree(zone, allocFlags)
  if (free <= watermarkLimit(mark, allocFlags) + zone.lowmemReserve[highestZoneidx]!) return false
  if (order === 0) return true
  for (let o = order; o < NR_PAGE_ORDERS; o++) {
    if (zone.nrFree[o] === 0) continue
    const base = o * MIGRATE_TYPES
    const mayUse =
      zone.nrFreeType[base + MIGRATE_UNMOVABLE]! +
      zone.nrFreeType[base + MIGRATE_MOVABLE]! +
      zone.nrFreeType[base + MIGRATE_RECLAIMABLE]!
    if (mayUse > 0) return true
    if ((allocFlags & (ALLOC_HIGHATOMIC | ALLOC_OOM)) !== 0 && zone.nrFreeType[base + MIGRATE_HIGHATOMIC]! > 0)
      return true
  }
  return false
}

/**
 * `mark` lowered for callers that may use reserves; an order-0 request fails at or below it.
 * @kernel  mm/page_alloc.c __zone_watermark_ok()
 * @spec    02 §2.5, E3
 */
export function watermarkLimit(mark: Pages, allocFlags: number): Pages {
  let min = mark
  if ((allocFlags & ALLOC_MIN_RESERVE) !== 0) {
    min -= Math.floor(min / 2)
    if ((allocFlags & ALLOC_NON_BLOCK) !== 0) min -= Math.floor(min / 4)
  }
  if ((allocFlags & ALLOC_OOM) !== 0) min -= Math.floor(min / 2)
  return min
}

/** Free pages that this caller may not have. @kernel mm/page_alloc.c __zone_watermark_unusable_free() */
function unusableFree(zone: Zone, allocFlags: number): Pages {
  if ((allocFlags & ALLOC_RESERVES) !== 0) return 0
  return zone.series === '6.1' ? zone.nrReservedHighatomic : zone.nrFreeHighatomic
}

/**
 * The check of the allocation paths: a short cut for single pages, and the boost does not count against callers that may
 * use reserves.
 * @kernel  mm/page_alloc.c zone_watermark_fast()
 * @spec    02 §2.5
 */
export function zoneWatermarkFast(
  zone: Zone,
  order: number,
  mark: Pages,
  highestZoneidx: number,
  allocFlags: number,
): boolean {
  const free = zoneFreePages(zone)
  if (order === 0) {
    const usable = free - Math.min(free, unusableFree(zone, allocFlags))
    if (usable > mark + zone.lowmemReserve[highestZoneidx]!) return true
  }
  if (zoneWatermarkOkFor(zone, order, mark, highestZoneidx, allocFlags, free)) return true
  const mayIgnoreBoost =
    order === 0 &&
    (allocFlags & ALLOC_MIN_RESERVE) !== 0 &&
    zone.watermarkBoost > 0 &&
    (allocFlags & ALLOC_WMARK_MASK) === WMARK_MIN
  return mayIgnoreBoost && zoneWatermarkOkFor(zone, order, zone.watermark[WMARK_MIN]!, highestZoneidx, allocFlags, free)
}

/**
 * Raises a zone's marks by a pageblock because an allocation had to break into a block of another migrate type.
 * @returns whether the zone is boosted: kswapd should be woken
 * @kernel  mm/page_alloc.c boost_watermark()
 * @spec    01 §1.7 "Watermark boost"
 */
export function boostWatermark(state: KernelState, zone: Zone): boolean {
  const factor = state.sysctl.watermarkBoostFactor
  if (factor === 0 || PAGEBLOCK_NR_PAGES * 4 > zone.managed) return false
  const max = mulFrac(zone.watermark[WMARK_HIGH]!, factor, 10000)
  if (max === 0) return false
  zone.watermarkBoost = Math.min(zone.watermarkBoost + PAGEBLOCK_NR_PAGES, Math.max(PAGEBLOCK_NR_PAGES, max))
  return true
}
const PAGEBLOCK_NR_PAGES = 512

/** x * n / d without losing the remainder of x / d. @kernel include/linux/math.h mult_frac() */
export const mulFrac = (x: number, n: number, d: number): number =>
  Math.floor(x / d) * n + Math.floor(((x % d) * n) / d)

/**
 * Pages of the zone that reclaim could free: file lists, and anonymous ones while there is swap space. A zone without
 * any gives its free pages instead, so that a starving allocator does not stop too early.
 * @kernel  mm/vmscan.c zone_reclaimable_pages()
 * @spec    02 §2.7 should_reclaim_retry
 */
export function zoneReclaimablePages(state: KernelState, zone: Zone): Pages {
  let nr = readStat(zone.stat, NR_ZONE_INACTIVE_FILE) + readStat(zone.stat, NR_ZONE_ACTIVE_FILE)
  if (nrSwapPages(state) > 0 || canDemote(state, zone.nid))
    nr += readStat(zone.stat, NR_ZONE_INACTIVE_ANON) + readStat(zone.stat, NR_ZONE_ACTIVE_ANON)
  return nr === 0 ? zoneFreePages(zone) : nr
}
