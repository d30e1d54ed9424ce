/**
 * Keeps what kswapd decided when, with the watermarks that it saw. Apart from reclaim_log.ts, because nothing is
 * reclaimed here.
 * @kernel  where trace_mm_vmscan_wakeup_kswapd(), _kswapd_wake() and _kswapd_sleep() are
 * @model   see reclaim_record.ts
 */
import { currentTask, now } from '../../exec'
import type { KernelState } from '../../state'
import { MAX_NR_ZONES } from '../gfp'
import { WMARK_HIGH, WMARK_LOW, WMARK_MIN, wmark } from '../mmzone'
import { NR_FREE_PAGES, readStat } from '../vmstat'
import { DECISIONS_MAX, type KswapdVerb } from './reclaim_record'

/** kswapd was woken, began, rests, sleeps or failed. @model see the top of this file */
export function noteDecision(
  state: KernelState,
  nid: number,
  verb: KswapdVerb,
  request: { readonly order: number; readonly highestZoneidx: number },
): void {
  const task = currentTask(state)
  const zones = []
  for (let idx = 0; idx <= Math.max(0, request.highestZoneidx); idx++) {
    const zone = state.zones[nid * MAX_NR_ZONES + idx]!
    if (zone.managed === 0) continue
    zones.push({
      zone: zone.index,
      free: readStat(zone.stat, NR_FREE_PAGES),
      min: wmark(zone, WMARK_MIN),
      low: wmark(zone, WMARK_LOW),
      high: wmark(zone, WMARK_HIGH),
      boost: zone.watermarkBoost,
      reserve: zone.lowmemReserve[Math.max(0, request.highestZoneidx)]!,
    })
  }
  const list = state.reclaim.reclaimLog.decisions[nid]!
  if (list.length === DECISIONS_MAX) list.shift()
  list.push({
    atNs: now(state),
    verb,
    pid: task?.pid ?? 0,
    comm: task?.comm ?? '',
    order: request.order,
    highestZoneidx: request.highestZoneidx,
    failures: state.nodes[nid]!.kswapd.failures,
    zones,
  })
}
