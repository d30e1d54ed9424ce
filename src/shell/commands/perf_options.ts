/** The options that perf's commands share. */
import type { ToolContext } from '../process'
import type { Usage } from '../sys'
import { getOptions } from './options'
import { parseEvents, type PerfEvent } from './perf_events'

export interface PerfArguments {
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, string>
  /** The command to run. */
  readonly command: readonly string[]
}

const WITH_VALUE = 'eopici'
const LONG: Readonly<Record<string, string>> = {
  'all-cpus': 'a',
  event: 'e',
  output: 'o',
  pid: 'p',
  input: 'i',
}

/** Options end where the command begins. */
export async function readArguments(context: ToolContext, args: readonly string[]): Promise<PerfArguments> {
  const rest = [...args]
  const head: string[] = []
  const events: string[] = []
  while (rest[0]?.startsWith('-')) {
    const arg = rest.shift() ?? ''
    if (arg === '--') break
    head.push(arg)
    const isShort = /^-\w$/.test(arg) && WITH_VALUE.includes(arg[1] ?? '')
    const isLong = /^--[a-z]+$/.test(arg) && arg !== '--all-cpus'
    if ((isShort || isLong) && rest[0] !== undefined) head.push(rest.shift() ?? '')
    // -e may be given more than once.
    const event = /^(?:-e|--event=)(.+)$/.exec(arg)?.[1] ?? (/^(?:-e|--event)$/.test(arg) ? head.at(-1) : undefined)
    if (event !== undefined) events.push(event)
  }
  const { flags, values } = await getOptions(context, 'ae:o:p:i:', LONG, head)
  return { flags, values: events.length > 0 ? new Map(values).set('e', events.join(',')) : values, command: rest }
}

const USAGES: Readonly<Record<string, string>> = {
  record:
    '\n Usage: perf record [<options>] [<command>]\n    or: perf record [<options>] -- <command> [<options>]\n\n' +
    "    -a, --all-cpus        system-wide collection from all CPUs\n    -e, --event <event>   event selector. use 'perf list' to list available events\n" +
    '    -o, --output <file>   output file name\n    -p, --pid <pid>       record events on existing process id\n',
  stat:
    '\n Usage: perf stat [<options>] [<command>]\n\n' +
    "    -a, --all-cpus        system-wide collection from all CPUs\n    -e, --event <event>   event selector. use 'perf list' to list available events\n" +
    '    -p, --pid <pid>       stat events on existing process id\n',
}

/** How a command of perf is called; its status is 129. */
export async function usage(context: ToolContext, command: string): Promise<number> {
  await context.warn(USAGES[command] ?? '')
  return 129
}

/** The events of -e; undefined after perf's message. */
export async function chooseEvents(
  context: ToolContext,
  command: string,
  text: string | undefined,
): Promise<PerfEvent[] | undefined> {
  if (text === undefined) {
    // Without -e perf samples the processor's cycles.
    await context.warn('Error:\nThe cycles:P event is not supported.\n')
    return undefined
  }
  const events = parseEvents(text)
  const error = 'error' in events ? events.error : recordError(command, events)
  if (error === undefined) return events as PerfEvent[]
  await context.warn(`${error}Run 'perf list' for a list of valid events\n`)
  await usage(context, command)
  return undefined
}

/** Programs here have no instructions that a sample could point at. */
const recordError = (command: string, events: readonly PerfEvent[]): string | undefined => {
  const software = command === 'record' ? events.find((e) => e.kind !== 'tracepoint') : undefined
  return software === undefined ? undefined : `Error:\nThe ${software.title} event is not supported.\n`
}

/** Tasks of -p with what they have used by now; undefined after perf's message. */
export async function pidsOf(context: ToolContext, given: PerfArguments): Promise<Map<number, Usage> | undefined> {
  const found = new Map<number, Usage>()
  for (const word of given.values.get('p')?.split(',') ?? []) {
    const used = /^\d+$/.test(word) ? context.sys.usage(Number(word)) : undefined
    if (used === undefined) {
      await context.warn(`Problems finding threads of monitor\n`)
      await usage(context, 'record')
      return undefined
    }
    found.set(Number(word), used)
  }
  return found
}
