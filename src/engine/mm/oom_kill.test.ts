import { describe, expect, test } from 'vitest'
import { addProcess, exitProcess, makeGroup, memcgState, runAs, type FakeProcess } from '../../../test/memcg-state'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { GFP_ANON_FAULT, GFP_KERNEL, GFP_NOFS } from './gfp'
import { MEMCG_OOM_GROUP_KILL, MEMCG_OOM_KILL } from './memcg_events'
import { memcgCharge } from './memcontrol'
import { handleOomReap, memcgOutOfMemory, oomScore, outOfMemory } from './oom_kill'
import { OOM_KILL, vmEvent } from './vmstat'

const GLOBAL = { memcg: 0, gfp: GFP_ANON_FAULT, order: 0 } as const

function machine(...processes: FakeProcess[]): KernelState {
  const state = memcgState({ cpus: 2 })
  addProcess(state, { pid: 1, comm: 'init', anon: 999_999 })
  for (const p of processes) addProcess(state, p)
  return state
}
const killed = (state: KernelState): number[] => state.taskList.filter((pid) => state.tasks[pid]!.killSignal === 9)
const lastLine = (state: KernelState): string => state.klog.at(-1)!.text

describe('the victim', () => {
  test.each<[string, FakeProcess[], number[]]>([
    [
      'has the most pages',
      [
        { pid: 10, comm: 'a', anon: 50 },
        { pid: 11, comm: 'b', anon: 70 },
      ],
      [11],
    ],
    [
      'counts swap and page tables',
      [
        { pid: 10, comm: 'a', anon: 50, swap: 20, pgtablesBytes: 8192 },
        { pid: 11, comm: 'b', anon: 70 },
      ],
      [10],
    ],
    [
      'is the later one of equals (spec 06 E4)',
      [
        { pid: 10, comm: 'a', anon: 50 },
        { pid: 11, comm: 'b', anon: 50 },
      ],
      [11],
    ],
    [
      'is never one with adj -1000',
      [
        { pid: 10, comm: 'a', anon: 5 },
        { pid: 11, comm: 'b', anon: 900, adj: -1000 },
      ],
      [10],
    ],
    [
      'is not spared for being root (spec 10 T2)',
      [
        { pid: 10, comm: 'a', anon: 50, uid: 1000 },
        { pid: 11, comm: 'b', anon: 70, uid: 0 },
      ],
      [11],
    ],
    [
      'may be the older one when it is bigger (spec 10 T3)',
      [
        { pid: 10, comm: 'a', anon: 70 },
        { pid: 11, comm: 'b', anon: 50 },
      ],
      [10],
    ],
    [
      'may have negative points',
      [
        { pid: 10, comm: 'a', anon: 70, adj: -900 },
        { pid: 11, comm: 'b', anon: 50, adj: -950 },
      ],
      [10],
    ],
    [
      'is no kernel thread',
      [
        { pid: 2, comm: 'kthreadd', isKthread: true },
        { pid: 11, comm: 'b' },
      ],
      [11],
    ],
  ])('%s', (_name, processes, victims) => {
    const state = machine(...processes)
    expect(outOfMemory(state, GLOBAL)).toBe(true)
    expect(killed(state)).toEqual(victims)
    expect(vmEvent(state.vmstat, OOM_KILL)).toBe(1)
  })

  test('oom_score_adj weighs by the memory of the domain (spec 06 E3)', () => {
    const state = memcgState()
    const a = makeGroup(state, '/a')
    a.memory.max = 262144
    addProcess(state, { pid: 10, comm: 'A', group: '/a', anon: 200000 })
    addProcess(state, { pid: 11, comm: 'B', group: '/a', anon: 40000, adj: 700 })
    runAs(state, 10)
    memcgCharge(state, a.id, 262144, GFP_KERNEL)
    expect(memcgOutOfMemory(state, a.id, GFP_KERNEL, 0)).toBe(true)
    expect(killed(state)).toEqual([11])
    expect(state.oomReports[0]).toMatchObject({
      constraint: 'CONSTRAINT_MEMCG',
      oomMemcg: '/a',
      totalPages: 262144,
      victimPid: 11,
      allocatorComm: 'A',
      killed: [11],
    })
    expect(state.oomReports[0]!.candidates.map((c) => [c.comm, c.adjPages, c.points, c.spared])).toEqual([
      ['A', 0, 200000, ''],
      ['B', 183400, 223400, ''],
    ])
  })

  test('a group kills only inside itself', () => {
    const state = machine({ pid: 10, comm: 'outside', anon: 500 })
    const p = makeGroup(state, '/p')
    makeGroup(state, '/p/c')
    addProcess(state, { pid: 11, comm: 'inside', group: '/p/c', anon: 5 })
    p.memory.max = 0
    expect(memcgOutOfMemory(state, p.id, GFP_KERNEL, 0)).toBe(true)
    expect(killed(state)).toEqual([11])
    expect(lastLine(state)).toContain('Memory cgroup out of memory: Killed process 11 (inside)')
  })

  test('a guaranteed pod outlives a best-effort one (spec 06 E5)', () => {
    const state = machine(
      { pid: 10, comm: 'guaranteed', anon: 1_000_000, adj: -997 },
      { pid: 11, comm: 'besteffort', anon: 100, adj: 1000 },
    )
    state.zones[0]!.managed = 2_500_000
    outOfMemory(state, GLOBAL)
    expect(killed(state)).toEqual([11])
  })
})

