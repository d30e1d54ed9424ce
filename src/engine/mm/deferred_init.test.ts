import { expect, test } from 'vitest'
import { machineConfig, zoneNamed, zoneState } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import type { KernelState } from '../state'
import { checkBuddy } from './buddy_check'
import { pageblockCounts } from './buddy_view'
import { firstDeferredPfn } from './deferred_init'
import { MIGRATE_TYPES, MIGRATE_UNMOVABLE, ZONE_DMA, ZONE_DMA32 } from './gfp'

/** A captured machine of 512 MiB: 131031 frames, 12096 of them kept, 2251 given back late. */
function machine(mib: number, kernelStartPfn?: number): KernelState {
  const end = mib * MIB - 41 * 4096
  const nodes = [{ nid: 0, ranges: [{ start: 0, end }], cpus: [0, 1] }]
  const present = end / 4096 - 4096
  const reservations = [
    { nid: 0, zone: 'DMA', managed: 3840, returnedLate: 0 },
    { nid: 0, zone: 'DMA32', managed: present - 12096, returnedLate: 2251 },
  ] as const
  return zoneState(machineConfig({ nodes, reservations, ...(kernelStartPfn === undefined ? {} : { kernelStartPfn }) }))
}

const freeOfType = (state: KernelState, type: number): number => {
  const zone = zoneNamed(state, 0, ZONE_DMA32)
  let pages = 0
  for (let order = 0; order <= 10; order++) pages += zone.nrFreeType[order * MIGRATE_TYPES + type]! << order
  return pages
}
const unmovableBlocks = (state: KernelState): number =>
  pageblockCounts(state, zoneNamed(state, 0, ZONE_DMA32))[MIGRATE_UNMOVABLE]!

test('half of a 512 MiB machine is set up late, nothing of 256 MiB, and never a zone that is not the last', () => {
  const half = machine(512)
  expect(firstDeferredPfn(half, zoneNamed(half, 0, ZONE_DMA32))).toBe(65536)
  const low = zoneNamed(half, 0, ZONE_DMA)
  expect(firstDeferredPfn(half, low)).toBe(low.startPfn + low.spanned)
  const small = machine(256)
  const zone = zoneNamed(small, 0, ZONE_DMA32)
  expect(firstDeferredPfn(small, zone)).toBe(zone.startPfn + zone.spanned)
  expect(unmovableBlocks(small)).toBe(0)
})

test('an image in the part that is set up late makes 22 more pageblocks Unmovable, and what it gives back free there', () => {
  const low = machine(512, 4096)
  const high = machine(512, 98304)
  expect(unmovableBlocks(high) - unmovableBlocks(low)).toBeGreaterThanOrEqual(20)
  expect(unmovableBlocks(high) - unmovableBlocks(low)).toBeLessThanOrEqual(24)
  expect(freeOfType(low, MIGRATE_UNMOVABLE)).toBe(0)
  expect(freeOfType(high, MIGRATE_UNMOVABLE)).toBeGreaterThan(2251 - 512)
  for (const state of [low, high]) expect(checkBuddy(state)).toEqual([])
})
