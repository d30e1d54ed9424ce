/**
 * `python3 -c 'x = [0] * N'`: the few statements with which courses allocate memory from Python. Everything else gets an
 * error that lists what can be run; nothing is guessed.
 */
import type { Program, ProgramData, ProgramView } from '../engine/task'
import { runSteps, stderr, stdout, type Step, type StepData } from './steps'

type Statement =
  | { readonly do: 'allocate'; readonly name: string; readonly bytes: number; readonly touched: boolean }
  | { readonly do: 'free'; readonly name: string }
  | { readonly do: 'sleep'; readonly seconds: number }
  | { readonly do: 'print'; readonly text: string }

interface PythonData extends StepData {
  readonly statements: readonly Statement[]
  readonly error: string
  at: number
  blocks: Record<string, number>
  bytes: number
}

const PRECEDENCE: Readonly<Record<string, number>> = {
  '+': 1,
  '-': 1,
  '*': 2,
  '//': 2,
  '/': 2,
  '%': 2,
  '<<': 0,
  '**': 3,
}

/** Integer arithmetic with + - * // / % << ** and parentheses. */
export function evaluate(text: string): number | undefined {
  const tokens = text.match(/\d+|\*\*|\/\/|<<|[-+*/%()]/g) ?? []
  if (tokens.join('') !== text.replace(/[\s_]/g, '')) return undefined
  let at = 0
  const primary = (): number | undefined => {
    const token = tokens[at++]
    if (token === '(') {
      const value = expression(0)
      return tokens[at++] === ')' ? value : undefined
    }
    if (token === '-') {
      const value = primary()
      return value === undefined ? undefined : -value
    }
    return token !== undefined && /^\d+$/.test(token) ? Number(token) : undefined
  }
  const expression = (floor: number): number | undefined => {
    let left = primary()
    while (left !== undefined) {
      const op = tokens[at]
      const level = op === undefined ? undefined : PRECEDENCE[op]
      if (op === undefined || level === undefined || level < floor) return left
      at++
      const right = expression(op === '**' ? level : level + 1)
      left = right === undefined ? undefined : apply(op, left, right)
    }
    return left
  }
  const value = expression(0)
  return at === tokens.length ? value : undefined
}

function apply(op: string, a: number, b: number): number | undefined {
  switch (op) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '//':
      return b === 0 ? undefined : Math.floor(a / b)
    case '/':
      return b === 0 ? undefined : a / b
    case '%':
      return b === 0 ? undefined : a % b
    case '<<':
      return b > 52 ? undefined : a * power(2, b)
    default:
      return power(a, b)
  }
}

function power(base: number, exponent: number): number {
  let value = 1
  for (let i = 0; i < exponent && i < 64; i++) value *= base
  return value
}

const LIST_HEADER = 56
const POINTER = 8

