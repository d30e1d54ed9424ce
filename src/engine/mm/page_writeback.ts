/**
 * Dirty pages: marking and limits; the page's own writeback state. Who writes them out is flusher.ts, how long a writer
 * has to pause balance_dirty.ts.
 * @kernel  mm/page-writeback.c
 * @spec    05 §5.11
 */
import { PAGE_SIZE, type Bytes, type Pages, type Pfn } from '../../util/units'
import { currentTask, now } from '../exec'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { folioNid } from './lruvec'
import {
  PG_DIRTY,
  PG_FILE,
  PG_RECLAIM,
  PG_SWAPBACKED,
  PG_WRITEBACK,
  clearFlag,
  hasFlag,
  pageFlags,
  pageMapping,
  pageMemcg,
  pageZoneIndex,
  setFlag,
  testAndClearFlag,
} from './memmap'
import { MEMCG_STAT_FILE_DIRTY, MEMCG_STAT_FILE_WRITEBACK, modMemcgState } from './memcg_stat'
import { folioRotateReclaimable } from './swap'
import {
  NR_ACTIVE_FILE,
  NR_DIRTIED,
  NR_DIRTY,
  NR_FREE_PAGES,
  NR_INACTIVE_FILE,
  NR_WRITEBACK,
  NR_WRITTEN,
  NR_ZONE_WRITE_PENDING,
  modStat,
  readStat,
} from './vmstat'

function countPage(state: KernelState, pfn: Pfn, nodeItem: number, memcgItem: number, sign: number): void {
  const nid = folioNid(state, pfn)
  modStat(state.nodes[nid]!.stat, nodeItem, sign)
  modStat(state.zones[pageZoneIndex(state.memmap, pfn)]!.stat, NR_ZONE_WRITE_PENDING, sign)
  modMemcgState(state, pageMemcg(state.memmap, pfn) || 1, memcgItem, sign, nid)
}

/** File pages on a disk count as dirty; tmpfs and anonymous pages only carry the flag. */
const isDirtyAccounted = (flags: number): boolean => (flags & PG_FILE) !== 0 && (flags & PG_SWAPBACKED) === 0

/** @kernel  mm/page-writeback.c folio_mark_dirty() */
export function folioMarkDirty(state: KernelState, pfn: Pfn): void {
  const flags = pageFlags(state.memmap, pfn)
  // A page that is written again must not be rotated to the tail when an older write ends.
  clearFlag(state.memmap, pfn, PG_RECLAIM)
  if (flags & PG_DIRTY) return
  setFlag(state.memmap, pfn, PG_DIRTY)
  if (!isDirtyAccounted(flags)) return
  countPage(state, pfn, NR_DIRTY, MEMCG_STAT_FILE_DIRTY, 1)
  modStat(state.nodes[folioNid(state, pfn)]!.stat, NR_DIRTIED, 1)
  const ino = pageMapping(state.memmap, pfn)
  const inode = state.inodes[ino]!
  const task = currentTask(state)
  if (task !== undefined) task.dirtiedPages = (task.dirtiedPages ?? 0) + 1
  if (inode.nrDirty++ === 0) state.reclaim.writeback.dirtiedNs[ino] = now(state)
}

/**
 * The page is clean again, or gone.
 * @returns whether it was dirty
 * @kernel  mm/page-writeback.c folio_clear_dirty_for_io(), folio_account_cleaned()
 */
export function folioClearDirty(state: KernelState, pfn: Pfn): boolean {
  if (!testAndClearFlag(state.memmap, pfn, PG_DIRTY)) return false
  if (!isDirtyAccounted(pageFlags(state.memmap, pfn))) return true
  countPage(state, pfn, NR_DIRTY, MEMCG_STAT_FILE_DIRTY, -1)
  const ino = pageMapping(state.memmap, pfn)
  const inode = state.inodes[ino]!
  if (--inode.nrDirty === 0) delete state.reclaim.writeback.dirtiedNs[ino]
  return true
}

/** A write of this page was submitted. @kernel mm/page-writeback.c folio_start_writeback() */
export function folioStartWriteback(state: KernelState, pfn: Pfn): void {
  setFlag(state.memmap, pfn, PG_WRITEBACK)
  countPage(state, pfn, NR_WRITEBACK, MEMCG_STAT_FILE_WRITEBACK, 1)
}

/** The write is on the medium. @kernel mm/filemap.c folio_end_writeback() */
export function folioEndWriteback(state: KernelState, pfn: Pfn): void {
  if (!hasFlag(state.memmap, pfn, PG_WRITEBACK)) return
  countPage(state, pfn, NR_WRITEBACK, MEMCG_STAT_FILE_WRITEBACK, -1)
  modStat(state.nodes[folioNid(state, pfn)]!.stat, NR_WRITTEN, 1)
  const wanted = testAndClearFlag(state.memmap, pfn, PG_RECLAIM)
  clearFlag(state.memmap, pfn, PG_WRITEBACK)
  if (wanted) folioRotateReclaimable(state, pfn)
  hooks.wakePageWaiters(state, pfn)
}

// ---------------------------------------------------------------- limits

export interface DirtyLimits {
  readonly thresh: Pages
  readonly background: Pages
  /** Below it nobody is slowed down. */
  readonly freerun: Pages
}

/**
 * @param dirtyable  pages that could hold dirty data
 * @param limits     percentages; bytes, when not 0, take their place
 * @kernel  mm/page-writeback.c domain_dirty_limits()
 * @spec    05 §5.11, E7
 */
export function domainDirtyLimits(
  dirtyable: Pages,
  limits: {
    readonly ratio: number
    readonly backgroundRatio: number
    readonly bytes: Bytes
    readonly backgroundBytes: Bytes
  },
): DirtyLimits {
  const share = (percent: number): Pages =>
    Math.floor((Math.floor((percent * PAGE_SIZE) / 100) * dirtyable) / PAGE_SIZE)
  const thresh = limits.bytes > 0 ? Math.ceil(limits.bytes / PAGE_SIZE) : share(limits.ratio)
  let background =
    limits.backgroundBytes > 0 ? Math.ceil(limits.backgroundBytes / PAGE_SIZE) : share(limits.backgroundRatio)
  if (background >= thresh) background = Math.floor(thresh / 2)
  return { thresh, background, freerun: Math.floor((thresh + background) / 2) }
}

/** @kernel  mm/page-writeback.c global_dirtyable_memory() */
export function globalDirtyableMemory(state: KernelState): Pages {
  let free = 0
  for (const zone of state.zones) free += readStat(zone.stat, NR_FREE_PAGES)
  let pages = free - Math.min(free, state.totalreservePages)
  for (const node of state.nodes) pages += readStat(node.stat, NR_INACTIVE_FILE) + readStat(node.stat, NR_ACTIVE_FILE)
  return pages + 1
}

/** Limits of a domain that could hold so many dirty pages, as the sysctls set them. @kernel domain_dirty_limits() */
export const dirtyLimitsOf = (state: KernelState, dirtyable: Pages): DirtyLimits =>
  domainDirtyLimits(dirtyable, {
    ratio: state.sysctl.dirtyRatio,
    backgroundRatio: state.sysctl.dirtyBackgroundRatio,
    bytes: state.sysctl.dirtyBytes,
    backgroundBytes: state.sysctl.dirtyBackgroundBytes,
  })

/** Limits of the machine now; vmstat's nr_dirty_threshold and nr_dirty_background_threshold. @kernel global_dirty_limits() */
export const globalDirtyLimits = (state: KernelState): DirtyLimits => dirtyLimitsOf(state, globalDirtyableMemory(state))
