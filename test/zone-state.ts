/**
 * A small machine that has zones, free lists and nothing else, for tests of the allocator; and pictures of its memory.
 */
import type { FirmwareRange, KernelSeries, MachineConfig, NodeConfig, ZoneReservation } from '../src/engine/config'
import { createCosts } from '../src/engine/costs'
import { layoutZones } from '../src/engine/machine_layout'
import { freeBlockOrder, freeLateMemory, seedFreeMemory } from '../src/engine/mm/buddy'
import { createDcache } from '../src/engine/fs/dcache'
import { createShadowNodes } from '../src/engine/mm/shadow_nodes'
import { createHandTouch } from '../src/engine/by_hand_touch'
import { createAnonVmas } from '../src/engine/mm/anon_vma'
import { createByHand } from '../src/engine/mm/by_hand'
import { createMemMap, hasFlag, PG_LRU, PG_PCP } from '../src/engine/mm/memmap'
import { createCompactionState } from '../src/engine/mm/compaction_state'
import { createHugetlb } from '../src/engine/mm/hugetlb_pool'
import { createNodes, type Zone } from '../src/engine/mm/mmzone'
import { createSlabs } from '../src/engine/mm/slab_state'
import { createExecContext } from '../src/engine/exec'
import { createReclaimState } from '../src/engine/mm/reclaim'
import { createModules } from '../src/engine/modules'
import { createVmap } from '../src/engine/mm/vmalloc'
import { createZswap } from '../src/engine/mm/zswap_state'
import { createVmstat } from '../src/engine/mm/vmstat'
import { initMinFreeKbytes } from '../src/engine/mm/watermark'
import { createQueue } from '../src/engine/queue'
import { createRatelimit } from '../src/engine/ratelimit'
import { createNumaBalancing } from '../src/engine/mm/numa_state'
import type { KernelState } from '../src/engine/state'
import { createTaint } from '../src/engine/taint'
import { MIB } from '../src/util/units'

export interface SmallMachine {
  readonly series?: KernelSeries
  readonly nodes: readonly NodeConfig[]
  readonly firmware?: readonly FirmwareRange[]
  readonly distances?: readonly (readonly number[])[]
  readonly reservations?: readonly ZoneReservation[]
  readonly thp?: MachineConfig['thp']
  readonly kernelcoreBytes?: number
  readonly movablecoreBytes?: number
  readonly kernelStartPfn?: number
  readonly initrdPages?: number
}

export function machineConfig(small: SmallMachine): MachineConfig {
  const { series = '6.12', firmware = [], distances, reservations = [], thp = 'always', ...rest } = small
  return {
    name: 'test',
    hostname: 'test',
    series,
    release: series,
    version: '',
    hardware: '',
    cmdline: '',
    cpuModel: '',
    firmware,
    reservations,
    thp,
    mglru: series === '6.12',
    blockDevices: [],
    sysctls: {},
    userland: 'initramfs',
    costs: {},
    distances: distances ?? rest.nodes.map((_, i) => rest.nodes.map((__, j) => (i === j ? 10 : 20))),
    ...rest,
  }
}

/** One node with RAM from 1 MiB on, none of it reserved. */
export const plainMachine = (endBytes: number, cpus = 2, series: KernelSeries = '6.12'): MachineConfig => {
  const nodes = [{ nid: 0, ranges: [{ start: MIB, end: endBytes }], cpus: Array.from({ length: cpus }, (_, i) => i) }]
  const rows = layoutZones(machineConfig({ series, nodes })).filter((z) => z.present > 0)
  const names = ['DMA', 'DMA32', 'Normal', 'Movable'] as const
  const reservations = rows.map((z) => ({ nid: 0, zone: names[z.idx]!, managed: z.present, returnedLate: 0 }))
  return machineConfig({ series, nodes, reservations })
}

/** Nobody runs. */
const noTasks = (
  nrNodes: number,
): Pick<KernelState, 'numa' | 'tasks' | 'taskList' | 'processObjects' | 'openFiles' | 'mms' | 'anonVmas'> => ({
  numa: createNumaBalancing(nrNodes),
  tasks: {},
  taskList: [],
  processObjects: {},
  openFiles: {},
  mms: [],
  anonVmas: createAnonVmas(),
})