describe('nothing is killed', () => {
  test('while an earlier victim still dies', () => {
    const state = machine({ pid: 10, comm: 'a', anon: 50 }, { pid: 11, comm: 'b', anon: 70 })
    outOfMemory(state, GLOBAL)
    expect(outOfMemory(state, GLOBAL)).toBe(true)
    expect(killed(state)).toEqual([11])
    exitProcess(state, 11)
    outOfMemory(state, GLOBAL)
    expect(killed(state)).toEqual([10, 11])
  })

  test('when the caller itself is dying: no report, but access to the reserves', () => {
    const state = machine({ pid: 10, comm: 'a', anon: 50 }, { pid: 11, comm: 'b', anon: 70 })
    runAs(state, 10)
    state.tasks[10]!.killSignal = 15
    expect(outOfMemory(state, GLOBAL)).toBe(true)
    expect([killed(state), state.tasks[10]!.isOomVictim, state.klog.length]).toEqual([[], true, 0])
  })

  test('for a request that may not enter file systems (spec 06 E7), unless a group is out of memory', () => {
    const state = machine({ pid: 10, comm: 'a', anon: 50 })
    expect(outOfMemory(state, { ...GLOBAL, gfp: GFP_NOFS })).toBe(true)
    expect(killed(state)).toEqual([])
    const a = makeGroup(state, '/a')
    addProcess(state, { pid: 12, comm: 'c', group: '/a' })
    a.memory.max = 0
    memcgOutOfMemory(state, a.id, GFP_NOFS, 0)
    expect(killed(state)).toEqual([12])
  })

  test('when room was found meanwhile', () => {
    const state = machine()
    const a = makeGroup(state, '/a')
    addProcess(state, { pid: 12, comm: 'c', group: '/a' })
    a.memory.max = 1
    expect(memcgOutOfMemory(state, a.id, GFP_KERNEL, 0)).toBe(true)
    expect(killed(state)).toEqual([])
  })
})

