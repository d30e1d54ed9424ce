import { expect, test } from 'vitest'
import vectors from '../../../test/vectors.json'
import { addProcess, makeGroup, memcgState, runAs } from '../../../test/memcg-state'
import { suspend } from '../exec'
import { hooks } from '../hooks'
import { GFP_KERNEL } from './gfp'
import { MEMCG_HIGH, MEMCG_MAX, MEMCG_SWAP_HIGH } from './memcg_events'
import { handleOverHigh, highDelayJiffies, highOverage } from './memcg_high'
import { memcgCharge, memcgSwapCharge, memcgUncharge } from './memcontrol'

test.each(vectors.memory_high_delay)('usage $usage over high $high, $nr_pages pages: $jiffies jiffies', (row) => {
  const overage = highOverage(row.usage, row.high)
  expect(Number(overage)).toBe(row.overage)
  expect(highDelayJiffies(overage, row.nr_pages)).toBe(row.jiffies_uncapped)
})

function throttled(): { state: ReturnType<typeof memcgState>; touchBatch: () => number } {
  const state = memcgState()
  const a = makeGroup(state, '/a')
  a.memory.high = 12800
  const hog = addProcess(state, { pid: 100, comm: 'hog', group: '/a' })
  runAs(state, 100)
  const touchBatch = (): number => {
    let sleptNs = 0
    for (let i = 0; i < 64; i++) {
      memcgCharge(state, a.id, 1, GFP_KERNEL)
      sleptNs += handleOverHigh(state, hog)
    }
    return sleptNs
  }
  return { state, touchBatch }
}

test.each(vectors.captures.memory_high_no_swap_high_12800)(
  '$batches_over batches above memory.high: $high_events events and $slept_ms ms asleep, as captured',
  (row) => {
    const { state, touchBatch } = throttled()
    let sleptNs = 0
    for (let i = 0; i < 200 + row.batches_over; i++) sleptNs += touchBatch()
    const a = state.memcgs[2]!
    expect(a.memory.usage * 4096).toBe(row.usage_bytes)
    expect(a.events[MEMCG_HIGH]).toBe(row.high_events)
    expect(sleptNs / 1e6).toBe(row.slept_ms)
    expect(a.events[MEMCG_MAX]).toBe(0)
  },
)

test('while reclaim makes progress the task reclaims and never sleeps', () => {
  const { touchBatch } = throttled()
  const goals: number[] = []
  hooks.tryToFreeMemcgPages = (s, id, nr) => {
    goals.push(nr)
    memcgUncharge(s, id, 32)
    return 32
  }
  let sleptNs = 0
  for (let i = 0; i < 300; i++) sleptNs += touchBatch()
  expect(sleptNs).toBe(0)
  // The first round asks for what was charged, further rounds for one cluster.
  expect(new Set(goals)).toEqual(new Set([64, 32]))
})

test('a killed task owes nothing any more', () => {
  const { state, touchBatch } = throttled()
  for (let i = 0; i < 240; i++) touchBatch()
  state.tasks[100]!.overHigh = 64
  state.tasks[100]!.killSignal = 9
  expect(handleOverHigh(state, state.tasks[100]!)).toBe(0)
})

test('a reclaim that has to wait keeps the debt', () => {
  const { state } = throttled()
  hooks.tryToFreeMemcgPages = (s) => {
    suspend(s, 5, 'reclaim_throttle')
    return 0
  }
  memcgCharge(state, 2, 12865, GFP_KERNEL)
  expect(handleOverHigh(state, state.tasks[100]!)).toBe(0)
  expect(state.tasks[100]!.overHigh).toBe(12865)
})

test('the worst group on the way up decides; every group above its line is reclaimed from', () => {
  const state = memcgState()
  const parent = makeGroup(state, '/p')
  const child = makeGroup(state, '/p/c')
  parent.memory.high = 1000
  child.memory.high = 1990
  const task = addProcess(state, { pid: 100, comm: 'hog', group: '/p/c' })
  runAs(state, 100)
  memcgCharge(state, child.id, 2000, GFP_KERNEL)
  task.overHigh = 64
  expect(handleOverHigh(state, task)).toBe(2_000_000_000)
  expect([parent.eventsLocal[MEMCG_HIGH], child.eventsLocal[MEMCG_HIGH]]).toEqual([17, 17])
  expect(parent.events[MEMCG_HIGH]).toBe(34)
})

test('swap above memory.swap.high counts its own event and sleeps too', () => {
  const state = memcgState()
  const a = makeGroup(state, '/a')
  a.swap.high = 100
  const task = addProcess(state, { pid: 100, comm: 'hog', group: '/a' })
  runAs(state, 100)
  memcgSwapCharge(state, a.id, 120)
  memcgCharge(state, a.id, 1, GFP_KERNEL)
  expect(task.overHigh).toBe(64)
  expect(handleOverHigh(state, task)).toBe(2_000_000_000)
  expect([a.events[MEMCG_SWAP_HIGH], a.events[MEMCG_HIGH]]).toEqual([17, 0])
})
