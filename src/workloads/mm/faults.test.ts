/** The lab program's phases and their faults, as captured kernels counted them: rows that need no huge pages (11 §3). */
import { describe, expect, test } from 'vitest'
import { COW_PHASES } from '../../../test/cow-phases'
import { TaskMachine, type TaskMachineOptions } from '../../../test/task-machine'
import type { KernelSeries } from '../../engine/config'
import { PROGRAMS } from '..'

interface Phase {
  readonly minflt: number
  readonly majflt: number
  readonly vmPte: number
  readonly vmLck: number
}

const number = (line: string, key: string): number => Number(new RegExp(`${key}=(-?\\d+)`).exec(line)![1])

/** Runs `mm …` and reads its phases by name. */
function run(
  command: string,
  options: TaskMachineOptions = {},
): { phases: Map<string, Phase>; m: TaskMachine; text: string } {
  const m = new TaskMachine({ mib: 256, programs: PROGRAMS, ...options })
  const text = runIn(m, command)
  return { phases: phasesOf(text), m, text }
}

function runIn(m: TaskMachine, command: string): string {
  m.output = ''
  expect(m.waitFor(m.run(command.split(' ')))).toBe(0)
  return m.output
}

function phasesOf(text: string): Map<string, Phase> {
  const phases = new Map<string, Phase>()
  for (const line of text.split('\n')) {
    const name = /^(\S+) +minflt=/.exec(line)?.[1]
    if (name === undefined) continue
    const [minflt, majflt, vmPte, vmLck] = ['minflt', 'majflt', 'VmPTE_kB', 'VmLck_kB'].map((key) => number(line, key))
    phases.set(name, { minflt: minflt!, majflt: majflt!, vmPte: vmPte!, vmLck: vmLck! })
  }
  return phases
}

const minor = (phases: Map<string, Phase>, names: readonly string[]): number[] =>
  names.map((n) => phases.get(n)!.minflt)

const R = 25600

describe.each(['6.12', '6.1'] as const)('100 MiB of 4 KiB pages, kernel %s', (series) => {
  const options = { series }

  test('written, written again, read, dropped, written', () => {
    const { phases, m } = run('mm fault mb=100', options)
    const names = ['mmap', 'write_all', 'write_again', 'read_again', 'madv_dontneed', 'write_after_dontneed', 'munmap']
    expect(minor(phases, names)).toEqual([0, R, 0, 0, 0, R, 0])
    if (series === '6.1') return
    // 50 tables more, which DONTNEED leaves and munmap takes. On 6.1 a PMD table may come with them.
    const pte = ['mmap', 'write_all', 'madv_dontneed', 'munmap'].map(
      (n) => phases.get(n)!.vmPte - phases.get('mmap')!.vmPte,
    )
    expect(pte).toEqual([0, 200, 200, 0])
    expect(m.engine.checkInvariants(m.state)).toEqual([])
  })

  test('read first: every page twice', () => {
    const { phases } = run('mm fault mb=100 mode=readfirst', options)
    expect(minor(phases, ['read_all', 'write_all', 'write_after_dontneed'])).toEqual([R, R, R])
  })

  test.each([
    ['populate', 'mmap', 0],
    ['maplocked', 'mmap', 102400],
    ['mlock', 'mlock', 102400],
    ['populate_write', 'madv_populate_write', 0],
  ])('mode=%s counts at %s', (mode, phase, locked) => {
    const { phases, m } = run(`mm fault mb=100 mode=${mode} thp=nohuge`, options)
    expect(minor(phases, [phase, 'write_all'])).toEqual([R, 0])
    expect(phases.get('write_all')!.vmLck).toBe(locked)
    expect(m.engine.checkInvariants(m.state)).toEqual([])
  })

  test('MADV_FREE, then read and written: no faults', () => {
    const { phases } = run('mm fault mb=100 mode=free thp=nohuge', options)
    expect(minor(phases, ['madv_free', 'read_after_free', 'write_after_free', 'write_after_dontneed'])).toEqual([
      0,
      0,
      0,
      R,
    ])
  })

  test('MADV_COLD costs nothing; MADV_PAGEOUT without swap neither', () => {
    const { phases } = run('mm fault mb=100 mode=cold thp=nohuge', options)
    expect(minor(phases, ['madv_cold', 'read_after_cold', 'madv_pageout', 'read_after_pageout'])).toEqual([0, 0, 0, 0])
  })

  test('read-only, writable, written: no faults', () => {
    const { phases } = run('mm fault mb=100 mode=mprotect thp=nohuge', options)
    expect(minor(phases, ['mprotect_ro', 'mprotect_rw', 'write_after_mprotect'])).toEqual([0, 0, 0])
  })

  test('malloc: its header has faulted page 0 before the first phase, not before the second', () => {
    const { phases, text } = run('mm malloc mb=100', options)
    expect(minor(phases, ['touch', 'touch_again', 'free', 'malloc_touch_2nd', 'free_2nd'])).toEqual([R - 1, 0, 0, R, 0])
    expect(text).toContain('malloc offset in page: 16,')
  })

  test('copy on write of 50 MiB: copies by the child, reuse by whoever is left', () => {
    const { phases, m } = run('mm cow mb=50', options)
    // 1 more of the parent's data after the fork, 3 of each child: data, vdso and text.
    expect(minor(phases, COW_PHASES)).toEqual([12800, 12800, 0, 12800, 12801, 12803, 0, 6403])
    expect(minor(phases, ['parent_fork', 'child1_read_all', 'parent_wait_child1', 'parent_wait_child3'])).toEqual([
      1, 3, 1, 2,
    ])
    expect(m.engine.checkInvariants(m.state)).toEqual([])
  })
})

