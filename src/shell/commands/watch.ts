/** watch and timeout: running a command again and again, or not for too long. Both on simulated time. */
import { formatDate } from '../calendar'
import type { Tool, ToolContext } from '../process'
import { signalNumber } from '../signals'
import type { Descriptor } from '../stream'
import { fail, getOptions, warn } from './options'
import { runCommand, startCommand } from './run'

/** Options of a tool that runs a command end at the command's name. */
function splitArguments(args: readonly string[], takesValue: string): { head: string[]; command: string[] } {
  const rest = [...args]
  const head: string[] = []
  while (rest[0]?.startsWith('-')) {
    const arg = rest.shift() ?? ''
    if (arg === '--') break
    head.push(arg)
    if (arg.length === 2 && takesValue.includes(arg[1] ?? '') && rest[0] !== undefined) head.push(rest.shift() ?? '')
  }
  return { head, command: rest }
}

export const watch: Tool = {
  name: 'watch',
  summary: 'shows the output of a command again and again',
  usage: 'watch [-n SECONDS] [-d] [-t] [-x] COMMAND',
  async run(context) {
    const { head, command } = splitArguments(context.args, 'n')
    const long = { interval: 'n', differences: 'd', 'no-title': 't', exec: 'x', chgexit: 'g' }
    const { flags, values } = await getOptions(context, 'n:dtxgbce', long, head)
    if (command.length === 0) return fail(context, 'no command given')
    const seconds = Math.max(0.1, Number(values.get('n') ?? 2))
    if (Number.isNaN(seconds)) return fail(context, `failed to parse argument: '${values.get('n')}'`)
    const argv = flags.has('x') ? command : ['sh', '-c', command.join(' ')]
    let before: string | undefined
    for (;;) {
      const text = await capture(context, argv)
      const title = flags.has('t') ? '' : titleLine(context, seconds, command.join(' '))
      const lines = text
        .replace(/\n$/, '')
        .split('\n')
        .slice(0, Math.max(1, context.size.rows - (title === '' ? 0 : 2)))
      const shown = lines.map((line) => line.slice(0, context.size.columns))
      const marked = flags.has('d') && before !== undefined ? differences(before.split('\n'), shown) : shown
      await context.print(`\x1b[H\x1b[2J${title}${marked.join('\n')}\n`)
      if (flags.has('g') && before !== undefined && before !== shown.join('\n')) return 0
      before = shown.join('\n')
      if (!(await context.sys.sleep(context.pid, Math.round(seconds * 1e9)))) return 1
      context.doom.check()
    }
  },
}

async function capture(context: ToolContext, argv: readonly string[]): Promise<string> {
  const output: Descriptor & { kind: 'capture' } = { kind: 'capture', text: '' }
  await runCommand(context, argv, { fds: new Map(context.fds).set(1, output).set(2, output) })
  return output.text
}

function titleLine(context: ToolContext, seconds: number, command: string): string {
  const left = `Every ${seconds.toFixed(1)}s: ${command}`
  const right = `${context.sys.hostname}: ${formatDate('%a %b %e %H:%M:%S %Y', context.sys.bootEpochMs + context.sys.now() / 1e6)}`
  const room = context.size.columns - right.length - 1
  const shown = left.length > room ? `${left.slice(0, Math.max(0, room - 3))}...` : left
  return `${shown.padEnd(room)} ${right}\n\n`
}

/** Characters that changed since the last time, in reverse video. */
function differences(before: readonly string[], now: readonly string[]): string[] {
  return now.map((line, row) => {
    const old = before[row] ?? ''
    let out = ''
    let isMarked = false
    for (let i = 0; i < line.length; i++) {
      const isNew = line[i] !== old[i]
      if (isNew !== isMarked) out += isNew ? '\x1b[7m' : '\x1b[27m'
      isMarked = isNew
      out += line[i]
    }
    return isMarked ? `${out}\x1b[27m` : out
  })
}

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86400 }

/** `5`, `0.5`, `10s`, `2m` in seconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const found = /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(text)
  return found === null ? undefined : Number(found[1]) * (UNITS[found[2] ?? ''] ?? 1)
}

export const timeout: Tool = {
  name: 'timeout',
  summary: 'runs a command for a limited time',
  usage: 'timeout [-s SIGNAL] [-k DURATION] [--preserve-status] DURATION COMMAND [ARGUMENT]...',
  async run(context) {
    const { head, command } = splitArguments(context.args, 'sk')
    const { flags, values } = await getOptions(
      context,
      's:k:p',
      { signal: 's', 'kill-after': 'k', 'preserve-status': 'p' },
      head,
    )
    const [duration, ...argv] = command
    const seconds = duration === undefined ? undefined : parseDuration(duration)
    if (duration === undefined || argv.length === 0) return fail(context, 'missing operand', 125)
    if (seconds === undefined) return warn(context, `invalid time interval '${duration}'`, 125)
    const signal = signalNumber(values.get('s') ?? 'TERM')
    if (signal === undefined) return warn(context, `${values.get('s')}: invalid signal`, 125)
    const started = await startCommand(context, argv)
    if (typeof started === 'number') return started
    const { done, pid } = started
    const wait = (s: number): Promise<'late'> => context.sys.sleep(context.pid, Math.round(s * 1e9)).then(() => 'late')
    const race = (...all: Promise<number | 'late'>[]): Promise<number | 'late'> =>
      context.doom.race(Promise.race(all), { interruptible: false })
    const first = seconds === 0 ? await race(done) : await race(done, wait(seconds))
    if (first !== 'late') return first
    context.sys.kill(context.pid, pid, signal)
    const grace = parseDuration(values.get('k') ?? '')
    const second = grace === undefined ? await race(done) : await race(done, wait(grace))
    if (second === 'late') context.sys.kill(context.pid, pid, 9)
    const status = second === 'late' ? await race(done) : second
    return flags.has('p') || second === 'late' ? Number(status) : 124
  },
}

const pause = (name: string, secondsOf: (text: string) => number | undefined): Tool => ({
  name,
  summary: 'waits in simulated time',
  usage: `${name} TIME`,
  async run(context) {
    const [text] = context.args
    if (text === undefined) return fail(context, 'missing operand')
    const seconds = secondsOf(text)
    if (seconds === undefined) return fail(context, `invalid time interval '${text}'`)
    await context.sys.sleep(context.pid, Math.round(seconds * 1e9))
    return 0
  },
})

/** Only where the machine has no program of that name. */
export const sleep = pause('sleep', parseDuration)
export const usleep = pause('usleep', (text) => (/^\d+$/.test(text) ? Number(text) / 1e6 : undefined))
