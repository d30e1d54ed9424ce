import { describe, expect, test } from 'vitest'
import { plainMachine } from '../../test/zone-state'
import { MIB } from '../util/units'
import { checkInvariants } from './check'
import { createEngine } from './index'
import { MODULES } from './modules'
import { pageZoneIndex } from './mm/memmap'
import { pseudo } from './procfs'
import type { KernelState } from './state'

const engine = createEngine({ programs: {} })
const boot = (): KernelState => engine.boot(plainMachine(256 * MIB), 1)
const CONTROL = '/sys/kernel/debug/pagewalk/modules'
const ask = (state: KernelState, text: string): unknown => {
  const done = engine.writeFile(state, CONTROL, text)
  return done.ok ? undefined : done.error.errno
}
const read = (state: KernelState, path: string): string => String(pseudo.read(state, path, 1, true))

test('a module lies in vmalloc memory among the modules, and is gone after rmmod', () => {
  const state = boot()
  const before = state.vmap.areas.length
  expect(ask(state, 'load pw_bulk table_mb=8')).toBeUndefined()
  expect(read(state, '/proc/modules')).toBe('pw_bulk 5767168 0 - Live 0xffffffffc0000000 (OE)\n')
  expect(read(state, '/proc/vmallocinfo')).toMatch(
    /0xffffffffc0000000-0xffffffffc0401000 4198400 execmem_alloc pages=1024 vmalloc vpages N0=1024\n/,
  )
  expect(read(state, '/sys/module/pw_bulk/parameters/table_mb')).toBe('8\n')
  expect(state.klog.some(({ text }) => text === 'pw_bulk: loading out-of-tree module taints kernel.')).toBe(true)
  expect(checkInvariants(state)).toEqual([])
  expect(ask(state, 'load pw_bulk')).toBe('EEXIST')
  expect(ask(state, 'unload pw_bulk')).toBeUndefined()
  expect(ask(state, 'unload pw_bulk')).toBe('ENOENT')
  expect(state.vmap.areas.length).toBe(before)
  expect(checkInvariants(state)).toEqual([])
})

describe('drivers', () => {
  test('pw_dma has its buffers in ZONE_DMA', () => {
    const state = boot()
    expect(ask(state, 'load pw_dma bytes=65536 count=3')).toBeUndefined()
    const { blocks } = state.modules.loaded[0]!
    expect(blocks.map(({ order }) => order)).toEqual([4, 4, 4])
    expect(blocks.map(({ pfn }) => state.zones[pageZoneIndex(state.memmap, pfn)]!.idx)).toEqual([0, 0, 0])
    expect(ask(state, 'unload pw_dma')).toBeUndefined()
    expect(checkInvariants(state)).toEqual([])
  })

  test('pw_atomic asks at its rate, keeps what it is told to, and stops when it is taken out', () => {
    const state = boot()
    expect(ask(state, 'load pw_atomic rate=1000 hold=5 order=2')).toBeUndefined()
    engine.runUntil(state, state.nowNs + 100_000_000)
    const module = state.modules.loaded[0]!
    expect(module.asked).toBe(100)
    expect(module.failed).toBe(0)
    expect(read(state, '/sys/module/pw_atomic/parameters/held')).toBe('5\n')
    expect(checkInvariants(state)).toEqual([])
    expect(ask(state, 'unload pw_atomic')).toBeUndefined()
    engine.runUntil(state, state.nowNs + 100_000_000)
    expect(module.asked).toBe(100)
    expect(checkInvariants(state)).toEqual([])
  })

  test('pw_atomic fails when there is no block, and the kernel reports it', () => {
    const state = boot()
    expect(ask(state, 'load pw_atomic rate=10000 hold=4096 order=10')).toBeUndefined()
    engine.runUntil(state, state.nowNs + 100_000_000)
    expect(state.modules.loaded[0]!.failed).toBeGreaterThan(0)
    expect(
      state.klog.some(({ text }) => text.includes('page allocation failure: order:10, mode:0x820(GFP_ATOMIC)')),
    ).toBe(true)
    expect(checkInvariants(state)).toEqual([])
  })
})

test.each([
  ['load nosuch', 'ENOENT'],
  ['load pw_atomic rate=0', 'EINVAL'],
  ['load pw_bulk table_mb=60000', 'ENOMEM'],
  ['start', 'EINVAL'],
])('%j is refused with %s and leaves nothing', (text, errno) => {
  const state = boot()
  const areas = state.vmap.areas.length
  expect(ask(state, text)).toBe(errno)
  expect(state.modules.loaded).toEqual([])
  expect(state.vmap.areas.length).toBe(areas)
  expect(checkInvariants(state)).toEqual([])
})

test('each parameter has a default within its limits', () => {
  for (const { params } of Object.values(MODULES))
    for (const { fallback, min, max } of Object.values(params)) {
      expect(fallback).toBeGreaterThanOrEqual(min)
      expect(fallback).toBeLessThanOrEqual(max)
    }
})

test('a parameter that the module does not have is left out with a warning, a wrong value refuses the module', () => {
  const state = boot()
  expect(ask(state, 'load pw_dma foo=1')).toBeUndefined()
  expect(state.klog.some(({ text }) => text === "pw_dma: unknown parameter 'foo' ignored")).toBe(true)
  expect(ask(state, 'load pw_bulk table_mb=x')).toBe('EINVAL')
  expect(read(state, CONTROL)).toMatch(
    /^pw_dma: .*\n {2}bytes=65536 .*\n {2}count=1 .*\n {2}loaded asked=1 failed=0 held=1$/m,
  )
  expect(read(state, CONTROL)).toMatch(/^pw_bulk: .*\n {2}table_mb=0 [^\n]*\n(?! {2}loaded)/m)
})
