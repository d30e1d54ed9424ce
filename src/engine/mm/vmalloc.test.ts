import { describe, expect, test } from 'vitest'
import { plainMachine, zoneState } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import { context } from '../context'
import { pseudo } from '../procfs'
import type { KernelState } from '../state'
import { GFP_KERNEL } from './gfp'
import { kvfree, kvmalloc } from './kvmalloc'
import { vfree, vmalloc, type VmArea } from './vmalloc'

const machine = (): KernelState => zoneState(plainMachine(64 * MIB, 2))
const ask = (state: KernelState, bytes: number): VmArea | undefined =>
  vmalloc(state, { bytes, gfp: GFP_KERNEL, region: 'vmalloc', caller: 'test' })
const info = (state: KernelState): string[] =>
  String(pseudo.read(state, '/proc/vmallocinfo', 1, true))
    .trimEnd()
    .split('\n')
const free = (state: KernelState): number => state.zones.reduce((sum, zone) => sum + zone.stat[0]! + pcp(zone), 0)
const pcp = (zone: KernelState['zones'][number]): number => zone.pcp.reduce((sum, list) => sum + list.count, 0)

describe('an area', () => {
  test('is whole pages with a guard page behind them, frame by frame', () => {
    const state = machine()
    ask(state, 10_000)
    ask(state, 4096)
    expect(info(state)).toEqual([
      '0xffffc90000000000-0xffffc90000004000   16384 test pages=3 vmalloc N0=3',
      '0xffffc90000004000-0xffffc90000006000    8192 test pages=1 vmalloc N0=1',
    ])
    expect(state.vmap.nrPages).toBe(4)
  })

  test('with more than 512 pages keeps the array of its pages in an area of its own', () => {
    const state = machine()
    const area = ask(state, 513 * 4096)!
    expect(area.array?.pages).toBe(2)
    expect(info(state)[1]).toContain('pages=513 vmalloc vpages')
    expect(Object.keys(state.vmap.tables)).toEqual(['vmalloc 0', 'vmalloc 1'])
    vfree(state, area)
    expect(state.vmap.areas).toEqual([])
    expect(state.vmap.nrPages).toBe(0)
  })

  test('that is freed gives its frames back at once and its addresses later', () => {
    const state = machine()
    const area = ask(state, 4096)!
    const before = free(state)
    vfree(state, area)
    expect(free(state)).toBe(before + 1)
    expect(info(state)).toEqual(['0xffffc90000000000-0xffffc90000002000    8192 unpurged vm_area'])
    expect(ask(state, 4096)!.start).toBe(2)
    // Two CPUs wait for 64 MiB of addresses.
    for (let i = 0; i < 8192; i++) vfree(state, ask(state, 4096)!)
    expect(state.vmap.lazy.length).toBeLessThan(8192)
  })
})

describe('failure', () => {
  test('more than the machine has is refused with a report', () => {
    const state = machine()
    expect(ask(state, 0)).toBeUndefined()
    expect(ask(state, 1024 * MIB)).toBeUndefined()
    expect(state.klog.map(({ text }) => text).join('\n')).toContain(
      'vmalloc error: size 1073741824, exceeds total pages, mode:0xcc0(GFP_KERNEL)',
    )
  })

  test('whichever allocation fails, nothing is left behind', () => {
    const state = machine()
    vfree(state, ask(state, 600 * 4096)!)
    state.vmap.lazy.length = 0
    const before = free(state)
    for (let n = 1; n < 700; n += 23) {
      let left = n
      context.failAlloc = () => --left === 0
      const area = ask(state, 600 * 4096)
      delete context.failAlloc
      if (area !== undefined) vfree(state, area)
      state.vmap.lazy.length = 0
      expect(state.vmap.areas).toEqual([])
      expect(state.vmap.nrPages).toBe(0)
      // Slabs of the objects behind an area may stay.
      expect(Math.abs(free(state) - before)).toBeLessThanOrEqual(4)
    }
  })
})

test('kvmalloc takes kmalloc while it is easy, else vmalloc', () => {
  const state = machine()
  const small = kvmalloc(state, { bytes: 100_000, gfp: GFP_KERNEL, caller: 'test' })!
  expect(small.kind).toBe('kmalloc')
  const large = kvmalloc(state, { bytes: 5 * MIB, gfp: GFP_KERNEL, caller: 'test' })!
  expect(large.kind).toBe('vmalloc')
  kvfree(state, small)
  kvfree(state, large)
  expect(kvmalloc(state, { bytes: 2 ** 31, gfp: GFP_KERNEL, caller: 'test' })).toBeUndefined()
})

test('by hand: rows show the area, and freeing takes it away', () => {
  const state = machine()
  const path = '/sys/kernel/debug/pagewalk/vmalloc'
  const write = (text: string): unknown => pseudo.write(state, path, text, 1)
  expect(write('alloc size=10000')).toBeUndefined()
  expect(write('alloc size=5000 kv=1')).toBeUndefined()
  expect(String(pseudo.read(state, path, 1, true))).toMatch(
    /^1 0xffffc90000000000 pages=3 size=10000 bytes=12288 path=vmalloc\n2 0x[0-9a-f]{12} pfn=\d+ size=5000 bytes=8192 path=kmalloc\n# last: alloc 2 kmalloc\n$/,
  )
  expect(write('free all')).toBeUndefined()
  expect(state.vmap.areas).toEqual([])
  expect(write('alloc size=0')).toBe('EINVAL')
  expect(write('alloc size=100000000')).toBe('ENOMEM')
  expect(state.klog.at(-1)!.text).toContain('is more than the machine has')
})
