import { beforeEach, describe, expect, test } from 'vitest'
import { TaskMachine, puppetChild, type Outcome } from '../../../test/task-machine'
import type { KernelSeries } from '../config'
import { GFP_KERNEL } from './gfp'
import { MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES } from './mm_types'
import { exactRss } from './rss'
import { reclaimPages } from './vmscan'

const PAGE = 4096
const SIGSEGV_STATUS = 128 + 11
const SIGBUS_STATUS = 128 + 7

const faults = (outcome: Outcome): [minor: number, major: number] => [outcome.minflt, outcome.majflt]

function rss(m: TaskMachine, pid: number): { file: number; anon: number; shmem: number } {
  const mm = m.task(pid).mm
  const of = (counter: number): number => exactRss(m.state, mm, counter)
  return { file: of(MM_FILEPAGES), anon: of(MM_ANONPAGES), shmem: of(MM_SHMEMPAGES) }
}

const read = (m: TaskMachine, pid: number, address: number, pages: number): Outcome =>
  m.perform(pid, { op: 'touch', address, length: pages * PAGE, mode: 'read' })
const write = (m: TaskMachine, pid: number, address: number, pages: number): Outcome =>
  m.perform(pid, { op: 'touch', address, length: pages * PAGE, mode: 'write' })
function fork(m: TaskMachine, pid: number): number {
  const child = m.perform(pid, { op: 'fork', child: puppetChild }).result
  m.settle(child)
  return child
}
const sound = (m: TaskMachine): void => expect(m.engine.checkInvariants(m.state)).toEqual([])

/** Maps a file of the disk or of tmpfs. */
function mapFile(m: TaskMachine, pid: number, path: string, pages: number, flags = 1, prot = 1): number {
  const fd = m.open(pid, path, { write: (prot & 2) !== 0 && flags === 1 })
  return m.perform(pid, { op: 'mmap', length: pages * PAGE, prot, flags, fd }).result
}

describe('anonymous memory', () => {
  let m: TaskMachine
  let pid: number
  beforeEach(() => {
    m = new TaskMachine()
    pid = m.spawn()
  })

  test('read first and then written: a zero page each, then a page each; written first: one fault (04 E4)', () => {
    const a = m.map(pid, 1)
    expect(faults(read(m, pid, a, 1))).toEqual([1, 0])
    expect(faults(write(m, pid, a, 1))).toEqual([1, 0])
    const b = m.map(pid, 1)
    expect(faults(write(m, pid, b, 1))).toEqual([1, 0])
    expect(faults(read(m, pid, b, 1))).toEqual([0, 0])
  })

  test('1024 pages: read 1024, RSS +0; write 1024, RSS +1024; DONTNEED, RSS −1024 (04 E9)', () => {
    const before = rss(m, pid).anon
    const a = m.map(pid, 1024)
    expect(faults(read(m, pid, a, 1024))).toEqual([1024, 0])
    expect(rss(m, pid).anon).toBe(before)
    expect(faults(write(m, pid, a, 1024))).toEqual([1024, 0])
    expect(rss(m, pid).anon).toBe(before + 1024)
    m.perform(pid, { op: 'madvise', address: a, length: 1024 * PAGE, advice: 'dontneed' })
    expect(rss(m, pid).anon).toBe(before)
    sound(m)
  })

  test('after fork the child copies 1024, and when it is gone the parent takes its own back: 1024 (04 E9)', () => {
    const a = m.map(pid, 1024)
    write(m, pid, a, 1024)
    const child = fork(m, pid)
    expect(faults(write(m, child, a, 1024))).toEqual([1024, 0])
    sound(m)
    m.perform(child, { op: 'exit', status: 0 })
    const reused = m.number('/proc/vmstat', 'pgreuse')
    const free = m.number('/proc/vmstat', 'pgfree')
    expect(faults(write(m, pid, a, 1024))).toEqual([1024, 0])
    expect(m.number('/proc/vmstat', 'pgreuse') - reused).toBe(1024)
    expect(m.number('/proc/vmstat', 'pgfree')).toBe(free)
    sound(m)
  })

  test('after fork both write: the first copies, the second finds itself alone (04 E4)', () => {
    const a = m.map(pid, 1)
    write(m, pid, a, 1)
    const child = fork(m, pid)
    const pages = m.number('/proc/meminfo', 'AnonPages')
    write(m, pid, a, 1)
    expect(m.number('/proc/meminfo', 'AnonPages') - pages).toBe(4)
    const reused = m.number('/proc/vmstat', 'pgreuse')
    expect(faults(write(m, child, a, 1))).toEqual([1, 0])
    expect(m.number('/proc/vmstat', 'pgreuse') - reused).toBe(1)
    expect(m.number('/proc/meminfo', 'AnonPages') - pages).toBe(4)
  })

  test('every fault counts in pgfault and in the group of the task', () => {
    const a = m.map(pid, 100)
    const before = m.number('/proc/vmstat', 'pgfault')
    read(m, pid, a, 100)
    write(m, pid, a, 100)
    expect(m.number('/proc/vmstat', 'pgfault') - before).toBe(200)
  })

  test('1 GiB touched once every 2 MiB takes 512 PTE tables, a PMD and a PUD table at most (04 E12)', () => {
    const large = new TaskMachine({ mib: 64, sysctls: { 'vm.overcommit_memory': '1' } })
    const p = large.spawn()
    const before = large.number(`/proc/${p}/status`, 'VmPTE')
    const a = large.map(p, 1 << 18)
    const pages = Array.from({ length: 512 }, (_, i) => i * 512)
    const outcome = large.perform(p, { op: 'touchList', address: a, pages, mode: 'read' })
    expect(faults(outcome)).toEqual([512, 0])
    const grown = (large.number(`/proc/${p}/status`, 'VmPTE') - before) / 4
    expect([513, 514]).toContain(grown)
  })
})

