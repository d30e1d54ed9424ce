/**
 * A shell process: the simulated task that runs the interpreter, with everything that fork copies. Subshells are copies
 * with another pid; `World` is what all of them share: the machine, the tables of commands, the terminal.
 */
import type { CommandNode, CompoundCommand, Redirected, Script } from 'unbash'
import type { Refusal } from '../engine/commands'
import type { Errno } from '../util/errno'
import { Doom } from './control'
import type { Descriptor, Descriptors, Pipe } from './stream'
import { releaseAll, retainAll } from './stream'
import type { Sys } from './sys'

export interface Variable {
  value: string | string[]
  exported: boolean
  readonly: boolean
}

export interface FunctionBody {
  readonly body: CompoundCommand | Redirected
  readonly source: string
}

export interface Options {
  errexit: boolean
  nounset: boolean
  xtrace: boolean
  noglob: boolean
  pipefail: boolean
}

/** Processes that Ctrl+C reaches together. */
export interface Group {
  readonly pids: Set<number>
}

/** A process that was started and its wait status (0…255, 128 + signal when it was killed). */
export interface Launched {
  readonly pid: number
  readonly done: Promise<number>
  /** False when its host ended it: then a status above 128 is no signal. */
  readonly wasKilled: () => boolean
}

export interface Job {
  readonly id: number
  readonly pids: readonly number[]
  readonly text: string
  readonly done: Promise<number>
  /** undefined while it runs. */
  status: number | undefined
  wasKilled: boolean
  isReported: boolean
}

/** Looks on as a tool works: strace. */
export interface ToolWatch {
  /** The tool's door to the machine, with somebody at it. */
  sys(sys: Sys): Sys
  /** The tool has written to one of its own descriptors, or was refused. */
  wrote(fd: number, text: string, refusal?: Errno): void
}

export interface LaunchRequest {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly fds: Descriptors
  readonly group: Group
  /** For tools only: programs are seen by the machine's own tracepoints. */
  readonly watch?: ToolWatch
}

export interface Builtin {
  readonly name: string
  /** One line for `help`. */
  readonly summary: string
  run(proc: Proc, args: readonly string[]): Promise<number> | number
}

/** What a tool computed by the shell may use: its own process, its arguments and its descriptors. */
export interface ToolContext {
  readonly world: World
  readonly sys: Sys
  readonly pid: number
  readonly doom: Doom
  readonly name: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly fds: Descriptors
  readonly group: Group
  /** Terminal width and height. */
  readonly size: { readonly columns: number; readonly rows: number }
  print(text: string): Promise<void>
  warn(text: string): Promise<void>
}

export interface Tool {
  readonly name: string
  /** One line for `help`. */
  readonly summary: string
  /** What `NAME --help` prints after "Usage: ". */
  readonly usage: string
  /** Words besides paths that its operands may be: what Tab offers. */
  readonly words?: () => readonly string[]
  run(context: ToolContext): Promise<number> | number
}

export interface World {
  readonly sys: Sys
  readonly tools: Readonly<Record<string, Tool>>
  readonly builtins: Readonly<Record<string, Builtin>>
  /** Living shell processes by pid. */
  readonly procs: Map<number, Proc>
  readonly input: Pipe
  readonly history: string[]
  size: { columns: number; rows: number }
  /** Our words beside the kernel's: never part of the output. */
  explain(text: string): void
  /** Runs parsed statements in a shell process. Bound by executor.ts. */
  execute(proc: Proc, script: Script): Promise<number>
  executeNode(proc: Proc, node: CommandNode): Promise<number>
  /** Parses and runs text in a shell process (eval, trap, source). Bound by executor.ts. */
  runText(proc: Proc, text: string): Promise<number>
  /** Runs one command, or a list, in a child: directly when it is a program, else in a subshell. Bound by executor.ts. */
  runInChild(proc: Proc, node: CommandNode | Script, fds: Descriptors, group: Group): Promise<Launched>
  /** Runs a program or a tool as a child of `parent`. Bound by launch.ts. */
  launch(parent: number, request: LaunchRequest): LaunchResult
}

export type LaunchResult =
  | { readonly ok: true; readonly launched: Launched }
  | { readonly ok: false; readonly status: number; readonly message: string }

