/** Variables, directories, options and aliases: export, unset, local, read, set, cd … */
import { strerror } from '../../util/errno'
import { resolvePath } from '../paths'
import { explainRefusal, type Builtin, type Proc } from '../process'
import { isTty, readLine } from '../stream'
import { declareLocal, parameter, setVariable, unsetVariable } from '../variables'
import { refuse, say } from './say'

const shown = (value: string): string => `"${value.replace(/["\\$`]/g, '\\$&')}"`
const valueText = (value: string | string[]): string =>
  typeof value === 'string' ? shown(value) : `(${value.map((v, i) => `[${i}]=${shown(v)}`).join(' ')})`

/** `name=value`, `name+=value` or `name`. */
async function declare(proc: Proc, args: readonly string[], each: (name: string) => void): Promise<number> {
  let status = 0
  for (const arg of args) {
    const found = /^([A-Za-z_]\w*)(?:(\+?)=([^]*))?$/.exec(arg)
    if (found === null) {
      status = await refuse(proc, `\`${arg}': not a valid identifier`)
      continue
    }
    const [, name = '', append, value] = found
    each(name)
    if (value !== undefined) setVariable(proc, name, append === '+' ? (parameter(proc, name) ?? '') + value : value)
  }
  return status
}

const mark =
  (key: 'exported' | 'readonly', word: string) =>
  async (proc: Proc, args: readonly string[]): Promise<number> => {
    const names = args.filter((arg) => !arg.startsWith('-'))
    if (names.length === 0) {
      const lines = [...proc.vars].filter(([, v]) => v[key]).sort(([a], [b]) => (a < b ? -1 : 1))
      await say(proc, lines.map(([name, v]) => `declare -${word} ${name}=${valueText(v.value)}\n`).join(''))
      return 0
    }
    const status = await declare(proc, names, () => undefined)
    const turnOn = !args.includes('-n')
    for (const arg of names) {
      const name = arg.replace(/\+?=[^]*$/, '')
      const variable = proc.vars.get(name)
      if (variable !== undefined) variable[key] = turnOn
      else proc.vars.set(name, { value: '', exported: key === 'exported', readonly: key === 'readonly' })
    }
    return status
  }

async function local(proc: Proc, args: readonly string[]): Promise<number> {
  if (proc.locals.length === 0) return refuse(proc, 'local: can only be used in a function')
  return declare(
    proc,
    args.filter((arg) => !arg.startsWith('-')),
    (name) => declareLocal(proc, name),
  )
}

async function declareBuiltin(proc: Proc, args: readonly string[]): Promise<number> {
  const flags = args.filter((arg) => arg.startsWith('-')).join('')
  const names = args.filter((arg) => !arg.startsWith('-'))
  if (names.length === 0) {
    if (flags.includes('f') || flags.includes('F')) {
      await say(
        proc,
        [...proc.functions.keys()]
          .sort()
          .map((name) => `declare -f ${name}\n`)
          .join(''),
      )
      return 0
    }
    const all = [...proc.vars].sort(([a], [b]) => (a < b ? -1 : 1))
    await say(proc, all.map(([name, v]) => `declare -- ${name}=${valueText(v.value)}\n`).join(''))
    return 0
  }
  const status = await declare(proc, names, (name) => (flags.includes('g') ? undefined : declareLocal(proc, name)))
  for (const arg of names) {
    const name = arg.replace(/\+?=[^]*$/, '')
    const old = proc.vars.get(name)
    const value = old?.value ?? (flags.includes('a') ? [] : '')
    proc.vars.set(name, {
      value: flags.includes('a') && typeof value === 'string' ? (value === '' ? [] : [value]) : value,
      exported: flags.includes('x') || (old?.exported ?? false),
      readonly: flags.includes('r') || (old?.readonly ?? false),
    })
  }
  return status
}

async function unset(proc: Proc, args: readonly string[]): Promise<number> {
  for (const name of args) {
    if (name.startsWith('-')) continue
    if (args[0] === '-f' || (!proc.vars.has(name) && proc.functions.has(name))) proc.functions.delete(name)
    else unsetVariable(proc, name)
  }
  return 0
}

/** `read [-r] [-p prompt] [name…]`: one line, cut by IFS; the last name takes the rest. */
async function read(proc: Proc, args: readonly string[]): Promise<number> {
  const rest = [...args]
  let isRaw = false
  while (rest[0]?.startsWith('-')) {
    const flag = rest.shift() ?? ''
    if (flag === '-p') {
      const prompt = rest.shift() ?? ''
      if (isTty(proc.fds.get(0))) await say(proc, prompt)
    } else if (/^-[tndu]$/.test(flag)) return refuse(proc, `read: ${flag}: not supported here`, 2)
    else isRaw ||= flag.includes('r')
  }
  const names = rest.length === 0 ? ['REPLY'] : rest
  let text = ''
  let isComplete = false
  for (;;) {
    const got = await readLine(proc, proc.fds.get(0))
    isComplete = got?.isComplete ?? false
    text += got?.line ?? ''
    if (isRaw || !isComplete || !/(^|[^\\])(\\\\)*\\$/.test(text)) break
    text = text.slice(0, -1)
  }
  assignFields(proc, names, isRaw ? text : text.replace(/\\(.)/g, '$1'))
  return isComplete ? 0 : 1
}

