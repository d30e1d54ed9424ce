/**
 * Per-CPU page lists: the short cut in front of the buddy system. 6.12 tunes their length while they are used, 6.1 has a
 * fixed mark. Pages on them are neither free (nr_free_pages) nor allocated.
 * @kernel  mm/page_alloc.c rmqueue_pcplist(), free_unref_page(), nr_pcp_alloc(), nr_pcp_high(), decay_pcp_high()
 * @spec    01 §1.8
 */
import { AssertionError } from '../../util/assert'
import type { Pages, Pfn } from '../../util/units'
import { charge } from '../exec'
import type { KernelState } from '../state'
import { emit, isWanted, TRACE_PAGE_FREE, TRACE_PCPU_DRAIN } from '../trace'
import { freeOnePage, pageblockType, rmqueueSmallest, runOrder } from './buddy'
import { rmqueueFallback } from './buddy_fallback'
import {
  MIGRATE_ISOLATE,
  MIGRATE_MOVABLE,
  MIGRATE_RECLAIMABLE,
  PAGE_ALLOC_COSTLY_ORDER,
  PAGEBLOCK_ORDER,
  ZONE_MOVABLE,
} from './gfp'
import {
  hasFlag,
  listAddHead,
  listDel,
  listDelHead,
  listHead,
  listTail,
  mapcount,
  nextOnList,
  pageZoneIndex,
  PG_BUDDY,
  PG_PCP,
  PG_RESERVED,
  setFlags,
  setFlagsOfRange,
  setPageMapping,
  setPageMemcg,
  setPageOrder,
  setPageRmap,
} from './memmap'
import { listAddRunTail, listTakeHeads, setRunOfBlocks } from './memmap_batch'
import {
  NR_PCP_LISTS,
  WMARK_HIGH,
  wmark,
  ZONE_FLAG_BELOW_HIGH,
  ZONE_FLAG_RECLAIM_ACTIVE,
  zoneWatermarkOk,
  type PerCpuPages,
  type Zone,
} from './mmzone'
import { resetLastCpupid } from './numa_state'
import { countVmEvents, PGFREE } from './vmstat'

/** @kernel CONFIG_PCP_BATCH_SCALE_MAX */
const BATCH_SCALE_MAX = 5
const LOW_ORDER_LISTS = 12
/** Seconds without use until lists of a remote node are drained. @kernel mm/vmstat.c refresh_cpu_vm_stats() */
const REMOTE_EXPIRE = 3

/** Orders that per-CPU lists keep: 0–3 and huge pages. @kernel mm/page_alloc.c pcp_allowed_order() */
export const isPcpOrder = (order: number): boolean => order <= PAGE_ALLOC_COSTLY_ORDER || order === PAGEBLOCK_ORDER

const listOf = (order: number, migratetype: number): number => {
  if (order === PAGEBLOCK_ORDER) return LOW_ORDER_LISTS + (migratetype === MIGRATE_MOVABLE ? 1 : 0)
  return order * 3 + migratetype
}
const orderOfList = (list: number): number => (list >= LOW_ORDER_LISTS ? PAGEBLOCK_ORDER : Math.floor(list / 3))

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)

// ---------------------------------------------------------------- allocate

/**
 * One block from this CPU's list, which is refilled from the buddy system when it is empty.
 * @returns first frame with flags 0, or 0 when the zone has nothing to refill with
 * @kernel  mm/page_alloc.c rmqueue_pcplist()
 * @spec    01 §1.8, 02 §2.3 step 1
 */
export function rmqueuePcp(
  state: KernelState,
  zone: Zone,
  order: number,
  migratetype: number,
  allocFlags: number,
): Pfn {
  const listed = rmqueueListed(state, zone, order, migratetype)
  if (listed !== 0) return listed
  const pcp = zone.pcp[state.exec.cpu]!
  pcp.freeCount >>= 1
  pcp.expire = REMOTE_EXPIRE
  const list = listOf(order, migratetype)
  refill(state, zone, pcp, { order, migratetype, allocFlags, list })
  return listHead(pcp.lists, list) === 0 ? 0 : takeListed(state, pcp, list, order)
}

