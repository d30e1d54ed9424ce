/** The functions that awk has built in. */
import type { Awk, AwkArray } from './interpreter'
import type { Expr } from './parser'
import { fromInput, toNumber, type Value } from './values'
import { AwkError, arrayOf, assign, evaluate, format, global, pattern, splitRecord, text } from './interpreter'

export function callBuiltin(awk: Awk, name: string, args: readonly Expr[]): Value {
  const value = (index: number): Value => {
    const arg = args[index]
    return arg === undefined ? undefined : evaluate(awk, arg)
  }
  const string = (index: number): string => text(awk, value(index))
  const number = (index: number): number => toNumber(value(index))
  switch (name) {
    case 'length':
      return length(awk, args)
    case 'substr': {
      const whole = string(0)
      const from = Math.round(number(1))
      const end = args.length < 3 ? Infinity : from + Math.round(number(2))
      return whole.slice(Math.max(0, from - 1), Math.max(0, end - 1))
    }
    case 'index':
      return string(0).indexOf(string(1)) + 1
    case 'split':
      return split(awk, args)
    case 'sub':
    case 'gsub':
      return substitute(awk, args, name === 'gsub')
    case 'match': {
      const found = pattern(awk, args[1]).exec(string(0))
      awk.globals.set('RSTART', found === null ? 0 : found.index + 1)
      awk.globals.set('RLENGTH', found === null ? -1 : found[0].length)
      return found === null ? 0 : found.index + 1
    }
    case 'sprintf':
      return format(
        awk,
        args.map((arg) => evaluate(awk, arg)),
      )
    case 'tolower':
      return string(0).toLowerCase()
    case 'toupper':
      return string(0).toUpperCase()
    case 'int':
      return Math.trunc(number(0))
    case 'systime':
      return Math.floor(awk.host.now())
    case 'rand':
      awk.randomState = (Math.imul(awk.randomState, 1103515245) + 12345) & 0x7fffffff
      return awk.randomState / 0x80000000
    case 'srand': {
      const old = awk.randomState
      awk.randomState = args.length === 0 ? Math.floor(awk.host.now()) & 0x7fffffff : number(0)
      return old
    }
    case 'close':
      return awk.files.delete(string(0)) ? 0 : -1
    case 'fflush':
      return 0
    case 'system':
      throw new AwkError('system() is not supported here')
    default:
      return mathematics(name, number)
  }
}

function mathematics(name: string, number: (index: number) => number): number {
  switch (name) {
    case 'sqrt':
      return Math.sqrt(number(0))
    case 'exp':
      return Math.exp(number(0))
    case 'log':
      return Math.log(number(0))
    case 'sin':
      return Math.sin(number(0))
    case 'cos':
      return Math.cos(number(0))
    case 'atan2':
      return Math.atan2(number(0), number(1))
    default:
      throw new AwkError(`function ${name} not defined`)
  }
}

function length(awk: Awk, args: readonly Expr[]): number {
  const [arg] = args
  if (arg === undefined) return awk.record.length
  if (arg.kind === 'var' && (awk.arrays.has(arg.name) || awk.frames.at(-1)?.get(arg.name) instanceof Map))
    return arrayOf(awk, arg.name).size
  return text(awk, evaluate(awk, arg)).length
}

function split(awk: Awk, args: readonly Expr[]): number {
  const [whole, target, separator] = args
  if (whole === undefined || target?.kind !== 'var') throw new AwkError('split needs a string and an array')
  const value = text(awk, evaluate(awk, whole))
  let pieces: string[]
  if (separator?.kind === 'regex') pieces = value === '' ? [] : value.split(pattern(awk, separator))
  else
    pieces = splitRecord(awk, value, separator === undefined ? global(awk, 'FS') : text(awk, evaluate(awk, separator)))
  const array: AwkArray = arrayOf(awk, target.name)
  array.clear()
  for (const [index, piece] of pieces.entries()) array.set(String(index + 1), fromInput(piece))
  return pieces.length
}

function substitute(awk: Awk, args: readonly Expr[], isGlobal: boolean): number {
  const target: Expr = args[2] ?? { kind: 'field', index: { kind: 'number', value: 0 } }
  const source = pattern(awk, args[0])
  const replacement = args[1] === undefined ? '' : text(awk, evaluate(awk, args[1]))
  const old = text(awk, evaluate(awk, target))
  let count = 0
  const changed = old.replace(new RegExp(source.source, isGlobal ? 'g' : ''), (match: string) => {
    count++
    return replacement.replace(/\\(.)|&/g, (all, escaped?: string) =>
      escaped === undefined ? match : escaped === '&' || escaped === '\\' ? escaped : all,
    )
  })
  if (count > 0) assign(awk, target, changed)
  return count
}