describe('accesses that no mapping allows', () => {
  test.each([
    ['outside of all mappings', (m: TaskMachine, pid: number) => read(m, pid, 0x1000, 1)],
    ['a write to read-only memory', (m: TaskMachine, pid: number) => write(m, pid, m.map(pid, 1, 0x22, 1), 1)],
    ['a read of PROT_NONE', (m: TaskMachine, pid: number) => read(m, pid, m.map(pid, 1, 0x22, 0), 1)],
    [
      'memory that was unmapped',
      (m: TaskMachine, pid: number) => {
        const a = m.map(pid, 1)
        write(m, pid, a, 1)
        m.perform(pid, { op: 'munmap', address: a, length: PAGE })
        return read(m, pid, a, 1)
      },
    ],
  ])('%s: SIGSEGV', (_what, access) => {
    const m = new TaskMachine()
    expect(access(m, m.spawn()).died).toBe(SIGSEGV_STATUS)
    sound(m)
  })

  test('a page behind the end of a file: SIGBUS', () => {
    const m = new TaskMachine({ files: { f: 10 } })
    const pid = m.spawn()
    const a = mapFile(m, pid, '/data/f', 16)
    expect(faults(read(m, pid, a, 10))[1]).toBe(1)
    expect(read(m, pid, a + 10 * PAGE, 1).died).toBe(SIGBUS_STATUS)
  })

  test('below the stack: it grows to 8 MiB and not further', () => {
    const m = new TaskMachine()
    const pid = m.spawn()
    const stack = m.state.mms[m.task(pid).mm]!.vmas.find((vma) => vma.name === '[stack]')!
    const top = stack.end * PAGE
    expect(faults(write(m, pid, top - 1000 * PAGE, 1))).toEqual([1, 0])
    expect(m.number(`/proc/${pid}/status`, 'VmStk')).toBe(4000)
    sound(m)
    expect(write(m, pid, top - 2048 * PAGE, 1).died).toBe(-1)
    expect(write(m, pid, top - 2049 * PAGE, 1).died).toBe(SIGSEGV_STATUS)
  })
})

describe('mappings of a cached file (04 E10)', () => {
  let m: TaskMachine
  let pid: number
  beforeEach(() => {
    m = new TaskMachine({ mib: 128, files: { f: 1024 } })
    pid = m.spawn()
    const fd = m.open(pid, '/data/f')
    m.perform(pid, { op: 'read', fd, length: 1024 * PAGE })
  })

  test('read in order: 64 faults, RSS +1024', () => {
    const before = rss(m, pid).file
    expect(faults(read(m, pid, mapFile(m, pid, '/data/f', 1024), 1024))).toEqual([64, 0])
    expect(rss(m, pid).file - before).toBe(1024)
    sound(m)
  })

  test('one page touched maps the 16 around it', () => {
    const a = mapFile(m, pid, '/data/f', 1024)
    const before = rss(m, pid).file
    read(m, pid, a + 500 * PAGE, 1)
    expect(rss(m, pid).file - before).toBe(16)
  })

  test('private and written first: 1024 copies, nothing around', () => {
    const before = rss(m, pid)
    expect(faults(write(m, pid, mapFile(m, pid, '/data/f', 1024, 2, 3), 1024))).toEqual([1024, 0])
    expect(rss(m, pid)).toEqual({ ...before, anon: before.anon + 1024 })
  })

  test('private, read and then written: 64 + 1024, and file pages become anonymous ones', () => {
    const before = rss(m, pid)
    const a = mapFile(m, pid, '/data/f', 1024, 2, 3)
    expect(faults(read(m, pid, a, 1024))).toEqual([64, 0])
    expect(faults(write(m, pid, a, 1024))).toEqual([1024, 0])
    expect(rss(m, pid)).toEqual({ ...before, anon: before.anon + 1024 })
    sound(m)
  })
})

