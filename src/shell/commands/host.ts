/** uname, hostname, uptime, nproc, whoami, id, date, clear, sync, poweroff: the machine as a whole. */
import { formatDate } from '../calendar'
import type { Tool, ToolContext } from '../process'
import { getOptions, readOperand, warn } from './options'

export const uname: Tool = {
  name: 'uname',
  summary: "the kernel's name and version",
  usage: 'uname [-asnrvmo]',
  async run(context) {
    const { flags } = await getOptions(context, 'asnrvmopi', { all: 'a' })
    const version = /^Linux version (\S+) .*?(#\d.*)$/m.exec((await readOperand(context, '/proc/version')) ?? '')
    const parts: readonly (readonly [string, string])[] = [
      ['s', 'Linux'],
      ['n', context.sys.hostname],
      ['r', version?.[1] ?? ''],
      ['v', version?.[2] ?? ''],
      ['m', 'x86_64'],
      ['o', 'GNU/Linux'],
    ]
    const asked = parts.filter(([flag]) => flags.has('a') || flags.has(flag) || (flags.size === 0 && flag === 's'))
    await context.print(`${asked.map(([, text]) => text).join(' ')}\n`)
    return 0
  },
}

const says = (name: string, summary: string, text: (context: ToolContext) => string): Tool => ({
  name,
  summary,
  usage: name,
  async run(context) {
    await context.print(`${text(context)}\n`)
    return 0
  },
})

export const hostname = says('hostname', "the machine's name", (context) => context.sys.hostname)
export const whoami = says('whoami', "the user's name", () => 'root')
export const arch = says('arch', "the machine's architecture", () => 'x86_64')

export const id: Tool = {
  name: 'id',
  summary: "the user's numbers",
  usage: 'id [-u] [-n]',
  async run(context) {
    const { flags } = await getOptions(context, 'ugn')
    await context.print(
      flags.has('n') ? 'root\n' : flags.has('u') || flags.has('g') ? '0\n' : 'uid=0(root) gid=0(root) groups=0(root)\n',
    )
    return 0
  },
}

export const nproc: Tool = {
  name: 'nproc',
  summary: 'how many CPUs there are',
  usage: 'nproc',
  async run(context) {
    const text = await readOperand(context, '/proc/cpuinfo')
    if (text === undefined) return 1
    await context.print(`${text.match(/^processor\b/gm)?.length ?? 0}\n`)
    return 0
  },
}

export const uptime: Tool = {
  name: 'uptime',
  summary: 'how long the machine has run, and its load',
  usage: 'uptime [-p]',
  async run(context) {
    const { flags } = await getOptions(context, 'p')
    const seconds = Math.floor(context.sys.now() / 1e9)
    const [days, hours, minutes] = [
      Math.floor(seconds / 86400),
      Math.floor(seconds / 3600) % 24,
      Math.floor(seconds / 60) % 60,
    ]
    const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`
    if (flags.has('p')) {
      const parts = [
        days > 0 ? plural(days, 'day') : '',
        hours > 0 ? plural(hours, 'hour') : '',
        plural(minutes, 'minute'),
      ]
      await context.print(`up ${parts.filter((part) => part !== '').join(', ')}\n`)
      return 0
    }
    const load = ((await readOperand(context, '/proc/loadavg')) ?? '').split(' ').slice(0, 3).join(', ')
    const clock = hours > 0 ? `${String(hours).padStart(2)}:${String(minutes).padStart(2, '0')}` : `${minutes} min`
    const up = days > 0 ? `${plural(days, 'day')}, ${clock}` : clock
    await context.print(` ${formatDate('%T', epochMs(context))} up ${up},  1 user,  load average: ${load}\n`)
    return 0
  },
}

const epochMs = (context: ToolContext): number => context.sys.bootEpochMs + context.sys.now() / 1e6

export const date: Tool = {
  name: 'date',
  summary: "the machine's date, in simulated time",
  usage: 'date [-u] [-I] [-d @SECONDS] [+FORMAT]',
  async run(context) {
    const { flags, values, operands } = await getOptions(context, 'uIRd:', { utc: 'u', date: 'd' })
    const given = values.get('d')
    const fixed = given === undefined ? undefined : /^@(\d+)$/.exec(given)?.[1]
    if (given !== undefined && fixed === undefined) return warn(context, `invalid date '${given}'`)
    const ms = fixed === undefined ? epochMs(context) : Number(fixed) * 1000
    const format = operands[0]?.startsWith('+')
      ? operands[0].slice(1)
      : flags.has('I')
        ? '%F'
        : flags.has('R')
          ? '%a, %d %b %Y %T %z'
          : '%a %b %e %T %Z %Y'
    if (operands[0] !== undefined && !operands[0].startsWith('+')) return warn(context, `invalid date '${operands[0]}'`)
    await context.print(`${formatDate(format, ms, fixed === undefined ? context.sys.now() % 1e9 : 0)}\n`)
    return 0
  },
}

export const clear: Tool = {
  name: 'clear',
  summary: 'clears the terminal',
  usage: 'clear',
  async run(context) {
    await context.print('\x1b[H\x1b[2J\x1b[3J')
    return 0
  },
}

export const sync: Tool = {
  name: 'sync',
  summary: 'writes what is dirty to its disk, and waits for it',
  usage: 'sync',
  async run(context) {
    const done = await context.sys.perform(context.pid, { op: 'sync' })
    return done.ok ? 0 : 1
  },
}
