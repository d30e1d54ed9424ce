/**
 * The OOM killer: when it acts, whom it chooses, how it kills, and the reaper that takes the memory of a victim that
 * does not go by itself.
 * @kernel  mm/oom_kill.c
 * @spec    06
 */
import { memsAllowed } from './cpuset_mems'
import { NS_PER_S, type Ns, type Pages } from '../../util/units'
import { cgroupPath, cgroupSubtree } from '../cgroup'
import { charge, currentTask, now } from '../exec'
import { hooks } from '../hooks'
import { klog } from '../klog'
import { schedule } from '../queue'
import { ratelimit } from '../ratelimit'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { emit } from '../trace'
import type { StackSite } from './dump_stack'
import { GFP_BIT_FS } from './gfp'
import { MEMCG_OOM_GROUP_KILL, MEMCG_OOM_KILL, memcgEvent } from './memcg_events'
import { isMemcgDescendant, memcgAt, ROOT_MEMCG } from './memcg_tree'
import { MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, type Mm } from './mm_types'
import { mempolicyInOomDomain } from './mempolicy'
import { isUnkillable, OOM_SCORE_ADJ_MIN, oomBadness, oomCandidates } from './oom_badness'
import {
  groupKillLine,
  killedLine,
  oomHeader,
  oomSummary,
  reapedLine,
  type OomCandidate,
  type OomConstraint,
  type OomControl,
  type OomRecord,
} from './oom_report'
import { totalRamPages } from './overcommit'
import { pageCounterMargin } from './page_counter'
import { mmAt, mmOf, roughRss } from './rss'
import { totalSwapPages } from './swap_space'
import { countVmEvent, OOM_KILL } from './vmstat'

export { oomScore } from './oom_badness'
export type { OomControl, OomRecord } from './oom_report'

/** @kernel  OOM_REAPER_DELAY, since v5.18 */
const OOM_REAPER_DELAY_NS: Ns = 2 * NS_PER_S
/** At most ten reports in five seconds. @kernel DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST */
const REPORT_LIMIT = { intervalNs: 5 * NS_PER_S, burst: 10 } as const
/** Decisions kept for the user interface. */
const RECORDS_MAX = 100

// ---------------------------------------------------------------- choosing

const presentOn = (state: KernelState, nids: readonly number[]): Pages =>
  state.zones.reduce((sum, zone) => sum + (nids.includes(zone.nid) ? zone.present : 0), 0)

/** How much memory the request could have used at all. @kernel constrained_alloc() @spec 06 §6.2.5 */
function constrainedAlloc(state: KernelState, oc: OomControl): { constraint: OomConstraint; totalPages: Pages } {
  const swap = totalSwapPages(state)
  if (oc.memcg !== 0) {
    const memcg = memcgAt(state, oc.memcg)
    const usableSwap = state.sysctl.swappiness === 0 ? 0 : Math.min(memcg.swap.max, swap)
    return { constraint: 'CONSTRAINT_MEMCG', totalPages: memcg.memory.max + usableSwap || 1 }
  }
  const { nodemask } = oc
  if (nodemask !== undefined && oc.isCpuset === true)
    return { constraint: 'CONSTRAINT_CPUSET', totalPages: swap + presentOn(state, nodemask) }
  if (nodemask !== undefined && state.nodes.some((node) => node.hasMemory && !nodemask.includes(node.nid))) {
    return { constraint: 'CONSTRAINT_MEMORY_POLICY', totalPages: swap + presentOn(state, nodemask) }
  }
  return { constraint: 'CONSTRAINT_NONE', totalPages: totalRamPages(state) + swap }
}

/** Killing it could help: it may use a node that the running task may use. @kernel cpuset_mems_allowed_intersects() */
function cpusetsIntersect(state: KernelState, task: Task): boolean {
  const own = memsAllowed(state, currentTask(state))
  return state.hasCpusets !== true || memsAllowed(state, task).some((nid) => own.includes(nid))
}

