/** cat: files and standard input to standard output, as they come. */
import type { Tool } from '../process'
import { readChunk } from '../stream'
import { getOptions, passedOn, readOperand } from './options'

export const cat: Tool = {
  name: 'cat',
  summary: 'prints files',
  usage: 'cat [-nE] [FILE]...',
  async run(context) {
    const { flags, operands } = await getOptions(context, 'nbsETAveu')
    let status = 0
    let number = 0
    const shape = (text: string): string => {
      if (!flags.has('n') && !flags.has('E') && !flags.has('A')) return text
      return text.replace(/([^\n]*)(\n|$)/g, (all, line: string, end: string) => {
        if (all === '') return ''
        const start = flags.has('n') ? `${String(++number).padStart(6)}\t` : ''
        return `${start}${line}${end === '' || flags.has('n') === !flags.has('E') ? '' : '$'}${end}`
      })
    }
    for (const path of operands.length === 0 ? ['-'] : operands) {
      if (path === '-') {
        for (let text = await readChunk(context, context.fds.get(0)); text !== undefined;) {
          await context.print(shape(text))
          text = await readChunk(context, context.fds.get(0))
        }
        continue
      }
      if (flags.size === 0 && (await passedOn(context, path))) continue
      const text = await readOperand(context, path)
      if (text === undefined) status = 1
      else await context.print(shape(text))
    }
    return status
  },
}
