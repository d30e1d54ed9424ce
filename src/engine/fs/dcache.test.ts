import { describe, expect, test } from 'vitest'
import { plainMachine } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import { checkInvariants } from '../check'
import { bootMachine } from '../machine'
import { fileInode } from '../../../test/file-inode'
import { pseudo } from '../procfs'
import type { KernelState } from '../state'
import { runCommand } from '../user_commands'
import { SLABS_SCANNED, vmEvent } from '../mm/vmstat'
import { dcacheCounts } from './dcache'
import { cacheEntries, cachePath } from './namei'
import { shrinkSlab } from './shrink_slab'

const GFP_KERNEL = 0xcc0

/** A machine whose root is on a disk. */
const boot = (): KernelState => bootMachine({ ...plainMachine(256 * MIB), userland: 'debian' }, 1)

const write = (state: KernelState, path: string, text: string): void => {
  const done = runCommand(state, { kind: 'write', pid: 1, path, text, create: true, append: false })
  expect(done.ok).toBe(true)
}
const counts = (state: KernelState): string => {
  const { unusedDentries, negative, unusedInodes } = dcacheCounts(state)
  return `${unusedDentries} names unused, ${negative} of them missing; ${unusedInodes} inodes unused`
}
const makeFiles = (state: KernelState, n: number): void => {
  runCommand(state, { kind: 'mkdir', pid: 1, path: '/d', parents: false })
  for (let i = 0; i < n; i++) write(state, `/d/f${i}`, '')
}

describe('names in memory', () => {
  test('a look-up that fails is remembered; a file of that name takes its place', () => {
    const state = boot()
    const before = dcacheCounts(state).unusedDentries
    cachePath(state, '/nosuch')
    expect(dcacheCounts(state)).toMatchObject({ unusedDentries: before + 1, negative: 1 })
    cachePath(state, '/nosuch')
    expect(dcacheCounts(state)).toMatchObject({ unusedDentries: before + 1, negative: 1 })
    write(state, '/nosuch', '')
    expect(dcacheCounts(state)).toMatchObject({ unusedDentries: before + 1, negative: 0 })
    expect(checkInvariants(state)).toEqual([])
  })

  test('a deleted file leaves a name that does not exist; a deleted directory takes such names with it', () => {
    const state = boot()
    makeFiles(state, 3)
    for (let i = 0; i < 3; i++) runCommand(state, { kind: 'unlink', pid: 1, path: `/d/f${i}` })
    expect(dcacheCounts(state).negative).toBe(3)
    expect(checkInvariants(state)).toEqual([])
    runCommand(state, { kind: 'rmdir', pid: 1, path: '/d' })
    expect(dcacheCounts(state).negative).toBe(1)
    expect(checkInvariants(state)).toEqual([])
  })

  test('a file of tmpfs stays in memory with its name', () => {
    const state = boot()
    runCommand(state, { kind: 'mkdir', pid: 1, path: '/t', parents: false })
    runCommand(state, { kind: 'mount', pid: 1, fs: 'tmpfs', source: 'none', path: '/t', options: [] })
    pseudo.write(state, '/proc/sys/vm/drop_caches', '2', 1)
    const before = counts(state)
    for (let i = 0; i < 5; i++) write(state, `/t/f${i}`, '')
    expect(counts(state)).toBe(before)
    expect(checkInvariants(state)).toEqual([])
  })

  test('names longer than 39 bytes lie in a reclaimable kmalloc', () => {
    const state = boot()
    const used = (): string => String(pseudo.read(state, '/sys/kernel/debug/pagewalk/slabs/kmalloc-rcl-64', 1, true))
    cachePath(state, `/${'x'.repeat(39)}`)
    expect(used()).not.toContain('name that does not exist')
    cachePath(state, `/${'x'.repeat(40)}`)
    expect(used()).toContain('name that does not exist')
    pseudo.write(state, '/proc/sys/vm/drop_caches', '2', 1)
    expect(used()).not.toContain('name that does not exist')
  })
})

describe('the shrinker of a file system', () => {
  test('drop_caches 2 takes names and inodes, in the end those of directories too', () => {
    const state = boot()
    makeFiles(state, 500)
    expect(dcacheCounts(state).unusedDentries).toBeGreaterThanOrEqual(500)
    pseudo.write(state, '/proc/sys/vm/drop_caches', '2\n', 1)
    expect(counts(state)).toBe('0 names unused, 0 of them missing; 0 inodes unused')
    expect(checkInvariants(state)).toEqual([])
    expect(state.klog.at(-1)!.text).toMatch(/^\S+ \(1\): drop_caches: 2$/)
    cacheEntries(state, '/d')
    expect(dcacheCounts(state).unusedDentries).toBeGreaterThanOrEqual(500)
    expect(checkInvariants(state)).toEqual([])
  })

  test('a name that was used again is spared once', () => {
    const state = boot()
    makeFiles(state, 2000)
    cacheEntries(state, '/d')
    const before = dcacheCounts(state).unusedDentries
    const { memcg } = state.dcache.lru.lists.find(({ count }) => count > 1000)!
    shrinkSlab(state, GFP_KERNEL, 0, memcg, 1)
    expect(dcacheCounts(state).unusedDentries).toBe(before)
    shrinkSlab(state, GFP_KERNEL, 0, memcg, 1)
    expect(dcacheCounts(state).unusedDentries).toBeLessThan(before - 900)
    expect(vmEvent(state.vmstat, SLABS_SCANNED)).toBeGreaterThanOrEqual(2048)
  })

  test('vfs_cache_pressure 0 keeps everything, and so does a caller that must not enter a file system', () => {
    const state = boot()
    makeFiles(state, 2000)
    const before = counts(state)
    shrinkSlab(state, GFP_KERNEL & ~0x80, 0, 1, 0)
    expect(counts(state)).toBe(before)
    pseudo.write(state, '/proc/sys/vm/vfs_cache_pressure', '0', 1)
    pseudo.write(state, '/proc/sys/vm/drop_caches', '2', 1)
    expect(counts(state)).toBe(before)
  })

  test('an inode with pages is kept until its pages are gone', () => {
    const state = boot()
    makeFiles(state, 1)
    write(state, '/d/f0', 'x'.repeat(5000))
    const inode = fileInode(state, '/d/f0')
    // It was used twice: the first round spares it, and finds too little else to go on.
    for (let round = 0; round < 2; round++) pseudo.write(state, '/proc/sys/vm/drop_caches', '2', 1)
    expect(inode.slab).toBeGreaterThan(0)
    expect(inode.dentry).toBe(0)
    expect(checkInvariants(state)).toEqual([])
  })
})
