import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { checkInvariants } from '../check'
import { taskMemcg } from '../cgroup'
import { dirtyPollInterval, globalDomain, maxPause, memcgDomain, minPause, positionRatio } from './balance_dirty'
import { writebackChunk } from './flusher'
import { domainDirtyLimits } from './page_writeback'
import { NR_WRITTEN, readStat } from './vmstat'

const limits = domainDirtyLimits(1_000_000, { ratio: 20, backgroundRatio: 10, bytes: 0, backgroundBytes: 0 })

describe('the numbers of a pause', () => {
  test('a writer runs twice as fast as its share at freerun and stands at the limit', () => {
    expect(positionRatio(limits, (limits.freerun + limits.thresh) / 2)).toBe(1024)
    expect(positionRatio(limits, limits.freerun)).toBeGreaterThan(2000)
    expect(positionRatio(limits, limits.thresh)).toBeLessThan(20)
  })

  test('the further from the limit, the later is the next look; at the limit it is after every page', () => {
    expect([dirtyPollInterval(0, 20_000), dirtyPollInterval(19_000, 20_000)]).toEqual([128, 16])
    expect([dirtyPollInterval(20_000, 20_000), dirtyPollInterval(21_000, 20_000)]).toEqual([1, 1])
  })

  test('nobody sleeps longer than a fifth of a second, nor longer than the device needs for what is dirty', () => {
    expect(maxPause(1_000_000, 25_600)).toBe(50)
    expect(maxPause(8010, 25_600)).toBe(11)
    expect(maxPause(0, 25_600)).toBe(1)
  })

  test('10 ms are aimed at, half of that is worth a sleep; a slow device gets its 128 KiB in one go', () => {
    expect(minPause(50, { device: 25_600, task: 25_600 })).toEqual([2, 200])
    expect(minPause(50, { device: 1000, task: 1000 })).toEqual([5, 32])
    expect(minPause(50, { device: 100, task: 100 })).toEqual([50, 19])
  })

  test('a pause is never negative and a slower task never gets more pages', () => {
    const rate = fc.integer({ min: 1, max: 1_000_000 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), rate, rate, (longest, device, task) => {
        const [shortest, pages] = minPause(longest, { device, task: Math.min(task, device) })
        expect(shortest).toBeGreaterThanOrEqual(0)
        expect(shortest).toBeLessThanOrEqual(Math.max(longest, 26))
        expect(pages).toBeLessThanOrEqual(minPause(longest, { device, task: device })[1])
      }),
    )
  })

  test('a file is written in pieces of 4 MiB that grow with the device and the limit', () => {
    expect(writebackChunk(100, 100)).toBe(1024)
    expect(writebackChunk(500_000, 21_000)).toBe(3072)
  })
})

describe('a writer', () => {
  const MIB_PAGES = 256

  /** Writes `mib` at once and tells how long it took and how far dirty pages went. */
  function write(mib: number, sysctls: Record<string, string> = {}): { ms: number; peak: number; m: TaskMachine } {
    let peak = -Infinity
    const m = new TaskMachine({
      mib: 256,
      files: { f: 1 },
      sysctls,
      afterEvent: (state) => {
        const domain = globalDomain(state)
        peak = Math.max(peak, domain.dirty - domain.limits.thresh)
      },
    })
    const pid = m.spawn()
    const fd = m.perform(pid, { op: 'open', path: '/data/f', write: true }).result
    const startNs = m.state.nowNs
    expect(m.perform(pid, { op: 'write', fd, length: mib * MIB_PAGES * 4096 }).result).toBe(mib * MIB_PAGES * 4096)
    return { ms: (m.state.nowNs - startNs) / 1e6, peak, m }
  }

  test('below the limits only copies', () => {
    const { ms, m } = write(8)
    expect(ms).toBeLessThan(20)
    expect(globalDomain(m.state).dirty).toBe(8 * MIB_PAGES)
  })

  test('above the background limit wakes the flusher at once, not at its next tick', () => {
    const { m } = write(40)
    m.advance(200e6)
    const written = m.state.nodes.reduce((sum, node) => sum + readStat(node.stat, NR_WRITTEN), 0)
    expect(written).toBeGreaterThan(1000)
    expect(globalDomain(m.state).reclaimable).toBe(40 * MIB_PAGES - written)
    expect(m.state.nowNs).toBeLessThan(5e9)
    expect(checkInvariants(m.state)).toEqual([])
  })

  test('of more than fits runs at its device’s speed, and dirty pages stay about the limit', () => {
    // 2 µs a page: 256 MiB take 131 ms at the least.
    const { ms, peak, m } = write(256)
    expect(ms).toBeGreaterThan(80)
    expect(ms).toBeLessThan(400)
    // Between two looks a task may go on for what the device writes in two jiffies.
    expect(peak).toBeLessThan(minPause(50, { device: 500_000, task: 500_000 })[1])
    expect(checkInvariants(m.state)).toEqual([])
  })

  test('in a group is held to what the group could hold, however large the machine', () => {
    const m = new TaskMachine({ mib: 1024, files: { f: 1 } })
    m.write('/sys/fs/cgroup/cgroup.subtree_control', '+memory')
    const pid = m.spawn()
    const made = m.engine.command(
      m.state,
      { kind: 'mkdir', pid: 1, path: '/sys/fs/cgroup/g', parents: false },
      { stopRequested: false },
    )
    expect(made.ok).toBe(true)
    m.write('/sys/fs/cgroup/g/memory.max', String(64 * 1048576))
    m.write('/sys/fs/cgroup/g/cgroup.procs', String(pid))
    const memcg = taskMemcg(m.state, m.task(pid))
    const fd = m.perform(pid, { op: 'open', path: '/data/f', write: true }).result
    m.perform(pid, { op: 'write', fd, length: 48 * 1048576 })
    const machine = globalDomain(m.state)
    const group = memcgDomain(m.state, memcg, machine)
    expect(group.dirtyable).toBeLessThanOrEqual(64 * MIB_PAGES)
    expect(group.dirty).toBeLessThanOrEqual(group.limits.thresh + 64)
    expect(group.limits.thresh).toBeLessThan(machine.limits.freerun)
    expect(checkInvariants(m.state)).toEqual([])
  })
})
