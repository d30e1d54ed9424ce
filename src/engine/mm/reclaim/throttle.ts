/**
 * When reclaim waits: for writes to finish, for other reclaimers to put pages back, or because nothing helps.
 * Who reclaims in steps sleeps between them; others spend the time on the spot.
 * @kernel  mm/vmscan.c reclaim_throttle(), consider_reclaim_throttle()
 * @spec    05 §5.7
 */
import { NS_PER_JIFFY, NS_PER_MS, NS_PER_US, type Ns } from '../../../util/units'
import { currentTask, now, suspend } from '../../exec'
import type { KernelState } from '../../state'
import { emit } from '../../trace'
import { waitForIo } from '../block'
import { GFP_BIT_FS, GFP_BIT_IO } from '../gfp'
import {
  NR_INACTIVE_ANON,
  NR_ISOLATED_ANON,
  NR_ZONE_ACTIVE_ANON,
  NR_ZONE_ACTIVE_FILE,
  NR_ZONE_INACTIVE_ANON,
  NR_ZONE_INACTIVE_FILE,
  NR_ZONE_WRITE_PENDING,
  readStat,
} from '../vmstat'
import { MAX_RECLAIM_RETRIES, type ScanControl } from './scan_control'

/** Order of the kernel's enum, as the tracepoint prints it. */
export type ThrottleReason = 'WRITEBACK' | 'ISOLATED' | 'NOPROGRESS' | 'CONGESTED'

const REASON_BIT: Record<ThrottleReason, number> = { WRITEBACK: 1, ISOLATED: 2, NOPROGRESS: 4, CONGESTED: 8 }
const TIMEOUT: Record<ThrottleReason, Ns> = {
  WRITEBACK: 100 * NS_PER_MS,
  ISOLATED: 20 * NS_PER_MS,
  NOPROGRESS: NS_PER_JIFFY,
  CONGESTED: NS_PER_JIFFY,
}

/** Waiting is pointless: the node is given up, or little of it is being written. @kernel skip_throttle_noprogress() */
function skipThrottle(state: KernelState, nid: number): boolean {
  const node = state.nodes[nid]!
  if (node.kswapd.failures >= MAX_RECLAIM_RETRIES) return true
  let reclaimable = 0
  let pending = 0
  for (const z of node.zones) {
    const stat = state.zones[z]!.stat
    for (const item of [NR_ZONE_INACTIVE_ANON, NR_ZONE_ACTIVE_ANON, NR_ZONE_INACTIVE_FILE, NR_ZONE_ACTIVE_FILE]) {
      reclaimable += readStat(stat, item)
    }
    pending += readStat(stat, NR_ZONE_WRITE_PENDING)
  }
  return 2 * pending <= reclaimable
}

/** A wait for writes ends early when this many pages per waiter are done; ours ends with the device's queue. */
function writesDoneAt(state: KernelState, timeoutAt: Ns): Ns {
  let done = timeoutAt
  let written = 0
  for (const d of state.devices) {
    for (const r of d.inflight) {
      written += r.pfns.length
      if (r.write && written >= 32) done = Math.min(done, r.doneNs)
    }
  }
  return done
}

/**
 * @kernel      mm/vmscan.c reclaim_throttle()
 * @simplifies  other reclaimers' progress does not wake a waiting task
 */
export function reclaimThrottle(state: KernelState, nid: number, reason: ThrottleReason): void {
  const task = currentTask(state)
  const isKswapd = task?.pid === state.nodes[nid]!.kswapd.pid
  if (task === undefined || (task.isKthread && !isKswapd)) return
  if ((reason === 'NOPROGRESS' || reason === 'CONGESTED') && skipThrottle(state, nid)) return
  const start = now(state)
  const end = start + TIMEOUT[reason]
  const until = reason === 'WRITEBACK' || reason === 'CONGESTED' ? writesDoneAt(state, end) : end
  if (isKswapd || state.exec.mayStop) suspend(state, until, 'reclaim_throttle')
  else waitForIo(state, until)
  const us = (ns: Ns): number => Math.floor(ns / NS_PER_US)
  emit(state, 'mm_vmscan_throttled', [nid, us(TIMEOUT[reason]), us(until - start), REASON_BIT[reason]])
}

/** More pages off the lists than on them. @kernel mm/vmscan.c too_many_isolated() */
export function tooManyIsolated(state: KernelState, nid: number, isFile: 0 | 1, sc: ScanControl): boolean {
  if (sc.kind === 'kswapd' || sc.kind === 'memcg') return false
  const stat = state.nodes[nid]!.stat
  let inactive = readStat(stat, NR_INACTIVE_ANON + 2 * isFile)
  const isolated = readStat(stat, NR_ISOLATED_ANON + isFile)
  if ((sc.gfp & GFP_BIT_IO) !== 0 && (sc.gfp & GFP_BIT_FS) !== 0) inactive = Math.floor(inactive / 8)
  return isolated > inactive
}

/**
 * Between two priorities of direct reclaim.
 * @kernel  mm/vmscan.c consider_reclaim_throttle()
 */
export function considerReclaimThrottle(state: KernelState, nid: number, sc: ScanControl): void {
  if (sc.nrReclaimed > Math.floor(sc.nrScanned / 8)) return
  if (sc.kind !== 'direct') return
  if (sc.priority === 1 && sc.nrReclaimed === 0) reclaimThrottle(state, nid, 'NOPROGRESS')
}
