/** sed: the tool around ../sed. */
import { resolvePath } from '../paths'
import { createSed, parseSed, runLine, SedSyntaxError, type SedCommand } from '../sed'
import type { Tool, ToolContext } from '../process'
import { eachBlock } from './lines'
import { getOptions, linesOf, readOperand, warn, warnRefusal } from './options'

export const sed: Tool = {
  name: 'sed',
  summary: 'edits a stream of lines',
  usage: "sed [-nEri] {'SCRIPT' | -e SCRIPT... | -f FILE} [FILE]...",
  async run(context) {
    const scripts: string[] = []
    const args = context.args.filter((arg, i) => {
      if (context.args[i - 1] === '-e') return false
      if (arg === '-e') scripts.push(context.args[i + 1] ?? '')
      return arg !== '-e'
    })
    const { flags, values, operands } = await getOptions(context, 'nEriusf:', {}, args)
    const file = values.get('f')
    if (file !== undefined) scripts.push((await readOperand(context, file)) ?? '')
    const paths = [...operands]
    if (scripts.length === 0) scripts.push(paths.shift() ?? '')
    let commands: readonly SedCommand[]
    try {
      commands = parseSed(scripts.join('\n'), flags.has('E') || flags.has('r') ? 'extended' : 'basic')
    } catch (error) {
      if (error instanceof SedSyntaxError || error instanceof SyntaxError)
        return warn(context, `-e expression #1: ${error.message}`)
      throw error
    }
    if (flags.has('i')) return editFiles(context, commands, paths, flags.has('n'))
    return editStream(context, commands, paths.length === 0 ? ['-'] : paths, flags.has('n'))
  },
}

async function editStream(
  context: ToolContext,
  commands: readonly SedCommand[],
  paths: readonly string[],
  isQuiet: boolean,
): Promise<number> {
  const state = createSed(commands, isQuiet)
  // `$` needs to know the last line: one line is kept back.
  let kept: string | undefined
  let status = 0
  for (const path of paths) {
    status =
      (await eachBlock(context, path, async (lines) => {
        let out = ''
        for (const line of lines) {
          if (kept !== undefined && !state.hasQuit) out += runLine(state, kept, false)
          kept = line
        }
        await context.print(out)
        return !state.hasQuit
      })) || status
    if (state.hasQuit) break
  }
  if (kept !== undefined && !state.hasQuit) await context.print(runLine(state, kept, true))
  return state.exitStatus || (status === 0 ? 0 : 2)
}

async function editFiles(
  context: ToolContext,
  commands: readonly SedCommand[],
  paths: readonly string[],
  isQuiet: boolean,
): Promise<number> {
  for (const path of paths) {
    const text = await readOperand(context, path)
    if (text === undefined) return 4
    const state = createSed(commands, isQuiet)
    const lines = linesOf(text)
    let out = ''
    for (const [index, line] of lines.entries())
      out += state.hasQuit ? `${line}\n` : runLine(state, line, index === lines.length - 1)
    const written = context.sys.write(context.pid, resolvePath(context.cwd, path), out, { create: true, append: false })
    if (!written.ok) return warnRefusal(context, path, written.error)
  }
  return 0
}
