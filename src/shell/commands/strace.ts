/** strace: the system calls of a program, as it makes them. */
import type { Tracepoint } from '../../engine/trace'
import { strerror } from '../../util/errno'
import { resolvePath } from '../paths'
import type { ToolContext, Tool } from '../process'
import { SIGNALS } from '../signals'
import type { TraceEvent } from '../sys'
import { getOptions, warn } from './options'
import { startCommand } from './run'
import { callText, resultText, signalText, syscallName, type BegunCall } from './strace_print'
import { SyscallCounts, isSortKey } from './strace_count'
import { filterOf, type Filter } from './strace_sets'
import { watchTool, type WholeCall } from './strace_tool'

const EVENTS: readonly Tracepoint[] = [
  ...(['sys_enter', 'sys_exit', 'signal_generate'] as const),
  ...(['sched_process_fork', 'sched_process_exec', 'sched_process_exit'] as const),
]
/** Results stand in one column. @kernel strace -a 40 */
const RESULT_COLUMN = 40
/** How often lines are printed while the program runs; their order and times are the program's own. */
const PRINT_EVERY_NS = 20e6
const SIGKILL = 9

interface Style {
  readonly filter: Filter
  /** -f */
  readonly follows: boolean
  /** -T, -r, -t */
  readonly showsTimes: boolean
  readonly stamp: 'none' | 'relative' | 'clock'
  readonly bootEpochMs: number
  /** -c: a table instead of lines; -C: both. */
  readonly counts: 'no' | 'only' | 'too'
}

/** Turns events into lines. */
class Tracer {
  readonly lines: string[] = []
  readonly living = new Set<number>()
  readonly counts = new SyscallCounts()
  readonly #style: Style
  readonly #begun = new Map<number, { readonly call: BegunCall; readonly atNs: number }>()
  readonly #deadly = new Map<number, number>()
  /** The command that starts at its exec; 0: tasks were given. */
  root = 0
  isTool = false
  #lastNs = -1
  #hasFollowed = false

  constructor(style: Style) {
    this.#style = style
  }

  readonly see = (event: TraceEvent): void => {
    const { name, args, pid } = event
    const [first = 0, second = 0] = args
    if (name === 'sched_process_fork') this.#fork(first, second)
    else if (name === 'sched_process_exit') this.#exit(event, first, second)
    else if (name === 'sched_process_exec') {
      if (first === this.root) this.living.add(first)
    } else if (name === 'signal_generate') this.#signal(event)
    else if (!this.living.has(pid)) return
    else if (name === 'sys_enter') this.#enter(event)
    else this.#leave(event)
  }

  #fork(parent: number, child: number): void {
    if (!this.#style.follows || !this.living.has(parent)) return
    this.living.add(child)
    this.#hasFollowed = true
    this.lines.push(`strace: Process ${child} attached\n`)
  }

