/**
 * The terminals of a window: each is a shell on a task of its own. Shells are not part of the machine, so when the run
 * is cut in the past they start anew, on the tasks that lived then.
 */
import { createShell, createTerminal, type Shell, type Terminal } from '../shell/index'
import { NS_PER_S } from '../util/units'
import { endShell, forkShell } from './headless'
import { isAtEnd, type Machine } from './machine'
import type { SysHost } from './sys'

interface Entry {
  readonly id: number
  columns: number
  rows: number
  pid: number
  shell: Shell | undefined
  terminal: Terminal | undefined
  /** Keys typed while the clock stood in the past: typed again after the cut. */
  pastInput: string
}

export interface Terminals {
  readonly entries: Map<number, Entry>
  readonly machine: Machine
  host: SysHost
  readonly write: (id: number, text: string) => void
}

export const createTerminals = (machine: Machine, host: SysHost, write: Terminals['write']): Terminals => ({
  entries: new Map(),
  machine,
  host,
  write,
})

/** A terminal of this size; its shell starts as soon as the clock stands at the end of the run. */
export function openTerminal(terminals: Terminals, id: number, size: { columns: number; rows: number }): void {
  const known = terminals.entries.get(id)
  if (known !== undefined) return resizeTerminal(terminals, id, size)
  terminals.entries.set(id, { id, ...size, pid: 0, shell: undefined, terminal: undefined, pastInput: '' })
  startShells(terminals)
}

/** Whether some shell has a command in the foreground. */
export const isAnyBusy = (terminals: Terminals): boolean =>
  [...terminals.entries.values()].some((entry) => entry.terminal?.isBusy === true)

export function resizeTerminal(terminals: Terminals, id: number, size: { columns: number; rows: number }): void {
  const entry = terminals.entries.get(id)
  if (entry === undefined) return
  Object.assign(entry, size)
  entry.terminal?.resize(size.columns, size.rows)
}

/** Gives every terminal without a shell one, if the clock stands at the end of the run. */
export function startShells(terminals: Terminals): void {
  if (!isAtEnd(terminals.machine) || terminals.machine.state.panicked !== '') return
  for (const entry of terminals.entries.values()) {
    if (entry.terminal === undefined) startShell(terminals, entry)
    entry.pastInput = ''
  }
}

function startShell(terminals: Terminals, entry: Entry): void {
  const { machine, host } = terminals
  const history = entry.shell?.history ?? []
  if (!isShellTask(machine, entry.pid)) entry.pid = forkShell(machine, 'bash')
  const { pid } = entry
  const shell = createShell(host.sys, {
    pid,
    interactive: true,
    out: (text) => terminal.print(text),
    explain: (text) => terminal.print(`\x1b[2m# ${text}\x1b[0m\n`),
  })
  shell.history.push(...history)
  const terminal: Terminal = createTerminal(shell, (text) => terminals.write(entry.id, text), {
    onExit: (status) => {
      if (entry.shell !== shell) return
      endShell(machine, pid, status)
      entry.terminal = undefined
      entry.pid = 0
      terminals.write(entry.id, '[The shell has ended. A key starts another.]\r\n')
    },
  })
  terminal.resize(entry.columns, entry.rows)
  entry.shell = shell
  entry.terminal = terminal
}

/** Whether the task that the shell was still is one: it may have been killed, or not be born yet. */
function isShellTask(machine: Machine, pid: number): boolean {
  const task = machine.state.tasks[pid]
  return pid > 0 && task !== undefined && task.state !== 'Z' && task.comm === 'bash'
}

/** Keys that make a shell act; all others only edit its line. */
const ACTING = /[\r\n\x03\x04]/

/**
 * Keys of one terminal. In the past they edit the line until one of them would act: then `cut` is called, after which
 * the clock stands at the end of the run and all shells are new.
 */
export function typeKeys(terminals: Terminals, id: number, text: string, cut: () => void): void {
  const entry = terminals.entries.get(id)
  if (entry === undefined) return
  if (isAtEnd(terminals.machine)) {
    startShells(terminals)
    entry.terminal?.input(text)
    return
  }
  entry.pastInput += text
  if (entry.terminal !== undefined && !entry.terminal.isBusy && !ACTING.test(text)) return entry.terminal.input(text)
  const typed = entry.pastInput
  cut()
  entry.terminal?.input(typed)
}

/** After a cut: every shell starts anew behind the new door. */
export function replaceShells(terminals: Terminals, host: SysHost): void {
  terminals.host = host
  const seconds = (terminals.machine.state.nowNs / NS_PER_S).toFixed(3)
  for (const entry of terminals.entries.values()) {
    entry.terminal = undefined
    terminals.write(entry.id, `\r\n\x1b[2m[The run was cut here, at ${seconds} s. This shell is a new one.]\x1b[0m\r\n`)
  }
  startShells(terminals)
}
