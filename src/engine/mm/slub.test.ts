import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainMachine, zoneState } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import type { KernelState } from '../state'
import { GFP_BIT_ACCOUNT, GFP_BIT_DMA, GFP_BIT_RECLAIMABLE, GFP_KERNEL } from './gfp'
import { kfree, kmalloc, kmallocCacheName } from './kmalloc'
import { cacheNumber, slabHead } from './slab_state'
import { slabCounts } from './slab_stat'
import { kmemCacheAlloc, kmemCacheFree } from './slub'
import { checkSlabs } from './slub_check'
import { kmemCacheShrink } from './slub_shrink'
import { NR_SLAB_RECLAIMABLE, NR_SLAB_UNRECLAIMABLE } from './vmstat'

const slabState = (cpus = 2): KernelState => zoneState(plainMachine(64 * MIB, cpus))

const take = (state: KernelState, name: string, count: number): number[] =>
  Array.from({ length: count }, () => kmemCacheAlloc(state, cacheNumber(state.slabs, name), GFP_KERNEL))

const onCpu = (state: KernelState, cpu: number): KernelState => {
  state.exec.cpu = cpu
  return state
}

const counts = (state: KernelState, name: string): string => {
  const { activeObjects, objects, slabs, partial } = slabCounts(state, cacheNumber(state.slabs, name))
  return `${activeObjects}/${objects} objects, ${slabs} slabs, ${partial} partial`
}

describe('allocation', () => {
  test('objects of one slab lie side by side, and the slab counts as pages of slab', () => {
    const state = slabState()
    const [a = 0, b = 0] = take(state, 'dentry', 2)
    expect(b - a).toBe(192)
    expect(a % 4096).toBe(0)
    expect(state.nodes[0]!.stat[NR_SLAB_RECLAIMABLE]).toBe(1)
    expect(state.nodes[0]!.stat[NR_SLAB_UNRECLAIMABLE]).toBe(0)
    take(state, 'task_struct', 1)
    expect(state.nodes[0]!.stat[NR_SLAB_UNRECLAIMABLE]).toBe(8)
    expect(slabHead(state.memmap, Math.floor(a / 4096))).toBe(a / 4096)
    expect(checkSlabs(state)).toEqual([])
  })

  test('a full slab is followed by a new one; each CPU has its own', () => {
    const state = slabState()
    take(state, 'dentry', 21)
    expect(counts(state, 'dentry')).toBe('21/21 objects, 1 slabs, 0 partial')
    take(state, 'dentry', 1)
    expect(counts(state, 'dentry')).toBe('42/42 objects, 2 slabs, 0 partial')
    take(onCpu(state, 1), 'dentry', 1)
    expect(counts(state, 'dentry')).toBe('63/63 objects, 3 slabs, 0 partial')
    expect(checkSlabs(state)).toEqual([])
  })

  test('the object that was freed last is handed out first', () => {
    const state = slabState()
    const [a = 0, b = 0] = take(state, 'filp', 3)
    kmemCacheFree(state, a)
    kmemCacheFree(state, b)
    expect(take(state, 'filp', 2)).toEqual([b, a])
  })

  test('objects that another CPU gave back are used before a new slab is made', () => {
    const state = slabState()
    const objects = take(state, 'dentry', 21)
    onCpu(state, 1)
    for (const object of objects.slice(0, 5)) kmemCacheFree(state, object)
    onCpu(state, 0)
    expect(take(state, 'dentry', 5).sort()).toEqual(objects.slice(0, 5).sort())
    expect(counts(state, 'dentry')).toBe('21/21 objects, 1 slabs, 0 partial')
  })

  test('names that were merged lead to one cache', () => {
    const { slabs } = slabState()
    expect(cacheNumber(slabs, 'vm_area_struct')).not.toBe(cacheNumber(slabs, 'dentry'))
    expect(cacheNumber(slabs, 'UDP')).toBe(cacheNumber(slabs, 'signal_cache'))
    expect(slabs.caches[cacheNumber(slabs, 'UDP')]!.name).toBe('signal_cache')
  })
})

