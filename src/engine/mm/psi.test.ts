import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { addProcess, makeGroup, memcgState, runAs } from '../../../test/memcg-state'
import { pressureText } from '../procfs/pressure'
import type { KernelState } from '../state'
import type { Task } from '../task'
import {
  calcAverages,
  createPsiGroup,
  formatPressure,
  handlePsiTick,
  memstallEnter,
  memstallLeave,
  psiDequeue,
  psiEnqueue,
  PSI_PERIOD_NS,
} from './psi'

const { psi } = JSON.parse(readFileSync(new URL('../../../test/vectors.json', import.meta.url), 'utf8')) as {
  psi: { period: number; stall_percent: number; avg: string[] }[]
}

test('averages of 50 % stall for five periods, then none (spec 05 E8)', () => {
  const group = createPsiGroup()
  const state = memcgState()
  const seen = psi.map((row) => {
    calcAverages(group.avg, 0, 0, row.stall_percent * 1_000_000, 100_000_000)
    return formatPressure(state, { ...group, nextAverageNs: Infinity })
      .split('\n')[0]!
      .match(/=(\d+\.\d+)/g)!
      .map((text) => text.slice(1))
  })
  expect(seen).toEqual(psi.map((row) => row.avg))
})

test('periods nobody looked at decay like idle ones', () => {
  const watched = createPsiGroup()
  const missed = createPsiGroup()
  calcAverages(watched.avg, 0, 0, 50, 100)
  calcAverages(missed.avg, 0, 0, 50, 100)
  for (let i = 0; i < 4; i++) calcAverages(watched.avg, 0, 0, 0, 100)
  calcAverages(missed.avg, 0, 3, 0, 100)
  expect([...missed.avg]).toEqual([...watched.avg])
})

describe('stall times (spec 05 §5.15)', () => {
  const MS = 1_000_000
  const machine = (cpus = 1): { state: KernelState; task: (pid: number, cpu?: number) => Task } => {
    const state = memcgState({ cpus })
    return {
      state,
      task: (pid, cpu = 0) => {
        const t = addProcess(state, { pid, comm: `t${pid}` })
        t.cpu = cpu
        runAs(state, pid, cpu)
        psiEnqueue(state, t)
        return t
      },
    }
  }
  const totals = (text: string): number[] => [...text.matchAll(/total=(\d+)/g)].map((m) => Number(m[1]))

  test('a task that reclaims alone is some and full', () => {
    const { state, task } = machine()
    const t = task(10)
    state.nowNs = 10 * MS
    memstallEnter(state, t)
    state.nowNs = 15 * MS
    memstallLeave(state, t)
    state.nowNs = 20 * MS
    expect(totals(pressureText(state))).toEqual([5000, 5000])
    expect(t.stallNs).toBe(5 * MS)
  })

  test('while another task of the CPU makes progress a sleeper is some, not full', () => {
    const { state, task } = machine()
    const sleeper = task(10)
    task(11)
    memstallEnter(state, sleeper)
    psiDequeue(state, sleeper)
    state.nowNs = 8 * MS
    psiEnqueue(state, sleeper)
    memstallLeave(state, sleeper)
    expect(totals(pressureText(state))).toEqual([8000, 0])
  })

  test('CPUs count by their busy time: one of two stalled is half', () => {
    const { state, task } = machine(2)
    const stalled = task(10, 0)
    task(11, 1)
    runAs(state, 10, 0)
    memstallEnter(state, stalled)
    state.nowNs = 10 * MS
    memstallLeave(state, stalled)
    expect(totals(pressureText(state))).toEqual([5000, 5000])
  })

  test('a nested stall ends with the outer one', () => {
    const { state, task } = machine()
    const t = task(10)
    const outer = memstallEnter(state, t)
    const inner = memstallEnter(state, t)
    memstallLeave(state, t, inner)
    state.nowNs = 3 * MS
    memstallLeave(state, t, outer)
    expect(totals(pressureText(state))[0]).toBe(3000)
  })

  test('a stall counts in the group of the task and above, not beside it', () => {
    const state = memcgState()
    const a = makeGroup(state, '/a')
    const b = makeGroup(state, '/b')
    const t = addProcess(state, { pid: 10, comm: 't', group: '/a' })
    runAs(state, 10)
    psiEnqueue(state, t)
    memstallEnter(state, t)
    state.nowNs = 4 * MS
    memstallLeave(state, t)
    expect(totals(formatPressure(state, a.psi))).toEqual([4000, 4000])
    expect(totals(formatPressure(state, b.psi))).toEqual([0, 0])
    expect(totals(pressureText(state))).toEqual([4000, 4000])
  })

  test('the tick makes averages; reading changes nothing', () => {
    const { state, task } = machine()
    const t = task(10)
    memstallEnter(state, t)
    state.nowNs = PSI_PERIOD_NS
    const before = JSON.stringify(state.psi)
    expect(pressureText(state)).toMatchInlineSnapshot(`
      "some avg10=18.11 avg60=3.27 avg300=0.68 total=2004000
      full avg10=18.11 avg60=3.27 avg300=0.68 total=2004000
      "
    `)
    expect(JSON.stringify(state.psi)).toBe(before)
    handlePsiTick(state)
    expect(state.psi.avg[0]).toBeGreaterThan(0)
  })
})
