/** The language of sed: s, d, D, p, P, q, Q, n, N, =, y, a, i, c, h, H, g, G, x, b, t, {} with addresses. */
import { posixRegex, type Dialect } from './regex'

export class SedSyntaxError extends Error {}

type Address =
  | { readonly kind: 'line'; readonly line: number }
  | { readonly kind: 'step'; readonly first: number; readonly step: number }
  | { readonly kind: 'last' }
  | { readonly kind: 'regex'; readonly regex: RegExp }
  | { readonly kind: 'more'; readonly lines: number }

export interface SedCommand {
  readonly name: string
  readonly from: Address | undefined
  readonly to: Address | undefined
  readonly isNegated: boolean
  /** Text of a, i, c; label of b, t and `:`; set of y. */
  readonly text: string
  readonly regex: RegExp | undefined
  readonly replacement: string
  readonly flags: string
  /** Index of the command after the matching brace. */
  end: number
}

interface Cursor {
  readonly source: string
  readonly dialect: Dialect
  at: number
  lastRegex: RegExp | undefined
}

export function parseSed(source: string, dialect: Dialect): readonly SedCommand[] {
  const c: Cursor = { source, dialect, at: 0, lastRegex: undefined }
  const commands: SedCommand[] = []
  const open: SedCommand[] = []
  for (;;) {
    skip(c, /[\s;]*/y)
    if (c.at >= source.length) break
    if (source[c.at] === '#') {
      skip(c, /[^\n]*/y)
      continue
    }
    const command = parseCommand(c)
    if (command.name === '}') {
      const start = open.pop()
      if (start === undefined) throw new SedSyntaxError("unexpected `}'")
      start.end = commands.length
      continue
    }
    commands.push(command)
    if (command.name === '{') open.push(command)
  }
  if (open.length > 0) throw new SedSyntaxError("unmatched `{'")
  return commands
}

function skip(c: Cursor, pattern: RegExp): string {
  pattern.lastIndex = c.at
  const found = pattern.exec(c.source)?.[0] ?? ''
  c.at += found.length
  return found
}

function parseCommand(c: Cursor): SedCommand {
  const from = address(c)
  let to: Address | undefined
  if (from !== undefined && c.source[c.at] === ',') {
    c.at++
    skip(c, /\s*/y)
    to = address(c)
    if (to === undefined) throw new SedSyntaxError("unexpected `,'")
  }
  skip(c, /\s*/y)
  let isNegated = false
  while (c.source[c.at] === '!') {
    isNegated = true
    c.at++
    skip(c, /\s*/y)
  }
  const name = c.source[c.at++] ?? ''
  const base = { name, from, to, isNegated, text: '', regex: undefined, replacement: '', flags: '', end: 0 }
  switch (name) {
    case 's': {
      const { first, second } = halves(c)
      const flags = skip(c, /[gpiIme\d]*/y)
      const regex = first === '' ? c.lastRegex : posixRegex(first, c.dialect, /[iI]/.test(flags) ? 'gi' : 'g')
      if (regex === undefined) throw new SedSyntaxError('no previous regular expression')
      c.lastRegex = regex
      return { ...base, regex, replacement: second, flags }
    }
    case 'y': {
      const { first, second } = halves(c)
      if ([...first].length !== [...second].length)
        throw new SedSyntaxError("strings for `y' command are different lengths")
      return { ...base, text: first, replacement: second }
    }
    case 'a':
    case 'i':
    case 'c':
      skip(c, /[ \t]*\\?\n?[ \t]*/y)
      return { ...base, text: skip(c, /(?:[^\n\\]|\\[^])*/y).replace(/\\(.)/gs, '$1') }
    case 'b':
    case 't':
    case ':':
      skip(c, /[ \t]*/y)
      return { ...base, text: skip(c, /[^\s;}]*/y) }
    case 'q':
    case 'Q':
      skip(c, /[ \t]*/y)
      return { ...base, text: skip(c, /\d*/y) }
    default:
      if (!'dDpPnN=hHgGx{}l'.includes(name)) throw new SedSyntaxError(`unknown command: \`${name}'`)
      return base
  }
}

