/**
 * perf, as far as it counts and records what the kernel tells of itself: tracepoints and the counters of tasks. There are
 * no samples of instructions, because programs here have none.
 * @kernel  tools/perf
 */
import { TRACEPOINT_NAMES } from '../../engine/trace'
import type { Tool } from '../process'
import { HARDWARE_CACHE, SOFTWARE, tracepointTitle } from './perf_events'
import { readArguments } from './perf_options'
import { list, record, script } from './perf_record'
import { stat } from './perf_stat'

const COMMANDS =
  ' The most commonly used perf commands are:\n' +
  '   list            List all symbolic event types\n' +
  '   record          Run a command and record its profile into perf.data\n' +
  '   script          Read perf.data (created by perf record) and display trace output\n' +
  '   stat            Run a command and gather performance counter statistics\n'

export const perf: Tool = {
  name: 'perf',
  summary: 'counts and records tracepoints and page faults',
  usage: 'perf list | record -e EVENTS [-a] [-p PID] [-o FILE] COMMAND | script [-i FILE] | stat [-e EVENTS] COMMAND',
  async run(context) {
    const [command, ...args] = context.args
    if (command === 'list') {
      const all = TRACEPOINT_NAMES.map((name) => ({ kind: 'tracepoint' as const, title: tracepointTitle(name), name }))
      all.sort((a, b) => (a.title < b.title ? -1 : 1))
      return list(context, Object.keys(SOFTWARE), Object.keys(HARDWARE_CACHE), all)
    }
    if (command === 'record') return record(context, await readArguments(context, args))
    if (command === 'script') return script(context, await readArguments(context, args))
    if (command === 'stat') return stat(context, await readArguments(context, args))
    const usage = `\n usage: perf [--version] [--help] [OPTIONS] COMMAND [ARGS]\n\n${COMMANDS}\n`
    if (command === undefined || command === 'help') {
      await context.print(usage)
      return command === undefined ? 1 : 0
    }
    await context.warn(`perf: '${command}' is not a perf-command. See 'perf --help'.\n`)
    return 1
  },
}
