/** ls: names in directories. */
import type { FileStat } from '../../engine/commands'
import { strerror } from '../../util/errno'
import { inColumns } from '../columns'
import { resolvePath } from '../paths'
import { explainRefusal, type Tool, type ToolContext } from '../process'
import { isTty } from '../stream'
import { getOptions, toText, warn } from './options'

export const ls: Tool = {
  name: 'ls',
  summary: 'lists directories',
  usage: 'ls [-1aAdFlhrS] [PATH]...',
  run: runLs,
}

interface Entry {
  readonly name: string
  readonly stat: FileStat | undefined
}

/** A directory, or a link to one: a link with a slash behind it, or when neither -l nor -F would show it as a link. */
function isListed(context: ToolContext, path: string, kind: string, flags: ReadonlySet<string>): boolean {
  if (flags.has('d')) return false
  if (kind !== 'symlink') return kind === 'dir'
  if (!path.endsWith('/') && (flags.has('l') || flags.has('F'))) return false
  return context.sys.list(context.pid, resolvePath(context.cwd, path)).ok
}

async function runLs(context: ToolContext): Promise<number> {
  const { flags, operands } = await getOptions(context, '1aACdFlhrStRinsp', { all: 'a', color: '1' })
  let status = 0
  const files: Entry[] = []
  const directories: string[] = []
  for (const path of operands.length === 0 ? ['.'] : operands) {
    const stat = context.sys.stat(context.pid, resolvePath(context.cwd, path))
    if (!stat.ok) {
      explainRefusal(context.world, stat.error)
      status = await warn(context, `cannot access '${path}': ${strerror(stat.error.errno)}`, 2)
    } else if (isListed(context, path, stat.value.kind, flags)) directories.push(path)
    else files.push({ name: path, stat: stat.value })
  }
  if (files.length > 0) await context.print(shape(context, files, flags))
  for (const [index, path] of directories.entries()) {
    const names = context.sys.list(context.pid, resolvePath(context.cwd, path))
    if (!names.ok) {
      status = await warn(context, `cannot open directory '${path}': ${strerror(names.error.errno)}`, 2)
      continue
    }
    const title = operands.length > 1 ? `${index > 0 || files.length > 0 ? '\n' : ''}${path}:\n` : ''
    const all = flags.has('a') ? ['.', '..', ...names.value] : names.value
    const shown = all.filter((name) => flags.has('a') || flags.has('A') || !name.startsWith('.'))
    // Sizes, colours and marks need a stat of each name; names alone are in the directory.
    const directory = resolvePath(context.cwd, path)
    const isStat = ['l', 'S', 'F', 'p'].some((flag) => flags.has(flag)) || isTty(context.fds.get(1))
    context.sys.command({ kind: 'lookup', pid: context.pid, path: directory, entries: isStat })
    const entries = shown.map((name): Entry => {
      const stat = context.sys.stat(context.pid, resolvePath(resolvePath(context.cwd, path), name))
      return { name, stat: stat.ok ? stat.value : undefined }
    })
    await context.print(title + shape(context, entries, flags))
  }
  return status
}

function shape(context: ToolContext, unordered: readonly Entry[], flags: ReadonlySet<string>): string {
  const entries = [...unordered]
  if (flags.has('S')) entries.sort((a, b) => (b.stat?.sizeBytes ?? 0) - (a.stat?.sizeBytes ?? 0))
  if (flags.has('r')) entries.reverse()
  const mark = (entry: Entry): string => {
    const suffix =
      entry.stat?.kind === 'dir' ? '/' : entry.stat?.kind === 'symlink' ? '@' : entry.stat?.executable ? '*' : ''
    return entry.name + (flags.has('F') || (flags.has('p') && suffix === '/') ? suffix : '')
  }
  if (flags.has('l')) return toText(entries.map((entry) => longLine(entry, flags.has('h'))))
  const names = entries.map(mark)
  const isTerminal = isTty(context.fds.get(1)) && !flags.has('1')
  return isTerminal || flags.has('C') ? inColumns(names, context.size.columns) : toText(names)
}

const KINDS = { file: '-', dir: 'd', device: 'b', symlink: 'l' } as const

/** Files of this machine have no dates; the rest is as ls -l prints it. */
function longLine({ name, stat }: Entry, isHuman: boolean): string {
  if (stat === undefined) return `?????????? ? ?    ?             ? ${name}`
  const write = stat.writable ? 'w' : '-'
  const execute = stat.executable || stat.kind === 'dir' ? 'x' : '-'
  const mode = stat.kind === 'symlink' ? 'rwxrwxrwx' : `r${write}${execute}r-${execute}r-${execute}`
  const size = isHuman ? humanSize(stat.sizeBytes) : String(stat.sizeBytes)
  return `${KINDS[stat.kind]}${mode} 1 root root ${size.padStart(9)} ${name}${stat.kind === 'symlink' ? ` -> ${stat.target}` : ''}`
}

/** As ls -h: one decimal below ten, rounded up. */
export function humanSize(bytes: number): string {
  let value = bytes
  let unit = ''
  for (const next of 'KMGTP') {
    if (value < 1024) break
    value /= 1024
    unit = next
  }
  if (unit === '') return String(bytes)
  return value < 10 ? `${(Math.ceil(value * 10) / 10).toFixed(1)}${unit}` : `${Math.ceil(value)}${unit}`
}
