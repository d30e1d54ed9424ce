/**
 * Slabs come from the page allocator and go back to it.
 * @kernel  mm/slub.c allocate_slab(), discard_slab()
 * @spec    03 §3.5
 */
import { assert } from '../../util/assert'
import { PAGE_SIZE } from '../../util/units'
import type { KernelState } from '../state'
import {
  GFP_BIT_ACCOUNT,
  GFP_BIT_COMP,
  GFP_BIT_DIRECT_RECLAIM,
  GFP_BIT_DMA,
  GFP_BIT_NOFAIL,
  GFP_BIT_NOMEMALLOC,
  GFP_BIT_NORETRY,
  GFP_BIT_NOWARN,
  GFP_BIT_RECLAIMABLE,
  GFP_RECLAIM,
} from './gfp'
import { PG_SLAB, PG_TAIL, pageZoneIndex, setFlag, setFlagsOfRange, setPageMapping, setPageOrder } from './memmap'
import { allocPages, freePages } from './page_alloc'
import { END_OF_LIST, giveRow, takeRow } from './slab_state'
import { nodeCell } from './slub_list'
import { modStat, NR_SLAB_RECLAIMABLE, NR_SLAB_UNRECLAIMABLE } from './vmstat'

/** Pages for a new slab: without reclaim at the wished order, then as the caller may. @kernel mm/slub.c allocate_slab() */
export function newSlab(state: KernelState, cache: number, gfp: number): number {
  const s = state.slabs
  const { order, minOrder, isReclaimable, isDma } = s.caches[cache]!
  const flags = (gfp & ~GFP_BIT_ACCOUNT) | (isReclaimable ? GFP_BIT_RECLAIMABLE : 0) | (isDma ? GFP_BIT_DMA : 0)
  let first = (flags | GFP_BIT_NOWARN | GFP_BIT_NORETRY) & ~GFP_BIT_NOFAIL
  if ((first & GFP_BIT_DIRECT_RECLAIM) !== 0 && order > minOrder) first = (first | GFP_BIT_NOMEMALLOC) & ~GFP_RECLAIM
  let got = order
  let pfn = allocPages(state, order > 0 ? first | GFP_BIT_COMP : first, order)
  if (pfn === 0 && state.exec.suspendUntilNs < 0) {
    got = minOrder
    pfn = allocPages(state, minOrder > 0 ? flags | GFP_BIT_COMP : flags, minOrder)
  }
  if (pfn === 0) return 0
  const row = takeRow(s, cache)
  const m = state.memmap
  setFlag(m, pfn, PG_SLAB)
  setPageOrder(m, pfn, got)
  if (got > 0) setFlagsOfRange(m, pfn + 1, (1 << got) - 1, PG_TAIL)
  setPageMapping(m, pfn, cache, row)
  s.pfn[row] = pfn
  s.nid[row] = state.zones[pageZoneIndex(m, pfn)]!.nid
  s.order[row] = got
  const objects = Math.floor((PAGE_SIZE << got) / s.caches[cache]!.size)
  s.objects[row] = objects
  s.inuse[row] = 0
  s.freelist[row] = 0
  for (let i = 0, cell = s.firstObject[row]!; i < objects; i++)
    s.nextFree[cell + i] = i + 1 < objects ? i + 1 : END_OF_LIST
  accountSlab(state, cache, row, 1)
  return row
}

function accountSlab(state: KernelState, cache: number, row: number, sign: number): void {
  const s = state.slabs
  const nid = s.nid[row]!
  const node = nodeCell(state, cache, nid)
  s.nrSlabs[node]! += sign
  s.totalObjects[node]! += sign * s.objects[row]!
  const item = s.caches[cache]!.isReclaimable ? NR_SLAB_RECLAIMABLE : NR_SLAB_UNRECLAIMABLE
  modStat(state.nodes[nid]!.stat, item, sign * (1 << s.order[row]!))
}

/** An empty slab goes back to the page allocator. @kernel mm/slub.c discard_slab() */
export function discardSlab(state: KernelState, cache: number, row: number): void {
  const s = state.slabs
  assert(s.inuse[row] === 0, `slab ${row} is given back with ${s.inuse[row]} objects in use`)
  accountSlab(state, cache, row, -1)
  const pfn = s.pfn[row]!
  const order = s.order[row]!
  giveRow(s, row)
  setFlagsOfRange(state.memmap, pfn, 1 << order, 0)
  freePages(state, pfn, order)
  s.discardedPages += 1 << order
}
