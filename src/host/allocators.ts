/** Free lists and slab caches as the views of the allocators ask for them: read through the engine's own readers. */
import {
  freeAreas,
  freeListBlocks,
  mergeWalk,
  nextBlock,
  pageblockCounts,
  pcpLists,
  pcpListsOfCpu,
  zoneNamed,
} from '../engine/mm/buddy_view'
import { MIGRATE_NAMES, NR_PAGE_ORDERS } from '../engine/mm/gfp'
import { cgroupPath } from '../engine/cgroup'
import { findCache } from '../engine/mm/slab_state'
import { slabTotals } from '../engine/mm/slab_totals'
import { slabCacheView, slabObjectsView } from '../engine/mm/slab_view'
import type { KernelState } from '../engine/state'
import { trySysctl } from '../engine/sysctl_trial'
import type { BuddyView, GetBuddy, GetSlabs, SlabObjectsView, SlabsView } from '../protocol/allocators'
import type { TrySysctl, ZoneTrial } from '../protocol/sysctl-trial'
import { strerror } from '../util/errno'
import { ok, userError, type Result } from '../util/result'

/** Blocks of a free list that are described: a list may hold a hundred thousand. */
const BLOCKS_MAX = 64
/** Slabs of each list of a cache that are described. */
const SLABS_MAX = 48

const isIndex = (value: number, below: number): boolean => Number.isInteger(value) && value >= 0 && value < below

export function buddyView(state: KernelState, request: GetBuddy): Result<BuddyView> {
  const { nid, order, type, cpu, block } = request
  const zone = zoneNamed(state, nid, request.zone)
  if (zone === undefined)
    return userError('host/no-zone', 'zone', `Node ${nid} has no zone ${request.zone}.`, 'Ask for a zone with memory.')
  if (!isIndex(order, NR_PAGE_ORDERS) || !isIndex(type, MIGRATE_NAMES.length))
    return userError('host/no-list', 'order', `There is no free list ${order}, ${type}.`, 'Orders are 0 to 10.')
  const isInside = block && isIndex(block.order, NR_PAGE_ORDERS) && isIndex(block.pfn - zone.startPfn, zone.spanned)
  return ok({
    atNs: state.nowNs,
    types: MIGRATE_NAMES,
    areas: freeAreas(state),
    pcp: pcpLists(zone),
    cpuLists: pcpListsOfCpu(state, zone, cpu),
    blocks: freeListBlocks(state, zone, { order, type, limit: BLOCKS_MAX }),
    next: nextBlock(zone, order, type),
    merge: isInside ? mergeWalk(state, zone, block.pfn, block.order) : [],
    ...(request.withPageblocks ? { pageblocks: pageblockCounts(state, zone) } : {}),
  })
}

/** Refused as the file would refuse it. */
export function sysctlTrial(state: KernelState, { name, text }: TrySysctl): Result<readonly ZoneTrial[]> {
  const zones = trySysctl(state, name, text)
  return typeof zones === 'string' ? userError(zones, name, `${strerror(zones)}.`, '') : ok(zones)
}

export function slabsView(state: KernelState, { cache, pfn }: GetSlabs): Result<SlabsView> {
  const number = cache === '' ? -1 : findCache(state.slabs, cache)
  return ok({
    atNs: state.nowNs,
    caches: slabTotals(state),
    cache: number < 0 ? undefined : slabCacheView(state, number, SLABS_MAX),
    slab: pfn === 0 ? undefined : slabView(state, pfn),
  })
}

function slabView(state: KernelState, pfn: number): SlabObjectsView | undefined {
  const view = slabObjectsView(state, pfn)
  if (view === undefined) return undefined
  const pathOf = (memcg: number): string => {
    const group = memcg === 0 ? undefined : state.memcgs[memcg]
    return group === undefined || group === null ? '' : cgroupPath(state, group.cgroup)
  }
  const list = view.list.map(({ address, state: at, position, memcg, owner }) => ({
    address,
    state: at,
    position,
    cgroup: pathOf(memcg),
    owner,
  }))
  return { ...view, list }
}
