/**
 * Pressure stall information for memory: how long tasks waited, as averages and a total.
 *
 * Times are kept per CPU and put together weighted by how long each CPU had something to do, as in the kernel. Cost:
 * stalls begin and end often, averages are made every two seconds.
 * @kernel  kernel/sched/psi.c
 * @spec    05 §5.15
 */
import { NS_PER_JIFFY, NS_PER_US, type Ns } from '../../util/units'
import { now } from '../exec'
import { schedule } from '../queue'
import type { KernelState } from '../state'
import type { Task } from '../task'

/** One CPU's tasks in a group, and the times spent in each state. */
export interface PsiCpu {
  nrStalled: number
  nrRunning: number
  /** Stalled tasks that run: reclaiming, not sleeping. */
  nrStalledRunning: number
  /** Times are complete up to here. */
  sinceNs: Ns
  someNs: Ns
  fullNs: Ns
  nonidleNs: Ns
}

/** System-wide or of one cgroup. */
export interface PsiGroup {
  /** Tasks stalled and tasks running or runnable now. */
  nrStalled: number
  nrRunning: number
  someTotalNs: Ns
  fullTotalNs: Ns
  /** Time up to which totals were brought. */
  updatedNs: Ns
  /** avg10, avg60, avg300 in 1/2048 percent: some then full. */
  readonly avg: Float64Array
  /** Totals at the last averaging. */
  lastSomeNs: Ns
  lastFullNs: Ns
  lastAverageNs: Ns
  /** Not before then are averages made again. */
  nextAverageNs: Ns
  /** Times since the last collection, one a CPU. */
  readonly cpus: PsiCpu[]
}

const PSI_RUNNING = 1
const PSI_MEMSTALL = 2
const FLAG_BITS = 3
const CPU_SHIFT = 4
const MEMCG_SHIFT = 12

/** @kernel PSI_FREQ: 2 * HZ + 1 jiffies, so that it drifts against the workloads' own periods */
export const PSI_PERIOD_NS: Ns = 501 * NS_PER_JIFFY
/** @kernel EXP_10s, EXP_60s, EXP_300s */
const DECAY = [1677, 1981, 2034] as const
const FIXED_1 = 2048

/** A group without tasks; CPUs are added as tasks appear on them. @kernel psi_cgroup_alloc() */
export function createPsiGroup(): PsiGroup {
  return {
    nrStalled: 0,
    nrRunning: 0,
    someTotalNs: 0,
    fullTotalNs: 0,
    updatedNs: 0,
    avg: new Float64Array(6),
    lastSomeNs: 0,
    lastFullNs: 0,
    lastAverageNs: 0,
    nextAverageNs: PSI_PERIOD_NS,
    cpus: [],
  }
}

const createPsiCpu = (sinceNs: Ns): PsiCpu => ({
  nrStalled: 0,
  nrRunning: 0,
  nrStalledRunning: 0,
  sinceNs,
  someNs: 0,
  fullNs: 0,
  nonidleNs: 0,
})

/** Brings one CPU's times up to `atNs`. @kernel record_times() */
function recordTimes(c: PsiCpu, atNs: Ns): void {
  const delta = atNs - c.sinceNs
  if (delta <= 0) return
  c.sinceNs = atNs
  if (c.nrStalled > 0) {
    c.someNs += delta
    // Nobody makes progress: every running task is itself stalled, or a stalled one holds the CPU.
    if (c.nrRunning === c.nrStalledRunning || c.nrStalledRunning > 0) c.fullNs += delta
  }
  if (c.nrStalled > 0 || c.nrRunning > 0) c.nonidleNs += delta
}

function countTask(group: PsiGroup, cpu: number, bits: number, sign: number, atNs: Ns): void {
  while (group.cpus.length <= cpu) group.cpus.push(createPsiCpu(atNs))
  const c = group.cpus[cpu]!
  recordTimes(c, atNs)
  if (bits & PSI_RUNNING) {
    c.nrRunning += sign
    group.nrRunning += sign
  }
  if (bits & PSI_MEMSTALL) {
    c.nrStalled += sign
    group.nrStalled += sign
  }
  if (bits === (PSI_RUNNING | PSI_MEMSTALL)) c.nrStalledRunning += sign
}

