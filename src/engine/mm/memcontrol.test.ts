import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { addProcess, exitProcess, makeGroup, memcgState, runAs } from '../../../test/memcg-state'
import { attachTask, cgroupByPath, createCgroup, removeCgroup, taskMemcg } from '../cgroup'
import { charge, isSuspended } from '../exec'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { GFP_ATOMIC, GFP_BIT_NORETRY, GFP_KERNEL, GFP_NOWAIT } from './gfp'
import { checkMemcg } from './memcg_check'
import { MEMCG_MAX, MEMCG_OOM, MEMCG_OOM_KILL, MEMCG_SWAP_FAIL, MEMCG_SWAP_MAX } from './memcg_events'
import { drainAllStock, handleDrainStock, REMOTE_DRAIN_NS } from './memcg_stock'
import {
  createMemcg,
  memcgCharge,
  memcgChargeSlab,
  memcgSwapCharge,
  memcgSwapRoom,
  memcgSwapUncharge,
  memcgUncharge,
  memcgUnchargeSlab,
  type ChargeResult,
  type Memcg,
} from './memcontrol'
import { setPageMemcg } from './memmap'

/** Touches one page after the other until one is refused; returns how many were charged. */
function touchUntilRefused(state: KernelState, id: number, most = 100_000): number {
  for (let n = 0; n < most; n++) if (memcgCharge(state, id, 1, GFP_KERNEL) !== 'ok') return n
  return most
}

const figures = (m: Memcg): string =>
  `max ${m.events[MEMCG_MAX]!} oom ${m.events[MEMCG_OOM]!} oom_kill ${m.events[MEMCG_OOM_KILL]!} failcnt ${m.memory.failcnt}`

describe('charging in batches (spec 07 E5)', () => {
  let state: KernelState
  let a: Memcg
  beforeEach(() => {
    state = memcgState()
    a = makeGroup(state, '/a')
    addProcess(state, { pid: 100, comm: 'hog', group: '/a' })
    runAs(state, 100)
  })

  test('the first page charges 64, the 65th another 64', () => {
    memcgCharge(state, a.id, 1, GFP_KERNEL)
    expect(a.memory.usage * 4096).toBe(262144)
    for (let i = 0; i < 63; i++) memcgCharge(state, a.id, 1, GFP_KERNEL)
    expect(a.memory.usage).toBe(64)
    memcgCharge(state, a.id, 1, GFP_KERNEL)
    expect(a.memory.usage).toBe(128)
  })

  test('near a limit of 100 pages single pages fill the last gap, without an event', () => {
    a.memory.max = 100
    for (let i = 0; i < 100; i++) expect(memcgCharge(state, a.id, 1, GFP_KERNEL)).toBe('ok')
    expect(a.memory.usage).toBe(100)
    expect(figures(a)).toBe('max 0 oom 0 oom_kill 0 failcnt 36')
  })

  test('512 pages are charged as they are', () => {
    memcgCharge(state, a.id, 512, GFP_KERNEL)
    expect(a.memory.usage).toBe(512)
  })

  test('another group takes over the stock of a CPU, and what was in it goes back', () => {
    const b = makeGroup(state, '/b')
    memcgCharge(state, a.id, 1, GFP_KERNEL)
    memcgCharge(state, b.id, 1, GFP_KERNEL)
    expect([a.memory.usage, b.memory.usage]).toEqual([1, 64])
  })

  test('the root is counted and never limited', () => {
    expect(memcgCharge(state, 1, 7, GFP_NOWAIT)).toBe('ok')
    expect(state.memcgs[1]!.memory.usage).toBe(7)
  })

  test('atomic charges go beyond the limit and count it; charges that may not wait fail', () => {
    a.memory.max = 10
    expect(memcgCharge(state, a.id, 10, GFP_KERNEL)).toBe('ok')
    expect(memcgCharge(state, a.id, 1, GFP_NOWAIT)).toBe('nomem')
    expect(a.events[MEMCG_MAX]).toBe(0)
    expect(memcgCharge(state, a.id, 1, GFP_ATOMIC)).toBe('ok')
    expect(a.memory.usage).toBe(11)
    expect(a.events[MEMCG_MAX]).toBe(1)
  })

  test('a reclaimer is never held up by the limit', () => {
    a.memory.max = 0
    state.tasks[100]!.memalloc = true
    expect(memcgCharge(state, a.id, 1, GFP_KERNEL)).toBe('ok')
    expect(figures(a)).toBe('max 1 oom 0 oom_kill 0 failcnt 2')
  })

  test('no OOM kill for NORETRY and for more than 8 pages', () => {
    a.memory.max = 4
    expect(memcgCharge(state, a.id, 5, GFP_KERNEL | GFP_BIT_NORETRY)).toBe('nomem')
    expect(memcgCharge(state, a.id, 512, GFP_KERNEL)).toBe('nomem')
    expect(a.events[MEMCG_OOM]).toBe(0)
    expect(state.tasks[100]!.killSignal).toBe(0)
  })
})

