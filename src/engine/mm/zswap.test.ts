import { describe, expect, test } from 'vitest'
import { addAnonPages, letTimePass, lruState, newSpace, type LruMachine } from '../../../test/lru-state'
import { makeGroup } from '../../../test/memcg-state'
import { cgroupFs } from '../procfs/cgroup'
import { zswapDebugDir, zswapModuleDir } from '../procfs/zswap'
import type { KernelState } from '../state'
import { GFP_KERNEL } from './gfp'
import { checkLru } from './lru_check'
import { MEMCG_STAT_ZSWAP, MEMCG_STAT_ZSWAPPED, memcgState } from './memcg_stat'
import { PG_DIRTY, PG_LOCKED, hasFlag } from './memmap'
import type { Mm } from './mm_types'
import { findPteSlot, pteAt, pteSwapSlot } from './pgtable'
import { swapCacheLookup } from './swapfile'
import { swapReadFolio } from './swap_state'
import { swapoff } from './swapoff'
import { NR_ZSPAGES, PSWPIN, PSWPOUT, ZSWPIN, ZSWPOUT, ZSWPWB, readStat, vmEvent } from './vmstat'
import { reclaimPages } from './vmscan'
import { zswapPoolPages } from './zswap'

const write = (state: KernelState, name: string, text: string): unknown =>
  zswapModuleDir.file(state, `parameters/${name}`)!.write!(state, text, 1)
const read = (state: KernelState, name: string): unknown =>
  zswapModuleDir.file(state, `parameters/${name}`)!.read!(state, 1, true)
const counter = (state: KernelState, name: string): number =>
  Number(zswapDebugDir.file(state, name)!.read!(state, 1, true))

/** A small machine of the kernel that has zswap, switched on. */
function machine(options: LruMachine & { zpool?: string } = {}): KernelState {
  const state = lruState({ swapSlots: 4000, ...options })
  Object.assign(state, { config: { ...state.config, cmdline: '', release: `${options.series ?? '6.12'}.0-amd64` } })
  Object.assign(state, { boot: { totalPages: 1000 } })
  write(state, 'zpool', options.zpool ?? 'zsmalloc')
  write(state, 'enabled', 'Y')
  return state
}

const slotAt = (state: KernelState, mm: Mm, i: number): number =>
  pteSwapSlot(pteAt(state.pgtables, findPteSlot(state, mm, 0x10000 + i)))

/** Anonymous pages that reclaim takes out of memory. */
function swapOut(state: KernelState, mm: Mm, count: number, memcg = 1): number[] {
  const from = mm.rss[1]! + mm.rssPending[1]!
  const pfns = addAnonPages(state, mm, count, { memcg })
  reclaimPages(state, pfns, GFP_KERNEL)
  return pfns.map((_, i) => slotAt(state, mm, from + i))
}

describe('a page that is swapped out', () => {
  test('stays in memory, compressed, and its frame is free at once', () => {
    const state = machine()
    const { mm } = newSpace(state)
    swapOut(state, mm, 100)
    expect([vmEvent(state.vmstat, ZSWPOUT), vmEvent(state.vmstat, PSWPOUT)]).toEqual([100, 0])
    expect([counter(state, 'stored_pages'), state.swapAreas[0]!.used]).toEqual([100, 100])
    // 1560 bytes and a handle are a class of 1568: five frames hold thirteen, eight times.
    expect(counter(state, 'pool_total_size')).toBe(40 * 4096)
    expect(checkLru(state)).toEqual([])
  })
  test.each([
    ['zbud', 50],
    ['z3fold', 50],
  ])('takes half a frame in %s, whose chunks of 64 bytes two of them fill', (zpool, frames) => {
    const state = machine({ zpool })
    swapOut(state, newSpace(state).mm, 100)
    expect(zswapPoolPages(state)).toBe(frames)
    expect(state.zones.reduce((sum, z) => sum + readStat(z.stat, NR_ZSPAGES), 0)).toBe(0)
  })
  test('goes to the device when it does not shrink', () => {
    const state = machine()
    const { mm, anon } = newSpace(state)
    anon.incompressible = true
    swapOut(state, mm, 10)
    expect([vmEvent(state.vmstat, ZSWPOUT), vmEvent(state.vmstat, PSWPOUT)]).toEqual([0, 10])
    expect(counter(state, 'reject_compress_poor')).toBe(10)
  })
  test('takes no frame on 6.1 when all its words are the same, and next to none on 6.12', () => {
    for (const [series, same, frames] of [
      ['6.1', 100, 0],
      // Objects of 48 bytes: zspages of three frames without waste.
      ['6.12', undefined, 3],
    ] as const) {
      const state = machine({ series })
      const { mm, anon } = newSpace(state)
      anon.isSameFilled = true
      swapOut(state, mm, 100)
      expect(zswapDebugDir.file(state, 'same_filled_pages') && counter(state, 'same_filled_pages')).toBe(same)
      expect([vmEvent(state.vmstat, ZSWPOUT), zswapPoolPages(state)]).toEqual([100, frames])
      expect(checkLru(state)).toEqual([])
    }
  })
})

