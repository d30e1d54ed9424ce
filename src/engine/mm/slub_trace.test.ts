import { expect, test } from 'vitest'
import { plainMachine, zoneState } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import { withContext } from '../context'
import { TRACEPOINT_NAMES } from '../trace'
import { GFP_KERNEL } from './gfp'
import { kfree, kmalloc } from './kmalloc'
import { cacheNumber } from './slab_state'
import { kmemCacheAlloc, kmemCacheFree } from './slub'

test('an object of a cache and a kmalloc have tracepoints of their own', () => {
  const state = zoneState(plainMachine(64 * MIB))
  const seen: string[] = []
  const trace = (n: number, _at: number, _pid: number, _cpu: number, args: readonly number[], text: string): void => {
    const name = TRACEPOINT_NAMES[n]!
    if (/^k/.test(name)) seen.push([name, ...args.slice(1, 4), text].join(' ').trim())
  }
  withContext({ trace, stopRequested: false }, {}, () => {
    kmemCacheFree(state, kmemCacheAlloc(state, cacheNumber(state.slabs, 'dentry'), GFP_KERNEL))
    kfree(state, kmalloc(state, 100, GFP_KERNEL))
    kfree(state, kmalloc(state, 10_000, GFP_KERNEL))
  })
  expect(seen).toEqual([
    'kmem_cache_alloc 192 192 3264 dentry',
    'kmem_cache_free dentry',
    'kmalloc 100 128 3264',
    'kfree',
    'kmalloc 10000 16384 3264',
    'kfree',
  ])
})
