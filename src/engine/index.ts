/**
 * The engine's whole surface. A host makes one with its table of programs and drives machines with it; everything that a
 * person can do to a machine goes through here (ARCHITECTURE.md).
 */
import { err, ok } from '../util/result'
import { checkInvariants } from './check'
import { restoreCheckpoint, takeCheckpoint } from './checkpoint'
import type { CommandResult } from './commands'
import type { MachineConfig } from './config'
import { withContext, type Sink } from './context'
import { tracedNow } from './trace_ring'
import type { Engine } from './engine_api'
import { listPath, normalizePath, lookup, isPseudoPath, statPath } from './fs/vfs'
import { dispatch } from './handlers'
import { bootMachine } from './machine'
import { pseudo } from './procfs'
import { nextEventAt, popEvent } from './queue'
import type { KernelState } from './state'
import type { ProgramTable } from './task'
import { runCommand } from './user_commands'

export type { Command, CommandReply, CommandResult, FileStat, Refusal, Stdio } from './commands'
export type { Checkpoint, Engine } from './engine_api'
export { previewMachine, type Preview, type PreviewZone } from './preview'

function runUntil(state: KernelState, atNs: number, sink: Sink | undefined): number {
  if (sink !== undefined) sink.stopRequested = false
  for (;;) {
    const next = nextEventAt(state.queue)
    if (state.panicked !== '' || next === undefined || next > atNs) break
    const { event } = popEvent(state.queue)
    state.nowNs = next
    state.eventCount++
    dispatch(state, event)
    if (sink?.stopRequested === true) return state.nowNs
  }
  if (state.panicked === '' && atNs > state.nowNs && atNs !== Infinity) state.nowNs = atNs
  return state.nowNs
}

/** What the text of a real file looks like from outside; pseudo-files are asked without side effects. */
function peek(state: KernelState, rawPath: string): ReturnType<Engine['readFile']> {
  const path = normalizePath('/', rawPath)
  if (isPseudoPath(state, path) || path === '/dev/kmsg') {
    const text = pseudo.read(state, path, 1, true)
    return typeof text === 'string' ? ok(text) : err({ errno: text.errno, explanation: '' })
  }
  const inode = lookup(state, path)
  if (typeof inode === 'string') return err({ errno: inode, explanation: '' })
  return inode.kind === 'dir' ? err({ errno: 'EISDIR', explanation: '' }) : ok(inode.content)
}

/** By then the services that boot starts have come to rest. */
const BOOTED_NS = 2_000_000_000

/** @param programs  src/workloads' table: name → program */
export function createEngine({ programs }: { readonly programs: ProgramTable }): Engine {
  return {
    boot: (config: MachineConfig, seed: number) =>
      withContext(undefined, programs, () => {
        const state = bootMachine(config, seed)
        runUntil(state, BOOTED_NS, undefined)
        return state
      }),
    runUntil: (state, atNs, sink) => withContext(sink, programs, () => runUntil(state, atNs, sink), tracedNow(state)),
    command: (state, command, sink) => withContext(sink, programs, () => runCommand(state, command), tracedNow(state)),
    readFile: (state, path) => withContext(undefined, programs, () => peek(state, path)),
    writeFile: (state, path, text, sink): CommandResult =>
      withContext(
        sink,
        programs,
        () => runCommand(state, { kind: 'write', pid: 1, path, text, create: false, append: false }),
        tracedNow(state),
      ),
    listDir: (state, path) => {
      const names = listPath(state, normalizePath('/', path))
      return typeof names === 'string' ? err({ errno: names, explanation: '' }) : ok(names)
    },
    statFile: (state, path, pid) => {
      const stat = statPath(state, normalizePath(state.tasks[pid]?.cwd ?? '/', path))
      return typeof stat === 'string' ? err({ errno: stat, explanation: '' }) : ok(stat)
    },
    checkpoint: takeCheckpoint,
    restore: restoreCheckpoint,
    checkInvariants,
  }
}
