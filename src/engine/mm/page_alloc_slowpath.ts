/**
 * What happens when no zone is above its low mark: wake kswapd, dip into reserves, reclaim, kill.
 *
 * The kernel's loop sleeps inside; ours returns 0 with the operation suspended and remembers no_progress_loops and how
 * compaction stands, as everything else is recomputed.
 * @kernel  mm/page_alloc.c __alloc_pages_slowpath()
 * @spec    02 §2.7
 */
import { NS_PER_JIFFY, type Pages, type Pfn } from '../../util/units'
import { currentTask, isSuspended, now, suspend } from '../exec'
import type { KernelState } from '../state'
import { unreserveHighatomic } from './buddy_fallback'
import {
  COMPACT_PRIO_ASYNC,
  COMPACT_PRIO_SYNC_LIGHT,
  allocPagesDirectCompact,
  compactionUnderWay,
  shouldCompactRetry,
  type CompactRequest,
  type CompactRetry,
} from './compaction_direct'
import { COMPACT_DEFERRED, COMPACT_SKIPPED } from './compaction_suitable'
import { isReclaimUnderWay, tryToFreePages } from './direct_reclaim'
import { getPageFromFreelist, zonelistFor } from './freelist'
import {
  GFP_BIT_DIRECT_RECLAIM,
  GFP_BIT_HARDWALL,
  GFP_BIT_HIGH,
  GFP_BIT_IO,
  GFP_BIT_KSWAPD_RECLAIM,
  GFP_BIT_MEMALLOC,
  GFP_BIT_NOFAIL,
  GFP_BIT_NOMEMALLOC,
  GFP_BIT_NORETRY,
  GFP_BIT_RETRY_MAYFAIL,
  GFP_BIT_THISNODE,
  gfpMigratetype,
  gfpZone,
  MIGRATE_MOVABLE,
  PAGE_ALLOC_COSTLY_ORDER,
  ZONE_NORMAL,
} from './gfp'
import { wakeupKswapd } from './kswapd'
import {
  ALLOC_CMA,
  ALLOC_CPUSET,
  ALLOC_HIGHATOMIC,
  ALLOC_KSWAPD,
  ALLOC_MIN_RESERVE,
  ALLOC_NO_WATERMARKS,
  ALLOC_NON_BLOCK,
  ALLOC_OOM,
  ALLOC_WMARK_HIGH,
  ALLOC_WMARK_MIN,
  MAX_RECLAIM_RETRIES,
  WMARK_MIN,
  wmark,
  zoneFreePages,
  zoneReclaimablePages,
  zoneWatermarkOkFor,
  type Zonelists,
} from './mmzone'
import { outOfMemory } from './oom_kill'
import { allocationEnded, compactSoFar, isFirstTry, loopsSoFar, suspended, type Request } from './page_alloc_retry'
import { drainAllPages } from './pcp'
import { warnAlloc } from './warn_alloc'

/**
 * @returns first frame; 0 = failed, or suspended
 * @kernel  mm/page_alloc.c __alloc_pages_slowpath()
 * @spec    02 §2.7 S0–S9
 */
export function allocPagesSlowpath(state: KernelState, gfp: number, order: number, node: Zonelists): Pfn {
  const request: Request = { gfp, order, node, allocFlags: gfpToAllocFlags(gfp, order) }
  const pfn = slowpath(state, request)
  if (pfn !== 0) {
    allocationEnded(state, gfp, order)
    return pfn
  }
  if (isSuspended(state)) return 0
  return nopage(state, request)
}

