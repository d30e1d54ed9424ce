import { describe, expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { lruState, newSpace } from '../../../test/lru-state'
import type { KernelState } from '../state'
import { ensurePteSlot } from './pgtable'
import { refill } from '../translate'
import { TLB_L1, TLB_WALK, TLB_WALK_COLD, tlbAccess } from './tlb'
import { SINGLE_PAGE_FLUSH_CEILING, beginSlots, enterLazyTlb, flushTlbMm, noteSlot, switchMm } from './tlb_flush'
import { TLB_PRESETS } from './tlb_presets'
import {
  DATA_4K,
  FLUSHES_FULL,
  FLUSHES_PAGE,
  IPIS_RECEIVED,
  IPIS_SENT,
  SWITCHES_FLUSHED,
  SWITCHES_KEPT,
  TLB_STORES,
  WALKS_STORE,
  createTlb,
} from './tlb_state'

/** CPUs that all run threads of one process, and the slots of its first pages. */
function threads(cpus: number): { state: KernelState; mm: number; slots: number[] } {
  const state = lruState({ mib: 128, cpus })
  const { mm } = newSpace(state)
  const slots = Array.from({ length: 64 }, (_, i) => ensurePteSlot(state, mm, 0x10000 + i))
  for (let cpu = 0; cpu < cpus; cpu++) {
    state.exec.cpu = cpu
    for (const slot of slots) tlbAccess(state.tlb, switchMm(state, mm.id), state.pgtables, slot, DATA_4K)
  }
  state.exec.cpu = 0
  return { state, mm: mm.id, slots }
}

const countOf = (state: KernelState, cpu: number, counter: number): number => state.tlb.cpus[cpu]!.counts[counter]!

function flush(state: KernelState, mm: number, slots: readonly number[]): void {
  beginSlots()
  for (const slot of slots) noteSlot(slot)
  flushTlbMm(state, mm, slots.length, false)
}

describe('munmap on a process with four threads (04 E8)', () => {
  test('40 pages are more than 33: everything goes, on all CPUs', () => {
    const { state, mm, slots } = threads(4)
    const before = countOf(state, 1, FLUSHES_FULL)
    flush(state, mm, slots.slice(0, 40))
    expect(countOf(state, 0, IPIS_SENT)).toBe(3)
    for (const cpu of [1, 2, 3]) expect(countOf(state, cpu, IPIS_RECEIVED)).toBe(1)
    expect(countOf(state, 1, FLUSHES_FULL)).toBe(before + 1)
    expect(tlbAccess(state.tlb, state.tlb.cpus[1]!, state.pgtables, slots[50]!, DATA_4K)).toBe(TLB_WALK_COLD)
  })

  test('33 pages go one by one, and the others stay', () => {
    const { state, mm, slots } = threads(4)
    const before = countOf(state, 1, FLUSHES_FULL)
    flush(state, mm, slots.slice(0, SINGLE_PAGE_FLUSH_CEILING))
    expect(countOf(state, 0, IPIS_SENT)).toBe(3)
    for (const cpu of [0, 1, 2, 3]) expect(countOf(state, cpu, FLUSHES_PAGE)).toBe(33)
    expect(countOf(state, 1, FLUSHES_FULL)).toBe(before)
    const c = state.tlb.cpus[1]!
    expect(tlbAccess(state.tlb, c, state.pgtables, slots[63]!, DATA_4K)).toBe(TLB_L1)
    // INVLPG throws the paging-structure caches out, too.
    expect(tlbAccess(state.tlb, c, state.pgtables, slots[0]!, DATA_4K)).toBe(TLB_WALK_COLD)
  })

  test('three interrupts cost 1.5 µs and 0.3 µs for each further one (04 §4.3)', () => {
    const { state, mm, slots } = threads(4)
    const before = state.exec.ns
    flush(state, mm, slots.slice(0, 1))
    expect(state.exec.ns - before).toBe(1500 + 2 * 300)
  })

  test('a lazy CPU is left alone and catches up when it comes back, unless tables are freed', () => {
    const { state, mm, slots } = threads(4)
    enterLazyTlb(state.tlb, 2)
    flush(state, mm, slots.slice(0, 5))
    expect(countOf(state, 0, IPIS_SENT)).toBe(2)
    expect(countOf(state, 2, IPIS_RECEIVED)).toBe(0)
    state.exec.cpu = 2
    const before = countOf(state, 2, FLUSHES_FULL)
    switchMm(state, mm)
    expect(countOf(state, 2, FLUSHES_FULL)).toBe(before + 1)
    enterLazyTlb(state.tlb, 2)
    state.exec.cpu = 0
    flushTlbMm(state, mm, 1, true)
    expect(countOf(state, 2, IPIS_RECEIVED)).toBe(1)
    expect(state.tlb.cpus[2]!.mm).toBe(-1)
  })
})

describe('switching between address spaces', () => {
  function spaces(count: number, pcid: boolean): { state: KernelState; mms: number[] } {
    const state = Object.assign(lruState({ mib: 128 }), { tlb: createTlb({ ...TLB_PRESETS.zen3, pcid }, 1) })
    return { state, mms: Array.from({ length: count }, () => newSpace(state).mm.id) }
  }

  test('six are remembered: the seventh takes the place of the first', () => {
    const { state, mms } = spaces(7, true)
    const kept = (): number => countOf(state, 0, SWITCHES_KEPT)
    for (const mm of mms.slice(0, 6)) switchMm(state, mm)
    for (const mm of mms.slice(0, 6)) switchMm(state, mm)
    expect(kept()).toBe(6)
    switchMm(state, mms[6]!)
    switchMm(state, mms[0]!)
    expect(kept()).toBe(6)
    expect(countOf(state, 0, SWITCHES_FLUSHED)).toBe(8)
  })

  test('one that was changed meanwhile is flushed', () => {
    const { state, mms } = spaces(2, true)
    switchMm(state, mms[0]!)
    switchMm(state, mms[1]!)
    flushTlbMm(state, mms[0]!, 1, false)
    expect(countOf(state, 0, IPIS_SENT)).toBe(0)
    switchMm(state, mms[0]!)
    expect(countOf(state, 0, SWITCHES_FLUSHED)).toBe(3)
  })

  test('without PCID every switch flushes', () => {
    const { state, mms } = spaces(2, false)
    for (let i = 0; i < 4; i++) switchMm(state, mms[i % 2]!)
    expect(countOf(state, 0, SWITCHES_FLUSHED)).toBe(4)
    expect(countOf(state, 0, SWITCHES_KEPT)).toBe(0)
  })
})

describe('programs', () => {
  test('a first pass faults and walks, a second of few pages hits; both are counted', () => {
    const m = new TaskMachine()
    const pid = m.spawn()
    const a = m.map(pid, 1024)
    const total = (counter: number): number => m.state.tlb.cpus.reduce((sum, c) => sum + c.counts[counter]!, 0)
    const write = (pages: number): void =>
      void m.perform(pid, { op: 'touch', address: a, length: pages * 4096, mode: 'write' })
    const [stores, walks] = [total(TLB_STORES), total(WALKS_STORE)]
    write(1024)
    expect(total(TLB_STORES) - stores).toBe(1024)
    expect(total(WALKS_STORE) - walks).toBe(1024)
    write(1024)
    expect(total(WALKS_STORE) - walks).toBe(1024)
    m.perform(pid, { op: 'munmap', address: a, length: 1024 * 4096 })
    const b = m.map(pid, 1024)
    m.perform(pid, { op: 'touch', address: b, length: 4096, mode: 'write' })
    expect(total(WALKS_STORE) - walks).toBe(1025)
    expect(m.engine.checkInvariants(m.state)).toEqual([])
  })
})

describe('page-table isolation', () => {
  const faulted = (pcid: boolean, isPti: boolean): number => {
    const state = Object.assign(lruState({ mib: 128 }), { tlb: createTlb({ ...TLB_PRESETS.zen3, pcid }, 1, isPti) })
    const { mm } = newSpace(state)
    const [first, second] = [ensurePteSlot(state, mm, 0x10000), ensurePteSlot(state, mm, 0x10001)]
    const c = switchMm(state, mm.id)
    refill(state, c, first, -1, true)
    refill(state, c, second, -1, true)
    return tlbAccess(state.tlb, c, state.pgtables, first, DATA_4K)
  }
  test('without PCID the way back from a fault forgets what was translated; with it, or without isolation, nothing', () => {
    expect(faulted(false, true)).toBe(TLB_WALK)
    expect(faulted(true, true)).toBe(TLB_L1)
    expect(faulted(false, false)).toBe(TLB_L1)
  })
})
