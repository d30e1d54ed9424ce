/**
 * Block devices: one queue each, first come, first served. A request takes its turn, then latency for the first page and
 * transfer time for the others; what it was for happens when it is done.
 *
 * Completions normally arrive as events. Code that works for a long time in one go (direct reclaim) polls for them, as
 * interrupts would reach it on a real machine.
 * @kernel  block/blk-core.c submit_bio(), mm/page_io.c
 * @model   queue of known latency: no elevator, no merging beyond what the caller submits as one request
 * @spec    04 §4.3
 */
import { assert } from '../../util/assert'
import { NS_PER_S, PAGE_SIZE, type Ns, type Pages } from '../../util/units'
import type { BlockDeviceConfig } from '../config'
import { charge, currentTask, now } from '../exec'
import type { SimEvent } from '../events'
import type { BlockDevice } from '../fs_types'
import { hooks } from '../hooks'
import { schedule } from '../queue'
import type { KernelState } from '../state'
import { PG_LOCKED, testAndClearFlag } from './memmap'
import { folioEndWriteback } from './page_writeback'
import { releaseUnusedSwapFolio } from './swapfile'

/** Pages under way in one queue before a submitter has to wait. @kernel nr_requests 256 */
const QUEUE_PAGES: Pages = 256

/** @model  from the profile */
export const createBlockDevice = (config: BlockDeviceConfig): BlockDevice => ({
  path: config.path,
  sizeBytes: config.sizeBytes,
  readNs: config.readNs,
  writeNs: config.writeNs,
  perPageNs: config.perPageNs,
  rotational: config.rotational,
  rootIno: 0,
  isSwapFormatted: config.swap !== undefined,
  busyUntilNs: 0,
  readBytes: 0,
  writtenBytes: 0,
  inflight: [],
})

function deviceAt(state: KernelState, device: number): BlockDevice {
  const d = state.devices[device]
  assert(d !== undefined, `block device ${device} does not exist`)
  return d
}

/**
 * Starts one request. Pages to read are PG_LOCKED, pages to write PG_WRITEBACK until it is done.
 * @returns time at which it will be done
 * @kernel  block/blk-core.c submit_bio()
 */
export function submitIo(
  state: KernelState,
  device: number,
  request: { readonly write: boolean; readonly pfns: readonly number[] },
): Ns {
  const d = deviceAt(state, device)
  const nr = request.pfns.length
  assert(nr > 0, `an empty request for ${d.path}`)
  const latency = (request.write ? d.writeNs : d.readNs) + d.perPageNs * (nr - 1)
  const doneNs = Math.max(now(state), d.busyUntilNs) + latency
  d.busyUntilNs = doneNs
  if (request.write) d.writtenBytes += nr * PAGE_SIZE
  else {
    d.readBytes += nr * PAGE_SIZE
    accountRead(state, nr)
  }
  d.inflight.push({ doneNs, write: request.write, pfns: request.pfns })
  schedule(state.queue, doneNs, { kind: 'ioDone', device, write: request.write, pfns: request.pfns })
  return doneNs
}

/**
 * A request is done. In laptop mode a timer starts anew: once the disk has had nothing to do for so long, what is dirty is
 * written, because it spins anyway.
 * @kernel  mm/page-writeback.c laptop_io_completion()
 */
function laptopIoCompletion(state: KernelState, d: BlockDevice, doneNs: Ns): void {
  d.laptopTimer = (d.laptopTimer ?? 0) + 1
  const atNs = doneNs + Math.max(0, state.sysctl.laptopMode) * NS_PER_S
  const device = state.devices.indexOf(d)
  schedule(state.queue, Math.max(now(state), atNs), { kind: 'laptopTimer', device, sequence: d.laptopTimer })
}

/** Nothing is left to be written: no timer has to. @kernel mm/page-writeback.c laptop_sync_completion() */
export function laptopSyncCompletion(state: KernelState): void {
  for (const d of state.devices) if (d.laptopTimer !== undefined) d.laptopTimer++
}

/** Finishes everything of one device that is due. */
function completeUpTo(state: KernelState, d: BlockDevice, atNs: Ns): void {
  while (d.inflight.length > 0 && d.inflight[0]!.doneNs <= atNs) {
    const { doneNs, write, pfns } = d.inflight.shift()!
    if (state.sysctl.laptopMode !== 0) laptopIoCompletion(state, d, doneNs)
    for (const pfn of pfns) {
      if (write) {
        folioEndWriteback(state, pfn)
        releaseUnusedSwapFolio(state, pfn)
      } else if (testAndClearFlag(state.memmap, pfn, PG_LOCKED)) hooks.wakePageWaiters(state, pfn)
    }
  }
}

/** A request's time has come; nothing is left to do when somebody polled before. @kernel bio_endio() */
export function handleIoDone(state: KernelState, event: Extract<SimEvent, { kind: 'ioDone' }>): void {
  completeUpTo(state, deviceAt(state, event.device), state.nowNs)
}

/** Interrupts that arrived while the running code worked. */
export function pollIo(state: KernelState): void {
  const atNs = now(state)
  for (const d of state.devices) if (d.inflight.length > 0) completeUpTo(state, d, atNs)
}

/** Of the task that asks, read-ahead included. @kernel task_io_account_read() in submit_bio() */
function accountRead(state: KernelState, nr: Pages): void {
  const task = currentTask(state)
  if (task !== undefined) task.readPages = (task.readPages ?? 0) + nr
}

const pagesInflight = (d: BlockDevice): Pages => d.inflight.reduce((sum, r) => sum + r.pfns.length, 0)

/**
 * When a full queue takes the next request: time of the completion that makes room, 0 = at once.
 * @kernel  block/blk-mq-tag.c blk_mq_get_tag()
 */
export function queueRoomAt(state: KernelState, device: number): Ns {
  const d = deviceAt(state, device)
  let over = pagesInflight(d) - QUEUE_PAGES
  if (over < 0) return 0
  for (const r of d.inflight) {
    over -= r.pfns.length
    if (over < 0) return r.doneNs
  }
  return d.busyUntilNs
}

/** The running code waits for time to pass, and lives through the completions in between. @kernel io_schedule_timeout() */
export function waitForIo(state: KernelState, untilNs: Ns): void {
  charge(state, Math.max(0, untilNs - now(state)))
  pollIo(state)
}
