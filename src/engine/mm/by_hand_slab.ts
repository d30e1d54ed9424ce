/**
 * Objects of a slab cache and kmalloc by hand.
 * @kernel  mm/slub.c kmem_cache_alloc(), kmem_cache_free(), __kmalloc(), kfree()
 * @model   what a test module would do, see by_hand.ts
 */
import type { Errno } from '../../util/errno'
import { isSuspended } from '../exec'
import type { KernelState } from '../state'
import type { HandOps } from './by_hand'
import { GFP_KERNEL } from './gfp'
import { formatGfp } from './gfp_names'
import { parseGfp } from './gfp_parse'
import { kfree, kmalloc, KMALLOC_MAX_CACHE_SIZE, KMALLOC_MAX_SIZE, ksize } from './kmalloc'
import { findCache } from './slab_state'
import { kmemCacheAlloc, kmemCacheFree } from './slub'
import { SLUB_PATHS } from './slub_path'

type Values = Readonly<Record<string, string>>

const gfpOf = (values: Values): number | undefined => (values.gfp === undefined ? GFP_KERNEL : parseGfp(values.gfp))

const noMemory = (state: KernelState, what: string, gfp: number): readonly [Errno, string] =>
  isSuspended(state)
    ? ['EAGAIN', `${what} has to wait until memory is reclaimed: write it again`]
    : ['ENOMEM', `${what} found no memory with mode:${formatGfp(gfp)}, or its charge was refused`]

const badGfp = (values: Values): readonly [Errno, string] => [
  'EINVAL',
  `gfp=${values.gfp}: write the kernel's names joined by |, for example GFP_KERNEL|__GFP_ZERO`,
]

const FREED_AGAIN = 'without slab_debug=F the kernel would not notice, and its freelist would be broken'

/** One object: alloc cache=NAME [gfp=…]. @kernel mm/slub.c kmem_cache_alloc() */
export const OBJECTS_BY_HAND: HandOps = {
  keys: ['cache', 'gfp'],
  freedAgain: FREED_AGAIN,
  alloc: (state, values) => {
    const name = values.cache ?? ''
    const cache = findCache(state.slabs, name)
    if (cache < 0)
      return ['ENOENT', `there is no cache '${name}'; /proc/slabinfo and /sys/kernel/slab name all of them`]
    const gfp = gfpOf(values)
    if (gfp === undefined) return badGfp(values)
    const address = kmemCacheAlloc(state, cache, gfp)
    if (address === 0) return noMemory(state, `an object of ${name}`, gfp)
    return {
      address,
      request: `cache=${state.slabs.caches[cache]!.name}`,
      sizeBytes: state.slabs.caches[cache]!.size,
      path: SLUB_PATHS[state.slabs.path]!,
    }
  },
  free: (state, held) => {
    kmemCacheFree(state, held.address)
    return SLUB_PATHS[state.slabs.path]!
  },
}

/** Which way a block of this size went: through a cache, or whole pages. */
const kmallocPath = (state: KernelState, bytes: number, pages: string): string =>
  bytes > KMALLOC_MAX_CACHE_SIZE ? pages : SLUB_PATHS[state.slabs.path]!

/** Memory of any size: alloc size=BYTES [gfp=…]. @kernel mm/slub.c __kmalloc() */
export const KMALLOC_BY_HAND: HandOps = {
  keys: ['size', 'gfp'],
  freedAgain: FREED_AGAIN,
  alloc: (state, values) => {
    const bytes = Number(values.size ?? Number.NaN)
    if (!Number.isSafeInteger(bytes) || bytes < 0) return ['EINVAL', `size=${values.size} is no number of bytes`]
    const gfp = gfpOf(values)
    if (gfp === undefined) return badGfp(values)
    const address = kmalloc(state, bytes, gfp)
    if (address === 0 && bytes > KMALLOC_MAX_SIZE)
      return [
        'ENOMEM',
        `size=${bytes}: kmalloc gives at most ${KMALLOC_MAX_SIZE} bytes, one block of order 10; vmalloc gives more`,
      ]
    if (address === 0) return noMemory(state, `kmalloc of ${bytes} bytes`, gfp)
    return {
      address,
      request: `size=${bytes}`,
      sizeBytes: ksize(state, address),
      path: bytes === 0 ? '' : kmallocPath(state, bytes, 'alloc_pages'),
    }
  },
  free: (state, held) => {
    kfree(state, held.address)
    return held.sizeBytes === 0 ? '' : kmallocPath(state, held.sizeBytes, 'free_pages')
  },
}
