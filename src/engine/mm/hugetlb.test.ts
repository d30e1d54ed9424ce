import { describe, expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { checkInvariants } from '../check'
import { setMaxHugePages } from './hugetlb'
import { nrHugePages } from './hugetlb_pool'
import { machineConfig, zoneState } from '../../../test/zone-state'
import { pageFacts } from './page_facts'
import { FRAME_HUGE } from './page_kinds'
import { BLOCK_PAGES, pageMapFacts, readOwners } from './page_map'
import * as vs from './vmstat'

const GIB = 2 ** 30
const NR = '/proc/sys/vm/nr_hugepages'

/** Equal nodes of `mib` MiB each, with one CPU each. */
const nodesOf = (count: number, mib: number): ReturnType<typeof zoneState> => {
  const size = mib * 2 ** 20
  const nodes = Array.from({ length: count }, (_, nid) => ({
    nid,
    ranges: [{ start: 4 * GIB + nid * size, end: 4 * GIB + (nid + 1) * size }],
    cpus: [nid],
  }))
  const reservations = nodes.map((n) => ({
    nid: n.nid,
    zone: 'Normal' as const,
    managed: size / 4096,
    returnedLate: 0,
  }))
  return zoneState(machineConfig({ nodes, reservations }))
}

describe('the pool is spread round robin (spec 08 E4, 11 §8)', () => {
  test.each([
    [2, 5, [3, 2]],
    [2, 64, [32, 32]],
    [2, 101, [51, 50]],
    [4, 64, [16, 16, 16, 16]],
    [4, 101, [26, 25, 25, 25]],
  ])('%d nodes, %d pages', (count, pages, expected) => {
    const state = nodesOf(count, 512)
    expect(setMaxHugePages(state, state.hugetlb[0]!, pages)).toBeUndefined()
    expect(state.nodes.map((n) => state.hugetlb[0]!.nr[n.nid])).toEqual(expected)
  })

  test('the next pages go where the last round ended', () => {
    const state = nodesOf(2, 256)
    setMaxHugePages(state, state.hugetlb[0]!, 1)
    setMaxHugePages(state, state.hugetlb[0]!, 2)
    expect([0, 1].map((nid) => state.hugetlb[0]!.nr[nid])).toEqual([1, 1])
  })
})

describe('nr_hugepages', () => {
  test('takes whole blocks out of free memory and gives them back', () => {
    const machine = new TaskMachine({ mib: 128 })
    const { state } = machine
    const free = machine.number('/proc/meminfo', 'MemFree')
    expect(machine.write(NR, '10')).toBe('')
    expect(machine.read(NR)).toBe('10\n')
    const rows = ['HugePages_Total', 'HugePages_Free', 'HugePages_Rsvd', 'HugePages_Surp', 'Hugetlb']
    expect(rows.map((name) => machine.number('/proc/meminfo', name))).toEqual([10, 10, 0, 0, 20480])
    expect(free - machine.number('/proc/meminfo', 'MemFree')).toBeGreaterThanOrEqual(20480)
    expect(machine.number('/proc/vmstat', 'htlb_buddy_alloc_success')).toBe(10)
    expect(checkInvariants(state)).toEqual([])
    expect(machine.write(NR, '0')).toBe('')
    expect(nrHugePages(state.hugetlb[0]!)).toBe(0)
    expect(checkInvariants(state)).toEqual([])
  })

  test('more than memory holds: the file shows what was reached, and that is no error', () => {
    const machine = new TaskMachine({ mib: 128 })
    expect(machine.write(NR, '1000')).toBe('')
    const got = nrHugePages(machine.state.hugetlb[0]!)
    expect(got).toBeGreaterThan(10)
    expect(got).toBeLessThan(64)
    expect(machine.number('/proc/vmstat', 'htlb_buddy_alloc_fail')).toBe(1)
    expect(checkInvariants(machine.state)).toEqual([])
    machine.write(NR, '0')
    expect(checkInvariants(machine.state)).toEqual([])
  })

  test('page cache makes way as far as 16 rounds of reclaim and one compaction go; dropped, it makes way for all', () => {
    const machine = new TaskMachine({ mib: 128, files: { '/f': 20000 } })
    const pid = machine.spawn()
    const fd = machine.open(pid, '/data/f')
    machine.perform(pid, { op: 'read', fd, length: 20000 * 4096 })
    const done = machine.perform(pid, { op: 'writeFile', path: NR, text: '60' })
    expect([done.errno, done.result]).toEqual(['', 2])
    // MGLRU frees 64 pages a round, so that a full machine has hardly frames to move pages into.
    expect(nrHugePages(machine.state.hugetlb[0]!)).toBeGreaterThan(10)
    expect(nrHugePages(machine.state.hugetlb[0]!)).toBeLessThan(50)
    expect(machine.number('/proc/vmstat', 'htlb_buddy_alloc_fail')).toBe(1)
    expect(checkInvariants(machine.state)).toEqual([])
    machine.write('/proc/sys/vm/drop_caches', '1')
    machine.perform(pid, { op: 'writeFile', path: NR, text: '50' })
    expect(nrHugePages(machine.state.hugetlb[0]!)).toBe(50)
    expect(vs.vmEvent(machine.state.vmstat, vs.PGSTEAL_DIRECT)).toBeGreaterThan(0)
    expect(checkInvariants(machine.state)).toEqual([])
  })

  test('words are refused, a negative number changes nothing', () => {
    const machine = new TaskMachine()
    expect(['many', '-1', ''].map((text) => machine.write(NR, text))).toEqual(['EINVAL', '', 'EINVAL'])
    expect(machine.read(NR)).toBe('0\n')
  })

  test('sysfs says the same, for the machine and for the node', () => {
    const machine = new TaskMachine({ mib: 128 })
    const dirs = [
      '/sys/kernel/mm/hugepages/hugepages-2048kB',
      '/sys/devices/system/node/node0/hugepages/hugepages-2048kB',
    ]
    expect(machine.write(`${dirs[0]}/nr_hugepages`, '3')).toBe('')
    expect(dirs.map((dir) => machine.read(`${dir}/free_hugepages`))).toEqual(['3\n', '3\n'])
    expect(machine.write(`${dirs[1]}/nr_hugepages`, '5')).toBe('')
    expect(dirs.map((dir) => machine.read(`${dir}/nr_hugepages`))).toEqual(['5\n', '5\n'])
    expect(dirs.map((dir) => machine.read(`${dir}/surplus_hugepages`))).toEqual(['0\n', '0\n'])
    expect(machine.write('/proc/sys/vm/nr_overcommit_hugepages', '7')).toBe('')
    expect(machine.read(`${dirs[0]}/nr_overcommit_hugepages`)).toBe('7\n')
  })
})

test('every block of a page of 1 GiB is a huge page’s on the map, and its order is 18', () => {
  const state = nodesOf(1, 2048)
  setMaxHugePages(state, state.hugetlb[1]!, 1)
  const head = state.hugetlb[1]!.free[0]![0]!
  const facts = pageMapFacts(state)
  const owners = new Uint8Array(BLOCK_PAGES)
  for (const at of [head, head + BLOCK_PAGES, head + 2 ** 18 - 1]) {
    readOwners(state, facts, Math.floor(at / BLOCK_PAGES), owners)
    expect([owners[0], owners[BLOCK_PAGES - 1]]).toEqual([FRAME_HUGE, FRAME_HUGE])
  }
  expect(pageFacts(state, facts, head + 5000)).toMatchObject({ owner: FRAME_HUGE, order: 18, head })
})
