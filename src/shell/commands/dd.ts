/** dd and tar, as far as a script needs them to carry its results away: text from files, pipes and devices. */
import { strerror } from '../../util/errno'
import { resolvePath } from '../paths'
import { explainRefusal, type Tool, type ToolContext } from '../process'
import { openOutput } from '../redirect'
import { writeTo } from '../stream'
import { DATA_BYTES, KEPT_BYTES, isData, readPieces, writePieces, zeroPieces } from './data'
import { fail, getOptions, orRefused, readOperand, stdin, warn } from './options'

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

const NAMES = ['if', 'of', 'bs', 'ibs', 'obs', 'count', 'skip', 'status', 'conv', 'iflag', 'oflag']

interface Copy {
  readonly source: string | undefined
  readonly target: string | undefined
  readonly block: number
  /** Bytes, Infinity = to the end. */
  readonly bytes: number
  readonly skip: number
  readonly append: boolean
  readonly sync: boolean
}

/** What the words ask for; ends the tool after the message when they make no sense. */
async function readWords(context: ToolContext): Promise<Copy & { readonly status: string }> {
  const options = new Map(context.args.map((arg) => [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)]))
  for (const name of options.keys()) if (!NAMES.includes(name)) return fail(context, `unrecognized operand '${name}'`)
  const number = async (name: string): Promise<number | undefined> => {
    const word = options.get(name)
    const value = word === undefined ? undefined : size(word)
    return word !== undefined && value === undefined ? fail(context, `invalid number: '${word}'`) : value
  }
  const words = (name: string): string[] => (options.get(name) ?? '').split(',').filter((word) => word !== '')
  for (const name of ['iflag', 'oflag'])
    for (const flag of words(name))
      if (!['append', 'fullblock', 'sync', 'dsync'].includes(flag))
        return fail(context, `${name}=${flag}: reads and writes here go through the page cache`)
  const block = (await number('bs')) ?? (await number('ibs')) ?? (await number('obs')) ?? 512
  if (block === 0) return fail(context, "invalid number: '0'")
  const isSync = words('conv').some((word) => word === 'fsync' || word === 'fdatasync')
  return {
    source: options.get('if'),
    target: options.get('of'),
    block,
    bytes: ((await number('count')) ?? Infinity) * block,
    skip: ((await number('skip')) ?? 0) * block,
    append: words('oflag').includes('append') || words('conv').includes('notrunc'),
    sync: isSync || words('oflag').some((word) => word === 'sync' || word === 'dsync'),
    status: options.get('status') ?? '',
  }
}

const ENDLESS = ['/dev/zero', '/dev/urandom', '/dev/random']

export const dd: Tool = {
  name: 'dd',
  summary: 'copies blocks',
  usage:
    'dd [if=FILE] [of=FILE] [bs=SIZE] [count=BLOCKS] [skip=BLOCKS] [status=none] [conv=fsync,notrunc] [oflag=append,sync]',
  async run(context) {
    const copy = await readWords(context)
    const startNs = context.sys.now()
    const bytes = isOfData(context, copy) ? await copyData(context, copy) : await copyText(context, copy)
    if (bytes === undefined) return 1
    if (copy.status === 'none') return 0
    const [full, part] = [Math.floor(bytes / copy.block), bytes % copy.block > 0 ? 1 : 0]
    const rate = copy.status === 'noxfer' ? '' : `${copied(bytes, context.sys.now() - startNs)}\n`
    await context.warn(`${full}+${part} records in\n${full}+${part} records out\n${rate}`)
    return 0
  },
}

/** Bytes that nobody looks at: from a long file or an endless one, into a file. */
const isOfData = (context: ToolContext, { source, target, bytes }: Copy): boolean =>
  source !== undefined &&
  target !== undefined &&
  (ENDLESS.includes(source) ? bytes >= DATA_BYTES : isData(context, source))

async function copyData(context: ToolContext, copy: Copy): Promise<number> {
  const { source = '', target = '', bytes, skip, append, sync } = copy
  const isEndless = ENDLESS.includes(source)
  if (isEndless && bytes === Infinity && target === '/dev/null')
    return fail(context, `${source} and /dev/null have no end: give count=`)
  const pieces = isEndless ? zeroPieces(bytes) : readPieces(context, source, { bytes, skip })
  const to = target === '/dev/null' ? undefined : { path: target, append, sync }
  return orRefused(context, writePieces(context, pieces, to))
}

async function copyText(context: ToolContext, copy: Copy): Promise<number | undefined> {
  const { source, target, bytes, skip, append } = copy
  if (source !== undefined && ENDLESS.includes(source) && bytes > KEPT_BYTES)
    return fail(context, `${source} to standard output: give count= and bs=, ${KEPT_BYTES / 1_048_576} MiB at most`)
  const isEndless = source !== undefined && ENDLESS.includes(source)
  const all = isEndless ? '\0'.repeat(bytes) : await input(context, source)
  if (all === undefined) return undefined
  const data = isEndless ? all : all.slice(skip, skip + bytes)
  if (target === undefined) await context.print(data)
  else if (!(await output(context, target, data, append))) return undefined
  return data.length
}

/** '1048576 bytes (1.0 MB, 1.0 MiB) copied, 0.00123 s, 852 MB/s' */
function copied(bytes: number, ns: number): string {
  const seconds = Math.max(ns, 1) / 1e9
  const scaled = (value: number, base: number, units: readonly string[]): string => {
    let [rest, unit] = [value, 0]
    for (; rest >= base && unit < units.length - 1; unit++) rest /= base
    return `${rest < 10 && unit > 0 ? rest.toFixed(1) : String(Math.round(rest))} ${units[unit]}`
  }
  const si = scaled(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB'])
  const binary = scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'])
  const both = bytes < 1000 ? '' : bytes < 1024 ? ` (${si})` : ` (${si}, ${binary})`
  const rate = scaled(bytes / seconds, 1000, ['B', 'kB', 'MB', 'GB', 'TB'])
  return `${bytes} byte${bytes === 1 ? '' : 's'}${both} copied, ${Number(seconds.toPrecision(6))} s, ${rate}/s`
}

async function input(context: ToolContext, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return stdin(context)
  const stat = context.sys.stat(context.pid, resolvePath(context.cwd, path))
  if (stat.ok || path === '-' || path === '/dev/stdin') return readOperand(context, path)
  explainRefusal(context.world, stat.error)
  await warn(context, `failed to open '${path}': ${strerror(stat.error.errno)}`)
  return undefined
}

async function output(context: ToolContext, target: string, data: string, append: boolean): Promise<boolean> {
  const opened = openOutput(context, resolvePath(context.cwd, target), append, context.fds)
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
    else if (!(await output(context, target, archive, false))) return 2
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
