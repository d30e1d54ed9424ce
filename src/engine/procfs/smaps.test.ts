/** smaps and smaps_rollup: layout as captured kernels print it, sums that fit the counters. */
import { describe, expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'

const PAGE = 4096
const HUGE = 512 * PAGE

/** A task with 4 MiB written at a multiple of 2 MiB. */
function machine(series: '6.12' | '6.1') {
  const m = new TaskMachine({ mib: 768, series, thp: 'always' })
  const pid = m.spawn()
  const address = Math.ceil(m.map(pid, 3 * 512) / HUGE) * HUGE
  m.perform(pid, { op: 'touch', address, length: HUGE, mode: 'write' })
  return { m, pid, address }
}

const partOf = (text: string, address: number): string[] => {
  const lines = text.split('\n')
  const at = lines.findIndex((line) => {
    const [start, end] = line
      .split(' ')[0]!
      .split('-')
      .map((word) => Number.parseInt(word, 16))
    return end !== undefined && start! <= address && address < end
  })
  return lines.slice(at, lines.findIndex((line, i) => i > at && line.startsWith('VmFlags')) + 1)
}

describe('a mapping of 6 MiB, a third of it written', () => {
  test('6.12 prints its part as captured', () => {
    const { m, pid, address } = machine('6.12')
    expect(partOf(m.read(`/proc/${pid}/smaps`), address).slice(1)).toEqual([
      'Size:               6144 kB',
      'KernelPageSize:        4 kB',
      'MMUPageSize:           4 kB',
      'Rss:                2048 kB',
      'Pss:                2048 kB',
      'Pss_Dirty:          2048 kB',
      'Shared_Clean:          0 kB',
      'Shared_Dirty:          0 kB',
      'Private_Clean:         0 kB',
      'Private_Dirty:      2048 kB',
      'Referenced:         2048 kB',
      'Anonymous:          2048 kB',
      'KSM:                   0 kB',
      'LazyFree:              0 kB',
      'AnonHugePages:      2048 kB',
      'ShmemPmdMapped:        0 kB',
      'FilePmdMapped:         0 kB',
      'Shared_Hugetlb:        0 kB',
      'Private_Hugetlb:       0 kB',
      'Swap:                  0 kB',
      'SwapPss:               0 kB',
      'Locked:                0 kB',
      'THPeligible:           1',
      'ProtectionKey:         0',
      'VmFlags: rd wr mr mw me ac sd ',
    ])
  })

  test('6.1 knows no KSM line and aligns THPeligible differently', () => {
    const { m, pid, address } = machine('6.1')
    const part = partOf(m.read(`/proc/${pid}/smaps`), address)
    expect(part.filter((line) => /KSM|THP/.test(line))).toEqual(['THPeligible:    1'])
  })

  test('a part that is dropped is no huge page any more; a child shares the rest', () => {
    const { m, pid, address } = machine('6.12')
    m.perform(pid, { op: 'madvise', address, length: PAGE, advice: 'dontneed' })
    const kb = (key: string): number =>
      Number(new RegExp(`^${key}: +(\\d+) kB`, 'm').exec(m.read(`/proc/${pid}/smaps_rollup`))![1])
    const rss = Number(/RssAnon:\s+(\d+)/.exec(m.read(`/proc/${pid}/status`))![1])
    expect([kb('AnonHugePages'), kb('Anonymous')]).toEqual([0, rss])
    const before = kb('Pss_Anon')
    m.perform(pid, { op: 'fork', child: m.task(pid).data })
    expect(kb('Pss_Anon')).toBeLessThan(before)
    expect(kb('Shared_Dirty')).toBeGreaterThanOrEqual(2044)
    expect(m.engine.checkInvariants(m.state)).toEqual([])
  })

  test('the rollup is one line over all mappings, with Pss by kind', () => {
    const { m, pid } = machine('6.12')
    const lines = m.read(`/proc/${pid}/smaps_rollup`).split('\n')
    expect(lines[0]).toMatch(/^[0-9a-f]+-7f+000 ---p 00000000 00:00 0 {30}\[rollup\]$/)
    expect(lines.map((line) => line.split(':')[0]).slice(1, 7)).toEqual([
      'Rss',
      'Pss',
      'Pss_Dirty',
      'Pss_Anon',
      'Pss_File',
      'Pss_Shmem',
    ])
  })
})

test('use_zero_page off: a read takes real memory; other words are refused', () => {
  const m = new TaskMachine({ mib: 768, thp: 'always' })
  const dir = '/sys/kernel/mm/transparent_hugepage'
  expect([m.read(`${dir}/use_zero_page`), m.read(`${dir}/hpage_pmd_size`)]).toEqual(['1\n', '2097152\n'])
  expect([m.write(`${dir}/use_zero_page`, 'yes'), m.write(`${dir}/use_zero_page`, '0')]).toEqual(['EINVAL', ''])
  const pid = m.spawn()
  m.perform(pid, { op: 'touch', address: m.map(pid, 512), length: HUGE, mode: 'read' })
  expect(m.number('/proc/vmstat', 'thp_fault_alloc')).toBe(1)
  expect(m.number('/proc/meminfo', 'AnonHugePages:')).toBe(2048)
})