/** The same while the list is not empty; 0 = it is, and nothing happened. @kernel mm/page_alloc.c rmqueue_pcplist() */
export function rmqueueListed(state: KernelState, zone: Zone, order: number, migratetype: number): Pfn {
  const pcp = zone.pcp[state.exec.cpu]!
  const list = listOf(order, migratetype)
  if (listHead(pcp.lists, list) === 0) return 0
  pcp.freeCount >>= 1
  pcp.expire = REMOTE_EXPIRE
  return takeListed(state, pcp, list, order)
}

/**
 * As many requests for single pages in a row as the list of this CPU serves.
 * @param flags  what the pages then have for flags: who owns them
 * @returns how many, at most `max`
 * @kernel  mm/page_alloc.c alloc_pages_bulk_noprof()
 */
export function rmqueueListedRun(
  state: KernelState,
  zone: Zone,
  migratetype: number,
  max: Pages,
  flags: number,
): Pages {
  const pcp = zone.pcp[state.exec.cpu]!
  const nr = listTakeHeads(state.memmap, pcp.lists, listOf(0, migratetype), max, flags)
  if (nr === 0) return 0
  pcp.freeCount >>= Math.min(nr, 31)
  pcp.expire = REMOTE_EXPIRE
  pcp.count -= nr
  for (let i = 0; i < nr; i++) charge(state, state.costs.pcpAlloc)
  return nr
}

function takeListed(state: KernelState, pcp: PerCpuPages, list: number, order: number): Pfn {
  const pfn = listHead(pcp.lists, list)
  listDelHead(state.memmap, pcp.lists, list)
  setFlags(state.memmap, pfn, 0)
  pcp.count -= 1 << order
  charge(state, state.costs.pcpAlloc)
  return pfn
}

interface Refill {
  readonly order: number
  readonly migratetype: number
  readonly allocFlags: number
  readonly list: number
}

/**
 * Whole blocks at a time where the requests one by one would use them up; their parts then lie on the list as if each had
 * been asked for. Booting 1 TiB takes a quarter of a million pages this way.
 * @kernel mm/page_alloc.c rmqueue_bulk()
 */
function refill(state: KernelState, zone: Zone, pcp: PerCpuPages, r: Refill): void {
  const { order, migratetype } = r
  let wanted = zone.series === '6.1' ? batchOf61(pcp, order) : nrPcpAlloc(zone, pcp, order)
  charge(state, state.costs.zoneLock)
  while (wanted > 0) {
    const taken = runOrder(zone, order, migratetype, wanted)
    let count = 1 << (taken - order)
    let pfn = taken > order ? rmqueueSmallest(state, zone, taken, migratetype) : 0
    if (pfn === 0) {
      count = 1
      pfn = rmqueueFallback(state, zone, order, migratetype, r.allocFlags)
      if (pfn === 0) return
    }
    setRunOfBlocks(state.memmap, pfn, order, count, PG_PCP)
    listAddRunTail(state.memmap, pcp.lists, r.list, pfn, 1 << order, count)
    pcp.count += count << order
    wanted -= count
  }
}

const batchOf61 = (pcp: PerCpuPages, order: number): number =>
  pcp.batch > 1 ? Math.max(pcp.batch >> order, 2) : pcp.batch

/**
 * How many blocks to take at once; raises `high` and the allocation factor while the zone has plenty.
 * @kernel  mm/page_alloc.c nr_pcp_alloc()
 * @spec    01 §1.8 "Allocation batch"
 */
export function nrPcpAlloc(zone: Zone, pcp: PerCpuPages, order: number): number {
  pcp.high = clamp(pcp.high, pcp.highMin, pcp.highMax)
  if (pcp.high < pcp.batch) return 1
  let batch = order > 0 ? pcp.batch : pcp.batch << pcp.allocFactor
  if (pcp.highMin !== pcp.highMax && (zone.flags & ZONE_FLAG_BELOW_HIGH) === 0) {
    pcp.high = Math.min(pcp.high + batch, pcp.highMax)
  }
  if (order === 0) {
    const max = Math.max(pcp.high - pcp.count - pcp.batch, pcp.batch)
    if (batch <= max && pcp.allocFactor < BATCH_SCALE_MAX) pcp.allocFactor++
    batch = Math.min(batch, max)
  }
  return batch > 1 ? Math.max(batch >> order, 2) : batch
}

