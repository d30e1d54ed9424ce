/** Tasks as /proc shows them, for ps, top, pgrep and pidof. */
import type { ToolContext } from '../process'

/** One task, from /proc/<pid>/stat, status and cmdline. */
export interface TaskRow {
  readonly pid: number
  readonly ppid: number
  readonly comm: string
  readonly state: string
  /** Command line; '' for kernel threads. */
  readonly args: string
  readonly minflt: number
  readonly majflt: number
  /** Ticks of 10 ms. */
  readonly utime: number
  readonly stime: number
  readonly priority: number
  readonly nice: number
  readonly startTicks: number
  readonly vszKib: number
  readonly rssKib: number
  readonly shmKib: number
  readonly cpu: number
}

/** All tasks that can be read, by pid. One that ends while we look is left out. */
export function readTasks(context: ToolContext): TaskRow[] {
  const names = context.sys.list(context.pid, '/proc')
  if (!names.ok) return []
  const pids = names.value.filter((name) => /^\d+$/.test(name)).map(Number)
  return pids
    .sort((a, b) => a - b)
    .map((pid) => readTask(context, pid))
    .filter((row) => row !== undefined)
}

function readTask(context: ToolContext, pid: number): TaskRow | undefined {
  const file = (name: string): string | undefined => {
    const read = context.sys.read(context.pid, `/proc/${pid}/${name}`)
    return read.ok ? read.value : undefined
  }
  const stat = file('stat')
  const comm = /\((.*)\)/s.exec(stat ?? '')?.[1]
  if (stat === undefined || comm === undefined) return undefined
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .trim()
    .split(/\s+/)
  const number = (index: number): number => Number(fields[index] ?? 0)
  const status = new Map(
    [...(file('status') ?? '').matchAll(/^(\w+):\s+(\d+)/gm)].map(([, name = '', value]) => [name, Number(value)]),
  )
  return {
    pid,
    comm,
    state: fields[0] ?? '?',
    ppid: number(1),
    minflt: number(7),
    majflt: number(9),
    utime: number(11),
    stime: number(12),
    priority: number(15),
    nice: number(16),
    startTicks: number(19),
    vszKib: Math.floor(number(20) / 1024),
    rssKib: number(21) * 4,
    shmKib: (status.get('RssFile') ?? 0) + (status.get('RssShmem') ?? 0),
    cpu: number(36),
    args: (file('cmdline') ?? '').replace(/\0+$/, '').replaceAll('\0', ' '),
  }
}

/** What ps shows in its last column: kernel threads in brackets. */
export const commandOf = (row: TaskRow): string => (row.args === '' ? `[${row.comm}]` : row.args)

/** `mm:ss` or `hh:mm:ss` of ticks. */
export function clock(ticks: number, isLong: boolean): string {
  const seconds = Math.floor(ticks / 100)
  const two = (n: number): string => String(n).padStart(2, '0')
  if (!isLong) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}
