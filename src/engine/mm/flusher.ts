/**
 * Writing dirty file pages out in the background: every five seconds what has been dirty for long, and at once when
 * there is too much of it or reclaim asks.
 * @kernel      fs/fs-writeback.c wb_workfn(), mm/page-writeback.c
 * @simplifies  one flusher for all devices, no bandwidth estimate; what it submits waits in the device's queue
 * @spec        05 §5.11
 */
import { NS_PER_S, type Ns, type Pages } from '../../util/units'
import type { SimEvent } from '../events'
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
/** @kernel dirty_writeback_interval: 5 s */
const DEFAULT_INTERVAL_NS = 5 * NS_PER_S

function submitWrites(state: KernelState, device: number, pfns: number[]): void {
  if (pfns.length === 0) return
  countVmEvents(state.vmstat, PGPGOUT, pfns.length * 4)
  submitIo(state, device, { write: true, pfns })
}

/**
 * Starts writing the dirty pages of one file, `most` of them, of the pages [from, to); of a whole file from where the last
 * time ended, and around.
 * @returns pages submitted
 * @kernel  mm/page-writeback.c do_writepages(), write_cache_pages() with range_cyclic
 */
export function writebackInode(
  state: KernelState,
  ino: number,
  most: Pages = Infinity,
  from = 0,
  to = Infinity,
): Pages {
  const inode = state.inodes[ino]
  if (inode === undefined || inode.nrDirty === 0 || inode.device < 0) return 0
  let submitted = 0
  let pfns: number[] = []
  const end = Math.min(to, inode.pages.length)
  const isWhole = from === 0 && to === Infinity
  const first = isWhole && (inode.writebackIndex ?? 0) < end ? (inode.writebackIndex ?? 0) : from
  for (let k = from; k < end && inode.nrDirty > 0 && submitted < most; k++) {
    const i = first + k - from < end ? first + k - from : first + k - end
    const pfn = inode.pages[i]!
    if (pfn <= 0 || !hasFlag(state.memmap, pfn, PG_DIRTY) || hasFlag(state.memmap, pfn, PG_WRITEBACK)) continue
    folioClearDirtyForIo(state, pfn)
    folioStartWriteback(state, pfn)
    pfns.push(pfn)
    submitted++
    if (isWhole) inode.writebackIndex = i + 1
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

/** Everything dirty is written: reclaim met only dirty pages, or a person asks. @kernel fs/fs-writeback.c wakeup_flusher_threads() */
export function wakeupFlusher(state: KernelState): void {
  for (const ino of dirtyInodes(state)) writebackInode(state, ino)
}

/** The disk was busy a while ago and is awake still. @kernel mm/page-writeback.c laptop_mode_timer_fn() */
export function handleLaptopTimer(state: KernelState, event: Extract<SimEvent, { kind: 'laptopTimer' }>): void {
  if (state.devices[event.device]?.laptopTimer !== event.sequence) return
  for (const ino of dirtyInodes(state)) if (state.inodes[ino]!.device === event.device) writebackInode(state, ino)
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

/**
 * The sysctl as the kernel counts with it: an unsigned int times 10 in 32 bits, of which half are for ever. So -1 is an
 * interval that does not end within 248 days, as 214748365 is.
 * @returns ns; 0 = no periodic writing, Infinity = never by itself
 * @kernel  mm/page-writeback.c dirty_writeback_interval; kernel/time/time.c msecs_to_jiffies(): MAX_JIFFY_OFFSET
 */
export function writebackIntervalNs(state: KernelState): Ns {
  const ms = (Math.imul(state.sysctl.dirtyWritebackCentisecs, 10) | 0) as number
  if (ms < 0) return Infinity
  return state.sysctl.dirtyWritebackCentisecs === 0 ? 0 : Math.max(1, ms) * (NS_PER_S / 1000)
}

function scheduleTick(state: KernelState): void {
  const interval = writebackIntervalNs(state)
  // Who switches periodic writing off or on says so by writing the sysctl; the tick goes on meanwhile.
  const nextNs = interval === 0 || interval === Infinity ? DEFAULT_INTERVAL_NS : interval
  const sequence = ++state.reclaim.writeback.tick
  schedule(state.queue, now(state) + nextNs, { kind: 'writebackTick', sequence })
}

/**
 * dirty_writeback_centisecs was written: another interval that is not 0 holds from now on, and wakes the flusher.
 * @kernel  mm/page-writeback.c dirty_writeback_centisecs_handler(): wakeup_flusher_threads()
 */
export function writebackIntervalWritten(state: KernelState, old: number): void {
  const { dirtyWritebackCentisecs } = state.sysctl
  if (dirtyWritebackCentisecs === 0 || dirtyWritebackCentisecs === old) return
  wakeupFlusher(state)
  scheduleTick(state)
}

/** @kernel  wb_do_writeback(): what has expired, then what is too much */
export function handleWritebackTick(state: KernelState, event: Extract<SimEvent, { kind: 'writebackTick' }>): void {
  if (event.sequence !== state.reclaim.writeback.tick) return
  const interval = writebackIntervalNs(state)
  if (interval > 0 && interval < Infinity) {
    const expired = now(state) - state.sysctl.dirtyExpireCentisecs * NS_PER_CENTISECOND
    for (const ino of dirtyInodes(state))
      if (state.reclaim.writeback.dirtiedNs[ino]! <= expired) writebackInode(state, ino)
    writebackBackground(state, 0)
  }
  scheduleTick(state)
}
