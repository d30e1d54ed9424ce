/**
 * JSON text → value, or an error that names line and column. The built-in parser's messages differ between engines and
 * often lack the place, so a refused text is walked once more by a small scanner that finds it.
 */
import { ok, userError, type Result } from '../util/result'

export function parseJson(text: string, fileName: string): Result<unknown> {
  const body = text.startsWith('\uFEFF') ? text.slice(1) : text
  if (body.trim() === '') {
    return userError('json/empty', fileName, 'The file is empty.', 'Give a JSON document that begins with {.')
  }
  try {
    return ok(JSON.parse(body))
  } catch {
    const fault = findFault(body)
    const { line, column } = placeOf(body, fault.at)
    return userError(
      'json/syntax',
      `${fileName}: line ${line}, column ${column}`,
      `This is not JSON: ${fault.expected} expected, ${describe(body, fault.at)} found.`,
      'Mend the text there.',
    )
  }
}

interface Fault {
  readonly at: number
  readonly expected: string
}

class Scanner {
  at = 0
  readonly text: string
  constructor(text: string) {
    this.text = text
  }

  fail(expected: string): never {
    throw { at: this.at, expected } satisfies Fault
  }

  space(): void {
    while (' \t\n\r'.includes(this.text[this.at] ?? '.')) this.at++
  }

  value(): void {
    this.space()
    const c = this.text[this.at]
    if (c === '{') this.members('}', () => this.member())
    else if (c === '[') this.members(']', () => this.value())
    else if (c === '"') this.string()
    else this.word()
    this.space()
  }

  private members(close: string, one: () => void): void {
    this.at++
    this.space()
    if (this.text[this.at] === close) {
      this.at++
      return
    }
    for (;;) {
      one()
      this.space()
      const c = this.text[this.at]
      if (c === close) break
      if (c !== ',') this.fail(`',' or '${close}'`)
      this.at++
      this.space()
    }
    this.at++
  }

  private member(): void {
    this.space()
    if (this.text[this.at] !== '"') this.fail('a name in double quotes')
    this.string()
    this.space()
    if (this.text[this.at] !== ':') this.fail("':'")
    this.at++
    this.value()
  }

  private string(): void {
    const match = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/uy
    match.lastIndex = this.at
    this.at += match.exec(this.text)?.[0].length ?? 0
    if (this.text[this.at] !== '"') this.fail('the end of the text (")')
    this.at++
  }

  private word(): void {
    const match = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/y
    match.lastIndex = this.at
    const found = match.exec(this.text)?.[0]
    if (found === undefined) this.fail('a value')
    this.at += found.length
  }
}

function findFault(text: string): Fault {
  const scanner = new Scanner(text)
  try {
    scanner.value()
    return { at: scanner.at, expected: 'the end of the file' }
  } catch (fault) {
    if (fault instanceof Error) return { at: scanner.at, expected: 'simpler nesting' }
    return fault as Fault
  }
}

function placeOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split('\n')
  return { line: before.length, column: before.at(-1)!.length + 1 }
}

function describe(text: string, at: number): string {
  if (at >= text.length) return 'the end of the file'
  const rest = /^(?:[\w.-]+|.)/s.exec(text.slice(at, at + 20))![0]
  return rest === '\n' ? 'the end of the line' : `'${rest}'`
}
