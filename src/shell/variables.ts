/** Names and values of a shell process: variables, positional and special parameters. */
import { Unwind } from './control'
import type { Proc, Variable } from './process'

/** Throws a shell error that ends the line (interactive) or the script, as bash does for bad expansions. */
export function fatal(message: string, status: number): never {
  const error = new Unwind('fatal', status)
  error.message = message
  throw error
}

export function setVariable(proc: Proc, name: string, value: string | string[]): void {
  const old = proc.vars.get(name)
  if (old?.readonly) fatal(`${name}: readonly variable`, 1)
  if (old === undefined) proc.vars.set(name, { value, exported: false, readonly: false })
  else old.value = value
}

/** Assignment to one element of an indexed array; a plain string is its element 0. */
export function setElement(proc: Proc, name: string, index: number, value: string): void {
  const old = proc.vars.get(name)?.value
  const array = old === undefined ? [] : typeof old === 'string' ? [old] : [...old]
  while (array.length < index) array.push('')
  array[index] = value
  setVariable(proc, name, array)
}

export function unsetVariable(proc: Proc, name: string): void {
  if (proc.vars.get(name)?.readonly) fatal(`${name}: cannot unset: readonly variable`, 1)
  proc.vars.delete(name)
}

/** `local name`: remembers the caller's variable until the function returns. */
export function declareLocal(proc: Proc, name: string): void {
  const frame = proc.locals.at(-1)
  if (frame === undefined || frame.has(name)) return
  const outer = proc.vars.get(name)
  frame.set(name, outer)
  proc.vars.set(name, { value: '', exported: outer?.exported ?? false, readonly: false })
}

export function restoreLocals(proc: Proc, frame: ReadonlyMap<string, Variable | undefined>): void {
  for (const [name, variable] of frame) {
    if (variable === undefined) proc.vars.delete(name)
    else proc.vars.set(name, variable)
  }
}

/** Value of a variable, a positional or a special parameter; undefined when it is unset. */
export function parameter(proc: Proc, name: string): string | undefined {
  if (/^\d+$/.test(name)) {
    const index = Number(name)
    return index === 0 ? proc.name : proc.positional[index - 1]
  }
  switch (name) {
    case '?':
      return String(proc.status)
    case '$':
      return String(proc.shellPid)
    case '!':
      return proc.lastBackground === 0 ? '' : String(proc.lastBackground)
    case '#':
      return String(proc.positional.length)
    case '@':
    case '*':
      return proc.positional.length === 0 ? undefined : proc.positional.join(' ')
    case '-':
      return optionLetters(proc)
    case 'BASHPID':
      return String(proc.pid)
    case 'SECONDS':
      return String(Math.floor((proc.sys.now() - proc.startNs) / 1e9))
    case 'LINENO':
      return String(proc.source.slice(0, proc.position).split('\n').length)
    case 'EUID':
    case 'UID':
      return '0'
    default:
      break
  }
  const value = proc.vars.get(name)?.value
  return typeof value === 'object' ? value[0] : value
}

/** All elements of `name[@]`; a plain string is an array of one. */
export function elements(proc: Proc, name: string): readonly string[] {
  const value = proc.vars.get(name)?.value
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

function optionLetters(proc: Proc): string {
  const { errexit, nounset, xtrace, noglob } = proc.options
  return `${errexit ? 'e' : ''}${noglob ? 'f' : ''}h${proc.isInteractive ? 'im' : ''}${nounset ? 'u' : ''}${xtrace ? 'x' : ''}B`
}

/** What a child process gets. */
export function environment(proc: Proc): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, { value, exported }] of proc.vars)
    if (exported) env[name] = typeof value === 'string' ? value : (value[0] ?? '')
  return env
}
