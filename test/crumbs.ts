/** A machine whose free memory is in single pages, for tests of compaction. */
import { rmqueueSmallest } from '../src/engine/mm/buddy'
import { PG_KERNEL, setFlagsOfRange } from '../src/engine/mm/memmap'
import type { Zone } from '../src/engine/mm/mmzone'
import { drainAllPages } from '../src/engine/mm/pcp'
import type { KernelSeries } from '../src/engine/config'
import type { KernelState } from '../src/engine/state'
import { TaskMachine } from './task-machine'

export interface Crumbs {
  readonly machine: TaskMachine
  readonly state: KernelState
  readonly pid: number
  readonly address: number
  readonly pages: number
}

interface CrumbsOptions {
  readonly mglru?: boolean
  readonly keep?: number
  readonly swapPages?: number
  readonly mib?: number
  readonly pages?: number
  readonly cpus?: number
  readonly series?: KernelSeries
  /** Called after every event, crumbs or not. */
  readonly afterEvent?: (state: KernelState) => void
}

/** A task whose region had every `keep`-th page kept and the others given back, so that free memory is in crumbs. */
export function crumbs(options: CrumbsOptions = {}): Crumbs {
  const machine = new TaskMachine({
    mib: options.mib ?? 64,
    mglru: options.mglru ?? true,
    swapPages: options.swapPages ?? 0,
    cpus: options.cpus ?? 1,
    series: options.series ?? '6.12',
    ...(options.afterEvent === undefined ? {} : { afterEvent: options.afterEvent }),
  })
  // Mixed pageblocks raise no marks: kswapd would wake kcompactd, whom tests call themselves.
  machine.write('/proc/sys/vm/watermark_boost_factor', '0')
  const pid = machine.spawn()
  const { pages = 10_000 } = options
  const address = machine.map(pid, pages)
  machine.perform(pid, { op: 'touch', address, length: pages * 4096, mode: 'write' })
  for (let i = 0; i < pages; i++) {
    if (i % (options.keep ?? 2) === 0) continue
    machine.perform(pid, { op: 'madvise', address: address + i * 4096, length: 4096, advice: 'dontneed' })
  }
  drainAllPages(machine.state)
  return { machine, state: machine.state, pid, address, pages }
}

/** The zone in which everything happens. */
export const dma32 = (state: KernelState): Zone => state.zones[1]!
function takeAll(state: KernelState, zone: Zone, order: number, type: number): void {
  for (let pfn = rmqueueSmallest(state, zone, order, type); pfn !== 0; pfn = rmqueueSmallest(state, zone, order, type))
    setFlagsOfRange(state.memmap, pfn, 1 << order, PG_KERNEL)
}

/** Takes all blocks of `order` and more out of the zone, and all of DMA: only crumbs are left. */
export function take(state: KernelState, order: number): void {
  for (let type = 0; type < 3; type++) {
    takeAll(state, dma32(state), order, type)
    takeAll(state, state.zones[0]!, 0, type)
  }
}
