/**
 * /proc/swaps.
 * @kernel  mm/swapfile.c swap_show()
 * @spec    09 §9.5
 */
import { pagesToKib } from '../../util/units'
import type { KernelState } from '../state'

/** Numbers below ten million are followed by two tabs. */
const column = (kib: number): string => `${kib}${kib < 10_000_000 ? '\t' : ''}`

/** Header, then a line for each area, highest priority first. */
export function swapsText(state: KernelState): string {
  let text = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'
  for (const area of state.swapAreas) {
    const size = column(pagesToKib(area.pages))
    const used = column(pagesToKib(area.used))
    const kind = area.kind === 'partition' ? 'partition' : 'file\t'
    text += `${area.path.padEnd(40)}${kind}\t${size}\t${used}\t${area.priority}\n`
  }
  return text
}
