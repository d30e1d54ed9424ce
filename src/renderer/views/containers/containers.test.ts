import { expect, test } from 'vitest'
import type { CgroupFrame } from '../../../protocol/messages'
import { MIB } from '../../../util/units'
import { limitField, limitTyped, spellLimit, writeLine } from './limits'
import { groupRows, scaleOf, shareOfCap } from './tree'
import { highPenalty, protectionRows, whyRefused } from './why-group'

const group = (path: string, more: Partial<CgroupFrame> = {}): CgroupFrame => ({
  path,
  parent: path === '/' ? '' : path.slice(0, path.lastIndexOf('/')) || '/',
  depth: path === '/' ? 0 : path.split('/').length - 1,
  hasMemory: true,
  current: 0,
  peak: 0,
  anon: 0,
  file: 0,
  kernel: 0,
  swapCurrent: 0,
  min: 0,
  low: 0,
  high: -1,
  max: -1,
  swapMax: -1,
  emin: 0,
  elow: 0,
  oomGroup: false,
  events: {},
  eventsLocal: {},
  processes: [],
  throttledNs: 0,
  psiSome: 0,
  ...more,
})
const groups = [
  group('/'),
  group('/pods', { max: 400 * MIB, current: 300 * MIB, low: 200 * MIB, elow: 200 * MIB }),
  group('/pods/api', { max: 800 * MIB, current: 200 * MIB, low: 100 * MIB, elow: 100 * MIB }),
  group('/pods/db', { max: 100 * MIB, current: 90 * MIB, low: 150 * MIB, elow: 90 * MIB }),
  group('/system.slice', { current: 50 * MIB }),
]
const memoryBytes = 1024 * MIB

test('a group is capped by the tightest limit on its way up, else by the machine', () => {
  const caps = groupRows(groups, new Set(), memoryBytes).map((row) => [row.group.path, row.capBytes / MIB, row.capFrom])
  expect(caps).toEqual([
    ['/', 1024, ''],
    ['/pods', 400, '/pods'],
    ['/pods/api', 400, '/pods'],
    ['/pods/db', 100, '/pods/db'],
    ['/system.slice', 1024, ''],
  ])
})

test('what lies below a closed group is not listed', () => {
  const rows = groupRows(groups, new Set(['/pods']), memoryBytes)
  expect(rows.map((row) => row.group.path)).toEqual(['/', '/pods', '/system.slice'])
  expect(rows[1]).toMatchObject({ hasChildren: true, isOpen: false, name: 'pods' })
})

test('a bar leaves room to pull its max further; on one scale all bars are the machine', () => {
  const row = groupRows(groups, new Set(), memoryBytes)[3]!
  expect(scaleOf(row, { isOneScale: false, memoryBytes }) / MIB).toBe(125)
  expect(scaleOf(row, { isOneScale: true, memoryBytes })).toBe(memoryBytes)
  expect(shareOfCap(row)).toBeCloseTo(90)
})

test.each([
  ['900', '900M'],
  ['0', '0'],
  ['0.5', '524288'],
  ['max', 'max'],
  ['1G', '1G'],
  [' lots ', 'lots'],
])('%s typed beside MiB is written as %s', (typed, written) => expect(limitTyped(typed)).toBe(written))

test('a limit is spelt as short as it stays exact', () => {
  expect([-1, 0, 100 * MIB, 4096, 4097].map(spellLimit)).toEqual(['max', '0', '100M', '4K', '4097'])
  expect(limitField(-1)).toEqual({ value: 'max', unit: '' })
  expect(limitField(100 * MIB + 4096)).toEqual({ value: '100.004', unit: 'MiB' })
})

test('every change is the line that a shell would take', () => {
  expect(writeLine('/pods/api', 'memory.high', '900M')).toBe('echo 900M > /sys/fs/cgroup/pods/api/memory.high')
  expect(writeLine('/', 'cgroup.subtree_control', '+memory')).toBe(
    'echo +memory > /sys/fs/cgroup/cgroup.subtree_control',
  )
})

test('a protection counts only as far as the memory is in use', () => {
  expect(protectionRows(groups[3]!, groups, 'low').map((row) => row.text)).toEqual([
    '150 MiB',
    '90 MiB',
    '200 MiB',
    '190 MiB',
    '90 MiB',
  ])
})

test('7.6 % over high costs 91 jiffies a batch, as the visual guide works out', () => {
  const penalty = highPenalty(group('/a', { high: 900 * MIB, current: 968 * MIB }))
  expect(penalty).toMatchObject({ jiffies: 91, ns: 364e6 })
  expect(highPenalty(group('/a', { high: 900 * MIB, current: 900 * MIB }))).toBeUndefined()
})

test('a small overshoot is let off, a large one sleeps two seconds at most', () => {
  expect(highPenalty(group('/a', { high: 1000 * MIB, current: 1010 * MIB }))).toMatchObject({ jiffies: 0 })
  expect(highPenalty(group('/a', { high: 100 * MIB, current: 300 * MIB }))).toMatchObject({ ns: 2e9 })
})

test('a busy group says which processes are in the way', () => {
  const words = whyRefused(
    'subtree',
    { code: 'EBUSY', message: 'Device or resource busy.', fix: '' },
    group('/a', { processes: [41, 42] }),
  )
  expect(words).toContain('pid 41, 42')
})
