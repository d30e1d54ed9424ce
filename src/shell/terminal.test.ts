import { expect, test } from 'vitest'
import { createShell } from './shell'
import { createTerminal, type Terminal } from './terminal'
import { fakeMachine } from './testing/machine'

/** A terminal of 40 columns; `screen` is what is on it, with the cursor as `_`. */
function open(columns = 40) {
  const machine = fakeMachine({ sleep: (argv) => [{ sleepNs: Number(argv[1]) * 1e9 }] })
  const written: string[] = []
  const exits: number[] = []
  const shell = createShell(machine, { pid: 100, interactive: true, out: (text) => terminal.print(text) })
  const terminal: Terminal = createTerminal(shell, (text) => written.push(text), { onExit: (s) => exits.push(s) })
  terminal.resize(columns, 24)
  const type = async (...texts: string[]): Promise<string> => {
    for (const text of texts) {
      terminal.input(text)
      // What a command needs of simulated time passes; a key costs nothing.
      if (terminal.isBusy && !text.includes('&&hold')) await machine.advance(2e9)
    }
    return draw(written.join(''), columns)
  }
  return { machine, shell, terminal, type, written, exits }
}

/** Enough of a terminal to see what a user would see. */
function draw(text: string, columns: number): string {
  let rows: string[][] = [[]]
  let [row, column] = [0, 0]
  for (const [token] of text.matchAll(/\x1b\[[?\d;]*[A-Za-z]|[^]/gu)) {
    const n = Number(/\d+/.exec(token)?.[0] ?? 1)
    if (token === '\r') column = 0
    else if (token === '\n') row++
    else if (token === '\b') column = Math.max(0, column - 1)
    else if (/^\x1b\[\d*A$/.test(token)) row = Math.max(0, row - n)
    else if (/^\x1b\[\d*C$/.test(token)) column += n
    else if (token === '\x1b[H') [row, column] = [0, 0]
    else if (token === '\x1b[2J') rows = [[]]
    else if (token === '\x1b[J') {
      rows[row]?.splice(column)
      rows.length = row + 1
    } else if (!token.startsWith('\x1b') && token !== '\x07') {
      if (column === columns) [row, column] = [row + 1, 0]
      while (rows.length <= row) rows.push([])
      const cells = rows[row]!
      while (cells.length < column) cells.push(' ')
      cells[column++] = token
    }
    while (rows.length <= row) rows.push([])
  }
  const cells = rows[row]!
  while (cells.length < column) cells.push(' ')
  cells.splice(column, 0, '_')
  return rows.map((r) => r.join('').trimEnd()).join('\n')
}

const PROMPT = 'root@vm:~# '
const [UP, DOWN, RIGHT, LEFT] = ['\x1b[A', '\x1b[B', '\x1b[C', '\x1b[D']

test('a line is edited in its middle and run', async () => {
  const t = open()
  expect(await t.type('eco hi', LEFT, LEFT, LEFT, LEFT, LEFT)).toBe(`${PROMPT}e_co hi`)
  expect(await t.type('', LEFT, RIGHT, RIGHT, 'h')).toBe(`${PROMPT}ech_o hi`)
  expect(await t.type('\r')).toBe(`${PROMPT}echo hi\nhi\n${PROMPT}_`)
})

test('Ctrl+A, E, K, U, W, Y, backspace and delete', async () => {
  const t = open()
  expect(await t.type('one two three', '\x17')).toBe(`${PROMPT}one two _`)
  expect(await t.type('\x19', '\x01', '\x0b')).toBe(`${PROMPT}_`)
  expect(await t.type('\x19', '\x01', '\x1b[3~', '\x05', '\x7f')).toBe(`${PROMPT}ne two thre_`)
  expect(await t.type('\x1b[1;5D', '\x15')).toBe(`${PROMPT}_thre`)
})

test('history goes up and down and comes back to what was typed', async () => {
  const t = open()
  await t.type('echo 1\r', 'echo 2\r', 'draft')
  expect(await t.type(UP, UP)).toContain(`${PROMPT}echo 1_`)
  expect(await t.type(UP, DOWN)).toContain(`${PROMPT}echo 2_`)
  expect(await t.type(DOWN)).toContain(`${PROMPT}draft_`)
  expect(t.shell.history).toEqual(['echo 1', 'echo 2'])
})

test('a line longer than the terminal wraps, also when edited', async () => {
  const t = open(20)
  expect(await t.type('echo 123456789')).toBe(`${PROMPT}echo 1234\n56789_`)
  expect(await t.type('\x01', 'x')).toBe(`${PROMPT}x_echo 123\n456789`)
  expect(await t.type('\x05', '0123456789', LEFT)).toBe(`${PROMPT}xecho 123\n456789012345678_9`)
})

test('a command that is not complete is asked for on further lines', async () => {
  const t = open()
  expect(await t.type('for i in a b; do\r')).toBe(`${PROMPT}for i in a b; do\n> _`)
  expect(await t.type('echo $i\r', 'done\r')).toContain(`> done\na\nb\n${PROMPT}_`)
  expect(await t.type('echo "x\r', '\x03')).toContain(`> ^C\n${PROMPT}_`)
})

test('pasted lines stay one line of input until Enter', async () => {
  const t = open()
  expect(await t.type('\x1b[200~echo a\necho b\x1b[201~')).toBe(`${PROMPT}echo a\necho b_`)
  expect(await t.type('\r')).toContain(`\na\nb\n${PROMPT}_`)
})

test('Ctrl+C at the prompt drops the line, while a command runs it ends the command', async () => {
  const t = open()
  expect(await t.type('echo a', '\x03')).toBe(`${PROMPT}echo a^C\n${PROMPT}_`)
  t.terminal.input('sleep 100\r')
  await t.machine.advance(1e9)
  expect(t.terminal.isBusy).toBe(true)
  t.terminal.input('\x03')
  await t.machine.advance(1e6)
  expect(t.terminal.isBusy).toBe(false)
  expect(t.machine.now()).toBeLessThan(3e9)
})

test('Ctrl+D at an empty line ends the shell', async () => {
  const t = open()
  expect(await t.type('x', '\x04')).toBe(`${PROMPT}x_`)
  await t.type('\x7f', '\x04')
  await t.machine.advance(1)
  expect(t.exits).toEqual([0])
  const before = t.written.length
  t.terminal.input('echo a\r')
  expect(t.written.length).toBe(before)
})

test('what is typed ahead is run afterwards', async () => {
  const t = open()
  t.terminal.input('sleep 1\r')
  t.terminal.input('echo later\r')
  await t.machine.advance(2e9)
  await t.machine.advance(1e9)
  expect(draw(t.written.join(''), 40)).toContain(`${PROMPT}echo later\nlater\n${PROMPT}_`)
})

test('Tab completes commands and paths, and lists what is possible', async () => {
  const t = open()
  t.machine.addFile('/sys/fs/cgroup/mygroup/memory.max', 'max\n')
  t.machine.addFile('/sys/fs/cgroup/mygroup/memory.high', 'max\n')
  expect(await t.type('sysc\t')).toBe(`${PROMPT}sysctl _`)
  expect(await t.type('\x15', 'cat /sy\tf\tc\tm\tme\t')).toBe(`${PROMPT}cat /sys/fs/cgroup/mygroup/me\nmory._`)
  expect(await t.type('\t', '\t')).toContain(`memory.high  memory.max\n${PROMPT}cat /sys/fs/cgroup/mygroup/me\nmory._`)
  expect(await t.type('m\t')).toContain('mory.max _')
})

test('Ctrl+L clears the screen and keeps the line', async () => {
  const t = open()
  await t.type('echo a\r', 'abc')
  expect(await t.type('\x0c')).toBe(`${PROMPT}abc_`)
})

test('an escape sequence may come in two parts', async () => {
  const t = open()
  expect(await t.type('ab', '\x1b', '[D', 'x')).toBe(`${PROMPT}ax_b`)
})
