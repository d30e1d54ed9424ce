/**
 * One walk over the zonelist: which zone gives the page, by which mark, and what is counted for it. The slow path comes
 * back to it with other flags.
 * @kernel  mm/page_alloc.c get_page_from_freelist(), rmqueue(), zone_statistics()
 * @spec    02 §2.3, §2.5, §2.6
 */
import type { Pages, Pfn } from '../../util/units'
import { charge } from '../exec'
import type { KernelState } from '../state'
import { emit, isWanted, TRACE_PAGE_ALLOC } from '../trace'
import { reserveHighatomic, rmqueueBuddy } from './buddy_fallback'
import {
  GFP_BIT_THISNODE,
  GFP_BIT_WRITE,
  gfpMigratetype,
  gfpZone,
  MIGRATE_MOVABLE,
  ZONE_DMA32,
  ZONE_NORMAL,
} from './gfp'
import { wakeupKswapd } from './kswapd'
import { setPageOrder } from './memmap'
import {
  ALLOC_CMA,
  ALLOC_HIGHATOMIC,
  ALLOC_KSWAPD,
  ALLOC_NO_WATERMARKS,
  ALLOC_NOFRAGMENT,
  ALLOC_WMARK_LOW,
  ALLOC_WMARK_MASK,
  WMARK_HIGH,
  wmark,
  ZONE_FLAG_BELOW_HIGH,
  ZONE_FLAG_BOOSTED,
  zoneFreePages,
  zoneWatermarkFast,
  zoneWatermarkOk,
  type PgData,
  type Zone,
  type Zonelists,
} from './mmzone'
import { nodeReclaim, nodeReclaimEnabled } from './node_reclaim'
import { isPcpOrder, rmqueuePcp } from './pcp'
import {
  countVmEvents,
  modStat,
  NR_ACTIVE_FILE,
  NR_DIRTY,
  NR_INACTIVE_FILE,
  NR_WRITEBACK,
  NUMA_FOREIGN,
  NUMA_HIT,
  NUMA_LOCAL,
  NUMA_MISS,
  NUMA_OTHER,
  PGALLOC_DMA,
  readStat,
} from './vmstat'

/** Zones that a request may use, best first; entries above its highest zone must be skipped. @kernel node_zonelist() */
export const zonelistFor = (node: Zonelists, gfp: number): readonly number[] =>
  (gfp & GFP_BIT_THISNODE) !== 0 ? node.zonelistThisnode : node.zonelist

/** First zone of the list that the request may use. @kernel first_zones_zonelist() */
export function preferredZone(state: KernelState, node: Zonelists, gfp: number): Zone | undefined {
  const highest = gfpZone(gfp)
  const zonelist = zonelistFor(node, gfp)
  for (let i = 0; i < zonelist.length; i++) {
    const zone = state.zones[zonelist[i]!]!
    if (zone.idx <= highest) return zone
  }
  return undefined
}

/**
 * Tries every zone of the list once.
 * @param allocFlags  ALLOC_*: the mark, reserves, NOFRAGMENT for a first try that spares foreign pageblocks
 * @returns first frame with flags 0 and its order set, or 0
 * @kernel  mm/page_alloc.c get_page_from_freelist()
 * @spec    02 §2.6
 * @simplifies  no deferred struct pages; a cpuset has cut the list down already
 */
export function getPageFromFreelist(
  state: KernelState,
  gfp: number,
  order: number,
  allocFlags: number,
  node: Zonelists,
  preferred = preferredZone(state, node, gfp),
): Pfn {
  if (preferred === undefined) return 0
  let flags = allocFlags
  for (;;) {
    const pfn = walkZonelist(state, gfp, order, flags, node, preferred)
    if (pfn !== 0 || (flags & ALLOC_NOFRAGMENT) === 0) return pfn
    flags &= ~ALLOC_NOFRAGMENT
  }
}

