/** The lab program's phases with huge pages, as captured kernels counted them (11 §3, 08 §8.6). */
import { describe, expect, test } from 'vitest'
import { COW_PHASES } from '../../../test/cow-phases'
import { TaskMachine } from '../../../test/task-machine'
import type { KernelSeries } from '../../engine/config'
import { PROGRAMS } from '..'

interface Phase {
  readonly minflt: number
  readonly vmPte: number
  readonly rss: number
}

const number = (line: string, key: string): number => Number(new RegExp(`${key}=(-?\\d+)`).exec(line)![1])

function run(command: string, series: KernelSeries, thp: 'always' | 'madvise' | 'never' = 'always') {
  const m = new TaskMachine({ mib: 768, programs: PROGRAMS, series, thp })
  expect(m.waitFor(m.run(command.split(' ')))).toBe(0)
  expect(m.engine.checkInvariants(m.state)).toEqual([])
  const phases = new Map<string, Phase>()
  for (const line of m.output.split('\n')) {
    const name = /^(\S+) +minflt=/.exec(line)?.[1]
    if (name === undefined) continue
    const [minflt, vmPte, rss] = ['minflt', 'VmPTE_kB', 'RssAnon_kB'].map((key) => number(line, key))
    phases.set(name, { minflt: minflt!, vmPte: vmPte!, rss: rss! })
  }
  const count = (key: string): number => m.number('/proc/vmstat', key)
  const minor = (...names: string[]): number[] => names.map((n) => phases.get(n)!.minflt)
  const tables = (...names: string[]): number[] => names.map((n) => phases.get(n)!.vmPte - phases.get('mmap')!.vmPte)
  return { phases, count, minor, tables }
}

describe.each(['6.12', '6.1'] as const)('100 MiB, huge pages always, kernel %s', (series) => {
  test('written: 50 faults, 50 tables put by, which DONTNEED gives back', () => {
    const r = run('mm fault mb=100', series)
    const names = ['write_all', 'write_again', 'read_again', 'madv_dontneed', 'write_after_dontneed', 'munmap']
    expect(r.minor(...names)).toEqual([50, 0, 0, 0, 50, 0])
    expect(r.count('thp_fault_alloc')).toBe(100)
    if (series === '6.12') expect(r.tables('write_all', 'madv_dontneed', 'munmap')).toEqual([200, 0, 0])
  })

  test('read first: the huge zero page, then 4 KiB each; the tables stay', () => {
    const r = run('mm fault mb=100 mode=readfirst', series)
    expect(r.minor('read_all', 'write_all', 'write_after_dontneed')).toEqual([50, 25600, 25600])
    expect(r.phases.get('read_all')!.rss).toBe(r.phases.get('mmap')!.rss)
    expect([r.count('thp_zero_page_alloc'), r.count('thp_split_pmd'), r.count('thp_fault_alloc')]).toEqual([1, 50, 0])
    if (series === '6.12') expect(r.tables('read_all', 'madv_dontneed', 'munmap')).toEqual([200, 200, 0])
  })

  test.each(['populate', 'maplocked', 'mlock', 'populate_write'])(
    'mode=%s: 50 faults before the first touch',
    (mode) => {
      const r = run(`mm fault mb=100 mode=${mode}`, series)
      const phase = { mlock: 'mlock', populate_write: 'madv_populate_write' }[mode] ?? 'mmap'
      expect(r.phases.get('write_all')!.minflt).toBe(0)
      if (series === '6.12' || phase !== 'mmap') expect(r.phases.get(phase)!.minflt).toBe(50)
      const locked = mode === 'mlock' || mode === 'maplocked' ? 25600 : 0
      const keys = ['culled', 'mlocked', 'munlocked', 'rescued', 'cleared'].map((k) => r.count(`unevictable_pgs_${k}`))
      expect(keys).toEqual([locked, locked, locked, locked, 0])
    },
  )

  test('copy on write of 50 MiB: 4 KiB copies, but the last owner takes huge pages over whole', () => {
    const r = run('mm cow mb=50 thp=huge', series)
    // 1 more of the parent and 3 of a child: its stack, data and code after the fork.
    expect(r.minor(...COW_PHASES)).toEqual([25, 12800, 0, 25, 12801, 28, 0, 6403])
    const counts = ['thp_fault_alloc', 'thp_split_pmd', 'thp_split_page', 'thp_deferred_split_page'].map(r.count)
    expect(counts).toEqual([25, 50, 0, 0])
  })

  test('advice and switch: who gets huge pages', () => {
    const faults = (command: string, thp: 'always' | 'madvise' | 'never'): number =>
      run(command, series, thp).phases.get('write_all')!.minflt
    expect(faults('mm fault mb=100 thp=nohuge', 'always')).toBe(25600)
    expect(faults('mm fault mb=100', 'madvise')).toBe(25600)
    expect(faults('mm fault mb=100 thp=huge', 'madvise')).toBe(50)
    expect(faults('mm fault mb=100 thp=huge', 'never')).toBe(25600)
  })
})