// ---------------------------------------------------------------- free

/**
 * Gives a block back: to this CPU's list, or to the buddy system when lists do not keep its order. Its flags are
 * forgotten; the caller has already uncharged it and taken it off every list.
 * @kernel  mm/page_alloc.c free_unref_page(), __free_pages_ok()
 * @spec    01 §1.8 "Free side", 02 §2.2
 */
export function freeUnrefPage(state: KernelState, pfn: Pfn, order: number): void {
  const m = state.memmap
  // The text of an assert() is made before the test: that was a sixth of the time of unmapping.
  if (pfn === 0 || hasFlag(m, pfn, PG_BUDDY | PG_PCP | PG_RESERVED))
    throw new AssertionError(`pfn ${pfn} freed, but it is not allocated`)
  if (mapcount(m, pfn) !== 0)
    throw new AssertionError(`pfn ${pfn} freed, but ${mapcount(m, pfn)} page-table entries map it`)
  const zone = state.zones[pageZoneIndex(m, pfn)]!
  countVmEvents(state.vmstat, PGFREE, 1 << order)
  if (state.numa.hasCpupid) resetLastCpupid(state, pfn, 1 << order)
  if (isWanted(TRACE_PAGE_FREE)) emit(state, 'mm_page_free', [pfn, order])
  if (order > 0) setFlagsOfRange(m, pfn, 1 << order, 0)
  setPageRmap(m, pfn, 0)
  setPageMapping(m, pfn, 0, 0)
  setPageMemcg(m, pfn, 0)
  const type = pageblockType(state, pfn)
  if (!isPcpOrder(order) || type === MIGRATE_ISOLATE) {
    setFlags(m, pfn, 0)
    setPageOrder(m, pfn, 0)
    if (order > PAGEBLOCK_ORDER && zone.series !== '6.1') splitLargeBuddy(state, zone, pfn, order)
    else freeOnePage(state, zone, pfn, order, type)
    charge(state, state.costs.zoneLock)
    return
  }
  const pcp = zone.pcp[state.exec.cpu]!
  pcp.expire = REMOTE_EXPIRE
  const list = listOf(order, type <= MIGRATE_RECLAIMABLE ? type : MIGRATE_MOVABLE)
  setFlags(m, pfn, PG_PCP)
  setPageOrder(m, pfn, order)
  listAddHead(m, pcp.lists, list, pfn)
  pcp.count += 1 << order
  if (zone.series === '6.1') shrink61(state, zone, pcp, order, list)
  else shrink(state, zone, pcp, order, list)
}

/** Pageblocks of one block may have become unlike while it was in use. @kernel mm/page_alloc.c split_large_buddy() */
function splitLargeBuddy(state: KernelState, zone: Zone, pfn: Pfn, order: number): void {
  const step = 1 << PAGEBLOCK_ORDER
  for (let at = pfn; at < pfn + (1 << order); at += step)
    freeOnePage(state, zone, at, PAGEBLOCK_ORDER, pageblockType(state, at))
}

/**
 * Orders 1–3 freed in a row leave the lists once these hold a batch: PCPF_FREE_HIGH_BATCH is set where a CPU's share of the
 * last-level cache is more than three batches (756 KiB), and every machine that we have seen is one.
 * @kernel  mm/page_alloc.c free_unref_page_commit(), zone_pcp_update_cacheinfo()
 * @spec    01 §1.8
 */
