import { describe, expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { checkInvariants } from '../check'
import { SIGKILL } from '../lifecycle'
import type { KernelState } from '../state'
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../task'
import { tryToFreePages } from './direct_reclaim'
import { ALLOCSTALL_DMA, PGSTEAL_DIRECT, PGSTEAL_KSWAPD, vmEvent } from './vmstat'

const PAGES = 20_000

/** What was seen between the events of a run in which one task writes more memory than there is. */
interface Watched {
  readonly machine: TaskMachine
  /** Pages that kswapd freed while the task was inside direct reclaim. */
  besides: number
  /** Events at which a reclaim was half-way. */
  parked: number
  /** Events at which its task slept until the swap device had room. */
  waiting: number
}

function swapping(series: '6.1' | '6.12', cpus: number, act?: (state: KernelState, w: Watched) => void): Watched {
  let stolen = 0
  const watch = (state: KernelState): void => {
    const now = vmEvent(state.vmstat, PGSTEAL_KSWAPD)
    const [run] = state.reclaim.direct
    if (run !== undefined) {
      w.parked++
      w.besides += now - stolen
      if (state.tasks[run.pid]?.waitChannel === 'blk_mq_get_tag') w.waiting++
      act?.(state, w)
    }
    stolen = now
  }
  const machine = new TaskMachine({ cpus, series, swapPages: 30_000, mglru: false, afterEvent: (s) => watch(s) })
  const w: Watched = { machine, besides: 0, parked: 0, waiting: 0 }
  const pid = machine.spawn()
  const bytes = PAGES * 4096
  const flags = MAP_PRIVATE | MAP_ANONYMOUS
  const { result: address } = machine.perform(pid, {
    op: 'mmap',
    length: bytes,
    prot: PROT_READ | PROT_WRITE,
    flags,
    fd: -1,
    offset: 0,
  })
  machine.perform(pid, { op: 'touch', address, length: bytes, mode: 'write' })
  return w
}

describe.each(['6.1', '6.12'] as const)('a task that reclaims while its swap device is busy (%s)', (series) => {
  test('leaves its CPU, and kswapd frees pages meanwhile', () => {
    const w = swapping(series, 2)
    const { vmstat } = w.machine.state
    expect(w.waiting).toBeGreaterThan(0)
    expect(w.besides).toBeGreaterThan(0)
    expect(vmEvent(vmstat, PGSTEAL_KSWAPD)).toBeGreaterThan(0)
    expect(vmEvent(vmstat, PGSTEAL_DIRECT)).toBeGreaterThan(0)
    expect(checkInvariants(w.machine.state)).toEqual([])
  })

  test('counts each reclaim once, however often it stops', () => {
    const w = swapping(series, 2)
    const { vmstat } = w.machine.state
    let stalls = 0
    for (let i = 0; i < 4; i++) stalls += vmEvent(vmstat, ALLOCSTALL_DMA + i)
    // A run ends at 32 pages or more, save the few that kswapd left nothing for.
    expect(stalls).toBeLessThanOrEqual(vmEvent(vmstat, PGSTEAL_DIRECT) / 16)
    expect(w.parked).toBeGreaterThan(stalls)
  })

  test('keeps the books right at every stop', () => {
    let looked = 0
    swapping(series, 2, (state) => {
      if (looked++ % 97 === 0) expect(checkInvariants(state)).toEqual([])
    })
    expect(looked).toBeGreaterThan(97)
  })

  test('is killed half-way: its reclaim and its stall end with it', () => {
    let isKilled = false
    const w = swapping(series, 2, (state, seen) => {
      if (isKilled || seen.parked < 5) return
      isKilled = true
      seen.machine.engine.command(
        state,
        { kind: 'signal', pid: state.reclaim.direct[0]!.pid, signal: SIGKILL, from: 1 },
        { stopRequested: false },
      )
    })
    expect(isKilled).toBe(true)
    expect(w.machine.state.reclaim.direct).toEqual([])
    expect(w.machine.state.psi.nrStalled).toBe(0)
    expect(checkInvariants(w.machine.state)).toEqual([])
  })

  test('is over when a caller that cannot sleep goes on with it', () => {
    let isEnded = false
    const w = swapping(series, 2, (state) => {
      const [run] = state.reclaim.direct
      if (isEnded || run === undefined) return
      isEnded = true
      const { pid, mayStop } = state.exec
      const { order, gfp, reclaimIdx } = run.free.sc
      Object.assign(state.exec, { pid: run.pid, mayStop: false })
      tryToFreePages(state, { order, gfp, nid: 0, highestZoneidx: reclaimIdx })
      Object.assign(state.exec, { pid, mayStop })
      expect(state.reclaim.direct).not.toContain(run)
    })
    expect(isEnded).toBe(true)
    expect(w.machine.state.reclaim.direct).toEqual([])
    expect(w.machine.state.psi.nrStalled).toBe(0)
  })
})
