/** free: memory and swap at a glance, as procps 4.0 prints it. @spec 09 §9.11 */
import type { Tool, ToolContext } from '../process'
import { readMeminfo } from './numbers'
import { getOptions } from './options'

export const free: Tool = {
  name: 'free',
  summary: 'memory and swap at a glance',
  usage: 'free [-b | -k | -m | -g | -h] [-w] [-t] [-s SECONDS] [-c COUNT]',
  async run(context) {
    const long = {
      bytes: 'b',
      kibi: 'k',
      mebi: 'm',
      gibi: 'g',
      human: 'h',
      wide: 'w',
      total: 't',
      seconds: 's',
      count: 'c',
    }
    const { flags, values } = await getOptions(context, 'bkmghwtls:c:', long)
    const delayNs = Math.round(Number(values.get('s') ?? 1) * 1e9)
    const times = Number(values.get('c') ?? (values.has('s') ? Infinity : 1))
    for (let i = 0; i < times; i++) {
      if (i > 0) {
        await context.print('\n')
        if (!(await context.sys.sleep(context.pid, delayNs))) return 1
        context.doom.check()
      }
      if (!(await table(context, flags))) return 1
    }
    return 0
  },
}

async function table(context: ToolContext, flags: ReadonlySet<string>): Promise<boolean> {
  const info = await readMeminfo(context)
  if (info === undefined) return false
  const kib = (name: string): number => info.get(name) ?? 0
  const [total, available] = [kib('MemTotal'), kib('MemAvailable')]
  const cache = kib('Cached') + kib('SReclaimable')
  const used = available <= total ? total - available : total - kib('MemFree')
  const caches = flags.has('w') ? [kib('Buffers'), cache] : [kib('Buffers') + cache]
  const swapUsed = kib('SwapTotal') - kib('SwapFree')
  const titles = [
    'total',
    'used',
    'free',
    'shared',
    ...(flags.has('w') ? ['buffers', 'cache'] : ['buff/cache']),
    'available',
  ]
  const rows: [string, number[]][] = [
    ['Mem:', [total, used, kib('MemFree'), kib('Shmem'), ...caches, available]],
    ['Swap:', [kib('SwapTotal'), swapUsed, kib('SwapFree')]],
  ]
  if (flags.has('t'))
    rows.push(['Total:', [total + kib('SwapTotal'), used + swapUsed, kib('MemFree') + kib('SwapFree')]])
  const cells = (values: readonly string[]): string => values.map((v) => v.padStart(11)).join(' ')
  const scale = scaler(flags)
  const lines = rows.map(([label, values]) => `${label.padEnd(9)}${cells(values.map(scale))}`)
  await context.print(`${' '.repeat(9)}${cells(titles)}\n${lines.join('\n')}\n`)
  return true
}

function scaler(flags: ReadonlySet<string>): (kib: number) => string {
  if (flags.has('h')) return human
  if (flags.has('b')) return (kib) => String(kib * 1024)
  const divisor = flags.has('g') ? 1048576 : flags.has('m') ? 1024 : 1
  return (kib) => String(Math.floor(kib / divisor))
}

/** Three significant digits: 557Mi, 1.8Gi, 23Gi, 0B. */
export function human(kib: number): string {
  const bytes = kib * 1024
  if (String(bytes).length < 4) return `${bytes}B`
  let unit = 1024
  for (const letter of 'KMGTPE') {
    const exact = `${(bytes / unit).toFixed(1)}${letter}i`
    if (exact.length <= 5) return exact
    const whole = `${Math.floor(bytes / unit)}${letter}i`
    if (whole.length <= 5) return whole
    unit *= 1024
  }
  return String(bytes)
}