function shrink(state: KernelState, zone: Zone, pcp: PerCpuPages, order: number, list: number): void {
  pcp.allocFactor >>= 1
  let freeHigh = false
  if (order > 0 && order <= PAGE_ALLOC_COSTLY_ORDER) {
    freeHigh = pcp.freeCount >= pcp.batch && pcp.prevFreeHighOrder && pcp.count >= pcp.batch
    pcp.prevFreeHighOrder = true
  } else {
    pcp.prevFreeHighOrder = false
  }
  if (pcp.freeCount < pcp.batch << BATCH_SCALE_MAX) pcp.freeCount += 1 << order
  const high = nrPcpHigh(zone, pcp, freeHigh ? 'heavy' : 'normal')
  if (pcp.count < high) return
  freePcppagesBulk(state, zone, pcp, nrPcpFree(pcp, high, freeHigh ? 'heavy' : 'normal'), list)
  clearBelowHigh(zone)
}

/** 'heavy': many frees of orders 1–3 in a row. */
type Freeing = 'heavy' | 'normal'

/**
 * From how many pages on the list is shortened; lowers `high` while memory is short.
 * @kernel  mm/page_alloc.c nr_pcp_high()
 * @spec    01 §1.8 "Free side"
 */
export function nrPcpHigh(zone: Zone, pcp: PerCpuPages, freeing: Freeing): Pages {
  const high = clamp(pcp.high, pcp.highMin, pcp.highMax)
  pcp.high = high
  if (high === 0) return 0
  if (freeing === 'heavy') {
    pcp.high = Math.max(high - (pcp.batch << BATCH_SCALE_MAX), pcp.highMin)
    return 0
  }
  if ((zone.flags & ZONE_FLAG_RECLAIM_ACTIVE) !== 0) {
    pcp.high = Math.max(high - Math.max(pcp.freeCount, pcp.batch), pcp.highMin)
    return Math.min(pcp.batch << 2, pcp.high)
  }
  if (pcp.highMin === pcp.highMax) return high
  if ((zone.flags & ZONE_FLAG_BELOW_HIGH) !== 0) {
    pcp.high = Math.max(high - Math.max(pcp.freeCount, pcp.batch), pcp.highMin)
    return Math.max(pcp.count, pcp.highMin)
  }
  if (pcp.count >= high && pcp.high < pcp.freeCount + pcp.batch) {
    pcp.high = clamp(pcp.freeCount + pcp.batch, pcp.highMin, pcp.highMax)
  }
  return high
}

/** Pages to give to the buddy system at once. @kernel mm/page_alloc.c nr_pcp_free() @spec 01 §1.8 */
export function nrPcpFree(pcp: PerCpuPages, high: Pages, freeing: Freeing): Pages {
  if (freeing === 'heavy') return Math.min(pcp.count, pcp.batch << BATCH_SCALE_MAX)
  if (high < pcp.batch) return 1
  return Math.min(Math.max(pcp.freeCount, pcp.batch), high - pcp.batch)
}

/** `freeCount` is 6.1's free_factor. @kernel mm/page_alloc.c free_unref_page_commit() of 6.1 @spec 01 §1.8 "6.1" */
function shrink61(state: KernelState, zone: Zone, pcp: PerCpuPages, order: number, list: number): void {
  const isHeavy = pcp.freeCount > 0 && order > 0 && order <= PAGE_ALLOC_COSTLY_ORDER
  let high = isHeavy ? 0 : pcp.high
  if (high > 0 && (zone.flags & ZONE_FLAG_RECLAIM_ACTIVE) !== 0) high = Math.min(pcp.batch << 2, pcp.high)
  if (pcp.count < high) return
  let nr = pcp.count
  if (!isHeavy) {
    if (high < pcp.batch) {
      nr = 1
    } else {
      const max = high - pcp.batch
      const scaled = pcp.batch << pcp.freeCount
      if (scaled < max && pcp.freeCount < BATCH_SCALE_MAX) pcp.freeCount++
      nr = clamp(scaled, pcp.batch, max)
    }
  }
  freePcppagesBulk(state, zone, pcp, nr, list)
}

/**
 * Enough memory again: allocations look at the high mark first. Seen only where a list is shortened; drains, which give back
 * more, leave the mark to the next one.
 * @kernel  mm/page_alloc.c free_unref_page_commit()
 */
function clearBelowHigh(zone: Zone): void {
  if ((zone.flags & ZONE_FLAG_BELOW_HIGH) === 0) return
  if (zoneWatermarkOk(zone, 0, wmark(zone, WMARK_HIGH), ZONE_MOVABLE, 0)) zone.flags &= ~ZONE_FLAG_BELOW_HIGH
}

