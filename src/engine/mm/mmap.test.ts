/** Making, changing, moving and taking away mappings: what each call refuses, and what the list of mappings is afterwards. */
import { beforeEach, describe, expect, test } from 'vitest'
import { TaskMachine, type Outcome } from '../../../test/task-machine'
import type { Op } from '../task'

const PAGE = 4096
const MIB = 1 << 20
const ARENA = 0x10_0000_0000

const sound = (m: TaskMachine): void => expect(m.engine.checkInvariants(m.state)).toEqual([])

let m: TaskMachine
let pid: number
beforeEach(() => {
  m = new TaskMachine({ files: { f: 10 } })
  pid = m.spawn()
})

const call = (op: Op): Outcome => m.perform(pid, op)
const outcomeOf = (op: Op): string | number => {
  const { errno, result } = call(op)
  return errno === '' ? result : errno
}
const mmapOp = (more: Partial<Extract<Op, { op: 'mmap' }>>): Op => ({
  op: 'mmap',
  length: 4 * PAGE,
  prot: 3,
  flags: 0x22,
  ...more,
})
const fixed = (page: number, pages: number, prot = 3): number =>
  call(mmapOp({ address: ARENA + page * PAGE, length: pages * PAGE, prot, flags: 0x32 })).result
const touch = (page: number, pages = 1): Outcome =>
  call({ op: 'touch', address: ARENA + page * PAGE, length: pages * PAGE, mode: 'write' })
const mprotect = (page: number, pages: number, prot: number): Outcome =>
  call({ op: 'mprotect', address: ARENA + page * PAGE, length: pages * PAGE, prot })
const mmOf = () => m.state.mms[m.task(pid).mm]!
/** Mappings of the arena: '0-4 rw', in pages. */
const drawn = (): string =>
  mmOf()
    .vmas.filter((v) => v.start >= ARENA / PAGE && v.end <= ARENA / PAGE + 4096)
    .map((v) => {
      const at = ARENA / PAGE
      return `${v.start - at}-${v.end - at} ${v.flags & 1 ? 'r' : '-'}${v.flags & 2 ? 'w' : '-'}`
    })
    .join(' | ')

describe('mmap refuses', () => {
  test.each([
    ['a length of 0', mmapOp({ length: 0 }), 'EINVAL'],
    ['an offset that is not a multiple of the page size', mmapOp({ offset: 100 }), 'EINVAL'],
    ['neither MAP_SHARED nor MAP_PRIVATE', mmapOp({ flags: 0x20 }), 'EINVAL'],
    ['MAP_SHARED_VALIDATE without a file', mmapOp({ flags: 0x23 }), 'EINVAL'],
    ['a descriptor that is not open', mmapOp({ flags: 2, fd: 77 }), 'EBADF'],
    ['a pipe or terminal', mmapOp({ flags: 2, fd: 1 }), 'ENODEV'],
    ['a fixed address that is not aligned', mmapOp({ flags: 0x32, address: ARENA + 1 }), 'EINVAL'],
    ['a fixed address behind the end of user space', mmapOp({ flags: 0x32, address: 2 ** 47 - PAGE }), 'ENOMEM'],
    ['more than user space holds', mmapOp({ length: 2 ** 47 }), 'ENOMEM'],
    ['shared memory that grows down', mmapOp({ flags: 0x121 }), 'EINVAL'],
  ])('%s', (_what, op, errno) => {
    const before = mmOf().vmas.length
    expect(outcomeOf(op)).toBe(errno)
    expect(mmOf().vmas.length).toBe(before)
    sound(m)
  })

  test('a writable shared mapping of a file that is open for reading; private it may be', () => {
    const fd = m.open(pid, '/data/f')
    expect(outcomeOf(mmapOp({ flags: 1, fd }))).toBe('EACCES')
    expect(outcomeOf(mmapOp({ flags: 2, fd }))).toBeGreaterThan(0)
    expect(outcomeOf(mmapOp({ flags: 3 | 0x80000, prot: 1, fd }))).toBe('EOPNOTSUPP')
    // What was opened for reading can never be made writable.
    const shared = call(mmapOp({ flags: 1, prot: 1, fd })).result
    expect(outcomeOf({ op: 'mprotect', address: shared, length: PAGE, prot: 3 })).toBe('EACCES')
  })

  test('a place that is taken, with MAP_FIXED_NOREPLACE; MAP_FIXED takes it', () => {
    fixed(0, 4)
    const there = { address: ARENA + 3 * PAGE, length: 2 * PAGE }
    expect(outcomeOf(mmapOp({ ...there, flags: 0x100022 }))).toBe('EEXIST')
    expect(drawn()).toBe('0-4 rw')
    expect(outcomeOf(mmapOp({ ...there, prot: 1, flags: 0x32 }))).toBe(there.address)
    expect(drawn()).toBe('0-3 rw | 3-5 r-')
    expect(outcomeOf(mmapOp({ address: ARENA + 5 * PAGE, flags: 0x100022, prot: 1 }))).toBe(ARENA + 5 * PAGE)
    sound(m)
  })

  test('a bad descriptor with MAP_FIXED leaves what is there', () => {
    fixed(0, 4)
    expect(outcomeOf(mmapOp({ address: ARENA, flags: 0x12, fd: 1 }))).toBe('ENODEV')
    expect(drawn()).toBe('0-4 rw')
  })

  test('more mappings than max_map_count + 1', () => {
    m.state.sysctl.maxMapCount = mmOf().vmas.length
    fixed(0, 1)
    expect(outcomeOf(mmapOp({ address: ARENA + 8 * PAGE, flags: 0x32 }))).toBe('ENOMEM')
  })
})

