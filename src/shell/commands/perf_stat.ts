/** perf stat: what a command, some tasks or the whole machine did, counted. */
import type { Tracepoint } from '../../engine/trace'
import type { ToolContext } from '../process'
import type { Usage } from '../sys'
import { readCounters } from './numbers'
import { parseEvents, type PerfEvent, type Vendor } from './perf_events'
import { combine, createFollower, LIFE, runFollowed } from './perf_follow'
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
    tlb: context.sys.machineTlb(),
  }
}

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

/** Of the accesses how many missed. @kernel tools/perf/util/stat-shadow.c print_dtlb_cache_misses() */
const missRatio = (misses: number, accesses: number): string =>
  ` # ${((misses / accesses) * 100).toFixed(2).padStart(7)}% ${'of all dTLB cache accesses'.padEnd(METRIC_WIDTH - 12)}`

/** An event with its count; undefined where the processor has no such counter. */
interface Counted {
  readonly event: PerfEvent
  readonly count: number | undefined
}

/** A line of the table; beside task-clock, rates are per second of it. */
function row({ event, count }: Counted, all: readonly Counted[], elapsedNs: number): string {
  if (count === undefined)
    return `${'<not supported>'.padStart(18)}      ${event.title.padEnd(25)}${' '.repeat(METRIC_WIDTH)}\n`
  const clockNs = all.find((other) => other.event.title === 'task-clock')?.count
  const accesses = event.kind === 'cache' ? all.find((other) => other.event.title === event.missOf)?.count : undefined
  const isClock = event.title === 'task-clock'
  const number = isClock ? (count / 1e6).toFixed(2) : grouped(count)
  const after = isClock
    ? metric(elapsedNs > 0 ? count / elapsedNs : 0, 'CPUs utilized')
    : accesses !== undefined && accesses > 0
      ? missRatio(count, accesses)
      : clockNs === undefined || clockNs === 0
        ? ' '.repeat(METRIC_WIDTH)
        : perSecond(count, clockNs / 1e9)
  return `${number.padStart(18)} ${isClock ? 'msec' : '    '} ${event.title.padEnd(25)}${after}\n`
}

const seconds = (ns: number, what: string): string => ` ${(ns / 1e9).toFixed(9).padStart(17)} seconds ${what}\n`

function countOf(
  event: PerfEvent,
  used: Usage,
  vendor: Vendor,
  wanted: ReadonlyMap<Tracepoint, number>,
): number | undefined {
  if (event.kind === 'tracepoint') return wanted.get(event.name) ?? 0
  return event.kind === 'software' ? event.count(used) : used.tlb && event.count(used.tlb, vendor)
}

/** Whose counters the processor has. */
async function vendorOf(context: ToolContext): Promise<Vendor> {
  const text = context.sys.read(context.pid, '/proc/cpuinfo')
  return text.ok && /^vendor_id\s*: AuthenticAMD$/m.test(text.value) ? 'AMD' : 'Intel'
}

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
  const used = before === undefined ? own : combine(await machineUsage(context), before, -1)
  const vendor = events.some(({ kind }) => kind === 'cache') ? await vendorOf(context) : 'Intel'
  const counted = events.map((event): Counted => ({ event, count: countOf(event, used, vendor, wanted) }))
  const who = isWide
    ? 'system wide'
    : pids.size > 0
      ? `process id '${given.values.get('p')}'`
      : `'${given.command.join(' ')}'`
  const times = isWide || pids.size > 0 ? '' : `\n${seconds(own.userNs, 'user')}${seconds(own.systemNs, 'sys')}\n`
  await context.warn(
    `\n Performance counter stats for ${isWide ? `'${who}'` : who}:\n\n` +
      counted.map((each) => row(each, counted, elapsedNs)).join('') +
      `\n${seconds(elapsedNs, 'time elapsed')}${times}\n`,
  )
  return status
}
