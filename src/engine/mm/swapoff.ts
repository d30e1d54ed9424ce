/**
 * Switching a swap area off: everything in it is read back first.
 * @kernel  mm/swapfile.c swapoff(), try_to_unuse(), mm/shmem.c shmem_unuse()
 * @spec    05 §5.12
 */
import type { Errno } from '../../util/errno'
import { PAGE_SIZE, type Pfn } from '../../util/units'
import { charge, isSuspended } from '../exec'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { attach } from './filemap'
import { GFP_HIGHUSER_MOVABLE, GFP_KERNEL } from './gfp'
import { waitForIo } from './block'
import { memcgCharge, onlineMemcg } from './memcontrol'
import {
  PG_ANON,
  PG_DIRTY,
  PG_FILE,
  PG_LOCKED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_WRITEBACK,
  clearFlag,
  hasFlag,
  mapcount,
  setFlag,
  setPageMemcg,
} from './memmap'
import { MM_ANONPAGES, MM_SWAPENTS } from './mm_types'
import { freeUnrefPage } from './pcp'
import { forEachPte, isSwapPte, makePte, pteSwapSlot, setPte } from './pgtable'
import { pageAddRmap } from './rmap'
import { addMmCounter } from './rss'
import { folioAddLru } from './swap'
import {
  addToSwapCache,
  deleteFromSwapCache,
  releaseUnusedSwapFolio,
  slotMemcg,
  swapCacheLookup,
  swapFree,
  type SwapArea,
} from './swapfile'
import { zswapLoad } from './zswap'
import { PGPGIN, PSWPIN, countVmEvents } from './vmstat'

const isInArea = (area: SwapArea, slot: number): boolean => slot > area.base && slot <= area.base + area.pages

/**
 * The slot's page in memory, read on the spot if need be.
 * @returns 0 when there is no memory for it
 */
function readBack(state: KernelState, area: SwapArea, slot: number): Pfn {
  const cached = swapCacheLookup(state, slot)
  const d = state.devices[area.device]!
  if (cached !== 0) {
    if (hasFlag(state.memmap, cached, PG_LOCKED | PG_WRITEBACK)) waitForIo(state, d.busyUntilNs)
    return cached
  }
  const pfn = hooks.allocPages(state, GFP_HIGHUSER_MOVABLE, 0)
  if (pfn === 0) return 0
  const memcg = onlineMemcg(state, slotMemcg(state, slot) || 1)
  if (memcgCharge(state, memcg, 1, GFP_KERNEL) !== 'ok') {
    freeUnrefPage(state, pfn, 0)
    return 0
  }
  setPageMemcg(state.memmap, pfn, memcg)
  setFlag(state.memmap, pfn, PG_ANON | PG_SWAPBACKED)
  addToSwapCache(state, pfn, slot)
  folioAddLru(state, pfn, false)
  if (state.zswap.isSetUp && zswapLoad(state, area, slot - area.base, pfn)) return pfn
  countVmEvents(state.vmstat, PSWPIN, 1)
  countVmEvents(state.vmstat, PGPGIN, 4)
  charge(state, d.perPageNs + state.costs.submitPage)
  d.readBytes += PAGE_SIZE
  return pfn
}

/** Nobody needs the slot any more: the frame is ordinary, dirty memory. */
function releaseIfUnused(state: KernelState, area: SwapArea, slot: number, pfn: Pfn): void {
  const offset = slot - area.base
  if ((area.map[offset]! & 0x7fff) > 0 || !hasFlag(state.memmap, pfn, PG_SWAPCACHE)) return
  deleteFromSwapCache(state, pfn)
  setFlag(state.memmap, pfn, PG_DIRTY)
}

/** Swap entries of page tables. @kernel mm/swapfile.c unuse_mm() */
function unusePageTables(state: KernelState, area: SwapArea): Errno | undefined {
  let errno: Errno | undefined
  for (const mm of state.mms) {
    if (mm.users === 0 || mm.pgd < 0) continue
    forEachPte(state, mm, 0, Number.MAX_SAFE_INTEGER, (pteSlot, pte) => {
      if (errno !== undefined || !isSwapPte(pte) || !isInArea(area, pteSwapSlot(pte))) return
      const slot = pteSwapSlot(pte)
      const pfn = readBack(state, area, slot)
      if (pfn === 0) {
        errno = isSuspended(state) ? 'EINTR' : 'ENOMEM'
        return
      }
      setPte(state.pgtables, pteSlot, makePte(pfn, 0))
      pageAddRmap(state, pfn, pteSlot)
      addMmCounter(state, mm.id, MM_SWAPENTS, -1)
      addMmCounter(state, mm.id, MM_ANONPAGES, 1)
      swapFree(state, slot)
      releaseIfUnused(state, area, slot, pfn)
    })
    if (errno !== undefined) return errno
  }
  return undefined
}

/** Swap entries of tmpfs files. @kernel mm/shmem.c shmem_unuse() */
function unuseShmem(state: KernelState, area: SwapArea): Errno | undefined {
  for (const inode of state.inodes) {
    if (inode === undefined || inode.fs !== 'tmpfs') continue
    for (let index = 0; index < inode.pages.length; index++) {
      const slot = -inode.pages[index]! - 1
      if (inode.pages[index]! >= 0 || !isInArea(area, slot)) continue
      const pfn = readBack(state, area, slot)
      if (pfn === 0) return isSuspended(state) ? 'EINTR' : 'ENOMEM'
      inode.pages[index] = 0
      swapFree(state, slot)
      deleteFromSwapCache(state, pfn)
      clearFlag(state.memmap, pfn, PG_ANON)
      setFlag(state.memmap, pfn, PG_FILE | PG_SWAPBACKED | PG_DIRTY)
      attach(state, inode, index, pfn)
    }
  }
  return undefined
}

/** Cached frames that nobody refers to any more. @kernel try_to_unuse(), find_next_to_unuse() */
function dropCached(state: KernelState, area: SwapArea): void {
  waitForIo(state, state.devices[area.device]!.busyUntilNs)
  for (let offset = 1; offset <= area.pages; offset++) {
    const pfn = area.cache[offset]!
    if (pfn === 0) continue
    if (mapcount(state.memmap, pfn) === 0) releaseUnusedSwapFolio(state, pfn)
    else releaseIfUnused(state, area, area.base + offset, pfn)
  }
}

/**
 * @returns EINVAL when the path is not in use, ENOMEM when its pages do not fit into memory
 * @kernel      mm/swapfile.c swapoff()
 * @simplifies  one long operation: the reads take the device's transfer time, nothing else runs meanwhile
 */
export function swapoff(state: KernelState, path: string): Errno | undefined {
  const index = state.swapAreas.findIndex((area) => area.path === path)
  if (index < 0) return 'EINVAL'
  const area = state.swapAreas[index]!
  area.enabled = false
  const errno = unusePageTables(state, area) ?? unuseShmem(state, area)
  if (errno !== undefined) {
    state.exec.suspendUntilNs = -1
    area.enabled = true
    return errno === 'EINTR' ? 'ENOMEM' : errno
  }
  dropCached(state, area)
  state.swapAreas.splice(index, 1)
  return undefined
}
