/** Runs an awk program, record by record. Synchronous: whoever calls it brings the input and takes the output away. */
import { formatOnce } from '../printf'
import { posixRegex } from '../regex'
import type { AwkProgram, Expr, Rule, Stmt } from './parser'
import { compare, fromInput, toBoolean, toNumber, toText, type Value } from './values'

export class AwkError extends Error {}

type LeaveKind = 'break' | 'continue' | 'next' | 'nextfile' | 'exit' | 'return'

export class Leave extends Error {
  readonly how: LeaveKind
  readonly value: Value
  constructor(how: LeaveKind, value: Value) {
    super(how)
    this.how = how
    this.value = value
  }
}

export type AwkArray = Map<string, Value>

/** What the program does outside of itself. */
export interface AwkHost {
  print(text: string): void
  /** Text to a file named in `print > file`; '/dev/stderr' included. */
  printTo(path: string, text: string, append: boolean): void
  /** Text of a file, undefined when it cannot be read. */
  readFile(path: string): string | undefined
  /** The next record of the main input, for getline. */
  nextRecord(): string | undefined
  /** Seconds since 1970, of the machine. */
  now(): number
}

export type CallBuiltin = (awk: Awk, name: string, args: readonly Expr[]) => Value

export interface Awk {
  readonly program: AwkProgram
  readonly host: AwkHost
  /** The built-in functions, of functions.ts. */
  readonly callBuiltin: CallBuiltin
  readonly globals: Map<string, Value>
  readonly arrays: Map<string, AwkArray>
  /** Parameters of the functions under way. */
  readonly frames: Map<string, Value | AwkArray>[]
  readonly regexes: Map<string, RegExp>
  readonly inRange: Set<Rule>
  readonly files: Map<string, { readonly lines: readonly string[]; at: number }>
  record: string
  fields: string[]
  fieldsAreCurrent: boolean
  randomState: number
}

export function createAwk(program: AwkProgram, host: AwkHost, callBuiltin: CallBuiltin): Awk {
  return {
    program,
    host,
    callBuiltin,
    globals: new Map<string, Value>([
      ['FS', ' '],
      ['OFS', ' '],
      ['ORS', '\n'],
      ['RS', '\n'],
      ['NF', 0],
      ['NR', 0],
      ['FNR', 0],
      ['SUBSEP', '\x1c'],
      ['CONVFMT', '%.6g'],
      ['OFMT', '%.6g'],
      ['FILENAME', ''],
      ['RSTART', 0],
      ['RLENGTH', -1],
    ]),
    arrays: new Map(),
    frames: [],
    regexes: new Map(),
    inRange: new Set(),
    files: new Map(),
    record: '',
    fields: [],
    fieldsAreCurrent: true,
    randomState: 1,
  }
}

export const global = (awk: Awk, name: string): string => text(awk, awk.globals.get(name))
export const text = (awk: Awk, value: Value): string => toText(value, String(awk.globals.get('CONVFMT') ?? '%.6g'))

export function setRecord(awk: Awk, record: string): void {
  awk.record = record
  awk.fieldsAreCurrent = false
  awk.globals.set('NF', undefined)
}

function fieldsOf(awk: Awk): string[] {
  if (awk.fieldsAreCurrent) return awk.fields
  awk.fields = splitRecord(awk, awk.record, global(awk, 'FS'))
  awk.fieldsAreCurrent = true
  awk.globals.set('NF', awk.fields.length)
  return awk.fields
}

export function splitRecord(awk: Awk, record: string, separator: string): string[] {
  if (record === '') return []
  if (separator === ' ') {
    const trimmed = record.trim()
    return trimmed === '' ? [] : trimmed.split(/[ \t\n]+/)
  }
  if (separator === '') return [...record]
  if (separator.length === 1 && separator !== '|')
    return record.split(separator === '\\' ? '\\' : regex(awk, `[${separator === '^' ? '\\^' : separator}]`))
  return record.split(separator === '|' ? '|' : regex(awk, separator))
}

