/**
 * /proc/meminfo.
 * @kernel  fs/proc/meminfo.c meminfo_proc_show(), mm/show_mem.c si_mem_available()
 * @spec    09 §9.1, §9.2
 */
import { GIB, type Kib, type Pages, type Pfn } from '../../util/units'
import { ramRanges, type PfnRange } from '../machine_spans'
import { globalNodeState, globalZoneState, WMARK_LOW, wmark } from '../mm/mmzone'
import { nrSwapPages, totalSwapPages } from '../mm/swap_space'
import { vmCommitLimit } from '../mm/overcommit'
import {
  NR_ACTIVE_ANON,
  NR_ACTIVE_FILE,
  NR_ANON_PAGES,
  NR_ANON_TRANSPARENT_HUGEPAGES,
  NR_BOUNCE,
  NR_DIRTY,
  NR_FILE_HUGEPAGES,
  NR_FILE_PAGES,
  NR_FILE_PMDMAPPED,
  NR_FREE_PAGES,
  NR_INACTIVE_ANON,
  NR_INACTIVE_FILE,
  NR_KERNEL_MISC_RECLAIMABLE,
  NR_KERNEL_STACK,
  NR_MAPPED,
  NR_MLOCK,
  NR_PAGE_TABLE_PAGES,
  NR_SEC_PAGE_TABLE_PAGES,
  NR_SHMEM,
  NR_SHMEM_HUGEPAGES,
  NR_SHMEM_PMDMAPPED,
  NR_SLAB_RECLAIMABLE,
  NR_SLAB_UNRECLAIMABLE,
  NR_SWAPCACHED,
  NR_UNACCEPTED,
  NR_UNEVICTABLE,
  NR_WRITEBACK,
  NR_WRITEBACK_TEMP,
} from '../mm/vmstat'
import { hasZswap } from '../mm/kernel_options'
import { zswapPoolPages } from '../mm/zswap'
import type { KernelState } from '../state'
import { hugetlbMeminfo } from './hugepages'

const HPAGE_PAGES = 512
/** Size of the vmalloc area with four and with five levels of page tables, kB. */
const VMALLOC_KB = { four: 34359738367, five: 13743895347199 } as const
/** Populated pages of the per-CPU allocator for each CPU, as booted Debian kernels have them. */
const PERCPU_PAGES = { '6.12': 69, '6.1': 64 } as const
/** 2 MiB pieces of the direct map that boot splits into 4 KiB pages for its permissions; 11 to 17 in captures. */
const DIRECT_MAP_SPLITS = 13

/**
 * How much a program could allocate without swapping.
 * @returns pages, never negative
 * @kernel  mm/show_mem.c si_mem_available()
 * @spec    09 §9.2
 */
export function memAvailable(input: {
  readonly free: Pages
  readonly totalreserve: Pages
  /** Σ low watermarks. */
  readonly low: Pages
  readonly fileLru: Pages
  readonly reclaimable: Pages
}): Pages {
  const half = (pages: Pages): Pages => pages - Math.min(Math.floor(pages / 2), input.low)
  return Math.max(0, input.free - input.totalreserve + half(input.fileLru) + half(input.reclaimable))
}

/** Pages of block devices' own page cache. */
function bufferPages(state: KernelState): Pages {
  let pages = 0
  for (const inode of state.inodes) if (inode?.kind === 'device') pages += inode.nrPages
  return pages
}

/** @spec 09 §9.1 */
export function meminfoText(state: KernelState): string {
  const kb = (item: number): Kib => globalNodeState(state, item) * 4
  const row = (label: string, value: Kib): string => `${`${label}:`.padEnd(15)} ${String(value).padStart(8)} kB\n`
  const isNew = state.config.series !== '6.1'
  const zswap = hasZswap(state)
    ? [row('Zswap', zswapPoolPages(state) * 4), row('Zswapped', state.zswap.stored * 4)]
    : []
  const map = directMap(state)
  const huge = hugetlbMeminfo(state)
  return [
    ...memoryRows(state, row),
    ...lruRows(state, row),
    row('SwapTotal', totalSwapPages(state) * 4),
    row('SwapFree', nrSwapPages(state) * 4),
    ...zswap,
    row('Dirty', kb(NR_DIRTY)),
    row('Writeback', kb(NR_WRITEBACK)),
    row('AnonPages', kb(NR_ANON_PAGES)),
    row('Mapped', kb(NR_MAPPED)),
    row('Shmem', kb(NR_SHMEM)),
    ...kernelRows(state, row),
    row('CommitLimit', vmCommitLimit(state) * 4),
    row('Committed_AS', state.committedAs * 4),
    row('VmallocTotal', state.config.fiveLevelPaging === true ? VMALLOC_KB.five : VMALLOC_KB.four),
    row('VmallocUsed', globalNodeState(state, NR_KERNEL_STACK) + state.vmap.nrPages * 4),
    row('VmallocChunk', 0),
    row('Percpu', PERCPU_PAGES[state.config.series] * state.cpuNode.length * 4),
    ...(isNew ? [`HardwareCorrupted: ${'0'.padStart(5)} kB\n`] : []),
    ...hugeRows(state, row),
    ...(isNew ? [row('Unaccepted', globalZoneState(state, NR_UNACCEPTED) * 4)] : []),
    ...huge.counts.map(([name, count]) => `${`HugePages_${name}:`.padEnd(16)} ${String(count).padStart(7)}\n`),
    row('Hugepagesize', 2048),
    row('Hugetlb', huge.totalKb),
    row('DirectMap4k', map.small),
    row('DirectMap2M', map.middle),
    row('DirectMap1G', map.large),
  ].join('')
}

