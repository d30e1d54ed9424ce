/** What a name means, and small facts of the shell: type, command -v, history, alias, umask, let. */
import { evaluateText } from '../arithmetic'
import { expandPartsToText } from '../expand'
import type { Builtin, Proc } from '../process'
import { refuse, say } from './say'
import { ulimit } from './ulimit'

const KEYWORDS = new Set(
  'if then else elif fi case esac for select while until do done in function time { } ! [[ ]]'.split(' '),
)

interface Meaning {
  readonly short: string
  readonly long: string
}

function meaning(proc: Proc, name: string): Meaning | undefined {
  const alias = proc.aliases.get(name)
  if (alias !== undefined) return { short: `alias ${name}='${alias}'`, long: `${name} is aliased to \`${alias}'` }
  if (KEYWORDS.has(name)) return { short: name, long: `${name} is a shell keyword` }
  if (proc.functions.has(name)) return { short: name, long: `${name} is a function` }
  if (Object.hasOwn(proc.world.builtins, name)) return { short: name, long: `${name} is a shell builtin` }
  if (proc.sys.isProgram(name) || Object.hasOwn(proc.world.tools, name))
    return { short: `/usr/bin/${name}`, long: `${name} is /usr/bin/${name}` }
  return undefined
}

async function type(proc: Proc, args: readonly string[]): Promise<number> {
  let status = 0
  for (const name of args.filter((arg) => !arg.startsWith('-'))) {
    const found = meaning(proc, name)
    if (found === undefined) status = await refuse(proc, `type: ${name}: not found`)
    else await say(proc, `${found.long}\n`)
  }
  return status
}

/** `command -v name`; other uses are resolved before the builtin is reached. */
async function command(proc: Proc, args: readonly string[]): Promise<number> {
  let status = args.length > 1 ? 0 : 1
  for (const name of args.slice(1)) {
    const found = meaning(proc, name)
    if (found === undefined) status = 1
    else await say(proc, `${args[0] === '-V' ? found.long : found.short}\n`)
  }
  return status
}

async function alias(proc: Proc, args: readonly string[]): Promise<number> {
  const line = (name: string): string => `alias ${name}='${proc.aliases.get(name)}'\n`
  if (args.length === 0) await say(proc, [...proc.aliases.keys()].sort().map(line).join(''))
  let status = 0
  for (const arg of args) {
    const cut = arg.indexOf('=')
    if (cut > 0) proc.aliases.set(arg.slice(0, cut), arg.slice(cut + 1))
    else if (proc.aliases.has(arg)) await say(proc, line(arg))
    else status = await refuse(proc, `alias: ${arg}: not found`)
  }
  return status
}

async function history(proc: Proc, args: readonly string[]): Promise<number> {
  const { history: all } = proc.world
  if (args[0] === '-c') {
    all.length = 0
    return 0
  }
  const from = args[0] === undefined ? 0 : Math.max(0, all.length - Number(args[0]))
  const lines = all.slice(from).map((line, i) => `${String(from + i + 1).padStart(5)}  ${line}\n`)
  await say(proc, lines.join(''))
  return 0
}

async function letBuiltin(proc: Proc, args: readonly string[]): Promise<number> {
  let value = 0n
  for (const arg of args) value = await evaluateText(proc, arg, expandPartsToText)
  return value === 0n ? 1 : 0
}

async function umask(proc: Proc, args: readonly string[]): Promise<number> {
  if (args.length > 0) return refuse(proc, 'umask: files of this machine have no owner and no mode to mask')
  await say(proc, '0022\n')
  return 0
}

async function help(proc: Proc): Promise<number> {
  const row = ({ name, summary }: { name: string; summary: string }): string => `  ${name.padEnd(12)} ${summary}\n`
  const sorted = <T extends { name: string }>(all: readonly T[]): T[] =>
    [...all].sort((a, b) => (a.name < b.name ? -1 : 1))
  await say(
    proc,
    `Programs that run inside the machine:\n  ${[...proc.sys.programNames()].sort().join(' ')}\n\n` +
      `Tools (NAME --help says more):\n${sorted(Object.values(proc.world.tools)).map(row).join('')}\n` +
      `Shell builtins:\n${sorted(Object.values(proc.world.builtins)).map(row).join('')}`,
  )
  return 0
}

export const inquire: readonly Builtin[] = [
  { name: 'type', summary: 'says what a name means', run: type },
  { name: 'command', summary: 'runs a command, or with -v says what it is', run: command },
  { name: 'alias', summary: 'names for commands', run: alias },
  {
    name: 'unalias',
    summary: 'removes aliases',
    run(proc, args) {
      for (const name of args) {
        if (name === '-a') proc.aliases.clear()
        else proc.aliases.delete(name)
      }
      return 0
    },
  },
  { name: 'history', summary: 'lists the lines typed so far', run: history },
  { name: 'let', summary: 'evaluates arithmetic', run: letBuiltin },
  { name: 'ulimit', summary: 'shows and sets resource limits', run: ulimit },
  { name: 'umask', summary: 'prints the mask for new files', run: umask },
  { name: 'help', summary: 'lists all commands', run: help },
]
