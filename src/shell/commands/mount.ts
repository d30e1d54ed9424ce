/** mount, umount, mkswap, swapon and swapoff: file systems and swap areas. */
import type { Command } from '../../engine/commands'
import { strerror, type Errno } from '../../util/errno'
import { resolvePath } from '../paths'
import { explainRefusal, type Tool, type ToolContext } from '../process'
import { human } from './free'
import { fail, getOptions, linesOf, readOperand, warn } from './options'

/** Gives a command to the machine; `message` is the tool's own for a refusal. */
async function order(
  context: ToolContext,
  command: Command,
  message: (words: string, errno: Errno) => string,
  status: number,
): Promise<number> {
  const done = context.sys.command(command)
  if (done.ok) return 0
  explainRefusal(context.world, done.error)
  return warn(context, message(strerror(done.error.errno), done.error.errno), status)
}

export const mount: Tool = {
  name: 'mount',
  summary: 'attaches a file system',
  usage: 'mount [-t TYPE] [-o OPTIONS] SOURCE DIRECTORY',
  async run(context) {
    const { values, operands } = await getOptions(context, 't:o:rwn')
    if (operands.length === 0) {
      for (const line of linesOf((await readOperand(context, '/proc/mounts')) ?? '')) {
        const [source, path, type, options] = line.split(' ')
        await context.print(`${source} on ${path} type ${type} (${options})\n`)
      }
      return 0
    }
    const [source = '', target] = operands
    if (target === undefined) return fail(context, `bad usage`)
    const path = resolvePath(context.cwd, target)
    const options = (values.get('o') ?? '').split(',').filter((option) => option !== '')
    return order(
      context,
      { kind: 'mount', pid: context.pid, fs: values.get('t') ?? 'ext4', source, path, options },
      (words, errno) => mountMessage(target, source, words, errno),
      32,
    )
  },
}

function mountMessage(target: string, source: string, words: string, errno: Errno): string {
  if (errno === 'ENOENT') return `${target}: mount point does not exist.`
  if (errno === 'EBUSY') return `${target}: ${source} already mounted or mount point busy.`
  if (errno === 'ENODEV') return `${target}: unknown filesystem type.`
  return `${target}: ${words}.`
}

export const umount: Tool = {
  name: 'umount',
  summary: 'detaches a file system',
  usage: 'umount DIRECTORY...',
  async run(context) {
    const { operands } = await getOptions(context, 'lf')
    if (operands.length === 0) return fail(context, 'bad usage')
    let status = 0
    for (const path of operands)
      status =
        (await order(
          context,
          { kind: 'umount', pid: context.pid, path: resolvePath(context.cwd, path) },
          (words, errno) =>
            `${path}: ${errno === 'EBUSY' ? 'target is busy' : errno === 'EINVAL' ? 'not mounted' : words}.`,
          32,
        )) || status
    return status
  },
}

export const mkswap: Tool = {
  name: 'mkswap',
  summary: 'formats a device as a swap area',
  usage: 'mkswap DEVICE',
  async run(context) {
    const { operands } = await getOptions(context, 'fL:U:p:')
    const [device] = operands
    if (device === undefined) return fail(context, 'Nowhere to set up swap on?')
    const path = resolvePath(context.cwd, device)
    const status = await order(
      context,
      { kind: 'mkswap', pid: context.pid, path },
      (words) => `cannot open ${device}: ${words}`,
      1,
    )
    if (status !== 0) return status
    const stat = context.sys.stat(context.pid, path)
    const bytes = (stat.ok ? stat.value.sizeBytes : 0) - 4096
    if (bytes > 0)
      await context.print(
        `Setting up swapspace version 1, size = ${human(bytes / 1024).replace('i', ' i')}B (${bytes} bytes)\n`,
      )
    return 0
  },
}

interface Wanted {
  readonly device: string
  readonly priority: string | undefined
}

