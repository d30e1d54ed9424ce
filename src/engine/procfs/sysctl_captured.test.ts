import { describe, expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { captureConfig, captureText, staticCaptures } from '../../../test/static-captures'
import { bootMachine } from '../machine'
import type { KernelState } from '../state'
import { pseudo } from './index'

const VM = '/proc/sys/vm'
/**
 * hugetlb_optimize_vmemmap: its effect is not there, so neither is the file. user_reserve_kbytes: a share of what was free
 * in the middle of boot; ours is 1 to 2 % less, because all of boot is done by then.
 */
const APART = ['hugetlb_optimize_vmemmap', 'user_reserve_kbytes']

describe.each(['static-1g-2cpu', 'static-1g-full612', 'static-2g-k61'])('/proc/sys/vm of %s', (name) => {
  const capture = staticCaptures().find((c) => c.name === name)!
  const release = /Linux version (\S+)/.exec(captureText(capture, 'base/version'))![1]!
  const state = bootMachine({ ...captureConfig(capture, 'captured'), release }, 1)
  const rows = captureText(capture, 'base/sysctl-vm.txt')
    .trim()
    .split('\n')
    .map((line) => line.split(' = ') as [string, string])

  test('every file that the kernel has is there, with what it shows after boot', () => {
    const real = rows.filter(([file]) => !APART.includes(file))
    const ours = real.map(([file]) => {
      const text = pseudo.read(state, `${VM}/${file}`, 1, true)
      return [file, typeof text === 'string' ? text.trim().replaceAll('\t', ' ') : text.errno]
    })
    expect(ours).toEqual(real.map(([file, value]) => [file, value.trim()]))
  })

  test('no file is there that the kernel does not have', () => {
    const known = new Set(rows.map(([file]) => file))
    const writeOnly = ['compact_memory', 'drop_caches', 'stat_refresh']
    expect(pseudo.list(state, VM).filter((file) => !known.has(file) && !writeOnly.includes(file))).toEqual([])
  })
})

describe('what may be written', () => {
  const machine = (): TaskMachine => new TaskMachine()
  const write = (state: KernelState, file: string, text: string): string =>
    pseudo.write(state, `${VM}/${file}`, text, 1) ?? ''
  const read = (state: KernelState, path: string): string => String(pseudo.read(state, path, 1, true)).trim()

  test.each([
    ['mmap_rnd_bits', '27', 'EINVAL'],
    ['mmap_rnd_bits', '32', ''],
    ['mmap_rnd_compat_bits', '17', 'EINVAL'],
    ['memory_failure_recovery', '2', 'EINVAL'],
    ['page_lock_unfairness', '-1', 'EINVAL'],
    ['memfd_noexec', '3', 'EINVAL'],
    ['hugetlb_shm_group', '-1', ''],
    ['dirtytime_expire_seconds', '-1', 'EINVAL'],
    ['laptop_mode', '5', ''],
    ['laptop_mode', '8589935', 'EINVAL'],
    ['stat_interval', '-1', ''],
    ['overcommit_ratio', '-1', ''],
    ['mmap_min_addr', '131072', ''],
  ])('%s takes %s with %s', (file, text, errno) => {
    const { state } = machine()
    expect(write(state, file, text)).toBe(errno)
    if (errno === '') expect(read(state, `${VM}/${file}`)).toBe(text)
  })

  test('an overcommit_ratio of -1 promises more than any machine has', () => {
    const { state } = machine()
    const limit = (): number => Number(/CommitLimit: +(\d+)/.exec(read(state, '/proc/meminfo'))![1])
    const before = limit()
    expect(write(state, 'overcommit_ratio', '-1')).toBe('')
    expect(limit()).toBeGreaterThan(2 ** 58)
    expect(write(state, 'overcommit_ratio', '50')).toBe('')
    expect(limit()).toBe(before)
  })

  test('with legacy_va_layout a new program gets its mappings from a third of the address space upwards', () => {
    const m = machine()
    const place = (): number[] => {
      const pid = m.run(['puppet'])
      m.advance(1e9)
      return [0, 1].map(() => {
        m.begin(pid, { op: 'mmap', length: 3 * 4096, prot: 3, flags: 0x22 })
        m.advance(1e9)
        return m.outcomeOf(pid)!.result
      })
    }
    const [first, second] = place()
    expect(second).toBe(first! - 3 * 4096)
    expect(write(m.state, 'legacy_va_layout', '1')).toBe('')
    expect(place()).toEqual([0x2aaaaaaab000, 0x2aaaaaaab000 + 3 * 4096])
  })

  test('the statistics tick comes again at once when stat_interval is not above zero', () => {
    const m = machine()
    m.advance(2e9)
    expect(write(m.state, 'stat_interval', '0')).toBe('')
    m.advance(2e9)
    const before = m.state.eventCount
    m.advance(1e9)
    expect(m.state.eventCount - before).toBeGreaterThan(200)
  })
})
