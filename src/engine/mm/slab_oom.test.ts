import { afterEach, describe, expect, test } from 'vitest'
import { plainMachine } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import type { KernelSeries } from '../config'
import { context } from '../context'
import { bootMachine } from '../machine'
import type { KernelState } from '../state'
import { GFP_BIT_NOFAIL, GFP_BIT_NOWARN, GFP_KERNEL, GFP_NOWAIT } from './gfp'
import { allocPages } from './page_alloc'
import { cacheNumber } from './slab_state'
import { kmemCacheAlloc } from './slub'

const boot = (series: KernelSeries): KernelState => bootMachine({ ...plainMachine(256 * MIB), series }, 1)
const newLines = (state: KernelState, at: number): string[] => state.klog.slice(at).map(({ text }) => text)

afterEach(() => {
  delete context.failAlloc
})

/** Objects until the cache wants a new slab and gets none. */
function exhaust(state: KernelState, name: string, gfp: number): string[] {
  const cache = cacheNumber(state.slabs, name)
  const at = state.klog.length
  context.failAlloc = () => true
  for (let i = 0; i < 100_000; i++) if (kmemCacheAlloc(state, cache, gfp) === 0) break
  return newLines(state, at)
}

describe('a cache that gets no memory for a new slab', () => {
  test('6.12 names the CPU, the cache and what each node has of it', () => {
    const state = boot('6.12')
    const lines = exhaust(state, 'kmalloc-512', GFP_NOWAIT)
    expect(lines.slice(0, 2)).toEqual([
      'SLUB: Unable to allocate memory on CPU 0 (of node 0) on node -1, gfp=0x800(GFP_NOWAIT)',
      '  cache: kmalloc-512, object size: 512, buffer size: 512, default order: 1, min order: 0',
    ])
    const node = cacheNumber(state.slabs, 'kmalloc-512') * state.nodes.length
    const { nrSlabs, totalObjects } = state.slabs
    expect(lines[2]).toBe(`  node 0: slabs: ${nrSlabs[node]}, objs: ${totalObjects[node]}, free: 0`)
  })

  test('6.1 does not name the CPU', () => {
    expect(exhaust(boot('6.1'), 'dentry', GFP_NOWAIT)[0]).toBe(
      'SLUB: Unable to allocate memory on node -1, gfp=0x800(GFP_NOWAIT)',
    )
  })

  test('nothing is said when the request asks for silence, and ten times in five seconds otherwise', () => {
    const state = boot('6.12')
    expect(exhaust(state, 'kmalloc-512', GFP_NOWAIT | GFP_BIT_NOWARN)).toEqual([])
    const said = Array.from({ length: 12 }, () => exhaust(state, 'kmalloc-512', GFP_NOWAIT).length)
    expect(said.map((lines) => lines > 0)).toEqual([...new Array(10).fill(true), false, false])
  })
})

describe('a request that must not fail and asks for more than two pages', () => {
  const warnings = (state: KernelState): string[] => newLines(state, 0).filter((line) => line.startsWith('WARNING'))

  test('6.1 warns of it once a boot, whether there is memory or not', () => {
    const state = boot('6.1')
    expect(allocPages(state, GFP_KERNEL | GFP_BIT_NOFAIL, 1)).toBeGreaterThan(0)
    expect(warnings(state)).toEqual([])
    for (let i = 0; i < 3; i++) expect(allocPages(state, GFP_KERNEL | GFP_BIT_NOFAIL, 2)).toBeGreaterThan(0)
    expect(warnings(state)).toEqual(['WARNING: CPU: 0 PID: 0 at mm/page_alloc.c get_page_from_freelist'])
  })

  test('6.12 warns only when the lists have nothing', () => {
    const state = boot('6.12')
    expect(allocPages(state, GFP_KERNEL | GFP_BIT_NOFAIL, 2)).toBeGreaterThan(0)
    expect(warnings(state)).toEqual([])
    while (allocPages(state, GFP_NOWAIT | GFP_BIT_NOWARN, 2) !== 0);
    allocPages(state, GFP_KERNEL | GFP_BIT_NOFAIL, 2)
    expect(warnings(state)).toEqual(['WARNING: CPU: 0 PID: 0 at mm/page_alloc.c __alloc_pages_slowpath.constprop.0'])
  })
})
