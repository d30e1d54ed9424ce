/**
 * What the kernel log says when a slab cache gets no pages for a new slab.
 * @kernel  mm/slub.c slab_out_of_memory()
 */
import { NS_PER_S } from '../../util/units'
import { now } from '../exec'
import { klog } from '../klog'
import { ratelimit } from '../ratelimit'
import type { KernelState } from '../state'
import { GFP_BIT_NOWARN } from './gfp'
import { formatGfp } from './gfp_names'
import { nodeCell } from './slub_list'

/** @kernel DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST */
const LIMIT = { intervalNs: 5 * NS_PER_S, burst: 10 } as const
/** No node was asked for. @kernel NUMA_NO_NODE */
const NO_NODE = -1

/**
 * The cache and what each node has of it, unless the request asked for silence. Comes after the page allocator's own report.
 * @kernel  mm/slub.c slab_out_of_memory(); the CPU is named since 6.12
 * @simplifies  free objects are counted, 6.12 estimates those of lists with more than 10000 slabs
 */
export function slabOutOfMemory(state: KernelState, cache: number, gfp: number): void {
  if ((gfp & GFP_BIT_NOWARN) !== 0) return
  const { mayPrint, suppressed } = ratelimit(state.slubRatelimit, now(state), LIMIT)
  if (suppressed > 0) klog(state, `slab_out_of_memory: ${suppressed} callbacks suppressed`)
  if (!mayPrint) return
  const s = state.slabs
  const { name, objectSize, size, order, minOrder } = s.caches[cache]!
  const { cpu } = state.exec
  const where = state.config.series === '6.1' ? '' : ` CPU ${cpu} (of node ${state.cpuNode[cpu]!}) on`
  klog(state, `SLUB: Unable to allocate memory on${where} node ${NO_NODE}, gfp=${formatGfp(gfp)}`)
  klog(
    state,
    `  cache: ${name}, object size: ${objectSize}, buffer size: ${size}, default order: ${order}, min order: ${minOrder}`,
  )
  for (const { nid } of state.nodes) {
    const node = nodeCell(state, cache, nid)
    let free = 0
    for (let row = s.partial[2 * node]!; row !== 0; row = s.next[row]!) free += s.objects[row]! - s.inuse[row]!
    klog(state, `  node ${nid}: slabs: ${s.nrSlabs[node]!}, objs: ${s.totalObjects[node]!}, free: ${free}`)
  }
}