  #enter({ args, text, pid, atNs }: TraceEvent): void {
    const name = syscallName(args[0] ?? 0)
    if (name !== undefined) this.#begun.set(pid, { call: { name, args: args.slice(1), text }, atNs })
  }

  #leave({ args, text, pid, atNs }: TraceEvent): void {
    const [id = 0, result = 0, out = 0] = args
    const name = syscallName(id)
    if (name === undefined || !this.#style.filter(name)) return
    const begun = this.#begun.get(pid)
    this.#begun.delete(pid)
    this.counts.add(name, begun === undefined ? 0 : atNs - begun.atNs, result < 0)
    const isWhole = begun?.call.name === name
    const call = isWhole ? callText(begun.call, { result, out, text }) : `<... ${name} resumed>)`
    const took = this.#style.showsTimes && isWhole ? ` <${((atNs - begun.atNs) / 1e9).toFixed(6)}>` : ''
    const line = `${call.padEnd(RESULT_COLUMN - 1)} = ${resultText(name, result)}${took}`
    this.#line(pid, isWhole ? begun.atNs : atNs, line)
  }

  /** A call of a tool, which takes none of the machine's time. */
  saw({ name, args, text = '', result, out = 0, outText = '' }: WholeCall, atNs: number): void {
    if (!this.#style.filter(name)) return
    this.counts.add(name, 0, result < 0)
    const call = callText({ name, args, text }, { result, out, text: outText })
    const took = this.#style.showsTimes ? ' <0.000000>' : ''
    this.#line(this.root, atNs, `${call.padEnd(RESULT_COLUMN - 1)} = ${resultText(name, result)}${took}`)
  }

  #signal({ args, atNs }: TraceEvent): void {
    const [signal = 0, , code = 0, pid = 0, , , detail = 0] = args
    if (!this.living.has(pid) || signal === 0) return
    this.#deadly.set(pid, signal)
    if (signal !== SIGKILL) this.#line(pid, atNs, signalText(signal, code, detail))
  }

  #exit({ atNs }: TraceEvent, pid: number, status: number): void {
    if (!this.living.delete(pid)) return
    const begun = this.#begun.get(pid)
    if (begun !== undefined && this.#style.filter(begun.call.name))
      this.#line(pid, begun.atNs, `${callText(begun.call, undefined).padEnd(RESULT_COLUMN - 1)} = ?`)
    const signal = this.#deadly.get(pid)
    const isKilled = signal !== undefined && status === 128 + signal
    if (pid === this.root && this.isTool && !isKilled) this.#exitGroup(pid, atNs, status)
    this.#line(pid, atNs, isKilled ? `+++ killed by SIG${SIGNALS[signal]} +++` : `+++ exited with ${status} +++`)
  }

  /** A tool's end is its host's doing. */
  #exitGroup(pid: number, atNs: number, status: number): void {
    if (!this.#style.filter('exit_group')) return
    this.#line(pid, atNs, `${`exit_group(${status})`.padEnd(RESULT_COLUMN - 1)} = ?`)
  }

  /** One line, with what was asked for in front of it. */
  #line(pid: number, atNs: number, text: string): void {
    const { stamp, bootEpochMs, counts } = this.#style
    if (counts === 'only') return
    const who = this.#hasFollowed ? `[pid ${String(pid).padStart(5)}] ` : ''
    let when = ''
    if (stamp === 'relative') {
      const since = this.#lastNs < 0 ? 0 : Math.max(0, atNs - this.#lastNs)
      when = `${(since / 1e9).toFixed(6).padStart(12)} `
    } else if (stamp === 'clock') when = `${new Date(bootEpochMs + atNs / 1e6).toISOString().slice(11, 19)} `
    this.#lastNs = atNs
    this.lines.push(`${who}${when}${text}\n`)
  }

  take(): string {
    return this.lines.splice(0).join('')
  }
}

/** Where lines go: standard error, or the file of -o, which begins empty. undefined after the message. */
async function openOutput(
  context: ToolContext,
  file: string | undefined,
): Promise<((text: string) => Promise<void>) | undefined> {
  if (file === undefined) return (text) => context.warn(text)
  const path = resolvePath(context.cwd, file)
  const made = context.sys.write(context.pid, path, '', { create: true, append: false })
  if (!made.ok) {
    await warn(context, `Can't fopen '${file}': ${strerror(made.error.errno)}`)
    return undefined
  }
  return async (text) => {
    context.sys.write(context.pid, path, text, { create: true, append: true })
  }
}

/** A tool that works already has nobody who looks on. */
const NO_CALLS = 'is a tool of the shell: its system calls can be seen from its start only'

const isTool = (context: ToolContext, name: string): boolean =>
  Object.hasOwn(context.world.tools, name) && !context.sys.isProgram(name)

/** Tasks of -p; undefined after the message. */
async function attach(context: ToolContext, tracer: Tracer, list: string): Promise<number | undefined> {
  for (const word of list.split(',')) {
    const pid = Number(word)
    if (!/^\d+$/.test(word) || pid === 0) return warn(context, `Invalid process id: '${word}'`)
    if (pid === context.pid) return warn(context, "I'm sorry, I can't let myself trace myself.")
    const read = context.sys.read(context.pid, `/proc/${pid}/comm`)
    if (!read.ok) return warn(context, `attach: ptrace(PTRACE_SEIZE, ${pid}): No such process`)
    const cmdline = context.sys.read(context.pid, `/proc/${pid}/cmdline`)
    if (cmdline.ok && cmdline.value === '')
      return warn(context, `attach: ptrace(PTRACE_SEIZE, ${pid}): Operation not permitted`)
    if (isTool(context, read.value.trim())) return warn(context, `${read.value.trim()} ${NO_CALLS}`)
    tracer.living.add(pid)
  }
  for (const pid of tracer.living) await context.warn(`strace: Process ${pid} attached\n`)
  return undefined
}