/** A mask that leaves no node out is none. @kernel out_of_memory() */
function createCase(state: KernelState, asked: OomControl): OomCase {
  const how = constrainedAlloc(state, asked)
  const { nodemask, isCpuset: _, ...unbound } = asked
  const isBound = how.constraint === 'CONSTRAINT_MEMORY_POLICY' && nodemask !== undefined
  const tasks = oomTasks(state, asked.memcg)
  return {
    oc: isBound ? asked : unbound,
    ...how,
    tasks: isBound
      ? tasks.filter((task) => mempolicyInOomDomain(task, nodemask))
      : tasks.filter((task) => asked.memcg !== 0 || cpusetsIntersect(state, task)),
  }
}

/** The tasks that may be chosen, in the order in which they are looked at. @kernel for_each_process(), mem_cgroup_scan_tasks() */
function oomTasks(state: KernelState, memcgId: number): Task[] {
  if (memcgId === 0) return state.taskList.flatMap((pid) => state.tasks[pid] ?? [])
  return cgroupSubtree(state, memcgAt(state, memcgId).cgroup)
    .filter((cgroup) => isMemcgDescendant(state, cgroup.memcg, memcgId))
    .flatMap((cgroup) => cgroup.tasks)
    .flatMap((pid) => state.tasks[pid] ?? [])
}

type Choice = { readonly kind: 'victim'; readonly task: Task } | { readonly kind: 'abort' } | { readonly kind: 'none' }

/**
 * The process with the most points; of equals the later one. An earlier victim that is still dying ends the search.
 * @kernel  select_bad_process(), oom_evaluate_task()
 */
function selectBadProcess(state: KernelState, oc: OomControl, tasks: readonly Task[], totalPages: Pages): Choice {
  let chosen: Task | undefined
  let chosenPoints = -Infinity
  for (const task of tasks) {
    if (isUnkillable(task)) continue
    if (oc.order !== -1 && task.isOomVictim) {
      const mm = mmOf(state, task)
      if (mm === undefined || mm.oomSkip) continue
      return { kind: 'abort' }
    }
    const points = oomBadness(state, task, totalPages)
    if (points === undefined || points < chosenPoints) continue
    chosen = task
    chosenPoints = points
  }
  return chosen === undefined ? { kind: 'none' } : { kind: 'victim', task: chosen }
}

// ---------------------------------------------------------------- killing

/** Somebody who has been killed and whose memory nobody else keeps alive. @kernel task_will_free_mem() */
function willFreeMem(state: KernelState, task: Task): boolean {
  const mm = mmOf(state, task)
  if (mm === undefined || task.killSignal === 0 || mm.oomSkip) return false
  if (mm.users <= 1) return true
  return state.taskList.every((pid) => {
    const other = state.tasks[pid]
    return other === undefined || other.mm !== task.mm || other.tgid === task.tgid || other.killSignal !== 0
  })
}

/** Access to the reserves, and the reaper in two seconds. @kernel mark_oom_victim(), queue_oom_reaper() */
function markVictim(state: KernelState, task: Task, mm: Mm): void {
  if (task.isOomVictim) return
  task.isOomVictim = true
  mm.oomVictim = task.pid
  const kb = (counter: number): number => roughRss(state, task.mm, counter) * 4
  emit(
    state,
    'mark_victim',
    [
      task.pid,
      mm.totalVm * 4,
      kb(MM_ANONPAGES),
      kb(MM_FILEPAGES),
      kb(MM_SHMEMPAGES),
      task.uid,
      mm.pgtablesBytes >> 10,
      task.oomScoreAdj,
    ],
    task.comm,
  )
  schedule(state.queue, now(state) + OOM_REAPER_DELAY_NS, { kind: 'oomReap', pid: task.pid, tries: 0 })
}

/** What one decision has written and killed so far. */
interface Decision {
  readonly lines: string[]
  readonly killed: number[]
}

function say(state: KernelState, decision: Decision, line: string): void {
  klog(state, line)
  decision.lines.push(line)
}

/** @kernel  __oom_kill_process() */
function killOne(state: KernelState, decision: Decision, task: Task, message: string): void {
  const mm = mmOf(state, task)
  if (mm === undefined) {
    say(state, decision, `${message}: OOM victim ${task.pid} (${task.comm}) is already exiting. Skip killing the task`)
    return
  }
  countVmEvent(state.vmstat, OOM_KILL)
  memcgEvent(state, state.cgroups[task.cgroup]?.memcg ?? ROOT_MEMCG, MEMCG_OOM_KILL)
  hooks.sendKill(state, task.pid)
  markVictim(state, task, mm)
  say(state, decision, killedLine(state, message, task, mm))
  decision.killed.push(task.pid)
  charge(state, state.costs.oomKill)
}