describe('at the limit with nothing to reclaim (spec 07 E6)', () => {
  test.each(['6.1', '6.12'] as const)('%s: failcnt 19 in the report, then max 35 and failcnt 36', (series) => {
    const state = memcgState({ series })
    const a = makeGroup(state, '/a')
    a.memory.max = 8192
    const hog = addProcess(state, { pid: 100, comm: 'hog', group: '/a', anon: 8192 })
    runAs(state, 100)
    let atReport = ''
    const kill = hooks.sendKill
    hooks.sendKill = (s, pid) => {
      atReport = figures(a)
      kill(s, pid)
    }
    expect(touchUntilRefused(state, a.id)).toBe(8192)
    // 64 single-page charges fill the last 64 pages only when a batch no longer fits: 8192 is a multiple of 64.
    expect(atReport).toBe('max 18 oom 1 oom_kill 1 failcnt 19')
    expect(figures(a)).toBe('max 35 oom 1 oom_kill 1 failcnt 36')
    expect(hog.killSignal).toBe(9)
    expect(state.klog.some((line) => line.text === 'memory: usage 32768kB, limit 32768kB, failcnt 19')).toBe(true)
  })

  test('a stock of another CPU comes back during the loop and costs its rounds', () => {
    const state = memcgState({ cpus: 2 })
    const a = makeGroup(state, '/a')
    a.memory.max = 1024
    addProcess(state, { pid: 100, comm: 'hog', group: '/a' })
    runAs(state, 100, 1)
    memcgCharge(state, a.id, 60, GFP_KERNEL)
    runAs(state, 100, 0)
    hooks.tryToFreeMemcgPages = (s) => {
      charge(s, REMOTE_DRAIN_NS)
      return 0
    }
    expect(touchUntilRefused(state, a.id)).toBe(1024 - 60)
    expect(a.memory.usage).toBe(1024)
    expect(a.events[MEMCG_MAX]).toBe(37)
    expect(a.events[MEMCG_OOM]).toBe(1)
  })

  test('when somebody else dies the charger sleeps, and goes on where it was', () => {
    const state = memcgState()
    const a = makeGroup(state, '/a')
    a.memory.max = 128
    addProcess(state, { pid: 100, comm: 'big', group: '/a', anon: 100 })
    const small = addProcess(state, { pid: 101, comm: 'small', group: '/a', anon: 28 })
    runAs(state, 101)
    const outcome = (): ChargeResult => memcgCharge(state, a.id, 1, GFP_KERNEL)
    for (let i = 0; i < 128; i++) outcome()
    expect(outcome()).toBe('wait')
    expect(isSuspended(state)).toBe(true)
    expect(state.tasks[100]!.killSignal).toBe(9)
    expect(figures(a)).toBe('max 18 oom 1 oom_kill 1 failcnt 19')
    // The victim is slow: one more group of 17 rounds, and an OOM that kills nobody.
    runAs(state, 101)
    expect(outcome()).toBe('wait')
    expect(figures(a)).toBe('max 35 oom 2 oom_kill 1 failcnt 36')
    memcgUncharge(state, a.id, 100)
    exitProcess(state, 100)
    runAs(state, 101)
    expect(outcome()).toBe('ok')
    expect(figures(a)).toBe('max 35 oom 2 oom_kill 1 failcnt 36')
    expect(small.retry.chargeRetries).toBe(-1)
  })

  test('clean cache: every max event frees one batch', () => {
    const state = memcgState()
    const a = makeGroup(state, '/a')
    a.memory.max = 16384
    addProcess(state, { pid: 100, comm: 'reader', group: '/a' })
    runAs(state, 100)
    hooks.tryToFreeMemcgPages = (s, id) => {
      memcgUncharge(s, id, 64)
      return 64
    }
    expect(touchUntilRefused(state, a.id, 131072)).toBe(131072)
    // spec 07 E6c: ceil((131072 - 16384) / 64) = 1792; the captured 1795 has its page tables and stock besides.
    expect(a.events[MEMCG_MAX]).toBe(1792)
  })

  test('the deepest group that is full is the one that is out of memory', () => {
    const state = memcgState()
    const parent = makeGroup(state, '/p')
    const child = makeGroup(state, '/p/c')
    parent.memory.max = 64
    child.memory.max = 128
    addProcess(state, { pid: 100, comm: 'hog', group: '/p/c', anon: 64 })
    runAs(state, 100)
    expect(touchUntilRefused(state, child.id)).toBe(64)
    expect(figures(parent)).toMatch(/^max 35 oom 1 oom_kill 1/)
    expect(figures(child)).toMatch(/^max 0 oom 0 oom_kill 1/)
    expect(parent.eventsLocal[MEMCG_OOM_KILL]).toBe(0)
  })
})

