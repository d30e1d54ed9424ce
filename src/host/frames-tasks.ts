/** Tasks and control groups as the sections of a `frame` message. */
import { cgroupAt, cgroupPath, cgroupSubtree, ROOT_CGROUP, type Cgroup } from '../engine/cgroup'
import { MEMCG_ANON, MEMCG_FILE, MEMCG_KERNEL, memcgState } from '../engine/mm/memcg_stat'
import { MEMCG_EVENT_NAMES, type Memcg } from '../engine/mm/memcontrol'
import { MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, MM_SWAPENTS } from '../engine/mm/mm_types'
import { oomScore } from '../engine/mm/oom_kill'
import { COUNTER_MAX } from '../engine/mm/page_counter'
import { mmOf, statusRss } from '../engine/mm/rss'
import type { KernelState } from '../engine/state'
import type { Task } from '../engine/task'
import type { CgroupFrame, TaskFrame } from '../protocol/messages'
import { KIB, pagesToBytes, pagesToKib, type Bytes, type Ns, type Pages } from '../util/units'
import { percentOf, psiPercent, type FrameMemory } from './rates'

export function taskFrames(state: KernelState, memory: FrameMemory, sinceNs: Ns): TaskFrame[] {
  const seen = new Map<number, Ns>()
  const frames: TaskFrame[] = []
  for (const pid of state.taskList) {
    const task = state.tasks[pid]
    if (task === undefined) continue
    const usedNs = task.utimeNs + task.stimeNs
    seen.set(pid, usedNs)
    frames.push(taskFrame(state, task, percentOf(usedNs - (memory.taskNs.get(pid) ?? 0), sinceNs)))
  }
  memory.taskNs.clear()
  for (const [pid, ns] of seen) memory.taskNs.set(pid, ns)
  return frames
}

function taskFrame(state: KernelState, task: Task, cpuPercent: number): TaskFrame {
  const mm = mmOf(state, task)
  const kib = (counter: number): number => (mm === undefined ? 0 : pagesToKib(statusRss(state, task.mm, counter)))
  return {
    pid: task.pid,
    ppid: task.ppid,
    comm: task.comm,
    state: task.state,
    waitChannel: task.waitChannel,
    cpu: task.cpu,
    cpuPercent,
    rssAnonKib: kib(MM_ANONPAGES),
    rssFileKib: kib(MM_FILEPAGES),
    rssShmemKib: kib(MM_SHMEMPAGES),
    swapKib: kib(MM_SWAPENTS),
    pgtablesKib: mm === undefined ? 0 : mm.pgtablesBytes / KIB,
    vmSizeKib: mm === undefined ? 0 : pagesToKib(mm.totalVm),
    minflt: task.minFlt,
    majflt: task.majFlt,
    oomScore: oomScore(state, task.pid),
    oomScoreAdj: task.oomScoreAdj,
    cgroup: cgroupPath(state, task.cgroup),
    stallNs: task.stallNs,
    isKthread: task.isKthread,
    isOomVictim: task.isOomVictim,
  }
}

// ---------------------------------------------------------------- control groups

export const cgroupFrames = (state: KernelState, throttled: readonly Ns[]): CgroupFrame[] =>
  cgroupSubtree(state, ROOT_CGROUP).map((cgroup) => cgroupFrame(state, cgroup, throttled))

const NO_EVENTS: Readonly<Record<string, number>> = {}

function eventsOf(counts: Float64Array): Readonly<Record<string, number>> {
  return Object.fromEntries(MEMCG_EVENT_NAMES.map((name, i) => [name, counts[i]!]))
}

/** Bytes, −1 for 'max'. */
const limit = (pages: Pages): Bytes => (pages >= COUNTER_MAX ? -1 : pagesToBytes(pages))

function cgroupFrame(state: KernelState, cgroup: Cgroup, throttled: readonly Ns[]): CgroupFrame {
  const path = cgroupPath(state, cgroup.id)
  const tree = {
    path,
    parent: cgroup.id === ROOT_CGROUP ? '' : cgroupPath(state, cgroup.parent),
    depth: depthOf(state, cgroup),
    hasMemory: cgroup.hasOwnMemcg,
    processes: [...cgroup.tasks],
  }
  const memcg = cgroup.hasOwnMemcg ? state.memcgs[cgroup.memcg] : undefined
  return { ...tree, ...(memcg === undefined ? NO_MEMORY : memoryOf(state, memcg, throttled[memcg.id] ?? 0)) }
}

function depthOf(state: KernelState, cgroup: Cgroup): number {
  let depth = 0
  for (let c = cgroup; c.id !== ROOT_CGROUP; c = cgroupAt(state, c.parent)) depth++
  return depth
}

type MemoryPart = Omit<CgroupFrame, 'path' | 'parent' | 'depth' | 'hasMemory' | 'processes'>

const NO_MEMORY: MemoryPart = {
  current: 0,
  peak: 0,
  anon: 0,
  file: 0,
  kernel: 0,
  swapCurrent: 0,
  min: 0,
  low: 0,
  high: -1,
  max: -1,
  swapMax: -1,
  emin: 0,
  elow: 0,
  oomGroup: false,
  events: NO_EVENTS,
  eventsLocal: NO_EVENTS,
  throttledNs: 0,
  psiSome: 0,
}

function memoryOf(state: KernelState, memcg: Memcg, throttled: Ns): MemoryPart {
  const { memory, swap } = memcg
  return {
    current: pagesToBytes(memory.usage),
    peak: pagesToBytes(memory.watermark),
    anon: memcgState(state, memcg.id, MEMCG_ANON),
    file: memcgState(state, memcg.id, MEMCG_FILE),
    kernel: memcgState(state, memcg.id, MEMCG_KERNEL),
    swapCurrent: pagesToBytes(swap.usage),
    min: limit(memory.min),
    low: limit(memory.low),
    high: limit(memory.high),
    max: limit(memory.max),
    swapMax: limit(swap.max),
    emin: limit(memory.emin),
    elow: limit(memory.elow),
    oomGroup: memcg.oomGroup,
    events: eventsOf(memcg.events),
    eventsLocal: eventsOf(memcg.eventsLocal),
    throttledNs: throttled,
    psiSome: psiPercent(memcg.psi.avg, 0),
  }
}