const FILES = { f64: 16384, f16: 4096 }

describe.each([
  ['6.12', 1024, 1],
  ['6.1', 512, 513],
] as const)('files, kernel %s', (series: KernelSeries, minflt, majflt) => {
  const options = { series, files: FILES }

  test('mapped and read in order, cold and warm', () => {
    const { phases, m } = run('mm mapfile file=/data/f64 mb=64 mode=seq', options)
    expect(phases.get('first_pass')).toMatchObject({ minflt, majflt })
    expect(phases.get('second_pass')).toMatchObject({ minflt: 0, majflt: 0 })
    const warm = phasesOf(runIn(m, 'mm mapfile file=/data/f64 mb=64 mode=seq'))
    expect(warm.get('first_pass')).toMatchObject({ minflt: 1024, majflt: 0 })
  })

  test.each(['rand', 'seq'])('MADV_RANDOM, mode=%s: each page alone', (mode) => {
    const { phases, text } = run(`mm mapfile file=/data/f16 mb=16 mode=${mode} advice=random`, options)
    expect(phases.get('first_pass')).toMatchObject({ minflt: 0, majflt: 4096 })
    expect(text).toContain('incore_before=0\n')
    expect(text).toContain('incore_after=4096\n')
  })

  test('private: 256, then a copy each', () => {
    const { phases, m } = run('mm mapfile file=/data/f16 mb=16 mode=seq', options)
    expect(phases.get('munmap')).toBeDefined()
    const second = phasesOf(runIn(m, 'mm mapfile file=/data/f16 mb=16 mode=seq private=1'))
    expect(minor(second, ['first_pass', 'second_pass', 'private_write(cow)'])).toEqual([256, 0, 4096])
  })

  test('read(2) twice: 64 MiB from the disk, once', () => {
    const { m, text } = run('mm read file=/data/f64 passes=2', options)
    expect(text).toMatch(/^read pass=0 bytes=67108864 ms=\d+\nread pass=1 bytes=67108864 ms=\d+\n$/)
    expect(m.number('/proc/vmstat', 'pgpgin')).toBe(65536)
    expect(m.number('/proc/vmstat', 'pgmajfault')).toBe(0)
  })

  test('tmpfs of 32 MiB: 513 to read it mapped, 8192 to write it', () => {
    const { m } = run('mm write file=/tmp/a mb=32', options)
    const reading = phasesOf(runIn(m, 'mm mapfile file=/tmp/a mb=32 mode=seq'))
    // One more than pages / 16: unlike a disk's file, tmpfs is mapped where there is room, at no multiple of 16 pages.
    expect(minor(reading, ['first_pass'])).toEqual([513])
    const writing = phasesOf(runIn(m, 'mm mapfile file=/tmp/a mb=32 mode=write'))
    expect(minor(writing, ['first_pass'])).toEqual([8192])
    expect(m.engine.checkInvariants(m.state)).toEqual([])
  })
})

test('cold and in random order on 6.12: 703 majors, as three captured machines', () => {
  const { phases } = run('mm mapfile file=/data/f64 mb=64 mode=rand', { files: FILES })
  const pass = phases.get('first_pass')!
  expect(pass.majflt).toBe(703)
  // 1054 by the rules; captures show 1055 to 1064: one more for each page that fault-around found under I/O.
  expect(pass.minflt).toBeGreaterThanOrEqual(1054)
  expect(pass.minflt).toBeLessThan(1054 + 20)
})