/** A task counts in its cgroup's group, all ancestors', and the system's. */
function countInGroups(state: KernelState, memcg: number, cpu: number, bits: number, sign: number): void {
  const atNs = now(state)
  for (let id = memcg; id > 1;) {
    const m = state.memcgs[id]
    if (m === undefined) break
    countTask(m.psi, cpu, bits, sign, atNs)
    id = m.parent
  }
  countTask(state.psi, cpu, bits, sign, atNs)
}

/**
 * A task starts or stops being runnable or stalled. Its groups are looked up anew, so that a task that moved to another
 * cgroup leaves the old one here.
 * @kernel  psi_task_change()
 */
function changeTask(state: KernelState, task: Task, clear: number, set: number): void {
  const old = task.psiFlags & FLAG_BITS
  const bits = (old & ~clear) | set
  if (bits === old) return
  if (old !== 0) {
    countInGroups(state, task.psiFlags >>> MEMCG_SHIFT, (task.psiFlags >>> CPU_SHIFT) & 255, old, -1)
  }
  const cpu = old === 0 ? task.cpu : (task.psiFlags >>> CPU_SHIFT) & 255
  const memcg = state.cgroups[task.cgroup]?.memcg ?? 1
  if (bits !== 0) countInGroups(state, memcg, cpu, bits, 1)
  task.psiFlags = bits === 0 ? 0 : bits | (cpu << CPU_SHIFT) | (memcg << MEMCG_SHIFT)
}

/** The task joined its CPU's run queue. @kernel psi_enqueue() */
export const psiEnqueue = (state: KernelState, task: Task): void => changeTask(state, task, 0, PSI_RUNNING)

/** The task left its CPU's run queue: sleeping or dead. @kernel psi_dequeue() */
export const psiDequeue = (state: KernelState, task: Task): void => changeTask(state, task, PSI_RUNNING, 0)

/** The task ended: it counts nowhere. */
export const psiExit = (state: KernelState, task: Task): void => changeTask(state, task, FLAG_BITS, 0)

/**
 * From here on the task loses time because memory is short.
 * @returns whether this call began the stall; hand it to memstallLeave, so that nested stalls end once
 * @kernel  psi_memstall_enter()
 */
export function memstallEnter(state: KernelState, task: Task | undefined): boolean {
  if (task === undefined || task.stalledSinceNs >= 0) return false
  task.stalledSinceNs = now(state)
  changeTask(state, task, 0, PSI_MEMSTALL)
  return true
}

/** @kernel  psi_memstall_leave() */
export function memstallLeave(state: KernelState, task: Task | undefined, began = true): void {
  if (task === undefined || !began || task.stalledSinceNs < 0) return
  task.stallNs += Math.max(0, now(state) - task.stalledSinceNs)
  task.stalledSinceNs = -1
  changeTask(state, task, PSI_MEMSTALL, 0)
}

/**
 * Adds up the CPUs' times, weighted by their busy time.
 * @kernel      collect_percpu_times()
 * @simplifies  weights are microseconds, not jiffies: short stalls are not rounded away
 */
function collectTimes(group: PsiGroup, atNs: Ns): void {
  let weight = 0
  let some = 0
  let full = 0
  for (const c of group.cpus) {
    recordTimes(c, atNs)
    const busyUs = Math.floor(c.nonidleNs / NS_PER_US)
    weight += busyUs
    some += Math.floor(c.someNs / NS_PER_US) * busyUs
    full += Math.floor(c.fullNs / NS_PER_US) * busyUs
    // What is below a microsecond stays for the next time.
    c.nonidleNs -= busyUs * NS_PER_US
    c.someNs %= NS_PER_US
    c.fullNs %= NS_PER_US
  }
  group.updatedNs = Math.max(group.updatedNs, atNs)
  if (weight === 0) return
  group.someTotalNs += Math.floor(some / weight) * NS_PER_US
  group.fullTotalNs += Math.floor(full / weight) * NS_PER_US
}

