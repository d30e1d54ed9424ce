import { describe, expect, test } from 'vitest'
import { captureConfig, staticCaptures } from '../../../test/static-captures'
import { checkInvariants } from '../check'
import { withContext } from '../context'
import { createEngine } from '../index'
import { bootMachine } from '../machine'
import { pseudo } from '../procfs'
import type { KernelState } from '../state'
import { TRACEPOINT_NAMES } from '../trace'
import { firstFreeBlocks, freeBlockCounts, pcpFigures } from './free_area'
import { MIGRATE_MOVABLE, MIGRATE_UNMOVABLE, ZONE_DMA32 } from './gfp'
import { zoneFreePages } from './mmzone'
import { drainAllPages } from './pcp'

const engine = createEngine({ programs: {} })
const FILE = '/sys/kernel/debug/pagewalk/pages'

function boot(series: '6.12' | '6.1' = '6.12'): KernelState {
  const capture = staticCaptures().find((c) => c.name === 'static-256m-1cpu')!
  const state = bootMachine({ ...captureConfig(capture, 'captured'), series }, 1)
  drainAllPages(state)
  return state
}

const write = (state: KernelState, text: string): string | undefined => {
  const result = engine.command(state, { kind: 'write', pid: 1, path: FILE, text, create: false, append: false })
  return result.ok ? undefined : result.error.errno
}
const rows = (state: KernelState): string[] =>
  (pseudo.read(state, FILE, 1, true) as string).trimEnd().split('\n').slice(1)
const dma32 = (state: KernelState) => state.zones[ZONE_DMA32]!
const newLog = (state: KernelState, from: number): string[] => state.klog.slice(from).map((entry) => entry.text)

describe('pages by hand', () => {
  test('a block of order 4 that is given back leaves the free lists as they were', () => {
    const state = boot()
    // The first request converts a pageblock; the second one finds it.
    expect([write(state, 'alloc order=4'), write(state, 'free id=1')]).toEqual([undefined, undefined])
    const before = { counts: freeBlockCounts(dma32(state)), free: zoneFreePages(dma32(state)) }
    expect(write(state, 'alloc order=4 gfp=GFP_KERNEL|__GFP_ZERO node=0')).toBeUndefined()
    expect(zoneFreePages(dma32(state))).toBe(before.free - 16)
    expect(rows(state)).toEqual([
      expect.stringMatching(/^ +2 0x\w+ +4 Unmovable +0 DMA32 .* 0xdc0\(GFP_KERNEL\|__GFP_ZERO\)$/),
    ])
    const pfn = rows(state)[0]!.split(/ +/)[2]!
    expect(checkInvariants(state)).toEqual([])
    expect(write(state, `free ${pfn}`)).toBeUndefined()
    expect({ counts: freeBlockCounts(dma32(state)), free: zoneFreePages(dma32(state)) }).toEqual(before)
    expect(rows(state)).toEqual([])
  })

  test('a frame that is freed twice is refused, and the kernel log says what was wrong', () => {
    const state = boot()
    write(state, 'alloc order=0 gfp=GFP_HIGHUSER_MOVABLE')
    const pfn = Number(rows(state)[0]!.split(/ +/)[2])
    expect(write(state, `free ${pfn}`)).toBeUndefined()
    const at = state.klog.length
    expect(write(state, `free ${pfn}`)).toBe('EINVAL')
    expect(newLog(state, at)).toEqual([
      `BUG: Bad page state in process swapper/init  pfn:${pfn.toString(16).padStart(5, '0')}`,
      `page: refcount:-1 mapcount:0 mapping:0000000000000000 index:0x0 pfn:0x${pfn.toString(16)}`,
      'flags: 0xfffffc0000000(node=0|zone=1|lastcpupid=0x1fffff)',
      'page dumped because: nonzero _refcount',
      expect.stringMatching(/^CPU: 0 UID: 0 PID: 1 Comm: swapper.init Not tainted /),
      expect.stringMatching(/^Hardware name: /),
      'Call Trace:',
      ' <TASK>',
      ' dump_stack_lvl+0x64/0x80',
      ' </TASK>',
      'Disabling lock debugging due to kernel taint',
    ])
    expect(write(state, `free ${pfn}`)).toBe('EINVAL')
    expect(newLog(state, at)).toContain('Tainted: [B]=BAD_PAGE')
    expect(newLog(state, at).some((line) => line.includes('Tainted: G    B              6.12'))).toBe(true)
    expect(pseudo.read(state, '/proc/sys/kernel/tainted', 1, true)).toBe('32\n')
    expect(checkInvariants(state)).toEqual([])
  })

  test.each([
    ['alloc order=11', 'ENOMEM'],
    ['alloc order=4294967295', 'ENOMEM'],
    ['alloc order=3 gfp=GFP_KERNELL', 'EINVAL'],
    ['alloc order=3 gfp=0x80000000', 'EINVAL'],
    ['alloc gfp=GFP_DMA|GFP_DMA32', 'EINVAL'],
    ['alloc gfp=__GFP_MOVABLE|__GFP_RECLAIMABLE', 'EINVAL'],
    ['alloc node=7', 'EINVAL'],
    ['alloc count=0', 'EINVAL'],
    ['alloc order=-1', 'EINVAL'],
    ['alloc order=1 order=2', 'EINVAL'],
    ['alloc 3', 'EINVAL'],
    ['free id=9', 'ENOENT'],
    ['free', 'EINVAL'],
    ['free 99999999', 'EINVAL'],
    ['free 1', 'EPERM'],
    ['take order=1', 'EINVAL'],
  ])('%s: %s, and nothing is taken', (text, errno) => {
    const state = boot()
    const before = freeBlockCounts(dma32(state))
    expect(write(state, text)).toBe(errno)
    expect(rows(state)).toEqual([])
    expect(freeBlockCounts(dma32(state))).toEqual(before)
  })

  test('an order above 10 is warned of once a boot', () => {
    const state = boot('6.1')
    const at = state.klog.length
    write(state, 'alloc order=12 gfp=GFP_KERNEL|__GFP_NOWARN')
    expect(newLog(state, at)).toEqual([])
    write(state, 'alloc order=11')
    write(state, 'alloc order=11')
    expect(newLog(state, at).filter((line) => line.startsWith('WARNING'))).toEqual([
      'WARNING: CPU: 0 PID: 1 at mm/page_alloc.c:5534 __alloc_pages',
    ])
  })

  test('all blocks of a request or none', () => {
    const state = boot()
    const free = zoneFreePages(dma32(state))
    expect(write(state, 'alloc order=4 gfp=GFP_NOWAIT|__GFP_NOWARN count=60000')).toBe('ENOMEM')
    drainAllPages(state)
    expect(zoneFreePages(dma32(state))).toBe(free)
    expect(rows(state)).toEqual([])
    expect(checkInvariants(state)).toEqual([])
  })

  test('a request that has to wait goes on in the background, and ends with the writer', () => {
    const state = boot()
    const fork = engine.command(state, { kind: 'fork', parent: 1 })
    const pid = fork.ok ? fork.value.value : 0
    engine.runUntil(state, state.nowNs + 1e9, undefined)
    const free = zoneFreePages(dma32(state))
    const text = 'alloc order=0 gfp=GFP_KERNEL|__GFP_NOFAIL count=65536'
    expect(engine.command(state, { kind: 'write', pid, path: FILE, text, create: false, append: false }).ok).toBe(true)
    expect(rows(state).at(-1)).toMatch(/ waiting .* to go /)
    expect(checkInvariants(state)).toEqual([])
    engine.command(state, { kind: 'signal', pid, signal: 9, from: 1 })
    engine.runUntil(state, state.nowNs + 1e9, undefined)
    expect(rows(state)).toEqual([])
    drainAllPages(state)
    expect(zoneFreePages(dma32(state))).toBeGreaterThan(free - 300)
  })
})

