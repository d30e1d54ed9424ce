/**
 * Compressed pages go on to their swap device: when the pool or a group is over its limit, and on 6.12, if that is switched
 * on, as caches shrink when memory is short.
 * @kernel  mm/zswap.c shrink_worker(), shrink_memcg(), zswap_writeback_entry(), zswap_shrinker_scan(); 6.1: zpool_shrink()
 * @spec    05 §5.12
 */
import type { Ns } from '../../util/units'
import { NS_PER_US } from '../../util/units'
import { isSuspended, now } from '../exec'
import { schedule } from '../queue'
import type { KernelState } from '../state'
import { queueRoomAt, submitIo } from './block'
import {
  GFP_BIT_FS,
  GFP_BIT_HIGHMEM,
  GFP_BIT_IO,
  GFP_BIT_MEMALLOC,
  GFP_BIT_MOVABLE,
  GFP_BIT_NORETRY,
  GFP_BIT_NOWARN,
} from './gfp'
import { listLruFirst, listLruRotate, type LruPlace } from './list_lru'
import { MEMCG_STAT_ZSWAP, MEMCG_STAT_ZSWAPPED, MEMCG_STAT_ZSWPWB, memcgPages, modMemcgState } from './memcg_stat'
import { ROOT_MEMCG, memcgAt, nextMemcg } from './memcg_tree'
import { PG_LOCKED, PG_RECLAIM, clearFlag, setFlag } from './memmap'
import { folioStartWriteback } from './page_writeback'
import { SHRINK_BATCH, SHRINK_STOP, type Shrinker } from './shrinker'
import { areaOfSlot, swapCacheLookup } from './swapfile'
import { newSwapCachePage } from './swap_state'
import { PGPGOUT, PSWPOUT, ZSWPWB, countVmEvent, countVmEvents } from './vmstat'
import {
  diskSwapinKey,
  isZswapWritebackEnabled,
  zswapAcceptPages,
  zswapDecompress,
  zswapInvalidate,
  zswapListed,
  zswapPoolPages,
} from './zswap'
import { entryMemcg, entrySlot } from './zswap_state'
import { PAGE_SIZE } from '../../util/units'

/**
 * Frames for pages on their way out: each frees what it takes and more.
 * @simplifies  the worker is no task: it takes from the reserves where the kernel's would reclaim
 */
const GFP_WRITEBACK =
  GFP_BIT_MEMALLOC | GFP_BIT_NORETRY | GFP_BIT_NOWARN | GFP_BIT_HIGHMEM | GFP_BIT_MOVABLE | GFP_BIT_IO | GFP_BIT_FS

/** How long a worker that is queued takes to run. @model a wake-up and a context switch */
const WORK_DELAY: Ns = 20 * NS_PER_US
/** Fruitless tries before the worker gives up. @kernel MAX_RECLAIM_RETRIES */
const RETRIES_MAX = 16
/** Entries that the worker looks at in one piece of its work. @model cond_resched() */
const PIECE = 64

type Outcome = 'written' | 'cached' | 'failed'

/**
 * Decompresses an entry into a frame of the swap cache and writes that to the device.
 * @returns 'cached': the page has come back meanwhile, and the entry is of no use
 * @kernel  zswap_writeback_entry()
 */
function writebackEntry(state: KernelState, row: number): Outcome {
  const z = state.zswap
  const slot = entrySlot(z, row)
  const area = areaOfSlot(state, slot)
  const offset = slot - area.base
  const { counts } = z
  if (swapCacheLookup(state, slot) !== 0) {
    counts.rejectReclaimFail++
    return 'cached'
  }
  const pfn = newSwapCachePage(state, slot, GFP_WRITEBACK)
  if (pfn === 0) {
    if (isSuspended(state)) state.exec.suspendUntilNs = -1
    counts.rejectReclaimFail++
    return 'failed'
  }
  zswapDecompress(state, row)
  modMemcgState(state, entryMemcg(z, row) || ROOT_MEMCG, MEMCG_STAT_ZSWPWB, 1)
  zswapInvalidate(state, area, offset)
  counts.writtenBackPages++
  countVmEvent(state.vmstat, ZSWPWB)
  countVmEvent(state.vmstat, PSWPOUT)
  countVmEvents(state.vmstat, PGPGOUT, PAGE_SIZE / 1024)
  // Its frame is wanted as soon as it is written.
  setFlag(state.memmap, pfn, PG_RECLAIM)
  folioStartWriteback(state, pfn)
  clearFlag(state.memmap, pfn, PG_LOCKED)
  submitIo(state, area.device, { write: true, pfns: [pfn] })
  return 'written'
}

/**
 * Looks at the oldest entry of a list: a new one gets a second chance.
 * @returns undefined: the list is empty
 * @kernel  shrink_memcg_cb()
 */
function shrinkOldest(state: KernelState, place: LruPlace): Outcome | undefined {
  const z = state.zswap
  const row = listLruFirst(z.lru, place)
  if (row === 0) return undefined
  if (state.config.series !== '6.1' && z.entries.referenced[row] === 1) {
    z.entries.referenced[row] = 0
    listLruRotate(z.lru, row)
    return 'failed'
  }
  // To the young end first: should it fail, another one is next.
  listLruRotate(z.lru, row)
  return writebackEntry(state, row)
}

/**
 * One entry of a group on each node.
 * @returns 'empty': it has none, or they may not be written
 * @kernel  shrink_memcg()
 */