/** One step of a floating average in fixed point. @kernel include/linux/sched/loadavg.h calc_load() */
export function calcLoad(load: number, decay: number, active: number): number {
  const sum = load * decay + active * (FIXED_1 - decay) + (active >= load ? FIXED_1 - 1 : 0)
  return Math.floor(sum / FIXED_1)
}

/**
 * One period's stall time enters three averages at `offset` of `avg`; periods that nobody looked at count as idle.
 * @kernel  calc_avgs()
 * @spec    05 §5.15, E8
 */
export function calcAverages(avg: Float64Array, offset: number, missed: number, stallNs: Ns, periodNs: Ns): void {
  const percent = Math.floor((stallNs * 100) / periodNs) * FIXED_1
  for (let i = 0; i < 3; i++) {
    let load = avg[offset + i]!
    for (let p = 0; p < missed && load > 0; p++) load = calcLoad(load, DECAY[i]!, 0)
    avg[offset + i] = calcLoad(load, DECAY[i]!, percent)
  }
}

/** @kernel  update_averages() */
function updateAverages(group: PsiGroup, atNs: Ns): void {
  collectTimes(group, atNs)
  if (atNs < group.nextAverageNs) return
  const missed = Math.floor((atNs - group.nextAverageNs) / PSI_PERIOD_NS)
  group.nextAverageNs += (1 + missed) * PSI_PERIOD_NS
  const period = atNs - (group.lastAverageNs + missed * PSI_PERIOD_NS)
  group.lastAverageNs = atNs
  const some = Math.min(period, group.someTotalNs - group.lastSomeNs)
  const full = Math.min(period, group.fullTotalNs - group.lastFullNs)
  group.lastSomeNs += some
  group.lastFullNs += full
  calcAverages(group.avg, 0, missed, some, period)
  calcAverages(group.avg, 3, missed, full, period)
}

/** First tick of the averaging clock. */
export function startPsiClock(state: KernelState): void {
  schedule(state.queue, state.nowNs + PSI_PERIOD_NS, { kind: 'psiTick' })
}

/**
 * Averages of all groups, every two seconds.
 * @kernel      psi_avgs_work()
 * @simplifies  the clock of idle groups goes on; its effect is the same
 */
export function handlePsiTick(state: KernelState): void {
  updateAverages(state.psi, state.nowNs)
  for (const memcg of state.memcgs) if (memcg !== undefined) updateAverages(memcg.psi, state.nowNs)
  schedule(state.queue, state.nowNs + PSI_PERIOD_NS, { kind: 'psiTick' })
}

function formatLine(name: string, avg: Float64Array, offset: number, totalNs: Ns): string {
  const two = (v: number): string =>
    `${Math.floor(v / FIXED_1)}.${String(Math.floor(((v % FIXED_1) * 100) / FIXED_1)).padStart(2, '0')}`
  const [a, b, c] = [avg[offset]!, avg[offset + 1]!, avg[offset + 2]!]
  return `${name} avg10=${two(a)} avg60=${two(b)} avg300=${two(c)} total=${Math.floor(totalNs / NS_PER_US)}\n`
}

/**
 * Text of memory.pressure and /proc/pressure/memory, brought up to date on a copy: a look from outside changes nothing.
 * @kernel  psi_show()
 */
export function formatPressure(state: KernelState, of: PsiGroup): string {
  const group = { ...of, avg: of.avg.slice(), cpus: of.cpus.map((c) => ({ ...c })) }
  updateAverages(group, now(state))
  return formatLine('some', group.avg, 0, group.someTotalNs) + formatLine('full', group.avg, 3, group.fullTotalNs)
}
