/**
 * /proc/vmstat: all counters, one a line.
 * @kernel  mm/vmstat.c vmstat_start()
 * @spec    09 §9.6
 */
import { memmapPages } from '../machine_reservations'
import { ramRanges } from '../machine_spans'
import { hasZswap } from '../mm/kernel_options'
import { globalNodeState, globalZoneState } from '../mm/mmzone'
import { globalDirtyLimits } from '../mm/page_writeback'
import {
  EVENT_ITEMS,
  ITEMS_OF_ZSWAP,
  ITEMS_SINCE_6_2,
  NODE_ITEMS,
  NUMA_ITEMS,
  PGDEMOTE_DIRECT,
  PGDEMOTE_KSWAPD,
  readStat,
  vmEvent,
  ZONE_ITEMS,
} from '../mm/vmstat'
import type { KernelState } from '../state'

/** Node counters of 6.12 that are events, elsewhere in the list, on 6.1. */
const DEMOTION_EVENTS_OF_6_1: ReadonlySet<string> = new Set(['pgdemote_kswapd', 'pgdemote_direct'])

/** Whether this kernel prints the item among counters of this kind. @spec 09 §9.6 "6.1 without" */
export function isItemOfSeries(state: KernelState, name: string, kind: 'zone' | 'node' | 'event'): boolean {
  if (state.config.series !== '6.1') return true
  return !ITEMS_SINCE_6_2.has(name) && !(kind === 'node' && DEMOTION_EVENTS_OF_6_1.has(name))
}

/** @spec 09 §9.6 */
export function vmstatText(state: KernelState): string {
  const lines: string[] = []
  const say = (name: string, value: number): void => {
    lines.push(`${name} ${value}\n`)
  }
  ZONE_ITEMS.forEach((name, item) => {
    if (isItemOfSeries(state, name, 'zone')) say(name, globalZoneState(state, item))
  })
  NUMA_ITEMS.forEach((name, item) =>
    say(
      name,
      state.zones.reduce((sum, z) => sum + readStat(z.numaStat, item), 0),
    ),
  )
  NODE_ITEMS.forEach((name, item) => {
    if (isItemOfSeries(state, name, 'node')) say(name, globalNodeState(state, item))
  })
  const limits = globalDirtyLimits(state)
  say('nr_dirty_threshold', limits.thresh)
  say('nr_dirty_background_threshold', limits.background)
  if (isItemOfSeries(state, 'nr_memmap_pages', 'event')) {
    say('nr_memmap_pages', 0)
    say(
      'nr_memmap_boot_pages',
      state.nodes.reduce((sum, n) => sum + memmapPages(ramRanges(state.config, n.nid)), 0),
    )
  }
  EVENT_ITEMS.forEach((name, item) => sayEvent(state, name, item, say))
  say('nr_unstable', 0)
  return lines.join('')
}

function sayEvent(state: KernelState, name: string, item: number, say: (name: string, value: number) => void): void {
  if (!isItemOfSeries(state, name, 'event')) return
  if (ITEMS_OF_ZSWAP.has(name) && !hasZswap(state)) return
  say(name, vmEvent(state.vmstat, item))
  if (name === 'pgsteal_direct' && state.config.series === '6.1') {
    say('pgdemote_kswapd', globalNodeState(state, PGDEMOTE_KSWAPD))
    say('pgdemote_direct', globalNodeState(state, PGDEMOTE_DIRECT))
  }
}