/**
 * The highest group with memory.oom.group between the victim's and the one that ran out.
 * @returns 0 none
 * @kernel  mem_cgroup_get_oom_group()
 */
function oomGroupOf(state: KernelState, victim: Task, domain: number): number {
  const top = domain || ROOT_MEMCG
  const own = state.cgroups[victim.cgroup]?.memcg ?? ROOT_MEMCG
  if (own === ROOT_MEMCG || !isMemcgDescendant(state, own, top)) return 0
  let group = 0
  for (let i = own; i !== 0; i = memcgAt(state, i).parent) {
    if (memcgAt(state, i).oomGroup) group = i
    if (i === top) break
  }
  return group
}

/** Whether one more report may be printed now. @kernel lib/ratelimit.c ___ratelimit() */
function mayReport(state: KernelState, decision: Decision): boolean {
  const { mayPrint, suppressed } = ratelimit(state.oomRatelimit, now(state), REPORT_LIMIT)
  if (suppressed > 0) say(state, decision, `oom_kill_process: ${suppressed} callbacks suppressed`)
  return mayPrint
}

/** The frame of one decision: what was asked, who was looked at. */
interface OomCase {
  readonly oc: OomControl
  readonly constraint: OomConstraint
  readonly totalPages: Pages
  readonly tasks: readonly Task[]
}

function dumpHeader(state: KernelState, { oc, tasks }: OomCase, site: StackSite, decision: Decision): void {
  for (const line of oomHeader(state, oc, site, tasks)) say(state, decision, line)
}

/** @kernel  oom_kill_process() */
function oomKillProcess(state: KernelState, oomCase: OomCase, victim: Task, message: string): void {
  const { oc, constraint } = oomCase
  const mm = mmOf(state, victim)
  if (mm !== undefined && willFreeMem(state, victim)) {
    markVictim(state, victim, mm)
    return
  }
  const decision: Decision = { lines: [], killed: [] }
  const considered = oomCandidates(state, oomCase.tasks, oomCase.totalPages)
  if (mayReport(state, decision)) {
    const isAllocating = message.includes('oom_kill_allocating_task')
    dumpHeader(state, oomCase, oc.memcg !== 0 ? 'memcgOom' : isAllocating ? 'oomAllocatingTask' : 'oom', decision)
    say(state, decision, oomSummary(state, oc, constraint, victim))
  }
  const group = oomGroupOf(state, victim, oc.memcg)
  killOne(state, decision, victim, message)
  if (group !== 0) {
    memcgEvent(state, group, MEMCG_OOM_GROUP_KILL)
    say(state, decision, groupKillLine(cgroupPath(state, memcgAt(state, group).cgroup)))
    for (const task of oomTasks(state, group)) {
      if (task.oomScoreAdj !== OOM_SCORE_ADJ_MIN && task.pid !== 1) killOne(state, decision, task, message)
    }
  }
  keepRecord(state, oomCase, victim, considered, decision)
}

function keepRecord(
  state: KernelState,
  { oc, constraint, totalPages }: OomCase,
  victim: Task | undefined,
  considered: readonly OomCandidate[],
  decision: Decision,
): void {
  const allocator = currentTask(state)
  const record: OomRecord = {
    atNs: now(state),
    constraint,
    oomMemcg: oc.memcg === 0 ? '' : cgroupPath(state, memcgAt(state, oc.memcg).cgroup),
    totalPages,
    allocatorPid: allocator?.pid ?? 0,
    allocatorComm: allocator?.comm ?? '',
    victimPid: victim?.pid ?? 0,
    victimComm: victim?.comm ?? '',
    killed: decision.killed,
    candidates: considered,
    lines: decision.lines,
  }
  state.oomReports.push(record)
  if (state.oomReports.length > RECORDS_MAX) state.oomReports.shift()
}

/** The machine stops. @kernel kernel/panic.c panic() */
function panic(state: KernelState, decision: Decision, text: string): void {
  state.panicked = text
  say(state, decision, `Kernel panic - not syncing: ${text}`)
}

