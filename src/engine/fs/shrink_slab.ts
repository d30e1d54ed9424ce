/**
 * Reclaimable caches of a group on a node, all of them: which shrinkers there are, and in what order they are asked.
 * @kernel      mm/shrinker.c shrink_slab(), shrink_slab_memcg(); mm/vmscan.c drop_slab()
 * @spec        03 §3.9
 * @simplifies  file systems on disks, the nodes of page trees, huge pages and zswap; all of them know groups and nodes
 */
import type { KernelState } from '../state'
import { GFP_KERNEL } from '../mm/gfp'
import { ROOT_MEMCG, nextMemcg } from '../mm/memcg_tree'
import { shadowShrinker } from '../mm/shadow_nodes'
import { doShrinkSlab } from '../mm/shrinker'
import { deferredSplitShrinker, hugeZeroShrinker } from '../mm/thp_shrinker'
import { SLABS_SCANNED, countVmEvents } from '../mm/vmstat'
import { zswapShrinker } from '../mm/zswap_shrink'
import { superShrinker } from './super'

/**
 * @param memcg  group; the root stands for what is charged to nobody too
 * @returns objects freed
 * @kernel  mm/shrinker.c shrink_slab()
 */
export function shrinkSlab(state: KernelState, gfp: number, nid: number, memcg: number, priority: number): number {
  if (memcg !== ROOT_MEMCG && state.memcgs[memcg]?.online !== true) return 0
  const at = { nid, memcg: memcg === ROOT_MEMCG ? 0 : memcg, gfp, priority }
  state.shrinkers.scanned = 0
  let freed = doShrinkSlab(state, shadowShrinker, at)
  for (let device = 0; device < state.devices.length; device++)
    freed += doShrinkSlab(state, superShrinker(device + 1), at)
  freed += doShrinkSlab(state, deferredSplitShrinker, at) + doShrinkSlab(state, hugeZeroShrinker, at)
  if (state.zswap.isShrinkerEnabled) freed += doShrinkSlab(state, zswapShrinker, at)
  countVmEvents(state.vmstat, SLABS_SCANNED, state.shrinkers.scanned)
  return freed
}

/** Every cache of every group, again and again while it is worth it. @kernel mm/vmscan.c drop_slab() */
export function dropSlab(state: KernelState): void {
  for (let shift = 0, freed = 2; Math.floor(freed / 2 ** shift) > 1; shift++) {
    freed = 0
    for (const { nid } of state.nodes)
      for (let id = ROOT_MEMCG; id !== 0; id = nextMemcg(state, ROOT_MEMCG, id))
        freed += shrinkSlab(state, GFP_KERNEL, nid, id, 0)
  }
}
