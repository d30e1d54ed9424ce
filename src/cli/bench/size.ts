/** What machines cost before anything happens in them: time to boot, memory, copies. */
import { createEngine } from '../../engine/index'
import type { Engine } from '../../engine/engine_api'
import type { KernelState } from '../../engine/state'
import { createHeadless } from '../../host/headless'
import { programs, realEngine } from '../../host/real-engine'
import { isColumn } from '../../util/clone'
import { median, type Figure } from './figure'
import { benchMachine } from './machine'
import { cpuSecondsOf } from './measure'

const MIB = 1 << 20

/** The first boot of this process: nothing is compiled yet. */
export function boot(): Figure[] {
  const config = benchMachine('server-8x128g')
  const engine = createEngine({ programs })
  const rssBefore = process.memoryUsage.rss()
  const startMs = performance.now()
  let state: KernelState | undefined
  const cpu = cpuSecondsOf(() => (state = engine.boot(config, 1)))
  const wallMs = performance.now() - startMs
  const rss = process.memoryUsage.rss() - rssBefore
  return [
    {
      id: 'boot-1tib',
      title: 'boot of 8 nodes, 1 TiB, 64 CPUs',
      value: cpu * 1000,
      unit: 'ms CPU',
      aim: { kind: 'below', at: 200 },
      note: `first boot of the process; ${wallMs.toFixed(0)} ms of wall time, ${state!.memmap.endPfn} page frames`,
    },
    {
      id: 'boot-1tib-rss',
      title: 'memory that this machine takes after boot',
      value: rss / MIB,
      unit: 'MiB',
      aim: { kind: 'below', at: 100 },
    },
  ]
}

/** Bytes of all columns below, and of those with a row for each page. */
function columnBytes(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  if (isColumn(value)) return value.byteLength
  let bytes = 0
  for (const child of Object.values(value)) bytes += columnBytes(child)
  return bytes
}

export function memory(): Figure[] {
  const state = createEngine({ programs }).boot(benchMachine('laptop-16g'), 1)
  const { memmap, pageblocks, blockNext, blockPrev } = state
  const bytes = columnBytes([memmap, pageblocks, blockNext, blockPrev])
  return [
    {
      id: 'bytes-per-page',
      title: 'columns per simulated page',
      value: bytes / memmap.endPfn,
      unit: 'bytes',
      aim: { kind: 'below', at: 33 },
      note: 'of pages that are used; untouched ones take none. A page-table entry takes 4 bytes more',
    },
  ]
}

interface Copies {
  readonly first: number
  readonly next: number
  readonly restore: number
}

/** CPU ms of a copy, of a copy beside an earlier one, and of going back. */
function copyMs(engine: Engine, state: KernelState): Copies {
  const first: number[] = []
  const next: number[] = []
  const restore: number[] = []
  for (let round = 0; round < 5; round++) {
    let copy = engine.checkpoint(state)
    first.push(cpuSecondsOf(() => (copy = engine.checkpoint(state))))
    next.push(cpuSecondsOf(() => void engine.checkpoint(state, copy)))
    restore.push(cpuSecondsOf(() => void engine.restore(copy)))
  }
  return { first: median(first) * 1000, next: median(next) * 1000, restore: median(restore) * 1000 }
}

async function copiesOf(machine: string, script: string, untilNs: number): Promise<Copies> {
  const engine = realEngine()
  const headless = createHeadless(benchMachine(machine), 1, { engine, programs })
  await headless.runScript(script, { untilNs })
  return copyMs(engine, headless.state())
}

const copyFigures = (id: string, title: string, { first, next, restore }: Copies): Figure[] => [
  { id: `checkpoint-${id}`, title: `checkpoint, ${title}`, value: first, unit: 'ms CPU' },
  {
    id: `checkpoint-next-${id}`,
    title: `the same when little changed`,
    value: next,
    unit: 'ms CPU',
    against: { what: 'the first', value: first },
  },
  { id: `restore-${id}`, title: `going back to it`, value: restore, unit: 'ms CPU', aim: { kind: 'below', at: 200 } },
]

export async function copies(): Promise<Figure[]> {
  const small = await copiesOf('vm-512m', 'stress --vm 2 --vm-bytes 300M --timeout 1s', 1e10)
  const large = await copiesOf('server-2x32g', 'mm hog mb=8192 hold=60', 1.2e10)
  return [...copyFigures('512m', '512 MiB, in use', small), ...copyFigures('64g', '64 GiB, 8 GiB in use', large)]
}
