/**
 * What the OOM killer writes to the kernel log, line by line as Linux prints it, and the same facts as plain data for
 * whoever wants to show why this process had to die.
 * @kernel  mm/oom_kill.c dump_header(), dump_tasks(); mm/memcontrol.c mem_cgroup_print_oom_*()
 * @spec    06 §6.5
 */
import { memsAllowed } from './cpuset_mems'
import { pagesToKib, type Ns, type Pages } from '../../util/units'
import { cgroupAt, cgroupPath, cgroupControllers, type Cgroup } from '../cgroup'
import { currentTask } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { dumpStack, type StackPath, type StackSite } from './dump_stack'
import { GFP_ANON_FAULT, GFP_KERNEL, gfpZone } from './gfp'
import { formatGfp } from './gfp_names'
import { memcgStatLines } from './memcg_stat'
import { memcgAt } from './memcg_tree'
import { MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, MM_SWAPENTS, type Mm } from './mm_types'
import { COUNTER_MAX, type PageCounter } from './page_counter'
import { mmOf, roughRss, roughRssTotal } from './rss'
import { nodeListText, showMem } from './show_mem'

export type OomConstraint = 'CONSTRAINT_NONE' | 'CONSTRAINT_CPUSET' | 'CONSTRAINT_MEMORY_POLICY' | 'CONSTRAINT_MEMCG'

/** One process that was looked at; pages. points = rss + swap + pgtables + adjPages. */
export interface OomCandidate {
  readonly pid: number
  readonly comm: string
  readonly rss: Pages
  readonly swap: Pages
  readonly pgtables: Pages
  readonly adj: number
  /** What oom_score_adj adds; may be negative. */
  readonly adjPages: number
  readonly points: number
  /** Why it could not be chosen, '' when it could. */
  readonly spared: '' | 'init' | 'oom_score_adj -1000' | 'already reaped' | 'already dying'
}

/** One decision of the OOM killer. */
export interface OomRecord {
  readonly atNs: Ns
  readonly constraint: OomConstraint
  /** Path of the group that ran out, '' when the machine did. */
  readonly oomMemcg: string
  readonly totalPages: Pages
  readonly allocatorPid: number
  readonly allocatorComm: string
  /** 0 = nobody could be killed. */
  readonly victimPid: number
  readonly victimComm: string
  /** All who were killed: more than one with memory.oom.group. */
  readonly killed: readonly number[]
  readonly candidates: readonly OomCandidate[]
  /** Kernel log of this decision, without timestamps. */
  readonly lines: readonly string[]
}

/** What is out of memory, and for what request. @kernel struct oom_control */
export interface OomControl {
  /** Group whose limit is reached; 0 = the machine. */
  readonly memcg: number
  readonly gfp: number
  /** −1: asked for by SysRq-f. */
  readonly order: number
  /** Nodes that the request was confined to. */
  readonly nodemask?: readonly number[]
  /** That is the task's cpuset. */
  readonly isCpuset?: boolean
}

const kib = (pages: Pages): string => `${pagesToKib(pages)}kB`

// ---------------------------------------------------------------- parts of the report

/** Which of the known paths the task is on. */
function stackPath(state: KernelState, oc: OomControl): StackPath {
  if (oc.memcg === 0) return oc.gfp === GFP_ANON_FAULT ? 'anonFault' : 'other'
  const op = currentTask(state)?.op?.op
  return oc.gfp === GFP_KERNEL && (op === 'touch' || op === 'touchList') ? 'anonFault' : 'other'
}

/** A limit of 'max' is printed as the largest count of a 64-bit kernel. */
const limitKib = (pages: Pages): string => (pages === COUNTER_MAX ? '9007199254740988kB' : kib(pages))

const counterLine = (name: string, c: PageCounter): string =>
  `${name}: usage ${kib(c.usage)}, limit ${limitKib(c.max)}, failcnt ${c.failcnt}`

/** Room of one record when it is read back, and what each of its lines costs besides its text. */
const RECORD_MAX = 1024
const LINE_PREFIX = '<6>[    0.000000] '.length

/**
 * 6.1 prints all statistics as one record, and a reader gets only the lines that fit into its buffer.
 * @kernel  kernel/printk/printk.c record_print_text()
 */
function fitRecord(lines: readonly string[]): string[] {
  const shown: string[] = []
  let length = 0
  for (const line of lines) {
    if (length + LINE_PREFIX + line.length + 2 > RECORD_MAX) break
    length += LINE_PREFIX + line.length + 1
    shown.push(line)
  }
  return shown
}

/** @kernel  mem_cgroup_print_oom_meminfo() */
function memcgInfo(state: KernelState, id: number): string[] {
  const memcg = memcgAt(state, id)
  const stats = memcgStatLines(state, id)
  return [
    counterLine('memory', memcg.memory),
    counterLine('swap', memcg.swap),
    `Memory cgroup stats for ${cgroupPath(state, memcg.cgroup)}:`,
    ...(state.config.series === '6.1' ? fitRecord(stats) : stats),
  ]
}

const HEADER_6_1 = '[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name'
const HEADER_6_12 =
  '[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name'