describe('nobody is left', () => {
  test('globally the machine panics', () => {
    const state = machine({ pid: 10, comm: 'a', anon: 50, adj: -1000 })
    expect(outOfMemory(state, GLOBAL)).toBe(false)
    expect(state.panicked).toBe('System is deadlocked on memory')
    expect(state.klog.slice(-2).map((line) => line.text)).toEqual([
      'Out of memory and no killable processes...',
      'Kernel panic - not syncing: System is deadlocked on memory',
    ])
  })

  test('in a group the charge fails and the machine goes on', () => {
    const state = machine()
    const a = makeGroup(state, '/a')
    addProcess(state, { pid: 12, comm: 'c', group: '/a', adj: -1000 })
    a.memory.max = 0
    expect(memcgOutOfMemory(state, a.id, GFP_KERNEL, 0)).toBe(false)
    expect(state.panicked).toBe('')
    expect(state.oomReports.at(-1)).toMatchObject({ victimPid: 0, killed: [] })
    expect(state.oomReports.at(-1)!.candidates[0]!.spared).toBe('oom_score_adj -1000')
  })
})

describe('sysctls', () => {
  test.each([
    [1, 0, 'Out of memory: system-wide panic_on_oom is enabled'],
    [2, 0, 'Out of memory: compulsory panic_on_oom is enabled'],
    [1, 2, ''],
    [2, 2, 'Out of memory: compulsory panic_on_oom is enabled'],
  ])('panic_on_oom=%i, memcg %i: %j', (panicOnOom, memcg, panic) => {
    const state = machine({ pid: 10, comm: 'a', anon: 50 })
    makeGroup(state, '/a').memory.max = 0
    addProcess(state, { pid: 11, comm: 'b', group: '/a' })
    state.sysctl.panicOnOom = panicOnOom
    outOfMemory(state, { ...GLOBAL, memcg })
    expect(state.panicked).toBe(panic)
    expect(killed(state)).toEqual(panic === '' ? [11] : [])
  })

  test('oom_kill_allocating_task takes who asks, unless it has adj -1000', () => {
    const state = machine({ pid: 10, comm: 'cat', anon: 1 }, { pid: 11, comm: 'hog', anon: 70, adj: -900 })
    state.sysctl.oomKillAllocatingTask = 1
    runAs(state, 10)
    outOfMemory(state, GLOBAL)
    expect(lastLine(state)).toContain('Out of memory (oom_kill_allocating_task): Killed process 10 (cat)')
    exitProcess(state, 10)
    addProcess(state, { pid: 12, comm: 'sampler', anon: 1, adj: -1000 })
    runAs(state, 12)
    outOfMemory(state, GLOBAL)
    expect(lastLine(state)).toContain('Out of memory: Killed process 11 (hog)')
  })

  test('oom_dump_tasks=0 leaves the table out', () => {
    const state = machine({ pid: 10, comm: 'a', anon: 50 })
    state.sysctl.oomDumpTasks = 0
    outOfMemory(state, GLOBAL)
    expect(state.klog.some((line) => line.text.includes('[  pid  ]'))).toBe(false)
  })
})

describe('memory.oom.group', () => {
  function pods(): KernelState {
    const state = machine({ pid: 9, comm: 'outside', anon: 1000 })
    makeGroup(state, '/pod/a')
    makeGroup(state, '/pod/b')
    addProcess(state, { pid: 10, comm: 'hog20', group: '/pod/a', anon: 20 })
    addProcess(state, { pid: 11, comm: 'hog80', group: '/pod/a', anon: 80 })
    addProcess(state, { pid: 12, comm: 'spared', group: '/pod/a', anon: 1, adj: -1000 })
    addProcess(state, { pid: 13, comm: 'other', group: '/pod/b', anon: 30 })
    return state
  }
  const memcgNamed = (state: KernelState, path: string) => makeGroup(state, path)

  test('kills the group, the victim first and once more; oom_kill counts both', () => {
    const state = pods()
    const a = memcgNamed(state, '/pod/a')
    a.oomGroup = true
    a.memory.max = 0
    memcgOutOfMemory(state, a.id, GFP_KERNEL, 0)
    const order = state.klog.flatMap((line) => /Killed process (\d+)|Tasks in (\S+)/.exec(line.text)?.slice(1) ?? [])
    expect(order.filter((word) => word !== undefined)).toEqual(['11', '/pod/a', '10', '11'])
    expect([a.events[MEMCG_OOM_KILL], a.events[MEMCG_OOM_GROUP_KILL]]).toEqual([3, 1])
    expect(vmEvent(state.vmstat, OOM_KILL)).toBe(3)
    expect(state.oomReports[0]!.killed).toEqual([11, 10, 11])
  })

  test('the highest group between victim and domain decides', () => {
    const state = pods()
    memcgNamed(state, '/pod').oomGroup = true
    memcgNamed(state, '/pod/a').oomGroup = true
    const pod = memcgNamed(state, '/pod')
    pod.memory.max = 0
    memcgOutOfMemory(state, pod.id, GFP_KERNEL, 0)
    expect(killed(state)).toEqual([10, 11, 13])
  })

  test('a group above the domain does not', () => {
    const state = pods()
    memcgNamed(state, '/pod').oomGroup = true
    const a = memcgNamed(state, '/pod/a')
    a.memory.max = 0
    memcgOutOfMemory(state, a.id, GFP_KERNEL, 0)
    expect(killed(state)).toEqual([11])
  })

  test('it counts in a global OOM too', () => {
    const state = pods()
    state.tasks[9]!.oomScoreAdj = -1000
    memcgNamed(state, '/pod/a').oomGroup = true
    outOfMemory(state, GLOBAL)
    expect(killed(state)).toEqual([10, 11])
  })
})

