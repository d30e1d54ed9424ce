/**
 * Allocating and freeing page frames: the door that everybody else uses.
 * @kernel  mm/page_alloc.c __alloc_pages(), __free_pages(), mm/mempolicy.c alloc_pages_mpol()
 * @spec    02, 08 §8.1
 */
import type { Pages, Pfn, Vpn } from '../../util/units'
import { context } from '../context'
import { currentNode, currentTask, isSuspended } from '../exec'
import type { KernelState } from '../state'
import { compactionUnderWay } from './compaction_direct'
import { isReclaimUnderWay } from './direct_reclaim'
import { cpusetZonelists } from './cpuset_mems'
import { countAllocs, fastAllocFlags, getPageFromFreelist, preferredZone, zoneForRun } from './freelist'
import {
  GFP_BIT_DIRECT_RECLAIM,
  GFP_BIT_HARDWALL,
  GFP_BIT_NOFAIL,
  GFP_BIT_NORETRY,
  GFP_BIT_NOWARN,
  GFP_BIT_THISNODE,
  MAX_PAGE_ORDER,
  PAGEBLOCK_ORDER,
  gfpMigratetype,
} from './gfp'
import { pageZoneIndex, setFlags } from './memmap'
import {
  MPOL_INTERLEAVE,
  MPOL_PREFERRED_MANY,
  MPOL_WEIGHTED_INTERLEAVE,
  NO_INTERLEAVE_INDEX,
  interleaveIndex,
  policyNode,
  policyZonelists,
  vmaPolicy,
} from './mempolicy'
import type { Mempolicy, Vma } from './mm_types'
import type { Zone, Zonelists } from './mmzone'
import { allocationEnded } from './page_alloc_retry'
import { allocPagesSlowpath } from './page_alloc_slowpath'
import { freeUnrefPage, rmqueueListedRun } from './pcp'
import { NUMA_INTERLEAVE, modStat } from './vmstat'
import { warnNofail, warnOrder } from './warn_alloc'

/**
 * A block of 2^order frames. Its flags are 0: the caller says at once who owns it.
 * @param nid  node whose zonelist is used; left out: as the running task's memory policy says, else the CPU's node
 * @returns first frame; 0 when the request failed or has to wait (`isSuspended(state)`: unwind, it is tried again)
 * @kernel  mm/mempolicy.c alloc_pages_noprof(), include/linux/gfp.h alloc_pages_node()
 * @spec    02 §2.5–§2.7, 08 §8.1
 * @simplifies  gfp is not narrowed by memalloc_nofs_save() and its like
 */
export function allocPages(state: KernelState, gfp: number, order: number, nid?: number): Pfn {
  const policy = nid === undefined && (gfp & GFP_BIT_THISNODE) === 0 ? currentTask(state)?.mempolicy : undefined
  if (policy !== undefined) return allocPagesMpol(state, gfp, order, policy, NO_INTERLEAVE_INDEX)
  return allocPagesFrom(state, gfp, order, state.nodes[nid ?? currentNode(state)]!)
}

/**
 * A block for a page of a mapping: the mapping's policy comes before the task's.
 * @kernel  mm/mempolicy.c vma_alloc_folio_noprof()
 */
export function vmaAllocPages(state: KernelState, gfp: number, order: number, vma: Vma, vpn: Vpn): Pfn {
  const policy = vmaPolicy(state, vma)
  if (policy !== undefined) return allocPagesMpol(state, gfp, order, policy, interleaveIndex(vma, vpn, order))
  const local = state.nodes[currentNode(state)]!
  if (order === PAGEBLOCK_ORDER && !isUnderWay(state, gfp, order)) {
    const huge = allocHugeFrom(state, gfp, local)
    if (huge !== 0 || (gfp & GFP_BIT_DIRECT_RECLAIM) === 0 || isSuspended(state)) return huge
  }
  return allocPagesFrom(state, gfp, order, local)
}

/**
 * Single pages, one request after the other. What no request changes is asked once for as many as lie on the CPU's list:
 * boot takes a thousandth of all memory this way.
 * @param flags  what each page then has for flags: who owns it
 * @returns how many there were
 * @kernel  mm/page_alloc.c alloc_pages_bulk_noprof()
 */
export function allocSinglePages(state: KernelState, gfp: number, count: Pages, flags: number): Pages {
  const isPlain = currentTask(state)?.mempolicy === undefined && context.failAlloc === undefined
  let nr = 0
  while (nr < count) {
    const pfn = allocPages(state, gfp, 0)
    if (pfn === 0) break
    setFlags(state.memmap, pfn, flags)
    nr++
    if (isPlain && !isUnderWay(state, gfp, 0)) nr += takeListed(state, gfp, count - nr, flags)
  }
  return nr
}

/** Of the CPU's node, as far as the task's cpuset has it. */
function localLists(state: KernelState): Zonelists {
  const local = state.nodes[currentNode(state)]!
  return state.hasCpusets === true ? cpusetZonelists(state, local) : local
}

/** As many single pages as the CPU's list of the best zone has. */
function takeListed(state: KernelState, gfp: number, max: Pages, flags: number): Pages {
  const zone = zoneForRun(state, gfp, localLists(state))
  if (zone === undefined) return 0
  const nr = rmqueueListedRun(state, zone, gfpMigratetype(gfp), max, flags)
  countAllocs(state, zone, zone, nr, 0)
  return nr
}

/**
 * The zone that serves single pages of the mapping as long as its per-CPU list lasts; undefined: ask for each page.
 * @kernel  mm/mempolicy.c vma_alloc_folio_noprof()
 */