/**
 * Frees at least `count` pages from list tails, round robin, starting with `firstList`.
 * @kernel  mm/page_alloc.c free_pcppages_bulk()
 */
function freePcppagesBulk(state: KernelState, zone: Zone, pcp: PerCpuPages, count: Pages, firstList: number): void {
  const m = state.memmap
  let left = Math.min(pcp.count, count)
  let list = firstList
  if (left > 0) charge(state, state.costs.zoneLock)
  while (left > 0) {
    const order = orderOfList(list)
    for (let pfn = listTail(pcp.lists, list); pfn !== 0 && left > 0; pfn = listTail(pcp.lists, list)) {
      listDel(m, pcp.lists, list, pfn)
      setFlags(m, pfn, 0)
      setPageOrder(m, pfn, 0)
      pcp.count -= 1 << order
      left -= 1 << order
      const type = pageblockType(state, pfn)
      freeOnePage(state, zone, pfn, order, type)
      if (isWanted(TRACE_PCPU_DRAIN)) emit(state, 'mm_page_pcpu_drain', [pfn, order, type])
    }
    list = (list + 1) % NR_PCP_LISTS
  }
}

// ---------------------------------------------------------------- drain

/** Empties one CPU's lists of one zone. @kernel mm/page_alloc.c drain_pages_zone() */
export function drainZonePcp(state: KernelState, zone: Zone, cpu: number): void {
  const pcp = zone.pcp[cpu]!
  freePcppagesBulk(state, zone, pcp, pcp.count, 0)
}

/** Empties all lists of all CPUs. @kernel mm/page_alloc.c drain_all_pages() */
export function drainAllPages(state: KernelState): void {
  for (const zone of state.zones) {
    for (let cpu = 0; cpu < zone.pcp.length; cpu++) if (zone.pcp[cpu]!.count > 0) drainZonePcp(state, zone, cpu)
  }
}

/**
 * The vmstat worker of one CPU: long lists shrink by an eighth a second (6.12), lists of other nodes are drained batch by
 * batch once they were not used for three seconds.
 * @kernel  mm/page_alloc.c decay_pcp_high(), mm/vmstat.c refresh_cpu_vm_stats()
 * @spec    01 §1.8 "Decay"
 */
export function decayPcp(state: KernelState, cpu: number): void {
  for (const zone of state.zones) {
    if (zone.present === 0) continue
    const pcp = zone.pcp[cpu]!
    if (zone.series !== '6.1' && pcp.high > pcp.highMin) {
      pcp.high = Math.max(pcp.count - (pcp.batch << BATCH_SCALE_MAX), pcp.high - (pcp.high >> 3), pcp.highMin)
    }
    if (zone.series !== '6.1' && pcp.count > pcp.high) freePcppagesBulk(state, zone, pcp, pcp.count - pcp.high, 0)
    if (pcp.expire === 0 || pcp.count === 0) continue
    if (zone.nid === state.cpuNode[cpu]) pcp.expire = 0
    else if (--pcp.expire === 0) freePcppagesBulk(state, zone, pcp, Math.min(pcp.count, pcp.batch), 0)
  }
}

/** Pages on the lists of all CPUs of a zone. @kernel mm/show_mem.c free_pcp */
export function pcpCount(zone: Zone): Pages {
  let sum = 0
  for (const pcp of zone.pcp) sum += pcp.count
  return sum
}

/** Calls `visit` for each block on the lists of one CPU, for checks. @model no kernel function walks them */
export function forEachPcpBlock(
  state: KernelState,
  zone: Zone,
  cpu: number,
  visit: (pfn: Pfn, order: number) => void,
): void {
  const pcp = zone.pcp[cpu]!
  for (let list = 0; list < NR_PCP_LISTS; list++) {
    for (let pfn = listHead(pcp.lists, list); pfn !== 0; pfn = nextOnList(state.memmap, pfn))
      visit(pfn, orderOfList(list))
  }
}