export function regex(awk: Awk, source: string): RegExp {
  let found = awk.regexes.get(source)
  if (found === undefined) awk.regexes.set(source, (found = posixRegex(source, 'extended')))
  return found
}

/** Runs the rules of one kind. For 'main' the record is set before. */
export function runRules(awk: Awk, when: Rule['when']): void {
  for (const rule of awk.program.rules) {
    if (rule.when !== when || (when === 'main' && !applies(awk, rule))) continue
    if (rule.body === undefined) awk.host.print(awk.record + global(awk, 'ORS'))
    else run(awk, rule.body)
  }
}

function applies(awk: Awk, rule: Rule): boolean {
  if (rule.from === undefined) return true
  if (rule.to === undefined) return toBoolean(evaluate(awk, rule.from))
  if (!awk.inRange.has(rule) && !toBoolean(evaluate(awk, rule.from))) return false
  if (toBoolean(evaluate(awk, rule.to))) awk.inRange.delete(rule)
  else awk.inRange.add(rule)
  return true
}

// ---------------------------------------------------------------- statements

function run(awk: Awk, s: Stmt): void {
  switch (s.kind) {
    case 'block':
      for (const each of s.body) run(awk, each)
      return
    case 'expr':
      evaluate(awk, s.value)
      return
    case 'print':
      return print(awk, s)
    case 'if':
      if (toBoolean(evaluate(awk, s.test))) run(awk, s.yes)
      else if (s.no !== undefined) run(awk, s.no)
      return
    case 'while':
      if (s.isDo && !turn(awk, s.body)) return
      while (toBoolean(evaluate(awk, s.test))) if (!turn(awk, s.body)) return
      return
    case 'for':
      if (s.init !== undefined) run(awk, s.init)
      while (s.test === undefined || toBoolean(evaluate(awk, s.test))) {
        if (!turn(awk, s.body)) return
        if (s.update !== undefined) run(awk, s.update)
      }
      return
    case 'forIn':
      for (const key of [...arrayOf(awk, s.array).keys()]) {
        assign(awk, { kind: 'var', name: s.name }, fromInput(key))
        if (!turn(awk, s.body)) return
      }
      return
    case 'delete':
      if (s.index === undefined) arrayOf(awk, s.name).clear()
      else arrayOf(awk, s.name).delete(subscript(awk, s.index))
      return
    case 'leave':
      throw new Leave(s.how, s.value === undefined ? undefined : evaluate(awk, s.value))
  }
}

/** One turn of a loop; false after `break`. */
function turn(awk: Awk, body: Stmt): boolean {
  try {
    run(awk, body)
    return true
  } catch (error) {
    if (!(error instanceof Leave) || (error.how !== 'break' && error.how !== 'continue')) throw error
    return error.how === 'continue'
  }
}

function print(awk: Awk, s: Extract<Stmt, { kind: 'print' }>): void {
  const values = s.args.map((arg) => evaluate(awk, arg))
  let out: string
  if (s.isFormatted) out = format(awk, values)
  else {
    const shown = values.map((value) => toText(value, String(awk.globals.get('OFMT'))))
    out = (s.args.length === 0 ? awk.record : shown.join(global(awk, 'OFS'))) + global(awk, 'ORS')
  }
  if (s.to === undefined) awk.host.print(out)
  else awk.host.printTo(text(awk, evaluate(awk, s.to)), out, s.appends)
}

export function format(awk: Awk, values: readonly Value[]): string {
  const rest = values.slice(1).map((value) => text(awk, value))
  return formatOnce(
    text(awk, values[0]),
    () => rest.shift() ?? '',
    (arg) => toNumber(fromInput(arg)),
  )
}

// ---------------------------------------------------------------- expressions

