/**
 * /proc/pagetypeinfo: free blocks by order and migrate type, and pageblocks by type.
 * @kernel  mm/vmstat.c pagetypeinfo_show()
 * @spec    09 §9.4
 */
import { pageblockCounts } from '../mm/buddy_view'
import { MIGRATE_NAMES, MIGRATE_TYPES, NR_PAGE_ORDERS, PAGEBLOCK_ORDER, ZONE_NAMES } from '../mm/gfp'
import type { PgData, Zone } from '../mm/mmzone'
import type { KernelState } from '../state'

const PAGEBLOCK_PAGES = 1 << PAGEBLOCK_ORDER
/** The kernel stops counting a list here. */
const COUNT_MAX = 100000

/** The whole head is printed for each node with memory. @spec 09 §9.4 */
export function pagetypeinfoText(state: KernelState): string {
  return state.nodes
    .filter((n) => n.hasMemory)
    .map((node) => nodeText(state, node))
    .join('')
}

function nodeText(state: KernelState, node: PgData): string {
  const zones = node.zones.map((z) => state.zones[z]!).filter((z) => z.present > 0)
  const orders = Array.from({ length: NR_PAGE_ORDERS }, (_, o) => `${String(o).padStart(6)} `).join('')
  const types = MIGRATE_NAMES.map((name) => `${name.padStart(12)} `).join('')
  return [
    `Page block order: ${PAGEBLOCK_ORDER}`,
    `Pages per block:  ${PAGEBLOCK_PAGES}`,
    '',
    `${'Free pages count per migrate type at order'.padEnd(43)} ${orders}`,
    ...zones.flatMap(freeRows),
    '',
    `${'Number of blocks type'.padEnd(23)}${types}`,
    ...zones.map((zone) => blocksRow(state, zone)),
    '',
  ].join('\n')
}

function freeRows(zone: Zone): string[] {
  return MIGRATE_NAMES.map((name, type) => {
    let counts = ''
    for (let order = 0; order < NR_PAGE_ORDERS; order++) {
      const blocks = zone.nrFreeType[order * MIGRATE_TYPES + type]!
      counts += blocks >= COUNT_MAX ? `>${String(COUNT_MAX).padStart(6)} ` : `${String(blocks).padStart(6)} `
    }
    return `Node ${String(zone.nid).padStart(4)}, zone ${ZONE_NAMES[zone.idx]!.padStart(8)}, type ${name.padStart(12)} ${counts}`
  })
}

/** @kernel mm/vmstat.c pagetypeinfo_showblockcount_print() */
function blocksRow(state: KernelState, zone: Zone): string {
  const counts = pageblockCounts(state, zone)
  return `Node ${zone.nid}, zone ${ZONE_NAMES[zone.idx]!.padStart(8)} ${counts.map((n) => `${String(n).padStart(12)} `).join('')}`
}