describe('freeing', () => {
  test('E8: freeing every second object of 10000 frees no page', () => {
    const state = slabState()
    const objects = take(state, 'dentry', 10000)
    expect(state.nodes[0]!.stat[NR_SLAB_RECLAIMABLE]).toBe(477)
    objects.forEach((object, i) => {
      if (i % 2 === 0) kmemCacheFree(state, object)
    })
    expect(state.nodes[0]!.stat[NR_SLAB_RECLAIMABLE]).toBe(477)
    const { activeObjects, objects: total } = slabCounts(state, cacheNumber(state.slabs, 'dentry'))
    expect(total).toBe(10017)
    expect(activeObjects).toBeGreaterThanOrEqual(5000)
    expect(activeObjects).toBeLessThan(5000 + 14 * 21)
    expect(checkSlabs(state)).toEqual([])
  })

  test('a node keeps min_partial empty slabs, the rest goes back', () => {
    const state = slabState()
    for (const object of take(state, 'dentry', 21 * 100)) kmemCacheFree(state, object)
    const { slabs, partial } = slabCounts(state, cacheNumber(state.slabs, 'dentry'))
    expect(partial).toBe(5)
    // 99 full slabs became the CPU's, which gives up twelve at a time; and the active one.
    expect(slabs).toBe(5 + (99 % 12) + 1)
    expect(checkSlabs(state)).toEqual([])
    kmemCacheShrink(state, cacheNumber(state.slabs, 'dentry'))
    expect(counts(state, 'dentry')).toBe('0/0 objects, 0 slabs, 0 partial')
    expect(state.nodes[0]!.stat[NR_SLAB_RECLAIMABLE]).toBe(0)
    expect(checkSlabs(state)).toEqual([])
  })

  test('shrinking puts the fullest slab first', () => {
    const state = slabState()
    const objects = take(state, 'dentry', 63)
    for (const i of [0, 1, 2, 3, 25, 45, 46]) kmemCacheFree(state, objects[i]!)
    kmemCacheShrink(state, cacheNumber(state.slabs, 'dentry'))
    expect(counts(state, 'dentry')).toBe('56/63 objects, 3 slabs, 3 partial')
    expect(take(state, 'dentry', 1)).toEqual([objects[25]])
  })

  test('freeing twice, or what is no object, is noticed', () => {
    const state = slabState()
    const [a = 0] = take(state, 'dentry', 1)
    expect(() => kmemCacheFree(state, a + 8)).toThrow('inside an object')
    expect(() => kmemCacheFree(state, a + 8 * 4096)).toThrow('not in a slab')
    kmemCacheFree(state, a)
    expect(() => kmemCacheFree(state, a)).toThrow('twice')
  })
})

describe('kmalloc', () => {
  test.each([
    [1, 'kmalloc-8'],
    [33, 'kmalloc-64'],
    [65, 'kmalloc-96'],
    [129, 'kmalloc-192'],
    [200, 'kmalloc-256'],
    [1025, 'kmalloc-2k'],
    [8192, 'kmalloc-8k'],
  ])('%i bytes come from %s', (bytes, name) => {
    expect(kmallocCacheName(bytes, GFP_KERNEL)).toBe(name)
  })

  test('the type follows the flags, DMA first', () => {
    expect(kmallocCacheName(64, GFP_KERNEL | GFP_BIT_ACCOUNT)).toBe('kmalloc-cg-64')
    expect(kmallocCacheName(64, GFP_KERNEL | GFP_BIT_ACCOUNT | GFP_BIT_RECLAIMABLE)).toBe('kmalloc-rcl-64')
    expect(kmallocCacheName(64, GFP_BIT_RECLAIMABLE | GFP_BIT_DMA)).toBe('dma-kmalloc-64')
  })

  test('more than 8 KiB are whole pages that count as unreclaimable slab', () => {
    const state = slabState()
    const block = kmalloc(state, 20_000, GFP_KERNEL)
    expect(state.nodes[0]!.stat[NR_SLAB_UNRECLAIMABLE]).toBe(8)
    expect(checkSlabs(state)).toEqual([])
    kfree(state, block)
    expect(state.nodes[0]!.stat[NR_SLAB_UNRECLAIMABLE]).toBe(0)
    const small = kmalloc(state, 100, GFP_KERNEL)
    kfree(state, small)
    expect(() => kfree(state, small)).toThrow('twice')
  })
})

test('any order of allocating, freeing and shrinking on any CPU leaves sound slabs', () => {
  const step = fc.record({
    kind: fc.constantFrom('take', 'take', 'take', 'free', 'free', 'shrink'),
    name: fc.constantFrom('dentry', 'task_struct', 'kmalloc-8k', 'buffer_head', 'kmalloc-512'),
    cpu: fc.nat(2),
    count: fc.integer({ min: 1, max: 120 }),
    pick: fc.nat(1000),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const state = slabState(3)
      const live: number[] = []
      for (const { kind, name, cpu, count, pick } of steps) {
        onCpu(state, cpu)
        if (kind === 'take') live.push(...take(state, name, count).filter((object) => object !== 0))
        else if (kind === 'shrink') kmemCacheShrink(state, cacheNumber(state.slabs, name))
        else
          for (let i = 0; i < count && live.length > 0; i++)
            kmemCacheFree(state, live.splice(pick % live.length, 1)[0]!)
        expect(new Set(live).size).toBe(live.length)
        expect(checkSlabs(state)).toEqual([])
      }
    }),
    { seed: 3, numRuns: 40 },
  )
})
