/** perf stat: what a command, some tasks or the whole machine did, counted. */
import type { Tracepoint } from '../../engine/trace'
import type { ToolContext } from '../process'
import type { Usage } from '../sys'
import { readCounters } from './numbers'
import { parseEvents, type PerfEvent } from './perf_events'
import { createFollower, LIFE, runFollowed } from './perf_follow'
import { chooseEvents, pidsOf, usage, type PerfArguments } from './perf_options'

const DEFAULT_EVENTS = 'task-clock,context-switches,page-faults'

/** The whole machine's usage. Its task-clock is what all its CPUs could have worked. */
async function machineUsage(context: ToolContext): Promise<Usage> {
  const counters = await readCounters(context, '/proc/vmstat')
  const stat = context.sys.read(context.pid, '/proc/stat')
  const switches = stat.ok ? Number(/^ctxt (\d+)/m.exec(stat.value)?.[1] ?? 0) : 0
  const cpus = stat.ok ? [...stat.value.matchAll(/^cpu\d+ /gm)].length : 1
  const major = counters?.get('pgmajfault') ?? 0
  return {
    minorFaults: (counters?.get('pgfault') ?? 0) - major,
    majorFaults: major,
    contextSwitches: switches,
    userNs: context.sys.now() * cpus,
    systemNs: 0,
  }
}

const minus = (a: Usage, b: Usage): Usage => ({
  minorFaults: a.minorFaults - b.minorFaults,
  majorFaults: a.majorFaults - b.majorFaults,
  contextSwitches: a.contextSwitches - b.contextSwitches,
  userNs: a.userNs - b.userNs,
  systemNs: a.systemNs - b.systemNs,
})

const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',')
const METRIC_WIDTH = 38
const metric = (value: number, unit: string): string =>
  ` # ${value.toFixed(3).padStart(8)} ${unit.padEnd(METRIC_WIDTH - 12)}`

/** `N/sec` in the unit that keeps it readable. */
function perSecond(n: number, seconds: number): string {
  const rate = n / seconds
  if (rate >= 1e6) return metric(rate / 1e6, 'M/sec')
  return rate >= 1000 ? metric(rate / 1000, 'K/sec') : metric(rate, '/sec')
}

/** @param clockNs  task-clock when it is counted too: rates are per second of it */
function row(event: PerfEvent, count: number, clockNs: number | undefined, elapsedNs: number): string {
  const isClock = event.title === 'task-clock'
  const number = isClock ? (count / 1e6).toFixed(2) : grouped(count)
  const after = isClock
    ? metric(elapsedNs > 0 ? count / elapsedNs : 0, 'CPUs utilized')
    : clockNs === undefined || clockNs === 0
      ? ' '.repeat(METRIC_WIDTH)
      : perSecond(count, clockNs / 1e9)
  return `${number.padStart(18)} ${isClock ? 'msec' : '    '} ${event.title.padEnd(25)}${after}\n`
}

const seconds = (ns: number, what: string): string => ` ${(ns / 1e9).toFixed(9).padStart(17)} seconds ${what}\n`

/** perf stat [-e EVENTS] [-a | -p PIDS] COMMAND */
export async function stat(context: ToolContext, given: PerfArguments): Promise<number> {
  const list = given.values.get('e')
  const events =
    list === undefined ? (parseEvents(DEFAULT_EVENTS) as PerfEvent[]) : await chooseEvents(context, 'stat', list)
  if (events === undefined) return 129
  if (given.command.length === 0) return usage(context, 'stat')
  const pids = await pidsOf(context, given)
  if (pids === undefined) return 255
  const isWide = given.flags.has('a')
  const wanted = new Map<Tracepoint, number>()
  for (const event of events) if (event.kind === 'tracepoint') wanted.set(event.name, 0)
  const follower = createFollower(pids)
  const before = isWide ? await machineUsage(context) : undefined
  const stop = context.sys.trace([...new Set([...wanted.keys(), ...LIFE])], (event) => {
    follower.see(event)
    const count = wanted.get(event.name)
    if (count !== undefined && (isWide || follower.isCounted(event.pid))) wanted.set(event.name, count + 1)
  })
  const run = await runFollowed(context, given.command, follower).finally(stop)
  if (typeof run === 'number') return run
  const { status, elapsedNs } = run
  const own = follower.total((pid) => context.sys.usage(pid))
  const used = before === undefined ? own : minus(await machineUsage(context), before)
  const counted = events.map((event) => ({
    event,
    count: event.kind === 'software' ? event.count(used) : (wanted.get(event.name) ?? 0),
  }))
  const clockNs = counted.find(({ event }) => event.title === 'task-clock')?.count
  const who = isWide
    ? 'system wide'
    : pids.size > 0
      ? `process id '${given.values.get('p')}'`
      : `'${given.command.join(' ')}'`
  const times = isWide || pids.size > 0 ? '' : `\n${seconds(own.userNs, 'user')}${seconds(own.systemNs, 'sys')}\n`
  await context.warn(
    `\n Performance counter stats for ${isWide ? `'${who}'` : who}:\n\n` +
      counted.map(({ event, count }) => row(event, count, clockNs, elapsedNs)).join('') +
      `\n${seconds(elapsedNs, 'time elapsed')}${times}\n`,
  )
  return status
}
