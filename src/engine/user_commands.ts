/**
 * Commands of the user's side: what a shell's system calls do to the machine at the moment they are made.
 */
import type { Errno } from '../util/errno'
import { err, ok } from '../util/result'
import { cgroupByPath, migrateProcess } from './cgroup'
import { context } from './context'
import type { Command, CommandResult, Stdio } from './commands'
import { isSuspended } from './exec'
import { dropSuper, superOf } from './fs/dcache'
import { cacheEntries, cachePath } from './fs/namei'
import { chdir } from './fs/chdir'
import { mkdir, makeDirs, mountOf, normalizePath, rename, rmdir, statPath, unlink, lookup, createInode } from './fs/vfs'
import { shellImage, toolImage } from './images'
import { closeDescriptor, createTask, exitTask, reapZombie, sendSignal, startTask } from './lifecycle'
import { wakeTask, wakeTaskInPlace } from './sched_queue'
import { setMempolicy } from './mm/mbind'
import { mpolText, nextInterleaved } from './mm/mempolicy'
import { mkswap, swapon } from './mm/swapfile'
import { swapoff } from './mm/swapoff'
import { setRlimit } from './rlimit'
import type { KernelState } from './state'
import { openPath, readWhole, writeWhole } from './syscalls_file'
import { setCpusAllowed } from './sched_affinity'
import type { FileDescriptor, Op, Task } from './task'
import { hasProgram } from './userland'

const done = (value = 0, text = ''): CommandResult => ok({ value, text })
const refuse = (errno: Errno, explanation = ''): CommandResult => err({ errno, explanation })
const outcome = (errno: Errno | undefined, explanation = ''): CommandResult =>
  errno === undefined ? done() : refuse(errno, explanation)

const limitOf = (value: number | 'unlimited' | undefined): number | undefined =>
  value === 'unlimited' ? Infinity : value

/** The machine takes the command now; nothing is half done when it refuses. */
export function runCommand(state: KernelState, command: Command): CommandResult {
  if (state.panicked !== '')
    return refuse('EIO', `The machine has stopped: ${state.panicked}. Reset it or go back in time.`)
  const pid = 'parent' in command ? command.parent : 'pid' in command ? command.pid : 1
  const task = state.tasks[pid]
  if (command.kind === 'signal')
    return outcome(sendSignal(state, command.pid, command.signal), `There is no process ${command.pid}.`)
  if (task === undefined || task.state === 'Z') return refuse('ESRCH', `There is no process ${pid}.`)
  const { exec } = state
  exec.pid = pid
  exec.cpu = task.cpu
  exec.isCommand = true
  const result = perform(state, task, command)
  exec.isCommand = false
  // The user's side does not wait inside a command: what it charged or wanted to wait for is dropped.
  exec.pid = 0
  exec.cpu = 0
  exec.ns = 0
  exec.suspendUntilNs = -1
  exec.suspendReason = ''
  exec.waitPfn = 0
  return result
}

function perform(state: KernelState, task: Task, command: Exclude<Command, { kind: 'signal' }>): CommandResult {
  const path = (p: string): string => normalizePath(task.cwd, p)
  switch (command.kind) {
    case 'spawn':
      return spawn(state, task, command)
    case 'fork':
      return fork(state, task)
    case 'exit':
      return hostExit(state, task, command.status)
    case 'reap':
      return reap(state, task, command.pid)
    case 'read': {
      const text = readWhole(state, task, command.path)
      return typeof text === 'string' ? done(0, text) : refuse(text.errno)
    }
    case 'write':
      return write(state, task, command)
    case 'perform':
      return begin(state, task, command.op)
    case 'lookup':
      if (command.entries) cacheEntries(state, path(command.path))
      else cachePath(state, path(command.path))
      return done()
    case 'mkdir':
      return outcome(command.parents ? makeDirs(state, path(command.path)) : mkdir(state, path(command.path)))
    case 'rmdir':
      return outcome(rmdir(state, path(command.path)))
    case 'unlink':
      return outcome(unlink(state, path(command.path)))
    case 'rename':
      cachePath(state, path(command.from))
      cachePath(state, path(command.to))
      return outcome(rename(state, path(command.from), path(command.to)))
    case 'chdir':
      return outcome(chdir(state, task, path(command.path)))
    case 'mount':
      return mount(state, path(command.path), command.fs, command.source, command.options)
    case 'umount':
      return umount(state, path(command.path))
    case 'mkswap':
      return outcome(mkswap(state, path(command.path)))
    case 'swapon':
      return outcome(swapon(state, path(command.path), command.priority))
    case 'swapoff':
      return outcome(swapoff(state, path(command.path)))
    case 'setAffinity':
      if (command.cpus.length === 0 || command.cpus.some((cpu) => state.cpuNode[cpu] === undefined))
        return refuse('EINVAL', `Give CPUs of this machine: 0 to ${state.cpuNode.length - 1}.`)
      return setCpusAllowed(state, task, command.cpus)
        ? done()
        : refuse('EINVAL', 'The cpuset of its group has none of these CPUs: see cpuset.cpus.effective.')
    case 'setRlimit':
      return outcome(
        setRlimit(state, task, command.limit, { soft: limitOf(command.soft), hard: limitOf(command.hard) }),
      )
    case 'setMempolicy':
      return outcome(
        setMempolicy(state, task, command.mode, command.nodes),
        'The mask needs a node that has memory, unless the policy is default or local.',
      )
    case 'getMempolicy':
      return done(nextInterleaved(task), mpolText(task.mempolicy))
    case 'setComm':
      task.comm = command.comm.slice(0, 15)
      return done()
  }
}

