import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lruState, newSpace } from '../../../test/lru-state'
import { NaiveTlb } from '../../../test/naive-tlb'
import type { KernelState } from '../state'
import { ensurePteSlot, findPteSlot } from './pgtable'
import { TLB_L1, TLB_L2, TLB_WALK, TLB_WALK_COLD, settleRuns, tlbAccess, tlbFill } from './tlb'
import { flushTlbMm, flushTlbPage, switchMm } from './tlb_flush'
import { TLB_PRESETS, type TlbGeometry, type TlbPresetName } from './tlb_presets'
import { DATA_4K, FLUSHES_FULL, WALKS_COLD, createTlb, type CpuTlb } from './tlb_state'

/** Small enough that everything is pushed out all the time. */
const TINY: TlbGeometry = {
  itlb: [{ entries: 4, ways: 2, pages: ['4K'] }],
  dtlb: [{ entries: 8, ways: 2, pages: ['4K'] }],
  stlb: [{ entries: 16, ways: 4, pages: ['4K'] }],
  pde: 2,
  pdpte: 2,
  pml4e: 1,
  pcid: true,
  gigabytePages: true,
}

interface Space {
  readonly mm: number
  readonly first: number
}

/** Address spaces with page tables for `pages` pages from 1 GiB on. */
function machine(geometry: TlbGeometry, spaces = 1, pages = 2048): { state: KernelState; spaces: Space[] } {
  const state = Object.assign(lruState({ mib: 128 }), { tlb: createTlb(geometry, 1) })
  return {
    state,
    spaces: Array.from({ length: spaces }, () => {
      const { mm } = newSpace(state)
      const first = 1 << 18
      for (let i = 0; i < pages; i += 512) ensurePteSlot(state, mm, first + i)
      return { mm: mm.id, first }
    }),
  }
}

const slotOf = (state: KernelState, { mm, first }: Space, page: number): number =>
  findPteSlot(state, state.mms[mm]!, first + page)

function access(state: KernelState, space: Space, page: number): number {
  const c = switchMm(state, space.mm)
  return tlbAccess(state.tlb, c, state.pgtables, slotOf(state, space, page), DATA_4K)
}

const tablesOf = (state: KernelState, slot: number): number[] => {
  const tables = [slot >>> 9]
  for (let table = slot >>> 9; state.pgtables.parent[table]! >= 0; table = state.pgtables.parent[table]!)
    tables.push(state.pgtables.parent[table]!)
  return tables
}

describe('one access', () => {
  test('walks once, hits the first level then, and the second when the first has lost it', () => {
    const { state, spaces } = machine(TLB_PRESETS['skylake-sp'])
    const space = spaces[0]!
    expect(access(state, space, 0)).toBe(TLB_WALK_COLD)
    expect(access(state, space, 0)).toBe(TLB_L1)
    // Four more pages of the same set of 16: the first level has four ways.
    for (const page of [16, 32, 48, 64]) expect(access(state, space, page)).toBe(TLB_WALK)
    expect(access(state, space, 0)).toBe(TLB_L2)
    expect(access(state, space, 64)).toBe(TLB_L1)
  })

  test('the reach of the second level is 1536 pages: round and round they hit, 1664 never do (04 §4.2)', () => {
    for (const [pages, how] of [
      [1536, TLB_L2],
      [1664, TLB_WALK],
    ] as const) {
      const { state, spaces } = machine(TLB_PRESETS['skylake-sp'])
      for (let i = 0; i < pages; i++) access(state, spaces[0]!, i)
      const seen = new Set<number>()
      for (let i = 0; i < pages; i++) seen.add(access(state, spaces[0]!, i))
      expect(seen).toEqual(new Set([how]))
    }
  })

  test('a walk reads more than the leaf only when the table is not among the last 32', () => {
    const { state, spaces } = machine({ ...TLB_PRESETS['skylake-sp'], pde: 2 }, 1, 4 * 512)
    for (const page of [0, 512, 1024]) access(state, spaces[0]!, page)
    const c = state.tlb.cpus[0]!
    expect(c.counts[WALKS_COLD]).toBe(3)
    expect(access(state, spaces[0]!, 1025)).toBe(TLB_WALK)
    expect(access(state, spaces[0]!, 513)).toBe(TLB_WALK)
    expect(access(state, spaces[0]!, 1)).toBe(TLB_WALK_COLD)
  })
})

/** What a run of operations saw, here and in the plain model. */
type Step =
  | { readonly op: 'access' | 'fill' | 'flushPage'; readonly space: number; readonly page: number }
  | { readonly op: 'sweep'; readonly space: number; readonly page: number; readonly count: number }
  | { readonly op: 'flush'; readonly space: number }

