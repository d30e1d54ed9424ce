/** Simple commands: words, assignments and redirections, and what the first word turns out to be. */
import { parse } from 'unbash'
import type { Assignment, Command, CommandArgument, Word } from 'unbash'
import { strerror } from '../util/errno'
import { Unwind } from './control'
import { evaluateWord, expandText, expandWords } from './expand'
import { complain, complainOn } from './fork'
import { explainRefusal, type FunctionBody, type Launched, type Proc, type Variable } from './process'
import type { Group } from './process'
import { redirected } from './redirect'
import { IoError, writeTo, type Descriptor, type Descriptors } from './stream'
import { waitForeground } from './jobs'
import { environment, fatal, restoreLocals, setElement, setVariable, parameter } from './variables'

const MAX_CALL_DEPTH = 200

/** Builtins whose assignments before them stay (POSIX special builtins, in sh). */
const NEVER_DIRECT = new Set(['exec', 'command', 'builtin', 'eval', '.', 'source'])

export async function runSimple(proc: Proc, command: Command): Promise<number> {
  proc.substitutionStatus = undefined
  const argv = dropPrefixes(proc, await argumentsOf(proc, command))
  const assignments = command.prefix.filter((p) => p.type === 'Assignment')
  if (argv.length === 0) {
    const fds = await redirected(proc, command.redirects, proc.fds)
    for (const assignment of assignments) await assign(proc, assignment)
    if (fds === undefined) return 1
    return proc.substitutionStatus ?? 0
  }
  if (proc.options.xtrace) await trace(proc, argv)
  const name = argv[0] ?? ''
  if (name === 'exec') return runExec(proc, command, argv.slice(1))
  const isFunction = proc.functions.get(name)
  const builtin = Object.hasOwn(proc.world.builtins, name) ? proc.world.builtins[name] : undefined
  if (isFunction === undefined && builtin === undefined) {
    const launched = await launchExternal(proc, command, argv, proc.fds, proc.group)
    return launched === undefined ? proc.status : waitForeground(proc, launched, command)
  }
  const fds = await redirected(proc, command.redirects, proc.fds)
  if (fds === undefined) return 1
  const undo = await assignTemporarily(proc, assignments)
  try {
    if (isFunction !== undefined) return await callFunction(proc, isFunction, argv.slice(1), fds)
    return await withDescriptors(proc, fds, () => runBuiltin(proc, name, argv.slice(1)))
  } finally {
    undo()
  }
}

/**
 * Starts a command that is surely a program or a tool as a child with the given descriptors, without a subshell between.
 * Undefined when it is something else: then a subshell must run it.
 */
export async function startDirectly(
  proc: Proc,
  command: Command,
  fds: Descriptors,
  group: Group,
): Promise<Launched | undefined> {
  const word = command.name
  if (word === undefined || word.parts !== undefined) return undefined
  const name = word.value === 'sudo' ? firstPlainArgument(command) : word.value
  if (name === undefined || NEVER_DIRECT.has(name) || proc.aliases.has(name)) return undefined
  if (proc.functions.has(name) || Object.hasOwn(proc.world.builtins, name)) return undefined
  const argv = dropPrefixes(proc, await argumentsOf(proc, command))
  if (proc.options.xtrace) await trace(proc, argv)
  const launched = await launchExternal(proc, command, argv, fds, group)
  return launched ?? { pid: 0, done: Promise.resolve(proc.status), wasKilled: () => false }
}

const firstPlainArgument = (command: Command): string | undefined => {
  const first = command.args[0]
  return first?.type === 'Word' && first.parts === undefined && !first.value.startsWith('-') ? first.value : undefined
}

/** undefined when it could not be started: the message is printed and `proc.status` set. */
async function launchExternal(
  proc: Proc,
  command: Command,
  argv: readonly string[],
  base: Descriptors,
  group: Group,
): Promise<Launched | undefined> {
  const fds = await redirected(proc, command.redirects, base)
  if (fds === undefined) {
    proc.status = 1
    return undefined
  }
  const env = environment(proc)
  for (const assignment of command.prefix) {
    if (assignment.type !== 'Assignment') continue
    env[assignment.name] = assignment.value.type === 'Word' ? await expandText(proc, assignment.value) : ''
  }
  const started = proc.world.launch(proc.pid, { argv, env, cwd: proc.cwd, fds, group })
  if (started.ok) return started.launched
  const message = proc.dialect === 'sh' ? started.message.replace('command not found', 'not found') : started.message
  await complainOn(proc, fds, message)
  proc.status = started.status
  return undefined
}

async function argumentsOf(proc: Proc, command: Command): Promise<string[]> {
  const argv: string[] = []
  const words: CommandArgument[] = command.name === undefined ? [] : [command.name, ...command.args]
  for (const word of words) {
    if (word.type === 'Word') argv.push(...(await expandWords(proc, [word])))
    else if (word.value.type === 'Word')
      argv.push(`${word.name}${word.append ? '+' : ''}=${await expandText(proc, word.value)}`)
    else {
      await assign(proc, word)
      argv.push(word.name)
    }
  }
  const alias = command.name?.parts === undefined ? proc.aliases.get(argv[0] ?? '') : undefined
  if (alias === undefined) return argv
  const replaced = parse(alias).commands[0]?.command
  if (replaced?.type !== 'Command' || replaced.name === undefined) return argv
  const words2 = [replaced.name, ...replaced.args.filter((arg): arg is Word => arg.type === 'Word')]
  return [...(await expandWords(proc, words2)), ...argv.slice(1)]
}