describe('stocks', () => {
  test('a drain empties this CPU at once and the others a little later', () => {
    const state = memcgState({ cpus: 2 })
    const a = makeGroup(state, '/a')
    addProcess(state, { pid: 100, comm: 'hog', group: '/a' })
    for (const cpu of [0, 1]) {
      runAs(state, 100, cpu)
      memcgCharge(state, a.id, 1, GFP_KERNEL)
    }
    drainAllStock(state, 1)
    expect(a.memory.usage).toBe(64 + 1)
    const event = state.queue.heap[0]!
    expect(event).toMatchObject({ atNs: REMOTE_DRAIN_NS, event: { kind: 'drainStock', cpu: 0 } })
    state.nowNs = event.atNs
    handleDrainStock(state, { cpu: 0, memcg: a.id })
    expect(a.memory.usage).toBe(2)
  })
})

describe('kernel objects', () => {
  test('2496 bytes of slab are one page', () => {
    const state = memcgState()
    const a = makeGroup(state, '/a')
    const object = { isReclaimable: true, gfp: GFP_KERNEL }
    memcgChargeSlab(state, a.id, 1112, object)
    memcgChargeSlab(state, a.id, 1384, { ...object, isReclaimable: false })
    expect([a.slabBytes, a.slabPages]).toEqual([2496, 1])
    memcgChargeSlab(state, a.id, 1601, object)
    expect(a.slabPages).toBe(2)
    memcgUnchargeSlab(state, a.id, 4097, { isReclaimable: true })
    expect([a.slabBytes, a.slabPages]).toEqual([0, 0])
  })
})

describe('swap', () => {
  test('a full group refuses slots and says so; room is the smallest on the way up', () => {
    const state = memcgState()
    const parent = makeGroup(state, '/p')
    const child = makeGroup(state, '/p/c')
    parent.swap.max = 100
    child.swap.max = 150
    expect(memcgSwapRoom(state, child.id)).toBe(100)
    expect(memcgSwapCharge(state, child.id, 90)).toBe(true)
    expect(memcgSwapRoom(state, child.id)).toBe(10)
    expect(memcgSwapCharge(state, child.id, 11)).toBe(false)
    expect([child.events[MEMCG_SWAP_MAX], child.events[MEMCG_SWAP_FAIL]]).toEqual([1, 1])
    memcgSwapUncharge(state, child.id, 90)
    expect([parent.swap.usage, parent.swap.watermark]).toEqual([0, 90])
  })
})

