/**
 * How long the per-CPU page lists may be: batch and high marks, from the size of the zone and its low watermark.
 * Apart from pcp.ts, because watermarks decide it and the lists themselves do not.
 * @kernel  mm/page_alloc.c zone_set_pageset_high_and_batch()
 * @spec    01 §1.8
 */
import type { Pages } from '../../util/units'
import type { KernelState } from '../state'
import { WMARK_LOW, wmark, type Zone } from './mmzone'

/** @kernel mm/page_alloc.c MIN_PERCPU_PAGELIST_HIGH_FRACTION */
const HIGH_FRACTION_MIN = 8

/** Pages moved at a time between the lists and the buddy system. @kernel mm/page_alloc.c zone_batchsize() @spec 01 §1.8 */
export function zoneBatchsize(managed: Pages): Pages {
  const batch = Math.max(1, Math.floor(Math.min(Math.floor(managed / 1024), 256) / 4))
  return Math.max(1, rounddownPow2(batch + Math.floor(batch / 2)) - 1)
}

const rounddownPow2 = (n: number): number => 2 ** (31 - Math.clz32(n))

/**
 * @param total  pages to share out: the low watermark, or a fraction of the zone
 * @kernel  mm/page_alloc.c zone_highsize()
 */
export const zoneHighsize = (total: Pages, cpus: number, batch: Pages): Pages =>
  Math.max(Math.floor(total / cpus), batch * 4)

/** Both high marks of a zone. @kernel mm/page_alloc.c zone_set_pageset_high_and_batch() @spec 01 §1.8 */
export function pcpHighMarks(
  zone: { readonly managed: Pages; readonly low: Pages },
  cpus: number,
  fraction: number,
): { readonly highMin: Pages; readonly highMax: Pages } {
  const batch = zoneBatchsize(zone.managed)
  const highMin = zoneHighsize(fraction > 0 ? Math.floor(zone.managed / fraction) : zone.low, cpus, batch)
  if (fraction > 0) return { highMin, highMax: highMin }
  return { highMin, highMax: zoneHighsize(Math.floor(zone.managed / HIGH_FRACTION_MIN), cpus, batch) }
}

/**
 * Sets batch and marks of all CPUs' lists of a zone. 6.12 moves `high` between the marks later, at each use of the list.
 * @kernel  mm/page_alloc.c zone_pcp_update()
 */
export function updatePcpHigh(state: KernelState, zone: Zone): void {
  if (zone.present === 0) return
  const local = state.nodes[zone.nid]!.cpus.length
  const cpus = local > 0 ? local : zone.pcp.length
  const fraction = state.sysctl.percpuPagelistHighFraction
  const { highMin, highMax } = pcpHighMarks({ managed: zone.managed, low: wmark(zone, WMARK_LOW) }, cpus, fraction)
  const batch = zoneBatchsize(zone.managed)
  for (const pcp of zone.pcp) {
    pcp.batch = batch
    pcp.highMin = highMin
    pcp.highMax = highMax
    if (zone.series === '6.1') pcp.high = highMin
  }
}

/** Drift that a zone counter may keep on each CPU. @kernel mm/vmstat.c calculate_normal_threshold() @spec 01 §1.9 */
export const vmstatThreshold = (managed: Pages, onlineCpus: number): number =>
  Math.min(125, 2 * fls(onlineCpus) * (1 + fls(Math.floor(managed / 32768))))

/** Position of the highest set bit, 1-based. @kernel include/linux/bitops.h fls() */
export const fls = (n: number): number => 32 - Math.clz32(n)