test('a shared mapping written: one fault a page, and the pages are dirty (04 E10)', () => {
  const m = new TaskMachine({ mib: 128, userland: 'debian' })
  const pid = m.spawn()
  const fd = m.open(pid, '/root/f', { write: true, create: true })
  m.perform(pid, { op: 'write', fd, length: 1024 * PAGE })
  m.perform(pid, { op: 'fsync', fd })
  m.advance(1e9)
  const a = m.perform(pid, { op: 'mmap', length: 1024 * PAGE, prot: 3, flags: 1, fd }).result
  expect(faults(write(m, pid, a, 1024))).toEqual([1024, 0])
  expect(m.number('/proc/meminfo', 'Dirty')).toBe(4096)
  sound(m)
})

describe('shared anonymous memory (04 E11)', () => {
  test('64 pages written or only read: 64 faults, and really there, as shmem', () => {
    const m = new TaskMachine()
    const pid = m.spawn()
    const before = rss(m, pid)
    const shmem = m.number('/proc/meminfo', 'Shmem')
    expect(faults(write(m, pid, m.map(pid, 64, 0x21), 64))).toEqual([64, 0])
    const b = m.map(pid, 64, 0x21)
    expect(faults(read(m, pid, b, 64))).toEqual([64, 0])
    expect(rss(m, pid)).toEqual({ ...before, shmem: before.shmem + 128 })
    expect(m.number('/proc/meminfo', 'Shmem') - shmem).toBe(128 * 4)
    sound(m)
    m.perform(pid, { op: 'munmap', address: b, length: 64 * PAGE })
    expect(m.number('/proc/meminfo', 'Shmem') - shmem).toBe(64 * 4)
    sound(m)
  })

  test('a child sees the same pages; they go with the last of both', () => {
    const m = new TaskMachine()
    const pid = m.spawn()
    const a = m.map(pid, 32, 0x21)
    write(m, pid, a, 32)
    const shmem = m.number('/proc/meminfo', 'Shmem')
    const child = fork(m, pid)
    // Nothing was copied: the page tables are filled from the cache, by sixteen aligned entries. The mapping is not.
    expect(faults(read(m, child, a, 32))).toEqual([3, 0])
    expect(m.number('/proc/meminfo', 'Shmem')).toBe(shmem)
    m.perform(pid, { op: 'exit', status: 0 })
    expect(m.number('/proc/meminfo', 'Shmem')).toBe(shmem)
    sound(m)
    m.perform(child, { op: 'exit', status: 0 })
    expect(m.number('/proc/meminfo', 'Shmem')).toBe(shmem - 32 * 4)
    sound(m)
  })

  test('its whole size is promised at once, unless it asks not to', () => {
    const m = new TaskMachine()
    const pid = m.spawn()
    const before = m.state.committedAs
    m.map(pid, 1000, 0x21)
    expect(m.state.committedAs - before).toBe(1000)
    const b = m.map(pid, 1000, 0x21 | 0x4000)
    expect(m.state.committedAs - before).toBe(1000)
    write(m, pid, b, 10)
    expect(m.state.committedAs - before).toBe(1010)
    sound(m)
  })
})

const SERIES: readonly KernelSeries[] = ['6.12', '6.1']

