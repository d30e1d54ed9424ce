/** grep: lines that match. */
import { resolvePath } from '../paths'
import type { Tool, ToolContext } from '../process'
import { posixRegex, translate, type Dialect } from '../regex'
import { eachBlock } from './lines'
import { getOptions, warn, type Options } from './options'

export const grep: Tool = {
  name: 'grep',
  summary: 'prints lines that match a pattern',
  usage: 'grep [-EFivnclLqsowxrhH] [-e PATTERN] [-m N] [-A N] [-B N] [-C N] PATTERN [FILE]...',
  run: (context) => runGrep(context, 'basic'),
}

export const egrep: Tool = {
  name: 'egrep',
  summary: 'grep -E',
  usage: 'egrep [OPTIONS] PATTERN [FILE]...',
  run: (context) => runGrep(context, 'extended'),
}

export const fgrep: Tool = {
  name: 'fgrep',
  summary: 'grep -F',
  usage: 'fgrep [OPTIONS] PATTERN [FILE]...',
  run: (context) => runGrep(context, 'fixed'),
}

interface Search {
  readonly context: ToolContext
  readonly options: Options
  readonly regex: RegExp
  readonly before: number
  readonly after: number
  readonly max: number
  readonly namesFiles: boolean
}

async function runGrep(context: ToolContext, dialect: Dialect): Promise<number> {
  // `-5` is `-C 5`; -e may be given more than once.
  const args = context.args.map((arg) => (/^-\d+$/.test(arg) ? `-C${arg.slice(1)}` : arg))
  const patterns: string[] = []
  const plain = args.filter((arg, i) => {
    if (args[i - 1] === '-e') return false
    if (arg === '-e') patterns.push(args[i + 1] ?? '')
    return arg !== '-e'
  })
  const long = {
    color: 'Y',
    colour: 'Y',
    count: 'c',
    'ignore-case': 'i',
    'invert-match': 'v',
    'line-number': 'n',
    quiet: 'q',
  }
  const options = await getOptions(context, 'EFGivnclLqsowxrRhHYe:m:A:B:C:', long, plain)
  const { flags, values } = options
  const attached = values.get('e')
  if (attached !== undefined) patterns.push(attached)
  const operands = [...options.operands]
  if (patterns.length === 0) {
    const first = operands.shift()
    if (first === undefined) {
      await context.warn(`Usage: ${grep.usage}\n`)
      return 2
    }
    patterns.push(first)
  }
  const chosen: Dialect = flags.has('F') ? 'fixed' : flags.has('E') ? 'extended' : flags.has('G') ? 'basic' : dialect
  let regex: RegExp
  try {
    regex = compile(patterns, chosen, flags)
  } catch (error) {
    if (error instanceof SyntaxError)
      return warn(context, error.message.replace(/^Invalid regular expression: /, ''), 2)
    throw error
  }
  const paths =
    flags.has('r') || flags.has('R') ? filesBelow(context, operands.length === 0 ? ['.'] : operands) : operands
  const around = Number(values.get('C') ?? 0)
  const search: Search = {
    context,
    options,
    regex,
    before: Number(values.get('B') ?? around),
    after: Number(values.get('A') ?? around),
    max: Number(values.get('m') ?? Infinity),
    namesFiles: flags.has('H') || (!flags.has('h') && (paths.length > 1 || flags.has('r') || flags.has('R'))),
  }
  return searchAll(search, paths.length === 0 && !flags.has('r') && !flags.has('R') ? ['-'] : paths)
}

function compile(patterns: readonly string[], dialect: Dialect, flags: ReadonlySet<string>): RegExp {
  const sources = patterns.flatMap((p) => p.split('\n')).map((p) => `(?:${translate(p, dialect)})`)
  let source = sources.join('|')
  if (flags.has('w')) source = `(?<!\\w)(?:${source})(?!\\w)`
  if (flags.has('x')) source = `^(?:${source})$`
  posixRegex('', dialect)
  return new RegExp(source, `g${flags.has('i') ? 'i' : ''}`)
}