export interface Proc {
  readonly pid: number
  /** `$$`: the pid of the shell, also inside its subshells. */
  readonly shellPid: number
  readonly world: World
  readonly sys: Sys
  readonly doom: Doom
  readonly group: Group
  /** What messages begin with: 'bash', 'sh' or a script's path. */
  name: string
  readonly dialect: 'bash' | 'sh'
  isInteractive: boolean
  /** `bash -c`: its last command takes the shell's place. */
  tail: CommandNode | undefined
  /** Signal that ended the tail command, 0 = none. */
  tailSignal: number
  cwd: string
  status: number
  /** Status of the last command substitution of the command under way. */
  substitutionStatus: number | undefined
  lastBackground: number
  /** Text that is being run, and where in it the command under way begins. */
  source: string
  position: number
  positional: string[]
  fds: Map<number, Descriptor>
  readonly vars: Map<string, Variable>
  readonly locals: Map<string, Variable | undefined>[]
  readonly functions: Map<string, FunctionBody>
  readonly aliases: Map<string, string>
  readonly traps: Map<string, string>
  readonly pendingTraps: string[]
  readonly options: Options
  readonly jobs: Job[]
  nrJobs: number
  loopDepth: number
  callDepth: number
  /** Above 0 inside conditions: `set -e` does not apply. */
  errexitSuspended: number
  /** Simulated time of the last turn of a loop. */
  lastTurnNs: number
  hasExited: boolean
  readonly startNs: number
}

export interface ProcRequest {
  readonly world: World
  readonly pid: number
  readonly group: Group
  readonly name: string
  readonly dialect: 'bash' | 'sh'
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly fds: Descriptors
  readonly positional: readonly string[]
  readonly doom?: Doom
}

/** A fresh shell: only the environment is inherited. */
export function createProc(request: ProcRequest): Proc {
  const { world, pid } = request
  const vars = new Map<string, Variable>()
  for (const [name, value] of Object.entries(request.env)) vars.set(name, { value, exported: true, readonly: false })
  const unexported = (name: string, value: string): void => {
    if (!vars.has(name)) vars.set(name, { value, exported: false, readonly: false })
  }
  unexported('IFS', ' \t\n')
  unexported('PWD', request.cwd)
  unexported('HOSTNAME', world.sys.hostname)
  const proc: Proc = {
    pid,
    shellPid: pid,
    world,
    sys: world.sys,
    doom: request.doom ?? new Doom(),
    group: request.group,
    name: request.name,
    dialect: request.dialect,
    isInteractive: false,
    tail: undefined,
    tailSignal: 0,
    cwd: request.cwd,
    status: 0,
    substitutionStatus: undefined,
    lastBackground: 0,
    source: '',
    position: 0,
    positional: [...request.positional],
    fds: new Map(request.fds),
    vars,
    locals: [],
    functions: new Map(),
    aliases: new Map(),
    traps: new Map(),
    pendingTraps: [],
    options: { errexit: false, nounset: false, xtrace: false, noglob: false, pipefail: false },
    jobs: [],
    nrJobs: 0,
    loopDepth: 0,
    callDepth: 0,
    errexitSuspended: 0,
    lastTurnNs: -1,
    hasExited: false,
    startNs: world.sys.now(),
  }
  world.procs.set(pid, proc)
  return proc
}

/** The copy that fork makes: variables, functions, options and descriptors, no jobs, no traps. */
export function copyProc(proc: Proc, pid: number, group: Group): Proc {
  const copy: Proc = {
    ...proc,
    pid,
    group,
    doom: new Doom(),
    isInteractive: false,
    tail: undefined,
    tailSignal: 0,
    positional: [...proc.positional],
    fds: new Map(proc.fds),
    vars: new Map([...proc.vars].map(([name, v]) => [name, { ...v, value: copyValue(v.value) }])),
    locals: proc.locals.map((frame) => new Map(frame)),
    functions: new Map(proc.functions),
    aliases: new Map(proc.aliases),
    traps: new Map([...proc.traps].filter(([, action]) => action === '')),
    pendingTraps: [],
    options: { ...proc.options },
    jobs: [],
    nrJobs: 0,
    hasExited: false,
  }
  proc.world.procs.set(pid, copy)
  return copy
}

const copyValue = (value: string | string[]): string | string[] => (typeof value === 'string' ? value : [...value])

/** Keeps pipes open for a process that holds `fds`; the result gives them back, once. */
export function hold(fds: Descriptors): () => void {
  const held = [...fds.values()]
  retainAll(held)
  let isHeld = true
  return () => {
    if (!isHeld) return
    isHeld = false
    releaseAll(held)
  }
}

/** Hands a refusal's explanation to the side channel. */
export function explainRefusal(world: World, refusal: Refusal): void {
  if (refusal.explanation !== '') world.explain(refusal.explanation)
}