function shrinkMemcg(state: KernelState, memcg: number): 'some' | 'none' | 'empty' {
  if (!isZswapWritebackEnabled(state, memcg)) return 'empty'
  let outcome: 'some' | 'none' | 'empty' = 'empty'
  for (const { nid } of state.nodes) {
    const result = shrinkOldest(state, { owner: 0, memcg: memcg <= ROOT_MEMCG ? 0 : memcg, nid })
    if (result === 'written') outcome = 'some'
    else if (result !== undefined && outcome === 'empty') outcome = 'none'
  }
  return outcome
}

/** A group is at memory.zswap.max: its oldest pages make room. @kernel shrink_memcg() in zswap_store() */
export const shrinkZswapMemcg = (state: KernelState, memcg: number): boolean => shrinkMemcg(state, memcg) === 'some'

// ---------------------------------------------------------------- the worker

/** @kernel queue_work(shrink_wq, &zswap_shrink_work) */
export function queueZswapShrink(state: KernelState): void {
  if (state.zswap.isShrinking) return
  state.zswap.isShrinking = true
  schedule(state.queue, now(state) + WORK_DELAY, { kind: 'zswapShrink', failures: 0 })
}

/** The next group in turn; 0 once after the last one. */
function nextGroup(state: KernelState): number {
  const z = state.zswap
  if (z.nextShrink === 0 || state.memcgs[z.nextShrink] === undefined) z.nextShrink = ROOT_MEMCG
  else z.nextShrink = nextMemcg(state, ROOT_MEMCG, z.nextShrink)
  return z.nextShrink
}

/** One step of the worker. @returns whether it was fruitless */
function workerStep(state: KernelState, round: { tried: number }): boolean {
  const z = state.zswap
  if (state.config.series === '6.1') return shrinkOldest(state, { owner: z.current, memcg: 0, nid: 0 }) !== 'written'
  const memcg = nextGroup(state)
  if (memcg === 0) {
    const isFruitless = round.tried === 0
    round.tried = 0
    return isFruitless
  }
  if (!memcgAt(state, memcg).online) return false
  const outcome = shrinkMemcg(state, memcg)
  if (outcome !== 'empty') round.tried++
  return outcome === 'none'
}

/**
 * Writes old pages of all groups in turn until the pool is below the threshold, or nothing helps.
 * @kernel      shrink_worker()
 * @simplifies  pages are counted one after the other; the time of the worker is nobody's, but it passes
 */
export function handleZswapShrink(state: KernelState, event: { readonly failures: number }): void {
  const z = state.zswap
  let { failures } = event
  const round = { tried: 0 }
  for (let i = 0; i < PIECE; i++) {
    if (zswapPoolPages(state) <= zswapAcceptPages(state) || failures >= RETRIES_MAX) {
      z.isShrinking = false
      return
    }
    if (workerStep(state, round)) failures++
    const full = state.swapAreas.find((area) => queueRoomAt(state, area.device) > 0)
    if (full !== undefined) return goOn(state, queueRoomAt(state, full.device), failures)
  }
  goOn(state, now(state), failures)
}

function goOn(state: KernelState, atNs: Ns, failures: number): void {
  schedule(state.queue, Math.max(atNs, now(state) + 1), { kind: 'zswapShrink', failures })
}

// ---------------------------------------------------------------- the shrinker

/** @kernel  zswap_shrinker_count() */
function count(state: KernelState, nid: number, memcg: number): number {
  const z = state.zswap
  if (!z.isShrinkerEnabled || z.stored === 0 || !isZswapWritebackEnabled(state, memcg)) return 0
  const root = memcg || ROOT_MEMCG
  const backing =
    memcg === 0 ? zswapPoolPages(state) : Math.floor(memcgPages(state, root, MEMCG_STAT_ZSWAP) / PAGE_SIZE)
  const stored = memcg === 0 ? z.stored : memcgPages(state, root, MEMCG_STAT_ZSWAPPED)
  if (stored === 0) return 0
  const listed = zswapListed(state, memcg, nid)
  const key = diskSwapinKey(memcg, nid)
  const swapins = z.diskSwapins[key] ?? 0
  const left = Math.max(0, swapins - listed)
  if (left > 0) z.diskSwapins[key] = left
  else delete z.diskSwapins[key]
  const freeable = listed - (swapins - left)
  return freeable <= 0 ? 0 : Math.floor((freeable * backing) / stored)
}

/** @kernel  zswap_shrinker_scan() */
function scan(state: KernelState, memcg: number, nid: number, nr: number): number {
  if (!state.zswap.isShrinkerEnabled || !isZswapWritebackEnabled(state, memcg)) return SHRINK_STOP
  let written = 0
  for (let i = 0; i < nr; i++) {
    const outcome = shrinkOldest(state, { owner: 0, memcg, nid })
    if (outcome === undefined) break
    // The front of the list is in the swap cache: memory is so short that pages come back at once.
    if (outcome === 'cached') return SHRINK_STOP
    if (outcome === 'written') written++
  }
  return written
}

/** Where its deferred work is kept: beyond the file systems, before the shrinkers of huge pages. */
const ZSWAP_ID = 65533

/** 6.12: off until /sys/module/zswap/parameters/shrinker_enabled says Y. @kernel zswap_alloc_shrinker() */
export const zswapShrinker: Shrinker = {
  id: ZSWAP_ID,
  batch: SHRINK_BATCH,
  seeks: 2,
  count,
  scan: (state, { nid, memcg, nr }) => scan(state, memcg, nid, nr),
}
