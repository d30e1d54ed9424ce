/**
 * Bringing pages back from swap: looking into the swap cache, starting a read, and how many neighbours to read with it.
 * Above the allocator, because it needs frames; what slots and the cache are is in swapfile.ts below it.
 * @kernel  mm/swap_state.c
 * @spec    04 §4.5 (Swap-in)
 */
import type { Pages, Pfn, Vpn } from '../../util/units'
import { charge, isSuspended } from '../exec'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { submitIo } from './block'
import { GFP_BIT_MEMALLOC, GFP_BIT_NOFAIL, GFP_HIGHUSER_MOVABLE } from './gfp'
import { memcgCharge, onlineMemcg } from './memcontrol'
import {
  PG_ANON,
  PG_LOCKED,
  PG_READAHEAD,
  PG_SWAPBACKED,
  clearFlag,
  setFlag,
  setPageMemcg,
  testAndClearFlag,
} from './memmap'
import type { Mm, Vma } from './mm_types'
import { freeUnrefPage } from './pcp'
import { ENTRIES_PER_TABLE, findPteSlot, isSwapPte, pteAt, pteSwapSlot } from './pgtable'
import { folioAddLru } from './swap'
import { addToSwapCache, areaOfSlot, slotMemcg, swapCacheLookup, swapCount, swapShadow, zramOfSlot } from './swapfile'
import { PGPGIN, PSWPIN, SWAP_RA, SWAP_RA_HIT, countVmEvent, countVmEvents } from './vmstat'
import { workingsetRefault } from './workingset'
import { zramRead } from './zram'
import { noteDiskSwapin, zswapLoad } from './zswap'

/** Where the access happened: neighbours in the address space are read along on devices without a head to move. */
export interface SwapFaultPlace {
  readonly mm: Mm
  readonly vma: Vma
  readonly vpn: Vpn
}

/** History that the next window is made from; one for slots, one in each Vma. */
export interface SwapReadahead {
  /** Slot or virtual page of the last read. */
  previous: number
  window: Pages
  hits: number
}

/** @kernel swapin_readahead_hits starts at 4 */
export const createSwapReadahead = (): SwapReadahead => ({ previous: 0, window: 0, hits: 4 })

const HITS_MAX = 63
/** @kernel SWAP_RA_ORDER_CEILING */
const ORDER_CEILING = 5

/**
 * Pages to read around a swapped page.
 * @kernel  mm/swap_state.c __swapin_nr_pages()
 * @spec    04 §4.5
 */
export function swapinNrPages(input: {
  readonly hits: number
  readonly isAdjacent: boolean
  readonly max: Pages
  readonly previousWindow: Pages
}): Pages {
  let pages = input.hits + 2
  if (pages === 2) pages = input.isAdjacent ? 2 : 1
  else {
    let roundup = 4
    while (roundup < pages) roundup *= 2
    pages = roundup
  }
  return Math.max(Math.min(pages, input.max), Math.floor(input.previousWindow / 2))
}

const isAdjacent = (a: number, b: number): boolean => a === b + 1 || a === b - 1

const usesVmaReadahead = (state: KernelState): boolean =>
  state.swapAreas.every((area) => !state.devices[area.device]!.rotational)

/**
 * The slot's frame, if the swap cache has it; counts a read-ahead hit, and remembers where the mapping was touched.
 * @param vma  and page of the fault; none for tmpfs
 * @returns 0 none; the frame may still be PG_LOCKED
 * @kernel  mm/swap_state.c swap_cache_get_folio()
 */
export function swapCacheGet(state: KernelState, slot: number, vma?: Vma, vpn: Vpn = 0): Pfn {
  const pfn = swapCacheLookup(state, slot)
  if (pfn === 0) return 0
  const isHit = testAndClearFlag(state.memmap, pfn, PG_READAHEAD)
  if (isHit) countVmEvent(state.vmstat, SWAP_RA_HIT)
  const isByMapping = vma !== undefined && usesVmaReadahead(state)
  if (!isByMapping && !isHit) return pfn
  const ra = isByMapping ? (vma.swapRa ??= createSwapReadahead()) : state.reclaim.swapRa
  if (isByMapping) ra.previous = vpn
  if (isHit) ra.hits = Math.min(HITS_MAX, ra.hits + 1)
  return pfn
}

/**
 * A fresh frame for the slot: charged to the group that paid for the slot, in the swap cache, locked, on its way to the
 * LRU. The caller submits the read.
 * @returns 0 when there is no memory, the charge failed, or the operation has to wait
 * @kernel  mm/swap_state.c __read_swap_cache_async()
 */
export function newSwapCachePage(state: KernelState, slot: number, gfp: number = GFP_HIGHUSER_MOVABLE): Pfn {
  const pfn = hooks.allocPages(state, gfp, 0)
  if (pfn === 0) return 0
  const memcg = onlineMemcg(state, slotMemcg(state, slot) || 1)
  // Who may use reserves frees more than he takes: his charges do not fail either.
  if (memcgCharge(state, memcg, 1, (gfp & GFP_BIT_MEMALLOC) !== 0 ? gfp | GFP_BIT_NOFAIL : gfp) !== 'ok') {
    freeUnrefPage(state, pfn, 0)
    return 0
  }
  setPageMemcg(state.memmap, pfn, memcg)
  setFlag(state.memmap, pfn, PG_ANON | PG_SWAPBACKED | PG_LOCKED)
  const shadow = swapShadow(state, slot)
  addToSwapCache(state, pfn, slot)
  if (shadow !== 0) workingsetRefault(state, pfn, shadow, true)
  folioAddLru(state, pfn, true)
  return pfn
}

