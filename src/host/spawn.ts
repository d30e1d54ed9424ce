/** Starting a program from the window, in a group of choice: what `sh -c 'echo $$ > …/cgroup.procs; program &'` does. */
import type { CommandResult, Refusal } from '../engine/commands'
import { ok, type Result } from '../util/result'
import { issue, type Machine } from './machine'
import { refused, type Up } from './session-state'

const INIT = 1
const CGROUP_ROOT = '/sys/fs/cgroup'

/**
 * Its output goes to terminal 0, and init takes it away when it has ended.
 * @param cgroup  path below the root of the tree, '' or '/' for the root
 */
export function spawnInGroup(up: Up, argv: readonly string[], cgroup: string): Result<number> {
  const path = cgroup.replace(/^\/|\/$/g, '')
  const pid = path === '' ? start(up, INIT, argv) : startBelow(up, argv, `${CGROUP_ROOT}/${path}/cgroup.procs`)
  if (!pid.ok) return refused(pid.error, argv.join(' '))
  void up.host.sys.wait(INIT, pid.value)
  return pid
}

function start(up: Up, parent: number, argv: readonly string[]): Result<number, Refusal> {
  const { write } = up.terminals
  return up.host.sys.spawn(parent, { argv }, (_, text) => write(0, text.replace(/\r?\n/g, '\r\n')))
}

/** Through a forked child of init that moves itself into the group, as a shell would; the program inherits it. */
function startBelow(up: Up, argv: readonly string[], procs: string): Result<number, Refusal> {
  const { machine } = up
  const forked = issue(machine, { kind: 'fork', parent: INIT })
  if (!forked.ok) return forked
  const shell = forked.value.value
  const moved = move(machine, shell, procs)
  const started = moved.ok ? start(up, shell, argv) : moved
  issue(machine, { kind: 'exit', pid: shell, status: 0 })
  issue(machine, { kind: 'reap', parent: INIT, pid: shell })
  return started.ok ? ok(started.value as number) : started
}

const move = (machine: Machine, pid: number, procs: string): CommandResult =>
  issue(machine, { kind: 'write', pid, path: procs, text: `${pid}\n`, create: false, append: false })
