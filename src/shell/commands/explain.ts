/** explain: each line of a file as it is now with what it means, or one name wherever it stands. No tool of Linux. */
import {
  aboutFile,
  entryOf,
  explainLine,
  explanationsOf,
  fieldsIn,
  knownNames,
  nameOfFile,
  suggestions,
  sysctlPath,
  termOf,
  topicOf,
  topics,
  wrap,
  type Topic,
} from '../../explain'
import { resolvePath } from '../paths'
import type { Tool, ToolContext } from '../process'
import { isTty } from '../stream'
import { getOptions, linesOf, readOperand, toText, warn } from './options'

const INDENT = '    '
/** Rows of a table that are shown as an example. */
const SAMPLE_ROWS = 6

export const explain: Tool = {
  name: 'explain',
  summary: 'says what each line of a file, a counter, a setting or a term means',
  usage: 'explain [-a] [FILE [NAME]... | NAME...]',
  words: knownNames,
  async run(context) {
    const { flags, operands } = await getOptions(context, 'a', { all: 'a' })
    const [first, ...rest] = operands
    if (first === undefined) return overview(context)
    const path = pathOf(context, first)
    const isTable = path !== undefined && topicOf(path)?.layout.kind !== 'value'
    if (isTable && rest.length > 0 && rest.every((name) => pathOf(context, name) === undefined))
      return each(rest, (name) => lineOf(context, path, name))
    return each(operands, (operand) => {
      const file = pathOf(context, operand)
      return file === undefined ? byName(context, operand) : byPath(context, file, flags.has('a'))
    })
  },
}

async function each(names: readonly string[], work: (name: string) => Promise<number>): Promise<number> {
  let status = 0
  for (const name of names) status = (await work(name)) || status
  return status
}

/** The file or directory that an operand means; undefined if it is a name. */
function pathOf(context: ToolContext, operand: string): string | undefined {
  const path = sysctlPath(operand) ?? resolvePath(context.cwd, operand)
  if (operand.includes('/')) return path
  const exists = context.sys.stat(context.pid, path).ok
  return exists && topicOf(path) !== undefined ? path : undefined
}

const strong = (context: ToolContext, text: string): string =>
  isTty(context.fds.get(1)) ? `\x1b[1m${text}\x1b[22m` : text

/** A line of the machine with its explanation below. */
async function say(context: ToolContext, head: string, texts: readonly string[]): Promise<void> {
  // Deeper than the line itself, which may be indented.
  const indent = INDENT + (/^ */.exec(head)?.[0] ?? '')
  const lines = texts.flatMap((text) => wrap(text, Math.max(40, context.size.columns), indent))
  await context.print(`${strong(context, head)}\n${toText(lines)}`)
}

const title = (context: ToolContext, path: string, about: string): Promise<void> =>
  context.print(`${toText(wrap(`${path}: ${about}`, Math.max(40, context.size.columns)))}\n`)

async function byPath(context: ToolContext, path: string, isAll: boolean): Promise<number> {
  const stat = context.sys.stat(context.pid, path)
  if (stat.ok && stat.value.kind === 'dir') return directory(context, path)
  const topic = topicOf(path)
  if (topic === undefined) return unknownFile(context, path)
  if (topic.layout.kind === 'value') return value(context, path, topic)
  const text = await readOperand(context, path)
  if (text === undefined) return 1
  await title(context, path, topic.about)
  const lines = linesOf(text)
  if (topic.layout.kind === 'lines') return named(context, topic, lines, isAll)
  if (topic.layout.kind === 'fields') {
    for (const line of lines)
      for (const [name, shown] of fieldsIn(topic, line))
        await say(context, `${name} = ${shown}`, [entryOf(topic, name) ?? ''])
    return 0
  }
  await sample(context, lines, isAll)
  for (const [name, meaning] of topic.entries) await say(context, name, [meaning])
  return 0
}

/** Lines that name themselves; those that repeat names already explained are left out, unless all are asked for. */
async function named(context: ToolContext, topic: Topic, lines: readonly string[], isAll: boolean): Promise<number> {
  const said = new Set<string>()
  let left = 0
  for (const line of lines) {
    const found = explainLine(topic, line)
    const fresh = found.filter(({ name }) => !said.has(name))
    fresh.forEach(({ name }) => said.add(name))
    if (fresh.length === 0 && said.size > 0 && !isAll) left++
    else
      await say(
        context,
        line,
        fresh.map(({ name, text }) => (found.length > 1 ? `${name}: ${text}` : text)),
      )
  }
  if (left > 0) await context.print(`${left} more lines say the same of others; explain -a shows them.\n`)
  return 0
}

