/**
 * What is counted of a page at the place where it lies: its counters of zone, node and group leave with it when it moves to
 * another zone. Those of its list move by themselves, because it leaves one list and enters another.
 * @kernel  mm/migrate.c __folio_migrate_mapping(), mm/rmap.c
 * @spec    08 §8.3
 */
import type { Pfn } from '../../util/units'
import type { KernelState } from '../state'
import {
  PG_ANON,
  PG_DIRTY,
  PG_FILE,
  PG_MLOCKED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  mapcount,
  pageFlags,
  pageMemcg,
  pageZoneIndex,
} from './memmap'
import {
  MEMCG_STAT_ANON,
  MEMCG_STAT_FILE,
  MEMCG_STAT_FILE_MAPPED,
  MEMCG_STAT_SHMEM,
  MEMCG_STAT_FILE_DIRTY,
  MEMCG_STAT_SWAPCACHED,
  modMemcgState,
} from './memcg_stat'
import {
  NR_ANON_PAGES,
  NR_DIRTY,
  NR_FILE_PAGES,
  NR_MAPPED,
  NR_MLOCK,
  NR_SHMEM,
  NR_SWAPCACHED,
  NR_ZONE_WRITE_PENDING,
  modStat,
} from './vmstat'

/**
 * Adds the page to the counters of the zone that its frame is in, or takes it out.
 * @param pfn   a single page, not under writeback
 * @param sign  1 or −1
 * @kernel  mm/migrate.c __folio_migrate_mapping(): "Note that anonymous pages are accounted for via NR_FILE_PAGES …"
 */
export function countAtPlace(state: KernelState, pfn: Pfn, sign: number): void {
  const m = state.memmap
  const flags = pageFlags(m, pfn)
  const zone = state.zones[pageZoneIndex(m, pfn)]!
  const stat = state.nodes[zone.nid]!.stat
  const memcg = pageMemcg(m, pfn)
  const group = (item: number): void => {
    if (memcg !== 0) modMemcgState(state, memcg, item, sign, zone.nid)
  }
  const isAnon = (flags & PG_ANON) !== 0
  if (mapcount(m, pfn) > 0) {
    modStat(stat, isAnon ? NR_ANON_PAGES : NR_MAPPED, sign)
    group(isAnon ? MEMCG_STAT_ANON : MEMCG_STAT_FILE_MAPPED)
  }
  if ((flags & (PG_FILE | PG_SWAPCACHE)) !== 0) {
    modStat(stat, NR_FILE_PAGES, sign)
    group(MEMCG_STAT_FILE)
  }
  if ((flags & PG_SWAPCACHE) !== 0) {
    modStat(stat, NR_SWAPCACHED, sign)
    group(MEMCG_STAT_SWAPCACHED)
  }
  if ((flags & PG_FILE) !== 0) countFile(state, pfn, sign, group)
  if ((flags & PG_MLOCKED) !== 0) modStat(zone.stat, NR_MLOCK, sign)
}

function countFile(state: KernelState, pfn: Pfn, sign: number, group: (item: number) => void): void {
  const flags = pageFlags(state.memmap, pfn)
  const zone = state.zones[pageZoneIndex(state.memmap, pfn)]!
  const stat = state.nodes[zone.nid]!.stat
  if ((flags & PG_SWAPBACKED) !== 0) {
    modStat(stat, NR_SHMEM, sign)
    group(MEMCG_STAT_SHMEM)
  } else if ((flags & PG_DIRTY) !== 0) {
    modStat(stat, NR_DIRTY, sign)
    modStat(zone.stat, NR_ZONE_WRITE_PENDING, sign)
    group(MEMCG_STAT_FILE_DIRTY)
  }
}
