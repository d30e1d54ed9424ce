import { describe, expect, test } from 'vitest'
import { plainMachine, zoneState } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import { pseudo } from '../procfs'
import type { KernelState } from '../state'
import { cacheNumber } from './slab_state'
import { slabCacheView } from './slab_view'
import { checkSlabs } from './slub_check'
import { NR_SLAB_UNRECLAIMABLE } from './vmstat'

const DIR = '/sys/kernel/debug/pagewalk'
const machine = (cpus = 2): KernelState => zoneState(plainMachine(64 * MIB, cpus))
const write = (state: KernelState, file: string, text: string): unknown =>
  pseudo.write(state, `${DIR}/${file}`, text, 1)
const read = (state: KernelState, file: string): string => String(pseudo.read(state, `${DIR}/${file}`, 1, true))
const lastOf = (state: KernelState, file: string): string => read(state, file).trimEnd().split('\n').at(-1)!
const explained = (state: KernelState): string => state.klog.at(-1)!.text

describe('objects by hand', () => {
  test('each allocation and each free says which way it took', () => {
    const state = machine()
    const steps: [string, string][] = [
      ['alloc cache=dentry', 'alloc 1 alloc_slab'],
      ['alloc cache=dentry', 'alloc 2 alloc_fastpath'],
      ['alloc cache=dentry count=20', 'alloc 22 alloc_slab'],
      ['free 22', 'free 22 free_fastpath'],
      ['free 1', 'free 1 cpu_partial_free'],
      ['free 2', 'free 2 free_slowpath'],
      ['alloc cache=dentry cpu=1', 'alloc 23 alloc_slab'],
      ['free 23', 'free 23 free_frozen'],
      ['alloc cache=dentry count=20 cpu=1', 'alloc 43 alloc_fastpath'],
      ['alloc cache=dentry cpu=1', 'alloc 44 alloc_refill'],
      ['alloc cache=dentry count=21', 'alloc 65 alloc_fastpath'],
      ['alloc cache=dentry', 'alloc 66 cpu_partial_alloc'],
    ]
    for (const [text, last] of steps) {
      expect(write(state, 'objects', `${text}\n`)).toBeUndefined()
      expect(lastOf(state, 'objects')).toBe(`# last: ${last}`)
      expect(checkSlabs(state)).toEqual([])
    }
    expect(write(state, 'objects', 'free all')).toBeUndefined()
    expect(read(state, 'objects')).toMatch(/^# last: free \d+ \S+\n$/)
    expect(checkSlabs(state)).toEqual([])
  })

  test('a free names its CPU: the slab of one CPU is fast there and slow elsewhere', () => {
    const state = machine()
    for (const [cpu, way] of [
      [1, 'free_fastpath'],
      [0, 'free_frozen'],
    ] as const) {
      expect(write(state, 'objects', 'alloc cache=dentry cpu=1')).toBeUndefined()
      const id = Number(lastOf(state, 'objects').split(' ')[3])
      expect(write(state, 'objects', `free ${id} cpu=${cpu}`)).toBeUndefined()
      expect(lastOf(state, 'objects')).toBe(`# last: free ${id} ${way}`)
    }
  })

  test('a held object is a row with its address, frame and size', () => {
    const state = machine()
    write(state, 'objects', 'alloc cache=dentry')
    const [, address = '', pfn = ''] =
      /^1 0x([0-9a-f]{12}) pfn=(\d+) cache=dentry bytes=192 path=alloc_slab\n/.exec(read(state, 'objects')) ?? []
    expect(Math.floor(Number.parseInt(address, 16) / 4096)).toBe(Number(pfn))
    expect(read(state, 'slabs/dentry')).toContain('by hand, number 1')
    expect(read(state, 'slabs/dentry')).toContain('used=1/21 [#cccccccccccccccccccc]')
  })

  test('an empty slab that the node need not keep goes back to the page allocator', () => {
    const state = machine()
    // 21 a slab, 12 slabs set aside by a CPU, 5 kept by the node: enough slabs to overflow both.
    write(state, 'objects', `alloc cache=dentry count=${21 * 30}`)
    const paths = new Set<string>()
    for (let id = 1; id <= 21 * 30; id++) {
      write(state, 'objects', `free ${id}`)
      paths.add(lastOf(state, 'objects').split(' ').at(-1)!)
    }
    expect([...paths].sort()).toEqual(['cpu_partial_drain', 'cpu_partial_free', 'free_fastpath', 'free_slowpath'])
    const { nrSlabs } = slabCacheView(state, cacheNumber(state.slabs, 'dentry')).nodes[0]!
    expect(nrSlabs).toBeLessThan(30)
    expect(checkSlabs(state)).toEqual([])
  })

  test.each([
    ['alloc cache=nosuch', 'ENOENT', "there is no cache 'nosuch'"],
    ['alloc cache=dentry gfp=GFP_NOSUCH', 'EINVAL', 'gfp=GFP_NOSUCH'],
    ['alloc cache=dentry cpu=9', 'EINVAL', 'CPUs 0 to 1'],
    ['alloc cache=dentry count=0', 'EINVAL', 'is not 1 to 4096'],
    ['alloc dentry', 'EINVAL', "'dentry' is not understood"],
    ['free 1', 'EINVAL', 'was freed before'],
    ['free 2', 'ENOENT', '2 was never allocated'],
    ['free x', 'EINVAL', "'x' is no number"],
    ['free', 'EINVAL', "'free' needs a number"],
    ['look', 'EINVAL', "neither 'alloc' nor 'free'"],
  ])('%j is refused with %s, and the kernel log says why', (text, errno, why) => {
    const state = machine()
    write(state, 'objects', 'alloc cache=dentry')
    write(state, 'objects', 'free 1')
    const before = read(state, 'objects')
    expect(write(state, 'objects', text)).toBe(errno)
    expect(explained(state)).toContain(why)
    expect(read(state, 'objects')).toBe(before)
  })
})

describe('kmalloc by hand', () => {
  test('small blocks come from a cache, large ones are whole pages', () => {
    const state = machine()
    for (const text of ['size=100', 'size=5000', 'size=8193', 'size=0'])
      expect(write(state, 'kmalloc', `alloc ${text}`)).toBeUndefined()
    expect(read(state, 'kmalloc').match(/size=.*/g)).toEqual([
      'size=100 bytes=128 path=alloc_slab',
      'size=5000 bytes=8192 path=alloc_slab',
      'size=8193 bytes=16384 path=alloc_pages',
      'size=0 bytes=0',
    ])
    expect(write(state, 'kmalloc', 'free 3')).toBeUndefined()
    expect(lastOf(state, 'kmalloc')).toBe('# last: free 3 free_pages')
    expect(write(state, 'kmalloc', 'free id=4')).toBeUndefined()
    expect(checkSlabs(state)).toEqual([])
  })

  test('more than a block of order 10 has no memory, and neither has more than there is', () => {
    const state = machine()
    expect(write(state, 'kmalloc', 'alloc size=4194305')).toBe('ENOMEM')
    expect(explained(state)).toContain('at most 4194304 bytes')
    expect(write(state, 'kmalloc', 'alloc size=4194304 gfp=GFP_ATOMIC|__GFP_NOWARN count=30')).toBe('ENOMEM')
    const blocks = read(state, 'kmalloc').match(/^\d/gm)!.length
    expect(blocks).toBeGreaterThan(5)
    expect(state.nodes[0]!.stat[NR_SLAB_UNRECLAIMABLE]).toBe(1024 * blocks)
    expect(write(state, 'kmalloc', 'alloc size=-1')).toBe('EINVAL')
  })
})

test('what a second free would do depends on who gave the memory', () => {
  const state = machine()
  write(state, 'vmalloc', 'alloc size=20000')
  write(state, 'vmalloc', 'free 1')
  expect(write(state, 'vmalloc', 'free 1')).toBe('EINVAL')
  expect(explained(state)).toContain('1 was freed before: the kernel warns of a nonexistent vm area')
})
