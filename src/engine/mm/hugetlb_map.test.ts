import { describe, expect, test } from 'vitest'
import { TaskMachine, puppetChild, type Outcome, type TaskMachineOptions } from '../../../test/task-machine'
import { checkInvariants } from '../check'
import type { Op } from '../task'
import { findVma } from './vma_find'

const MIB = 2 ** 20
const HUGE = 2 * MIB
const NR = '/proc/sys/vm/nr_hugepages'
const POOL = '/sys/kernel/mm/hugepages/hugepages-2048kB'
const PRIVATE = 0x40022
const SHARED = 0x40021
const NORESERVE = 0x4000
const POPULATE = 0x8000
/** Status of a task that SIGBUS killed: with a core dump. */
const SIGBUS = 7 | 128

/** A machine with so many huge pages, and a task. */
class Pool extends TaskMachine {
  readonly pid: number
  constructor(pages: number, options: TaskMachineOptions = {}) {
    super({ mib: 128, ...options })
    this.write(NR, String(pages))
    this.pid = this.spawn()
  }
  counts(): number[] {
    return ['nr_hugepages', 'free_hugepages', 'resv_hugepages', 'surplus_hugepages'].map((name) =>
      Number(this.read(`${POOL}/${name}`)),
    )
  }
  mapHuge(pages: number, flags: number, pid = this.pid): number {
    return this.perform(pid, { op: 'mmap', length: pages * HUGE, prot: 3, flags }).result
  }
  touch(address: number, pages: number, mode: 'read' | 'write' = 'write', pid = this.pid): Outcome {
    return this.perform(pid, { op: 'touch', address, length: pages * HUGE, mode })
  }
  do(op: Op, pid = this.pid): Outcome {
    return this.perform(pid, op)
  }
  fork(): number {
    const child = this.do({ op: 'fork', child: { ...puppetChild } }).result
    this.settle(child)
    return child
  }
  sane(): void {
    expect(checkInvariants(this.state)).toEqual([])
  }
}

describe('promises', () => {
  test('spec 08 E3: in use or promised pages stay above nr_hugepages as surplus, and go when they are free', () => {
    const m = new Pool(10)
    const address = m.mapHuge(6, PRIVATE)
    expect(m.counts()).toEqual([10, 10, 6, 0])
    expect(m.touch(address, 4).minflt).toBe(4)
    expect(m.counts()).toEqual([10, 6, 2, 0])
    m.write(NR, '3')
    expect(m.counts()).toEqual([6, 2, 2, 3])
    expect(m.read(NR)).toBe('3\n')
    m.sane()
    m.do({ op: 'exit', status: 0 })
    expect(m.counts()).toEqual([3, 3, 0, 0])
    m.sane()
  })

  test.each([PRIVATE, SHARED])('munmap gives back what was promised, flags 0x%x', (flags) => {
    const m = new Pool(8)
    const address = m.mapHuge(5, flags)
    m.touch(address, 2)
    expect(m.counts()).toEqual([8, 6, 3, 0])
    m.do({ op: 'munmap', address: address + HUGE, length: 2 * HUGE })
    // The file of a shared mapping keeps its pages and its promises while one part is mapped.
    expect(m.counts()).toEqual(flags === SHARED ? [8, 6, 3, 0] : [8, 7, 2, 0])
    m.sane()
    m.do({ op: 'munmap', address, length: 5 * HUGE })
    expect(m.counts()).toEqual([8, 8, 0, 0])
    m.sane()
  })

  test('mmap is refused when the pool cannot keep the promise; NORESERVE is not, and dies of SIGBUS', () => {
    const m = new Pool(4)
    expect(m.do({ op: 'mmap', length: 5 * HUGE, prot: 3, flags: PRIVATE }).errno).toBe('ENOMEM')
    const address = m.mapHuge(5, PRIVATE | NORESERVE)
    expect(m.counts()).toEqual([4, 4, 0, 0])
    expect(m.touch(address, 4).died).toBe(-1)
    m.sane()
    expect(m.touch(address + 4 * HUGE, 1).died).toBe(SIGBUS)
    expect(m.counts()).toEqual([4, 4, 0, 0])
    m.sane()
  })

  test('what others were promised is not there for a mapping without promises', () => {
    const m = new Pool(4)
    m.mapHuge(3, PRIVATE)
    const address = m.mapHuge(4, PRIVATE | NORESERVE)
    expect(m.touch(address, 1).died).toBe(-1)
    expect(m.touch(address + HUGE, 1).died).toBe(SIGBUS)
  })

  test('overcommit adds surplus pages at mmap, and they go back to the buddy system with the mapping', () => {
    const m = new Pool(2)
    m.write('/proc/sys/vm/nr_overcommit_hugepages', '3')
    const free = m.number('/proc/meminfo', 'MemFree')
    const address = m.mapHuge(5, PRIVATE)
    expect(m.counts()).toEqual([5, 5, 5, 3])
    expect(free - m.number('/proc/meminfo', 'MemFree')).toBeGreaterThanOrEqual(3 * 2048)
    expect(m.do({ op: 'mmap', length: HUGE, prot: 3, flags: PRIVATE }).errno).toBe('ENOMEM')
    m.touch(address, 1)
    m.sane()
    m.do({ op: 'munmap', address, length: 5 * HUGE })
    expect(m.counts()).toEqual([2, 2, 0, 0])
    m.sane()
  })

  test('a surplus page is made by the fault of a mapping without promises', () => {
    const m = new Pool(0)
    m.write('/proc/sys/vm/nr_overcommit_hugepages', '2')
    const address = m.mapHuge(2, PRIVATE | NORESERVE)
    expect(m.counts()).toEqual([0, 0, 0, 0])
    m.touch(address, 2)
    expect(m.counts()).toEqual([2, 0, 0, 2])
    m.do({ op: 'madvise', address, length: HUGE, advice: 'dontneed' })
    expect(m.counts()).toEqual([1, 0, 0, 1])
    m.sane()
  })

  test.each([
    ['6.12', [4, 4, 4, 0]],
    ['6.1', [4, 4, 3, 0]],
  ] as const)('DONTNEED of a promised page: %s says %j', (series, counts) => {
    const m = new Pool(4, { series })
    const address = m.mapHuge(4, PRIVATE)
    m.touch(address, 1)
    m.do({ op: 'madvise', address, length: HUGE, advice: 'dontneed' })
    expect(m.counts()).toEqual(counts)
    m.do({ op: 'munmap', address, length: 4 * HUGE })
    expect(m.counts()).toEqual([4, 4, 0, 0])
  })
})

