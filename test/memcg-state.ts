/**
 * A small machine with control groups, tasks that hold numbers instead of pages, and a reclaim that the test decides:
 * for tests of charging, limits and the OOM killer.
 */
import { createRootCgroup, attachTask, cgroupByPath, createCgroup, writeSubtreeControl } from '../src/engine/cgroup'
import type { KernelSeries } from '../src/engine/config'
import { hooks } from '../src/engine/hooks'
import { createMemcgStock, memcgAt, type Memcg } from '../src/engine/mm/memcontrol'
import type { Mm } from '../src/engine/mm/mm_types'
import { memcgOutOfMemory } from '../src/engine/mm/oom_kill'
import { createPsiGroup } from '../src/engine/mm/psi'
import { createRatelimit } from '../src/engine/ratelimit'
import type { KernelState } from '../src/engine/state'
import { createTaint } from '../src/engine/taint'
import type { Task } from '../src/engine/task'
import { MIB } from '../src/util/units'
import { plainMachine, zoneState } from './zone-state'

/** Names of Debian's captured kernels, for reports. */
const KERNELS = {
  '6.12': {
    release: '6.12.95+deb12-cloud-amd64',
    version: '#1 SMP PREEMPT_DYNAMIC Debian 6.12.95-1~bpo12+1 (2026-07-05)',
  },
  '6.1': {
    release: '6.1.0-56-cloud-amd64',
    version: '#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-07-05)',
  },
} as const

export interface MemcgMachine {
  readonly series?: KernelSeries
  readonly cpus?: number
}

/** Root group only, no tasks. Reclaim frees nothing; a killed task only remembers its signal. */
export function memcgState({ series = '6.12', cpus = 1 }: MemcgMachine = {}): KernelState {
  const config = {
    ...plainMachine(64 * MIB, cpus, series),
    ...KERNELS[series],
    hardware: 'QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2-debian-1.16.2-1 04/01/2014',
  }
  const state = zoneState(config)
  Object.assign(state, {
    cgroups: [undefined],
    memcgs: [undefined],
    memcgStocks: state.cpuNode.map(() => createMemcgStock()),
    lruvecs: [],
    mms: [],
    psi: createPsiGroup(),
    oomReports: [],
    oomRatelimit: createRatelimit(),
    taint: createTaint(),
    panicked: '',
  })
  Object.assign(state.sysctl, { swappiness: 60, panicOnOom: 0, oomKillAllocatingTask: 0, oomDumpTasks: 1 })
  createRootCgroup(state)
  writeSubtreeControl(state, 1, '+memory +cpuset')
  hooks.tryToFreeMemcgPages = () => 0
  hooks.memcgOutOfMemory = memcgOutOfMemory
  hooks.sendKill = (s, pid) => void (s.tasks[pid]!.killSignal = 9)
  return state
}

/** Makes '/a/b' and what is missing above it, with the memory controller on everywhere. */
export function makeGroup(state: KernelState, path: string): Memcg {
  let above = '/'
  for (const name of path.split('/').filter((part) => part !== '')) {
    const parent = cgroupByPath(state, above)!
    if (!parent.subtreeControl.includes('memory')) writeSubtreeControl(state, parent.id, '+memory')
    const here = above === '/' ? `/${name}` : `${above}/${name}`
    if (cgroupByPath(state, here) === undefined) createCgroup(state, parent.id, name)
    above = here
  }
  return memcgAt(state, cgroupByPath(state, path)!.memcg)
}

export interface FakeProcess {
  readonly pid: number
  readonly comm: string
  readonly group?: string
  readonly adj?: number
  readonly uid?: number
  /** Pages, as a cheap reader sees them. */
  readonly anon?: number
  readonly file?: number
  readonly shmem?: number
  readonly swap?: number
  readonly pgtablesBytes?: number
  readonly totalVm?: number
  readonly isKthread?: boolean
}

/** A process whose address space is only its counters. */
export function addProcess(state: KernelState, p: FakeProcess): Task {
  const mm = {
    id: state.mms.length,
    users: 1,
    vmas: [],
    rss: Float64Array.of(p.file ?? 0, p.anon ?? 0, p.shmem ?? 0, p.swap ?? 0),
    rssPending: new Int32Array(4 * state.cpuNode.length),
    pgtablesBytes: p.pgtablesBytes ?? 0,
    totalVm: p.totalVm ?? 0,
    oomSkip: false,
    oomVictim: 0,
  } as unknown as Mm
  state.mms.push(mm)
  const task = {
    pid: p.pid,
    tgid: p.pid,
    ppid: 1,
    comm: p.comm,
    uid: p.uid ?? 0,
    isKthread: p.isKthread ?? false,
    state: 'R',
    cpu: 0,
    cgroup: 1,
    mm: p.isKthread === true ? -1 : mm.id,
    op: { op: 'touch', address: 0, length: 0, mode: 'write' },
    oomScoreAdj: p.adj ?? 0,
    memalloc: false,
    isOomVictim: false,
    killSignal: 0,
    signalled: false,
    overHigh: 0,
    retry: { chargeRetries: -1, chargeDrained: false, chargePassedOom: false, noProgressLoops: -1, compactRetries: 0 },
    rssPending: [0, 0, 0, 0],
    stallNs: 0,
    stalledSinceNs: -1,
    psiFlags: 0,
  } as unknown as Task
  state.tasks[p.pid] = task
  state.taskList.push(p.pid)
  attachTask(state, p.pid, p.group === undefined ? 1 : cgroupByPath(state, p.group)!.id)
  return task
}

/** The kernel runs for this task from now on; 0 = for nobody. */
export function runAs(state: KernelState, pid: number, cpu = 0): void {
  state.exec.pid = pid
  state.exec.cpu = cpu
  state.exec.suspendUntilNs = -1
}

/** The task's memory goes away, as exit does it. */
export function exitProcess(state: KernelState, pid: number): void {
  const task = state.tasks[pid]!
  state.mms[task.mm]!.oomSkip = true
  task.mm = -1
  task.state = 'Z'
}