/** The allocator's part of a booted machine: marks computed, all memory free. */
export function zoneState(config: MachineConfig): KernelState {
  const layout = layoutZones(config)
  const { nodes, zones } = createNodes(config, layout)
  const endPfn = Math.max(1, ...zones.map((zone) => zone.startPfn + zone.spanned))
  const cpuNode: number[] = []
  for (const node of config.nodes) for (const cpu of node.cpus) cpuNode[cpu] = node.nid
  const part: Partial<KernelState> = {
    config,
    nowNs: 0,
    queue: createQueue(),
    costs: createCosts(config.costs),
    nodes,
    zones,
    cpuNode,
    exec: createExecContext(),
    sysctl: {
      numaStat: 1,
      numaBalancing: 0,
      minFreeKbytes: 0,
      userMinFreeKbytes: -1,
      watermarkScaleFactor: 10,
      watermarkBoostFactor: 15000,
      lowmemReserveRatio: [256, 256, 32, 0, 0],
      percpuPagelistHighFraction: 0,
      dirtyRatio: 20,
      dirtyBytes: 0,
      dirtyBackgroundRatio: 10,
      dirtyBackgroundBytes: 0,
      overcommitRatio: 50,
      overcommitKbytes: 0,
      extfragThreshold: 500,
      compactionProactiveness: 20,
      compactUnevictableAllowed: 1,
    } as KernelState['sysctl'],
    memmap: createMemMap(endPfn),
    vmstat: createVmstat(),
    totalreservePages: 0,
    pageblocks: new Uint8Array(Math.ceil(endPfn / 1024) * 2),
    blockNext: new Int32Array(Math.ceil(endPfn / 1024)),
    blockPrev: new Int32Array(Math.ceil(endPfn / 1024)),
    byHand: createByHand(),
    vmap: createVmap(),
    modules: createModules(),
    dcache: createDcache(),
    shadowNodes: createShadowNodes(),
    shrinkers: { deferred: {}, scanned: 0 },
    slabs: createSlabs(config, cpuNode.length, nodes.length),
    hugetlb: createHugetlb(nodes.length),
    nopageRatelimit: createRatelimit(),
    segvRatelimit: createRatelimit(),
    handTouch: createHandTouch(),
    taint: createTaint(),
    compaction: createCompactionState({ zones: zones.length, nodes: nodes.length, endPfn }),
    swapAreas: [],
    zswap: createZswap(),
    reclaim: createReclaimState(nodes.length),
    thpEnabled: config.thp,
    ...noTasks(nodes.length),
    klog: [],
    devices: [],
    inodes: [],
    committedAs: 0,
    oomLockHolder: 0,
  }
  const state = part as KernelState
  seedFreeMemory(state)
  freeLateMemory(state)
  initMinFreeKbytes(state)
  return state
}

/**
 * Frames [start, start + count) as text, four a group: a digit is the order of a free block that starts there (`a` = 10),
 * `.` the rest of that block, `p` a page on a per-CPU list, `L` a page on an LRU list, `#` any other allocated page.
 */
export function drawZone(state: KernelState, start: number, count: number): string {
  let text = ''
  let coveredTo = start
  for (let pfn = start; pfn < start + count; pfn++) {
    if (pfn > start && (pfn - start) % 4 === 0) text += ' '
    const order = freeBlockOrder(state, pfn)
    if (order >= 0) coveredTo = pfn + (1 << order)
    if (order >= 0) text += order.toString(11)
    else if (pfn < coveredTo) text += '.'
    else text += hasFlag(state.memmap, pfn, PG_PCP) ? 'p' : hasFlag(state.memmap, pfn, PG_LRU) ? 'L' : '#'
  }
  return text
}

export const zoneNamed = (state: KernelState, nid: number, idx: number): Zone => state.zones[nid * 5 + idx]!
