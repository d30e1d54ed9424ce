/** Tokens of an awk program. */
import { unescape } from '../printf'

export type Token =
  | { readonly type: 'number'; readonly value: number; readonly text: string }
  | { readonly type: 'string' | 'regex' | 'name' | 'function' | 'word' | 'op'; readonly text: string }
  | { readonly type: 'newline' | 'end'; readonly text: string }

export class AwkSyntaxError extends Error {}

const WORDS = new Set(
  'BEGIN END function func if else while for do break continue next nextfile exit return delete in getline print printf'.split(
    ' ',
  ),
)

const OPERATORS = [
  '**=',
  '&&',
  '||',
  '==',
  '!=',
  '<=',
  '>=',
  '++',
  '--',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '^=',
  '**',
  '>>',
  '!~',
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ';',
  ',',
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '!',
  '<',
  '>',
  '?',
  ':',
  '~',
  '$',
  '=',
  '|',
]

/** Whether a `/` after this token divides; otherwise it begins a regular expression. */
const divides = (token: Token | undefined): boolean =>
  token !== undefined &&
  (token.type === 'number' ||
    token.type === 'string' ||
    token.type === 'name' ||
    (token.type === 'op' && /^([)\]$]|\+\+|--)$/.test(token.text)))

export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let i = 0
  while (i < source.length) {
    const rest = source.slice(i)
    const blank = /^(?:[ \t\r]|\\\n|#[^\n]*)+/.exec(rest)
    if (blank !== null) {
      i += blank[0].length
      continue
    }
    if (rest[0] === '\n') {
      tokens.push({ type: 'newline', text: '\n' })
      i++
      continue
    }
    const token = rest[0] === '/' && !divides(tokens.at(-1)) ? regexToken(rest) : plainToken(rest)
    tokens.push(token.token)
    i += token.length
  }
  tokens.push({ type: 'end', text: 'end of program' })
  return tokens
}

function plainToken(rest: string): { token: Token; length: number } {
  const number = /^(0[xX][\da-fA-F]+|(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)/.exec(rest)
  if (number !== null)
    return { token: { type: 'number', value: Number(number[0]), text: number[0] }, length: number[0].length }
  if (rest[0] === '"') {
    const string = /^"((?:[^"\\]|\\[^])*)"/.exec(rest)
    if (string === null) throw new AwkSyntaxError('unterminated string')
    return {
      token: { type: 'string', text: unescape((string[1] ?? '').replaceAll('\\/', '/')) },
      length: string[0].length,
    }
  }
  const name = /^[A-Za-z_]\w*/.exec(rest)?.[0]
  if (name !== undefined) {
    const type = WORDS.has(name) ? 'word' : rest[name.length] === '(' ? 'function' : 'name'
    return { token: { type, text: name }, length: name.length }
  }
  const op = OPERATORS.find((each) => rest.startsWith(each))
  if (op === undefined) throw new AwkSyntaxError(`unexpected character '${rest[0]}'`)
  return { token: { type: 'op', text: op }, length: op.length }
}

function regexToken(rest: string): { token: Token; length: number } {
  const found = /^\/((?:[^/\\\n[]|\\[^]|\[\^?\]?(?:[^\]\n\\]|\\[^]|\[:\w+:\])*\])*)\//.exec(rest)
  if (found === null) throw new AwkSyntaxError('unterminated regular expression')
  return { token: { type: 'regex', text: (found[1] ?? '').replaceAll('\\/', '/') }, length: found[0].length }
}
