/** echo and printf. */
import type { Builtin, Proc } from '../process'
import { complain } from '../fork'
import { formatPrintf, unescapeEcho } from '../printf'
import { say } from './say'
import { setVariable } from '../variables'

async function echo(proc: Proc, args: readonly string[]): Promise<number> {
  let newline = true
  let escapes = false
  let first = 0
  for (; /^-[neE]+$/.test(args[first] ?? ''); first++) {
    for (const letter of (args[first] ?? '').slice(1)) {
      if (letter === 'n') newline = false
      else escapes = letter === 'e'
    }
  }
  const text = args.slice(first).join(' ')
  const unescaped = escapes ? unescapeEcho(text) : { text, stops: false }
  await say(proc, unescaped.text + (newline && !unescaped.stops ? '\n' : ''))
  return 0
}

async function printf(proc: Proc, args: readonly string[]): Promise<number> {
  const rest = [...args]
  const variable = rest[0] === '-v' ? rest.splice(0, 2)[1] : undefined
  if (rest[0] === '--') rest.shift()
  const format = rest.shift()
  if (format === undefined) {
    await complain(proc, 'printf: usage: printf [-v var] format [arguments]')
    return 2
  }
  const { text, errors } = formatPrintf(format, rest)
  for (const error of errors) await complain(proc, `printf: ${error}`)
  if (variable === undefined) await say(proc, text)
  else setVariable(proc, variable, text)
  return errors.length > 0 ? 1 : 0
}

export const print: readonly Builtin[] = [
  { name: 'echo', summary: 'prints its arguments', run: echo },
  { name: 'printf', summary: 'prints its arguments in a format', run: printf },
]
