/** Subshells: a forked task whose work is a piece of the interpreter. */
import { strerror } from '../util/errno'
import { Unwind } from './control'
import { copyProc, explainRefusal, hold, type Group, type Launched, type Proc } from './process'
import type { Descriptors } from './stream'
import { writeTo } from './stream'
import { fatal } from './variables'

export interface ForkRequest {
  readonly fds: Descriptors
  readonly group: Group
  readonly body: (child: Proc) => Promise<number>
}

/** SIGPIPE, as the writer of a pipe that nobody reads gets it. */
const SIGPIPE = 13

/** Forks; the child runs `body` and exits with its status. A refused fork ends the line as in bash. */
export function forkRun(proc: Proc, request: ForkRequest): Launched {
  const forked = proc.sys.fork(proc.pid)
  if (!forked.ok) {
    explainRefusal(proc.world, forked.error)
    return fatal(`fork: ${strerror(forked.error.errno)}`, 254)
  }
  const pid = forked.value
  const child = copyProc(proc, pid, request.group)
  child.fds = new Map(request.fds)
  const release = hold(request.fds)
  request.group.pids.add(pid)
  const ended = proc.sys.wait(proc.pid, pid).then((status) => {
    child.doom.die()
    release()
    request.group.pids.delete(pid)
    return status
  })
  const failed = runToEnd(child, request.body).then((status) => {
    release()
    if (status !== undefined) proc.sys.exit(pid, status)
  })
  // A failure of the interpreter itself must reach whoever waits.
  const done = Promise.race([ended, failed.then(() => ended)])
  return { pid, done, wasKilled: () => !child.hasExited }
}

/**
 * Runs the body of a shell process to its exit status; undefined when it was killed on the way.
 * Traps for EXIT run here, and messages of fatal errors are printed here.
 */
export async function runToEnd(proc: Proc, body: (proc: Proc) => Promise<number>): Promise<number | undefined> {
  let status = await guarded(proc, () => body(proc))
  const action = proc.traps.get('EXIT')
  if (status !== undefined && action !== undefined && action !== '') {
    proc.traps.delete('EXIT')
    proc.status = status
    const trapped = await guarded(proc, async () => {
      await proc.world.runText(proc, action)
      return status ?? 0
    })
    status = trapped
  }
  if (status !== undefined) proc.hasExited = true
  proc.world.procs.delete(proc.pid)
  return status
}

async function guarded(proc: Proc, body: () => Promise<number>): Promise<number | undefined> {
  try {
    return (await body()) & 255
  } catch (error) {
    if (!(error instanceof Unwind)) throw error
    switch (error.kind) {
      case 'killed':
        return undefined
      case 'brokenPipe':
        proc.sys.kill(proc.pid, proc.pid, SIGPIPE)
        return undefined
      case 'fatal':
        await complain(proc, error.message)
        return error.value
      case 'interrupted':
        return 130
      case 'exit':
      case 'return':
        return error.value & 255
      default:
        return proc.status
    }
  }
}

/** `bash: message` on standard error; a script names its line too. */
export const complain = (proc: Proc, message: string): Promise<void> => complainOn(proc, proc.fds, message)

/** The same on the standard error of another table of descriptors. */
export async function complainOn(proc: Proc, fds: Descriptors, message: string): Promise<void> {
  const line = proc.isInteractive || proc.dialect === 'sh' ? '' : `line ${currentLine(proc)}: `
  try {
    await writeTo(proc, fds.get(2), `${proc.name}: ${line}${message}\n`)
  } catch (error) {
    if (error instanceof Unwind) throw error
    // Standard error is closed or full: there is nobody to tell.
  }
}

/** Line of the command under way in the text that is being run. */
export const currentLine = (proc: Proc): number => proc.source.slice(0, proc.position).split('\n').length
