/**
 * /proc/<pid>: one task as files.
 * @kernel  fs/proc/array.c, fs/proc/task_mmu.c, fs/proc/base.c
 * @spec    09 §9.8
 */
import { memsAllowed } from '../mm/cpuset_mems'
import { PAGE_SIZE } from '../../util/units'
import { cgroupPath } from '../cgroup'
import { emit } from '../trace'
import { mmOf, statusRss } from '../mm/rss'
import { oomScore } from '../mm/oom_kill'
import { MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, MM_SWAPENTS, type Mm } from '../mm/mm_types'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { cpusetPath } from './cgroup_cpuset'
import { cpuList } from './cpu_list'
import { limitsText } from './limits'
import { mapsLine } from './maps'
import { numaMapsText } from './numa_maps'
import { smapsRollupText, smapsText } from './smaps'
import type { PseudoDir, PseudoFile } from './types'

const STATE_NAMES: Readonly<Record<string, string>> = {
  R: 'R (running)',
  S: 'S (sleeping)',
  D: 'D (disk sleep)',
  Z: 'Z (zombie)',
}

const kb = (pages: number): string => `${String(pages * 4).padStart(8)} kB`

function memoryLines(state: KernelState, mm: Mm): string {
  const anon = statusRss(state, mm.id, MM_ANONPAGES)
  const file = statusRss(state, mm.id, MM_FILEPAGES)
  const shmem = statusRss(state, mm.id, MM_SHMEMPAGES)
  const rss = anon + file + shmem
  const rows: [string, string][] = [
    ['VmPeak', kb(Math.max(mm.hiwaterVm, mm.totalVm))],
    ['VmSize', kb(mm.totalVm)],
    ['VmLck', kb(mm.lockedVm)],
    ['VmPin', kb(0)],
    ['VmHWM', kb(Math.max(mm.hiwaterRss, rss))],
    ['VmRSS', kb(rss)],
    ['RssAnon', kb(anon)],
    ['RssFile', kb(file)],
    ['RssShmem', kb(shmem)],
    ['VmData', kb(mm.dataVm)],
    ['VmStk', kb(mm.stackVm)],
    ['VmExe', kb(mm.execVm)],
    ['VmLib', kb(0)],
    ['VmPTE', kb(mm.pgtablesBytes / PAGE_SIZE)],
    ['VmSwap', kb(statusRss(state, mm.id, MM_SWAPENTS))],
    ['HugetlbPages', kb(mm.hugetlbUsage)],
  ]
  return `${rows.map(([name, value]) => `${name}:\t${value}`).join('\n')}\nCoreDumping:\t0\nTHP_enabled:\t1\n`
}

const allowedCpus = (state: KernelState, task: Task): readonly number[] =>
  task.affinity >= 0 ? [task.affinity] : (task.cpusAllowed ?? state.cpuNode.map((_, cpu) => cpu))

/** @kernel proc_pid_status() */
export function statusText(state: KernelState, task: Task): string {
  const mm = mmOf(state, task)
  return (
    `Name:\t${task.comm}\nUmask:\t0022\nState:\t${STATE_NAMES[task.state]}\nTgid:\t${task.tgid}\nNgid:\t0\n` +
    `Pid:\t${task.pid}\nPPid:\t${task.ppid}\nTracerPid:\t0\n` +
    `Uid:\t${task.uid}\t${task.uid}\t${task.uid}\t${task.uid}\nGid:\t0\t0\t0\t0\nFDSize:\t64\nGroups:\t0 \n` +
    `NStgid:\t${task.tgid}\nNSpid:\t${task.pid}\nNSpgid:\t${task.pid}\nNSsid:\t${task.pid}\n` +
    `Kthread:\t${task.isKthread ? 1 : 0}\n` +
    (mm === undefined ? '' : memoryLines(state, mm)) +
    `Threads:\t1\nCpus_allowed_list:\t${cpuList(allowedCpus(state, task))}\n` +
    `Mems_allowed_list:\t${cpuList(memsAllowed(state, task))}\n` +
    `voluntary_ctxt_switches:\t${task.nvcsw}\nnonvoluntary_ctxt_switches:\t${task.nivcsw}\n`
  )
}

const ticks = (ns: number): number => Math.floor(ns / 10_000_000)

/** @kernel do_task_stat() */
export function statText(state: KernelState, task: Task): string {
  const mm = mmOf(state, task)
  const rss =
    mm === undefined
      ? 0
      : statusRss(state, mm.id, MM_ANONPAGES) +
        statusRss(state, mm.id, MM_FILEPAGES) +
        statusRss(state, mm.id, MM_SHMEMPAGES)
  const fields: (number | string)[] = [
    task.pid,
    `(${task.comm})`,
    task.state,
    task.ppid,
    task.pid,
    task.pid,
    0,
    -1,
    task.isKthread ? 2129984 : 4194304,
    task.minFlt,
    task.cminFlt,
    task.majFlt,
    task.cmajFlt,
    ticks(task.utimeNs),
    ticks(task.stimeNs),
    ticks(task.cutimeNs),
    ticks(task.cstimeNs),
    20,
    0,
    1,
    0,
    ticks(task.startNs),
    mm === undefined ? 0 : mm.totalVm * PAGE_SIZE,
    rss,
    '18446744073709551615',
  ]
  const tail = [
    0,
    0,
    0,
    0,
    0,
    task.killSignal,
    0,
    0,
    0,
    0,
    0,
    0,
    17,
    task.cpu,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    task.exitStatus << 8,
  ]
  return `${[...fields, ...tail].slice(0, 52).join(' ')}\n`
}

