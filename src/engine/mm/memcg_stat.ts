/**
 * What a memory cgroup counts: the keys of memory.stat in the kernel's order, with their units, and the two files made
 * of them. Apart, because reclaim, faults and the page cache all count by these names.
 *
 * Values are exact at every moment: reading the file sums them up in the kernel, too, up to 64 changes for each CPU
 * (@simplifies). What reclaim sees of them is older: memcg_flush.ts.
 * @kernel  mm/memcontrol.c memory_stats[], memcg_vm_event_stat[], memory_stat_format()
 * @spec    07 §7.6
 */
import { HPAGE_PAGES, KIB, PAGE_SIZE, type Pages } from '../../util/units'
import type { KernelState } from '../state'
import { hasZswap } from './kernel_options'
import { memcgAt, nextMemcg } from './memcg_tree'
import type { Memcg } from './memcontrol'

const HPAGE_BYTES = HPAGE_PAGES * PAGE_SIZE

// Indices, one constant an item; order of memory.stat in 6.12.
export const MEMCG_STAT_ANON = 0
export const MEMCG_STAT_FILE = 1
export const MEMCG_STAT_KERNEL = 2
export const MEMCG_STAT_KERNEL_STACK = 3
export const MEMCG_STAT_PAGETABLES = 4
export const MEMCG_STAT_SEC_PAGETABLES = 5
export const MEMCG_STAT_PERCPU = 6
export const MEMCG_STAT_SOCK = 7
export const MEMCG_STAT_VMALLOC = 8
export const MEMCG_STAT_SHMEM = 9
export const MEMCG_STAT_ZSWAP = 10
export const MEMCG_STAT_ZSWAPPED = 11
export const MEMCG_STAT_FILE_MAPPED = 12
export const MEMCG_STAT_FILE_DIRTY = 13
export const MEMCG_STAT_FILE_WRITEBACK = 14
export const MEMCG_STAT_SWAPCACHED = 15
export const MEMCG_STAT_ANON_THP = 16
export const MEMCG_STAT_FILE_THP = 17
export const MEMCG_STAT_SHMEM_THP = 18
export const MEMCG_STAT_INACTIVE_ANON = 19
export const MEMCG_STAT_ACTIVE_ANON = 20
export const MEMCG_STAT_INACTIVE_FILE = 21
export const MEMCG_STAT_ACTIVE_FILE = 22
export const MEMCG_STAT_UNEVICTABLE = 23
export const MEMCG_STAT_SLAB_RECLAIMABLE = 24
export const MEMCG_STAT_SLAB_UNRECLAIMABLE = 25
export const MEMCG_STAT_WORKINGSET_REFAULT_ANON = 26
export const MEMCG_STAT_WORKINGSET_REFAULT_FILE = 27
export const MEMCG_STAT_WORKINGSET_ACTIVATE_ANON = 28
export const MEMCG_STAT_WORKINGSET_ACTIVATE_FILE = 29
export const MEMCG_STAT_WORKINGSET_RESTORE_ANON = 30
export const MEMCG_STAT_WORKINGSET_RESTORE_FILE = 31
export const MEMCG_STAT_WORKINGSET_NODERECLAIM = 32
export const MEMCG_STAT_PGDEMOTE_KSWAPD = 33
export const MEMCG_STAT_PGDEMOTE_DIRECT = 34
export const MEMCG_STAT_PGDEMOTE_KHUGEPAGED = 35
export const MEMCG_STAT_PGPROMOTE_SUCCESS = 36
export const MEMCG_STAT_PGSCAN_KSWAPD = 37
export const MEMCG_STAT_PGSCAN_DIRECT = 38
export const MEMCG_STAT_PGSCAN_KHUGEPAGED = 39
export const MEMCG_STAT_PGSTEAL_KSWAPD = 40
export const MEMCG_STAT_PGSTEAL_DIRECT = 41
export const MEMCG_STAT_PGSTEAL_KHUGEPAGED = 42
export const MEMCG_STAT_PGFAULT = 43
export const MEMCG_STAT_PGMAJFAULT = 44
export const MEMCG_STAT_PGREFILL = 45
export const MEMCG_STAT_PGACTIVATE = 46
export const MEMCG_STAT_PGDEACTIVATE = 47
export const MEMCG_STAT_PGLAZYFREE = 48
export const MEMCG_STAT_PGLAZYFREED = 49
export const MEMCG_STAT_SWPIN_ZERO = 50
export const MEMCG_STAT_SWPOUT_ZERO = 51
export const MEMCG_STAT_ZSWPIN = 52
export const MEMCG_STAT_ZSWPOUT = 53
export const MEMCG_STAT_ZSWPWB = 54
export const MEMCG_STAT_THP_FAULT_ALLOC = 55
export const MEMCG_STAT_THP_COLLAPSE_ALLOC = 56
export const MEMCG_STAT_THP_SWPOUT = 57
export const MEMCG_STAT_THP_SWPOUT_FALLBACK = 58
export const MEMCG_STAT_NUMA_PAGES_MIGRATED = 59
export const MEMCG_STAT_NUMA_PTE_UPDATES = 60
export const MEMCG_STAT_NUMA_HINT_FAULTS = 61
export const NR_MEMCG_STATS = 62

