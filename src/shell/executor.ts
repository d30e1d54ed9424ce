/**
 * Runs the syntax tree over the machine: lists, pipelines, background jobs and compound commands. Everything that waits
 * is a promise of Sys, so simulated time is the only time there is.
 */
import type { AndOr, CommandNode, Pipeline, PipelineNode, Script, Statement } from 'unbash'
import { Unwind } from './control'
import { runCompound } from './compound'
import { complain, forkRun } from './fork'
import { addJob, waitForeground } from './jobs'
import { parseScript } from './parse'
import type { Group, Launched, Proc } from './process'
import { redirected } from './redirect'
import { runSimple, startDirectly, withDescriptors } from './simple'
import { Pipe, writeTo, type Descriptor, type Descriptors } from './stream'

/** Runs statements in order. `proc.status` is that of the last one. */
export async function execute(proc: Proc, list: { readonly commands: readonly Statement[] }): Promise<number> {
  for (const statement of list.commands) {
    await checkpoint(proc)
    if (statement.background) await startBackground(proc, statement)
    else proc.status = await runList(proc, statement.command)
  }
  return proc.status
}

/** Parses and runs text; nothing runs when it has a syntax error. */
export async function runText(proc: Proc, text: string): Promise<number> {
  const parsed = parseScript(text)
  const saved = { source: proc.source, position: proc.position }
  proc.source = text
  try {
    if (parsed.ok) return await execute(proc, parsed.script)
    proc.position = text.split('\n').slice(0, parsed.line).join('\n').length
    await complain(proc, parsed.message)
    proc.status = 2
    return 2
  } finally {
    Object.assign(proc, saved)
  }
}

/** Between two commands: deadly signals, Ctrl+C, traps. */
export async function checkpoint(proc: Proc): Promise<void> {
  proc.doom.check()
  if (!proc.sys.isAlive(proc.pid)) {
    proc.doom.die()
    proc.doom.check()
  }
  for (let action = proc.pendingTraps.shift(); action !== undefined; action = proc.pendingTraps.shift()) {
    const status = proc.status
    await runText(proc, action)
    proc.status = status
  }
}

async function runList(proc: Proc, node: PipelineNode | AndOr): Promise<number> {
  if (node.type !== 'AndOr') return checked(proc, node, await runPipelineNode(proc, node))
  let status = 0
  for (const [index, command] of node.commands.entries()) {
    const operator = index === 0 ? undefined : node.operators[index - 1]
    if ((operator === '&&' && status !== 0) || (operator === '||' && status === 0)) continue
    const isLast = index === node.commands.length - 1
    status = isLast
      ? checked(proc, command, await runPipelineNode(proc, command))
      : await withoutErrexit(proc, () => runPipelineNode(proc, command))
    proc.status = status
  }
  return status
}

/** `set -e`: a failed command ends the shell, unless its status is a condition. */
function checked(proc: Proc, node: PipelineNode, status: number): number {
  if (status === 0 || !proc.options.errexit || proc.errexitSuspended > 0) return status
  const isOwn = node.type === 'Command' || node.type === 'Subshell' || node.type === 'TestCommand'
  const isPlainPipeline = node.type === 'Pipeline' && !node.prefixes.some((p) => p.type === 'Negation')
  if (isOwn || isPlainPipeline || node.type === 'ArithmeticCommand') throw new Unwind('exit', status)
  return status
}

export async function withoutErrexit<T>(proc: Proc, body: () => Promise<T>): Promise<T> {
  proc.errexitSuspended++
  try {
    return await body()
  } finally {
    proc.errexitSuspended--
  }
}

const runPipelineNode = (proc: Proc, node: PipelineNode): Promise<number> =>
  node.type === 'Pipeline' ? runPipeline(proc, node) : executeNode(proc, node)

/** One command of any kind, in this shell process. */
export async function executeNode(proc: Proc, node: CommandNode): Promise<number> {
  proc.position = node.pos
  switch (node.type) {
    case 'Command':
      await checkpoint(proc)
      proc.status = await runSimple(proc, node)
      return proc.status
    case 'Redirected': {
      if (node.command.type === 'Subshell') return runSubshell(proc, node.command.body, node.redirects)
      const fds = await redirected(proc, node.redirects, proc.fds)
      if (fds === undefined) return (proc.status = 1)
      return withDescriptors(proc, fds, () => executeNode(proc, node.command))
    }
    case 'Subshell':
      return runSubshell(proc, node.body, [])
    case 'Function': {
      if (node.body.type === 'CompoundList') return 2
      proc.functions.set(node.name.value, { body: node.body, source: proc.source })
      return 0
    }
    case 'Coproc':
    case 'Select':
      await complain(proc, `${node.type.toLowerCase()}: not supported`)
      return 1
    default:
      return runCompound(proc, node, { execute, checkpoint, withoutErrexit })
  }
}

async function runSubshell(
  proc: Proc,
  body: { readonly commands: readonly Statement[] },
  redirects: Parameters<typeof redirected>[1],
): Promise<number> {
  const fds = await redirected(proc, redirects, proc.fds)
  if (fds === undefined) return (proc.status = 1)
  const launched = forkRun(proc, { fds, group: proc.group, body: (child) => execute(child, body) })
  return (proc.status = await waitForeground(proc, launched, undefined))
}

