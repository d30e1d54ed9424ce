/** find and xargs: walking directories, running commands over what was found. */
import { strerror } from '../../util/errno'
import { matches } from '../glob'
import { basename, resolvePath } from '../paths'
import type { Tool, ToolContext } from '../process'
import { readAll } from '../stream'
import { fail, getOptions, warn } from './options'
import { runCommand } from './run'

interface Found {
  readonly path: string
  readonly depth: number
  readonly kind: string
  readonly sizeBytes: number
}

/** A term of find's expression; false ends its conjunction. */
type Term = (found: Found) => Promise<boolean> | boolean

interface Expression {
  readonly alternatives: Term[][]
  minDepth: number
  maxDepth: number
  hasAction: boolean
}

export const find: Tool = {
  name: 'find',
  summary: 'walks directories',
  usage:
    'find [PATH]... [-name PATTERN] [-path PATTERN] [-type fdl] [-maxdepth N] [-mindepth N] [!] [-o] [-print | -exec COMMAND {} \\;]',
  async run(context) {
    const args = [...context.args]
    const paths: string[] = []
    while (args[0] !== undefined && !/^(-.|!|\()/.test(args[0])) paths.push(args.shift() ?? '')
    const expression = await parseExpression(context, args)
    let status = 0
    const visit = async (path: string, depth: number): Promise<void> => {
      context.doom.check()
      const stat = context.sys.stat(context.pid, resolvePath(context.cwd, path))
      if (!stat.ok) {
        status = await warn(context, `'${path}': ${strerror(stat.error.errno)}`)
        return
      }
      const found = { path, depth, kind: stat.value.kind, sizeBytes: stat.value.sizeBytes }
      if (depth >= expression.minDepth && (await holds(expression, found)) && !expression.hasAction)
        await context.print(`${path}\n`)
      if (stat.value.kind !== 'dir' || depth >= expression.maxDepth) return
      const names = context.sys.list(context.pid, resolvePath(context.cwd, path))
      context.sys.command({ kind: 'lookup', pid: context.pid, path: resolvePath(context.cwd, path), entries: true })
      if (names.ok) for (const name of names.value) await visit(`${path.replace(/\/$/, '')}/${name}`, depth + 1)
    }
    for (const path of paths.length === 0 ? ['.'] : paths) await visit(path, 0)
    return status
  },
}

async function holds(expression: Expression, found: Found): Promise<boolean> {
  for (const terms of expression.alternatives) {
    let all = true
    for (const term of terms) {
      if (await term(found)) continue
      all = false
      break
    }
    if (all) return true
  }
  return false
}

const TYPES: Readonly<Record<string, string>> = { f: 'file', d: 'dir', l: 'symlink', b: 'device', c: 'device' }

async function parseExpression(context: ToolContext, args: string[]): Promise<Expression> {
  const terms: Term[] = []
  const expression: Expression = { alternatives: [terms], minDepth: 0, maxDepth: Infinity, hasAction: false }
  let current = terms
  let isNegated = false
  const add = (term: Term): void => {
    const negate = isNegated
    current.push(async (found) => (await term(found)) !== negate)
    isNegated = false
  }
  for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
    switch (arg) {
      case '!':
      case '-not':
        isNegated = !isNegated
        break
      case '-o':
      case '-or':
        expression.alternatives.push((current = []))
        break
      case '-a':
        break
      case '-name':
      case '-iname': {
        const pattern = args.shift() ?? ''
        const fold = (text: string): string => (arg === '-iname' ? text.toLowerCase() : text)
        add((found) => matches(fold(pattern), fold(basename(found.path))))
        break
      }
      case '-path': {
        const pattern = args.shift() ?? ''
        add((found) => matches(pattern, found.path))
        break
      }
      case '-type': {
        const kinds = (args.shift() ?? '').split(',').map((letter) => TYPES[letter])
        add((found) => kinds.includes(found.kind))
        break
      }
      case '-empty':
        add((found) => found.sizeBytes === 0)
        break
      case '-maxdepth':
        expression.maxDepth = Number(args.shift())
        break
      case '-mindepth':
        expression.minDepth = Number(args.shift())
        break
      case '-print':
        expression.hasAction = true
        add(async (found) => (await context.print(`${found.path}\n`), true))
        break
      case '-exec':
        expression.hasAction = true
        add(execTerm(context, args))
        break
      default:
        await fail(context, `unknown predicate '${arg}'`)
    }
  }
  return expression
}

function execTerm(context: ToolContext, args: string[]): Term {
  const end = args.findIndex((arg) => arg === ';' || arg === '+')
  const command = args.splice(0, end < 0 ? args.length : end + 1).slice(0, end < 0 ? undefined : -1)
  return async (found) =>
    (await runCommand(
      context,
      command.map((word) => word.replaceAll('{}', found.path)),
    )) === 0
}

export const xargs: Tool = {
  name: 'xargs',
  summary: 'runs a command with arguments from standard input',
  usage: 'xargs [-n MAX] [-I REPLACE] [-r] [-0] [-t] [COMMAND [ARGUMENT]...]',
  async run(context) {
    // Options end at the command's name.
    const args = [...context.args]
    const head: string[] = []
    while (args[0]?.startsWith('-')) {
      const arg = args.shift() ?? ''
      head.push(arg)
      if (/^-[nIdLP]$/.test(arg)) head.push(args.shift() ?? '')
    }
    const { flags, values } = await getOptions(context, 'n:I:d:L:P:r0t', {}, head)
    const command = args.length === 0 ? ['echo'] : args
    const input = await readAll(context, context.fds.get(0))
    const replaced = values.get('I')
    const items = words(
      input,
      flags.has('0') ? '\0' : replaced !== undefined || values.has('L') ? '\n' : values.get('d'),
    )
    if (items.length === 0 && (flags.has('r') || replaced !== undefined)) return 0
    const size = replaced === undefined ? Number(values.get('n') ?? values.get('L') ?? Math.max(1, items.length)) : 1
    let status = 0
    for (let i = 0; i === 0 || i < items.length; i += size) {
      const batch = items.slice(i, i + size)
      const argv =
        replaced === undefined
          ? [...command, ...batch]
          : command.map((word) => word.replaceAll(replaced, batch[0] ?? ''))
      if (flags.has('t')) await context.warn(`${argv.join(' ')}\n`)
      const ended = await runCommand(context, argv, { noInput: true })
      if (ended === 127 || ended === 126) return ended
      if (ended !== 0) status = 123
    }
    return status
  },
}

/** Blanks separate and quotes protect, unless a separator is given. */
function words(input: string, separator: string | undefined): string[] {
  if (separator !== undefined) return input.split(separator === '\\n' ? '\n' : separator).filter((word) => word !== '')
  return [...input.matchAll(/(?:"[^"]*"|'[^']*'|\\[^]|[^\s"'\\])+/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'|\\([^])/g, (_, a?: string, b?: string, c?: string) => a ?? b ?? c ?? ''),
  )
}
