/**
 * The line discipline and the line editor of a terminal such as xterm.js: keys in, text with escape sequences out. A pure
 * state machine around a shell; it knows nothing of time or of the DOM.
 */
import { inColumns } from './columns'
import { wordBefore } from './complete'
import { edit, emptyLine, insert, keysOf, type EditLine } from './line-editor'
import type { Shell } from './shell'

export interface Terminal {
  /** Text as the keyboard sends it, control characters included. */
  input(text: string): void
  /** Output of the shell: what `ShellOptions.out` should call. */
  print(text: string): void
  resize(columns: number, rows: number): void
  /** A command is running: keys go to it. */
  readonly isBusy: boolean
}

export interface TerminalOptions {
  /** The shell ended: `exit`, or Ctrl+D at an empty line. */
  readonly onExit?: (status: number) => void
}

interface Screen {
  readonly shell: Shell
  readonly write: (text: string) => void
  readonly options: TerminalOptions
  line: EditLine
  /** Earlier lines of a command that is not complete. */
  pending: string
  /** Typed while a command runs, not yet ended by Enter. */
  typed: string
  isBusy: boolean
  columns: number
  /** Rows between the prompt's first row and the cursor's. */
  cursorRow: number
  /** Beginning of an escape sequence whose end has not come yet. */
  partial: string
  lastKeyWasTab: boolean
}

export function createTerminal(shell: Shell, write: (text: string) => void, options: TerminalOptions = {}): Terminal {
  const screen: Screen = {
    shell,
    write,
    options,
    line: emptyLine(0),
    pending: '',
    typed: '',
    isBusy: false,
    columns: 80,
    cursorRow: 0,
    partial: '',
    lastKeyWasTab: false,
  }
  write('\x1b[?2004h')
  showPrompt(screen)
  return {
    input(text) {
      const { keys, rest } = keysOf(screen.partial + text)
      screen.partial = rest
      for (const key of keys) {
        if (screen.shell.hasExited) return
        if (screen.isBusy) keyWhileBusy(screen, key)
        else keyAtPrompt(screen, key)
      }
    },
    print: (text) => write(toScreen(text)),
    resize(columns, rows) {
      screen.columns = Math.max(2, columns)
      shell.resize(columns, rows)
      if (!screen.isBusy) redraw(screen)
    },
    get isBusy() {
      return screen.isBusy
    },
  }
}

/** A terminal needs a carriage return at each line's end. */
const toScreen = (text: string): string => text.replace(/\r?\n/g, '\r\n')

const prompt = (screen: Screen): string => (screen.pending === '' ? screen.shell.prompt() : '> ')

function showPrompt(screen: Screen): void {
  screen.line = { ...emptyLine(screen.shell.history.length), killed: screen.line.killed }
  screen.cursorRow = 0
  screen.write(prompt(screen))
}

/** Where the cursor stands after `text`, from the start of the prompt's first row. */
function place(text: string, columns: number): { row: number; column: number } {
  let row = 0
  let column = 0
  for (const character of text) {
    if (character === '\n') {
      row++
      column = 0
      continue
    }
    if (column === columns) {
      row++
      column = 0
    }
    column++
  }
  if (column === columns) return { row: row + 1, column: 0 }
  return { row, column }
}

function redraw(screen: Screen): void {
  const { line, columns } = screen
  const start = prompt(screen)
  const end = place(start + line.text, columns)
  const cursor = place(start + line.text.slice(0, line.cursor), columns)
  const up = screen.cursorRow > 0 ? `\x1b[${screen.cursorRow}A` : ''
  // At the right margin the terminal wraps only with the next character.
  const wrap = end.column === 0 && end.row > 0 && !line.text.endsWith('\n') ? '\r\n' : ''
  const back = end.row > cursor.row ? `\x1b[${end.row - cursor.row}A` : ''
  const right = cursor.column > 0 ? `\x1b[${cursor.column}C` : ''
  screen.write(`${up}\r\x1b[J${toScreen(start + line.text)}${wrap}${back}\r${right}`)
  screen.cursorRow = cursor.row
}

/** Puts the cursor behind the line, so that output begins below it. */
function leaveLine(screen: Screen): void {
  screen.line.cursor = screen.line.text.length
  redraw(screen)
}

