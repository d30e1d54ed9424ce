/** Random operations by several tasks on a small machine: everything that must hold, after each of them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TaskMachine, puppetChild, type TaskMachineOptions } from '../../test/task-machine'
import type { Advice, Op } from './task'

const PAGE = 4096

interface Region {
  readonly address: number
  readonly pages: number
}

interface Actor {
  readonly pid: number
  regions: Region[]
}

type Move =
  | { readonly do: 'map'; readonly who: number; readonly pages: number; readonly flags: number }
  | { readonly do: 'mapFile'; readonly who: number; readonly shared: boolean; readonly tmpfs: boolean }
  | {
      readonly do: 'touch'
      readonly who: number
      readonly region: number
      readonly part: number
      readonly write: boolean
    }
  | { readonly do: 'unmap'; readonly who: number; readonly region: number; readonly part: number }
  | { readonly do: 'advise'; readonly who: number; readonly region: number; readonly advice: Advice }
  | { readonly do: 'protect'; readonly who: number; readonly region: number; readonly prot: number }
  | { readonly do: 'lock'; readonly who: number; readonly region: number; readonly lock: boolean }
  | { readonly do: 'fork'; readonly who: number }
  | { readonly do: 'exit'; readonly who: number }
  | { readonly do: 'file'; readonly who: number; readonly write: boolean; readonly pages: number }
  | { readonly do: 'unlink'; readonly who: number }
  | { readonly do: 'move'; readonly who: number; readonly group: number }
  | {
      readonly do: 'limit'
      readonly group: number
      readonly file: 'max' | 'high' | 'low' | 'swap.max'
      readonly pages: number
    }
  | { readonly do: 'reclaim'; readonly pages: number }
  | { readonly do: 'drop' }
  | { readonly do: 'wait'; readonly ms: number }

const ADVICE: readonly Advice[] = [
  'dontneed',
  'free',
  'cold',
  'pageout',
  'willneed',
  'random',
  'normal',
  'populate_write',
  'hugepage',
  'nohugepage',
]

const who = fc.nat(5)
const region = fc.nat(6)
const part = fc.nat(3)
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('map' as const),
      who,
      pages: fc.integer({ min: 1, max: 2500 }),
      flags: fc.constantFrom(0x22, 0x22, 0x21, 0x8022, 0x2022),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('mapFile' as const), who, shared: fc.boolean(), tmpfs: fc.boolean() }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('touch' as const), who, region, part, write: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unmap' as const), who, region, part }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('advise' as const), who, region, advice: fc.constantFrom(...ADVICE) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('protect' as const), who, region, prot: fc.constantFrom(1, 3) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lock' as const), who, region, lock: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fork' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('exit' as const), who }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('file' as const),
      who,
      write: fc.boolean(),
      pages: fc.integer({ min: 1, max: 400 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unlink' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), who, group: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('limit' as const),
      group: fc.nat(1),
      file: fc.constantFrom('max' as const, 'high' as const, 'low' as const, 'swap.max' as const),
      pages: fc.integer({ min: 200, max: 3000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('reclaim' as const), pages: fc.integer({ min: 10, max: 500 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 400 }) }) },
)

const GROUPS = ['/sys/fs/cgroup', '/sys/fs/cgroup/a', '/sys/fs/cgroup/b'] as const

/** One machine and its actors; a task that is busy or gone takes no part. */
class Stage {
  readonly m: TaskMachine
  actors: Actor[]

  constructor(options: TaskMachineOptions) {
    this.m = new TaskMachine({ mib: 48, swapPages: 3000, files: { f: 600 }, ...options })
    // On a machine of this size huge pages are off until somebody asks for them.
    if (options.thp !== undefined) this.m.write('/sys/kernel/mm/transparent_hugepage/enabled', options.thp)
    this.m.command({ kind: 'mkdir', pid: 1, path: GROUPS[1], parents: false })
    this.m.command({ kind: 'mkdir', pid: 1, path: GROUPS[2], parents: false })
    this.actors = [0, 1, 2].map((i) => ({ pid: this.m.spawn(`actor${i}`), regions: [] }))
    for (const actor of this.actors) {
      this.act(actor, { do: 'map', who: 0, pages: 1500, flags: 0x22 })
      this.act(actor, { do: 'touch', who: 0, region: 0, part: 0, write: true })
    }
  }

  private ask(actor: Actor, op: Op): number | undefined {
    this.m.begin(actor.pid, op)
    this.m.advance(3e9)
    const outcome = this.m.outcomeOf(actor.pid)
    return outcome === undefined || outcome.errno !== '' ? undefined : outcome.result
  }

  private actor(index: number): Actor | undefined {
    this.actors = this.actors.filter((a) => this.m.state.tasks[a.pid] !== undefined)
    const ready = this.actors.filter((a) => this.m.isResting(a.pid) && this.m.state.tasks[a.pid]!.state === 'S')
    return ready[index % Math.max(1, ready.length)]
  }

  play(move: Move): void {
    const { m } = this
    if (move.do === 'wait') return m.advance(move.ms * 1e6)
    if (move.do === 'drop') return void m.write('/proc/sys/vm/drop_caches', '1')
    if (move.do === 'reclaim') return void m.write(`${GROUPS[1]}/memory.reclaim`, String(move.pages * PAGE))
    if (move.do === 'limit')
      return void m.write(`${GROUPS[1 + move.group]!}/memory.${move.file}`, String(move.pages * PAGE))
    const actor = this.actor(move.who)
    if (actor !== undefined) this.act(actor, move)
  }