describe('whole huge pages only', () => {
  test('a length is rounded up by mmap, and refused by the calls that would cut a page', () => {
    const m = new Pool(4)
    const address = m.do({ op: 'mmap', length: HUGE + 1, prot: 3, flags: PRIVATE }).result
    expect(address % HUGE).toBe(0)
    expect(m.counts()[2]).toBe(2)
    const cut = { address: address + 4096, length: HUGE }
    const errnos = [
      m.do({ op: 'munmap', address, length: HUGE + 4096 }).errno,
      m.do({ op: 'munmap', ...cut }).errno,
      m.do({ op: 'mprotect', ...cut, prot: 1 }).errno,
      m.do({ op: 'madvise', ...cut, advice: 'dontneed' }).errno,
      m.do({ op: 'madvise', address, length: HUGE, advice: 'free' }).errno,
      m.do({ op: 'mremap', address, oldLength: HUGE, newLength: 2 * HUGE, flags: 1 }).errno,
      m.do({ op: 'mmap', address: address + 4096, length: HUGE, prot: 3, flags: PRIVATE | 0x10 }).errno,
      // MAP_16MB: there is no pool of that size.
      m.do({ op: 'mmap', length: HUGE, prot: 3, flags: PRIVATE | (24 << 26) }).errno,
    ]
    expect(errnos).toEqual(errnos.map(() => 'EINVAL'))
    m.sane()
  })

  test('mprotect and mremap of whole pages: the page moves with its promise', () => {
    const m = new Pool(4)
    const address = m.mapHuge(3, PRIVATE)
    m.touch(address, 2)
    expect(m.do({ op: 'mprotect', address, length: HUGE, prot: 1 }).errno).toBe('')
    expect(m.touch(address, 1, 'read').died).toBe(-1)
    const to = address - 64 * HUGE
    const area = { address: address + HUGE, oldLength: 2 * HUGE, newLength: 2 * HUGE }
    const moved = m.do({ op: 'mremap', ...area, flags: 3, newAddress: to })
    expect(moved).toMatchObject({ errno: '', result: to })
    expect(m.touch(to, 2)).toMatchObject({ died: -1, minflt: 1 })
    expect(m.counts()).toEqual([4, 1, 0, 0])
    m.sane()
    m.do({ op: 'munmap', address: to, length: 2 * HUGE })
    m.do({ op: 'munmap', address, length: HUGE })
    expect(m.counts()).toEqual([4, 4, 0, 0])
    m.sane()
  })

  test('MAP_POPULATE brings all pages in; nothing is in RSS, the page tables have no PTEs', () => {
    const m = new Pool(4)
    const rss = m.number(`/proc/${m.pid}/status`, 'VmRSS')
    const tables = m.number(`/proc/${m.pid}/status`, 'VmPTE')
    const address = m.mapHuge(4, PRIVATE | POPULATE)
    expect(m.counts()).toEqual([4, 0, 0, 0])
    expect(m.number(`/proc/${m.pid}/status`, 'HugetlbPages')).toBe(8192)
    expect(m.number(`/proc/${m.pid}/status`, 'VmRSS')).toBe(rss)
    expect(m.number(`/proc/${m.pid}/status`, 'VmPTE') - tables).toBeLessThanOrEqual(8)
    const smaps = m.read(`/proc/${m.pid}/smaps`)
    const own = smaps.slice(smaps.indexOf(address.toString(16)))
    for (const row of ['KernelPageSize:     2048 kB', 'MMUPageSize:        2048 kB', 'Private_Hugetlb:    8192 kB'])
      expect(own).toContain(row)
    expect(own).toContain('VmFlags: rd wr mr mw me de ht sd \n')
    expect(m.read(`/proc/${m.pid}/numa_maps`)).toContain(
      `${address.toString(16)} default file=/anon_hugepage\\040(deleted) huge anon=4 dirty=4 N0=4 kernelpagesize_kB=2048\n`,
    )
    expect(m.read(`/proc/${m.pid}/maps`)).toContain('/anon_hugepage (deleted)\n')
  })
})

