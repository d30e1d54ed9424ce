/** The line being typed: text, cursor, history and the kill buffer. Pure state; terminal.ts draws it. */
export interface EditLine {
  text: string
  cursor: number
  /** Index into the history; its length = the line that is being typed. */
  historyIndex: number
  /** What was typed before the history was looked at. */
  draft: string
  killed: string
}

export const emptyLine = (historyLength: number): EditLine => ({
  text: '',
  cursor: 0,
  historyIndex: historyLength,
  draft: '',
  killed: '',
})

export function insert(line: EditLine, text: string): void {
  line.text = line.text.slice(0, line.cursor) + text + line.text.slice(line.cursor)
  line.cursor += text.length
}

const wordStart = (text: string, from: number): number => {
  const before = text.slice(0, from)
  return from - (/\S+\s*$/.exec(before)?.[0].length ?? before.length)
}

const wordEnd = (text: string, from: number): number => from + (/^\s*\S+/.exec(text.slice(from))?.[0].length ?? 0)

function cut(line: EditLine, from: number, to: number): void {
  line.killed = line.text.slice(from, to)
  line.text = line.text.slice(0, from) + line.text.slice(to)
  line.cursor = from
}

function recall(line: EditLine, history: readonly string[], step: -1 | 1): void {
  const index = line.historyIndex + step
  if (index < 0 || index > history.length) return
  if (line.historyIndex === history.length) line.draft = line.text
  line.historyIndex = index
  line.text = history[index] ?? line.draft
  line.cursor = line.text.length
}

/** Keys that edit: control characters and the escape sequences of xterm. False when `key` is none of them. */
export function edit(line: EditLine, key: string, history: readonly string[]): boolean {
  switch (key) {
    case '\x01':
    case '\x1b[H':
    case '\x1bOH':
    case '\x1b[1~':
      line.cursor = 0
      return true
    case '\x05':
    case '\x1b[F':
    case '\x1bOF':
    case '\x1b[4~':
      line.cursor = line.text.length
      return true
    case '\x02':
    case '\x1b[D':
    case '\x1bOD':
      line.cursor = Math.max(0, line.cursor - 1)
      return true
    case '\x06':
    case '\x1b[C':
    case '\x1bOC':
      line.cursor = Math.min(line.text.length, line.cursor + 1)
      return true
    case '\x1bb':
    case '\x1b[1;5D':
      line.cursor = wordStart(line.text, line.cursor)
      return true
    case '\x1bf':
    case '\x1b[1;5C':
      line.cursor = wordEnd(line.text, line.cursor)
      return true
    case '\x10':
    case '\x1b[A':
    case '\x1bOA':
      recall(line, history, -1)
      return true
    case '\x0e':
    case '\x1b[B':
    case '\x1bOB':
      recall(line, history, 1)
      return true
    default:
      return remove(line, key)
  }
}

function remove(line: EditLine, key: string): boolean {
  const { text, cursor } = line
  switch (key) {
    case '\x7f':
    case '\b':
      if (cursor > 0) {
        line.text = text.slice(0, cursor - 1) + text.slice(cursor)
        line.cursor--
      }
      return true
    case '\x04':
    case '\x1b[3~':
      line.text = text.slice(0, cursor) + text.slice(cursor + 1)
      return true
    case '\x15':
      cut(line, 0, cursor)
      return true
    case '\x0b':
      cut(line, cursor, text.length)
      return true
    case '\x17':
    case '\x1b\x7f':
      cut(line, wordStart(text, cursor), cursor)
      return true
    case '\x1bd':
      cut(line, cursor, wordEnd(text, cursor))
      return true
    case '\x19':
      insert(line, line.killed)
      return true
    default:
      return false
  }
}

/** Cuts typed text into keys: a character, or a whole escape sequence. `rest` is a sequence that is not complete. */
export function keysOf(text: string): { readonly keys: readonly string[]; readonly rest: string } {
  const keys: string[] = []
  let i = 0
  while (i < text.length) {
    const from = text.slice(i)
    if (from.startsWith('\x1b[200~')) {
      const end = from.indexOf('\x1b[201~')
      if (end < 0) return { keys, rest: from }
      keys.push(from.slice(0, end + 6))
      i += end + 6
      continue
    }
    if (from[0] === '\x1b') {
      const sequence = /^\x1b(\[[0-?]*[ -/]*[@-~]|O[A-Z]|[a-z\x7f])/.exec(from)?.[0]
      if (sequence === undefined && from.length < 8 && /^\x1b(\[[0-?]*|O)?$/.test(from)) return { keys, rest: from }
      keys.push(sequence ?? '\x1b')
      i += (sequence ?? '\x1b').length
      continue
    }
    const character = String.fromCodePoint(from.codePointAt(0) ?? 0)
    keys.push(character)
    i += character.length
  }
  return { keys, rest: '' }
}