export function vmaPagesZone(state: KernelState, gfp: number, vma: Vma): Zone | undefined {
  if (context.failAlloc !== undefined || vmaPolicy(state, vma) !== undefined || isUnderWay(state, gfp, 0))
    return undefined
  return zoneForRun(state, gfp, localLists(state))
}

/** A huge page far away is worse than small ones here. @kernel alloc_pages_mpol(), __GFP_THISNODE | __GFP_NORETRY */
const allocHugeFrom = (state: KernelState, gfp: number, from: Zonelists): Pfn =>
  allocPagesFrom(state, gfp | GFP_BIT_THISNODE | GFP_BIT_NORETRY, PAGEBLOCK_ORDER, from)

/**
 * @param ilx  place in the mapping or file, for interleaving; NO_INTERLEAVE_INDEX = the task's next node
 * @kernel  mm/mempolicy.c alloc_pages_mpol_noprof()
 * @spec    08 §8.1
 */
export function allocPagesMpol(state: KernelState, gfp: number, order: number, policy: Mempolicy, ilx: number): Pfn {
  const { mode } = policy
  const task = currentTask(state)
  const prev = task?.ilPrev
  const weight = task?.ilWeight
  const nid = policyNode(state, policy, ilx)
  if (mode === MPOL_PREFERRED_MANY) return allocPagesPreferredMany(state, gfp, order, policy, nid)
  const from = policyZonelists(state, policy, nid, gfp)
  const isInterleaved = mode === MPOL_INTERLEAVE || mode === MPOL_WEIGHTED_INTERLEAVE
  const hugeHere = order === PAGEBLOCK_ORDER && ilx !== NO_INTERLEAVE_INDEX && !isInterleaved
  if (hugeHere && mayUse(from, nid) && !isUnderWay(state, gfp, order)) {
    const huge = allocHugeFrom(state, gfp, state.nodes[nid]!)
    if (huge !== 0 || (gfp & GFP_BIT_DIRECT_RECLAIM) === 0 || isSuspended(state)) return huge
  }
  const pfn = allocPagesFrom(state, gfp, order, from)
  if (pfn === 0 && isSuspended(state) && task !== undefined && prev !== undefined) {
    // The same page is asked for again after the wait: it keeps its turn.
    task.ilPrev = prev
    if (weight !== undefined) task.ilWeight = weight
  }
  if (pfn !== 0 && mode === MPOL_INTERLEAVE) countInterleaveHit(state, pfn, nid)
  return pfn
}

const mayUse = (from: Zonelists, nid: number): boolean => from.nodemask === undefined || from.nodemask.includes(nid)

/** The mask without any effort first, then every node as usual. @kernel mm/mempolicy.c alloc_pages_preferred_many() */
function allocPagesPreferredMany(state: KernelState, gfp: number, order: number, policy: Mempolicy, nid: number): Pfn {
  const gentle = (gfp | GFP_BIT_NOWARN) & ~(GFP_BIT_DIRECT_RECLAIM | GFP_BIT_NOFAIL)
  const pfn = allocPagesFrom(state, gentle, order, policy.confined[nid]!)
  return pfn !== 0 ? pfn : allocPagesFrom(state, gfp, order, state.nodes[nid]!)
}

function countInterleaveHit(state: KernelState, pfn: Pfn, nid: number): void {
  const zone = state.zones[pageZoneIndex(state.memmap, pfn)]!
  if (zone.nid === nid && state.sysctl.numaStat === 1) modStat(zone.numaStat, NUMA_INTERLEAVE, 1)
}

/** The running task stopped in the middle of reclaim or compaction for such a request: it goes on there. */
const isUnderWay = (state: KernelState, gfp: number, order: number): boolean =>
  isReclaimUnderWay(state, gfp, order) ||
  (state.compaction.direct.length !== 0 && compactionUnderWay(state, gfp, order) !== undefined)

/** What the slow path may use: kernel memory and who is being killed get past the cpuset's wall. @kernel cpuset_node_allowed() */
const behindWall = (state: KernelState, gfp: number, from: Zonelists, inside: Zonelists): Zonelists =>
  (gfp & GFP_BIT_HARDWALL) === 0 || currentTask(state)?.isOomVictim === true ? from : inside

/** @kernel mm/page_alloc.c __alloc_pages_noprof() */
function allocPagesFrom(state: KernelState, gfp: number, order: number, asked: Zonelists): Pfn {
  const from = state.hasCpusets === true ? cpusetZonelists(state, asked) : asked
  if (order > MAX_PAGE_ORDER) {
    warnOrder(state, gfp)
    return 0
  }
  if (context.failAlloc?.(gfp, order) === true) return 0
  const preferred = preferredZone(state, from, gfp)
  if (preferred === undefined) return 0
  if (isUnderWay(state, gfp, order)) return allocPagesSlowpath(state, gfp, order, behindWall(state, gfp, asked, from))
  if (order > 1) warnNofail(state, gfp, order, true)
  const pfn = getPageFromFreelist(state, gfp, order, fastAllocFlags(state, gfp, preferred), from, preferred)
  if (pfn === 0) {
    warnNofail(state, gfp, order, false)
    return allocPagesSlowpath(state, gfp, order, behindWall(state, gfp, asked, from))
  }
  allocationEnded(state, gfp, order)
  return pfn
}

/**
 * Gives back what allocPages() gave. The caller has unmapped it, taken it off every list and uncharged it.
 * @kernel  mm/page_alloc.c __free_pages()
 * @spec    02 §2.2, 01 §1.8
 */
export function freePages(state: KernelState, pfn: Pfn, order: number): void {
  freeUnrefPage(state, pfn, order)
}
