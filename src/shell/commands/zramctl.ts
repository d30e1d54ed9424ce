/** zramctl: block devices in compressed memory, set up and listed as util-linux does, through /sys/block. */
import { basename } from '../paths'
import { explainRefusal, type Tool, type ToolContext } from '../process'
import { human } from './free'
import { fail, getOptions, linesOf, readOperand, warn } from './options'

const dirOf = (device: string): string => `/sys/block/${basename(device)}`

async function valueOf(context: ToolContext, device: string, key: string): Promise<string> {
  return ((await readOperand(context, `${dirOf(device)}/${key}`)) ?? '').trim()
}

/** @returns whether the file took the value */
function put(context: ToolContext, device: string, key: string, value: string): boolean {
  const path = `${dirOf(device)}/${key}`
  const done = context.sys.write(context.pid, path, `${value}\n`, { create: false, append: false })
  if (!done.ok) explainRefusal(context.world, done.error)
  return done.ok
}

/** Devices that there are, as paths. */
function devices(context: ToolContext): string[] {
  const names = context.sys.list(context.pid, '/sys/block')
  return names.ok ? names.value.filter((name) => /^zram\d+$/.test(name)).map((name) => `/dev/${name}`) : []
}

const isSetUp = async (context: ToolContext, device: string): Promise<boolean> =>
  (await valueOf(context, device, 'initstate')) === '1'

const short = (bytes: string | undefined): string =>
  human(Number(bytes ?? 0) / 1024)
    .replace(/i$/, '')
    .replace(/\.0(?=\D)/, '')

async function row(context: ToolContext, device: string): Promise<string[]> {
  const [stored, compressed, total] = (await valueOf(context, device, 'mm_stat')).split(/\s+/)
  const algorithm = /\[(.*)\]/.exec(await valueOf(context, device, 'comp_algorithm'))?.[1] ?? ''
  const swaps = linesOf((await readOperand(context, '/proc/swaps')) ?? '')
  const use = swaps.some((line) => line.split(/\s+/)[0] === device) ? '[SWAP]' : ''
  const size = await valueOf(context, device, 'disksize')
  return [device, algorithm, short(size), short(stored), short(compressed), short(total), use]
}

const TITLES = ['NAME', 'ALGORITHM', 'DISKSIZE', 'DATA', 'COMPR', 'TOTAL', 'MOUNTPOINT']

async function list(context: ToolContext, wanted: readonly string[], withTitles: boolean): Promise<void> {
  const rows: string[][] = []
  for (const device of wanted) if (await isSetUp(context, device)) rows.push(await row(context, device))
  if (rows.length === 0) return
  const all = withTitles ? [TITLES, ...rows] : rows
  const width = TITLES.map((_, i) => Math.max(...all.map((cells) => (cells[i] ?? '').length)))
  for (const cells of all) {
    const padded = cells.map((cell, i) => (i < 2 || i === 6 ? cell.padEnd(width[i]!) : cell.padStart(width[i]!)))
    await context.print(`${padded.join(' ').trimEnd()}\n`)
  }
}

async function setUp(context: ToolContext, device: string, values: ReadonlyMap<string, string>): Promise<number> {
  const algorithm = values.get('a')
  if (algorithm !== undefined && !put(context, device, 'comp_algorithm', algorithm))
    return fail(context, `${device}: failed to set algorithm`)
  if (!put(context, device, 'disksize', values.get('s')!))
    return fail(context, `${device}: failed to set disksize (${values.get('s')})`)
  return 0
}

export const zramctl: Tool = {
  name: 'zramctl',
  summary: 'sets up and lists block devices in compressed memory',
  usage: 'zramctl [-n] [DEVICE] | zramctl {-f | DEVICE} -s SIZE [-a ALGORITHM] | zramctl -r DEVICE...',
  async run(context) {
    const { flags, values, operands } = await getOptions(context, 's:a:t:frn', {
      size: 's',
      algorithm: 'a',
      streams: 't',
      find: 'f',
      reset: 'r',
      noheadings: 'n',
    })
    const there = devices(context)
    const missing = operands.find((device) => !there.includes(device))
    if (missing !== undefined) return fail(context, `${missing}: no such device`)
    if (flags.has('r')) {
      let status = 0
      for (const device of operands)
        if (!put(context, device, 'reset', '1')) status = await warn(context, `${device}: failed to reset`, 1)
      return status
    }
    if (!values.has('s')) {
      if (flags.has('f')) return fail(context, 'option --find requires --size')
      await list(context, operands.length > 0 ? operands : there, !flags.has('n'))
      return 0
    }
    if (!flags.has('f')) {
      const [device] = operands
      return device === undefined ? fail(context, 'no device specified') : setUp(context, device, values)
    }
    for (const device of there) {
      if (await isSetUp(context, device)) continue
      const status = await setUp(context, device, values)
      if (status === 0) await context.print(`${device}\n`)
      return status
    }
    return fail(context, 'no free zram device found')
  },
}
