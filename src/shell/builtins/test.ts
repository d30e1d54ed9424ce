/** `test` and `[`: the grammar of test(1) over its arguments. */
import type { Builtin, Proc } from '../process'
import { binaryTest, numberTest, statFollowing, unaryTest } from '../test-expression'
import { refuse } from './say'

class Malformed extends Error {}

interface Cursor {
  readonly proc: Proc
  readonly args: readonly string[]
  at: number
}

async function run(proc: Proc, name: string, args: readonly string[]): Promise<number> {
  const cursor: Cursor = { proc, args, at: 0 }
  try {
    if (args.length === 0) return 1
    const holds = or(cursor)
    if (cursor.at < args.length)
      throw new Malformed(args.length > 3 ? 'too many arguments' : `${args[cursor.at]}: unexpected operator`)
    return holds ? 0 : 1
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return refuse(proc, `${name}: ${error.message}`, 2)
  }
}

function or(c: Cursor): boolean {
  let holds = and(c)
  while (c.args[c.at] === '-o') {
    c.at++
    const right = and(c)
    holds ||= right
  }
  return holds
}

function and(c: Cursor): boolean {
  let holds = not(c)
  while (c.args[c.at] === '-a') {
    c.at++
    const right = not(c)
    holds &&= right
  }
  return holds
}

function not(c: Cursor): boolean {
  const isOperator = c.args[c.at] === '!' && c.at + 1 < c.args.length && !isBinary(c.args[c.at + 1])
  if (!isOperator) return primary(c)
  c.at++
  return !not(c)
}

const isBinary = (operator: string | undefined): boolean =>
  operator !== undefined &&
  (binaryTest('', operator, '') !== undefined ||
    numberTest(0n, operator, 0n) !== undefined ||
    /^-(nt|ot|ef)$/.test(operator))

function primary(c: Cursor): boolean {
  const word = c.args[c.at]
  if (word === undefined) throw new Malformed('argument expected')
  if (isBinary(c.args[c.at + 1]) && c.at + 2 < c.args.length) return binary(c)
  if (word === '(') {
    c.at++
    const holds = or(c)
    if (c.args[c.at++] !== ')') throw new Malformed("`)' expected")
    return holds
  }
  const operand = c.args[c.at + 1]
  if (/^-[a-zA-Z]$/.test(word) && operand !== undefined) {
    const holds = unaryTest(c.proc, word, operand)
    if (holds === undefined) throw new Malformed(`${word}: unary operator expected`)
    c.at += 2
    return holds
  }
  c.at++
  return word !== ''
}

function binary(c: Cursor): boolean {
  const [left = '', operator = '', right = ''] = c.args.slice(c.at, c.at + 3)
  c.at += 3
  if (/^-(nt|ot|ef)$/.test(operator)) {
    const [a, b] = [statFollowing(c.proc, left), statFollowing(c.proc, right)]
    if (operator === '-ef') return a !== undefined && left === right
    return operator === '-nt' ? a !== undefined && b === undefined : a === undefined && b !== undefined
  }
  const text = binaryTest(left, operator, right)
  if (text !== undefined) return text
  return numberTest(integer(left), operator, integer(right)) ?? false
}

function integer(text: string): bigint {
  if (!/^\s*[-+]?\d+\s*$/.test(text)) throw new Malformed(`${text}: integer expression expected`)
  return BigInt(text.trim().replace(/^\+/, ''))
}

export const test: readonly Builtin[] = [
  { name: 'test', summary: 'asks about files, strings and numbers', run: (proc, args) => run(proc, 'test', args) },
  {
    name: '[',
    summary: 'asks about files, strings and numbers',
    run: (proc, args) => (args.at(-1) === ']' ? run(proc, '[', args.slice(0, -1)) : refuse(proc, "[: missing `]'", 2)),
  },
]