const page = fc.integer({ min: 0, max: 2047 })
const near = fc.integer({ min: 500, max: 530 })
const space = fc.integer({ min: 0, max: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('access' as const), space, page: near }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('access' as const, 'fill' as const), space, page }) },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('sweep' as const), space, page, count: fc.integer({ min: 1, max: 90 }) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('flush' as const), space }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('flushPage' as const), space, page: near }) },
)

function play(geometry: TlbGeometry, steps: readonly Step[]): { mine: number[]; plain: number[] } {
  const { state, spaces } = machine(geometry, 3)
  const naive = new NaiveTlb(geometry)
  const mine: number[] = []
  const plain: number[] = []
  for (const s of steps) {
    const at = spaces[s.space]!
    const c = switchMm(state, at.mm)
    if (s.op === 'flush') {
      flushTlbMm(state, at.mm, Infinity, false)
      naive.flush(s.space)
      continue
    }
    const slot = slotOf(state, at, s.page)
    if (s.op === 'flushPage') {
      flushTlbPage(state, at.mm, slot)
      naive.flushPage(s.space, slot)
    } else if (s.op === 'access') {
      mine.push(tlbAccess(state.tlb, c, state.pgtables, slot, DATA_4K))
      plain.push(naive.access(s.space, slot, '4K', tablesOf(state, slot)))
    } else {
      const count = s.op === 'sweep' ? Math.min(s.count, 2048 - s.page) : 1
      for (let i = 0; i < count; i++) fault(state, c, naive, s.space, slotOf(state, at, s.page + i))
    }
  }
  return { mine, plain }
}

/** A page that a fault brought in: whatever was known of it is thrown out, then the access walks. */
function fault(state: KernelState, c: CpuTlb, naive: NaiveTlb, owner: number, slot: number): void {
  for (const cache of [...naive.l1, ...naive.l2])
    for (const [i, set] of cache.sets.entries())
      cache.sets[i] = set.filter((held) => held.owner !== owner || held.key !== slot)
  tlbFill(state.tlb, c, state.pgtables, slot)
  naive.access(owner, slot, '4K', tablesOf(state, slot))
}

describe('against sets that are lists, whatever happens', () => {
  test.each([
    ['a tiny one', TINY],
    ['first level alone', { ...TINY, stlb: [] }],
    ['fully associative', { ...TINY, dtlb: [{ entries: 6, ways: 6, pages: ['4K'] as const }] }],
  ] as const)('%s', (_, geometry) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { mine, plain } = play(geometry, steps)
        expect(mine).toEqual(plain)
      }),
      { seed: 4, numRuns: 40 },
    )
  })

  test.each(Object.keys(TLB_PRESETS) as TlbPresetName[])('%s: long sweeps, of which most is never put in', (name) => {
    const steps: Step[] = []
    for (let round = 0; round < 3; round++) {
      for (const from of [0, 1024, 512, 100]) steps.push({ op: 'sweep', space: 0, page: from, count: 900 })
      for (let i = 0; i < 200; i++) steps.push({ op: 'access', space: 0, page: (i * 37) % 2048 })
      steps.push({ op: 'sweep', space: 1, page: 30, count: 400 }, { op: 'flushPage', space: 0, page: 37 })
      for (let i = 0; i < 200; i++) steps.push({ op: 'access', space: i % 2, page: (i * 11) % 2048 })
    }
    const { mine, plain } = play(TLB_PRESETS[name], steps)
    expect(mine).toEqual(plain)
  })
})

test('runs that other runs replace are forgotten, those of the same pages are not', () => {
  const { state, spaces } = machine(TINY)
  const c = switchMm(state, spaces[0]!.mm)
  const sweep = (from: number, to: number): void => {
    for (let i = from; i < to; i++) tlbFill(state.tlb, c, state.pgtables, slotOf(state, spaces[0]!, i))
  }
  sweep(0, 100)
  sweep(600, 700)
  sweep(300, 310)
  expect(c.runs).toBe(2)
  settleRuns(state.tlb, c)
  expect(c.runs).toBe(0)
  sweep(0, 3)
  sweep(0, 3)
  sweep(0, 3)
  expect(c.runs).toBe(3)
})

test('a flush when nothing else is known costs nothing and kills what was still to be filled in', () => {
  const { state, spaces } = machine(TINY)
  const c = switchMm(state, spaces[0]!.mm)
  tlbFill(state.tlb, c, state.pgtables, slotOf(state, spaces[0]!, 5))
  const before = c.counts[FLUSHES_FULL]!
  flushTlbMm(state, spaces[0]!.mm, Infinity, false)
  expect(c.counts[FLUSHES_FULL]).toBe(before + 1)
  expect(c.runs).toBe(0)
  expect(access(state, spaces[0]!, 5)).toBe(TLB_WALK_COLD)
})
