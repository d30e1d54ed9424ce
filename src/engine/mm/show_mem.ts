/**
 * The Mem-Info block of out-of-memory and allocation-failure reports.
 * @kernel  mm/show_mem.c __show_mem() (6.1: mm/page_alloc.c show_free_areas())
 * @spec    06 §6.5 item 3
 */
import type { Pages } from '../../util/units'
import type { KernelState } from '../state'
import { MIGRATE_TYPES, NR_PAGE_ORDERS, ZONE_NAMES } from './gfp'
import { freeHugePagesNode, hugeBytes } from './hugetlb_pool'
import {
  globalNodeState,
  globalZoneState,
  MAX_RECLAIM_RETRIES,
  WMARK_HIGH,
  WMARK_LOW,
  WMARK_MIN,
  wmark,
  type PgData,
  type Zone,
} from './mmzone'
import { pcpCount } from './pcp'
import { nrSwapPages, totalSwapPages } from './swap_space'
import {
  NR_ACTIVE_ANON,
  NR_ACTIVE_FILE,
  NR_ANON_TRANSPARENT_HUGEPAGES,
  NR_BOUNCE,
  NR_DIRTY,
  NR_FILE_PAGES,
  NR_FREE_CMA,
  NR_FREE_PAGES,
  NR_INACTIVE_ANON,
  NR_INACTIVE_FILE,
  NR_ISOLATED_ANON,
  NR_ISOLATED_FILE,
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
  NR_UNEVICTABLE,
  NR_WRITEBACK,
  NR_WRITEBACK_TEMP,
  NR_ZONE_ACTIVE_ANON,
  NR_ZONE_ACTIVE_FILE,
  NR_ZONE_INACTIVE_ANON,
  NR_ZONE_INACTIVE_FILE,
  NR_ZONE_UNEVICTABLE,
  NR_ZONE_WRITE_PENDING,
  readStat,
} from './vmstat'

const kb = (pages: Pages): string => `${pages * 4}kB`
/** Letters of the migrate types behind a block count. */
const TYPE_LETTERS = ['U', 'M', 'E', 'H', 'I'] as const
const HPAGE_PAGES = 512

/** '0-1,3' @kernel lib/vsprintf.c %*pbl */
export function nodeListText(nids: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < nids.length;) {
    let j = i
    while (nids[j + 1] === nids[j]! + 1) j++
    parts.push(i === j ? `${nids[i]}` : `${nids[i]}-${nids[j]}`)
    i = j + 1
  }
  return parts.join(',')
}

/**
 * One line an entry, without time stamps.
 * @param highestZoneidx  zones above it are left out
 * @kernel  mm/show_mem.c __show_mem()
 * @spec    06 §6.5 item 3
 */
export function showMem(state: KernelState, highestZoneidx: number): string[] {
  const shown = state.nodes.filter((node) =>
    node.zones.some((z) => state.zones[z]!.managed > 0 && state.zones[z]!.idx <= highestZoneidx),
  )
  const zones = state.zones.filter((z) => z.present > 0 && z.idx <= highestZoneidx)
  return [
    'Mem-Info:',
    ...totals(state),
    ...shown.map((node) => nodeLine(state, node)),
    ...zones.flatMap((zone) => [zoneLine(state, zone), `lowmem_reserve[]: ${[...zone.lowmemReserve].join(' ')}`]),
    ...zones.map(buddyLine),
    ...state.nodes.filter((n) => n.hasMemory).flatMap((n) => hugepageLines(state, n)),
    ...tail(state),
  ]
}

function totals(state: KernelState): string[] {
  const node = (item: number): number => globalNodeState(state, item)
  const zone = (item: number): number => globalZoneState(state, item)
  let pcp = 0
  for (const z of state.zones) pcp += pcpCount(z)
  return [
    `active_anon:${node(NR_ACTIVE_ANON)} inactive_anon:${node(NR_INACTIVE_ANON)} isolated_anon:${node(NR_ISOLATED_ANON)}`,
    ` active_file:${node(NR_ACTIVE_FILE)} inactive_file:${node(NR_INACTIVE_FILE)} isolated_file:${node(NR_ISOLATED_FILE)}`,
    ` unevictable:${node(NR_UNEVICTABLE)} dirty:${node(NR_DIRTY)} writeback:${node(NR_WRITEBACK)}`,
    ` slab_reclaimable:${node(NR_SLAB_RECLAIMABLE)} slab_unreclaimable:${node(NR_SLAB_UNRECLAIMABLE)}`,
    ` mapped:${node(NR_MAPPED)} shmem:${node(NR_SHMEM)} pagetables:${node(NR_PAGE_TABLE_PAGES)}`,
    ` sec_pagetables:${node(NR_SEC_PAGE_TABLE_PAGES)} bounce:${zone(NR_BOUNCE)}`,
    ` kernel_misc_reclaimable:${node(NR_KERNEL_MISC_RECLAIMABLE)}`,
    ` free:${zone(NR_FREE_PAGES)} free_pcp:${pcp} free_cma:${zone(NR_FREE_CMA)}`,
  ]
}