export function evaluate(awk: Awk, e: Expr): Value {
  switch (e.kind) {
    case 'number':
      return e.value
    case 'string':
      return e.value
    case 'regex':
      return regex(awk, e.source).test(awk.record) ? 1 : 0
    case 'group': {
      const only = e.items[0]
      return e.items.length === 1 && only !== undefined ? evaluate(awk, only) : subscript(awk, e.items)
    }
    case 'var':
      return variable(awk, e.name)
    case 'field':
      return field(awk, toNumber(evaluate(awk, e.index)))
    case 'element': {
      const array = arrayOf(awk, e.name)
      const key = subscript(awk, e.index)
      if (!array.has(key)) array.set(key, undefined)
      return array.get(key)
    }
    case 'in':
      return arrayOf(awk, e.name).has(subscript(awk, e.index)) ? 1 : 0
    case 'call':
      return call(awk, e)
    case 'unary': {
      const value = evaluate(awk, e.operand)
      return e.op === '!' ? (toBoolean(value) ? 0 : 1) : e.op === '-' ? -toNumber(value) : toNumber(value)
    }
    case 'step': {
      const old = toNumber(evaluate(awk, e.target))
      const next = e.op === '++' ? old + 1 : old - 1
      assign(awk, e.target, next)
      return e.isPrefix ? next : old
    }
    case 'ternary':
      return evaluate(awk, toBoolean(evaluate(awk, e.test)) ? e.yes : e.no)
    case 'assign': {
      const value = evaluate(awk, e.value)
      const op = e.op === '**=' ? '^' : e.op.slice(0, -1)
      return assign(
        awk,
        e.target,
        op === '' ? value : arithmetic(op, toNumber(evaluate(awk, e.target)), toNumber(value)),
      )
    }
    case 'getline':
      return getline(awk, e)
    case 'binary':
      return binary(awk, e)
  }
}

function binary(awk: Awk, e: Extract<Expr, { kind: 'binary' }>): Value {
  if (e.op === '&&') return toBoolean(evaluate(awk, e.left)) && toBoolean(evaluate(awk, e.right)) ? 1 : 0
  if (e.op === '||') return toBoolean(evaluate(awk, e.left)) || toBoolean(evaluate(awk, e.right)) ? 1 : 0
  const left = evaluate(awk, e.left)
  if (e.op === '~' || e.op === '!~') return pattern(awk, e.right).test(text(awk, left)) === (e.op === '~') ? 1 : 0
  const right = evaluate(awk, e.right)
  switch (e.op) {
    case ' ':
      return text(awk, left) + text(awk, right)
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '==':
    case '!=': {
      const order = compare(left, right, String(awk.globals.get('CONVFMT')))
      const holds = {
        '<': order < 0,
        '<=': order <= 0,
        '>': order > 0,
        '>=': order >= 0,
        '==': order === 0,
        '!=': order !== 0,
      }
      return holds[e.op] ? 1 : 0
    }
    default:
      return arithmetic(e.op, toNumber(left), toNumber(right))
  }
}

function arithmetic(op: string, a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      if (b === 0) throw new AwkError('division by zero')
      return a / b
    case '%':
      if (b === 0) throw new AwkError('division by zero in %')
      return a % b
    default:
      return a ** b
  }
}

/** The right side of `~`, or an argument that may be a regular expression. */
export const pattern = (awk: Awk, e: Expr | undefined): RegExp =>
  e?.kind === 'regex' ? regex(awk, e.source) : regex(awk, e === undefined ? '' : text(awk, evaluate(awk, e)))

export const subscript = (awk: Awk, index: readonly Expr[]): string =>
  index.map((each) => text(awk, evaluate(awk, each))).join(global(awk, 'SUBSEP'))

function variable(awk: Awk, name: string): Value {
  const local = awk.frames.at(-1)
  if (local?.has(name)) {
    const value = local.get(name)
    if (value instanceof Map) throw new AwkError(`${name} is an array`)
    return value
  }
  if (name === 'NF') fieldsOf(awk)
  return awk.globals.get(name)
}

export function arrayOf(awk: Awk, name: string): AwkArray {
  const local = awk.frames.at(-1)
  if (local?.has(name)) {
    const value = local.get(name)
    if (value instanceof Map) return value
    const made: AwkArray = new Map()
    local.set(name, made)
    return made
  }
  let array = awk.arrays.get(name)
  if (array === undefined) awk.arrays.set(name, (array = new Map()))
  return array
}

