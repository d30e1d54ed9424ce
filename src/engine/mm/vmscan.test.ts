import { describe, expect, test } from 'vitest'
import {
  addFilePages,
  addAnonPages,
  lruState,
  newFile,
  newSpace,
  setFree,
  setMarks,
  testZone,
} from '../../../test/lru-state'
import { readFileSync } from 'node:fs'
import type { KernelState } from '../state'
import { GFP_KERNEL, ZONE_DMA32, ZONE_NORMAL } from './gfp'
import { checkLru } from './lru_check'
import { zoneFreePages } from './mmzone'
import {
  ALLOCSTALL_DMA32,
  PAGEOUTRUN,
  PGSCAN_DIRECT,
  PGSCAN_FILE,
  PGSCAN_KSWAPD,
  PGSTEAL_DIRECT,
  PGSTEAL_KSWAPD,
  vmEvent,
} from './vmstat'
import { runsView } from './reclaim/runs_view'
import { kswapdStep, wakeupKswapd } from './kswapd'
import { tryToFreePages } from './direct_reclaim'

interface Pass {
  priority: number
  scanned?: number
  reclaimed: number
  total?: number
  free_after?: number
}
const { reclaim_runs_classic: runs } = JSON.parse(
  readFileSync(new URL('../../../test/vectors.json', import.meta.url), 'utf8'),
) as {
  reclaim_runs_classic: Record<
    string,
    {
      passes: Pass[]
      free_at_start: number
      inactive_file: number
      free_before_alloc?: number
      free_end?: number
      pgscan_kswapd?: number
    }
  >
}

/** The machine of spec 05 E9: one zone 1000/1250/1500, everything reclaimable is clean, unmapped inactive file. */
function cacheMachine(free: number, cache: number): KernelState {
  const mib = Math.ceil((free + cache) / 256) + 40
  const state = lruState({ mib })
  setMarks(testZone(state), 1000, 1250, 1500)
  for (const zone of state.zones) if (zone !== testZone(state)) zone.managed = 0
  addFilePages(state, newFile(state, cache), cache)
  setFree(state, free)
  return state
}

/** Makes the kernel thread and wakes it; the steps are the caller's. */
function startKswapd(state: KernelState, highestZoneidx: number): void {
  const task = {
    pid: 50,
    isKthread: true,
    state: 'S',
    stalledSinceNs: -1,
    stallNs: 0,
    psiFlags: 0,
    cgroup: 1,
    cpu: 0,
    wakeSequence: 0,
    nvcsw: 0,
    killSignal: 0,
    memalloc: true,
  }
  state.tasks[50] = task as unknown as KernelState['tasks'][number]
  state.nodes[0]!.kswapd.pid = 50
  wakeupKswapd(state, testZone(state), GFP_KERNEL, 0, highestZoneidx)
  expect(task.state).toBe('R')
  state.exec.pid = 50
}

/** Runs kswapd as its own task until it naps. */
function runKswapd(state: KernelState): void {
  startKswapd(state, ZONE_DMA32)
  for (let i = 0; !kswapdStep(state, 0).done; i++) expect(i).toBeLessThan(100_000)
  state.exec.pid = 0
}

const directReclaim = (state: KernelState): number =>
  tryToFreePages(state, { order: 0, gfp: GFP_KERNEL, nid: 0, highestZoneidx: ZONE_DMA32 })

describe('classic runs (spec 05 E9, E10)', () => {
  // 'kswapd_big_cache' (12 GB of cache, one pass of 3000000 >> 12) is a row of scan_count.test.ts.
  test('kswapd ends above high: kswapd', () => {
    const run = runs['kswapd']!
    const state = cacheMachine(run.free_at_start, run.inactive_file)
    runKswapd(state)
    const reclaimed = run.passes.reduce((sum, p) => sum + p.reclaimed, 0)
    expect(vmEvent(state.vmstat, PGSCAN_KSWAPD)).toBe(reclaimed)
    expect(vmEvent(state.vmstat, PGSTEAL_KSWAPD)).toBe(reclaimed)
    expect(vmEvent(state.vmstat, PAGEOUTRUN)).toBe(1)
    expect(zoneFreePages(testZone(state))).toBe(run.free_end)
    const [recorded] = runsView(state, { nid: 0, groups: [], most: 10 })
    expect(recorded!.passes.map(({ priority, scanned, stolen }) => ({ priority, scanned, stolen }))).toEqual(
      run.passes.map(({ priority, reclaimed: nr }) => ({ priority, scanned: [0, nr], stolen: [0, nr] })),
    )
    const verbs = state.reclaim.reclaimLog.decisions[0]!.map(({ verb }) => verb)
    expect(verbs).toEqual(['wakeup', 'begin', 'nap'])
    expect(checkLru(state)).toEqual([])
  })

  test.each(['direct', 'direct_small_cache'])('direct reclaim stops at 32 pages: %s', (name) => {
    const run = runs[name]!
    const state = cacheMachine(run.free_at_start, run.inactive_file)
    const total = run.passes.at(-1)!.total!
    expect(directReclaim(state)).toBe(total)
    expect(vmEvent(state.vmstat, PGSCAN_DIRECT)).toBe(total)
    expect(vmEvent(state.vmstat, PGSTEAL_DIRECT)).toBe(total)
    expect(vmEvent(state.vmstat, PGSCAN_FILE)).toBe(total)
    expect(vmEvent(state.vmstat, ALLOCSTALL_DMA32)).toBe(1)
    expect(zoneFreePages(testZone(state))).toBe(run.free_before_alloc)
    expect(checkLru(state)).toEqual([])
  })
})

test('kswapd aims at the sum of the high marks (spec 05 E5)', () => {
  const state = lruState({ mib: 64 })
  const highs = [45, 9531, 15762]
  highs.forEach((high, idx) => {
    state.zones[idx]!.managed = 1000
    setMarks(state.zones[idx]!, high - 2, high - 1, high)
  })
  setFree(state, 100)
  startKswapd(state, ZONE_NORMAL)
  const run = state.reclaim.kswapd[0]!
  while (run.stage !== 'shrink') kswapdStep(state, 0)
  expect(run.sc.nrToReclaim).toBe(25338)
})

describe('nothing to reclaim', () => {
  test('a fruitless direct reclaim on 6.12 is counted twice: the full walk is another round', () => {
    const state = cacheMachine(1000, 0)
    addAnonPages(state, newSpace(state).mm, 500)
    expect(directReclaim(state)).toBe(0)
    expect(vmEvent(state.vmstat, ALLOCSTALL_DMA32)).toBe(2)
  })
  test('kswapd gives up after 16 fruitless runs and is not woken again', () => {
    const state = cacheMachine(1000, 0)
    runKswapd(state)
    expect(vmEvent(state.vmstat, PAGEOUTRUN)).toBe(16)
    expect(state.nodes[0]!.kswapd.failures).toBe(16)
    const failures = state.reclaim.reclaimLog.decisions[0]!.filter(({ verb }) => verb === 'failure')
    expect(failures.at(-1)!.failures).toBe(16)
    state.tasks[50]!.state = 'S'
    wakeupKswapd(state, testZone(state), GFP_KERNEL, 0, ZONE_DMA32)
    expect(state.tasks[50]!.state).toBe('S')
  })
})
