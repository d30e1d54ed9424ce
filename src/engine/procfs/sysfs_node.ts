/**
 * /sys/devices/system/node/nodeN: memory, counters and NUMA statistics of one node.
 * @kernel  drivers/base/node.c
 * @spec    09 §9.9
 */
import { HPAGE_PAGES } from '../../util/units'
import * as vs from '../mm/vmstat'
import type { KernelState } from '../state'
import { hugetlbNodeMeminfo } from './hugepages'

const zonesOf = (state: KernelState, nid: number): KernelState['zones'] => state.zones.filter((z) => z.nid === nid)

/** @kernel node_read_meminfo() */
export function nodeMeminfoText(state: KernelState, nid: number): string {
  const stat = state.nodes[nid]!.stat
  const zones = zonesOf(state, nid)
  const managed = zones.reduce((sum, z) => sum + z.managed, 0)
  const free = zones.reduce((sum, z) => sum + z.stat[vs.NR_FREE_PAGES]!, 0)
  const mlocked = zones.reduce((sum, z) => sum + z.stat[vs.NR_MLOCK]!, 0)
  const n = (item: number): number => stat[item]! * 4
  const huge = (item: number): number => stat[item]! * HPAGE_PAGES * 4
  const activeAnon = n(vs.NR_ACTIVE_ANON)
  const inactiveAnon = n(vs.NR_INACTIVE_ANON)
  const activeFile = n(vs.NR_ACTIVE_FILE)
  const inactiveFile = n(vs.NR_INACTIVE_FILE)
  const reclaimable = n(vs.NR_SLAB_RECLAIMABLE)
  const unreclaimable = n(vs.NR_SLAB_UNRECLAIMABLE)
  const rows: readonly (readonly [string, number])[] = [
    ['MemTotal', managed * 4],
    ['MemFree', free * 4],
    ['MemUsed', (managed - free) * 4],
    ['SwapCached', n(vs.NR_SWAPCACHED)],
    ['Active', activeAnon + activeFile],
    ['Inactive', inactiveAnon + inactiveFile],
    ['Active(anon)', activeAnon],
    ['Inactive(anon)', inactiveAnon],
    ['Active(file)', activeFile],
    ['Inactive(file)', inactiveFile],
    ['Unevictable', n(vs.NR_UNEVICTABLE)],
    ['Mlocked', mlocked * 4],
    ['Dirty', n(vs.NR_DIRTY)],
    ['Writeback', n(vs.NR_WRITEBACK)],
    ['FilePages', n(vs.NR_FILE_PAGES)],
    ['Mapped', n(vs.NR_MAPPED)],
    ['AnonPages', n(vs.NR_ANON_PAGES)],
    ['Shmem', n(vs.NR_SHMEM)],
    ['KernelStack', stat[vs.NR_KERNEL_STACK]!],
    ['PageTables', n(vs.NR_PAGE_TABLE_PAGES)],
    ['SecPageTables', 0],
    ['NFS_Unstable', 0],
    ['Bounce', 0],
    ['WritebackTmp', 0],
    ['KReclaimable', reclaimable],
    ['Slab', reclaimable + unreclaimable],
    ['SReclaimable', reclaimable],
    ['SUnreclaim', unreclaimable],
    ['AnonHugePages', huge(vs.NR_ANON_TRANSPARENT_HUGEPAGES)],
    ['ShmemHugePages', huge(vs.NR_SHMEM_HUGEPAGES)],
    ['ShmemPmdMapped', huge(vs.NR_SHMEM_PMDMAPPED)],
    ['FileHugePages', huge(vs.NR_FILE_HUGEPAGES)],
    ['FilePmdMapped', huge(vs.NR_FILE_PMDMAPPED)],
    // Memory that the hypervisor has not handed over yet: this firmware has none.
    ...(state.config.series === '6.1' ? [] : [['Unaccepted', 0] as const]),
  ]
  return (
    rows.map(([name, kib]) => `Node ${nid} ${`${name}:`.padEnd(15)} ${String(kib).padStart(8)} kB\n`).join('') +
    hugetlbNodeMeminfo(state, nid)
  )
}

const NUMASTAT: readonly (readonly [string, number])[] = [
  ['numa_hit', vs.NUMA_HIT],
  ['numa_miss', vs.NUMA_MISS],
  ['numa_foreign', vs.NUMA_FOREIGN],
  ['interleave_hit', vs.NUMA_INTERLEAVE],
  ['local_node', vs.NUMA_LOCAL],
  ['other_node', vs.NUMA_OTHER],
]

/** @kernel node_read_numastat() */
export const nodeNumastatText = (state: KernelState, nid: number): string =>
  NUMASTAT.map(
    ([name, item]) => `${name} ${zonesOf(state, nid).reduce((sum, z) => sum + z.numaStat[item]!, 0)}\n`,
  ).join('')

/** @kernel node_read_vmstat() */
export function nodeVmstatText(state: KernelState, nid: number): string {
  const zones = zonesOf(state, nid)
  const stat = state.nodes[nid]!.stat
  const sum = (pick: (z: KernelState['zones'][number]) => number): number =>
    zones.reduce((total, z) => total + pick(z), 0)
  return [
    ...vs.ZONE_ITEMS.map((name, i) => `${name} ${sum((z) => z.stat[i]!)}\n`),
    ...vs.NUMA_ITEMS.map((name, i) => `${name} ${sum((z) => z.numaStat[i]!)}\n`),
    ...vs.NODE_ITEMS.map((name, i) => `${name} ${stat[i]}\n`),
  ].join('')
}
