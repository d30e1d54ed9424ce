import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { lruState } from '../../../test/lru-state'
import type { KernelSeries } from '../config'
import type { KernelState } from '../state'
import type { Mm } from './mm_types'
import { totalRamPages, vmCommitLimit, vmEnoughMemory, vmUnacctMemory } from './overcommit'

const { commit_limit_kB: limits } = JSON.parse(
  readFileSync(new URL('../../../test/vectors.json', import.meta.url), 'utf8'),
) as { commit_limit_kB: Record<string, number>[] }

/** A machine of which only sizes matter. */
function machineOf(ramKib: number, swapPages = 0, series: KernelSeries = '6.12'): KernelState {
  const state = lruState({ mib: 64, series })
  state.zones.forEach((zone, i) => Object.assign(zone, { managed: i === 1 ? Math.floor(ramKib / 4) : 0 }))
  state.swapAreas.length = 0
  if (swapPages > 0) state.swapAreas.push({ enabled: true, pages: swapPages, used: 0 } as never)
  state.committedAs = 0
  Object.assign(state.sysctl, { overcommitMemory: 0, overcommitRatio: 50, overcommitKbytes: 0, userReserveKbytes: 0 })
  return state
}

const gib = (n: number): number => Math.floor(n * 262144)

describe('CommitLimit', () => {
  test('half of RAM, in whole pages: 24684084 kB give 12342040 kB (04 E6)', () => {
    expect(vmCommitLimit(machineOf(24684084)) * 4).toBe(12342040)
  })

  test.each(limits)('$totalram_pages pages at $ratio %, $hugetlb_pages of them in the pool', (row) => {
    const state = machineOf(row['totalram_pages']! * 4, row['swap_pages']!)
    state.hugetlb[0]!.nr[0] = row['hugetlb_pages']! / 512
    state.sysctl.overcommitRatio = row['ratio']!
    expect(vmCommitLimit(state) * 4).toBe(row['kB'])
  })

  test('overcommit_kbytes takes the place of the ratio; swap is added to both', () => {
    const state = machineOf(1 << 20, 1000)
    expect(vmCommitLimit(state)).toBe(131072 + 1000)
    state.sysctl.overcommitKbytes = 4000
    expect(vmCommitLimit(state)).toBe(1000 + 1000)
  })
})

describe('mode 0 refuses only what could never be', () => {
  test('8 GiB and 2 GiB of swap: 9.9 GiB yes, 10.1 GiB no, 9 GiB twice yes (04 E7)', () => {
    const state = machineOf(8 << 20, gib(2))
    expect(vmEnoughMemory(state, undefined, gib(9.9))).toBe(true)
    expect(vmEnoughMemory(state, undefined, gib(10.1))).toBe(false)
    expect([1, 2].map(() => vmEnoughMemory(state, undefined, gib(9)))).toEqual([true, true])
    expect(state.committedAs).toBe(gib(9.9) + 2 * gib(9))
  })

  test('24684084 kB without swap: 23 GiB yes, 24 GiB no, three of 20 GiB yes (04 E7, a live machine)', () => {
    const state = machineOf(24684084)
    expect(vmEnoughMemory(state, undefined, gib(23))).toBe(true)
    expect(vmEnoughMemory(state, undefined, gib(24))).toBe(false)
    expect([1, 2, 3].every(() => vmEnoughMemory(state, undefined, gib(20)))).toBe(true)
    expect(state.committedAs).toBeGreaterThan(vmCommitLimit(state))
  })
})

test('mode 1 refuses nothing', () => {
  const state = machineOf(65536)
  state.sysctl.overcommitMemory = 1
  expect(vmEnoughMemory(state, undefined, gib(1000))).toBe(true)
})

describe('mode 2 never promises more than CommitLimit', () => {
  test('the last page below the limit is promised, the one at it is not', () => {
    const state = machineOf(1 << 20)
    state.sysctl.overcommitMemory = 2
    expect(totalRamPages(state)).toBe(262144)
    expect(vmEnoughMemory(state, undefined, 131071)).toBe(true)
    expect(vmEnoughMemory(state, undefined, 1)).toBe(false)
    vmUnacctMemory(state, 1)
    expect(vmEnoughMemory(state, undefined, 1)).toBe(true)
  })

  test('whoever is not root leaves admin_reserve_kbytes', () => {
    const state = machineOf(1 << 20)
    Object.assign(state.sysctl, { overcommitMemory: 2, adminReserveKbytes: 400 })
    state.tasks[7] = { pid: 7, uid: 1000, comm: 'user' } as never
    state.exec.pid = 7
    expect(vmEnoughMemory(state, undefined, 131072 - 100)).toBe(false)
    expect(vmEnoughMemory(state, undefined, 131072 - 101)).toBe(true)
  })

  test('a process leaves a 32nd of its size, at most user_reserve_kbytes', () => {
    const state = machineOf(1 << 20)
    Object.assign(state.sysctl, { overcommitMemory: 2, userReserveKbytes: 400 })
    const small = { totalVm: 640 } as Mm
    const large = { totalVm: 64000 } as Mm
    expect(vmEnoughMemory(state, small, 131072 - 20)).toBe(false)
    expect(vmEnoughMemory(state, small, 131072 - 21)).toBe(true)
    state.committedAs = 0
    expect(vmEnoughMemory(state, large, 131072 - 100)).toBe(false)
    expect(vmEnoughMemory(state, large, 131072 - 101)).toBe(true)
  })
})

test.each([
  ['6.12', '__vm_enough_memory: pid: 0, comm: swapper, bytes: 8589934592 not enough memory for the allocation'],
  ['6.1', '__vm_enough_memory: pid: 0, comm: swapper, no enough memory for the allocation'],
] as const)('%s says in its log what it refused, and promises nothing', (series, line) => {
  const state = machineOf(1 << 20, 0, series)
  expect(vmEnoughMemory(state, undefined, gib(8))).toBe(false)
  expect([state.committedAs, state.klog.at(-1)!.text]).toEqual([0, line])
})
