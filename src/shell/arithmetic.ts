/** `$(( … ))`: 64-bit integers that wrap, names without a dollar, assignments. */
import { parse } from 'unbash'
import type { ArithmeticCommand, ArithmeticExpression, WordPart } from 'unbash'
import type { Proc } from './process'
import { fatal, parameter, setVariable } from './variables'

/** Expands the words inside an expression ($x, ${x:-1}, $(…)) to text; given by expand.ts. */
export type ExpandParts = (proc: Proc, parts: readonly WordPart[]) => Promise<string>

const NAME = /^[A-Za-z_]\w*$/
const MAX_DEPTH = 64

export async function evaluate(
  proc: Proc,
  expression: ArithmeticExpression | undefined,
  expandParts: ExpandParts,
  depth = 0,
): Promise<bigint> {
  if (expression === undefined) return 0n
  if (depth > MAX_DEPTH) return fatal('expression recursion level exceeded', 1)
  const value = (e: ArithmeticExpression): Promise<bigint> => evaluate(proc, e, expandParts, depth)
  switch (expression.type) {
    case 'ArithmeticGroup':
      return value(expression.expression)
    case 'ArithmeticTernary':
      return (await value(expression.test)) !== 0n ? value(expression.consequent) : value(expression.alternate)
    case 'ArithmeticWord':
      return wordValue(proc, expression, expandParts, depth)
    case 'ArithmeticUnary':
      return unary(proc, expression, value)
    case 'ArithmeticBinary':
      return binary(proc, expression, value)
    case 'ArithmeticCommandExpansion': {
      const { pos, end, text, script } = expression
      const parts = [{ type: 'CommandExpansion', pos, end, text, script }] as const
      return evaluateText(proc, await expandParts(proc, parts), expandParts, depth + 1)
    }
  }
}

/** Evaluates text, as `let`, `[ -eq ]`, array indices and slices do. */
export async function evaluateText(proc: Proc, text: string, expandParts: ExpandParts, depth = 0): Promise<bigint> {
  const trimmed = text.trim()
  if (trimmed === '') return 0n
  const plain = number(trimmed)
  if (plain !== undefined) return plain
  const script = parse(`((${trimmed}))`)
  const command = script.commands[0]?.command as ArithmeticCommand | undefined
  if (script.errors !== undefined || command?.type !== 'ArithmeticCommand' || command.expression === undefined)
    return fatal(`${trimmed}: syntax error: invalid arithmetic operator (error token is "${trimmed}")`, 1)
  return evaluate(proc, command.expression, expandParts, depth + 1)
}

function number(text: string): bigint | undefined {
  if (/^0[xX][\da-fA-F]+$/.test(text) || /^(0|[1-9]\d*)$/.test(text)) return wrap(BigInt(text))
  if (/^0[0-7]+$/.test(text)) return wrap(BigInt(`0o${text.slice(1)}`))
  const based = /^(\d+)#([\da-zA-Z]+)$/.exec(text)
  if (based === null) return undefined
  let value = 0n
  for (const digit of based[2] ?? '') value = value * BigInt(based[1] ?? '10') + BigInt(parseInt(digit, 36))
  return wrap(value)
}

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value)

async function wordValue(
  proc: Proc,
  word: { readonly value: string; readonly parts?: readonly WordPart[] | undefined },
  expandParts: ExpandParts,
  depth: number,
): Promise<bigint> {
  if (word.parts !== undefined) return evaluateText(proc, await expandParts(proc, word.parts), expandParts, depth + 1)
  const text = word.value.startsWith('$') ? word.value.slice(1) : word.value
  const isParameter = word.value.startsWith('$')
  if (!isParameter) {
    const plain = number(text)
    if (plain !== undefined) return plain
    if (!NAME.test(text)) return fatal(`${text}: syntax error: operand expected (error token is "${text}")`, 1)
  }
  const stored = parameter(proc, text)
  if (stored === undefined && proc.options.nounset) return fatal(`${text}: unbound variable`, 1)
  return evaluateText(proc, stored ?? '', expandParts, depth + 1)
}

type Value = (e: ArithmeticExpression) => Promise<bigint>

const assign = (proc: Proc, target: ArithmeticExpression, value: bigint): bigint => {
  if (target.type !== 'ArithmeticWord' || !NAME.test(target.value))
    return fatal('attempted assignment to non-variable', 1)
  setVariable(proc, target.value, String(value))
  return value
}

async function unary(
  proc: Proc,
  e: Extract<ArithmeticExpression, { type: 'ArithmeticUnary' }>,
  value: Value,
): Promise<bigint> {
  const operand = await value(e.operand)
  switch (e.operator) {
    case '-':
      return wrap(-operand)
    case '+':
      return operand
    case '!':
      return operand === 0n ? 1n : 0n
    case '~':
      return wrap(~operand)
    case '++':
    case '--': {
      const changed = assign(proc, e.operand, wrap(e.operator === '++' ? operand + 1n : operand - 1n))
      return e.prefix ? changed : operand
    }
    default:
      return fatal(`syntax error: operand expected (error token is "${e.operator}")`, 1)
  }
}

async function binary(
  proc: Proc,
  e: Extract<ArithmeticExpression, { type: 'ArithmeticBinary' }>,
  value: Value,
): Promise<bigint> {
  const truth = (b: boolean): bigint => (b ? 1n : 0n)
  if (e.operator === '&&') return truth((await value(e.left)) !== 0n && (await value(e.right)) !== 0n)
  if (e.operator === '||') return truth((await value(e.left)) !== 0n || (await value(e.right)) !== 0n)
  if (e.operator === '=') return assign(proc, e.left, await value(e.right))
  const left = await value(e.left)
  const right = await value(e.right)
  const compound = /^(\*\*|<<|>>|[*/%+\-&^|])=$/.exec(e.operator)
  if (compound !== null) return assign(proc, e.left, operate(compound[1] ?? '', left, right))
  return operate(e.operator, left, right)
}

function operate(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return wrap(a + b)
    case '-':
      return wrap(a - b)
    case '*':
      return wrap(a * b)
    case '/':
    case '%':
      if (b === 0n) return fatal('division by 0 (error token is "0")', 1)
      return wrap(operator === '/' ? a / b : a % b)
    case '**':
      return b < 0n ? fatal('exponent less than 0', 1) : wrap(a ** b)
    case '<<':
      return wrap(a << (b & 63n))
    case '>>':
      return a >> (b & 63n)
    case '&':
      return a & b
    case '|':
      return a | b
    case '^':
      return a ^ b
    case ',':
      return b
    default:
      return compare(operator, a, b) ? 1n : 0n
  }
}

function compare(operator: string, a: bigint, b: bigint): boolean {
  switch (operator) {
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    case '>=':
      return a >= b
    case '==':
      return a === b
    case '!=':
      return a !== b
    default:
      return fatal(`syntax error in expression (error token is "${operator}")`, 1)
  }
}