describe('fork', () => {
  test('shared pages stay shared, and the file is gone with the last of them', () => {
    const m = new Pool(4)
    const address = m.mapHuge(4, SHARED)
    m.touch(address, 1)
    const child = m.fork()
    expect(m.touch(address, 2, 'write', child).minflt).toBe(2)
    expect(m.counts()).toEqual([4, 2, 2, 0])
    m.do({ op: 'exit', status: 0 })
    expect(m.counts()).toEqual([4, 2, 2, 0])
    m.do({ op: 'exit', status: 0 }, child)
    expect(m.counts()).toEqual([4, 4, 0, 0])
    m.sane()
  })

  test('a private page is copied whole by the first write, then the other one has it alone', () => {
    const m = new Pool(4)
    const address = m.mapHuge(2, PRIVATE)
    m.touch(address, 2)
    const child = m.fork()
    m.sane()
    expect(m.touch(address, 2, 'read', child).minflt).toBe(0)
    expect(m.touch(address, 1, 'write', child).minflt).toBe(1)
    expect(m.counts()).toEqual([4, 1, 0, 0])
    expect(m.touch(address, 2).minflt).toBe(2)
    expect(m.counts()).toEqual([4, 0, 0, 0])
    m.sane()
    m.do({ op: 'exit', status: 0 }, child)
    expect(m.counts()).toEqual([4, 2, 0, 0])
    m.sane()
  })

  test('without a page for the copy a child dies; the parent takes the page, and the child dies when it comes back', () => {
    const first = new Pool(1)
    const a = first.mapHuge(1, PRIVATE)
    first.touch(a, 1)
    expect(first.touch(a, 1, 'write', first.fork()).died).toBe(SIGBUS)
    first.sane()

    const m = new Pool(1)
    const address = m.mapHuge(1, PRIVATE)
    m.touch(address, 1)
    const child = m.fork()
    expect(m.touch(address, 1)).toMatchObject({ died: -1, minflt: 1 })
    m.sane()
    expect(m.touch(address, 1, 'read', child).died).toBe(SIGBUS)
    expect(m.state.klog.map(({ text }) => text)).toContain(`PID ${child} killed due to inadequate hugepage pool`)
    m.sane()
  })

  test('a child is promised nothing', () => {
    const m = new Pool(2)
    const address = m.mapHuge(2, PRIVATE)
    const child = m.fork()
    expect(m.touch(address, 1, 'write', child).died).toBe(SIGBUS)
    expect(m.touch(address, 2).died).toBe(-1)
    m.sane()
  })
})

test('1 GiB pages are mapped by one PUD entry each, from a pool of their own', () => {
  const m = new TaskMachine({ mib: 4096 })
  const dir = '/sys/kernel/mm/hugepages/hugepages-1048576kB'
  m.write(`${dir}/nr_hugepages`, '2')
  expect(m.read(`${dir}/free_hugepages`)).toBe('2\n')
  expect(m.write(`${dir}/nr_overcommit_hugepages`, '1')).toBe('EINVAL')
  expect([m.number('/proc/meminfo', 'HugePages_Total'), m.number('/proc/meminfo', 'Hugetlb')]).toEqual([0, 2 << 20])
  const pid = m.spawn()
  const flags = PRIVATE | (30 << 26)
  const { result: address } = m.perform(pid, { op: 'mmap', length: 2 ** 30, prot: 3, flags })
  expect(address % 2 ** 30).toBe(0)
  expect(m.read(`${dir}/resv_hugepages`)).toBe('1\n')
  const touched = m.perform(pid, { op: 'touch', address: address + 5 * MIB, length: 600 * MIB, mode: 'write' })
  expect(touched).toMatchObject({ minflt: 1, died: -1 })
  expect(m.number(`/proc/${pid}/status`, 'HugetlbPages')).toBe(2 ** 20)
  expect(findVma(m.state.mms[m.task(pid).mm]!, address / 4096)!.hugeOrder).toBe(18)
  expect(m.read(`/proc/${pid}/smaps`)).toContain('Private_Hugetlb: 1048576 kB')
  expect(checkInvariants(m.state)).toEqual([])
  m.perform(pid, { op: 'exit', status: 0 })
  expect(m.read(`${dir}/free_hugepages`)).toBe('2\n')
  m.write(`${dir}/nr_hugepages`, '0')
  expect(checkInvariants(m.state)).toEqual([])
})