function assignFields(proc: Proc, names: readonly string[], line: string): void {
  const ifs = parameter(proc, 'IFS') ?? ' \t\n'
  const blanks = [...ifs].filter((c) => ' \t\n'.includes(c)).join('')
  const escaped = (set: string): string => set.replace(/[\\\]^-]/g, '\\$&')
  const trim = (text: string): string =>
    blanks === '' ? text : text.replace(new RegExp(`^[${escaped(blanks)}]+|[${escaped(blanks)}]+$`, 'g'), '')
  let rest = names[0] === 'REPLY' && names.length === 1 ? line : trim(line)
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1
    const cut = isLast || ifs === '' ? -1 : rest.search(new RegExp(`[${escaped(ifs)}]`))
    if (cut < 0) {
      setVariable(proc, name, rest)
      rest = ''
      continue
    }
    setVariable(proc, name, rest.slice(0, cut))
    const separator = new RegExp(`^[${escaped(blanks || ifs)}]*`)
    const after = rest.slice(cut)
    const isBlank = blanks.includes(after[0] ?? '')
    rest = (isBlank ? after : after.slice(1)).replace(blanks === '' ? /^/ : separator, '')
    if (isBlank && ifs !== blanks && ifs.includes(rest[0] ?? '\0')) rest = trim(rest.slice(1))
  }
}

const LETTERS: Readonly<Record<string, keyof Proc['options']>> = {
  e: 'errexit',
  u: 'nounset',
  x: 'xtrace',
  f: 'noglob',
}

/** `set -eux -o pipefail -- a b`. */
async function set(proc: Proc, args: readonly string[]): Promise<number> {
  if (args.length === 0) {
    const all = [...proc.vars].sort(([a], [b]) => (a < b ? -1 : 1))
    await say(
      proc,
      all.map(([name, v]) => `${name}=${typeof v.value === 'string' ? v.value : valueText(v.value)}\n`).join(''),
    )
    return 0
  }
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--' || !/^[-+]./.test(arg)) {
      proc.positional = args.slice(arg === '--' ? i + 1 : i)
      return 0
    }
    const turnOn = arg.startsWith('-')
    for (const letter of arg.slice(1)) {
      const name = letter === 'o' ? args[++i] : LETTERS[letter]
      if (name === undefined || !(name in proc.options)) {
        if (letter === 'm' || letter === 'h' || letter === 'B') continue
        return refuse(proc, `set: ${letter === 'o' ? (name ?? '-o') : `${arg[0]}${letter}`}: invalid option`, 2)
      }
      proc.options[name as keyof Proc['options']] = turnOn
    }
  }
  return 0
}

async function cd(proc: Proc, args: readonly string[]): Promise<number> {
  const words = args.filter((arg) => arg !== '-L' && arg !== '-P' && arg !== '--')
  if (words.length > 1) return refuse(proc, 'cd: too many arguments')
  const target = words[0] === '-' ? parameter(proc, 'OLDPWD') : (words[0] ?? parameter(proc, 'HOME') ?? '/root')
  if (target === undefined) return refuse(proc, 'cd: OLDPWD not set')
  const path = resolvePath(proc.cwd, target)
  const changed = proc.sys.command({ kind: 'chdir', pid: proc.pid, path })
  if (!changed.ok) {
    explainRefusal(proc.world, changed.error)
    if (proc.dialect === 'sh') return refuse(proc, `cd: can't cd to ${target}: ${strerror(changed.error.errno)}`)
    return refuse(proc, `cd: ${target}: ${strerror(changed.error.errno)}`)
  }
  setVariable(proc, 'OLDPWD', proc.cwd)
  proc.cwd = path
  setVariable(proc, 'PWD', path)
  if (words[0] === '-') await say(proc, `${path}\n`)
  return 0
}

export const names: readonly Builtin[] = [
  { name: 'export', summary: 'marks variables for the environment of children', run: mark('exported', 'x') },
  { name: 'readonly', summary: 'marks variables as constant', run: mark('readonly', 'r') },
  { name: 'local', summary: 'variables of a function', run: local },
  { name: 'declare', summary: 'declares variables and arrays', run: declareBuiltin },
  { name: 'typeset', summary: 'declares variables and arrays', run: declareBuiltin },
  { name: 'unset', summary: 'removes variables or functions', run: unset },
  { name: 'read', summary: 'reads a line into variables', run: read },
  { name: 'set', summary: 'options and positional parameters', run: set },
  { name: 'cd', summary: 'changes the directory', run: cd },
  { name: 'pwd', summary: 'prints the directory', run: (proc) => say(proc, `${proc.cwd}\n`).then(() => 0) },
]