/**
 * A write that the handler only began goes on as an operation of the task, whose time it takes. A task that is at something
 * else already does it at once.
 */
function write(state: KernelState, task: Task, command: Extract<Command, { kind: 'write' }>): CommandResult {
  const { path, text, create, append } = command
  state.exec.mayGoOn = command.goesOn === true && task.op?.op === 'host'
  const errno = writeWhole(state, task, path, text, command)
  const goesOn = state.exec.mayGoOn && isSuspended(state)
  state.exec.mayGoOn = false
  return goesOn ? begin(state, task, { op: 'writeFile', path, text, create, append }) : outcome(errno)
}

/** The task goes on by itself with an operation; its host hears of the end. */
function begin(state: KernelState, task: Task, op: Op): CommandResult {
  // Between two operations a task may be waiting on its way back to user space: it goes on when that is over.
  const isReturning = task.op === undefined
  if (!isReturning && task.op?.op !== 'host')
    return refuse('EBUSY', `Process ${task.pid} is in the middle of something else.`)
  task.op = op
  task.opDone = 0
  if (!isReturning) wakeTaskInPlace(state, task)
  return done(1)
}

function descriptorFor(
  state: KernelState,
  task: Task,
  stdio: Stdio | undefined,
  inherited: FileDescriptor | undefined,
  isInput: boolean,
): FileDescriptor | Errno {
  if (stdio === undefined) return inherited ?? { kind: 'host' }
  if (stdio.to === 'host') return { kind: 'host' }
  if (stdio.to === 'null') return { kind: 'null' }
  return openPath(state, task, stdio.path, {
    write: !isInput,
    create: !isInput,
    truncate: !isInput && !stdio.append,
    append: stdio.append,
  })
}

function spawn(state: KernelState, parent: Task, command: Extract<Command, { kind: 'spawn' }>): CommandResult {
  const name = command.argv[0] ?? ''
  const base = command.built?.program ?? name.split('/').pop() ?? ''
  const program = Object.hasOwn(context.programs, base) ? context.programs[base] : undefined
  if (program === undefined && command.tool !== true)
    return refuse('ENOENT', `There is no program ${base} in this machine.`)
  if (program !== undefined && !hasProgram(state, program))
    return refuse('ENOENT', `${base} is not in this machine's initramfs; machines with a Debian user land have it.`)
  const wanted = [command.stdin, command.stdout, command.stderr]
  const fds: FileDescriptor[] = []
  for (let fd = 0; fd < 3; fd++) {
    const made = descriptorFor(state, parent, wanted[fd], undefined, fd === 0)
    if (typeof made === 'string') {
      for (const opened of fds) closeDescriptor(state, opened)
      return refuse(made, `Descriptor ${fd} cannot be opened.`)
    }
    fds.push(made)
  }
  const isTool = program === undefined || command.tool === true
  const op: Op = {
    op: 'exec',
    argv: command.argv,
    program: isTool ? 'tool' : base,
    image: isTool
      ? toolImage(state.config, base)
      : { ...program.image, path: command.built?.path ?? program.image.path },
    forked: shellImage(state.config),
  }
  // Until exec the child has its parent's name.
  const child = newChild(state, parent, parent.comm, command.argv, op)
  for (const fd of child.fds) closeDescriptor(state, fd)
  child.fds = fds
  if (command.env !== undefined) child.env = { ...child.env, ...command.env }
  startTask(state, child)
  return done(child.pid)
}