/** @returns true when the machine panicked. @kernel check_panic_on_oom() */
function panicsOnOom(state: KernelState, oomCase: OomCase): boolean {
  const { panicOnOom } = state.sysctl
  if (panicOnOom === 0 || oomCase.oc.order === -1) return false
  if (panicOnOom !== 2 && oomCase.constraint !== 'CONSTRAINT_NONE') return false
  const decision: Decision = { lines: [], killed: [] }
  dumpHeader(state, oomCase, 'oomPanic', decision)
  const which = panicOnOom === 2 ? 'compulsory' : 'system-wide'
  panic(state, decision, `Out of memory: ${which} panic_on_oom is enabled`)
  const considered = oomCandidates(state, oomCase.tasks, oomCase.totalPages)
  keepRecord(state, oomCase, undefined, considered, decision)
  return true
}

/** Nobody is left to kill. @kernel out_of_memory(), below select_bad_process() */
function noVictim(state: KernelState, oomCase: OomCase): void {
  const decision: Decision = { lines: [], killed: [] }
  dumpHeader(state, oomCase, 'oomPanic', decision)
  say(state, decision, 'Out of memory and no killable processes...')
  if (oomCase.oc.memcg === 0 && oomCase.oc.order !== -1) panic(state, decision, 'System is deadlocked on memory')
  const considered = oomCandidates(state, oomCase.tasks, oomCase.totalPages)
  keepRecord(state, oomCase, undefined, considered, decision)
}

/**
 * Finds and kills a process so that a request can go on.
 * @returns false only when nothing could be done: the request fails
 * @kernel  out_of_memory()
 * @spec    06 §6.2
 */
export function outOfMemory(state: KernelState, oc: OomControl): boolean {
  const current = currentTask(state)
  if (current !== undefined && willFreeMem(state, current)) {
    markVictim(state, current, mmAt(state, current.mm))
    return true
  }
  if (oc.memcg === 0 && oc.gfp !== 0 && (oc.gfp & GFP_BIT_FS) === 0) return true
  const oomCase = createCase(state, oc)
  if (panicsOnOom(state, oomCase)) return true
  if (
    oc.memcg === 0 &&
    state.sysctl.oomKillAllocatingTask !== 0 &&
    current !== undefined &&
    mmOf(state, current) !== undefined &&
    !isUnkillable(current) &&
    current.oomScoreAdj !== OOM_SCORE_ADJ_MIN
  ) {
    oomKillProcess(state, oomCase, current, 'Out of memory (oom_kill_allocating_task)')
    return true
  }
  const choice = selectBadProcess(state, oomCase.oc, oomCase.tasks, oomCase.totalPages)
  if (choice.kind === 'none') {
    noVictim(state, oomCase)
    return false
  }
  if (choice.kind === 'victim') {
    oomKillProcess(state, oomCase, choice.task, oc.memcg === 0 ? 'Out of memory' : 'Memory cgroup out of memory')
  }
  return true
}

/**
 * The limit of a group cannot be kept by reclaim: hooks.memcgOutOfMemory.
 * @returns true when room was found, somebody dies, or the caller itself does
 * @kernel  mem_cgroup_out_of_memory()
 */
export function memcgOutOfMemory(state: KernelState, memcgId: number, gfp: number, order: number): boolean {
  if (pageCounterMargin(memcgAt(state, memcgId).memory) >= 1 << order) return true
  const current = currentTask(state)
  if (current !== undefined && current.killSignal !== 0) return true
  return outOfMemory(state, { memcg: memcgId, gfp, order })
}

// ---------------------------------------------------------------- the reaper

/**
 * Event 'oomReap': two seconds after the kill, the private memory of a victim that still holds it is taken away.
 * @kernel      oom_reap_task(), oom_reap_task_mm()
 * @simplifies  the victim's mmap_lock is never held by anybody, so that the first of the ten tries succeeds
 */
export function handleOomReap(state: KernelState, event: { readonly pid: number }): void {
  const task = state.tasks[event.pid]
  const mm = task === undefined ? undefined : mmOf(state, task)
  if (task === undefined || mm === undefined || mm.oomSkip) return
  hooks.reapMm(state, task.mm)
  klog(state, reapedLine(state, task))
  mm.oomSkip = true
}
