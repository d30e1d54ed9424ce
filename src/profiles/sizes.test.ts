import { expect, test } from 'vitest'
import { editDistance, nearestName } from '../util/nearest'
import { formatCpuList, formatSize, parseCpuList, parseDuration, parseSize, spellSize } from './sizes'

test.each([
  ['512M', 536870912],
  ['4 GiB', 4294967296],
  ['1.5g', 1610612736],
  ['3t', 3298534883328],
  ['4096', 4096],
  ['8kB', 8192],
  ['0', 0],
  ['1.0001K', undefined],
  ['', undefined],
  ['4X', undefined],
  ['-1G', undefined],
  ['9999999T', undefined],
])('%s is %s bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test('a size is spelled so that it reads back, and shown so that it reads well', () => {
  for (const bytes of [0, 1, 4096, 536870912, 1610612736, 4294967296, 3298534883328])
    expect(parseSize(spellSize(bytes))).toBe(bytes)
  expect(spellSize(1610612736)).toBe('1536M')
  expect(formatSize(1610612736)).toBe('1.5 GiB')
  expect(formatSize(1000)).toBe('1000 bytes')
})

test.each([
  ['60s', 60e9],
  ['500ms', 5e8],
  ['10m', 6e11],
  ['0.5us', 500],
  ['60', undefined],
  ['soon', undefined],
])('%s is %s ns', (text, ns) => {
  expect(parseDuration(text)).toBe(ns)
})

test.each([
  ['0-3,8', [0, 1, 2, 3, 8]],
  ['', []],
  ['7', [7]],
  ['3-1', undefined],
  ['1,1', undefined],
  ['a', undefined],
])('CPU list %j', (text, cpus) => {
  expect(parseCpuList(text)).toEqual(cpus)
  if (cpus) expect(formatCpuList(cpus)).toBe(text)
})

test('the nearest name is one that a person may have meant', () => {
  expect(editDistance('kernel', 'kenrel')).toBe(1)
  expect(nearestName('nods', ['nodes', 'name'])).toBe('nodes')
  expect(nearestName('swapiness', ['vm.swappiness', 'vm.panic_on_oom'])).toBe('vm.swappiness')
  expect(nearestName('quite-another-thing', ['nodes', 'name'])).toBeUndefined()
})