/** What one expression allocates, in bytes, or undefined when it is none that this machine runs. */
function allocation(text: string): { bytes: number; touched: boolean } | undefined {
  const list = /^\[\s*\w+\s*\]\s*\*\s*(.+)$/.exec(text)
  if (list !== null) return sized(list[1]!, POINTER, LIST_HEADER, true)
  const bytes = /^b?(['"]).\1\s*\*\s*(.+)$/.exec(text)
  if (bytes !== null) return sized(bytes[2]!, 1, 33, true)
  const array = /^(?:bytearray|bytes)\((.+)\)$/.exec(text)
  // calloc: zeroed by the kernel, so nothing is touched.
  return array === null ? undefined : sized(array[1]!, 1, 57, false)
}

function sized(
  count: string,
  each: number,
  header: number,
  touched: boolean,
): { bytes: number; touched: boolean } | undefined {
  const n = evaluate(count)
  return n === undefined || n < 0 ? undefined : { bytes: Math.floor(n) * each + header, touched }
}

function parseStatement(text: string): Statement | 'nothing' | undefined {
  if (
    text === '' ||
    text.startsWith('#') ||
    /^import \w+(\s*,\s*\w+)*$/.test(text) ||
    /^from time import sleep$/.test(text)
  )
    return 'nothing'
  const assign = /^(\w+)\s*=\s*(.+)$/.exec(text)
  if (assign !== null) {
    const found = allocation(assign[2]!.trim())
    return found === undefined ? undefined : { do: 'allocate', name: assign[1]!, ...found }
  }
  const del = /^del\s+(\w+)$/.exec(text)
  if (del !== null) return { do: 'free', name: del[1]! }
  const sleep = /^(?:time\.)?sleep\((.+)\)$/.exec(text)
  if (sleep !== null) {
    const seconds = Number(sleep[1])
    return Number.isFinite(seconds) ? { do: 'sleep', seconds } : undefined
  }
  const print = /^print\((['"])(.*)\1\)$/.exec(text)
  return print === null ? undefined : { do: 'print', text: print[2]! }
}

function parseProgram(source: string): { statements: Statement[]; error: string } {
  const statements: Statement[] = []
  for (const part of source.split(/[;\n]/)) {
    const parsed = parseStatement(part.trim())
    if (parsed === undefined) {
      return {
        statements,
        error:
          `python3: this machine cannot run: ${part.trim()}\n` +
          `It runs: NAME = [0] * N, NAME = bytearray(N), NAME = b'x' * N, del NAME, time.sleep(S), print('text'), import, with integer arithmetic in N.\n`,
      }
    }
    if (parsed !== 'nothing') statements.push(parsed)
  }
  return { statements, error: '' }
}

const steps: readonly Step<PythonData>[] = [
  (d) => {
    const s = d.statements[d.at]
    if (s === undefined) {
      d.pc = 3
      return undefined
    }
    d.at++
    if (s.do === 'print') {
      d.pc = 0
      return stdout(`${s.text}\n`)
    }
    if (s.do === 'sleep') {
      d.pc = 0
      return { op: 'sleep', ns: Math.floor(s.seconds * 1e9) }
    }
    if (s.do === 'free') {
      const address = d.blocks[s.name]
      delete d.blocks[s.name]
      d.pc = 0
      return address === undefined ? undefined : { op: 'free', address }
    }
    d.bytes = s.bytes
    return { op: 'malloc', length: s.bytes }
  },
  (d, view) => {
    const s = d.statements[d.at - 1] as Extract<Statement, { do: 'allocate' }>
    if (view.errno !== undefined) {
      d.status = 1
      d.pc = Number.MAX_SAFE_INTEGER
      return stderr('Traceback (most recent call last):\n  File "<string>", line 1, in <module>\nMemoryError\n')
    }
    // The old value of the name goes when the new one is there.
    const old = d.blocks[s.name]
    d.blocks[s.name] = view.result
    d['old'] = old ?? 0
    // Equal pointers, equal characters.
    if (!s.touched) return undefined
    return { op: 'touch', address: view.result, length: d.bytes, mode: 'write', isSameFilled: true }
  },
  (d) => {
    const old = Number(d['old'] ?? 0)
    d['old'] = 0
    d.pc = 0
    return old === 0 ? undefined : { op: 'free', address: old }
  },
  (d) => (d.error === '' ? undefined : stderr(d.error)),
  (d) => {
    if (d.error !== '') d.status = 1
    return undefined
  },
]

export const python3: Program = {
  name: 'python3',
  image: { path: '/usr/bin/python3.11', totalVm: 4250, textPages: 1500, anonPages: 900 },
  start(argv) {
    if (argv[1] === '--version' || argv[1] === '-V') return { ok: false, usage: 'Python 3.11.2\n', status: 0 }
    if (argv[1] !== '-c' || argv[2] === undefined) {
      return { ok: false, usage: "python3: this machine's Python runs -c 'statements' only\n", status: 2 }
    }
    const { statements, error } = parseProgram(argv[2])
    const data: PythonData = { pc: 0, status: 0, statements, error, at: 0, blocks: {}, bytes: 0 }
    return { ok: true, data }
  },
  next(data: ProgramData, view: ProgramView) {
    return runSteps(steps as readonly Step<StepData>[], data as StepData, view)
  },
}
