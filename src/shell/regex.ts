/** POSIX regular expressions, basic and extended, as JavaScript's. */

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
  cntrl: '\\x00-\\x1f\\x7f',
  print: '\\x20-\\x7e',
  graph: '\\x21-\\x7e',
}

export type Dialect = 'basic' | 'extended' | 'fixed'

/** @throws SyntaxError when the expression is malformed */
export const posixRegex = (source: string, dialect: Dialect, flags = ''): RegExp =>
  new RegExp(translate(source, dialect), flags)

export function translate(source: string, dialect: Dialect): string {
  if (dialect === 'fixed') return source.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  let out = ''
  let i = 0
  while (i < source.length) {
    const c = source[i] ?? ''
    if (c === '[') {
      const set = bracket(source, i)
      if (set === undefined) throw new SyntaxError('Unmatched [, [^, [:, [., or [=')
      out += set.source
      i = set.end
    } else if (c === '\\') {
      out += escape(source[i + 1] ?? '\\', dialect)
      i += 2
    } else {
      out += dialect === 'basic' ? basic(source, i) : extended(source, i)
      i++
    }
  }
  return out
}

/** `*` is itself at the start of an expression or a group; `^` and `$` are anchors only at its ends. */
function basic(source: string, i: number): string {
  const c = source[i] ?? ''
  const before = source.slice(0, i)
  const isStart = before === '' || /\\[(|]$/.test(before)
  if (c === '*') return isStart || before === '^' ? '\\*' : '*'
  if (c === '^') return isStart ? '^' : '\\^'
  if (c === '$') return /^($|\\[)|])/.test(source.slice(i + 1)) ? '$' : '\\$'
  return /[+?(){}|/]/.test(c) ? `\\${c}` : c
}

/** A brace that is no interval stands for itself. */
function extended(source: string, i: number): string {
  const c = source[i] ?? ''
  if (c === '/') return '\\/'
  if (c === '{' && !/^\{\d*(,\d*)?\}/.test(source.slice(i))) return '\\{'
  if (c === '}' && !/\{\d*(,\d*)?$/.test(source.slice(0, i))) return '\\}'
  return c
}

function escape(c: string, dialect: Dialect): string {
  if (c === '<' || c === '>') return '\\b'
  if (dialect === 'basic' && /[(){}|+?]/.test(c)) return c
  if (/[a-zA-Z0-9]/.test(c)) return /[bBwWsSdDntrfv1-9]/.test(c) ? `\\${c}` : c
  return /[\\^$.*+?()[\]{}|/]/.test(c) ? `\\${c}` : c
}

function bracket(source: string, start: number): { source: string; end: number } | undefined {
  let i = start + 1
  let set = '['
  if (source[i] === '^') {
    set += '^'
    i++
  }
  for (let isFirst = true; i < source.length; isFirst = false) {
    const c = source[i] ?? ''
    if (c === ']' && !isFirst) return { source: `${set}]`, end: i + 1 }
    const named = /^\[:(\w+):\]/.exec(source.slice(i))
    if (named !== null) {
      set += CLASSES[named[1] ?? ''] ?? ''
      i += named[0].length
      continue
    }
    // In brackets a backslash is itself, but \t, \n and \] are too common in scripts to insist.
    if (c === '\\' && /[tnr\\\]/"]/.test(source[i + 1] ?? '')) {
      set += `\\${source[i + 1]}`
      i += 2
      continue
    }
    set += /[\\[\]^]/.test(c) ? `\\${c}` : c
    i++
  }
  return undefined
}