function filesBelow(context: ToolContext, paths: readonly string[]): string[] {
  const found: string[] = []
  const walk = (path: string): void => {
    const stat = context.sys.stat(context.pid, resolvePath(context.cwd, path))
    if (!stat.ok) {
      // The message is for the search, which finds the same.
      found.push(path)
      return
    }
    if (stat.value.kind === 'symlink' || stat.value.kind === 'device') return
    if (stat.value.kind === 'file') {
      found.push(path)
      return
    }
    const names = context.sys.list(context.pid, resolvePath(context.cwd, path))
    if (names.ok) for (const name of names.value) walk(`${path.replace(/\/$/, '')}/${name}`)
  }
  for (const path of paths) walk(path)
  return found
}

async function searchAll(search: Search, paths: readonly string[]): Promise<number> {
  const { context, options } = search
  let anyMatch = false
  let anyError = false
  for (const path of paths) {
    const silent: ToolContext = options.flags.has('s') ? { ...context, warn: async () => undefined } : context
    const stat = path === '-' ? undefined : context.sys.stat(context.pid, resolvePath(context.cwd, path))
    if (stat?.ok && stat.value.kind === 'dir') {
      await warn(silent, `${path}: Is a directory`)
      continue
    }
    const result = await searchOne({ ...search, context: silent }, path)
    anyMatch ||= result.count > 0
    anyError ||= result.failed
    if (anyMatch && options.flags.has('q')) return 0
  }
  return anyError ? 2 : anyMatch ? 0 : 1
}

async function searchOne(search: Search, path: string): Promise<{ count: number; failed: boolean }> {
  const { context, options, max } = search
  const { flags } = options
  const label = path === '-' ? '(standard input)' : path
  const prefix = search.namesFiles ? label : ''
  const isQuiet = ['q', 'c', 'l', 'L'].some((flag) => flags.has(flag))
  const printer = createPrinter(search, prefix)
  let count = 0
  let number = 0
  const status = await eachBlock(context, path, async (lines) => {
    let out = ''
    for (const line of lines) {
      number++
      search.regex.lastIndex = 0
      const hits = search.regex.test(line) !== flags.has('v')
      if (hits) count++
      if (!isQuiet) out += printer(line, number, hits)
      if (count >= max && (search.after === 0 || !hits)) break
      if (hits && (flags.has('q') || flags.has('l'))) break
    }
    await context.print(out)
    return count < max && !(count > 0 && (flags.has('q') || flags.has('l')))
  })
  if (!flags.has('q')) {
    if (flags.has('c')) await context.print(`${prefix === '' ? '' : `${prefix}:`}${count}\n`)
    else if (flags.has('l') && count > 0) await context.print(`${label}\n`)
    else if (flags.has('L') && count === 0 && status === 0) await context.print(`${label}\n`)
  }
  return { count, failed: status !== 0 }
}

/** Text to print for a line: the line, its context, or with -o the matches alone. */
function createPrinter(search: Search, prefix: string): (line: string, number: number, hits: boolean) => string {
  const { flags } = search.options
  const kept: { line: string; number: number }[] = []
  let after = 0
  let last = 0
  const shape = (line: string, number: number, mark: string): string => {
    const name = prefix === '' ? '' : prefix + mark
    return `${name}${flags.has('n') ? `${number}${mark}` : ''}${line}\n`
  }
  return (line, number, hits) => {
    if (!hits) {
      if (after > 0) {
        after--
        last = number
        return shape(line, number, '-')
      }
      kept.push({ line, number })
      if (kept.length > search.before) kept.shift()
      return ''
    }
    after = search.after
    if (flags.has('o')) {
      search.regex.lastIndex = 0
      const matches = [...line.matchAll(search.regex)].map((m) => m[0]).filter((m) => m !== '')
      return matches.map((match) => shape(match, number, ':')).join('')
    }
    const first = kept[0]?.number ?? number
    const gap = (search.before > 0 || search.after > 0) && last > 0 && first > last + 1 ? '--\n' : ''
    const context = kept.map((each) => shape(each.line, each.number, '-')).join('')
    kept.length = 0
    last = number
    return gap + context + shape(line, number, ':')
  }
}
