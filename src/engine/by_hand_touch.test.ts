/** Accesses that kill, what the kernel log says of them, and accesses by hand: what was predicted is what happens. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TaskMachine, puppetChild, type Outcome } from '../../test/task-machine'
import { touchByHand, type TouchRecord } from './by_hand_touch'
import { predictFault } from './mm/fault_predict'
import type { Op, SigInfo, TouchMode } from './task'

const PAGE = 4096
const ARENA = 0x10_0000_0000

const sound = (m: TaskMachine): void => expect(m.engine.checkInvariants(m.state)).toEqual([])
const segvLines = (m: TaskMachine): string[] =>
  m.state.klog.map(({ text }) => text).filter((text) => /segfault|traps/.test(text))

function mapped(m: TaskMachine, pid: number, pages: number, prot = 3, flags = 0x32, fd?: number): number {
  const op: Op = { op: 'mmap', address: ARENA, length: pages * PAGE, prot, flags, ...(fd === undefined ? {} : { fd }) }
  return m.perform(pid, op).result
}
const touch = (m: TaskMachine, pid: number, address: number, mode: TouchMode, pages = 1): Outcome =>
  m.perform(pid, { op: 'touch', address, length: pages * PAGE, mode })

describe('an access that no mapping allows', () => {
  /** The signal that the task got: read before it is reaped. */
  function killedBy(prot: number, touched: number, address: number, mode: TouchMode): SigInfo | undefined {
    const m = new TaskMachine()
    const pid = m.spawn()
    mapped(m, pid, 4, prot === 0 ? 3 : prot)
    if (touched > 0) touch(m, pid, ARENA, 'read', touched)
    if (prot === 0) m.perform(pid, { op: 'mprotect', address: ARENA, length: 4 * PAGE, prot: 0 })
    const task = m.task(pid)
    touch(m, pid, address, mode)
    sound(m)
    return task.siginfo
  }

  test.each([
    ['a null pointer', 3, 0, 0x10, 'read', { code: 1, address: 0x10, error: 4 }],
    [
      'a write where nothing is mapped',
      3,
      0,
      ARENA + 8 * PAGE,
      'write',
      { code: 1, address: ARENA + 8 * PAGE, error: 6 },
    ],
    ['a write to read-only memory', 1, 0, ARENA + 5, 'write', { code: 2, address: ARENA + 5, error: 6 }],
    ['a write to a read-only page that is there', 1, 4, ARENA, 'write', { code: 2, address: ARENA, error: 7 }],
    ['a read behind PROT_NONE', 0, 4, ARENA, 'read', { code: 2, address: ARENA, error: 4 }],
    [
      'a fetch from data that is not there yet: first the page, then NX',
      3,
      0,
      ARENA,
      'exec',
      { code: 2, address: ARENA, error: 21 },
    ],
    ['a kernel address', 3, 0, 2 ** 64 - 2 ** 31, 'read', { code: 1, address: 2 ** 64 - 2 ** 31, error: 5 }],
    ['an address in the hole', 3, 0, 2 ** 47 + 2 ** 20, 'write', { code: 0x80, address: 0, error: 0 }],
    ['the last page below the hole', 3, 0, 2 ** 47 - PAGE, 'read', { code: 1, address: 2 ** 47 - PAGE, error: 5 }],
  ] as const)('%s', (_what, prot, touched, address, mode, info) => {
    expect(killedBy(prot, touched, address, mode)).toEqual({ signo: 11, ...info })
  })

  test('the kernel log says so, ten times in five seconds', () => {
    const m = new TaskMachine()
    const pid = m.spawn('victim')
    touch(m, pid, 0, 'read')
    expect(segvLines(m)).toEqual([`victim[${pid}]: segfault at 0 error 4 likely on CPU 0 (core 0, socket 0)`])
    const gp = m.spawn('victim')
    touch(m, gp, 2 ** 50, 'read')
    expect(segvLines(m).at(-1)).toBe(`traps: victim[${gp}] general protection fault error:0`)
    const nx = m.spawn('victim')
    mapped(m, nx, 1)
    touch(m, nx, ARENA, 'exec')
    expect(segvLines(m).at(-1)).toContain('segfault at 1000000000 ip 0000001000000000 error 15')
    for (let i = 0; i < 9; i++) touch(m, m.spawn(), 0, 'read')
    expect(segvLines(m).length).toBe(10)
  })

  test('behind the end of a file: SIGBUS, and no line', () => {
    const m = new TaskMachine({ files: { f: 2 } })
    const pid = m.spawn()
    mapped(m, pid, 4, 1, 0x12, m.open(pid, '/data/f'))
    const task = m.task(pid)
    expect(touch(m, pid, ARENA + 2 * PAGE, 'read').died).toBe(135)
    expect(task.siginfo).toEqual({ signo: 7, code: 2, address: ARENA + 2 * PAGE, error: 4 })
    expect(segvLines(m)).toEqual([])
  })

  test('instructions are fetched from memory that may be executed', () => {
    const m = new TaskMachine()
    const pid = m.spawn()
    mapped(m, pid, 4, 5)
    expect(touch(m, pid, ARENA, 'exec', 4).minflt).toBe(4)
    expect(touch(m, pid, ARENA, 'exec', 4).minflt).toBe(0)
  })
})