describe('a place', () => {
  test('a hint is followed where there is room, else the highest free range', () => {
    expect(outcomeOf(mmapOp({ address: ARENA }))).toBe(ARENA)
    expect(outcomeOf(mmapOp({ address: ARENA }))).toBeGreaterThan(2 ** 46)
    expect(outcomeOf(mmapOp({ address: ARENA + 100 * PAGE + 5 }))).toBe(ARENA + 100 * PAGE)
  })

  test.each([
    ['6.12', 0],
    ['6.1', 1],
  ] as const)('4 MiB of anonymous memory on %s', (series, isUnaligned) => {
    const machine = new TaskMachine({ series })
    const p = machine.spawn()
    machine.map(p, 1)
    const at = machine.map(p, 1024)
    expect(at % (2 * MIB) === 0 ? 0 : 1).toBe(isUnaligned)
    // A file, or a length that is no multiple, is never moved to a boundary.
    expect(machine.map(p, 1025) % (2 * MIB)).not.toBe(0)
  })

  test('a mapping that grows down keeps 256 pages free below itself', () => {
    const stack = call(mmapOp({ flags: 0x122 })).result
    expect(stack - call(mmapOp({})).result).toBe((256 + 4) * PAGE)
  })
})

describe('resource limits', () => {
  test('RLIMIT_AS and RLIMIT_DATA', () => {
    const size = mmOf().totalVm * PAGE
    call({ op: 'setrlimit', resource: 'as', bytes: size + 4 * PAGE })
    expect(outcomeOf(mmapOp({ length: 5 * PAGE }))).toBe('ENOMEM')
    expect(outcomeOf(mmapOp({}))).toBeGreaterThan(0)
    call({ op: 'setrlimit', resource: 'as', bytes: Infinity })
    call({ op: 'setrlimit', resource: 'data', bytes: 0 })
    expect(outcomeOf(mmapOp({}))).toBe('ENOMEM')
    const readable = call(mmapOp({ prot: 1 })).result
    expect(readable).toBeGreaterThan(0)
  })

  test('RLIMIT_MEMLOCK holds for those who are not root', () => {
    const a = fixed(0, 4)
    call({ op: 'setrlimit', resource: 'memlock', bytes: 2 * PAGE })
    expect(outcomeOf({ op: 'mlock', address: a, length: 4 * PAGE })).toBe(0)
    call({ op: 'munlock', address: a, length: 4 * PAGE })
    call({ op: 'setuid', uid: 1000 })
    expect(outcomeOf({ op: 'mlock', address: a, length: 4 * PAGE })).toBe('ENOMEM')
    expect(outcomeOf({ op: 'mlock', address: a, length: 2 * PAGE })).toBe(0)
    // Locked already: it does not count twice.
    expect(outcomeOf({ op: 'mlock', address: a, length: 2 * PAGE })).toBe(0)
    expect(outcomeOf(mmapOp({ flags: 0x2022 }))).toBe('EAGAIN')
    call({ op: 'munlockall' })
    call({ op: 'setrlimit', resource: 'memlock', bytes: 0 })
    expect(outcomeOf({ op: 'mlock', address: a, length: PAGE })).toBe('EPERM')
    expect(outcomeOf(mmapOp({ flags: 0x2022 }))).toBe('EPERM')
    expect(outcomeOf(mmapOp({ address: 0, flags: 0x32 }))).toBe('EPERM')
    sound(m)
  })
})