function newChild(state: KernelState, parent: Task, comm: string, argv: readonly string[], op: Op): Task {
  return createTask(state, { ppid: parent.pid, comm, argv, program: 'host', data: {}, op, isKthread: false })
}

function fork(state: KernelState, parent: Task): CommandResult {
  const image = shellImage(state.config)
  const op: Op = { op: 'exec', argv: parent.argv, program: 'subshell', image, forked: image }
  const isLogin = parent.pid === 1
  const argv = isLogin ? [`-${shellName(state)}`] : parent.argv
  const child = newChild(state, parent, isLogin ? shellName(state) : parent.comm, argv, op)
  const session = isLogin ? cgroupByPath(state, LOGIN_CGROUP) : undefined
  if (session !== undefined) migrateProcess(state, child.pid, session.id)
  startTask(state, child)
  return done(child.pid)
}

/** Where a login session lives on a machine with systemd; other machines have no such group. */
export const LOGIN_CGROUP = '/user.slice/user-0.slice/session-1.scope'

const shellName = (state: KernelState): string => (state.config.userland === 'initramfs' ? 'init' : 'bash')

/** A task whose work is done outside leaves by itself; it dies in its own time slice. */
function hostExit(state: KernelState, task: Task, status: number): CommandResult {
  if (task.pid === 1) return refuse('EPERM', 'pid 1 cannot exit.')
  const { op } = task
  task.op = { op: 'exit', status }
  task.opDone = 0
  if (op?.op === 'exec') {
    // It was still being loaded: it leaves as soon as it runs.
    return done()
  }
  if (task.state === 'S' || task.state === 'D') wakeTask(state, task.pid)
  else if (task.state === 'R' && !isQueued(state, task)) exitTask(state, task, status)
  return done()
}

const isQueued = (state: KernelState, task: Task): boolean => state.runqueues.some((rq) => rq.queue.includes(task.pid))

function reap(state: KernelState, parent: Task, pid: number): CommandResult {
  const zombie = state.tasks[pid]
  if (zombie === undefined || zombie.ppid !== parent.pid)
    return refuse('ECHILD', `${pid} is no child of ${parent.pid}.`)
  if (zombie.state !== 'Z') return refuse('EAGAIN', `${pid} is still running.`)
  const status = zombie.exitStatus
  reapZombie(state, parent, zombie)
  return done(status)
}

const PSEUDO_FS = new Set(['proc', 'sysfs', 'cgroup2', 'devtmpfs', 'tracefs', 'debugfs'])

function mount(
  state: KernelState,
  path: string,
  fs: string,
  source: string,
  options: readonly string[],
): CommandResult {
  const at = statPath(state, path)
  if (typeof at === 'string') return refuse(at, `Make ${path} first.`)
  if (at.kind !== 'dir') return refuse('ENOTDIR')
  if (PSEUDO_FS.has(fs))
    return mountOf(state, path).fs === fs
      ? refuse('EBUSY', `${fs} is mounted there already.`)
      : refuse('ENODEV', `${fs} has its fixed place.`)
  const readOnly = options.includes('ro')
  if (fs === 'tmpfs') {
    const root = createInode(state, 'dir', 'tmpfs', 0, -1)
    state.mounts.push({ path, fs, root: root.ino, readOnly, source })
    return done()
  }
  if (fs !== 'ext4' && fs !== 'auto') return refuse('ENODEV', `File systems that can be mounted: ext4, tmpfs.`)
  const node = lookup(state, normalizePath('/', source))
  if (typeof node === 'string') return refuse('ENOENT', `There is no device ${source}.`)
  const device = node.kind === 'device' ? state.devices[node.device] : undefined
  if (device === undefined) return refuse('EINVAL', `${source} is no block device.`)
  if (device.rootIno === 0) return refuse('EINVAL', `${source} holds no file system.`)
  state.mounts.push({ path, fs: 'ext4', root: device.rootIno, readOnly, source })
  return done()
}

function umount(state: KernelState, path: string): CommandResult {
  const at = state.mounts.findLastIndex((m) => m.path === path)
  if (at <= 0) return refuse('EINVAL', `Nothing is mounted at ${path}.`)
  const [gone] = state.mounts.splice(at, 1)
  const root = state.inodes[gone!.root]
  if (root?.fs === 'ext4' && !state.mounts.some((mount) => mount.root === root.ino)) dropSuper(state, superOf(root))
  return done()
}
