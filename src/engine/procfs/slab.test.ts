import { describe, expect, test } from 'vitest'
import { captureConfig, captureText, staticCaptures } from '../../../test/static-captures'
import { bootMachine } from '../machine'
import { GFP_KERNEL } from '../mm/gfp'
import { cacheNumber } from '../mm/slab_state'
import { kmemCacheAlloc, kmemCacheFree } from '../mm/slub'
import type { KernelState } from '../state'
import { pseudo } from './index'

const capture = staticCaptures().find((c) => c.name === 'static-1g-2cpu')!
const release = /Linux version (\S+)/.exec(captureText(capture, 'base/version'))![1]!
const boot = (): KernelState => bootMachine({ ...captureConfig(capture, 'captured'), release }, 1)
const read = (state: KernelState, path: string): unknown => pseudo.read(state, path, 1, true)

describe('/proc/slabinfo', () => {
  test('heads and rows are those of the captured kernel, to the byte', () => {
    const ours = String(read(boot(), '/proc/slabinfo')).split('\n')
    const real = captureText(capture, 'base/slabinfo').split('\n')
    expect(ours.slice(0, 2)).toEqual(real.slice(0, 2))
    expect(ours.length).toBe(real.length)
    const empty = (row: string): boolean => / 0 {6}0 {6}0$/.test(row)
    const emptyReal = real.filter(empty)
    expect(emptyReal.length).toBeGreaterThan(50)
    for (const row of emptyReal.filter((r) => empty(ours[real.indexOf(r)]!))) expect(ours).toContain(row)
    for (const row of ours.slice(2, -1))
      expect(row).toMatch(/^\S+ +\d+ +\d+ +\d+ +\d+ +\d+ : tunables {4}0 {4}0 {4}0 : slabdata +\d+ +\d+ {6}0$/)
  })
})

describe('/sys/kernel/slab', () => {
  test('a merged name is a link to the cache that serves it', () => {
    const state = boot()
    expect(pseudo.stat(state, '/sys/kernel/slab/vm_area_struct')).toMatchObject({
      kind: 'symlink',
      target: ':A-0000176',
    })
    expect(pseudo.stat(state, '/sys/kernel/slab/:A-0000176')).toMatchObject({ kind: 'dir' })
    expect(pseudo.stat(state, '/sys/kernel/slab/dentry')).toMatchObject({ kind: 'dir' })
    expect(read(state, '/sys/kernel/slab/vm_area_struct/objs_per_slab')).toBe('23\n')
    expect(pseudo.list(state, '/sys/kernel')).toContain('slab')
    expect(pseudo.stat(state, '/sys/kernel/slab/nosuch')).toBeUndefined()
    expect(read(state, '/sys/kernel/slab/nosuch/order')).toEqual({ errno: 'ENOENT' })
  })

  test('counts follow the objects; writing 1 to shrink gives empty slabs back', () => {
    const state = boot()
    const cache = cacheNumber(state.slabs, 'fuse_inode')
    const path = '/sys/kernel/slab/fuse_inode'
    expect(read(state, `${path}/objects`)).toBe('0\n')
    const objects = Array.from({ length: 20 }, () => kmemCacheAlloc(state, cache, GFP_KERNEL))
    expect(read(state, `${path}/objects`)).toBe('36 N0=36\n')
    expect(read(state, `${path}/slabs`)).toBe('2 N0=2\n')
    expect(read(state, `${path}/cpu_slabs`)).toBe('1 N0=1\n')
    for (const object of objects) kmemCacheFree(state, object)
    expect(read(state, `${path}/slabs_cpu_partial`)).toBe('9(1) C0=9(1)\n')
    expect(pseudo.write(state, `${path}/shrink`, 'x', 1)).toBe('EINVAL')
    expect(pseudo.write(state, `${path}/order`, '1', 1)).toBe('EACCES')
    expect(pseudo.write(state, `${path}/cpu_partial`, '100\n', 1)).toBeUndefined()
    expect(read(state, `${path}/slabs_cpu_partial`)).toBe('0(0)\n')
    expect(read(state, `${path}/partial`)).toBe('2 N0=2\n')
    expect(read(state, `${path}/cpu_partial`)).toBe('100\n')
    expect(pseudo.write(state, `${path}/min_partial`, '0', 1)).toBeUndefined()
    expect(read(state, `${path}/min_partial`)).toBe('0\n')
    expect(pseudo.write(state, `${path}/min_partial`, '-1', 1)).toBe('EINVAL')
    expect(pseudo.write(state, `${path}/remote_node_defrag_ratio`, '101', 1)).toBe('ERANGE')
    expect(pseudo.write(state, `${path}/shrink`, '1\n', 1)).toBeUndefined()
    expect(read(state, `${path}/slabs`)).toBe('0\n')
  })
})
