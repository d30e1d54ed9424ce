/**
 * Operations of programs as the system calls that a program in C would make: what raw_syscalls:sys_enter and sys_exit tell
 * those who listen, strace first of all. Accesses to memory and computing are none; malloc, free, and reading or writing a
 * whole small file are those that the C library makes for them.
 * @kernel  kernel/entry/common.c syscall_trace_enter(), arch/x86/entry/syscalls/syscall_64.tbl
 */
import { errnoNumber } from '../util/errno'
import { byteLength } from '../util/utf8'
import { PAGE_SIZE } from '../util/units'
import { pagesIn } from './mappings'
import { mmOf } from './mm/rss'
import type { KernelState } from './state'
import { ADVICE_NUMBERS, RLIMIT_NUMBERS, SYSCALL_NUMBERS as NR, type SyscallName } from './syscall_numbers'
import { MALLOC_HEADER, MMAP_THRESHOLD } from './syscalls_mm'
import type { Op, Task } from './task'
import { TRACE_SYS_ENTER, TRACE_SYS_EXIT, emit, isWanted } from './trace'

/** A call as it begins. Pointers to strings and structures are 0: what they point to is in `text`, or in their place. */
interface Call {
  readonly name: SyscallName
  readonly args: readonly number[]
  readonly text?: string
}

const O_WRONLY = 1
const O_CREAT = 0x40
const O_TRUNC = 0x200
const O_APPEND = 0x400
const AT_FDCWD = -100
const SIGCHLD = 17
const PR_SET_NAME = 15
const RLIM_INFINITY = -1

const limit = (bytes: number | undefined): number => (bytes === undefined || bytes === Infinity ? RLIM_INFINITY : bytes)
const mask = (nodes: readonly number[]): number => nodes.reduce((bits, nid) => bits + 2 ** nid, 0)

function openFlags(how: {
  readonly write?: boolean
  readonly create?: boolean
  readonly truncate?: boolean
  readonly append?: boolean
}): number {
  const bit = (wanted: boolean | undefined, flag: number): number => (wanted === true ? flag : 0)
  return bit(how.write, O_WRONLY) | bit(how.create, O_CREAT) | bit(how.truncate, O_TRUNC) | bit(how.append, O_APPEND)
}

/** The call that an operation on the address space is. */
function memoryCall(state: KernelState, task: Task, op: Op): Call | undefined {
  switch (op.op) {
    case 'mmap':
      return { name: 'mmap', args: [op.address ?? 0, op.length, op.prot, op.flags, op.fd ?? -1, op.offset ?? 0] }
    case 'munmap':
    case 'munlock':
    case 'mincore':
      return { name: op.op, args: [op.address, op.length] }
    case 'mprotect':
      return { name: 'mprotect', args: [op.address, op.length, op.prot] }
    case 'madvise':
      return { name: 'madvise', args: [op.address, op.length, ADVICE_NUMBERS[op.advice]] }
    case 'mremap':
      return { name: 'mremap', args: [op.address, op.oldLength, op.newLength, op.flags, op.newAddress ?? 0] }
    case 'msync':
      return { name: 'msync', args: [op.address, op.length, op.flags] }
    case 'mlock':
      return op.onFault === true
        ? { name: 'mlock2', args: [op.address, op.length, 1] }
        : { name: 'mlock', args: [op.address, op.length] }
    case 'mlockall':
      return { name: 'mlockall', args: [(op.current ? 1 : 0) | (op.future ? 2 : 0) | (op.onFault === true ? 4 : 0)] }
    case 'munlockall':
      return { name: 'munlockall', args: [] }
    case 'brk':
      return { name: 'brk', args: [op.address] }
    case 'malloc': {
      if (op.length >= MMAP_THRESHOLD)
        return { name: 'mmap', args: [0, pagesIn(op.length + PAGE_SIZE) * PAGE_SIZE, 3, 0x22, -1, 0] }
      const heap = mmOf(state, task)?.brk ?? 0
      return { name: 'brk', args: [heap + Math.ceil((op.length + MALLOC_HEADER) / 16) * 16] }
    }
    case 'mbind':
      return { name: 'mbind', args: [op.address, op.length, op.mode, mask(op.nodes), 64, op.flags] }
    case 'setMempolicy':
      return { name: 'set_mempolicy', args: [op.mode, mask(op.nodes), 64] }
    case 'movePages':
      return { name: 'move_pages', args: [0, Math.ceil(op.length / PAGE_SIZE), 0, 0, 0, 0] }
    default:
      return undefined
  }
}

