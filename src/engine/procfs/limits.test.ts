import { expect, test } from 'vitest'
import { TaskMachine, puppetChild } from '../../../test/task-machine'

test('limits show what the task set itself, in the kernel’s columns', () => {
  const m = new TaskMachine()
  const pid = m.spawn()
  m.perform(pid, { op: 'setrlimit', resource: 'as', bytes: 1 << 30 })
  const lines = m.read(`/proc/${pid}/limits`).split('\n')
  expect(lines[0]).toBe('Limit                     Soft Limit           Hard Limit           Units     ')
  expect(lines).toContain('Max stack size            8388608              unlimited            bytes     ')
  expect(lines).toContain('Max address space         1073741824           unlimited            bytes     ')
})

test('a shared mapping of a file that is open for reading is shown as shared; vvar has the flags that were captured', () => {
  const m = new TaskMachine({ files: { f: 4 } })
  const pid = m.spawn()
  m.perform(pid, { op: 'mmap', length: 4096, prot: 1, flags: 1, fd: m.open(pid, '/data/f') })
  expect(m.read(`/proc/${pid}/maps`)).toMatch(/ r--s 00000000 .*\/data\/f/)
  expect(m.read(`/proc/${pid}/smaps`)).toContain('VmFlags: rd mr pf io de dd sd \n')
})

test.each([
  ['SIGXCPU at the soft limit', 1, 3, 152],
  ['SIGKILL at the hard one', 2, 2, 137],
])('CPU time: %s', (_what, bytes, hard, status) => {
  const m = new TaskMachine()
  const pid = m.spawn()
  const start = m.state.nowNs
  expect(m.perform(pid, { op: 'setrlimit', resource: 'cpu', bytes, hard }).errno).toBe('')
  expect(m.perform(pid, { op: 'compute', ns: 10e9 }).died).toBe(status)
  expect(m.state.nowNs - start).toBeLessThan((bytes + 0.1) * 1e9)
})

test('a soft limit above the hard one is refused, and only root raises a hard one', () => {
  const m = new TaskMachine()
  const pid = m.spawn()
  const set = (bytes: number, hard: number) => m.perform(pid, { op: 'setrlimit', resource: 'data', bytes, hard }).errno
  expect([set(4096, 8192), set(8192, 4096), set(4096, 16384)]).toEqual(['', 'EINVAL', ''])
  m.perform(pid, { op: 'setuid', uid: 1000 })
  expect([set(4096, 32768), set(4096, 8192)]).toEqual(['EPERM', ''])
})

test('a fork of another user than root fails with EAGAIN when he has his number of processes', () => {
  const m = new TaskMachine()
  const pid = m.spawn()
  m.perform(pid, { op: 'setrlimit', resource: 'nproc', bytes: 1 })
  expect(m.perform(pid, { op: 'fork', child: { ...puppetChild } }).errno).toBe('')
  m.perform(pid, { op: 'setuid', uid: 1000 })
  expect(m.perform(pid, { op: 'fork', child: { ...puppetChild } }).errno).toBe('EAGAIN')
})

test('a task has as many descriptors as its limit says: EMFILE, for both ends of a pipe too', () => {
  const m = new TaskMachine({ files: { f: 1 } })
  const pid = m.spawn()
  m.perform(pid, { op: 'setrlimit', resource: 'nofile', bytes: 5 })
  const open = () => m.perform(pid, { op: 'open', path: '/data/f' })
  expect(open().result).toBe(3)
  expect(m.perform(pid, { op: 'pipe' }).errno).toBe('EMFILE')
  expect([open().result, open().errno]).toEqual([4, 'EMFILE'])
  m.perform(pid, { op: 'close', fd: 3 })
  expect(open().result).toBe(3)
  expect(m.perform(pid, { op: 'setrlimit', resource: 'nofile', bytes: 5, hard: 2 ** 21 }).errno).toBe('EPERM')
})

test('a write goes up to the limit of file sizes; one that begins there is SIGXFSZ', () => {
  const m = new TaskMachine({ files: { f: 1 } })
  const pid = m.spawn()
  m.perform(pid, { op: 'setrlimit', resource: 'fsize', bytes: 10_000 })
  const fd = m.open(pid, '/data/g', { write: true, create: true })
  const write = () => m.perform(pid, { op: 'write', fd, length: 8192 })
  expect([write().result, write().result]).toEqual([8192, 1808])
  expect(write().died).toBe(128 + 25)
  expect(m.state.inodes.find((inode) => inode?.size === 10_000)).toBeDefined()
})

test('text is cut at the limit of file sizes', () => {
  const m = new TaskMachine({ files: { f: 1 } })
  const pid = m.spawn()
  m.perform(pid, { op: 'setrlimit', resource: 'fsize', bytes: 5 })
  const fd = m.open(pid, '/data/g', { write: true, create: true })
  expect(m.perform(pid, { op: 'write', fd, text: 'abcäöü' }).result).toBe(5)
  expect(m.read('/data/g')).toBe('abcä')
  expect(m.perform(pid, { op: 'write', fd, text: 'x' }).died).toBe(128 + 25)
})
