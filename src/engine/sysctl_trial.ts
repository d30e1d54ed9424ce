/**
 * What a write to a sysctl would make of the zones: the very handler of the file, run on a copy of the few figures that it
 * changes. For an editor that shows the outcome while a person still types.
 * @kernel  mm/page_alloc.c min_free_kbytes_sysctl_handler() and its like
 * @spec    01 §1.5–§1.8
 */
import type { Errno } from '../util/errno'
import type { Pages } from '../util/units'
import { ZONE_NAMES } from './mm/gfp'
import { wmark, WMARK_HIGH, WMARK_LOW, WMARK_MIN, type Zone } from './mm/mmzone'
import { writeSysctl } from './procfs/sysctl'
import type { KernelState } from './state'

/** Marks, reserves and per-CPU lists of a zone, in pages. */
export interface ZoneMarks {
  readonly min: Pages
  readonly low: Pages
  readonly high: Pages
  /** lowmem_reserve, by the zone that a request could use. */
  readonly protection: readonly Pages[]
  /** Between these `high` of a per-CPU list moves; 6.1 has one mark. */
  readonly pcpHighMin: Pages
  readonly pcpHighMax: Pages
  readonly pcpBatch: Pages
}

export interface ZoneTrial {
  readonly nid: number
  readonly zone: string
  readonly before: ZoneMarks
  readonly after: ZoneMarks
}

/** Sysctls whose handlers change zones and nothing else. */
export const TRIAL_SYSCTLS: readonly string[] = [
  'vm.min_free_kbytes',
  'vm.watermark_scale_factor',
  'vm.lowmem_reserve_ratio',
  'vm.percpu_pagelist_high_fraction',
]

const marksOf = (zone: Zone): ZoneMarks => ({
  min: wmark(zone, WMARK_MIN),
  low: wmark(zone, WMARK_LOW),
  high: wmark(zone, WMARK_HIGH),
  protection: [...zone.lowmemReserve],
  pcpHighMin: zone.pcp[0]?.highMin ?? 0,
  pcpHighMax: zone.pcp[0]?.highMax ?? 0,
  pcpBatch: zone.pcp[0]?.batch ?? 0,
})

/** All that the handlers write to; the rest is the machine's own. */
const copyForTrial = (state: KernelState): KernelState => ({
  ...state,
  sysctl: { ...state.sysctl, lowmemReserveRatio: [...state.sysctl.lowmemReserveRatio] },
  nodes: state.nodes.map((node) => ({ ...node })),
  zones: state.zones.map((zone) => ({
    ...zone,
    watermark: zone.watermark.slice(),
    lowmemReserve: zone.lowmemReserve.slice(),
    pcp: zone.pcp.map((pcp) => ({ ...pcp })),
  })),
})

/**
 * @param name  one of TRIAL_SYSCTLS; '' leaves everything as it is
 * @returns the populated zones before and after, or the errno that the write would get
 */
export function trySysctl(state: KernelState, name: string, text: string): readonly ZoneTrial[] | Errno {
  const copy = copyForTrial(state)
  if (name !== '') {
    if (!TRIAL_SYSCTLS.includes(name)) return 'ENOENT'
    const refused = writeSysctl(copy, name, text)
    if (refused !== undefined) return refused
  }
  return state.zones
    .filter((zone) => zone.managed > 0)
    .map((zone) => ({
      nid: zone.nid,
      zone: ZONE_NAMES[zone.idx]!,
      before: marksOf(zone),
      after: marksOf(copy.zones[zone.index]!),
    }))
}
