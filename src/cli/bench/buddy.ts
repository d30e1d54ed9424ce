/** The buddy system against the same algorithm in C: one sequence of requests, and a checksum that proves it. */
import type { MachineConfig } from '../../engine/config'
import { layoutZones } from '../../engine/machine_layout'
import { freeOnePage, managedRanges, pageblockType, rmqueueSmallest, seedFreeMemory } from '../../engine/mm/buddy'
import { MIGRATE_MOVABLE, ZONE_NORMAL } from '../../engine/mm/gfp'
import { createMemMap } from '../../engine/mm/memmap'
import { createNodes, zoneFreePages, type Zone } from '../../engine/mm/mmzone'
import { createVmstat } from '../../engine/mm/vmstat'
import type { KernelState } from '../../engine/state'
import { assert } from '../../util/assert'
import { median, type Figure } from './figure'
import { benchMachine } from './machine'
import { cpuSeconds } from './measure'
import { runNative } from './native'

const OPERATIONS = 4_000_000
const ROUNDS = 3

/** Zones with all memory free and nothing else of a machine. */
function freeMemory(config: MachineConfig): KernelState {
  const { nodes, zones } = createNodes(config, layoutZones(config))
  const endPfn = Math.max(...zones.map((zone) => zone.startPfn + zone.spanned))
  const part: Partial<KernelState> = {
    config,
    nodes,
    zones,
    memmap: createMemMap(endPfn),
    vmstat: createVmstat(),
    pageblocks: new Uint8Array((endPfn >> 9) + 1),
    blockNext: new Int32Array((endPfn >> 10) + 1),
    blockPrev: new Int32Array((endPfn >> 10) + 1),
  }
  const state = part as KernelState
  seedFreeMemory(state)
  return state
}

interface Driver {
  /** State of xorshift32, as in bench/measure.h. */
  seed: number
  /** First frame and order of each allocated block. */
  readonly live: Int32Array
  readonly liveOrder: Uint8Array
  nrLive: number
  checksum: number
}

/**
 * Allocates while less than `target` pages are used, else frees a random block; as main() of bench/buddy.c, and like it
 * with everything that an operation changes in local variables.
 */
function drive(state: KernelState, zone: Zone, d: Driver, target: number, operations: number): void {
  const { live, liveOrder } = d
  let { seed, nrLive, checksum } = d
  for (let i = 0; operations < 0 ? zone.managed - zoneFreePages(zone) < target : i < operations; i++) {
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    if (zone.managed - zoneFreePages(zone) < target) {
      // Order 0 in half of the cases, 1 in a quarter …, 9 at most.
      const order = 31 - Math.clz32((seed | 512) & -(seed | 512))
      const pfn = rmqueueSmallest(state, zone, order, MIGRATE_MOVABLE)
      checksum = Math.imul(checksum ^ pfn, 0x9e3779b1)
      if (pfn === 0) continue
      live[nrLive] = pfn
      liveOrder[nrLive++] = order
    } else {
      // Halved, it is a small integer here as it is in C: the remainder of doubles alone took a tenth of the time.
      const k = (seed >>> 1) % nrLive
      const pfn = live[k]!
      freeOnePage(state, zone, pfn, liveOrder[k]!, pageblockType(state, pfn))
      live[k] = live[--nrLive]!
      liveOrder[k] = liveOrder[nrLive]!
    }
  }
  d.seed = seed
  d.nrLive = nrLive
  d.checksum = checksum
}

export function buddy(): Figure[] {
  const state = freeMemory(benchMachine('laptop-16g'))
  const zone = state.zones[ZONE_NORMAL]!
  const ranges = managedRanges(state, zone)
  assert(ranges.length === 1, `the Normal zone has ${ranges.length} ranges`)
  const target = zone.managed - Math.floor(zone.managed / 4)
  const driver: Driver = {
    seed: 12345,
    live: new Int32Array(zone.managed),
    liveOrder: new Uint8Array(zone.managed),
    nrLive: 0,
    checksum: 0,
  }
  drive(state, zone, driver, target, -1)
  const rates = Array.from({ length: ROUNDS }, () => {
    const start = cpuSeconds()
    drive(state, zone, driver, target, OPERATIONS)
    return OPERATIONS / (cpuSeconds() - start)
  })
  const args = [ranges[0]!.start, zone.managed, OPERATIONS, ROUNDS].map(String)
  const figure: Figure = {
    id: 'buddy',
    title: 'buddy operations, random orders, 75 % used',
    value: median(rates),
    unit: 'operations/s',
    aim: { kind: 'ratio', at: 0.5 },
  }
  const native = runNative('buddy', args)
  if (!native.ok) return [{ ...figure, skipped: native.why }]
  const theirs = native.numbers['checksum']?.[0]
  assert(theirs === driver.checksum >>> 0, `checksum ${driver.checksum >>> 0}, in C ${theirs}`)
  return [
    {
      ...figure,
      against: { what: 'the same in C', value: median(native.numbers['operations'] ?? []) },
      note: `${zone.managed} pages, ${driver.nrLive} blocks in use, checksum ${theirs} in both`,
    },
  ]
}