/** @kernel  dump_task() */
function taskRow(state: KernelState, task: Task, mm: Mm): string {
  const rss = (counter: number): Pages => roughRss(state, task.mm, counter)
  const col = (value: number, width: number): string => String(value).padStart(width)
  const split =
    state.config.series === '6.1'
      ? ''
      : ` ${col(rss(MM_ANONPAGES), 8)} ${col(rss(MM_FILEPAGES), 8)} ${col(rss(MM_SHMEMPAGES), 9)}`
  return (
    `[${col(task.pid, 7)}] ${col(task.uid, 5)} ${col(task.tgid, 5)} ${col(mm.totalVm, 8)} ` +
    `${col(roughRssTotal(state, task.mm), 8)}${split} ${col(mm.pgtablesBytes, 8)} ${col(rss(MM_SWAPENTS), 8)}` +
    `         ${col(task.oomScoreAdj, 5)} ${task.comm}`
  )
}

/** @kernel  dump_tasks() */
function taskTable(state: KernelState, tasks: readonly Task[]): string[] {
  const rows = tasks.flatMap((task) => {
    const mm = mmOf(state, task)
    return mm === undefined || task.pid === 1 || task.isKthread ? [] : [taskRow(state, task, mm)]
  })
  return ['Tasks state (memory values in pages):', state.config.series === '6.1' ? HEADER_6_1 : HEADER_6_12, ...rows]
}

/**
 * Everything up to the summary line.
 * @param tasks  in the order of the walk
 * @kernel  dump_header()
 */
export function oomHeader(state: KernelState, oc: OomControl, site: StackSite, tasks: readonly Task[]): string[] {
  const current = currentTask(state)
  const comm = current?.comm ?? `swapper/${state.exec.cpu}`
  const what = `gfp_mask=${formatGfp(oc.gfp)}, order=${oc.order}, oom_score_adj=${current?.oomScoreAdj ?? 0}`
  return [
    `${comm} invoked oom-killer: ${what}`,
    ...dumpStack(state, site, stackPath(state, oc)),
    ...(oc.memcg === 0 ? showMem(state, gfpZone(oc.gfp)) : memcgInfo(state, oc.memcg)),
    ...(state.sysctl.oomDumpTasks === 0 ? [] : taskTable(state, tasks)),
  ]
}

/** Last component of the group whose cpuset confines the task; '/' for the root. @kernel cpuset_print_current_mems_allowed() */
function cpusetName(state: KernelState, task: Task | undefined): string {
  let cgroup: Cgroup | undefined = task === undefined ? undefined : state.cgroups[task.cgroup]
  while (cgroup !== undefined && cgroup.parent !== 0 && !cgroupControllers(state, cgroup).includes('cpuset')) {
    cgroup = cgroupAt(state, cgroup.parent)
  }
  return cgroup === undefined || cgroup.parent === 0 ? '/' : cgroup.name
}

/** @kernel  dump_oom_summary(), mem_cgroup_print_oom_context() */
export function oomSummary(state: KernelState, oc: OomControl, constraint: OomConstraint, victim: Task): string {
  const memory = memsAllowed(state, currentTask(state))
  const domain = oc.memcg === 0 ? 'global_oom' : `oom_memcg=${cgroupPath(state, memcgAt(state, oc.memcg).cgroup)}`
  const victimMemcg = state.cgroups[victim.cgroup]?.memcg ?? 1
  return [
    `oom-kill:constraint=${constraint}`,
    `nodemask=${oc.nodemask === undefined ? '(null)' : nodeListText(oc.nodemask)}`,
    `cpuset=${cpusetName(state, currentTask(state))}`,
    `mems_allowed=${nodeListText(memory)}`,
    domain,
    `task_memcg=${cgroupPath(state, memcgAt(state, victimMemcg).cgroup)}`,
    `task=${victim.comm}`,
    `pid=${victim.pid}`,
    `uid=${victim.uid}`,
  ].join(',')
}

/** @kernel  __oom_kill_process() */
export function killedLine(state: KernelState, message: string, victim: Task, mm: Mm): string {
  const rss = (counter: number): string => kib(roughRss(state, victim.mm, counter))
  return (
    `${message}: Killed process ${victim.pid} (${victim.comm}) total-vm:${kib(mm.totalVm)}, ` +
    `anon-rss:${rss(MM_ANONPAGES)}, file-rss:${rss(MM_FILEPAGES)}, shmem-rss:${rss(MM_SHMEMPAGES)}, ` +
    `UID:${victim.uid} pgtables:${mm.pgtablesBytes >> 10}kB oom_score_adj:${victim.oomScoreAdj}`
  )
}

/** @kernel  mem_cgroup_print_oom_group() */
export const groupKillLine = (path: string): string =>
  `Tasks in ${path} are going to be killed due to memory.oom.group set`

/** @kernel  oom_reap_task_mm() */
export function reapedLine(state: KernelState, task: Task): string {
  const rss = (counter: number): string => kib(roughRss(state, task.mm, counter))
  return (
    `oom_reaper: reaped process ${task.pid} (${task.comm}), now anon-rss:${rss(MM_ANONPAGES)}, ` +
    `file-rss:${rss(MM_FILEPAGES)}, shmem-rss:${rss(MM_SHMEMPAGES)}`
  )
}
