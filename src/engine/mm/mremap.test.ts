/** mremap, brk, mlock, msync and madvise: errors, what moves, and what stays. */
import { beforeEach, describe, expect, test } from 'vitest'
import { TaskMachine, puppetChild, type Outcome } from '../../../test/task-machine'
import type { Advice, Op } from '../task'
import { VM_LOCKED, VM_LOCKONFAULT } from './mm_types'
import { findPteSlot, pteAt, ptePfn } from './pgtable'
import { findVma } from './vma_find'

const PAGE = 4096
const MIB = 1 << 20
const ARENA = 0x10_0000_0000

const sound = (m: TaskMachine): void => expect(m.engine.checkInvariants(m.state)).toEqual([])

let m: TaskMachine
let pid: number
beforeEach(() => {
  m = new TaskMachine({ files: { f: 64 } })
  pid = m.spawn()
})

const call = (op: Op): Outcome => m.perform(pid, op)
const outcomeOf = (op: Op): string | number => {
  const { errno, result } = call(op)
  return errno === '' ? result : errno
}
const at = (page: number): number => ARENA + page * PAGE
const fixed = (page: number, pages: number, prot = 3, flags = 0x32): number =>
  call({ op: 'mmap', address: at(page), length: pages * PAGE, prot, flags }).result
const touch = (page: number, pages = 1): Outcome =>
  call({ op: 'touch', address: at(page), length: pages * PAGE, mode: 'write' })
const mremap = (
  page: number,
  oldPages: number,
  newPages: number,
  flags = 0,
  newPage?: number,
): ReturnType<typeof outcomeOf> =>
  outcomeOf({
    op: 'mremap',
    address: at(page),
    oldLength: oldPages * PAGE,
    newLength: newPages * PAGE,
    flags,
    ...(newPage === undefined ? {} : { newAddress: at(newPage) }),
  })
const madvise = (page: number, pages: number, advice: Advice): ReturnType<typeof outcomeOf> =>
  outcomeOf({ op: 'madvise', address: at(page), length: pages * PAGE, advice })
const mmNow = () => m.state.mms[m.task(pid).mm]!
const frame = (address: number): number => {
  const slot = findPteSlot(m.state, mmNow(), address / PAGE)
  return slot < 0 ? 0 : ptePfn(pteAt(m.state.pgtables, slot))
}
const status = (key: string): number => m.number(`/proc/${pid}/status`, key)

const MAYMOVE = 1
const FIXED = 2
const DONTUNMAP = 4

describe('mremap refuses', () => {
  test.each([
    ['unknown flags', [0, 4, 8, 8], 'EINVAL'],
    ['FIXED without MAYMOVE', [0, 4, 4, FIXED, 64], 'EINVAL'],
    ['DONTUNMAP without MAYMOVE', [0, 4, 4, DONTUNMAP], 'EINVAL'],
    ['DONTUNMAP with another length', [0, 4, 8, MAYMOVE | DONTUNMAP], 'EINVAL'],
    ['a new length of 0', [0, 4, 0], 'EINVAL'],
    ['an address that is not aligned', [0.5, 4, 8], 'EINVAL'],
    ['a place without a mapping', [32, 4, 8], 'EFAULT'],
    ['more than the mapping has', [2, 4, 8], 'EFAULT'],
    ['private memory of length 0', [0, 0, 4, MAYMOVE], 'EINVAL'],
    ['a new place that overlaps the old one', [0, 4, 4, MAYMOVE | FIXED, 2], 'EINVAL'],
    ['growing where something lies, without MAYMOVE', [0, 4, 8], 'ENOMEM'],
    ['growing across two mappings', [2, 3, 8, MAYMOVE], 'EFAULT'],
  ] as const)('%s', (_what, args, errno) => {
    fixed(0, 4)
    fixed(4, 1, 1)
    const promised = m.state.committedAs
    expect(mremap(...(args as unknown as Parameters<typeof mremap>))).toBe(errno)
    expect(m.state.committedAs).toBe(promised)
    sound(m)
  })

  test('growing special mappings', () => {
    const vdso = mmNow().vmas.find((v) => v.name === '[vdso]')!
    const op = { op: 'mremap', address: vdso.start * PAGE, oldLength: 2 * PAGE, newLength: 4 * PAGE, flags: 1 } as const
    expect(outcomeOf(op)).toBe('EFAULT')
  })
})

