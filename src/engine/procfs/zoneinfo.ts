/**
 * /proc/zoneinfo: every zone of every node with its marks, counters and per-CPU lists.
 * @kernel  mm/vmstat.c zoneinfo_show_print()
 * @spec    09 §9.5
 */
import { ZONE_NAMES } from '../mm/gfp'
import {
  MAX_RECLAIM_RETRIES,
  WMARK_HIGH,
  WMARK_LOW,
  WMARK_MIN,
  WMARK_PROMO,
  wmark,
  zoneFreePages,
  type PgData,
  type Zone,
} from '../mm/mmzone'
import { vmstatThreshold } from '../mm/pcp_size'
import { NODE_ITEMS, NUMA_ITEMS, readStat, ZONE_ITEMS } from '../mm/vmstat'
import type { KernelState } from '../state'
import { isItemOfSeries } from './vmstat'

const counterLine = (name: string, value: number): string => `\n      ${name.padEnd(12)} ${value}`

/** @spec 09 §9.5 */
export function zoneinfoText(state: KernelState): string {
  let text = ''
  for (const node of state.nodes) {
    const first = node.zones.find((z) => state.zones[z]!.present > 0)
    for (const index of node.zones) {
      const zone = state.zones[index]!
      text += `Node ${node.nid}, zone ${(ZONE_NAMES[zone.idx] ?? '').padStart(8)}`
      if (index === first) text += nodeBlock(state, node)
      text += marksBlock(zone)
      if (zone.present > 0) text += populatedBlock(state, node, zone)
      text += '\n'
    }
  }
  return text
}

function nodeBlock(state: KernelState, node: PgData): string {
  let text = '\n  per-node stats'
  NODE_ITEMS.forEach((name, item) => {
    if (isItemOfSeries(state, name, 'node')) text += counterLine(name, readStat(node.stat, item))
  })
  return text
}

function marksBlock(zone: Zone): string {
  const rows: [string, number][] = [
    ['boost', zone.watermarkBoost],
    ['min', wmark(zone, WMARK_MIN)],
    ['low', wmark(zone, WMARK_LOW)],
    ['high', wmark(zone, WMARK_HIGH)],
    ...(zone.series === '6.1' ? [] : [['promo', wmark(zone, WMARK_PROMO)] as [string, number]]),
    ['spanned', zone.spanned],
    ['present', zone.present],
    ['managed', zone.managed],
    ['cma', 0],
  ]
  const marks = rows.map(([name, value]) => `\n        ${name.padEnd(8)} ${value}`).join('')
  return `\n  pages free     ${zoneFreePages(zone)}${marks}\n        protection: (${[...zone.lowmemReserve].join(', ')})`
}

function populatedBlock(state: KernelState, node: PgData, zone: Zone): string {
  let text = ''
  ZONE_ITEMS.forEach((name, item) => {
    if (isItemOfSeries(state, name, 'zone')) text += counterLine(name, readStat(zone.stat, item))
  })
  NUMA_ITEMS.forEach((name, item) => {
    text += counterLine(name, readStat(zone.numaStat, item))
  })
  text += '\n  pagesets'
  const threshold = vmstatThreshold(zone.managedAtBoot, zone.pcp.length)
  zone.pcp.forEach((pcp, cpu) => {
    text += `\n    cpu: ${cpu}\n              count: ${pcp.count}\n              high:  ${pcp.high}\n              batch: ${pcp.batch}`
    text += `\n  vm stats threshold: ${threshold}`
  })
  const isUnreclaimable = node.kswapd.failures >= MAX_RECLAIM_RETRIES ? 1 : 0
  return `${text}\n  node_unreclaimable:  ${isUnreclaimable}\n  start_pfn:           ${zone.startPfn}`
}
