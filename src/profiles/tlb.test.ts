import { describe, expect, test } from 'vitest'
import { createEngine } from '../engine/index'
import { TLB_PRESETS } from '../engine/mm/tlb_presets'
import type { KernelState } from '../engine/state'
import { loadMachine } from './machine'
import { toConfig } from './machine-config'

const text = (more: object): string =>
  JSON.stringify({
    format: 'pagewalk-machine',
    version: 1,
    name: 'x',
    kernel: { series: '6.12' },
    nodes: [{ size: '512M', cpus: '0-1' }],
    ...more,
  })
const load = (tlb: unknown) => loadMachine(text({ hardware: { tlb } }), 'x.json')
const configOf = (source: string) => {
  const loaded = loadMachine(source, 'x.json')
  if (!loaded.ok) throw new Error(loaded.error.message)
  return toConfig(loaded.value)
}
const booted = (source: string): { state: KernelState; read: (path: string) => string } => {
  const engine = createEngine({ programs: {} })
  const state = engine.boot(configOf(source), 1)
  return {
    state,
    read: (path) => {
      const answer = engine.readFile(state, path)
      return answer.ok ? answer.value : ''
    },
  }
}

describe('translation hardware of a profile', () => {
  test('a profile that says nothing boots as before', () => {
    expect(configOf(text({})).tlb).toBeUndefined()
    expect(configOf(text({})).pti).toBeUndefined()
  })
  test('a named processor brings its TLBs and its name; single parts replace its own', () => {
    const config = configOf(text({ hardware: { tlb: { preset: 'zen4', pde: 16, pcid: false } } }))
    expect(config.tlb).toEqual({ ...TLB_PRESETS.zen4, pde: 16, pcid: false })
    expect(config.cpuModel).toBe('AMD EPYC 9654 96-Core Processor')
    const named = configOf(text({ hardware: { cpuModel: 'Mine', tlb: { preset: 'zen4' } } }))
    expect(named.cpuModel).toBe('Mine')
  })
  test.each([
    [{ preset: 'zen5' }, 'tlb.preset', /zen4/],
    [{ dtlb: [{ entries: 96, ways: 4, pages: ['4K'] }] }, 'tlb.dtlb[0].entries', /use 128 entries|use 64 entries/],
    [{ dtlb: [{ entries: 64, ways: 4, pages: ['2M'] }] }, 'tlb.dtlb', /pages": \["4K"\]/],
    [
      {
        stlb: [
          { entries: 64, ways: 4, pages: ['4K'] },
          { entries: 64, ways: 4, pages: ['4K'] },
        ],
      },
      'tlb.stlb',
      /once/,
    ],
    [{ stlb: [{ entries: 2048, ways: 2, pages: ['4K'] }] }, 'tlb.stlb[0].entries', /1024 entries/],
    [{ stlb: [{ entries: 300, ways: 300, pages: ['4K'] }] }, 'tlb.stlb[0].ways', /255/],
    [{ pml4e: 0 }, 'tlb.pml4e', /1/],
    [{ ptw: 2 }, 'hardware.tlb', /pde|no such/i],
  ])('%j is refused at %s', (tlb, where, fix) => {
    const loaded = load(tlb)
    expect(loaded.ok).toBe(false)
    if (loaded.ok) return
    expect(loaded.error.where).toContain(where)
    expect(`${loaded.error.message} ${loaded.error.fix}`).toMatch(fix)
  })
  test('what was chosen can be read in the machine', () => {
    const { state, read } = booted(text({ hardware: { tlb: { preset: 'zen3', pcid: false } } }))
    expect(state.tlb.structures.find(({ name }) => name === 'L2 DTLB')).toMatchObject({ ways: 16, sets: 128 })
    const info = read('/proc/cpuinfo')
    expect(info).toMatch(/^vendor_id\t: AuthenticAMD$/m)
    expect(info).toMatch(/^model name\t: AMD EPYC 7763 64-Core Processor$/m)
    expect(info).toMatch(/^flags\t\t: .* pdpe1gb /m)
    expect(info).not.toMatch(/^flags\t\t: .* pcid/m)
    expect(booted(text({})).read('/proc/cpuinfo')).toMatch(/^flags\t\t: .* pcid /m)
  })
})

describe('page-table isolation', () => {
  const PTI = { kernel: { series: '6.12', pti: 'on' } }
  test('stands on the command line, in the flags and in the kernel log, and makes every entry dearer', () => {
    const { state, read } = booted(text(PTI))
    expect(read('/proc/cmdline')).toMatch(/ pti=on$/m)
    expect(read('/proc/cpuinfo')).toMatch(/^flags\t\t: .* pti /m)
    expect(state.klog.some((line) => line.text === 'Kernel/User page tables isolation: enabled')).toBe(true)
    const plain = booted(text({})).state
    // 04 §4.3: entry and exit of a page fault 100 ns, 300 with KPTI.
    expect(state.costs.anonFault - plain.costs.anonFault).toBe(200)
    expect(state.costs.syscall - plain.costs.syscall).toBe(200)
    expect(state.costs.pageWalk).toBe(plain.costs.pageWalk)
  })
  test('a cost that the profile measured is taken as it stands', () => {
    expect(booted(text({ ...PTI, costs: { syscall: 700 } })).state.costs.syscall).toBe(700)
  })
  test('"off" is said on the command line and changes nothing', () => {
    const { state, read } = booted(text({ kernel: { series: '6.12', pti: 'off' } }))
    expect(read('/proc/cmdline')).toMatch(/ pti=off$/m)
    expect(state.costs).toEqual(booted(text({})).state.costs)
  })
  test('the option in cmdline itself is refused: it has its own field', () => {
    const loaded = loadMachine(text({ kernel: { series: '6.12', cmdline: 'ro pti=on' } }), 'x.json')
    expect(loaded).toMatchObject({ ok: false, error: { code: 'profile/cmdline-option' } })
    if (!loaded.ok) expect(loaded.error.fix).toContain('kernel.pti')
  })
})