function walkZonelist(
  state: KernelState,
  gfp: number,
  order: number,
  flags: number,
  node: Zonelists,
  preferred: Zone,
): Pfn {
  const highest = gfpZone(gfp)
  // Dirty pages are spread over nodes on the first try only.
  const spreadsDirty = (gfp & GFP_BIT_WRITE) !== 0 && (flags & ALLOC_WMARK_MASK) === ALLOC_WMARK_LOW
  const zonelist = zonelistFor(node, gfp)
  for (let i = 0; i < zonelist.length; i++) {
    const zone = state.zones[zonelist[i]!]!
    if (zone.idx > highest) continue
    if (spreadsDirty && !isNodeDirtyOk(state, state.nodes[zone.nid]!)) continue
    // Better a foreign pageblock at home than a page of another node.
    if ((flags & ALLOC_NOFRAGMENT) !== 0 && zone.nid !== preferred.nid) return 0
    if (!mayTake(zone, order, highest, flags) && !reclaimFirst(state, zone, { preferred, gfp, order, highest, flags }))
      continue
    const pfn = rmqueue(state, zone, order, gfp, flags)
    if (pfn === 0) continue
    countAllocs(state, preferred, zone, 1, order)
    if ((flags & ALLOC_HIGHATOMIC) !== 0) reserveHighatomic(state, zone, pfn, order)
    if (isWanted(TRACE_PAGE_ALLOC)) traceAlloc(state, pfn, order, gfp)
    return pfn
  }
  return 0
}

/** @kernel include/trace/events/kmem.h mm_page_alloc */
export const traceAlloc = (state: KernelState, pfn: Pfn, order: number, gfp: number): void =>
  emit(state, 'mm_page_alloc', [pfn, order, gfp, gfpMigratetype(gfp)])

/** The marks. 6.12 looks at `high` first and remembers when the zone is below it: per-CPU lists then stop growing. */
function mayTake(zone: Zone, order: number, highest: number, flags: number): boolean {
  if (zone.series !== '6.1' && (zone.flags & ZONE_FLAG_BELOW_HIGH) === 0) {
    if (zoneWatermarkFast(zone, order, wmark(zone, WMARK_HIGH), highest, flags)) return true
    zone.flags |= ZONE_FLAG_BELOW_HIGH
  }
  if (zoneWatermarkFast(zone, order, wmark(zone, flags & ALLOC_WMARK_MASK), highest, flags)) return true
  return (flags & ALLOC_NO_WATERMARKS) !== 0
}

interface BelowMark {
  readonly preferred: Zone
  readonly gfp: number
  readonly order: number
  readonly highest: number
  readonly flags: number
}

/** Nodes further away than this are not worth reclaiming for. @kernel node_reclaim_distance, RECLAIM_DISTANCE */
const NODE_RECLAIM_DISTANCE = 30

/**
 * vm.zone_reclaim_mode: the node frees cache of its own before the walk goes on to the next one.
 * @returns whether the zone is above the mark now
 * @kernel  mm/page_alloc.c get_page_from_freelist(), zone_allows_reclaim()
 * @spec    08 §8.2
 */
function reclaimFirst(state: KernelState, zone: Zone, r: BelowMark): boolean {
  if (!nodeReclaimEnabled(state)) return false
  if (state.config.distances[r.preferred.nid]![zone.nid]! > NODE_RECLAIM_DISTANCE) return false
  if (!nodeReclaim(state, zone.nid, { gfp: r.gfp, order: r.order, highestZoneidx: r.highest })) return false
  return zoneWatermarkOk(zone, r.order, wmark(zone, r.flags & ALLOC_WMARK_MASK), r.highest, r.flags)
}

/** @kernel mm/page_alloc.c rmqueue() @spec 02 §2.3 */
function rmqueue(state: KernelState, zone: Zone, order: number, gfp: number, flags: number): Pfn {
  const migratetype = gfpMigratetype(gfp)
  let pfn = isPcpOrder(order) ? rmqueuePcp(state, zone, order, migratetype, flags) : 0
  if (pfn === 0) {
    charge(state, state.costs.zoneLock)
    pfn = rmqueueBuddy(state, zone, order, migratetype, flags)
    if (pfn !== 0) setPageOrder(state.memmap, pfn, order)
  }
  if ((zone.flags & ZONE_FLAG_BOOSTED) !== 0 && (flags & ALLOC_KSWAPD) !== 0) {
    zone.flags &= ~ZONE_FLAG_BOOSTED
    wakeupKswapd(state, zone, 0, 0, zone.idx)
  }
  return pfn
}