/** Prints as time goes on, until nobody is left. */
async function follow(
  context: ToolContext,
  tracer: Tracer,
  print: (text: string) => Promise<void>,
  isOver: () => boolean,
): Promise<void> {
  for (;;) {
    const text = tracer.take()
    if (text !== '') await print(text)
    if (isOver()) return
    if (!(await context.sys.sleep(context.pid, PRINT_EVERY_NS))) return
    context.doom.check()
  }
}

const LONG_OPTIONS = {
  trace: 'e',
  output: 'o',
  attach: 'p',
  'summary-only': 'c',
  summary: 'C',
  'summary-wall-clock': 'w',
  'summary-sort-by': 'S',
} as const

/** Options end where the command begins. */
function split(args: readonly string[]): { readonly head: string[]; readonly command: string[] } {
  const command = [...args]
  const head: string[] = []
  while (command[0]?.startsWith('-') === true) {
    const arg = command.shift()!
    if (arg === '--') break
    head.push(arg)
    if (/^-\w*[eopS]$/.test(arg) && command[0] !== undefined) head.push(command.shift()!)
  }
  return { head, command }
}

export const strace: Tool = {
  name: 'strace',
  summary: 'the system calls of a program, as it makes them',
  usage:
    'strace [-f] [-T] [-r | -t] [-c | -C] [-w] [-S COLUMN] [-e trace=SET] [-o FILE] (PROGRAM [ARGUMENT]... | -p PID[,PID]...)',
  async run(context) {
    const { head, command } = split(context.args)
    const { flags, values } = await getOptions(context, 'fTrtcCwe:o:p:S:', LONG_OPTIONS, head)
    const sort = values.get('S') ?? 'time'
    if (!isSortKey(sort)) return warn(context, `invalid sortby: '${sort}'`)
    const filter = filterOf(values.get('e'))
    if (typeof filter === 'string') return warn(context, `invalid system call '${filter}'`)
    const list = values.get('p')
    if (command.length === 0 && list === undefined) {
      await context.warn("strace: must have PROG [ARGS] or -p PID\nTry 'strace -h' for more information.\n")
      return 1
    }
    const tracer = new Tracer({
      filter,
      follows: flags.has('f'),
      showsTimes: flags.has('T'),
      stamp: flags.has('r') ? 'relative' : flags.has('t') ? 'clock' : 'none',
      bootEpochMs: context.sys.bootEpochMs,
      counts: flags.has('c') ? 'only' : flags.has('C') ? 'too' : 'no',
    })
    const refused = list === undefined ? undefined : await attach(context, tracer, list)
    if (refused !== undefined) return refused
    const print = await openOutput(context, values.get('o'))
    if (print === undefined) return 1
    const status = await traceAll(context, tracer, command, print)
    if (flags.has('c') || flags.has('C')) await print(tracer.counts.table(sort))
    return status
  },
}

/** @returns the status of the command; 0 when tasks were attached to */
async function traceAll(
  context: ToolContext,
  tracer: Tracer,
  command: readonly string[],
  print: (text: string) => Promise<void>,
): Promise<number> {
  const stop = context.sys.trace(EVENTS, tracer.see)
  try {
    if (command.length === 0) {
      await follow(context, tracer, print, () => tracer.living.size === 0)
      return 0
    }
    const silent = { ...context, warn: async () => {} }
    const watch = watchTool((call) => tracer.saw(call, context.sys.now()))
    const started = await startCommand(silent, command, { watch })
    if (typeof started === 'number')
      return warn(
        context,
        started === 126 ? 'exec: Permission denied' : `Can't stat '${command[0]}': No such file or directory`,
      )
    tracer.root = started.pid
    tracer.isTool = isTool(context, command[0]?.replace(/^.*\//, '') ?? '')
    let status: number | undefined
    void started.done.then((value) => (status = value))
    await follow(context, tracer, print, () => status !== undefined)
    return status ?? 0
  } finally {
    stop()
    await print(tracer.take())
    if (command.length === 0) for (const pid of tracer.living) await context.warn(`strace: Process ${pid} detached\n`)
  }
}
