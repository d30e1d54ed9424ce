/** The n-th allocation fails, for n = 1, 2, 3 … until the scenario needs no more: the machine stays sound, and usable. */
import { afterEach, describe, expect, test } from 'vitest'
import { TaskMachine, puppetChild, type TaskMachineOptions } from '../../test/task-machine'
import { context } from './context'
import type { Op } from './task'

const PAGE = 4096

afterEach(() => {
  delete context.failAlloc
})

/** Fails the n-th request from now on. @returns whether it came to that */
function failNth(n: number): () => boolean {
  let seen = 0
  context.failAlloc = () => ++seen === n
  return () => seen >= n
}

/** The puppet does it, unless an earlier failure took it away. */
function perform(m: TaskMachine, pid: number, op: Op): number {
  if (m.state.tasks[pid] === undefined || !m.isResting(pid)) return -1
  m.begin(pid, op)
  m.advance(2e9)
  return m.outcomeOf(pid)?.result ?? -1
}

const SCENARIOS: Readonly<Record<string, (m: TaskMachine) => void>> = {
  'a program starts and ends': (m) => {
    const pid = m.run(['puppet'])
    m.advance(1e9)
    perform(m, pid, { op: 'exit', status: 0 })
  },

  'memory is mapped, touched, copied by fork and written by both': (m) => {
    const pid = m.run(['puppet'])
    m.advance(1e9)
    const address = perform(m, pid, { op: 'mmap', length: 12 * PAGE, prot: 3, flags: 0x22 })
    perform(m, pid, { op: 'touch', address, length: 12 * PAGE, mode: 'write' })
    const shared = perform(m, pid, { op: 'mmap', length: 8 * PAGE, prot: 3, flags: 0x8021 })
    const child = perform(m, pid, { op: 'fork', child: puppetChild })
    for (const who of [child, pid]) perform(m, who, { op: 'touch', address, length: 12 * PAGE, mode: 'write' })
    perform(m, child, { op: 'touch', address: shared, length: 8 * PAGE, mode: 'read' })
    perform(m, child, { op: 'exit', status: 0 })
    m.signal(pid, 9)
  },

  'files are read, mapped and written': (m) => {
    const pid = m.run(['puppet'])
    m.advance(1e9)
    const fd = perform(m, pid, { op: 'open', path: '/data/f' })
    perform(m, pid, { op: 'read', fd, length: 40 * PAGE })
    const address = perform(m, pid, { op: 'mmap', length: 40 * PAGE, prot: 3, flags: 2, fd })
    perform(m, pid, { op: 'touch', address, length: 20 * PAGE, mode: 'read' })
    perform(m, pid, { op: 'touch', address, length: 5 * PAGE, mode: 'write' })
    const log = perform(m, pid, { op: 'open', path: '/tmp/log', write: true, create: true })
    perform(m, pid, { op: 'write', fd: log, text: 'a line\n' })
    perform(m, pid, { op: 'write', fd: log, length: 6 * PAGE })
    m.signal(pid, 9)
    m.advance(1e8)
    m.command({ kind: 'unlink', pid: 1, path: '/tmp/log' })
  },

  'pages go to swap and come back': (m) => {
    const pid = m.run(['puppet'])
    m.advance(1e9)
    const address = perform(m, pid, { op: 'mmap', length: 24 * PAGE, prot: 3, flags: 0x8022 })
    perform(m, pid, { op: 'madvise', address, length: 24 * PAGE, advice: 'pageout' })
    m.write('/sys/fs/cgroup/memory.reclaim', String(200 * PAGE))
    perform(m, pid, { op: 'touch', address, length: 12 * PAGE, mode: 'write' })
    m.command({ kind: 'swapoff', pid: 1, path: '/dev/vdc' })
    perform(m, pid, { op: 'touch', address, length: 24 * PAGE, mode: 'write' })
    m.signal(pid, 9)
  },

  'mappings are cut, moved and grown': (m) => {
    const pid = m.run(['puppet'])
    m.advance(1e9)
    const address = perform(m, pid, { op: 'mmap', length: 24 * PAGE, prot: 3, flags: 0x22 })
    perform(m, pid, { op: 'touch', address, length: 24 * PAGE, mode: 'write' })
    const move = (from: number, pages: number, to: number, flags: number, newAddress?: number): number =>
      perform(m, pid, {
        op: 'mremap',
        address: from,
        oldLength: pages * PAGE,
        newLength: to * PAGE,
        flags,
        ...(newAddress === undefined ? {} : { newAddress }),
      })
    // Out of the middle, to another table; grown where it is or elsewhere; the old place kept; shrunk.
    const far = 0x10_0000_0000 + 508 * PAGE
    move(address + 4 * PAGE, 8, 8, 3, far)
    const grown = move(far, 8, 20, 1)
    perform(m, pid, { op: 'touch', address: grown, length: 20 * PAGE, mode: 'write' })
    move(grown, 20, 20, 5)
    move(address + 12 * PAGE, 12, 6, 0)
    perform(m, pid, { op: 'mprotect', address: address + 13 * PAGE, length: PAGE, prot: 1 })
    m.signal(pid, 9)
  },

  'a process with pages of the huge page pool forks': (m) => {
    m.write('/proc/sys/vm/nr_hugepages', '5')
    const pid = m.run(['puppet'])
    m.advance(1e9)
    const flags = { prot: 3, length: 2 * 512 * PAGE } as const
    const own = perform(m, pid, { op: 'mmap', ...flags, flags: 0x40022 })
    const shared = perform(m, pid, { op: 'mmap', ...flags, length: 512 * PAGE, flags: 0x40021 })
    for (const address of [own, shared]) perform(m, pid, { op: 'touch', address, length: 512 * PAGE, mode: 'write' })
    const child = perform(m, pid, { op: 'fork', child: puppetChild })
    // The child's copy, and what it shares; then its parent's, who may take the page back.
    for (const who of [child, pid])
      for (const address of [own, shared]) perform(m, who, { op: 'touch', address, length: PAGE, mode: 'write' })
    perform(m, child, { op: 'munmap', address: own, length: flags.length })
    perform(m, child, { op: 'exit', status: 0 })
    m.signal(pid, 9)
    m.advance(1e8)
    m.write('/proc/sys/vm/nr_hugepages', '0')
  },

  'a group with a limit': (m) => {
    m.command({ kind: 'mkdir', pid: 1, path: '/sys/fs/cgroup/g', parents: false })
    m.write('/sys/fs/cgroup/g/memory.max', String(60 * PAGE))
    const pid = m.run(['puppet'])
    m.advance(1e9)
    m.write('/sys/fs/cgroup/g/cgroup.procs', String(pid))
    const address = perform(m, pid, { op: 'mmap', length: 90 * PAGE, prot: 3, flags: 0x22 })
    perform(m, pid, { op: 'touch', address, length: 90 * PAGE, mode: 'write' })
    m.signal(pid, 9)
    m.advance(1e9)
    m.command({ kind: 'rmdir', pid: 1, path: '/sys/fs/cgroup/g' })
  },
}

const OPTIONS: TaskMachineOptions = { mib: 40, swapPages: 500, files: { f: 60 } }
/** The scenarios make 100 to 400 requests; far more would be a loop that never ends. */
const FAILURES_MAX = 1500

describe.each(Object.entries(SCENARIOS))('%s', (_name, play) => {
  test('whichever allocation fails', () => {
    const booted = new TaskMachine(OPTIONS)
    const start = booted.engine.checkpoint(booted.state)
    let n = 0
    for (let isReached = (): boolean => true; isReached() && n < FAILURES_MAX;) {
      n++
      const m = new TaskMachine({ ...OPTIONS, state: booted.engine.restore(start) })
      isReached = failNth(n)
      play(m)
      m.advance(3e9)
      expect(m.engine.checkInvariants(m.state), `allocation ${n} failed`).toEqual([])
      // Whatever was lost, the next program finds a machine that works.
      delete context.failAlloc
      if (n % 20 === 0) expect(m.perform(m.spawn(), { op: 'exit', status: 5 }).died).toBe(5)
    }
    expect(n).toBeGreaterThan(20)
    expect(n).toBeLessThan(FAILURES_MAX)
  })
})
