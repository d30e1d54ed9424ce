/** Tab completion: commands in the first word, elsewhere paths and the words that a tool knows. */
import { resolvePath } from './paths'
import type { Proc } from './process'

/** Whole replacements for the word before `cursor`, sorted. A directory ends with a slash. */
export function completions(proc: Proc, line: string, cursor: number): readonly string[] {
  const before = line.slice(0, cursor)
  const word = wordBefore(before)
  const ahead = before.slice(0, before.length - word.length)
  const isCommand = /(^|[;&|(]|\b(sudo|then|do|else|watch|time|exec)\s)\s*$/.test(ahead) && !word.includes('/')
  if (isCommand) return commandNames(proc, word)
  return [...new Set([...toolWords(proc, ahead, word), ...paths(proc, word)])].sort()
}

/** The word that the cursor stands behind. */
export const wordBefore = (text: string): string => /[^\s;&|()<>="'`$]*$/.exec(text)?.[0] ?? ''

function commandNames(proc: Proc, word: string): readonly string[] {
  const names = new Set([
    ...proc.aliases.keys(),
    ...proc.functions.keys(),
    ...Object.keys(proc.world.builtins),
    ...Object.keys(proc.world.tools),
    ...proc.sys.programNames(),
  ])
  return [...names].filter((name) => name.startsWith(word)).sort()
}

/** Words of the tool whose operands are being typed. An empty word would list hundreds. */
function toolWords(proc: Proc, ahead: string, word: string): readonly string[] {
  const command = /(?:^|[;&|(])\s*(?:sudo\s+)?([\w.-]+)\s[^;&|(]*$/.exec(ahead)?.[1] ?? ''
  const words = Object.hasOwn(proc.world.tools, command) ? proc.world.tools[command]?.words : undefined
  return word === '' || words === undefined ? [] : words().filter((one) => one.startsWith(word) && !one.includes(' '))
}

function paths(proc: Proc, word: string): readonly string[] {
  const slash = word.lastIndexOf('/')
  const shown = word.slice(0, slash + 1)
  const start = word.slice(slash + 1)
  const home = proc.vars.get('HOME')?.value
  const directory = resolvePath(proc.cwd, (typeof home === 'string' ? shown.replace(/^~(?=\/)/, home) : shown) || '.')
  const names = proc.sys.list(proc.pid, directory)
  if (!names.ok) return []
  return [...names.value]
    .filter((name) => name.startsWith(start) && (start.startsWith('.') || !name.startsWith('.')))
    .sort()
    .map((name) => {
      const stat = proc.sys.stat(proc.pid, resolvePath(directory, name))
      return `${shown}${name}${stat.ok && stat.value.kind === 'dir' ? '/' : ''}`
    })
}
