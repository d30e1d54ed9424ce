/** dd and tar, as far as a script needs them to carry its results away: text from files, pipes and devices. */
import { strerror } from '../../util/errno'
import { resolvePath } from '../paths'
import { explainRefusal, type Tool, type ToolContext } from '../process'
import { openOutput } from '../redirect'
import { writeTo } from '../stream'
import { fail, getOptions, readOperand, stdin, warn } from './options'

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  c: 1,
  w: 2,
  b: 512,
  k: 1024,
  K: 1024,
  kB: 1000,
  M: 1048576,
  MB: 1e6,
  G: 1073741824,
}

function size(text: string): number | undefined {
  const found = /^(\d+)(c|w|b|k|K|kB|M|MB|G)?$/.exec(text)
  return found === null ? undefined : Number(found[1]) * (UNITS[found[2] ?? ''] ?? 1)
}

/** What dd copies is kept in the session's log of commands, byte for byte, so that a replay writes the same. */
const MAX_BYTES = 16 * 1048576

export const dd: Tool = {
  name: 'dd',
  summary: 'copies blocks',
  usage: 'dd [if=FILE] [of=FILE] [bs=SIZE] [count=BLOCKS] [skip=BLOCKS] [status=none] [conv=LIST]',
  async run(context) {
    const options = new Map(
      context.args.map((arg) => [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)]),
    )
    for (const name of options.keys())
      if (!['if', 'of', 'bs', 'ibs', 'obs', 'count', 'skip', 'status', 'conv', 'iflag', 'oflag', 'seek'].includes(name))
        return fail(context, `unrecognized operand '${name}'`)
    const block = size(options.get('bs') ?? '512')
    if (block === undefined || block === 0) return warn(context, `invalid number: '${options.get('bs')}'`)
    const count = options.has('count') ? Number(options.get('count')) : undefined
    if ((count ?? 0) * block > MAX_BYTES)
      return warn(context, `more than ${MAX_BYTES} bytes: write large files with 'mm write file=PATH mb=N'`)
    const source = options.get('if')
    const text = await input(context, source, { bytes: count === undefined ? undefined : count * block })
    if (text === undefined) return 1
    const skip = Number(options.get('skip') ?? 0) * block
    const data = text.slice(skip, count === undefined ? undefined : skip + count * block)
    const target = options.get('of')
    if (target === undefined) await context.print(data)
    else if (!(await output(context, target, data))) return 1
    if (options.get('status') === 'none') return 0
    const [full, part] = [Math.floor(data.length / block), data.length % block > 0 ? 1 : 0]
    await context.warn(`${full}+${part} records in\n${full}+${part} records out\n${data.length} bytes copied\n`)
    return 0
  },
}

async function input(
  context: ToolContext,
  path: string | undefined,
  how: { bytes: number | undefined },
): Promise<string | undefined> {
  if (path === undefined) return stdin(context)
  if (path === '/dev/zero') {
    if (how.bytes !== undefined) return '\0'.repeat(how.bytes)
    await warn(context, 'reading /dev/zero has no end: give count=')
    return undefined
  }
  return readOperand(context, path)
}

async function output(context: ToolContext, target: string, data: string): Promise<boolean> {
  const opened = openOutput(context, resolvePath(context.cwd, target), false, context.fds)
  if (!opened.ok) {
    explainRefusal(context.world, opened.error)
    await warn(context, `failed to open '${target}': ${strerror(opened.error.errno)}`)
    return false
  }
  await writeTo(context, opened.value, data)
  return true
}

const BLOCK = 512

/** tar: writes an archive (ustar) of text files. */
export const tar: Tool = {
  name: 'tar',
  summary: 'writes an archive of text files',
  usage: 'tar cf {FILE | -} [-C DIRECTORY] PATH...',
  async run(context) {
    const [mode = '', ...rest] = context.args
    if (!/^-?c/.test(mode) || /[zjJ]/.test(mode))
      return fail(context, 'only c (create, not compressed) is supported', 2)
    const { values, operands } = await getOptions(context, 'C:', {}, rest)
    const target = mode.includes('f') ? operands[0] : '-'
    const paths = mode.includes('f') ? operands.slice(1) : operands
    const base = resolvePath(context.cwd, values.get('C') ?? '.')
    let archive = ''
    for (const path of paths) archive += archived(context, base, path)
    archive += '\0'.repeat(2 * BLOCK)
    if (target === undefined || target === '-') await context.print(archive)
    else if (!(await output(context, target, archive))) return 2
    return 0
  },
}

function archived(context: ToolContext, base: string, path: string): string {
  const full = resolvePath(base, path)
  const stat = context.sys.stat(context.pid, full)
  if (!stat.ok) return ''
  if (stat.value.kind === 'dir') {
    const names = context.sys.list(context.pid, full)
    const inside = names.ok
      ? names.value.map((name) => archived(context, base, `${path.replace(/\/$/, '')}/${name}`)).join('')
      : ''
    return header(`${path.replace(/\/$/, '')}/`, 0, '5') + inside
  }
  const read = context.sys.read(context.pid, full)
  if (!read.ok || stat.value.kind !== 'file') return ''
  const padding = (BLOCK - (read.value.length % BLOCK)) % BLOCK
  return header(path, read.value.length, '0') + read.value + '\0'.repeat(padding)
}

/** @see tar(5), ustar */
function header(name: string, bytes: number, type: string): string {
  const text = (value: string, width: number): string => value.slice(0, width).padEnd(width, '\0')
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`
  const before =
    text(name, 100) +
    octal(type === '5' ? 0o755 : 0o644, 8) +
    octal(0, 8) +
    octal(0, 8) +
    octal(bytes, 12) +
    octal(0, 12)
  const after = `${type}${text('', 100)}ustar\x0000${text('root', 32)}${text('root', 32)}${octal(0, 8)}${octal(0, 8)}${text('', 155)}`
  const sum = [...`${before}        ${after}`].reduce((total, c) => total + c.charCodeAt(0), 0)
  return `${before}${octal(sum, 7)} ${after}`.padEnd(BLOCK, '\0')
}