describe('by hand', () => {
  const last = (m: TaskMachine): TouchRecord => m.state.handTouch.done.at(-1)!

  test('a sleeping process is charged its page, and sleeps on', () => {
    const m = new TaskMachine()
    const pid = m.spawn()
    mapped(m, pid, 4)
    const before = m.task(pid).minFlt
    const line = `pid=${pid} address=0x${ARENA.toString(16)} access=write`
    expect(m.write('/sys/kernel/debug/pagewalk/touch', line)).toBe('')
    expect([m.task(pid).minFlt - before, m.task(pid).state, last(m).outcome, last(m).rss]).toEqual([
      1,
      'S',
      'minor',
      [0, 1, 0, 0],
    ])
    expect(m.read('/sys/kernel/debug/pagewalk/touch')).toMatch(
      /^1 pid=\d+ address=0x1000000000 access=write outcome=minor pfn=\d+ tables=\+/,
    )
    // It sleeps as before and does what it is told.
    expect(touch(m, pid, ARENA, 'write', 4).minflt).toBe(3)
    sound(m)
  })

  test('a page of a disk is waited for in the background', () => {
    const m = new TaskMachine({ files: { f: 64 } })
    const pid = m.spawn()
    mapped(m, pid, 64, 1, 0x12, m.open(pid, '/data/f'))
    touchByHand(m.state, { pid, address: ARENA, access: 'read' })
    expect(m.state.handTouch.waiting.length).toBe(1)
    expect(touchByHand(m.state, { pid, address: ARENA, access: 'read' })).toBe('EBUSY')
    m.advance(20e6)
    expect([last(m).outcome, last(m).predicted.outcome, last(m).pfn > 0]).toEqual(['major', 'major', true])
    sound(m)
  })

  test('a forbidden access kills the process', () => {
    const m = new TaskMachine()
    const pid = m.spawn()
    touchByHand(m.state, { pid, address: 8, access: 'write' })
    expect([last(m).outcome, last(m).siginfo]).toEqual(['signal', { signo: 11, code: 1, address: 8, error: 6 }])
    m.advance(1e6)
    expect(m.exits.get(pid)).toBe(139)
    sound(m)
  })

  test('huge pages: one for a write, the huge zero page for a read, a split after fork', () => {
    const m = new TaskMachine()
    m.write('/sys/kernel/mm/transparent_hugepage/enabled', 'always')
    const pid = m.spawn()
    m.perform(pid, { op: 'mmap', address: ARENA, length: 1024 * PAGE, prot: 3, flags: 0x32 })
    const made = (address: number, access: TouchMode): unknown[] => {
      touchByHand(m.state, { pid, address, access })
      const { outcome, rss, tables, predicted } = last(m)
      expect([predicted.outcome, [...predicted.rss], predicted.tables]).toEqual([outcome, [...rss], tables])
      return [outcome, rss[1]]
    }
    expect(made(ARENA + 5 * PAGE, 'write')).toEqual(['minor', 512])
    expect(made(ARENA + 9 * PAGE, 'write')).toEqual(['none', 0])
    expect(made(ARENA + 600 * PAGE, 'read')).toEqual(['minor', 0])
    expect(made(ARENA + 601 * PAGE, 'write')).toEqual(['minor', 1])
    const child = m.perform(pid, { op: 'fork', child: puppetChild }).result
    m.settle(child)
    expect(made(ARENA, 'write')).toEqual(['minor', 0])
    sound(m)
  })

  test.each([
    ['pid=9999 address=0 access=read', 'ESRCH'],
    ['pid=2 address=0 access=read', 'EINVAL'],
    ['pid=x address=0', 'EINVAL'],
    ['pid=1 address=0xz', 'EINVAL'],
    ['pid=1 address=0x10000000000000000', 'EINVAL'],
    ['pid=1 address=0 access=jump', 'EINVAL'],
    ['pid=1 address=0 size=4', 'EINVAL'],
  ])('%s: %s', (line, errno) => {
    const m = new TaskMachine({ userland: 'initramfs' })
    const text = line.replace('pid=2 ', `pid=${m.state.taskList.find((pid) => m.state.tasks[pid]!.isKthread)} `)
    expect(m.write('/sys/kernel/debug/pagewalk/touch', text)).toBe(errno)
    expect(m.state.klog.at(-1)!.text).toContain('pagewalk/touch: ')
  })
})