function slowpath(state: KernelState, r: Request): Pfn {
  const { gfp, order, node } = r
  const task = currentTask(state)
  const isCostly = order > PAGE_ALLOC_COSTLY_ORDER
  const canReclaim = (gfp & GFP_BIT_DIRECT_RECLAIM) !== 0
  let loops = loopsSoFar(state, r)
  const compact = compactSoFar(state, r)
  const mayCompact = canReclaim && (gfp & GFP_BIT_IO) !== 0
  let isInReclaim = isReclaimUnderWay(state, gfp, order)
  let inCompact = compactionUnderWay(state, gfp, order)
  if (!isInReclaim && inCompact?.isFirst !== false) {
    const first = inCompact === undefined ? wakeAndLook(state, r) : 0
    if (first !== 0) return first
    if (mayCompact && (inCompact !== undefined || isFirstTry(state, r))) {
      const early = compactFirst(state, r, compact)
      if (isSuspended(state)) return suspended(state, r, loops, compact)
      if (early.pfn !== 0 || early.isEnough) return early.pfn
      inCompact = undefined
    }
  }
  for (;;) {
    const isGoingOn = isInReclaim || inCompact !== undefined
    if (!isGoingOn) wakeAllKswapds(state, r)
    const reserve = pfmemallocFlags(state, gfp)
    const flags = reserve === 0 ? r.allocFlags : reserve | (r.allocFlags & (ALLOC_KSWAPD | ALLOC_CMA))
    // High priority requests of the system are not bound by a task's policy.
    const from = reserve === 0 && (r.allocFlags & ALLOC_CPUSET) !== 0 ? node : state.nodes[node.nid]!
    const pfn = isGoingOn ? 0 : getPageFromFreelist(state, gfp, order, flags, from)
    if (pfn !== 0 || !canReclaim || task?.memalloc === true) return pfn
    isInReclaim = false
    const progress = inCompact?.progress ?? directReclaim(state, r)
    if (isSuspended(state)) return suspended(state, r, loops, compact)
    const reclaimed = progress > 0 && inCompact === undefined ? afterReclaim(state, r, flags) : 0
    if (reclaimed !== 0) return reclaimed
    inCompact = undefined
    const place = { isFirst: false, progress }
    const compacted = mayCompact ? allocPagesDirectCompact(state, compactRequest(r, flags), node, compact, place) : 0
    if (isSuspended(state)) return suspended(state, r, loops, compact)
    if (compacted !== 0 || (gfp & GFP_BIT_NORETRY) !== 0) return compacted
    if (isCostly && (!mayCompact || (gfp & GFP_BIT_RETRY_MAYFAIL) === 0)) return 0
    loops = progress > 0 && !isCostly ? 0 : loops + 1
    if (shouldReclaimRetry(state, r, flags, loops)) {
      if (progress === 0 && yieldCpu(state)) return suspended(state, r, loops, compact)
      continue
    }
    if (progress > 0 && mayCompact && shouldCompactRetry(state, compactRequest(r, flags), compact)) continue
    const outcome = mayOom(state, r)
    if (outcome.pfn !== 0) return outcome.pfn
    if (task?.isOomVictim === true && ((flags & ALLOC_OOM) !== 0 || (gfp & GFP_BIT_NOMEMALLOC) !== 0)) return 0
    if (!outcome.progress) return 0
    loops = 0
    if (isSuspended(state)) return suspended(state, r, loops, compact)
    if (task === undefined) return 0
  }
}

/** The first look after kswapd was woken. */
function wakeAndLook(state: KernelState, r: Request): Pfn {
  wakeAllKswapds(state, r)
  return getPageFromFreelist(state, r.gfp, r.order, r.allocFlags, r.node)
}

const compactRequest = (r: Request, allocFlags: number): CompactRequest => ({
  gfp: r.gfp,
  order: r.order,
  allocFlags,
  zonelist: zonelistFor(r.node, r.gfp),
})

/**
 * S3: large requests compact before they reclaim, and small ones of kernel memory; nobody who may use the reserves does.
 * @returns isEnough: the request would rather fail than reclaim
 */
function compactFirst(state: KernelState, r: Request, compact: CompactRetry): { pfn: Pfn; isEnough: boolean } {
  const isCostly = r.order > PAGE_ALLOC_COSTLY_ORDER
  const isWorthIt = isCostly || (r.order > 0 && gfpMigratetype(r.gfp) !== MIGRATE_MOVABLE)
  if (!isWorthIt || pfmemallocFlags(state, r.gfp) !== 0) return { pfn: 0, isEnough: false }
  compact.priority = COMPACT_PRIO_ASYNC
  const place = { isFirst: true, progress: 0 }
  const pfn = allocPagesDirectCompact(state, compactRequest(r, r.allocFlags), r.node, compact, place)
  if (isSuspended(state)) return { pfn: 0, isEnough: false }
  if (pfn !== 0) return { pfn, isEnough: true }
  const isOptional = isCostly && (r.gfp & GFP_BIT_NORETRY) !== 0
  if (!isOptional) compact.priority = COMPACT_PRIO_SYNC_LIGHT
  const isHopeless = compact.result === COMPACT_SKIPPED || compact.result === COMPACT_DEFERRED
  return { pfn: 0, isEnough: isOptional && (isHopeless || (r.gfp & GFP_BIT_THISNODE) !== 0) }
}

