/**
 * zram: a block device whose pages lie compressed in memory. Reads and writes are done on the spot by the CPU of who
 * asks; the memory that the compressed pages take comes from a pool of zsmalloc and grows and shrinks with them.
 * @kernel  drivers/block/zram/zram_drv.c
 * @spec    05 §5.12, 04 §4.3
 */
import { PAGE_SIZE, type Bytes, type Pages } from '../../util/units'
import type { KernelSeries } from '../config'
import { charge } from '../exec'
import type { KernelState } from '../state'
import { COMPRESSORS } from './compressors'
import { GFP_HIGHUSER_MOVABLE } from './gfp'
import { RANDOM, SAME_FILLED } from './swap_contents'
import { createZpool, zpoolFree, zpoolMalloc, type Zpool } from './zpool'

/**
 * Algorithms that a kernel offers, its default first: as a captured 6.12 kernel lists them, without those that are not
 * modelled.
 * @kernel  drivers/block/zram/zcomp.c backends[], CONFIG_ZRAM_DEF_COMP
 */
export const ZRAM_COMPRESSORS: Readonly<Record<KernelSeries, readonly string[]>> = {
  '6.1': ['lzo-rle', 'lzo', 'lz4', 'zstd'],
  '6.12': ['lz4', 'zstd'],
}

/** Data of one swap header. @model as captures have it with lz4 */
const HEADER_LENGTH: Bytes = 63
/** In place of a length. @kernel ZRAM_SAME */
const SAME = 0xffff

export interface Zram {
  compressor: string
  /** Usable pages; 0 before disksize is written. */
  readonly pages: Pages
  /** Length of each stored page, 0 = nothing stored, SAME = all its words are the same. Index: page of the device. */
  readonly lengths: Uint16Array
  /** What is known of each slot's contents: swap_contents.ts. Index: page of the device. */
  readonly contents: Uint8Array
  readonly pool: Zpool
  /** Pages that the pool may have at most, 0 = as many as it likes. */
  memLimit: Pages
  stored: Pages
  storedBytes: Bytes
  /** Pages that one word stands for. */
  samePages: Pages
  hugePages: Pages
  hugeEver: Pages
  poolMax: Pages
}

/** @kernel  drivers/block/zram/zram_drv.c zram_add(), disksize_store() */
export const createZram = (pages: Pages, compressor: string): Zram => ({
  compressor,
  pages,
  lengths: new Uint16Array(pages),
  contents: new Uint8Array(pages),
  pool: createZpool('zsmalloc'),
  memLimit: 0,
  stored: 0,
  storedBytes: 0,
  samePages: 0,
  hugePages: 0,
  hugeEver: 0,
  poolMax: 0,
})

/**
 * Compresses a page into the device.
 * @param page  of the device; 0 is the swap header
 * @returns false: no memory for it, or more than mem_limit: an I/O error
 * @kernel  drivers/block/zram/zram_drv.c zram_write_page()
 */
export function zramWrite(state: KernelState, zram: Zram, page: number): boolean {
  const { compressNs, length } = COMPRESSORS[zram.compressor]!
  const contents = zram.contents[page]!
  zramFree(state, zram, page)
  if (contents === SAME_FILLED && page !== 0) {
    charge(state, state.costs.fillPage)
    zram.lengths[page] = SAME
    zram.stored++
    zram.samePages++
    return true
  }
  charge(state, compressNs)
  const stored = page === 0 ? HEADER_LENGTH : contents === RANDOM ? PAGE_SIZE : length
  if (!zpoolMalloc(state, zram.pool, stored, GFP_HIGHUSER_MOVABLE)) return false
  zram.poolMax = Math.max(zram.poolMax, zram.pool.frames.length)
  if (zram.memLimit > 0 && zram.pool.frames.length > zram.memLimit) {
    zpoolFree(state, zram.pool, stored)
    return false
  }
  zram.lengths[page] = stored
  zram.stored++
  zram.storedBytes += stored
  if (stored === PAGE_SIZE) {
    zram.hugePages++
    zram.hugeEver++
  }
  return true
}

/** CPU time of a read: a page that did not shrink is only copied, one of equal words is filled. @kernel zram_read_from_zspool() */
export function zramRead(state: KernelState, zram: Zram, page: number): void {
  const length = zram.lengths[page]
  const { decompressNs } = COMPRESSORS[zram.compressor]!
  charge(state, length === SAME ? state.costs.fillPage : length === PAGE_SIZE ? state.costs.copyPage : decompressNs)
}

/** Nobody needs the page any more. @kernel zram_slot_free_notify(), zram_free_page() */
export function zramFree(state: KernelState, zram: Zram, page: number): void {
  const length = zram.lengths[page]!
  if (length === 0) return
  zram.lengths[page] = 0
  zram.stored--
  if (length === SAME) {
    zram.samePages--
    return
  }
  zram.storedBytes -= length
  if (length === PAGE_SIZE) zram.hugePages--
  zpoolFree(state, zram.pool, length)
}

/** Everything goes. @kernel zram_reset_device() */
export function zramReset(state: KernelState, zram: Zram): void {
  for (let page = 0; page < zram.pages; page++) zramFree(state, zram, page)
}