/** Slots of the aligned block around `slot`. @kernel swap_cluster_readahead() */
function slotsOfCluster(state: KernelState, slot: number): number[] {
  const ra = state.reclaim.swapRa
  const area = areaOfSlot(state, slot)
  const offset = slot - area.base
  const max = 1 << state.sysctl.pageCluster
  if (max === 1) return [slot]
  const pages = swapinNrPages({
    hits: ra.hits,
    isAdjacent: isAdjacent(offset, ra.previous),
    max,
    previousWindow: ra.window,
  })
  if (ra.hits === 0) ra.previous = offset
  ra.hits = 0
  ra.window = pages
  const first = Math.max(1, Math.floor(offset / pages) * pages)
  const last = Math.min(area.pages, Math.floor(offset / pages) * pages + pages - 1)
  const slots: number[] = []
  for (let o = first; o <= last; o++) slots.push(area.base + o)
  return slots
}

/** Slots that the neighbouring PTEs refer to. @kernel swap_vma_readahead() */
function slotsOfNeighbours(state: KernelState, slot: number, { mm, vma, vpn }: SwapFaultPlace): number[] {
  const max = 1 << Math.min(state.sysctl.pageCluster, ORDER_CEILING)
  if (max === 1) return [slot]
  const ra = (vma.swapRa ??= createSwapReadahead())
  const before = ra.previous
  const window = swapinNrPages({ hits: ra.hits, isAdjacent: isAdjacent(vpn, before), max, previousWindow: ra.window })
  ra.previous = vpn
  ra.window = window
  ra.hits = 0
  let left = vpn - Math.floor((window - 1) / 2)
  if (vpn === before + 1) left = vpn
  else if (before === vpn + 1) left = vpn - window + 1
  const table = vpn - (vpn % ENTRIES_PER_TABLE)
  const start = Math.max(left, vma.start, table)
  const end = Math.min(left + window, vma.end, table + ENTRIES_PER_TABLE)
  const slots: number[] = []
  for (let v = start; v < end; v++) {
    if (v === vpn) {
      slots.push(slot)
      continue
    }
    const pteSlot = findPteSlot(state, mm, v)
    const pte = pteSlot < 0 ? 0 : pteAt(state.pgtables, pteSlot)
    if (isSwapPte(pte)) slots.push(pteSwapSlot(pte))
  }
  return slots
}

/**
 * Starts reading a slot and its neighbours.
 * @param place  of the fault; undefined for tmpfs and swapoff: neighbours by slot
 * @returns the frame of `slot`, PG_LOCKED until the read is done; 0 = no memory, charge refused, or waiting
 * @kernel  mm/swap_state.c swapin_readahead()
 */
export function swapReadFolio(state: KernelState, slot: number, place?: SwapFaultPlace): Pfn {
  const target = newSwapCachePage(state, slot)
  if (target === 0) return 0
  const inMemory = zramOfSlot(state, slot)
  if (inMemory !== undefined) {
    // Nothing to wait for, and no neighbours. @kernel mm/page_io.c swap_read_folio_bdev_sync()
    countVmEvent(state.vmstat, PSWPIN)
    countVmEvents(state.vmstat, PGPGIN, 4)
    zramRead(state, inMemory.zram, inMemory.page)
    clearFlag(state.memmap, target, PG_LOCKED)
    return target
  }
  const slots =
    place !== undefined && usesVmaReadahead(state) ? slotsOfNeighbours(state, slot, place) : slotsOfCluster(state, slot)
  const device = areaOfSlot(state, slot).device
  let pfns: number[] = []
  let currentDevice = device
  const submit = (): void => {
    if (pfns.length === 0) return
    countVmEvents(state.vmstat, PSWPIN, pfns.length)
    countVmEvents(state.vmstat, PGPGIN, pfns.length * 4)
    charge(state, state.costs.submitPage)
    submitIo(state, currentDevice, { write: false, pfns })
    pfns = []
  }
  for (const s of slots) {
    const pfn = s === slot ? target : readaheadPage(state, s)
    if (pfn === 0 || isLoaded(state, s, pfn)) continue
    const d = s === slot ? device : areaOfSlot(state, s).device
    if (d !== currentDevice) submit()
    currentDevice = d
    pfns.push(pfn)
  }
  submit()
  return target
}

/** The page lay compressed in memory: nothing to wait for. @kernel mm/page_io.c swap_read_folio() */
function isLoaded(state: KernelState, slot: number, pfn: Pfn): boolean {
  if (!state.zswap.isSetUp) return false
  const area = areaOfSlot(state, slot)
  if (!zswapLoad(state, area, slot - area.base, pfn)) {
    noteDiskSwapin(state, pfn)
    return false
  }
  clearFlag(state.memmap, pfn, PG_LOCKED)
  return true
}

/** One neighbour, if it is worth reading; its failures are nobody's. */
function readaheadPage(state: KernelState, slot: number): Pfn {
  if (swapCount(state, slot) === 0 || swapCacheLookup(state, slot) !== 0) return 0
  const pfn = newSwapCachePage(state, slot)
  if (isSuspended(state)) state.exec.suspendUntilNs = -1
  if (pfn === 0) return 0
  setFlag(state.memmap, pfn, PG_READAHEAD)
  countVmEvent(state.vmstat, SWAP_RA)
  return pfn
}