function keyAtPrompt(screen: Screen, key: string): void {
  const { line, shell } = screen
  const wasTab = screen.lastKeyWasTab
  screen.lastKeyWasTab = key === '\t'
  if (key === '\r' || key === '\n') return submit(screen)
  if (key === '\t') return complete(screen, wasTab)
  if (key === '\x03') {
    leaveLine(screen)
    screen.write('^C\r\n')
    screen.pending = ''
    return showPrompt(screen)
  }
  if (key === '\x04' && line.text === '') {
    if (screen.pending !== '') {
      screen.pending = ''
      screen.write('\r\n')
      return showPrompt(screen)
    }
    screen.write('exit\r\n')
    return run(screen, 'exit')
  }
  if (key === '\x0c') {
    screen.write('\x1b[H\x1b[2J')
    screen.cursorRow = 0
    return redraw(screen)
  }
  if (key.startsWith('\x1b[200~')) {
    insert(line, key.slice(6, -6).replace(/\r\n?/g, '\n'))
    return redraw(screen)
  }
  if (edit(line, key, shell.history)) return redraw(screen)
  if (key < ' ' || key.startsWith('\x1b')) return
  insert(line, key)
  if (line.cursor === line.text.length && place(prompt(screen) + line.text, screen.columns).row === screen.cursorRow)
    screen.write(key)
  else redraw(screen)
}

function submit(screen: Screen): void {
  leaveLine(screen)
  screen.write('\r\n')
  const text = screen.pending + screen.line.text
  if (text.trim() !== '' && screen.shell.wantsMore(`${text}\n`)) {
    screen.pending = `${text}\n`
    return showPrompt(screen)
  }
  screen.pending = ''
  if (text.trim() === '') return showPrompt(screen)
  if (screen.shell.history.at(-1) !== text) screen.shell.history.push(text)
  run(screen, text)
}

function run(screen: Screen, text: string): void {
  screen.isBusy = true
  screen.typed = ''
  screen.write('\x1b[?2004l')
  const finished = (): void => {
    screen.isBusy = false
    if (screen.shell.hasExited) {
      screen.options.onExit?.(screen.shell.status)
      return
    }
    const ahead = screen.shell.takeUnread() + screen.typed
    screen.typed = ''
    screen.write('\x1b[?2004h')
    showPrompt(screen)
    // Typed ahead: the next commands.
    for (const key of ahead) {
      if (screen.isBusy) keyWhileBusy(screen, key)
      else keyAtPrompt(screen, key)
    }
  }
  void screen.shell.run(text).then(finished)
}

/** The terminal in its cooked mode: echo, erase, Enter gives the line to whoever reads. */
function keyWhileBusy(screen: Screen, key: string): void {
  switch (key) {
    case '\x03':
      screen.write('^C')
      screen.typed = ''
      return screen.shell.interrupt()
    case '\x04':
      if (screen.typed === '') return screen.shell.endInput()
      screen.shell.feed(screen.typed)
      screen.typed = ''
      return
    case '\r':
    case '\n':
      screen.write('\r\n')
      screen.shell.feed(`${screen.typed}\n`)
      screen.typed = ''
      return
    case '\x7f':
      if (screen.typed === '') return
      screen.typed = screen.typed.slice(0, -1)
      return screen.write('\b \b')
    case '\x15':
      screen.write('\b \b'.repeat(screen.typed.length))
      screen.typed = ''
      return
    default:
      break
  }
  const text = key.startsWith('\x1b[200~') ? key.slice(6, -6) : key
  if (text.startsWith('\x1b') || text < ' ') return
  screen.typed += text
  screen.write(text)
}

function complete(screen: Screen, isSecondTab: boolean): void {
  const { line, shell } = screen
  const word = wordBefore(line.text.slice(0, line.cursor))
  const found = shell.complete(line.text, line.cursor)
  const first = found[0]
  if (first === undefined) return screen.write('\x07')
  if (found.length === 1) {
    insert(line, first.slice(word.length) + (first.endsWith('/') ? '' : ' '))
    return redraw(screen)
  }
  const common = commonPrefix(found)
  if (common.length > word.length) {
    insert(line, common.slice(word.length))
    return redraw(screen)
  }
  if (!isSecondTab) return screen.write('\x07')
  const { cursor } = line
  leaveLine(screen)
  screen.write(`\r\n${toScreen(inColumns(found.map(lastStep), screen.columns))}`)
  line.cursor = cursor
  screen.cursorRow = 0
  redraw(screen)
}

const lastStep = (path: string): string => path.slice(path.replace(/\/$/, '').lastIndexOf('/') + 1)

function commonPrefix(texts: readonly string[]): string {
  let prefix = texts[0] ?? ''
  for (const text of texts) while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1)
  return prefix
}
