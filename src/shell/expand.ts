/** Expansion of words, in the shell's order: braces, tilde, parameters, substitutions, arithmetic, fields, path names. */
import { parse } from 'unbash'
import type { Command, CommandExpansionPart, Script, Word, WordPart } from 'unbash'
import { evaluate, evaluateText } from './arithmetic'
import { active, joinPattern, joinText, literal, loose, quoted, splitFields, type Piece } from './fields'
import { hasGlob, searchPaths } from './glob'
import { expandParameter, simpleParameter } from './parameter'
import { resolvePath } from './paths'
import { explainRefusal, type Proc } from './process'
import type { Descriptor } from './stream'
import { fatal, parameter } from './variables'

/** Words to arguments: splitting and path names included. */
export async function expandWords(proc: Proc, words: readonly Word[]): Promise<string[]> {
  const args: string[] = []
  for (const word of words) {
    if (proc.dialect === 'bash' && word.parts?.some((part) => part.type === 'BraceExpansion')) {
      for (const each of reparse(expandBraces(word.text))) args.push(...(await expandFields(proc, each)))
    } else args.push(...(await expandFields(proc, word)))
  }
  return args
}

async function expandFields(proc: Proc, word: Word): Promise<string[]> {
  const fields = splitFields(await expandPieces(proc, word), parameter(proc, 'IFS') ?? ' \t\n')
  const args: string[] = []
  for (const field of fields) {
    const found =
      !proc.options.noglob && hasGlob(field.pattern) ? searchPaths(proc.sys, proc.pid, proc.cwd, field.pattern) : []
    if (found.length > 0) args.push(...found)
    else args.push(field.text)
  }
  return args
}

/** A word to one text: assignments, redirect targets, `case` words. */
export const expandText = async (proc: Proc, word: Word | undefined): Promise<string> =>
  word === undefined ? '' : joinText(await expandPieces(proc, word))

/** A word to a pattern: what was quoted is literal. */
export const expandPattern = async (proc: Proc, word: Word | undefined): Promise<string> =>
  word === undefined ? '' : joinPattern(await expandPieces(proc, word))

/** The parts of a here-document or of an arithmetic word. */
export const expandPartsToText = async (proc: Proc, parts: readonly WordPart[]): Promise<string> =>
  joinText(await quotedPieces(proc, parts))

export const evaluateWord = async (proc: Proc, word: Word | undefined): Promise<number> =>
  Number(await evaluateText(proc, await expandText(proc, word), expandPartsToText))

async function expandPieces(proc: Proc, word: Word): Promise<Piece[]> {
  const tilde = expandTilde(proc, word)
  if (word.parts === undefined) {
    if (tilde !== undefined) return [quoted(tilde + word.value.slice(1))]
    // Quotes leave no parts behind when they are empty.
    return word.value === '' ? [quoted('')] : [literal(word.value)]
  }
  const pieces: Piece[] = []
  for (const [index, part] of word.parts.entries()) {
    if (index === 0 && tilde !== undefined && part.type === 'Literal') {
      pieces.push(quoted(tilde + part.value.slice(1)))
      continue
    }
    pieces.push(...(await partPieces(proc, part)))
  }
  return pieces
}

function expandTilde(proc: Proc, word: Word): string | undefined {
  if (!/^~(\/|$)/.test(word.text)) return undefined
  return parameter(proc, 'HOME') ?? '/root'
}

async function partPieces(proc: Proc, part: WordPart): Promise<Piece[]> {
  switch (part.type) {
    case 'Literal':
    case 'BraceExpansion':
      return [literal(part.type === 'Literal' ? part.value : part.text)]
    case 'Glob':
      return part.kind === 'bracket' ? bracketPieces(proc, part.parts) : [active(part.text)]
    case 'ExtendedGlob':
      return [literal(part.text)]
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      return [quoted(part.value)]
    case 'DoubleQuoted':
    case 'LocaleString': {
      const pieces = await quotedPieces(proc, part.parts)
      const isOnlyAt = part.parts.length === 1 && /^\$(@|\{@\}|\{\w+\[@\]\})$/.test(part.parts[0]?.text ?? '')
      return isOnlyAt ? pieces : [quoted(''), ...pieces]
    }
    case 'SimpleExpansion':
      return simpleParameter(proc, part.text.slice(1), false)
    case 'ParameterExpansion':
      return expandParameter(proc, part, false, expanders)
    case 'CommandExpansion':
      return [loose(await substitute(proc, part))]
    case 'ArithmeticExpansion':
      return [loose(String(await evaluate(proc, part.expression, expandPartsToText)))]
    default:
      return fatal(`${part.text}: process substitution is not supported`, 1)
  }
}

