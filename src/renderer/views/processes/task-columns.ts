/** The columns of the process table, and which rows a filter leaves. Pure. */
import type { TaskFrame } from '../../../protocol/messages'
import type { Column } from '../../components/table'
import { formatCount, formatDuration, joinFigure } from '../../format'
import type { Kib } from '../../../util/units'
import { KIB } from '../../../util/units'

/** MiB with one decimal; less than half of a tenth is a dim 0. */
export const mib = (kib: Kib): string => {
  const amount = kib / KIB
  return amount < 0.05 ? '0' : amount >= 9999.5 ? formatCount(amount) : amount.toFixed(1)
}
export const rssKib = (task: TaskFrame): Kib => task.rssAnonKib + task.rssFileKib + task.rssShmemKib

/** What a task waits for, as /proc/<pid>/wchan has it; a running one waits for nothing. */
export const waitText = (task: TaskFrame): string => (task.state === 'R' ? '' : task.waitChannel)

export const stateWords = (state: string): string =>
  ({
    R: 'running or ready',
    S: 'sleeping, a signal wakes it',
    D: 'sleeping, nothing but what it waits for wakes it',
    Z: 'ended, not yet collected by its parent',
  })[state] ?? state

const figure = (
  id: string,
  title: string,
  of: (task: TaskFrame) => number,
  text: (n: number) => string,
): Column<TaskFrame> => ({
  id,
  title,
  isNumber: true,
  text: (task) => text(of(task)),
  sortBy: of,
})
const kib = (id: string, title: string, of: (task: TaskFrame) => Kib): Column<TaskFrame> => figure(id, title, of, mib)

export const TASK_COLUMNS: readonly Column<TaskFrame>[] = [
  figure('pid', 'pid', (task) => task.pid, String),
  { id: 'comm', title: 'command', text: (task) => task.comm, sortBy: (task) => task.comm },
  { id: 'state', title: 'S', text: (task) => task.state, sortBy: (task) => task.state },
  { id: 'wait', title: 'waits in', text: waitText, sortBy: waitText },
  figure(
    'cpu',
    '% CPU',
    (task) => task.cpuPercent,
    (n) => (n < 0.05 ? '0' : n.toFixed(1)),
  ),
  kib('anon', 'anon', (task) => task.rssAnonKib),
  kib('file', 'file', (task) => task.rssFileKib),
  kib('shmem', 'shmem', (task) => task.rssShmemKib),
  kib('swap', 'swap', (task) => task.swapKib),
  kib('tables', 'tables', (task) => task.pgtablesKib),
  figure('minflt', 'minflt', (task) => task.minflt, formatCount),
  figure('majflt', 'majflt', (task) => task.majflt, formatCount),
  figure('score', 'score', (task) => task.oomScore, String),
  figure('adj', 'adj', (task) => task.oomScoreAdj, formatCount),
  figure(
    'stall',
    'stalled',
    (task) => task.stallNs,
    (n) => (n === 0 ? '0' : joinFigure(formatDuration(n))),
  ),
  { id: 'cgroup', title: 'cgroup', text: (task) => task.cgroup, sortBy: (task) => task.cgroup },
]

/** Words of the filter all have to be found in pid, command, group or wait. */
export function shownTasks(
  tasks: readonly TaskFrame[],
  filter: string,
  options: { withKthreads: boolean },
): readonly TaskFrame[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  return tasks.filter((task) => {
    if (task.isKthread && !options.withKthreads) return false
    const text = `${task.pid} ${task.comm} ${task.cgroup} ${task.waitChannel}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