export {
  MEMCG_STAT_ANON as MEMCG_ANON,
  MEMCG_STAT_FILE as MEMCG_FILE,
  MEMCG_STAT_FILE_MAPPED as MEMCG_FILE_MAPPED,
  MEMCG_STAT_KERNEL as MEMCG_KERNEL,
  MEMCG_STAT_PAGETABLES as MEMCG_PAGETABLES,
  MEMCG_STAT_PGFAULT as MEMCG_PGFAULT,
  MEMCG_STAT_PGMAJFAULT as MEMCG_PGMAJFAULT,
  MEMCG_STAT_SHMEM as MEMCG_SHMEM,
}

interface StatItem {
  readonly name: string
  /** Bytes of one unit as it is counted; 0 = printed as a plain count. */
  readonly unitBytes: number
  /** Counted per node: appears in memory.numa_stat. */
  readonly perNode: boolean
  /** Debian 6.1 does not print it. */
  readonly since62: boolean
  /** Only kernels with zswap print it. */
  readonly ofZswap?: true
}

const bytes = (name: string, unitBytes: number, perNode = true): StatItem => ({
  name,
  unitBytes,
  perNode,
  since62: false,
})
const count = (name: string, perNode: boolean): StatItem => ({ name, unitBytes: 0, perNode, since62: false })
const newCount = (name: string, perNode: boolean): StatItem => ({ name, unitBytes: 0, perNode, since62: true })

/** Index = MEMCG_*. Pages unless the unit says otherwise: kernel_stack counts KiB, percpu, slab and zswap bytes, *_thp huge pages. */
export const MEMCG_STATS: readonly StatItem[] = [
  bytes('anon', PAGE_SIZE),
  bytes('file', PAGE_SIZE),
  bytes('kernel', PAGE_SIZE, false),
  bytes('kernel_stack', KIB),
  bytes('pagetables', PAGE_SIZE),
  bytes('sec_pagetables', PAGE_SIZE),
  bytes('percpu', 1, false),
  bytes('sock', PAGE_SIZE, false),
  bytes('vmalloc', PAGE_SIZE, false),
  bytes('shmem', PAGE_SIZE),
  { ...bytes('zswap', 1, false), ofZswap: true },
  { ...bytes('zswapped', PAGE_SIZE, false), ofZswap: true },
  bytes('file_mapped', PAGE_SIZE),
  bytes('file_dirty', PAGE_SIZE),
  bytes('file_writeback', PAGE_SIZE),
  bytes('swapcached', PAGE_SIZE),
  bytes('anon_thp', HPAGE_BYTES),
  bytes('file_thp', HPAGE_BYTES),
  bytes('shmem_thp', HPAGE_BYTES),
  bytes('inactive_anon', PAGE_SIZE),
  bytes('active_anon', PAGE_SIZE),
  bytes('inactive_file', PAGE_SIZE),
  bytes('active_file', PAGE_SIZE),
  bytes('unevictable', PAGE_SIZE),
  bytes('slab_reclaimable', 1),
  bytes('slab_unreclaimable', 1),
  count('workingset_refault_anon', true),
  count('workingset_refault_file', true),
  count('workingset_activate_anon', true),
  count('workingset_activate_file', true),
  count('workingset_restore_anon', true),
  count('workingset_restore_file', true),
  count('workingset_nodereclaim', true),
  newCount('pgdemote_kswapd', true),
  newCount('pgdemote_direct', true),
  newCount('pgdemote_khugepaged', true),
  newCount('pgpromote_success', true),
  count('pgscan_kswapd', false),
  count('pgscan_direct', false),
  newCount('pgscan_khugepaged', false),
  count('pgsteal_kswapd', false),
  count('pgsteal_direct', false),
  newCount('pgsteal_khugepaged', false),
  count('pgfault', false),
  count('pgmajfault', false),
  count('pgrefill', false),
  count('pgactivate', false),
  count('pgdeactivate', false),
  count('pglazyfree', false),
  count('pglazyfreed', false),
  newCount('swpin_zero', false),
  newCount('swpout_zero', false),
  { ...count('zswpin', false), ofZswap: true },
  { ...count('zswpout', false), ofZswap: true },
  { ...newCount('zswpwb', false), ofZswap: true },
  count('thp_fault_alloc', false),
  count('thp_collapse_alloc', false),
  newCount('thp_swpout', false),
  newCount('thp_swpout_fallback', false),
  newCount('numa_pages_migrated', false),
  newCount('numa_pte_updates', false),
  newCount('numa_hint_faults', false),
]

/** @model  one array a group: node * NR_MEMCG_STATS + item */
export const createMemcgStat = (nrNodes: number): Float64Array => new Float64Array(nrNodes * NR_MEMCG_STATS)

