/** Shell patterns: as a test on text (`case`, `${x%…}`) and as a search through directories. */
import type { Sys } from './sys'

/** Puts a backslash before what a pattern would take as special. */
export const escapePattern = (text: string): string => text.replace(/[\\*?[\]{}()!|+@]/g, '\\$&')

/** Whether a pattern has an active `*`, `?` or `[…]`. */
export function hasGlob(pattern: string): boolean {
  return /[*?]|\[[^\]]+\]/.test(pattern.replace(/\\./g, ''))
}

/** The text that a pattern without active characters stands for. */
export const unescapePattern = (pattern: string): string => pattern.replace(/\\(.)/gs, '$1')

/** A regular expression (source, not anchored) for a pattern. `*` may match `/` unless `path` is set. */
export function patternSource(pattern: string, how: { readonly path: boolean; readonly shortest?: boolean }): string {
  const any = how.path ? '[^/]' : '[^]'
  let source = ''
  let i = 0
  while (i < pattern.length) {
    const c = pattern[i] ?? ''
    if (c === '\\') {
      source += quote(pattern[i + 1] ?? '\\')
      i += 2
    } else if (c === '*') {
      source += `${any}*${how.shortest ? '?' : ''}`
      i++
    } else if (c === '?') {
      source += any
      i++
    } else if (c === '[') {
      const set = bracket(pattern, i)
      source += set?.source ?? '\\['
      i = set?.end ?? i + 1
    } else {
      source += quote(c)
      i++
    }
  }
  return source
}

const quote = (c: string): string => c.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

const CLASSES: Readonly<Record<string, string>> = {
  digit: '0-9',
  alpha: 'A-Za-z',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
}

/** `[abc]`, `[!a-z]`, `[[:digit:]]` from position `start`; undefined when it is not closed. */
function bracket(pattern: string, start: number): { source: string; end: number } | undefined {
  let i = start + 1
  let source = '['
  if (pattern[i] === '!' || pattern[i] === '^') {
    source += '^'
    i++
  }
  for (let isFirst = true; i < pattern.length; isFirst = false) {
    const c = pattern[i] ?? ''
    if (c === ']' && !isFirst) return { source: `${source}]`, end: i + 1 }
    const named = /^\[:(\w+):\]/.exec(pattern.slice(i))
    if (named !== null) {
      source += CLASSES[named[1] ?? ''] ?? ''
      i += named[0].length
      continue
    }
    if (c === '\\') i++
    const literal = pattern[i] ?? ''
    source += literal === '-' ? '-' : literal.replace(/[\\^\][]/g, '\\$&')
    i++
  }
  return undefined
}

/** A whole-text test; a malformed pattern ([z-a]) matches nothing. */
function compile(pattern: string, how: { readonly path: boolean }): RegExp {
  try {
    return new RegExp(`^(?:${patternSource(pattern, how)})$`)
  } catch {
    return /(?!)/
  }
}

export const matches = (pattern: string, text: string): boolean => compile(pattern, { path: false }).test(text)

/** Paths that match, sorted; relative ones are relative to `cwd`. Empty when there are none. */
export function searchPaths(sys: Sys, pid: number, cwd: string, pattern: string): readonly string[] {
  const isAbsolute = pattern.startsWith('/')
  let found: string[] = [isAbsolute ? '/' : '']
  const steps = pattern.split('/').filter((step) => step !== '')
  for (const [index, step] of steps.entries()) {
    const isLast = index === steps.length - 1
    const next: string[] = []
    for (const base of found) extend(sys, pid, cwd, base, step, isLast, next)
    found = next
  }
  if (pattern.endsWith('/')) found = found.map((path) => `${path}/`)
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function extend(sys: Sys, pid: number, cwd: string, base: string, step: string, isLast: boolean, into: string[]): void {
  const join = (name: string): string => (base === '' || base === '/' ? base + name : `${base}/${name}`)
  const absolute = (path: string): string => (path.startsWith('/') ? path : `${cwd === '/' ? '' : cwd}/${path}`)
  if (!hasGlob(step)) {
    const path = join(unescapePattern(step))
    if (!isLast || sys.stat(pid, absolute(path)).ok) into.push(path)
    return
  }
  const names = sys.list(pid, absolute(base === '' ? '.' : base).replace(/\/\.$/, '') || '/')
  if (!names.ok) return
  const test = compile(step, { path: true })
  for (const name of names.value) {
    if (name.startsWith('.') && !step.startsWith('.')) continue
    if (test.test(name)) into.push(join(name))
  }
}