describe('mremap', () => {
  test('shrinks by unmapping the tail, and grows in place where there is room', () => {
    fixed(0, 8)
    touch(0, 8)
    const promised = m.state.committedAs
    expect(mremap(0, 8, 4)).toBe(at(0))
    expect(m.state.committedAs).toBe(promised - 4)
    expect(mremap(0, 4, 16)).toBe(at(0))
    expect(m.state.committedAs).toBe(promised + 8)
    expect(findVma(mmNow(), at(0) / PAGE)!.end).toBe(at(16) / PAGE)
    expect(touch(0, 16).minflt).toBe(12)
    sound(m)
  })

  test('moves the frames, not their contents: no fault, the same frames, the old place is gone', () => {
    fixed(0, 5)
    fixed(5, 1, 1)
    touch(0, 5)
    const frames = [0, 1, 2, 3, 4].map((i) => frame(at(i)))
    const promised = m.state.committedAs
    const moved = mremap(0, 5, 7, MAYMOVE) as number
    expect([0, 1, 2, 3, 4].map((i) => frame(moved + i * PAGE))).toEqual(frames)
    expect(m.state.committedAs).toBe(promised + 2)
    expect(call({ op: 'touch', address: moved, length: 5 * PAGE, mode: 'write' }).minflt).toBe(0)
    expect(findVma(mmNow(), at(0) / PAGE)).toBeUndefined()
    sound(m)
  })

  test('whole tables go over where both places begin at 2 MiB', () => {
    const a = fixed(512, 1024 + 10)
    touch(512, 1034)
    const tables = status('VmPTE')
    const frames = [0, 600, 1033].map((i) => frame(a + i * PAGE))
    expect(mremap(512, 1034, 1034, MAYMOVE | FIXED, 512 * 40)).toBe(at(512 * 40))
    expect([0, 600, 1033].map((i) => frame(at(512 * 40 + i)))).toEqual(frames)
    expect(status('VmPTE')).toBe(tables)
    sound(m)
    // Half a table off, entries are moved one by one.
    expect(mremap(512 * 40, 1034, 1034, MAYMOVE | FIXED, 512 * 80 + 100)).toBe(at(512 * 80 + 100))
    expect([0, 600, 1033].map((i) => frame(at(512 * 80 + 100 + i)))).toEqual(frames)
    sound(m)
  })

  test('FIXED takes what lies there; DONTUNMAP leaves an empty mapping behind', () => {
    fixed(0, 4)
    touch(0, 4)
    fixed(64, 8, 1)
    expect(mremap(0, 4, 4, MAYMOVE | FIXED | DONTUNMAP, 66)).toBe(at(66))
    const mm = mmNow()
    expect([0, 64, 66, 70].map((i) => findVma(mm, at(i) / PAGE)!.flags & 3)).toEqual([3, 1, 3, 1])
    expect(touch(66, 4).minflt).toBe(0)
    expect(touch(0, 4).minflt).toBe(4)
    sound(m)
  })

  test('locked memory stays locked, and what is new is brought in', () => {
    fixed(0, 4)
    fixed(4, 1, 1)
    call({ op: 'mlock', address: at(0), length: 4 * PAGE })
    const moved = mremap(0, 4, 10, MAYMOVE) as number
    expect(status('VmLck')).toBe(40)
    expect(call({ op: 'touch', address: moved, length: 10 * PAGE, mode: 'write' }).minflt).toBe(0)
    expect(m.number('/proc/meminfo', 'Mlocked')).toBe(40)
    sound(m)
  })

  test('length 0 of shared memory makes a second mapping of it', () => {
    const a = call({ op: 'mmap', length: 2 * PAGE, prot: 3, flags: 0x21 }).result
    call({ op: 'touch', address: a, length: PAGE, mode: 'write' })
    const b = call({ op: 'mremap', address: a, oldLength: 0, newLength: 2 * PAGE, flags: MAYMOVE }).result
    call({ op: 'touch', address: b, length: PAGE, mode: 'read' })
    expect(frame(b)).toBe(frame(a))
    sound(m)
  })

  test('memory in swap and memory that a child shares moves too', () => {
    const swapping = new TaskMachine({ swapPages: 256 })
    const p = swapping.spawn()
    const a = swapping.map(p, 8)
    swapping.perform(p, { op: 'touch', address: a, length: 8 * PAGE, mode: 'write' })
    const child = swapping.perform(p, { op: 'fork', child: puppetChild }).result
    swapping.settle(child)
    swapping.perform(child, { op: 'exit', status: 0 })
    swapping.perform(p, { op: 'madvise', address: a, length: 4 * PAGE, advice: 'pageout' })
    swapping.advance(1e9)
    const before = swapping.number(`/proc/${p}/status`, 'VmSwap')
    expect(before).toBeGreaterThan(0)
    const flags = MAYMOVE | FIXED
    swapping.perform(p, {
      op: 'mremap',
      address: a,
      oldLength: 8 * PAGE,
      newLength: 8 * PAGE,
      flags,
      newAddress: ARENA,
    })
    expect(swapping.number(`/proc/${p}/status`, 'VmSwap')).toBe(before)
    swapping.perform(p, { op: 'touch', address: ARENA, length: 8 * PAGE, mode: 'read' })
    expect(swapping.number(`/proc/${p}/status`, 'VmSwap')).toBe(0)
    sound(swapping)
  })
})