describe('splits and merges as tracepoints', () => {
  test('each merge is one XOR further, each split names both orders', () => {
    const state = boot()
    const order = freeBlockCounts(dma32(state))[MIGRATE_MOVABLE]!.findIndex((blocks, o) => blocks === 0 && o > 3)
    const seen: { name: string; args: readonly number[] }[] = []
    const muted = new Uint8Array(TRACEPOINT_NAMES.length).fill(1)
    for (const name of ['buddy_split', 'buddy_merge'] as const) muted[TRACEPOINT_NAMES.indexOf(name)] = 0
    const sink = {
      stopRequested: false,
      muted,
      trace: (t: number, _at: number, _pid: number, _cpu: number, args: readonly number[]) =>
        void seen.push({ name: TRACEPOINT_NAMES[t]!, args }),
    }
    withContext(sink, {}, () => pseudo.write(state, FILE, `alloc order=${order} gfp=GFP_HIGHUSER_MOVABLE`, 1))
    const pfn = Number(rows(state)[0]!.split(/ +/)[2])
    expect(seen.at(-1)).toEqual({
      name: 'buddy_split',
      args: [pfn, expect.any(Number), order, MIGRATE_MOVABLE, 0, ZONE_DMA32],
    })
    const high = seen.at(-1)!.args[1]!
    seen.length = 0
    withContext(sink, {}, () => pseudo.write(state, FILE, `free ${pfn}`, 1))
    expect(seen.map((e) => e.args[2])).toEqual(Array.from({ length: high - order }, (_, i) => order + i))
    for (const { args } of seen) {
      const [at = 0, buddy = 0, o = 0, merged = 0] = args
      expect([buddy, merged]).toEqual([at ^ (1 << o), at & buddy])
    }
  })
})

test('the first blocks of a list come in the order in which they are taken', () => {
  const state = boot()
  write(state, 'alloc order=4')
  const list = { order: 4, migratetype: MIGRATE_UNMOVABLE }
  const [next] = firstFreeBlocks(state, dma32(state), list, 3)
  write(state, 'alloc order=4')
  if (next !== undefined) expect(rows(state)[1]).toContain(`0x${next.toString(16)} `)
  expect(firstFreeBlocks(state, dma32(state), { order: 10, migratetype: MIGRATE_MOVABLE }, 5)).toHaveLength(5)
  expect(pcpFigures(dma32(state))).toEqual([expect.objectContaining({ batch: dma32(state).pcp[0]!.batch })])
})
