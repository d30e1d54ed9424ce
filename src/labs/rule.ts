/**
 * Rules over several numbers, as a lab writes them: `answer == managed // ratio`, `o9 > was.o9 and free < low`. A small
 * language of its own, because content must never run as code: whole numbers and decimals, names, + - * / // % xor,
 * comparisons, and, or, min(a, b), max(a, b).
 */
import { ok, userError, type Result } from '../util/result'

/** undefined = a name has no value yet: no rule holds over it. */
export type Lookup = (name: string) => number | undefined

export interface Rule {
  /** Names in order of appearance, `was.` included. */
  readonly names: readonly string[]
  holds(lookup: Lookup): boolean
}

type Eval = (lookup: Lookup) => number

const TOKEN = /\s*(\d+(?:\.\d+)?|[a-z][A-Za-z0-9.]*|==|!=|<=|>=|\/\/|[-+*/%<>(),])/y

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  or: (a, b) => (a !== 0 || b !== 0 ? 1 : 0),
  and: (a, b) => (a !== 0 && b !== 0 ? 1 : 0),
  '==': (a, b) => (a === b ? 1 : 0),
  '!=': (a, b) => (a !== b ? 1 : 0),
  '<': (a, b) => (a < b ? 1 : 0),
  '<=': (a, b) => (a <= b ? 1 : 0),
  '>': (a, b) => (a > b ? 1 : 0),
  '>=': (a, b) => (a >= b ? 1 : 0),
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '//': (a, b) => Math.floor(a / b),
  '%': (a, b) => a % b,
  // Page frame numbers fit into 32 bits up to 16 TiB.
  xor: (a, b) => (a ^ b) >>> 0,
}
/** From the loosest binding to the tightest. */
const LEVELS: readonly (readonly string[])[] = [
  ['or'],
  ['and'],
  ['==', '!=', '<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/', '//', '%', 'xor'],
]
const CALLS: Readonly<Record<string, (a: number, b: number) => number>> = { min: Math.min, max: Math.max }

class RuleFault extends Error {}

function tokensOf(text: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  let at = 0
  while (text.slice(at).trim() !== '') {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (match === null) throw new RuleFault(`"${text.slice(at).trim()}" is no part of a rule`)
    tokens.push(match[1]!)
    at = TOKEN.lastIndex
  }
  return tokens
}

interface Parser {
  readonly tokens: readonly string[]
  at: number
  readonly names: string[]
}

function expect(p: Parser, token: string): void {
  if (p.tokens[p.at] !== token) throw new RuleFault(`"${token}" is missing before "${p.tokens[p.at] ?? 'the end'}"`)
  p.at++
}

function parseLevel(p: Parser, level: number): Eval {
  const operators = LEVELS[level]
  if (operators === undefined) return parsePrimary(p)
  let left = parseLevel(p, level + 1)
  while (operators.includes(p.tokens[p.at] ?? '')) {
    const apply = BINARY[p.tokens[p.at++]!]!
    const a = left
    const b = parseLevel(p, level + 1)
    left = (lookup) => apply(a(lookup), b(lookup))
  }
  return left
}

function parsePrimary(p: Parser): Eval {
  const token = p.tokens[p.at++]
  if (token === undefined) throw new RuleFault('the rule ends too early')
  if (/^\d/.test(token)) return () => Number(token)
  if (token === '(') {
    const inner = parseLevel(p, 0)
    expect(p, ')')
    return inner
  }
  if (Object.hasOwn(CALLS, token) && p.tokens[p.at] === '(') {
    expect(p, '(')
    const a = parseLevel(p, 0)
    expect(p, ',')
    const b = parseLevel(p, 0)
    expect(p, ')')
    return (lookup) => CALLS[token]!(a(lookup), b(lookup))
  }
  if (!/^[a-z]/.test(token) || Object.hasOwn(BINARY, token))
    throw new RuleFault(`"${token}" stands where a number belongs`)
  if (!p.names.includes(token)) p.names.push(token)
  return (lookup) => lookup(token) ?? Number.NaN
}

/** @param where  of the rule, for the message */
export function parseRule(text: string, where: string): Result<Rule> {
  try {
    const p: Parser = { tokens: tokensOf(text), at: 0, names: [] }
    const value = parseLevel(p, 0)
    if (p.at < p.tokens.length) throw new RuleFault(`"${p.tokens[p.at]}" stands where an operator belongs`)
    const { names } = p
    return ok({
      names,
      // A comparison with an absent number is false, and so would its negation be: nothing is known.
      holds: (lookup) => names.every((name) => lookup(name) !== undefined) && value(lookup) === 1,
    })
  } catch (error) {
    if (!(error instanceof RuleFault)) throw error
    return userError(
      'lab/rule',
      where,
      `${error.message}: ${text}`,
      'Write for example: answer == managed // 256, or o9 > was.o9 and free < low.',
    )
  }
}