/** `sudo` drops itself: the user is root. `command` and `builtin` do too, unless they are asked a question. */
function dropPrefixes(proc: Proc, argv: readonly string[]): string[] {
  let rest = [...argv]
  for (;;) {
    if (rest[0] === 'sudo' && rest.length > 1 && !proc.functions.has('sudo')) {
      rest = rest.slice(1)
      while (rest[0]?.startsWith('-')) rest = rest.slice(/^-[ugpC]$/.test(rest[0]) ? 2 : 1)
    } else if ((rest[0] === 'command' || rest[0] === 'builtin') && rest.length > 1 && !rest[1]?.startsWith('-'))
      rest = rest.slice(1)
    else return rest
  }
}

export async function assign(proc: Proc, assignment: Assignment): Promise<void> {
  const { name, value } = assignment
  if (value.type === 'ArrayValue') {
    const words = await expandWords(proc, value.elements)
    const old = assignment.append ? proc.vars.get(name)?.value : undefined
    setVariable(proc, name, [...(old === undefined ? [] : typeof old === 'string' ? [old] : old), ...words])
    return
  }
  const text = await expandText(proc, value)
  if (assignment.index !== undefined) {
    setElement(proc, name, await evaluateWord(proc, assignment.index), text)
    return
  }
  setVariable(proc, name, assignment.append ? (parameter(proc, name) ?? '') + text : text)
}

async function assignTemporarily(proc: Proc, assignments: readonly Assignment[]): Promise<() => void> {
  const saved = new Map<string, Variable | undefined>()
  for (const assignment of assignments) {
    const old = proc.vars.get(assignment.name)
    if (!saved.has(assignment.name)) saved.set(assignment.name, old === undefined ? undefined : { ...old })
    await assign(proc, assignment)
    const variable = proc.vars.get(assignment.name)
    if (variable !== undefined) variable.exported = true
  }
  return () => restoreLocals(proc, saved)
}

/** Runs `body` with other descriptors in place. */
export async function withDescriptors<T>(proc: Proc, fds: Map<number, Descriptor>, body: () => Promise<T>): Promise<T> {
  const saved = proc.fds
  proc.fds = fds
  try {
    return await body()
  } finally {
    // `exec >file` inside a function replaces the table for good; anything else gets the old one back.
    if (proc.fds === fds) proc.fds = saved
  }
}

/** Runs a builtin; a refused write is its error message, as bash prints it. */
export async function runBuiltin(proc: Proc, name: string, args: readonly string[]): Promise<number> {
  const builtin = proc.world.builtins[name]
  if (builtin === undefined) return 127
  try {
    return await builtin.run(proc, args)
  } catch (error) {
    if (!(error instanceof IoError)) throw error
    explainRefusal(proc.world, error.refusal)
    const who = proc.dialect === 'sh' ? '' : `${name}: `
    await complain(proc, `${who}write error: ${strerror(error.refusal.errno)}`)
    return 1
  }
}

export async function callFunction(
  proc: Proc,
  { body, source }: FunctionBody,
  args: readonly string[],
  fds: Map<number, Descriptor>,
): Promise<number> {
  if (proc.callDepth >= MAX_CALL_DEPTH) fatal(`maximum function nesting level exceeded (${MAX_CALL_DEPTH})`, 1)
  const saved = { positional: proc.positional, loopDepth: proc.loopDepth, source: proc.source, position: proc.position }
  const locals = new Map<string, Variable | undefined>()
  proc.positional = [...args]
  proc.loopDepth = 0
  proc.source = source
  proc.callDepth++
  proc.locals.push(locals)
  try {
    return await withDescriptors(proc, fds, () => proc.world.executeNode(proc, body))
  } catch (error) {
    if (error instanceof Unwind && error.kind === 'return') return error.value
    throw error
  } finally {
    proc.locals.pop()
    proc.callDepth--
    restoreLocals(proc, locals)
    Object.assign(proc, saved)
  }
}

async function runExec(proc: Proc, command: Command, argv: readonly string[]): Promise<number> {
  const fds = await redirected(proc, command.redirects, proc.fds)
  if (fds === undefined) throw new Unwind('exit', 1)
  if (argv.length === 0) {
    proc.fds = fds
    return 0
  }
  const launched = await launchExternal(proc, command, argv, proc.fds, proc.group)
  const status = launched === undefined ? proc.status : await waitForeground(proc, launched, command)
  throw new Unwind('exit', status)
}

async function trace(proc: Proc, argv: readonly string[]): Promise<void> {
  const words = argv.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`))
  await writeTo(proc, proc.fds.get(2), `+ ${words.join(' ')}\n`)
}
