import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { addFilePages, letTimePass, lruState, newFile } from '../../../test/lru-state'
import { submitIo } from './block'
import {
  handleLaptopTimer,
  handleWritebackTick,
  writebackInode,
  writebackIntervalNs,
  writebackIntervalWritten,
} from './flusher'
import { PG_DIRTY, PG_WRITEBACK, hasFlag } from './memmap'
import { checkLru } from './lru_check'
import { domainDirtyLimits, folioClearDirty, folioMarkDirty } from './page_writeback'
import { NR_DIRTIED, NR_DIRTY, NR_WRITEBACK, NR_WRITTEN, PGPGOUT, readStat, vmEvent } from './vmstat'

const { dirty_limits: rows } = JSON.parse(
  readFileSync(new URL('../../../test/vectors.json', import.meta.url), 'utf8'),
) as {
  dirty_limits: { dirtyable: number; thresh: number; background: number; freerun: number }[]
}
const RATIOS = { ratio: 20, backgroundRatio: 10, bytes: 0, backgroundBytes: 0 }

describe('dirty limits (spec 05 §5.11, E7)', () => {
  test.each(rows)('$dirtyable dirtyable pages', ({ dirtyable, thresh, background, freerun }) => {
    expect(domainDirtyLimits(dirtyable, RATIOS)).toEqual({ thresh, background, freerun })
  })
  test('bytes take the place of the ratio and round up to pages', () => {
    expect(domainDirtyLimits(1_000_000, { ...RATIOS, bytes: 4097, backgroundBytes: 1 })).toEqual({
      thresh: 2,
      background: 1,
      freerun: 1,
    })
  })
  test('a background limit that is not below the limit becomes half of it', () => {
    expect(domainDirtyLimits(1_000_000, { ...RATIOS, backgroundRatio: 30 }).background).toBe(99975)
  })
})

