/**
 * /proc/buddyinfo: free blocks of each order.
 * @kernel  mm/vmstat.c frag_show_print()
 * @spec    09 §9.3
 */
import { ZONE_NAMES } from '../mm/gfp'
import type { KernelState } from '../state'

/** @spec 09 §9.3; each row ends with a blank */
export function buddyinfoText(state: KernelState): string {
  let text = ''
  for (const zone of state.zones) {
    if (zone.present === 0) continue
    const counts = Array.from(zone.nrFree, (n) => `${String(n).padStart(6)} `).join('')
    text += `Node ${zone.nid}, zone ${ZONE_NAMES[zone.idx]!.padStart(8)} ${counts}\n`
  }
  return text
}
