import { expect, test } from 'vitest'
import { plainMachine, zoneState } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import type { KernelState } from '../state'
import { GFP_KERNEL } from './gfp'
import { kmalloc } from './kmalloc'
import { cacheNumber } from './slab_state'
import { slabCacheView, slabObjectsView } from './slab_view'
import { kmemCacheAlloc, kmemCacheFree } from './slub'

const take = (state: KernelState, count: number): number[] =>
  Array.from({ length: count }, () => kmemCacheAlloc(state, cacheNumber(state.slabs, 'dentry'), GFP_KERNEL))

test('a cache is its CPU slabs, the slabs set aside, the node lists and what is full', () => {
  const state = zoneState(plainMachine(64 * MIB, 2))
  const objects = take(state, 50)
  const view = (): ReturnType<typeof slabCacheView> => slabCacheView(state, cacheNumber(state.slabs, 'dentry'))
  expect(view().cpus[0]).toMatchObject({ active: { objects: 21, inuse: 21, free: 0 }, cpuFree: 13, nrPartial: 0 })
  expect(view().cpus[1]).toMatchObject({ active: undefined, cpuFree: 0 })
  expect(view().nodes[0]).toMatchObject({ nrSlabs: 3, totalObjects: 63, nrPartial: 0, nrFull: 2 })
  expect(view().full.map((slab) => slab.pfn)).toEqual([objects[0]! / 4096, objects[21]! / 4096])
  kmemCacheFree(state, objects[0]!)
  expect(view().cpus[0]!.partial).toEqual([
    { pfn: objects[0]! / 4096, nid: 0, order: 0, objects: 21, inuse: 20, free: 1 },
  ])
  expect(view().nodes[0]!.nrFull).toBe(1)
})

test('a slab opens to objects that are used, or free on the list of a CPU or of the slab', () => {
  const state = zoneState(plainMachine(64 * MIB, 2))
  const [a = 0, b = 0] = take(state, 3)
  kmemCacheFree(state, a)
  state.exec.cpu = 1
  kmemCacheFree(state, b)
  const view = slabObjectsView(state, a / 4096)!
  expect(view).toMatchObject({ cache: 'dentry', place: 'cpu', cpu: 0, sizeBytes: 192 })
  expect(view.list.slice(0, 4).map((o) => `${o.state} ${o.position}`)).toEqual([
    'free on cpu 0',
    'free on slab 0',
    'used -1',
    'free on cpu 1',
  ])
  expect(slabObjectsView(state, 1)).toBeUndefined()
  expect(slabObjectsView(state, kmalloc(state, 20_000, GFP_KERNEL) / 4096)).toBeUndefined()
})