describe('groups that go away', () => {
  test('a removed group stays with its charges, and its id is used again once they are gone', () => {
    const state = memcgState()
    const a = makeGroup(state, '/a')
    memcgCharge(state, a.id, 1, GFP_KERNEL)
    expect(removeCgroup(state, cgroupByPath(state, '/a')!.id)).toBeUndefined()
    expect([a.online, a.memory.usage, state.memcgs[a.id] === a]).toEqual([false, 1, true])
    const b = makeGroup(state, '/b')
    expect(b.id).not.toBe(a.id)
    memcgUncharge(state, a.id, 1)
    expect(createMemcg(state, 1, 1)).toBe(a.id)
    expect(state.memcgs[1]!.memory.usage).toBe(0)
  })

  test('moving a process leaves its memory where it is (spec 07 E9)', () => {
    const state = memcgState()
    const a = makeGroup(state, '/a')
    const b = makeGroup(state, '/b')
    const task = addProcess(state, { pid: 100, comm: 'app', group: '/a' })
    memcgCharge(state, taskMemcg(state, task), 25600, GFP_KERNEL)
    attachTask(state, 100, cgroupByPath(state, '/b')!.id)
    memcgCharge(state, taskMemcg(state, task), 512, GFP_KERNEL)
    expect([a.memory.usage, b.memory.usage]).toEqual([25600, 512])
  })
})

test('counters add up the tree after random charges, uncharges, moves and removals', () => {
  const step = fc.record({
    kind: fc.constantFrom('charge', 'uncharge', 'move', 'limit', 'make', 'remove', 'slab'),
    which: fc.nat({ max: 4 }),
    nr: fc.integer({ min: 1, max: 90 }),
    cpu: fc.nat({ max: 1 }),
  })
  const paths = ['/a', '/b', '/a/x', '/a/y', '/b/z']
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const state = memcgState({ cpus: 2 })
      for (const path of paths) makeGroup(state, path)
      addProcess(state, { pid: 100, comm: 'hog', group: '/a/x' })
      let nextPfn = 1
      const charged: { pfn: number; memcg: number }[] = []
      for (const { kind, which, nr, cpu } of steps) {
        runAs(state, 100, cpu)
        const cgroup = cgroupByPath(state, paths[which]!)
        const own = taskMemcg(state, state.tasks[100]!)
        if (kind === 'charge' || kind === 'slab') state.tasks[100]!.killSignal = 0
        if (kind === 'charge') {
          for (let i = 0; i < nr && memcgCharge(state, own, 1, GFP_KERNEL) === 'ok'; i++) {
            setPageMemcg(state.memmap, nextPfn, own)
            charged.push({ pfn: nextPfn++, memcg: own })
          }
          exitedVictims(state)
        }
        if (kind === 'slab') memcgChargeSlab(state, own, nr * 100, { isReclaimable: false, gfp: GFP_NOWAIT })
        if (kind === 'uncharge') {
          for (const page of charged.splice(0, nr)) {
            setPageMemcg(state.memmap, page.pfn, 0)
            memcgUncharge(state, page.memcg, 1)
          }
        }
        if (kind === 'move' && cgroup !== undefined) attachTask(state, 100, cgroup.id)
        if (kind === 'limit' && cgroup !== undefined) state.memcgs[cgroup.memcg]!.memory.max = nr * 8
        if (kind === 'remove' && cgroup !== undefined) removeCgroup(state, cgroup.id)
        if (kind === 'make' && cgroup === undefined) remake(state, paths[which]!)
        expect(checkMemcg(state)).toEqual([])
      }
    }),
    { seed: 11, numRuns: 60 },
  )
})

/** The hog is its own victim each time; it comes back to life for the next step. */
function exitedVictims(state: KernelState): void {
  state.tasks[100]!.isOomVictim = false
  state.tasks[100]!.killSignal = 0
}

function remake(state: KernelState, path: string): void {
  const parent = cgroupByPath(state, path.slice(0, path.lastIndexOf('/')) || '/')
  if (parent !== undefined) createCgroup(state, parent.id, path.slice(path.lastIndexOf('/') + 1))
}
