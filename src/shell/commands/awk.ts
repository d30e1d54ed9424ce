/** awk: pattern scanning. The language is in ../awk; here it meets files and pipes. */
import { callBuiltin } from '../awk/functions'
import { AwkError, createAwk, global, Leave, runRules, setRecord, type Awk, type AwkHost } from '../awk/interpreter'
import { AwkSyntaxError } from '../awk/lexer'
import { parseAwk, type AwkProgram } from '../awk/parser'
import { fromInput, toNumber } from '../awk/values'
import { resolvePath } from '../paths'
import { unescape } from '../printf'
import type { Tool, ToolContext } from '../process'
import { IoError } from '../stream'
import { allLines, eachBlock } from './lines'
import { getOptions, readOperand, warn } from './options'

export const awk: Tool = {
  name: 'awk',
  summary: 'pattern scanning and text processing',
  usage: "awk [-F SEPARATOR] [-v NAME=VALUE]... {'PROGRAM' | -f FILE} [FILE | NAME=VALUE]...",
  run: runAwk,
}

interface Invocation {
  readonly source: string
  readonly operands: readonly string[]
  readonly separator: string | undefined
  readonly assignments: readonly string[]
}

async function runAwk(context: ToolContext): Promise<number> {
  const invocation = await invoked(context)
  if (invocation === undefined) return 2
  let program: AwkProgram
  try {
    program = parseAwk(invocation.source)
  } catch (error) {
    if (error instanceof AwkSyntaxError) return warn(context, error.message, 2)
    throw error
  }
  const output = createOutput(context)
  const machine = createAwk(program, output.host, callBuiltin)
  try {
    if (invocation.separator !== undefined) machine.globals.set('FS', unescape(invocation.separator))
    for (const each of invocation.assignments) assignArgument(machine, each)
    return await interpret(context, machine, invocation.operands, output)
  } catch (error) {
    if (error instanceof AwkError || error instanceof SyntaxError) {
      await output.flush()
      return warn(context, error.message, 2)
    }
    throw error
  }
}

async function invoked(context: ToolContext): Promise<Invocation | undefined> {
  // Options end at the program's text: what follows belongs to the program.
  const args = [...context.args]
  const head: string[] = []
  while (args[0]?.startsWith('-') && args[0] !== '-') {
    const arg = args.shift() ?? ''
    if (arg === '--') break
    head.push(arg)
    if (/^-[Fvf]$/.test(arg)) head.push(args.shift() ?? '')
  }
  const assignments = head.flatMap((arg, i) =>
    arg === '-v' ? [head[i + 1] ?? ''] : /^-v./.test(arg) && head[i - 1] !== '-v' ? [arg.slice(2)] : [],
  )
  const { values } = await getOptions(context, 'F:v:f:', {}, head)
  const file = values.get('f')
  const source = file === undefined ? args.shift() : await readOperand(context, file)
  if (source === undefined) {
    if (file === undefined) await context.warn(`Usage: ${awk.usage}\n`)
    return undefined
  }
  return { source, operands: args, separator: values.get('F') === 't' ? '\t' : values.get('F'), assignments }
}

function assignArgument(machine: Awk, argument: string): boolean {
  const found = /^([A-Za-z_]\w*)=([^]*)$/.exec(argument)
  if (found === null) return false
  machine.globals.set(found[1] ?? '', fromInput(unescape(found[2] ?? '')))
  return true
}

interface Output {
  readonly host: AwkHost
  /** The records of the main input that getline may take. */
  pending: string[]
  flush(): Promise<void>
}

/** Collects what the program prints; files are written at once, one write each print. */
function createOutput(context: ToolContext): Output {
  let text = ''
  let errors = ''
  const opened = new Set<string>()
  const output: Output = {
    pending: [],
    host: {
      print: (more) => void (text += more),
      printTo(path, more, append) {
        if (path === '/dev/stderr' || path === '/dev/stdout') {
          if (path === '/dev/stderr') errors += more
          else text += more
          return
        }
        const how = { create: true, append: append || opened.has(path) }
        opened.add(path)
        const written = context.sys.write(context.pid, resolvePath(context.cwd, path), more, how)
        if (!written.ok) throw new IoError(written.error)
      },
      readFile(path) {
        const read = context.sys.read(context.pid, resolvePath(context.cwd, path))
        return read.ok ? read.value : undefined
      },
      nextRecord: () => output.pending.shift(),
      now: () => context.sys.bootEpochMs / 1000 + context.sys.now() / 1e9,
    },
    async flush() {
      const [out, bad] = [text, errors]
      text = ''
      errors = ''
      if (bad !== '') await context.warn(bad)
      await context.print(out)
    },
  }
  return output
}

async function interpret(
  context: ToolContext,
  machine: Awk,
  operands: readonly string[],
  output: Output,
): Promise<number> {
  let status = 0
  let isExiting = false
  /** Runs rules until `exit`; false when the input shall not go on. */
  const step = (body: () => void): boolean => {
    try {
      body()
      return true
    } catch (error) {
      if (!(error instanceof Leave)) throw error
      if (error.how === 'next') return true
      if (error.how === 'exit') {
        isExiting = true
        if (error.value !== undefined) status = toNumber(error.value) & 255
      }
      return false
    }
  }
  step(() => runRules(machine, 'BEGIN'))
  await output.flush()
  const needsInput = machine.program.rules.some((rule) => rule.when !== 'BEGIN')
  if (!isExiting && needsInput) status = (await readInput(context, machine, operands, output, step)) || status
  // `exit` in a rule still runs END; `exit` in END ends it.
  step(() => runRules(machine, 'END'))
  await output.flush()
  return status
}

async function readInput(
  context: ToolContext,
  machine: Awk,
  operands: readonly string[],
  output: Output,
  step: (body: () => void) => boolean,
): Promise<number> {
  let status = 0
  let hasRead = false
  const records = async (lines: readonly string[]): Promise<boolean> => {
    output.pending = [...lines]
    for (let line = output.pending.shift(); line !== undefined; line = output.pending.shift()) {
      for (const counter of ['NR', 'FNR']) machine.globals.set(counter, toNumber(machine.globals.get(counter)) + 1)
      const record = line
      const goesOn = step(() => {
        setRecord(machine, record)
        runRules(machine, 'main')
      })
      if (!goesOn) {
        await output.flush()
        return false
      }
    }
    await output.flush()
    return true
  }
  const readOne = async (path: string): Promise<void> => {
    hasRead = true
    machine.globals.set('FILENAME', path === '-' ? '' : path)
    machine.globals.set('FNR', 0)
    if (machine.program.readsAhead || global(machine, 'RS') !== '\n') {
      const { lines, status: failed } = await allLines(context, [path])
      status = failed === 0 ? status : 2
      await records(splitRecords(lines, global(machine, 'RS')))
    } else if ((await eachBlock(context, path, records)) !== 0) status = 2
  }
  for (const operand of operands) if (!assignArgument(machine, operand)) await readOne(operand)
  if (!hasRead) await readOne('-')
  return status
}

/** RS = "" separates by blank lines; another character by itself. */
function splitRecords(lines: readonly string[], separator: string): string[] {
  if (separator === '\n') return [...lines]
  const text = lines.join('\n')
  if (separator === '') return text.split(/\n\n+/).filter((record) => record !== '')
  const records = text.split(separator.length === 1 ? separator : new RegExp(separator))
  if (records.at(-1) === '') records.pop()
  return records
}
