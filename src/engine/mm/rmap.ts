/**
 * Reverse map: which page-table entries map a frame. One mapping is kept in the page's own column; more go to a chain.
 * @kernel  mm/rmap.c
 * @spec    04 §4.7
 */

export interface RmapChains {
  /** Page-table slot of node i. */
  slot: Int32Array
  /** Next node + 1, 0 = end. */
  next: Int32Array
  /** First free node + 1. */
  free: number
  count: number
}
