import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fakeConfig, fakeEngine } from '../../test/support/fake-engine'
import type { Command } from '../engine/commands'
import type { KernelState } from '../engine/state'
import { digestTree } from '../util/hash'
import {
  addCheckpoint,
  createRewind,
  cutHere,
  isLive,
  nearestStopNs,
  noteCommand,
  noteLive,
  replay,
  restoreBefore,
  type Rewind,
} from './rewind'

const engine = fakeEngine()
const MS = 1_000_000
const burn = (n: number): Command => ({ kind: 'spawn', parent: 1, argv: ['burn', String(n)] })

/** Runs live with checkpoints and commands; returns the digest after each step. */
function record(seed: number, budget = 1 << 26) {
  const rewind = createRewind(budget)
  const state = engine.boot(fakeConfig(), seed)
  addCheckpoint(rewind, engine, state)
  const seen: { atNs: number; digest: string }[] = []
  for (let i = 0; i < 40; i++) {
    if (i % 7 === 0) give(rewind, state, burn(5 + i))
    if (i % 9 === 4) give(rewind, state, { kind: 'signal', pid: 2 + (i % 3), signal: 9, from: 1 })
    engine.runUntil(state, (i + 1) * 3 * MS + (i % 4))
    noteLive(rewind, state)
    if (i % 5 === 0) addCheckpoint(rewind, engine, state)
    seen.push({ atNs: state.nowNs, digest: digestTree(state) })
  }
  return { rewind, state, seen }
}

function give(rewind: Rewind, state: KernelState, command: Command): void {
  noteCommand(rewind, state, command)
  engine.command(state, command)
}

function seek(rewind: Rewind, atNs: number): KernelState {
  const state = restoreBefore(rewind, engine, atNs)
  replay(rewind, engine, state, { atNs, eventCount: Infinity })
  return state
}

test('the state after a seek is the state that was there before', () => {
  const { rewind, seen } = record(5)
  fc.assert(
    fc.property(fc.nat(seen.length - 2), (i) => {
      // A command given at exactly that time belongs to the moment, so look just before the next one.
      const state = seek(rewind, seen[i]!.atNs)
      const hasCommand = rewind.log.some((c) => c.atNs === seen[i]!.atNs)
      if (!hasCommand) expect(digestTree(state)).toBe(seen[i]!.digest)
      expect(state.nowNs).toBe(seen[i]!.atNs)
      expect(isLive(rewind, state)).toBe(false)
    }),
    { seed: 1, numRuns: 60 },
  )
})

test('going forward again from anywhere ends in the same bits', () => {
  const { rewind, seen } = record(6)
  const last = seen.at(-1)!
  for (const atNs of [0, 1, 10 * MS, 33 * MS + 7, last.atNs - 1]) {
    const state = seek(rewind, atNs)
    expect(replay(rewind, engine, state, { atNs: last.atNs, eventCount: Infinity })).toBe(true)
    expect(digestTree(state)).toBe(last.digest)
    expect(isLive(rewind, state)).toBe(true)
  }
})

test('stepping one event at a time passes every command at its place', () => {
  const { rewind, state: end, seen } = record(7)
  const state = seek(rewind, 0)
  let steps = state.eventCount
  while (!replay(rewind, engine, state, { atNs: Infinity, eventCount: state.eventCount + 1 })) {
    steps++
    expect(state.eventCount).toBe(steps)
  }
  expect(digestTree(state)).toBe(seen.at(-1)!.digest)
  expect(state.eventCount).toBe(end.eventCount)
})

test('commands between two events of one instant are replayed between them', () => {
  const rewind = createRewind(1 << 26)
  const state = engine.boot(fakeConfig(), 1)
  addCheckpoint(rewind, engine, state)
  give(rewind, state, burn(20))
  // Stop after the first event of time 0, then do something, then go on.
  engine.runUntil(state, 0, { stopRequested: true })
  noteLive(rewind, state)
  give(rewind, state, { kind: 'signal', pid: 2, signal: 9, from: 1 })
  engine.runUntil(state, 5 * MS)
  noteLive(rewind, state)
  const digest = digestTree(state)
  const again = seek(rewind, 5 * MS)
  expect(digestTree(again)).toBe(digest)
})

test('acting in the past cuts the log and the checkpoints there', () => {
  const { rewind, seen } = record(8)
  const atNs = seen[20]!.atNs
  const state = seek(rewind, atNs)
  cutHere(rewind, state)
  expect(isLive(rewind, state)).toBe(true)
  expect(rewind.endNs).toBe(atNs)
  expect(rewind.log.every((c) => c.atNs <= atNs)).toBe(true)
  expect(rewind.stops.every((s) => s.checkpoint.atNs <= atNs)).toBe(true)
  give(rewind, state, burn(3))
  engine.runUntil(state, 200 * MS)
  noteLive(rewind, state)
  const digest = digestTree(state)
  expect(digestTree(seek(rewind, 200 * MS))).toBe(digest)
})

test('checkpoints stay inside the budget, keep the first, and are denser near the end', () => {
  const rewind = createRewind(3_000_000)
  const state = engine.boot(fakeConfig(), 2)
  addCheckpoint(rewind, engine, state)
  give(rewind, state, burn(4000))
  for (let i = 1; i <= 400; i++) {
    engine.runUntil(state, i * 10 * MS)
    noteLive(rewind, state)
    addCheckpoint(rewind, engine, state)
    expect(rewind.bytes).toBeLessThanOrEqual(rewind.budgetBytes)
  }
  const times = rewind.stops.map((s) => s.checkpoint.atNs / MS)
  expect(times[0]).toBe(0)
  expect(times.length).toBeGreaterThan(5)
  expect(times.at(-1)).toBe(4000)
  const gaps = times.slice(1).map((t, i) => t - times[i]!)
  expect(gaps.at(-1)!).toBeLessThan(Math.max(...gaps))
})

test('the nearest copy before a moment is known, so that a long way forward is cut short', () => {
  const { rewind, seen } = record(9)
  const times = rewind.stops.map((s) => s.checkpoint.atNs)
  expect(times.length).toBeGreaterThan(5)
  expect(nearestStopNs(rewind, seen[30]!.atNs)).toBe(Math.max(...times.filter((t) => t <= seen[30]!.atNs)))
  expect(nearestStopNs(rewind, 0)).toBe(0)
})