/** The one call that an operation is; undefined: none, or more than one. */
function callOf(state: KernelState, task: Task, op: Op): Call | undefined {
  switch (op.op) {
    case 'open':
      return { name: 'openat', args: [AT_FDCWD, 0, openFlags(op), 0o666], text: op.path }
    case 'close':
    case 'fsync':
      return { name: op.op, args: [op.fd] }
    case 'sync':
      return { name: 'sync', args: [] }
    case 'read':
      return { name: 'read', args: [op.fd, 0, op.length] }
    case 'write':
      return { name: 'write', args: [op.fd, 0, op.length ?? byteLength(op.text ?? '')], text: op.text ?? '' }
    case 'pipe':
      return { name: 'pipe2', args: [0, 0] }
    case 'stat':
      return { name: 'newfstatat', args: [AT_FDCWD, 0, 0, 0], text: op.path }
    case 'unlink':
      return { name: 'unlink', args: [0], text: op.path }
    case 'sleep':
      return { name: 'clock_nanosleep', args: [0, 0, op.ns, 0] }
    case 'pause':
      return { name: 'pause', args: [] }
    case 'fork':
      return { name: 'clone', args: [SIGCHLD, 0, 0, 0, 0] }
    case 'wait':
      return { name: 'wait4', args: [op.pid, 0, 0, 0] }
    case 'signal':
      return { name: 'kill', args: [op.pid, op.signal] }
    case 'setuid':
      return { name: 'setuid', args: [op.uid] }
    case 'setAffinity':
      return { name: 'sched_setaffinity', args: [0, 8, op.cpu] }
    case 'setComm':
      return { name: 'prctl', args: [PR_SET_NAME, 0], text: op.comm }
    case 'catchSignals':
      return { name: 'rt_sigaction', args: [15, 0, 0, 8] }
    case 'setrlimit':
      return { name: 'prlimit64', args: [0, RLIMIT_NUMBERS[op.resource], limit(op.bytes), limit(op.hard)] }
    case 'exit':
      return { name: 'exit_group', args: [op.status] }
    default:
      return memoryCall(state, task, op)
  }
}

function enter(state: KernelState, { name, args, text = '' }: Call): void {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args
  emit(state, 'sys_enter', [NR[name], a, b, c, d, e, f], text)
}

const leave = (state: KernelState, name: SyscallName, result: number, out = 0, text = ''): void =>
  emit(state, 'sys_exit', [NR[name], result, out], text)

function whole(state: KernelState, call: Call, result: number, text = ''): void {
  enter(state, call)
  leave(state, call.name, result, 0, text)
}

/** A program begins an operation. */
export function traceEnter(state: KernelState, task: Task, op: Op): void {
  if (!isWanted(TRACE_SYS_ENTER) && !isWanted(TRACE_SYS_EXIT)) return
  const call = callOf(state, task, op)
  if (call !== undefined) enter(state, call)
  else if (op.op === 'free') {
    // By the time it is done nobody knows any more whether the block had a mapping of its own.
    const pages = task.heapBlocks[op.address]
    const args = [op.address - MALLOC_HEADER, (pages ?? 0) * PAGE_SIZE]
    if (pages !== undefined) whole(state, { name: 'munmap', args }, 0)
  }
}

/** A program's operation is done; its outcome is in the task. */
export function traceExit(state: KernelState, task: Task, op: Op): void {
  if (!isWanted(TRACE_SYS_ENTER) && !isWanted(TRACE_SYS_EXIT)) return
  if (op.op === 'exec') {
    const text = JSON.stringify([op.image.path, ...op.argv, Object.keys(task.env).length])
    return whole(state, { name: 'execve', args: [0, 0, 0], text }, 0)
  }
  if (op.op === 'readFile' || op.op === 'writeFile') return wholeFile(state, task, op)
  const call = callOf(state, task, op)
  if (call === undefined) return
  // Nobody saw these begin: the host gave them, or the start of a program that did not understand its arguments.
  if (task.program === 'host' || task.program === 'usage') enter(state, call)
  if (task.errno !== '' && call.name !== 'brk') return leave(state, call.name, -errnoNumber(task.errno))
  const { result, out } = outcome(state, task, op)
  leave(state, call.name, result, out, task.resultText.slice(0, 64))
}

/** What the call itself returns, where the operation's result is another thing. */
function outcome(state: KernelState, task: Task, op: Op): { readonly result: number; readonly out: number } {
  const { result } = task
  switch (op.op) {
    case 'malloc':
      return { result: op.length >= MMAP_THRESHOLD ? result - MALLOC_HEADER : (mmOf(state, task)?.brk ?? 0), out: 0 }
    case 'wait':
      return op.pid === -1 ? { result: Math.floor(result / 256), out: result % 256 } : { result: op.pid, out: result }
    case 'pipe':
    case 'mincore':
    case 'movePages':
      return { result: 0, out: 0 }
    case 'stat':
      return { result: 0, out: result }
    default:
      return { result, out: 0 }
  }
}

/** Errors of open(2); any other is that of the call that follows. */
const OPEN_ERRORS: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR', 'EROFS', 'ENOMEM', 'ELOOP'])

/** open, read or write, close. */
function wholeFile(state: KernelState, task: Task, op: Extract<Op, { readonly op: 'readFile' | 'writeFile' }>): void {
  const isWrite = op.op === 'writeFile'
  const flags = isWrite ? openFlags({ ...op, write: true, truncate: op.append !== true }) : 0
  const open: Call = { name: 'openat', args: [AT_FDCWD, 0, flags, 0o666], text: op.path }
  if (OPEN_ERRORS.has(task.errno)) return whole(state, open, task.errno === '' ? 0 : -errnoNumber(task.errno))
  let fd = 3
  while (task.fds[fd] !== undefined) fd++
  whole(state, open, fd)
  const bytes = byteLength(isWrite ? op.text : task.resultText)
  const result = task.errno === '' ? bytes : -errnoNumber(task.errno)
  if (isWrite) whole(state, { name: 'write', args: [fd, 0, bytes], text: op.text.slice(0, 64) }, result)
  else whole(state, { name: 'read', args: [fd, 0, Math.max(PAGE_SIZE, bytes)] }, result, task.resultText.slice(0, 64))
  whole(state, { name: 'close', args: [fd] }, 0)
}
