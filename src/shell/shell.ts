/** A shell on a terminal or for a script: what the host and the command line use. */
import { builtins } from './builtins/index'
import { tools } from './commands/index'
import { completions } from './complete'
import { Unwind } from './control'
import { checkpoint, execute, executeNode, runInChild, runText } from './executor'
import { complain, runToEnd } from './fork'
import { reportJobs } from './jobs'
import { launch } from './launch'
import { wantsMoreLines } from './parse'
import { createProc, type Proc, type World } from './process'
import { Pipe, type Descriptor } from './stream'
import type { Sys } from './sys'

export interface ShellOptions {
  /** The simulated task that the shell is. */
  readonly pid: number
  /** What messages begin with. 'sh' also speaks like busybox. */
  readonly name?: 'bash' | 'sh'
  /** $0, when it is a script. */
  readonly script?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** A terminal: job messages, aliases, no end at a failed command. */
  readonly interactive?: boolean
  /** Standard output (1) and error (2). */
  readonly out: (text: string, stream: 1 | 2) => void
  /** Our words beside a refusal of the kernel. */
  readonly explain?: (text: string) => void
}

export interface Shell {
  readonly pid: number
  readonly sys: Sys
  /** Lines typed so far, oldest first. */
  readonly history: string[]
  /** Status of the last command; the exit status once `hasExited`. */
  readonly status: number
  readonly hasExited: boolean
  readonly cwd: string
  /** Runs text (one line or a whole script) to its end. */
  run(text: string): Promise<number>
  /** Ctrl+C. */
  interrupt(): void
  /** Text typed while a command runs. */
  feed(text: string): void
  /** Ctrl+D while a command runs. */
  endInput(): void
  /** Text that was typed and that no command read. */
  takeUnread(): string
  /** What Tab offers for the word before the cursor: whole replacements for it. */
  complete(line: string, cursor: number): readonly string[]
  /** Whether `text` is the beginning of a longer command. */
  wantsMore(text: string): boolean
  prompt(): string
  resize(columns: number, rows: number): void
  /** The end of a script or of the session: EXIT traps. The simulated task is left to whoever made it. */
  finish(): Promise<number>
}

const SIGINT = 2

export function createShell(sys: Sys, options: ShellOptions): Shell {
  const input = new Pipe()
  const world = createWorld(sys, options, input)
  const proc = createMainProc(world, options)
  // login(1): what it starts has to begin there, too. A machine without that folder leaves its shell where it is.
  if (options.cwd === undefined) sys.command({ kind: 'chdir', pid: options.pid, path: proc.cwd })
  return {
    pid: options.pid,
    sys,
    history: world.history,
    get status() {
      return proc.status
    },
    get hasExited() {
      return proc.hasExited
    },
    get cwd() {
      return proc.cwd
    },
    run: (text) => runLine(proc, options, text),
    interrupt: () => interrupt(proc),
    feed: (text) => input.push(text),
    endInput: () => input.end(),
    takeUnread: () => input.takeAll(),
    complete: (line, cursor) => completions(proc, line, cursor),
    wantsMore: wantsMoreLines,
    prompt: () => prompt(proc),
    resize(columns, rows) {
      world.size = { columns, rows }
    },
    finish: () => (proc.hasExited ? Promise.resolve(proc.status) : finish(proc, proc.status)),
  }
}

function createWorld(sys: Sys, options: ShellOptions, input: Pipe): World {
  const world: World = {
    sys,
    tools,
    builtins,
    procs: new Map(),
    input,
    history: [],
    size: { columns: 80, rows: 24 },
    explain: options.explain ?? (() => undefined),
    execute,
    executeNode,
    runText,
    runInChild,
    launch: (parent, request) => launch(world, parent, request),
  }
  return world
}

function createMainProc(world: World, options: ShellOptions): Proc {
  const isInteractive = options.interactive ?? false
  const terminal = (stream: 1 | 2): Descriptor => ({
    kind: 'terminal',
    isTty: isInteractive,
    stream,
    input: world.input,
    emit: options.out,
  })
  const name = options.name ?? 'bash'
  const proc = createProc({
    world,
    pid: options.pid,
    group: { pids: new Set() },
    name: options.script ?? name,
    dialect: name,
    cwd: options.cwd ?? '/root',
    env: options.env ?? DEFAULT_ENV,
    fds: new Map([
      [0, terminal(1)],
      [1, terminal(1)],
      [2, terminal(2)],
    ]),
    positional: options.args ?? [],
  })
  proc.isInteractive = isInteractive
  if (isInteractive) for (const [alias, text] of ALIASES) proc.aliases.set(alias, text)
  return proc
}

async function runLine(proc: Proc, options: ShellOptions, text: string): Promise<number> {
  if (proc.hasExited) return proc.status
  // What an interrupt left behind in the middle of functions and loops.
  proc.locals.length = 0
  proc.loopDepth = 0
  proc.callDepth = 0
  proc.errexitSuspended = 0
  proc.doom.forgetInterrupt()
  let status: number
  try {
    status = await runText(proc, text)
    await checkpoint(proc)
  } catch (error) {
    status = await survive(proc, options, error)
  }
  if (proc.isInteractive && !proc.hasExited) await reportJobs(proc)
  return status
}

/** What reaches the top: an unwind ends the line, and sometimes the shell. */
async function survive(proc: Proc, options: ShellOptions, error: unknown): Promise<number> {
  if (!(error instanceof Unwind)) throw error
  switch (error.kind) {
    case 'exit':
      return finish(proc, error.value & 255)
    case 'killed':
      proc.hasExited = true
      return (proc.status = 137)
    case 'fatal':
      await complain(proc, error.message)
      return proc.isInteractive ? (proc.status = error.value) : finish(proc, error.value)
    case 'interrupted':
      options.out('\n', 1)
      return (proc.status = 130)
    default:
      return proc.status
  }
}

async function finish(proc: Proc, status: number): Promise<number> {
  proc.status = (await runToEnd(proc, () => Promise.resolve(status))) ?? 137
  proc.hasExited = true
  return proc.status
}

/** Ctrl+C: the foreground gets the signal; the shell itself drops its line, or runs its trap. */
function interrupt(proc: Proc): void {
  const action = proc.traps.get('INT')
  for (const pid of [...proc.group.pids]) proc.sys.kill(proc.pid, pid, SIGINT)
  if (action === undefined) proc.doom.interrupt()
  else if (action !== '') proc.pendingTraps.push(action)
}

function prompt(proc: Proc): string {
  const home = proc.vars.get('HOME')?.value
  const isBelow = typeof home === 'string' && (proc.cwd === home || proc.cwd.startsWith(`${home}/`))
  return `root@${proc.sys.hostname}:${isBelow ? `~${proc.cwd.slice(home.length)}` : proc.cwd}# `
}

const DEFAULT_ENV: Readonly<Record<string, string>> = {
  HOME: '/root',
  LANG: 'C.UTF-8',
  LOGNAME: 'root',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  SHELL: '/bin/bash',
  TERM: 'xterm-256color',
  USER: 'root',
}

const ALIASES: readonly (readonly [string, string])[] = [
  ['ll', 'ls -l'],
  ['la', 'ls -A'],
]