/**
 * A fruitless round ends with cond_resched(): I/O completes, kswapd and victims run.
 * @returns whether there is a task to suspend
 */
function yieldCpu(state: KernelState): boolean {
  if (currentTask(state) === undefined) return false
  suspend(state, now(state), 'cond_resched')
  return true
}

/** Marks and reserves by what the request says of itself. @kernel mm/page_alloc.c gfp_to_alloc_flags() @spec 02 §2.5 */
export function gfpToAllocFlags(gfp: number, order: number): number {
  let flags = ALLOC_WMARK_MIN | ALLOC_CPUSET
  if ((gfp & GFP_BIT_HIGH) !== 0) flags |= ALLOC_MIN_RESERVE
  if ((gfp & GFP_BIT_KSWAPD_RECLAIM) !== 0) flags |= ALLOC_KSWAPD
  if ((gfp & GFP_BIT_DIRECT_RECLAIM) === 0) {
    if ((gfp & GFP_BIT_NOMEMALLOC) === 0) {
      flags |= ALLOC_NON_BLOCK
      if (order > 0 && (flags & ALLOC_MIN_RESERVE) !== 0) flags |= ALLOC_HIGHATOMIC
    }
    if ((flags & ALLOC_MIN_RESERVE) !== 0) flags &= ~ALLOC_CPUSET
  }
  if (gfpMigratetype(gfp) === MIGRATE_MOVABLE) flags |= ALLOC_CMA
  return flags
}

/** Who works on freeing memory may use all of it; an OOM victim half of the reserve. @kernel __gfp_pfmemalloc_flags() */
function pfmemallocFlags(state: KernelState, gfp: number): number {
  if ((gfp & GFP_BIT_NOMEMALLOC) !== 0) return 0
  if ((gfp & GFP_BIT_MEMALLOC) !== 0) return ALLOC_NO_WATERMARKS
  const task = currentTask(state)
  if (task?.memalloc === true) return ALLOC_NO_WATERMARKS
  return task?.isOomVictim === true ? ALLOC_OOM : 0
}

/** Once for each node of the list. @kernel mm/page_alloc.c wake_all_kswapds() */
function wakeAllKswapds(state: KernelState, r: Request): void {
  if ((r.allocFlags & ALLOC_KSWAPD) === 0) return
  const highest = gfpZone(r.gfp)
  let lastNid = -1
  for (const index of zonelistFor(r.node, r.gfp)) {
    const zone = state.zones[index]!
    if (zone.idx > highest || zone.managed === 0 || zone.nid === lastNid) continue
    wakeupKswapd(state, zone, r.gfp, r.order, highest)
    lastNid = zone.nid
  }
}

/** The task frees pages itself; what it needs for that may come from the reserves. @kernel __perform_reclaim() */
function directReclaim(state: KernelState, r: Request): Pages {
  const task = currentTask(state)
  if (task !== undefined) task.memalloc = true
  const request = { order: r.order, gfp: r.gfp, nid: r.node.nid, from: r.node, highestZoneidx: gfpZone(r.gfp) }
  const progress = tryToFreePages(state, request)
  if (task !== undefined) task.memalloc = false
  return progress
}

/** @kernel mm/page_alloc.c __alloc_pages_direct_reclaim() */
function afterReclaim(state: KernelState, r: Request, flags: number): Pfn {
  const pfn = getPageFromFreelist(state, r.gfp, r.order, flags, r.node)
  if (pfn !== 0) return pfn
  unreserveHighatomic(state, zonelistFor(r.node, r.gfp), gfpMigratetype(r.gfp), { force: false })
  drainAllPages(state)
  return getPageFromFreelist(state, r.gfp, r.order, flags, r.node)
}