/** `[…]`: what is expanded inside belongs to the pattern. */
async function bracketPieces(proc: Proc, parts: readonly WordPart[]): Promise<Piece[]> {
  const inside: Piece[] = []
  for (const part of parts)
    inside.push(...(part.type === 'Literal' ? [active(part.text)] : await partPieces(proc, part)))
  return [active('['), ...inside, active(']')]
}

async function quotedPieces(proc: Proc, parts: readonly WordPart[]): Promise<Piece[]> {
  const pieces: Piece[] = []
  for (const part of parts) {
    if (part.type === 'SimpleExpansion') pieces.push(...simpleParameter(proc, part.text.slice(1), true))
    else if (part.type === 'ParameterExpansion') pieces.push(...(await expandParameter(proc, part, true, expanders)))
    else
      for (const piece of await partPieces(proc, part))
        pieces.push(piece.kind === 'break' ? piece : { ...piece, isActive: false, splits: false })
  }
  return pieces
}

const expanders = { pieces: expandPieces, text: expandText, pattern: expandPattern, number: evaluateWord }

/** `$( … )`: the output of a subshell without its trailing newlines. */
async function substitute(proc: Proc, part: CommandExpansionPart): Promise<string> {
  if (part.script === undefined) return ''
  const file = inputOnly(part.script)
  if (file !== undefined) {
    const path = resolvePath(proc.cwd, await expandText(proc, file))
    const read = proc.sys.read(proc.pid, path)
    if (read.ok) return read.value.replace(/\n+$/, '')
    explainRefusal(proc.world, read.error)
    return fatal(`${path}: No such file or directory`, 1)
  }
  const capture: Descriptor & { kind: 'capture' } = { kind: 'capture', text: '' }
  const fds = new Map(proc.fds).set(1, capture)
  const launched = await proc.world.runInChild(proc, part.script, fds, proc.group)
  proc.substitutionStatus = await proc.doom.race(launched.done, { interruptible: false })
  proc.doom.check()
  return capture.text.replace(/\n+$/, '')
}

/** The file of `$(< file)`. */
function inputOnly(script: Script): Word | undefined {
  const command = script.commands[0]?.command as Command | undefined
  if (script.commands.length !== 1 || command?.type !== 'Command' || command.name !== undefined) return undefined
  const redirect = command.redirects[0]
  if (command.redirects.length !== 1 || redirect?.type !== 'Redirect' || redirect.operator !== '<') return undefined
  return command.prefix.length === 1 ? redirect.target : undefined
}

function reparse(texts: readonly string[]): readonly Word[] {
  const command = parse(`x ${texts.join(' ')}`).commands[0]?.command as Command | undefined
  return (command?.args ?? []).filter((arg) => arg.type === 'Word')
}

/** `a{b,c}d` and `{1..5}` as texts; quotes are left to the parser. */
function expandBraces(text: string): string[] {
  for (let open = text.indexOf('{'); open >= 0; open = text.indexOf('{', open + 1)) {
    if (text[open - 1] === '$' || text[open - 1] === '\\') continue
    const found = braceItems(text, open)
    if (found === undefined) continue
    const before = text.slice(0, open)
    const tails = expandBraces(text.slice(found.end))
    return found.items.flatMap((item) =>
      expandBraces(item).flatMap((each) => tails.map((tail) => before + each + tail)),
    )
  }
  return [text]
}

function braceItems(text: string, open: number): { items: string[]; end: number } | undefined {
  const items: string[] = []
  let depth = 0
  let from = open + 1
  for (let i = open; i < text.length; i++) {
    const c = text[i]
    if (c === '\\') i++
    else if (c === '{') depth++
    else if (c === ',' && depth === 1) {
      items.push(text.slice(from, i))
      from = i + 1
    } else if (c === '}' && --depth === 0) {
      items.push(text.slice(from, i))
      const end = i + 1
      if (items.length > 1) return { items, end }
      const range = braceRange(items[0] ?? '')
      return range === undefined ? undefined : { items: range, end }
    }
  }
  return undefined
}

function braceRange(text: string): string[] | undefined {
  const found = /^(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?$/.exec(text)
  if (found === null) {
    const letters = /^([A-Za-z])\.\.([A-Za-z])$/.exec(text)
    if (letters === null) return undefined
    const codes = range((letters[1] ?? '').charCodeAt(0), (letters[2] ?? '').charCodeAt(0), 1)
    return codes.map((code) => String.fromCharCode(code))
  }
  const first = found[1] ?? ''
  const width = /^-?0\d/.test(first) ? first.length : 0
  return range(Number(first), Number(found[2]), Math.abs(Number(found[3] ?? 1)) || 1).map((n) =>
    String(n).padStart(width, '0'),
  )
}

function range(from: number, to: number, step: number): number[] {
  const numbers: number[] = []
  if (from <= to) for (let n = from; n <= to && numbers.length < 100000; n += step) numbers.push(n)
  else for (let n = from; n >= to && numbers.length < 100000; n -= step) numbers.push(n)
  return numbers
}
