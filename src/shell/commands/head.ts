/** head and tail: the first or the last lines. */
import type { Tool, ToolContext } from '../process'
import { eachBlock } from './lines'
import { getOptions, linesOf, passedOn, readOperand, toText } from './options'

/** `-20` is `-n 20`, also for tail's `+3`. */
const modern = (args: readonly string[]): string[] =>
  args.map((arg, i) => {
    const isCount = /^[-+]\d+$/.test(arg) && !/^-[nc]$/.test(args[i - 1] ?? '')
    return isCount ? `-n${arg.startsWith('-') ? arg.slice(1) : arg}` : arg
  })

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 512,
  k: 1024,
  K: 1024,
  M: 1048576,
  m: 1048576,
  G: 1073741824,
}

function count(text: string): number {
  const found = /^[-+]?(\d+)([bkKmMG]?)$/.exec(text)
  return Number(found?.[1] ?? 0) * (UNITS[found?.[2] ?? ''] ?? 1)
}

async function withHeaders(
  context: ToolContext,
  paths: readonly string[],
  flags: ReadonlySet<string>,
  each: (path: string) => Promise<number>,
): Promise<number> {
  let status = 0
  for (const [index, path] of paths.entries()) {
    if ((paths.length > 1 && !flags.has('q')) || flags.has('v'))
      await context.print(`${index > 0 ? '\n' : ''}==> ${path === '-' ? 'standard input' : path} <==\n`)
    status = (await each(path)) || status
  }
  return status
}

export const head: Tool = {
  name: 'head',
  summary: 'prints the first lines',
  usage: 'head [-n LINES] [-c BYTES] [FILE]...',
  async run(context) {
    const { flags, values, operands } = await getOptions(
      context,
      'n:c:qv',
      { lines: 'n', bytes: 'c' },
      modern(context.args),
    )
    const paths = operands.length === 0 ? ['-'] : operands
    const bytes = values.get('c')
    const lines = values.get('n') ?? '10'
    return withHeaders(context, paths, flags, async (path) => {
      if (bytes !== undefined || lines.startsWith('-')) {
        const upTo = bytes === undefined || bytes.startsWith('-') ? Infinity : count(bytes)
        if (upTo !== Infinity && (await passedOn(context, path, upTo))) return 0
        const text = await readOperand(context, path, upTo)
        if (text === undefined) return 1
        if (bytes !== undefined)
          await context.print(text.slice(0, bytes.startsWith('-') ? -count(bytes) || text.length : count(bytes)))
        else await context.print(toText(linesOf(text).slice(0, -count(lines) || undefined)))
        return 0
      }
      let left = count(lines)
      return eachBlock(context, path, async (block) => {
        await context.print(toText(block.slice(0, left)))
        left -= block.length
        return left > 0
      })
    })
  },
}

export const tail: Tool = {
  name: 'tail',
  summary: 'prints the last lines',
  usage: 'tail [-n [+]LINES] [-c [+]BYTES] [FILE]...',
  async run(context) {
    const { flags, values, operands } = await getOptions(
      context,
      'n:c:qvf',
      { lines: 'n', bytes: 'c' },
      modern(context.args),
    )
    const paths = operands.length === 0 ? ['-'] : operands
    const bytes = values.get('c')
    const lines = values.get('n') ?? '10'
    const status = await withHeaders(context, paths, flags, async (path) => {
      const text = await readOperand(context, path)
      if (text === undefined) return 1
      if (bytes !== undefined)
        await context.print(
          text.slice(bytes.startsWith('+') ? count(bytes) - 1 : Math.max(0, text.length - count(bytes))),
        )
      else {
        const all = linesOf(text)
        await context.print(
          toText(all.slice(lines.startsWith('+') ? count(lines) - 1 : Math.max(0, all.length - count(lines)))),
        )
      }
      return 0
    })
    const followed = operands.at(-1)
    if (flags.has('f') && followed !== undefined && followed !== '-') await follow(context, followed)
    return status
  },
}

/** tail -f: looks once a simulated second; ends with Ctrl+C. */
async function follow(context: ToolContext, path: string): Promise<void> {
  let seen = (await readOperand(context, path)) ?? ''
  while (await context.sys.sleep(context.pid, 1e9)) {
    context.doom.check()
    const text = (await readOperand(context, path)) ?? ''
    if (text.length > seen.length) await context.print(text.slice(seen.length))
    seen = text
  }
}