/**
 * Whether another round could help: not after 16 fruitless ones, nor when freeing everything reclaimable would not do.
 * @kernel  mm/page_alloc.c should_reclaim_retry()
 * @spec    02 §2.7
 */
function shouldReclaimRetry(state: KernelState, r: Request, flags: number, loops: number): boolean {
  const zonelist = zonelistFor(r.node, r.gfp)
  const highest = gfpZone(r.gfp)
  if (loops <= MAX_RECLAIM_RETRIES) {
    for (const index of zonelist) {
      const zone = state.zones[index]!
      if (zone.idx > highest) continue
      const available = zoneReclaimablePages(state, zone) + zoneFreePages(zone)
      if (zoneWatermarkOkFor(zone, r.order, wmark(zone, WMARK_MIN), highest, flags, available)) return true
    }
  }
  return unreserveHighatomic(state, zonelist, gfpMigratetype(r.gfp), { force: true })
}

interface OomOutcome {
  readonly pfn: Pfn
  readonly progress: boolean
}

/**
 * The last resort. After a kill the allocator waits a jiffy for the victim to go.
 * @kernel  mm/page_alloc.c __alloc_pages_may_oom()
 * @spec    02 §2.7 may_oom
 * @model   the kernel's allocators go on reclaiming while the victim exits on another CPU; ours sleep between rounds
 */
function mayOom(state: KernelState, r: Request): OomOutcome {
  const task = currentTask(state)
  if (state.oomLockHolder !== 0 && state.oomLockHolder !== task?.pid) {
    if (task !== undefined) suspend(state, now(state) + NS_PER_JIFFY, 'oom_lock')
    return { pfn: 0, progress: true }
  }
  const quiet = (r.gfp | GFP_BIT_HARDWALL) & ~GFP_BIT_DIRECT_RECLAIM
  const pfn = getPageFromFreelist(state, quiet, r.order, ALLOC_WMARK_HIGH | ALLOC_CPUSET, r.node)
  if (pfn !== 0) return { pfn, progress: true }
  const isHarmless =
    r.order > PAGE_ALLOC_COSTLY_ORDER ||
    (r.gfp & (GFP_BIT_RETRY_MAYFAIL | GFP_BIT_THISNODE)) !== 0 ||
    gfpZone(r.gfp) < ZONE_NORMAL
  if (isHarmless) return { pfn: 0, progress: false }
  const { nodemask } = r.node
  const killed = outOfMemory(state, {
    memcg: 0,
    gfp: r.gfp,
    order: r.order,
    ...(nodemask === undefined ? {} : { nodemask, ...(r.node.isCpuset === true ? { isCpuset: true } : {}) }),
  })
  const isNofail = (r.gfp & GFP_BIT_NOFAIL) !== 0
  if (killed || isNofail) {
    const last = isNofail ? getPageFromFreelist(state, r.gfp, r.order, ALLOC_NO_WATERMARKS, r.node) : 0
    if (last !== 0) return { pfn: last, progress: true }
    if (task !== undefined && !task.isOomVictim) suspend(state, now(state) + NS_PER_JIFFY, 'out_of_memory')
  }
  return { pfn: 0, progress: killed || isNofail }
}

/** The request failed. NOFAIL goes on; the others are reported. @kernel __alloc_pages_slowpath() nopage: @spec 02 §2.7 S9 */
function nopage(state: KernelState, r: Request): Pfn {
  const mustNotFail = (r.gfp & GFP_BIT_NOFAIL) !== 0 && (r.gfp & GFP_BIT_DIRECT_RECLAIM) !== 0
  if (mustNotFail) {
    const pfn = getPageFromFreelist(state, r.gfp, r.order, ALLOC_MIN_RESERVE, r.node)
    if (pfn === 0 && currentTask(state) !== undefined) {
      suspend(state, now(state) + NS_PER_JIFFY, 'cond_resched')
      return suspended(state, r, 0)
    }
    if (pfn !== 0) {
      allocationEnded(state, r.gfp, r.order)
      return pfn
    }
  }
  allocationEnded(state, r.gfp, r.order)
  warnAlloc(
    state,
    r.gfp,
    `page allocation failure: order:${r.order}`,
    r.node.isCpuset === true ? undefined : r.node.nodemask,
  )
  return 0
}
