import { expect, test } from 'vitest'
import { plainMachine } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import { createEngine } from '../index'
import type { KernelState } from '../state'

const engine = createEngine({ programs: {} })
const boot = (): KernelState => engine.boot(plainMachine(256 * MIB), 1)
const VM = '/proc/sys/vm'
const POOL = '/sys/kernel/mm/hugepages/hugepages-2048kB'

function write(state: KernelState, path: string, text: string): string {
  const result = engine.writeFile(state, path, text)
  return result.ok ? '' : result.error.errno
}
function read(state: KernelState, path: string): string {
  const result = engine.readFile(state, path)
  return result.ok ? result.value.trim() : result.error.errno
}

const TOO_MUCH = '99999999999999999999'

test.each([
  [`${VM}/nr_hugepages`, TOO_MUCH, 'EINVAL'],
  [`${VM}/nr_overcommit_hugepages`, TOO_MUCH, 'EINVAL'],
  [`${POOL}/nr_hugepages`, TOO_MUCH, 'ERANGE'],
  [`${POOL}/nr_hugepages`, '-1', 'EINVAL'],
  [`${VM}/dirty_bytes`, '8191', 'EINVAL'],
  [`${VM}/dirty_background_bytes`, '0', 'EINVAL'],
  [`${VM}/lowmem_reserve_ratio`, TOO_MUCH, 'EINVAL'],
  [`${VM}/compaction_proactiveness`, '101', 'EINVAL'],
  [`${VM}/swappiness`, '201', 'EINVAL'],
  [`${VM}/min_free_kbytes`, 'many', 'EINVAL'],
])('%s refuses %s with %s and stays as it was', (path, text, errno) => {
  const state = boot()
  const before = read(state, path)
  expect(write(state, path, text)).toBe(errno)
  expect(read(state, path)).toBe(before)
})

test.each(['nr_hugepages', 'nr_overcommit_hugepages', 'dirty_bytes', 'admin_reserve_kbytes', 'overcommit_kbytes'])(
  'a negative number changes nothing in %s, which is an unsigned long',
  (name) => {
    const state = boot()
    const before = read(state, `${VM}/${name}`)
    expect(write(state, `${VM}/${name}`, '-1')).toBe('')
    expect(read(state, `${VM}/${name}`)).toBe(before)
  },
)

test.each(['oom_dump_tasks', 'oom_kill_allocating_task'])('%s is a plain int: -1 means yes', (name) => {
  const state = boot()
  expect(write(state, `${VM}/${name}`, '-1')).toBe('')
  expect(read(state, `${VM}/${name}`)).toBe('-1')
})

test('dirty_bytes takes two pages and clears dirty_ratio', () => {
  const state = boot()
  expect(write(state, `${VM}/dirty_bytes`, '8192')).toBe('')
  expect([read(state, `${VM}/dirty_bytes`), read(state, `${VM}/dirty_ratio`)]).toEqual(['8192', '0'])
})

test('the kernel log never goes back in time, whatever a refused request worked for', () => {
  const state = boot()
  for (const text of ['alloc order=10 count=200', 'alloc order=3 count=0', 'alloc order=10 count=100', 'free 1'])
    write(state, '/sys/kernel/debug/pagewalk/pages', text)
  const stamps = state.klog.map(({ atNs }) => atNs)
  expect(stamps).toEqual(stamps.toSorted((a, b) => a - b))
  expect(stamps.at(-1)).toBe(state.nowNs)
})

test('numa_stat 0 forgets the counters and counts no more, 1 counts again', () => {
  const state = boot()
  const hits = (): number => Number(/^numa_hit (\d+)/m.exec(read(state, '/proc/vmstat'))![1])
  const allocate = (): void => {
    expect(write(state, '/sys/kernel/debug/pagewalk/pages', 'alloc order=0 gfp=GFP_KERNEL')).toBe('')
  }
  const before = hits()
  allocate()
  expect(hits()).toBe(before + 1)
  expect(write(state, `${VM}/numa_stat`, '0')).toBe('')
  expect(hits()).toBe(0)
  allocate()
  expect([hits(), read(state, `${VM}/numa_stat`)]).toEqual([0, '0'])
  expect(state.klog.at(-1)?.text).toBe('disable numa statistics, and clear numa counters')
  expect([write(state, `${VM}/numa_stat`, '2'), write(state, `${VM}/numa_stat`, '1')]).toEqual(['EINVAL', ''])
  allocate()
  expect(hits()).toBe(1)
})

test('zonelists have one order', () => {
  const state = boot()
  expect(['zone', 'Node', 'default'].map((text) => write(state, `${VM}/numa_zonelist_order`, text))).toEqual([
    'EINVAL',
    '',
    '',
  ])
  expect(read(state, `${VM}/numa_zonelist_order`)).toBe('Node')
})
