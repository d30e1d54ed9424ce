/**
 * Writing dirty file pages out in the background: every five seconds what has been dirty for long, and at once when
 * there is too much of it or reclaim asks.
 * @kernel      fs/fs-writeback.c wb_workfn(), mm/page-writeback.c
 * @simplifies  one flusher for all devices, whole files at a time, no bandwidth estimate
 * @spec        05 §5.11
 */
import { NS_PER_S, type Ns, type Pages } from '../../util/units'
import { now } from '../exec'
import { schedule } from '../queue'
import type { KernelState } from '../state'
import { submitIo } from './block'
import { PG_DIRTY, PG_WRITEBACK, hasFlag } from './memmap'
import { folioClearDirty, folioStartWriteback, globalDirtyLimits } from './page_writeback'
import { NR_DIRTY, PGPGOUT, countVmEvents, readStat } from './vmstat'

/** Pages of one request. @kernel MAX_WRITEBACK_PAGES is 1024; a request carries 1280 KiB at most */
const REQUEST_PAGES: Pages = 256
const NS_PER_CENTISECOND = NS_PER_S / 100

function submitWrites(state: KernelState, device: number, pfns: number[]): void {
  if (pfns.length === 0) return
  countVmEvents(state.vmstat, PGPGOUT, pfns.length * 4)
  submitIo(state, device, { write: true, pfns })
}

/**
 * Starts writing all dirty pages of one file.
 * @returns pages submitted
 * @kernel  mm/page-writeback.c do_writepages()
 */
export function writebackInode(state: KernelState, ino: number): Pages {
  const inode = state.inodes[ino]
  if (inode === undefined || inode.nrDirty === 0 || inode.device < 0) return 0
  let submitted = 0
  let pfns: number[] = []
  for (let i = 0; i < inode.pages.length && inode.nrDirty > 0; i++) {
    const pfn = inode.pages[i]!
    if (pfn <= 0 || !hasFlag(state.memmap, pfn, PG_DIRTY) || hasFlag(state.memmap, pfn, PG_WRITEBACK)) continue
    folioClearDirty(state, pfn)
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

const dirtyPages = (state: KernelState): Pages => state.nodes.reduce((sum, n) => sum + readStat(n.stat, NR_DIRTY), 0)

/** Oldest file first, until `isEnough`. */
function writebackInodes(state: KernelState, isEnough: (dirtiedNs: Ns) => boolean): void {
  const since = state.reclaim.writeback.dirtiedNs
  const inos = Object.keys(since).map(Number)
  inos.sort((a, b) => since[a]! - since[b]! || a - b)
  for (const ino of inos) {
    if (isEnough(since[ino]!)) return
    writebackInode(state, ino)
  }
}

/** Reclaim met only dirty pages, or a writer went over the background limit. @kernel wakeup_flusher_threads() */
export function wakeupFlusher(state: KernelState): void {
  writebackInodes(state, () => dirtyPages(state) === 0)
}

/** Writes until the background limit holds. @kernel wb_check_background_flush() */
export function writebackBackground(state: KernelState): void {
  const { background } = globalDirtyLimits(state)
  if (dirtyPages(state) > background) writebackInodes(state, () => dirtyPages(state) <= background)
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
    writebackInodes(state, (dirtiedNs) => dirtiedNs > expired)
    writebackBackground(state)
  }
  scheduleTick(state)
}