describe('dirty pages', () => {
  const stat = (state: ReturnType<typeof lruState>, item: number): number => readStat(state.nodes[0]!.stat, item)

  test('are counted once, and again when they were clean in between', () => {
    const state = lruState()
    const [pfn] = addFilePages(state, newFile(state, 1), 1)
    folioMarkDirty(state, pfn!)
    folioMarkDirty(state, pfn!)
    expect([stat(state, NR_DIRTY), stat(state, NR_DIRTIED)]).toEqual([1, 1])
    expect(folioClearDirty(state, pfn!)).toBe(true)
    expect(folioClearDirty(state, pfn!)).toBe(false)
    folioMarkDirty(state, pfn!)
    expect([stat(state, NR_DIRTY), stat(state, NR_DIRTIED)]).toEqual([1, 2])
  })

  test('go through writeback to the disk and are clean then', () => {
    const state = lruState()
    const inode = newFile(state, 300)
    const pfns = addFilePages(state, inode, 300)
    for (const pfn of pfns) folioMarkDirty(state, pfn)
    expect(writebackInode(state, inode.ino)).toBe(300)
    expect([stat(state, NR_DIRTY), stat(state, NR_WRITEBACK)]).toEqual([0, 300])
    expect(hasFlag(state.memmap, pfns[0]!, PG_WRITEBACK)).toBe(true)
    letTimePass(state, 1_000_000_000)
    expect([stat(state, NR_WRITEBACK), stat(state, NR_WRITTEN)]).toEqual([0, 300])
    expect(vmEvent(state.vmstat, PGPGOUT)).toBe(1200)
    expect(checkLru(state)).toEqual([])
  })

  test('are written when they have been dirty for 30 seconds, not before', () => {
    const state = lruState()
    const [pfn] = addFilePages(state, newFile(state, 1), 1)
    folioMarkDirty(state, pfn!)
    state.nowNs = 29_000_000_000
    handleWritebackTick(state, { kind: 'writebackTick', sequence: state.reclaim.writeback.tick })
    expect(hasFlag(state.memmap, pfn!, PG_DIRTY)).toBe(true)
    state.nowNs = 31_000_000_000
    handleWritebackTick(state, { kind: 'writebackTick', sequence: state.reclaim.writeback.tick })
    expect(hasFlag(state.memmap, pfn!, PG_DIRTY)).toBe(false)
  })

  test('are all written when the interval changes to another one that is not 0', () => {
    const state = lruState()
    const [pfn] = addFilePages(state, newFile(state, 1), 1)
    folioMarkDirty(state, pfn!)
    state.sysctl.dirtyWritebackCentisecs = 500
    writebackIntervalWritten(state, 500)
    state.sysctl.dirtyWritebackCentisecs = 0
    writebackIntervalWritten(state, 500)
    expect(hasFlag(state.memmap, pfn!, PG_DIRTY)).toBe(true)
    state.sysctl.dirtyWritebackCentisecs = -1
    writebackIntervalWritten(state, 0)
    expect(hasFlag(state.memmap, pfn!, PG_DIRTY)).toBe(false)
  })

  test.each([
    [500, 5e9],
    [0, 0],
    // 4294967286 ms as an unsigned int are more than INT_MAX: no timeout at all.
    [-1, Infinity],
    [214_748_364, 2_147_483_640e6],
    [214_748_365, Infinity],
    // 4294967300 ms have lost their 33rd bit.
    [429_496_730, 4e6],
  ])('an interval of %d centiseconds is %d ns', (centisecs, ns) => {
    const state = lruState()
    state.sysctl.dirtyWritebackCentisecs = centisecs
    expect(writebackIntervalNs(state)).toBe(ns)
  })

  test('wait in laptop mode until a disk that was read has been idle for so many seconds', () => {
    const state = lruState()
    const inode = newFile(state, 2)
    const [dirty, read] = addFilePages(state, inode, 2)
    folioMarkDirty(state, dirty!)
    state.sysctl.laptopMode = 3
    const doneNs = submitIo(state, inode.device, { write: false, pfns: [read!] })
    letTimePass(state, doneNs)
    const timer = { kind: 'laptopTimer', device: inode.device, sequence: 1 } as const
    expect(state.queue.heap.map(({ atNs, event }) => [atNs, event])).toContainEqual([doneNs + 3e9, timer])
    handleLaptopTimer(state, { ...timer, sequence: 0 })
    expect(hasFlag(state.memmap, dirty!, PG_DIRTY)).toBe(true)
    handleLaptopTimer(state, timer)
    expect(hasFlag(state.memmap, dirty!, PG_DIRTY)).toBe(false)
  })

  test('are written from where the last time ended, and around', () => {
    const state = lruState()
    const inode = newFile(state, 100)
    const pfns = addFilePages(state, inode, 100)
    for (const pfn of pfns) folioMarkDirty(state, pfn)
    const underWay = (): number[] => pfns.flatMap((pfn, i) => (hasFlag(state.memmap, pfn, PG_WRITEBACK) ? [i] : []))
    expect(writebackInode(state, inode.ino, 60)).toBe(60)
    letTimePass(state, 1_000_000_000)
    folioMarkDirty(state, pfns[5]!)
    expect(writebackInode(state, inode.ino, 2)).toBe(2)
    expect(underWay()).toEqual([60, 61])
    expect(writebackInode(state, inode.ino)).toBe(39)
    expect(underWay()).toContain(5)
  })
  test('of a range are written without the others of their file', () => {
    const state = lruState()
    const inode = newFile(state, 10)
    const pfns = addFilePages(state, inode, 10)
    for (const pfn of pfns) folioMarkDirty(state, pfn)
    expect(writebackInode(state, inode.ino, Infinity, 2, 5)).toBe(3)
    expect(pfns.map((pfn) => hasFlag(state.memmap, pfn, PG_DIRTY))).toEqual(pfns.map((_, i) => i < 2 || i >= 5))
  })
})