describe('the heap', () => {
  const brk = (address: number): number => call({ op: 'brk', address }).result

  test('asks, grows, shrinks; what cannot be done gives the old break', () => {
    const end = brk(0)
    expect(brk(end + 10 * PAGE + 5)).toBe(end + 10 * PAGE + 5)
    expect(brk(end + PAGE)).toBe(end + PAGE)
    expect(brk(mmNow().startBrk - 1)).toBe(end + PAGE)
    call({ op: 'setrlimit', resource: 'data', bytes: end - mmNow().startBrk + 2 * PAGE })
    expect(brk(end + 3 * PAGE)).toBe(end + PAGE)
    sound(m)
  })

  test('one page stays free below the next mapping', () => {
    const end = brk(0)
    call({ op: 'mmap', address: end + 16 * PAGE, length: PAGE, prot: 1, flags: 0x32 })
    expect(brk(end + 16 * PAGE)).toBe(end)
    expect(brk(end + 15 * PAGE)).toBe(end + 15 * PAGE)
  })

  test('under mlockall(MCL_FUTURE) the new part is brought in', () => {
    const end = brk(0)
    call({ op: 'mlockall', current: false, future: true })
    expect(call({ op: 'brk', address: end + 8 * PAGE }).minflt).toBe(8)
    call({ op: 'munlockall' })
    expect(call({ op: 'brk', address: end + 16 * PAGE }).minflt).toBe(0)
    sound(m)
  })
})

describe('stacks', () => {
  const stackStart = (): number => mmNow().vmas.find((v) => v.name === '[stack]')!.start
  const reach = (vpn: number): Outcome => call({ op: 'touch', address: vpn * PAGE, length: PAGE, mode: 'write' })

  test('grow to RLIMIT_STACK and not further', () => {
    const end = mmNow().vmas.find((v) => v.name === '[stack]')!.end
    expect(reach(end - 2048).died).toBe(-1)
    expect(stackStart()).toBe(end - 2048)
    expect(reach(end - 2049).died).toBe(128 + 11)
  })

  test.each([
    [256, 3, -1],
    [255, 3, 139],
    // Nothing can be read or written there: no gap is kept.
    [1, 0, -1],
  ])('%i pages above a mapping with protection %i', (gap, prot, died) => {
    const end = mmNow().vmas.find((v) => v.name === '[stack]')!.end
    const below = end - 1000
    call({ op: 'mmap', address: below * PAGE, length: PAGE, prot, flags: 0x32 })
    expect(reach(below + 1 + gap).died).toBe(died)
  })
})

describe('locks', () => {
  test('what lies before a hole is locked; a page without access cannot be', () => {
    fixed(0, 2)
    fixed(4, 2, 0)
    expect(outcomeOf({ op: 'mlock', address: at(0), length: 6 * PAGE })).toBe('ENOMEM')
    expect(status('VmLck')).toBe(8)
    expect(outcomeOf({ op: 'mlock', address: at(4), length: PAGE })).toBe('ENOMEM')
    expect(outcomeOf({ op: 'munlock', address: at(8), length: PAGE })).toBe('ENOMEM')
    sound(m)
  })

  test('mlock2(MLOCK_ONFAULT) locks what is there, and the rest when it is touched', () => {
    fixed(0, 4)
    touch(0)
    expect(outcomeOf({ op: 'mlock', address: at(0), length: 4 * PAGE, onFault: true })).toBe(0)
    expect([status('VmLck'), m.number('/proc/meminfo', 'Mlocked')]).toEqual([16, 4])
    touch(1, 2)
    expect(m.number('/proc/meminfo', 'Mlocked')).toBe(12)
    expect(findVma(mmNow(), at(0) / PAGE)!.flags & (VM_LOCKED | VM_LOCKONFAULT)).toBe(VM_LOCKED | VM_LOCKONFAULT)
    call({ op: 'munlock', address: at(0), length: 4 * PAGE })
    expect([status('VmLck'), m.number('/proc/meminfo', 'Mlocked')]).toEqual([0, 0])
    sound(m)
  })

  test('mlockall without a wish is refused', () => {
    expect(outcomeOf({ op: 'mlockall', current: false, future: false })).toBe('EINVAL')
  })
})