function address(c: Cursor): Address | undefined {
  const number = skip(c, /\d+/y)
  if (number !== '') {
    if (c.source[c.at] !== '~') return { kind: 'line', line: Number(number) }
    c.at++
    return { kind: 'step', first: Number(number), step: Number(skip(c, /\d+/y)) }
  }
  if (c.source[c.at] === '$') {
    c.at++
    return { kind: 'last' }
  }
  if (c.source[c.at] === '+') {
    c.at++
    return { kind: 'more', lines: Number(skip(c, /\d+/y)) }
  }
  if (c.source[c.at] !== '/' && c.source[c.at] !== '\\') return undefined
  if (c.source[c.at] === '\\') c.at++
  const text = half(c, c.source[c.at++] ?? '')
  const regex = posixRegex(text, c.dialect, skip(c, /I?/y) === '' ? '' : 'i')
  c.lastRegex = new RegExp(regex.source, `${regex.flags}g`)
  return { kind: 'regex', regex }
}

function halves(c: Cursor): { first: string; second: string } {
  const delimiter = c.source[c.at++] ?? ''
  return { first: half(c, delimiter), second: half(c, delimiter) }
}

/** Text up to the delimiter; an escaped delimiter is the character itself. */
function half(c: Cursor, delimiter: string): string {
  let text = ''
  let inBracket = false
  for (; c.at < c.source.length; c.at++) {
    const character = c.source[c.at] ?? ''
    if (character === '\\') {
      const next = c.source[++c.at] ?? ''
      text += next === delimiter ? next : `\\${next}`
    } else if (character === delimiter && !inBracket) {
      c.at++
      return text
    } else {
      if (character === '[') inBracket = true
      else if (character === ']') inBracket = false
      text += character
    }
  }
  throw new SedSyntaxError("unterminated `s' command")
}

// ---------------------------------------------------------------- running

export interface Sed {
  readonly commands: readonly SedCommand[]
  readonly isQuiet: boolean
  line: number
  hold: string
  /** Line at which the range of a command ends, Infinity while its end has not been seen. */
  readonly ranges: Map<SedCommand, number>
  /** The pattern space, while N or D carry it over to the next line. */
  carried: string | undefined
  resumeAt: number
  hasQuit: boolean
  exitStatus: number
}

export const createSed = (commands: readonly SedCommand[], isQuiet: boolean): Sed => ({
  commands,
  isQuiet,
  line: 0,
  hold: '',
  ranges: new Map(),
  carried: undefined,
  resumeAt: 0,
  hasQuit: false,
  exitStatus: 0,
})

interface Cycle {
  space: string
  out: string
  appended: string
  replaced: boolean
  isDeleted: boolean
  /** D: the script begins again with the rest of the pattern space. */
  restartWith: string | undefined
}

/** Runs the script over the next line and gives what it prints. */
export function runLine(sed: Sed, line: string, isLast: boolean): string {
  sed.line++
  const space = sed.carried === undefined ? line : `${sed.carried}\n${line}`
  const cycle: Cycle = { space, out: '', appended: '', replaced: false, isDeleted: false, restartWith: undefined }
  let at = sed.resumeAt
  sed.carried = undefined
  sed.resumeAt = 0
  while (at < sed.commands.length && !sed.hasQuit) {
    const command = sed.commands[at]
    if (command === undefined) break
    at++
    if (!selects(sed, command, cycle.space, isLast)) {
      if (command.name === '{') at = command.end
      continue
    }
    if (command.name === 'N' || command.name === 'n') {
      if (isLast) {
        if (command.name === 'n' || !sed.isQuiet) break
        continue
      }
      if (command.name === 'N') sed.carried = cycle.space
      else if (!sed.isQuiet) cycle.out += `${cycle.space}\n`
      sed.resumeAt = at
      return cycle.out + cycle.appended
    }
    if (command.name === 'b' || (command.name === 't' && cycle.replaced)) {
      if (command.name === 't') cycle.replaced = false
      at = command.text === '' ? sed.commands.length : labelIndex(sed, command.text)
      continue
    }
    perform(sed, command, cycle)
    if (cycle.restartWith !== undefined) {
      cycle.space = cycle.restartWith
      cycle.restartWith = undefined
      cycle.isDeleted = false
      at = 0
    }
    if (cycle.isDeleted) return cycle.out + cycle.appended
  }
  if (!sed.isQuiet && !cycle.isDeleted) cycle.out += `${cycle.space}\n`
  return cycle.out + cycle.appended
}

function labelIndex(sed: Sed, label: string): number {
  const index = sed.commands.findIndex((command) => command.name === ':' && command.text === label)
  if (index < 0) throw new SedSyntaxError(`can't find label for jump to \`${label}'`)
  return index + 1
}

function selects(sed: Sed, command: SedCommand, space: string, isLast: boolean): boolean {
  return inAddresses(sed, command, space, isLast) !== command.isNegated
}

