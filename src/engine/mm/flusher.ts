/**
 * Writing dirty file pages out in the background: every five seconds what has been dirty for long, and at once when
 * there is too much of it or reclaim asks.
 * @kernel      fs/fs-writeback.c wb_workfn(), mm/page-writeback.c
 * @simplifies  one flusher for all devices, no bandwidth estimate; what it submits waits in the device's queue
 * @spec        05 §5.11
 */
import { NS_PER_S, type Pages } from '../../util/units'
import { now } from '../exec'
import { schedule } from '../queue'
import type { KernelState } from '../state'
import { submitIo } from './block'
import { globalDomain, memcgDomain } from './balance_dirty'
import { ROOT_MEMCG } from './memcontrol'
import { PG_DIRTY, PG_WRITEBACK, hasFlag, pageMemcg } from './memmap'
import { folioClearDirtyForIo } from './page_mkclean'
import { folioStartWriteback } from './page_writeback'
import { PGPGOUT, countVmEvents } from './vmstat'

/** Pages of one request. @kernel MAX_WRITEBACK_PAGES is 1024; a request carries 1280 KiB at most */
const REQUEST_PAGES: Pages = 256
const NS_PER_CENTISECOND = NS_PER_S / 100

function submitWrites(state: KernelState, device: number, pfns: number[]): void {
  if (pfns.length === 0) return
  countVmEvents(state.vmstat, PGPGOUT, pfns.length * 4)
  submitIo(state, device, { write: true, pfns })
}

/**
 * Starts writing the dirty pages of one file, `most` of them.
 * @returns pages submitted
 * @kernel  mm/page-writeback.c do_writepages()
 */
export function writebackInode(state: KernelState, ino: number, most: Pages = Infinity): Pages {
  const inode = state.inodes[ino]
  if (inode === undefined || inode.nrDirty === 0 || inode.device < 0) return 0
  let submitted = 0
  let pfns: number[] = []
  for (let i = 0; i < inode.pages.length && inode.nrDirty > 0 && submitted < most; i++) {
    const pfn = inode.pages[i]!
    if (pfn <= 0 || !hasFlag(state.memmap, pfn, PG_DIRTY) || hasFlag(state.memmap, pfn, PG_WRITEBACK)) continue
    folioClearDirtyForIo(state, pfn)
    folioStartWriteback(state, pfn)
    pfns.push(pfn)
    submitted++
    if (pfns.length === REQUEST_PAGES) {
      submitWrites(state, inode.device, pfns)
      pfns = []
    }
  }
  submitWrites(state, inode.device, pfns)
  return submitted
}

/** Files with dirty pages, the one that became dirty first in front. */
function dirtyInodes(state: KernelState): number[] {
  const since = state.reclaim.writeback.dirtiedNs
  const inos = Object.keys(since).map(Number)
  return inos.sort((a, b) => since[a]! - since[b]! || a - b)
}

/** Reclaim met only dirty pages. @kernel fs/fs-writeback.c wakeup_flusher_threads() */
export function wakeupFlusher(state: KernelState): void {
  for (const ino of dirtyInodes(state)) writebackInode(state, ino)
}

/** @kernel  MIN_WRITEBACK_PAGES: 4 MiB */
const MIN_WRITEBACK_PAGES: Pages = 1024
/** @kernel  DIRTY_SCOPE */
const DIRTY_SCOPE = 8

/** Pages of one file before the next gets its turn. @kernel fs/fs-writeback.c writeback_chunk_size() */
export function writebackChunk(bandwidth: number, thresh: Pages): Pages {
  const pages = Math.floor(Math.min(bandwidth / 2, thresh / DIRTY_SCOPE)) + MIN_WRITEBACK_PAGES
  return pages - (pages % MIN_WRITEBACK_PAGES)
}

/**
 * Writes, a piece of each file in turn, until the background limit holds again.
 * @param memcg  group whose own limit has to hold, 0 = the machine's
 * @kernel  fs/fs-writeback.c wb_writeback() with for_background, wb_over_bg_thresh()
 * @model   pages of a group are in files whose first dirty page is charged to it, as an inode belongs to one wb
 */
function writebackBackground(state: KernelState, memcg: number): void {
  const isEnough = (): boolean => {
    const machine = globalDomain(state)
    const { reclaimable, limits } = memcg === 0 ? machine : memcgDomain(state, memcg, machine)
    return reclaimable <= limits.background
  }
  for (let progress = true; progress && !isEnough();) {
    progress = false
    for (const ino of dirtyInodes(state)) {
      const inode = state.inodes[ino]!
      if (memcg !== 0 && ownerOf(state, ino) !== memcg) continue
      const { thresh } = globalDomain(state).limits
      const perSecond = 1e9 / Math.max(1, state.devices[inode.device]?.perPageNs ?? 1)
      if (writebackInode(state, ino, writebackChunk(perSecond, thresh)) > 0) progress = true
      if (isEnough()) return
    }
  }
}

/** Group that the first dirty page of a file is charged to. @kernel inode_to_wb() */
function ownerOf(state: KernelState, ino: number): number {
  const pfn = state.inodes[ino]!.pages.find((p) => p > 0 && hasFlag(state.memmap, p, PG_DIRTY))
  return pfn === undefined ? 0 : pageMemcg(state.memmap, pfn) || ROOT_MEMCG
}

/** Writers have dirtied more than the background limits of the machine or of their groups. @kernel wb_workfn() */
export function handleWritebackBackground(state: KernelState): void {
  const { writeback } = state.reclaim
  const groups = writeback.background
  writeback.background = []
  writebackBackground(state, 0)
  for (const memcg of groups)
    if (memcg !== ROOT_MEMCG && state.memcgs[memcg] !== undefined) writebackBackground(state, memcg)
}

/** First tick of the flusher's clock. */
export function startFlusher(state: KernelState): void {
  scheduleTick(state)
}

function scheduleTick(state: KernelState): void {
  const interval = state.sysctl.dirtyWritebackCentisecs
  // 0 switches periodic writing off; the tick goes on, so that it can be switched on again.
  schedule(state.queue, now(state) + (interval || 500) * NS_PER_CENTISECOND, { kind: 'writebackTick' })
}

/** @kernel  wb_do_writeback(): what has expired, then what is too much */
export function handleWritebackTick(state: KernelState): void {
  if (state.sysctl.dirtyWritebackCentisecs > 0) {
    const expired = now(state) - state.sysctl.dirtyExpireCentisecs * NS_PER_CENTISECOND
    for (const ino of dirtyInodes(state))
      if (state.reclaim.writeback.dirtiedNs[ino]! <= expired) writebackInode(state, ino)
    writebackBackground(state, 0)
  }
  scheduleTick(state)
}
