/**
 * Pools of frames for compressed pages. zram and zswap put objects of any length into them; the pools differ in how many
 * objects share a frame, whether their frames can be moved, and how long an object may be.
 * @kernel  mm/zsmalloc.c, mm/zbud.c, mm/z3fold.c
 * @spec    05 §5.12
 */
import { PAGE_SIZE, type Bytes, type Pages, type Pfn } from '../../util/units'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { GFP_BIT_HIGHMEM, GFP_BIT_MOVABLE } from './gfp'
import { PG_KERNEL, clearFlag, pageZoneIndex, setFlag } from './memmap'
import { freeUnrefPage } from './pcp'
import { NR_ZSPAGES, modStat } from './vmstat'

export type ZpoolKind = 'zsmalloc' | 'zbud' | 'z3fold'

export interface Zpool {
  readonly kind: ZpoolKind
  /** Objects of each size class. Index: size in steps of 16 (zsmalloc) or 64 bytes. */
  readonly objects: Int32Array
  /** Frames of the pool, the newest last. */
  readonly frames: Pfn[]
}

const CLASS_STEP = 16
const HANDLE_SIZE = 8
const CLASS_MIN = 32
const CHAIN_MAX = 8
/** @kernel mm/zbud.c NCHUNKS_ORDER 6: a frame of 64 chunks, the first of which is its header */
const CHUNK = 64
const CHUNKS = PAGE_SIZE / CHUNK - 1
/** Objects that share a frame at most. */
const PER_FRAME = { zbud: 2, z3fold: 3 } as const

/** @kernel mm/zpool.c zpool_create_pool() */
export const createZpool = (kind: ZpoolKind): Zpool => ({
  kind,
  objects: new Int32Array(PAGE_SIZE / CLASS_STEP + 1),
  frames: [],
})

/** Longest object that the pool takes, bytes. @kernel zbud_alloc(), z3fold_alloc(), ZS_MAX_ALLOC_SIZE */
export const zpoolMaxLength = (kind: ZpoolKind): Bytes => (kind === 'zsmalloc' ? PAGE_SIZE : PAGE_SIZE - CHUNK - CHUNK)

/** What may be asked of the page allocator for it. @kernel zpool_malloc_support_movable() */
export const zpoolGfp = (kind: ZpoolKind): number => (kind === 'zbud' ? 0 : GFP_BIT_HIGHMEM | GFP_BIT_MOVABLE)

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

function classOf(kind: ZpoolKind, length: Bytes): number {
  if (kind !== 'zsmalloc') return Math.max(1, Math.ceil(length / CHUNK))
  if (length >= PAGE_SIZE) return PAGE_SIZE / CLASS_STEP
  return Math.max(CLASS_MIN, Math.ceil((length + HANDLE_SIZE) / CLASS_STEP) * CLASS_STEP) / CLASS_STEP
}

/**
 * Frames that so many objects of a class need.
 * @simplifies  frames are filled one after the other, and only by objects of one class
 */
function framesOf(kind: ZpoolKind, classIndex: number, objects: number): Pages {
  if (kind !== 'zsmalloc')
    return Math.ceil(objects / Math.max(1, Math.min(PER_FRAME[kind], Math.floor(CHUNKS / classIndex))))
  const size = classIndex * CLASS_STEP
  const chain = zspageChain(size)
  const perZspage = Math.floor((chain * PAGE_SIZE) / size)
  return Math.ceil(objects / perZspage) * chain
}

/**
 * Makes room for an object.
 * @returns false: there is no memory; nothing has changed
 * @kernel  mm/zpool.c zpool_malloc()
 */
export function zpoolMalloc(state: KernelState, pool: Zpool, length: Bytes, gfp: number): boolean {
  const { kind, objects, frames } = pool
  const at = classOf(kind, length)
  const wanted = frames.length + framesOf(kind, at, objects[at]! + 1) - framesOf(kind, at, objects[at]!)
  const before = frames.length
  while (frames.length < wanted) {
    const pfn = hooks.allocPages(state, gfp, 0)
    if (pfn === 0) {
      while (frames.length > before) giveFrame(state, pool)
      return false
    }
    setFlag(state.memmap, pfn, PG_KERNEL)
    frames.push(pfn)
    countZspages(state, kind, pfn, 1)
  }
  objects[at]!++
  return true
}

/** An object goes, and frames that nothing is left in. @kernel mm/zpool.c zpool_free() */
export function zpoolFree(state: KernelState, pool: Zpool, length: Bytes): void {
  const { kind, objects } = pool
  const at = classOf(kind, length)
  let spare = framesOf(kind, at, objects[at]!) - framesOf(kind, at, objects[at]! - 1)
  objects[at]!--
  for (; spare > 0; spare--) giveFrame(state, pool)
}

/** nr_zspages is zsmalloc's own. */
function countZspages(state: KernelState, kind: ZpoolKind, pfn: Pfn, sign: number): void {
  if (kind === 'zsmalloc') modStat(state.zones[pageZoneIndex(state.memmap, pfn)]!.stat, NR_ZSPAGES, sign)
}

function giveFrame(state: KernelState, { kind, frames }: Zpool): void {
  const pfn = frames.pop()!
  countZspages(state, kind, pfn, -1)
  clearFlag(state.memmap, pfn, PG_KERNEL)
  freeUnrefPage(state, pfn, 0)
}