describe('neighbours', () => {
  test('new memory between two alike makes one of three', () => {
    fixed(0, 2)
    fixed(4, 2)
    expect(drawn()).toBe('0-2 rw | 4-6 rw')
    fixed(2, 2)
    expect(drawn()).toBe('0-6 rw')
  })

  test('mprotect cuts in three, moves a border, and joins again', () => {
    fixed(0, 9)
    mprotect(3, 3, 1)
    expect(drawn()).toBe('0-3 rw | 3-6 r- | 6-9 rw')
    mprotect(2, 2, 1)
    expect(drawn()).toBe('0-2 rw | 2-6 r- | 6-9 rw')
    mprotect(0, 9, 3)
    expect(drawn()).toBe('0-9 rw')
    sound(m)
  })

  test('memory that was written apart stays apart; a neighbour without pages is taken in', () => {
    fixed(0, 2)
    touch(0)
    fixed(4, 2)
    touch(4)
    fixed(2, 2)
    // It goes to the left one; the two that were written have pages of their own.
    expect(drawn()).toBe('0-4 rw | 4-6 rw')
  })

  test('a part that was written does not join a neighbour that was not (6.1 to 6.15)', () => {
    fixed(0, 2)
    fixed(2, 2, 1)
    touch(0)
    mprotect(0, 2, 1)
    expect(drawn()).toBe('0-2 r- | 2-4 r-')
    // The other way round it does.
    fixed(8, 2)
    fixed(10, 2, 1)
    touch(8)
    mprotect(10, 2, 3)
    expect(drawn()).toBe('0-2 r- | 2-4 r- | 8-12 rw')
    sound(m)
  })

  test('memory that differs in access only shares its anon_vma, and joins once it does not differ', () => {
    fixed(0, 2)
    fixed(2, 2, 7)
    touch(0)
    touch(2)
    expect(drawn()).toBe('0-2 rw | 2-4 rw')
    mprotect(2, 2, 3)
    expect(drawn()).toBe('0-4 rw')
  })

  test('too many: a cut is refused, a moved border is not', () => {
    fixed(0, 4)
    fixed(4, 4, 1)
    m.state.sysctl.maxMapCount = mmOf().vmas.length
    expect(mprotect(1, 1, 1).errno).toBe('ENOMEM')
    expect(mprotect(3, 1, 1).errno).toBe('')
    expect(drawn()).toBe('0-3 rw | 3-8 r-')
    expect(outcomeOf({ op: 'munmap', address: ARENA + PAGE, length: PAGE })).toBe('ENOMEM')
    expect(outcomeOf({ op: 'munmap', address: ARENA + 2 * PAGE, length: 2 * PAGE })).toBe(0)
    expect(outcomeOf({ op: 'madvise', address: ARENA, length: PAGE, advice: 'random' })).toBe('EAGAIN')
    sound(m)
  })
})

describe('mprotect', () => {
  test('what lies before a hole is changed', () => {
    fixed(0, 2)
    fixed(4, 2)
    expect(mprotect(0, 6, 1).errno).toBe('ENOMEM')
    expect(drawn()).toBe('0-2 r- | 4-6 rw')
    expect(mprotect(2, 2, 1).errno).toBe('ENOMEM')
    expect(outcomeOf({ op: 'mprotect', address: ARENA + 1, length: PAGE, prot: 1 })).toBe('EINVAL')
    expect(mprotect(0, 1, 64).errno).toBe('EINVAL')
    expect(mprotect(0, 0, 1).errno).toBe('')
  })

  test('pages behind PROT_NONE stay, and are there again without a fault', () => {
    fixed(0, 4)
    touch(0, 4)
    mprotect(0, 4, 0)
    sound(m)
    expect(m.number(`/proc/${pid}/status`, 'RssAnon')).toBeGreaterThanOrEqual(16)
    mprotect(0, 4, 3)
    expect(touch(0, 4).minflt).toBe(0)
    mprotect(0, 4, 0)
    expect(touch(0).died).toBe(128 + 11)
  })

  test('write access promises memory once, and memory nobody wrote gives it back (6.7+)', () => {
    const before = m.state.committedAs
    fixed(0, 8, 1)
    expect(m.state.committedAs - before).toBe(0)
    mprotect(0, 8, 3)
    expect(m.state.committedAs - before).toBe(8)
    mprotect(0, 8, 1)
    expect(m.state.committedAs - before).toBe(0)
    mprotect(0, 8, 3)
    touch(0)
    mprotect(0, 8, 1)
    expect(m.state.committedAs - before).toBe(8)
    mprotect(0, 8, 3)
    expect(m.state.committedAs - before).toBe(8)
    sound(m)
  })
})
