/**
 * Which numbers of a machine are sampled, and under what names. New counters of mm/vmstat.ts appear by themselves.
 */
import { cgroupPath } from '../engine/cgroup'
import { MEMCG_ANON, MEMCG_FILE, memcgState } from '../engine/mm/memcg_stat'
import { MEMCG_EVENT_NAMES, MEMCG_SWAP_EVENT_NAMES, MEMCG_SWAP_HIGH, type Memcg } from '../engine/mm/memcontrol'
import { zoneScanners } from '../engine/mm/compaction_scanners'
import { fragmentationIndex, unusableFreeIndex } from '../engine/mm/fragmentation'
import { NR_PAGE_ORDERS, ZONE_NAMES } from '../engine/mm/gfp'
import { wmark, WMARK_HIGH, WMARK_LOW, WMARK_MIN, type Zone } from '../engine/mm/mmzone'
import { EVENT_ITEMS, NODE_ITEMS, NR_FREE_PAGES, NUMA_ITEMS, readStat, vmEvent, ZONE_ITEMS } from '../engine/mm/vmstat'
import type { KernelState } from '../engine/state'
import { pagesToBytes } from '../util/units'
import { seriesHandle, setValue, type FrameStore, type SeriesShape, type SeriesUnit } from './frames'

export interface Sampler {
  /** Handles of the series that every machine has, in the order of fillFixed(). */
  readonly fixed: readonly number[]
  /** Memcg id → handles of its series; ids are reused only for another path, so the path is kept to notice it. */
  readonly groups: (GroupHandles | undefined)[]
  readonly stalls: Map<number, number>
}

interface GroupHandles {
  readonly memcg: Memcg
  readonly handles: readonly number[]
}

const zoneLabel = (zone: Zone): string => `zone:${zone.nid}:${ZONE_NAMES[zone.idx]!}`

export function createSampler(store: FrameStore, state: KernelState): Sampler {
  const fixed: number[] = []
  const add = (name: string, unit: SeriesUnit, shape: SeriesShape): void => {
    fixed.push(seriesHandle(store, { name, unit, shape }))
  }
  for (const zone of state.zones) {
    if (zone.present === 0) continue
    for (const mark of ['free', 'min', 'low', 'high']) add(`${zoneLabel(zone)}:${mark}`, 'pages', 'level')
    for (const scanner of ['migrate_pfn', 'free_pfn']) add(`${zoneLabel(zone)}:${scanner}`, 'pfn', 'level')
    for (let order = 1; order < NR_PAGE_ORDERS; order++) {
      add(`${zoneLabel(zone)}:unusable:${order}`, 'index', 'level')
      add(`${zoneLabel(zone)}:extfrag:${order}`, 'index', 'level')
    }
  }
  for (const item of ZONE_ITEMS) add(`vmstat:${item}`, 'pages', 'level')
  for (const item of NODE_ITEMS) add(`vmstat:${item}`, item === 'nr_kernel_stack' ? 'kib' : 'pages', nodeShape(item))
  for (const item of NUMA_ITEMS) add(`vmstat:${item}`, 'count', 'counter')
  for (const item of EVENT_ITEMS) add(`vmstat:${item}`, 'count', 'counter')
  for (const kind of ['some', 'full']) {
    for (const span of ['avg10', 'avg60', 'avg300']) add(`psi:${kind}:${span}`, 'percent', 'level')
    add(`psi:${kind}:total`, 'ns', 'counter')
  }
  add('swap:free', 'pages', 'level')
  add('swap:total', 'pages', 'level')
  add('tasks:stalled', 'count', 'level')
  for (let nid = 0; nid < state.nodes.length; nid++) add(`kswapd:${nid}:cpu`, 'ns', 'counter')
  return { fixed, groups: [], stalls: new Map() }
}

const COUNTING = /^(nr_(vmscan_|dirtied|written|throttled_written|foll_pin)|workingset_|pgpromote_|pgdemote_)/

const nodeShape = (item: string): SeriesShape =>
  COUNTING.test(item) && item !== 'workingset_nodes' ? 'counter' : 'level'

/** Sets the pending values of a sample; commitSample() of the store takes them. */
export function sampleMachine(sampler: Sampler, store: FrameStore, state: KernelState): void {
  sampleFixed(sampler, store, state)
  for (let id = 1; id < state.memcgs.length; id++) {
    const memcg = state.memcgs[id]
    if (memcg?.online) sampleGroup(groupHandles(sampler, store, state, memcg), store, state, memcg)
  }
  sampleStalls(sampler, store, state)
}