type Row = (label: string, value: Kib) => string

function memoryRows(state: KernelState, row: Row): string[] {
  const total = state.zones.reduce((sum, z) => sum + z.managed, 0)
  const free = globalZoneState(state, NR_FREE_PAGES)
  const fileLru = globalNodeState(state, NR_ACTIVE_FILE) + globalNodeState(state, NR_INACTIVE_FILE)
  const available = memAvailable({
    free,
    totalreserve: state.totalreservePages,
    low: state.zones.reduce((sum, z) => sum + wmark(z, WMARK_LOW), 0),
    fileLru,
    reclaimable: globalNodeState(state, NR_SLAB_RECLAIMABLE) + globalNodeState(state, NR_KERNEL_MISC_RECLAIMABLE),
  })
  const buffers = bufferPages(state)
  const swapCached = globalNodeState(state, NR_SWAPCACHED)
  const cached = Math.max(0, globalNodeState(state, NR_FILE_PAGES) - swapCached - buffers)
  return [
    row('MemTotal', total * 4),
    row('MemFree', free * 4),
    row('MemAvailable', available * 4),
    row('Buffers', buffers * 4),
    row('Cached', cached * 4),
    row('SwapCached', swapCached * 4),
  ]
}

function lruRows(state: KernelState, row: Row): string[] {
  const kb = (item: number): Kib => globalNodeState(state, item) * 4
  return [
    row('Active', kb(NR_ACTIVE_ANON) + kb(NR_ACTIVE_FILE)),
    row('Inactive', kb(NR_INACTIVE_ANON) + kb(NR_INACTIVE_FILE)),
    row('Active(anon)', kb(NR_ACTIVE_ANON)),
    row('Inactive(anon)', kb(NR_INACTIVE_ANON)),
    row('Active(file)', kb(NR_ACTIVE_FILE)),
    row('Inactive(file)', kb(NR_INACTIVE_FILE)),
    row('Unevictable', kb(NR_UNEVICTABLE)),
    row('Mlocked', globalZoneState(state, NR_MLOCK) * 4),
  ]
}

function kernelRows(state: KernelState, row: Row): string[] {
  const kb = (item: number): Kib => globalNodeState(state, item) * 4
  return [
    row('KReclaimable', kb(NR_SLAB_RECLAIMABLE) + kb(NR_KERNEL_MISC_RECLAIMABLE)),
    row('Slab', kb(NR_SLAB_RECLAIMABLE) + kb(NR_SLAB_UNRECLAIMABLE)),
    row('SReclaimable', kb(NR_SLAB_RECLAIMABLE)),
    row('SUnreclaim', kb(NR_SLAB_UNRECLAIMABLE)),
    row('KernelStack', globalNodeState(state, NR_KERNEL_STACK)),
    row('PageTables', kb(NR_PAGE_TABLE_PAGES)),
    row('SecPageTables', kb(NR_SEC_PAGE_TABLE_PAGES)),
    row('NFS_Unstable', 0),
    row('Bounce', globalZoneState(state, NR_BOUNCE) * 4),
    row('WritebackTmp', kb(NR_WRITEBACK_TEMP)),
  ]
}

function hugeRows(state: KernelState, row: Row): string[] {
  const kb = (item: number): Kib => globalNodeState(state, item) * HPAGE_PAGES * 4
  return [
    row('AnonHugePages', kb(NR_ANON_TRANSPARENT_HUGEPAGES)),
    row('ShmemHugePages', kb(NR_SHMEM_HUGEPAGES)),
    row('ShmemPmdMapped', kb(NR_SHMEM_PMDMAPPED)),
    row('FileHugePages', kb(NR_FILE_HUGEPAGES)),
    row('FilePmdMapped', kb(NR_FILE_PMDMAPPED)),
  ]
}

/**
 * What the kernel maps all RAM with, kB.
 * @model  all RAM in the largest pages that fit, less 13 split ones; the kernel splits where its image happens to lie
 */
function directMap(state: KernelState): { small: Kib; middle: Kib; large: Kib } {
  const four: Pfn = (4 * GIB) / 4096
  const all = state.config.nodes.flatMap((n) => ramRanges(state.config, n.nid))
  const lowEnd = all.reduce((end, r) => (r.end <= four ? Math.max(end, r.end) : end), 0)
  const mapped: PfnRange[] = [{ start: 0, end: lowEnd }, ...all.filter((r) => r.start >= four)]
  let pages = 0
  let wholeGib = 0
  let tail = 0
  for (const range of mapped) {
    pages += range.end - range.start
    wholeGib += Math.max(0, Math.floor(range.end / 262144) - Math.ceil(range.start / 262144))
    tail += range.end % HPAGE_PAGES
  }
  const large = Math.max(0, wholeGib - 1) * 1048576
  const small = Math.min(pages * 4, (tail + DIRECT_MAP_SPLITS * HPAGE_PAGES) * 4)
  return { small, middle: pages * 4 - small - large, large }
}
