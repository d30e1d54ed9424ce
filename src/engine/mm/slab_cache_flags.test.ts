import { describe, expect, test } from 'vitest'
import { plainMachine } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import { bootMachine } from '../machine'
import { pseudo } from '../procfs/index'
import type { KernelState } from '../state'

const boot = (): KernelState => bootMachine(plainMachine(256 * MIB), 1)
const read = (state: KernelState, name: string, attribute: string): unknown =>
  pseudo.read(state, `/sys/kernel/slab/${name}/${attribute}`, 1, true)

describe('flags that a cache was created with', () => {
  // As a running kernel shows them in /sys/kernel/slab; sizes of 6.12.
  test.each([
    ['dentry', 'hwcache_align destroy_by_rcu usersize', '0 0 40'],
    ['sighand_cache', 'hwcache_align destroy_by_rcu usersize', '1 1 0'],
    ['filp', 'hwcache_align destroy_by_rcu usersize', '1 1 0'],
    ['task_struct', 'hwcache_align destroy_by_rcu usersize', '0 0 2696'],
    ['mm_struct', 'hwcache_align destroy_by_rcu usersize', '1 0 416'],
    ['kmalloc-64', 'hwcache_align destroy_by_rcu usersize', '0 0 64'],
    ['kmalloc-cg-1k', 'hwcache_align destroy_by_rcu usersize', '0 0 1024'],
    ['msg_msg-64', 'hwcache_align destroy_by_rcu usersize', '0 0 16'],
    ['msg_msg-8k', 'hwcache_align destroy_by_rcu usersize', '0 0 4048'],
    ['memdup_user-96', 'hwcache_align destroy_by_rcu usersize', '0 0 96'],
    ['vm_area_struct', 'hwcache_align destroy_by_rcu usersize', '0 0 0'],
  ])('%s: %s = %s', (name, attributes, expected) => {
    const state = boot()
    const shown = attributes.split(' ').map((attribute) => String(read(state, name, attribute)).trim())
    expect(shown.join(' ')).toBe(expected)
  })

  test('the constructor is named, and a cache without one has an empty file', () => {
    const state = boot()
    expect(read(state, 'anon_vma', 'ctor')).toBe('anon_vma_ctor+0x0\n')
    expect(read(state, 'dentry', 'ctor')).toBe('')
  })

  test('nothing but unmerged caches has a constructor, outlives a grace period or is copied to users', () => {
    const state = boot()
    for (const cache of state.slabs.caches.filter(({ sysfsId }) => sysfsId !== '')) {
      expect(read(state, cache.sysfsId, 'ctor')).toBe('')
      expect(read(state, cache.sysfsId, 'destroy_by_rcu')).toBe('0\n')
      expect(read(state, cache.sysfsId, 'usersize')).toBe('0\n')
    }
  })

  test('a cache without debugging cannot be checked', () => {
    const state = boot()
    expect(pseudo.write(state, '/sys/kernel/slab/dentry/validate', '1\n', 1)).toBe('EINVAL')
  })
})
