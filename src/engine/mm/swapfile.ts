/**
 * Swap areas and slots.
 * @kernel  mm/swapfile.c
 * @spec    05 §5.12
 */
import type { Pages } from '../../util/units'

export interface SwapArea {
  /** Path as swapon was told. */
  readonly path: string
  /** Index into state.devices. */
  readonly device: number
  readonly priority: number
  readonly kind: 'partition' | 'file'
  readonly pages: Pages
  used: Pages
  /** Slot number of the first slot in the global numbering: slots of all areas share one space. */
  readonly base: number
  /** Uses of each slot: PTEs and the swap cache (bit 7). */
  readonly map: Uint8Array
  /** Frame in the swap cache, 0 none. */
  readonly cache: Int32Array
  /** Memcg that the slot is charged to. */
  readonly memcg: Uint16Array
  /** Shadow entry index + 1 of an evicted page, 0 none. */
  readonly shadow: Float64Array
  /** Where the next search begins. */
  clusterNext: number
  enabled: boolean
}
