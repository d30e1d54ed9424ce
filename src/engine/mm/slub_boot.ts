/**
 * What lies in the slab caches when user land starts: objects of drivers, of sysfs and of the kernel's own threads.
 * @kernel  every initcall
 * @model   numbers of objects from the captured machines (slab_caches_*.ts). Each CPU but the first has one slab, half
 *          full, of the caches that have enough of them; what else there is was allocated by the first CPU.
 */
import type { KernelState } from '../state'
import { GFP_KERNEL } from './gfp'
import { kmalloc } from './kmalloc'
import { slabCacheTable } from './slab_cache_facts'
import { kmemCacheAllocBulk } from './slub'

/**
 * Blocks that are larger than a cache serves: 274–302 pages on 17 captured machines of 1 to 4 CPUs, as slab memory less the
 * pages of slabinfo. @model one size for all of them
 */
const LARGE_BLOCKS = 72
const LARGE_BLOCK_BYTES = 16_384

/** Slabs that boot leaves in a cache. @model least squares over the captured machines */
function bootSlabs(state: KernelState, cache: number, bootObjects: number): number {
  const { objects } = state.slabs.caches[cache]!
  return bootObjects <= 0 ? 0 : Math.max(1, Math.round(bootObjects / objects))
}

function allocateOn(state: KernelState, cache: number, cpu: number, objects: number): void {
  state.exec.cpu = cpu
  kmemCacheAllocBulk(state, cache, GFP_KERNEL, objects)
}

function fillCache(state: KernelState, cache: number, slabs: number): void {
  const { objects } = state.slabs.caches[cache]!
  const half = Math.ceil(objects / 2)
  const others = Math.min(state.cpuNode.length - 1, slabs - 1)
  allocateOn(state, cache, 0, (slabs - others - 1) * objects + half)
  for (let cpu = 1; cpu <= others; cpu++) allocateOn(state, cache, cpu, half)
}

/**
 * Fills the caches and takes the large blocks.
 * @kernel  every initcall
 * @model   amounts of the captured machines
 */
export function fillSlabsAtBoot(state: KernelState): void {
  const cpu = state.exec.cpu
  slabCacheTable(state.config).forEach(([, , , , , base, perCpu], cache) => {
    const slabs = bootSlabs(state, cache, base + perCpu * state.cpuNode.length)
    if (slabs > 0) fillCache(state, cache, slabs)
  })
  state.exec.cpu = cpu
  for (let i = 0; i < LARGE_BLOCKS; i++) kmalloc(state, LARGE_BLOCK_BYTES, GFP_KERNEL)
}