function sampleFixed(sampler: Sampler, store: FrameStore, state: KernelState): void {
  const { fixed } = sampler
  let i = 0
  const put = (value: number): void => setValue(store, fixed[i++]!, value)
  for (const zone of state.zones) {
    if (zone.present === 0) continue
    put(readStat(zone.stat, NR_FREE_PAGES))
    put(wmark(zone, WMARK_MIN))
    put(wmark(zone, WMARK_LOW))
    put(wmark(zone, WMARK_HIGH))
    const scanners = zoneScanners(state, zone.index)
    put(scanners.migratePfn)
    put(scanners.freePfn)
    for (let order = 1; order < NR_PAGE_ORDERS; order++) {
      put(unusableFreeIndex(zone.nrFree, order) / 1000)
      put(fragmentationIndex(zone.nrFree, order) / 1000)
    }
  }
  for (let item = 0; item < ZONE_ITEMS.length; item++) put(sumOfZones(state, item))
  for (let item = 0; item < NODE_ITEMS.length; item++) put(sumOfNodes(state, item))
  for (let item = 0; item < NUMA_ITEMS.length; item++) put(sumOfNuma(state, item))
  for (let item = 0; item < EVENT_ITEMS.length; item++) put(vmEvent(state.vmstat, item))
  const { psi } = state
  for (let kind = 0; kind < 2; kind++) {
    for (let span = 0; span < 3; span++) put(psi.avg[kind * 3 + span]! / 2048)
    put(kind === 0 ? psi.someTotalNs : psi.fullTotalNs)
  }
  let free = 0
  let total = 0
  for (const area of state.swapAreas) {
    if (!area.enabled) continue
    free += area.pages - area.used
    total += area.pages
  }
  put(free)
  put(total)
  put(psi.nrStalled)
  for (const { kswapd } of state.nodes) {
    const task = state.tasks[kswapd.pid]
    put(task === undefined ? 0 : task.utimeNs + task.stimeNs)
  }
}

function sumOfZones(state: KernelState, item: number): number {
  let sum = 0
  for (const zone of state.zones) sum += readStat(zone.stat, item)
  return sum
}

function sumOfNodes(state: KernelState, item: number): number {
  let sum = 0
  for (const node of state.nodes) sum += readStat(node.stat, item)
  return sum
}

function sumOfNuma(state: KernelState, item: number): number {
  let sum = 0
  for (const zone of state.zones) sum += readStat(zone.numaStat, item)
  return sum
}

/** 'high', 'max', 'oom' … as in memory.events, with the index of each. */
const GROUP_EVENTS = [
  ...MEMCG_EVENT_NAMES.map((name, event) => ({ name: `events.${name}`, event })),
  ...MEMCG_SWAP_EVENT_NAMES.map((name, i) => ({ name: `swap.events.${name}`, event: MEMCG_SWAP_HIGH + i })),
]

function groupHandles(sampler: Sampler, store: FrameStore, state: KernelState, memcg: Memcg): readonly number[] {
  const known = sampler.groups[memcg.id]
  if (known?.memcg === memcg) return known.handles
  const path = cgroupPath(state, memcg.cgroup)
  const level = (name: string): number =>
    seriesHandle(store, { name: `cgroup:${path}:${name}`, unit: 'bytes', shape: 'level' })
  const handles = ['current', 'anon', 'file', 'swap'].map(level)
  for (const { name } of GROUP_EVENTS) {
    handles.push(seriesHandle(store, { name: `cgroup:${path}:${name}`, unit: 'count', shape: 'counter' }))
  }
  sampler.groups[memcg.id] = { memcg, handles }
  return handles
}

function sampleGroup(handles: readonly number[], store: FrameStore, state: KernelState, memcg: Memcg): void {
  setValue(store, handles[0]!, pagesToBytes(memcg.memory.usage))
  setValue(store, handles[1]!, memcgState(state, memcg.id, MEMCG_ANON))
  setValue(store, handles[2]!, memcgState(state, memcg.id, MEMCG_FILE))
  setValue(store, handles[3]!, pagesToBytes(memcg.swap.usage))
  for (let i = 0; i < GROUP_EVENTS.length; i++) setValue(store, handles[4 + i]!, memcg.events[GROUP_EVENTS[i]!.event]!)
}

/** Time that each task lost waiting for memory, from its first stall on. */
function sampleStalls(sampler: Sampler, store: FrameStore, state: KernelState): void {
  for (const pid of state.taskList) {
    const task = state.tasks[pid]
    if (task === undefined || task.stallNs === 0) continue
    let handle = sampler.stalls.get(pid)
    if (handle === undefined) {
      handle = seriesHandle(store, { name: `task:${pid}:${task.comm}:stall`, unit: 'ns', shape: 'counter' })
      sampler.stalls.set(pid, handle)
    }
    setValue(store, handle, task.stallNs)
  }
}

/** After the state was replaced (a seek): groups are looked up again. */
export function forgetGroups(sampler: Sampler): void {
  sampler.groups.length = 0
  sampler.stalls.clear()
}