async function sample(context: ToolContext, lines: readonly string[], isAll: boolean): Promise<void> {
  const shown = isAll ? lines : lines.slice(0, SAMPLE_ROWS)
  await context.print(toText(shown.map((line) => strong(context, line))))
  const left = lines.length - shown.length
  if (left > 0) await context.print(`${left} more lines; explain -a shows them.\n`)
  await context.print('\n')
}

/** A file that is one value: `/proc/sys/vm/swappiness = 60`. */
async function value(context: ToolContext, path: string, topic: Topic): Promise<number> {
  const read = context.sys.read(context.pid, path)
  const lines = read.ok ? linesOf(read.value) : []
  const head = lines.length === 1 ? `${path} = ${lines[0]}` : path
  await say(context, head, [topic.entries.get(nameOfFile(topic, path)) ?? ''])
  return 0
}

async function directory(context: ToolContext, path: string): Promise<number> {
  const names = context.sys.list(context.pid, path)
  const known = (names.ok ? [...names.value].sort() : []).flatMap((name) => {
    const about = aboutFile(resolvePath(path, name))
    return about === undefined ? [] : [[name, about] as const]
  })
  if (known.length === 0) return unknownFile(context, path)
  for (const [name, about] of known) await say(context, name, [about])
  return 0
}

async function unknownFile(context: ToolContext, path: string): Promise<number> {
  if (!context.sys.stat(context.pid, path).ok) return warn(context, `${path}: No such file or directory`)
  return warn(context, `${path}: not a file about memory; 'explain' alone lists what is known`)
}

/** `explain FILE NAME`: the lines of that file which carry the name. */
async function lineOf(context: ToolContext, path: string, name: string): Promise<number> {
  const topic = topicOf(path)
  const text = topic === undefined ? undefined : entryOf(topic, name)
  if (topic === undefined) return unknownFile(context, path)
  if (text === undefined) return unknownName(context, name, `${path} has no "${name}"`)
  await say(context, (await current(context, topic, path, name)) ?? name, [text])
  return 0
}

/** What a file says now of a name: its first line that carries it. */
async function current(context: ToolContext, topic: Topic, path: string, name: string): Promise<string | undefined> {
  const read = context.sys.read(context.pid, path)
  if (!read.ok) return undefined
  if (topic.layout.kind === 'value') return `${name} = ${read.value.trim()}`
  const lines = linesOf(read.value)
  if (topic.layout.kind === 'fields') {
    const field = lines.flatMap((line) => fieldsIn(topic, line)).find(([other]) => other === name)
    return field === undefined ? undefined : `${name} = ${field[1]}`
  }
  return lines.find((line) => explainLine(topic, line).some((found) => found.name === name))
}

/** A name alone: in every topic that has it, and in the glossary. */
async function byName(context: ToolContext, name: string): Promise<number> {
  const tool = topics.find((topic) => topic.id === name)
  const found = explanationsOf(name).filter(({ topic }) => topic !== tool)
  // A file of that name says more than the term.
  const term = found.some(({ topic }) => topic.layout.kind === 'value') ? undefined : termOf(name)
  if (tool === undefined && found.length === 0 && term === undefined)
    return unknownName(context, name, `nothing is known by the name "${name}"`)
  if (tool !== undefined) {
    await title(context, name, tool.about)
    for (const [column, text] of tool.entries) await say(context, column, [text])
  }
  for (const { topic, name: exact, text } of found) {
    const path = topic.layout.kind === 'value' ? `${topic.id}/${exact}` : topic.id
    const now = topic.path?.test(path) === true ? await current(context, topic, path, exact) : undefined
    await say(context, `${topic.id}: ${(now ?? exact).trim()}`, [text])
  }
  if (term !== undefined) await say(context, term.name, [term.text])
  return 0
}

async function unknownName(context: ToolContext, name: string, problem: string): Promise<number> {
  const near = suggestions(name)
  return warn(
    context,
    near.length === 0 ? `${problem}; 'explain' alone lists the files` : `${problem}; there is ${near.join(', ')}`,
  )
}

async function overview(context: ToolContext): Promise<number> {
  await context.print(`Usage: ${explain.usage}\n\n`)
  for (const topic of topics) await say(context, topic.id, [topic.about])
  return 0
}
