import { describe, expect, test } from 'vitest'
import { crumbs, dma32, take, type Crumbs } from '../../../test/crumbs'
import { TaskMachine } from '../../../test/task-machine'
import { checkInvariants } from '../check'
import type { KernelState } from '../state'
import { fragmentationScoreNode } from './compaction_score'
import { zoneScanners } from './compaction_scanners'
import { wakeupKcompactd } from './kcompactd'
import { GFP_KERNEL } from './gfp'
import { wakeupKswapd } from './kswapd'
import { drainAllPages } from './pcp'
import * as vs from './vmstat'

const PROACTIVENESS = '/proc/sys/vm/compaction_proactiveness'
const event = (state: KernelState, item: number): number => vs.vmEvent(state.vmstat, item)
const lastRun = (state: KernelState): [string, number] => {
  const { last } = zoneScanners(state, 1)
  return [last?.by ?? '', last?.atNs ?? 0]
}

/** A third of memory is free, 94 percent of it in single pages. */
const fragmented = (): Crumbs => crumbs()

/** Half of memory was never used. */
const roomy = (): Crumbs => crumbs({ mib: 128 })

/** Fragmented, and no page can be moved. */
function stuck(): Crumbs {
  const made = fragmented()
  const { machine, pid, address, pages } = made
  for (let i = 0; i < pages; i += 2) machine.perform(pid, { op: 'mlock', address: address + i * 4096, length: 4096 })
  machine.write('/proc/sys/vm/compact_unevictable_allowed', '0')
  return made
}

describe('a request that nobody compacts for', () => {
  test('wakes it, is made, and it sleeps again', () => {
    const { machine, state } = crumbs()
    machine.write(PROACTIVENESS, '0')
    take(state, 5)
    wakeupKcompactd(state, 0, 9, 3)
    machine.advance(1e9)
    expect(event(state, vs.COMPACT_DAEMON_WAKE)).toBe(1)
    expect(2 * dma32(state).nrFree[10]! + dma32(state).nrFree[9]!).toBeGreaterThan(0)
    const { pid } = state.compaction.kcompactd[0]!
    expect([machine.task(pid).comm, machine.task(pid).state]).toEqual(['kcompactd0', 'S'])
    expect(event(state, vs.COMPACT_DAEMON_MIGRATE_SCANNED)).toBe(event(state, vs.COMPACT_MIGRATE_SCANNED))
    expect(event(state, vs.COMPACT_DAEMON_FREE_SCANNED)).toBe(event(state, vs.COMPACT_FREE_SCANNED))
    expect(event(state, vs.COMPACT_STALL)).toBe(0)
    expect(checkInvariants(state)).toEqual([])
  })

  test('that came while the node was not suitable is taken up when the timer looks', () => {
    const { machine, state } = fragmented()
    state.compaction.kcompactd[0]!.maxOrder = 9
    machine.advance(600e6)
    expect(event(state, vs.COMPACT_DAEMON_WAKE)).toBe(1)
  })
})

test('is woken when kswapd has reclaimed because pageblocks got mixed', () => {
  const { machine, state } = crumbs()
  machine.write(PROACTIVENESS, '0')
  take(state, 5)
  dma32(state).watermarkBoost = 1000
  wakeupKswapd(state, dma32(state), GFP_KERNEL, 0, 3)
  machine.advance(1e9)
  expect([event(state, vs.PAGEOUTRUN), event(state, vs.COMPACT_DAEMON_WAKE)]).toEqual([1, 1])
  expect(dma32(state).watermarkBoost).toBe(0)
  expect(lastRun(state)[0]).toBe('kcompactd')
})

describe('work of its own (spec 08 §8.7 "Proactive")', () => {
  test('begins within half a second of a score above 90 and ends at 80, without counting as woken', () => {
    const { machine, state } = fragmented()
    expect(fragmentationScoreNode(state, 0)).toBeGreaterThan(90)
    expect(lastRun(state)).toEqual(['', 0])
    machine.advance(600e6)
    drainAllPages(state)
    expect(fragmentationScoreNode(state, 0)).toBeLessThan(81)
    expect(lastRun(state)[0]).toBe('proactive')
    expect(event(state, vs.COMPACT_DAEMON_MIGRATE_SCANNED)).toBeGreaterThan(0)
    expect(event(state, vs.COMPACT_DAEMON_WAKE)).toBe(0)
    expect(checkInvariants(state)).toEqual([])
  })

  test('is not begun at a score of 90 or less', () => {
    const { machine, state } = roomy()
    expect(fragmentationScoreNode(state, 0)).toBeLessThan(90)
    machine.advance(2e9)
    expect(lastRun(state)).toEqual(['', 0])
  })

  test('proactiveness 0 never works, and writing another value looks at once', () => {
    const { machine, state } = crumbs()
    machine.write(PROACTIVENESS, '0')
    machine.advance(5e9)
    expect(lastRun(state)).toEqual(['', 0])
    machine.write(PROACTIVENESS, '20')
    machine.advance(100e6)
    expect(lastRun(state)[0]).toBe('proactive')
  })

  test('a larger value works at a lower score', () => {
    const { machine, state } = roomy()
    const before = fragmentationScoreNode(state, 0)
    expect(before).toBeLessThan(90)
    machine.write(PROACTIVENESS, '90')
    machine.advance(100e6)
    drainAllPages(state)
    expect(fragmentationScoreNode(state, 0)).toBeLessThan(before)
  })

  test('work that does not lower the score rests for 32 s, unless the sysctl is written', () => {
    const { machine, state } = stuck()
    machine.advance(600e6)
    const first = lastRun(state)
    expect(first[0]).toBe('proactive')
    machine.advance(31e9)
    expect(lastRun(state)).toEqual(first)
    machine.advance(1.5e9)
    const second = lastRun(state)
    expect(second[1]).toBeGreaterThan(first[1])
    machine.write(PROACTIVENESS, '20')
    machine.advance(100e6)
    expect(lastRun(state)[1]).toBeGreaterThan(second[1])
  })

  test.each(['101', '-1', 'much', ''])('%j is no proactiveness', (text) => {
    const machine = new TaskMachine()
    expect(machine.write(PROACTIVENESS, text)).toBe('EINVAL')
    expect(machine.read(PROACTIVENESS)).toBe('20\n')
  })
})
