/**
 * Memory tiers: which nodes are fast, and where a page goes that a fast node has no room for. A node without CPUs is memory
 * behind a slower link (CXL): it lies one tier lower.
 * @kernel  mm/memory-tiers.c, drivers/dax/kmem.c
 * @spec    08 §8.4
 */
import type { KernelState } from '../state'

/** Abstract distance of DRAM, and of memory that a driver brings in: five times as much. @kernel MEMTIER_ADISTANCE_DRAM */
const ADISTANCE_DRAM = 576
const ADISTANCE_KMEM = 5 * ADISTANCE_DRAM
/** Distances that differ by less lie in one tier. @kernel MEMTIER_CHUNK_BITS */
const CHUNK_BITS = 7

/** @model  nodes without CPUs stand for what dax/kmem makes of CXL memory; nobody tells their latency (HMAT) */
const adistance = (state: KernelState, nid: number): number =>
  state.nodes[nid]!.cpus.length > 0 ? ADISTANCE_DRAM : ADISTANCE_KMEM

/** Number of a node's tier: the smaller, the faster. @kernel struct memory_dev_type.adistance >> MEMTIER_CHUNK_BITS */
export const tierOf = (state: KernelState, nid: number): number => adistance(state, nid) >> CHUNK_BITS

/** Tiers that have memory, fastest first, with their nodes. @kernel default_memory_types, memory_tiers */
export function memoryTiers(state: KernelState): { readonly tier: number; readonly nodes: readonly number[] }[] {
  const withMemory = state.nodes.filter((node) => node.hasMemory).map((node) => node.nid)
  const tiers = [...new Set(withMemory.map((nid) => tierOf(state, nid)))].sort((a, b) => a - b)
  return tiers.map((tier) => ({ tier, nodes: withMemory.filter((nid) => tierOf(state, nid) === tier) }))
}

/** Whether the node belongs to the fastest tier with CPUs. @kernel mm/memory-tiers.c node_is_toptier() */
export const nodeIsToptier = (state: KernelState, nid: number): boolean =>
  state.nodes[nid]!.cpus.length > 0 || state.nodes.every((node) => node.cpus.length === 0 || !node.hasMemory)

/**
 * The nearest node of the next lower tier; −1 none. @kernel mm/memory-tiers.c next_demotion_node(), establish_demotion_targets()
 * @simplifies  of several equally near nodes the first one is taken, the kernel picks one at random
 */
export function nextDemotionNode(state: KernelState, nid: number): number {
  const below = memoryTiers(state).find(({ tier }) => tier > tierOf(state, nid))
  let best = -1
  for (const other of below?.nodes ?? []) {
    const distance = (to: number): number => state.config.distances[nid]![to]!
    if (best < 0 || distance(other) < distance(best)) best = other
  }
  return best
}

/** Reclaim on this node may move pages down instead of freeing them. @kernel mm/vmscan.c can_demote() */
export const canDemote = (state: KernelState, nid: number): boolean =>
  state.numa.demotionEnabled && nextDemotionNode(state, nid) >= 0
