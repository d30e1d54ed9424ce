/**
 * zram: a block device whose pages lie compressed in memory. Reads and writes are done on the spot by the CPU of who
 * asks; the memory that the compressed pages take comes from zsmalloc and grows and shrinks with them.
 * @kernel  drivers/block/zram/zram_drv.c, mm/zsmalloc.c
 * @spec    05 §5.12, 04 §4.3
 */
import { PAGE_SIZE, type Bytes, type Ns, type Pages, type Pfn } from '../../util/units'
import { charge } from '../exec'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { GFP_HIGHUSER_MOVABLE } from './gfp'
import { PG_KERNEL, clearFlag, pageZoneIndex, setFlag } from './memmap'
import { freeUnrefPage } from './pcp'
import { NR_ZSPAGES, modStat } from './vmstat'

export interface Compressor {
  readonly compressNs: Ns
  readonly decompressNs: Ns
  /** Length of an ordinary page of a program after compression. */
  readonly length: Bytes
}

/**
 * CPU time of a page: spec 04 §4.3.
 * @model  contents are not simulated: a program's page shrinks to between a third and two fifths, as machines in use
 * report it; memory that a program fills with random bytes does not shrink
 */
export const COMPRESSORS: Readonly<Record<string, Compressor>> = {
  'lzo-rle': { compressNs: 5_000, decompressNs: 2_000, length: 1_560 },
  lz4: { compressNs: 5_000, decompressNs: 2_000, length: 1_640 },
  zstd: { compressNs: 15_000, decompressNs: 5_000, length: 1_230 },
}
export const DEFAULT_COMPRESSOR = 'lzo-rle'

/** Data of one swap header. @model as captures have it with lz4 */
const HEADER_LENGTH: Bytes = 63

export interface Zram {
  compressor: string
  /** Usable pages; 0 before disksize is written. */
  readonly pages: Pages
  /** Length of each stored page, 0 = nothing stored. Index: page of the device. */
  readonly lengths: Uint16Array
  /** Pages in slots that hold contents which do not shrink. Index: page of the device. */
  readonly random: Uint8Array
  /** Objects of each size class. Index: size in steps of 16 bytes. */
  readonly objects: Int32Array
  /** Frames of the pool, the newest last. */
  readonly pool: Pfn[]
  stored: Pages
  storedBytes: Bytes
  hugePages: Pages
  hugeEver: Pages
  poolMax: Pages
}

const CLASS_STEP = 16
const HANDLE_SIZE = 8
const CLASS_MIN = 32
const CHAIN_MAX = 8

/** @kernel  drivers/block/zram/zram_drv.c zram_add(), disksize_store() */
export const createZram = (pages: Pages, compressor: string): Zram => ({
  compressor,
  pages,
  lengths: new Uint16Array(pages),
  random: new Uint8Array(pages),
  objects: new Int32Array(PAGE_SIZE / CLASS_STEP + 1),
  pool: [],
  stored: 0,
  storedBytes: 0,
  hugePages: 0,
  hugeEver: 0,
  poolMax: 0,
})

/**
 * Pages that a zspage of a size class chains together: the number that wastes the smallest part.
 * @kernel  mm/zsmalloc.c calculate_zspage_chain_size()
 */
export function zspageChain(size: Bytes): Pages {
  let best = 1
  let least = Infinity
  for (let pages = 1; pages <= CHAIN_MAX; pages++) {
    const waste = (pages * PAGE_SIZE) % size
    if (waste < least) {
      least = waste
      best = pages
    }
  }
  return best
}

const classOf = (length: Bytes): number =>
  length >= PAGE_SIZE
    ? PAGE_SIZE / CLASS_STEP
    : Math.max(CLASS_MIN, Math.ceil((length + HANDLE_SIZE) / CLASS_STEP) * CLASS_STEP) / CLASS_STEP

/** Frames that so many objects of a class need. @simplifies zspages are filled one after the other */
function framesOf(classIndex: number, objects: number): Pages {
  const size = classIndex * CLASS_STEP
  const chain = zspageChain(size)
  const perZspage = Math.floor((chain * PAGE_SIZE) / size)
  return Math.ceil(objects / perZspage) * chain
}

/** Brings the pool to its size after a class has changed. @returns false: there is no memory; nothing has changed */
function changeClass(state: KernelState, zram: Zram, classIndex: number, by: 1 | -1): boolean {
  const before = zram.objects[classIndex]!
  let change = framesOf(classIndex, before + by) - framesOf(classIndex, before)
  const old = zram.pool.length
  for (; change > 0; change--) {
    const pfn = hooks.allocPages(state, GFP_HIGHUSER_MOVABLE, 0)
    if (pfn === 0) {
      while (zram.pool.length > old) giveFrame(state, zram)
      return false
    }
    setFlag(state.memmap, pfn, PG_KERNEL)
    zram.pool.push(pfn)
    modStat(state.zones[pageZoneIndex(state.memmap, pfn)]!.stat, NR_ZSPAGES, 1)
  }
  for (; change < 0; change++) giveFrame(state, zram)
  zram.poolMax = Math.max(zram.poolMax, zram.pool.length)
  zram.objects[classIndex] = before + by
  return true
}

function giveFrame(state: KernelState, zram: Zram): void {
  const pfn = zram.pool.pop()!
  modStat(state.zones[pageZoneIndex(state.memmap, pfn)]!.stat, NR_ZSPAGES, -1)
  clearFlag(state.memmap, pfn, PG_KERNEL)
  freeUnrefPage(state, pfn, 0)
}

/**
 * Compresses a page into the device.
 * @param page  of the device; 0 is the swap header
 * @returns false: no memory for it, an I/O error
 * @kernel  drivers/block/zram/zram_drv.c zram_write_page()
 */
export function zramWrite(state: KernelState, zram: Zram, page: number): boolean {
  const { compressNs, length } = COMPRESSORS[zram.compressor]!
  charge(state, compressNs)
  zramFree(state, zram, page)
  const stored = page === 0 ? HEADER_LENGTH : zram.random[page] === 1 ? PAGE_SIZE : length
  if (!changeClass(state, zram, classOf(stored), 1)) return false
  zram.lengths[page] = stored
  zram.stored++
  zram.storedBytes += stored
  if (stored === PAGE_SIZE) {
    zram.hugePages++
    zram.hugeEver++
  }
  return true
}

/** CPU time of a read: a page that did not shrink is only copied. @kernel zram_read_from_zspool() */
export function zramRead(state: KernelState, zram: Zram, page: number): void {
  charge(state, zram.lengths[page] === PAGE_SIZE ? state.costs.copyPage : COMPRESSORS[zram.compressor]!.decompressNs)
}

/** Nobody needs the page any more. @kernel zram_slot_free_notify(), zram_free_page() */
export function zramFree(state: KernelState, zram: Zram, page: number): void {
  const length = zram.lengths[page]!
  if (length === 0) return
  zram.lengths[page] = 0
  zram.stored--
  zram.storedBytes -= length
  if (length === PAGE_SIZE) zram.hugePages--
  changeClass(state, zram, classOf(length), -1)
}

/** Everything goes. @kernel zram_reset_device() */
export function zramReset(state: KernelState, zram: Zram): void {
  for (let page = 0; page < zram.pages; page++) zramFree(state, zram, page)
}
