import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lruState, mapPage, newSpace } from '../../../test/lru-state'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { STEP_DONE, STEP_MORE, touchRange } from '../touch'
import type { Mm } from './mm_types'
import { ensurePmdSlot, findHugePmd, makePmd } from './huge_pmd'
import { PTE_ACCESSED, PTE_DIRTY, PTE_PRESENT, PTE_WRITE, findPteSlot, pteAt, setPte } from './pgtable'
import { breakPass } from './tlb_pass'
import { settledCopy } from './tlb_view'
import { flushTlbMm, flushTlbPage } from './tlb_flush'
import type { TlbGeometry } from './tlb_presets'
import { WALKS_LOAD, WALKS_STORE, createTlb } from './tlb_state'

const TINY: TlbGeometry = {
  itlb: [{ entries: 4, ways: 2, pages: ['4K'] }],
  dtlb: [{ entries: 8, ways: 2, pages: ['4K'] }],
  stlb: [{ entries: 32, ways: 4, pages: ['4K'] }],
  pde: 2,
  pdpte: 2,
  pml4e: 1,
  pcid: true,
  gigabytePages: true,
}
const FIRST = 1 << 18
/** Of 4 KiB, then one of 2 MiB, then of 4 KiB again. */
const [SMALL, HUGE, PAGES] = [1024, 512, 1700]

interface Machine {
  readonly state: KernelState
  readonly mms: readonly Mm[]
  readonly tasks: readonly Task[]
}

const isSmall = (page: number): boolean => page < SMALL || page >= SMALL + HUGE

/** Two programs with the same pages mapped, which one CPU runs. */
function machine(): Machine {
  const state = Object.assign(lruState({ mib: 128 }), { tlb: createTlb(TINY, 1) })
  const mms = [0, 1].map(() => newSpace(state).mm)
  const bits = PTE_WRITE | PTE_ACCESSED | PTE_DIRTY
  for (const mm of mms) {
    for (let i = 0; i < PAGES; i++) if (isSmall(i)) mapPage(state, mm, FIRST + i, 5000 + i, bits)
    setPte(state.pgtables, ensurePmdSlot(state, mm, FIRST + SMALL), makePmd(8192, bits | PTE_PRESENT))
    mm.hugePmds = 1
  }
  const tasks = mms.map((mm, i) => ({ pid: i + 1, mm: mm.id, opDone: 0, killSignal: 0 }) as unknown as Task)
  return { state, mms, tasks }
}

interface Pass {
  readonly op: 'pass'
  readonly space: number
  readonly from: number
  readonly count: number
  readonly times: number
  readonly isWrite: boolean
  /** Time slice, ns; a pass that does not fit goes on in the next one. */
  readonly slice: number
}
type Step =
  | Pass
  | { readonly op: 'flushPage' | 'idle'; readonly space: number; readonly page: number }
  | { readonly op: 'flush'; readonly space: number }

function play({ state, mms, tasks }: Machine, step: Step, isRemembering: boolean): void {
  const mm = mms[step.space]!
  if (step.op === 'flush') flushTlbMm(state, mm.id, Infinity, false)
  else if (step.op === 'pass') {
    for (let i = 0; i < step.times; i++) playPass(state, tasks[step.space]!, step, isRemembering)
  } else {
    const slot = findPteSlot(state, mm, FIRST + step.page)
    if (step.op === 'flushPage') flushTlbPage(state, mm.id, slot)
    else setPte(state.pgtables, slot, pteAt(state.pgtables, slot) & ~PTE_ACCESSED)
  }
}

function playPass(state: KernelState, task: Task, pass: Pass, isRemembering: boolean): void {
  task.opDone = 0
  let step = STEP_MORE
  while (step === STEP_MORE) {
    if (!isRemembering) for (const c of state.tlb.cpus) breakPass(state.tlb, c, state.pgtables)
    const endNs = state.exec.ns + pass.slice
    step = touchRange(state, task, FIRST + pass.from, pass.count, pass.isWrite, 1, endNs)
  }
  expect(step).toBe(STEP_DONE)
}

/** All that an access can see or leave behind. */
const seen = ({ state, mms }: Machine): unknown => {
  const { tag, space, head, psc, counts } = settledCopy(state, state.tlb.cpus[0]!)
  // A set is a ring: which of its ways is the first one is seen by nobody.
  const sets = state.tlb.structures.flatMap(({ first, firstSet, sets: count, ways }) =>
    Array.from({ length: tag.length === 0 ? 0 : count }, (_, set) =>
      Array.from({ length: ways }, (__, age) => {
        const at = first + set * ways + ((head[firstSet + set]! + age) % ways)
        return [tag[at], space[at]]
      }),
    ),
  )
  const entries = mms.map((mm) =>
    Array.from({ length: PAGES }, (_, i) =>
      pteAt(state.pgtables, isSmall(i) ? findPteSlot(state, mm, FIRST + i) : findHugePmd(state, mm, FIRST + i)),
    ),
  )
  return { ns: state.exec.ns, sets, psc, counts, entries }
}

const page = fc.integer({ min: 0, max: SMALL - 1 })
const space = fc.integer({ min: 0, max: 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('pass' as const),
      space,
      from: fc.constantFrom(0, 500, 505, 1000, 1200),
      count: fc.constantFrom(1, 6, 20, 31, 60, 500),
      times: fc.integer({ min: 1, max: 9 }),
      isWrite: fc.boolean(),
      slice: fc.constantFrom(17, 700, 1e9),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('flushPage' as const, 'idle' as const), space, page }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('flush' as const), space }) },
)

describe('a pass that is remembered', () => {
  test('costs, counts and leaves behind what a pass that is walked through does, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 14 }), (steps) => {
        const [plain, remembering] = [machine(), machine()]
        for (const one of steps) {
          play(plain, one, false)
          play(remembering, one, true)
        }
        expect(seen(remembering)).toEqual(seen(plain))
      }),
      { seed: 9, numRuns: 60 },
    )
  })

  test('is not walked through from the fourth time on, and a flush of one page ends that', () => {
    const { state, mms, tasks } = machine()
    const pass = { op: 'pass', space: 0, from: 0, count: 40, times: 4, isWrite: true, slice: 1e9 } as const
    const c = state.tlb.cpus[0]!
    play({ state, mms, tasks }, pass, true)
    expect([c.pass.isKnown, c.counts[WALKS_STORE], c.counts[WALKS_LOAD]]).toEqual([true, 160, 0])
    play({ state, mms, tasks }, { ...pass, times: 2, isWrite: false }, true)
    expect([c.counts[WALKS_STORE], c.counts[WALKS_LOAD], c.pass.isKnown]).toEqual([160, 80, true])
    flushTlbPage(state, mms[0]!.id, findPteSlot(state, mms[0]!, FIRST))
    expect(c.pass.isKnown).toBe(false)
  })
})