function inAddresses(sed: Sed, command: SedCommand, space: string, isLast: boolean): boolean {
  const { from, to } = command
  if (from === undefined) return true
  if (to === undefined) return hits(sed, from, space, isLast)
  const end = sed.ranges.get(command)
  if (end !== undefined) {
    const isEnd = to.kind === 'regex' || to.kind === 'last' ? hits(sed, to, space, isLast) : sed.line >= end
    if (isEnd) sed.ranges.delete(command)
    return to.kind === 'regex' || to.kind === 'last' || sed.line <= end
  }
  if (!hits(sed, from, space, isLast)) return false
  const until = to.kind === 'line' ? to.line : to.kind === 'more' ? sed.line + to.lines : Infinity
  if (until > sed.line) sed.ranges.set(command, until)
  return true
}

function hits(sed: Sed, address: Address, space: string, isLast: boolean): boolean {
  switch (address.kind) {
    case 'line':
      return sed.line === address.line
    case 'step':
      return address.step === 0
        ? sed.line === address.first
        : sed.line >= address.first && (sed.line - address.first) % address.step === 0
    case 'last':
      return isLast
    case 'regex':
      return address.regex.test(space)
    case 'more':
      return false
  }
}

function perform(sed: Sed, command: SedCommand, cycle: Cycle): void {
  switch (command.name) {
    case 's':
      return substitute(command, cycle)
    case 'y': {
      const [from, to] = [[...command.text], [...command.replacement]]
      cycle.space = [...cycle.space].map((c) => to[from.indexOf(c)] ?? c).join('')
      return
    }
    case 'd':
      cycle.isDeleted = true
      return
    case 'D':
    case 'P': {
      const newline = cycle.space.indexOf('\n')
      const first = newline < 0 ? cycle.space : cycle.space.slice(0, newline)
      if (command.name === 'P') cycle.out += `${first}\n`
      else {
        cycle.isDeleted = true
        if (newline >= 0) cycle.restartWith = cycle.space.slice(newline + 1)
      }
      return
    }
    case 'p':
      cycle.out += `${cycle.space}\n`
      return
    case '=':
      cycle.out += `${sed.line}\n`
      return
    case 'i':
      cycle.out += `${command.text}\n`
      return
    case 'a':
      cycle.appended += `${command.text}\n`
      return
    case 'c':
      if (command.to === undefined || !sed.ranges.has(command)) cycle.out += `${command.text}\n`
      cycle.isDeleted = true
      return
    case 'q':
    case 'Q':
      sed.hasQuit = true
      sed.exitStatus = Number(command.text || 0)
      if (command.name === 'Q') cycle.isDeleted = true
      return
    default:
      return holdCommands(sed, command, cycle)
  }
}

function holdCommands(sed: Sed, command: SedCommand, cycle: Cycle): void {
  switch (command.name) {
    case 'h':
      sed.hold = cycle.space
      return
    case 'H':
      sed.hold += `\n${cycle.space}`
      return
    case 'g':
      cycle.space = sed.hold
      return
    case 'G':
      cycle.space += `\n${sed.hold}`
      return
    case 'x':
      ;[cycle.space, sed.hold] = [sed.hold, cycle.space]
      return
    default:
      return
  }
}

function substitute(command: SedCommand, cycle: Cycle): void {
  const wanted = Number(/\d+/.exec(command.flags)?.[0] ?? 1)
  const isGlobal = command.flags.includes('g')
  let seen = 0
  let changed = false
  if (command.regex === undefined) return
  cycle.space = cycle.space.replace(command.regex, (match: string, ...groups: unknown[]) => {
    seen++
    if (seen < wanted || (seen > wanted && !isGlobal)) return match
    changed = true
    return replacement(command.replacement, match, groups)
  })
  if (!changed) return
  cycle.replaced = true
  if (command.flags.includes('p')) cycle.out += `${cycle.space}\n`
}

/** `&`, `\1` … `\9`, `\n`, `\U` and `\L` up to `\E`. */
function replacement(text: string, match: string, groups: readonly unknown[]): string {
  let result = ''
  let change: (s: string) => string = (s) => s
  for (const [token] of text.matchAll(/\\[^]|&|[^\\&]+/g)) {
    if (token === '&') result += change(match)
    else if (/^\\\d$/.test(token))
      result += change(token === '\\0' ? match : String(groups[Number(token[1]) - 1] ?? ''))
    else if (token === '\\U') change = (s) => s.toUpperCase()
    else if (token === '\\L') change = (s) => s.toLowerCase()
    else if (token === '\\E') change = (s) => s
    else if (token === '\\n') result += '\n'
    else if (token === '\\t') result += '\t'
    else result += change(token.startsWith('\\') ? token.slice(1) : token)
  }
  return result
}
