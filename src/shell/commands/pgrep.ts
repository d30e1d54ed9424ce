/** pgrep, pkill, pidof and killall: tasks by name. */
import { strerror } from '../../util/errno'
import { posixRegex } from '../regex'
import type { Tool, ToolContext } from '../process'
import { signalNumber } from '../signals'
import { fail, getOptions, warn } from './options'
import { readTasks, type TaskRow } from './tasks'

/** `-9` and `-KILL` before the other options. */
function takeSignal(args: readonly string[]): { signal: number; rest: string[] } {
  let signal = 15
  const rest = args.filter((arg) => {
    const number = /^-([A-Z]\w+|\d+)$/.test(arg) ? signalNumber(arg.slice(1)) : undefined
    if (number === undefined) return true
    signal = number
    return false
  })
  return { signal, rest }
}

async function select(
  context: ToolContext,
  args: readonly string[],
): Promise<{ rows: TaskRow[]; flags: ReadonlySet<string>; values: ReadonlyMap<string, string> }> {
  const { flags, values, operands } = await getOptions(context, 'flxcvnoas:P:d:', {}, args)
  const [pattern] = operands
  if (pattern === undefined && !values.has('P')) return fail(context, 'no matching criteria specified', 2)
  const regex = posixRegex(flags.has('x') ? `^(${pattern ?? ''})$` : (pattern ?? ''), 'extended')
  let rows = readTasks(context).filter((row) => {
    if (row.pid === context.pid) return false
    if (values.has('P') && row.ppid !== Number(values.get('P'))) return false
    return regex.test(flags.has('f') && row.args !== '' ? row.args : row.comm) !== flags.has('v')
  })
  if (flags.has('n')) rows = rows.slice(-1)
  if (flags.has('o')) rows = rows.slice(0, 1)
  return { rows, flags, values }
}

export const pgrep: Tool = {
  name: 'pgrep',
  summary: 'pids by name',
  usage: 'pgrep [-flxcvnoa] [-P PPID] [-d SEPARATOR] PATTERN',
  async run(context) {
    const { rows, flags, values } = await select(context, context.args)
    if (flags.has('c')) await context.print(`${rows.length}\n`)
    else if (rows.length > 0) {
      const lines = rows.map((row) =>
        flags.has('a')
          ? `${row.pid} ${row.args || row.comm}`
          : flags.has('l')
            ? `${row.pid} ${row.comm}`
            : String(row.pid),
      )
      await context.print(`${lines.join(values.get('d') ?? '\n')}\n`)
    }
    return rows.length > 0 ? 0 : 1
  },
}

async function killRows(context: ToolContext, rows: readonly TaskRow[], signal: number): Promise<number> {
  let status = rows.length > 0 ? 0 : 1
  for (const row of rows) {
    const sent = context.sys.kill(context.pid, row.pid, signal)
    if (!sent.ok) status = await warn(context, `killing pid ${row.pid} failed: ${strerror(sent.error.errno)}`)
  }
  return status
}

export const pkill: Tool = {
  name: 'pkill',
  summary: 'signals tasks by name',
  usage: 'pkill [-SIGNAL] [-fxno] PATTERN',
  async run(context) {
    const { signal, rest } = takeSignal(context.args)
    const { rows } = await select(context, rest)
    return killRows(context, rows, signal)
  },
}

export const killall: Tool = {
  name: 'killall',
  summary: 'signals all tasks of a name',
  usage: 'killall [-SIGNAL] NAME...',
  async run(context) {
    const { signal, rest } = takeSignal(context.args)
    const { flags, operands } = await getOptions(context, 'qvw', {}, rest)
    let status = 0
    for (const name of operands) {
      const rows = readTasks(context).filter((row) => row.comm === name && row.pid !== context.pid)
      if (rows.length === 0 && !flags.has('q')) await context.warn(`${name}: no process found\n`)
      status = (await killRows(context, rows, signal)) || status
    }
    return status
  },
}

export const pidof: Tool = {
  name: 'pidof',
  summary: 'pids of a program',
  usage: 'pidof [-s] NAME...',
  async run(context) {
    const { flags, operands } = await getOptions(context, 's')
    const found = readTasks(context).filter((row) => operands.includes(row.comm) && row.pid !== context.pid)
    const pids = found
      .map((row) => row.pid)
      .reverse()
      .slice(0, flags.has('s') ? 1 : undefined)
    if (pids.length === 0) return 1
    await context.print(`${pids.join(' ')}\n`)
    return 0
  },
}
