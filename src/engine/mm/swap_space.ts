/**
 * How much swap there is and is left. Apart from swapfile.ts, because watermarks, refaults and both reclaim policies
 * ask, and only the slot allocator changes it.
 * @kernel  include/linux/swap.h
 * @spec    05 §5.12
 */
import type { Pages } from '../../util/units'
import type { KernelState } from '../state'

/** Free slots of all areas in use. @kernel get_nr_swap_pages() */
export function nrSwapPages(state: KernelState): Pages {
  let free = 0
  for (const area of state.swapAreas) if (area.enabled) free += area.pages - area.used
  return free
}

/** Slots of all areas in use. @kernel total_swap_pages */
export function totalSwapPages(state: KernelState): Pages {
  let total = 0
  for (const area of state.swapAreas) if (area.enabled) total += area.pages
  return total
}

/** More than half used: slots of pages that came back are let go. @kernel vm_swap_full() */
export const vmSwapFull = (state: KernelState): boolean => nrSwapPages(state) * 2 < totalSwapPages(state)
