/**
 * A machine made of tables, for tests: files are entries of a map, programs are lists of steps, time is a sorted queue.
 * `settle` runs the queue whenever nobody asks the machine for anything any more.
 */
import type { Command, CommandResult, FileStat, Refusal } from '../../engine/commands'
import type { Errno } from '../../util/errno'
import { err, ok, type Result } from '../../util/result'
import type { Ns } from '../../util/units'
import type { SpawnRequest, Sys } from '../sys'

export type FakeStep =
  | { readonly sleepNs: number }
  | { readonly print: string; readonly fd?: 1 | 2 }
  | { readonly writeFile: string; readonly text: string }
  | { readonly pause: true }
  | { readonly raise: number }
  | { readonly exit: number }

export type FakeProgram = (argv: readonly string[], env: Readonly<Record<string, string>>) => readonly FakeStep[]

export interface FakeFile {
  kind: FileStat['kind']
  content: string
  writable: boolean
  executable: boolean
  target: string
  /** The kernel's say on a write; undefined accepts it and keeps the text. */
  onWrite?: (text: string, pid: number) => Errno | undefined
  onRead?: () => string
}

interface FakeTask {
  readonly pid: number
  readonly ppid: number
  name: string
  alive: boolean
  status: number
  cgroup: string
  readonly onEnd: Set<() => void>
}

interface Timer {
  readonly atNs: number
  readonly sequence: number
  readonly run: () => void
}

/** Loading a tool takes this long. */
const EXEC_NS = 300_000
/** Turns of the microtask queue without a question to the machine after which everybody waits for time. */
const QUIET_TURNS = 1000

export interface FakeMachine extends Sys {
  readonly files: Map<string, FakeFile>
  readonly tasks: ReadonlyMap<number, FakeTask>
  readonly log: string[]
  addFile(path: string, content: string, more?: Partial<FakeFile>): void
  /** Lets simulated time pass until `promise` has settled. */
  settle<T>(promise: Promise<T>): Promise<T>
  /** Lets simulated time pass for `ns`. */
  advance(ns: number): Promise<void>
}