  private act(actor: Actor, move: Exclude<Move, { do: 'wait' | 'drop' | 'reclaim' | 'limit' }>): void {
    const { m } = this
    switch (move.do) {
      case 'map':
        return this.keep(
          actor,
          move.pages,
          this.ask(actor, { op: 'mmap', length: move.pages * PAGE, prot: 3, flags: move.flags }),
        )
      case 'mapFile': {
        const path = move.tmpfs ? '/tmp/shared' : '/data/f'
        const fd = this.ask(actor, { op: 'open', path, write: move.tmpfs, create: move.tmpfs })
        if (fd === undefined || !m.isResting(actor.pid)) return
        const prot = move.tmpfs || !move.shared ? 3 : 1
        const op: Op = { op: 'mmap', length: 600 * PAGE, prot, flags: move.shared ? 1 : 2, fd }
        return this.keep(actor, move.tmpfs ? 100 : 600, this.ask(actor, op))
      }
      case 'fork': {
        const child = this.ask(actor, { op: 'fork', child: puppetChild })
        if (child !== undefined && this.actors.length < 6) this.actors.push({ pid: child, regions: [...actor.regions] })
        else if (child !== undefined) m.signal(child, 9)
        return
      }
      case 'exit':
        if (this.actors.length > 1) this.ask(actor, { op: 'exit', status: 0 })
        return
      case 'file':
        return this.stream(actor, move)
      case 'unlink':
        return void m.command({ kind: 'unlink', pid: 1, path: '/tmp/shared' })
      case 'move':
        return void m.write(`${GROUPS[move.group]!}/cgroup.procs`, String(actor.pid))
      default:
        return this.actOnRegion(actor, move)
    }
  }

  private keep(actor: Actor, pages: number, address: number | undefined): void {
    if (address !== undefined) actor.regions.push({ address, pages })
  }

  private stream(actor: Actor, move: Extract<Move, { do: 'file' }>): void {
    const path = move.write ? '/tmp/shared' : '/data/f'
    const fd = this.ask(actor, {
      op: 'open',
      path,
      write: move.write,
      create: move.write,
      truncate: move.pages % 5 === 0,
    })
    if (fd === undefined || !this.m.isResting(actor.pid)) return
    const length = move.pages * PAGE
    this.ask(actor, move.write ? { op: 'write', fd, length } : { op: 'read', fd, length })
    if (this.m.isResting(actor.pid) && this.m.state.tasks[actor.pid] !== undefined) this.ask(actor, { op: 'close', fd })
  }

  private actOnRegion(
    actor: Actor,
    move: Extract<Move, { do: 'touch' | 'unmap' | 'advise' | 'protect' | 'lock' }>,
  ): void {
    const index = move.region % Math.max(1, actor.regions.length)
    const found = actor.regions[index]
    if (found === undefined) return
    const from = 'part' in move ? Math.floor((found.pages * move.part) / 4) : 0
    const pages = 'part' in move ? Math.max(1, Math.floor(found.pages / 2)) : found.pages
    const range = { address: found.address + from * PAGE, length: Math.min(pages, found.pages - from) * PAGE }
    if (move.do === 'unmap') actor.regions.splice(index, 1)
    this.ask(actor, rangeOp(move, range))
  }
}

function rangeOp(
  move: Extract<Move, { do: 'touch' | 'unmap' | 'advise' | 'protect' | 'lock' }>,
  range: { readonly address: number; readonly length: number },
): Op {
  switch (move.do) {
    case 'touch':
      return { op: 'touch', ...range, mode: move.write ? 'write' : 'read' }
    case 'unmap':
      return { op: 'munmap', ...range }
    case 'advise':
      return { op: 'madvise', ...range, advice: move.advice }
    case 'protect':
      return { op: 'mprotect', ...range, prot: move.prot }
    case 'lock':
      return { op: move.lock ? 'mlock' : 'munlock', ...range }
  }
}

/** Sequences a machine: each move is met dozens of times. */
const RUNS = 5

const MACHINES: readonly (readonly [string, TaskMachineOptions])[] = [
  ['6.12, MGLRU', {}],
  ['6.12, classic LRU, two CPUs', { mglru: false, cpus: 2 }],
  ['6.1, a disk that turns', { series: '6.1', rotational: true }],
  ['6.12, no swap', { swapPages: 0 }],
  ['6.12, huge pages', { thp: 'always', mib: 64 }],
  ['6.1, huge pages, classic LRU', { thp: 'always', mib: 64, series: '6.1' }],
  ['6.12, huge pages, no swap', { thp: 'madvise', mib: 64, swapPages: 0 }],
]

describe.each(MACHINES)('%s', (_name, options) => {
  test('whatever tasks do, lists, owners, charges, tables and counters agree', () => {
    fc.assert(
      fc.property(fc.array(move, { minLength: 40, maxLength: 80, size: 'max' }), (moves) => {
        const stage = new Stage(options)
        for (const [i, one] of moves.entries()) {
          stage.play(one)
          expect(stage.m.engine.checkInvariants(stage.m.state), `after ${i}: ${JSON.stringify(one)}`).toEqual([])
        }
        stage.m.advance(5e9)
        for (const { pid } of stage.actors) stage.m.signal(pid, 9)
        stage.m.advance(5e9)
        expect(stage.m.engine.checkInvariants(stage.m.state)).toEqual([])
      }),
      { seed: 2026, numRuns: RUNS },
    )
  })
})
