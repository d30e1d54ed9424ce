import { expect, test } from 'vitest'
import { parseTarget, type MapNames } from './target'

const NAMES: MapNames = {
  endPfn: 0x20000,
  caches: ['dentry', 'kmalloc-64'],
  groups: ['/', '/a'],
  tasks: [{ pid: 412, comm: 'stress' }],
}

test.each([
  ['0x1a2b', { kind: 'frame', pfn: 0x1a2b }],
  ['4096', { kind: 'frame', pfn: 4096 }],
  ['pfn 0x1ffff', { kind: 'frame', pfn: 0x1ffff }],
  ['addr 0x1a2b7ff', { kind: 'frame', pfn: 0x1a2b }],
  ['0x1a2b000', { kind: 'frame', pfn: 0x1a2b }],
  ['pid 412', { kind: 'process', subject: '412' }],
  [' stress ', { kind: 'process', subject: '412' }],
  ['/a', { kind: 'cgroup', subject: '/a' }],
  ['cgroup /', { kind: 'cgroup', subject: '/' }],
  ['dentry', { kind: 'slab', subject: 'dentry' }],
  ['cache kmalloc-64', { kind: 'slab', subject: 'kmalloc-64' }],
])('%s is found', (text, target) => {
  expect(parseTarget(text, NAMES)).toEqual({ ok: true, value: target })
})

test.each([
  ['', 'Nothing to go to.'],
  ['pfn 0x20000', 'The last frame is pfn 0x1ffff.'],
  ['addr 0x20000000', 'Memory ends at 0x20000000.'],
  ['0x20000000', 'behind the last frame'],
  ['pfn -1', 'no number'],
  ['pid 99', 'There is no such process.'],
  ['/b', 'There is no such memory cgroup.'],
  ['cache dent', 'There is no such slab cache.'],
  ['nonsense', 'No frame, process, group or slab cache'],
])('%s is refused in words that say what would do', (text, message) => {
  const found = parseTarget(text, NAMES)
  expect(found.ok ? '' : found.error.message).toContain(message)
  expect(found.ok ? '' : found.error.fix).not.toBe('')
})
