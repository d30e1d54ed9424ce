/**
 * Objects that are taken together or not at all, from caches that a kernel may lack.
 * @kernel  callers of kmem_cache_alloc() that undo what they have when the next one fails
 */
import type { KernelState } from '../state'
import { GFP_ATOMIC, GFP_BIT_NOWARN } from './gfp'
import { findCache } from './slab_state'
import { kmemCacheAlloc, kmemCacheFree } from './slub'

/**
 * For steps that the simulated kernel cannot undo: never waits, and goes over its group's limit rather than fail.
 * @model  the kernel sleeps for memory or backs out at these places
 */
export const GFP_UNDOABLE = GFP_ATOMIC | GFP_BIT_NOWARN

/**
 * One object of each cache that this kernel has.
 * @returns undefined = no memory, refused, or waiting: nothing is held then
 * @kernel  kmem_cache_alloc()
 */
export function takeAll(state: KernelState, names: readonly string[], gfp: number): number[] | undefined {
  const taken: number[] = []
  for (const name of names) {
    const cache = findCache(state.slabs, name)
    if (cache < 0) continue
    const address = kmemCacheAlloc(state, cache, gfp)
    if (address === 0) {
      giveAll(state, taken)
      return undefined
    }
    taken.push(address)
  }
  return taken
}

/** @kernel kmem_cache_free() */
export function giveAll(state: KernelState, addresses: number[]): void {
  for (const address of addresses) kmemCacheFree(state, address)
  addresses.length = 0
}

/** One object; 0 when there is none or this kernel has no such cache. @kernel kmem_cache_alloc() */
export function takeOne(state: KernelState, name: string, gfp: number): number {
  const cache = findCache(state.slabs, name)
  return cache < 0 ? 0 : kmemCacheAlloc(state, cache, gfp)
}

/** @kernel kmem_cache_free() */
export function giveOne(state: KernelState, address: number): void {
  if (address !== 0) kmemCacheFree(state, address)
}
