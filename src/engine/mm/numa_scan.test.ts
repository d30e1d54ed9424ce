import { describe, expect, test } from 'vitest'
import type { KernelState } from '../state'
import type { Mm } from './mm_types'
import {
  createNumaBalancing,
  cpupidCpu,
  cpupidMatchPid,
  lastCpupid,
  makeCpupid,
  resetLastCpupid,
  xchgLastCpupid,
} from './numa_state'
import { taskScanMax, taskScanMin } from './numa_scan'

const PAGES_PER_MIB = 256

/** An address space with so much resident memory, and nothing else. */
function withRss(mib: number): { state: KernelState; mm: Mm } {
  const mm = { id: 0, users: 1, rss: Float64Array.of(0, mib * PAGES_PER_MIB, 0, 0), rssPending: new Int32Array(4) }
  return { state: { numa: createNumaBalancing(2), mms: [mm] } as unknown as KernelState, mm: mm as unknown as Mm }
}

describe('scan periods (spec 08 §8.3, E10)', () => {
  test.each([
    [0, 1000, 60_000],
    [256, 1000, 60_000],
    [1024, 250, 15_000],
    [4096, 100, 3750],
  ])('%s MiB resident: from %s to %s ms', (mib, least, most) => {
    const { state, mm } = withRss(mib)
    expect(taskScanMin(state, mm)).toBe(least)
    expect(taskScanMax(state, mm)).toBe(most)
  })

  test('a larger scan size makes fewer windows, and a higher floor', () => {
    const { state, mm } = withRss(4096)
    state.numa.knobs.scan_size_mb = 1024
    expect(taskScanMin(state, mm)).toBe(500)
  })
})

describe('who used a page last', () => {
  test('a cpupid keeps the CPU and eight bits of the pid, and is never 0', () => {
    const cpupid = makeCpupid(3, 0x1205)
    expect(cpupidCpu(cpupid)).toBe(3)
    expect(cpupidMatchPid(cpupid, 0x3405)).toBe(true)
    expect(cpupidMatchPid(cpupid, 0x1206)).toBe(false)
    expect(makeCpupid(0, 0)).not.toBe(0)
  })

  test('frames that are freed forget it', () => {
    const { state } = withRss(0)
    expect(xchgLastCpupid(state, 1000, 7)).toBe(0)
    expect(xchgLastCpupid(state, 1000, 8)).toBe(7)
    resetLastCpupid(state, 992, 16)
    expect(lastCpupid(state, 1000)).toBe(0)
  })
})
