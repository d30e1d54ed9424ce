/** Input of line-by-line tools, as it comes: a file is one block of lines, a pipe gives a block with each write. */
import type { ToolContext } from '../process'
import { readChunk } from '../stream'
import { linesOf, readOperand } from './options'

/**
 * Calls `visit` with each block of complete lines of `path` ('-' is standard input) until it answers false.
 * The result is 1 when the file could not be read (the message is printed), else 0.
 */
export async function eachBlock(
  context: ToolContext,
  path: string,
  visit: (lines: readonly string[]) => Promise<boolean>,
): Promise<number> {
  if (path !== '-') {
    const text = await readOperand(context, path)
    if (text === undefined) return 1
    await visit(linesOf(text))
    return 0
  }
  let rest = ''
  for (;;) {
    const chunk = await readChunk(context, context.fds.get(0))
    if (chunk === undefined) break
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    if (lines.length > 0 && !(await visit(lines))) return 0
  }
  if (rest !== '') await visit([rest])
  return 0
}

/** All lines of all operands; standard input when there are none. */
export async function allLines(
  context: ToolContext,
  paths: readonly string[],
): Promise<{ readonly lines: string[]; readonly status: number }> {
  const lines: string[] = []
  let status = 0
  for (const path of paths.length === 0 ? ['-'] : paths) {
    status =
      (await eachBlock(context, path, async (block) => {
        for (const line of block) lines.push(line)
        return true
      })) || status
  }
  return { lines, status }
}