function field(awk: Awk, index: number): Value {
  const at = Math.trunc(index)
  if (at < 0) throw new AwkError(`access to negative field ${at}`)
  return at === 0 ? fromInput(awk.record) : at > fieldsOf(awk).length ? undefined : fromInput(awk.fields[at - 1] ?? '')
}

export function assign(awk: Awk, target: Expr, value: Value): Value {
  if (target.kind === 'element') arrayOf(awk, target.name).set(subscript(awk, target.index), value)
  else if (target.kind === 'field')
    assignField(awk, Math.trunc(toNumber(evaluate(awk, target.index))), text(awk, value))
  else if (target.kind === 'var') {
    const local = awk.frames.at(-1)
    if (local?.has(target.name)) local.set(target.name, value)
    else {
      if (target.name === 'NF') resize(awk, toNumber(value))
      awk.globals.set(target.name, value)
    }
  } else throw new AwkError('assignment to something that is no variable')
  return value
}

function assignField(awk: Awk, index: number, value: string): void {
  if (index === 0) return setRecord(awk, value)
  const fields = fieldsOf(awk)
  while (fields.length < index) fields.push('')
  fields[index - 1] = value
  awk.globals.set('NF', fields.length)
  awk.record = fields.join(global(awk, 'OFS'))
}

function resize(awk: Awk, length: number): void {
  const fields = fieldsOf(awk)
  while (fields.length < length) fields.push('')
  fields.length = Math.max(0, Math.trunc(length))
  awk.record = fields.join(global(awk, 'OFS'))
}

function getline(awk: Awk, e: Extract<Expr, { kind: 'getline' }>): Value {
  let line: string | undefined
  if (e.file === undefined) {
    line = awk.host.nextRecord()
    if (line !== undefined)
      for (const counter of ['NR', 'FNR']) awk.globals.set(counter, toNumber(awk.globals.get(counter)) + 1)
  } else {
    const path = text(awk, evaluate(awk, e.file))
    let file = awk.files.get(path)
    if (file === undefined) {
      const content = awk.host.readFile(path)
      if (content === undefined) return -1
      const lines = content.split('\n')
      if (lines.at(-1) === '') lines.pop()
      awk.files.set(path, (file = { lines, at: 0 }))
    }
    line = file.lines[file.at++]
  }
  if (line === undefined) return 0
  if (e.target === undefined) setRecord(awk, line)
  else assign(awk, e.target, fromInput(line))
  return 1
}

function call(awk: Awk, e: Extract<Expr, { kind: 'call' }>): Value {
  const own = awk.program.functions.get(e.name)
  if (own === undefined) return awk.callBuiltin(awk, e.name, e.args)
  if (awk.frames.length > 200) throw new AwkError('function call nesting too deep')
  const frame = new Map<string, Value | AwkArray>()
  const handedOver: { readonly param: string; readonly outer: string }[] = []
  for (const [index, param] of own.params.entries()) {
    const arg = e.args[index]
    if (arg?.kind === 'var' && isArray(awk, arg.name)) frame.set(param, arrayOf(awk, arg.name))
    else {
      frame.set(param, arg === undefined ? undefined : evaluate(awk, arg))
      if (arg?.kind === 'var' && frame.get(param) === undefined) handedOver.push({ param, outer: arg.name })
    }
  }
  awk.frames.push(frame)
  let result: Value
  try {
    run(awk, own.body)
  } catch (error) {
    if (!(error instanceof Leave) || error.how !== 'return') throw error
    result = error.value
  } finally {
    awk.frames.pop()
  }
  // A variable that the function made an array of.
  for (const { param, outer } of handedOver) {
    const made = frame.get(param)
    if (made instanceof Map && !awk.arrays.has(outer)) awk.arrays.set(outer, made)
  }
  return result
}

function isArray(awk: Awk, name: string): boolean {
  const local = awk.frames.at(-1)
  return local?.has(name) ? local.get(name) instanceof Map : awk.arrays.has(name)
}