/** Swap areas of /etc/fstab that are not marked noauto and not in use yet. */
async function fromFstab(context: ToolContext): Promise<Wanted[]> {
  const used = linesOf((await readOperand(context, '/proc/swaps')) ?? '').map((line) => line.split(/\s+/)[0])
  const found: Wanted[] = []
  for (const line of linesOf((await readOperand(context, '/etc/fstab')) ?? '')) {
    const [device = '', , type, options = ''] = line.trim().split(/\s+/)
    if (device.startsWith('#') || type !== 'swap' || used.includes(device)) continue
    const words = options.split(',')
    if (words.includes('noauto')) continue
    found.push({ device, priority: words.find((word) => word.startsWith('pri='))?.slice('pri='.length) })
  }
  return found
}

export const swapon: Tool = {
  name: 'swapon',
  summary: 'starts to swap to a device',
  usage: 'swapon [-p PRIORITY] [-s | --show] {-a | DEVICE...}',
  async run(context) {
    const { flags, values, operands } = await getOptions(context, 'p:sa', {
      all: 'a',
      show: 'S',
      summary: 's',
      priority: 'p',
    })
    if (flags.has('s')) {
      await context.print((await readOperand(context, '/proc/swaps')) ?? '')
      return 0
    }
    if (operands.length === 0 && !flags.has('a')) return showSwaps(context)
    const wanted: Wanted[] = operands.map((device) => ({ device, priority: values.get('p') }))
    if (flags.has('a')) wanted.unshift(...(await fromFstab(context)))
    let status = 0
    for (const { device, priority } of wanted) {
      status =
        (await order(
          context,
          {
            kind: 'swapon',
            pid: context.pid,
            path: resolvePath(context.cwd, device),
            ...(priority === undefined ? {} : { priority: Number(priority) }),
          },
          (words, errno) =>
            `${errno === 'ENOENT' ? 'cannot open ' : ''}${device}: ${errno === 'ENOENT' ? words : errno === 'EINVAL' ? 'read swap header failed' : `swapon failed: ${words}`}`,
          255,
        )) || status
    }
    return status
  },
}

async function showSwaps(context: ToolContext): Promise<number> {
  const rows = linesOf((await readOperand(context, '/proc/swaps')) ?? '')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
  if (rows.length === 0) return 0
  const short = (kib: string | undefined): string =>
    human(Number(kib ?? 0))
      .replace(/i$/, '')
      .replace(/\.0(?=\D)/, '')
  const cells = rows.map(([name = '', type = '', size, used, priority = '']) => [
    name,
    type,
    short(size),
    short(used),
    priority,
  ])
  const width = (column: number, title: string): number =>
    Math.max(title.length, ...cells.map((row) => (row[column] ?? '').length))
  const [name, type, size, used] = [width(0, 'NAME'), width(1, 'TYPE'), width(2, 'SIZE'), width(3, 'USED')]
  for (const row of [['NAME', 'TYPE', 'SIZE', 'USED', 'PRIO'], ...cells])
    await context.print(
      `${row[0]?.padEnd(name)} ${row[1]?.padEnd(type)} ${row[2]?.padStart(size)} ${row[3]?.padStart(used)} ${row[4]?.padStart(4)}\n`,
    )
  return 0
}

export const swapoff: Tool = {
  name: 'swapoff',
  summary: 'stops to swap to a device',
  usage: 'swapoff {-a | DEVICE...}',
  async run(context) {
    const { flags, operands } = await getOptions(context, 'a')
    const used = linesOf((await readOperand(context, '/proc/swaps')) ?? '')
      .slice(1)
      .map((line) => line.split(/\s+/)[0] ?? '')
    const devices = flags.has('a') ? used : operands
    if (devices.length === 0 && !flags.has('a')) return fail(context, 'bad usage')
    let status = 0
    for (const device of devices)
      status =
        (await order(
          context,
          { kind: 'swapoff', pid: context.pid, path: resolvePath(context.cwd, device) },
          (words) => `${device}: swapoff failed: ${words}`,
          1,
        )) || status
    return status
  },
}
