/** GNU time: what a command used, as wait4() tells its parent: its own figures and those of children that it waited for. */
import type { ToolContext, Tool } from '../process'
import type { Usage } from '../sys'
import { LIFE } from './perf_follow'
import { fail, warn } from './options'
import { startCommand } from './run'

type Total = Usage & { readonly more: NonNullable<Usage['more']> }

const NONE: Total = {
  minorFaults: 0,
  majorFaults: 0,
  contextSwitches: 0,
  userNs: 0,
  systemNs: 0,
  more: {
    maxRssPages: 0,
    voluntary: 0,
    involuntary: 0,
    readPages: 0,
    dirtiedPages: 0,
    childUserNs: 0,
    childSystemNs: 0,
  },
}

/** Of resident memory the largest counts, of everything else the sum. @kernel kernel/sys.c getrusage() */
function add(a: Total, b: Usage): Total {
  const more = b.more ?? NONE.more
  return {
    minorFaults: a.minorFaults + b.minorFaults,
    majorFaults: a.majorFaults + b.majorFaults,
    contextSwitches: a.contextSwitches + b.contextSwitches,
    userNs: a.userNs + b.userNs,
    systemNs: a.systemNs + b.systemNs,
    more: {
      maxRssPages: Math.max(a.more.maxRssPages, more.maxRssPages),
      voluntary: a.more.voluntary + more.voluntary,
      involuntary: a.more.involuntary + more.involuntary,
      readPages: a.more.readPages + more.readPages,
      dirtiedPages: a.more.dirtiedPages + more.dirtiedPages,
      childUserNs: 0,
      childSystemNs: 0,
    },
  }
}

interface Timed {
  readonly status: number
  readonly wasKilled: boolean
  readonly elapsedNs: number
  readonly used: Total
}

/** @returns a status alone when there is no such command */
async function runTimed(context: ToolContext, command: readonly string[]): Promise<Timed | number> {
  const startNs = context.sys.now()
  const family = new Set<number>()
  let used = NONE
  const stop = context.sys.trace(LIFE, ({ name, args, usage }) => {
    const [first = 0, second = 0] = args
    if (name === 'sched_process_fork' && (family.has(first) || first === context.pid)) family.add(second)
    if (name === 'sched_process_exit' && family.delete(first) && usage !== undefined) used = add(used, usage)
  })
  try {
    const started = await startCommand(context, command)
    if (typeof started === 'number') return started
    const status = await context.doom.race(started.done, { interruptible: false })
    const wasKilled = status > 128 && started.wasKilled()
    return { status, wasKilled, elapsedNs: context.sys.now() - startNs, used }
  } finally {
    stop()
  }
}

const seconds = (ns: number): string => (Math.floor(ns / 1e7) / 100).toFixed(2)
const cpuPercent = ({ used, elapsedNs }: Timed): string =>
  elapsedNs === 0 ? '?%' : `${Math.floor((100 * (used.userNs + used.systemNs)) / elapsedNs)}%`

/** h:mm:ss or m:ss */
function elapsed(ns: number): string {
  const s = Math.floor(ns / 1e9)
  const two = (n: number): string => String(n).padStart(2, '0')
  if (s >= 3600) return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
  return `${Math.floor(s / 60)}:${two(s % 60)}.${two(Math.floor((ns % 1e9) / 1e7))}`
}

/** Sectors of 512 bytes. */
const sectors = (pages: number): number => pages * 8

/** `time -v`: figures that Linux keeps at 0 for every process are 0 here as there. */
function verbose(command: readonly string[], timed: Timed): string {
  const { used, status, wasKilled } = timed
  const { more } = used
  const rows: readonly [string, string | number][] = [
    ['Command being timed', `"${command.join(' ')}"`],
    ['User time (seconds)', seconds(used.userNs)],
    ['System time (seconds)', seconds(used.systemNs)],
    ['Percent of CPU this job got', cpuPercent(timed)],
    ['Elapsed (wall clock) time (h:mm:ss or m:ss)', elapsed(timed.elapsedNs)],
    ['Average shared text size (kbytes)', 0],
    ['Average unshared data size (kbytes)', 0],
    ['Average stack size (kbytes)', 0],
    ['Average total size (kbytes)', 0],
    ['Maximum resident set size (kbytes)', more.maxRssPages * 4],
    ['Average resident set size (kbytes)', 0],
    ['Major (requiring I/O) page faults', used.majorFaults],
    ['Minor (reclaiming a frame) page faults', used.minorFaults],
    ['Voluntary context switches', more.voluntary],
    ['Involuntary context switches', more.involuntary],
    ['Swaps', 0],
    ['File system inputs', sectors(more.readPages)],
    ['File system outputs', sectors(more.dirtiedPages)],
    ['Socket messages sent', 0],
    ['Socket messages received', 0],
    ['Signals delivered', 0],
    ['Page size (bytes)', 4096],
    ['Exit status', wasKilled ? 0 : status],
  ]
  return rows.map(([name, value]) => `\t${name}: ${value}\n`).join('')
}

function brief(timed: Timed): string {
  const { used } = timed
  const { more } = used
  return (
    `${seconds(used.userNs)}user ${seconds(used.systemNs)}system ${elapsed(timed.elapsedNs)}elapsed ${cpuPercent(timed)}CPU ` +
    `(0avgtext+0avgdata ${more.maxRssPages * 4}maxresident)k\n` +
    `${sectors(more.readPages)}inputs+${sectors(more.dirtiedPages)}outputs ` +
    `(${used.majorFaults}major+${used.minorFaults}minor)pagefaults 0swaps\n`
  )
}

export const time: Tool = {
  name: 'time',
  summary: 'runs a command and says what it used: time, memory, page faults',
  usage: 'time [-v] COMMAND [ARGUMENT]...',
  async run(context) {
    const isVerbose = context.args[0] === '-v' || context.args[0] === '--verbose'
    const command = context.args.slice(isVerbose ? 1 : 0)
    if (command[0]?.startsWith('-') === true) return fail(context, `invalid option -- '${command[0].slice(1)}'`, 125)
    if (command.length === 0) return warn(context, 'missing program to run', 125)
    const timed = await runTimed(context, command)
    if (typeof timed === 'number') return timed
    if (timed.wasKilled) await context.warn(`Command terminated by signal ${timed.status - 128}\n`)
    else if (timed.status !== 0) await context.warn(`Command exited with non-zero status ${timed.status}\n`)
    await context.warn(isVerbose ? verbose(command, timed) : brief(timed))
    return timed.status
  },
}
