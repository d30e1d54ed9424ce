/** vmstat: what memory, swap, block devices and CPUs did since the last line. @spec 09 §9.11 */
import type { Tool, ToolContext } from '../process'
import { cpuTicks, readCounters, readMeminfo, type CpuTicks } from './numbers'
import { fail, getOptions, readOperand } from './options'

export const vmstat: Tool = {
  name: 'vmstat',
  summary: 'memory, swap, I/O and CPU rates',
  usage: 'vmstat [-a] [-s] [-S k|K|m|M] [DELAY [COUNT]]',
  async run(context) {
    const { flags, values, operands } = await getOptions(context, 'asnwS:', { active: 'a', stats: 's', unit: 'S' })
    if (flags.has('s')) return sums(context)
    const unit = values.get('S') ?? 'K'
    const divisor = { k: 1000 / 1024, K: 1, m: 1e6 / 1024, M: 1024 }[unit]
    if (divisor === undefined) return fail(context, '-S requires k, K, m or M (default is KiB)')
    const delay = Number(operands[0] ?? 0)
    const count = operands[0] === undefined ? 1 : Number(operands[1] ?? Infinity)
    if (Number.isNaN(delay) || Number.isNaN(count)) return fail(context, `failed to parse argument: '${operands[0]}'`)
    const isActive = flags.has('a')
    await context.print(HEADER(isActive))
    let before: Sample | undefined
    for (let row = 0; row < count; row++) {
      if (row > 0) {
        if (!(await context.sys.sleep(context.pid, Math.max(1, Math.round(delay * 1e9))))) return 1
        context.doom.check()
        if (row % (context.size.rows - 3) === 0) await context.print(HEADER(isActive))
      }
      const now = await sample(context)
      if (now === undefined) return 1
      await context.print(line(now, before, { isActive, divisor }))
      before = now
    }
    return 0
  },
}

const HEADER = (isActive: boolean): string =>
  'procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----\n' +
  ` r  b   swpd   free ${isActive ? ' inact active' : '  buff  cache'}   si   so    bi    bo   in   cs us sy id wa st\n`

interface Sample {
  readonly atNs: number
  readonly meminfo: ReadonlyMap<string, number>
  readonly vmstat: ReadonlyMap<string, number>
  readonly stat: ReadonlyMap<string, number>
  readonly cpu: CpuTicks
}

async function sample(context: ToolContext): Promise<Sample | undefined> {
  const meminfo = await readMeminfo(context)
  const counters = await readCounters(context, '/proc/vmstat')
  const stat = await readOperand(context, '/proc/stat')
  const statCounters = await readCounters(context, '/proc/stat')
  if (meminfo === undefined || counters === undefined || stat === undefined || statCounters === undefined)
    return undefined
  return { atNs: context.sys.now(), meminfo, vmstat: counters, stat: statCounters, cpu: cpuTicks(stat) }
}

function line(
  now: Sample,
  before: Sample | undefined,
  how: { readonly isActive: boolean; readonly divisor: number },
): string {
  // The first line is the average since boot.
  const seconds = (now.atNs - (before?.atNs ?? 0)) / 1e9
  const rate = (table: 'vmstat' | 'stat', name: string, factor: number): number =>
    Math.round((((now[table].get(name) ?? 0) - (before?.[table].get(name) ?? 0)) * factor) / Math.max(seconds, 1e-9))
  const kib = (name: string): number => Math.floor((now.meminfo.get(name) ?? 0) / how.divisor)
  const ticks = now.cpu.total - (before?.cpu.total ?? 0)
  const share = (...names: (keyof CpuTicks)[]): number =>
    ticks <= 0
      ? 0
      : Math.round((100 * names.reduce((sum, name) => sum + now.cpu[name] - (before?.cpu[name] ?? 0), 0)) / ticks)
  const caches = how.isActive
    ? [kib('Inactive'), kib('Active')]
    : [
        kib('Buffers'),
        Math.floor(((now.meminfo.get('Cached') ?? 0) + (now.meminfo.get('SReclaimable') ?? 0)) / how.divisor),
      ]
  const swapped = Math.floor(((now.meminfo.get('SwapTotal') ?? 0) - (now.meminfo.get('SwapFree') ?? 0)) / how.divisor)
  const cells: readonly (readonly [number, number])[] = [
    // vmstat itself runs while it looks.
    [2, Math.max(0, (now.stat.get('procs_running') ?? 0) - 1)],
    [2, now.stat.get('procs_blocked') ?? 0],
    [6, swapped],
    [6, kib('MemFree')],
    [6, caches[0] ?? 0],
    [6, caches[1] ?? 0],
    [4, rate('vmstat', 'pswpin', 4)],
    [4, rate('vmstat', 'pswpout', 4)],
    [5, rate('vmstat', 'pgpgin', 1)],
    [5, rate('vmstat', 'pgpgout', 1)],
    [4, rate('stat', 'intr', 1)],
    [4, rate('stat', 'ctxt', 1)],
    [2, share('user', 'nice')],
    [2, share('system')],
    [2, share('idle')],
    [2, share('iowait')],
    [2, share('steal')],
  ]
  return `${cells.map(([width, value]) => String(value).padStart(width)).join(' ')}\n`
}

async function sums(context: ToolContext): Promise<number> {
  const now = await sample(context)
  if (now === undefined) return 1
  const kib = (name: string): number => now.meminfo.get(name) ?? 0
  const pages = (name: string): number => now.vmstat.get(name) ?? 0
  const available = kib('MemAvailable')
  const rows: readonly (readonly [number, string])[] = [
    [kib('MemTotal'), 'K total memory'],
    [available <= kib('MemTotal') ? kib('MemTotal') - available : kib('MemTotal') - kib('MemFree'), 'K used memory'],
    [kib('Active'), 'K active memory'],
    [kib('Inactive'), 'K inactive memory'],
    [kib('MemFree'), 'K free memory'],
    [kib('Buffers'), 'K buffer memory'],
    [kib('Cached') + kib('SReclaimable'), 'K swap cache'],
    [kib('SwapTotal'), 'K total swap'],
    [kib('SwapTotal') - kib('SwapFree'), 'K used swap'],
    [kib('SwapFree'), 'K free swap'],
    [now.cpu.user, 'non-nice user cpu ticks'],
    [now.cpu.nice, 'nice user cpu ticks'],
    [now.cpu.system, 'system cpu ticks'],
    [now.cpu.idle, 'idle cpu ticks'],
    [now.cpu.iowait, 'IO-wait cpu ticks'],
    [now.cpu.steal, 'stolen cpu ticks'],
    [pages('pgpgin'), 'K paged in'],
    [pages('pgpgout'), 'K paged out'],
    [pages('pswpin'), 'pages swapped in'],
    [pages('pswpout'), 'pages swapped out'],
    [now.stat.get('intr') ?? 0, 'interrupts'],
    [now.stat.get('ctxt') ?? 0, 'CPU context switches'],
    [now.stat.get('processes') ?? 0, 'forks'],
  ]
  await context.print(rows.map(([value, name]) => `${String(value).padStart(13)} ${name}\n`).join(''))
  return 0
}
