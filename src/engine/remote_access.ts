/**
 * What a page costs more to touch because its frame lies on another node than the CPU.
 * @spec  04 §4.3: DRAM access 85 ns local, 140 ns remote
 * @model  one access a page goes to memory; the difference grows with the distance beyond 10
 */
import type { Ns, Vpn } from '../util/units'
import { forEachHugePmd, pmdPfn } from './mm/huge_pmd'
import { pageZoneIndex } from './mm/memmap'
import type { Mm } from './mm/mm_types'
import { forEachPteTable, isPresent, pteAt, ptePfn } from './mm/pgtable'
import type { KernelState } from './state'
import type { Task } from './task'

const LOCAL_DISTANCE = 10
/** A page costs at least so much to touch, where its program does nothing else with it. */
const LEAST_NS: Ns = 10

/** Extra time of one access in whole nanoseconds, by node of the frame, from the CPU that runs now. */
const extraNs = (state: KernelState, nid: number): Ns => {
  const distance = state.config.distances[state.cpuNode[state.exec.cpu]!]![nid]!
  return Math.round((state.costs.remoteAccess * (distance - LOCAL_DISTANCE)) / LOCAL_DISTANCE)
}

const nodeOf = (state: KernelState, pfn: number): number => state.zones[pageZoneIndex(state.memmap, pfn)]!.nid

/**
 * When a piece of touching has to end so that what its remote pages cost still fits into the slice. What share of them is
 * remote is taken from the piece before.
 */
export function endBeforeRemote(state: KernelState, task: Task, perPageNs: Ns, endNs: Ns): Ns {
  if (task.remoteNs === undefined) return endNs
  const page = Math.max(LEAST_NS, perPageNs)
  return state.exec.ns + Math.ceil(((endNs - state.exec.ns) * page) / (page + task.remoteNs))
}

/** Pages [start, end) have been touched: those on other nodes took longer. */
export function chargeRemote(state: KernelState, task: Task, mm: Mm, start: Vpn, end: Vpn): void {
  if (end <= start) return
  const extra = state.nodes.map((node) => extraNs(state, node.nid))
  let ns = 0
  if (mm.hugePmds > 0) {
    forEachHugePmd(state, mm, start, end, (_slot, entry, first) => {
      const pages = Math.min(end, first + 512) - Math.max(start, first)
      ns += pages * extra[nodeOf(state, pmdPfn(entry))]!
    })
  }
  forEachPteTable(state, mm, start, end, (first, last) => {
    for (let slot = first; slot <= last; slot++) {
      const pte = pteAt(state.pgtables, slot)
      if (pte !== 0 && isPresent(pte) && ptePfn(pte) !== state.zeroPfn) ns += extra[nodeOf(state, ptePfn(pte))]!
    }
  })
  state.exec.ns += ns
  if (ns === 0) delete task.remoteNs
  else task.remoteNs = ns / (end - start)
}
