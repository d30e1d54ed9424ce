/** dmesg: the kernel's log. */
import { formatDate } from '../calendar'
import type { Tool, ToolContext } from '../process'
import { getOptions, linesOf, readOperand } from './options'

const LOG = '/dev/kmsg'

export const dmesg: Tool = {
  name: 'dmesg',
  summary: "prints the kernel's log",
  usage: 'dmesg [-t | -T | -H] [-w]',
  async run(context) {
    const long = { ctime: 'T', notime: 't', human: 'H', follow: 'w', nopager: 'P', color: 'L' }
    const { flags } = await getOptions(context, 'tTHwPLkxe', long)
    let shown = 0
    for (;;) {
      const text = await readOperand(context, LOG)
      if (text === undefined) return 1
      const lines = linesOf(text)
      await context.print(
        lines
          .slice(shown)
          .map((line) => `${shape(context, line, flags)}\n`)
          .join(''),
      )
      shown = lines.length
      if (!flags.has('w')) return 0
      if (!(await context.sys.sleep(context.pid, 1e8))) return 1
      context.doom.check()
    }
  },
}

function shape(context: ToolContext, line: string, flags: ReadonlySet<string>): string {
  const found = /^\[\s*(\d+\.\d+)\] ([^]*)$/.exec(line)
  if (found === null) return line
  const [, seconds = '0', text = ''] = found
  if (flags.has('t')) return text
  if (!flags.has('T') && !flags.has('H') && !flags.has('e')) return line
  return `[${formatDate('%a %b %e %H:%M:%S %Y', context.sys.bootEpochMs + Math.floor(Number(seconds) * 1000))}] ${text}`
}