async function runPipeline(proc: Proc, node: Pipeline): Promise<number> {
  const timing = node.prefixes.find((p) => p.type === 'Time')
  const isNegated = node.prefixes.filter((p) => p.type === 'Negation').length % 2 === 1
  const before = timing === undefined ? undefined : times(proc)
  const run = (): Promise<number> => {
    const [only] = node.commands
    return only !== undefined && node.commands.length === 1 ? executeNode(proc, only) : runMembers(proc, node)
  }
  const status = isNegated ? await withoutErrexit(proc, run) : await run()
  if (before !== undefined) await reportTimes(proc, before, timing?.type === 'Time' && timing.posix !== undefined)
  proc.status = isNegated ? (status === 0 ? 1 : 0) : status
  return proc.status
}

async function runMembers(proc: Proc, node: Pipeline): Promise<number> {
  const members = await startMembers(proc, node, proc.fds, proc.group)
  let status = 0
  let failed = 0
  for (const [index, member] of members.entries()) {
    const isLast = index === members.length - 1
    status = isLast
      ? await waitForeground(proc, member, undefined)
      : await proc.doom.race(member.done, { interruptible: false })
    if (status !== 0) failed = status
  }
  proc.doom.check()
  return proc.options.pipefail ? failed : status
}

/** Starts all members of a pipeline at once, each with its end of the pipes. */
async function startMembers(proc: Proc, node: Pipeline, base: Descriptors, group: Group): Promise<Launched[]> {
  const pipes = node.operators.map(() => new Pipe())
  // Until all run, the shell itself keeps both ends open.
  for (const pipe of pipes) {
    pipe.retain('read')
    pipe.retain('write')
  }
  const members: Launched[] = []
  try {
    for (const [index, command] of node.commands.entries()) {
      const fds = new Map(base)
      const [before, after] = [pipes[index - 1], pipes[index]]
      if (before !== undefined) fds.set(0, { kind: 'pipe', end: 'read', pipe: before })
      if (after !== undefined) {
        const out: Descriptor = { kind: 'pipe', end: 'write', pipe: after }
        fds.set(1, out)
        if (node.operators[index] === '|&') fds.set(2, out)
      }
      members.push(await runInChild(proc, command, fds, group))
    }
  } finally {
    for (const pipe of pipes) {
      pipe.release('read')
      pipe.release('write')
    }
  }
  return members
}

/** One command or list in a child process: a program directly, anything else in a subshell. */
export async function runInChild(
  proc: Proc,
  node: CommandNode | Script,
  fds: Descriptors,
  group: Group,
): Promise<Launched> {
  const only = node.type === 'Script' ? onlyCommand(node) : node
  if (only?.type === 'Command') {
    const direct = await startDirectly(proc, only, fds, group)
    if (direct !== undefined) return direct
  }
  const body = (child: Proc): Promise<number> =>
    node.type === 'Script' ? execute(child, node) : executeNode(child, node.type === 'Subshell' ? asGroup(node) : node)
  return forkRun(proc, { fds, group, body })
}

/** `( … )` that has a process already needs no second one. */
const asGroup = (node: Extract<CommandNode, { type: 'Subshell' }>): CommandNode => ({
  ...node,
  type: 'BraceGroup',
  body: node.body,
})

function onlyCommand(script: Script): CommandNode | undefined {
  const [statement] = script.commands
  if (script.commands.length !== 1 || statement === undefined || statement.background) return undefined
  return statement.command.type === 'Command' ? statement.command : undefined
}

async function startBackground(proc: Proc, statement: Statement): Promise<void> {
  const group: Group = { pids: new Set() }
  const fds = new Map(proc.fds)
  if (!proc.isInteractive && fds.get(0)?.kind === 'terminal') fds.set(0, { kind: 'null' })
  const node = statement.command
  const members =
    node.type === 'Pipeline' && node.prefixes.length === 0
      ? await startMembers(proc, node, fds, group)
      : [
          node.type === 'AndOr' || node.type === 'Pipeline'
            ? forkRun(proc, { fds, group, body: (child) => runList(child, node) })
            : await runInChild(proc, node, fds, group),
        ]
  await addJob(proc, proc.source.slice(statement.pos, statement.end).replace(/\s*&\s*$/, ''), members)
  proc.status = 0
}

interface Times {
  readonly ns: number
  readonly userNs: number
  readonly systemNs: number
}

/** Real time, and the CPU time of this shell and of the children that it has waited for. */
function times(proc: Proc): Times {
  const used = proc.sys.usage(proc.pid)
  return {
    ns: proc.sys.now(),
    userNs: (used?.userNs ?? 0) + (used?.more?.childUserNs ?? 0),
    systemNs: (used?.systemNs ?? 0) + (used?.more?.childSystemNs ?? 0),
  }
}

async function reportTimes(proc: Proc, before: Times, isPosix: boolean): Promise<void> {
  const after = times(proc)
  const [real, user, system] = [
    (after.ns - before.ns) / 1e9,
    (after.userNs - before.userNs) / 1e9,
    (after.systemNs - before.systemNs) / 1e9,
  ]
  const clock = (s: number): string => `${Math.floor(s / 60)}m${(s % 60).toFixed(3)}s`
  const text = isPosix
    ? `real ${real.toFixed(2)}\nuser ${user.toFixed(2)}\nsys ${system.toFixed(2)}\n`
    : `\nreal\t${clock(real)}\nuser\t${clock(user)}\nsys\t${clock(system)}\n`
  await writeTo(proc, proc.fds.get(2), text)
}
