/**
 * A machine with a shell and without a window or a wall clock: simulated time runs exactly as far as a script needs.
 * For the command line, for conformance and for tests.
 */
import type { CommandResult, Refusal } from '../engine/commands'
import type { MachineConfig } from '../engine/config'
import type { Engine } from '../engine/engine_api'
import type { KernelState } from '../engine/state'
import type { ProgramTable } from '../engine/task'
import { createShell, type Shell, type ShellOptions, type Sys } from '../shell/index'
import { assert } from '../util/assert'
import type { Result } from '../util/result'
import type { Ns } from '../util/units'
import { bootMachine, issue, RECORD_NOTHING, type Machine, type MachineOptions } from './machine'
import { createSysHost } from './sys'

export interface HeadlessOptions {
  readonly engine: Engine
  readonly programs: ProgramTable
  /** Default: nothing is recorded. */
  readonly record?: MachineOptions
  /** Output of orphans. */
  readonly onStrayOutput?: (text: string) => void
}

export interface ScriptOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** $0 */
  readonly script?: string
  readonly cwd?: string
  /** Default: bash on a Debian userland, sh on an initramfs. */
  readonly name?: 'bash' | 'sh'
  /** The script is pid 1 itself, as on the capture machines. Otherwise it runs in a child of pid 1. */
  readonly asInit?: boolean
  /** Simulated time after which the script is given up with status 124. */
  readonly untilNs?: Ns
  readonly onStdout?: (text: string) => void
  readonly onStderr?: (text: string) => void
  readonly onExplain?: (text: string) => void
}

export interface ScriptResult {
  readonly status: number
  /** The script did not end by itself: the machine panicked, or its time was up. */
  readonly stopped: '' | 'panic' | 'timeout'
}

export interface Headless {
  readonly machine: Machine
  readonly sys: Sys
  state(): KernelState
  /** A shell on a task of its own. */
  openShell(options: Omit<ShellOptions, 'pid'>): Shell
  runScript(text: string, options?: ScriptOptions): Promise<ScriptResult>
  /** Lets simulated time pass, shells included. */
  advanceTo(atNs: Ns): Promise<void>
  readFile(path: string): Result<string, Refusal>
  /** As a process of its own would: `echo text > path`. */
  writeFile(path: string, text: string): CommandResult
}

/** Longest stretch of simulated time between two looks at whether a script has ended. */
const LOOK_NS = 1_000_000_000
const INIT = 1

export function createHeadless(config: MachineConfig, seed: number, options: HeadlessOptions): Headless {
  const machine = bootMachine(options.engine, config, seed, options.record ?? RECORD_NOTHING)
  const host = createSysHost(machine, {
    programs: options.programs,
    onStrayOutput: options.onStrayOutput ?? (() => {}),
  })
  const defaultName = config.userland === 'initramfs' ? 'sh' : 'bash'

  return {
    machine,
    sys: host.sys,
    state: () => machine.state,
    openShell: (shell) => createShell(host.sys, { ...shell, pid: forkShell(machine, shell.name ?? defaultName) }),
    runScript: (text, script = {}) => runScript({ machine, host, defaultName }, text, script),
    advanceTo: (atNs) => host.advance(atNs),
    readFile: (path) => machine.engine.readFile(machine.state, path),
    writeFile: (path, text) => issue(machine, { kind: 'write', pid: INIT, path, text, create: false, append: false }),
  }
}

/** A child of init that a shell drives. */
export function forkShell(machine: Machine, comm: string): number {
  const forked = issue(machine, { kind: 'fork', parent: INIT })
  assert(forked.ok, 'init cannot fork a shell')
  issue(machine, { kind: 'setComm', pid: forked.value.value, comm })
  return forked.value.value
}

interface ScriptRun {
  readonly machine: Machine
  readonly host: ReturnType<typeof createSysHost>
  readonly defaultName: 'bash' | 'sh'
}

async function runScript(
  { machine, host, defaultName }: ScriptRun,
  text: string,
  script: ScriptOptions,
): Promise<ScriptResult> {
  const name = script.name ?? defaultName
  const pid = script.asInit === true ? INIT : forkShell(machine, name)
  const shell = createShell(host.sys, {
    pid,
    name,
    ...(script.script === undefined ? {} : { script: script.script }),
    ...(script.args === undefined ? {} : { args: script.args }),
    ...(script.env === undefined ? {} : { env: script.env }),
    cwd: script.cwd ?? machine.state.tasks[pid]?.cwd ?? '/',
    out: (chunk, stream) => (stream === 1 ? script.onStdout : script.onStderr)?.(chunk),
    ...(script.onExplain === undefined ? {} : { explain: script.onExplain }),
  })
  let outcome: { readonly status: number } | { readonly failure: unknown } | undefined
  const work = async (): Promise<number> => {
    await shell.run(text)
    return shell.finish()
  }
  work().then(
    (status) => (outcome = { status }),
    (failure: unknown) => (outcome = { failure }),
  )
  const isOver = (): boolean => outcome !== undefined
  const untilNs = script.untilNs ?? Infinity
  for (;;) {
    await host.advance(Math.min(untilNs, machine.state.nowNs + LOOK_NS), isOver)
    if (outcome !== undefined) break
    if (machine.state.panicked !== '') return { status: 255, stopped: 'panic' }
    if (machine.state.nowNs >= untilNs) return { status: 124, stopped: 'timeout' }
  }
  if ('failure' in outcome) throw outcome.failure
  if (script.asInit !== true) endShell(machine, pid, outcome.status)
  return { status: outcome.status, stopped: '' }
}

/** The shell's own task goes with it. */
export function endShell(machine: Machine, pid: number, status: number): void {
  const task = machine.state.tasks[pid]
  if (task === undefined) return
  if (task.state !== 'Z') issue(machine, { kind: 'exit', pid, status })
  issue(machine, { kind: 'reap', parent: INIT, pid })
}
