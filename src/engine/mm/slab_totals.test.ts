import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainMachine, zoneState } from '../../../test/zone-state'
import { MIB, PAGE_SIZE } from '../../util/units'
import { slabinfoText } from '../procfs/slab'
import type { KernelState } from '../state'
import { GFP_KERNEL } from './gfp'
import { cacheNumber } from './slab_state'
import { slabTotals, type SlabTotals } from './slab_totals'
import { kmemCacheAlloc, kmemCacheFree } from './slub'

const NAMES = ['dentry', 'kmalloc-192', 'task_struct', 'filp'] as const
const of = (state: KernelState, name: string): SlabTotals => slabTotals(state).find((cache) => cache.name === name)!

test('whatever was taken and given back, the parts add up to the pages, and the rows are those of /proc/slabinfo', () => {
  const operation = fc.tuple(fc.constantFrom(...NAMES), fc.nat(1), fc.boolean())
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
      const state = zoneState(plainMachine(64 * MIB, 2))
      const held: { readonly name: string; readonly address: number }[] = []
      for (const [name, cpu, gives] of operations) {
        state.exec.cpu = cpu
        const given = gives ? held.pop() : undefined
        if (given) kmemCacheFree(state, given.address)
        else held.unshift({ name, address: kmemCacheAlloc(state, cacheNumber(state.slabs, name), GFP_KERNEL) })
      }
      const totals = slabTotals(state)
      for (const cache of totals) {
        const used = held.filter(({ name }) => name === cache.name).length
        expect(cache.objects - cache.freeObjects).toBe(used)
        const parts = used * cache.objectSizeBytes + cache.paddingBytes + cache.freeBytes + cache.tailBytes
        expect(parts).toBe(cache.pages * PAGE_SIZE)
        expect(cache.onCpu + cache.cpuPartial + cache.nodePartial + cache.full).toBe(cache.slabs)
      }
      const rows = slabinfoText(state).split('\n').slice(2, -1).reverse()
      expect(totals.map((c) => [c.name, c.activeObjects, c.objects, c.sizeBytes, c.objectsPerSlab, c.slabs])).toEqual(
        rows.map((row) => {
          const [name, active, objects, size, perSlab] = row.split(/ +/)
          return [name, ...[active, objects, size, perSlab, row.split(/ +/)[14]].map(Number)]
        }),
      )
    }),
    { numRuns: 20, seed: 5 },
  )
})

test('a full slab is on no list, and one that lost an object waits on its CPU', () => {
  const state = zoneState(plainMachine(64 * MIB, 2))
  const objects = Array.from({ length: 22 }, () =>
    kmemCacheAlloc(state, cacheNumber(state.slabs, 'dentry'), GFP_KERNEL),
  )
  expect(of(state, 'dentry')).toMatchObject({ slabs: 2, onCpu: 1, full: 1, cpuPartial: 0, freeObjects: 20 })
  kmemCacheFree(state, objects[0]!)
  expect(of(state, 'dentry')).toMatchObject({ slabs: 2, onCpu: 1, full: 0, cpuPartial: 1, freeObjects: 21 })
})