/** Regions of the arena, 32 pages apart: private, shared, read-only, PROT_NONE, files private and shared, behind the end. */
function stage(): { m: TaskMachine; pids: number[] } {
  const m = new TaskMachine({ files: { f: 24 }, swapPages: 512 })
  const pid = m.spawn()
  const fd = m.open(pid, '/data/f', { write: true })
  const region = (i: number, prot: number, flags: number, file?: number): void =>
    void m.perform(pid, {
      op: 'mmap',
      address: ARENA + i * 32 * PAGE,
      length: 32 * PAGE,
      prot,
      flags: flags | 0x10,
      ...(file === undefined ? {} : { fd: file }),
    })
  region(0, 3, 0x22)
  region(1, 3, 0x21)
  region(2, 1, 0x22)
  region(3, 0, 0x22)
  region(4, 3, 2, fd)
  region(5, 3, 1, fd)
  region(6, 5, 0x22)
  // Half of the private memory is in swap, and a child shares it.
  touch(m, pid, ARENA, 'write', 16)
  m.perform(pid, { op: 'madvise', address: ARENA, length: 8 * PAGE, advice: 'pageout' })
  touch(m, pid, ARENA + 8 * PAGE, 'write', 8)
  const child = m.perform(pid, { op: 'fork', child: puppetChild }).result
  m.settle(child)
  m.advance(1e9)
  return { m, pids: [pid, child] }
}

test('what is predicted is what happens: outcome, signal, tables, pages', () => {
  const access = fc.record({
    who: fc.nat(1),
    page: fc.oneof(fc.integer({ min: 0, max: 7 * 32 + 2 }), fc.constantFrom(-(ARENA / PAGE))),
    mode: fc.constantFrom('read' as const, 'write' as const, 'exec' as const),
  })
  fc.assert(
    fc.property(fc.array(access, { minLength: 10, maxLength: 40 }), (accesses) => {
      const { m, pids } = stage()
      for (const { who, page, mode } of accesses) {
        const pid = pids[who]!
        if (m.state.tasks[pid] === undefined || m.state.tasks[pid].state === 'Z') continue
        const address = ARENA + page * PAGE
        const before = JSON.stringify(m.state.tasks[pid].rssPending)
        const predicted = predictFault(m.state, m.task(pid), address, mode)
        expect(JSON.stringify(m.state.tasks[pid].rssPending)).toBe(before)
        expect(touchByHand(m.state, { pid, address, access: mode })).toBeUndefined()
        m.advance(30e6)
        const record = m.state.handTouch.done.at(-1)!
        const happened = {
          outcome: record.siginfo === undefined ? record.outcome : record.siginfo.signo === 7 ? 'SIGBUS' : 'SIGSEGV',
          siginfo: record.siginfo,
          tables: record.tables,
          rss: [...record.rss],
        }
        const { outcome, siginfo, tables, rss } = predicted
        expect({ ...happened, mode, page }).toEqual({ outcome, siginfo, tables, rss: [...rss], mode, page })
      }
      sound(m)
    }),
    { numRuns: 12, seed: 7 },
  )
})