function nodeLine(state: KernelState, node: PgData): string {
  const v = (item: number): string => kb(readStat(node.stat, item))
  // 6.1 prints a blank before the huge page counts.
  const gap = state.config.series === '6.1' ? ' ' : ''
  const thp = (item: number): string => gap + kb(readStat(node.stat, item) * HPAGE_PAGES)
  return [
    `Node ${node.nid} active_anon:${v(NR_ACTIVE_ANON)}`,
    `inactive_anon:${v(NR_INACTIVE_ANON)}`,
    `active_file:${v(NR_ACTIVE_FILE)}`,
    `inactive_file:${v(NR_INACTIVE_FILE)}`,
    `unevictable:${v(NR_UNEVICTABLE)}`,
    `isolated(anon):${v(NR_ISOLATED_ANON)}`,
    `isolated(file):${v(NR_ISOLATED_FILE)}`,
    `mapped:${v(NR_MAPPED)}`,
    `dirty:${v(NR_DIRTY)}`,
    `writeback:${v(NR_WRITEBACK)}`,
    `shmem:${v(NR_SHMEM)}`,
    `shmem_thp:${thp(NR_SHMEM_HUGEPAGES)}`,
    `shmem_pmdmapped:${thp(NR_SHMEM_PMDMAPPED)}`,
    `anon_thp:${thp(NR_ANON_TRANSPARENT_HUGEPAGES)}`,
    `writeback_tmp:${v(NR_WRITEBACK_TEMP)}`,
    `kernel_stack:${readStat(node.stat, NR_KERNEL_STACK)}kB`,
    `pagetables:${v(NR_PAGE_TABLE_PAGES)}`,
    `sec_pagetables:${v(NR_SEC_PAGE_TABLE_PAGES)}`,
    `all_unreclaimable? ${node.kswapd.failures >= MAX_RECLAIM_RETRIES ? 'yes' : 'no'}`,
  ].join(' ')
}

function zoneLine(state: KernelState, zone: Zone): string {
  const v = (item: number): string => kb(readStat(zone.stat, item))
  return [
    `${zoneName(zone)} free:${v(NR_FREE_PAGES)}`,
    `boost:${kb(zone.watermarkBoost)}`,
    `min:${kb(wmark(zone, WMARK_MIN))}`,
    `low:${kb(wmark(zone, WMARK_LOW))}`,
    `high:${kb(wmark(zone, WMARK_HIGH))}`,
    `reserved_highatomic:${zone.nrReservedHighatomic * 4}KB`,
    `active_anon:${v(NR_ZONE_ACTIVE_ANON)}`,
    `inactive_anon:${v(NR_ZONE_INACTIVE_ANON)}`,
    `active_file:${v(NR_ZONE_ACTIVE_FILE)}`,
    `inactive_file:${v(NR_ZONE_INACTIVE_FILE)}`,
    `unevictable:${v(NR_ZONE_UNEVICTABLE)}`,
    `writepending:${v(NR_ZONE_WRITE_PENDING)}`,
    `present:${kb(zone.present)}`,
    `managed:${kb(zone.managed)}`,
    `mlocked:${v(NR_MLOCK)}`,
    `bounce:${v(NR_BOUNCE)}`,
    `free_pcp:${kb(pcpCount(zone))}`,
    `local_pcp:${kb(zone.pcp[state.exec.cpu]!.count)}`,
    `free_cma:${v(NR_FREE_CMA)}`,
  ].join(' ')
}

const zoneName = (zone: Zone): string => `Node ${zone.nid} ${ZONE_NAMES[zone.idx]}`

function buddyLine(zone: Zone): string {
  const orders: string[] = []
  let pages = 0
  for (let order = 0; order < NR_PAGE_ORDERS; order++) {
    const blocks = zone.nrFree[order]!
    pages += blocks * 2 ** order
    const letters = TYPE_LETTERS.filter((_, type) => zone.nrFreeType[order * MIGRATE_TYPES + type]! > 0).join('')
    orders.push(`${blocks}*${4 << order}kB${blocks > 0 ? ` (${letters})` : ''}`)
  }
  return `${zoneName(zone)}: ${orders.join(' ')} = ${kb(pages)}`
}

/** The largest size first. @kernel mm/hugetlb.c hugetlb_show_meminfo_node() */
const hugepageLines = (state: KernelState, node: PgData): string[] =>
  state.hugetlb.toReversed().map((h) => {
    const { nid } = node
    const [total, free, surplus] = [h.nr[nid], freeHugePagesNode(h, nid), h.surplus[nid]]
    const size = hugeBytes(h) / 1024
    return `Node ${nid} hugepages_total=${total} hugepages_free=${free} hugepages_surp=${surplus} hugepages_size=${size}kB`
  })

function tail(state: KernelState): string[] {
  let present = 0
  let managed = 0
  for (const zone of state.zones) {
    present += zone.present
    managed += zone.managed
  }
  const lines = [
    `${globalNodeState(state, NR_FILE_PAGES)} total pagecache pages`,
    `${globalNodeState(state, NR_SWAPCACHED)} pages in swap cache`,
    `Free swap  = ${kb(nrSwapPages(state))}`,
    `Total swap = ${kb(totalSwapPages(state))}`,
    `${present} pages RAM`,
    '0 pages HighMem/MovableOnly',
    `${present - managed} pages reserved`,
  ]
  // Debian's 6.1 cloud kernel is built without MEMORY_FAILURE.
  return state.config.series === '6.1' ? lines : [...lines, '0 pages hwpoisoned']
}
