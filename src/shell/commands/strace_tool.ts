/**
 * The system calls of a tool that the shell computes: what it asks of the machine, and what it prints. Reads and writes that
 * take the machine time it sees by itself.
 * @model  a whole file is opened, read to its end by calls of 128 KiB, and closed; loading the tool's libraries is not
 *         shown, and neither is reading from a pipe or the terminal
 */
import type { Command, CommandResult, FileStat, Refusal } from '../../engine/commands'
import type { SyscallName } from '../../engine/syscall_numbers'
import { errnoNumber } from '../../util/errno'
import type { Result } from '../../util/result'
import { byteLength } from '../../util/utf8'
import type { ToolWatch } from '../process'
import type { Sys } from '../sys'

/** A call from its beginning to its end. */
export interface WholeCall {
  readonly name: SyscallName
  readonly args: readonly number[]
  readonly text?: string
  readonly result: number
  readonly out?: number
  readonly outText?: string
}

const AT_FDCWD = -100
const O_WRONLY = 1
const O_CREAT = 0x40
const O_TRUNC = 0x200
const O_APPEND = 0x400
const O_DIRECTORY = 0x10000
/** @model  what coreutils read at once */
const BUFFER = 131_072
const FD = 3
/** @model  of a directory entry with a short name */
const DIRENT_BYTES = 32

const valueOf = (outcome: Result<unknown, Refusal>, value: number): number =>
  outcome.ok ? value : -errnoNumber(outcome.error.errno)

const openat = (path: string, flags: number, result: number): WholeCall => {
  return { name: 'openat', args: [AT_FDCWD, 0, flags, 0o666], text: path, result }
}
const close: WholeCall = { name: 'close', args: [FD], result: 0 }

function readCalls(path: string, outcome: Result<string, Refusal>): WholeCall[] {
  const opened = openat(path, 0, valueOf(outcome, FD))
  if (!outcome.ok) return [opened]
  const calls = [opened]
  const bytes = byteLength(outcome.value)
  for (let at = 0; at < bytes; at += BUFFER) {
    const outText = outcome.value.slice(at, at + 64)
    calls.push({ name: 'read', args: [FD, 0, BUFFER], result: Math.min(BUFFER, bytes - at), outText })
  }
  return [...calls, { name: 'read', args: [FD, 0, BUFFER], result: 0 }, close]
}

/** Which call refused is not known: a file that cannot be opened is told from one that cannot be written by its errno. */
const OPEN_ERRORS = new Set(['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR', 'EROFS', 'ELOOP', 'EMFILE'])

function writeCalls(path: string, text: string, flags: number, outcome: CommandResult): WholeCall[] {
  if (!outcome.ok && OPEN_ERRORS.has(outcome.error.errno)) return [openat(path, flags, valueOf(outcome, 0))]
  const opened = openat(path, flags, FD)
  if (text === '') return [opened, close]
  const bytes = byteLength(text)
  return [opened, { name: 'write', args: [FD, 0, bytes], text, result: valueOf(outcome, bytes) }, close]
}

function listCalls(path: string, outcome: Result<readonly string[], Refusal>): WholeCall[] {
  const opened = openat(path, O_DIRECTORY, valueOf(outcome, FD))
  if (!outcome.ok) return [opened]
  // Every directory has . and .. too.
  const bytes = (outcome.value.length + 2) * DIRENT_BYTES
  const call = { name: 'getdents64', args: [FD, 0, BUFFER / 4] } as const
  return [opened, { ...call, result: bytes }, { ...call, result: 0 }, close]
}

/** A tool that is given `-` may look for a file of that name; the real one does not. */
function statCalls(path: string, outcome: Result<FileStat, Refusal>): WholeCall[] {
  if (path.endsWith('/-')) return []
  const out = outcome.ok ? outcome.value.sizeBytes : 0
  return [{ name: 'newfstatat', args: [AT_FDCWD, 0, 0, 0], text: path, result: valueOf(outcome, 0), out }]
}

function commandCall(command: Command, result: number): WholeCall | undefined {
  switch (command.kind) {
    case 'mkdir':
      return { name: 'mkdir', args: [0, 0o777], text: command.path, result }
    case 'rmdir':
    case 'unlink':
      return { name: command.kind, args: [0], text: command.path, result }
    case 'rename':
      return { name: 'rename', args: [0, 0], text: `${command.from}\n${command.to}`, result }
    case 'swapon':
    case 'swapoff':
      return { name: command.kind, args: [0, 0], text: command.path, result }
    default:
      return undefined
  }
}

/** Tells of every call, in the order in which the tool makes them. */
export function watchTool(see: (call: WholeCall) => void): ToolWatch {
  const all = (calls: readonly WholeCall[]): void => calls.forEach(see)
  const told = <T>(outcome: T, calls: (outcome: T) => readonly WholeCall[]): T => {
    all(calls(outcome))
    return outcome
  }
  const flagsOf = (how: { create: boolean; append: boolean }): number =>
    O_WRONLY | (how.create ? O_CREAT : 0) | (how.append ? O_APPEND : O_TRUNC)
  return {
    sys: (sys: Sys): Sys => ({
      ...sys,
      read: (pid, path) => told(sys.read(pid, path), (done) => readCalls(path, done)),
      write: (pid, path, text, how) =>
        told(sys.write(pid, path, text, how), (done) => writeCalls(path, text, flagsOf(how), done)),
      order: (pid, path, text) => {
        const calls = (done: CommandResult): readonly WholeCall[] => writeCalls(path, text, O_WRONLY | O_TRUNC, done)
        const begun = sys.order(pid, path, text)
        return begun instanceof Promise ? begun.then((done) => told(done, calls)) : told(begun, calls)
      },
      list: (pid, path) => told(sys.list(pid, path), (done) => listCalls(path, done)),
      stat: (pid, path) => told(sys.stat(pid, path), (done) => statCalls(path, done)),
      command: (command) =>
        told(sys.command(command), (done) => {
          const call = commandCall(command, valueOf(done, 0))
          return call === undefined ? [] : [call]
        }),
    }),
    wrote: (fd, text, refusal) => {
      const bytes = byteLength(text)
      see({ name: 'write', args: [fd, 0, bytes], text, result: refusal === undefined ? bytes : -errnoNumber(refusal) })
    },
  }
}
