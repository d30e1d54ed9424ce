/** top: tasks by CPU use, with memory above them; full-screen on a terminal, plain text with -b. */
import { formatDate } from '../calendar'
import type { Tool, ToolContext } from '../process'
import { cpuTicks, readMeminfo, type CpuTicks } from './numbers'
import { getOptions, readOperand } from './options'
import { clock, readTasks, type TaskRow } from './tasks'

export const top: Tool = {
  name: 'top',
  summary: 'tasks by CPU or memory use, again and again',
  usage: 'top [-b] [-d SECONDS] [-n COUNT] [-o %CPU|%MEM|RES]',
  async run(context) {
    const { flags, values } = await getOptions(context, 'bd:n:o:p:c')
    const isBatch = flags.has('b')
    const seconds = Math.max(0.1, Number(values.get('d') ?? 3))
    const count = Number(values.get('n') ?? Infinity)
    let before: Sample | undefined
    for (let i = 0; i < count; i++) {
      const now = await sample(context)
      const text = await page(context, now, before, values.get('o') ?? '%CPU')
      if (isBatch) await context.print(`${i > 0 ? '\n' : ''}${text}`)
      else await context.print(`\x1b[H\x1b[2J${fit(text, context.size)}`)
      before = now
      if (i === count - 1) return 0
      if (!(await context.sys.sleep(context.pid, Math.round(seconds * 1e9)))) return 1
      context.doom.check()
    }
    return 0
  },
}

interface Sample {
  readonly atNs: number
  readonly rows: readonly TaskRow[]
  readonly cpu: CpuTicks
}

async function sample(context: ToolContext): Promise<Sample> {
  const stat = (await readOperand(context, '/proc/stat')) ?? ''
  return { atNs: context.sys.now(), rows: readTasks(context), cpu: cpuTicks(stat) }
}

const fit = (text: string, size: ToolContext['size']): string =>
  text
    .split('\n')
    .slice(0, size.rows - 1)
    .map((line) => line.slice(0, size.columns))
    .join('\n')

async function page(context: ToolContext, now: Sample, before: Sample | undefined, order: string): Promise<string> {
  const used = new Map(before?.rows.map((row) => [row.pid, row.utime + row.stime]))
  const ticks = (now.atNs - (before?.atNs ?? 0)) / 1e7
  const cpuShare = (row: TaskRow): number =>
    ticks <= 0 ? 0 : (100 * (row.utime + row.stime - (used.get(row.pid) ?? 0))) / ticks
  const info = await readMeminfo(context)
  const mib = (...names: string[]): string =>
    (names.reduce((sum, name) => sum + (info?.get(name) ?? 0), 0) / 1024).toFixed(1).padStart(8)
  const total = info?.get('MemTotal') ?? 0
  const memShare = (row: TaskRow): number => (total === 0 ? 0 : (100 * row.rssKib) / total)
  const byMemory = /MEM|RES/i.test(order)
  const rows = [...now.rows].sort(
    (a, b) => (byMemory ? b.rssKib - a.rssKib : cpuShare(b) - cpuShare(a)) || a.pid - b.pid,
  )
  const inState = (state: string): number => now.rows.filter((row) => row.state === state).length
  const all = now.cpu.total - (before?.cpu.total ?? 0)
  const share = (name: keyof CpuTicks): string =>
    (all <= 0 ? 0 : (100 * (now.cpu[name] - (before?.cpu[name] ?? 0))) / all).toFixed(1).padStart(5)
  const load = ((await readOperand(context, '/proc/loadavg')) ?? '').split(' ').slice(0, 3).join(', ')
  const minutes = Math.floor(now.atNs / 60e9)
  const swapUsed = ((info?.get('SwapTotal') ?? 0) - (info?.get('SwapFree') ?? 0)) / 1024
  const memUsed = (total - (info?.get('MemAvailable') ?? 0)) / 1024
  const head = [
    `top - ${formatDate('%T', context.sys.bootEpochMs + now.atNs / 1e6)} up ${minutes} min,  1 user,  load average: ${load}`,
    `Tasks: ${String(now.rows.length).padStart(3)} total, ${String(inState('R')).padStart(3)} running, ${String(inState('S') + inState('D')).padStart(3)} sleeping,   0 stopped, ${String(inState('Z')).padStart(3)} zombie`,
    `%Cpu(s):${share('user')} us,${share('system')} sy,${share('nice')} ni,${share('idle')} id,${share('iowait')} wa,  0.0 hi,  0.0 si,${share('steal')} st`,
    `MiB Mem :${mib('MemTotal')} total,${mib('MemFree')} free,${memUsed.toFixed(1).padStart(8)} used,${mib('Buffers', 'Cached', 'SReclaimable')} buff/cache`,
    `MiB Swap:${mib('SwapTotal')} total,${mib('SwapFree')} free,${swapUsed.toFixed(1).padStart(8)} used.${mib('MemAvailable')} avail Mem`,
    '',
    '    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND',
  ]
  const lines = rows.map((row) =>
    [
      String(row.pid).padStart(7),
      'root    ',
      String(row.priority).padStart(3),
      String(row.nice).padStart(3),
      size(row.vszKib).padStart(7),
      size(row.rssKib).padStart(6),
      size(row.shmKib).padStart(6),
      row.state,
      cpuShare(row).toFixed(1).padStart(5),
      memShare(row).toFixed(1).padStart(5),
      `${clock(row.utime + row.stime, false)}.${String((row.utime + row.stime) % 100).padStart(2, '0')}`.padStart(9),
      row.comm,
    ].join(' '),
  )
  return `${[...head, ...lines].join('\n')}\n`
}

/** KiB, or with a unit when that does not fit. */
function size(kib: number): string {
  if (kib < 1_000_000) return String(kib)
  const mib = kib / 1024
  return mib < 10_000 ? `${mib.toFixed(1)}m` : `${(mib / 1024).toFixed(1)}g`
}
