/**
 * Finding a free swap slot: which area, which cluster of 512, which slot.
 * @kernel  mm/swapfile.c cluster_alloc_swap_entry(), get_swap_pages(); 6.1: scan_swap_map_slots()
 * @spec    05 §5.12
 */
import { assert } from '../../util/assert'
import type { KernelState } from '../state'
import type { SwapArea } from './swapfile'
import { nrSwapPages } from './swap_space'

export const CLUSTER_SLOTS = 512

/** First free slot of [from, end of its cluster), 0 none. */
function freeInCluster(area: SwapArea, from: number): number {
  const end = Math.min(area.pages + 1, (Math.floor(from / CLUSTER_SLOTS) + 1) * CLUSTER_SLOTS)
  for (let offset = Math.max(1, from); offset < end; offset++) if (area.map[offset] === 0) return offset
  return 0
}

/** First cluster from `start` on, cyclic, that fulfils `isWanted`; −1 none. */
function findCluster(area: SwapArea, start: number, isWanted: (used: number, size: number) => boolean): number {
  const n = area.clusterUsed.length
  for (let i = 0; i < n; i++) {
    const c = (start + i) % n
    const first = c === 0 ? 1 : c * CLUSTER_SLOTS
    const size = Math.min(area.pages + 1, (c + 1) * CLUSTER_SLOTS) - first
    if (isWanted(area.clusterUsed[c]!, size)) return c
  }
  return -1
}

/**
 * A free slot: this CPU's cluster, then an empty cluster, then one that is partly used.
 * @kernel      mm/swapfile.c cluster_alloc_swap_entry(); 6.1: scan_swap_map_slots()
 * @simplifies  partly used clusters are searched in order of address
 */
export function findSlot(state: KernelState, area: SwapArea): number {
  const cpu = state.devices[area.device]!.rotational ? 0 : state.exec.cpu
  const from = area.cpuNext[cpu] ?? 0
  let offset = from === 0 ? 0 : freeInCluster(area, from)
  if (offset === 0) {
    const start = Math.floor(area.clusterNext / CLUSTER_SLOTS)
    let cluster = findCluster(area, start, (used) => used === 0)
    if (cluster < 0) cluster = findCluster(area, 0, (used, size) => used < size)
    assert(cluster >= 0, `${area.path} has ${area.pages - area.used} free slots and no cluster with one`)
    offset = freeInCluster(area, cluster * CLUSTER_SLOTS)
    area.clusterNext = ((cluster + 1) % area.clusterUsed.length) * CLUSTER_SLOTS
  }
  const next = offset + 1
  while (area.cpuNext.length <= cpu) area.cpuNext.push(0)
  area.cpuNext[cpu] = next % CLUSTER_SLOTS === 0 || next > area.pages ? 0 : next
  return offset
}

/**
 * Makes this CPU go on at the beginning of an empty cluster, which has room for a huge page.
 * @returns false: there is none, or the device has no clusters, or areas take turns
 * @kernel  mm/swapfile.c cluster_alloc_swap_entry(), get_swap_pages()
 */
export function startHugeCluster(state: KernelState): boolean {
  const usable = state.swapAreas.filter((a) => a.enabled && a.used < a.pages)
  const area = usable[0]
  if (area === undefined || usable[1]?.priority === area.priority) return false
  if (state.devices[area.device]!.rotational) return false
  const start = Math.floor(area.clusterNext / CLUSTER_SLOTS)
  // The first cluster holds the header.
  const cluster = findCluster(area, start, (used, size) => used === 0 && size === CLUSTER_SLOTS)
  if (cluster < 1) return false
  while (area.cpuNext.length <= state.exec.cpu) area.cpuNext.push(0)
  area.cpuNext[state.exec.cpu] = cluster * CLUSTER_SLOTS
  area.clusterNext = ((cluster + 1) % area.clusterUsed.length) * CLUSTER_SLOTS
  return true
}

/** Slots that a CPU takes from one area at a time. @kernel SWAP_SLOTS_CACHE_SIZE */
const SLOTS_AT_A_TIME = 64
/** Free slots for each CPU above which it does so. @kernel THRESHOLD_ACTIVATE_SWAP_SLOTS_CACHE */
const MANY_SLOTS = 5 * SLOTS_AT_A_TIME

/** The CPU goes on with the area of its last turn. */
function areaOfTurn(state: KernelState, priority: number): SwapArea | undefined {
  const { cpu } = state.exec
  for (const area of state.swapAreas) {
    const left = area.cpuLeft[cpu] ?? 0
    if (left === 0 || area.priority !== priority || !area.enabled || area.used >= area.pages) continue
    area.cpuLeft[cpu] = left - 1
    return area
  }
  return undefined
}

/**
 * Area to take the next slot from: highest priority with room; equal ones in turn, 64 slots a CPU while there are many.
 * @kernel      get_swap_pages(), mm/swap_slots.c refill_swap_slots_cache()
 * @simplifies  slots that a CPU has not used yet are free for others
 */
export function pickArea(state: KernelState): SwapArea | undefined {
  let best: SwapArea | undefined
  for (const area of state.swapAreas) {
    if (!area.enabled || area.used >= area.pages) continue
    if (best !== undefined && area.priority < best.priority) break
    if (best === undefined || area.turn < best.turn) best = area
  }
  if (best === undefined) return undefined
  const next = areaOfTurn(state, best.priority)
  if (next !== undefined) return next
  best.turn++
  while (best.cpuLeft.length <= state.exec.cpu) best.cpuLeft.push(0)
  if (nrSwapPages(state) > state.cpuNode.length * MANY_SLOTS) best.cpuLeft[state.exec.cpu] = SLOTS_AT_A_TIME - 1
  return best
}
