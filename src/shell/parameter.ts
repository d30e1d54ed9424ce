/** `$x`, `${x:-d}`, `${x%%:*}`, `${#x}`, `${x:1:2}`, `${x//a/b}`, `"$@"` and arrays. */
import type { ParameterExpansionPart, ParameterOperation, Word } from 'unbash'
import { loose, quoted, type Piece } from './fields'
import { patternSource } from './glob'
import type { Proc } from './process'
import { elements, fatal, parameter, setVariable } from './variables'

/** What expand.ts lends, so that the two files need not import each other. */
export interface Expanders {
  readonly pieces: (proc: Proc, word: Word) => Promise<Piece[]>
  readonly text: (proc: Proc, word: Word | undefined) => Promise<string>
  readonly pattern: (proc: Proc, word: Word | undefined) => Promise<string>
  readonly number: (proc: Proc, word: Word | undefined) => Promise<number>
}

/** `$name` without operation. */
export function simpleParameter(proc: Proc, name: string, isQuoted: boolean): Piece[] {
  if (name === '@' || name === '*') return listPieces(proc, proc.positional, name, isQuoted)
  const value = parameter(proc, name)
  if (value === undefined && proc.options.nounset) return fatal(`${name}: unbound variable`, 1)
  return [isQuoted ? quoted(value ?? '') : loose(value ?? '')]
}

/** `"$@"` gives a field each; `"$*"` joins with the first character of IFS. */
function listPieces(proc: Proc, list: readonly string[], which: string, isQuoted: boolean): Piece[] {
  if (isQuoted && which === '*') return [quoted(list.join((parameter(proc, 'IFS') ?? ' ').slice(0, 1)))]
  const pieces: Piece[] = []
  for (const [index, value] of list.entries()) {
    if (index > 0) pieces.push({ kind: 'break' })
    pieces.push(isQuoted ? quoted(value) : loose(value))
  }
  return pieces
}

export async function expandParameter(
  proc: Proc,
  part: ParameterExpansionPart,
  isQuoted: boolean,
  expanders: Expanders,
): Promise<Piece[]> {
  const name = part.prefix === '!' ? (parameter(proc, part.parameter) ?? '') : part.parameter
  const list = await listOf(proc, name, part.index, expanders)
  if (part.prefix === '#') {
    const value = parameter(proc, name) ?? ''
    return [quoted(String(list === undefined ? [...(await oneOf(proc, part, value, expanders))].length : list.length))]
  }
  if (list !== undefined) {
    const which = part.index === undefined ? name : await expanders.text(proc, part.index)
    if (part.operation === undefined) return listPieces(proc, list, which, isQuoted)
    if (part.operation.type === 'Slice')
      return listPieces(proc, await sliceList(proc, name, list, part.operation, expanders), which, isQuoted)
    if (part.operation.type !== 'Default') {
      const changed: string[] = []
      for (const value of list) changed.push(await change(proc, value, part.operation, expanders))
      return listPieces(proc, changed, which, isQuoted)
    }
  }
  const value = list === undefined ? await oneOf(proc, part, parameter(proc, name), expanders) : list.join(' ')
  const piece = isQuoted ? quoted : loose
  if (part.operation?.type === 'Default') return byDefault(proc, name, value, part.operation, isQuoted, expanders)
  if (value === undefined && proc.options.nounset) return fatal(`${name}: unbound variable`, 1)
  if (part.operation === undefined) return [piece(value ?? '')]
  return [piece(await change(proc, value ?? '', part.operation, expanders))]
}

async function listOf(
  proc: Proc,
  name: string,
  index: Word | undefined,
  expanders: Expanders,
): Promise<readonly string[] | undefined> {
  if (name === '@' || name === '*') return proc.positional
  if (index === undefined) return undefined
  const which = await expanders.text(proc, index)
  return which === '@' || which === '*' ? elements(proc, name) : undefined
}

async function oneOf<T extends string | undefined>(
  proc: Proc,
  part: ParameterExpansionPart,
  plain: T,
  expanders: Expanders,
): Promise<string | T> {
  if (part.index === undefined) return plain
  const index = await expanders.number(proc, part.index)
  const array = elements(proc, part.parameter)
  return (array.at(index) ?? plain ?? '') as string | T
}

