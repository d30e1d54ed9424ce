import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { lruState, newSpace } from '../../../test/lru-state'
import type { Mm } from './mm_types'
import { ensurePteSlot, findPteSlot, makePte, setPte } from './pgtable'
import { mmOf } from './rss'
import { TLB_L1, TLB_L2, TLB_WALK, TLB_WALK_COLD, tlbAccess, tlbFill } from './tlb'
import { tlbView } from './tlb_contents'
import { enterLazyTlb, flushTlbPage, switchMm } from './tlb_flush'
import { TLB_PRESETS, type TlbGeometry } from './tlb_presets'
import { DATA_4K, createTlb } from './tlb_state'
import { translationView } from './tlb_view'

const PAGE = 4096

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

const FIRST = 1 << 18
const PAGES = 2048

test('what a look promises is what the next access finds, and looking changes nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(1), fc.nat(PAGES - 1), fc.constantFrom('access', 'fill', 'run', 'flush', 'lazy')), {
        maxLength: 120,
      }),
      (steps) => {
        const state = Object.assign(lruState({ mib: 128 }), { tlb: createTlb(TINY, 1) })
        const spaces = [0, 1].map((): Mm => {
          const { mm } = newSpace(state)
          for (let i = 0; i < PAGES; i++) setPte(state.pgtables, ensurePteSlot(state, mm, FIRST + i), makePte(64, 0))
          return mm
        })
        for (const [space, page, what] of steps) {
          const mm = spaces[space]!
          const slot = findPteSlot(state, mm, FIRST + page)
          const before = structuredClone(state.tlb)
          const { found, reads } = translationView(state, mm, FIRST + page, 0)
          tlbView(state, mm.id, 0)
          expect(state.tlb).toEqual(before)
          if (what === 'lazy') enterLazyTlb(state.tlb, 0)
          const c = switchMm(state, mm.id)
          if (what === 'access') {
            const how = tlbAccess(state.tlb, c, state.pgtables, slot, DATA_4K)
            const seen = { L1: TLB_L1, L2: TLB_L2, walk: reads === 1 ? TLB_WALK : TLB_WALK_COLD, fault: -1 }[found]
            expect(seen).toBe(how)
          } else if (what === 'flush') flushTlbPage(state, mm.id, slot)
          else if (what !== 'lazy') {
            // A fill follows a fault, whose page no TLB holds.
            flushTlbPage(state, mm.id, slot)
            const count = what === 'run' ? 40 : 1
            for (let i = 0; i < count && (page + i) % 512 >= page % 512; i++) {
              if (i > 0) flushTlbPage(state, mm.id, slot + i)
              tlbFill(state.tlb, c, state.pgtables, slot + i)
            }
          }
        }
      },
    ),
    { numRuns: 60 },
  )
})

describe('a program on a CPU', () => {
  let m: TaskMachine
  let pid: number
  let mm: Mm
  const look = (address: number, cpu = 0): ReturnType<typeof translationView> =>
    translationView(m.state, mm, address / PAGE, cpu)
  const touch = (address: number, pages: number): void => {
    m.perform(pid, { op: 'touch', address, length: pages * PAGE, mode: 'write' })
  }
  beforeEach(() => {
    m = new TaskMachine()
    pid = m.spawn()
    mm = mmOf(m.state, m.task(pid))!
  })

  test('a page just written is in both levels of its size, and no table would be read', () => {
    const a = m.map(pid, 8)
    touch(a, 8)
    expect(look(a)).toMatchObject({ found: 'L1', pageBytes: 4096, reads: 0, ns: 0, startLevel: 1 })
    expect(look(a).looks.map(({ name, isHit }) => [name, isHit])).toEqual([
      ['L1 DTLB', true],
      ['L2 TLB', true],
    ])
    expect(look(a).levels.map(({ level, isRead }) => [level, isRead])).toEqual([
      [4, false],
      [3, false],
      [2, false],
      [1, false],
    ])
  })

  test('beyond the reach of the first level the second has it; beyond that a walk begins below the cached entries', () => {
    const a = m.map(pid, 4096)
    touch(a, 4096)
    // 64 entries in 4 ways, 1536 in 12: the last 64 and the last 1536 pages (04 §4.2).
    expect(look(a + 4095 * PAGE)).toMatchObject({ found: 'L1' })
    expect(look(a + (4095 - 64) * PAGE)).toMatchObject({ found: 'L2', ns: m.state.costs.tlbL2Hit })
    expect(look(a + (4095 - 1536) * PAGE)).toMatchObject({
      found: 'walk',
      startLevel: 1,
      reads: 1,
      ns: m.state.costs.pageWalk,
    })
    expect(look(a).levels.map(({ cache, isCached }) => [cache, isCached])).toEqual([
      ['PML4E', true],
      ['PDPTE', true],
      ['PDE', true],
      ['', false],
    ])
  })

  test('a page that is not there is in no TLB; its walk begins where the caches lead and costs as the fault does', () => {
    const a = m.map(pid, 8)
    touch(a, 1)
    expect(look(a + PAGE)).toMatchObject({ found: 'fault', pageBytes: 0, looks: [], startLevel: 1, ns: 0 })
    expect(look(0x1000_0000_0000)).toMatchObject({ found: 'fault', startLevel: 4, reads: 1 })
  })

  test('another CPU knows nothing of it', () => {
    const other = new TaskMachine({ cpus: 8 })
    const id = other.spawn()
    const a = other.map(id, 1)
    other.perform(id, { op: 'touch', address: a, length: PAGE, mode: 'write' })
    const space = mmOf(other.state, other.task(id))!
    const here = other.task(id).cpu
    expect(translationView(other.state, space, a / PAGE, here).found).toBe('L1')
    const elsewhere = other.state.tlb.cpus.findIndex((c) => c.mm < 0)
    expect(translationView(other.state, space, a / PAGE, elsewhere)).toMatchObject({
      standing: 'unknown',
      found: 'walk',
      startLevel: 4,
      reads: 4,
      ns: other.state.costs.pageWalkCold,
    })
  })

  test('the contents say how full each structure is, whose entries they are, and how far they reach', () => {
    const a = m.map(pid, 4096)
    touch(a, 4096)
    const view = tlbView(m.state, mm.id, 0)
    const l2 = view.structures.find(({ name }) => name === 'L2 TLB')!
    expect(l2).toMatchObject({ entries: 1536, ways: 12, sets: 128, used: 1536, own: 1536 })
    expect(view.psc.find(({ name }) => name === 'PML4E')).toMatchObject({ entries: 4, own: 2 })
    // 04 §4.2: Skylake 1536 × 4K = 6 MiB, × 2M = 3 GiB.
    expect(view.reach.map(({ page, bytes }) => [page, bytes])).toEqual([
      ['4K', 6 * 2 ** 20],
      ['2M', 3 * 2 ** 30],
      ['1G', 16 * 2 ** 30],
    ])
    expect(view.counts[0]!.stores).toBeGreaterThanOrEqual(4096)
    const idle = Object.assign(lruState({ mib: 64 }), { tlb: createTlb(TLB_PRESETS.zen4, 1) })
    expect(tlbView(idle, 0, 0).reach[0]).toMatchObject({ bytes: 12 * 2 ** 20 })
  })
})