/**
 * Adds to a group's own value.
 * @param item   MEMCG_*
 * @param delta  in the item's own unit: see MEMCG_STATS
 * @param nid    node of the page, for memory.numa_stat
 * @kernel  mm/memcontrol.c __mod_memcg_lruvec_state(), __count_memcg_events()
 */
export function modMemcgState(state: KernelState, id: number, item: number, delta: number, nid = 0): void {
  memcgAt(state, id).stat[nid * NR_MEMCG_STATS + item]! += delta
}

/** Own value on one node, in the item's unit. @kernel lruvec_page_state_local() */
export const memcgNodeStateLocal = (memcg: Memcg, item: number, nid: number): number =>
  memcg.stat[nid * NR_MEMCG_STATS + item]!

/** Own value over all nodes, in the item's unit. @kernel memcg_page_state_local() */
export function memcgStateLocal(memcg: Memcg, item: number): number {
  let sum = 0
  for (let i = item; i < memcg.stat.length; i += NR_MEMCG_STATS) sum += memcg.stat[i]!
  return sum
}

/** Adds up own values of a group and its descendants, dying ones included; layout as Memcg.stat. */
function subtreeStat(state: KernelState, id: number): Float64Array {
  const sum = new Float64Array(memcgAt(state, id).stat.length)
  for (let i = id; i !== 0; i = nextMemcg(state, id, i)) {
    const own = memcgAt(state, i).stat
    for (let j = 0; j < sum.length; j++) sum[j]! += own[j]!
  }
  return sum
}

function totalOf(stat: Float64Array, item: number): number {
  let sum = 0
  for (let i = item; i < stat.length; i += NR_MEMCG_STATS) sum += stat[i]!
  return sum
}

/**
 * Value of a group with its descendants.
 * @returns bytes, or a count for the items that are counts
 * @kernel  mm/memcontrol.c memcg_page_state_output()
 */
export function memcgState(state: KernelState, id: number, item: number): number {
  return totalOf(subtreeStat(state, id), item) * (MEMCG_STATS[item]!.unitBytes || 1)
}

/** Pages that one item counts in a group and its descendants. @kernel memcg_page_state() */
export function memcgPages(state: KernelState, id: number, item: number): Pages {
  let sum = 0
  for (let i = id; i !== 0; i = nextMemcg(state, id, i)) sum += memcgStateLocal(memcgAt(state, i), item)
  return sum
}

const isPrinted = (state: KernelState, item: StatItem): boolean =>
  (state.config.series !== '6.1' || !item.since62) && (item.ofZswap === undefined || hasZswap(state))

/**
 * Lines of memory.stat, hierarchical, without the newline.
 * @kernel  mm/memcontrol.c memory_stat_format()
 */
export function memcgStatLines(state: KernelState, id: number): string[] {
  const stat = subtreeStat(state, id)
  const value = (item: number): number => totalOf(stat, item) * (MEMCG_STATS[item]!.unitBytes || 1)
  const sum = (items: readonly number[]): number => items.reduce((total, item) => total + value(item), 0)
  const lines: string[] = []
  for (let item = 0; item < NR_MEMCG_STATS; item++) {
    if (item === MEMCG_STAT_PGSCAN_KSWAPD) {
      lines.push(`pgscan ${sum([MEMCG_STAT_PGSCAN_KSWAPD, MEMCG_STAT_PGSCAN_DIRECT, MEMCG_STAT_PGSCAN_KHUGEPAGED])}`)
      lines.push(
        `pgsteal ${sum([MEMCG_STAT_PGSTEAL_KSWAPD, MEMCG_STAT_PGSTEAL_DIRECT, MEMCG_STAT_PGSTEAL_KHUGEPAGED])}`,
      )
    }
    if (isPrinted(state, MEMCG_STATS[item]!)) lines.push(`${MEMCG_STATS[item]!.name} ${value(item)}`)
    if (item === MEMCG_STAT_SLAB_UNRECLAIMABLE) {
      lines.push(`slab ${sum([MEMCG_STAT_SLAB_RECLAIMABLE, MEMCG_STAT_SLAB_UNRECLAIMABLE])}`)
    }
  }
  return lines
}

/** memory.stat as a file. @kernel mm/memcontrol.c memory_stat_show() */
export const memcgStatText = (state: KernelState, id: number): string =>
  memcgStatLines(state, id)
    .map((line) => `${line}\n`)
    .join('')

/** memory.numa_stat as a file: nodes that have memory or CPUs, ascending. @kernel mm/memcontrol.c memory_numa_stat_show() */
export function memcgNumaStatText(state: KernelState, id: number): string {
  const stat = subtreeStat(state, id)
  let text = ''
  for (let item = 0; item < NR_MEMCG_STATS; item++) {
    const info = MEMCG_STATS[item]!
    if (!info.perNode || !isPrinted(state, info)) continue
    text += info.name
    for (const node of state.nodes) {
      if (node.hasMemory) text += ` N${node.nid}=${stat[node.nid * NR_MEMCG_STATS + item]! * (info.unitBytes || 1)}`
    }
    text += '\n'
  }
  return text
}
