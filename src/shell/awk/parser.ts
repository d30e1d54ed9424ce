/** The grammar of awk. */
import { AwkSyntaxError, tokenize, type Token } from './lexer'

export type Expr =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'regex'; readonly source: string }
  | { readonly kind: 'group'; readonly items: readonly Expr[] }
  | { readonly kind: 'var'; readonly name: string }
  | { readonly kind: 'field'; readonly index: Expr }
  | { readonly kind: 'element'; readonly name: string; readonly index: readonly Expr[] }
  | { readonly kind: 'in'; readonly name: string; readonly index: readonly Expr[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expr[] }
  | { readonly kind: 'unary'; readonly op: string; readonly operand: Expr }
  | { readonly kind: 'step'; readonly op: string; readonly isPrefix: boolean; readonly target: Expr }
  | { readonly kind: 'binary'; readonly op: string; readonly left: Expr; readonly right: Expr }
  | { readonly kind: 'ternary'; readonly test: Expr; readonly yes: Expr; readonly no: Expr }
  | { readonly kind: 'assign'; readonly op: string; readonly target: Expr; readonly value: Expr }
  | { readonly kind: 'getline'; readonly target: Expr | undefined; readonly file: Expr | undefined }

export type Stmt =
  | { readonly kind: 'block'; readonly body: readonly Stmt[] }
  | { readonly kind: 'expr'; readonly value: Expr }
  | {
      readonly kind: 'print'
      readonly isFormatted: boolean
      readonly args: readonly Expr[]
      readonly to: Expr | undefined
      readonly appends: boolean
    }
  | { readonly kind: 'if'; readonly test: Expr; readonly yes: Stmt; readonly no: Stmt | undefined }
  | { readonly kind: 'while'; readonly test: Expr; readonly body: Stmt; readonly isDo: boolean }
  | {
      readonly kind: 'for'
      readonly init: Stmt | undefined
      readonly test: Expr | undefined
      readonly update: Stmt | undefined
      readonly body: Stmt
    }
  | { readonly kind: 'forIn'; readonly name: string; readonly array: string; readonly body: Stmt }
  | {
      readonly kind: 'leave'
      readonly how: 'break' | 'continue' | 'next' | 'nextfile' | 'exit' | 'return'
      readonly value: Expr | undefined
    }
  | { readonly kind: 'delete'; readonly name: string; readonly index: readonly Expr[] | undefined }

export interface Rule {
  readonly when: 'BEGIN' | 'END' | 'main'
  readonly from: Expr | undefined
  /** End of a range pattern. */
  readonly to: Expr | undefined
  /** undefined prints the record. */
  readonly body: Stmt | undefined
}

export interface AwkFunction {
  readonly params: readonly string[]
  readonly body: Stmt
}

export interface AwkProgram {
  readonly rules: readonly Rule[]
  readonly functions: ReadonlyMap<string, AwkFunction>
  /** Whether `getline` without a file occurs: then all input must be there first. */
  readonly readsAhead: boolean
}

interface Parser {
  readonly tokens: readonly Token[]
  at: number
  /** Inside print without parentheses `>` redirects. */
  noGreater: boolean
  /** In `for (x in a)` the `in` is not an operator. */
  noIn: boolean
  readsAhead: boolean
}

export function parseAwk(source: string): AwkProgram {
  const p: Parser = { tokens: tokenize(source), at: 0, noGreater: false, noIn: false, readsAhead: false }
  const rules: Rule[] = []
  const functions = new Map<string, AwkFunction>()
  skipTerminators(p)
  while (peek(p).type !== 'end') {
    if (acceptWord(p, 'function') || acceptWord(p, 'func')) {
      const name = p.tokens[p.at++]?.text ?? ''
      expect(p, '(')
      const params: string[] = []
      while (!accept(p, ')')) {
        params.push(p.tokens[p.at++]?.text ?? '')
        accept(p, ',')
      }
      skipNewlines(p)
      functions.set(name, { params, body: block(p) })
    } else rules.push(rule(p))
    skipTerminators(p)
  }
  return { rules, functions, readsAhead: p.readsAhead }
}

const peek = (p: Parser): Token => p.tokens[p.at] ?? { type: 'end', text: '' }
const isOp = (p: Parser, text: string): boolean => peek(p).type === 'op' && peek(p).text === text
const isWord = (p: Parser, text: string): boolean => peek(p).type === 'word' && peek(p).text === text
const accept = (p: Parser, text: string): boolean => isOp(p, text) && ++p.at > 0
const acceptWord = (p: Parser, text: string): boolean => isWord(p, text) && ++p.at > 0

function expect(p: Parser, text: string): void {
  if (!accept(p, text)) throw new AwkSyntaxError(`syntax error at or near ${peek(p).text.trim() || 'end of line'}`)
}

function skipNewlines(p: Parser): void {
  while (peek(p).type === 'newline') p.at++
}

function skipTerminators(p: Parser): void {
  while (peek(p).type === 'newline' || isOp(p, ';')) p.at++
}

function rule(p: Parser): Rule {
  for (const when of ['BEGIN', 'END'] as const) {
    if (!acceptWord(p, when)) continue
    skipNewlines(p)
    return { when, from: undefined, to: undefined, body: block(p) }
  }
  const from = isOp(p, '{') ? undefined : expression(p)
  const to = from !== undefined && accept(p, ',') ? (skipNewlines(p), expression(p)) : undefined
  return { when: 'main', from, to, body: isOp(p, '{') ? block(p) : undefined }
}

function block(p: Parser): Stmt {
  expect(p, '{')
  const body: Stmt[] = []
  skipTerminators(p)
  while (!accept(p, '}')) {
    body.push(statement(p))
    skipTerminators(p)
  }
  return { kind: 'block', body }
}

/** A statement in the place of a body: newlines may stand before it, `;` alone is empty. */
function bodyStatement(p: Parser): Stmt {
  skipNewlines(p)
  if (accept(p, ';')) return { kind: 'block', body: [] }
  return statement(p)
}

function endStatement(p: Parser): void {
  const token = peek(p)
  if (token.type === 'newline' || isOp(p, ';')) p.at++
  else if (!isOp(p, '}') && token.type !== 'end') throw new AwkSyntaxError(`syntax error at or near ${token.text}`)
}

function statement(p: Parser): Stmt {
  if (isOp(p, '{')) return block(p)
  if (acceptWord(p, 'if')) return ifStatement(p)
  if (acceptWord(p, 'while')) {
    const test = parenthesized(p)
    return { kind: 'while', test, body: bodyStatement(p), isDo: false }
  }
  if (acceptWord(p, 'do')) {
    const body = bodyStatement(p)
    skipTerminators(p)
    if (!acceptWord(p, 'while')) throw new AwkSyntaxError('syntax error: do without while')
    const test = parenthesized(p)
    endStatement(p)
    return { kind: 'while', test, body, isDo: true }
  }
  if (acceptWord(p, 'for')) return forStatement(p)
  const simple = simpleStatement(p)
  endStatement(p)
  return simple
}

function ifStatement(p: Parser): Stmt {
  const test = parenthesized(p)
  const yes = bodyStatement(p)
  const back = p.at
  skipTerminators(p)
  if (acceptWord(p, 'else')) return { kind: 'if', test, yes, no: bodyStatement(p) }
  p.at = back
  return { kind: 'if', test, yes, no: undefined }
}

function parenthesized(p: Parser): Expr {
  expect(p, '(')
  const value = inside(p, () => expression(p))
  expect(p, ')')
  return value
}

/** Parentheses end the special meanings of `>` and `in`. */
function inside<T>(p: Parser, parse: () => T): T {
  const { noGreater, noIn } = p
  p.noGreater = false
  p.noIn = false
  const value = parse()
  p.noGreater = noGreater
  p.noIn = noIn
  return value
}

function forStatement(p: Parser): Stmt {
  expect(p, '(')
  const [name, word, array, close] = p.tokens.slice(p.at, p.at + 4)
  if (name?.type === 'name' && word?.text === 'in' && array?.type === 'name' && close?.text === ')') {
    p.at += 4
    return { kind: 'forIn', name: name.text, array: array.text, body: bodyStatement(p) }
  }
  const init = isOp(p, ';') ? undefined : simpleStatement(p)
  expect(p, ';')
  skipNewlines(p)
  const test = isOp(p, ';') ? undefined : expression(p)
  expect(p, ';')
  skipNewlines(p)
  const update = isOp(p, ')') ? undefined : simpleStatement(p)
  expect(p, ')')
  return { kind: 'for', init, test, update, body: bodyStatement(p) }
}

function simpleStatement(p: Parser): Stmt {
  const word = peek(p)
  if (word.type === 'word') {
    switch (word.text) {
      case 'print':
      case 'printf':
        p.at++
        return printStatement(p, word.text === 'printf')
      case 'delete': {
        p.at++
        const name = p.tokens[p.at++]?.text ?? ''
        return { kind: 'delete', name, index: accept(p, '[') ? list(p, ']') : undefined }
      }
      case 'break':
      case 'continue':
      case 'next':
      case 'nextfile':
      case 'exit':
      case 'return': {
        p.at++
        const ends = peek(p).type === 'newline' || peek(p).type === 'end' || isOp(p, ';') || isOp(p, '}')
        return { kind: 'leave', how: word.text, value: ends ? undefined : expression(p) }
      }
      default:
        break
    }
  }
  return { kind: 'expr', value: expression(p) }
}

function printStatement(p: Parser, isFormatted: boolean): Stmt {
  const args: Expr[] = []
  p.noGreater = true
  const ends = (): boolean =>
    peek(p).type === 'newline' || peek(p).type === 'end' || [';', '}', '>', '>>', '|'].some((op) => isOp(p, op))
  while (!ends()) {
    args.push(expression(p))
    if (!accept(p, ',')) break
    skipNewlines(p)
  }
  p.noGreater = false
  if (isOp(p, '|')) throw new AwkSyntaxError('a pipe after print is not supported here')
  const appends = isOp(p, '>>')
  const to = accept(p, '>>') || accept(p, '>') ? concatenation(p) : undefined
  const only = args[0]
  const items = args.length === 1 && only?.kind === 'group' ? only.items : args
  return { kind: 'print', isFormatted, args: items, to, appends }
}

function list(p: Parser, close: string): Expr[] {
  return inside(p, () => {
    const items: Expr[] = []
    skipNewlines(p)
    while (!accept(p, close)) {
      items.push(expression(p))
      skipNewlines(p)
      if (!accept(p, ',')) {
        expect(p, close)
        break
      }
      skipNewlines(p)
    }
    return items
  })
}

function expression(p: Parser): Expr {
  const left = ternary(p)
  const op = peek(p)
  if (op.type === 'op' && /^([-+*/%^]|\*\*)?=$/.test(op.text) && isTarget(left)) {
    p.at++
    skipNewlines(p)
    return { kind: 'assign', op: op.text, target: left, value: expression(p) }
  }
  return left
}

const isTarget = (e: Expr): boolean => e.kind === 'var' || e.kind === 'field' || e.kind === 'element'

function ternary(p: Parser): Expr {
  const test = or(p)
  if (!accept(p, '?')) return test
  skipNewlines(p)
  const yes = expression(p)
  skipNewlines(p)
  expect(p, ':')
  skipNewlines(p)
  return { kind: 'ternary', test, yes, no: expression(p) }
}

function or(p: Parser): Expr {
  let left = and(p)
  while (accept(p, '||')) {
    skipNewlines(p)
    left = { kind: 'binary', op: '||', left, right: and(p) }
  }
  return left
}

function and(p: Parser): Expr {
  let left = membership(p)
  while (accept(p, '&&')) {
    skipNewlines(p)
    left = { kind: 'binary', op: '&&', left, right: membership(p) }
  }
  return left
}

function membership(p: Parser): Expr {
  let left = matching(p)
  while (!p.noIn && acceptWord(p, 'in')) {
    const name = p.tokens[p.at++]?.text ?? ''
    left = { kind: 'in', name, index: left.kind === 'group' ? left.items : [left] }
  }
  return left
}

function matching(p: Parser): Expr {
  let left = comparison(p)
  for (let op = peek(p); op.type === 'op' && (op.text === '~' || op.text === '!~'); op = peek(p)) {
    p.at++
    left = { kind: 'binary', op: op.text, left, right: comparison(p) }
  }
  return left
}

function comparison(p: Parser): Expr {
  const left = concatenation(p)
  const op = peek(p)
  if (op.type !== 'op' || !/^([<>]=?|[!=]=)$/.test(op.text) || (op.text === '>' && p.noGreater)) return left
  p.at++
  return { kind: 'binary', op: op.text, left, right: concatenation(p) }
}

function concatenation(p: Parser): Expr {
  let left = additive(p)
  while (beginsOperand(p)) left = { kind: 'binary', op: ' ', left, right: additive(p) }
  return left
}

function beginsOperand(p: Parser): boolean {
  const token = peek(p)
  if (token.type === 'op') return ['$', '!', '(', '-', '+', '++', '--'].includes(token.text)
  return (
    token.type === 'number' ||
    token.type === 'string' ||
    token.type === 'regex' ||
    token.type === 'name' ||
    token.type === 'function'
  )
}

function additive(p: Parser): Expr {
  let left = multiplicative(p)
  while (isOp(p, '+') || isOp(p, '-')) {
    const op = p.tokens[p.at++]?.text ?? ''
    left = { kind: 'binary', op, left, right: multiplicative(p) }
  }
  return left
}

function multiplicative(p: Parser): Expr {
  let left = unary(p)
  while (isOp(p, '*') || isOp(p, '/') || isOp(p, '%')) {
    const op = p.tokens[p.at++]?.text ?? ''
    left = { kind: 'binary', op, left, right: unary(p) }
  }
  return left
}

function unary(p: Parser): Expr {
  for (const op of ['!', '-', '+']) if (accept(p, op)) return { kind: 'unary', op, operand: unary(p) }
  return power(p)
}

function power(p: Parser): Expr {
  const base = postfix(p)
  if (!accept(p, '^') && !accept(p, '**')) return base
  return {
    kind: 'binary',
    op: '^',
    left: base,
    right: isOp(p, '-') || isOp(p, '!') || isOp(p, '+') ? unary(p) : power(p),
  }
}

function postfix(p: Parser): Expr {
  const target = primary(p)
  if (isTarget(target) && (isOp(p, '++') || isOp(p, '--')))
    return { kind: 'step', op: p.tokens[p.at++]?.text ?? '', isPrefix: false, target }
  return target
}

function primary(p: Parser): Expr {
  const token = p.tokens[p.at++] ?? { type: 'end', text: '' }
  switch (token.type) {
    case 'number':
      return { kind: 'number', value: token.value }
    case 'string':
      return { kind: 'string', value: token.text }
    case 'regex':
      return { kind: 'regex', source: token.text }
    case 'function':
      expect(p, '(')
      return { kind: 'call', name: token.text, args: list(p, ')') }
    case 'name':
      if (accept(p, '[')) return { kind: 'element', name: token.text, index: list(p, ']') }
      if (token.text === 'length') return { kind: 'call', name: 'length', args: [] }
      return { kind: 'var', name: token.text }
    case 'word':
      if (token.text === 'getline') return getline(p)
      break
    case 'op':
      if (token.text === '(') return { kind: 'group', items: list(p, ')') }
      if (token.text === '$')
        return { kind: 'field', index: isOp(p, '++') || isOp(p, '--') ? primary(p) : fieldIndex(p) }
      if (token.text === '++' || token.text === '--')
        return { kind: 'step', op: token.text, isPrefix: true, target: primary(p) }
      if (token.text === '-' || token.text === '+' || token.text === '!')
        return { kind: 'unary', op: token.text, operand: unary(p) }
      break
    default:
      break
  }
  throw new AwkSyntaxError(`syntax error at or near ${token.text.trim() || 'end of line'}`)
}

/** `$NF-1` is `($NF)-1`, `$i++` is `($i)++`. */
const fieldIndex = (p: Parser): Expr => (accept(p, '-') ? { kind: 'unary', op: '-', operand: primary(p) } : primary(p))

function getline(p: Parser): Expr {
  const token = peek(p)
  const target = token.type === 'name' || isOp(p, '$') ? primary(p) : undefined
  const file = accept(p, '<') ? primary(p) : undefined
  if (file === undefined) p.readsAhead = true
  return { kind: 'getline', target, file }
}
