/**
 * Writing a page that reclaim wants: whether it is this reclaimer's business, and the requests that carry a batch.
 * @kernel  mm/vmscan.c pageout(), mm/page_io.c swap_writepage()
 * @spec    05 §5.4
 */
import type { Pfn } from '../../../util/units'
import { charge } from '../../exec'
import type { KernelState } from '../../state'
import { emit, isWanted, TRACE_WRITE_FOLIO } from '../../trace'
import { queueRoomAt, submitIo, waitForIo } from '../block'
import { GFP_BIT_FS, GFP_BIT_IO } from '../gfp'
import {
  PG_ANON,
  PG_RECLAIM,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  hasFlag,
  pageFlags,
  pageMapping,
  pageMemcg,
  setFlag,
} from '../memmap'
import { folioClearDirty, folioStartWriteback } from '../page_writeback'
import { areaOfSlot, folioAllocSwap, folioFreeSwap, swapCount, swapDeviceOf, zramOfSlot } from '../swapfile'
import { tryToUnmapFlushDirty } from '../tlb_flush'
import {
  NR_VMSCAN_IMMEDIATE_RECLAIM,
  NR_VMSCAN_WRITE,
  PGPGOUT,
  PSWPOUT,
  countVmEvent,
  countVmEvents,
  modStat,
} from '../vmstat'
import { zramWrite, type Zram } from '../zram'
import { isZswapWritebackEnabled, zswapStore } from '../zswap'
import { PGDAT_DIRTY, type ReclaimStat, type ScanControl } from './scan_control'

/** What to do with one page. */
export const FREE = 0
export const ACTIVATE = 1
export const KEEP = 2
/** Freed although it counts as nothing reclaimed: its last user had gone before. */
export const ORPHAN = 3

/** Pages of this batch that go to one device in one request. */
let writePfns: number[] = []
let writeDevice = -1

/** A dirty page: written out if that is this reclaimer's business. @kernel shrink_folio_list(), pageout() */
export function pageDirty(
  state: KernelState,
  sc: ScanControl,
  nid: number,
  pfn: Pfn,
  seen: { readonly mustBeClean: boolean; readonly isFileLru: boolean },
  stat: ReclaimStat,
): number {
  const m = state.memmap
  const flags = pageFlags(m, pfn)
  if ((flags & PG_ANON) !== 0 && (flags & PG_SWAPBACKED) === 0) {
    // Lazily freed memory was written again: it is ordinary memory after all.
    setFlag(m, pfn, PG_SWAPBACKED)
    return ACTIVATE
  }
  if (seen.isFileLru) {
    const mayWrite = sc.kind === 'kswapd' && (flags & PG_RECLAIM) !== 0 && (state.nodes[nid]!.flags & PGDAT_DIRTY) !== 0
    if (!mayWrite) {
      modStat(state.nodes[nid]!.stat, NR_VMSCAN_IMMEDIATE_RECLAIM, 1)
      setFlag(m, pfn, PG_RECLAIM)
      return ACTIVATE
    }
  }
  if (seen.mustBeClean) return KEEP
  if ((sc.gfp & (seen.isFileLru ? GFP_BIT_FS : GFP_BIT_IO)) === 0 || !sc.mayWritepage) return KEEP
  // Nobody may write it any more once its I/O has begun.
  tryToUnmapFlushDirty(state)
  return pageout(state, sc, nid, pfn, stat)
}

