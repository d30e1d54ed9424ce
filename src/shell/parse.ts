/**
 * From text to a syntax tree (library: unbash), and what bash says when the text is wrong. A line with an error is not
 * executed at all, so the machine stays untouched.
 */
import { forEachChild, parse } from 'unbash'
import type { ParsedScript, ParseError, SyntaxNode } from 'unbash'

export type Parsed =
  | { readonly ok: true; readonly script: ParsedScript }
  /** `isIncomplete`: more lines could mend it (the terminal then shows its second prompt). */
  | { readonly ok: false; readonly message: string; readonly isIncomplete: boolean; readonly line: number }

export function parseScript(source: string): Parsed {
  const script = parse(source)
  const found = firstError(script, source)
  if (found === undefined) return { ok: true, script }
  const { error, text } = found
  return {
    ok: false,
    message: syntaxMessage(text, error),
    isIncomplete: isIncomplete(text, error) || closesNothing(script, text),
    line: text.slice(0, error.pos).split('\n').length,
  }
}

/** Whether the terminal should ask for another line. */
export function wantsMoreLines(source: string): boolean {
  if (/(^|[^\\])(\\\\)*\\\n?$/.test(source)) return true
  const parsed = parseScript(source)
  if (!parsed.ok) return parsed.isIncomplete
  return hasOpenHereDocument(parsed.script)
}

function firstError(script: ParsedScript, source: string): { error: ParseError; text: string } | undefined {
  const own = script.errors?.[0]
  if (own !== undefined) return { error: own, text: source }
  let found: { error: ParseError; text: string } | undefined
  const visit = (node: SyntaxNode): void => {
    if (found !== undefined) return
    if (node.type === 'Script') {
      const error = (node as ParsedScript).errors?.[0]
      if (error !== undefined) {
        found = { error, text: node.source ?? source }
        return
      }
    }
    forEachChild(node, visit)
  }
  forEachChild(script, visit)
  return found
}

const UNTERMINATED: Readonly<Record<string, string>> = {
  'unterminated double quote': '"',
  'unterminated single quote': "'",
  'unterminated backtick': '`',
  'unterminated command substitution': ')',
  'unterminated parameter expansion': '}',
  'unterminated arithmetic command': ')',
  'unterminated arithmetic expansion': ')',
}

function syntaxMessage(source: string, error: ParseError): string {
  const closing = UNTERMINATED[error.message]
  if (closing !== undefined) return `unexpected EOF while looking for matching \`${closing}'`
  const token = error.message === 'expected redirect target' ? 'newline' : tokenAt(source, error.pos)
  return token === undefined ? 'syntax error: unexpected end of file' : `syntax error near unexpected token \`${token}'`
}

/** The token that bash would name; undefined at the end of the text. */
function tokenAt(source: string, pos: number): string | undefined {
  const rest = source.slice(pos).replace(/^[ \t]+/, '')
  if (rest === '') return undefined
  if (rest.startsWith('\n')) return 'newline'
  return /^(&&|\|\||;;&|;;|;&|\|&|>>|<<|<&|>&|&>|[|&;()<>])/.exec(rest)?.[0] ?? /^[^\s|&;()<>]+/.exec(rest)?.[0]
}

function isIncomplete(source: string, error: ParseError): boolean {
  if (error.message in UNTERMINATED) return true
  if (error.message === 'expected redirect target') return false
  return /^\s*$/.test(source.slice(error.pos))
}

/** `f() {`: the first complaint is about the empty body, a later one about the missing end. */
const closesNothing = (script: ParsedScript, source: string): boolean =>
  /^expected command/.test(script.errors?.[0]?.message ?? '') &&
  (script.errors ?? []).slice(1).some((error) => /to close/.test(error.message) && isIncomplete(source, error))

function hasOpenHereDocument(script: ParsedScript): boolean {
  let open = false
  const visit = (node: SyntaxNode): void => {
    if (node.type === 'HereDoc' && node.closing === undefined) open = true
    if (!open) forEachChild(node, visit)
  }
  forEachChild(script, visit)
  return open
}
