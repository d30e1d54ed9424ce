/** sysctl: files of /proc/sys by dotted names. */
import { strerror } from '../../util/errno'
import { matches } from '../glob'
import { resolvePath } from '../paths'
import { explainRefusal, type Tool, type ToolContext } from '../process'
import { order } from '../stream'
import { getOptions, linesOf, readOperand, warn } from './options'

const ROOT = '/proc/sys'

export const sysctl: Tool = {
  name: 'sysctl',
  summary: 'reads and writes kernel parameters',
  usage: 'sysctl [-aneNqw] [-p [FILE]] [NAME[=VALUE]]...',
  async run(context) {
    const long = { all: 'a', values: 'n', names: 'N', ignore: 'e', quiet: 'q', write: 'w', load: 'p' }
    const { flags, operands } = await getOptions(context, 'aAXnNeqwp', long)
    if (flags.has('p')) return load(context, operands.length === 0 ? ['/etc/sysctl.conf'] : operands, flags)
    if (flags.has('a') || flags.has('A') || flags.has('X')) return showAll(context, flags)
    if (operands.length === 0) {
      await context.warn(`Usage: ${sysctl.usage}\n`)
      return 1
    }
    let status = 0
    for (const operand of operands) status = (await one(context, operand, flags)) || status
    return status
  },
}

/** Both `vm.swappiness` and `vm/swappiness` are names. */
const pathOf = (name: string): string => `${ROOT}/${name.includes('/') ? name : name.replaceAll('.', '/')}`
const nameOf = (path: string): string => path.slice(ROOT.length + 1).replaceAll('/', '.')

async function one(context: ToolContext, operand: string, flags: ReadonlySet<string>): Promise<number> {
  const equals = operand.indexOf('=')
  if (equals >= 0) return write(context, operand.slice(0, equals).trim(), operand.slice(equals + 1).trim(), flags)
  if (flags.has('w')) return warn(context, `"${operand}" must be of the form name=value`)
  if (/[*?[]/.test(operand)) {
    const found = walk(context, ROOT).filter((path) => matches(pathOf(operand), path))
    for (const path of found) await show(context, path, flags)
    return found.length > 0 ? 0 : 1
  }
  const stat = context.sys.stat(context.pid, pathOf(operand))
  if (stat.ok && stat.value.kind === 'dir') {
    for (const path of walk(context, pathOf(operand))) await show(context, path, flags)
    return 0
  }
  return show(context, pathOf(operand), flags)
}

async function show(context: ToolContext, path: string, flags: ReadonlySet<string>): Promise<number> {
  const read = context.sys.read(context.pid, path)
  if (!read.ok) {
    if (flags.has('e')) return 0
    const name = nameOf(path)
    if (read.error.errno === 'ENOENT') return warn(context, `cannot stat ${path}: ${strerror(read.error.errno)}`)
    return warn(context, `${read.error.errno === 'EACCES' ? 'permission denied on' : 'reading'} key '${name}'`)
  }
  const label = flags.has('n') ? '' : `${nameOf(path)}${flags.has('N') ? '' : ' = '}`
  const text = read.value.replace(/\n$/, '')
  for (const line of text.split('\n')) await context.print(`${label}${flags.has('N') ? '' : line}\n`)
  return 0
}

async function write(context: ToolContext, name: string, value: string, flags: ReadonlySet<string>): Promise<number> {
  const path = pathOf(name)
  const stat = context.sys.stat(context.pid, path)
  if (!stat.ok) return flags.has('e') ? 0 : warn(context, `cannot stat ${path}: ${strerror(stat.error.errno)}`)
  const written = await order(context, path, `${value}\n`)
  if (!written.ok) {
    explainRefusal(context.world, written.error)
    const { errno } = written.error
    return warn(
      context,
      errno === 'EACCES' ? `permission denied on key "${name}"` : `setting key "${nameOf(path)}": ${strerror(errno)}`,
    )
  }
  if (!flags.has('q')) await context.print(flags.has('n') ? `${value}\n` : `${nameOf(path)} = ${value}\n`)
  return 0
}

async function load(context: ToolContext, files: readonly string[], flags: ReadonlySet<string>): Promise<number> {
  let status = 0
  for (const file of files) {
    const text = await readOperand(context, file)
    if (text === undefined) {
      status = 1
      continue
    }
    for (const line of linesOf(text)) {
      const found = /^\s*-?([^#;=\s][^=]*)=(.*)$/.exec(line)
      if (found !== null)
        status = (await write(context, (found[1] ?? '').trim(), (found[2] ?? '').trim(), flags)) || status
    }
  }
  return status
}

async function showAll(context: ToolContext, flags: ReadonlySet<string>): Promise<number> {
  for (const path of walk(context, ROOT)) {
    const stat = context.sys.stat(context.pid, path)
    // compact_memory and its like can only be written.
    if (stat.ok && context.sys.read(context.pid, path).ok) await show(context, path, flags)
  }
  return 0
}

function walk(context: ToolContext, path: string): string[] {
  const stat = context.sys.stat(context.pid, path)
  if (stat.ok && stat.value.kind !== 'dir') return [path]
  const names = context.sys.list(context.pid, resolvePath('/', path))
  return names.ok ? names.value.flatMap((name) => walk(context, `${path}/${name}`)) : []
}
