/**
 * /sys/kernel/debug/extfrag: the two fragmentation indices of every zone and order.
 * @kernel  mm/vmstat.c extfrag_show_print(), unusable_show_print()
 * @spec    02 §2.9
 */
import { fragmentationIndex, unusableFreeIndex } from '../mm/fragmentation'
import { NR_PAGE_ORDERS, ZONE_NAMES } from '../mm/gfp'
import type { KernelState } from '../state'
import type { PseudoDir } from './types'

type Index = (nrFree: ArrayLike<number>, order: number) => number

/** '-1.000', '0.598': the fraction of a negative number keeps no sign. */
const thousandths = (value: number): string =>
  `${Math.trunc(value / 1000)}.${String(Math.abs(value % 1000)).padStart(3, '0')}`

/** One row a zone; each number is followed by a blank. */
function rows(state: KernelState, index: Index): string {
  let text = ''
  for (const zone of state.zones) {
    if (zone.present === 0) continue
    text += `Node ${zone.nid}, zone ${ZONE_NAMES[zone.idx]!.padStart(8)} `
    for (let order = 0; order < NR_PAGE_ORDERS; order++) text += `${thousandths(index(zone.nrFree, order))} `
    text += '\n'
  }
  return text
}

const FILES: Readonly<Record<string, Index>> = {
  extfrag_index: fragmentationIndex,
  unusable_index: unusableFreeIndex,
}

/** debugfs/extfrag. */
export const extfragDir: PseudoDir = {
  list: (_state, path) => (path === '' ? Object.keys(FILES) : undefined),
  file: (_state, path) => {
    if (!Object.hasOwn(FILES, path)) return undefined
    return { read: (state) => rows(state, FILES[path]!) }
  },
}