describe.each(SERIES)('a file on disk, mapped and read, kernel %s (11 §3)', (series) => {
  const machine = (pages: number): { m: TaskMachine; pid: number; a: number } => {
    const m = new TaskMachine({ mib: 256, series, files: { f: pages } })
    const pid = m.spawn()
    return { m, pid, a: mapFile(m, pid, '/data/f', pages) }
  }

  test('cold and in order: 1 + 1024 faults; 6.1 counts the marked half as major', () => {
    const { m, pid, a } = machine(16384)
    const outcome = read(m, pid, a, 16384)
    expect(faults(outcome)).toEqual(series === '6.12' ? [1024, 1] : [512, 513])
    expect(m.number('/proc/vmstat', 'pgmajfault')).toBe(1)
    expect(m.number('/proc/vmstat', 'pgpgin')).toBe(65536)
    sound(m)
  })

  test('warm: 1024, sixteen pages a fault', () => {
    const { m, pid, a } = machine(16384)
    read(m, pid, a, 16384)
    m.perform(pid, { op: 'munmap', address: a, length: 16384 * PAGE })
    expect(faults(read(m, pid, mapFile(m, pid, '/data/f', 16384), 16384))).toEqual([1024, 0])
  })

  test('MADV_RANDOM: each page alone, 4096 major', () => {
    const { m, pid, a } = machine(4096)
    m.perform(pid, { op: 'madvise', address: a, length: 4096 * PAGE, advice: 'random' })
    expect(faults(read(m, pid, a, 4096))).toEqual([0, 4096])
    expect(m.number('/proc/vmstat', 'pgmajfault')).toBe(4096)
  })
})

describe('memory that is locked or brought in at once (11 §3)', () => {
  const N = 2560
  let m: TaskMachine
  let pid: number
  beforeEach(() => {
    m = new TaskMachine()
    pid = m.spawn()
  })

  test.each([
    ['MAP_POPULATE', 0x8022],
    ['MAP_LOCKED', 0x2022],
  ])('%s counts its faults at mmap', (_name, flags) => {
    const mapped = m.perform(pid, { op: 'mmap', length: N * PAGE, prot: 3, flags })
    expect(faults(mapped)).toEqual([N, 0])
    expect(faults(write(m, pid, mapped.result, N))).toEqual([0, 0])
    expect(m.number(`/proc/${pid}/status`, 'VmLck')).toBe(flags === 0x2022 ? N * 4 : 0)
    sound(m)
  })

  test('mlock counts its faults at the call; the pages are unevictable until munlock', () => {
    const a = m.map(pid, N)
    expect(faults(m.perform(pid, { op: 'mlock', address: a, length: N * PAGE }))).toEqual([N, 0])
    expect(faults(write(m, pid, a, N))).toEqual([0, 0])
    expect(m.number('/proc/meminfo', 'Mlocked')).toBe(N * 4)
    expect(m.number('/proc/vmstat', 'unevictable_pgs_mlocked')).toBe(N)
    sound(m)
    m.perform(pid, { op: 'munlock', address: a, length: N * PAGE })
    expect(m.number('/proc/meminfo', 'Mlocked')).toBe(0)
    expect(m.number('/proc/vmstat', 'unevictable_pgs_munlocked')).toBe(N)
    expect(m.number(`/proc/${pid}/status`, 'VmLck')).toBe(0)
    sound(m)
  })

  test('MADV_POPULATE_WRITE counts its faults at the call', () => {
    const a = m.map(pid, N)
    const advised = m.perform(pid, { op: 'madvise', address: a, length: N * PAGE, advice: 'populate_write' })
    expect(faults(advised)).toEqual([N, 0])
    expect(faults(write(m, pid, a, N))).toEqual([0, 0])
  })

  test('MADV_FREE keeps the pages: written again without a fault', () => {
    const a = m.map(pid, N)
    write(m, pid, a, N)
    m.perform(pid, { op: 'madvise', address: a, length: N * PAGE, advice: 'free' })
    expect(m.number('/proc/vmstat', 'pglazyfree')).toBe(N)
    expect(faults(write(m, pid, a, N))).toEqual([0, 0])
    sound(m)
  })

  test('read-only and writable again: no faults', () => {
    const a = m.map(pid, N)
    write(m, pid, a, N)
    m.perform(pid, { op: 'mprotect', address: a, length: N * PAGE, prot: 1 })
    m.perform(pid, { op: 'mprotect', address: a, length: N * PAGE, prot: 3 })
    expect(faults(write(m, pid, a, N))).toEqual([0, 0])
    sound(m)
  })

  test('DONTNEED leaves the tables; munmap takes them', () => {
    const before = m.number(`/proc/${pid}/status`, 'VmPTE')
    const a = m.map(pid, N)
    write(m, pid, a, N)
    const grown = m.number(`/proc/${pid}/status`, 'VmPTE') - before
    expect(grown).toBe((N / 512) * 4)
    m.perform(pid, { op: 'madvise', address: a, length: N * PAGE, advice: 'dontneed' })
    expect(m.number(`/proc/${pid}/status`, 'VmPTE') - before).toBe(grown)
    m.perform(pid, { op: 'munmap', address: a, length: N * PAGE })
    expect(m.number(`/proc/${pid}/status`, 'VmPTE')).toBe(before)
  })
})