export function fakeMachine(programs: Readonly<Record<string, FakeProgram>> = {}): FakeMachine {
  const files = new Map<string, FakeFile>()
  const tasks = new Map<number, FakeTask>()
  const timers: Timer[] = []
  const log: string[] = []
  let nowNs = 1_000_000_000
  let sequence = 0
  let nextPid = 100
  let activity = 0

  const refuse = (errno: Errno, explanation = ''): { ok: false; error: Refusal } => err({ errno, explanation })
  const at = (delayNs: number, run: () => void): void => {
    timers.push({ atNs: nowNs + delayNs, sequence: sequence++, run })
    timers.sort((a, b) => a.atNs - b.atNs || a.sequence - b.sequence)
  }
  const addFile = (path: string, content: string, more: Partial<FakeFile> = {}): void => {
    for (
      let dir = path.slice(0, path.lastIndexOf('/'));
      dir !== '' && !files.has(dir);
      dir = dir.slice(0, dir.lastIndexOf('/'))
    )
      files.set(dir, { kind: 'dir', content: '', writable: true, executable: true, target: '' })
    files.set(path, { kind: 'file', content, writable: true, executable: false, target: '', ...more })
  }
  addFile('/', '', { kind: 'dir' })
  for (const dir of ['/root', '/tmp', '/proc', '/out', '/bin']) addFile(dir, '', { kind: 'dir' })
  addFile('/dev/null', '', { kind: 'device' })

  const addTask = (ppid: number, name: string): FakeTask => {
    const task: FakeTask = {
      pid: nextPid++,
      ppid,
      name,
      alive: true,
      status: 0,
      cgroup: tasks.get(ppid)?.cgroup ?? '/',
      onEnd: new Set(),
    }
    tasks.set(task.pid, task)
    for (const [file, text] of Object.entries({ comm: `${name}\n`, oom_score: '0\n', oom_score_adj: '0\n' }))
      addFile(`/proc/${task.pid}/${file}`, text)
    addFile(
      `/proc/${task.pid}/status`,
      `Name:\t${name}\nPid:\t${task.pid}\nPPid:\t${ppid}\nVmRSS:\t    1000 kB\nVmSwap:\t       0 kB\n`,
    )
    addFile(
      `/proc/${task.pid}/stat`,
      `${task.pid} (${name}) S ${ppid} 0 0 0 0 0 10 0 2 0 1 1 0 0 20 0 1 0 100 5000000 250\n`,
    )
    return task
  }
  const end = (task: FakeTask, status: number): void => {
    if (!task.alive) return
    task.alive = false
    task.status = status
    for (const path of [...files.keys()])
      if (path === `/proc/${task.pid}` || path.startsWith(`/proc/${task.pid}/`)) files.delete(path)
    for (const notify of [...task.onEnd]) notify()
  }
  const find = (path: string): { path: string; file: FakeFile } | undefined => {
    const file = files.get(path)
    return file === undefined ? undefined : { path, file }
  }
  addTask(1, 'bash')

  const runProgram = (
    task: FakeTask,
    steps: readonly FakeStep[],
    request: SpawnRequest,
    onOutput: (fd: number, text: string) => void,
  ): void => {
    const next = (index: number): void => {
      if (!task.alive) return
      const step = steps[index]
      if (step === undefined) return end(task, 0)
      if ('exit' in step) return end(task, step.exit)
      if ('raise' in step) return end(task, 128 + step.raise)
      if ('pause' in step) return
      if ('sleepNs' in step) return at(step.sleepNs, () => next(index + 1))
      if ('writeFile' in step) addFile(step.writeFile, step.text)
      else {
        const fd = step.fd ?? 1
        const to = fd === 1 ? request.stdout : request.stderr
        if (to?.to === 'file') addFile(to.path, (to.append ? (files.get(to.path)?.content ?? '') : '') + step.print)
        else if (to?.to === 'host') onOutput(fd, step.print)
      }
      next(index + 1)
    }
    at(EXEC_NS, () => next(0))
  }

  const command = (c: Command): CommandResult => {
    activity++
    const done: CommandResult = ok({ value: 0, text: '' })
    log.push('path' in c ? `${c.kind} ${c.path}` : c.kind)
    switch (c.kind) {
      case 'mkdir':
        if (files.has(c.path)) return c.parents ? done : refuse('EEXIST')
        if (!c.parents && files.get(c.path.slice(0, c.path.lastIndexOf('/')) || '/')?.kind !== 'dir')
          return refuse('ENOENT')
        addFile(c.path, '', { kind: 'dir' })
        if (c.path.startsWith('/sys/fs/cgroup/'))
          for (const name of ['cgroup.procs', 'memory.max', 'memory.current', 'memory.oom.group'])
            addFile(`${c.path}/${name}`, name === 'memory.max' ? 'max\n' : '0\n')
        return done
      case 'rmdir':
        if (!files.has(c.path)) return refuse('ENOENT')
        for (const path of [...files.keys()]) if (path === c.path || path.startsWith(`${c.path}/`)) files.delete(path)
        return done
      case 'unlink':
        return files.delete(c.path) ? done : refuse('ENOENT')
      case 'rename': {
        const file = files.get(c.from)
        if (file === undefined) return refuse('ENOENT')
        files.delete(c.from)
        files.set(c.to, file)
        return done
      }
      case 'chdir':
        return files.get(c.path)?.kind === 'dir' ? done : refuse(files.has(c.path) ? 'ENOTDIR' : 'ENOENT')
      default:
        return done
    }
  }

  const sys: FakeMachine = {
    files,
    tasks,
    log,
    addFile,
    command,
    bootEpochMs: 1_700_000_000_000,
    hostname: 'vm',
    now: () => nowNs,
    isProgram: (name) => Object.hasOwn(programs, name),
    programNames: () => Object.keys(programs).sort(),
    read(_pid, path) {
      activity++
      const found = find(path)
      if (found === undefined) return refuse('ENOENT')
      if (found.file.kind === 'dir') return refuse('EISDIR')
      return ok(found.file.onRead?.() ?? found.file.content)
    },
    perform: () => Promise.resolve(refuse('EBADF')),
    order: (pid, path, text) => sys.write(pid, path, text, { create: false, append: false }),
    write(pid, path, text, how) {
      activity++
      const found = find(path)
      if (found === undefined) {
        const directory = files.get(path.slice(0, path.lastIndexOf('/')) || '/')
        if (!how.create || directory === undefined) return refuse('ENOENT')
        if (directory.kind !== 'dir') return refuse('ENOTDIR')
        addFile(path, text)
        return ok({ value: text.length, text: '' })
      }
      if (found.file.kind === 'dir') return refuse('EISDIR')
      const errno = found.file.onWrite?.(text, pid)
      if (errno !== undefined) return refuse(errno, `${path} does not accept ${JSON.stringify(text)}.`)
      if (path.endsWith('/cgroup.procs')) {
        const task = tasks.get(Number(text))
        if (task !== undefined) task.cgroup = path.slice('/sys/fs/cgroup'.length, -'/cgroup.procs'.length)
      }
      found.file.content = how.append ? found.file.content + text : text
      return ok({ value: text.length, text: '' })
    },
    list(_pid, path) {
      activity++
      const found = find(path)
      if (found === undefined) return refuse('ENOENT')
      if (found.file.kind !== 'dir') return refuse('ENOTDIR')
      const prefix = path === '/' ? '/' : `${path}/`
      const names = new Set<string>()
      for (const each of files.keys())
        if (each.startsWith(prefix) && each !== '/') names.add(each.slice(prefix.length).split('/')[0] ?? '')
      return ok([...names].sort())
    },
    stat(_pid, path): Result<FileStat, Refusal> {
      activity++
      const found = find(path)
      if (found === undefined) return refuse('ENOENT')
      const { kind, content, writable, executable, target } = found.file
      return ok({ kind, sizeBytes: content.length, writable, executable, target })
    },
    spawn(parent, request, onOutput) {
      activity++
      const program = programs[request.argv[0] ?? '']
      if (program === undefined) return refuse('ENOENT')
      log.push(`spawn ${request.argv.join(' ')}`)
      const task = addTask(parent, request.argv[0] ?? '')
      runProgram(task, program(request.argv, request.env ?? {}), request, onOutput)
      return ok(task.pid)
    },
    spawnTool(parent, argv) {
      activity++
      const task = addTask(parent, argv[0] ?? '')
      const ready = new Promise<boolean>((resolve) => {
        task.onEnd.add(() => resolve(false))
        at(EXEC_NS, () => resolve(task.alive))
      })
      return ok({ pid: task.pid, ready })
    },
    fork(parent) {
      activity++
      return ok(addTask(parent, tasks.get(parent)?.name ?? '').pid)
    },
    exit(pid, status) {
      activity++
      const task = tasks.get(pid)
      if (task !== undefined) end(task, status)
    },
    wait(_parent, pid) {
      activity++
      const task = tasks.get(pid)
      if (task === undefined) return Promise.resolve(127)
      if (!task.alive) return Promise.resolve(task.status)
      return new Promise((resolve) => task.onEnd.add(() => resolve(task.status)))
    },
    kill(_from, pid, signal) {
      activity++
      const task = tasks.get(pid)
      if (task === undefined || !task.alive) return refuse('ESRCH')
      log.push(`kill ${pid} ${signal}`)
      if (signal !== 0) end(task, 128 + signal)
      return ok({ value: 0, text: '' })
    },
    isAlive: (pid) => (activity++, tasks.get(pid)?.alive ?? false),
    trace: () => () => {},
    usage: () => undefined,
    machineTlb: () => ({ loads: 0, stores: 0, loadWalks: 0, storeWalks: 0, l2Hits: 0 }),
    sleep(pid, ns: Ns) {
      activity++
      const task = tasks.get(pid)
      return new Promise((resolve) => {
        task?.onEnd.add(() => resolve(false))
        at(ns, () => resolve(task?.alive ?? true))
      })
    },
    async settle(promise) {
      let isSettled = false
      const watched = promise.finally(() => (isSettled = true))
      watched.catch(() => undefined)
      for (;;) {
        let seen = activity
        for (let quiet = 0; quiet < QUIET_TURNS && !isSettled; quiet++) {
          await Promise.resolve()
          if (activity !== seen) quiet = 0
          seen = activity
        }
        if (isSettled) return watched
        const timer = timers.shift()
        if (timer === undefined) throw new Error('everybody waits, and nothing will happen')
        nowNs = timer.atNs
        activity++
        timer.run()
      }
    },
    async advance(ns) {
      await sys.settle(new Promise<void>((resolve) => at(ns, resolve)))
    },
  }
  return sys
}