describe('a page that comes back', () => {
  test('is there at once; 6.12 forgets its copy, and the frame is dirty', () => {
    const state = machine()
    const { mm, anon } = newSpace(state)
    const slots = swapOut(state, mm, 8)
    const pfn = swapReadFolio(state, slots[3]!, { mm, vma: anon, vpn: 0x10003 })
    expect([hasFlag(state.memmap, pfn, PG_LOCKED), hasFlag(state.memmap, pfn, PG_DIRTY)]).toEqual([false, true])
    const cached = slots.filter((slot) => swapCacheLookup(state, slot) !== 0).length
    expect(cached).toBe(8)
    expect([vmEvent(state.vmstat, ZSWPIN), vmEvent(state.vmstat, PSWPIN)]).toEqual([8, 0])
    expect([counter(state, 'stored_pages'), zswapPoolPages(state)]).toEqual([0, 0])
    expect(checkLru(state)).toEqual([])
  })
  test('leaves its copy in the pool on 6.1', () => {
    const state = machine({ series: '6.1' })
    const { mm } = newSpace(state)
    const [slot] = swapOut(state, mm, 1)
    const pfn = swapReadFolio(state, slot!)
    expect([counter(state, 'stored_pages'), hasFlag(state.memmap, pfn, PG_DIRTY)]).toEqual([1, false])
  })
  test('swapoff finds it in the pool, and leaves the pool empty', () => {
    const state = machine()
    const { mm } = newSpace(state)
    swapOut(state, mm, 40)
    expect(swapoff(state, '/dev/vdb')).toBeUndefined()
    expect([vmEvent(state.vmstat, ZSWPIN), vmEvent(state.vmstat, PSWPIN), state.zswap.stored]).toEqual([40, 0, 0])
    expect(zswapPoolPages(state)).toBe(0)
    expect(checkLru(state)).toEqual([])
  })
})

describe('the limit', () => {
  test('20 % of memory, then the device, until old pages have made room below 90 % of that', () => {
    const state = machine()
    const { mm } = newSpace(state)
    swapOut(state, mm, 508)
    // Thirteen pages for five frames, which come together: the 508th needs the last ones.
    expect([zswapPoolPages(state), counter(state, 'pool_limit_hit')]).toEqual([200, 0])
    swapOut(state, mm, 1)
    expect([counter(state, 'pool_limit_hit'), vmEvent(state.vmstat, PSWPOUT)]).toEqual([1, 1])
    // Every page has its second chance first, 16 of them a run of the worker.
    for (let i = 0; i < 40; i++) {
      letTimePass(state, 1_000_000)
      swapOut(state, mm, 1)
    }
    expect(vmEvent(state.vmstat, ZSWPWB)).toBeGreaterThan(0)
    expect(vmEvent(state.vmstat, ZSWPWB)).toBe(counter(state, 'written_back_pages'))
    expect(checkLru(state)).toEqual([])
  })
  test('6.1 writes the oldest at once', () => {
    const state = machine({ series: '6.1', zpool: 'zbud' })
    const { mm } = newSpace(state)
    const slots = swapOut(state, mm, 401)
    swapOut(state, mm, 1)
    letTimePass(state, 50_000_000)
    expect(zswapPoolPages(state)).toBeLessThanOrEqual(180)
    expect(swapCacheLookup(state, slots[0]!)).not.toBe(0)
    expect(swapCacheLookup(state, slots[400]!)).toBe(0)
    expect(checkLru(state)).toEqual([])
  })
  test('memory.zswap.max keeps a group out, and memory.zswap.writeback 0 keeps its pages from the device', () => {
    const state = machine()
    const group = makeGroup(state, '/a')
    const { mm } = newSpace(state)
    swapOut(state, mm, 26, group.id)
    expect(memcgState(state, group.id, MEMCG_STAT_ZSWAPPED)).toBe(26 * 4096)
    expect(memcgState(state, group.id, MEMCG_STAT_ZSWAP)).toBe(26 * 1560)
    expect(group.memory.usage).toBeGreaterThanOrEqual(10)
    group.zswapMax = 0
    swapOut(state, mm, 3, group.id)
    expect(vmEvent(state.vmstat, PSWPOUT)).toBe(3)
    group.zswapWriteback = false
    swapOut(state, mm, 3, group.id)
    expect(vmEvent(state.vmstat, PSWPOUT)).toBe(3)
    expect(checkLru(state)).toEqual([])
  })
})

describe('settings', () => {
  test('are those of the kernel; what it does not know is refused and stays as it was', () => {
    const state = machine()
    expect(zswapModuleDir.list(state, 'parameters')).toEqual([
      'accept_threshold_percent',
      'compressor',
      'enabled',
      'max_pool_percent',
      'shrinker_enabled',
      'zpool',
    ])
    expect(write(state, 'compressor', 'snappy')).toBe('ENOENT')
    expect(write(state, 'max_pool_percent', 'ten')).toBe('EINVAL')
    expect(write(state, 'enabled', 'perhaps')).toBe('EINVAL')
    expect([read(state, 'compressor'), read(state, 'max_pool_percent'), read(state, 'enabled')]).toEqual([
      'lzo\n',
      '20\n',
      'Y\n',
    ])
  })
  test('another compressor begins another pool; the old one stays until its last page is gone', () => {
    const state = machine()
    const { mm } = newSpace(state)
    const slots = swapOut(state, mm, 13)
    expect(write(state, 'compressor', 'zstd')).toBeUndefined()
    swapOut(state, mm, 10)
    // 13 pages of lzo in five frames, 10 of zstd (1230 bytes and a handle: 1248, thirteen in four) in four.
    expect(zswapPoolPages(state)).toBe(9)
    for (const slot of slots) if (swapCacheLookup(state, slot) === 0) swapReadFolio(state, slot)
    expect(state.zswap.pools.filter((pool) => pool !== undefined)).toHaveLength(1)
    expect(checkLru(state)).toEqual([])
  })
  test('a kernel for clouds has no zswap', () => {
    const state = machine()
    Object.assign(state.config, { release: '6.12-cloud-amd64' })
    expect(zswapModuleDir.list(state, '')).toBeUndefined()
    expect(cgroupFs.list(state, '')!.filter((name) => name.includes('zswap'))).toEqual([])
  })
})