describe('msync', () => {
  const msync = (address: number, pages: number, flags: number): ReturnType<typeof outcomeOf> =>
    outcomeOf({ op: 'msync', address, length: pages * PAGE, flags })

  test('writes what is dirty, refuses nonsense, says of holes afterwards', () => {
    const fd = m.open(pid, '/data/f', { write: true })
    const a = call({ op: 'mmap', address: at(0), length: 8 * PAGE, prot: 3, flags: 0x11, fd }).result
    touch(0, 8)
    expect(m.number('/proc/vmstat', 'nr_dirty')).toBe(8)
    expect(msync(a, 8, 5)).toBe('EINVAL')
    expect(msync(a + 1, 8, 4)).toBe('EINVAL')
    expect(msync(a, 8, 8)).toBe('EINVAL')
    expect(msync(a, 8, 1)).toBe(0)
    expect(m.number('/proc/vmstat', 'nr_dirty')).toBe(8)
    expect(msync(a, 16, 4)).toBe('ENOMEM')
    expect(m.number('/proc/vmstat', 'nr_dirty')).toBe(0)
    call({ op: 'mlock', address: a, length: PAGE })
    expect(msync(a, 8, 2)).toBe('EBUSY')
    sound(m)
  })
})

describe('madvise', () => {
  test.each([
    ['dontneed', 0x2032, 'EINVAL'],
    ['free', 0x2032, 'EINVAL'],
    ['free', 0x31, 'EINVAL'],
    ['cold', 0x2032, 'EINVAL'],
    ['pageout', 0x2032, 'EINVAL'],
    ['wipeonfork', 0x31, 'EINVAL'],
    ['remove', 0x32, 'EINVAL'],
    ['remove', 0x31, 0],
    ['dontfork', 0x32, 0],
    ['mergeable', 0x31, 0],
  ] as const)('%s of memory mapped with %i', (advice, flags, outcome) => {
    fixed(0, 4, 3, flags)
    expect(madvise(0, 4, advice)).toBe(outcome)
    sound(m)
  })

  test('flags cut and join mappings', () => {
    fixed(0, 8)
    const count = mmNow().vmas.length
    madvise(2, 2, 'dontdump')
    expect(mmNow().vmas.length).toBe(count + 2)
    madvise(2, 2, 'dodump')
    expect(mmNow().vmas.length).toBe(count)
    expect(madvise(0, 16, 'sequential')).toBe('ENOMEM')
    expect(findVma(mmNow(), at(0) / PAGE)!.flags & 0x8000).toBe(0x8000)
  })

  test('a child has nothing of DONTFORK, zeros of WIPEONFORK, and copies of the rest', () => {
    fixed(0, 3)
    touch(0, 3)
    madvise(0, 1, 'dontfork')
    madvise(1, 1, 'wipeonfork')
    const child = m.perform(pid, { op: 'fork', child: puppetChild }).result
    m.settle(child)
    sound(m)
    const read = (page: number): Outcome =>
      m.perform(child, { op: 'touch', address: at(page), length: PAGE, mode: 'read' })
    expect([read(1).minflt, read(2).minflt]).toEqual([1, 0])
    expect(read(0).died).toBe(139)
  })

  test('REMOVE takes pages of shared memory away from everybody', () => {
    fixed(0, 4, 3, 0x31)
    touch(0, 4)
    const before = m.number('/proc/meminfo', 'Shmem')
    expect(madvise(1, 2, 'remove')).toBe(0)
    expect(m.number('/proc/meminfo', 'Shmem')).toBe(before - 8)
    expect(touch(0, 4).minflt).toBe(2)
    sound(m)
  })

  test('1 MiB of locked memory is not given up, and DONTNEED goes as far as the locked part', () => {
    fixed(0, 256)
    touch(0, 256)
    call({ op: 'mlock', address: at(128), length: MIB / 2 })
    const before = status('RssAnon')
    expect(madvise(0, 256, 'dontneed')).toBe('EINVAL')
    expect(before - status('RssAnon')).toBe(512)
  })
})