describe('swap', () => {
  function swappedOut(pages: number, rotational: boolean): { m: TaskMachine; pid: number; a: number } {
    const m = new TaskMachine({ swapPages: 20000, rotational })
    const pid = m.spawn()
    const a = m.map(pid, pages)
    write(m, pid, a, pages)
    m.perform(pid, { op: 'madvise', address: a, length: pages * PAGE, advice: 'pageout' })
    m.advance(1e9)
    // Written, they stay in the swap cache until reclaim meets them again.
    const cached = [...m.state.swapAreas[0]!.cache].filter((pfn) => pfn !== 0)
    expect(cached.length).toBe(pages)
    reclaimPages(m.state, cached, GFP_KERNEL)
    return { m, pid, a }
  }

  test('MADV_PAGEOUT takes pages out; VmSwap and RSS say so', () => {
    const { m, pid } = swappedOut(512, false)
    expect(m.number(`/proc/${pid}/status`, 'VmSwap')).toBe(2048)
    sound(m)
  })

  test.each([true, false])(
    'touched again in order they come back in clusters of eight (rotational: %s)',
    (rotational) => {
      const { m, pid, a } = swappedOut(512, rotational)
      const outcome = read(m, pid, a, 512)
      expect(m.number('/proc/vmstat', 'pswpin')).toBe(512)
      expect(outcome.majflt + outcome.minflt).toBe(512)
      // Windows 4 and 8 at first, then one read in eight.
      expect(outcome.majflt).toBeGreaterThanOrEqual(512 / 8)
      expect(outcome.majflt).toBeLessThan(512 / 8 + 8)
      expect(m.number('/proc/vmstat', 'swap_ra_hit')).toBe(outcome.minflt)
      sound(m)
    },
  )

  test('read again they keep their slot, written at first touch they give it back', () => {
    const { m, pid, a } = swappedOut(64, false)
    const used = (): number => m.state.swapAreas[0]!.used
    read(m, pid, a, 32)
    expect(used()).toBe(64)
    write(m, pid, a + 32 * PAGE, 32)
    expect(m.number(`/proc/${pid}/status`, 'VmSwap')).toBe(0)
    expect(used()).toBe(32)
    expect(faults(write(m, pid, a, 32))).toEqual([32, 0])
    sound(m)
    m.perform(pid, { op: 'exit', status: 0 })
    expect(used()).toBe(0)
    sound(m)
  })

  test('after fork the slot has two users; both read it back', () => {
    const { m, pid, a } = swappedOut(64, false)
    const child = fork(m, pid)
    expect(m.number(`/proc/${child}/status`, 'VmSwap')).toBe(256)
    sound(m)
    read(m, pid, a, 64)
    expect(read(m, child, a, 64).majflt).toBe(0)
    sound(m)
    for (const p of [pid, child]) m.perform(p, { op: 'exit', status: 0 })
    m.advance(1e9)
    expect(m.state.swapAreas[0]!.used).toBe(0)
    sound(m)
  })

  test('swapoff brings everything back and leaves page tables without entries', () => {
    const { m, pid, a } = swappedOut(512, false)
    expect(m.command({ kind: 'swapoff', pid: 1, path: '/dev/vdc' })).toBe('')
    expect(m.number(`/proc/${pid}/status`, 'VmSwap')).toBe(0)
    expect(faults(read(m, pid, a, 512))).toEqual([0, 0])
    sound(m)
  })

  test('swapoff of what does not fit: ENOMEM, and swap goes on', () => {
    const m = new TaskMachine({ mib: 64, swapPages: 30000, mglru: false })
    const pid = m.spawn()
    const a = m.map(pid, 16000)
    write(m, pid, a, 16000)
    expect(m.state.swapAreas[0]!.used).toBeGreaterThan(2000)
    expect(m.command({ kind: 'swapoff', pid: 1, path: '/dev/vdc' })).toBe('ENOMEM')
    m.advance(1e9)
    sound(m)
    expect(write(m, pid, a, 16000).died).toBe(-1)
    sound(m)
  })
})