function statmText(state: KernelState, task: Task): string {
  const mm = mmOf(state, task)
  if (mm === undefined) return '0 0 0 0 0 0 0\n'
  const shared = statusRss(state, mm.id, MM_FILEPAGES) + statusRss(state, mm.id, MM_SHMEMPAGES)
  return `${mm.totalVm} ${shared + statusRss(state, mm.id, MM_ANONPAGES)} ${shared} ${mm.execVm} 0 ${mm.dataVm + mm.stackVm} 0\n`
}

const errnoOf = (errno: 'ESRCH'): { errno: 'ESRCH' } => ({ errno })

/** A file of one task: re-looked up at each access, because the task may have gone. */
function taskFile(
  pid: number,
  read: (state: KernelState, task: Task) => string,
  write?: (state: KernelState, task: Task, text: string) => ReturnType<NonNullable<PseudoFile['write']>>,
): PseudoFile {
  return {
    read: (state) => {
      const task = state.tasks[pid]
      return task === undefined ? errnoOf('ESRCH') : read(state, task)
    },
    ...(write === undefined
      ? {}
      : {
          write: (state: KernelState, text: string) => {
            const task = state.tasks[pid]
            return task === undefined ? ('ESRCH' as const) : write(state, task, text)
          },
        }),
  }
}

function writeOomScoreAdj(state: KernelState, task: Task, text: string): 'EINVAL' | undefined {
  const word = text.trim()
  const value = Number(word)
  if (!/^-?\d+$/.test(word) || value < -1000 || value > 1000) return 'EINVAL'
  // The writer is root (CAP_SYS_RESOURCE), so going below the minimum is allowed and moves it.
  task.oomScoreAdj = value
  task.oomScoreAdjMin = value
  emit(state, 'oom_score_adj_update', [task.pid, value], task.comm)
  return undefined
}

/** Legacy −17 … 15. @kernel oom_adj_write() */
function oomAdjText(task: Task): string {
  if (task.oomScoreAdj === 1000) return '15\n'
  return `${Math.trunc((task.oomScoreAdj * 17) / 1000)}\n`
}

const FILES: Readonly<Record<string, (pid: number) => PseudoFile>> = {
  cgroup: (pid) => taskFile(pid, (state, task) => `0::${cgroupPath(state, task.cgroup)}\n`),
  cmdline: (pid) => taskFile(pid, (_s, task) => (task.isKthread ? '' : task.argv.map((a) => `${a}\0`).join(''))),
  comm: (pid) =>
    taskFile(
      pid,
      (_s, task) => `${task.comm}\n`,
      (_s, task, text) => {
        task.comm = text.replace(/\n[\s\S]*$/, '').slice(0, 15)
        return undefined
      },
    ),
  cpuset: (pid) => taskFile(pid, (state, task) => `${cpusetPath(state, task)}\n`),
  limits: (pid) => taskFile(pid, limitsText),
  maps: (pid) => taskFile(pid, (state, task) => (mmOf(state, task)?.vmas ?? []).map(mapsLine).join('')),
  numa_maps: (pid) => taskFile(pid, numaMapsText),
  oom_adj: (pid) =>
    taskFile(
      pid,
      (_s, task) => oomAdjText(task),
      (state, task, text) => {
        const word = text.trim()
        const value = Number(word)
        if (!/^-?\d+$/.test(word) || value < -17 || value > 15) return 'EINVAL'
        return writeOomScoreAdj(state, task, String(value === 15 ? 1000 : Math.trunc((value * 1000) / 17)))
      },
    ),
  oom_score: (pid) => taskFile(pid, (state, task) => `${oomScore(state, task.pid)}\n`),
  oom_score_adj: (pid) => taskFile(pid, (_s, task) => `${task.oomScoreAdj}\n`, writeOomScoreAdj),
  smaps: (pid) => taskFile(pid, smapsText),
  smaps_rollup: (pid) => taskFile(pid, smapsRollupText),
  stat: (pid) => taskFile(pid, statText),
  statm: (pid) => taskFile(pid, statmText),
  status: (pid) => taskFile(pid, statusText),
  wchan: (pid) => taskFile(pid, (_s, task) => (task.state === 'R' || task.waitChannel === '' ? '0' : task.waitChannel)),
}

/** /proc/<pid>/… for every live or zombie task. */
export const pidDir: PseudoDir = {
  list: (state, path) => {
    if (path === '') return state.taskList.map(String)
    return state.tasks[Number(path)] === undefined ? undefined : Object.keys(FILES)
  },
  file: (state, path) => {
    const [pidText = '', name = '', more] = path.split('/')
    const pid = Number(pidText)
    if (more !== undefined || state.tasks[pid] === undefined || !Object.hasOwn(FILES, name)) return undefined
    return FILES[name]!(pid)
  },
}