/** @kernel  mm/vmscan.c pageout(), mm/page_io.c swap_writepage() */
function pageout(state: KernelState, sc: ScanControl, nid: number, pfn: Pfn, stat: ReclaimStat): number {
  const m = state.memmap
  if (!hasFlag(m, pfn, PG_SWAPCACHE) && hasFlag(m, pfn, PG_SWAPBACKED) && !folioAllocSwap(state, pfn)) return ACTIVATE
  const isSwap = hasFlag(m, pfn, PG_SWAPCACHE)
  if (isSwap && swapCount(state, pageMapping(m, pfn) - 1) === 0) {
    folioFreeSwap(state, pfn)
    return ORPHAN
  }
  const inMemory = isSwap ? zramOfSlot(state, pageMapping(m, pfn) - 1) : undefined
  if (inMemory !== undefined) return pageoutToMemory(state, nid, pfn, inMemory, stat)
  if (isSwap && state.zswap.isSetUp) {
    const fate = pageoutToZswap(state, nid, pfn, stat)
    if (fate !== undefined) return fate
  }
  const device = isSwap ? swapDeviceOf(state, pfn) : state.inodes[pageMapping(m, pfn)]!.device
  folioClearDirty(state, pfn)
  setFlag(m, pfn, PG_RECLAIM)
  folioStartWriteback(state, pfn)
  if (device !== writeDevice) flushWrites(state, sc)
  writeDevice = device
  writePfns.push(pfn)
  stat.pageout++
  modStat(state.nodes[nid]!.stat, NR_VMSCAN_WRITE, 1)
  countVmEvents(state.vmstat, PGPGOUT, 4)
  if (isSwap) countVmEvent(state.vmstat, PSWPOUT)
  if (isWanted(TRACE_WRITE_FOLIO)) emit(state, 'mm_vmscan_write_folio', [pfn, isSwap ? 0 : 2])
  return KEEP
}

/**
 * A device in memory writes on the spot: the page is clean again and can go at once.
 * @returns ACTIVATE: there was no memory for it
 * @kernel  mm/vmscan.c shrink_folio_list(): "synchronous write - probably a ramdisk"
 */
function pageoutToMemory(
  state: KernelState,
  nid: number,
  pfn: Pfn,
  { zram, page }: { readonly zram: Zram; readonly page: number },
  stat: ReclaimStat,
): number {
  stat.pageout++
  if (!zramWrite(state, zram, page)) return ACTIVATE
  folioClearDirty(state, pfn)
  modStat(state.nodes[nid]!.stat, NR_VMSCAN_WRITE, 1)
  countVmEvents(state.vmstat, PGPGOUT, 4)
  countVmEvent(state.vmstat, PSWPOUT)
  if (isWanted(TRACE_WRITE_FOLIO)) emit(state, 'mm_vmscan_write_folio', [pfn, 0])
  return FREE
}

/**
 * zswap keeps the page: it is clean at once, and its frame can go.
 * @returns ACTIVATE: its group may only swap into memory; undefined: it has to be written to the device
 * @kernel  mm/page_io.c swap_writepage()
 */
function pageoutToZswap(state: KernelState, nid: number, pfn: Pfn, stat: ReclaimStat): number | undefined {
  const slot = pageMapping(state.memmap, pfn) - 1
  const area = areaOfSlot(state, slot)
  if (!zswapStore(state, area, slot - area.base, pfn))
    return isZswapWritebackEnabled(state, pageMemcg(state.memmap, pfn)) ? undefined : ACTIVATE
  stat.pageout++
  folioClearDirty(state, pfn)
  modStat(state.nodes[nid]!.stat, NR_VMSCAN_WRITE, 1)
  if (isWanted(TRACE_WRITE_FOLIO)) emit(state, 'mm_vmscan_write_folio', [pfn, 0])
  return FREE
}

/**
 * Submits what was collected. A full device queue makes the reclaimer wait: between its steps if it works in steps, else
 * here.
 * @kernel  blk_finish_plug()
 */
export function flushWrites(state: KernelState, sc: ScanControl): void {
  if (writePfns.length === 0) return
  const pfns = writePfns
  writePfns = []
  charge(state, pfns.length * state.costs.submitPage)
  if (sc.kind !== 'kswapd' && !(sc.kind === 'direct' && state.exec.mayStop)) {
    const room = queueRoomAt(state, writeDevice)
    if (room > 0) waitForIo(state, room)
  }
  submitIo(state, writeDevice, { write: true, pfns })
}