async function byDefault(
  proc: Proc,
  name: string,
  value: string | undefined,
  operation: Extract<ParameterOperation, { type: 'Default' }>,
  isQuoted: boolean,
  expanders: Expanders,
): Promise<Piece[]> {
  const isMissing = value === undefined || (operation.operator.startsWith(':') && value === '')
  const piece = isQuoted ? quoted : loose
  const operand = async (): Promise<Piece[]> =>
    (await expanders.pieces(proc, operation.operand)).map((p) =>
      p.kind === 'break' ? p : isQuoted ? quoted(p.text) : p.keepsEmpty ? p : { ...p, splits: true },
    )
  switch (operation.operator.at(-1)) {
    case '-':
      return isMissing ? operand() : [piece(value)]
    case '+':
      return isMissing ? [piece('')] : operand()
    case '=': {
      if (!isMissing) return [piece(value)]
      const assigned = await expanders.text(proc, operation.operand)
      setVariable(proc, name, assigned)
      return [piece(assigned)]
    }
    default: {
      if (!isMissing) return [piece(value)]
      const message = (await expanders.text(proc, operation.operand)) || 'parameter null or not set'
      return fatal(`${name}: ${message}`, 127)
    }
  }
}

async function change(proc: Proc, value: string, operation: ParameterOperation, expanders: Expanders): Promise<string> {
  switch (operation.type) {
    case 'Remove':
      return remove(value, operation.operator, await expanders.pattern(proc, operation.operand))
    case 'Replace': {
      const pattern = await expanders.pattern(proc, operation.pattern)
      const replacement = await expanders.text(proc, operation.replacement)
      return replace(value, operation.operator, pattern, replacement)
    }
    case 'Slice': {
      const characters = [...value]
      const from = await expanders.number(proc, operation.offset)
      const start = from < 0 ? Math.max(0, characters.length + from) : from
      if (operation.length === undefined) return characters.slice(start).join('')
      const length = await expanders.number(proc, operation.length)
      return characters.slice(start, length < 0 ? characters.length + length : start + length).join('')
    }
    case 'CaseModification':
      return changeCase(value, operation.operator)
    default:
      return fatal('bad substitution', 1)
  }
}

function changeCase(value: string, operator: string): string {
  const change = (text: string): string => (operator.startsWith('^') ? text.toUpperCase() : text.toLowerCase())
  return operator.length === 2 ? change(value) : change(value.slice(0, 1)) + value.slice(1)
}

/** `#` and `%` take the shortest match from the start or the end, `##` and `%%` the longest. */
function remove(value: string, operator: string, pattern: string): string {
  const isShortest = operator.length === 1
  const source = patternSource(pattern, { path: false })
  const whole = new RegExp(`^(?:${source})$`)
  const fromStart = operator.startsWith('#')
  const length = value.length
  for (let step = 0; step <= length; step++) {
    const size = isShortest ? step : length - step
    const part = fromStart ? value.slice(0, size) : value.slice(length - size)
    if (whole.test(part)) return fromStart ? value.slice(size) : value.slice(0, length - size)
  }
  return value
}

function replace(value: string, operator: string, pattern: string, replacement: string): string {
  const source = `(?:${patternSource(pattern, { path: false })})`
  if (pattern === '') return value
  switch (operator) {
    case '//':
      return value.replace(new RegExp(source, 'g'), () => replacement)
    case '/#':
      return value.replace(new RegExp(`^${source}`), () => replacement)
    case '/%':
      return value.replace(new RegExp(`${source}$`), () => replacement)
    default:
      return value.replace(new RegExp(source), () => replacement)
  }
}

async function sliceList(
  proc: Proc,
  name: string,
  list: readonly string[],
  operation: Extract<ParameterOperation, { type: 'Slice' }>,
  expanders: Expanders,
): Promise<readonly string[]> {
  const offset = await expanders.number(proc, operation.offset)
  const isPositional = name === '@' || name === '*'
  const all = isPositional ? [proc.name, ...list] : list
  const start = offset < 0 ? Math.max(0, all.length + offset) : offset
  const length = operation.length === undefined ? all.length : await expanders.number(proc, operation.length)
  return all.slice(start, start + length)
}
