/**
 * Shrinkers: how much of the reclaimable caches a round of reclaim looks at.
 * @kernel  mm/shrinker.c (6.1: mm/vmscan.c)
 * @spec    03 §3.9
 */
import type { KernelState } from '../state'

/** A scan cannot go on now. @kernel SHRINK_STOP */
export const SHRINK_STOP = -1
/** @kernel SHRINK_BATCH */
export const SHRINK_BATCH = 128

export interface ShrinkRequest {
  readonly nid: number
  /** 0 = the root and everything that is charged to nobody. */
  readonly memcg: number
  readonly gfp: number
  /** Objects to look at. */
  readonly nr: number
}

export interface Shrinker {
  /** Where its deferred work is kept; below 2^16. */
  readonly id: number
  readonly batch: number
  /** How dear an object is to make again; 0 = half of what is there, whatever the priority. */
  readonly seeks: number
  /** Objects that could be freed, 0 none. */
  readonly count: (state: KernelState, nid: number, memcg: number) => number
  /** @returns objects freed, or SHRINK_STOP */
  readonly scan: (state: KernelState, request: ShrinkRequest) => number
}

/** Work that was put off, by shrinker, group and node. @kernel shrinker->nr_deferred, shrinker_info */
export type Deferred = Record<number, number>

const deferredKey = (id: number, memcg: number, nid: number): number => (id * 65536 + memcg) * 64 + nid

/**
 * Objects that a round at this priority would like to scan, before what was put off is added.
 * @kernel  mm/shrinker.c do_shrink_slab()
 */
const scanDelta = (freeable: number, seeks: number, priority: number): number =>
  seeks > 0 ? Math.floor((Math.floor(freeable / 2 ** priority) * 4) / seeks) : Math.floor(freeable / 2)

/**
 * Shrinks one cache by what the priority asks for and what earlier rounds put off, in whole batches.
 * @returns objects freed
 * @kernel  mm/shrinker.c do_shrink_slab()
 * @spec    03 §3.9, E4–E6
 */
export function doShrinkSlab(
  state: KernelState,
  shrinker: Shrinker,
  at: { readonly nid: number; readonly memcg: number; readonly gfp: number; readonly priority: number },
): number {
  const freeable = shrinker.count(state, at.nid, at.memcg)
  if (freeable === 0) return 0
  const { deferred } = state.shrinkers
  const key = deferredKey(shrinker.id, at.memcg, at.nid)
  const nr = deferred[key] ?? 0
  const delta = scanDelta(freeable, shrinker.seeks, at.priority)
  let total = Math.min(Math.floor(nr / 2 ** at.priority) + delta, 2 * freeable)
  let scanned = 0
  let freed = 0
  while (total >= shrinker.batch || total >= freeable) {
    const n = Math.min(shrinker.batch, total)
    const got = shrinker.scan(state, { nid: at.nid, memcg: at.memcg, gfp: at.gfp, nr: n })
    if (got === SHRINK_STOP) break
    freed += got
    total -= n
    scanned += n
  }
  state.shrinkers.scanned += scanned
  const left = Math.min(Math.max(nr + delta - scanned, 0), 2 * freeable)
  if (left > 0) deferred[key] = left
  else delete deferred[key]
  return freed
}
