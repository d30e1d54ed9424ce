import { describe, expect, test } from 'vitest'
import { crumbs, take, type Crumbs } from '../../../test/crumbs'
import { checkInvariants } from '../check'
import { SIGKILL } from '../lifecycle'
import type { KernelState } from '../state'
import { allocByHand } from './by_hand_pages'
import { zoneScanners } from './compaction_scanners'
import { GFP_BIT_COMP, GFP_HIGHUSER_MOVABLE } from './gfp'
import { COMPACT_FAIL, COMPACT_STALL, COMPACT_SUCCESS, vmEvent } from './vmstat'

/** What was seen between the events of a run in which one task wants huge pages and another works on the other CPU. */
interface Watched extends Crumbs {
  readonly writer: number
  /** Events at which a compaction was half-way. */
  parked: number
  /** CPU time that the other task got meanwhile, ns. */
  besidesNs: number
  readonly walk: (readonly [number, number])[]
}

function asking(series: '6.1' | '6.12', act?: (w: Watched) => void): Watched {
  const begun: Watched[] = []
  let usedNs = 0
  const look = (state: KernelState): void => {
    const [w] = begun
    if (w === undefined) return
    const [run] = state.compaction.direct
    const used = state.tasks[w.pid]?.stimeNs ?? 0
    if (run !== undefined) {
      w.parked++
      w.besidesNs += used - usedNs
      const { by, migratePfn, freePfn } = zoneScanners(state, 1)
      if (by === 'direct') w.walk.push([migratePfn, freePfn])
      act?.(w)
    }
    usedNs = used
  }
  const made = crumbs({ cpus: 2, series, mglru: false, mib: 96, pages: 15_000, keep: 4, afterEvent: look })
  const { machine, state, pid } = made
  const writer = machine.spawn('writer')
  take(state, 5)
  machine.begin(pid, { op: 'compute', ns: 30e6 })
  const w: Watched = { ...made, writer, parked: 0, besidesNs: 0, walk: [] }
  begun.push(w)
  machine.perform(writer, { op: 'writeFile', path: '/proc/sys/vm/nr_hugepages', text: '3' })
  return w
}

const counts = (state: KernelState): number[] =>
  [COMPACT_STALL, COMPACT_SUCCESS, COMPACT_FAIL].map((item) => vmEvent(state.vmstat, item))

describe.each(['6.1', '6.12'] as const)(
  'a task that compacts for a huge page while another CPU works (%s)',
  (series) => {
    test('stops when the other is due, and its scanners are seen walking towards each other', () => {
      const w = asking(series)
      expect(w.machine.read('/proc/sys/vm/nr_hugepages')).toBe('3\n')
      expect(w.parked).toBeGreaterThan(3)
      expect(w.besidesNs).toBeGreaterThan(0)
      expect(w.walk.length).toBeGreaterThan(2)
      const first = w.walk[0]!
      const last = w.walk.at(-1)!
      expect(last[0]).toBeGreaterThan(first[0])
      expect(last[1]).toBeLessThanOrEqual(first[1])
      expect(checkInvariants(w.state)).toEqual([])
    })

    test('counts each run once, however often it stops', () => {
      const w = asking(series)
      const [stalls, successes, failures] = counts(w.state)
      expect(stalls).toBe(successes! + failures!)
      expect(successes).toBeGreaterThan(0)
      expect(w.parked).toBeGreaterThan(stalls!)
      expect(w.state.compaction.direct).toEqual([])
      expect(w.state.psi.nrStalled).toBe(0)
    })

    test('keeps the books right at every stop', () => {
      let looked = 0
      asking(series, ({ state }) => {
        if (looked++ % 3 === 0) expect(checkInvariants(state)).toEqual([])
      })
      expect(looked).toBeGreaterThan(3)
    })

    test('is killed half-way: frames, stall and counters are as if it had failed', () => {
      let before: number[] | undefined
      const w = asking(series, ({ machine, writer, state, parked }) => {
        if (before !== undefined || parked < 3) return
        before = counts(state)
        machine.signal(writer, SIGKILL)
      })
      const [stalls = 0, successes = 0, failures = 0] = before!
      expect(counts(w.state)).toEqual([stalls + 1, successes, failures + 1])
      expect(w.state.compaction.direct).toEqual([])
      expect(w.state.psi.nrStalled).toBe(0)
      expect(checkInvariants(w.state)).toEqual([])
    })
  },
)

test('a writer of compact_memory that is killed half-way gives its frames back', () => {
  let isKilled = false
  const { machine, state, pid } = crumbs({
    mib: 160,
    pages: 30_000,
    keep: 4,
    afterEvent: (s) => {
      const [writer] = Object.keys(s.compaction.manual)
      const held = s.compaction.manual[Number(writer)]?.control?.freepages ?? []
      if (isKilled || held.length === 0) return
      isKilled = true
      expect(checkInvariants(s)).toEqual([])
      machine.signal(Number(writer), SIGKILL)
    },
  })
  machine.begin(pid, { op: 'writeFile', path: '/proc/sys/vm/compact_memory', text: '1' })
  machine.advance(50e6)
  expect(isKilled).toBe(true)
  expect(state.compaction.manual).toEqual({})
  expect(zoneScanners(state, 1).last?.by).toBe('manual')
  expect(checkInvariants(state)).toEqual([])
})

test('a request by hand compacts in steps too, and leaves nothing behind', () => {
  const { machine, state } = crumbs({ cpus: 2 })
  take(state, 5)
  state.exec.pid = 1
  const gfp = GFP_HIGHUSER_MOVABLE | GFP_BIT_COMP
  expect(allocByHand(state, { order: 9, gfp, nid: 0, count: 1 })).toBeUndefined()
  state.exec.pid = 0
  state.exec.ns = 0
  machine.advance(100e6)
  expect(state.handPages.waiting).toEqual([])
  expect(state.compaction.direct).toEqual([])
  expect(checkInvariants(state)).toEqual([])
})