test('ten reports in five seconds, then only the kill lines', () => {
  const state = machine()
  for (let pid = 10; pid < 22; pid++) {
    addProcess(state, { pid, comm: 'hog', anon: 5 })
    outOfMemory(state, GLOBAL)
    exitProcess(state, pid)
  }
  const count = (text: string): number => state.klog.filter((line) => line.text.includes(text)).length
  expect([count('invoked oom-killer'), count('Killed process')]).toEqual([10, 12])
  state.nowNs += 5_000_000_001
  addProcess(state, { pid: 30, comm: 'hog', anon: 5 })
  outOfMemory(state, GLOBAL)
  expect([count('invoked oom-killer'), count('oom_kill_process: 2 callbacks suppressed')]).toEqual([11, 1])
})

describe('the reaper', () => {
  test('takes the memory of a victim that is still there after two seconds, and lets another be chosen', () => {
    const state = machine({ pid: 10, comm: 'stuck', anon: 90, file: 3 }, { pid: 11, comm: 'b', anon: 70 })
    outOfMemory(state, GLOBAL)
    const { atNs, event } = state.queue.heap.find((entry) => entry.event.kind === 'oomReap')!
    expect([atNs, event]).toEqual([2_000_000_000, { kind: 'oomReap', pid: 10, tries: 0 }])
    hooks.reapMm = (s, mm) => {
      const freed = s.mms[mm]!.rss[1]!
      s.mms[mm]!.rss[1] = 0
      return freed
    }
    handleOomReap(state, { pid: 10 })
    expect(lastLine(state)).toBe(
      'oom_reaper: reaped process 10 (stuck), now anon-rss:0kB, file-rss:12kB, shmem-rss:0kB',
    )
    outOfMemory(state, GLOBAL)
    expect(killed(state)).toEqual([10, 11])
    handleOomReap(state, { pid: 10 })
    expect(state.klog.filter((line) => line.text.startsWith('oom_reaper')).length).toBe(1)
  })

  test('has nothing to do when the victim is gone', () => {
    const state = machine({ pid: 10, comm: 'a', anon: 90 })
    outOfMemory(state, GLOBAL)
    const lines = state.klog.length
    exitProcess(state, 10)
    handleOomReap(state, { pid: 10 })
    handleOomReap(state, { pid: 4711 })
    expect(state.klog.length).toBe(lines)
  })
})

test('oom_score is 666 for a process that uses nothing, 0 for those that are never killed', () => {
  const state = machine({ pid: 10, comm: 'idle' }, { pid: 11, comm: 'safe', adj: -1000 })
  expect([oomScore(state, 10), oomScore(state, 11), oomScore(state, 1), oomScore(state, 99)]).toEqual([666, 0, 0, 0])
})