/**
 * As many requests of one order got their blocks: NUMA counters count calls, pgalloc counts pages.
 * @kernel mm/page_alloc.c zone_statistics() @spec 02 §2.2
 */
export function countAllocs(state: KernelState, preferred: Zone, zone: Zone, calls: number, order: number): void {
  countVmEvents(state.vmstat, PGALLOC_DMA + zone.idx, calls << order)
  if (state.sysctl.numaStat === 0) return
  if (zone.nid === preferred.nid) {
    modStat(zone.numaStat, NUMA_HIT, calls)
  } else {
    modStat(zone.numaStat, NUMA_MISS, calls)
    modStat(preferred.numaStat, NUMA_FOREIGN, calls)
  }
  modStat(zone.numaStat, zone.nid === state.cpuNode[state.exec.cpu] ? NUMA_LOCAL : NUMA_OTHER, calls)
}

/**
 * The zone that would serve requests for single pages one after the other as long as its per-CPU list lasts: pages on
 * that list are not free ones, so that no mark is nearer afterwards.
 * @returns undefined: each request has to look for itself
 * @kernel  mm/page_alloc.c get_page_from_freelist() for its first zone
 */
export function zoneForRun(state: KernelState, gfp: number, from: Zonelists): Zone | undefined {
  if (isWanted(TRACE_PAGE_ALLOC) || (gfp & GFP_BIT_WRITE) !== 0) return undefined
  const zone = preferredZone(state, from, gfp)
  if (zone === undefined || (zone.flags & ZONE_FLAG_BOOSTED) !== 0) return undefined
  return mayTake(zone, 0, gfpZone(gfp), fastAllocFlags(state, gfp, zone)) ? zone : undefined
}

/**
 * Flags of the first try: the low mark, and on a Normal zone with a DMA32 zone below it no foreign pageblocks.
 * @kernel  mm/page_alloc.c alloc_flags_nofragment(), gfp_to_alloc_flags_cma()
 * @spec    02 §2.3 "ALLOC_NOFRAGMENT", §2.5
 */
export function fastAllocFlags(state: KernelState, gfp: number, preferred: Zone): number {
  let flags = ALLOC_WMARK_LOW | (gfp & ALLOC_KSWAPD)
  if (gfpMigratetype(gfp) === MIGRATE_MOVABLE) flags |= ALLOC_CMA
  if (preferred.idx !== ZONE_NORMAL) return flags
  const below = state.zones[preferred.index - ZONE_NORMAL + ZONE_DMA32]!
  return state.nodes.length > 1 && below.present === 0 ? flags : flags | ALLOC_NOFRAGMENT
}

/** Whether the node may hold more dirty page cache. @kernel mm/page-writeback.c node_dirty_ok() @spec 02 §2.6 step 2 */
export function isNodeDirtyOk(state: KernelState, node: PgData): boolean {
  return readStat(node.stat, NR_DIRTY) + readStat(node.stat, NR_WRITEBACK) <= nodeDirtyLimit(state, node)
}

function nodeDirtyLimit(state: KernelState, node: PgData): Pages {
  const own = nodeDirtyable(state, node)
  if (state.sysctl.dirtyBytes === 0) return Math.floor((state.sysctl.dirtyRatio * own) / 100)
  let all = 1
  for (const n of state.nodes) all += nodeDirtyable(state, n)
  return Math.floor((Math.ceil(state.sysctl.dirtyBytes / 4096) * own) / all)
}

/** @kernel mm/page-writeback.c node_dirtyable_memory() */
function nodeDirtyable(state: KernelState, node: PgData): Pages {
  let free = 0
  for (const index of node.zones) free += zoneFreePages(state.zones[index]!)
  return (
    Math.max(0, free - node.totalreservePages) +
    readStat(node.stat, NR_INACTIVE_FILE) +
    readStat(node.stat, NR_ACTIVE_FILE)
  )
}
