import { expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'

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
