/** bash and sh: a child shell process, for `-c text`, a script file or standard input. */
import { Unwind } from '../control'
import { readAll } from '../stream'
import { runToEnd } from '../fork'
import { resolvePath } from '../paths'
import { createProc, type Proc, type Tool, type ToolContext } from '../process'
import { parseScript } from '../parse'
import { strerror } from '../../util/errno'
import type { CommandNode, Script } from 'unbash'

const shellTool = (dialect: 'bash' | 'sh'): Tool => ({
  name: dialect,
  summary: 'a child shell',
  usage: `${dialect} [-eux] [-c text [name [args]] | file [args]]`,
  run: (context) => runShell(context, dialect),
})

export const bash = shellTool('bash')
export const sh = shellTool('sh')

interface Invocation {
  readonly text: string
  readonly name: string
  readonly positional: readonly string[]
}

async function runShell(context: ToolContext, dialect: 'bash' | 'sh'): Promise<number> {
  const args = [...context.args]
  const options: string[] = []
  let isCommand = false
  while (/^[-+]./.test(args[0] ?? '')) {
    const arg = args.shift() ?? ''
    if (arg === '--') break
    if (arg === '-o' || arg === '+o') options.push(arg, args.shift() ?? '')
    else if (!arg.startsWith('--')) {
      isCommand ||= arg.includes('c')
      const rest = arg.replace(/[cil]/g, '')
      if (rest.length > 1) options.push(rest)
    }
  }
  const invocation = await invoked(context, dialect, args, isCommand)
  if (typeof invocation === 'number') return invocation
  const proc = createProc({
    world: context.world,
    pid: context.pid,
    group: context.group,
    doom: context.doom,
    name: invocation.name,
    dialect,
    cwd: context.cwd,
    env: context.env,
    fds: context.fds,
    positional: invocation.positional,
  })
  if (options.length > 0) await context.world.builtins.set?.run(proc, options)
  if (isCommand) proc.tail = tailOf(invocation.text)
  const status = await runToEnd(proc, (p) => p.world.runText(p, invocation.text))
  if (status !== undefined && proc.tailSignal === 0) return status
  // As exec would have it: the signal that ended the last command ended this process.
  if (proc.tailSignal !== 0) context.sys.kill(context.pid, context.pid, proc.tailSignal)
  throw new Unwind('killed', 137)
}

async function invoked(
  context: ToolContext,
  dialect: 'bash' | 'sh',
  args: readonly string[],
  isCommand: boolean,
): Promise<Invocation | number> {
  const [first, ...rest] = args
  if (isCommand) {
    if (first === undefined) {
      await context.warn(`${dialect}: -c: option requires an argument\n`)
      return 2
    }
    return { text: first, name: rest[0] ?? dialect, positional: rest.slice(1) }
  }
  if (first === undefined) return { text: await readAll(context, context.fds.get(0)), name: dialect, positional: [] }
  const read = context.sys.read(context.pid, resolvePath(context.cwd, first))
  if (read.ok) return { text: read.value, name: first, positional: rest }
  const words = strerror(read.error.errno)
  await context.warn(dialect === 'sh' ? `sh: can't open '${first}': ${words}\n` : `bash: ${first}: ${words}\n`)
  return read.error.errno === 'ENOENT' ? 127 : 126
}

/** The command that bash -c would exec in its own place: the last of the text. */
function tailOf(text: string): CommandNode | undefined {
  const parsed = parseScript(text)
  return parsed.ok ? lastCommand(parsed.script) : undefined
}

function lastCommand(script: Script): Proc['tail'] {
  const last = script.commands.at(-1)
  if (last === undefined || last.background) return undefined
  const node = last.command.type === 'AndOr' ? last.command.commands.at(-1) : last.command
  return node?.type === 'Command' ? node : undefined
}
